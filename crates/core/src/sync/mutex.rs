//! The steps of a robust mutex (docs/protocol.md M1–M6). Nothing here blocks but [`Locker::sleep`], and that is bounded.
//!
//! One word says who holds it and whether somebody waits, and changes by exchange only: whoever lets go sees the flag of everybody who
//! sleeps, or the sleeper sees that the word has changed. So the word needs no order with another one; Acquire and Release are for what
//! the mutex guards.

use crate::primitive::{Ordering, Word};
use crate::roster::SlotBytes;
use crate::testing;
use crate::wait::{Park, Woken};
use std::time::Duration;

/// Attempts at one exchange before the word counts as nonsense: participants change it once at most while somebody is about it.
const ATTEMPTS: u32 = 64;

/// One cache line. All zeros: nobody holds it.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct MutexWords {
    /// See [`Owner`]. The futex of those who wait.
    pub owner: Word,
    /// Of the process that holds it, for display only; 0 in the instant in which nobody knows.
    pub owner_pid: Word,
}

/// What the word says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner(pub u32);

impl Owner {
    /// Somebody sleeps until the holder lets go.
    pub const WAITERS: u32 = 1 << 31;
    /// Nobody holds it, and whoever did last has not released it.
    pub const DIED: u32 = 1 << 30;

    /// The number of the participant that holds it, one more than its slot; 0: nobody.
    #[inline]
    pub fn number(self) -> u32 {
        self.0 & !(Owner::WAITERS | Owner::DIED)
    }

    /// The slot of the participant that holds it.
    #[inline]
    pub fn slot(self) -> Option<u32> {
        self.number().checked_sub(1)
    }

    fn has(self, flag: u32) -> bool {
        self.0 & flag != 0
    }
}

/// The mutex was got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Locked {
    /// Whether the last one who held it ended without releasing it: what it guards may be half changed.
    pub recovered: bool,
}

/// A participant's side of a mutex.
#[derive(Clone, Copy, Debug)]
pub struct Locker<'a, P> {
    /// The mutex.
    pub words: &'a MutexWords,
    /// The participant's number: it holds the byte of the slot before.
    pub number: u32,
    /// How to sleep and wake.
    pub park: P,
}

impl<P: Park> Locker<'_, P> {
    /// Makes the number this participant's (M1). The caller has just taken the byte: whoever had the number before is gone, and if the
    /// word says that he holds the mutex, he did not release it.
    pub fn attach(&self) {
        self.abandon();
    }

    /// Takes the mutex if nobody holds it (M2). `woken`: after a sleep, so perhaps others sleep on, and only the flag has them woken.
    /// `Err`: who holds it; nobody, if the word never stays the same.
    #[inline]
    pub fn try_lock(&self, woken: bool) -> Result<Locked, Owner> {
        if testing::exclusion_off() {
            return Ok(Locked { recovered: false });
        }
        let owner = &self.words.owner;
        let mut seen = Owner(owner.load(Ordering::Relaxed)); // Relaxed: only a guess, the exchange decides
        for _ in 0..ATTEMPTS {
            if seen.number() != 0 {
                break;
            }
            let mine = self.number | if woken { Owner::WAITERS } else { 0 };
            // Acquire: what was done under the mutex before comes along
            match owner.compare_exchange(seen.0, mine, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return Ok(Locked { recovered: seen.has(Owner::DIED) }),
                Err(now) => seen = Owner(now),
            }
        }
        Err(seen)
    }

    /// Says that somebody waits (M3), and what the word is then. `None`: nobody holds it, or the word has just changed.
    pub fn announce(&self) -> Option<Owner> {
        let owner = &self.words.owner;
        let seen = Owner(owner.load(Ordering::Relaxed));
        let announced = Owner(seen.0 | Owner::WAITERS);
        let exchange = || owner.compare_exchange(seen.0, announced.0, Ordering::Relaxed, Ordering::Relaxed);
        (seen.number() != 0 && (seen == announced || exchange().is_ok())).then_some(announced)
    }

    /// Sleeps until the word is no longer what was announced, at most `bound`. An early return means nothing: look again, and take the mutex
    /// as one who was woken.
    pub fn sleep(&self, announced: Owner, bound: Duration) -> Woken {
        self.park.wait(&self.words.owner, announced.0, bound)
    }

    /// Lets go (M4). False: the word does not say that this participant holds the mutex, and stays as it is.
    #[inline]
    pub fn unlock(&self) -> bool {
        testing::exclusion_off() || self.leave(0)
    }

    /// Lets go of what was not released: the next one hears of it. False as for [`unlock`](Self::unlock).
    pub fn abandon(&self) -> bool {
        self.leave(Owner::DIED)
    }

    fn leave(&self, left: u32) -> bool {
        let Some(was) = self.replace(self.number, left, Ordering::Release) else { return false }; // what was done under it goes along
        if was.has(Owner::WAITERS) {
            self.park.wake_one(&self.words.owner);
        }
        true
    }

    /// Takes the mutex from a holder that is gone (M5). `None`: it lives, or somebody else is about it, or it does not hold the mutex.
    pub fn recover<B: SlotBytes>(&self, dead: Owner, bytes: &B) -> Result<Option<Locked>, B::Error> {
        let Some(slot) = dead.slot() else { return Ok(None) };
        if !bytes.try_hold_slot(slot)? {
            return Ok(None);
        }
        // Only while this participant holds that byte itself can nobody else get the number. With the flag: others may sleep already.
        // Relaxed: the byte went from the dead one to this one, and everything it stored before came along.
        let taken = self.replace(dead.number(), self.number | Owner::WAITERS, Ordering::Relaxed);
        let released = bytes.release_slot(slot);
        if taken.is_some() { Ok(Some(Locked { recovered: true })) } else { released.map(|()| None) }
    }

    /// Puts `next` in the place of a holder, whoever waits for him. What the word was; `None`: somebody else holds it, or nobody.
    fn replace(&self, holder: u32, next: u32, order: Ordering) -> Option<Owner> {
        let owner = &self.words.owner;
        let mut seen = Owner(owner.load(Ordering::Relaxed));
        for _ in 0..ATTEMPTS {
            if seen.number() != holder {
                break;
            }
            match owner.compare_exchange(seen.0, next, order, Ordering::Relaxed) {
                Ok(_) => return Some(seen),
                Err(now) => seen = Owner(now),
            }
        }
        None
    }
}
