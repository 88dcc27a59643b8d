//! Making a publication and ending it.

use crate::common::{Directory, bytes, code};
use crate::poses::{Pose, buffers, consume, pose, publish, refusal};
use pagecast::publication::{Shape, State};
use pagecast::{Code, CreateOptions, Name, Publisher, RawConsumer, RawPublisher};
use std::os::unix::fs::PermissionsExt;

#[test]
fn a_first_value_can_be_read_at_once() {
    let directory = Directory::new();
    let name = directory.name("pose");
    let publisher = publish(&name, 4);
    assert!(!publisher.raw().adopted());
    assert_eq!((publisher.total_writes(), publisher.raw().epoch()), (1, 1));
    let mut consumer = consume::<Pose>(&name);
    assert_eq!(consumer.read().unwrap(), pose(1));
    assert_eq!((consumer.total_writes().unwrap(), consumer.raw().epoch()), (1, 1));
    assert_eq!(consumer.raw().publisher_pid(), std::process::id());
    assert!(consumer.raw().publisher_alive().unwrap());
}

#[test]
fn without_a_first_value_it_is_empty_until_the_first_write() {
    let directory = Directory::new();
    let name = directory.name("lazy");
    for count in [1, 3] {
        let mut publisher = Publisher::create_with(&name, None, &buffers(count)).unwrap();
        let mut consumer = consume::<Pose>(&name);
        assert_eq!(code(consumer.read()), Code::Empty);
        assert_eq!(consumer.read_change().unwrap(), None);
        assert_eq!(consumer.total_writes().unwrap(), 0);
        assert_eq!(consumer.staleness().unwrap(), None);
        assert!(!consumer.has_changed().unwrap());
        publisher.write(&pose(7)).unwrap();
        assert_eq!(consumer.read_change().unwrap(), Some(pose(7)));
        assert_eq!(consumer.total_writes().unwrap(), 1);
    }
}

#[test]
fn an_empty_publication_has_nothing_to_update_and_a_lock_starts_from_zeros() {
    let directory = Directory::new();
    let name = directory.name("lazy");
    for count in [1, 3] {
        let mut publisher = Publisher::<Pose>::create_with(&name, None, &buffers(count)).unwrap();
        let mut consumer = consume::<Pose>(&name);
        assert_eq!(code(publisher.update(|_| unreachable!("there is nothing to change"))), Code::Empty);
        assert_eq!((code(consumer.read()), consumer.has_changed()), (Code::Empty, Ok(false)), "{count} buffers");
        publisher.write_lock().unwrap().field1 = 5;
        assert_eq!(consumer.read().unwrap(), Pose { field1: 5, field2: 0.0 });
    }
}

#[test]
fn a_second_publisher_is_refused_while_one_lives() {
    let directory = Directory::new();
    let name = directory.name("one");
    let mut first = publish(&name, 1);
    for _ in 0..3 {
        let (code, message) = refusal(Publisher::create_with(&name, Some(&pose(2)), &buffers(1)));
        assert_eq!(code, Code::PublisherExists);
        assert!(message.contains("/one"), "{message}");
    }
    first.write(&pose(3)).unwrap();
    assert_eq!(consume::<Pose>(&name).read().unwrap(), pose(3));
    assert_eq!(directory.files(), ["one"]);
}

#[test]
fn the_permission_bits_are_exactly_those_asked_for() {
    let directory = Directory::new();
    let mode = |name: &Name| std::fs::metadata(name.path()).unwrap().permissions().mode() & 0o7777;
    let private = directory.name("private");
    let _publisher = publish(&private, 2);
    assert_eq!(mode(&private), 0o600);
    let public = directory.name("public");
    let options = CreateOptions { mode: 0o666, ..buffers(2) };
    let _publisher = Publisher::create_with(&public, Some(&pose(1)), &options).unwrap();
    assert_eq!(mode(&public), 0o666);
}

#[test]
fn bad_options_are_refused_before_anything_is_made() {
    let directory = Directory::new();
    let name = directory.name("never");
    let shape = |capacity, buffers, max_consumers| Shape { capacity, buffers, max_consumers };
    let cases = [
        (shape(0, None, None), Code::InvalidSize),
        (shape(u64::MAX, None, None), Code::InvalidSize),
        (shape(u64::MAX - 127, Some(1), None), Code::InvalidSize),
        (shape(u64::MAX / 2, Some(63), None), Code::InvalidSize),
        (shape(64, Some(0), None), Code::InvalidArgument),
        (shape(64, Some(64), None), Code::InvalidArgument),
        (shape(64, Some(u32::MAX), None), Code::InvalidArgument),
        (shape(64, None, Some(0)), Code::InvalidArgument),
        (shape(64, None, Some(1025)), Code::InvalidArgument),
        (shape(64, None, Some(u32::MAX)), Code::InvalidArgument),
    ];
    for (shape, expected) in cases {
        let options = CreateOptions { shape, ..CreateOptions::default() };
        assert_eq!(code(RawPublisher::create(&name, None, &options)), expected, "{shape:?}");
    }
    for mode in [0, 0o400, 0o200, 0o1600, 0o10600, u32::MAX] {
        let options = CreateOptions { mode, ..bytes(64, 2) };
        assert_eq!(code(RawPublisher::create(&name, None, &options)), Code::InvalidArgument, "{mode:#o}");
    }
    let options = CreateOptions { init: Some(&[0; 65]), ..bytes(64, 2) };
    assert_eq!(code(RawPublisher::create(&name, None, &options)), Code::InvalidSize);
    assert_eq!(directory.files(), [""; 0]);
}

#[test]
fn the_extremes_of_the_options_work() {
    let directory = Directory::new();
    let name = directory.name("extreme");
    for (capacity, buffers, consumers) in [(1, 1, 1), (1, 63, 1024), (129, 63, 1), (1 << 20, 2, 1024)] {
        let shape = Shape { capacity, buffers: Some(buffers), max_consumers: Some(consumers) };
        let mut publisher = RawPublisher::create(&name, None, &CreateOptions { shape, ..CreateOptions::default() }).unwrap();
        let value = vec![7; usize::try_from(capacity).unwrap()];
        for _ in 0..70 {
            publisher.write(&value, None).unwrap();
        }
        let mut copy = vec![0; value.len()];
        assert_eq!(RawConsumer::open(&name, false).unwrap().copy(&mut copy, false).unwrap().unwrap().version, 70);
        assert_eq!(copy, value);
    }
}

#[test]
fn more_than_the_filesystem_holds_is_an_error_with_both_numbers() {
    let directory = Directory::new();
    let (code, message) = refusal(RawPublisher::create(directory.name("huge"), None, &bytes(1 << 45, 2)));
    assert_eq!(code, Code::NoSpace);
    assert!(message.contains(": 70,368,744,") && message.contains(" bytes asked, ") && message.contains(" free on /dev/shm/"), "{message}");
    assert_eq!(directory.files(), [""; 0]);
}

#[test]
fn a_directory_that_is_not_there_is_named() {
    let name = Name::new("x", Some("/dev/shm/pagecast-test-no-such-directory".as_ref())).unwrap();
    let (code, message) = refusal(RawPublisher::create(&name, None, &bytes(8, 2)));
    assert_eq!(code, Code::NotFound);
    assert!(message.contains("pagecast-test-no-such-directory"), "{message}");
}

#[test]
fn what_is_in_the_way_is_not_overwritten() {
    let directory = Directory::new();
    let name = directory.name("file");
    for content in [vec![], vec![0; 10], vec![0; 4096], vec![0xff; 1 << 17]] {
        std::fs::write(name.path(), &content).unwrap();
        assert_eq!(code(RawPublisher::create(&name, None, &bytes(8, 2))), Code::NotASegment);
        assert_eq!(std::fs::read(name.path()).unwrap(), content);
    }
}

#[test]
fn closing_tells_consumers_and_takes_the_name_away() {
    let directory = Directory::new();
    let name = directory.name("closed");
    let publisher = publish(&name, 4);
    let mut consumer = consume::<Pose>(&name);
    publisher.close(false).unwrap();
    assert_eq!(directory.files(), [""; 0]);
    assert!(consumer.raw().state().has(State::CLOSED));
    assert!(!consumer.raw().publisher_alive().unwrap());
    assert_eq!(code(consumer.read()), Code::Closed);
    assert_eq!(consumer.total_writes().unwrap(), 1, "what was published is still known");
    assert_eq!(code(RawConsumer::open(&name, false)), Code::NotFound);
}

#[test]
fn dropping_closes() {
    let directory = Directory::new();
    let name = directory.name("dropped");
    let publisher = publish(&name, 1);
    let mut consumer = consume::<Pose>(&name);
    drop(publisher);
    assert_eq!(code(consumer.read()), Code::Closed);
    assert_eq!(directory.files(), [""; 0]);
}

#[test]
fn closing_twice_does_nothing_more() {
    let directory = Directory::new();
    let name = directory.name("twice");
    let mut first = RawPublisher::create(&name, None, &bytes(8, 2)).unwrap();
    first.close(false).unwrap();
    let state = first.state();
    let _second = RawPublisher::create(&name, None, &bytes(8, 2)).unwrap();
    first.close(false).unwrap();
    assert_eq!(first.state(), state);
    drop(first);
    assert_eq!(directory.files(), ["twice"], "the name belongs to the second publisher");
}

#[test]
fn a_closed_publisher_writes_nothing() {
    let directory = Directory::new();
    let mut publisher = RawPublisher::create(directory.name("over"), None, &bytes(8, 2)).unwrap();
    publisher.close(true).unwrap();
    assert_eq!(code(publisher.write(&[1; 8], None)), Code::Disposed);
    assert_eq!(code(publisher.begin(None, true)), Code::Disposed);
    assert_eq!(code(publisher.commit(8)), Code::InvalidArgument);
    publisher.abort().unwrap();
    publisher.cancel();
    assert!(publisher.state().has(State::CLOSED));
}
