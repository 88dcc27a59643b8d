//! As fast as it goes, against another party that does the same. Every word of value number *n* is *n*, which is its version too.
//!
//! Overlaps are attempts that met the other side: refused because of it, or the state moved between begin and end.
//!
//! In a build for tests `PAGECAST_TEST_NO_EXCLUSION` and `PAGECAST_TEST_NO_RECHECK` in the environment switch off what keeps values
//! whole; then torn ones must be found.

use crate::command::{Answer, Command, FOREVER};
use crate::publisher::Publishing;
use pagecast::publication::{Blocked, Observation, Outcome, Pinned};
use pagecast::{RawConsumer, RawPublisher};
use std::ops::Range;
use std::time::{Duration, Instant};

const WORD: usize = size_of::<u64>();

fn end(command: &Command<'_>) -> Answer<Instant> {
    Ok(Instant::now() + Duration::try_from_secs_f64(command.word(0)?.parse()?)?)
}

pub fn publish(publisher: &mut Publishing, command: &Command<'_>) -> Answer {
    let Publishing::Bytes(publisher) = publisher else { return Err("a race is of bytes".into()) };
    let mut value = vec![0; publisher.layout().capacity as usize];
    let (first, mut overlaps) = (publisher.total_writes(), 0_u64);
    let end = end(command)?;
    while Instant::now() < end {
        overlaps += u64::from(!write(publisher, &mut value)?);
    }
    Ok(format!("writes={} overlaps={overlaps}", publisher.total_writes() - first))
}

/// Whether a buffer was free at once.
fn write(publisher: &mut RawPublisher, value: &mut [u8]) -> Answer<bool> {
    let number = publisher.total_writes() + 1;
    fill(value, number);
    let at_once = publisher.try_begin(false)?.is_some();
    if !at_once {
        publisher.begin(Some(FOREVER), false)?;
    }
    in_two(value.len(), |part| publisher.put(part.start as u64, &value[part]))?;
    publisher.commit(value.len())?;
    Ok(at_once)
}

/// By doubling: the C library's copy is fast in a debug build too, a loop over words is not.
fn fill(value: &mut [u8], word: u64) {
    value[..WORD].copy_from_slice(&word.to_le_bytes());
    let mut filled = WORD;
    while filled < value.len() {
        let more = filled.min(value.len() - filled);
        value.copy_within(..more, filled);
        filled += more;
    }
}

pub fn consume(consumer: &mut RawConsumer, command: &Command<'_>) -> Answer {
    let mut value = vec![0; consumer.layout().capacity as usize];
    let read = if command.has("copying") { copy } else { lock };
    let (mut check, mut overlaps) = (Check::default(), 0);
    let end = end(command)?;
    while Instant::now() < end {
        match read(consumer, &mut value, &mut overlaps)? {
            Ok(observation) => check.take(&value, &observation),
            Err(Blocked::Writing | Blocked::Empty) => {}
            Err(blocked) => return Err(blocked.error("race", consumer.publisher_pid()).into()),
        }
    }
    let Check { reads, torn, mislabelled, backwards, .. } = check;
    Ok(format!("reads={reads} torn={torn} mislabelled={mislabelled} backwards={backwards} overlaps={overlaps}"))
}

fn lock(consumer: &mut RawConsumer, value: &mut [u8], overlaps: &mut u64) -> pagecast::Result<Outcome<Observation>> {
    let mut outcome = consumer.try_lock(false)?;
    if let Err(blocked @ (Blocked::Writing | Blocked::Empty)) = outcome {
        *overlaps += u64::from(blocked == Blocked::Writing);
        outcome = consumer.lock_within(FOREVER, false)?;
    }
    let Ok(Pinned { observation, .. }) = outcome else { return Ok(outcome.map(|pinned| pinned.observation)) };
    let state = consumer.state();
    in_two(value.len(), |part| consumer.get(part.start as u64, &mut value[part]))?;
    *overlaps += u64::from(consumer.state() != state);
    consumer.unlock();
    Ok(Ok(observation))
}

/// Without a lock: the way past one, and all that a read-only consumer has.
fn copy(consumer: &mut RawConsumer, value: &mut [u8], overlaps: &mut u64) -> pagecast::Result<Outcome<Observation>> {
    let state = consumer.state();
    let outcome = consumer.copy(value, false)?;
    *overlaps += u64::from(consumer.state() != state || outcome == Err(Blocked::Writing));
    Ok(outcome)
}

/// Does the work in two halves: for 50 ms flat out, for 50 ms with a stop between them, so that both sides meet on one processor too.
fn in_two(byte_length: usize, mut work: impl FnMut(Range<usize>) -> pagecast::Result<()>) -> pagecast::Result<()> {
    work(0..byte_length / 2)?;
    if pagecast::monotonic_ns() % 100_000_000 < 50_000_000 {
        std::thread::sleep(Duration::from_micros(10));
    }
    work(byte_length / 2..byte_length)
}

#[derive(Default)]
struct Check {
    reads: u64,
    torn: u64,
    mislabelled: u64,
    backwards: u64,
    last: u64,
}

impl Check {
    fn take(&mut self, value: &[u8], observation: &Observation) {
        let whole = value[WORD..] == value[..value.len() - WORD];
        let word = value.iter().take(WORD).rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
        self.reads += 1;
        self.torn += u64::from(!whole);
        self.mislabelled += u64::from(whole && word != observation.version);
        self.backwards += u64::from(observation.version < self.last || word < self.last);
        self.last = observation.version;
    }
}
