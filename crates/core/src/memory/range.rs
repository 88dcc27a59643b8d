//! One place in the table of guarded ranges. The handler of a signal reads it while any thread may be changing it, so nothing here
//! locks, waits or allocates.

use crate::primitive::{AtomicU64, Ordering, Word, fence};
use std::ops::Range;

/// A range of addresses, or none. Changed by one thread at a time; read by a handler in any.
///
/// Who faults in a range is using it, and nobody takes away a range that is in use. So the handler that is asked for an address
/// of ours finds its range unchanging; what it must never do is to take half of an old range and half of a new one for a third,
/// which an address of somebody else could lie in.
#[derive(Debug)]
pub struct Entry {
    /// Odd while the two below change, and another number afterwards.
    sequence: Word,
    start: AtomicU64,
    end: AtomicU64,
}

impl Default for Entry {
    fn default() -> Entry {
        Entry { sequence: Word::new(0), start: AtomicU64::new(0), end: AtomicU64::new(0) }
    }
}

impl Entry {
    /// Whether there is no range here. For the one thread that may change that.
    pub fn is_free(&self) -> bool {
        self.end.load(Ordering::Relaxed) == 0
    }

    /// Puts a range here; `0..0` takes it away.
    pub fn set(&self, range: Range<u64>) {
        let sequence = self.sequence.load(Ordering::Relaxed);
        self.sequence.store(sequence.wrapping_add(1), Ordering::Relaxed);
        fence(Ordering::Release); // the mark before the range
        self.start.store(range.start, Ordering::Relaxed);
        self.end.store(range.end, Ordering::Relaxed);
        self.sequence.store(sequence.wrapping_add(2), Ordering::Release); // the range before the number that says it is whole
    }

    /// The range, if the address lies in it.
    pub fn find(&self, address: u64) -> Option<Range<u64>> {
        let before = self.sequence.load(Ordering::Acquire); // nothing of the range is read before it
        let range = self.start.load(Ordering::Relaxed)..self.end.load(Ordering::Relaxed);
        fence(Ordering::Acquire); // the range before the second look
        let undisturbed = before & 1 == 0 && self.sequence.load(Ordering::Relaxed) == before;
        (undisturbed && range.contains(&address)).then_some(range)
    }
}
