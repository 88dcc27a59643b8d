//! One party of the hammer, as `hammer/party.mjs`, which says what it prints.
//!
//! ```text
//! hammer publisher|consumer|bystander DIRECTORY NAME BUFFERS CONSUMERS
//! ```
//!
//! A bystander shares nothing with anybody: how long it stands still is the machine's doing.

use pagecast::publication::{Blocked, Pinned, Shape};
use pagecast::{CreateOptions, Name, RawConsumer, RawPublisher};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const BYTE_LENGTH: usize = 1024;
const WORDS: usize = BYTE_LENGTH / 4;
const LAST: usize = WORDS - 1;

/// Longer than anybody can be in the way: to run into it is a failure.
const PATIENCE: Duration = Duration::from_secs(5);
const WORK: Duration = Duration::from_micros(300);
const PAUSE: Duration = Duration::from_micros(700);
const REPORT: Duration = Duration::from_millis(20);

const USAGE: &str = "usage: hammer publisher|consumer|bystander DIRECTORY NAME BUFFERS CONSUMERS";

fn main() -> Result<()> {
    let arguments = std::env::args().skip(1).collect::<Vec<_>>();
    let [role, directory, name, buffers, consumers] = arguments.as_slice() else {
        return Err(USAGE.into());
    };
    let name = Name::new(name, Some(Path::new(directory)))?;
    match role.as_str() {
        "publisher" => publish(&name, buffers.parse()?, consumers.parse()?),
        "consumer" => consume(&name),
        "bystander" => stand_by_and_do_nothing(),
        _ => Err(USAGE.into()),
    }
}

fn stand_by_and_do_nothing() -> Result<()> {
    say(r#"{"event":"ready"}"#)?;
    let mut at = Instant::now();
    in_turns(|counts| {
        counts.stalled(at.elapsed());
        at = Instant::now();
        Ok(())
    })
}

fn publish(name: &Name, buffers: u32, consumers: u32) -> Result<()> {
    let shape = Shape { capacity: BYTE_LENGTH as u64, buffers: Some(buffers), max_consumers: Some(consumers) };
    say(r#"{"event":"ready"}"#)?;
    let options = CreateOptions { shape, ..CreateOptions::default() };
    let mut publisher = RawPublisher::standby(name, None, &options, Duration::from_secs(3600))?;
    say(r#"{"event":"publishing"}"#)?;
    let mut value = [0; BYTE_LENGTH];
    in_turns(|counts| {
        fill(&mut value, u32::try_from(publisher.total_writes() + 1)?);
        let begun = Instant::now();
        publisher.begin(Some(PATIENCE), false)?;
        publisher.put(0, &value[..BYTE_LENGTH / 2])?;
        publisher.put(BYTE_LENGTH as u64 / 2, &value[BYTE_LENGTH / 2..])?;
        publisher.commit(BYTE_LENGTH)?;
        counts.stalled(begun.elapsed());
        Ok(())
    })
}

fn consume(name: &Name) -> Result<()> {
    let mut consumer = RawConsumer::wait_and_open(name, false, PATIENCE)?;
    say(r#"{"event":"ready"}"#)?;
    let mut value = [0; BYTE_LENGTH];
    let (mut number, mut at) = (0, Instant::now());
    in_turns(|counts| {
        let version = if counts.reads % 2 == 0 { copy(&consumer, &mut value)? } else { pinned(&mut consumer, &mut value)? };
        let found = word(&value, 0);
        counts.reads += 1;
        counts.stalled(at.elapsed()); // at each look: a newer value may never come
        if word(&value, LAST) != checksum(&value) || u64::from(found) != version {
            counts.torn += 1;
        } else if found < number {
            counts.backwards += 1;
        } else if found > number {
            (number, at) = (found, Instant::now());
        }
        Ok(())
    })
}

/// Also through the death of a publisher that left no whole value.
fn pinned(consumer: &mut RawConsumer, value: &mut [u8]) -> Result<u64> {
    let end = Instant::now() + PATIENCE;
    loop {
        match consumer.lock_within(Duration::from_millis(20), false)? {
            Ok(Pinned { observation, .. }) => {
                consumer.get(0, value)?;
                consumer.unlock();
                return Ok(observation.version);
            }
            Err(blocked) => keep_trying(blocked, consumer.publisher_pid(), end)?,
        }
    }
}

fn copy(consumer: &RawConsumer, value: &mut [u8]) -> Result<u64> {
    let end = Instant::now() + PATIENCE;
    loop {
        match consumer.copy_within(value, Duration::from_millis(20), false)? {
            Ok(observation) => return Ok(observation.version),
            Err(blocked) => keep_trying(blocked, consumer.publisher_pid(), end)?,
        }
    }
}

fn keep_trying(blocked: Blocked, publisher: u32, end: Instant) -> Result<()> {
    let goes_on = matches!(blocked, Blocked::Writing | Blocked::Empty | Blocked::Died);
    if goes_on && Instant::now() < end { Ok(()) } else { Err(blocked.error("read", publisher).into()) }
}

#[derive(Default)]
struct Counts {
    reads: u64,
    torn: u64,
    backwards: u64,
    stall: Duration,
}

impl Counts {
    fn stalled(&mut self, time: Duration) {
        self.stall = self.stall.max(time);
    }
}

fn in_turns(mut work: impl FnMut(&mut Counts) -> Result<()>) -> Result<()> {
    let (mut counts, mut reported) = (Counts::default(), Instant::now());
    loop {
        let begun = Instant::now();
        while begun.elapsed() < WORK {
            work(&mut counts)?;
        }
        // bad news is told at once: the next moment may be the last
        if counts.torn > 0 || counts.backwards > 0 || reported.elapsed() >= REPORT {
            let Counts { reads, torn, backwards, stall } = std::mem::take(&mut counts);
            let stall = stall.as_secs_f64() * 1e3;
            say(&format!(r#"{{"reads":{reads},"torn":{torn},"backwards":{backwards},"stallMs":{stall}}}"#))?;
            reported = Instant::now();
        }
        std::thread::sleep(PAUSE);
    }
}

fn say(line: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

fn word(value: &[u8], index: usize) -> u32 {
    u32::from_le_bytes(value[4 * index..4 * index + 4].try_into().unwrap_or_default())
}

fn set_word(value: &mut [u8], index: usize, word: u32) {
    value[4 * index..4 * index + 4].copy_from_slice(&word.to_le_bytes());
}

fn fill(value: &mut [u8], number: u32) {
    set_word(value, 0, number);
    for index in 1..LAST {
        set_word(value, index, number.wrapping_add(index as u32).wrapping_mul(0x9e37_79b1));
    }
    set_word(value, LAST, checksum(value));
}

/// FNV-1a by words, over all but the last.
fn checksum(value: &[u8]) -> u32 {
    (0..LAST).fold(0x811c_9dc5, |hash, index| (hash ^ word(value, index)).wrapping_mul(0x0100_0193))
}
