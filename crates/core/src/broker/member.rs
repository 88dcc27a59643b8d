//! A client as the broker sees it.

use super::closing::Closers;
use super::message::{self, Reply};
use super::table::Owner;
use crate::channel::Channel;
use crate::error::Result;
use std::collections::VecDeque;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

/// Most calls of one client that wait for a name.
pub(super) const MOST_WAITING: usize = 64;

/// Most messages of one client of which something is being closed.
const MOST_CLOSING: usize = 16;

/// Somebody who waits for a name.
pub(super) struct Waiting {
    pub request: u64,
    pub name: String,
}

struct Answer {
    bytes: Vec<u8>,
    descriptor: Option<Arc<OwnedFd>>,
}

/// One connection.
pub(super) struct Member {
    pub channel: Channel,
    pub owner: Owner,
    pub waiting: Vec<Waiting>,
    /// What there was no room for. While there is anything, nothing is read from this client: so it is never much.
    unsent: VecDeque<Answer>,
    /// Whether the connection is over.
    pub is_gone: bool,
    /// One more holds it for each message of which something is being closed.
    closing: Arc<()>,
}

impl Member {
    pub fn new(channel: Channel, connection: u64) -> Member {
        let owner = Owner { connection, pid: channel.peer().pid };
        Member { channel, owner, waiting: Vec::new(), unsent: VecDeque::new(), is_gone: false, closing: Arc::default() }
    }

    /// Whether it does not read what it was told.
    pub fn is_behind(&self) -> bool {
        !self.unsent.is_empty()
    }

    /// Closes what it sent.
    pub fn close(&self, sent: Vec<OwnedFd>, closers: &Closers) {
        if !sent.is_empty() {
            closers.close((sent, self.closing.clone())); // dropped in this order
        }
    }

    /// Whether so much of what it sent is being closed that nothing is read from it meanwhile.
    pub fn is_burden(&self) -> bool {
        Arc::strong_count(&self.closing) > MOST_CLOSING
    }

    /// Whether the client has left, which nobody finds by reading while it [is a burden](Member::is_burden).
    pub fn has_left(&self) -> bool {
        self.is_burden() && self.channel.has_hung_up().unwrap_or(true)
    }

    /// Answers a call, now or when there is room.
    pub fn answer(&mut self, reply: &Reply, descriptor: Option<Arc<OwnedFd>>) {
        match message::write(reply) {
            Ok(bytes) => self.unsent.push_back(Answer { bytes, descriptor }),
            Err(_) => self.is_gone = true,
        }
        self.send();
    }

    /// Sends what there is room for.
    pub fn send(&mut self) {
        while let Some(answer) = self.unsent.front() {
            match self.try_send(answer) {
                Ok(true) => drop(self.unsent.pop_front()),
                Ok(false) => return,
                Err(_) => {
                    self.is_gone = true;
                    return;
                }
            }
        }
    }

    fn try_send(&self, answer: &Answer) -> Result<bool> {
        let descriptors: Vec<_> = answer.descriptor.iter().map(|fd| fd.as_fd()).collect();
        self.channel.try_send(&answer.bytes, &descriptors)
    }
}
