//! What becomes of a publication, and of those attached to it, when its publisher is gone.

use crate::common::watchdog::bounded;
use crate::common::{Directory, FOREVER, blocked, bytes, code, pin, publish_bytes, remove_by_hand};
use crate::poses::{Pose, buffers, consume, observe, pose, publish, refusal};
use pagecast::publication::{Blocked, Shape, State};
use pagecast::{Code, CreateOptions, IfDead, Name, Publisher, RawConsumer, RawPublisher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

fn succeed(name: &Name, init: Option<&Pose>, options: &CreateOptions<'_>) -> Publisher<Pose> {
    Publisher::create_with(name, init, options).unwrap()
}

fn inode(name: &Name) -> u64 {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(name.path()).unwrap().ino()
}

#[test]
fn an_abandoned_publication_can_still_be_read() {
    let directory = Directory::new();
    for count in [1, 3] {
        let name = directory.name("orphan");
        publish(&name, count).abandon();
        for mut consumer in [consume::<Pose>(&name), observe::<Pose>(&name)] {
            assert!(!consumer.raw().publisher_alive().unwrap());
            assert_eq!(consumer.read().unwrap(), pose(1));
        }
        pagecast::segment::remove(&name).unwrap();
    }
}

#[test]
fn the_next_publisher_goes_on_where_the_last_one_was() {
    let directory = Directory::new();
    for count in [1, 3] {
        let name = directory.name("adopted");
        let mut first = publish(&name, count);
        let mut consumer = consume::<Pose>(&name);
        let mut observer = observe::<Pose>(&name);
        first.write(&pose(2)).unwrap();
        first.abandon();
        let file = inode(&name);
        let mut second = succeed(&name, None, &buffers(count));
        assert!(second.raw().adopted());
        assert_eq!((second.raw().epoch(), consumer.raw().epoch(), second.total_writes()), (2, 2, 2));
        assert_eq!(inode(&name), file);
        assert!(consumer.raw().publisher_alive().unwrap());
        assert_eq!(
            (consumer.read().unwrap(), observer.read().unwrap()),
            (pose(2), pose(2)),
            "no first value was given: the last one stays"
        );
        second.write(&pose(3)).unwrap();
        assert_eq!((consumer.read().unwrap(), consumer.total_writes().unwrap()), (pose(3), 3));
        assert_eq!(observer.read_change().unwrap(), Some(pose(3)));
        second.close(false).unwrap();
        assert_eq!(directory.files(), [""; 0]);
    }
}

#[test]
fn a_first_value_is_the_next_version_of_an_adopted_publication() {
    let directory = Directory::new();
    let name = directory.name("init");
    publish(&name, 1).abandon();
    let mut consumer = consume::<Pose>(&name);
    consumer.read().unwrap();
    for round in 2..10 {
        let publisher = succeed(&name, Some(&pose(round)), &buffers(1));
        assert_eq!(u64::from(publisher.raw().epoch()), publisher.total_writes());
        assert_eq!(consumer.read_change().unwrap(), Some(pose(round)));
        publisher.abandon();
    }
}

#[test]
fn a_publication_that_was_closed_and_kept_comes_back_to_life() {
    let directory = Directory::new();
    for count in [1, 3] {
        let name = directory.name("kept");
        let first = publish(&name, count);
        let mut consumer = consume::<Pose>(&name);
        first.close(true).unwrap();
        assert_eq!(code(consumer.read()), Code::Closed);
        assert_eq!(pin_last(&name), 1, "who asks for the last value gets it");
        let second = succeed(&name, None, &buffers(count));
        assert!(second.raw().adopted() && !second.raw().state().has(State::CLOSED));
        assert_eq!(consumer.read().unwrap(), pose(1));
    }
}

fn pin_last(name: &Name) -> u64 {
    let mut consumer = RawConsumer::open(name, false).unwrap();
    assert_eq!(blocked(&mut consumer), Blocked::Closed);
    consumer.try_lock(true).unwrap().unwrap().observation.version
}

#[test]
fn a_half_written_value_of_a_single_buffer_is_never_read() {
    let directory = Directory::new();
    let name = directory.name("torn");
    let mut first = publish_bytes(&name, &[1; 8], 1);
    let mut consumer = RawConsumer::open(&name, false).unwrap();
    first.begin(None, true).unwrap();
    first.put(0, &[2; 4]).unwrap();
    first.abandon();
    assert_eq!(blocked(&mut consumer), Blocked::Died);
    let (code_, message) = refusal(consumer.lock(Duration::from_secs(1)));
    assert_eq!(code_, Code::PublisherDied);
    assert!(message.contains("died"), "{message}");
    let observer = RawConsumer::open(&name, true).unwrap();
    assert_eq!(observer.copy(&mut [0; 8], false).unwrap(), Err(Blocked::Died));
    let mut second = RawPublisher::create(&name, None, &bytes(8, 1)).unwrap();
    assert!(second.adopted());
    assert_eq!(blocked(&mut consumer), Blocked::Empty, "there is a publisher again, but no value");
    second.write(&[3; 8], None).unwrap();
    assert_eq!(pin(&mut consumer).observation.version, 2);
}

#[test]
fn a_write_that_never_began_leaves_the_value_whole() {
    let directory = Directory::new();
    let name = directory.name("waiting");
    let mut first = publish_bytes(&name, &[1; 8], 1);
    let mut consumer = RawConsumer::open(&name, false).unwrap();
    pin(&mut consumer);
    assert_eq!(first.try_begin(true).unwrap(), None, "it waits for the reader");
    first.abandon();
    consumer.unlock();
    assert_eq!(blocked(&mut consumer), Blocked::Died);
    let second = RawPublisher::create(&name, None, &bytes(8, 1)).unwrap();
    assert!(second.adopted());
    assert_eq!(pin(&mut consumer).observation.version, 1);
}

#[test]
fn a_half_written_value_among_several_buffers_harms_nobody() {
    let directory = Directory::new();
    let name = directory.name("several");
    let mut first = publish_bytes(&name, &[1; 8], 3);
    let mut consumer = RawConsumer::open(&name, false).unwrap();
    first.begin(None, true).unwrap();
    first.put(0, &[2; 4]).unwrap();
    first.abandon();
    let mut value = [0; 8];
    assert_eq!(consumer.copy(&mut value, false).unwrap().unwrap().version, 1);
    assert_eq!(value, [1; 8]);
    pin(&mut consumer);
    let mut second = RawPublisher::create(&name, None, &bytes(8, 3)).unwrap();
    for number in 2..10 {
        second.write(&[number; 8], None).unwrap();
        consumer.get(0, &mut value).unwrap();
        assert_eq!(value, [1; 8], "the pin outlives the publisher");
    }
    consumer.unlock();
    assert_eq!(pin(&mut consumer).observation.version, 9);
}

#[test]
fn an_empty_publication_whose_publisher_is_gone_says_so() {
    let directory = Directory::new();
    let name = directory.name("never");
    Publisher::<Pose>::create_with(&name, None, &buffers(2)).unwrap().abandon();
    assert_eq!(code(consume::<Pose>(&name).read()), Code::PublisherDied);
}

#[test]
fn another_shape_or_schema_replaces_and_tells_consumers() {
    pagecast::record! { struct Other { field1: i32, more: f32 } }
    let directory = Directory::new();
    let name = directory.name("replaced");
    let old = || {
        publish(&name, 3).abandon();
        (consume::<Pose>(&name), observe::<Pose>(&name), inode(&name))
    };
    let told = |(mut consumer, mut observer, file): (pagecast::Consumer<Pose>, pagecast::Consumer<Pose>, u64)| {
        assert_ne!(inode(&name), file);
        assert_eq!(code(consumer.read()), Code::Replaced);
        assert_eq!(code(observer.read()), Code::Replaced);
        assert_eq!(consumer.wait_for_change(Duration::ZERO).unwrap(), Some(pose(1)), "the last value still comes");
        assert_eq!(code(consumer.wait_for_change(Duration::ZERO)), Code::Replaced);
        assert_eq!(directory.files(), ["replaced"]);
    };
    let attached = old();
    let publisher = Publisher::create_with(&name, Some(&Other { field1: 1, more: 2.0 }), &buffers(3)).unwrap();
    assert!(!publisher.raw().adopted());
    assert_eq!((publisher.raw().epoch(), publisher.total_writes()), (1, 1));
    told(attached);
    drop(publisher);
    for shape in [(Some(4), None), (None, Some(5))] {
        let attached = old();
        let shape = Shape { buffers: shape.0, max_consumers: shape.1, ..Shape::default() };
        let publisher = succeed(&name, Some(&pose(5)), &CreateOptions { shape, ..CreateOptions::default() });
        assert!(!publisher.raw().adopted());
        told(attached);
        assert_eq!(consume::<Pose>(&name).read().unwrap(), pose(5));
    }
}

#[test]
fn what_was_not_asked_for_may_be_as_it_was() {
    let directory = Directory::new();
    let name = directory.name("any");
    let shape = Shape { buffers: Some(5), max_consumers: Some(7), ..Shape::default() };
    succeed(&name, Some(&pose(1)), &CreateOptions { shape, ..CreateOptions::default() }).abandon();
    let publisher = succeed(&name, None, &CreateOptions::default());
    assert!(publisher.raw().adopted());
    assert_eq!((publisher.raw().layout().buffer_count, publisher.raw().layout().slot_count), (5, 7));
}

#[test]
fn the_caller_may_ask_for_a_new_segment_or_for_an_error() {
    let directory = Directory::new();
    let name = directory.name("choice");
    publish(&name, 2).abandon();
    let mut consumer = consume::<Pose>(&name);
    let file = inode(&name);
    let options = CreateOptions { if_dead: IfDead::Fail, ..buffers(2) };
    assert_eq!(code(Publisher::create_with(&name, Some(&pose(2)), &options)), Code::AlreadyExists);
    assert_eq!((consumer.read().unwrap(), inode(&name)), (pose(1), file), "a refusal changes nothing");
    let options = CreateOptions { if_dead: IfDead::Replace, ..buffers(2) };
    let publisher = succeed(&name, Some(&pose(2)), &options);
    assert!(!publisher.raw().adopted());
    assert_eq!(code(consumer.read()), Code::Replaced);
    assert_eq!(code(Publisher::create_with(&name, Some(&pose(3)), &options)), Code::PublisherExists, "only the dead are replaced");
}

#[test]
fn a_create_that_fails_leaves_the_publication_to_the_next() {
    let directory = Directory::new();
    let name = directory.name("held");
    publish_bytes(&name, &[1; 8], 1).abandon();
    let mut consumer = RawConsumer::open(&name, false).unwrap();
    pin(&mut consumer);
    let options = CreateOptions { init: Some(&[2; 8]), timeout: Duration::from_millis(5), ..bytes(8, 1) };
    assert_eq!(code(RawPublisher::create(&name, None, &options)), Code::Timeout);
    assert_eq!(directory.files(), ["held"]);
    consumer.unlock();
    assert_eq!(pin(&mut consumer).observation.version, 1);
    consumer.unlock();
    assert!(RawPublisher::create(&name, None, &options).unwrap().adopted());
}

#[test]
fn a_name_that_was_removed_is_made_anew() {
    let directory = Directory::new();
    let name = directory.name("removed");
    let old = publish(&name, 2);
    remove_by_hand(&name);
    let new = publish(&name, 2);
    assert!(!new.raw().adopted());
    let file = inode(&name);
    drop(old);
    assert_eq!(inode(&name), file, "the old publisher takes away its own name only");
}

#[test]
fn a_damaged_segment_is_replaced() {
    let directory = Directory::new();
    let name = directory.name("damaged");
    publish(&name, 2).abandon();
    let whole = std::fs::read(name.path()).unwrap();
    for damage in [vec![], whole[..4096].to_vec()] {
        let mut damaged = whole.clone();
        damaged[100] ^= 1;
        std::fs::write(name.path(), if damage.is_empty() { damaged } else { damage }).unwrap();
        assert_ne!(code(RawConsumer::open(&name, false)), Code::NotASegment);
        let options = CreateOptions { if_dead: IfDead::Fail, ..buffers(2) };
        assert_eq!(code(Publisher::create_with(&name, Some(&pose(3)), &options)), Code::AlreadyExists);
        let publisher = publish(&name, 2);
        assert!(!publisher.raw().adopted());
        assert_eq!(consume::<Pose>(&name).read().unwrap(), pose(1));
    }
}

#[test]
fn a_publisher_that_goes_after_its_write_leaves_no_moment_without_a_value() {
    bounded(|watch| {
        for count in [1, 3] {
            watch.stage(format!("publishers that come, write and go, {count} buffers"));
            let directory = Directory::new();
            let name = directory.name("value");
            publish_bytes(&name, &[1; 4096], count).abandon();
            let mut consumer = RawConsumer::open(&name, false).unwrap();
            let observer = RawConsumer::open(&name, true).unwrap();
            let over = AtomicBool::new(false);
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    for number in 0..3000_u32 {
                        let mut publisher = RawPublisher::create(&name, None, &bytes(4096, count)).unwrap();
                        publisher.write(&[number as u8; 4096], Some(FOREVER)).unwrap();
                        publisher.abandon();
                    }
                    over.store(true, Ordering::Relaxed);
                });
                while !over.load(Ordering::Relaxed) {
                    let outcome = consumer.try_lock(false).unwrap().map(|_| ());
                    assert!(matches!(outcome, Ok(()) | Err(Blocked::Writing)), "{outcome:?}");
                    consumer.unlock();
                    let outcome = observer.copy(&mut [0; 4096], false).unwrap().map(|_| ());
                    assert!(matches!(outcome, Ok(()) | Err(Blocked::Writing)), "{outcome:?}");
                }
            });
        }
    });
}

#[test]
#[cfg(feature = "testing")]
fn a_publisher_that_took_the_name_while_its_replacement_was_built_keeps_it() {
    use pagecast::testing::observe_steps;
    use std::{cell::Cell, rc::Rc};
    for is_made_anew in [true, false] {
        let directory = Directory::new();
        let name = directory.name("contested");
        publish(&name, 2).abandon();
        let (third, made) = (Rc::new(Cell::new(None)), Cell::new(false));
        let (slot, by_hand) = (third.clone(), name.clone());
        observe_steps(Some(Box::new(move |step| {
            if step == "rename" && !made.replace(true) {
                remove_by_hand(&by_hand);
                slot.set(is_made_anew.then(|| publish(&by_hand, 2)));
            }
        })));
        let second = Publisher::create_with(&name, Some(&pose(2)), &buffers(3));
        observe_steps(None);
        let third = third.take();
        assert_eq!(directory.files(), ["contested"]);
        assert_eq!(second.as_ref().err().map(pagecast::Error::code), third.as_ref().map(|_| Code::PublisherExists));
        let value = consume::<Pose>(&name).read().unwrap();
        assert_eq!(value, pose(if third.is_some() { 1 } else { 2 }));
        assert!(third.is_none_or(|third| !third.raw().state().has(State::REPLACED)));
    }
}
