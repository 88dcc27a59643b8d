use crate::common::watchdog::bounded;
use crate::common::{FOREVER, code};
use crate::{anonymous, mutex, raw, word};
use pagecast::region::Region;
use pagecast::sync::Mutex;
use pagecast::{Code, Patience};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

/// Where the number is that is counted.
const COUNTER: u64 = 64;

fn counted(region: &Region) -> u32 {
    let mut number = [0; 4];
    region.read_at(COUNTER, &mut number).unwrap();
    u32::from_ne_bytes(number)
}

/// Reads, lets others come in between, and writes one more.
fn add_one(region: &Region) {
    let number = counted(region);
    std::hint::spin_loop();
    region.write_at(COUNTER, &(number + 1).to_ne_bytes()).unwrap();
}

/// Two threads add 10,000 each. How often one of them found the mutex locked.
fn count_to_20_000(region: &Region, locks: bool) -> u32 {
    let (contended, ready) = (AtomicU32::new(0), AtomicU32::new(0));
    region.write_at(COUNTER, &0_u32.to_ne_bytes()).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut mutex = mutex(region);
                ready.fetch_add(1, Ordering::Relaxed);
                while ready.load(Ordering::Relaxed) < 2 {
                    std::thread::yield_now();
                }
                for _ in 0..10_000 {
                    if !locks {
                        add_one(region);
                        continue;
                    }
                    if mutex.try_lock().unwrap().is_none() {
                        contended.fetch_add(1, Ordering::Relaxed);
                    }
                    let guard = mutex.lock(FOREVER).unwrap();
                    add_one(region);
                    guard.release().unwrap();
                }
            });
        }
    });
    contended.into_inner()
}

#[test]
fn two_count_to_20_000() {
    bounded(|watch| {
        let region = anonymous();
        for round in 1.. {
            watch.stage(format!("round {round}"));
            let contended = count_to_20_000(&region, true);
            assert_eq!((counted(&region), word(&region)), (20_000, 0));
            if contended > 0 {
                return;
            }
        }
    });
}

#[test]
fn without_it_they_do_not() {
    bounded(|watch| {
        let region = anonymous();
        for round in 1.. {
            watch.stage(format!("round {round}"));
            count_to_20_000(&region, false);
            if counted(&region) < 20_000 {
                return;
            }
        }
    });
}

#[test]
fn it_is_held_until_it_is_released_and_once() {
    let region = anonymous();
    let (mut one, mut two) = (raw(&region), mutex(&region));
    assert!(!one.try_lock(false).unwrap().unwrap().recovered);
    assert_eq!(two.holder().unwrap().pid, std::process::id());
    assert_eq!((two.holder().unwrap().slot, word(&region)), (0, 1));
    assert_eq!(code(one.try_lock(false)), Code::AlreadyLocked);
    assert_eq!(code(one.lock_within(Duration::ZERO, false)), Code::AlreadyLocked);
    assert_eq!(code(one.lock(FOREVER)), Code::AlreadyLocked);
    assert!(two.try_lock().unwrap().is_none());
    one.unlock().unwrap();
    one.unlock().unwrap();
    assert_eq!((two.holder(), word(&region)), (None, 0));
    let guard = two.try_lock().unwrap().unwrap();
    assert!(!guard.recovered());
    one.unlock().unwrap();
    assert_eq!(word(&region), 2, "twice is once: it is another's by now");
    drop(guard);
    assert_eq!(word(&region), 0);
}

#[test]
fn a_wait_ends_with_its_timeout_which_names_the_holder() {
    let region = anonymous();
    let (mut one, mut two) = (mutex(&region), mutex(&region));
    let guard = one.lock(Duration::ZERO).unwrap();
    for timeout in [Duration::ZERO, Duration::from_millis(1), Duration::from_millis(120)] {
        let error = two.lock(timeout).unwrap_err();
        assert_eq!(error.code(), Code::Timeout);
        let holder = format!("held by pid {} in slot 0", std::process::id());
        assert!(error.message().contains(&holder) && error.message().contains(&format!("{timeout:?}")), "{error}");
    }
    drop(guard);
    two.lock(Duration::ZERO).unwrap().release().unwrap();
    assert_eq!(word(&region), 0);
}

#[test]
fn a_wait_ends_when_it_is_cancelled() {
    bounded(|_| {
        let region = anonymous();
        let (mut one, mut two) = (mutex(&region), mutex(&region));
        let _guard = one.lock(Duration::ZERO).unwrap();
        let cancelled = AtomicBool::new(false);
        let patience = Patience { timeout: None, cancelled: Some(&cancelled) };
        std::thread::scope(|scope| {
            let waiting = scope.spawn(move || code(two.lock(patience)));
            while word(&region) >> 31 == 0 {
                std::thread::yield_now();
            }
            cancelled.store(true, Ordering::Relaxed);
            assert_eq!(waiting.join().unwrap(), Code::Aborted);
        });
    });
}

/// Sleeps of an hour: nothing but a wake-up ends them in time.
#[test]
fn whoever_sleeps_is_woken_by_the_release() {
    bounded(|watch| {
        let region = anonymous();
        for round in 0..100 {
            watch.stage(format!("round {round}"));
            let mut one = mutex(&region);
            let guard = one.lock(Duration::ZERO).unwrap();
            std::thread::scope(|scope| {
                let sleepers: Vec<_> = (0..3)
                    .map(|_| {
                        let mut mutex = raw(&region);
                        let (watcher, seen) = (mutex.watcher(), mutex.owner());
                        scope.spawn(move || {
                            while !watcher.changed(seen) {
                                watcher.sleep(seen, FOREVER);
                            }
                            while mutex.lock_within(Duration::from_millis(1), true).unwrap().is_none() {}
                            mutex.unlock().unwrap();
                        })
                    })
                    .collect();
                while word(&region) >> 31 == 0 {
                    std::thread::yield_now();
                }
                guard.release().unwrap();
                sleepers.into_iter().for_each(|sleeper| sleeper.join().unwrap());
            });
        }
    });
}

/// What a mutex is opened for may be sent to another thread.
#[test]
fn it_may_be_moved_between_threads() {
    let region = anonymous();
    let mut mutex = mutex(&region);
    let mutex = std::thread::spawn(move || {
        mutex.lock(Duration::ZERO).unwrap().release().unwrap();
        mutex
    });
    let mut mutex: Mutex = mutex.join().unwrap();
    assert!(mutex.try_lock().unwrap().is_some());
}
