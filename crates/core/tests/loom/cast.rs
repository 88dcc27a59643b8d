//! Who plays in a scenario.

use crate::consumer::Consumer;
use crate::publisher::Publisher;
use crate::segment::{Process, Segment};
use crate::value::{Plain, Value};
use loom::thread::{self, JoinHandle};
use std::sync::Arc;

/// A process of its own.
pub fn process<V: Value, T: 'static>(segment: &Arc<Segment<V>>, life: impl FnOnce(&Process<V>) -> T + 'static) -> JoinHandle<T> {
    let process = Process::new(segment);
    thread::spawn(move || life(&process))
}

/// A consumer that has been attached since before the scenario began, in the next free slot.
pub fn consumer<V: Value>(segment: &Arc<Segment<V>>, life: impl FnOnce(&Consumer<'_, V>) + 'static) -> JoinHandle<()> {
    let process = Process::new(segment);
    let number = attach(&process);
    thread::spawn(move || life(&Consumer::of(&process, number)))
}

/// As [`consumer`], killed before the step after this many. Whether it was.
pub fn mortal_consumer<V: Value>(segment: &Arc<Segment<V>>, steps: u32, life: impl FnOnce(&Consumer<'_, V>) + 'static) -> JoinHandle<bool> {
    let process = Process::new(segment);
    let number = attach(&process);
    thread::spawn(move || process.is_killed(steps, || life(&Consumer::of(&process, number))))
}

/// Leaves the slot of a consumer that died holding the current value.
pub fn leave_a_pin<V: Value>(segment: &Arc<Segment<V>>) {
    let process = Process::new(segment);
    process.is_killed(u32::MAX, || _ = Consumer::of(&process, attach(&process)).lock());
}

fn attach<V: Value>(process: &Process<V>) -> u32 {
    Consumer::attach(process).expect("a free slot").number()
}

/// The publisher, in this thread.
pub fn publish<V: Value>(segment: &Arc<Segment<V>>, life: impl FnOnce(&mut Publisher<'_, V>)) {
    life(&mut Publisher::of(&Process::new(segment)));
}

/// As [`publish`], killed before the step after this many. Whether it was.
pub fn mortal_publish<V: Value>(segment: &Arc<Segment<V>>, steps: u32, life: impl FnOnce(&mut Publisher<'_, V>)) -> bool {
    let process = Process::new(segment);
    let mut publisher = Publisher::of(&process);
    process.is_killed(steps, || life(&mut publisher))
}

/// So many consumers read so often while the publisher does what it does.
pub fn contend(buffers: u32, consumers: u32, reads: u32, life: impl Fn(&mut Publisher<'_, Plain>)) {
    let segment = Segment::<Plain>::new(buffers, consumers);
    let consumers: Vec<_> = (0..consumers)
        .map(|_| {
            consumer(&segment, move |consumer| {
                (0..reads).fold(1, |last, _| {
                    let value = consumer.read().unwrap();
                    assert!(value >= last, "{value} after {last}");
                    value
                });
            })
        })
        .collect();
    publish(&segment, life);
    consumers.into_iter().for_each(|consumer| consumer.join().unwrap());
}
