//! One buffer: whoever reads and whoever writes exclude each other, and each lets the other go on.

use crate::cast::{consumer, contend, publish};
use crate::model::model;
use crate::segment::Segment;
use crate::value::Plain;

/// So many consumers read so often while the one buffer is written so many times.
fn contend_for_one(consumers: u32, reads: u32, writes: u32) {
    contend(1, consumers, reads, |publisher| publisher.write_times(writes));
}

#[test]
fn one_reader() {
    model(4, || contend_for_one(1, 1, 2));
}

#[test]
fn one_reader_twice() {
    model(3, || contend_for_one(1, 2, 2));
}

#[test]
fn two_readers() {
    model(2, || contend_for_one(2, 1, 1));
}

#[test]
fn two_readers_two_writes() {
    model(1, || contend_for_one(2, 1, 2));
}

/// Nothing was changed, the state is another all the same: those who sleep must hear of it.
#[test]
fn readers_hear_of_a_write_that_was_given_up() {
    model(4, || {
        let segment = Segment::<Plain>::new(1, 1);
        let reader = consumer(&segment, |consumer| assert_eq!(consumer.read(), Ok(1)));
        publish(&segment, |publisher| {
            publisher.lock_and_cancel();
            publisher.lock_and_cancel();
        });
        reader.join().unwrap();
    });
}

#[test]
fn readers_hear_of_a_write_that_timed_out() {
    model(4, || {
        let segment = Segment::<Plain>::new(1, 1);
        let reader = consumer(&segment, |consumer| assert_eq!(consumer.read(), Ok(1)));
        publish(&segment, |publisher| publisher.shut_out_and_cancel());
        reader.join().unwrap();
    });
}
