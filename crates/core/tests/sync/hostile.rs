use crate::common::watchdog::bounded;
use crate::common::{Directory, FOREVER, code};
use crate::{anonymous, mutex, raw, word};
use pagecast::Code;
use pagecast::region::{MapOptions, Mode, Region, SharedMemory, SharedMemoryOptions};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

#[test]
fn a_word_that_no_participant_wrote_is_an_error_and_stays() {
    let region = anonymous();
    let mut mutex = mutex(&region);
    // its own number, one past the last, and far past it, with and without flags
    for bad in [1, 1025, 0x3fff_ffff, 1 | 1 << 31, 1025 | 1 << 31, 1025 | 1 << 30, u32::MAX] {
        region.write_at(0, &bad.to_ne_bytes()).unwrap();
        assert_eq!(code(mutex.try_lock()), Code::Corrupt, "{bad:#x}");
        assert_eq!(code(mutex.lock(FOREVER)), Code::Corrupt, "{bad:#x}");
        assert_eq!(word(&region), bad);
    }
    for free in [0_u32, 1 << 31] {
        region.write_at(0, &free.to_ne_bytes()).unwrap();
        assert!(!mutex.lock(Duration::ZERO).unwrap().recovered());
        assert_eq!(word(&region), 0);
    }
}

#[test]
fn nobody_unlocks_what_another_one_holds() {
    let region = anonymous();
    let (mut one, mut two) = (raw(&region), raw(&region));
    let facts = [
        (2_u32, "participant 2 holds it, but this participant does"),
        (2 | 1 << 31, "participant 2 holds it, but this participant does"),
        (0, "nobody holds it, but this participant does"),
        (1 << 30, "nobody holds it, but this participant does"),
        (1024, "participant 1024 holds it, but this participant does"),
        (1025, "participant 1025 holds it, and there are 1024 at most"),
    ];
    for (other, fact) in facts {
        let _ = one.lock(FOREVER).unwrap();
        region.write_at(0, &other.to_ne_bytes()).unwrap();
        let refused = one.unlock().unwrap_err();
        assert_eq!(refused.code(), Code::Corrupt, "{other:#x}");
        assert!(refused.to_string().contains(fact), "{refused}");
        assert_eq!(word(&region), other);
        assert!(!one.is_held());
        one.abandon();
        assert_eq!(word(&region), other);
        region.write_at(0, &[0; 4]).unwrap();
    }
    assert!(two.try_lock(false).unwrap().is_some());
}

fn object(directory: &Directory) -> (SharedMemory, Region) {
    let options = SharedMemoryOptions { byte_length: Some(2 * 4096), ..SharedMemoryOptions::default() };
    let memory = SharedMemory::open(&directory.name("object"), Mode::Exclusive, &options).unwrap();
    let region = memory.map(MapOptions::default()).unwrap();
    (memory, region)
}

#[test]
fn a_file_that_is_cut_short_is_an_error_and_never_a_free_mutex() {
    for length in [0, 100, 4096, 4096 + 64] {
        let directory = Directory::new();
        let (memory, region) = object(&directory);
        let mut mutex = pagecast::sync::Mutex::open(&region, 4096 + 64).unwrap();
        memory.truncate(length).unwrap();
        assert_eq!(code(mutex.lock(FOREVER)), Code::Truncated, "{length}");
        memory.truncate(8192).unwrap();
        assert_eq!(code(mutex.try_lock()), Code::Truncated, "long again: for good");
        let again = memory.map(MapOptions::default()).unwrap();
        let mut next = pagecast::sync::Mutex::open(&again, 4096 + 64).unwrap();
        assert!(next.try_lock().unwrap().is_some(), "whoever comes then has the slot of a mutex of zeros");
    }
}

#[test]
fn what_was_cut_short_while_it_was_held_is_told_at_the_release() {
    let directory = Directory::new();
    let (memory, region) = object(&directory);
    let mut mutex = pagecast::sync::RawMutex::open(&region, 4096).unwrap();
    let _ = mutex.lock(FOREVER).unwrap();
    memory.truncate(4096).unwrap();
    assert_eq!(code(mutex.unlock()), Code::Truncated);
    mutex.unlock().unwrap();
    drop(mutex);
}

#[test]
fn a_region_that_was_cut_short_has_no_mutex() {
    let directory = Directory::new();
    let (memory, region) = object(&directory);
    memory.truncate(4096).unwrap();
    assert_eq!(code(pagecast::sync::Mutex::open(&region, 4096)), Code::Truncated);
}

/// Whatever the word is, and however often it changes, every wait ends, and with an answer that it may have.
#[test]
fn a_word_that_never_stays_the_same_keeps_nobody() {
    bounded(|_| {
        let region = anonymous();
        let is_over = AtomicBool::new(false);
        let words = [0_u32, 1 << 30, 1, 2, 3, 2 | 1 << 31, 1024, 1025, u32::MAX, 1 << 31];
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut seed = 1_u64;
                while !is_over.load(Ordering::Relaxed) {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    let word = words[usize::try_from(seed >> 33).unwrap() % words.len()];
                    region.write_at(0, &word.to_ne_bytes()).unwrap();
                }
            });
            let (mut mutex, mut answers) = (raw(&region), [0; 3]);
            // until it was locked, timed out, and found to be nonsense
            while answers.contains(&0) || answers.iter().sum::<u64>() < 2000 {
                let locked = mutex.lock(Duration::from_micros(answers[0] % 100));
                let answer = match locked.map(|_| mutex.unlock()).map_err(|error| error.code()) {
                    Ok(Ok(()) | Err(_)) => 0,
                    Err(Code::Timeout) => 1,
                    Err(Code::Corrupt) => 2,
                    Err(code) => panic!("{code:?}"),
                };
                answers[answer] += 1;
            }
            is_over.store(true, Ordering::Relaxed);
        });
    });
}
