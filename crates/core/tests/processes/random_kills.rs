//! Processes that run flat out are killed wherever they happen to be.

use crate::common::watchdog::{Watch, bounded};
use crate::common::{Directory, FOREVER, bytes, code, objects_of, publish_bytes};
use crate::player::Player;
use crate::roles::SIZE;
use pagecast::publication::Blocked;
use pagecast::publication::clean;
use pagecast::{Code, RawConsumer, RawPublisher};
use std::time::Duration;

const ROUNDS: u64 = 40;

fn start(watch: &Watch, directory: &Directory, role: &str, rest: &str) -> Player {
    let mut player = Player::start(watch, role, &[directory.path().to_str().unwrap(), "value", rest]);
    assert_eq!(player.hear(), "ready");
    player
}

/// Somewhere in the first milliseconds, elsewhere in each round.
fn a_while(round: u64) -> Duration {
    Duration::from_micros(round * 7919 % 5000)
}

#[test]
fn publishers_come_and_die_and_consumers_see_whole_values_that_grow() {
    bounded(|watch| {
        for count in [1, 3] {
            let directory = Directory::new();
            let name = directory.name("value");
            publish_bytes(&name, &[0; SIZE], count).abandon();
            let mut consumer = RawConsumer::open(&name, false).unwrap();
            let (mut last, mut value) = (0, [0; SIZE]);
            for round in 0..ROUNDS {
                watch.stage(format!("publisher killed at random, {count} buffers, round {round}"));
                let publisher = start(watch, &directory, "flat-out-publisher", &count.to_string());
                let end = std::time::Instant::now() + a_while(round);
                let mut read = |consumer: &mut RawConsumer| {
                    let Ok(pinned) = consumer.lock_within(Duration::from_millis(1), false).unwrap() else { return };
                    consumer.get(0, &mut value).unwrap();
                    consumer.unlock();
                    let version = pinned.observation.version;
                    assert!(version >= last, "{version} after {last}");
                    assert_eq!(value, [(version - 1) as u8; SIZE], "version {version}");
                    last = version;
                };
                while std::time::Instant::now() < end {
                    read(&mut consumer);
                }
                publisher.kill();
                read(&mut consumer);
                let state = consumer.try_lock(false).unwrap().map(|_| ());
                assert!(state.is_ok() || (count == 1 && state == Err(Blocked::Died)), "{state:?}");
                consumer.unlock();
            }
            assert_eq!(u64::from(consumer.epoch()), ROUNDS + 1);
        }
    });
}

#[test]
fn consumers_come_and_die_and_the_publisher_goes_on() {
    bounded(|watch| {
        for count in [1, 2] {
            let directory = Directory::new();
            let mut publisher = publish_bytes(&directory.name("value"), &[0; SIZE], count);
            for round in 0..ROUNDS {
                watch.stage(format!("consumer killed at random, {count} buffers, round {round}"));
                let consumer = start(watch, &directory, "flat-out-consumer", "");
                let end = std::time::Instant::now() + a_while(round);
                while std::time::Instant::now() < end {
                    publisher.write(&[1; SIZE], Some(FOREVER)).unwrap();
                }
                consumer.kill();
                for _ in 0..3 {
                    publisher.write(&[2; SIZE], Some(FOREVER)).unwrap();
                }
                assert_eq!(publisher.holders(), [], "what was pinned was in the way and was taken back");
            }
        }
    });
}

#[test]
fn a_creator_killed_anywhere_leaves_a_whole_segment_or_none() {
    bounded(|watch| {
        let directory = Directory::new();
        let name = directory.name("value");
        for round in 0..ROUNDS {
            watch.stage(format!("creator killed at random, round {round}"));
            let creator = start(watch, &directory, "founder", "");
            std::thread::sleep(a_while(round));
            creator.kill();
            match RawConsumer::open(&name, false) {
                Ok(consumer) => assert!(!consumer.publisher_alive().unwrap()),
                Err(error) => assert_eq!(error.code(), Code::NotFound, "{error}"),
            }
            let mut publisher = RawPublisher::create(&name, None, &bytes(SIZE as u64, 2)).unwrap();
            publisher.write(&[1; SIZE], None).unwrap();
            let files = directory.files();
            assert!(files.iter().all(|file| file == "value" || file.starts_with(".pagecast-")), "{files:?}");
            let stands_beside = std::env::var_os("PAGECAST_TEST_FILES_BESIDE").is_some();
            assert_eq!(!objects_of(&name).is_empty(), stands_beside, "what is looked for below can be seen");
            drop(publisher);
        }
        clean(Some(directory.path())).unwrap();
        assert_eq!(directory.files(), [""; 0], "what a killed replacement left is swept");
        assert_eq!(objects_of(&name), [""; 0], "and the memory with it");
        assert_eq!(code(RawConsumer::open(&name, false)), Code::NotFound);
    });
}
