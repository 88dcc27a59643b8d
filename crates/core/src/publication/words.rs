//! The words of a publication: everything that its steps load and store.

use super::state::State;
use crate::primitive::{AtomicU64, Ordering, Word};
use crate::roster::Slot;

/// One cache line that every step looks at.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct Control {
    /// The one word that publishes, and the futex of those who wait for a change. Written only by the holder of the publisher's byte.
    pub state: Word,
    /// Not 0: somebody sleeps on `state`, so wake. Raised by sleepers, lowered by the publisher before it stores `state`.
    pub sleepers: Word,
    /// The futex of a publisher that waits for a pin. Bit 0 is the publisher's: "I wait"; readers add 2 to change the word.
    pub writer_waits: Word,
    /// One more than the highest slot ever attached to. Never lowered.
    pub high_water: Word,
    /// How many publishers this segment has had.
    pub epoch: Word,
    /// For display only.
    pub publisher_pid: Word,
}

/// One cache line for each buffer. Read under a pin, or between two looks at `sequence`.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct BufferHeader {
    /// Odd while the bytes are being written. Never toggled: `| 1` before, `+ 1` after.
    pub sequence: Word,
    /// Bytes of the value.
    pub length: AtomicU64,
    /// 1 for the first value ever, then growing by 1.
    pub version: AtomicU64,
    /// CLOCK_MONOTONIC in nanoseconds when the value was published.
    pub timestamp: AtomicU64,
}

/// The words, borrowed from a mapping or, in loom's tests, from the heap.
#[derive(Clone, Copy, Debug)]
pub struct Words<'a> {
    /// What the publication says.
    pub control: &'a Control,
    /// One for each consumer that may attach.
    pub slots: &'a [Slot],
    /// One for each buffer.
    pub buffers: &'a [BufferHeader],
}

impl Words<'_> {
    /// The state now, to look at and to sleep on.
    #[inline]
    pub fn state(&self) -> State {
        State(self.control.state.load(Ordering::Acquire)) // before the sleeper's flag goes up: whoever stored it had lowered the flag
    }
}
