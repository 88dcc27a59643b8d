//! A consumer is killed: its pin and its slot come back.

use crate::common::watchdog::{Watch, bounded};
use crate::common::{Directory, FOREVER, bytes, code, publish_bytes};
use crate::player::Player;
use crate::roles::SIZE;
use pagecast::publication::{Holder, Shape};
use pagecast::roster::{Byte, LockFile};
use pagecast::{Code, CreateOptions, RawConsumer, RawPublisher};
use std::time::Duration;

fn holder(watch: &Watch, directory: &Directory) -> Player {
    let mut player = Player::start(watch, "consumer", &[directory.path().to_str().unwrap(), "value", "read-write"]);
    assert_eq!(player.hear(), "slot Some(0)");
    assert!(player.ask("lock").starts_with("version"));
    player
}

#[test]
fn a_single_buffer_comes_back_to_the_publisher() {
    bounded(|watch| {
        watch.stage("consumer killed with the only buffer pinned");
        let directory = Directory::new();
        let mut publisher = publish_bytes(&directory.name("value"), &[1; SIZE], 1);
        let consumer = holder(watch, &directory);
        assert_eq!(publisher.holders(), [Holder { pid: consumer.pid(), slot: 0 }]);
        assert_eq!(code(publisher.write(&[2; SIZE], Some(Duration::from_millis(30)))), Code::Timeout);
        consumer.kill();
        publisher.write(&[2; SIZE], Some(FOREVER)).unwrap();
        assert_eq!(publisher.holders(), []);
    });
}

#[test]
fn a_publisher_that_never_waits_gets_the_buffer_back_too() {
    bounded(|watch| {
        watch.stage("consumer killed with a buffer pinned");
        for count in [1, 2] {
            let directory = Directory::new();
            let mut publisher = publish_bytes(&directory.name("value"), &[1; SIZE], count);
            let consumer = holder(watch, &directory);
            for _ in 1..count {
                publisher.write(&[2; SIZE], None).unwrap();
            }
            assert_eq!(code(publisher.write(&[3; SIZE], None)), Code::Busy);
            consumer.kill();
            publisher.write(&[3; SIZE], None).unwrap();
            assert_eq!(publisher.holders(), []);
        }
    });
}

#[test]
fn a_publisher_asleep_for_a_reader_learns_of_its_death() {
    bounded(|watch| {
        watch.stage("consumer killed while the publisher waits for it");
        let directory = Directory::new();
        let mut publisher = publish_bytes(&directory.name("value"), &[1; SIZE], 1);
        let consumer = holder(watch, &directory);
        let writing = std::thread::spawn(move || publisher.write(&[2; SIZE], Some(FOREVER)).map(|()| publisher.total_writes()));
        let other = RawConsumer::open(directory.name("value"), false).unwrap();
        while !other.state().has(pagecast::publication::State::WRITING) {
            std::thread::yield_now();
        }
        consumer.kill();
        assert_eq!(writing.join().unwrap().unwrap(), 2);
    });
}

#[test]
fn the_slot_of_a_killed_consumer_is_free() {
    bounded(|watch| {
        watch.stage("consumer killed in the only slot");
        let directory = Directory::new();
        let name = directory.name("value");
        let shape = Shape { capacity: SIZE as u64, buffers: Some(1), max_consumers: Some(1) };
        let options = CreateOptions { shape, init: Some(&[1; SIZE]), ..CreateOptions::default() };
        let mut publisher = RawPublisher::create(&name, None, &options).unwrap();
        for round in 2..10 {
            let consumer = holder(watch, &directory);
            assert_eq!(code(RawConsumer::open(&name, false)), Code::TooManyConsumers);
            consumer.kill();
            let mut next = RawConsumer::open(&name, false).unwrap();
            publisher.write(&[2; SIZE], None).expect("the next in the slot has taken the pin back");
            assert_eq!(next.lock(FOREVER).unwrap().observation.version, round);
        }
    });
}

#[test]
fn a_successor_takes_back_the_pins_of_the_dead_and_leaves_those_of_the_living() {
    bounded(|watch| {
        watch.stage("publisher gone, one of two consumers killed");
        let directory = Directory::new();
        let name = directory.name("value");
        let first = publish_bytes(&name, &[1; SIZE], 3);
        let dead = holder(watch, &directory);
        let mut living = Player::start(watch, "consumer", &[directory.path().to_str().unwrap(), "value", "read-write"]);
        assert_eq!(living.hear(), "slot Some(1)");
        assert_eq!(living.ask("lock"), "version 1");
        first.abandon();
        dead.kill();
        let mut second = RawPublisher::create(&name, None, &bytes(SIZE as u64, 3)).unwrap();
        assert_eq!(second.holders(), [Holder { pid: living.pid(), slot: 1 }]);
        for number in 2..20 {
            second.write(&[number; SIZE], None).unwrap();
        }
        assert_eq!((living.ask("unlock"), living.ask("copy")), ("unlocked".into(), "version 19 whole true".into()));
    });
}

#[test]
fn a_pin_that_a_stranger_keeps_from_being_taken_back_is_an_error_that_says_so() {
    bounded(|watch| {
        watch.stage("consumer killed while somebody else waits with a read lock");
        let directory = Directory::new();
        for timeout in [None, Some(Duration::from_millis(30))] {
            let mut publisher = publish_bytes(&directory.name("value"), &[1; SIZE], 1);
            let consumer = holder(watch, &directory);
            let pid = consumer.pid();
            consumer.kill();
            let stranger = LockFile::reopen(publisher.segment().file(), true).unwrap();
            assert!(stranger.try_share(Byte::Slot(0)).unwrap());
            let error = publisher.write(&[2; SIZE], timeout).unwrap_err();
            assert_eq!(error.code(), Code::LockObstructed);
            assert!(error.message().contains(&format!("pid {pid} in slot 0 is gone")), "{error}");
            drop(stranger);
            publisher.write(&[2; SIZE], timeout).unwrap();
            publisher.close(false).unwrap();
        }
    });
}
