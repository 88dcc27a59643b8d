//! A client as the broker sees it.

use super::message::{self, Reply};
use super::table::Owner;
use crate::channel::Channel;
use crate::error::Result;
use std::collections::VecDeque;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

/// Most calls of one client that wait for a name.
pub(super) const MOST_WAITING: usize = 64;

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
    /// Whether all it said was heard.
    pub is_heard: bool,
}

impl Member {
    pub fn new(channel: Channel, connection: u64) -> Member {
        let owner = Owner { connection, pid: channel.peer().pid };
        Member { channel, owner, waiting: Vec::new(), unsent: VecDeque::new(), is_gone: false, is_heard: false }
    }

    /// Whether it does not read what it was told.
    pub fn is_behind(&self) -> bool {
        !self.unsent.is_empty()
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
