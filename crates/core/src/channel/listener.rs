//! The end of a channel that others connect to, and its name in the filesystem.

use super::Channel;
use super::socket::Socket;
use crate::error::{Code, Error, Result};
use crate::sys::{self, Identity, Interest};
use crate::wait::Patience;
use nix::errno::Errno;
use std::ffi::OsString;
use std::fs::Permissions;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How [`Listener::bind`] makes the socket.
#[derive(Clone, Copy, Debug)]
pub struct ListenOptions {
    /// Its permission bits, exactly these, whatever the umask: who may write may connect. Default 0600.
    pub mode: u32,
}

impl Default for ListenOptions {
    fn default() -> ListenOptions {
        ListenOptions { mode: 0o600 }
    }
}

/// Whom others connect to, at a path. Dropped, the path goes; who is connected stays connected.
///
/// Beside the socket there is a file `PATH.lock`, which is locked for as long as somebody listens (fcntl(2), `F_OFD_SETLK`): so only one takes the
/// place of a socket whose process was killed.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    name: SocketName,
}

impl Listener {
    /// Listens at a path of at most 107 bytes. [`Code::AlreadyExists`] if somebody listens there, or if something is there that is no socket; a socket
    /// that nobody listens at is replaced.
    pub fn bind(path: &Path, options: &ListenOptions) -> Result<Listener> {
        let what = format!("listen at {}", path.display());
        check_path(&what, path)?;
        let socket = Socket::open(sys::create_socket).map_err(|errno| Error::system(&what, "socket", errno))?;
        let lock = PathLock::take(path, &what)?;
        let name = SocketName::give(&socket, path, options.mode, lock, &what)?;
        sys::listen_socket(socket.fd()).map_err(|errno| Error::system(&what, "listen", errno))?;
        Ok(Listener { socket, name })
    }

    /// Where it listens.
    pub fn path(&self) -> &Path {
        &self.name.path
    }

    /// Waits until somebody connects.
    pub fn accept<'a>(&self, patience: impl Into<Patience<'a>>) -> Result<Channel> {
        let what = format!("accept at {}", self.path().display());
        let waiting = patience.into().begin();
        loop {
            if let Some(channel) = self.try_accept()? {
                return Ok(channel);
            }
            let bound = waiting.slice(&what, Duration::from_secs(3600), || "and nobody connected")?;
            let ready = sys::wait_until_ready(&[(self.descriptor(), Interest::READS)], Some(bound));
            ready.map_err(|errno| Error::system(&what, "poll", errno))?;
        }
    }

    /// Whoever waits to be accepted, if anybody does.
    pub fn try_accept(&self) -> Result<Option<Channel>> {
        let what = format!("accept at {}", self.path().display());
        loop {
            match Socket::open(|| sys::accept_socket(self.socket.fd())) {
                Ok(socket) => return Channel::of(socket, &what).map(Some),
                Err(Errno::EAGAIN) => return Ok(None),
                Err(Errno::EINTR | Errno::ECONNABORTED) => {} // it left before it was accepted
                Err(errno) => return Err(Error::system(&what, "accept", errno)),
            }
        }
    }

    /// From now on nobody connects; who waits to be accepted still can be.
    pub(crate) fn shut_down(&self) {
        sys::shut_down_socket(self.socket.fd());
    }

    /// Listens no longer, and takes the path away. What is left is to be dropped: it closes what those sent who were not accepted, which may take as
    /// long as they like.
    pub(crate) fn give_up(self) -> impl Send + use<> {
        sys::shut_down_socket(self.socket.fd());
        drop(self.name);
        self.socket
    }

    /// The open socket: to be polled, and nothing else.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.socket.fd().as_fd()
    }
}

fn check_path(what: &str, path: &Path) -> Result<()> {
    let bytes = path.as_os_str().as_encoded_bytes();
    let most = sys::LONGEST_SOCKET_PATH;
    let fault = match bytes.len() {
        0 => "the path is empty".to_owned(),
        length if length > most => format!("the path has {length} bytes, a socket's at most {most}"),
        _ if bytes.contains(&0) => "the path holds a NUL".to_owned(),
        _ => return Ok(()),
    };
    Err(Error::new(Code::InvalidName, format!("{what}: {fault}")))
}

/// The socket in the filesystem, for as long as it is ours. Dropped, it goes.
#[derive(Debug)]
struct SocketName {
    /// Absolute: the working directory may be another one by then.
    path: PathBuf,
    identity: Identity,
    /// Last: nobody else takes the place before the name is gone.
    lock: PathLock,
}

impl SocketName {
    fn give(socket: &Socket, path: &Path, mode: u32, lock: PathLock, what: &str) -> Result<SocketName> {
        let bind = || sys::bind_socket(socket.fd(), path, mode);
        let bound = match bind() {
            Err(Errno::EADDRINUSE) => {
                remove_abandoned(path, what)?;
                bind()
            }
            bound => bound,
        };
        bound.map_err(|errno| match errno {
            Errno::EADDRINUSE => taken(what, "something came there meanwhile"),
            errno => Error::system(what, "bind", errno),
        })?;
        let identity = sys::identify(path).map_err(|errno| Error::system(what, "stat", errno))?;
        let name = SocketName { path: absolute(path), identity, lock };
        // the umask took bits away
        std::fs::set_permissions(path, Permissions::from_mode(mode))
            .map_err(|error| Error::system(what, "chmod", Errno::from_raw(error.raw_os_error().unwrap_or(0))))?;
        Ok(name)
    }
}

impl Drop for SocketName {
    fn drop(&mut self) {
        self.lock.remove_if_own(&self.path, self.identity);
    }
}

fn taken(what: &str, fact: &str) -> Error {
    Error::system(format_args!("{what}: {fact}"), "bind", Errno::EADDRINUSE).with_code(Code::AlreadyExists)
}

/// Takes away a socket that the kernel says nobody listens at. The lock is held.
fn remove_abandoned(path: &Path, what: &str) -> Result<()> {
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket());
    if !is_socket {
        return Err(taken(what, "something is there that is no socket"));
    }
    match sys::create_socket().and_then(|probe| sys::connect_socket(&probe, path)) {
        Err(Errno::ECONNREFUSED) => sys::unlink(path).map_err(|errno| Error::system(what, "unlink", errno)),
        Err(Errno::ENOENT) => Ok(()), // whoever it was took it away
        _ => Err(taken(what, "another program listens there")),
    }
}

/// `PATH.lock`, locked. Dropped, it goes.
#[derive(Debug)]
struct PathLock {
    path: PathBuf,
    identity: Identity,
    /// The lock is this description's.
    file: Socket,
}

impl PathLock {
    fn take(socket: &Path, what: &str) -> Result<PathLock> {
        let mut name = OsString::from(socket);
        name.push(".lock");
        let path = PathBuf::from(name);
        let failed = |call| move |errno| Error::system(format_args!("{what}: its lock file"), call, errno);
        loop {
            let opened = Socket::open(|| match sys::open_named(&path, false) {
                Err(Errno::ENOENT) => sys::create_exclusive(&path, 0o600),
                other => other,
            });
            let file = match opened {
                Err(Errno::EEXIST) => continue,
                other => other.map_err(failed("open"))?,
            };
            if !sys::try_lock_byte(file.fd(), 0, true).map_err(failed("fcntl"))? {
                return Err(taken(what, "somebody listens there"));
            }
            let (identity, _) = sys::describe(file.fd()).map_err(failed("fstat"))?;
            // whoever had it may have taken it away meanwhile, and somebody else has the lock of another one
            if sys::identify(&path) == Ok(identity) {
                return Ok(PathLock { path: absolute(&path), identity, file });
            }
        }
    }

    /// Takes a name away, if it leads to what it led to, and this is no forked child.
    fn remove_if_own(&self, path: &Path, identity: Identity) {
        if !self.file.is_inherited() && sys::identify(path) == Ok(identity) {
            let _ = sys::unlink(path);
        }
    }
}

impl Drop for PathLock {
    fn drop(&mut self) {
        self.remove_if_own(&self.path, self.identity);
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}
