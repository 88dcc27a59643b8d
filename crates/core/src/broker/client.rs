//! The side of a broker's client that blocks.

use super::message::{self, Call, Entry, Greeting, Refusal, Reply, Request, VERSION};
use crate::channel::{Channel, Message, RETRY};
use crate::error::{Code, Error, Result};
use crate::region::{MapOptions, Region, Seals, Source};
use crate::segment::Name;
use crate::sys;
use crate::wait::{Patience, Wait};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

/// Of a memfd's label at most 249 bytes fit, and a character has at most 4.
const LABEL: usize = 60;

/// How [`BrokerClient::connect`] connects.
#[derive(Clone, Debug, Default)]
pub struct ConnectOptions {
    /// Users whose broker is trusted, besides this process's own and root: any other one is [`Code::Permission`]. Default: none.
    pub uids: Vec<u32>,
    /// Whether to wait until a broker listens. Default false: then it is [`Code::NotFound`].
    pub wait: bool,
}

/// What [`BrokerClient::allocate`] makes.
#[derive(Clone, Copy, Debug)]
pub struct Allocation {
    /// Bytes.
    pub byte_length: u64,
    /// Whether the name stays when this client is gone, until somebody frees it. Default false.
    pub keep: bool,
    /// Whether its room is taken at once. Default true.
    pub reserve: bool,
}

impl Allocation {
    /// The default.
    pub fn new(byte_length: u64) -> Allocation {
        Allocation { byte_length, keep: false, reserve: true }
    }
}

/// A connection to a broker. What it allocated and shared is its own: dropped, or when the process ends in whatever way, its names go, but for
/// those that are kept; who has their memory mapped keeps that.
///
/// Every call is [`Code::BrokerGone`] once the broker is gone. A new one knows no names: connect again, and [`BrokerClient::share`] what you hold.
#[derive(Debug)]
pub struct BrokerClient {
    channel: Channel,
    calls: u64,
}

impl BrokerClient {
    /// Connects, and waits for the greeting. [`Code::NotFound`] if nobody listens; [`Code::Permission`] if either user may not; [`Code::BrokerLimit`] if
    /// there are too many; [`Code::BadMessage`] if what listens is no broker.
    pub fn connect<'a>(path: &Path, options: &ConnectOptions, patience: impl Into<Patience<'a>>) -> Result<BrokerClient> {
        let what = format!("connect to {}", path.display());
        let waiting = patience.into().begin();
        loop {
            match BrokerClient::connect_once(&what, path, options, &waiting) {
                // one that is just being killed accepts still
                Err(error) if options.wait && error.code() == Code::BrokerGone => {
                    std::thread::sleep(waiting.slice(&what, RETRY, || "the last one was gone before it greeted")?);
                }
                other => return other,
            }
        }
    }

    fn connect_once(what: &str, path: &Path, options: &ConnectOptions, waiting: &Wait<'_>) -> Result<BrokerClient> {
        let channel = Channel::connect_within(path, options.wait, waiting)?;
        let uid = channel.peer().uid;
        if ![0, sys::user()].contains(&uid) && !options.uids.contains(&uid) {
            return Err(Error::new(Code::Permission, format!("{what}: its broker is user {uid}, none of those that are trusted")));
        }
        let greeting = channel.receive_within(what, waiting, "and the broker did not greet")?.ok_or_else(|| gone(what))?;
        if let Ok(refusal) = serde_json::from_slice::<Refusal>(&greeting.bytes) {
            return Err(refusal.into_error(what));
        }
        let Greeting { broker, .. } = message::read(what, &greeting.bytes)?;
        if broker != VERSION {
            return Err(Error::new(Code::BadMessage, format!("{what}: a broker of version {broker}, expected {VERSION}")));
        }
        Ok(BrokerClient { channel, calls: 0 })
    }

    /// Makes shared memory, which nobody can make shorter or longer, under a name; mapped. Who waits for the name gets it at once, full of zeros: what
    /// is to be found complete is filled first, and then given to [`BrokerClient::share`].
    ///
    /// [`Code::AlreadyExists`], [`Code::BrokerLimit`], [`Code::NoSpace`]; then nothing is left of it.
    pub fn allocate<'a>(&mut self, name: &str, allocation: &Allocation, patience: impl Into<Patience<'a>>) -> Result<Region> {
        Name::new(name, None)?;
        let &Allocation { byte_length, keep, reserve } = allocation;
        let options = MapOptions {
            byte_length: Some(byte_length),
            reserve: Some(reserve),
            subject: Some(name.into()),
            ..MapOptions::new(Source::Memory(name.chars().take(LABEL).collect()))
        };
        let mut region = Region::map(&options)?;
        region.seal(Seals::SHRINK | Seals::GROW)?;
        self.share(name, region.descriptor()?, keep, patience)?;
        Ok(region)
    }

    /// Gives shared memory that is there a name: a memfd, or an object of /dev/shm. The broker has a descriptor of its own from then on.
    ///
    /// [`Code::AlreadyExists`], [`Code::BrokerLimit`]; [`Code::InvalidArgument`] for what is no shared memory.
    pub fn share<'a>(&mut self, name: &str, descriptor: BorrowedFd<'_>, keep: bool, patience: impl Into<Patience<'a>>) -> Result<()> {
        let call = Call::Share { name: name.into(), keep };
        self.call(&format!("share {name:?}"), name, call, &[descriptor], &patience.into().begin()).map(drop)
    }

    /// What has the name, to be mapped as [`Source::Descriptor`]. [`Code::NotFound`] if nothing has; with `wait`, it waits until something does.
    pub fn get<'a>(&mut self, name: &str, wait: bool, patience: impl Into<Patience<'a>>) -> Result<OwnedFd> {
        let what = format!("get {name:?}");
        let (_, descriptors) = self.call(&what, name, Call::Get { name: name.into(), wait }, &[], &patience.into().begin())?;
        let first = descriptors.into_iter().next();
        first.ok_or_else(|| Error::new(Code::BadMessage, format!("{what}: the broker's answer has no descriptor")))
    }

    /// Takes a name away. Who has the memory keeps it. [`Code::NotFound`]; [`Code::Permission`] if it is another client's that is there, and not kept.
    pub fn free<'a>(&mut self, name: &str, patience: impl Into<Patience<'a>>) -> Result<()> {
        self.call(&format!("free {name:?}"), name, Call::Free { name: name.into() }, &[], &patience.into().begin()).map(drop)
    }

    /// All names, in order.
    pub fn list<'a>(&mut self, patience: impl Into<Patience<'a>>) -> Result<Vec<Entry>> {
        let waiting = patience.into().begin();
        let mut all: Vec<Entry> = Vec::new();
        loop {
            let after = all.last().map(|last| last.name.clone()).unwrap_or_default();
            let (reply, _) = self.call("list", "list", Call::List { after: after.clone() }, &[], &waiting)?;
            let entries = reply.entries.unwrap_or_default();
            let goes_on = reply.more && entries.last().is_some_and(|last| last.name > after);
            all.extend(entries);
            if !goes_on {
                return Ok(all);
            }
            waiting.slice("list", Duration::MAX, || "and the broker goes on")?;
        }
    }

    fn call(
        &mut self,
        what: &str,
        name: &str,
        call: Call,
        descriptors: &[BorrowedFd<'_>],
        waiting: &Wait<'_>,
    ) -> Result<(Reply, Vec<OwnedFd>)> {
        Name::new(name, None)?;
        self.calls += 1;
        let id = self.calls;
        let answered = self.ask(what, Request { id, call }, descriptors, waiting);
        if matches!(&answered, Err(error) if matches!(error.code(), Code::Timeout | Code::Aborted)) {
            // what comes too late is thrown away by the next call
            let _ = message::write(&Request { id, call: Call::Cancel }).and_then(|bytes| self.channel.try_send(&bytes, &[]));
        }
        let (reply, descriptors) = answered?;
        match reply.refusal {
            Some(refusal) => Err(refusal.into_error(what)),
            None => Ok((reply, descriptors)),
        }
    }

    fn ask(&mut self, what: &str, request: Request, descriptors: &[BorrowedFd<'_>], waiting: &Wait<'_>) -> Result<(Reply, Vec<OwnedFd>)> {
        let told = |error: Error| if error.code() == Code::PeerGone { gone(what) } else { error };
        let mut missing = "and the broker did not answer";
        let unread = "and the broker does not read";
        self.channel.send_within(what, &message::write(&request)?, descriptors, waiting, unread).map_err(told)?;
        // a broker that lets one wait is silent, as one is that does not answer: a call for a name that nothing can have tells which it is
        let other = matches!(request.call, Call::Get { wait: true, .. })
            .then(|| Request { id: self.calls + 1, call: Call::Get { name: String::new(), wait: false } });
        if let Some(other) = &other {
            self.calls = other.id;
            // nothing depends on its being heard
            let _ = self.channel.try_send(&message::write(other)?, &[]);
        }
        loop {
            let received = self.channel.receive_within(what, waiting, missing).map_err(told)?;
            let Message { bytes, descriptors } = received.ok_or_else(|| gone(what))?;
            let reply: Reply = message::read(what, &bytes)?;
            if reply.id == request.id || reply.id == 0 {
                return Ok((reply, descriptors));
            }
            if other.as_ref().is_some_and(|other| other.id == reply.id) {
                missing = "and nobody gave it that name";
            }
            // it may talk of other things for ever
            waiting.slice(what, Duration::MAX, || missing)?;
        }
    }
}

fn gone(what: &str) -> Error {
    Error::new(Code::BrokerGone, format!("{what}: the broker is gone, or ended the connection"))
}
