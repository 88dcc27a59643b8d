//! Systems whose calls are not written down yet: see `stub.rs`.

use super::{Access, Advice, FileKind, Identity, Mapped, Place};
use nix::errno::Errno;
use std::ops::Range;
use std::os::fd::{BorrowedFd, OwnedFd, RawFd};
use std::path::Path;
use std::ptr::NonNull;

type Sys<T> = nix::Result<T>;

pub(crate) const ZEROS: &str = "/dev/zero";

pub(crate) fn open_file(_: &Path, _: bool) -> Sys<OwnedFd> {
    Err(Errno::ENOSYS)
}

pub(crate) fn create_file(_: &Path, _: u32) -> Sys<OwnedFd> {
    Err(Errno::ENOSYS)
}

pub(crate) fn create_memory(_: &str, _: bool) -> Sys<OwnedFd> {
    Err(Errno::ENOSYS)
}

pub(crate) fn seal_size(_: &OwnedFd) -> Sys<()> {
    Err(Errno::ENOSYS)
}

pub(crate) fn duplicate(_: RawFd) -> Sys<OwnedFd> {
    Err(Errno::ENOSYS)
}

pub(crate) fn is_writable(_: &OwnedFd) -> Sys<bool> {
    Err(Errno::ENOSYS)
}

pub(crate) fn cannot_shrink(_: &OwnedFd) -> bool {
    false
}

pub(crate) fn inspect(_: &OwnedFd) -> Sys<(Identity, FileKind)> {
    Err(Errno::ENOSYS)
}

pub(crate) fn born_at(_: &OwnedFd) -> Option<u64> {
    None
}

pub(crate) fn read_first(_: &OwnedFd, _: &mut [u8]) -> Sys<()> {
    Err(Errno::ENOSYS)
}

pub(crate) fn permissions(_: &OwnedFd) -> Sys<u32> {
    Err(Errno::ENOSYS)
}

pub(crate) fn extent(_: &OwnedFd) -> Sys<(u64, u64)> {
    Err(Errno::ENOSYS)
}

pub(crate) fn set_size(_: &OwnedFd, _: u64) -> Sys<()> {
    Err(Errno::ENOSYS)
}

pub(crate) fn reserve_part(_: &OwnedFd, _: u64, _: u64) -> Sys<()> {
    Err(Errno::ENOSYS)
}

pub(crate) fn punch_hole(_: &OwnedFd, _: u64, _: u64) -> Sys<()> {
    Err(Errno::ENOSYS)
}

pub(crate) fn filesystem(_: &OwnedFd) -> (bool, bool) {
    (false, false)
}

pub(crate) fn lock_limit() -> Option<u64> {
    None
}

pub(crate) fn descriptor_limit() -> Option<u64> {
    None
}

pub(crate) fn file_size_limit() -> Option<u64> {
    None
}

pub(crate) fn bytes_available_at(_: &OwnedFd) -> Sys<Option<u64>> {
    Err(Errno::ENOSYS)
}

pub(crate) fn memory_available() -> Option<u64> {
    None
}

/// # Safety
/// None is needed.
pub(crate) unsafe fn map_object(_: Place, _: usize, _: BorrowedFd<'_>, _: u64, _: Access, _: bool) -> Sys<NonNull<u8>> {
    Err(Errno::ENOSYS)
}

/// # Safety
/// None is needed.
pub(crate) unsafe fn map_nothing(_: Place, _: usize) -> Sys<NonNull<u8>> {
    Err(Errno::ENOSYS)
}

/// # Safety
/// None is needed.
pub(crate) unsafe fn unmap_pages(_: usize, _: usize) {}

/// # Safety
/// None is needed.
pub(crate) unsafe fn protect(_: usize, _: usize, _: Access) -> Sys<()> {
    Err(Errno::ENOSYS)
}

/// # Safety
/// None is needed.
pub(crate) unsafe fn advise(_: usize, _: usize, _: Advice) -> Sys<()> {
    Err(Errno::ENOSYS)
}

pub(crate) fn populate(_: usize, _: usize, _: bool) -> Sys<()> {
    Err(Errno::ENOSYS)
}

pub(crate) fn lock_pages(_: usize, _: usize) -> Sys<()> {
    Err(Errno::ENOSYS)
}

pub(crate) fn unlock_pages(_: usize, _: usize) -> Sys<()> {
    Err(Errno::ENOSYS)
}

pub(crate) fn flush(_: usize, _: usize, _: bool) -> Sys<()> {
    Err(Errno::ENOSYS)
}

pub(crate) fn residency(_: usize, _: &mut [u8]) -> Sys<()> {
    Err(Errno::ENOSYS)
}

/// # Safety
/// None is needed.
pub(crate) unsafe fn map_plain_zeros_over(_: usize, _: usize) -> Sys<()> {
    Err(Errno::ENOSYS)
}

/// # Safety
/// None is needed.
pub(crate) unsafe fn replace_by_copy(_: usize, _: usize, _: &[Range<usize>]) -> Sys<()> {
    Err(Errno::ENOSYS)
}

/// Nothing can be found out.
pub(crate) struct Mappings;

pub(crate) fn mappings() -> Mappings {
    Mappings
}

impl Mappings {
    pub(crate) fn is_open(&self) -> bool {
        false
    }
}

impl Iterator for Mappings {
    type Item = Mapped;

    fn next(&mut self) -> Option<Mapped> {
        None
    }
}
