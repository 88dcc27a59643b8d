//! Bytes of a lock range: fcntl(2), "Open file description locks".

use super::{SlotBytes, forked};
use crate::error::{Code, Error, Result};
use crate::sys::{self, ByteLock};
use crate::testing::step;
use nix::errno::Errno;
use std::fmt;
use std::os::fd::OwnedFd;
use std::time::Duration;

/// The lock range begins far past any size a file can have.
const LOCK_BASE: u64 = 1 << 62;

/// The bytes of the mutexes begin far past those of a publication.
const MUTEX_BASE: u64 = LOCK_BASE + (1 << 61);

/// Most consumers that may attach to one segment, and most participants of one mutex.
pub const MAX_SLOTS: u32 = 1024;

/// Mutexes that have bytes of their own: one in each 64 bytes of the first 2^57 of a file.
pub(crate) const MAX_MUTEXES: u64 = 1 << 51;

/// How long "every slot is taken" and "somebody locks there" are doubted: a recovery holds a byte for an instant.
const DOUBT: Duration = Duration::from_millis(20);

/// A byte of the lock range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Byte {
    /// Held by the one publisher.
    Publisher,
    /// Read-locked by every observer that may sleep.
    Observers,
    /// Held by the consumer in this slot.
    Slot(u32),
    /// Held by the participant in this slot of the mutex in these 64 bytes of the file, counted from 0.
    Participant(u64, u32),
}

impl Byte {
    fn position(self) -> u64 {
        match self {
            Byte::Publisher => LOCK_BASE,
            Byte::Observers => LOCK_BASE + 1,
            Byte::Slot(slot) => LOCK_BASE + 64 + u64::from(slot),
            Byte::Participant(mutex, slot) => MUTEX_BASE + mutex * u64::from(MAX_SLOTS) + u64::from(slot),
        }
    }

    fn slot(self) -> Option<u32> {
        match self {
            Byte::Slot(slot) | Byte::Participant(_, slot) => Some(slot),
            Byte::Publisher | Byte::Observers => None,
        }
    }
}

impl fmt::Display for Byte {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Byte::Publisher => write!(f, "the publisher's byte"),
            Byte::Observers => write!(f, "the observers' byte"),
            Byte::Slot(slot) => write!(f, "the byte of slot {slot}"),
            Byte::Participant(_, slot) => write!(f, "the byte of the mutex's slot {slot}"),
        }
    }
}

/// A description of a segment, or of a file that mutexes are in, that is used for nothing but locking.
#[derive(Debug)]
pub struct LockFile {
    fd: OwnedFd,
    /// Of the process that opened it: in a forked child it locks nothing.
    generation: u32,
}

impl LockFile {
    /// Opens the same file once more: [`Segment::file`](crate::segment::Segment::file).
    pub fn reopen(fd: &OwnedFd, read_only: bool) -> Result<LockFile> {
        let fd = forked::open(|| sys::reopen(fd, read_only)).map_err(|errno| match errno {
            // not that the segment is not there: that is open already
            Errno::ENOENT => Error::system("open the file for its locks: there is no /proc", "open", errno).with_code(Code::Unsupported),
            errno => Error::system("open the file for its locks", "open", errno),
        })?;
        Ok(LockFile { fd, generation: forked::generation() })
    }

    /// Bytes that the file has now; `None` where it cannot be told.
    pub(crate) fn file_size(&self) -> Option<u64> {
        sys::describe(&self.fd).ok().map(|(_, size)| size)
    }

    /// Whether this process is a forked child of the one that opened it: what is attached through it is not this process's to touch.
    #[inline]
    pub fn is_inherited(&self) -> bool {
        self.generation != forked::generation()
    }

    /// Takes the byte for this description; false if another one has it.
    pub fn try_hold(&self, byte: Byte) -> Result<bool> {
        step(|| format!("hold {byte:?}"));
        sys::try_lock_byte(&self.fd, byte.position(), true).map_err(|errno| lock_error(byte, errno))
    }

    /// Shares the byte with other observers; false if somebody holds it alone.
    pub fn try_share(&self, byte: Byte) -> Result<bool> {
        sys::try_lock_byte(&self.fd, byte.position(), false).map_err(|errno| lock_error(byte, errno))
    }

    /// Lets go of the byte.
    pub fn release(&self, byte: Byte) -> Result<()> {
        step(|| format!("release {byte:?}"));
        sys::unlock_byte(&self.fd, byte.position()).map_err(|errno| lock_error(byte, errno))
    }

    /// Whether another description holds the byte as its own. Read locks of strangers do not count.
    pub fn is_held(&self, byte: Byte) -> Result<bool> {
        Ok(self.query(byte, false)? == ByteLock::Write)
    }

    /// Whether another description locks the byte in any way.
    pub fn is_locked(&self, byte: Byte) -> Result<bool> {
        Ok(self.query(byte, true)? != ByteLock::Free)
    }

    /// Whether any consumer other than this description holds a slot.
    pub fn any_attached(&self) -> Result<bool> {
        let first = Byte::Slot(0);
        let held = sys::query_bytes(&self.fd, first.position(), i64::from(MAX_SLOTS), false);
        Ok(held.map_err(|errno| lock_error(first, errno))? == ByteLock::Write)
    }

    /// Whether another description has a read lock there: no publisher and no consumer, but nobody can become one.
    pub fn is_obstructed(&self, byte: Byte) -> Result<bool> {
        Ok(self.query(byte, true)? == ByteLock::Read)
    }

    fn query(&self, byte: Byte, exclusive: bool) -> Result<ByteLock> {
        sys::query_bytes(&self.fd, byte.position(), 1, exclusive).map_err(|errno| lock_error(byte, errno))
    }

    /// Takes the byte, doubting a first refusal: false if a living holder has it, an error if a stranger's read lock obstructs.
    /// `what` is operation and subject.
    pub fn hold(&self, byte: Byte, what: impl fmt::Display) -> Result<bool> {
        self.hold_first(std::iter::once(byte), what).map(|held| held.is_some())
    }

    /// Takes the first free slot; `None`: each has a living holder. `what` as for [`hold`](Self::hold).
    pub fn hold_slot(&self, slots: u32, what: impl fmt::Display) -> Result<Option<u32>> {
        let held = self.hold_first((0..slots).map(Byte::Slot), what)?;
        Ok(held.and_then(Byte::slot))
    }

    /// Takes the first free slot of a mutex; `None` and `what` as for [`hold_slot`](Self::hold_slot).
    pub fn hold_participant(&self, mutex: u64, what: impl fmt::Display) -> Result<Option<u32>> {
        let held = self.hold_first((0..MAX_SLOTS).map(|slot| Byte::Participant(mutex, slot)), what)?;
        Ok(held.and_then(Byte::slot))
    }

    fn hold_first(&self, bytes: impl Iterator<Item = Byte> + Clone, what: impl fmt::Display) -> Result<Option<Byte>> {
        let end = crate::wait::Deadline::after(DOUBT);
        loop {
            let is_over = end.slice(DOUBT).is_none();
            let mut obstructed = None;
            for byte in bytes.clone() {
                if self.try_hold(byte)? {
                    return Ok(Some(byte));
                }
                // only what has a read lock has a stranger's: a byte that is free by now was somebody's at the try
                if is_over && self.is_obstructed(byte)? {
                    obstructed = obstructed.or(Some(byte));
                }
            }
            if is_over {
                return obstructed.map_or(Ok(None), |byte| Err(obstruction(what, byte)));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

impl SlotBytes for LockFile {
    type Error = Error;

    fn try_hold_slot(&self, slot: u32) -> Result<bool> {
        self.try_hold(Byte::Slot(slot))
    }

    fn release_slot(&self, slot: u32) -> Result<()> {
        self.release(Byte::Slot(slot))
    }
}

impl Drop for LockFile {
    /// Not by closing alone: a child of this process that has not come from fork to exec yet holds the description, too.
    fn drop(&mut self) {
        step(|| "release all");
        let _ = sys::unlock_all(&self.fd);
        forked::forget(&self.fd);
    }
}

pub(crate) fn obstruction(what: impl fmt::Display, byte: Byte) -> Error {
    Error::new(Code::LockObstructed, format!("{what}: a process that is not attached holds a read lock (fcntl) on {byte}"))
}

fn lock_error(byte: Byte, errno: nix::errno::Errno) -> Error {
    Error::system(format_args!("lock {byte}"), "fcntl", errno)
}
