//! Copies without a pin: only what was published, and nothing older after something newer.

use crate::cast::{consumer, process, publish};
use crate::consumer::Consumer;
use crate::model::model;
use crate::publisher::Publisher;
use crate::segment::Segment;
use crate::value::Volatile;

fn copy_while(buffers: u32, attempts: u32, life: impl Fn(&mut Publisher<'_, Volatile>)) {
    let segment = Segment::<Volatile>::new(buffers, 1);
    let reader = process(&segment, move |process| {
        let observer = Consumer::of(process, 0); // it needs no slot
        (0..attempts).filter_map(|_| observer.copy()).fold(1, |last, value| {
            assert!(value >= last && value != u32::MAX, "{value} after {last}");
            value
        });
    });
    publish(&segment, life);
    reader.join().unwrap();
}

fn write(times: u32) -> impl Fn(&mut Publisher<'_, Volatile>) {
    move |publisher| publisher.write_times(times)
}

#[test]
fn of_one_buffer() {
    model(4, || copy_while(1, 1, write(2)));
}

#[test]
fn of_one_buffer_twice() {
    model(3, || copy_while(1, 2, write(1)));
}

#[test]
fn of_two_buffers() {
    model(3, || copy_while(2, 2, write(2)));
}

#[test]
fn of_two_buffers_once_around() {
    model(3, || copy_while(2, 1, write(3)));
}

#[test]
fn never_of_a_write_that_was_given_up() {
    model(3, || {
        copy_while(2, 1, |publisher| {
            publisher.write();
            publisher.write_and_abort();
        });
    });
}

/// Pinned and unpinned readers together.
#[test]
fn beside_a_reader_with_a_pin() {
    model(2, || {
        let segment = Segment::<Volatile>::new(3, 1);
        let pinned = consumer(&segment, |consumer| assert!(consumer.read().is_ok()));
        let observer = process(&segment, |process| Consumer::of(process, 0).copy());
        publish(&segment, |publisher| publisher.write_times_at_once(2));
        pinned.join().unwrap();
        observer.join().unwrap();
    });
}
