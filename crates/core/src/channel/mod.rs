//! Messages between processes of one machine, and descriptors that travel in them: sharing without names, also between processes of which
//! neither started the other.
//!
//! A channel is a connected socket of the Unix domain that keeps messages apart (unix(7), `SOCK_SEQPACKET`). A message has bytes, descriptors
//! (`SCM_RIGHTS`), or both. What is received is another descriptor of the *same* open file description: its locks (fcntl(2)) are the
//! sender's, too, so reopen it through `/proc/self/fd` before locking.
//!
//! ```
//! use pagecast::channel::Channel;
//! use pagecast::region::{MapOptions, Region, Source};
//! use std::time::Duration;
//!
//! let (here, there) = Channel::pair()?;
//! let there = Channel::from_descriptor(there)?; // in the child that inherited it
//!
//! let region = Region::map(&MapOptions { byte_length: Some(65_536), ..MapOptions::default() })?;
//! region.write_at(0, b"shared")?;
//! here.send(b"a region", &[region.descriptor()?], Duration::from_secs(5))?;
//!
//! let message = there.receive(Duration::from_secs(5))?.unwrap();
//! let [descriptor] = message.descriptors.try_into().unwrap();
//! let same = Region::map(&MapOptions::new(Source::Descriptor(descriptor)))?;
//! let mut read = [0; 6];
//! same.read_at(0, &mut read)?;
//! assert_eq!((&message.bytes[..], &read), (&b"a region"[..], b"shared"));
//! # Ok::<(), pagecast::Error>(())
//! ```

mod listener;
mod socket;

pub use crate::segment::duplicate;
pub use crate::sys::{Interest, Peer};
pub use listener::{ListenOptions, Listener};

use crate::error::{Code, Error, Result, grouped};
use crate::sys;
use crate::wait::{Patience, Wait};
use nix::errno::Errno;
use socket::Socket;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::path::Path;
use std::time::Duration;

/// Most bytes of a message.
pub const MOST_BYTES: usize = 65_536;

/// Most descriptors of a message.
pub const MOST_DESCRIPTORS: usize = sys::MOST_DESCRIPTORS;

/// How long until the next attempt to connect to what does not listen yet, or has no room.
pub(crate) const RETRY: Duration = Duration::from_millis(10);

/// What was received.
#[derive(Debug)]
pub struct Message {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its descriptors.
    pub descriptors: Vec<OwnedFd>,
}

impl Message {
    fn is_empty(&self) -> bool {
        self.bytes.is_empty() && self.descriptors.is_empty()
    }
}

/// What a look for a message found.
#[derive(Debug)]
pub enum Look {
    /// One.
    Message(Message),
    /// None yet.
    Nothing,
    /// There will be none: the other end is closed, or its process gone.
    End,
}

/// One end of a connection. Dropped, the other end reads what was sent, and then the end.
#[derive(Debug)]
pub struct Channel {
    socket: Socket,
    peer: Peer,
}

impl Channel {
    /// Two that are connected: one for this process, and one to be inherited by a child, for whom it is a [`Channel::from_descriptor`].
    pub fn pair() -> Result<(Channel, OwnedFd)> {
        let failed = |errno| Error::system("make a pair of channels", "socketpair", errno);
        let mut other = None;
        let socket = Socket::open(|| {
            let (one, two) = sys::create_socket_pair()?;
            other = Some(two);
            Ok(one)
        });
        let channel = Channel::of(socket.map_err(failed)?, "make a pair of channels")?;
        other.map(|other| (channel, other)).ok_or_else(|| failed(Errno::ENOSYS))
    }

    /// One that was inherited. [`Code::InvalidArgument`] for what is no connected `SOCK_SEQPACKET` of the Unix domain.
    pub fn from_descriptor(fd: OwnedFd) -> Result<Channel> {
        let number = fd.as_raw_fd();
        Channel::of_descriptor(fd, number)
    }

    /// One that was inherited, by its number, which stays the caller's: see [`duplicate`].
    pub fn duplicate(number: RawFd) -> Result<Channel> {
        Channel::of_descriptor(duplicate(number)?, number)
    }

    /// The number is what messages call it.
    fn of_descriptor(fd: OwnedFd, number: RawFd) -> Result<Channel> {
        let what = format!("a channel of descriptor {number}");
        let is_one = sys::keeps_messages_apart(&fd);
        if !matches!(is_one, Ok(true)) && !matches!(is_one, Err(Errno::ENOSYS)) {
            return Err(Error::new(Code::InvalidArgument, format!("{what}: it is no socket of the Unix domain that keeps messages apart")));
        }
        Channel::of(Socket::open(|| Ok(fd)).map_err(|errno| Error::system(&what, "pthread_atfork", errno))?, &what)
    }

    /// Connects to whoever listens there: [`Code::NotFound`] if nobody does, or, with `wait`, once somebody does.
    pub fn connect<'a>(path: &Path, wait: bool, patience: impl Into<Patience<'a>>) -> Result<Channel> {
        Channel::connect_within(path, wait, &patience.into().begin())
    }

    pub(crate) fn connect_within(path: &Path, wait: bool, waiting: &Wait<'_>) -> Result<Channel> {
        let what = format!("connect to {}", path.display());
        loop {
            match Channel::try_connect(path) {
                Err(error) if error.code() == Code::Busy || wait && error.code() == Code::NotFound => {
                    let missing = || format!("the last attempt: {}", error.message());
                    std::thread::sleep(waiting.slice(&what, RETRY, missing)?);
                }
                other => return other,
            }
        }
    }

    /// Connects at once: [`Code::NotFound`] if nobody listens, [`Code::Busy`] if so many connect that one has to try again.
    pub fn try_connect(path: &Path) -> Result<Channel> {
        let what = format!("connect to {}", path.display());
        let failed = |call| {
            let what = &what;
            move |errno| match errno {
                Errno::ECONNREFUSED => Error::system(format_args!("{what}: nobody listens"), call, errno).with_code(Code::NotFound),
                Errno::EAGAIN => Error::system(what, call, errno).with_code(Code::Busy),
                // what listens there is a socket of another kind
                Errno::EPROTOTYPE => Error::system(what, call, errno).with_code(Code::BadMessage),
                errno => Error::system(what, call, errno),
            }
        };
        let socket = Socket::open(sys::create_socket).map_err(failed("socket"))?;
        sys::connect_socket(socket.fd(), path).map_err(failed("connect"))?;
        Channel::of(socket, &what)
    }

    fn of(socket: Socket, what: &str) -> Result<Channel> {
        let peer = sys::peer_of(socket.fd()).map_err(|errno| Error::system(what, "getsockopt", errno))?;
        Ok(Channel { socket, peer })
    }

    /// Who is at the other end, as the kernel saw them when they connected or began to listen; of a [`Channel::pair`], who made it (`SO_PEERCRED`).
    pub fn peer(&self) -> Peer {
        self.peer
    }

    /// Sends a message, whole. It waits while the other end does not read what is there already; [`Code::PeerGone`] if nobody can any more.
    pub fn send<'a>(&self, bytes: &[u8], descriptors: &[BorrowedFd<'_>], patience: impl Into<Patience<'a>>) -> Result<()> {
        self.send_within("send", bytes, descriptors, &patience.into().begin(), "and the other end does not read")
    }

    pub(crate) fn send_within(
        &self,
        what: &str,
        bytes: &[u8],
        descriptors: &[BorrowedFd<'_>],
        waiting: &Wait<'_>,
        missing: &str,
    ) -> Result<()> {
        while !self.try_send(bytes, descriptors)? {
            let bound = waiting.slice(what, Duration::from_secs(3600), || missing)?;
            self.wait(Interest::WRITES, bound)?;
        }
        Ok(())
    }

    /// Sends a message, whole, if there is room for it now.
    pub fn try_send(&self, bytes: &[u8], descriptors: &[BorrowedFd<'_>]) -> Result<bool> {
        check_sizes(bytes.len(), descriptors.len())?;
        let numbers: Vec<RawFd> = descriptors.iter().map(AsRawFd::as_raw_fd).collect();
        match sys::send_message(self.socket.fd(), bytes, &numbers) {
            Ok(()) => Ok(true),
            Err(Errno::EAGAIN) => Ok(false),
            Err(errno) => Err(self.failed("send", "sendmsg", errno)),
        }
    }

    /// Waits for a message. `None`: the other end is closed.
    pub fn receive<'a>(&self, patience: impl Into<Patience<'a>>) -> Result<Option<Message>> {
        self.receive_within("receive", &patience.into().begin(), "and nothing came")
    }

    pub(crate) fn receive_within(&self, what: &str, waiting: &Wait<'_>, missing: &str) -> Result<Option<Message>> {
        loop {
            match self.try_receive()? {
                Look::Message(message) => return Ok(Some(message)),
                Look::End => return Ok(None),
                Look::Nothing => {
                    let bound = waiting.slice(what, Duration::from_secs(3600), || missing)?;
                    self.wait(Interest::READS, bound)?;
                }
            }
        }
    }

    /// Looks for a message. [`Code::BadMessage`] for one that is longer than [`MOST_BYTES`] or carries more than [`MOST_DESCRIPTORS`], or more than this
    /// process may have open, or has nothing in it: it is gone, and so are all its descriptors; the next one can be received.
    pub fn try_receive(&self) -> Result<Look> {
        let (look, is_cut) = self.try_receive_any()?;
        let Look::Message(message) = look else { return Ok(look) };
        let bad = |fact| Err(Error::new(Code::BadMessage, format!("receive: a message {fact}")));
        if is_cut || message.descriptors.len() > MOST_DESCRIPTORS {
            let most = grouped(MOST_BYTES as u64);
            return bad(format!("of more than {most} bytes, or more than {MOST_DESCRIPTORS} descriptors or this process may open"));
        }
        if message.is_empty() {
            return bad("without bytes and descriptors".into());
        }
        Ok(Look::Message(message))
    }

    /// Looks for a message, whatever is in it, and whether something of it was lost.
    pub(crate) fn try_receive_any(&self) -> Result<(Look, bool)> {
        let mut bytes = vec![0; MOST_BYTES];
        let received = loop {
            match sys::receive_message(self.socket.fd(), &mut bytes) {
                Ok(received) => break received,
                Err(Errno::EAGAIN) => return Ok((Look::Nothing, false)),
                // told once, and before what it had sent: the other end went without reading all that it was sent
                Err(Errno::ECONNRESET) => {}
                Err(errno) => return Err(self.failed("receive", "recvmsg", errno)),
            }
        };
        bytes.truncate(received.byte_length);
        bytes.shrink_to_fit();
        let message = Message { bytes, descriptors: received.descriptors };
        let is_end = message.is_empty() && !received.is_cut && self.is_at_end()?;
        Ok((if is_end { Look::End } else { Look::Message(message) }, received.is_cut))
    }

    /// Whether the other end is closed, though what it sent may be left.
    pub(crate) fn has_hung_up(&self) -> Result<bool> {
        sys::has_hung_up(self.socket.fd()).map_err(|errno| self.failed("look", "poll", errno))
    }

    /// Whether the other end sends no more, and all it sent was received.
    fn is_at_end(&self) -> Result<bool> {
        sys::is_at_end(self.socket.fd()).map_err(|errno| self.failed("receive", "recvmsg", errno))
    }

    /// Sleeps until it is ready for that, at most so long.
    fn wait(&self, interest: Interest, bound: Duration) -> Result<()> {
        let ready = sys::wait_until_ready(&[(self.socket.fd().as_fd(), interest)], Some(bound));
        ready.map(drop).map_err(|errno| self.failed("wait", "poll", errno))
    }

    /// The open socket: to be polled, and nothing else.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.socket.fd().as_fd()
    }

    /// Ends it for both sides now, also for those who wait.
    pub fn shut_down(&self) {
        sys::shut_down_socket(self.socket.fd());
    }

    fn failed(&self, what: &str, call: &'static str, errno: Errno) -> Error {
        match errno {
            Errno::EPIPE | Errno::ECONNRESET | Errno::ENOTCONN => {
                let pid = self.peer.pid;
                Error::system(format_args!("{what}: the other end (pid {pid}) is gone"), call, errno).with_code(Code::PeerGone)
            }
            // in a forked child something else is in its place
            Errno::ENOTSOCK => {
                Error::system(format_args!("{what}: this channel is not of this process"), call, errno).with_code(Code::Disposed)
            }
            Errno::ETOOMANYREFS => {
                Error::system(format_args!("{what}: too many descriptors are under way"), call, errno).with_code(Code::TooManyFiles)
            }
            errno => Error::system(what, call, errno),
        }
    }
}

/// Sleeps until a channel or listener is ready for that, or `interrupt` to be read. Which of the two; neither after a signal.
pub fn wait_until_ready(descriptor: BorrowedFd<'_>, interest: Interest, interrupt: BorrowedFd<'_>) -> Result<(bool, bool)> {
    let ready = sys::wait_until_ready(&[(descriptor, interest), (interrupt, Interest::READS)], None);
    let ready = ready.map_err(|errno| Error::system("wait", "poll", errno))?;
    Ok((ready.first() == Some(&true), ready.get(1) == Some(&true)))
}

/// Whether what the descriptor leads to can be mapped to be written: it was opened so, and no seal forbids it.
pub fn can_be_written(fd: &OwnedFd) -> bool {
    let is_sealed = sys::seals_of(fd.as_fd()).is_ok_and(sys::Seals::forbids_writing);
    sys::is_writable(fd).unwrap_or(false) && !is_sealed
}

/// [`Code::InvalidSize`] for so many bytes and descriptors as are no message.
pub fn check_sizes(bytes: usize, descriptors: usize) -> Result<()> {
    let invalid = |fact| Err(Error::new(Code::InvalidSize, format!("send: {fact}")));
    if bytes == 0 && descriptors == 0 {
        return invalid("a message without bytes and descriptors would be the end".into());
    }
    if bytes > MOST_BYTES {
        return invalid(format!("{} bytes, at most {} fit into a message", grouped(bytes as u64), grouped(MOST_BYTES as u64)));
    }
    if descriptors > MOST_DESCRIPTORS {
        return invalid(format!("{descriptors} descriptors, at most {MOST_DESCRIPTORS} fit into a message"));
    }
    Ok(())
}
