//! Accesses to mapped pages that fail, and would end the process: they are mended, and the library tells of them.
//!
//! A page that another process cut off its file (SIGBUS): the handler looks the address up among the ranges that pagecast mapped, puts
//! private zeros from that page to the end of the range, and lets the thread go on. So the last page of the range is gone for good,
//! too, and that is how a publication finds out: a segment ends with a mark, which is looked at after every copy and before any value is
//! handed out (see [`Segment::check`]). A region, which has no mark, asks the guard of its own pages.
//!
//! A page that may not be used like that (SIGSEGV, `SEGV_ACCERR`; on macOS SIGBUS), in the ranges that JavaScript reaches: a private copy takes its place, so
//! that nobody else sees what is written, and the region's next call tells of it.
//!
//! A fault anywhere else goes to whoever handled the signal before: another handler is called, the default kills the process. The handlers
//! are installed with the first mapping that needs them. A handler that somebody installs later comes first, and must pass on what is
//! not its own.
//!
//! JavaScript's engine may take back pages of a region that nobody can reach any more before the region's own end is heard of. Such ranges
//! are verified: the handler looks in /proc/self/maps whether the file is mapped there still.
//!
//! [`Segment::check`]: crate::segment::Segment::check

use super::range::{Entry, Kind};
use crate::error::{Error, Result};
use crate::sys::{self, Access, Fault, Identity};
use std::cell::Cell;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::slice;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
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
    install(entries().any(|entry| entry.get().1.has(Kind::MENDS_ACCESS)))
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
        sys::at_fork(before_fork, after_fork, after_fork).map_err(|errno| Error::system("guard mapped pages", "pthread_atfork", errno))?;
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

/// What was mended in a range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mended {
    /// Pages that the file does not have any more. Zeros stand for them and for all that follow.
    pub missing: bool,
    /// A page that may not be used like that, by its byte offset in the range. A private copy stands for it, and for others perhaps.
    pub forbidden: Option<usize>,
}

/// Guards the pages of this range, which the caller mapped or is about to map.
pub(super) fn guard(address: usize, byte_length: usize) -> Result<Guarded> {
    guard_as(address, byte_length, Kind::default())
}

/// As [`guard`], for ranges of a kind.
pub(super) fn guard_as(address: usize, byte_length: usize, kind: Kind) -> Result<Guarded> {
    let _changing = changing();
    watch_forks()?;
    install(kind.has(Kind::MENDS_ACCESS))?;
    let range = whole_pages(address, byte_length);
    retire(&range);
    let entry = free_entry();
    entry.set(range, kind);
    Ok(Guarded(entry))
}

fn whole_pages(address: usize, byte_length: usize) -> Range<u64> {
    let end = address + byte_length.next_multiple_of(sys::page_bytes());
    address as u64..end as u64
}

impl Guarded {
    /// What was mended: of forbidden pages since this was last asked, of missing ones ever.
    pub(super) fn take_mended(&self) -> Mended {
        let (bits, address) = self.0.take_mended(note(Fault::Missing));
        let byte_offset = || usize::try_from(address.saturating_sub(self.0.get().0.start)).unwrap_or(0);
        Mended { missing: bits & note(Fault::Missing) != 0, forbidden: (bits & note(Fault::Forbidden) != 0).then(byte_offset) }
    }

    /// Says that pages of the range may not be read from now on.
    pub(super) fn mark_unreadable(&self) {
        let _changing = changing();
        self.0.add(Kind::UNREADABLE);
    }

    /// The range is as long as that from now on.
    pub(super) fn set_length(&self, byte_length: usize) {
        let _changing = changing();
        let (range, _) = self.0.get();
        self.0.set_end(whole_pages(range.start as usize, byte_length).end);
    }

    /// Nobody asks for this range any more, but somebody may still reach it. It is guarded as long as the file is mapped there, if that can be found out.
    pub(super) fn abandon(self) {
        if !self.0.get().1.has(Kind::VERIFIED) {
            return;
        }
        let _changing = changing();
        self.0.add(Kind::ORPHAN);
        sweep_orphans();
        std::mem::forget(self);
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        let _changing = changing();
        clear(self.0);
    }
}

/// The caller is changing the table.
fn clear(entry: &Entry) {
    entry.set(0..0, Kind::default());
    entry.take_mended(0);
}

fn orphans() -> impl Iterator<Item = &'static Entry> {
    entries().filter(|entry| entry.get().1.has(Kind::ORPHAN))
}

/// The range of an entry whose addresses somebody else has by now: no address lies in it, and it is taken.
const RETIRED: Range<u64> = 1..1;

/// Whoever maps something there now has the addresses from somebody who had them back. So whatever is known of them is out of date, also where
/// its guard has not heard of the end yet, as that of a region that was collected: two entries would answer for one address, and the
/// new range never hear of what the old one noted.
fn retire(range: &Range<u64>) {
    for entry in entries() {
        let (known, kind) = entry.get();
        if known.start >= range.end || range.start >= known.end {
            continue;
        }
        clear(entry);
        if !kind.has(Kind::ORPHAN) {
            entry.set(RETIRED, Kind::default()); // until its guard is dropped
        }
    }
}

/// So many orphans are left alone; then those whose pages are gone are cleared away.
static PATIENCE: AtomicUsize = AtomicUsize::new(BLOCK);

/// Looks at the whole address space, so it is done the more seldom the more of them are there for a reason.
fn sweep_orphans() {
    if orphans().count() < PATIENCE.load(Ordering::Relaxed) {
        return;
    }
    let mappings = sys::mappings();
    if !mappings.is_open() {
        return; // no /proc, or no descriptor: who is not found may be there
    }
    let mapped: Vec<_> = mappings.collect();
    for entry in orphans() {
        let (range, kind) = entry.get();
        let is_there = |part: &sys::Mapped| part.start < range.end && range.start < part.end && part.identity == identity(kind);
        if !mapped.iter().any(is_there) {
            clear(entry);
        }
    }
    PATIENCE.store(BLOCK.max(2 * orphans().count()), Ordering::Relaxed);
}

fn identity(kind: Kind) -> Identity {
    Identity { device: kind.device, inode: kind.inode }
}

/// Everything that a handler looks at is there before it is.
fn install(mends_access: bool) -> Result<()> {
    LazyLock::force(&TABLE);
    if !is_enabled() {
        return Ok(());
    }
    let faults = if mends_access { &[Fault::Missing, Fault::Forbidden][..] } else { &[Fault::Missing] };
    for fault in faults {
        sys::on_fault(*fault, mend).map_err(|errno| Error::system("guard mapped pages", "sigaction", errno))?;
    }
    Ok(())
}

fn note(fault: Fault) -> u64 {
    1 << fault as u64
}

/// Runs in a handler: loads of atomics and system calls, nothing that locks or allocates. False: not one of our ranges.
fn mend(fault: Fault, address: usize) -> bool {
    if !is_enabled() {
        return false;
    }
    // loops, and no iterators of iterators: the handler's stack may be a small one
    let mut rest = Some(&*TABLE);
    while let Some(block) = rest {
        for entry in &block.entries.0 {
            if let Some((range, kind)) = entry.find(address as u64)
                && (fault == Fault::Missing || kind.has(Kind::MENDS_ACCESS))
                && mend_entry(entry, &range, kind, fault, address)
            {
                return true;
            }
        }
        rest = block.next.get().map(Box::as_ref);
    }
    false
}

fn mend_entry(entry: &Entry, range: &Range<u64>, kind: Kind, fault: Fault, address: usize) -> bool {
    match look(kind, fault, address) {
        Look::Ours => {
            // before: whoever sees what stands for the page is to find this, too
            entry.note(note(fault), address as u64);
            mend_in(range, kind, fault, address)
        }
        Look::Mended => true,
        Look::Strange => false,
    }
}

/// What is at an address that a range has.
enum Look {
    Ours,
    /// Another thread is or was in the handler first, and has noted it: there is nothing left to do but to try the access again.
    Mended,
    /// The range is out of date.
    Strange,
}

/// Looks whether the file is mapped there that was.
fn look(kind: Kind, fault: Fault, address: usize) -> Look {
    if sys::may_have_passed(fault, address) {
        return Look::Mended;
    }
    if !kind.has(Kind::VERIFIED) {
        return Look::Ours;
    }
    let mappings = sys::mappings();
    if !mappings.is_open() {
        return Look::Ours; // no /proc
    }
    for part in mappings {
        if address as u64 >= part.start && (address as u64) < part.end {
            return match part {
                _ if part.identity == identity(kind) => Look::Ours,
                // what takes the place of pages that fault can be read and written, and faults no more
                _ if part.is_anonymous() && part.read_write => Look::Mended,
                _ => Look::Strange,
            };
        }
    }
    // Something was there when the access failed, so another thread is changing it: the kernel lets a reader of the list see the moment between
    // what was there and what takes its place. If nothing comes, the next fault is one of pages that nobody mapped, which is not asked about here.
    Look::Mended
}

fn mend_in(range: &Range<u64>, kind: Kind, fault: Fault, address: usize) -> bool {
    let page = address - address % sys::page_bytes();
    let (Some(start), Some(rest)) = (NonZeroUsize::new(page), NonZeroUsize::new(range.end as usize - page)) else { return false };
    // SAFETY: the range is a mapping of ours, and stays one while the thread that faulted in it is here; its bytes may change at any time.
    let mended = unsafe {
        match fault {
            Fault::Missing => sys::map_zeros_over(start, rest),
            Fault::Forbidden if kind.has(Kind::PRIVATE) => sys::protect(page, sys::page_bytes(), Access::ReadWrite),
            Fault::Forbidden if kind.has(Kind::UNREADABLE) => sys::replace_by_copy(page, sys::page_bytes(), &[]),
            Fault::Forbidden => sys::replace_by_copy(page, sys::page_bytes(), slice::from_ref(&(0..sys::page_bytes()))),
        }
    };
    mended.is_ok()
}
