use crate::common::watchdog::bounded;
use crate::common::{FOREVER, code};
use crate::{anonymous, mutex, raw, word};
use pagecast::Code;
use pagecast::roster::{Byte, LockFile};
use std::time::Duration;

#[test]
fn what_was_not_released_is_told_to_the_next_one_and_to_nobody_after() {
    let region = anonymous();
    let (mut one, mut two) = (raw(&region), mutex(&region));
    let _ = one.lock(FOREVER).unwrap();
    drop(one);
    assert_eq!(word(&region), 1 << 30);
    let guard = two.lock(Duration::ZERO).unwrap();
    assert!(guard.recovered());
    guard.release().unwrap();
    assert!(!two.lock(Duration::ZERO).unwrap().recovered());
    assert_eq!(word(&region), 0);
}

#[test]
fn whoever_sleeps_for_it_hears_of_it() {
    bounded(|_| {
        let region = anonymous();
        let (mut one, mut two) = (raw(&region), mutex(&region));
        let _ = one.lock(FOREVER).unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(move || two.lock(FOREVER).unwrap().recovered());
            while word(&region) >> 31 == 0 {
                std::thread::yield_now();
            }
            one.abandon();
            assert!(waiting.join().unwrap());
        });
        assert_eq!(word(&region), 0);
    });
}

#[test]
fn a_panic_does_not_release_it() {
    let region = anonymous();
    let (mut one, mut two) = (mutex(&region), mutex(&region));
    let panicked = std::thread::spawn(move || {
        let _guard = one.lock(FOREVER).unwrap();
        panic!("half done");
    });
    assert!(panicked.join().is_err());
    assert!(two.lock(Duration::ZERO).unwrap().recovered());
    assert!(!two.lock(Duration::ZERO).unwrap().recovered());
}

/// A number of somebody who is gone, as a killed process leaves it.
fn leave(region: &pagecast::Region, slot: u32) {
    region.write_at(0, &(slot + 1).to_ne_bytes()).unwrap();
}

#[test]
fn a_holder_whose_byte_is_free_is_gone() {
    let region = anonymous();
    let mut mutex = mutex(&region);
    leave(&region, 7);
    assert_eq!(mutex.holder().unwrap().slot, 7);
    let guard = mutex.try_lock().unwrap().unwrap();
    assert!(guard.recovered());
    drop(guard);
    leave(&region, 1023);
    assert!(mutex.lock(Duration::ZERO).unwrap().recovered());
    assert!(!mutex.lock(Duration::ZERO).unwrap().recovered());
}

#[test]
fn whoever_gets_the_number_of_the_dead_is_not_taken_for_it() {
    let region = anonymous();
    leave(&region, 0);
    let mut namesake = mutex(&region);
    assert_eq!((namesake.slot(), namesake.holder(), word(&region)), (0, None, 1 << 30));
    let mut other = mutex(&region);
    assert!(other.lock(Duration::ZERO).unwrap().recovered(), "told to whoever is first");
    assert!(!namesake.lock(Duration::ZERO).unwrap().recovered());
}

#[test]
fn a_read_lock_of_a_stranger_is_an_error_that_says_so() {
    let region = anonymous();
    let mut mutex = mutex(&region);
    let fd = region.descriptor().unwrap().try_clone_to_owned().unwrap();
    let stranger = LockFile::reopen(&fd, true).unwrap();
    assert!(stranger.try_share(Byte::Participant(0, 7)).unwrap());
    leave(&region, 7);
    for timeout in [Duration::ZERO, FOREVER] {
        assert_eq!(code(mutex.lock(timeout)), Code::LockObstructed);
    }
    let error = mutex.try_lock().unwrap_err();
    assert!(error.message().contains("slot 7"), "{error}");
    drop(stranger);
    assert!(mutex.try_lock().unwrap().unwrap().recovered());
}
