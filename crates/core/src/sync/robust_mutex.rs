//! A mutex that outlives its holder.

use super::mutex::Locked;
use super::raw_mutex::RawMutex;
use crate::error::Result;
use crate::region::Region;
use crate::roster::Holder;
use crate::wait::Patience;

/// One participant of a robust mutex in a region: between processes, between threads, and between two of these in one thread. What POSIX calls
/// `PTHREAD_MUTEX_ROBUST`, with `EOWNERDEAD` for [`MutexGuard::recovered`].
///
/// It holds a mapping of one page and a descriptor of its own, so it outlives the region. Whoever holds it and ends in any other way than by
/// releasing it (killed, dropped while it is held, unwinding from a panic) leaves it to the next one, who is told. Nobody is taken for dead because
/// time passed: the kernel is asked, by an open-file-description lock (fcntl(2)), and those who wait sleep on a futex(2).
///
/// A forked child has no part in it, and opens its own.
#[derive(Debug)]
pub struct Mutex(RawMutex);

impl Mutex {
    /// Takes part in the mutex at this byte offset, a multiple of 64, of a region that is shared and may be written. Its 64 bytes are zeros before
    /// the first use, and nobody else's; every process that maps the same file, wherever it begins, finds the same mutex there.
    ///
    /// [`Code::InvalidArgument`](crate::Code::InvalidArgument) or [`Code::ValueRange`](crate::Code::ValueRange) for an offset where none can be,
    /// [`Code::Private`](crate::Code::Private) and [`Code::ReadOnly`](crate::Code::ReadOnly) for a region that cannot have one,
    /// [`Code::Unsupported`](crate::Code::Unsupported) in a SysV segment, which has no byte of a file to lock,
    /// [`Code::TooManyConsumers`](crate::Code::TooManyConsumers) past 1024 participants.
    pub fn open(region: &Region, byte_offset: u64) -> Result<Mutex> {
        RawMutex::open(region, byte_offset).map(Mutex)
    }

    /// Takes the mutex, waiting for whoever holds it: [`Code::Timeout`](crate::Code::Timeout), which names the holder, when the patience is over,
    /// [`Code::Aborted`](crate::Code::Aborted). [`Code::Truncated`](crate::Code::Truncated) once another process has cut the file short,
    /// [`Code::Corrupt`](crate::Code::Corrupt) if the word says what no participant wrote, and
    /// [`Code::LockObstructed`](crate::Code::LockObstructed) if the holder is gone and a stranger's read lock (fcntl) keeps its byte.
    pub fn lock<'a>(&mut self, patience: impl Into<Patience<'a>>) -> Result<MutexGuard<'_>> {
        let locked = self.0.lock(patience)?;
        Ok(MutexGuard::new(&mut self.0, locked))
    }

    /// Takes the mutex unless somebody who lives holds it. Fails as [`lock`](Self::lock).
    pub fn try_lock(&mut self) -> Result<Option<MutexGuard<'_>>> {
        let locked = self.0.try_lock(false)?;
        Ok(locked.map(|locked| MutexGuard::new(&mut self.0, locked)))
    }

    /// Who holds it, by its own words: for display. `None`: nobody.
    pub fn holder(&self) -> Option<Holder> {
        self.0.holder()
    }

    /// The slot of this participant.
    pub fn slot(&self) -> u32 {
        self.0.slot()
    }
}

/// The mutex is held until this is dropped. Dropped by a panic, it counts as not released.
#[derive(Debug)]
pub struct MutexGuard<'a> {
    mutex: &'a mut RawMutex,
    recovered: bool,
    /// Whether a panic was under way when it was made: such a one says nothing of what was done since.
    was_panicking: bool,
}

impl<'a> MutexGuard<'a> {
    fn new(mutex: &'a mut RawMutex, locked: Locked) -> MutexGuard<'a> {
        MutexGuard { mutex, recovered: locked.recovered, was_panicking: std::thread::panicking() }
    }

    /// Whether the last one who held it ended without releasing it, so that what it guards may be half changed. Told once: released, the mutex
    /// counts as whole again.
    pub fn recovered(&self) -> bool {
        self.recovered
    }

    /// As dropping it, and says what went wrong: [`Code::Truncated`](crate::Code::Truncated) or [`Code::Corrupt`](crate::Code::Corrupt), so that others
    /// may have had the mutex at the same time. It is no longer held in any case.
    pub fn release(self) -> Result<()> {
        self.mutex.unlock()
    }
}

impl Drop for MutexGuard<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() && !self.was_panicking {
            return self.mutex.abandon();
        }
        let _ = self.mutex.unlock();
    }
}
