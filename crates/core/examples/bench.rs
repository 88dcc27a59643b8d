//! What the operations of the core cost, beside a plain copy of as many bytes in the same loop: prints JSON lines.
//!
//! ```sh
//! cargo run --release --example bench -- [rustRead|rustOptimisticRead|rustWrite] [--quick]
//! ```
//!
//! `npm run bench` runs it together with the benches in TypeScript.

use pagecast::publication::Shape;
use pagecast::{CreateOptions, Name, RawConsumer, RawPublisher};
use std::hint::black_box;
use std::time::{Duration, Instant};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;
type Bench = fn(&Rounds) -> Result<()>;

const SIZES: [usize; 4] = [64, 1024, 65_536, 1_048_576];
const WARM_UP: Duration = Duration::from_millis(100);

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let is_quick = arguments.iter().any(|argument| argument == "--quick");
    let only = arguments.iter().find(|argument| !argument.starts_with("--"));
    let rounds = if is_quick { Rounds { count: 61, length: 3e5 } } else { Rounds { count: 401, length: 5e5 } };
    let benches: [(&str, Bench); 3] = [("rustRead", reads), ("rustOptimisticRead", optimistic_reads), ("rustWrite", writes)];
    for (name, bench) in benches {
        if only.is_none_or(|only| only == name) {
            bench(&rounds)?;
        }
    }
    Ok(())
}

/// Lock, copy, unlock.
fn reads(rounds: &Rounds) -> Result<()> {
    for buffers in [1, 4] {
        for byte_length in SIZES {
            let (_publisher, mut consumers) = scene(byte_length, buffers, 1)?;
            let (consumer, mut target) = (&mut consumers[0], vec![0; byte_length]);
            let read = || {
                let held = consumer.try_lock(false).is_ok_and(|outcome| outcome.is_ok());
                let copied = consumer.get(0, black_box(&mut target)).is_ok();
                consumer.unlock();
                assert!(held && copied, "a read failed");
            };
            rounds.print(&Row { bench: "rustRead", byte_length, buffers, consumers: 1 }, read, 1);
        }
    }
    Ok(())
}

fn optimistic_reads(rounds: &Rounds) -> Result<()> {
    for byte_length in SIZES {
        let (_publisher, consumers) = scene(byte_length, 4, 1)?;
        let mut target = vec![0; byte_length];
        let read = || assert!(matches!(consumers[0].copy(black_box(&mut target), false), Ok(Ok(_))), "a read failed");
        rounds.print(&Row { bench: "rustOptimisticRead", byte_length, buffers: 4, consumers: 1 }, read, 1);
    }
    Ok(())
}

fn writes(rounds: &Rounds) -> Result<()> {
    let shapes = SIZES.map(|byte_length| (byte_length, 4, 1)).into_iter();
    for (byte_length, buffers, consumers) in shapes.chain([(64, 4, 4), (64, 4, 16), (64, 4, 64), (64, 1, 1)]) {
        let (mut publisher, _consumers) = scene(byte_length, buffers, consumers)?;
        let value = vec![7; byte_length];
        let write = || assert!(publisher.write(black_box(&value), None).is_ok(), "a write failed");
        rounds.print(&Row { bench: "rustWrite", byte_length, buffers, consumers }, write, buffers as usize);
    }
    // What every write pays for its stamp, whatever this library does.
    let (clock, _) = rounds.medians(|| assert!(black_box(pagecast::monotonic_ns()) > 0), || {});
    println!("{{\"bench\":\"rustClock\",\"ns\":{clock:.2}}}");
    Ok(())
}

fn scene(byte_length: usize, buffers: u32, consumers: u32) -> Result<(RawPublisher, Vec<RawConsumer>)> {
    let name = Name::new(&format!("bench-rust-{}", std::process::id()), None)?;
    let shape = Shape { capacity: byte_length as u64, buffers: Some(buffers), max_consumers: Some(consumers) };
    let init = vec![7; byte_length];
    let publisher = RawPublisher::create(&name, None, &CreateOptions { shape, init: Some(&init), ..CreateOptions::default() })?;
    let consumers = (0..consumers).map(|_| RawConsumer::open(&name, false)).collect::<pagecast::Result<_>>()?;
    Ok((publisher, consumers))
}

struct Row {
    bench: &'static str,
    byte_length: usize,
    buffers: u32,
    consumers: u32,
}

struct Rounds {
    count: usize,
    /// Nanoseconds.
    length: f64,
}

impl Rounds {
    /// Measures an operation beside plain copies to `targets` places in turn.
    fn print(&self, row: &Row, operation: impl FnMut(), targets: usize) {
        let Row { bench, byte_length, buffers, consumers } = row;
        let source = vec![7_u8; *byte_length];
        let mut places = vec![vec![0_u8; *byte_length]; targets];
        let mut turn = 0;
        let plain = || {
            turn = if turn + 1 < targets { turn + 1 } else { 0 };
            black_box(&mut places[turn]).copy_from_slice(black_box(&source));
        };
        let (ns, plain) = self.medians(operation, plain);
        println!(
            "{{\"bench\":\"{bench}\",\"bytes\":{byte_length},\"buffers\":{buffers},\"consumers\":{consumers},\"ns\":{ns:.2},\"plainCopyNs\":{plain:.2}}}"
        );
    }

    /// Medians of short rounds that take turns, so that whatever else the machine does falls on both alike.
    fn medians(&self, mut first: impl FnMut(), mut second: impl FnMut()) -> (f64, f64) {
        let counts = (self.calibrate(&mut first), self.calibrate(&mut second));
        let rounds: Vec<_> = (0..self.count).map(|_| (time(&mut first, counts.0), time(&mut second, counts.1))).collect();
        (median(rounds.iter().map(|round| round.0)), median(rounds.iter().map(|round| round.1)))
    }

    fn calibrate(&self, operation: &mut impl FnMut()) -> u32 {
        let start = Instant::now();
        let mut calls = 0_u32;
        while start.elapsed() < WARM_UP {
            (0..16).for_each(|_| operation());
            calls += 16;
        }
        let each = start.elapsed().as_nanos() as f64 / f64::from(calls);
        ((self.length / each) as u32).max(1)
    }
}

/// Nanoseconds for each of `count` calls.
fn time(operation: &mut impl FnMut(), count: u32) -> f64 {
    let start = Instant::now();
    (0..count).for_each(|_| operation());
    start.elapsed().as_nanos() as f64 / f64::from(count)
}

fn median(numbers: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = numbers.collect();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
