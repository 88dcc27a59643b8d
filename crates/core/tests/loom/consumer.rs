//! A consumer that does with the project's steps what `RawConsumer` does with them.

use crate::kernel::Byte;
use crate::segment::{BOUND, Process};
use crate::value::{Value, whole};
use pagecast::primitive::Ordering;
use pagecast::publication::{Reader, State, read_unpinned, sleep};
use pagecast::roster::Slot;
use pagecast::wait::{Park, Woken};
use std::cell::Cell;

/// Why there is nothing to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    Closed,
    Died,
}

pub struct Consumer<'a, V> {
    process: &'a Process<V>,
    number: u32,
    /// How often it asked for grace; `None`: it never does.
    grace: Cell<Option<u32>>,
}

impl<'a, V: Value> Consumer<'a, V> {
    /// Takes the first free slot.
    pub fn attach(process: &'a Process<V>) -> Option<Consumer<'a, V>> {
        let free = |number: &u32| process.try_hold(Byte::Slot(*number));
        let number = (0..process.segment.words().slots.len() as u32).find(free)?;
        let consumer = Consumer::of(process, number);
        consumer.reader().attach(number);
        Some(consumer)
    }

    /// On a slot that it was given.
    pub fn of(process: &'a Process<V>, number: u32) -> Consumer<'a, V> {
        Consumer { process, number, grace: Cell::new(None) }
    }

    /// The state on which it first went to sleep.
    pub fn slept_on(&self) -> Option<State> {
        self.process.slept_on()
    }

    /// From now on it asks for grace when it waits for the lock.
    pub fn ask_for_grace(&self) {
        self.grace.set(Some(0));
    }

    pub fn number(&self) -> u32 {
        self.number
    }

    pub fn detach(&self) {
        self.process.release(Byte::Slot(self.number));
    }

    pub fn slot(&self) -> &Slot {
        &self.process.segment.words().slots[self.number as usize]
    }

    fn reader(&self) -> Reader<'_, &'a Process<V>> {
        Reader { words: self.process.segment.words(), slot: self.slot(), park: self.process }
    }

    pub fn state(&self) -> State {
        self.process.segment.words().state()
    }

    /// Sleeps until the state is no longer `seen`, and asks who lives when that takes long.
    fn doze(&self, seen: State) -> Result<(), Stop> {
        let woken = sleep(&self.process.segment.words(), &self.process, seen, BOUND);
        let died = woken == Woken::TimedOut && !self.process.publisher_alive() && self.state() == seen;
        if died { Err(Stop::Died) } else { Ok(()) }
    }

    /// Sleeps, soundly, while the state is this one.
    pub fn sleep_while(&self, seen: State) {
        self.process.sleep_soundly();
        while self.state() == seen {
            sleep(&self.process.segment.words(), &self.process, seen, BOUND);
        }
    }

    /// Pins the current value; waits for a write that is under way and for a first value.
    pub fn lock(&self) -> Result<u32, Stop> {
        let locked = loop {
            let seen = self.state();
            match self.reader().pin(State::NO_VALUE | State::ENDED) {
                Ok((index, _)) => break Ok(index),
                Err(state) if state.has(State::ENDED) => break Err(Stop::Closed),
                Err(state) => self.ask(state),
            }
            if seen.has(State::NO_VALUE)
                && let Err(stop) = self.doze(seen)
            {
                break Err(stop);
            }
        };
        self.end_grace();
        locked
    }

    /// As if the time to wait for the lock were over at once.
    pub fn try_lock_and_give_up(&self) {
        match self.reader().pin(State::NO_VALUE) {
            Ok(_) => self.unlock(),
            Err(state) => self.ask(state),
        }
        self.end_grace();
    }

    fn ask(&self, state: State) {
        let Some(number) = self.grace.get() else { return };
        if state.has(State::WRITING) && self.slot().lock_wait.load(Ordering::Relaxed) == 0 {
            self.grace.set(Some(number + 1));
            self.reader().ask_for_grace(number + 1);
        }
    }

    fn end_grace(&self) {
        if self.grace.get().is_some() && self.slot().lock_wait.load(Ordering::Relaxed) != 0 {
            self.reader().end_grace();
        }
    }

    pub fn unlock(&self) {
        self.reader().unpin();
    }

    /// The value in a buffer that is pinned.
    pub fn value(&self, index: u32) -> u32 {
        let segment = &self.process.segment;
        let value = segment.values[index as usize].read();
        let version = segment.words().buffers[index as usize].version.load(Ordering::Relaxed);
        assert_eq!(version, u64::from(value), "another value's header");
        value
    }

    /// The current value.
    pub fn read(&self) -> Result<u32, Stop> {
        let index = self.lock()?;
        let value = self.value(index);
        self.unlock();
        Ok(value)
    }

    /// The first value it finds after this one; sleeps until there is one.
    pub fn read_newer(&self, than: u32) -> Result<u32, Stop> {
        loop {
            let seen = self.state(); // before the look
            if let Ok((index, _)) = self.reader().pin(State::NO_VALUE) {
                let value = self.value(index);
                self.unlock();
                assert!(value >= than, "{value} after {than}");
                if value > than {
                    return Ok(value);
                }
            }
            if seen.has(State::ENDED) {
                return Err(Stop::Closed);
            }
            self.doze(seen)?;
        }
    }

    /// One attempt to copy the current value without a pin.
    pub fn copy(&self) -> Option<u32> {
        let segment = &self.process.segment;
        let copied = read_unpinned(&segment.words(), State::NO_VALUE, |index, header| {
            (header.version.load(Ordering::Relaxed), segment.values[index as usize].copy())
        });
        let (version, halves) = copied.ok()??;
        let value = whole(halves);
        assert_eq!(version, u64::from(value), "another value's header");
        Some(value)
    }

    /// As [`read_newer`](Self::read_newer), without a pin.
    pub fn copy_newer(&self, than: u32) -> Result<u32, Stop> {
        loop {
            let seen = self.state(); // before the look
            match self.copy() {
                Some(value) if value > than => return Ok(value),
                Some(_) => self.doze(seen)?,
                None => loom::thread::yield_now(),
            }
        }
    }

    /// As [`copy_newer`](Self::copy_newer), of one that may not say that it sleeps.
    pub fn observe_newer(&self, than: u32) -> u32 {
        loop {
            let seen = self.state(); // before the look
            match self.copy() {
                Some(value) if value > than => return value,
                Some(_) => drop(self.process.wait(&self.process.segment.words().control.state, seen.0, BOUND)),
                None => loom::thread::yield_now(),
            }
        }
    }
}
