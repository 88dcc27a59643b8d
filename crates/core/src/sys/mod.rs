//! Every call into the system, one file a platform; no policy.

#![allow(unsafe_code)]

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "stub.rs")]
mod platform;
mod signal;

pub(crate) use platform::*;
pub(crate) use signal::on_bus_error;

/// What the kernel says of one byte of a lock range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "the stub finds no locks"))]
pub(crate) enum ByteLock {
    Free,
    /// A write lock: somebody who is attached.
    Write,
    /// A read lock: an observer, or a stranger who may only read the file.
    Read,
}

/// Which file a descriptor or a name leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub device: u64,
    pub inode: u64,
}

/// [`page_size`], to compute with addresses.
pub(crate) fn page_bytes() -> usize {
    usize::try_from(page_size()).unwrap_or(4096)
}
