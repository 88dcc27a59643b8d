//! The thread of a broker: it waits for whatever comes first, and for nobody in particular.

use super::BrokerOptions;
use super::closing::Closers;
use super::member::{MOST_WAITING, Member, Waiting};
use super::message::{self, Call, Greeting, MOST_BYTES, Refusal, Reply, Request, VERSION};
use super::table::{Limits, Table, missing};
use crate::channel::{Channel, Listener, Look, Message};
use crate::error::{Code, Error, Result};
use crate::sys::{self, Interest};
use std::io::PipeReader;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

/// Most messages that are read from a client before the others have their turn, and most clients that are accepted.
const TURN: usize = 16;

/// How long nobody is accepted after there was no descriptor left for it, or too much to be closed.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) struct Server {
    listener: Listener,
    stopped: PipeReader,
    uids: Vec<u32>,
    limits: Limits,
    table: Table,
    closers: Closers,
    members: Vec<Member>,
    /// How many there have been.
    connections: u64,
    /// Whether accepting has to wait.
    is_full: bool,
}

impl Server {
    pub fn new(listener: Listener, stopped: PipeReader, closers: Closers, options: &BrokerOptions) -> Server {
        let uids = options.uids.iter().copied().chain([0, sys::user()]).collect();
        let (limits, table) = (options.limits, Table::new(options.limits));
        Server { listener, stopped, uids, limits, table, closers, members: Vec::new(), connections: 0, is_full: false }
    }

    /// Serves until it is told to end.
    pub fn run(mut self) {
        while let Some(ready) = self.wait() {
            if ready.first() == Some(&true) {
                break;
            }
            self.is_full = self.closers.are_full();
            if ready.get(1) == Some(&true) {
                self.accept(TURN);
            }
            for (index, _) in ready.iter().skip(2).enumerate().filter(|(_, is_ready)| **is_ready) {
                self.attend(index);
            }
            self.part();
        }
        self.listener.shut_down(); // or there may be ever more of those
        self.accept(usize::MAX); // who was not, and has sent something already
        self.members.iter_mut().for_each(|member| member.is_gone = true);
        self.part();
        // who was not accepted may have sent something already
        self.closers.close(self.listener.give_up());
    }

    /// Which are ready: who ends this, who connects, and each client. `None` where the system fails.
    fn wait(&self) -> Option<Vec<bool>> {
        let stopped = self.stopped.as_fd();
        let connecting = if self.is_full { stopped } else { self.listener.descriptor() };
        let burdens: Vec<bool> = self.members.iter().map(Member::is_burden).collect();
        // what is not going to be read now is not to end the wait, either
        let interest = |member: &Member| if member.is_behind() { Interest::WRITES } else { Interest::READS };
        let members = self.members.iter().zip(&burdens).map(|(member, is_burden)| match is_burden {
            true => (stopped, Interest::READS),
            false => (member.channel.descriptor(), interest(member)),
        });
        let others = [(stopped, Interest::READS), (connecting, Interest::READS)];
        let all: Vec<(BorrowedFd<'_>, Interest)> = others.into_iter().chain(members).collect();
        let pauses = self.is_full || burdens.contains(&true);
        sys::wait_until_ready(&all, pauses.then_some(PAUSE)).ok()
    }

    /// Accepts who waits for it, at most so many.
    fn accept(&mut self, most: usize) {
        for _ in 0..most {
            if self.is_full {
                return;
            }
            match self.listener.try_accept() {
                Ok(Some(channel)) => self.admit(channel),
                Ok(None) => return,
                Err(_) => self.is_full = true,
            }
        }
    }

    fn admit(&mut self, channel: Channel) {
        let checked = self.check(&channel);
        let first = match &checked {
            Ok(()) => message::write(&Greeting { broker: VERSION, pid: std::process::id() }),
            Err(error) => message::write(&Refusal::of(error)),
        };
        let sent = first.and_then(|bytes| channel.try_send(&bytes, &[]));
        if checked.is_ok() && matches!(sent, Ok(true)) {
            self.connections += 1;
            self.members.push(Member::new(channel, self.connections));
        } else {
            self.dismiss(channel);
            self.is_full = self.closers.are_full();
        }
    }

    /// Ends a connection. Descriptors may be among what was not read, whatever the connection seems to be at.
    fn dismiss(&self, channel: Channel) {
        channel.shut_down();
        self.closers.close(channel);
    }

    fn check(&self, channel: &Channel) -> Result<()> {
        let (uid, most) = (channel.peer().uid, self.limits.max_clients);
        if !self.uids.contains(&uid) {
            return Err(Error::new(Code::Permission, format!("user {uid} is none of those that may connect")));
        }
        if self.members.len() >= most {
            return Err(Error::new(Code::BrokerLimit, format!("{most} clients are connected, the most that may be")));
        }
        Ok(())
    }

    /// A client has something to say, or room for an answer.
    fn attend(&mut self, index: usize) {
        self.members[index].send();
        for _ in 0..TURN {
            let member = &mut self.members[index];
            if member.is_gone || member.is_behind() || member.is_burden() {
                return;
            }
            match member.channel.try_receive_any() {
                Ok((Look::Nothing, _)) => return,
                Ok((Look::Message(message), is_cut)) => self.hear(index, message, is_cut),
                Ok((Look::End, _)) | Err(_) => member.is_gone = true,
            }
        }
    }

    fn hear(&mut self, index: usize, Message { bytes, mut descriptors }: Message, is_cut: bool) {
        let request = if is_cut || bytes.len() > MOST_BYTES || descriptors.len() > 1 {
            Err(Error::new(Code::BadMessage, format!("{} bytes and {} descriptors are no call", bytes.len(), descriptors.len())))
        } else {
            message::read::<Request>("call", &bytes)
        };
        match request {
            Ok(Request { id, call }) => self.serve(index, id, call, descriptors.pop()),
            // what does not keep to the form is not listened to any longer
            Err(error) => {
                let member = &mut self.members[index];
                member.close(descriptors, &self.closers);
                let refusal = Some(Refusal::of(&error));
                member.answer(&Reply { refusal, ..Reply::default() }, None);
                member.is_gone = true;
            }
        }
    }

    fn serve(&mut self, index: usize, id: u64, call: Call, mut descriptor: Option<OwnedFd>) {
        let owner = self.members[index].owner;
        let mut reply = Reply { id, ..Reply::default() };
        let answered = match call {
            Call::Share { name, keep } => self.table.add(&name, &mut descriptor, owner, id, keep).map(|()| {
                self.tell(&name);
                Some(None)
            }),
            Call::Get { name, wait } => self.get(index, id, name, wait).map(|found| found.map(Some)),
            Call::Free { name } => self.table.free(&name, owner).map(|()| Some(None)),
            Call::List { after } => {
                let (entries, more) = self.table.list(&after);
                (reply.entries, reply.more) = (Some(entries), more);
                Ok(Some(None))
            }
            Call::Cancel => {
                self.members[index].waiting.retain(|waiting| waiting.request != id);
                self.table.cancel(owner, id);
                Ok(None)
            }
        };
        self.members[index].close(descriptor.into_iter().collect(), &self.closers); // what nobody asked for
        match answered {
            Ok(None) => {} // it waits
            Ok(Some(found)) => self.members[index].answer(&reply, found),
            Err(error) => {
                reply.refusal = Some(Refusal::of(&error));
                self.members[index].answer(&reply, None);
            }
        }
    }

    /// What has the name; `None` if that is to be waited for.
    fn get(&mut self, index: usize, request: u64, name: String, wait: bool) -> Result<Option<Arc<OwnedFd>>> {
        let waiting = &mut self.members[index].waiting;
        match self.table.get(&name) {
            Some(found) => Ok(Some(found)),
            None if !wait => Err(missing()),
            None if waiting.len() >= MOST_WAITING => {
                Err(Error::new(Code::BrokerLimit, format!("{MOST_WAITING} calls of this client wait already")))
            }
            None => {
                waiting.push(Waiting { request, name });
                Ok(None)
            }
        }
    }

    /// Whoever waits for a name that came gets it.
    fn tell(&mut self, name: &str) {
        let Some(fd) = self.table.get(name) else { return };
        for member in &mut self.members {
            let (told, waiting) = std::mem::take(&mut member.waiting).into_iter().partition(|waiting| waiting.name == name);
            member.waiting = waiting;
            let told: Vec<Waiting> = told;
            for Waiting { request, .. } in told {
                member.answer(&Reply { id: request, ..Reply::default() }, Some(fd.clone()));
            }
        }
    }

    /// Who is gone takes along what was its own.
    fn part(&mut self) {
        let gone: Vec<Member> = self.members.extract_if(.., |member| member.is_gone || member.has_left()).collect();
        for member in gone {
            self.table.forsake(member.owner);
            self.dismiss(member.channel);
        }
    }
}
