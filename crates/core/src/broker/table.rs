//! What there is, by name, and whose it is.

use super::message::{Entry, MOST_ENTRIES};
use crate::error::{Code, Error, Result, grouped};
use crate::segment::Name;
use crate::sys::{self, FileKind};
use std::collections::BTreeMap;
use std::ops::Bound;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

/// What the clients of a broker may take, so that none of them uses up the machine.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of all objects together, as long as they are when one is added. Default 1 GiB.
    pub max_bytes: u64,
    /// Names in all; each costs the broker a descriptor. Default 512.
    pub max_names: usize,
    /// Names of one client. Default 128.
    pub max_names_per_client: usize,
    /// Clients at once. Default 128.
    pub max_clients: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { max_bytes: 1 << 30, max_names: 512, max_names_per_client: 128, max_clients: 128 }
    }
}

/// One connection, for as long as the broker runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    pub connection: u64,
    pub pid: u32,
}

struct Object {
    fd: Arc<OwnedFd>,
    /// `None` once it is gone.
    owner: Option<Owner>,
    /// The call that brought it.
    request: u64,
    keep: bool,
}

pub(super) struct Table {
    objects: BTreeMap<String, Object>,
    limits: Limits,
}

impl Table {
    pub fn new(limits: Limits) -> Table {
        Table { objects: BTreeMap::new(), limits }
    }

    /// Takes an object in; what is refused stays where it is.
    pub fn add(&mut self, name: &str, sent: &mut Option<OwnedFd>, owner: Owner, request: u64, keep: bool) -> Result<()> {
        Name::new(name, None)?;
        let fd = sent.as_ref().ok_or_else(|| Error::new(Code::BadMessage, "there is no descriptor"))?;
        let byte_length = shared_length(fd)?;
        if let Some(taken) = self.objects.get(name) {
            let whose = taken.owner.map_or("kept".into(), |owner| format!("of pid {}", owner.pid));
            return Err(Error::new(Code::AlreadyExists, format!("there is one, {whose}")));
        }
        self.check(byte_length, owner)?;
        if let Some(fd) = sent.take() {
            self.objects.insert(name.into(), Object { fd: Arc::new(fd), owner: Some(owner), request, keep });
        }
        Ok(())
    }

    fn check(&self, byte_length: u64, owner: Owner) -> Result<()> {
        let Limits { max_bytes, max_names, max_names_per_client, .. } = self.limits;
        let refused = |fact: String| Err(Error::new(Code::BrokerLimit, fact));
        let own = self.objects.values().filter(|object| object.owner == Some(owner)).count();
        if own >= max_names_per_client {
            return refused(format!("this client has {own} names, the most that one may have"));
        }
        if self.objects.len() >= max_names {
            return refused(format!("there are {max_names} names, the most that there may be"));
        }
        let taken = self.objects.values().fold(0, |sum: u64, object| sum.saturating_add(length(&object.fd)));
        if taken.saturating_add(byte_length) > max_bytes {
            let [asked, taken, most] = [byte_length, taken, max_bytes].map(grouped);
            return refused(format!("{asked} bytes, and {taken} of the {most} that there may be are taken"));
        }
        Ok(())
    }

    pub fn get(&self, name: &str) -> Option<Arc<OwnedFd>> {
        self.objects.get(name).map(|object| object.fd.clone())
    }

    /// Takes a name away: its owner may, and of what is kept everybody.
    pub fn free(&mut self, name: &str, asking: Owner) -> Result<()> {
        let object = self.objects.get(name).ok_or_else(missing)?;
        match object.owner {
            Some(owner) if owner != asking && !object.keep => {
                Err(Error::new(Code::Permission, format!("it belongs to pid {}, and goes with it", owner.pid)))
            }
            _ => {
                self.objects.remove(name);
                Ok(())
            }
        }
    }

    /// Undoes what a call of a client's brought.
    pub fn cancel(&mut self, asking: Owner, request: u64) {
        self.objects.retain(|_, object| object.owner != Some(asking) || object.request != request);
    }

    /// A client is gone: what is its own goes, too.
    pub fn forsake(&mut self, gone: Owner) {
        self.objects.retain(|_, object| object.keep || object.owner != Some(gone));
        for object in self.objects.values_mut().filter(|object| object.owner == Some(gone)) {
            object.owner = None;
        }
    }

    /// The first names after one, and whether there are more.
    pub fn list(&self, after: &str) -> (Vec<Entry>, bool) {
        let mut rest = self.objects.range::<str, _>((Bound::Excluded(after), Bound::Unbounded));
        let entries = rest.by_ref().take(MOST_ENTRIES).map(|(name, object)| Entry {
            name: name.clone(),
            byte_length: length(&object.fd),
            pid: object.owner.map(|owner| owner.pid),
            keep: object.keep,
        });
        let entries = entries.collect();
        (entries, rest.next().is_some())
    }
}

pub(super) fn missing() -> Error {
    Error::new(Code::NotFound, "there is no such name")
}

/// Only shared memory is taken in. The kernel tells by its seals, without asking a filesystem, which might be another process that does not answer.
fn shared_length(fd: &OwnedFd) -> Result<u64> {
    let refused = |fact| Error::new(Code::InvalidArgument, fact);
    sys::seals_of(fd.as_fd()).map_err(|_| refused("it is no shared memory, as memfds and objects in /dev/shm are"))?;
    match sys::inspect(fd) {
        Ok((_, FileKind::Regular(size))) if size > 0 => Ok(size),
        _ => Err(refused("it is empty")),
    }
}

fn length(fd: &OwnedFd) -> u64 {
    match sys::inspect(fd) {
        Ok((_, FileKind::Regular(size))) => size,
        _ => 0,
    }
}
