//! A consumer's steps (docs/protocol.md R3–R5, R9, R11–R13). Nothing here blocks but [`Reader::sleep`], and that is bounded.
//!
//! Exclusion is Dekker's: the reader stores its pin and then loads the state, the writer stores the state and then loads the
//! pins, all four sequentially consistent, so at least one of them sees the other.

use super::state::State;
use super::words::{BufferHeader, Words};
use crate::primitive::{Ordering, fence};
use crate::roster::Slot;
use crate::testing;
use crate::wait::{Park, Woken};
use std::time::Duration;

/// Attempts before a reader is told that the value keeps changing: no honest publisher is so much faster than a reader.
pub(super) const ATTEMPTS: u32 = 64;

/// The reading side of a publication, on the slot of one consumer.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a, P> {
    /// The publication.
    pub words: Words<'a>,
    /// The slot that this consumer holds.
    pub slot: &'a Slot,
    /// How to sleep and wake.
    pub park: P,
}

impl<P: Park> Reader<'_, P> {
    /// Pins the current value (R3). `Err`: the state word that keeps it out, by one of the `blockers`, by naming no buffer, or by
    /// being another one at every look.
    #[inline]
    pub fn pin(&self, blockers: u32) -> Result<(u32, State), State> {
        let state = &self.words.control.state;
        let mut seen = State(state.load(Ordering::Relaxed)); // Relaxed: only a guess, the confirming load decides
        for _ in 0..ATTEMPTS {
            let Some(index) = self.admitted(seen, blockers) else { return Err(seen) };
            if testing::exclusion_off() {
                return Ok((index, seen));
            }
            self.slot.pin.store(index + 1, Ordering::SeqCst); // before the load below, as the writer's state store is before its scan
            let now = State(state.load(Ordering::SeqCst));
            if !now.has(State::WRITING) && now.0 & State::INDEX == seen.0 & State::INDEX {
                return Ok((index, now));
            }
            self.unpin();
            seen = now;
        }
        Err(seen)
    }

    fn admitted(&self, state: State, blockers: u32) -> Option<u32> {
        let blocked = state.has(blockers) && !testing::exclusion_off();
        state.index(self.words.buffers.len() as u32).filter(|_| !blocked)
    }

    /// Takes the pin back and wakes a publisher that waits for it (R4). For every store of 0, also those on the way out of a failure.
    #[inline]
    pub fn unpin(&self) {
        self.slot.pin.store(0, Ordering::SeqCst); // before the load in `wake_writer`
        wake_writer(&self.words, &self.park);
    }

    /// Makes the slot this consumer's (R11). The caller holds the slot's byte; `number` is the slot's.
    pub fn attach(&self, number: u32) {
        let count = &self.slot.attach_count;
        count.store(count.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
        self.words.control.high_water.fetch_max(number + 1, Ordering::SeqCst); // before the first pin: the publisher scans no further
        crate::roster::reset(self.slot);
        self.unpin();
    }

    /// Says that this consumer waits for the lock, so that the publisher lets it in once before its next write (R13).
    /// `number` is another one, and not 0, each time it begins to wait.
    pub fn ask_for_grace(&self, number: u32) {
        self.slot.lock_wait.store(number, Ordering::SeqCst); // before the re-read of the state in `sleep`
    }

    /// Takes that back: it got the lock, or gave up.
    pub fn end_grace(&self) {
        self.slot.lock_wait.store(0, Ordering::SeqCst); // before the load in `wake_writer`
        wake_writer(&self.words, &self.park);
    }
}

/// Sleeps until the state is no longer `seen`, at most `bound` (R5). An early return means nothing: look again.
/// `seen` is what [`Words::state`] said before the caller looked for what it waits for.
pub fn sleep<P: Park>(words: &Words<'_>, park: &P, seen: State, bound: Duration) -> Woken {
    let control = words.control;
    control.sleepers.store(1, Ordering::SeqCst); // before the re-read: the publisher stores the state, then looks at the flag
    if control.state.load(Ordering::SeqCst) != seen.0 {
        return Woken::Changed;
    }
    park.wait(&control.state, seen.0, bound)
}

/// Wakes the publisher if it says that it waits.
pub(super) fn wake_writer<P: Park>(words: &Words<'_>, park: &P) {
    let waits = &words.control.writer_waits;
    if waits.load(Ordering::SeqCst) & 1 != 0 {
        waits.fetch_add(2, Ordering::Relaxed); // changes the futex word, so that a sleep not yet begun does not begin
        park.wake_all(waits);
    }
}

/// One attempt to copy the current value without a pin (R9). `None`: it changed meanwhile, try again.
#[inline]
pub fn read_unpinned<T>(words: &Words<'_>, blockers: u32, copy: impl FnOnce(u32, &BufferHeader) -> T) -> Result<Option<T>, State> {
    let state = &words.control.state;
    let seen = State(state.load(Ordering::Acquire)); // the value it names comes along; a caller may sleep on what `Err` says
    let Some(index) = seen.index(words.buffers.len() as u32).filter(|_| !seen.has(blockers)) else {
        return Err(seen);
    };
    let buffer = &words.buffers[index as usize];
    let before = buffer.sequence.load(Ordering::Acquire); // no byte is read before it
    // The second look: a buffer may have been left and begun anew since the first one, with an even sequence in between.
    if before & 1 != 0 || state.load(Ordering::Relaxed) != seen.0 {
        return Ok(None);
    }
    let copied = copy(index, buffer);
    fence(Ordering::Acquire); // no byte is read after the load below
    let whole = buffer.sequence.load(Ordering::Relaxed) == before || testing::recheck_off();
    Ok(whole.then_some(copied))
}
