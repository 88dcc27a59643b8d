//! Several buffers: nobody writes a buffer that somebody holds, and with two more than there are consumers nobody waits.

use crate::cast::{consumer, contend, publish};
use crate::model::{model, observe};
use crate::publisher::Publisher;
use crate::segment::Segment;
use crate::value::Plain;

fn write(times: u32) -> impl Fn(&mut Publisher<'_, Plain>) {
    move |publisher| publisher.write_times(times)
}

fn write_at_once(times: u32) -> impl Fn(&mut Publisher<'_, Plain>) {
    move |publisher| publisher.write_times_at_once(times)
}

#[test]
fn two_buffers_one_reader() {
    model(3, || contend(2, 1, 2, write(2)));
}

#[test]
fn two_buffers_one_reader_three_writes() {
    model(3, || contend(2, 1, 1, write(3)));
}

#[test]
fn two_buffers_two_readers() {
    model(2, || contend(2, 2, 1, write(2)));
}

#[test]
fn three_buffers_one_reader_nobody_waits() {
    model(3, || contend(3, 1, 2, write_at_once(3)));
}

#[test]
fn four_buffers_two_readers_nobody_waits() {
    model(2, || contend(4, 2, 1, write_at_once(3)));
}

/// Whose publisher always wakes does not look at the flag, so nothing stands between the state store and the scan.
#[test]
fn two_buffers_one_reader_always_woken() {
    model(3, || {
        contend(2, 1, 2, |publisher| {
            publisher.wakes_always = true;
            write(2)(publisher);
        });
    });
}

#[test]
fn a_write_that_was_given_up_is_never_seen() {
    model(3, || {
        contend(2, 1, 2, |publisher| {
            publisher.write();
            publisher.write_and_abort();
            publisher.write();
        });
    });
}

/// Readers + 1 are not enough: the number that the documentation asks for is no more than is needed.
#[test]
fn one_buffer_less_may_be_too_few() {
    let waited = observe(|| {
        let segment = Segment::<Plain>::new(2, 1);
        let reader = consumer(&segment, |consumer| _ = consumer.read());
        let mut waited = false;
        publish(&segment, |publisher| {
            publisher.write();
            waited = publisher.try_begin().is_none();
        });
        reader.join().unwrap();
        waited
    });
    assert!(waited);
}
