//! Counts a number in a file up, in turns with whoever else does: under the mutex at the file's byte 0, or without it.
//!
//! ```text
//! counter FILE SEAT [unlocked]
//! ```
//!
//! The number is at byte 64. Two may count, in the seats 0 and 1: each says with its byte, from 128 on, in which round it is, and begins when the other
//! one has said so, too. Each line that it hears is a round; it adds 10,000, and tells how often it found the mutex locked.
//! `__test__/children/counter.ts` is the same in TypeScript.

use pagecast::region::{MapOptions, Region, Source};
use pagecast::sync::Mutex;
use std::time::Duration;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const COUNTER: u64 = 64;
const SEATS: u64 = 128;
const TIMES: u32 = 10_000;
const PATIENCE: Duration = Duration::from_secs(60);

fn main() -> Result<()> {
    let arguments = std::env::args().skip(1).collect::<Vec<_>>();
    let (path, seat, locks) = match arguments.as_slice() {
        [path, seat] => (path, seat, true),
        [path, seat, how] if how == "unlocked" => (path, seat, false),
        _ => return Err("usage: counter FILE SEAT [unlocked]".into()),
    };
    let source = Source::File { path: path.into(), create: None };
    let region = Region::map(&MapOptions::new(source))?;
    let mut mutex = Mutex::open(&region, 0)?;
    let seat: u64 = seat.parse()?;
    println!(r#"{{"event":"ready"}}"#);
    for (_, round) in std::io::stdin().lines().zip(1..=u8::MAX) {
        region.write_at(SEATS + seat, &[round])?;
        while byte(&region, SEATS + 1 - seat)? != round {
            std::hint::spin_loop();
        }
        let mut contended = 0;
        for _ in 0..TIMES {
            if !locks {
                add_one(&region)?;
                continue;
            }
            if mutex.try_lock()?.is_none() {
                contended += 1;
            }
            let guard = mutex.lock(PATIENCE)?;
            add_one(&region)?;
            guard.release()?;
        }
        println!(r#"{{"event":"counted","contended":{contended}}}"#);
    }
    Ok(())
}

fn byte(region: &Region, byte_offset: u64) -> Result<u8> {
    let mut byte = [0];
    region.read_at(byte_offset, &mut byte)?;
    Ok(byte[0])
}

fn add_one(region: &Region) -> Result<()> {
    let mut number = [0; 4];
    region.read_at(COUNTER, &mut number)?;
    let next = u32::from_ne_bytes(number) + 1;
    Ok(region.write_at(COUNTER, &next.to_ne_bytes())?)
}
