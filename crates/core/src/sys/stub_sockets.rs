//! Systems without sockets of the Unix domain that keep messages apart, or without seals: nothing can be connected or sealed (`ENOSYS`).

use super::{Interest, Peer, Received, Seals};
use nix::errno::Errno;
use std::os::fd::{BorrowedFd, OwnedFd, RawFd};
use std::path::Path;
use std::time::Duration;

type Sys<T> = nix::Result<T>;

pub(crate) const LONGEST_SOCKET_PATH: usize = 103;

pub(crate) const MOST_DESCRIPTORS: usize = 16;

pub(crate) fn create_socket() -> Sys<OwnedFd> {
    Err(Errno::ENOSYS)
}

pub(crate) fn create_socket_pair() -> Sys<(OwnedFd, OwnedFd)> {
    Err(Errno::ENOSYS)
}

pub(crate) fn bind_socket(_: &OwnedFd, _: &Path, _: u32) -> Sys<()> {
    Err(Errno::ENOSYS)
}

pub(crate) fn listen_socket(_: &OwnedFd) -> Sys<()> {
    Err(Errno::ENOSYS)
}

pub(crate) fn connect_socket(_: &OwnedFd, _: &Path) -> Sys<()> {
    Err(Errno::ENOSYS)
}

pub(crate) fn accept_socket(_: &OwnedFd) -> Sys<OwnedFd> {
    Err(Errno::ENOSYS)
}

pub(crate) fn keeps_messages_apart(_: &OwnedFd) -> Sys<bool> {
    Err(Errno::ENOSYS)
}

pub(crate) fn peer_of(_: &OwnedFd) -> Sys<Peer> {
    Err(Errno::ENOSYS)
}

/// `geteuid`
pub(crate) fn user() -> u32 {
    // SAFETY: it takes nothing and cannot fail.
    unsafe { libc::geteuid() }
}

pub(crate) fn send_message(_: &OwnedFd, _: &[u8], _: &[RawFd]) -> Sys<()> {
    Err(Errno::ENOSYS)
}

pub(crate) fn receive_message(_: &OwnedFd, _: &mut [u8]) -> Sys<Received> {
    Err(Errno::ENOSYS)
}

pub(crate) fn is_at_end(_: &OwnedFd) -> Sys<bool> {
    Err(Errno::ENOSYS)
}

pub(crate) fn has_hung_up(_: &OwnedFd) -> Sys<bool> {
    Err(Errno::ENOSYS)
}

pub(crate) fn shut_down_socket(_: &OwnedFd) {}

pub(crate) fn wait_until_ready(_: &[(BorrowedFd<'_>, Interest)], _: Option<Duration>) -> Sys<Vec<bool>> {
    Err(Errno::ENOSYS)
}

pub(crate) fn add_seals(_: BorrowedFd<'_>, _: Seals) -> Sys<()> {
    Err(Errno::ENOSYS)
}

pub(crate) fn seals_of(_: BorrowedFd<'_>) -> Sys<Seals> {
    Err(Errno::ENOSYS)
}
