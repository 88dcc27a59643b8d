//! A forked child has a part in every open file description of its parent, so it would keep the locks and connections of one that was killed.
//!
//! Therefore it puts other descriptions in the place of those, before anything else runs in it (pthread_atfork(3)). What it
//! inherits is not attached: it must open for itself what it wants to use. A child that goes on to exec has none of them anyway.

use crate::sys;
use std::cell::Cell;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

struct Locking {
    /// Descriptors that lock or connect.
    descriptors: Vec<RawFd>,
    /// Whether forks are noticed.
    watched: bool,
}

/// How often this process, or one that it descends from, was forked off since the first descriptor. Relaxed: it changes only where
/// there is one thread, and that one has changed it.
static GENERATION: AtomicU32 = AtomicU32::new(0);

/// Differs from what it was if this process has been forked off since.
#[inline]
pub(crate) fn generation() -> u32 {
    GENERATION.load(Ordering::Relaxed)
}

static LOCKING: Mutex<Locking> = Mutex::new(Locking { descriptors: Vec::new(), watched: false });

thread_local! {
    /// From before to after a fork, so that no descriptor comes or goes meanwhile.
    static DURING_FORK: Cell<Option<MutexGuard<'static, Locking>>> = const { Cell::new(None) };
}

fn locking() -> MutexGuard<'static, Locking> {
    LOCKING.lock().unwrap_or_else(PoisonError::into_inner)
}

extern "C" fn before_fork() {
    let _ = DURING_FORK.try_with(|during| during.set(Some(locking())));
}

extern "C" fn after_fork_in_parent() {
    let _ = DURING_FORK.try_with(Cell::take);
}

extern "C" fn after_fork_in_child() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
    if let Ok(Some(locking)) = DURING_FORK.try_with(Cell::take) {
        sys::replace_by_nothing(&locking.descriptors);
    }
}

/// Opens a descriptor that is not for a forked child.
pub(crate) fn open(open: impl FnOnce() -> nix::Result<OwnedFd>) -> nix::Result<OwnedFd> {
    let mut locking = locking();
    if !locking.watched {
        sys::at_fork(before_fork, after_fork_in_parent, after_fork_in_child)?;
        locking.watched = true;
    }
    let fd = open()?;
    locking.descriptors.push(fd.as_raw_fd());
    Ok(fd)
}

/// Before such a descriptor is closed.
pub(crate) fn forget(fd: &OwnedFd) {
    locking().descriptors.retain(|own| *own != fd.as_raw_fd());
}
