//! Waits for a pose, then prints each change of it, whoever publishes: the Rust example next to this one, or TypeScript.
//!
//! ```sh
//! cargo run --release --example consumer -- pose --count 10 --seconds 5
//! ```
//!
//! It ends after `--count` values (default: no limit), after `--seconds` (default 10), or when the publication closes.

use pagecast::{Code, Consumer, Text};
use std::error::Error;
use std::time::{Duration, Instant};

pagecast::record! {
    struct Pose {
        field1: i32,
        field2: f64,
        name: Text<16>,
        trail: [f64; 8],
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let name = arguments.first().ok_or("usage: consumer NAME [--count N] [--seconds S]")?;
    let count: u64 = option(&arguments, "--count", u64::MAX)?;
    let end = Instant::now() + Duration::try_from_secs_f64(option(&arguments, "--seconds", 10.0)?)?;

    let mut pose = Consumer::<Pose>::wait_and_open(name, Some(end.saturating_duration_since(Instant::now())))?;
    for _ in 0..count {
        match pose.wait_for_change(end.saturating_duration_since(Instant::now())) {
            Ok(Some(value)) => println!("{} {:.3} {} {:.3?}", value.field1, value.field2, value.name, value.trail),
            Ok(None) => break,
            Err(error) if error.code() == Code::Closed => break,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn option<T: std::str::FromStr>(arguments: &[String], name: &str, default: T) -> Result<T, Box<dyn Error>> {
    let Some(position) = arguments.iter().position(|argument| argument == name) else { return Ok(default) };
    let value = arguments.get(position + 1).and_then(|value| value.parse().ok());
    value.ok_or_else(|| format!("{name} needs a number").into())
}
