//! Every call into the system, one file a platform; no policy.

#![allow(unsafe_code)]

mod beside;
#[cfg(target_os = "linux")]
mod control_group;
#[cfg(target_os = "macos")]
mod macos_fault;
#[cfg(target_os = "macos")]
mod macos_wait;
mod object;
#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(target_os = "macos", path = "macos.rs")]
#[cfg_attr(not(any(target_os = "linux", target_os = "macos")), path = "stub.rs")]
mod platform;
mod protection;
mod seals;
mod signal;
pub(crate) mod sysv;

#[cfg_attr(target_os = "linux", path = "linux_maps.rs")]
#[cfg_attr(target_os = "macos", path = "macos_maps.rs")]
#[cfg_attr(not(any(target_os = "linux", target_os = "macos")), path = "stub_maps.rs")]
mod maps;

#[cfg_attr(target_os = "linux", path = "linux_sockets.rs")]
#[cfg_attr(not(target_os = "linux"), path = "stub_sockets.rs")]
mod sockets;

pub(crate) use beside::TEMPORARY;
#[cfg(target_os = "macos")]
pub(crate) use macos_fault::may_have_passed;
#[cfg(target_os = "macos")]
pub(crate) use macos_wait::*;
pub(crate) use maps::*;
pub use object::Object;
pub(crate) use object::*;
pub(crate) use platform::*;
pub use protection::{Access, Advice};
pub use seals::Seals;
pub(crate) use signal::{Fault, on_fault};
pub(crate) use sockets::*;

use std::os::fd::OwnedFd;

/// What the kernel says of one byte of a lock range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(any(target_os = "linux", target_os = "macos")), expect(dead_code, reason = "the stub finds no locks"))]
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

/// What kind of file an open descriptor leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(any(target_os = "linux", target_os = "macos")), expect(dead_code, reason = "the stub opens nothing"))]
pub(crate) enum FileKind {
    /// A regular file, objects of shared memory included, of so many bytes.
    Regular(u64),
    /// A device: it has no size of its own.
    Device,
    /// What cannot be mapped, in a word.
    Other(&'static str),
}

/// Where a mapping goes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    /// Where the kernel finds room.
    Anywhere,
    /// There, or where the kernel finds room.
    Hint(usize),
    /// There and nowhere else, where nothing is: `EEXIST` otherwise.
    Exclusive(usize),
    /// There, whatever is there. The caller of the call that takes it says why that may go.
    Over(usize),
}

/// A stretch of the address space, and the file behind it (all zeros: none).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mapped {
    pub start: u64,
    pub end: u64,
    /// Whether it may be read and written.
    pub read_write: bool,
    pub identity: Identity,
}

impl Mapped {
    pub(crate) fn is_anonymous(&self) -> bool {
        self.identity.inode == 0
    }
}

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Process id; 0 for one of another PID namespace. For people: it may be somebody else's by now.
    pub pid: u32,
    /// Effective user id.
    pub uid: u32,
    /// Effective group id.
    pub gid: u32,
}

/// What a socket is waited for. Whatever it is, the end of the connection ends the wait, too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Interest {
    /// Something to receive.
    pub reads: bool,
    /// Room to send.
    pub writes: bool,
}

impl Interest {
    /// Something to receive, and nothing else.
    pub const READS: Interest = Interest { reads: true, writes: false };
    /// Room to send, and nothing else: what is there to be received, and stays there, ends no wait.
    pub const WRITES: Interest = Interest { reads: false, writes: true };
}

/// A message as it came.
#[derive(Debug)]
pub(crate) struct Received {
    /// Bytes, of those that fitted.
    pub byte_length: usize,
    pub descriptors: Vec<OwnedFd>,
    /// Whether there were more bytes or descriptors, which are lost.
    pub is_cut: bool,
}

/// [`page_size`], to compute with addresses.
pub(crate) fn page_bytes() -> usize {
    usize::try_from(page_size()).unwrap_or(4096)
}
