//! A consumer is killed before each of its steps in turn; everybody else goes on.

use crate::cast::{leave_a_pin, mortal_consumer, process, publish};
use crate::consumer::Consumer;
use crate::model::at_every_step;
use crate::segment::{Process, Segment};
use crate::value::Plain;
use loom::thread::JoinHandle;
use std::sync::Arc;

/// Reads, and follows once.
fn victim(segment: &Arc<Segment<Plain>>, steps: u32) -> JoinHandle<bool> {
    mortal_consumer(segment, steps, |consumer| {
        if consumer.read() == Ok(1) {
            consumer.read_newer(1).unwrap();
        }
    })
}

fn come_and_go(process: &Process<Plain>) {
    if let Some(consumer) = Consumer::attach(process) {
        consumer.read().unwrap();
        consumer.detach();
    }
}

fn dies(buffers: u32, steps: u32, writes: u32) -> bool {
    let segment = Segment::<Plain>::new(buffers, 1);
    let victim = victim(&segment, steps);
    publish(&segment, |publisher| publisher.write_times(writes));
    victim.join().unwrap()
}

#[test]
fn with_one_buffer() {
    at_every_step(2, |steps| dies(1, steps, 2));
}

#[test]
fn with_two_buffers() {
    at_every_step(2, |steps| dies(2, steps, 3));
}

fn dies_beside_a_newcomer(buffers: u32, slots: u32, steps: u32, writes: u32) -> bool {
    let segment = Segment::<Plain>::new(buffers, slots);
    let victim = mortal_consumer(&segment, steps, |consumer| _ = consumer.read());
    let newcomer = process(&segment, come_and_go);
    publish(&segment, |publisher| publisher.write_times(writes));
    newcomer.join().unwrap();
    victim.join().unwrap()
}

/// The newcomer takes the dead one's slot, perhaps while the publisher recovers it.
#[test]
fn with_one_buffer_and_a_newcomer_in_its_slot() {
    at_every_step(2, |steps| dies_beside_a_newcomer(1, 1, steps, 1));
}

#[test]
fn with_two_buffers_and_a_newcomer_in_its_slot() {
    at_every_step(2, |steps| dies_beside_a_newcomer(2, 1, steps, 2));
}

/// The newcomer takes whichever slot is free.
#[test]
fn with_one_buffer_and_a_newcomer() {
    at_every_step(1, |steps| dies_beside_a_newcomer(1, 2, steps, 1));
}

/// It is killed while it attaches to the slot of one that died holding a buffer.
#[test]
fn while_it_attaches() {
    at_every_step(2, |steps| {
        let segment = Segment::<Plain>::new(2, 1);
        leave_a_pin(&segment);
        let newcomer = process(&segment, move |process| process.is_killed(steps, || come_and_go(process)));
        publish(&segment, |publisher| publisher.write_times(2));
        newcomer.join().unwrap()
    });
}
