//! Publisher and consumer flat out in processes of their own: no torn value, none older than the one before.
//!
//! With the feature `testing` each test has its negative control: the same with exclusion switched off must find torn values.

use crate::common::Directory;
use crate::common::watchdog::{Watch, bounded};
use crate::player::Player;
use std::sync::{Mutex, PoisonError};

/// So many attempts must have met the other side before a test means anything.
const ENOUGH: u64 = 10_000;

/// One contention at a time: side by side they would take the processors from each other.
static ALONE: Mutex<()> = Mutex::new(());

#[derive(Debug, Default)]
struct Total {
    reads: u64,
    torn: u64,
    mislabelled: u64,
    backwards: u64,
    contended: u64,
}

impl Total {
    fn add(&mut self, line: &str) {
        let counts: serde_json::Value = serde_json::from_str(line).unwrap();
        let count = |name: &str| counts[name].as_u64().unwrap();
        self.reads += count("reads");
        self.torn += count("torn");
        self.mislabelled += count("mislabelled");
        self.backwards += count("backwards");
        self.contended += count("contended");
    }
}

type Start = fn(&Watch, &str, &[&str]) -> Player;

/// How the consumer reads: under a pin, or by copying without one.
const WAYS: [&[&str]; 2] = [&[], &["--copy"]];

/// One publisher and one consumer for so many seconds. Adds what the consumer found to the total.
fn contend(watch: &Watch, start: Start, [size, buffers, seconds]: [&str; 3], way: &[&str], total: &mut Total) {
    let directory = Directory::new();
    let path = directory.path().to_str().unwrap();
    let run =
        |role, way: &[&str]| start(watch, "contender", &[&[role, "value", size, buffers, seconds, "--directory", path], way].concat());
    let mut publisher = run("publisher", &[]);
    let mut consumer = run("consumer", way);
    total.add(&consumer.hear());
    publisher.hear();
}

/// Rounds of two seconds until the consumer has met the publisher often enough.
fn exclusion_holds(size: &'static str, buffers: &'static str) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    bounded(move |watch| {
        for way in WAYS {
            let mut total = Total::default();
            while total.contended < ENOUGH {
                watch.stage(format!("{size} bytes, {buffers} buffers {way:?}: {total:?}"));
                contend(watch, Player::start, [size, buffers, "2"], way, &mut total);
                assert_eq!((total.torn, total.mislabelled, total.backwards), (0, 0, 0), "{total:?}");
            }
            println!("{size} bytes, {buffers} buffers {way:?}: {total:?}");
        }
    });
}

/// Rounds of one second until torn values are found.
#[cfg(feature = "testing")]
fn without_exclusion_values_are_torn(size: &'static str, buffers: &'static str) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    bounded(move |watch| {
        for way in WAYS {
            let mut total = Total::default();
            while total.torn == 0 {
                watch.stage(format!("{size} bytes, {buffers} buffers {way:?}, no exclusion: {total:?}"));
                contend(watch, Player::start_without_exclusion, [size, buffers, "1"], way, &mut total);
            }
            println!("{size} bytes, {buffers} buffers {way:?}, no exclusion: {total:?}");
        }
    });
}

macro_rules! contention {
    ($($name:ident: $size:literal bytes, $buffers:literal buffers;)+) => { $(
        mod $name {
            #[test]
            fn holds() {
                super::exclusion_holds($size, $buffers);
            }

            #[test]
            #[cfg(feature = "testing")]
            fn is_what_prevents_torn_values() {
                super::without_exclusion_values_are_torn($size, $buffers);
            }
        }
    )+ };
}

contention! {
    exclusion_of_64_bytes_in_1_buffer: "64" bytes, "1" buffers;
    exclusion_of_64_bytes_in_3_buffers: "64" bytes, "3" buffers;
    exclusion_of_64_kib_in_1_buffer: "65536" bytes, "1" buffers;
    exclusion_of_64_kib_in_3_buffers: "65536" bytes, "3" buffers;
}
