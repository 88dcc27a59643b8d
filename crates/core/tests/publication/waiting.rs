//! Waiting for a name, for a value, for the lock, and for the other side to go on.

use crate::common::watchdog::bounded;
use crate::common::{Directory, FOREVER, WRITER_WAITS, code, publish_bytes, word};
use crate::poses::{Pose, buffers, consume, observe, pose, publish};
use pagecast::publication::State;
use pagecast::{Code, Consumer, Name, Publisher, RawConsumer};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const SHORT: Duration = Duration::from_millis(10);

fn wait_for(name: &Name, timeout: Option<Duration>) -> pagecast::Result<Consumer<Pose>> {
    Consumer::over(RawConsumer::wait_and_open(name, false, timeout)?)
}

#[test]
fn a_name_that_is_there_is_opened_at_once() {
    let directory = Directory::new();
    let name = directory.name("there");
    let _publisher = publish(&name, 2);
    assert_eq!(wait_for(&name, Some(Duration::ZERO)).unwrap().read().unwrap(), pose(1));
}

#[test]
fn a_name_that_comes_later_is_waited_for() {
    bounded(|watch| {
        watch.stage("waiting for a name");
        let directory = Directory::new();
        let name = directory.name("later");
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| wait_for(&name, None).unwrap().read().unwrap());
            std::thread::sleep(SHORT);
            let _other = publish(&directory.name("other"), 2);
            let _publisher = publish(&name, 2);
            assert_eq!(waiting.join().unwrap(), pose(1));
        });
    });
}

#[test]
fn a_name_that_never_comes_is_a_timeout() {
    let directory = Directory::new();
    assert_eq!(code(wait_for(&directory.name("never"), Some(SHORT))), Code::Timeout);
    let missing = Name::new("x", Some("/dev/shm/pagecast-test-no-such-directory".as_ref())).unwrap();
    assert_eq!(code(wait_for(&missing, Some(SHORT))), Code::NotFound);
}

#[test]
fn a_closed_publication_is_not_what_one_waits_for() {
    bounded(|watch| {
        watch.stage("waiting for the successor of a closed publication");
        let directory = Directory::new();
        let name = directory.name("kept");
        publish(&name, 2).close(true).unwrap();
        assert_eq!(code(wait_for(&name, Some(SHORT))), Code::Timeout);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| wait_for(&name, None).unwrap().raw().epoch());
            std::thread::sleep(SHORT);
            let _publisher = publish(&name, 2);
            assert_eq!(waiting.join().unwrap(), 2);
        });
    });
}

#[test]
fn a_change_is_waited_for() {
    bounded(|watch| {
        for (count, read_only) in [(1, false), (1, true), (3, false), (3, true)] {
            watch.stage(format!("waiting for changes, {count} buffers, read-only {read_only}"));
            let directory = Directory::new();
            let name = directory.name("changes");
            let mut publisher = publish(&name, count);
            let mut consumer = if read_only { observe::<Pose>(&name) } else { consume::<Pose>(&name) };
            // with one buffer each waits for the other, who may be kept from running in the middle
            publisher.set_timeout(Some(FOREVER));
            consumer.set_timeout(FOREVER);
            consumer.read().unwrap();
            std::thread::scope(|scope| {
                let waiting = scope.spawn(move || {
                    let mut last = 1;
                    while last < 50 {
                        let value = consumer.wait_for_change(FOREVER).unwrap().unwrap();
                        assert!(value.field1 > last && value == pose(value.field1));
                        last = value.field1;
                    }
                });
                for number in 2..=50 {
                    std::thread::sleep(Duration::from_micros(300));
                    publisher.write(&pose(number)).unwrap();
                }
                waiting.join().unwrap();
            });
        }
    });
}

#[test]
fn no_change_is_none_when_the_time_is_over() {
    let directory = Directory::new();
    let name = directory.name("quiet");
    let _publisher = publish(&name, 2);
    for mut consumer in [consume::<Pose>(&name), observe::<Pose>(&name)] {
        assert_eq!(consumer.wait_for_change(SHORT).unwrap(), Some(pose(1)), "the first value is news");
        assert_eq!(consumer.wait_for_change(SHORT).unwrap(), None);
        assert_eq!(consumer.wait_for_change(Duration::ZERO).unwrap(), None);
    }
}

#[test]
fn the_end_ends_a_wait() {
    bounded(|watch| {
        for read_only in [false, true] {
            watch.stage(format!("waiting for the end, read-only {read_only}"));
            let directory = Directory::new();
            let name = directory.name("end");
            let publisher = publish(&name, 3);
            let mut consumer = if read_only { observe::<Pose>(&name) } else { consume::<Pose>(&name) };
            consumer.read().unwrap();
            let waiting = std::thread::spawn(move || code(consumer.wait_for_change(FOREVER)));
            std::thread::sleep(SHORT);
            publisher.close(false).unwrap();
            assert_eq!(waiting.join().unwrap(), Code::Closed);
        }
    });
}

#[test]
fn the_first_value_of_a_lazy_publication_can_be_waited_for() {
    bounded(|watch| {
        watch.stage("waiting for the first value");
        let directory = Directory::new();
        let name = directory.name("lazy");
        let mut publisher = Publisher::create_with(&name, None, &buffers(1)).unwrap();
        let mut consumer = consume::<Pose>(&name);
        let mut locking = RawConsumer::open(&name, false).unwrap();
        let changing = std::thread::spawn(move || consumer.wait_for_change(FOREVER).unwrap());
        let locking = std::thread::spawn(move || locking.lock_within(FOREVER, false).unwrap().unwrap().observation.version);
        std::thread::sleep(SHORT);
        publisher.write(&pose(1)).unwrap();
        assert_eq!(changing.join().unwrap(), Some(pose(1)));
        assert_eq!(locking.join().unwrap(), 1);
    });
}

#[test]
fn a_reader_comes_in_between_the_writes_of_a_busy_publisher() {
    bounded(|watch| {
        watch.stage("readers against a publisher in a tight loop");
        let directory = Directory::new();
        let name = directory.name("fair");
        let mut publisher = publish_bytes(&name, &[0; 4096], 1);
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    publisher.write(&[1; 4096], Some(FOREVER)).unwrap();
                }
            });
            let mut consumer = RawConsumer::open(&name, false).unwrap();
            for _ in 0..500 {
                consumer.lock(FOREVER).unwrap();
                consumer.unlock();
            }
            over.store(true, Ordering::Relaxed);
        });
    });
}

#[test]
fn a_writer_comes_in_between_readers_that_never_leave_the_value_alone() {
    bounded(|watch| {
        watch.stage("a publisher against readers that take turns");
        let directory = Directory::new();
        let name = directory.name("fair");
        let mut publisher = publish_bytes(&name, &[0; 64], 1);
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut pair = [(); 2].map(|()| RawConsumer::open(&name, false).unwrap());
                pair[0].lock(FOREVER).unwrap();
                for turn in 0.. {
                    // one takes the lock before the other leaves it, unless a writer waits
                    if pair[(turn + 1) % 2].try_lock(false).unwrap().is_err() {
                        pair[turn % 2].unlock();
                        pair[(turn + 1) % 2].lock(FOREVER).unwrap();
                    }
                    pair[turn % 2].unlock();
                    if over.load(Ordering::Relaxed) {
                        break;
                    }
                }
            });
            for number in 0..500_u32 {
                watch.stage(format!("write {number} against readers that take turns"));
                publisher.write(&[number as u8; 64], Some(FOREVER)).unwrap();
            }
            over.store(true, Ordering::Relaxed);
        });
    });
}

#[test]
fn a_publisher_holds_back_for_whoever_waits_for_the_lock() {
    bounded(|watch| {
        watch.stage("a publisher in a tight loop, until it holds back");
        let directory = Directory::new();
        let name = directory.name("grace");
        let mut publisher = publish_bytes(&name, &[0; 64], 1);
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    publisher.write(&[1; 64], None).unwrap(); // nobody pins anything, so it never waits for a pin
                }
            });
            let holds_back = |consumer: &RawConsumer| {
                let state = consumer.state();
                let waits = word(consumer.segment(), consumer.layout(), WRITER_WAITS) & 1 != 0;
                waits && !state.has(State::WRITING) && consumer.state() == state
            };
            let noticed = || {
                let mut consumer = RawConsumer::open(&name, false).unwrap();
                consumer.ask_for_grace().unwrap();
                (0..10_000).any(|_| holds_back(&consumer))
            };
            while !noticed() {}
            over.store(true, Ordering::Relaxed);
        });
    });
}
