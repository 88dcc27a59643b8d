//! Another process cuts a mapped file short, and this one touches what is gone: it gets `ERR_TRUNCATED` instead of its death by SIGBUS.
//!
//! The handler looks the address up among the ranges that pagecast mapped, puts private zeros from that page to the end of the range,
//! and lets the thread go on. So the last page of the range is gone for good, too, and that is how the library finds out: a segment
//! ends with a mark, which is looked at after every copy and before any value is handed out (see [`Segment::check`]).
//!
//! A fault anywhere else goes to whoever handled SIGBUS before: another handler is called, the default kills the process. The handler
//! is installed with the first mapping. A handler that somebody installs later comes first, and must pass on what is not its own.
//!
//! [`Segment::check`]: crate::segment::Segment::check

use super::range::Entry;
use crate::error::{Error, Result};
use crate::sys;
use std::cell::Cell;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LazyLock, Mutex, MutexGuard, OnceLock, PoisonError};

/// `off` in this environment variable switches the guard off before anything is mapped.
const VARIABLE: &str = "PAGECAST_FAULT_GUARD";

static ENABLED: LazyLock<AtomicBool> = LazyLock::new(|| AtomicBool::new(std::env::var_os(VARIABLE).is_none_or(|value| value != "off")));

/// Whether faults of the mappings of this process are caught. Default true, unless the environment says `PAGECAST_FAULT_GUARD=off`.
pub fn is_enabled() -> bool {
    ENABLED.load(Ordering::Relaxed)
}

/// Switches the guard on or off, for all mappings of the process, those that are there included. While it is off, every fault goes to
/// whoever handled SIGBUS before; a process that never switched it on has no handler of ours.
pub fn set_enabled(enabled: bool) -> Result<()> {
    let _changing = changing();
    ENABLED.store(enabled, Ordering::Relaxed);
    install()
}

/// Only while it is held does the table change. The handler does not ask for it.
static CHANGING: Mutex<()> = Mutex::new(());

thread_local! {
    /// From before to after a fork, so that a child never finds it held by a thread that it does not have.
    static DURING_FORK: Cell<Option<MutexGuard<'static, ()>>> = const { Cell::new(None) };
}

extern "C" fn before_fork() {
    let _ = DURING_FORK.try_with(|during| during.set(Some(changing())));
}

extern "C" fn after_fork() {
    let _ = DURING_FORK.try_with(Cell::take);
}

/// Once for the process. The caller is changing the table.
fn watch_forks() -> Result<()> {
    static WATCHED: AtomicBool = AtomicBool::new(false);
    if !WATCHED.load(Ordering::Relaxed) {
        sys::at_fork(before_fork, after_fork, after_fork)
            .map_err(|errno| Error::system("guard against truncation", "pthread_atfork", errno))?;
        WATCHED.store(true, Ordering::Relaxed);
    }
    Ok(())
}

fn changing() -> MutexGuard<'static, ()> {
    CHANGING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// So many ranges at first, and so many more each time they are used up.
const BLOCK: usize = 64;

/// A part of the table. Blocks are never freed, so that the handler can walk along them at any time.
#[derive(Default)]
struct Block {
    entries: Entries,
    next: OnceLock<Box<Block>>,
}

struct Entries([Entry; BLOCK]);

impl Default for Entries {
    fn default() -> Entries {
        Entries(std::array::from_fn(|_| Entry::default()))
    }
}

static TABLE: LazyLock<Block> = LazyLock::new(Block::default);

fn blocks() -> impl Iterator<Item = &'static Block> {
    std::iter::successors(Some(&*TABLE), |block| block.next.get().map(Box::as_ref))
}

fn entries() -> impl Iterator<Item = &'static Entry> {
    blocks().flat_map(|block| &block.entries.0)
}

fn free_entry() -> &'static Entry {
    if let Some(entry) = entries().find(|entry| entry.is_free()) {
        return entry;
    }
    let last = blocks().last().unwrap_or(&TABLE);
    &last.next.get_or_init(Box::default).entries.0[0]
}

/// A range whose faults are ours, until this is dropped: when nobody can touch the range any more, and before its addresses can
/// become somebody else's.
#[derive(Debug)]
pub(super) struct Guarded(&'static Entry);

/// Guards the pages of this range, which the caller mapped or is about to map.
pub(super) fn guard(address: usize, byte_length: usize) -> Result<Guarded> {
    let _changing = changing();
    watch_forks()?;
    install()?;
    let end = address + byte_length.next_multiple_of(sys::page_bytes());
    let entry = free_entry();
    entry.set(address as u64..end as u64);
    Ok(Guarded(entry))
}

impl Drop for Guarded {
    fn drop(&mut self) {
        let _changing = changing();
        self.0.set(0..0);
    }
}

/// Everything that the handler looks at is there before it is.
fn install() -> Result<()> {
    LazyLock::force(&TABLE);
    if !is_enabled() {
        return Ok(());
    }
    sys::on_bus_error(mend).map_err(|errno| Error::system("guard against truncation", "sigaction", errno))
}

/// Runs in the handler: loads of atomics and mmap(2), nothing that locks or allocates. False: not one of our ranges.
fn mend(address: usize) -> bool {
    let found = is_enabled().then(|| entries().find_map(|entry| entry.find(address as u64))).flatten();
    let Some(range) = found else { return false };
    let page = address - address % sys::page_bytes();
    let (Some(start), Some(length)) = (NonZeroUsize::new(page), NonZeroUsize::new(range.end as usize - page)) else { return false };
    // SAFETY: the range is a mapping of ours, and stays one while the thread that faulted in it is here; its bytes may change at any time.
    unsafe { sys::map_zeros_over(start, length) }.is_ok()
}
