//! Nobody who sleeps misses what it waits for: before a death, only a wake-up ends a sleep here.

use crate::cast::{consumer, publish};
use crate::consumer::{Consumer, Stop};
use crate::model::model;
use crate::publisher::Publisher;
use crate::segment::Segment;
use crate::value::{Plain, Value, Volatile};
use pagecast::primitive::Ordering;
use std::sync::Arc;

/// So many consumers follow until they have this value.
fn follow(segment: Arc<Segment<Plain>>, consumers: u32, to: u32) {
    follow_with(segment, consumers, to, |publisher| publisher.write(), |consumer, last| consumer.read_newer(last).unwrap());
}

fn follow_with<V: Value>(
    segment: Arc<Segment<V>>,
    consumers: u32,
    to: u32,
    write: impl Fn(&mut Publisher<'_, V>),
    look: fn(&Consumer<'_, V>, u32) -> u32,
) {
    let consumers: Vec<_> = (0..consumers)
        .map(|_| {
            consumer(&segment, move |consumer| {
                let mut last = 0;
                while last < to {
                    last = look(consumer, last);
                }
            })
        })
        .collect();
    publish(&segment, |publisher| {
        while publisher.version() < to {
            write(publisher);
        }
    });
    consumers.into_iter().for_each(|consumer| consumer.join().unwrap());
}

#[test]
fn of_one_buffer() {
    model(3, || follow(Segment::new(1, 1), 1, 2));
}

#[test]
fn of_one_buffer_twice() {
    model(3, || follow(Segment::new(1, 1), 1, 3));
}

#[test]
fn of_two_buffers() {
    model(4, || follow(Segment::new(2, 1), 1, 2));
}

#[test]
fn of_two_buffers_twice() {
    model(3, || follow(Segment::new(2, 1), 1, 3));
}

#[test]
fn for_two_readers() {
    model(2, || follow(Segment::new(3, 2), 2, 3));
}

#[test]
fn of_the_first_value_in_one_buffer() {
    model(3, || follow(Segment::empty(1, 1), 1, 1));
}

#[test]
fn of_the_first_value_in_two_buffers() {
    model(3, || follow(Segment::empty(2, 1), 1, 2));
}

/// A lock waits for the first value too.
#[test]
fn a_lock_of_what_is_empty_gets_the_first_value() {
    model(3, || {
        let segment = Segment::<Plain>::empty(1, 1);
        let reader = consumer(&segment, |consumer| assert_eq!(consumer.read(), Ok(1)));
        publish(&segment, |publisher| publisher.write());
        reader.join().unwrap();
    });
}

/// Somebody raised the flag and did not sleep. Lowered before the state that a reader saw, it must not take along that reader's own.
#[test]
fn where_the_flag_was_up_before() {
    model(4, || {
        let segment = Segment::<Plain>::empty(2, 1);
        segment.words().control.sleepers.store(1, Ordering::SeqCst);
        let reader = consumer(&segment, |consumer| assert_eq!(consumer.read(), Ok(1)));
        publish(&segment, |publisher| {
            publisher.publish_nothing();
            publisher.write();
        });
        reader.join().unwrap();
    });
}

/// Looks at the value without a pin.
#[test]
fn for_a_reader_without_a_pin() {
    model(3, || {
        follow_with(
            Segment::<Volatile>::new(2, 1),
            1,
            3,
            |publisher| publisher.write(),
            |consumer, last| consumer.copy_newer(last).unwrap(),
        );
    });
}

/// An observer cannot raise the flag: the publisher that knows of it wakes always.
#[test]
fn for_an_observer() {
    model(3, || {
        let write = |publisher: &mut Publisher<'_, Volatile>| {
            publisher.wakes_always = true;
            publisher.write();
        };
        follow_with(Segment::<Volatile>::new(2, 1), 1, 3, write, |consumer, last| consumer.observe_newer(last));
    });
}

#[test]
fn of_the_end() {
    model(4, || {
        let segment = Segment::<Plain>::new(2, 1);
        let reader = consumer(&segment, |consumer| assert_eq!(consumer.read_newer(1), Err(Stop::Closed)));
        publish(&segment, |publisher| publisher.close());
        reader.join().unwrap();
    });
}

#[test]
fn of_the_end_after_a_value() {
    model(3, || {
        let segment = Segment::<Plain>::new(1, 1);
        let reader = consumer(&segment, |consumer| {
            let found = consumer.read_newer(1);
            assert!(found == Ok(2) || found == Err(Stop::Closed), "{found:?}");
        });
        publish(&segment, |publisher| {
            publisher.write();
            publisher.close();
        });
        reader.join().unwrap();
    });
}

#[test]
fn of_the_end_where_there_never_was_a_value() {
    model(4, || {
        let segment = Segment::<Plain>::empty(1, 1);
        let reader = consumer(&segment, |consumer| assert_eq!(consumer.read(), Err(Stop::Closed)));
        publish(&segment, |publisher| publisher.close());
        reader.join().unwrap();
    });
}
