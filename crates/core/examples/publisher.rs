//! Publishes a pose that changes, for Rust and TypeScript consumers of the same name.
//!
//! ```sh
//! cargo run --release --example publisher -- pose --count 1000 --seconds 5
//! ```
//!
//! It publishes `--count` values (default 100) spread over `--seconds` (default 10), then closes the publication.

use pagecast::{Publisher, Text};
use std::error::Error;
use std::time::{Duration, Instant};

pagecast::record! {
    #[derive(Default)]
    struct Pose {
        field1: i32,
        field2: f64,
        name: Text<16>,
        trail: [f64; 8],
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let name = arguments.first().ok_or("usage: publisher NAME [--count N] [--seconds S]")?;
    let count: u32 = option(&arguments, "--count", 100)?;
    let seconds: f64 = option(&arguments, "--seconds", 10.0)?;

    let mut pose = Publisher::create(name, &Pose { name: Text::try_from("rust")?, ..Pose::default() })?;
    let pause = Duration::try_from_secs_f64(seconds / f64::from(count.max(1)))?;
    let mut next = Instant::now();
    for step in 1..=count {
        next += pause;
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
        pose.update(|value| value.advance(step))?;
    }
    println!("published {} values of {name}", pose.total_writes());
    Ok(())
}

impl Pose {
    fn advance(&mut self, step: u32) {
        self.field1 = i32::try_from(step).unwrap_or(i32::MAX);
        self.field2 = (f64::from(step) / 20.0).sin();
        self.trail.rotate_right(1);
        self.trail[0] = self.field2;
    }
}

fn option<T: std::str::FromStr>(arguments: &[String], name: &str, default: T) -> Result<T, Box<dyn Error>> {
    let Some(position) = arguments.iter().position(|argument| argument == name) else { return Ok(default) };
    let value = arguments.get(position + 1).and_then(|value| value.parse().ok());
    value.ok_or_else(|| format!("{name} needs a number").into())
}
