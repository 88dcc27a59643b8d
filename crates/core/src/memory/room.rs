//! Room for bytes to come, taken before anybody counts on it.

use crate::error::{Code, Error, grouped};
use crate::sys;
use nix::errno::Errno;
use std::fmt::Display;
use std::os::fd::OwnedFd;

/// Takes the room for a part of a file (posix_fallocate(3)), which becomes longer where it must.
///
/// A filesystem of memory may promise more than there is memory, and a memfd has no limit at all: the kernel would then kill processes until
/// there is enough. So what is more than the kernel says that it can give is `ENOSPC`.
pub(crate) fn take(fd: &OwnedFd, from: u64, byte_length: u64) -> nix::Result<()> {
    if sys::filesystem(fd).0 && sys::memory_available().is_some_and(|available| byte_length > available) {
        return Err(Errno::ENOSPC);
    }
    sys::reserve_part(fd, from, byte_length)
}

/// How much can be taken: of the filesystem's limit, if it has one, and of memory.
fn available(fd: &OwnedFd) -> u64 {
    let memory = sys::memory_available().filter(|_| sys::filesystem(fd).0).unwrap_or(u64::MAX);
    sys::bytes_available_at(fd).map_or(0, |limit| limit.unwrap_or(u64::MAX).min(memory))
}

/// Why it was refused, with both sizes.
pub(crate) fn refused(what: impl Display, place: impl Display, fd: &OwnedFd, byte_length: u64, errno: Errno) -> Error {
    let mut what = format!("{what}: {} bytes asked, {} free on {place}", grouped(byte_length), grouped(available(fd)));
    if errno == Errno::EFBIG {
        what += &sys::file_size_limit().map_or(String::new(), |limit| format!(", {} the most of a file (ulimit -f)", grouped(limit)));
    }
    let error = Error::system(what, "posix_fallocate", errno);
    // larger than a file can be, and no memory for the filesystem: not the address space of this process
    if matches!(errno, Errno::EFBIG | Errno::ENOMEM) { error.with_code(Code::NoSpace) } else { error }
}
