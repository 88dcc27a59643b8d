//! A publication on the heap, and the processes that have it open.

use crate::kernel::{Byte, Futex, Kernel};
use crate::value::Value;
use pagecast::primitive::modelled::{in_kernel, mortal, step};
use pagecast::primitive::{AtomicU64, Word};
use pagecast::publication::{BufferHeader, Control, State, Words};
use pagecast::roster::{Slot, SlotBytes};
use pagecast::wait::{Park, Woken};
use std::cell::Cell;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Nothing looks at it: time passes when somebody dies.
pub const BOUND: Duration = Duration::ZERO;

pub struct Segment<V> {
    control: Control,
    slots: Vec<Slot>,
    headers: Vec<BufferHeader>,
    pub values: Vec<V>,
    pub kernel: Kernel,
    processes: AtomicU32,
}

impl<V: Value> Segment<V> {
    /// With value 1 in buffer 0.
    pub fn new(buffers: u32, slots: u32) -> Arc<Segment<V>> {
        Segment::build(buffers, slots, 1)
    }

    /// Without a value.
    pub fn empty(buffers: u32, slots: u32) -> Arc<Segment<V>> {
        Segment::build(buffers, slots, 0)
    }

    fn build(buffers: u32, slots: u32, first: u32) -> Arc<Segment<V>> {
        let state = if first == 0 { State::NEW } else { State::NEW.next(1) };
        let of = |buffer| if buffer == 0 { first } else { 0 };
        let control = Control {
            state: Word::new(state.0),
            sleepers: Word::new(0),
            writer_waits: Word::new(0),
            high_water: Word::new(0),
            epoch: Word::new(1),
            publisher_pid: Word::new(0),
        };
        Arc::new(Segment {
            control,
            slots: (0..slots).map(|_| slot()).collect(),
            headers: (0..buffers).map(|buffer| header(of(buffer))).collect(),
            values: (0..buffers).map(|buffer| V::new(of(buffer))).collect(),
            kernel: Kernel::new(slots),
            processes: AtomicU32::new(0),
        })
    }

    pub fn words(&self) -> Words<'_> {
        Words { control: &self.control, slots: &self.slots, buffers: &self.headers }
    }
}

fn slot() -> Slot {
    Slot { pin: Word::new(0), lock_wait: Word::new(0), attach_count: Word::new(0), pid: Word::new(0) }
}

fn header(version: u32) -> BufferHeader {
    let (length, version, timestamp) = (AtomicU64::new(0), AtomicU64::new(version.into()), AtomicU64::new(0));
    BufferHeader { sequence: Word::new(0), length, version, timestamp }
}

/// One that has the segment open: a thread in these tests.
pub struct Process<V> {
    pub segment: Arc<Segment<V>>,
    id: u32,
    /// How many of its sleeps have ended with their bound.
    expired: Cell<u32>,
    /// The state on which it first went to sleep.
    slept_on: Cell<Option<u32>>,
}

impl<V: Value> Process<V> {
    pub fn new(segment: &Arc<Segment<V>>) -> Process<V> {
        let id = segment.processes.fetch_add(1, Ordering::Relaxed) + 1;
        Process { segment: segment.clone(), id, expired: Cell::new(0), slept_on: Cell::new(None) }
    }

    pub fn try_hold(&self, byte: Byte) -> bool {
        self.segment.kernel.try_hold(byte, self.id)
    }

    pub fn release(&self, byte: Byte) {
        self.segment.kernel.release(byte);
    }

    /// Lives its life as far as it comes: it is killed before the step after this many. Whether it was.
    pub fn is_killed(&self, steps: u32, life: impl FnOnce()) -> bool {
        let killed = mortal(steps, life).is_none();
        self.segment.kernel.bury(self.id);
        killed
    }

    /// The state on which it first went to sleep.
    pub fn slept_on(&self) -> Option<State> {
        self.slept_on.get().map(State)
    }

    /// None of its sleeps ends with its bound from now on.
    pub fn sleep_soundly(&self) {
        self.expired.set(u32::MAX);
    }

    pub fn publisher_alive(&self) -> bool {
        self.segment.kernel.is_held(Byte::Publisher)
    }

    fn futex(&self, word: &Word) -> &Futex {
        let (kernel, control) = (&self.segment.kernel, &self.segment.control);
        if std::ptr::eq(word, &control.state) {
            return &kernel.state;
        }
        assert!(std::ptr::eq(word, &control.writer_waits), "nobody sleeps on any other word");
        &kernel.writer_waits
    }
}

impl<V: Value> SlotBytes for Process<V> {
    type Error = Infallible;

    fn try_hold_slot(&self, slot: u32) -> Result<bool, Infallible> {
        Ok(self.try_hold(Byte::Slot(slot)))
    }

    fn release_slot(&self, slot: u32) -> Result<(), Infallible> {
        self.release(Byte::Slot(slot));
        Ok(())
    }
}

impl<V: Value> Park for &Process<V> {
    fn wait(&self, word: &Word, expected: u32, _: Duration) -> Woken {
        step();
        self.slept_on.set(self.slept_on.get().or(Some(expected)));
        in_kernel(|| self.futex(word).wait(word, expected, &self.expired))
    }

    fn wake_all(&self, word: &Word) {
        step();
        in_kernel(|| self.futex(word).wake_all());
    }

    fn wake_one(&self, word: &Word) {
        step();
        in_kernel(|| self.futex(word).wake_one());
    }
}
