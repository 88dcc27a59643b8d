//! A candidate waits for the publisher to go, and takes its place.

use crate::common::watchdog::{Watch, bounded};
use crate::common::{Directory, blocked, bytes, code, pin};
use crate::player::Player;
use crate::roles::SIZE;
use pagecast::publication::{Blocked, Standby};
use pagecast::roster::{Byte, LockFile};
use pagecast::wait::Patience;
use pagecast::{Code, CreateOptions, IfDead, RawConsumer, RawPublisher, Result};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

fn candidate(watch: &Watch, directory: &Directory, buffers: u32) -> Player {
    let mut player = Player::start(watch, "standby", &[directory.path().to_str().unwrap(), "value", &buffers.to_string()]);
    assert_eq!(player.hear(), "waiting");
    player
}

/// One that is the publisher already.
fn publisher(watch: &Watch, directory: &Directory) -> Player {
    let mut player = candidate(watch, directory, 3);
    assert_eq!((player.hear(), player.ask("write 1")), ("epoch 1".into(), "version 1".into()));
    player
}

fn stand_by<'a>(directory: &Directory, patience: impl Into<Patience<'a>>) -> Result<RawPublisher> {
    RawPublisher::standby(directory.name("value"), None, &bytes(SIZE as u64, 3), patience)
}

const SHORT: Duration = Duration::from_millis(30);

#[test]
fn whoever_is_killed_is_followed_and_consumers_stay() {
    bounded(|watch| {
        let directory = Directory::new();
        let mut first = publisher(watch, &directory);
        let mut consumer = RawConsumer::open(directory.name("value"), false).unwrap();
        let mut times = Vec::new();
        for epoch in 2..12 {
            watch.stage(format!("successor {epoch}"));
            let mut second = candidate(watch, &directory, 3);
            std::thread::sleep(SHORT);
            let killed = Instant::now();
            first.kill();
            assert_eq!(second.hear(), format!("epoch {epoch}"));
            times.push(killed.elapsed().as_micros());
            assert_eq!(pin(&mut consumer).observation.version, epoch - 1, "the value stays");
            consumer.unlock();
            assert_eq!(second.ask("write 2"), format!("version {epoch}"));
            assert_eq!(u64::from(consumer.epoch()), epoch);
            first = second;
        }
        println!("from the kill to the successor's word: {times:?} us");
    });
}

#[test]
fn whoever_closes_is_followed_under_the_same_name() {
    bounded(|watch| {
        watch.stage("the publisher closes");
        let directory = Directory::new();
        let mut first = publisher(watch, &directory);
        let mut consumer = RawConsumer::open(directory.name("value"), false).unwrap();
        let mut second = candidate(watch, &directory, 3);
        assert_eq!(first.ask("close"), "closed");
        assert_eq!(second.hear(), "epoch 1", "a new segment");
        assert_eq!(blocked(&mut consumer), Blocked::Closed);
        assert_eq!(second.ask("write 1"), "version 1");
        assert_eq!(RawConsumer::open(directory.name("value"), false).unwrap().publisher_pid(), second.pid());
    });
}

#[test]
fn one_that_wants_another_shape_replaces_what_is_left() {
    bounded(|watch| {
        watch.stage("another shape");
        let directory = Directory::new();
        let first = publisher(watch, &directory);
        let mut consumer = RawConsumer::open(directory.name("value"), false).unwrap();
        let mut second = candidate(watch, &directory, 5);
        first.kill();
        assert_eq!(second.hear(), "epoch 1");
        assert_eq!(blocked(&mut consumer), Blocked::Replaced);
        assert_eq!(RawConsumer::open(directory.name("value"), false).unwrap().layout().buffer_count, 5);
    });
}

#[test]
fn of_several_one_follows_and_the_others_go_on_waiting() {
    bounded(|watch| {
        let directory = Directory::new();
        let mut publisher = publisher(watch, &directory);
        let consumer = RawConsumer::open(directory.name("value"), false).unwrap();
        let mut candidates: Vec<_> = (0..3).map(|_| candidate(watch, &directory, 3)).collect();
        for epoch in 2..5 {
            watch.stage(format!("{} candidates", candidates.len()));
            let dead = publisher.pid();
            publisher.kill();
            // before it has said anything: whoever calls itself the publisher is one of them
            while consumer.publisher_pid() == dead || !consumer.publisher_alive().unwrap() {
                std::thread::yield_now();
            }
            let winner = candidates.iter().position(|candidate| candidate.pid() == consumer.publisher_pid()).unwrap();
            publisher = candidates.remove(winner);
            assert_eq!(publisher.hear(), format!("epoch {epoch}"));
        }
    });
}

#[test]
fn it_waits_for_whoever_has_the_name_not_for_the_segment_it_saw_first() {
    bounded(|watch| {
        watch.stage("replaced while it stood by");
        let directory = Directory::new();
        let name = directory.name("value");
        let first = RawPublisher::create(&name, None, &bytes(SIZE as u64, 3)).unwrap();
        let mut standby = Standby::new(&name);
        assert!(!standby.is_vacant());
        first.abandon();
        let options = CreateOptions { if_dead: IfDead::Replace, ..bytes(SIZE as u64, 3) };
        let mut second = RawPublisher::create(&name, None, &options).unwrap();
        assert!(!standby.is_vacant(), "the byte of the segment seen first is free, and nobody's business");
        assert_eq!(standby.publisher_pid(), Some(std::process::id()));
        second.close(false).unwrap();
        assert!(standby.is_vacant());
    });
}

#[test]
fn it_gives_up_when_its_patience_is_over() {
    bounded(|watch| {
        let directory = Directory::new();
        let first = publisher(watch, &directory);
        for timeout in [Duration::ZERO, SHORT] {
            watch.stage(format!("a timeout of {timeout:?}"));
            let error = stand_by(&directory, timeout).unwrap_err();
            assert_eq!(error.code(), Code::Timeout);
            assert!(error.message().ends_with(&format!("the publisher (pid {}) lives", first.pid())), "{error}");
        }
        watch.stage("cancelled");
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| code(stand_by(&directory, Patience { timeout: None, cancelled: Some(&stop) })));
            std::thread::sleep(SHORT);
            stop.store(true, Ordering::Relaxed);
            assert_eq!(waiting.join().unwrap(), Code::Aborted);
        });
        watch.stage("cancelled while it waits for a name");
        let patience = Patience { timeout: None, cancelled: Some(&stop) };
        assert_eq!(code(RawConsumer::wait_and_open(&directory.name("other"), false, patience)), Code::Aborted);
        let message = RawPublisher::create(directory.name("value"), None, &bytes(SIZE as u64, 3)).unwrap_err().to_string();
        assert!(message.contains(&format!("its publisher (pid {}) lives", first.pid())), "{message}");
    });
}

#[test]
fn where_nobody_publishes_it_does_at_once() {
    let directory = Directory::new();
    let mut first = stand_by(&directory, Duration::ZERO).unwrap();
    first.write(&[1; SIZE], None).unwrap();
    first.abandon();
    assert!(stand_by(&directory, Duration::ZERO).unwrap().adopted());
    let missing = pagecast::Name::new("x", Some("/dev/shm/pagecast-test-no-such-directory".as_ref())).unwrap();
    assert_eq!(code(RawPublisher::standby(&missing, None, &bytes(8, 2), None)), Code::NotFound);
}

#[test]
fn a_candidate_that_a_strangers_read_lock_keeps_out_goes_on_waiting() {
    bounded(|watch| {
        watch.stage("publisher gone, somebody else has a read lock on its byte");
        let directory = Directory::new();
        let first = stand_by(&directory, None).unwrap();
        let stranger = LockFile::reopen(first.segment().file(), true).unwrap();
        first.abandon();
        assert!(stranger.try_share(Byte::Publisher).unwrap());
        let create = || RawPublisher::create(directory.name("value"), None, &bytes(SIZE as u64, 3));
        assert_eq!(code(create()), Code::LockObstructed, "one that does not wait is told");
        let error = stand_by(&directory, SHORT).unwrap_err();
        assert_eq!(error.code(), Code::Timeout);
        assert!(error.message().ends_with("holds a read lock (fcntl) on the publisher's byte"), "{error}");
        let mut second = candidate(watch, &directory, 3);
        std::thread::sleep(SHORT);
        drop(stranger);
        assert_eq!(second.hear(), "epoch 2");
    });
}
