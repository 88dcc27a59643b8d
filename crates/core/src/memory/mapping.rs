//! A mapping of a whole object, and copies in and out of it.
//!
//! No reference to mapped bytes is ever made: another process may change them at any time, so they are only copied,
//! through code that the compiler cannot assume anything about, or reached through atomics.

use super::fault_guard::{self, Guarded};
use crate::error::{Code, Error, Result, grouped};
use crate::{sys, testing};
use nix::errno::Errno;
use std::num::NonZeroUsize;
use std::os::fd::OwnedFd;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering, fence};

/// Below this a loop of volatile words beats the call into the C library.
const SMALL: usize = 128;

/// A shared mapping of a whole object, unmapped when dropped.
#[derive(Debug)]
pub struct Mapping {
    /// Dropped before the pages: their addresses may be somebody else's as soon as they are gone.
    _guarded: Guarded,
    pages: Pages,
    read_only: bool,
}

#[derive(Debug)]
struct Pages {
    address: NonNull<u8>,
    byte_length: usize,
}

// SAFETY: a mapping is a range of addresses that stays mapped until drop; what lies there is reached by copies and atomics only.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps the first `byte_length` bytes of the object.
    pub(crate) fn new(fd: &OwnedFd, byte_length: u64, read_only: bool) -> Result<Mapping> {
        let length = nonzero(byte_length)?;
        let address = sys::map(fd, length, read_only).map_err(|errno| map_error(byte_length, "", errno))?;
        let pages = Pages { address, byte_length: length.get() };
        let guarded = fault_guard::guard(address.as_ptr() as usize, pages.byte_length)?;
        Ok(Mapping { _guarded: guarded, pages, read_only })
    }

    /// Bytes mapped.
    pub fn byte_length(&self) -> usize {
        self.pages.byte_length
    }

    /// Whether the pages may only be read.
    pub fn read_only(&self) -> bool {
        self.read_only
    }

    /// A pointer to `T` at this offset, if it lies wholly inside and is aligned.
    pub(crate) fn pointer<T>(&self, byte_offset: u64) -> Option<NonNull<T>> {
        self.array(byte_offset, 1)
    }

    /// A pointer to the first of `count` consecutive `T`, if they lie wholly inside and are aligned.
    pub(crate) fn array<T>(&self, byte_offset: u64, count: usize) -> Option<NonNull<T>> {
        let length = count.checked_mul(size_of::<T>())?;
        let address = self.range(byte_offset, length)?.cast::<T>();
        address.is_aligned().then_some(address)
    }

    fn range(&self, byte_offset: u64, byte_length: usize) -> Option<NonNull<u8>> {
        let start = usize::try_from(byte_offset).ok()?;
        let end = start.checked_add(byte_length)?;
        if end > self.pages.byte_length {
            return None;
        }
        // SAFETY: start <= end <= byte_length, so the result is inside the mapping or one past it.
        Some(unsafe { self.pages.address.add(start) })
    }

    fn checked(&self, byte_offset: u64, byte_length: usize) -> Result<NonNull<u8>> {
        self.range(byte_offset, byte_length).ok_or_else(|| {
            let size = self.pages.byte_length;
            Error::new(Code::InvalidArgument, format!("bytes {byte_offset} + {byte_length} lie outside the {size} bytes mapped"))
        })
    }

    /// The last word of the mapping, loaded after everything that this thread copied out before. The length is a multiple of 4.
    #[inline]
    pub(crate) fn last_word(&self) -> u32 {
        fence(Ordering::Acquire); // no byte was read after it, be it on another processor or in the handler of a fault
        let last = self.pages.byte_length - size_of::<u32>();
        // SAFETY: inside the mapping, which begins at a page boundary, so it is aligned; other processes may change it, it is an atomic.
        unsafe { AtomicU32::from_ptr(self.pages.address.as_ptr().add(last).cast()) }.load(Ordering::Relaxed)
    }

    /// Copies bytes out of the mapping.
    #[inline]
    pub fn copy_out(&self, byte_offset: u64, target: &mut [u8]) -> Result<()> {
        let from = self.checked(byte_offset, target.len())?;
        // SAFETY: `from` is mapped for `target.len()` bytes, and our own slice cannot overlap a mapping that hands out no references.
        unsafe { copy_bytes(from.as_ptr(), target.as_mut_ptr(), target.len()) };
        Ok(())
    }

    /// Copies bytes into the mapping; an error where it is read-only.
    #[inline]
    pub fn copy_in(&self, byte_offset: u64, source: &[u8]) -> Result<()> {
        let to = self.writable(byte_offset, source.len())?;
        let half = testing::half(source.len());
        // SAFETY: as in `copy_out`, and the pages may be written.
        unsafe { copy_bytes(source.as_ptr(), to.as_ptr(), half) };
        testing::step(|| "the second half of the bytes");
        // SAFETY: as above, `half` bytes further on.
        unsafe { copy_bytes(source.as_ptr().add(half), to.as_ptr().add(half), source.len() - half) };
        Ok(())
    }

    /// Copies bytes from one place of the mapping to another that does not overlap it.
    pub fn copy_within(&self, from: u64, to: u64, byte_length: usize) -> Result<()> {
        if from.abs_diff(to) < byte_length as u64 {
            return Err(Error::new(Code::InvalidArgument, format!("copy {byte_length} bytes from {from} to {to}: the ranges overlap")));
        }
        let source = self.checked(from, byte_length)?;
        let target = self.writable(to, byte_length)?;
        // SAFETY: both ranges are mapped, disjoint, and the second may be written.
        unsafe { copy_bytes(source.as_ptr(), target.as_ptr(), byte_length) };
        Ok(())
    }

    fn writable(&self, byte_offset: u64, byte_length: usize) -> Result<NonNull<u8>> {
        if self.read_only {
            return Err(Error::new(Code::ReadOnly, format!("write {byte_length} bytes: the mapping is read-only")));
        }
        self.checked(byte_offset, byte_length)
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: the range came from `sys::map`, and pointers into it borrow from the mapping that these pages belong to.
        unsafe { sys::unmap(self.address, self.byte_length) };
    }
}

/// A copy whose source or target another process may change meanwhile.
///
/// # Safety
/// Both ranges must be mapped for `byte_length` bytes and must not overlap.
#[inline]
pub(super) unsafe fn copy_bytes(from: *const u8, to: *mut u8, byte_length: usize) {
    if byte_length > SMALL {
        // SAFETY: the caller's promise.
        return unsafe { sys::copy_opaque(from, to, byte_length) };
    }
    let words = byte_length / size_of::<u64>();
    for i in 0..words {
        // SAFETY: inside the ranges; `Unaligned` has alignment 1, so any address will do, and it moves as one word.
        unsafe { to.cast::<Unaligned>().add(i).write_volatile(from.cast::<Unaligned>().add(i).read_volatile()) };
    }
    for i in words * size_of::<u64>()..byte_length {
        // SAFETY: inside the ranges.
        unsafe { to.add(i).write_volatile(from.add(i).read_volatile()) };
    }
}

#[derive(Clone, Copy)]
#[repr(C, packed)]
struct Unaligned(u64);

/// Names the limit that was met, as far as the system tells.
pub(crate) fn map_error(byte_length: u64, place: &str, errno: Errno) -> Error {
    let what = format!("map {} bytes{place}", grouped(byte_length));
    match sys::address_space_limit() {
        _ if errno != Errno::ENOMEM => Error::system(what, "mmap", errno),
        Some(limit) => Error::system(format_args!("{what} within {} bytes of address space (ulimit -v)", grouped(limit)), "mmap", errno),
        None => Error::system(format_args!("{what}, with as many mappings as vm.max_map_count allows"), "mmap", errno),
    }
}

fn nonzero(byte_length: u64) -> Result<NonZeroUsize> {
    let length = usize::try_from(byte_length).ok().and_then(NonZeroUsize::new);
    length.ok_or_else(|| Error::new(Code::InvalidSize, format!("map {byte_length} bytes: not a size this process can map")))
}
