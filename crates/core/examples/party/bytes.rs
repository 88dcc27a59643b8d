//! A consumer of bytes: what it reads, and what it holds.

use crate::command::{Answer, Command};
use crate::race;
use crate::value::bytes_told;
use pagecast::RawConsumer;
use pagecast::publication::{Blocked, DEFAULT_TIMEOUT, Pinned};
use std::time::{Duration, Instant};

pub struct BytesConsumer {
    raw: RawConsumer,
    /// The value that is locked.
    held: Option<Pinned>,
}

impl BytesConsumer {
    pub fn new(raw: RawConsumer) -> BytesConsumer {
        BytesConsumer { raw, held: None }
    }

    pub fn raw(&self) -> &RawConsumer {
        &self.raw
    }

    pub fn obey(&mut self, command: &Command<'_>) -> Answer {
        let timeout = command.timeout()?;
        Ok(match command.verb {
            "read" if self.raw.slot().is_none() => self.copy(timeout, self.raw.layout().capacity as usize)?,
            "read" => {
                self.lock(timeout)?;
                let told = self.look();
                self.unlock();
                told?
            }
            "copy" => {
                let room = command.number_option("room")?.unwrap_or(self.raw.layout().capacity as usize);
                self.copy(timeout, room)?
            }
            "lock" => {
                self.lock(timeout)?;
                self.told()?
            }
            "tryLock" => {
                self.try_lock()?;
                if self.held.is_some() { self.told()? } else { "none".into() }
            }
            "look" => self.look()?,
            "unlock" => {
                self.unlock();
                "ok".into()
            }
            "total" => self.raw.peek()?.or_else(|_| self.raw.last())?.version.to_string(),
            "race" => race::consume(&mut self.raw, command)?,
            _ => command.unknown()?,
        })
    }

    /// Without a timeout only a write that is under way is waited for; with one, also a value where there is none.
    fn lock(&mut self, timeout: Option<Duration>) -> Answer<()> {
        self.held = Some(match timeout {
            None => self.raw.lock(DEFAULT_TIMEOUT)?,
            Some(timeout) => self.lock_before(Instant::now() + timeout)?,
        });
        Ok(())
    }

    fn lock_before(&mut self, end: Instant) -> Answer<Pinned> {
        loop {
            match self.raw.lock_within(end.saturating_duration_since(Instant::now()), false)? {
                Ok(pinned) => return Ok(pinned),
                Err(blocked @ (Blocked::Closed | Blocked::Replaced)) => return Err(blocked.error("lock", self.raw.publisher_pid()).into()),
                Err(blocked) if Instant::now() >= end => return Err(blocked.error("lock", self.raw.publisher_pid()).into()),
                Err(_) => {}
            }
        }
    }

    fn try_lock(&mut self) -> Answer<()> {
        match self.raw.try_lock(false)? {
            Err(blocked @ (Blocked::Closed | Blocked::Replaced)) => Err(blocked.error("tryLock", self.raw.publisher_pid()).into()),
            outcome => {
                self.held = outcome.ok();
                Ok(())
            }
        }
    }

    fn unlock(&mut self) {
        self.held = None;
        self.raw.unlock();
    }

    /// The value that is locked, as it is now.
    fn look(&self) -> Answer {
        let held = self.held.ok_or("nothing is locked")?;
        let mut value = vec![0; held.observation.byte_length];
        self.raw.get(0, &mut value)?;
        Ok(bytes_told(&value))
    }

    fn told(&self) -> Answer {
        let version = self.held.map_or(0, |held| held.observation.version);
        Ok(format!("{} version {version}", self.look()?))
    }

    fn copy(&self, timeout: Option<Duration>, room: usize) -> Answer {
        let mut value = vec![0; room];
        let mut outcome = self.raw.copy(&mut value, false)?;
        if outcome == Err(Blocked::Writing) {
            outcome = self.raw.copy_within(&mut value, timeout.unwrap_or(DEFAULT_TIMEOUT), false)?;
        }
        let observation = outcome.map_err(|blocked| blocked.error("copy", self.raw.publisher_pid()))?;
        Ok(bytes_told(&value[..observation.byte_length]))
    }
}
