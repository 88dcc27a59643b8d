//! The model of `SeqCst` itself: small programs and what C++ allows them, before anything is believed that rests on it.

use crate::model::observe;
use loom::sync::Arc;
use loom::thread;
use pagecast::primitive::Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst};
use pagecast::primitive::Word;

/// Two words, two threads: each stores to its word and loads the other's. Can both miss the other's store?
fn both_miss(stores: [Ordering; 2], loads: [Ordering; 2]) -> bool {
    observe(move || {
        let words = Arc::new([Word::new(0), Word::new(0)]);
        let other = words.clone();
        let thread = thread::spawn(move || {
            other[1].store(1, stores[1]);
            other[0].load(loads[1])
        });
        words[0].store(1, stores[0]);
        let seen = words[1].load(loads[0]);
        seen == 0 && thread.join().unwrap() == 0
    })
}

#[test]
fn of_two_that_store_and_then_load_one_sees_the_other_if_all_is_seq_cst() {
    assert!(!both_miss([SeqCst; 2], [SeqCst; 2]));
}

#[test]
fn weakening_any_of_the_four_loses_that() {
    assert!(both_miss([Release, SeqCst], [SeqCst; 2]));
    assert!(both_miss([SeqCst, Release], [SeqCst; 2]));
    assert!(both_miss([SeqCst; 2], [Acquire, SeqCst]));
    assert!(both_miss([SeqCst; 2], [SeqCst, Acquire]));
}

/// As above, where the second thread's word was stored to with `Relaxed` by the first one before, as a publisher lowers a flag.
fn lowered_flag(raise: Ordering, look: Ordering) -> bool {
    observe(move || {
        let words = Arc::new([Word::new(0), Word::new(1)]);
        let other = words.clone();
        words[1].store(0, Relaxed);
        words[0].store(1, SeqCst);
        let thread = thread::spawn(move || {
            if other[0].load(Acquire) != 1 {
                return None;
            }
            other[1].store(1, raise);
            Some(other[0].load(SeqCst))
        });
        words[0].store(2, SeqCst);
        let seen = words[1].load(look);
        thread.join().unwrap() == Some(1) && seen == 0
    })
}

#[test]
fn a_flag_lowered_with_relaxed_is_still_seen_when_it_goes_up_again() {
    assert!(!lowered_flag(SeqCst, SeqCst));
    assert!(lowered_flag(Release, SeqCst));
    assert!(lowered_flag(SeqCst, Acquire));
}

/// Attaching: a mark that is raised long before the pair that excludes. Fences would order it along; accesses do not.
fn scan_misses(raise: Ordering, look: Ordering) -> bool {
    observe(move || {
        let words = Arc::new([Word::new(0), Word::new(0), Word::new(0)]);
        let other = words.clone();
        let thread = thread::spawn(move || {
            other[2].fetch_max(1, raise);
            other[0].store(1, SeqCst);
            other[1].load(SeqCst)
        });
        words[1].store(1, SeqCst);
        let mark = words[2].load(look);
        let pin = words[0].load(SeqCst);
        thread.join().unwrap() == 0 && (mark == 0 || pin == 0)
    })
}

#[test]
fn a_mark_raised_before_the_pair_is_part_of_it() {
    assert!(!scan_misses(SeqCst, SeqCst));
    assert!(scan_misses(AcqRel, SeqCst));
    assert!(scan_misses(SeqCst, Acquire));
}
