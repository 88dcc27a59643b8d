//! A participant of a mutex: what the library's own does, with the same steps.

use crate::arena::Party;
use crate::segment::BOUND;
use crate::value::{Value, whole};
use pagecast::roster::SlotBytes;
use pagecast::sync::{Locked, Locker};
use pagecast::wait::Woken;
use std::sync::atomic::Ordering;

pub struct Participant<'a> {
    party: &'a Party,
    number: u32,
}

impl<'a> Participant<'a> {
    /// With the first number that nobody has; `None`: there is none.
    pub fn attach(party: &'a Party) -> Option<Participant<'a>> {
        let slot = (0..party.arena.slots).find(|slot| party.try_hold_slot(*slot).unwrap())?;
        let participant = Participant::of(party, slot);
        participant.locker().attach();
        Some(participant)
    }

    /// One that has attached to that slot before.
    pub fn of(party: &'a Party, slot: u32) -> Participant<'a> {
        Participant { party, number: slot + 1 }
    }

    pub fn slot(&self) -> u32 {
        self.number - 1
    }

    fn locker(&self) -> Locker<'a, &'a Party> {
        Locker { words: &self.party.arena.words, number: self.number, park: self.party }
    }

    pub fn lock(&self) -> Locked {
        let locker = self.locker();
        let (mut woken, mut is_doubted) = (false, false);
        loop {
            if let Ok(locked) = locker.try_lock(woken) {
                return locked;
            }
            let Some(announced) = locker.announce() else { continue };
            if is_doubted && let Some(locked) = locker.recover(announced, self.party).unwrap() {
                return locked;
            }
            is_doubted = locker.sleep(announced, BOUND) == Woken::TimedOut;
            woken = true;
        }
    }

    pub fn unlock(&self) {
        assert!(self.locker().unlock(), "the word says who holds it");
    }

    /// One more, under the lock. What was left half changed is repaired by who is told of it, and seen by nobody else.
    pub fn count(&self) {
        let locked = self.lock();
        self.add(locked);
        self.unlock();
    }

    pub fn add(&self, locked: Locked) {
        let arena = &self.party.arena;
        let copy = arena.value.copy();
        if locked.recovered {
            arena.recoveries.fetch_add(1, Ordering::Relaxed);
        } else {
            whole(copy);
        }
        arena.value.write(copy[0] + 1);
    }

    /// Goes without having released it.
    pub fn abandon(&self) {
        assert!(self.locker().abandon(), "the word says who holds it");
    }
}
