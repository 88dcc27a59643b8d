//! The publisher's steps (docs/protocol.md R1, R4–R8, R10, R13). Nothing here blocks but the waits, and those are bounded.
//!
//! Whoever makes a [`Writer`] holds the publisher's byte: that is what makes it the only one.

use super::reader::wake_writer;
use super::state::State;
use super::words::{BufferHeader, Words};
use crate::primitive::{Ordering, fence};
use crate::roster::{Slot, SlotBytes};
use crate::testing;
use crate::wait::Park;
use std::time::Duration;

/// The writing side of a publication.
#[derive(Clone, Copy, Debug)]
pub struct Writer<'a, P> {
    /// The publication.
    pub words: Words<'a>,
    /// How to sleep and wake.
    pub park: P,
}

impl<'a, P: Park> Writer<'a, P> {
    /// The state as this publisher, its only writer, left it.
    #[inline]
    pub fn state(&self) -> State {
        State(self.words.control.state.load(Ordering::Relaxed))
    }

    /// The slots that anybody has ever attached to. Loaded after the state store that the scan relies on (R7).
    #[inline]
    fn slots(&self) -> &'a [Slot] {
        let high_water = self.words.control.high_water.load(Ordering::SeqCst) as usize;
        &self.words.slots[..high_water.min(self.words.slots.len())]
    }

    /// A buffer that may be written: not the current one, held by nobody. With one buffer: that one, once no pin is left.
    #[inline]
    pub fn choose(&self) -> Option<u32> {
        let buffers = self.words.buffers.len() as u32;
        if testing::exclusion_off() {
            return Some((self.state().0 & State::INDEX) % buffers);
        }
        if buffers == 1 {
            // SeqCst: after the state store of `shut_out_readers`, as a reader's state load is after its pin store
            return self.slots().iter().all(|slot| slot.pin.load(Ordering::SeqCst) == 0).then_some(0);
        }
        let pinned = self.pinned();
        let current = self.state().index(buffers);
        let first = current.map_or(0, |index| index + 1);
        (0..buffers).map(|step| (first + step) % buffers).find(|index| Some(*index) != current && pinned & (1 << index) == 0)
    }

    /// A bit for each buffer that some consumer holds.
    fn pinned(&self) -> u64 {
        // SeqCst: after this publisher's last state store, as a reader's state load is after its pin store
        let held = self.slots().iter().map(|slot| slot.pin.load(Ordering::SeqCst));
        held.filter(|pin| (1..=State::INDEX).contains(pin)).fold(0, |mask, pin| mask | 1 << (pin - 1))
    }

    /// Sleeps until a pin is taken back, at most `bound`, unless a buffer is free after all (R7).
    pub fn wait_for_buffer(&self, bound: Duration) -> Option<u32> {
        self.wait_for(bound, || self.choose())
    }

    fn wait_for<T>(&self, bound: Duration, look: impl Fn() -> Option<T>) -> Option<T> {
        let waits = &self.words.control.writer_waits;
        let expected = waits.fetch_or(1, Ordering::SeqCst) | 1; // before the look: readers store their pin, then look at this bit
        let mut found = look();
        if found.is_none() {
            self.park.wait(waits, expected, bound);
            found = look();
        }
        waits.fetch_and(!1, Ordering::Relaxed);
        found
    }

    /// One buffer: lets the readers that wait for the lock in first, once for each time they began to wait (R13). `graced` is the
    /// publisher's memory of whom it has let in.
    pub fn grant_grace(&self, graced: &mut [u32], bound: Duration) {
        let slots = self.slots();
        // SeqCst: after the last state store, and in the wait after bit 0. Readers store it before they look at the one or the other.
        let asks = |slot: &Slot| slot.lock_wait.load(Ordering::SeqCst);
        let owed = |graced: &[u32]| slots.iter().zip(graced).any(|(slot, given)| asks(slot) != 0 && asks(slot) != *given);
        if !owed(graced) {
            return;
        }
        self.wait_for(bound, || (!owed(graced)).then_some(()));
        slots.iter().zip(graced).for_each(|(slot, given)| *given = asks(slot));
    }

    /// One buffer: keeps new readers out; those inside are waited for with [`Writer::choose`].
    pub fn shut_out_readers(&self) {
        let state = self.state();
        if !state.has(State::WRITING) {
            // SeqCst: before the scan of the pins. The generation stays, a reader's confirming load looks at the flag.
            self.words.control.state.store(state.0 | State::WRITING, Ordering::SeqCst);
        }
    }

    /// Marks a buffer as being written, before its first byte changes (R8).
    #[inline]
    pub fn begin(&self, buffer: &BufferHeader) {
        let sequence = buffer.sequence.load(Ordering::Relaxed);
        buffer.sequence.store(sequence | 1, Ordering::Relaxed);
        fence(Ordering::Release); // no byte is written before the mark
    }

    /// Marks it as whole, after its last byte.
    #[inline]
    pub fn end(&self, buffer: &BufferHeader) {
        let sequence = buffer.sequence.load(Ordering::Relaxed) | 1;
        buffer.sequence.store(sequence.wrapping_add(1), Ordering::Release); // every byte is written before it
    }

    /// One buffer: ends a write without a new value. `whole`: the value from before stands in the buffer again.
    pub fn give_up(&self, whole: bool, wake_always: bool) {
        if whole {
            self.end(&self.words.buffers[0]);
        } // else it stays marked: should this publisher die now, its successor must not take it for whole
        self.publish(if whole { 1 } else { State::EMPTY }, wake_always);
    }

    /// Publishes what the flags and the index say, with a new generation, and wakes whoever sleeps (R1, R6).
    #[inline]
    pub fn publish(&self, flags_and_index: u32, wake_always: bool) {
        let control = self.words.control;
        // The flag goes down before the store: lowered after it, it could take along the flag of one who saw the new state and sleeps again.
        let asked = control.sleepers.load(Ordering::Relaxed) != 0;
        if asked {
            control.sleepers.store(0, Ordering::Relaxed);
        }
        control.state.store(self.state().next(flags_and_index).0, Ordering::SeqCst); // releases the value; before the look at the flag
        if asked || wake_always || control.sleepers.load(Ordering::SeqCst) != 0 {
            self.park.wake_all(&control.state);
        }
    }

    /// Takes back what consumers that are gone left in their slots. Returns how many there were.
    pub fn recover_dead<B: SlotBytes>(&self, bytes: &B) -> Result<u32, B::Error> {
        self.recover_free(bytes, |slot| slot.pin.load(Ordering::Relaxed) != 0 || slot.lock_wait.load(Ordering::Relaxed) != 0)
    }

    /// Recovers each slot that looks `used` and whose byte nobody has.
    fn recover_free<B: SlotBytes>(&self, bytes: &B, used: impl Fn(&Slot) -> bool) -> Result<u32, B::Error> {
        let mut recovered = 0;
        for (slot, number) in self.words.slots.iter().zip(0..) {
            // only while this publisher holds the slot's byte itself can nobody else be attaching to it
            if used(slot) && bytes.try_hold_slot(number)? {
                self.recover(slot);
                bytes.release_slot(number)?;
                recovered += 1;
            }
        }
        Ok(recovered)
    }

    /// Takes a dead consumer's pin and flags back. The caller holds that slot's byte.
    fn recover(&self, slot: &Slot) {
        crate::roster::reset(slot);
        slot.pin.store(0, Ordering::SeqCst); // before the load in `wake_writer`, as every store of 0 (R4)
        wake_writer(&self.words, &self.park);
    }

    /// What a publisher that is gone left, for those who are told that nothing more will come of this segment.
    pub fn retire(&self) {
        self.publish(self.whole_or_empty() | State::REPLACED, true);
    }

    /// The current buffer's index + 1 if its value is whole, else [`State::EMPTY`].
    fn whole_or_empty(&self) -> u32 {
        let (left, buffers) = (self.state(), self.words.buffers);
        // Relaxed: as in `take_over`
        let torn = |index: u32| buffers[index as usize].sequence.load(Ordering::Relaxed) & 1 != 0;
        match left.index(buffers.len() as u32) {
            Some(index) if !left.has(State::EMPTY) && !torn(index) => index + 1,
            _ => State::EMPTY,
        }
    }

    /// Goes on with what a publisher that is gone left (R10). The caller holds its byte, and the name still leads here.
    /// Returns the version to go on from.
    pub fn succeed<B: SlotBytes>(&self, bytes: &B) -> Result<u64, B::Error> {
        fence(Ordering::SeqCst); // after the byte: what the dead publisher stored last comes before every load from here on
        self.recover_free(bytes, |_| true)?;
        Ok(self.take_over())
    }

    /// What a dead publisher left is made whole, once the slots are recovered: an interrupted write that changed no byte is undone,
    /// a torn value is taken away.
    fn take_over(&self) -> u64 {
        let buffers = self.words.buffers;
        // Relaxed: the byte went from the dead publisher to this one, and everything it stored before came along
        let version = buffers.iter().map(|buffer| buffer.version.load(Ordering::Relaxed)).max().unwrap_or(0);
        let meaning = self.whole_or_empty();
        self.words.control.writer_waits.fetch_and(!1, Ordering::Relaxed);
        self.words.control.epoch.fetch_add(1, Ordering::Relaxed); // released with the state below
        self.publish(meaning, true);
        version
    }
}
