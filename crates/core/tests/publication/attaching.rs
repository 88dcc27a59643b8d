//! Slots: who has one, and who gets the next.

use crate::common::{Directory, code, pin, publish_bytes};
use crate::poses::{Pose, buffers, consume, pose, refusal};
use pagecast::publication::{Holder, Shape};
use pagecast::roster::{Byte, LockFile};
use pagecast::{Code, Consumer, CreateOptions, Name, Publisher, RawConsumer};
#[cfg(feature = "testing")]
use std::time::Duration;

fn publish_for(name: &Name, consumers: u32) -> Publisher<Pose> {
    let shape = Shape { max_consumers: Some(consumers), ..Shape::default() };
    Publisher::create_with(name, Some(&pose(1)), &CreateOptions { shape, ..CreateOptions::default() }).unwrap()
}

#[test]
fn one_consumer_more_than_there_is_room_for_is_refused() {
    let directory = Directory::new();
    for room in [1, 3, 70] {
        let name = directory.name("full");
        let mut publisher = publish_for(&name, room);
        let mut attached: Vec<_> = (0..room).map(|_| consume::<Pose>(&name)).collect();
        let (code, message) = refusal(RawConsumer::open(&name, false));
        assert_eq!(code, Code::TooManyConsumers);
        assert!(message.contains(&room.to_string()), "{message}");
        publisher.write(&pose(2)).unwrap();
        assert!(attached.iter_mut().all(|consumer| consumer.read().unwrap() == pose(2)), "the others are not disturbed");
    }
}

#[test]
fn a_slot_is_free_again_when_its_consumer_goes() {
    let directory = Directory::new();
    let name = directory.name("reuse");
    let mut publisher = publish_for(&name, 3);
    let mut consumers: Vec<_> = (0..3).map(|_| consume::<Pose>(&name)).collect();
    for round in 2..40 {
        let gone = consumers.remove(usize::try_from(round % 3).unwrap());
        let slot = gone.raw().slot();
        drop(gone);
        let mut next = consume::<Pose>(&name);
        assert_eq!(next.raw().slot(), slot);
        publisher.write(&pose(round)).unwrap();
        assert_eq!(next.read().unwrap(), pose(round));
        consumers.push(next);
    }
}

#[test]
fn a_consumer_that_goes_takes_its_pin_with_it() {
    let directory = Directory::new();
    let name = directory.name("pinned");
    let mut publisher = publish_bytes(&name, &[1; 8], 1);
    let mut consumer = RawConsumer::open(&name, false).unwrap();
    pin(&mut consumer);
    drop(consumer);
    assert_eq!(publisher.holders(), []);
    publisher.write(&[2; 8], None).unwrap();
}

#[test]
fn a_consumer_of_another_type_leaves_its_slot() {
    pagecast::record! { struct Other { nothing: f32 } }
    let directory = Directory::new();
    let name = directory.name("wrong");
    let _publisher = publish_for(&name, 1);
    for _ in 0..3 {
        let raw = RawConsumer::open(&name, false).unwrap();
        assert_eq!(refusal(Consumer::<Other>::over(raw)).0, Code::SchemaMismatch);
    }
    consume::<Pose>(&name);
}

#[test]
fn the_publisher_knows_who_holds_a_buffer() {
    let directory = Directory::new();
    let name = directory.name("holders");
    let publisher = publish_bytes(&name, &[1; 8], 4);
    let mut consumers: Vec<_> = (0..3).map(|_| RawConsumer::open(&name, false).unwrap()).collect();
    assert_eq!(publisher.holders(), []);
    pin(&mut consumers[0]);
    pin(&mut consumers[2]);
    let pid = std::process::id();
    assert_eq!(publisher.holders(), [Holder { pid, slot: 0 }, Holder { pid, slot: 2 }]);
    consumers[0].unlock();
    assert_eq!(publisher.holders(), [Holder { pid, slot: 2 }]);
    assert_eq!(publisher.recover_dead().unwrap(), 0, "nobody who lives is recovered");
    assert_eq!(publisher.holders(), [Holder { pid, slot: 2 }]);
}

#[test]
fn many_come_and_go_at_once() {
    let directory = Directory::new();
    let name = directory.name("crowd");
    let mut publisher = Publisher::create_with(&name, Some(&pose(1)), &buffers(18)).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..100 {
                    let mut consumer = consume::<Pose>(&name);
                    let value = consumer.read().unwrap();
                    assert_eq!(value, pose(value.field1));
                }
            });
        }
        for number in 2..2000 {
            publisher.write(&pose(number)).unwrap();
        }
    });
    assert_eq!(publisher.raw().holders(), []);
}

#[test]
#[cfg(feature = "testing")]
fn a_slot_that_comes_free_while_the_others_are_tried_is_not_obstructed() {
    use pagecast::testing::observe_steps;
    use std::{cell::Cell, rc::Rc};
    let directory = Directory::new();
    let name = directory.name("busy");
    let _publisher = publish_for(&name, 2);
    let first = Rc::new(Cell::new(Some(consume::<Pose>(&name))));
    let _second = consume::<Pose>(&name);
    let start = std::time::Instant::now();
    let goes = first.clone();
    observe_steps(Some(Box::new(move |step| {
        // in the last round of its doubts
        if step == "hold Slot(1)" && start.elapsed() > Duration::from_millis(20) {
            drop(goes.take());
        }
    })));
    let opened = RawConsumer::open(&name, false);
    observe_steps(None);
    assert!(opened.as_ref().err().is_none_or(|error| error.code() == Code::TooManyConsumers), "{opened:?}");
    assert!(first.take().is_none(), "it went");
}

#[test]
fn a_strangers_read_lock_on_the_last_slot_is_named() {
    let directory = Directory::new();
    let name = directory.name("obstructed");
    let publisher = publish_for(&name, 2);
    let stranger = LockFile::reopen(publisher.raw().segment().file(), true).unwrap();
    assert!(stranger.try_share(Byte::Slot(0)).unwrap());
    let consumer = consume::<Pose>(&name);
    assert_eq!(consumer.raw().slot(), Some(1), "there is room beside it");
    let (code_, message) = refusal(RawConsumer::open(&name, false));
    assert_eq!(code_, Code::LockObstructed);
    assert!(message.starts_with("open ") && message.contains("/obstructed: ") && message.contains("slot 0"), "{message}");
    drop(stranger);
    assert_eq!(consume::<Pose>(&name).raw().slot(), Some(0));
    let stranger = LockFile::reopen(publisher.raw().segment().file(), true).unwrap();
    publisher.abandon();
    assert!(stranger.try_share(Byte::Publisher).unwrap());
    let create = || Publisher::create_with(&name, Some(&pose(1)), &buffers(2));
    let (code_, message) = refusal(create());
    assert_eq!(code_, Code::LockObstructed);
    assert!(message.starts_with("create ") && message.contains("the publisher's byte"), "{message}");
    assert_eq!(code(pagecast::segment::remove(&name)), Code::LockObstructed);
    drop(stranger);
    create().unwrap();
}
