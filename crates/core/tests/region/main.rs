//! Mapped memory in one process: what can be mapped, where, and what can be done with it. Two processes are in `processes/regions.rs`.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failure here is a failed test")]

mod bytes;
#[path = "../common/mod.rs"]
#[allow(dead_code, reason = "shared with tests of publications")]
mod common;
mod handles;
#[cfg(target_os = "linux")]
mod huge_pages;
mod overlays;
mod pages;
mod places;
mod shared_memory;
mod sizes;
mod sources;
#[cfg(target_os = "linux")]
mod sysv;

use pagecast::region::{MapOptions, Region, Reservation, Source};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

/// Anonymous memory of so many bytes.
fn anonymous(byte_length: u64) -> Region {
    Region::map(&MapOptions { byte_length: Some(byte_length), ..MapOptions::default() }).unwrap()
}

/// An address with a megabyte where nothing is, another one each time, and in the middle of much room: the kernel begins at an edge when other
/// tests ask for addresses meanwhile, some of them for gigabytes.
fn free_address() -> u64 {
    static NEXT: LazyLock<AtomicU64> = LazyLock::new(|| AtomicU64::new(Reservation::new(1 << 38, None).unwrap().address() + (1 << 37)));
    NEXT.fetch_add(1 << 20, Ordering::Relaxed)
}

/// For whoever locks pages, one at a time: the limit is that of all threads together, and may be 64 KiB.
fn may_lock() -> MutexGuard<'static, ()> {
    static LOCKING: Mutex<()> = Mutex::new(());
    LOCKING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file, as the options say.
fn file(path: &std::path::Path) -> MapOptions {
    MapOptions::new(Source::File { path: path.to_path_buf(), create: None })
}

/// One byte of a region.
fn byte(region: &Region, byte_offset: u64) -> u8 {
    let mut byte = [0];
    region.read_at(byte_offset, &mut byte).unwrap();
    byte[0]
}

/// What the kernel has under this name of the mapping with an address (/proc/self/smaps).
fn smaps(address: u64, field: &str) -> Option<String> {
    let range = |line: &str| {
        let (start, end) = line.split(' ').next()?.split_once('-')?;
        Some(u64::from_str_radix(start, 16).ok()?..u64::from_str_radix(end, 16).ok()?)
    };
    let all = std::fs::read("/proc/self/smaps").unwrap();
    let all = String::from_utf8_lossy(&all);
    let here = all.lines().skip_while(|line| !range(line).is_some_and(|range| range.contains(&address))).skip(1);
    let value = here.take_while(|line| range(line).is_none()).find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    value.map(|value| value.trim().to_owned())
}
