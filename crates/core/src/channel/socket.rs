//! A socket that a forked child has no part in: a connection would outlive a parent that was killed.

use crate::roster::forked;
use std::os::fd::OwnedFd;

#[derive(Debug)]
pub(super) struct Socket {
    fd: OwnedFd,
    /// Of the process that opened it.
    generation: u32,
}

impl Socket {
    pub fn open(open: impl FnOnce() -> nix::Result<OwnedFd>) -> nix::Result<Socket> {
        forked::open(open).map(|fd| Socket { fd, generation: forked::generation() })
    }

    pub fn fd(&self) -> &OwnedFd {
        &self.fd
    }

    /// Whether this process is a forked child of the one that opened it: what it stands for is not this process's to touch.
    pub fn is_inherited(&self) -> bool {
        self.generation != forked::generation()
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        forked::forget(&self.fd);
    }
}
