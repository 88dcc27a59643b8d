//! One place in the table of guarded ranges. The handler of a signal reads it while any thread may be changing it, so nothing here
//! locks, waits or allocates.

use crate::primitive::{AtomicU64, Ordering, fence};
use std::ops::Range;

/// What is known of a range besides its addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kind {
    /// [`Kind::MENDS_ACCESS`] and the others.
    pub bits: u32,
    /// The device of the file that is mapped there, where [`Kind::VERIFIED`].
    pub device: u64,
    /// Its inode.
    pub inode: u64,
}

impl Kind {
    /// An access that the pages do not allow is mended, too.
    pub const MENDS_ACCESS: u32 = 1;
    /// The mapping is a private one: what is written there stays there.
    pub const PRIVATE: u32 = 1 << 1;
    /// Some of the pages may not be read.
    pub const UNREADABLE: u32 = 1 << 2;
    /// Somebody else may take the addresses away at any time, so the file that is mapped there has to be looked at.
    pub const VERIFIED: u32 = 1 << 3;
    /// Whoever asked for the guard is gone; it stays while the file is mapped there.
    pub const ORPHAN: u32 = 1 << 4;

    /// Whether this bit is set.
    pub fn has(self, bit: u32) -> bool {
        self.bits & bit != 0
    }
}

/// A range of addresses, or none. Changed by one thread at a time; read by a handler in any.
///
/// Who faults in a range is using it, and nobody takes away a range that is in use; what is changed of one is changed in one store. So the
/// handler that is asked for an address of ours finds its range; what it must never do is to take half of an old range and half of a new one for
/// a third, which an address of somebody else could lie in.
#[derive(Debug)]
pub struct Entry {
    /// Odd while those below change, and another number afterwards.
    sequence: AtomicU64,
    start: AtomicU64,
    end: AtomicU64,
    bits: AtomicU64,
    device: AtomicU64,
    inode: AtomicU64,
    /// What the handler mended since somebody last asked: a bit for each kind of fault. Not under the sequence.
    mended: AtomicU64,
    /// Where the last one was.
    mended_at: AtomicU64,
}

impl Default for Entry {
    fn default() -> Entry {
        let [sequence, start, end, bits, device, inode, mended, mended_at] = [(); 8].map(|()| AtomicU64::new(0));
        Entry { sequence, start, end, bits, device, inode, mended, mended_at }
    }
}

impl Entry {
    /// Whether there is no range here. For the one thread that may change that.
    pub fn is_free(&self) -> bool {
        self.end.load(Ordering::Relaxed) == 0
    }

    /// The range and its kind. For the one thread that may change them.
    pub fn get(&self) -> (Range<u64>, Kind) {
        let [start, end, bits, device, inode] =
            [&self.start, &self.end, &self.bits, &self.device, &self.inode].map(|part| part.load(Ordering::Relaxed));
        (start..end, Kind { bits: bits as u32, device, inode })
    }

    /// Puts a range here; `0..0` takes it away.
    pub fn set(&self, range: Range<u64>, kind: Kind) {
        let sequence = self.sequence.load(Ordering::Relaxed);
        self.sequence.store(sequence.wrapping_add(1), Ordering::Relaxed);
        fence(Ordering::Release); // the mark before the range
        self.start.store(range.start, Ordering::Relaxed);
        self.end.store(range.end, Ordering::Relaxed);
        self.bits.store(u64::from(kind.bits), Ordering::Relaxed);
        self.device.store(kind.device, Ordering::Relaxed);
        self.inode.store(kind.inode, Ordering::Relaxed);
        self.sequence.store(sequence.wrapping_add(2), Ordering::Release); // the range before the number that says it is whole
    }

    /// Adds bits to the kind. A range that is in use may be asked for meanwhile, and has to be found: so this is one store, under no sequence. What
    /// rests on the bits is a system call that follows, which orders it after them.
    pub fn add(&self, bits: u32) {
        self.bits.fetch_or(u64::from(bits), Ordering::Relaxed);
    }

    /// Moves the end of a range, which may be in use: as [`Entry::add`].
    pub fn set_end(&self, end: u64) {
        self.end.store(end, Ordering::Relaxed);
    }

    /// The range and its kind, if the address lies in it.
    pub fn find(&self, address: u64) -> Option<(Range<u64>, Kind)> {
        let before = self.sequence.load(Ordering::Acquire); // nothing of the range is read before it
        let (range, kind) = self.get();
        fence(Ordering::Acquire); // the range before the second look
        let undisturbed = before & 1 == 0 && self.sequence.load(Ordering::Relaxed) == before;
        (undisturbed && range.contains(&address)).then_some((range, kind))
    }

    /// Notes what is about to be mended, for [`Entry::take_mended`]. What follows is a system call that changes the page for all threads, which
    /// orders it after this.
    pub fn note(&self, bits: u64, address: u64) {
        self.mended_at.store(address, Ordering::Relaxed);
        self.mended.fetch_or(bits, Ordering::Relaxed);
    }

    /// What was mended since this was last asked, except that the bits of `lasting` are told for ever; and where the last of it was. Whatever this
    /// thread read before, be it of a page that another thread's handler put there, is told of.
    pub fn take_mended(&self, lasting: u64) -> (u64, u64) {
        fence(Ordering::Acquire); // no byte was read after the word
        let mut bits = self.mended.load(Ordering::Relaxed);
        if bits & !lasting != 0 {
            bits = self.mended.fetch_and(lasting, Ordering::Relaxed); // seldom: a load does where there is nothing to tell
        }
        (bits, self.mended_at.load(Ordering::Relaxed))
    }
}
