//! Coming and going while values are published.

use crate::cast::{consumer, process, publish};
use crate::consumer::Consumer;
use crate::model::model;
use crate::segment::Segment;
use crate::value::Plain;

/// A consumer comes, reads and goes while the publisher writes: its slot is above all that were scanned before.
fn come(buffers: u32, writes: u32) {
    let segment = Segment::<Plain>::new(buffers, 1);
    let newcomer = process(&segment, |process| {
        let consumer = Consumer::attach(process).unwrap();
        consumer.read().unwrap();
        consumer.detach();
    });
    publish(&segment, |publisher| publisher.write_times(writes));
    newcomer.join().unwrap();
}

#[test]
fn while_one_buffer_is_written() {
    model(4, || come(1, 1));
}

#[test]
fn while_one_buffer_is_written_twice() {
    model(3, || come(1, 2));
}

#[test]
fn while_two_buffers_are_written() {
    model(3, || come(2, 2));
}

#[test]
fn as_the_second_consumer() {
    model(2, || {
        let segment = Segment::<Plain>::new(1, 2);
        let first = consumer(&segment, |consumer| assert!(consumer.read().is_ok()));
        let newcomer = process(&segment, |process| assert!(Consumer::attach(process).unwrap().read().is_ok()));
        publish(&segment, |publisher| publisher.write());
        first.join().unwrap();
        newcomer.join().unwrap();
    });
}

/// The slot goes from one consumer to the next.
#[test]
fn in_the_slot_of_one_who_goes() {
    model(2, || {
        let segment = Segment::<Plain>::new(2, 1);
        let first = consumer(&segment, |consumer| {
            consumer.read().unwrap();
            consumer.detach();
        });
        let second = process(&segment, |process| {
            if let Some(consumer) = Consumer::attach(process) {
                consumer.read().unwrap();
            }
        });
        publish(&segment, |publisher| publisher.write_times(2));
        first.join().unwrap();
        second.join().unwrap();
    });
}
