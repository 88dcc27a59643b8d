//! Writing bytes: lengths, bounds, and what happens when every buffer is held.

use crate::common::{Directory, FOREVER, blocked, bytes, code, pin, publish_bytes};
use crate::poses::refusal;
use pagecast::publication::{Blocked, State};
use pagecast::{Code, RawConsumer, RawPublisher};
use std::time::Duration;

#[test]
fn a_value_may_be_shorter_than_the_capacity() {
    let directory = Directory::new();
    for count in [1, 3] {
        let name = directory.name("lengths");
        let mut publisher = RawPublisher::create(&name, None, &bytes(300, count)).unwrap();
        let mut consumer = RawConsumer::open(&name, false).unwrap();
        for length in [0, 1, 7, 8, 9, 127, 128, 129, 255, 300, 3, 0] {
            let value: Vec<u8> = (0..length).map(|byte| byte as u8 ^ 0x5a).collect();
            publisher.write(&value, None).unwrap();
            let pinned = pin(&mut consumer);
            assert_eq!(pinned.observation.byte_length, value.len());
            let mut read = vec![0; value.len()];
            consumer.get(0, &mut read).unwrap();
            consumer.unlock();
            assert_eq!(read, value);
            let mut copied = vec![0; 300];
            assert_eq!(consumer.copy(&mut copied, false).unwrap().unwrap(), pinned.observation);
            assert_eq!(&copied[..value.len()], value);
        }
    }
}

#[test]
fn too_long_a_value_is_refused_before_anything_changes() {
    let directory = Directory::new();
    for count in [1, 3] {
        let name = directory.name("long");
        let mut publisher = publish_bytes(&name, &[1; 10], count);
        let state = publisher.state();
        let (code_, message) = refusal(publisher.write(&[2; 11], None));
        assert_eq!(code_, Code::InvalidSize);
        assert!(message.contains("11") && message.contains("10"), "{message}");
        assert_eq!(publisher.state(), state);
        publisher.begin(None, false).unwrap();
        assert_eq!(code(publisher.commit(11)), Code::InvalidSize);
        publisher.put(0, &[3; 10]).unwrap();
        publisher.commit(10).unwrap();
        assert_eq!(publisher.total_writes(), 2);
    }
}

#[test]
fn bytes_are_put_within_bounds_and_during_a_write_only() {
    let directory = Directory::new();
    let mut publisher = publish_bytes(&directory.name("bounds"), &[1; 10], 2);
    assert_eq!(code(publisher.put(0, &[2])), Code::InvalidArgument);
    assert_eq!(code(publisher.get(0, &mut [2])), Code::InvalidArgument);
    assert_eq!(code(publisher.commit(1)), Code::InvalidArgument);
    publisher.begin(None, true).unwrap();
    publisher.put(10, &[]).unwrap();
    for (offset, length) in [(8, 3), (10, 1), (11, 0), (u64::MAX, 1), (u64::MAX, 0)] {
        assert_eq!(code(publisher.put(offset, &vec![0; length])), Code::InvalidSize, "{offset} + {length}");
        assert_eq!(code(publisher.get(offset, &mut vec![0; length])), Code::InvalidSize, "{offset} + {length}");
    }
    let mut value = [0; 10];
    publisher.get(0, &mut value).unwrap();
    assert_eq!(value, [1; 10]);
}

#[test]
fn a_second_write_cannot_begin_inside_the_first() {
    let directory = Directory::new();
    for count in [1, 3] {
        let name = directory.name("second");
        let mut publisher = publish_bytes(&name, &[1; 8], count);
        publisher.begin(None, true).unwrap();
        assert_eq!(code(publisher.begin(Some(FOREVER), true)), Code::AlreadyLocked);
        assert_eq!(code(publisher.try_begin(false)), Code::AlreadyLocked);
        assert_eq!(code(publisher.begin_within(FOREVER, false)), Code::AlreadyLocked);
        assert_eq!(code(publisher.write(&[2; 8], None)), Code::AlreadyLocked);
        publisher.put(0, &[3; 8]).unwrap();
        publisher.commit(8).unwrap();
        assert_eq!(publisher.total_writes(), 2);
    }
}

#[test]
fn one_buffer_waits_for_its_reader_and_gives_up_in_time() {
    let directory = Directory::new();
    let name = directory.name("held");
    let mut publisher = publish_bytes(&name, &[1; 8], 1);
    let mut holder = RawConsumer::open(&name, false).unwrap();
    let mut other = RawConsumer::open(&name, false).unwrap();
    pin(&mut holder);
    let (code, message) = refusal(publisher.write(&[2; 8], Some(Duration::from_millis(30))));
    assert_eq!(code, Code::Timeout);
    let who = format!("pid {} in slot {}", std::process::id(), holder.slot().unwrap());
    assert!(message.contains(&who), "{message}");
    assert_eq!(pin(&mut other).observation.version, 1, "after the time-out readers come in again");
    other.unlock();
    holder.unlock();
    publisher.write(&[2; 8], None).unwrap();
    assert_eq!(pin(&mut other).observation.version, 2);
}

#[test]
fn a_write_that_waits_keeps_new_readers_out_until_it_is_cancelled() {
    let directory = Directory::new();
    let name = directory.name("cancelled");
    let mut publisher = publish_bytes(&name, &[1; 8], 1);
    let mut holder = RawConsumer::open(&name, false).unwrap();
    let mut other = RawConsumer::open(&name, false).unwrap();
    pin(&mut holder);
    assert_eq!(publisher.try_begin(true).unwrap(), None);
    assert_eq!(publisher.begin_within(Duration::from_millis(5), true).unwrap(), None);
    assert_eq!(blocked(&mut other), Blocked::Writing);
    publisher.cancel();
    assert_eq!(pin(&mut other).observation.version, 1);
    publisher.cancel();
    assert!(!publisher.state().has(State::WRITING));
}

#[test]
fn with_every_buffer_pinned_a_write_is_busy_and_names_the_holders() {
    let directory = Directory::new();
    let name = directory.name("full");
    let mut publisher = publish_bytes(&name, &[1; 8], 3);
    let mut consumers: Vec<_> = (0..2).map(|_| RawConsumer::open(&name, false).unwrap()).collect();
    for consumer in &mut consumers {
        pin(consumer);
        publisher.write(&[2; 8], None).unwrap();
    }
    let (code_, message) = refusal(publisher.write(&[9; 8], None));
    assert_eq!(code_, Code::Busy);
    for consumer in &consumers {
        assert!(message.contains(&format!("pid {} in slot {}", std::process::id(), consumer.slot().unwrap())), "{message}");
    }
    assert_eq!(code(publisher.write(&[9; 8], Some(Duration::from_millis(30)))), Code::Timeout);
    assert_eq!((publisher.total_writes(), publisher.holders().len()), (3, 2));
    consumers[1].unlock();
    publisher.write(&[4; 8], None).unwrap();
    assert_eq!(publisher.total_writes(), 4);
}

#[test]
fn buffers_for_all_consumers_and_two_are_never_busy() {
    let directory = Directory::new();
    let name = directory.name("free");
    let mut publisher = publish_bytes(&name, &[0; 8], 6);
    let mut consumers: Vec<_> = (0..4).map(|_| RawConsumer::open(&name, false).unwrap()).collect();
    for number in 1..200 {
        let consumer = &mut consumers[number % 4];
        consumer.unlock();
        pin(consumer);
        publisher.write(&[number as u8; 8], None).unwrap();
    }
}

#[test]
fn a_write_may_start_from_a_copy_of_the_current_value() {
    let directory = Directory::new();
    for count in [1, 2, 3] {
        let name = directory.name("copy");
        let mut publisher = publish_bytes(&name, b"0123456789", count);
        for position in 0..10 {
            publisher.begin(None, true).unwrap();
            publisher.put(position, b"x").unwrap();
            publisher.commit(10).unwrap();
        }
        let mut value = [0; 10];
        RawConsumer::open(&name, false).unwrap().copy(&mut value, false).unwrap().unwrap();
        assert_eq!(&value, b"xxxxxxxxxx", "{count} buffers");
    }
}

#[test]
fn aborting_without_a_copy_empties_a_single_buffer_only() {
    let directory = Directory::new();
    for (count, after) in [(1, Err(Blocked::Empty)), (3, Ok(1))] {
        let name = directory.name("abort");
        let mut publisher = publish_bytes(&name, &[1; 8], count);
        let consumer = RawConsumer::open(&name, false).unwrap();
        publisher.begin(None, false).unwrap();
        publisher.put(0, &[2; 8]).unwrap();
        publisher.abort().unwrap();
        assert_eq!(consumer.copy(&mut [0; 8], false).unwrap().map(|observation| observation.version), after);
        publisher.abort().unwrap();
        publisher.write(&[3; 8], None).unwrap();
        assert_eq!(consumer.copy(&mut [0; 8], false).unwrap().unwrap().version, 2, "versions go on");
    }
}
