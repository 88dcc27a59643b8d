//! Every call into the system, one file a platform; no policy.

#![allow(unsafe_code)]

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "stub.rs")]
mod platform;

pub(crate) use platform::*;

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
