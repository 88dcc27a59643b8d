//! A robust mutex: one at a time, no wake-up is lost, and whoever dies is inherited from once.

use crate::arena::{Arena, Party};
use crate::model::{at_every_step, model};
use crate::participant::Participant;
use crate::value::{Value, whole};
use loom::thread::{self, JoinHandle};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A process that has been attached since before the scenario began.
fn participant<T: 'static>(arena: &Arc<Arena>, life: impl FnOnce(&Party, &Participant<'_>) -> T + 'static) -> JoinHandle<T> {
    let party = Party::new(arena);
    let slot = Participant::attach(&party).expect("a free slot").slot();
    thread::spawn(move || life(&party, &Participant::of(&party, slot)))
}

fn counter(arena: &Arc<Arena>, times: u32) -> JoinHandle<()> {
    participant(arena, move |_, participant| (0..times).for_each(|_| participant.count()))
}

fn mortal_counter(arena: &Arc<Arena>, steps: u32) -> JoinHandle<bool> {
    participant(arena, move |party, participant| party.is_killed(steps, || participant.count()))
}

/// Dies holding the mutex, with half of the value changed.
fn leave_it_locked(arena: &Arc<Arena>) {
    let party = Party::new(arena);
    let participant = Participant::attach(&party).expect("a free slot");
    const HALFWAY: u32 = 2; // a load and an exchange, then half of the value
    assert!(party.is_killed(HALFWAY, || participant.count()));
    assert_ne!(arena.value.copy()[0], arena.value.copy()[1]);
}

/// One more comes when all are done, in the slot of one that is gone: if the value is half changed it is told.
fn succeed(arena: &Arc<Arena>) {
    let last = Party::new(arena);
    Participant::attach(&last).expect("the slot of one that is gone").count();
}

fn total(arena: &Arc<Arena>) -> u32 {
    whole(arena.value.copy())
}

fn count_to(participants: u32, times: u32) {
    let arena = Arena::new(participants);
    let others: Vec<_> = (1..participants).map(|_| counter(&arena, times)).collect();
    let party = Party::new(&arena);
    let participant = Participant::attach(&party).expect("a free slot");
    (0..times).for_each(|_| participant.count());
    others.into_iter().for_each(|other| other.join().unwrap());
    assert_eq!(total(&arena), 1 + participants * times);
    assert_eq!(arena.recoveries.load(Ordering::Relaxed), 0);
}

#[test]
fn of_two() {
    model(5, || count_to(2, 1));
}

#[test]
fn of_two_twice() {
    model(3, || count_to(2, 2));
}

/// The wake-up that one got is passed on to the next.
#[test]
fn of_three() {
    model(3, || count_to(3, 1));
}

#[test]
fn of_three_twice() {
    model(1, || count_to(3, 2));
}

/// One is killed before each of its steps; the others go on, and are told of it at most once.
fn one_dies(survivors: u32, steps: u32) -> bool {
    let arena = Arena::new(survivors + 1);
    let victim = mortal_counter(&arena, steps);
    let others: Vec<_> = (0..survivors).map(|_| counter(&arena, 1)).collect();
    let killed = victim.join().unwrap();
    others.into_iter().for_each(|other| other.join().unwrap());
    succeed(&arena);
    assert!(total(&arena) >= 2 + survivors);
    assert!(arena.recoveries.load(Ordering::Relaxed) <= u32::from(killed));
    killed
}

#[test]
fn whose_holder_dies_beside_one() {
    at_every_step(3, |steps| one_dies(1, steps));
}

#[test]
fn whose_holder_dies_beside_two() {
    at_every_step(1, |steps| one_dies(2, steps));
}

/// Two find it locked by one that is dead: one of them recovers it.
#[test]
fn that_two_recover() {
    model(3, || {
        let arena = Arena::new(3);
        leave_it_locked(&arena);
        let others = [counter_in(&arena, 1), counter_in(&arena, 2)];
        others.into_iter().for_each(|other| other.join().unwrap());
        assert_eq!(arena.recoveries.load(Ordering::Relaxed), 1);
        assert_eq!(total(&arena), 4);
    });
}

/// The slots before it are the dead's.
fn counter_in(arena: &Arc<Arena>, slot: u32) -> JoinHandle<()> {
    let party = Party::new(arena);
    thread::spawn(move || {
        use pagecast::roster::SlotBytes;
        assert!(party.try_hold_slot(slot).unwrap());
        Participant::of(&party, slot).count();
    })
}

/// The one that recovers it dies, too: the next one is told again if it did so holding the mutex.
#[test]
fn whose_heir_dies() {
    at_every_step(2, |steps| {
        let arena = Arena::new(3);
        leave_it_locked(&arena);
        let heir = {
            let party = Party::new(&arena);
            thread::spawn(move || {
                use pagecast::roster::SlotBytes;
                assert!(party.try_hold_slot(1).unwrap());
                party.is_killed(steps, || Participant::of(&party, 1).count())
            })
        };
        let other = counter_in(&arena, 2);
        let killed = heir.join().unwrap();
        other.join().unwrap();
        succeed(&arena);
        let recoveries = arena.recoveries.load(Ordering::Relaxed);
        assert!((1..=1 + u32::from(killed)).contains(&recoveries), "{recoveries} recoveries");
        assert!(total(&arena) >= 4);
        killed
    });
}

/// A newcomer gets the number of one that died holding it, while another one waits.
#[test]
fn whose_dead_holder_has_a_namesake() {
    model(3, || {
        let arena = Arena::new(2);
        leave_it_locked(&arena);
        let waiting = counter_in(&arena, 1);
        let party = Party::new(&arena);
        if let Some(newcomer) = Participant::attach(&party) {
            newcomer.count();
        }
        waiting.join().unwrap();
        assert_eq!(arena.recoveries.load(Ordering::Relaxed), 1);
        whole(arena.value.copy());
    });
}

/// The newcomer is killed before each of its steps, too.
#[test]
fn whose_dead_holder_has_a_namesake_that_dies() {
    at_every_step(2, |steps| {
        let arena = Arena::new(2);
        leave_it_locked(&arena);
        let waiting = counter_in(&arena, 1);
        let party = Party::new(&arena);
        let killed = party.is_killed(steps, || {
            if let Some(newcomer) = Participant::attach(&party) {
                newcomer.count();
            }
        });
        waiting.join().unwrap();
        succeed(&arena);
        let recoveries = arena.recoveries.load(Ordering::Relaxed);
        assert!((1..=1 + u32::from(killed)).contains(&recoveries), "{recoveries} recoveries");
        assert!(total(&arena) >= 4);
        killed
    });
}

/// Somebody leaves without having released it: the other one hears of it at once, and nobody else does.
#[test]
fn that_is_abandoned() {
    model(4, || {
        let arena = Arena::new(2);
        let other = counter(&arena, 2);
        let party = Party::new(&arena);
        let participant = Participant::attach(&party).expect("a free slot");
        let locked = participant.lock();
        participant.add(locked);
        participant.abandon();
        other.join().unwrap();
        let recoveries = arena.recoveries.load(Ordering::Relaxed);
        assert!(recoveries <= 1, "{recoveries} recoveries");
        assert_eq!(total(&arena), 4);
    });
}
