//! A mutex on the heap with what it guards, and the processes that have it open.

use crate::kernel::{Byte, Kernel};
use crate::value::{Plain, Value};
use pagecast::primitive::Word;
use pagecast::primitive::modelled::{in_kernel, mortal, step};
use pagecast::roster::SlotBytes;
use pagecast::sync::MutexWords;
use pagecast::wait::{Park, Woken};
use std::cell::Cell;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

pub struct Arena {
    pub words: MutexWords,
    /// Begins with 1.
    pub value: Plain,
    pub slots: u32,
    kernel: Kernel,
    parties: AtomicU32,
    /// How often somebody was told that the mutex was recovered.
    pub recoveries: AtomicU32,
}

impl Arena {
    pub fn new(slots: u32) -> Arc<Arena> {
        Arc::new(Arena {
            words: MutexWords { owner: Word::new(0), owner_pid: Word::new(0) },
            value: Plain::new(1),
            slots,
            kernel: Kernel::new(slots),
            parties: AtomicU32::new(0),
            recoveries: AtomicU32::new(0),
        })
    }
}

/// One that has the mutex open: a thread in these tests.
pub struct Party {
    pub arena: Arc<Arena>,
    id: u32,
    /// How many of its sleeps have ended with their bound.
    expired: Cell<u32>,
}

impl Party {
    pub fn new(arena: &Arc<Arena>) -> Party {
        Party { arena: arena.clone(), id: arena.parties.fetch_add(1, Ordering::Relaxed) + 1, expired: Cell::new(0) }
    }

    /// Lives its life as far as it comes: it is killed before the step after this many. Whether it was.
    pub fn is_killed(&self, steps: u32, life: impl FnOnce()) -> bool {
        let killed = mortal(steps, life).is_none();
        self.arena.kernel.bury(self.id);
        killed
    }
}

impl SlotBytes for Party {
    type Error = Infallible;

    fn try_hold_slot(&self, slot: u32) -> Result<bool, Infallible> {
        step();
        Ok(in_kernel(|| self.arena.kernel.try_hold(Byte::Slot(slot), self.id)))
    }

    fn release_slot(&self, slot: u32) -> Result<(), Infallible> {
        step();
        in_kernel(|| self.arena.kernel.release(Byte::Slot(slot)));
        Ok(())
    }
}

impl Park for &Party {
    fn wait(&self, word: &Word, expected: u32, _: Duration) -> Woken {
        step();
        in_kernel(|| self.arena.kernel.state.wait(word, expected, &self.expired))
    }

    fn wake_all(&self, _: &Word) {
        step();
        in_kernel(|| self.arena.kernel.state.wake_all());
    }

    fn wake_one(&self, _: &Word) {
        step();
        in_kernel(|| self.arena.kernel.state.wake_one());
    }
}
