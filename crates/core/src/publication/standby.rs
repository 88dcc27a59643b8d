//! Waiting to become the publisher as soon as the living one is gone.

use super::attachment::publisher_pid;
use crate::error::Result;
use crate::roster::{Byte, LockFile};
use crate::segment::{Location, Segment};
use crate::sys::{self, Identity};
use std::time::Duration;

/// How often the kernel is asked whether the publisher lives.
///
/// Nothing wakes another process when a byte comes free. A death touches no word that one could sleep on; F_OFD_SETLKW sleeps until
/// then, but only a signal ends that sleep early, and signals are the program's own. A sleep on the state word would cost the living publisher a
/// system call for each value. So the kernel is asked, which takes it a microsecond: time only decides when.
pub const STANDBY_INTERVAL: Duration = Duration::from_millis(5);

/// Tells when it is worth trying to become the publisher of a name, or of a descriptor's file.
///
/// Who tries does so through the name, as every creator does, and never through the file that was watched: a segment that was replaced
/// meanwhile has a byte that anybody can take, and no name that anybody would find its values under.
#[derive(Debug)]
pub struct Standby {
    at: Location,
    /// What the name led to when it was looked at last. Its locks are asked for, never taken.
    watched: Option<(Identity, LockFile)>,
}

impl Standby {
    /// Watches a name, where nothing need be, or a file.
    pub fn new(at: impl Into<Location>) -> Standby {
        Standby { at: at.into(), watched: None }
    }

    /// Asks whether no living publisher has the name. True also where it cannot be told: whoever tries then learns why.
    pub fn is_vacant(&mut self) -> bool {
        self.is_held().is_ok_and(|held| !held) || self.watched.is_none()
    }

    fn is_held(&mut self) -> Result<bool> {
        if self.watched.as_ref().map(|(identity, _)| *identity) != self.identify() {
            self.watched = self.look();
        }
        self.watched.as_ref().map_or(Ok(false), |(_, locks)| locks.is_held(Byte::Publisher))
    }

    fn identify(&self) -> Option<Identity> {
        match &self.at {
            Location::Named(name) => sys::identify(name.path()).ok(),
            Location::Descriptor { fd, .. } => Some(sys::describe(fd).ok()?.0),
            Location::Memory(_) => None,
        }
    }

    fn look(&self) -> Option<(Identity, LockFile)> {
        let opened;
        let file = match &self.at {
            Location::Named(name) => {
                opened = sys::open_object(name.path(), true).ok()?;
                opened.file()
            }
            Location::Descriptor { fd, .. } => fd,
            Location::Memory(_) => return None,
        };
        let (identity, _) = sys::describe(file).ok()?;
        Some((identity, LockFile::reopen(file, true).ok()?))
    }

    /// The process id that the living publisher gave; for display.
    pub fn publisher_pid(&self) -> Option<u32> {
        publisher_pid(&Segment::open(&self.at, true).ok()?)
    }

    /// Who is waited for, in words.
    pub(super) fn waited_for(&self) -> String {
        match self.publisher_pid() {
            Some(pid) => format!("the publisher (pid {pid}) lives"),
            None => "another publisher lives".into(),
        }
    }
}
