//! One buffer: whoever reads and whoever writes exclude each other, and each lets the other go on.

use crate::cast::{consumer, publish};
use crate::model::model;
use crate::segment::Segment;
use crate::value::Plain;

/// So many consumers read so often while so many values are published.
fn contend(consumers: u32, reads: u32, writes: u32) {
    let segment = Segment::<Plain>::new(1, consumers);
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
    publish(&segment, |publisher| publisher.write_times(writes));
    consumers.into_iter().for_each(|consumer| consumer.join().unwrap());
}

#[test]
fn one_reader() {
    model(4, || contend(1, 1, 2));
}

#[test]
fn one_reader_twice() {
    model(3, || contend(1, 2, 2));
}

#[test]
fn two_readers() {
    model(2, || contend(2, 1, 1));
}

#[test]
fn two_readers_two_writes() {
    model(1, || contend(2, 1, 2));
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
