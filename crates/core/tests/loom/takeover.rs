//! The publisher is killed before each of its steps in turn, and its successor too; the next one goes on.

use crate::cast::{consumer, leave_a_pin, mortal_publish, process};
use crate::consumer::{Consumer, Stop};
use crate::kernel::Byte;
use crate::model::{at_every_step, model};
use crate::publisher::Publisher;
use crate::segment::{Process, Segment};
use crate::value::{Plain, Value, Volatile};
use pagecast::publication::State;
use std::sync::Arc;

/// Before this step of a write, half of the value is written: with one buffer, and with two.
const HALFWAY: [(u32, u32); 2] = [(1, 7), (2, 6)];

/// Follows to the end, whoever publishes.
fn follow(consumer: &Consumer<'_, Plain>) {
    let mut last = 1;
    loop {
        match consumer.read_newer(last) {
            Ok(value) => last = value,
            Err(Stop::Closed) => return,
            Err(Stop::Died) => {} // a successor may come
        }
    }
}

/// Takes over, writes and closes.
fn succeed<V: Value>(segment: &Arc<Segment<V>>, writes: u32) {
    let process = Process::new(segment);
    let successor = Publisher::adopt(&process).expect("the byte of one that is dead");
    successor.write_times(writes);
    successor.close();
}

fn publisher_dies(segment: Arc<Segment<Plain>>, steps: u32, heirs: u32) -> bool {
    let reader = consumer(&segment, follow);
    let killed = mortal_publish(&segment, steps, |publisher| publisher.write());
    succeed(&segment, heirs);
    reader.join().unwrap();
    killed
}

#[test]
fn from_a_publisher_with_one_buffer() {
    at_every_step(1, |steps| publisher_dies(Segment::new(1, 1), steps, 1));
}

#[test]
fn from_a_publisher_with_two_buffers() {
    at_every_step(1, |steps| publisher_dies(Segment::new(2, 1), steps, 2));
}

#[test]
fn from_a_publisher_of_the_first_value() {
    at_every_step(1, |steps| publisher_dies(Segment::empty(1, 1), steps, 1));
}

/// The segment is replaced: its last value is whole, or there is none.
#[test]
fn by_another_segment() {
    for buffers in [1, 2] {
        at_every_step(2, move |steps| {
            let segment = Segment::<Plain>::new(buffers, 1);
            let reader = consumer(&segment, follow);
            let killed = mortal_publish(&segment, steps, |publisher| publisher.write());
            Publisher::retire(&Process::new(&segment));
            reader.join().unwrap();
            killed
        });
    }
}

/// One whose sleep does not end by itself hears of it, although the dead one may have lowered its flag.
#[test]
fn heard_by_one_who_sleeps() {
    at_every_step(2, |steps| {
        let segment = Segment::<Plain>::new(2, 1);
        let reader = consumer(&segment, |consumer| consumer.sleep_while(State::NEW.next(1)));
        let killed = mortal_publish(&segment, steps, |publisher| publisher.write());
        assert!(Publisher::adopt(&Process::new(&segment)).is_some());
        reader.join().unwrap();
        killed
    });
}

/// Dead or alive, a publisher that spoiled the value leaves none.
#[test]
fn from_a_publisher_that_gives_up() {
    at_every_step(1, |steps| {
        let segment = Segment::<Plain>::new(1, 1);
        let reader = consumer(&segment, follow);
        let killed = mortal_publish(&segment, steps, |publisher| publisher.spoil_and_give_up());
        succeed(&segment, 1);
        reader.join().unwrap();
        killed
    });
}

/// Nobody takes over: readers are told, and never get half a value.
fn nobody_succeeds(buffers: u32, steps: u32) -> bool {
    let segment = Segment::<Plain>::new(buffers, 1);
    let reader = consumer(&segment, |consumer| {
        let mut last = 1;
        while let Ok(value) = consumer.read_newer(last) {
            last = value;
        }
    });
    let killed = mortal_publish(&segment, steps, |publisher| publisher.write());
    reader.join().unwrap();
    killed
}

#[test]
fn by_nobody_with_one_buffer() {
    at_every_step(2, |steps| nobody_succeeds(1, steps));
}

#[test]
fn by_nobody_with_two_buffers() {
    at_every_step(2, |steps| nobody_succeeds(2, steps));
}

/// A lock ends as well: with a value that is whole, or because the publisher died.
#[test]
fn by_nobody_while_a_lock_is_waited_for() {
    at_every_step(2, |steps| {
        let segment = Segment::<Plain>::new(1, 1);
        let reader = consumer(&segment, |consumer| _ = consumer.read());
        let killed = mortal_publish(&segment, steps, |publisher| publisher.write());
        reader.join().unwrap();
        killed
    });
}

/// The successor of one who died halfway dies too.
fn successor_dies(buffers: u32, halfway: u32, steps: u32) -> bool {
    let segment = Segment::<Plain>::new(buffers, 1);
    let reader = consumer(&segment, follow);
    mortal_publish(&segment, halfway, |publisher| publisher.write());
    let process = Process::new(&segment);
    let killed = process.is_killed(steps, || Publisher::adopt(&process).expect("the byte of one that is dead").write());
    succeed(&segment, 1);
    reader.join().unwrap();
    killed
}

#[test]
fn from_a_successor_that_dies_with_one_buffer() {
    at_every_step(1, |steps| successor_dies(HALFWAY[0].0, HALFWAY[0].1, steps));
}

#[test]
fn from_a_successor_that_dies_with_two_buffers() {
    at_every_step(1, |steps| successor_dies(HALFWAY[1].0, HALFWAY[1].1, steps));
}

/// Copies without a pin see nothing of it.
#[test]
fn beside_an_observer() {
    for buffers in [1, 2] {
        at_every_step(1, move |steps| {
            let segment = Segment::<Volatile>::new(buffers, 1);
            let observer = process(&segment, |process| {
                let observer = Consumer::of(process, 0);
                (0..2).filter_map(|_| observer.copy()).fold(1, |last, value| {
                    assert!(value >= last, "{value} after {last}");
                    value
                });
            });
            let killed = mortal_publish(&segment, steps, |publisher| publisher.write());
            succeed(&segment, 1);
            observer.join().unwrap();
            killed
        });
    }
}

/// Two want to succeed: one at a time does.
#[test]
fn by_two_who_race() {
    for buffers in [1, 2] {
        model(2, move || {
            let segment = Segment::<Plain>::new(buffers, 1);
            let reader = consumer(&segment, |consumer| _ = consumer.read());
            let candidate = process(&segment, write_if_free);
            write_if_free(&Process::new(&segment));
            candidate.join().unwrap();
            reader.join().unwrap();
        });
    }
}

fn write_if_free(process: &Process<Plain>) {
    if let Some(publisher) = Publisher::adopt(process) {
        publisher.write();
        process.release(Byte::Publisher);
    }
}

/// What a dead consumer held, and its slot, can be had at once.
#[test]
fn with_the_buffer_that_a_dead_consumer_held() {
    model(1, || {
        let segment = Segment::<Plain>::new(1, 1);
        leave_a_pin(&segment);
        let process = Process::new(&segment);
        Publisher::adopt(&process).unwrap().write_times_at_once(1);
        assert!(Consumer::attach(&Process::new(&segment)).is_some());
    });
}

/// Somebody attaches to the slot of one that died holding a buffer, while the successor recovers it and writes, or dies doing that.
fn newcomer_attaches(buffers: u32, steps: u32) -> bool {
    let segment = Segment::<Plain>::new(buffers, 1);
    leave_a_pin(&segment);
    let newcomer = process(&segment, |process| {
        if let Some(consumer) = Consumer::attach(process) {
            _ = consumer.read();
            consumer.detach();
        }
    });
    let process = Process::new(&segment);
    let killed = process.is_killed(steps, || Publisher::adopt(&process).unwrap().write_times(buffers));
    succeed(&segment, 1);
    newcomer.join().unwrap();
    killed
}

#[test]
fn while_a_newcomer_attaches_with_one_buffer() {
    at_every_step(1, |steps| newcomer_attaches(1, steps));
}

#[test]
fn while_a_newcomer_attaches_with_two_buffers() {
    at_every_step(1, |steps| newcomer_attaches(2, steps));
}
