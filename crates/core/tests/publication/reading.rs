//! Reading under a pin.

use crate::common::{Directory, blocked, code, pin, publish_bytes};
use crate::poses::{Pose, consume, observe, pose, publish, refusal};
use pagecast::publication::Blocked;
use pagecast::{Code, RawConsumer, monotonic_ns};
use std::time::Duration;

#[test]
fn every_write_is_seen_once_as_a_change() {
    let directory = Directory::new();
    for count in [1, 2, 3, 18] {
        let name = directory.name("changes");
        let mut publisher = publish(&name, count);
        let mut consumer = consume::<Pose>(&name);
        assert!(consumer.has_changed().unwrap(), "the first value is news");
        assert_eq!(consumer.read().unwrap(), pose(1));
        for number in 2..100 {
            assert!(!consumer.has_changed().unwrap());
            assert_eq!(consumer.read_change().unwrap(), None);
            publisher.write(&pose(number)).unwrap();
            assert!(consumer.has_changed().unwrap());
            assert_eq!(consumer.total_writes().unwrap(), u64::try_from(number).unwrap());
            assert_eq!(consumer.read_change().unwrap(), Some(pose(number)));
            assert_eq!(consumer.read().unwrap(), pose(number), "reading again gives the same");
        }
    }
}

#[test]
fn writes_between_two_reads_are_one_change() {
    let directory = Directory::new();
    let name = directory.name("latest");
    let mut publisher = publish(&name, 3);
    let mut consumer = consume::<Pose>(&name);
    for number in 2..=50 {
        publisher.write(&pose(number)).unwrap();
    }
    assert_eq!(consumer.total_writes().unwrap(), 50);
    assert_eq!(consumer.read_change().unwrap(), Some(pose(50)));
    assert_eq!(consumer.read_change().unwrap(), None);
}

#[test]
fn the_last_value_still_comes_after_the_end() {
    let directory = Directory::new();
    for count in [1, 3] {
        let name = directory.name("last");
        let mut publisher = publish(&name, count);
        let (mut consumer, mut observer) = (consume::<Pose>(&name), observe::<Pose>(&name));
        publisher.write(&pose(2)).unwrap();
        publisher.close(false).unwrap();
        for consumer in [&mut consumer, &mut observer] {
            assert_eq!(code(consumer.read()), Code::Closed);
            assert!(consumer.has_changed().unwrap());
            assert_eq!(consumer.read_change().unwrap(), Some(pose(2)), "{count} buffers");
            assert!(!consumer.has_changed().unwrap());
            assert_eq!(code(consumer.read_change()), Code::Closed);
            assert_eq!(code(consumer.wait_for_change(Duration::ZERO)), Code::Closed);
        }
    }
}

#[test]
fn a_lock_knows_its_version_and_counts_as_read() {
    let directory = Directory::new();
    let name = directory.name("guard");
    let mut publisher = publish(&name, 4);
    let mut consumer = consume::<Pose>(&name);
    publisher.write(&pose(2)).unwrap();
    let lock = consumer.read_lock().unwrap();
    assert_eq!((*lock, lock.version()), (pose(2), 2));
    drop(lock);
    assert!(!consumer.has_changed().unwrap());
}

#[test]
fn readers_share() {
    let directory = Directory::new();
    let name = directory.name("shared");
    for count in [1, 4] {
        let _publisher = publish(&name, count);
        let mut consumers: Vec<_> = (0..8).map(|_| consume::<Pose>(&name)).collect();
        let locks: Vec<_> = consumers.iter_mut().map(|consumer| consumer.read_lock().unwrap()).collect();
        assert!(locks.iter().all(|lock| **lock == pose(1)));
    }
}

#[test]
fn what_is_pinned_stays_while_the_publisher_goes_on() {
    let directory = Directory::new();
    let name = directory.name("pinned");
    let mut publisher = publish_bytes(&name, &[1; 100], 3);
    let mut consumer = RawConsumer::open(&name, false).unwrap();
    let pinned = pin(&mut consumer);
    for number in 2..=40 {
        publisher.write(&[number; 100], None).unwrap();
        let mut value = [0; 100];
        consumer.get(0, &mut value).unwrap();
        assert_eq!(value, [1; 100], "after write {number}");
    }
    assert_eq!((pinned.observation.version, pinned.observation.byte_length), (1, 100));
    consumer.unlock();
    assert_eq!(pin(&mut consumer).observation.version, 40);
}

#[test]
fn one_buffer_keeps_readers_out_of_a_write() {
    let directory = Directory::new();
    let name = directory.name("exclusive");
    let mut publisher = publish_bytes(&name, &[1; 8], 1);
    let mut consumer = RawConsumer::open(&name, false).unwrap();
    publisher.begin(None, true).unwrap();
    publisher.put(0, &[2; 8]).unwrap();
    assert_eq!(blocked(&mut consumer), Blocked::Writing);
    assert_eq!(consumer.lock_within(Duration::from_millis(5), false).unwrap(), Err(Blocked::Writing));
    let (code, message) = refusal(consumer.lock(Duration::from_millis(5)));
    assert_eq!(code, Code::Timeout);
    assert!(message.contains(&format!("pid {}", std::process::id())), "{message}");
    publisher.commit(8).unwrap();
    assert_eq!(pin(&mut consumer).observation.version, 2);
}

#[test]
fn a_write_under_way_hides_nothing_that_was_published() {
    let directory = Directory::new();
    for count in [1, 3] {
        let name = directory.name("count");
        let mut publisher = publish(&name, count);
        let mut consumer = consume::<Pose>(&name);
        publisher.write(&pose(2)).unwrap();
        let lock = publisher.write_lock().unwrap();
        assert!(consumer.has_changed().unwrap(), "{count} buffers: version 2 is there and was not read");
        assert_eq!(consumer.total_writes().unwrap(), 2, "{count} buffers");
        assert!(consumer.staleness().unwrap().is_some(), "{count} buffers");
        lock.abort().unwrap();
        assert_eq!(consumer.read_change().unwrap(), Some(pose(2)));
    }
}

#[test]
fn a_second_lock_is_refused_and_harms_nothing() {
    let directory = Directory::new();
    let name = directory.name("second");
    let mut publisher = publish_bytes(&name, &[1; 8], 1);
    let mut consumer = RawConsumer::open(&name, false).unwrap();
    pin(&mut consumer);
    assert_eq!(code(consumer.try_lock(false)), Code::AlreadyLocked);
    assert_eq!(code(consumer.lock(Duration::ZERO)), Code::AlreadyLocked);
    assert_eq!(code(consumer.lock_within(Duration::ZERO, false)), Code::AlreadyLocked);
    assert_eq!(code(publisher.write(&[2; 8], Some(Duration::from_millis(5)))), Code::Timeout, "the first lock still holds");
    consumer.unlock();
    consumer.unlock();
    publisher.write(&[2; 8], None).unwrap();
}

#[test]
fn bytes_are_read_within_bounds_and_under_a_lock_only() {
    let directory = Directory::new();
    let name = directory.name("bounds");
    let _publisher = publish_bytes(&name, b"0123456789", 2);
    let mut consumer = RawConsumer::open(&name, false).unwrap();
    assert_eq!(code(consumer.get(0, &mut [0])), Code::InvalidArgument);
    pin(&mut consumer);
    let mut part = [0; 3];
    consumer.get(4, &mut part).unwrap();
    assert_eq!(&part, b"456");
    consumer.get(10, &mut []).unwrap();
    for (offset, length) in [(8, 3), (10, 1), (11, 0), (u64::MAX, 1), (u64::MAX, 0)] {
        assert_eq!(code(consumer.get(offset, &mut vec![0; length])), Code::InvalidSize, "{offset} + {length}");
    }
    consumer.unlock();
    assert_eq!(code(consumer.get(0, &mut [0])), Code::InvalidArgument);
}

#[test]
fn staleness_counts_from_the_last_write() {
    let directory = Directory::new();
    let name = directory.name("stale");
    let start = monotonic_ns();
    let mut publisher = publish(&name, 3);
    let consumer = consume::<Pose>(&name);
    let older = consumer.staleness().unwrap().unwrap();
    assert!(older.as_nanos() <= u128::from(monotonic_ns() - start));
    std::thread::sleep(Duration::from_millis(20));
    assert!(consumer.staleness().unwrap().unwrap() >= older + Duration::from_millis(20));
    let rewritten = monotonic_ns();
    publisher.write(&pose(2)).unwrap();
    let fresh = consumer.staleness().unwrap().unwrap();
    assert!(fresh.as_nanos() <= u128::from(monotonic_ns() - rewritten));
}

#[test]
fn consumers_of_one_publication_see_the_same() {
    let directory = Directory::new();
    let name = directory.name("many");
    let mut publisher = publish(&name, 18);
    let mut consumers: Vec<_> = (0..16).map(|_| consume::<Pose>(&name)).collect();
    for number in 2..20 {
        publisher.write(&pose(number)).unwrap();
        assert!(consumers.iter_mut().all(|consumer| consumer.read_change().unwrap() == Some(pose(number))));
    }
}
