//! Shared pages in the place of pages that somebody else allocated.

use super::fault_guard::{self, Guarded};
use super::mapping::map_error;
use crate::error::{Code, Error, Result};
use crate::sys;
use std::num::NonZeroUsize;
use std::os::fd::OwnedFd;

/// An object mapped over pages that the JavaScript engine owns. Dropped, private zeros take its place.
#[derive(Debug)]
pub struct Covering {
    start: NonZeroUsize,
    byte_length: NonZeroUsize,
    /// Given up after the zeros are there: until then a job of the engine's thread pool may still read what was shared.
    _guarded: Guarded,
}

impl Covering {
    /// Maps the first `byte_length` bytes of the object over the pages at `address`.
    ///
    /// # Safety
    /// The range must be whole pages of an engine-owned memory that nobody else remaps, and it must stay reserved by the engine
    /// until this is dropped.
    pub unsafe fn new(address: usize, byte_length: usize, fd: &OwnedFd, read_only: bool) -> Result<Covering> {
        let (start, length) = engine_range(address, byte_length)?;
        let covering = Covering { start, byte_length: length, _guarded: fault_guard::guard(address, byte_length)? };
        // SAFETY: the caller's promise.
        unsafe { sys::map_over(start, length, fd, read_only) }
            .map_err(|errno| map_error(byte_length as u64, " over the engine's pages", errno))?;
        Ok(covering)
    }
}

impl Drop for Covering {
    fn drop(&mut self) {
        // SAFETY: the promise made to `new`. Where the system refuses, the object stays mapped until the engine gives its memory back.
        let _ = unsafe { sys::map_zeros_over(self.start, self.byte_length) };
    }
}

fn engine_range(address: usize, byte_length: usize) -> Result<(NonZeroUsize, NonZeroUsize)> {
    let page = sys::page_bytes();
    match (NonZeroUsize::new(address), NonZeroUsize::new(byte_length)) {
        (Some(start), Some(length)) if address.is_multiple_of(page) && byte_length.is_multiple_of(page) => Ok((start, length)),
        _ => Err(Error::new(Code::InvalidArgument, format!("{byte_length} bytes at {address:#x} are not whole pages"))),
    }
}
