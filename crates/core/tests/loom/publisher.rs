//! A publisher that does with the project's steps what `RawPublisher` and `create` do with them.

use crate::kernel::Byte;
use crate::segment::{BOUND, Process};
use crate::value::Value;
use pagecast::primitive::Ordering;
use pagecast::publication::{State, Writer};
use std::cell::{Cell, RefCell};

pub struct Publisher<'a, V> {
    process: &'a Process<V>,
    version: Cell<u32>,
    /// Whom it has let in; `None`: it grants no grace.
    graced: RefCell<Option<Vec<u32>>>,
    /// As if observers slept, who cannot say so.
    pub wakes_always: bool,
}

impl<'a, V: Value> Publisher<'a, V> {
    /// Of a new segment.
    pub fn of(process: &'a Process<V>) -> Publisher<'a, V> {
        assert!(process.try_hold(Byte::Publisher));
        let version = Cell::new(if Publisher::writer_of(process).state().has(State::EMPTY) { 0 } else { 1 });
        Publisher { process, version, graced: RefCell::new(None), wakes_always: false }
    }

    /// Of a segment that a dead publisher left. `None`: it is not dead.
    pub fn adopt(process: &'a Process<V>) -> Option<Publisher<'a, V>> {
        if !process.try_hold(Byte::Publisher) {
            return None;
        }
        let Ok(version) = Publisher::writer_of(process).succeed(process);
        let version = Cell::new(u32::try_from(version).unwrap());
        Some(Publisher { process, version, graced: RefCell::new(None), wakes_always: false })
    }

    /// Of another segment in the place of one that a dead publisher left: it tells those who have the old one.
    pub fn retire(process: &'a Process<V>) {
        assert!(process.try_hold(Byte::Publisher), "the byte of one that is dead");
        Publisher::writer_of(process).retire();
    }

    /// From now on it lets waiting readers in first.
    pub fn grant_grace(&self) {
        self.graced.replace(Some(vec![0; self.process.segment.words().slots.len()]));
    }

    fn writer_of(process: &'a Process<V>) -> Writer<'a, &'a Process<V>> {
        Writer { words: process.segment.words(), park: process }
    }

    fn writer(&self) -> Writer<'a, &'a Process<V>> {
        Publisher::writer_of(self.process)
    }

    pub fn version(&self) -> u32 {
        self.version.get()
    }

    /// The buffer to write, if there is one at once.
    pub fn try_begin(&self) -> Option<u32> {
        let writer = self.writer();
        if writer.words.buffers.len() == 1 {
            if let Some(graced) = self.graced.borrow_mut().as_mut() {
                writer.grant_grace(graced, BOUND);
            }
            writer.shut_out_readers();
        }
        writer.choose()
    }

    /// The buffer to write, as soon as there is one.
    fn begin(&self) -> u32 {
        if let Some(index) = self.try_begin() {
            return index;
        }
        loop {
            self.recover_dead();
            if let Some(index) = self.writer().wait_for_buffer(BOUND).or_else(|| self.writer().choose()) {
                return index;
            }
        }
    }

    pub fn recover_dead(&self) {
        let Ok(_) = self.writer().recover_dead(self.process);
    }

    /// Publishes the next value.
    pub fn write(&self) {
        self.fill(self.begin());
    }

    pub fn write_times(&self, times: u32) {
        (0..times).for_each(|_| self.write());
    }

    /// As [`write_times`](Self::write_times), where it must never wait.
    pub fn write_times_at_once(&self, times: u32) {
        (0..times).for_each(|_| self.fill(self.try_begin().expect("a buffer that nobody holds")));
    }

    fn fill(&self, index: u32) {
        let (writer, next) = (self.writer(), self.version.get() + 1);
        let header = &writer.words.buffers[index as usize];
        writer.begin(header);
        self.process.segment.values[index as usize].write(next);
        header.version.store(next.into(), Ordering::Relaxed);
        writer.end(header);
        writer.publish(index + 1, self.wakes_always);
        self.version.set(next);
    }

    /// Several buffers: writes what nobody must ever see, and gives the buffer up.
    pub fn write_and_abort(&self) {
        let index = self.begin();
        let writer = self.writer();
        let header = &writer.words.buffers[index as usize];
        writer.begin(header);
        self.process.segment.values[index as usize].write(u32::MAX);
    }

    /// One buffer: writes what nobody must ever see, without a copy of what was there, and gives up.
    pub fn spoil_and_give_up(&self) {
        let index = self.begin();
        let writer = self.writer();
        writer.begin(&writer.words.buffers[index as usize]);
        self.process.segment.values[index as usize].write(u32::MAX);
        writer.give_up(false, self.wakes_always);
    }

    /// One buffer: shuts readers out, and lets them in again without having changed anything.
    pub fn lock_and_cancel(&self) {
        self.begin();
        self.publish_nothing();
    }

    /// One buffer: as if the time were over before the readers had left.
    pub fn shut_out_and_cancel(&self) {
        self.writer().shut_out_readers();
        self.publish_nothing();
    }

    /// What was there before, in a new generation.
    pub fn publish_nothing(&self) {
        let writer = self.writer();
        writer.publish(writer.state().meaning() & !State::WRITING, self.wakes_always);
    }

    pub fn close(&self) {
        let writer = self.writer();
        writer.publish(writer.state().meaning() | State::CLOSED, true);
    }
}
