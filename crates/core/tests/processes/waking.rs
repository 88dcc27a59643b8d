//! Who sleeps in another process is woken: the sleeps here last an hour, so that nothing but a wake-up ends them.

use crate::common::watchdog::{Watch, bounded};
use crate::common::{Directory, FOREVER, WRITER_WAITS, bytes, pin, publish_bytes};
use crate::player::Player;
use crate::roles::SIZE;
use pagecast::publication::Layout;
use pagecast::segment::Segment;
use pagecast::{IfDead, Name, RawConsumer, RawPublisher};
use std::time::Duration;

/// Byte offset in the control line of the word that says that somebody sleeps.
pub const SLEEPERS: u64 = 4;

/// Waits until the other process says in the segment that it is about to sleep. From there on no wake-up may be lost.
pub fn until_asleep(segment: &Segment, layout: &Layout, word: u64) {
    while crate::common::word(segment, layout, word) & 1 == 0 {
        std::thread::yield_now();
    }
}

fn start(watch: &Watch, directory: &Directory, role: &str, rest: &str) -> Player {
    let mut player = Player::start(watch, role, &[directory.path().to_str().unwrap(), "value", rest]);
    player.hear();
    player
}

#[test]
fn a_sleeping_consumer_is_woken_by_everything_a_publisher_does() {
    type Deed = (&'static str, fn(RawPublisher, &Name) -> Option<RawPublisher>);
    let deeds: [Deed; 7] = [
        ("write", |mut publisher, _| publisher.write(&[2; SIZE], None).map(|()| Some(publisher)).unwrap()),
        ("commit", |mut publisher, _| {
            publisher.begin(None, true).unwrap();
            publisher.commit(SIZE).unwrap();
            Some(publisher)
        }),
        ("close", |mut publisher, _| publisher.close(false).map(|()| None).unwrap()),
        ("keep", |mut publisher, _| publisher.close(true).map(|()| None).unwrap()),
        ("drop", |publisher, _| {
            drop(publisher);
            None
        }),
        ("adopt", |publisher, name| {
            let count = publisher.layout().buffer_count;
            publisher.abandon();
            RawPublisher::create(name, None, &bytes(SIZE as u64, count)).map(Some).unwrap()
        }),
        ("replace", |publisher, name| {
            publisher.abandon();
            let options = pagecast::CreateOptions { if_dead: IfDead::Replace, ..bytes(SIZE as u64, 2) };
            RawPublisher::create(name, None, &options).map(Some).unwrap()
        }),
    ];
    bounded(move |watch| {
        for count in [1, 3] {
            for (deed, act) in deeds {
                watch.stage(format!("a consumer asleep, {count} buffers, until: {deed}"));
                let directory = Directory::new();
                let name = directory.name("value");
                let publisher = publish_bytes(&name, &[1; SIZE], count);
                let mut consumer = start(watch, &directory, "consumer", "read-write");
                consumer.say("sleep");
                until_asleep(publisher.segment(), publisher.layout(), SLEEPERS);
                let publisher = act(publisher, &name);
                assert_eq!(consumer.hear(), "changed", "{deed}");
                drop(publisher);
            }
        }
    });
}

#[test]
fn a_successor_wakes_whom_a_publisher_left_asleep_that_was_about_to_wake() {
    bounded(|watch| {
        watch.stage("a consumer asleep whose flag is down already");
        let directory = Directory::new();
        let name = directory.name("value");
        let first = publish_bytes(&name, &[1; SIZE], 3);
        let mut consumer = start(watch, &directory, "consumer", "read-write");
        consumer.say("sleep");
        until_asleep(first.segment(), first.layout(), SLEEPERS);
        std::thread::sleep(Duration::from_millis(50)); // most likely in the kernel by now; the answer is the same if not
        first.segment().mapping().copy_in(first.layout().control + SLEEPERS, &[0; 4]).unwrap();
        first.abandon();
        let _second = RawPublisher::create(&name, None, &bytes(SIZE as u64, 3)).unwrap();
        assert_eq!(consumer.hear(), "changed");
    });
}

#[test]
fn a_reader_that_waits_for_the_lock_sleeps_until_the_writer_lets_go() {
    type Deed = (&'static str, &'static [&'static str], fn(&mut RawPublisher));
    let deeds: [Deed; 4] = [
        ("commit", &["version 2"], |publisher| publisher.commit(SIZE).unwrap()),
        ("abort", &["version 1"], |publisher| publisher.abort().unwrap()),
        ("close", &["version 1", "ERR_CLOSED"], |publisher| publisher.close(false).unwrap()),
        ("cancel", &["version 1"], |publisher| publisher.cancel()),
    ];
    bounded(move |watch| {
        for (deed, expected, act) in deeds {
            for command in ["lock", "sleep"] {
                watch.stage(format!("a reader waits for the lock by {command}, until: {deed}"));
                let directory = Directory::new();
                let name = directory.name("value");
                let mut publisher = publish_bytes(&name, &[1; SIZE], 1);
                let mut holder = RawConsumer::open(&name, false).unwrap();
                if deed == "cancel" {
                    pin(&mut holder);
                    assert_eq!(publisher.try_begin(true).unwrap(), None);
                } else {
                    publisher.begin(None, true).unwrap();
                }
                let mut reader = start(watch, &directory, "consumer", "read-write");
                reader.say(command);
                until_asleep(publisher.segment(), publisher.layout(), SLEEPERS);
                act(&mut publisher);
                let answer = reader.hear();
                assert!(if command == "lock" { expected.contains(&answer.as_str()) } else { answer == "changed" }, "{deed}: {answer}");
            }
        }
    });
}

#[test]
fn a_writer_that_waits_for_a_reader_is_woken_by_every_way_out() {
    type Deed = (&'static str, fn(RawConsumer) -> Option<RawConsumer>);
    let deeds: [Deed; 2] = [
        ("unlock", |mut consumer| {
            consumer.unlock();
            Some(consumer)
        }),
        ("drop", |consumer| {
            drop(consumer);
            None
        }),
    ];
    bounded(move |watch| {
        for count in [1, 2] {
            for (deed, act) in deeds {
                watch.stage(format!("a writer asleep, {count} buffers, until the reader's {deed}"));
                let directory = Directory::new();
                let name = directory.name("value");
                let mut writer = start(watch, &directory, "publisher", &count.to_string());
                assert_eq!(writer.ask("write 1"), "version 1");
                let mut reader = RawConsumer::open(&name, false).unwrap();
                pin(&mut reader);
                for more in 1..count {
                    assert_eq!(writer.ask("write 2"), format!("version {}", more + 1));
                }
                writer.say("sleep");
                until_asleep(reader.segment(), reader.layout(), WRITER_WAITS);
                let mut value = [0; SIZE];
                reader.get(0, &mut value).unwrap();
                assert_eq!(value, [1; SIZE], "nothing is written while it is read");
                let reader = act(reader);
                assert_eq!(writer.hear(), "true", "{deed}");
                assert_eq!(writer.ask("commit 9"), format!("version {}", count + 1));
                drop(reader);
            }
        }
    });
}

#[test]
fn a_writer_in_the_usual_way_goes_on_when_the_reader_does() {
    bounded(|watch| {
        watch.stage("a writer waits for a reader");
        let directory = Directory::new();
        let mut writer = start(watch, &directory, "publisher", "1");
        writer.ask("write 1");
        let mut reader = RawConsumer::open(directory.name("value"), false).unwrap();
        for version in 2..50 {
            pin(&mut reader);
            writer.say(&format!("write {version}"));
            until_asleep(reader.segment(), reader.layout(), WRITER_WAITS);
            reader.unlock();
            assert_eq!(writer.hear(), format!("version {version}"));
        }
    });
}

#[test]
fn a_sleeping_observer_is_woken_though_it_may_write_nothing() {
    bounded(|watch| {
        watch.stage("an observer asleep");
        let directory = Directory::new();
        let mut publisher = publish_bytes(&directory.name("value"), &[1; SIZE], 3);
        let mut observer = start(watch, &directory, "consumer", "read-only");
        for _ in 0..5 {
            assert_eq!(observer.ask("sleep"), "deep");
            publisher.write(&[2; SIZE], None).unwrap();
            assert_eq!(observer.hear(), "changed");
        }
        assert_eq!(observer.ask("sleep"), "deep");
        publisher.close(false).unwrap();
        assert_eq!(observer.hear(), "changed");
    });
}

#[test]
fn two_that_wait_for_each_other_in_turn_never_miss_a_wake_up() {
    bounded(|watch| {
        watch.stage("ping-pong of locks");
        let directory = Directory::new();
        let mut publisher = publish_bytes(&directory.name("value"), &[1; SIZE], 1);
        let mut reader = start(watch, &directory, "consumer", "read-write");
        for version in 2..500 {
            watch.stage(format!("ping-pong of locks, version {version}"));
            publisher.begin(Some(FOREVER), true).unwrap();
            reader.say("lock"); // meets the write, or comes after it
            publisher.commit(SIZE).unwrap();
            reader.hear();
            reader.say("unlock"); // meets the next write, or comes before it
            publisher.write(&[3; SIZE], Some(FOREVER)).unwrap();
            reader.hear();
        }
    });
}
