//! One side of a contention test: publishes, or reads, as fast as it can, and prints one line of JSON.
//!
//! ```text
//! contender publisher NAME BYTE_LENGTH BUFFERS SECONDS [--directory DIRECTORY]
//! contender consumer  NAME BYTE_LENGTH BUFFERS SECONDS [--directory DIRECTORY] [--copy]
//! ```
//!
//! The publication holds bytes without a schema. A value is `BYTE_LENGTH / 8` little-endian `u64` words (so `BYTE_LENGTH` is a
//! multiple of 8), and every word of write number *n* is *n*. The publisher creates it empty, so that *n* is the version too.
//! It closes the publication after `SECONDS`. A consumer waits for the name, ignores `BUFFERS`, and ends after `SECONDS` or with
//! the publication, whichever comes first. It pins each value; with `--copy` it is a read-only consumer that copies without a pin.
//!
//! A publisher prints `{"writes":…,"contended":…}`, a consumer `{"reads":…,"torn":…,"mislabelled":…,"backwards":…,"contended":…}`:
//!
//! - `torn`: values whose words differ from each other;
//! - `mislabelled`: whole values that are not the version their header tells;
//! - `backwards`: values older than the one read before;
//! - `contended`: attempts that met the other side: refused because of it, or the state moved between begin and end.
//!
//! Every fourth write and every fourth pinned read gives up its processor in the middle, so that both sides meet on one processor too.
//!
//! Built with `--features testing` and run with `PAGECAST_TEST_NO_EXCLUSION=1` in the environment, both sides ignore each other,
//! and torn values must be found: the negative control.

use pagecast::publication::{Blocked, Observation, Outcome, Pinned, Shape};
use pagecast::{CreateOptions, Name, RawConsumer, RawPublisher};
use std::ops::Range;
use std::path::PathBuf;
use std::time::{Duration, Instant};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Longer than anybody could hold a lock: to run into it is a failure of the test.
const PATIENCE: Duration = Duration::from_secs(30);

const WORD: usize = size_of::<u64>();

const USAGE: &str = "usage: contender publisher|consumer NAME BYTE_LENGTH BUFFERS SECONDS [--directory DIRECTORY] [--copy]";

fn main() -> Result<()> {
    println!("{}", run(std::env::args().skip(1))?);
    Ok(())
}

/// Plays the role that the arguments give, and returns the line of JSON.
pub fn run(arguments: impl Iterator<Item = String>) -> Result<String> {
    let arguments = Arguments::parse(arguments.collect()).ok_or(USAGE)?;
    let name = Name::new(&arguments.name, arguments.directory.as_deref())?;
    match arguments.role.as_str() {
        "publisher" => publish(&name, &arguments),
        "consumer" => consume(&name, &arguments),
        _ => Err(USAGE.into()),
    }
}

struct Arguments {
    role: String,
    name: String,
    byte_length: usize,
    buffers: u32,
    time: Duration,
    directory: Option<PathBuf>,
    copy: bool,
}

impl Arguments {
    fn parse(mut given: Vec<String>) -> Option<Arguments> {
        let copy = given.iter().position(|argument| argument == "--copy").map(|at| given.remove(at)).is_some();
        let directory = given.iter().position(|argument| argument == "--directory");
        let directory = directory.and_then(|at| given.drain(at..(at + 2).min(given.len())).nth(1)).map(PathBuf::from);
        let [role, name, byte_length, buffers, seconds] = <[String; 5]>::try_from(given).ok()?;
        let byte_length = byte_length.parse().ok().filter(|length: &usize| *length > 0 && length.is_multiple_of(WORD))?;
        let (buffers, time) = (buffers.parse().ok()?, Duration::try_from_secs_f64(seconds.parse().ok()?).ok()?);
        Some(Arguments { role, name, byte_length, buffers, time, directory, copy })
    }
}

fn publish(name: &Name, arguments: &Arguments) -> Result<String> {
    let shape = Shape { capacity: arguments.byte_length as u64, buffers: Some(arguments.buffers), max_consumers: None };
    let mut publisher = RawPublisher::create(name, None, &CreateOptions { shape, ..CreateOptions::default() })?;
    let mut value = vec![0; arguments.byte_length];
    let (mut writes, mut contended) = (0_u64, 0_u64);
    let end = Instant::now() + arguments.time;
    while Instant::now() < end {
        fill(&mut value, writes + 1);
        if publisher.try_begin(false)?.is_none() {
            contended += 1;
            publisher.begin(Some(PATIENCE), false)?;
        }
        in_two(writes, value.len(), |part| publisher.put(part.start as u64, &value[part]))?;
        publisher.commit(value.len())?;
        writes += 1;
    }
    publisher.close(false)?;
    Ok(format!(r#"{{"writes":{writes},"contended":{contended}}}"#))
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

fn consume(name: &Name, arguments: &Arguments) -> Result<String> {
    let mut consumer = RawConsumer::wait_and_open(name, arguments.copy, Some(PATIENCE))?;
    let mut value = vec![0; arguments.byte_length];
    let (mut check, mut contended) = (Check::default(), 0);
    let end = Instant::now() + arguments.time;
    while Instant::now() < end {
        let read = if arguments.copy { copy } else { pin };
        match read(&mut consumer, &mut value, &mut contended)? {
            Ok(observation) => check.take(&value, &observation),
            Err(Blocked::Writing | Blocked::Empty) => {}
            Err(Blocked::Closed | Blocked::Replaced) => break,
            Err(blocked) => return Err(blocked.error("read", consumer.publisher_pid()).into()),
        }
    }
    Ok(check.report(contended))
}

fn pin(consumer: &mut RawConsumer, value: &mut [u8], contended: &mut u64) -> pagecast::Result<Outcome<Observation>> {
    let mut outcome = consumer.try_lock(false)?;
    if let Err(blocked @ (Blocked::Writing | Blocked::Empty)) = outcome {
        *contended += u64::from(blocked == Blocked::Writing);
        outcome = consumer.lock_within(PATIENCE, false)?;
    }
    let Ok(Pinned { observation, .. }) = outcome else { return Ok(outcome.map(|pinned| pinned.observation)) };
    let state = consumer.state();
    in_two(observation.version, value.len(), |part| consumer.get(part.start as u64, &mut value[part]))?;
    *contended += u64::from(consumer.state() != state);
    consumer.unlock();
    Ok(Ok(observation))
}

fn copy(consumer: &mut RawConsumer, value: &mut [u8], contended: &mut u64) -> pagecast::Result<Outcome<Observation>> {
    let state = consumer.state();
    let outcome = consumer.copy(value, false)?;
    *contended += u64::from(consumer.state() != state || outcome == Err(Blocked::Writing));
    Ok(outcome)
}

/// Does the work in two halves, and lets somebody else run between them every fourth time.
fn in_two(number: u64, byte_length: usize, mut work: impl FnMut(Range<usize>) -> pagecast::Result<()>) -> pagecast::Result<()> {
    work(0..byte_length / 2)?;
    if number.is_multiple_of(4) {
        std::thread::yield_now();
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

    fn report(&self, contended: u64) -> String {
        let Check { reads, torn, mislabelled, backwards, .. } = self;
        format!(r#"{{"reads":{reads},"torn":{torn},"mislabelled":{mislabelled},"backwards":{backwards},"contended":{contended}}}"#)
    }
}
