//! The guard of a write: publishes when dropped, not when given up or unwound.

use crate::common::{Directory, code};
use crate::poses::{Pose, buffers, consume, pose, publish};
use pagecast::{Code, Publisher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

#[test]
fn dropping_the_guard_publishes() {
    let directory = Directory::new();
    for count in [1, 3] {
        let name = directory.name("drop");
        let mut publisher = publish(&name, count);
        let mut consumer = consume::<Pose>(&name);
        let mut lock = publisher.write_lock().unwrap();
        assert_eq!(*lock, pose(1), "it starts from the current value");
        lock.field1 = 2;
        drop(lock);
        assert_eq!(consumer.read().unwrap(), Pose { field1: 2, field2: 0.5 });
        assert_eq!(publisher.total_writes(), 2);
    }
}

#[test]
fn publishing_by_hand_publishes_once() {
    let directory = Directory::new();
    let name = directory.name("publish");
    let mut publisher = publish(&name, 1);
    let mut lock = publisher.write_lock().unwrap();
    *lock = pose(2);
    lock.publish().unwrap();
    assert_eq!(publisher.total_writes(), 2);
    assert_eq!(consume::<Pose>(&name).read().unwrap(), pose(2));
}

#[test]
fn nobody_sees_a_value_under_the_guard() {
    let directory = Directory::new();
    for (count, seen) in [(1, Err(Code::Timeout)), (3, Ok(pose(1)))] {
        let name = directory.name("hidden");
        let mut publisher = publish(&name, count);
        let mut consumer = consume::<Pose>(&name);
        consumer.set_timeout(Duration::from_millis(5));
        let mut lock = publisher.write_lock().unwrap();
        *lock = pose(2);
        assert_eq!(consumer.read().map_err(|error| error.code()), seen, "{count} buffers");
        drop(lock);
        assert_eq!(consumer.read().unwrap(), pose(2));
    }
}

#[test]
fn giving_up_leaves_the_value_from_before() {
    let directory = Directory::new();
    for count in [1, 3] {
        let name = directory.name("abort");
        let mut publisher = publish(&name, count);
        let mut consumer = consume::<Pose>(&name);
        consumer.read().unwrap();
        for _ in 0..5 {
            let mut lock = publisher.write_lock().unwrap();
            *lock = pose(9);
            lock.abort().unwrap();
            assert!(!consumer.has_changed().unwrap());
            assert_eq!(consumer.read().unwrap(), pose(1), "{count} buffers");
        }
        publisher.write(&pose(2)).unwrap();
        assert_eq!((consumer.read().unwrap(), consumer.total_writes().unwrap()), (pose(2), 2));
    }
}

#[test]
fn giving_up_the_first_value_leaves_none() {
    let directory = Directory::new();
    for count in [1, 3] {
        let name = directory.name("lazy");
        let mut publisher = Publisher::<Pose>::create_with(&name, None, &buffers(count)).unwrap();
        let mut lock = publisher.write_lock().unwrap();
        assert_eq!(*lock, Pose::default());
        *lock = pose(9);
        lock.abort().unwrap();
        assert_eq!(code(consume::<Pose>(&name).read()), Code::Empty);
        let lock = publisher.write_lock().unwrap();
        assert_eq!(*lock, Pose::default(), "nothing of what was given up comes back");
    }
}

#[test]
fn a_panic_publishes_nothing() {
    let directory = Directory::new();
    for count in [1, 3] {
        let name = directory.name("panic");
        let mut publisher = publish(&name, count);
        let mut consumer = consume::<Pose>(&name);
        let unwound = catch_unwind(AssertUnwindSafe(|| {
            let mut lock = publisher.write_lock().unwrap();
            *lock = pose(9);
            panic!("half way");
        }));
        unwound.unwrap_err();
        let unwound = catch_unwind(AssertUnwindSafe(|| publisher.update(|_| panic!("in the closure"))));
        unwound.unwrap_err();
        assert_eq!(consumer.read().unwrap(), pose(1), "{count} buffers");
        publisher.update(|value| *value = pose(2)).unwrap();
        assert_eq!((consumer.read().unwrap(), publisher.total_writes()), (pose(2), 2));
    }
}

#[test]
fn a_forgotten_guard_locks_the_publisher_but_closing_still_works() {
    let directory = Directory::new();
    let name = directory.name("forgotten");
    let mut publisher = publish(&name, 1);
    let mut consumer = consume::<Pose>(&name);
    std::mem::forget(publisher.write_lock().unwrap());
    assert_eq!(code(publisher.write(&pose(2))), Code::AlreadyLocked);
    publisher.close(true).unwrap();
    assert_eq!(code(consumer.read()), Code::Closed);
    let publisher = Publisher::<Pose>::create_with(&name, None, &buffers(1)).unwrap();
    assert_eq!((consumer.read().unwrap(), publisher.raw().epoch()), (pose(1), 2), "closing put the value back");
}

#[test]
fn a_reader_holds_the_guard_back_with_one_buffer_only() {
    let directory = Directory::new();
    for (count, expected) in [(1, Err(Code::Timeout)), (3, Ok(()))] {
        let name = directory.name("held");
        let mut publisher = publish(&name, count);
        publisher.set_timeout(Some(Duration::from_millis(5)));
        let mut consumer = consume::<Pose>(&name);
        let held = consumer.read_lock().unwrap();
        assert_eq!(publisher.update(|value| value.field1 = 2).map_err(|error| error.code()), expected, "{count} buffers");
        assert_eq!(*held, pose(1));
        drop(held);
        publisher.update(|value| value.field1 = 3).unwrap();
        assert_eq!(consumer.read().unwrap().field1, 3);
    }
}
