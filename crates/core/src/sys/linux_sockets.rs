//! Linux: sockets of the Unix domain that keep messages apart, descriptors that travel in them, and seals of memfds.

use super::{Interest, Peer, Received, Seals};
use crate::testing::step;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::mem::{size_of, size_of_val, zeroed};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::null_mut;
use std::time::Duration;

type Sys<T> = nix::Result<T>;

/// Most bytes of a path that a socket can have: `sun_path` ends with a NUL.
pub(crate) const LONGEST_SOCKET_PATH: usize = size_of::<libc::sockaddr_un>() - size_of::<libc::sa_family_t>() - 1;

/// Most descriptors of a message that is sent.
pub(crate) const MOST_DESCRIPTORS: usize = 16;

/// Most descriptors that a message can have (`SCM_MAX_FD`). A surplus would be closed by `recvmsg`, which then takes as long as that does.
const MOST_RECEIVED: usize = 253;

/// Whole words for the descriptors of a message and the header before them.
const CONTROL_WORDS: usize = (size_of::<libc::cmsghdr>() + MOST_RECEIVED * size_of::<RawFd>()).div_ceil(size_of::<u64>());

const KIND: i32 = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;

/// # Safety
/// The number must be a fresh descriptor that nobody else knows, or -1.
unsafe fn owned(fd: i32) -> Sys<OwnedFd> {
    let fd = Errno::result(fd)?;
    // SAFETY: the caller's promise.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// `socket(AF_UNIX, SOCK_SEQPACKET)`, which never blocks.
pub(crate) fn create_socket() -> Sys<OwnedFd> {
    // SAFETY: takes numbers; what it gives is fresh.
    unsafe { owned(libc::socket(libc::AF_UNIX, KIND, 0)) }
}

/// `socketpair(AF_UNIX, SOCK_SEQPACKET)`, neither of which ever blocks.
pub(crate) fn create_socket_pair() -> Sys<(OwnedFd, OwnedFd)> {
    let mut pair = [-1; 2];
    // SAFETY: two numbers are written; they are fresh descriptors.
    unsafe {
        Errno::result(libc::socketpair(libc::AF_UNIX, KIND, 0, pair.as_mut_ptr()))?;
        Ok((owned(pair[0])?, owned(pair[1])?))
    }
}

fn socket_address(path: &Path) -> Sys<libc::sockaddr_un> {
    let bytes = path.as_os_str().as_bytes();
    if bytes.len() > LONGEST_SOCKET_PATH {
        return Err(Errno::ENAMETOOLONG);
    }
    // SAFETY: zeros are an address of no family.
    let mut address: libc::sockaddr_un = unsafe { zeroed() };
    address.sun_family = libc::sa_family_t::try_from(libc::AF_UNIX).unwrap_or(1);
    for (to, from) in address.sun_path.iter_mut().zip(bytes) {
        *to = from.cast_signed() as libc::c_char;
    }
    Ok(address)
}

fn address_length() -> libc::socklen_t {
    libc::socklen_t::try_from(size_of::<libc::sockaddr_un>()).unwrap_or(0)
}

/// `bind`: the path has at most these permission bits from its first moment on. `EADDRINUSE` if anything is there.
pub(crate) fn bind_socket(fd: &OwnedFd, path: &Path, mode: u32) -> Sys<()> {
    use nix::sys::stat::{Mode, fchmod};
    step(|| "bind");
    let address = socket_address(path)?;
    // the file gets the mode that the socket has, without the bits of the umask
    fchmod(fd, Mode::from_bits_truncate(mode))?;
    // SAFETY: the address outlives the call and is as long as we say.
    Errno::result(unsafe { libc::bind(fd.as_raw_fd(), (&raw const address).cast(), address_length()) }).map(drop)
}

/// `listen`
pub(crate) fn listen_socket(fd: &OwnedFd) -> Sys<()> {
    step(|| "listen");
    // SAFETY: takes numbers.
    Errno::result(unsafe { libc::listen(fd.as_raw_fd(), 128) }).map(drop)
}

/// `connect`: `ECONNREFUSED` if nobody listens, `EAGAIN` if too many wait to be accepted.
pub(crate) fn connect_socket(fd: &OwnedFd, path: &Path) -> Sys<()> {
    let address = socket_address(path)?;
    // SAFETY: the address outlives the call and is as long as we say.
    Errno::result(unsafe { libc::connect(fd.as_raw_fd(), (&raw const address).cast(), address_length()) }).map(drop)
}

/// `accept4`, of what never blocks: `EAGAIN` if nobody waits.
pub(crate) fn accept_socket(fd: &OwnedFd) -> Sys<OwnedFd> {
    // SAFETY: no address is asked for; what it gives is fresh.
    unsafe { owned(libc::accept4(fd.as_raw_fd(), null_mut(), null_mut(), libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK)) }
}

/// # Safety
/// The option must have a value of this type, of which all bits are allowed.
unsafe fn set_socket_option<T>(fd: &OwnedFd, option: i32, value: &T) -> Sys<()> {
    let length = libc::socklen_t::try_from(size_of::<T>()).unwrap_or(0);
    // SAFETY: the value outlives the call and is as long as we say; what it means is the caller's promise.
    Errno::result(unsafe { libc::setsockopt(fd.as_raw_fd(), libc::SOL_SOCKET, option, (&raw const *value).cast(), length) }).map(drop)
}

/// # Safety
/// The option must have a value of this type, of which all bits are allowed.
unsafe fn socket_option<T>(fd: &OwnedFd, option: i32) -> Sys<T> {
    let mut length = libc::socklen_t::try_from(size_of::<T>()).unwrap_or(0);
    // SAFETY: the caller's promise; at most `length` bytes are written.
    unsafe {
        let mut value: T = zeroed();
        Errno::result(libc::getsockopt(fd.as_raw_fd(), libc::SOL_SOCKET, option, (&raw mut value).cast(), &raw mut length))?;
        Ok(value)
    }
}

/// `getsockopt(SO_DOMAIN, SO_TYPE)`: whether it is a socket as [`create_socket`] makes them.
pub(crate) fn keeps_messages_apart(fd: &OwnedFd) -> Sys<bool> {
    // SAFETY: both are numbers.
    let (domain, kind) = unsafe { (socket_option::<i32>(fd, libc::SO_DOMAIN)?, socket_option::<i32>(fd, libc::SO_TYPE)?) };
    Ok((domain, kind) == (libc::AF_UNIX, libc::SOCK_SEQPACKET))
}

/// `getsockopt(SO_PEERCRED)`: who connected, or who listened, as the kernel saw them at that time.
pub(crate) fn peer_of(fd: &OwnedFd) -> Sys<Peer> {
    // SAFETY: three numbers.
    let found: libc::ucred = unsafe { socket_option(fd, libc::SO_PEERCRED)? };
    Ok(Peer { pid: u32::try_from(found.pid).unwrap_or(0), uid: found.uid, gid: found.gid })
}

/// `geteuid`
pub(crate) fn user() -> u32 {
    // SAFETY: it takes nothing and cannot fail.
    unsafe { libc::geteuid() }
}

/// `sendmsg`, all of it or nothing: `EAGAIN` if there is no room, `EPIPE` if nobody can read it any more. No signal is raised.
pub(crate) fn send_message(fd: &OwnedFd, bytes: &[u8], descriptors: &[RawFd]) -> Sys<()> {
    step(|| "sendmsg");
    let mut control = [0u64; CONTROL_WORDS];
    let data = size_of_val(descriptors);
    if size_of::<libc::cmsghdr>() + data > size_of_val(&control) {
        return Err(Errno::EINVAL);
    }
    let mut part = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    // SAFETY: the parts that the header points to outlive the calls; what is written to `control` fits, as was just found.
    unsafe {
        let mut header: libc::msghdr = zeroed();
        header.msg_iov = &raw mut part;
        header.msg_iovlen = 1;
        if data > 0 {
            header.msg_control = control.as_mut_ptr().cast();
            header.msg_controllen = libc::CMSG_LEN(data as u32) as _;
            let first = libc::CMSG_FIRSTHDR(&raw const header);
            (*first).cmsg_level = libc::SOL_SOCKET;
            (*first).cmsg_type = libc::SCM_RIGHTS;
            (*first).cmsg_len = libc::CMSG_LEN(data as u32) as _;
            libc::CMSG_DATA(first).copy_from_nonoverlapping(descriptors.as_ptr().cast(), data);
        }
        let flags = libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT;
        retried(|| Errno::result(libc::sendmsg(fd.as_raw_fd(), &raw const header, flags))).map(drop)
    }
}

/// `recvmsg`: one message, or as much of its bytes as fits. `EAGAIN` if none is there. Descriptors are closed at exec, and by whoever drops them: all but
/// those for which the process has no number left (`RLIMIT_NOFILE`), which the kernel closes here.
pub(crate) fn receive_message(fd: &OwnedFd, buffer: &mut [u8]) -> Sys<Received> {
    let mut control = [0u64; CONTROL_WORDS];
    let mut part = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    // SAFETY: the parts that the header points to outlive the calls, and are as long as it says.
    unsafe {
        let mut header: libc::msghdr = zeroed();
        header.msg_iov = &raw mut part;
        header.msg_iovlen = 1;
        header.msg_control = control.as_mut_ptr().cast();
        header.msg_controllen = size_of_val(&control) as _;
        let flags = libc::MSG_CMSG_CLOEXEC | libc::MSG_DONTWAIT;
        let count = retried(|| Errno::result(libc::recvmsg(fd.as_raw_fd(), &raw mut header, flags)))?;
        Ok(Received {
            byte_length: usize::try_from(count).unwrap_or(0),
            descriptors: taken_from(&header),
            is_cut: header.msg_flags & (libc::MSG_TRUNC | libc::MSG_CTRUNC) != 0,
        })
    }
}

/// Whether the other end sends no more, and nothing that it sent is left. `recvmsg` gives an empty message and the end alike, but for the credentials that
/// a message has if they are asked for (`SO_PASSCRED`).
pub(crate) fn is_at_end(fd: &OwnedFd) -> Sys<bool> {
    // SAFETY: the option is a number.
    unsafe {
        let asked: i32 = socket_option(fd, libc::SO_PASSCRED)?;
        set_socket_option(fd, libc::SO_PASSCRED, &1i32)?;
        let found = loop {
            match peek_credentials(fd) {
                Err(Errno::ECONNRESET) => {} // told once, and before what is left
                found => break found,
            }
        };
        set_socket_option(fd, libc::SO_PASSCRED, &asked)?;
        match found {
            Ok(is_message) => Ok(!is_message),
            Err(Errno::EAGAIN) => Ok(false),
            Err(errno) => Err(errno),
        }
    }
}

/// `recvmsg(MSG_PEEK)`: whether there are credentials. Nothing is taken; descriptors stay in the message.
fn peek_credentials(fd: &OwnedFd) -> Sys<bool> {
    let mut control = [0u64; (size_of::<libc::cmsghdr>() + size_of::<libc::ucred>()).div_ceil(size_of::<u64>())];
    // SAFETY: there is no part, and the control message outlives the call and is as long as the header says.
    unsafe {
        let mut header: libc::msghdr = zeroed();
        header.msg_control = control.as_mut_ptr().cast();
        header.msg_controllen = size_of_val(&control) as _;
        retried(|| Errno::result(libc::recvmsg(fd.as_raw_fd(), &raw mut header, libc::MSG_PEEK | libc::MSG_DONTWAIT)))?;
        let first = libc::CMSG_FIRSTHDR(&raw const header);
        Ok(first.as_ref().is_some_and(|first| (first.cmsg_level, first.cmsg_type) == (libc::SOL_SOCKET, libc::SCM_CREDENTIALS)))
    }
}

/// # Safety
/// The header must be one that `recvmsg` just filled in.
unsafe fn taken_from(header: &libc::msghdr) -> Vec<OwnedFd> {
    let mut taken = Vec::new();
    // SAFETY: the kernel wrote whole control messages, and each descriptor in them is fresh.
    unsafe {
        let mut next = libc::CMSG_FIRSTHDR(header);
        while let Some(control) = next.as_ref() {
            if (control.cmsg_level, control.cmsg_type) == (libc::SOL_SOCKET, libc::SCM_RIGHTS) {
                #[allow(clippy::unnecessary_cast, reason = "the C libraries differ in its type")]
                let data = control.cmsg_len as usize - libc::CMSG_LEN(0) as usize;
                let numbers = libc::CMSG_DATA(next).cast::<RawFd>();
                taken.extend((0..data / size_of::<RawFd>()).map(|index| OwnedFd::from_raw_fd(numbers.add(index).read_unaligned())));
            }
            next = libc::CMSG_NXTHDR(header, next);
        }
    }
    taken
}

fn retried<T>(mut call: impl FnMut() -> Sys<T>) -> Sys<T> {
    loop {
        match call() {
            Err(Errno::EINTR) => {}
            other => return other,
        }
    }
}

/// `shutdown`: whoever waits at either end is told.
pub(crate) fn shut_down_socket(fd: &OwnedFd) {
    // SAFETY: takes numbers. That the other end is gone already is no failure.
    unsafe { libc::shutdown(fd.as_raw_fd(), libc::SHUT_RDWR) };
}

/// `poll`: whether the other end is closed, also if there is still something to be read.
pub(crate) fn has_hung_up(fd: &OwnedFd) -> Sys<bool> {
    let mut polled = [PollFd::new(fd.as_fd(), PollFlags::empty())];
    retried(|| poll(&mut polled, PollTimeout::ZERO))?;
    Ok(polled[0].any().unwrap_or(true))
}

/// `poll`: which of these are ready for what they are waited for. `bound`: at most so long; `None`: until one is. Early on a signal.
pub(crate) fn wait_until_ready(all: &[(BorrowedFd<'_>, Interest)], bound: Option<Duration>) -> Sys<Vec<bool>> {
    let mut polled: Vec<_> = all.iter().map(|(fd, interest)| PollFd::new(*fd, events_of(*interest))).collect();
    let timeout = bound.map_or(PollTimeout::NONE, |bound| {
        // a part of a millisecond is not to become none
        let whole = bound.checked_add(Duration::from_micros(999)).unwrap_or(bound);
        PollTimeout::try_from(whole).unwrap_or(PollTimeout::MAX)
    });
    match poll(&mut polled, timeout) {
        Ok(_) => Ok(polled.iter().map(|fd| fd.any().unwrap_or(true)).collect()),
        Err(Errno::EINTR) => Ok(vec![false; all.len()]),
        Err(errno) => Err(errno),
    }
}

fn events_of(Interest { reads, writes }: Interest) -> PollFlags {
    let mut events = PollFlags::empty();
    events.set(PollFlags::POLLIN, reads);
    events.set(PollFlags::POLLOUT, writes);
    events
}

const SEALS: [(Seals, SealFlag); 5] = [
    (Seals::SEAL, SealFlag::F_SEAL_SEAL),
    (Seals::SHRINK, SealFlag::F_SEAL_SHRINK),
    (Seals::GROW, SealFlag::F_SEAL_GROW),
    (Seals::WRITE, SealFlag::F_SEAL_WRITE),
    (Seals::FUTURE_WRITE, SealFlag::from_bits_retain(libc::F_SEAL_FUTURE_WRITE)),
];

/// `fcntl(F_ADD_SEALS)`: `EBUSY` if it is to be sealed against writing and is mapped to be written, `EINVAL` if it is no memfd.
pub(crate) fn add_seals(fd: BorrowedFd<'_>, seals: Seals) -> Sys<()> {
    step(|| "F_ADD_SEALS");
    let flags = SEALS.iter().filter(|(seal, _)| seals.contains(*seal)).fold(SealFlag::empty(), |all, (_, flag)| all | *flag);
    fcntl(fd, FcntlArg::F_ADD_SEALS(flags)).map(drop)
}

/// `fcntl(F_GET_SEALS)`: `EINVAL` for what is no shared memory.
pub(crate) fn seals_of(fd: BorrowedFd<'_>) -> Sys<Seals> {
    let flags = SealFlag::from_bits_retain(fcntl(fd, FcntlArg::F_GET_SEALS)?);
    Ok(SEALS.iter().filter(|(_, flag)| flags.contains(*flag)).fold(Seals::NONE, |all, (seal, _)| all | *seal))
}
