//! What a consumer says of itself in shared memory.

use crate::primitive::{Ordering, Word};

/// One cache line per consumer. It belongs to whoever holds the slot's byte, whatever it says.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct Slot {
    /// Index + 1 of the buffer that this consumer holds, 0 for none. Written by the slot's holder; by a recovery that holds the byte.
    pub pin: Word,
    /// Not 0 while this consumer sleeps for the lock: grows with each sleep, so that it gets one grace each.
    pub lock_wait: Word,
    /// How often the slot was attached to.
    pub attach_count: Word,
    /// For display only: process ids lie across namespaces and time.
    pub pid: Word,
}

/// Empties the slot of a consumer that is gone. The caller holds the slot's byte.
pub(crate) fn reset(slot: &Slot) {
    slot.lock_wait.store(0, Ordering::Relaxed);
    slot.pid.store(0, Ordering::Relaxed);
}
