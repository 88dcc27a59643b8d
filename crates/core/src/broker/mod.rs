//! A broker: a process that keeps objects of shared memory by name, for other processes to get. No name is in a filesystem but that of its socket,
//! and what belongs to a process that is gone goes with it.
//!
//! ```
//! use pagecast::broker::{Allocation, Broker, BrokerClient, BrokerOptions};
//! use pagecast::region::{MapOptions, Region, Source};
//! use std::time::Duration;
//!
//! # let path = std::path::PathBuf::from(format!("/dev/shm/pagecast-doc-{}", std::process::id()));
//! let broker = Broker::listen(&path, &BrokerOptions::default())?;
//! let minute = Duration::from_secs(60);
//!
//! let mut one = BrokerClient::connect(&path, &Default::default(), minute)?; // in any process
//! let region = one.allocate("frames", &Allocation::new(65_536), minute)?;
//! region.write_at(0, b"shared")?;
//!
//! let mut other = BrokerClient::connect(&path, &Default::default(), minute)?; // in any other
//! let same = Region::map(&MapOptions::new(Source::Descriptor(other.get("frames", false, minute)?)))?;
//! let mut read = [0; 6];
//! same.read_at(0, &mut read)?;
//! assert_eq!(&read, b"shared");
//!
//! one.free("frames", minute)?; // who has it mapped keeps it
//! # Ok::<(), pagecast::Error>(())
//! ```
//!
//! A message is JSON, and has at most one descriptor ([`channel`](crate::channel)). The broker greets who connects by `{"broker":1,"pid":7}`, or says why
//! not: `{"error":"ERR_PERMISSION","message":"…"}`. Calls are `{"id":1,"call":"get","name":"frames"}`, with an `id` that the answer has too:
//! `{"id":1}`, or the same with an `error` and a `message`.
//!
//! | call | further members | descriptor | answer |
//! |---|---|---|---|
//! | `share` | `name`, `keep` | shared memory | |
//! | `get` | `name`, `wait` | | with the descriptor |
//! | `free` | `name` | | |
//! | `list` | `after`: a name | | `entries`, and `more` if there are |
//! | `cancel` | | | none: what the call of that `id` began is undone |

mod client;
mod closing;
mod member;
mod message;
mod server;
mod table;

pub use client::{Allocation, BrokerClient, ConnectOptions};
pub use message::Entry;
pub use table::Limits;

use crate::channel::{ListenOptions, Listener};
use crate::error::{Code, Error, Result};
use crate::roster::forked;
use std::io::{PipeWriter, Write};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

/// How a broker serves.
#[derive(Clone, Debug, Default)]
pub struct BrokerOptions {
    /// Users that may connect, besides the broker's own and root: all others are [`Code::Permission`] (unix(7), `SO_PEERCRED`). Default: none.
    pub uids: Vec<u32>,
    /// Permission bits of the socket. Default: 0600, or 0666 if `uids` has any, which then decide. Whoever may open it, though refused, can keep others
    /// from being accepted for as long as what it sent hangs when it is closed; who is connected is served.
    pub mode: Option<u32>,
    /// What clients may take.
    pub limits: Limits,
}

/// A thread that serves. Dropped, it ends: who holds regions keeps them, and the next call of each client is [`Code::BrokerGone`].
#[derive(Debug)]
pub struct Broker {
    path: PathBuf,
    stop: PipeWriter,
    thread: Option<JoinHandle<()>>,
    /// Of the process whose thread it is.
    generation: u32,
}

impl Broker {
    /// Serves at a path: see [`Listener::bind`]. One that is being killed listens there until the system has closed what it had open.
    pub fn listen(path: &Path, options: &BrokerOptions) -> Result<Broker> {
        let mode = options.mode.unwrap_or(if options.uids.is_empty() { 0o600 } else { 0o666 });
        let listener = Listener::bind(path, &ListenOptions { mode })?;
        let failed = |what: &str, error: std::io::Error| Error::new(Code::System, format!("listen at {}: {what}: {error}", path.display()));
        let (stopped, stop) = std::io::pipe().map_err(|error| failed("make a pipe", error))?;
        let path = listener.path().to_path_buf();
        let closers = closing::Closers::start().map_err(|error| failed("start a thread", error))?;
        let server = server::Server::new(listener, stopped, closers, options);
        let thread = std::thread::Builder::new().name("pagecast-broker".into()).stack_size(256 * 1024);
        let thread = thread.spawn(move || server.run()).map_err(|error| failed("start a thread", error))?;
        Ok(Broker { path, stop, thread: Some(thread), generation: forked::generation() })
    }

    /// Where it listens: an absolute path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if self.generation != forked::generation() {
            std::mem::forget(self.thread.take()); // a forked child has no such thread
            return;
        }
        let _ = self.stop.write_all(&[0]);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
