//! Reading without a pin: consumers that may only read.

use crate::common::{Directory, code, publish_bytes};
use crate::poses::{Pose, observe, pose, publish, refusal};
use pagecast::publication::Blocked;
use pagecast::{Code, RawConsumer};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

#[test]
fn an_observer_reads_what_everybody_reads() {
    let directory = Directory::new();
    for count in [1, 4] {
        let name = directory.name("observed");
        let mut publisher = publish(&name, count);
        let mut observer = observe::<Pose>(&name);
        assert_eq!(observer.raw().slot(), None);
        for number in 2..50 {
            assert_eq!(observer.read().unwrap(), pose(number - 1));
            assert!(!observer.has_changed().unwrap());
            publisher.write(&pose(number)).unwrap();
            assert_eq!(observer.read_change().unwrap(), Some(pose(number)));
        }
        assert!(observer.raw().publisher_alive().unwrap());
    }
}

#[test]
fn an_observer_can_lock_nothing() {
    let directory = Directory::new();
    let name = directory.name("powerless");
    let mut publisher = publish(&name, 1);
    let mut observer = observe::<Pose>(&name);
    assert_eq!(code(observer.read_lock()), Code::ReadOnly);
    let mut raw = RawConsumer::open(&name, true).unwrap();
    assert_eq!(code(raw.try_lock(false)), Code::ReadOnly);
    assert_eq!(code(raw.lock_within(Duration::ZERO, false)), Code::ReadOnly);
    assert_eq!(code(raw.ask_for_grace()), Code::ReadOnly);
    raw.unlock();
    publisher.write(&pose(2)).unwrap();
}

#[test]
fn an_observer_leaves_no_trace_in_the_segment() {
    let directory = Directory::new();
    let name = directory.name("trace");
    let _publisher = publish(&name, 2);
    let before = std::fs::read(name.path()).unwrap();
    let mut observer = observe::<Pose>(&name);
    observer.read().unwrap();
    observer.wait_for_change(Duration::from_millis(5)).unwrap();
    observer.raw().schema().unwrap();
    drop(observer);
    assert!(before == std::fs::read(name.path()).unwrap());
}

#[test]
fn observers_need_no_slot() {
    let directory = Directory::new();
    let name = directory.name("crowd");
    let mut publisher = publish(&name, 3);
    let mut observers: Vec<_> = (0..100).map(|_| observe::<Pose>(&name)).collect();
    publisher.write(&pose(2)).unwrap();
    assert!(observers.iter_mut().all(|observer| observer.read().unwrap() == pose(2)));
    assert_eq!(publisher.raw().holders(), []);
}

#[test]
fn a_write_under_way_makes_an_observer_wait() {
    let directory = Directory::new();
    let name = directory.name("busy");
    let mut publisher = publish(&name, 1);
    let mut observer = observe::<Pose>(&name);
    observer.set_timeout(Duration::from_millis(5));
    let lock = publisher.write_lock().unwrap();
    let (code, message) = refusal(observer.read());
    assert_eq!(code, Code::Timeout);
    assert!(message.contains("writing"), "{message}");
    drop(lock);
    assert_eq!(observer.read().unwrap(), pose(1));
}

#[test]
fn the_target_may_be_larger_but_not_smaller_than_the_value() {
    let directory = Directory::new();
    let name = directory.name("target");
    let _publisher = publish_bytes(&name, b"0123456789", 2);
    let consumer = RawConsumer::open(&name, true).unwrap();
    let mut target = [b'.'; 12];
    assert_eq!(consumer.copy(&mut target, false).unwrap().unwrap().byte_length, 10);
    assert_eq!(&target, b"0123456789..");
    let (code, message) = refusal(consumer.copy(&mut target[..9], false));
    assert_eq!(code, Code::InvalidSize);
    assert!(message.contains("10") && message.contains('9'), "{message}");
}

#[test]
fn a_segment_that_nobody_may_write_can_be_observed() {
    let directory = Directory::new();
    let name = directory.name("0444");
    let mut publisher = publish(&name, 3);
    std::fs::set_permissions(name.path(), std::fs::Permissions::from_mode(0o444)).unwrap();
    let mut observer = observe::<Pose>(&name);
    publisher.write(&pose(2)).unwrap();
    assert_eq!(observer.read().unwrap(), pose(2));
    if std::fs::File::options().write(true).open(name.path()).is_err() {
        // not for root, who may write anything
        let (code, message) = refusal(RawConsumer::open(&name, false));
        assert_eq!(code, Code::Permission);
        assert!(message.contains("readOnly"), "{message}");
    }
}

#[test]
fn a_pinning_consumer_can_copy_without_its_pin_too() {
    let directory = Directory::new();
    let name = directory.name("both");
    let mut publisher = publish_bytes(&name, &[1; 8], 1);
    let consumer = RawConsumer::open(&name, false).unwrap();
    let mut value = [0; 8];
    assert_eq!(consumer.copy_within(&mut value, Duration::from_secs(1), false).unwrap().unwrap().version, 1);
    publisher.begin(None, true).unwrap();
    assert_eq!(consumer.copy_within(&mut value, Duration::from_millis(5), false).unwrap(), Err(Blocked::Writing));
    assert_eq!(publisher.holders(), []);
}
