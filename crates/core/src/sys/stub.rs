//! Systems whose calls are not written down yet: everything compiles, nothing can be created, opened or mapped (`ENOSYS`, [`Code::Unsupported`]).
//!
//! [`Code::Unsupported`]: crate::error::Code::Unsupported

use super::{ByteLock, Identity};
use nix::errno::Errno;
use nix::time::{ClockId, clock_gettime};
use std::num::NonZeroUsize;
use std::os::fd::{OwnedFd, RawFd};
use std::path::Path;
use std::ptr::NonNull;
use std::time::Duration;

type Sys<T> = nix::Result<T>;

pub(crate) const DEFAULT_DIRECTORY: &str = "/dev/shm";

/// `sysconf(_SC_PAGESIZE)`
pub(crate) fn page_size() -> u64 {
    let size = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE);
    size.ok().flatten().and_then(|size| u64::try_from(size).ok()).unwrap_or(4096)
}

pub(crate) fn create_unnamed(_: &Path, _: u32) -> Sys<OwnedFd> {
    Err(Errno::ENOSYS)
}

pub(crate) fn create_exclusive(_: &Path, _: u32) -> Sys<OwnedFd> {
    Err(Errno::ENOSYS)
}

pub(crate) fn open_named(_: &Path, _: bool) -> Sys<OwnedFd> {
    Err(Errno::ENOSYS)
}

pub(crate) fn reopen(_: &OwnedFd, _: bool) -> Sys<OwnedFd> {
    Err(Errno::ENOSYS)
}

pub(crate) fn give_name(_: &OwnedFd, _: &Path) -> Sys<()> {
    Err(Errno::ENOSYS)
}

pub(crate) fn link(_: &Path, _: &Path) -> Sys<()> {
    Err(Errno::ENOSYS)
}

pub(crate) fn rename(_: &Path, _: &Path) -> Sys<()> {
    Err(Errno::ENOSYS)
}

pub(crate) fn at_fork(_: extern "C" fn(), _: extern "C" fn(), _: extern "C" fn()) -> Sys<()> {
    Err(Errno::ENOSYS)
}

pub(crate) fn replace_by_nothing(_: &[RawFd]) {}

#[cfg(feature = "testing")]
pub(crate) fn fork_and_check(_: impl FnOnce() -> bool) -> Sys<bool> {
    Err(Errno::ENOSYS)
}

#[cfg(feature = "testing")]
pub(crate) fn fork_idle() -> Sys<i32> {
    Err(Errno::ENOSYS)
}

pub(crate) fn exchange(_: &Path, _: &Path) -> Sys<()> {
    Err(Errno::ENOSYS)
}

pub(crate) fn count_names(_: &OwnedFd) -> Sys<u64> {
    Err(Errno::ENOSYS)
}

pub(crate) fn is_own(_: &OwnedFd) -> Sys<bool> {
    Err(Errno::ENOSYS)
}

pub(crate) fn unlink(_: &Path) -> Sys<()> {
    Err(Errno::ENOSYS)
}

pub(crate) fn touch(_: &OwnedFd) -> Sys<()> {
    Err(Errno::ENOSYS)
}

pub(crate) fn address_space_limit() -> Option<u64> {
    None
}

pub(crate) fn describe(_: &OwnedFd) -> Sys<(Identity, u64)> {
    Err(Errno::ENOSYS)
}

pub(crate) fn identify_file(_: &Path) -> Sys<Identity> {
    Err(Errno::ENOSYS)
}

pub(crate) fn map(_: &OwnedFd, _: NonZeroUsize, _: bool) -> Sys<NonNull<u8>> {
    Err(Errno::ENOSYS)
}

/// # Safety
/// None is needed: it does nothing.
pub(crate) unsafe fn map_over(_: NonZeroUsize, _: NonZeroUsize, _: &OwnedFd, _: bool) -> Sys<()> {
    Err(Errno::ENOSYS)
}

/// # Safety
/// None is needed: it does nothing.
pub(crate) unsafe fn map_zeros_over(_: NonZeroUsize, _: NonZeroUsize) -> Sys<()> {
    Err(Errno::ENOSYS)
}

/// # Safety
/// None is needed: it does nothing.
pub(crate) unsafe fn unmap(_: NonNull<u8>, _: usize) {}

pub(crate) fn try_lock_byte(_: &OwnedFd, _: u64, _: bool) -> Sys<bool> {
    Err(Errno::ENOSYS)
}

pub(crate) fn unlock_byte(_: &OwnedFd, _: u64) -> Sys<()> {
    Err(Errno::ENOSYS)
}

pub(crate) fn set_mode(_: &OwnedFd, _: u32) -> Sys<()> {
    Err(Errno::ENOSYS)
}

pub(crate) fn unlock_all(_: &OwnedFd) -> Sys<()> {
    Err(Errno::ENOSYS)
}

pub(crate) fn query_bytes(_: &OwnedFd, _: u64, _: i64, _: bool) -> Sys<ByteLock> {
    Err(Errno::ENOSYS)
}

pub(crate) fn futex_wait(_: *const u32, _: u32, _: Duration) -> Sys<()> {
    Err(Errno::ENOSYS)
}

pub(crate) fn futex_wake_all(_: *const u32) {}

pub(crate) fn futex_wake_one(_: *const u32) {}

fn nanoseconds(clock: ClockId) -> u64 {
    let time = clock_gettime(clock).map(Duration::from).unwrap_or_default();
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// `clock_gettime(CLOCK_MONOTONIC)` in nanoseconds.
pub(crate) fn monotonic_ns() -> u64 {
    nanoseconds(ClockId::CLOCK_MONOTONIC)
}

/// `clock_gettime(CLOCK_REALTIME)` in nanoseconds since 1970.
pub(crate) fn realtime_ns() -> u64 {
    nanoseconds(ClockId::CLOCK_REALTIME)
}

pub(crate) fn random_bytes() -> Sys<[u8; 16]> {
    Err(Errno::ENOSYS)
}

/// # Safety
/// Both ranges must be mapped for the length given and must not overlap.
pub(crate) unsafe fn copy_opaque(from: *const u8, to: *mut u8, byte_length: usize) {
    // SAFETY: the caller's promise.
    unsafe { libc::memcpy(to.cast(), from.cast(), byte_length) };
}

pub(crate) struct DirectoryWatch;

impl DirectoryWatch {
    pub(crate) fn new(_: &Path) -> Sys<DirectoryWatch> {
        Err(Errno::ENOSYS)
    }

    pub(crate) fn wait(&self, _: Duration) -> Sys<()> {
        Err(Errno::ENOSYS)
    }
}

pub(crate) fn may_have_passed(_: super::Fault, _: usize) -> bool {
    false
}
