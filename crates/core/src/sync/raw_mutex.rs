//! A mutex without a guard. [`super::Mutex`] has one.

use super::mutex::{Locked, Owner};
use super::participant::Participant;
use crate::error::{Code, Error, Result};
use crate::region::Region;
use crate::roster::Holder;
use crate::wait::{Deadline, Patience, Woken, spin};
use std::sync::Arc;
use std::time::Duration;

/// How long one sleep may last before the kernel is asked whether the holder lives.
const SLICE: Duration = Duration::from_millis(50);

/// One participant of a mutex, which holds it or does not. Dropped, it leaves; what it holds then, it did not release.
#[derive(Debug)]
pub struct RawMutex {
    participant: Arc<Participant>,
    is_held: bool,
}

impl RawMutex {
    /// See [`Mutex::open`](super::Mutex::open).
    pub fn open(region: &Region, byte_offset: u64) -> Result<RawMutex> {
        Ok(RawMutex { participant: Arc::new(Participant::open(region, byte_offset)?), is_held: false })
    }

    /// What messages call it.
    pub fn title(&self) -> &str {
        &self.participant.title
    }

    /// The slot of this participant.
    pub fn slot(&self) -> u32 {
        self.participant.slot()
    }

    /// Whether this participant holds the mutex.
    pub fn is_held(&self) -> bool {
        self.is_held
    }

    /// What the word says now.
    pub fn owner(&self) -> Owner {
        self.participant.owner()
    }

    /// Who holds it, by its own words: for display. `None`: nobody.
    pub fn holder(&self) -> Option<Holder> {
        self.participant.holder()
    }

    /// Something to sleep with while this participant goes on, in another thread too.
    pub fn watcher(&self) -> MutexWatcher {
        MutexWatcher(self.participant.clone())
    }

    /// Takes the mutex if nobody who lives holds it. `woken`: after a sleep of its [`watcher`](Self::watcher).
    pub fn try_lock(&mut self, woken: bool) -> Result<Option<Locked>> {
        self.check_lockable()?;
        let locked = match self.participant.locker().try_lock(woken) {
            Ok(locked) => Some(locked),
            Err(seen) => self.participant.recover(seen)?,
        };
        self.accept(locked)
    }

    /// As [`try_lock`](Self::try_lock), and waits at most `slice` for whoever holds it.
    pub fn lock_within(&mut self, slice: Duration, woken: bool) -> Result<Option<Locked>> {
        self.check_lockable()?;
        let locked = self.wait(&Deadline::after(slice), woken)?;
        self.accept(locked)
    }

    /// Takes the mutex, waiting for whoever holds it for as long as the patience lasts.
    pub fn lock<'a>(&mut self, patience: impl Into<Patience<'a>>) -> Result<Locked> {
        let wait = patience.into().begin();
        let mut locked = self.try_lock(false)?;
        loop {
            if let Some(locked) = locked {
                return Ok(locked);
            }
            let missing = || self.holder().map_or("held by nobody any more".into(), |holder| format!("held by {holder}"));
            let slice = wait.slice(format_args!("lock the {}", self.title()), SLICE, missing)?;
            locked = self.lock_within(slice, false)?;
        }
    }

    fn check_lockable(&self) -> Result<()> {
        self.participant.check_own("lock")?;
        if self.is_held {
            return Err(Error::new(Code::AlreadyLocked, format!("lock the {}: this participant holds it already", self.title())));
        }
        Ok(())
    }

    fn wait(&self, deadline: &Deadline, mut woken: bool) -> Result<Option<Locked>> {
        let (participant, locker) = (&self.participant, self.participant.locker());
        if let Some(locked) = spin(|| locker.try_lock(woken).ok()) {
            return Ok(Some(locked));
        }
        let mut is_doubted = true;
        loop {
            match locker.try_lock(woken) {
                Ok(locked) => return Ok(Some(locked)),
                Err(seen) => participant.check_holder(seen)?,
            }
            let announced = locker.announce(); // also before it gives up: it may be the one that was woken, and others sleep on
            if is_doubted
                && let Some(seen) = announced
                && let Some(locked) = participant.recover(seen)?
            {
                return Ok(Some(locked));
            }
            let Some(left) = deadline.slice(SLICE) else { return Ok(None) };
            if let Some(announced) = announced {
                is_doubted = locker.sleep(announced, left) == Woken::TimedOut;
                woken = true;
            }
        }
    }

    /// Takes what was got, unless the words are zeros that stand for a page that is gone.
    fn accept(&mut self, locked: Option<Locked>) -> Result<Option<Locked>> {
        if let Err(error) = self.participant.check() {
            if locked.is_some() {
                self.participant.locker().unlock();
            }
            return Err(error);
        }
        if locked.is_some() {
            self.is_held = true;
            self.participant.name_self();
        }
        Ok(locked)
    }

    /// Releases it. Twice is once. [`Code::Truncated`], when it is released: another process cut the file short, so others may have had the mutex
    /// meanwhile. [`Code::Corrupt`]: the word says that somebody else holds it, and stays.
    pub fn unlock(&mut self) -> Result<()> {
        if !std::mem::take(&mut self.is_held) || self.participant.check_own("unlock").is_err() {
            return Ok(());
        }
        let participant = &self.participant;
        participant.check()?;
        participant.name_nobody();
        let seen = participant.owner(); // for the message
        if participant.locker().unlock() {
            return Ok(());
        }
        participant.check()?;
        Err(participant.corrupt(seen))
    }

    /// Lets go of it without having released it: the next one is told that it was recovered. Nothing if it is not held.
    pub fn abandon(&mut self) {
        if std::mem::take(&mut self.is_held) && self.participant.check_own("abandon").and_then(|()| self.participant.check()).is_ok() {
            self.participant.name_nobody();
            self.participant.locker().abandon();
        }
    }
}

impl Drop for RawMutex {
    fn drop(&mut self) {
        self.abandon();
        if self.participant.check_own("leave").is_ok() {
            self.participant.leave();
        }
    }
}

/// Sleeps for one participant.
#[derive(Debug)]
pub struct MutexWatcher(Arc<Participant>);

impl MutexWatcher {
    /// Whether it is worth trying again: whoever was `seen` to hold it does no longer, or the file was cut short.
    pub fn changed(&self, seen: Owner) -> bool {
        self.0.owner().number() != seen.number() || self.0.check().is_err()
    }

    /// Sleeps until it is worth trying again, at most `bound`; may return early for no reason. Whether the holder is gone. Then take the mutex as
    /// one who was woken, or [`interrupt`](Self::interrupt): the wake-up may have been meant for somebody else.
    pub fn sleep(&self, seen: Owner, bound: Duration) -> bool {
        let locker = self.0.locker();
        match locker.announce() {
            Some(announced) if announced.number() == seen.number() => {
                locker.sleep(announced, bound) == Woken::TimedOut && !self.0.is_alive(announced)
            }
            _ => false,
        }
    }

    /// Ends a sleep of this watcher early, and costs every other sleeper a look.
    pub fn interrupt(&self) {
        self.0.wake_all();
    }
}
