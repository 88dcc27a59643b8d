//! A publisher is killed: what its consumers and its successor find.

use crate::common::watchdog::{Watch, bounded};
use crate::common::{Directory, WRITER_WAITS, blocked, bytes, pin, word};
use crate::player::Player;
use crate::roles::SIZE;
use crate::waking::{SLEEPERS, until_asleep};
use pagecast::publication::Blocked;
use pagecast::{RawConsumer, RawPublisher};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

fn publisher(watch: &Watch, directory: &Directory, buffers: u32) -> Player {
    let mut player = Player::start(watch, "publisher", &[directory.path().to_str().unwrap(), "value", &buffers.to_string()]);
    assert!(player.hear().starts_with("epoch"));
    player
}

fn adopt(directory: &Directory, buffers: u32) -> RawPublisher {
    let publisher = RawPublisher::create(directory.name("value"), None, &bytes(SIZE as u64, buffers)).unwrap();
    assert!(publisher.adopted());
    publisher
}

#[test]
fn killed_between_writes_it_leaves_its_last_value_and_its_place() {
    bounded(|watch| {
        for count in [1, 3] {
            watch.stage(format!("publisher killed between writes, {count} buffers"));
            let directory = Directory::new();
            let mut first = publisher(watch, &directory, count);
            first.ask("write 1");
            let mut consumer = RawConsumer::open(directory.name("value"), false).unwrap();
            assert_eq!(consumer.publisher_pid(), first.pid());
            assert_eq!(first.ask("write 2"), "version 2");
            assert!(consumer.publisher_alive().unwrap());
            first.kill();
            assert!(!consumer.publisher_alive().unwrap());
            assert_eq!(pin(&mut consumer).observation.version, 2);
            consumer.unlock();
            let mut second = publisher(watch, &directory, count);
            assert_eq!(consumer.epoch(), 2);
            assert_eq!(second.ask("write 3"), "version 3");
            assert_eq!(pin(&mut consumer).observation.version, 3);
        }
    });
}

#[test]
fn killed_half_way_through_a_write_it_leaves_nothing_torn() {
    bounded(|watch| {
        for count in [1, 3] {
            watch.stage(format!("publisher killed in a write, {count} buffers"));
            let directory = Directory::new();
            let mut first = publisher(watch, &directory, count);
            first.ask("write 1");
            let mut consumer = RawConsumer::open(directory.name("value"), false).unwrap();
            let observer = RawConsumer::open(directory.name("value"), true).unwrap();
            assert_eq!((first.ask("begin"), first.ask("half 2")), ("begun".into(), "half".into()));
            first.kill();
            let mut value = [0; SIZE];
            if count == 1 {
                assert_eq!(blocked(&mut consumer), Blocked::Died);
                assert_eq!(observer.copy(&mut value, false).unwrap(), Err(Blocked::Died));
            } else {
                assert_eq!(pin(&mut consumer).observation.version, 1);
                assert_eq!(observer.copy(&mut value, false).unwrap().unwrap().version, 1);
                assert_eq!(value, [1; SIZE]);
                consumer.unlock();
            }
            let mut second = adopt(&directory, count);
            assert_eq!(consumer.try_lock(false).unwrap().map_err(|blocked| blocked == Blocked::Empty).is_ok(), count > 1);
            consumer.unlock();
            second.write(&[3; SIZE], None).unwrap();
            assert_eq!(observer.copy(&mut value, false).unwrap().unwrap().version, 2);
            assert_eq!(value, [3; SIZE]);
        }
    });
}

#[test]
fn killed_while_it_waits_for_a_reader_it_has_changed_nothing() {
    bounded(|watch| {
        watch.stage("publisher killed while it waits for a reader");
        let directory = Directory::new();
        let mut first = publisher(watch, &directory, 1);
        first.ask("write 1");
        let mut consumer = RawConsumer::open(directory.name("value"), false).unwrap();
        let mut other = RawConsumer::open(directory.name("value"), false).unwrap();
        pin(&mut consumer);
        first.say("sleep");
        until_asleep(other.segment(), other.layout(), WRITER_WAITS);
        first.kill();
        assert_eq!(blocked(&mut other), Blocked::Died);
        let mut second = adopt(&directory, 1);
        assert_eq!(word(other.segment(), other.layout(), WRITER_WAITS) & 1, 0, "the successor does not wait");
        assert_eq!(pin(&mut other).observation.version, 1);
        other.unlock();
        consumer.unlock();
        second.write(&[2; SIZE], None).unwrap();
        assert_eq!(pin(&mut consumer).observation.version, 2);
    });
}

/// A publisher in the middle of a write, and a reader asleep because of it, which was told `command`.
fn shut_out(watch: &Watch, directory: &Directory, command: &str) -> (Player, Player) {
    let mut first = publisher(watch, directory, 1);
    first.ask("write 1");
    first.ask("begin");
    let mut reader = Player::start(watch, "consumer", &[directory.path().to_str().unwrap(), "value", "read-write"]);
    reader.hear();
    reader.say(command);
    let observer = RawConsumer::open(directory.name("value"), true).unwrap();
    until_asleep(observer.segment(), observer.layout(), SLEEPERS);
    (first, reader)
}

#[test]
fn a_reader_that_waits_for_the_lock_is_told_that_the_publisher_died() {
    bounded(|watch| {
        watch.stage("publisher killed while a reader waits for its lock");
        let directory = Directory::new();
        let (first, mut reader) = shut_out(watch, &directory, "lock"); // for an hour
        first.kill();
        assert_eq!(reader.hear(), "ERR_PUBLISHER_DIED");
    });
}

#[test]
fn a_patient_reader_gets_the_successors_value() {
    bounded(|watch| {
        watch.stage("a patient reader waits for a successor");
        let directory = Directory::new();
        let (first, mut reader) = shut_out(watch, &directory, "lock patiently");
        first.kill();
        let mut second = adopt(&directory, 1);
        second.write(&[2; SIZE], Some(crate::common::FOREVER)).unwrap();
        assert_eq!(reader.hear(), "version 2");
    });
}

#[test]
fn leaving_without_a_goodbye_is_dying() {
    bounded(|watch| {
        watch.stage("publisher exits");
        let directory = Directory::new();
        let mut first = publisher(watch, &directory, 2);
        first.ask("write 1");
        let mut consumer = RawConsumer::open(directory.name("value"), false).unwrap();
        first.say("exit");
        while consumer.publisher_alive().unwrap() {
            std::thread::yield_now();
        }
        assert_eq!(pin(&mut consumer).observation.version, 1);
        assert_eq!(directory.files(), ["value"], "an exit is no close: the name stays");
        assert_eq!(adopt(&directory, 2).epoch(), 2);
    });
}

#[test]
fn a_child_that_lives_on_does_not_keep_its_parents_place() {
    bounded(|watch| {
        watch.stage("publisher killed, its child lives on");
        let directory = Directory::new();
        let mut first = publisher(watch, &directory, 2);
        first.ask("write 1");
        let child = first.ask("spawn");
        let consumer = RawConsumer::open(directory.name("value"), false).unwrap();
        first.kill();
        assert!(!consumer.publisher_alive().unwrap());
        assert_eq!(adopt(&directory, 2).epoch(), 2);
        assert!(Command::new("kill").arg(child).status().unwrap().success(), "the child outlived all of this");
    });
}

fn adopt_and_abandon(directory: &Directory) {
    RawPublisher::create(directory.name("value"), None, &bytes(SIZE as u64, 2)).unwrap().abandon();
}

#[test]
fn who_lets_go_while_he_starts_other_processes_has_let_go() {
    bounded(|watch| {
        watch.stage("publishers come and go in a process that starts others");
        let directory = Directory::new();
        adopt_and_abandon(&directory);
        let consumer = RawConsumer::open(directory.name("value"), true).unwrap();
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..200 {
                    assert!(Command::new("true").status().unwrap().success());
                }
                over.store(true, Ordering::Relaxed);
            });
            // between fork and exec a child has everything that this process has open
            while !over.load(Ordering::Relaxed) {
                adopt_and_abandon(&directory);
                assert!(!consumer.publisher_alive().unwrap());
            }
        });
    });
}
