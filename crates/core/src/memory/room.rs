//! Room for bytes to come, taken before anybody counts on it.

use crate::error::{Code, Error, grouped};
use crate::sys;
use nix::errno::Errno;
use std::fmt::Display;
use std::os::fd::OwnedFd;

/// Takes the room for a part of a file (posix_fallocate(3)), which becomes longer where it must.
///
/// A filesystem of memory may promise more than there is memory, or than a container may have, and a memfd has no limit at all: the kernel would then kill
/// processes until there is enough. So what is more than the kernel says that it can give is `ENOSPC`.
pub(crate) fn take(fd: &OwnedFd, from: u64, byte_length: u64) -> nix::Result<()> {
    if sys::filesystem(fd).0 && sys::memory_available().is_some_and(|available| missing(fd, from, byte_length) > available) {
        return Err(Errno::ENOSPC);
    }
    sys::reserve_part(fd, from, byte_length)
}

/// Bytes of a part for which there is no room yet, or somewhat more: where in the file there is room, nobody says.
fn missing(fd: &OwnedFd, from: u64, byte_length: u64) -> u64 {
    let (size, taken) = sys::extent(fd).unwrap_or((0, 0));
    let end = from.saturating_add(byte_length).max(size);
    byte_length.min(end.saturating_sub(taken))
}

/// How much can be taken: of the filesystem's limit, if it has one, and of memory.
fn available(fd: &OwnedFd) -> u64 {
    let memory = sys::memory_available().filter(|_| sys::filesystem(fd).0).unwrap_or(u64::MAX);
    sys::bytes_available_at(fd).map_or(0, |limit| limit.unwrap_or(u64::MAX).min(memory))
}

/// Why it was refused; with both sizes, if it is for lack of room.
pub(crate) fn refused(what: impl Display, place: impl Display, fd: &OwnedFd, byte_length: u64, errno: Errno) -> Error {
    let mut what = match errno {
        Errno::ENOSPC | Errno::EDQUOT | Errno::EFBIG | Errno::ENOMEM => {
            format!("{what}: {} bytes asked, {} free on {place}", grouped(byte_length), grouped(available(fd)))
        }
        _ => format!("{what}: room for {} bytes", grouped(byte_length)),
    };
    if errno == Errno::EFBIG {
        what += &sys::file_size_limit().map_or(String::new(), |limit| format!(", {} the most of a file (ulimit -f)", grouped(limit)));
    }
    if errno == Errno::EOPNOTSUPP && sys::cannot_shrink(fd) {
        what += ", and its size is given once"; // an object of shm_open on macOS
    }
    let error = Error::system(what, "posix_fallocate", errno);
    // larger than a file can be, and no memory for the filesystem: not the address space of this process
    if matches!(errno, Errno::EFBIG | Errno::ENOMEM) { error.with_code(Code::NoSpace) } else { error }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_not_taken_again() {
        let fd = sys::create_memory("room", false).unwrap();
        assert_eq!(missing(&fd, 0, 1 << 20), 1 << 20);
        take(&fd, 0, 1 << 20).unwrap();
        assert_eq!((missing(&fd, 0, 1 << 20), missing(&fd, 4096, 8192)), (0, 0));
        assert_eq!(missing(&fd, 1 << 20, 4096), 4096);
        sys::set_size(&fd, 1 << 40).unwrap();
        assert_eq!((missing(&fd, 0, 1 << 40), missing(&fd, 4096, 8192)), ((1 << 40) - (1 << 20), 8192));
    }
}
