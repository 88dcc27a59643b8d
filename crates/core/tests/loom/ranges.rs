//! The table of guarded ranges, which a handler of a fault reads while other threads change it.

use crate::model::model;
use loom::sync::Arc;
use loom::thread;
use pagecast::memory::range::{Entry, Kind};

const KIND: Kind = Kind { bits: 0, device: 0, inode: 0 };

#[test]
fn an_address_between_two_ranges_is_never_taken_for_one_of_them() {
    model(3, || {
        let entry = Arc::new(Entry::default());
        entry.set(10..20, KIND);
        let asking = entry.clone();
        let asks = thread::spawn(move || asking.find(25));
        entry.set(0..0, KIND);
        entry.set(30..40, KIND);
        assert_eq!(asks.join().unwrap(), None, "half of one and half of the other");
    });
}

#[test]
fn what_is_found_is_a_range_that_was_there() {
    model(3, || {
        let entry = Arc::new(Entry::default());
        let asking = entry.clone();
        let asks = thread::spawn(move || asking.find(17));
        entry.set(10..20, KIND);
        entry.set(0..0, KIND);
        entry.set(15..40, KIND);
        let found = asks.join().unwrap();
        assert!(found.is_none_or(|(range, _)| range == (10..20) || range == (15..40)));
    });
}

#[test]
fn a_range_in_use_is_found_while_it_changes() {
    model(3, || {
        let entry = Arc::new(Entry::default());
        entry.set(10..20, KIND);
        let asking = entry.clone();
        let asks = thread::spawn(move || asking.find(17));
        entry.add(Kind::UNREADABLE);
        entry.set_end(30);
        let (range, kind) = asks.join().unwrap().unwrap();
        assert!([20, 30].contains(&range.end) && [0, Kind::UNREADABLE].contains(&kind.bits));
        assert_eq!(entry.find(29), Some((10..30, Kind { bits: Kind::UNREADABLE, ..KIND })));
    });
}

#[test]
fn a_range_is_found_by_whoever_was_told_of_it() {
    model(3, || {
        let entry = Arc::new(Entry::default());
        entry.set(10..20, KIND);
        let told = entry.clone();
        let user = thread::spawn(move || told.find(10));
        assert_eq!(entry.find(19), Some((10..20, KIND)));
        assert_eq!(user.join().unwrap(), Some((10..20, KIND)));
        assert_eq!((entry.find(9), entry.find(20)), (None, None));
    });
}

#[test]
fn the_kind_is_that_of_the_range() {
    model(3, || {
        let kinds = [7, 9].map(|inode| Kind { bits: Kind::VERIFIED, device: 1, inode });
        let entry = Arc::new(Entry::default());
        entry.set(10..20, kinds[0]);
        let asking = entry.clone();
        let asks = thread::spawn(move || asking.find(17));
        entry.set(15..40, kinds[1]);
        let found = asks.join().unwrap();
        assert!(found.is_none_or(|found| found == (10..20, kinds[0]) || found == (15..40, kinds[1])), "half of one and half of the other");
    });
}

#[test]
fn whoever_sees_what_stands_for_a_page_is_told_of_it() {
    use loom::sync::atomic::{AtomicU64, Ordering, fence};
    model(3, || {
        let (entry, page) = (Arc::new(Entry::default()), Arc::new(AtomicU64::new(7)));
        let (noted, zeroed) = (entry.clone(), page.clone());
        let handler = thread::spawn(move || {
            noted.note(1, 10);
            fence(Ordering::Release); // the system call
            zeroed.store(0, Ordering::Relaxed);
        });
        let seen = page.load(Ordering::Relaxed);
        let (told, _) = entry.take_mended(2);
        assert!(seen == 7 || told == 1, "zeros that stand for what is gone");
        handler.join().unwrap();
        assert_eq!(told + entry.take_mended(2).0, 1, "told once, and not lost");
    });
}

#[test]
fn what_lasts_is_told_to_everybody() {
    model(3, || {
        let entry = Arc::new(Entry::default());
        entry.note(3, 10);
        let asking = entry.clone();
        let asks = thread::spawn(move || asking.take_mended(2).0);
        let told = [entry.take_mended(2).0, asks.join().unwrap(), entry.take_mended(2).0];
        assert!(told.iter().all(|bits| bits & 2 == 2), "{told:?}");
        assert_eq!(told.iter().filter(|bits| **bits & 1 == 1).count(), 1, "{told:?}");
    });
}
