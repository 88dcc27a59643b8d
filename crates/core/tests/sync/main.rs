//! A robust mutex in one process: what it excludes, whom it tells, and what it refuses. Several processes are in `processes/mutexes.rs`.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failure here is a failed test")]

#[path = "../common/mod.rs"]
#[allow(dead_code, reason = "shared with tests of publications")]
mod common;
mod exclusion;
mod hostile;
mod opening;
mod recovery;

use pagecast::region::{MapOptions, Region};
use pagecast::sync::{Mutex, RawMutex};

/// Anonymous memory of 64 KiB.
fn anonymous() -> Region {
    Region::map(&MapOptions { byte_length: Some(65_536), ..MapOptions::default() }).unwrap()
}

fn mutex(region: &Region) -> Mutex {
    Mutex::open(region, 0).unwrap()
}

fn raw(region: &Region) -> RawMutex {
    RawMutex::open(region, 0).unwrap()
}

/// What the mutex's word says; see `docs/format.md`.
fn word(region: &Region) -> u32 {
    let mut word = [0; 4];
    region.read_at(0, &mut word).unwrap();
    u32::from_ne_bytes(word)
}
