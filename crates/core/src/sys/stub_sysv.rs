//! Systems whose calls are not written down yet: see `stub.rs`. macOS has most of them, but attaches over nothing that is there, as the
//! engine's pages are (no `SHM_REMAP`).

use super::super::{Access, Identity, Place};
use super::{Limits, Request, Segment, Status};
use nix::errno::Errno;
use std::path::Path;

type Sys<T> = nix::Result<T>;

pub(crate) fn key_of(_: &Path, _: u8) -> Sys<i32> {
    Err(Errno::ENOSYS)
}

pub(crate) fn get(_: &Request) -> Sys<i32> {
    Err(Errno::ENOSYS)
}

pub(crate) fn stat(_: i32) -> Sys<Status> {
    Err(Errno::ENOSYS)
}

pub(crate) fn list() -> Sys<Vec<Status>> {
    Err(Errno::ENOSYS)
}

pub(crate) fn limits() -> Sys<Limits> {
    Err(Errno::ENOSYS)
}

pub(crate) fn remove(_: i32) -> Sys<()> {
    Err(Errno::ENOSYS)
}

pub(crate) fn set(_: i32, _: Option<u32>, _: Option<u32>, _: Option<u32>) -> Sys<()> {
    Err(Errno::ENOSYS)
}

pub(crate) fn set_locked(_: i32, _: bool) -> Sys<()> {
    Err(Errno::ENOSYS)
}

pub(crate) fn identity(_: i32) -> Option<Identity> {
    None
}

pub(crate) fn namespace() -> Sys<Identity> {
    Err(Errno::ENOSYS)
}

pub(crate) fn has_huge_pages(_: Segment) -> Sys<bool> {
    Err(Errno::ENOSYS)
}

/// # Safety
/// None is needed.
pub(crate) unsafe fn attach(_: Place, _: usize, _: Segment, _: usize, _: Access) -> Sys<usize> {
    Err(Errno::ENOSYS)
}
