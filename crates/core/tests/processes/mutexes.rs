//! Processes exclude each other by a robust mutex, and are killed while they hold it.

use crate::common::watchdog::{Watch, bounded};
use crate::common::{Directory, FOREVER};
use crate::player::Player;
use crate::roles::{answer, commands};
use pagecast::region::{MapOptions, Region, Source};
use pagecast::sync::Mutex;
use std::path::Path;

/// Where the numbers are that are counted. They are the same, unless somebody who held the mutex ended between them.
const NUMBERS: u64 = 64;
/// Where each of two says in which round it is.
const SEATS: u64 = 128;
const TIMES: u32 = 10_000;

fn map(path: &Path) -> Region {
    let source = Source::File { path: path.into(), create: None };
    Region::map(&MapOptions::new(source)).unwrap()
}

fn number(region: &Region, index: u64) -> u32 {
    let mut number = [0; 4];
    region.read_at(NUMBERS + 4 * index, &mut number).unwrap();
    u32::from_ne_bytes(number)
}

/// The first, then the second.
fn add_one(region: &Region) {
    let next = (number(region, 0) + 1).to_ne_bytes();
    region.write_at(NUMBERS, &next).unwrap();
    region.write_at(NUMBERS + 4, &next).unwrap();
}

/// Counts to 10,000 for each command, in the seat that it was told.
pub fn counter(path: &str, seat: &str) {
    let (region, seat) = (map(path.as_ref()), seat.parse::<u64>().unwrap());
    let mut mutex = Mutex::open(&region, 0).unwrap();
    answer("ready");
    for (command, round) in commands().iter().zip(1..=u8::MAX) {
        region.write_at(SEATS + seat, &[round]).unwrap();
        let mut other = [0];
        while other != [round] {
            region.read_at(SEATS + 1 - seat, &mut other).unwrap();
        }
        let mut contended = 0;
        for _ in 0..TIMES {
            if command == "unlocked" {
                add_one(&region);
                continue;
            }
            if mutex.try_lock().unwrap().is_none() {
                contended += 1;
            }
            let guard = mutex.lock(FOREVER).unwrap();
            add_one(&region);
            guard.release().unwrap();
        }
        answer(&contended.to_string());
    }
}

/// Counts until it is killed, or sees what is half changed without having been told.
pub fn flat_out(path: &str) {
    let _commands = commands();
    let region = map(path.as_ref());
    let mut mutex = Mutex::open(&region, 0).unwrap();
    answer("ready");
    loop {
        let guard = mutex.lock(FOREVER).unwrap();
        assert!(guard.recovered() || number(&region, 0) == number(&region, 1), "half of a change");
        add_one(&region);
    }
}

fn file(directory: &Directory) -> (String, Region) {
    let path = directory.path().join("file");
    std::fs::write(&path, vec![0; 4096]).unwrap();
    let region = map(&path);
    (path.to_str().unwrap().into(), region)
}

/// How far two count together in a round, and how often one of them found the mutex locked.
fn count(watch: &Watch, command: &str, is_enough: impl Fn(u32, u32) -> bool) {
    let directory = Directory::new();
    let (path, region) = file(&directory);
    let mut players = ["0", "1"].map(|seat| Player::start(watch, "counter", &[&path, seat]));
    players.iter_mut().for_each(|player| assert_eq!(player.hear(), "ready"));
    for round in 1..u8::MAX {
        watch.stage(format!("{command}, round {round}"));
        region.write_at(NUMBERS, &[0; 8]).unwrap();
        players.iter_mut().for_each(|player| player.say(command));
        let contended = players.each_mut().map(|player| player.hear().parse::<u32>().unwrap());
        if is_enough(number(&region, 0), contended.iter().sum()) {
            return;
        }
    }
    panic!("they never met");
}

#[test]
fn two_processes_count_to_20_000() {
    bounded(|watch| {
        count(watch, "locked", |sum, contended| {
            assert_eq!(sum, 2 * TIMES);
            contended > 0
        });
    });
}

#[test]
fn without_the_mutex_they_do_not() {
    bounded(|watch| count(watch, "unlocked", |sum, _| sum < 2 * TIMES));
}

#[test]
fn killed_anywhere_nobody_sees_half_a_change_who_was_not_told() {
    bounded(|watch| {
        let directory = Directory::new();
        let (path, region) = file(&directory);
        let mut mutex = Mutex::open(&region, 0).unwrap();
        let start = || {
            let mut player = Player::start(watch, "flat-out-counter", &[&path]);
            assert_eq!(player.hear(), "ready");
            player
        };
        let witness = start();
        let mut recovered = 0;
        for round in 0..60 {
            watch.stage(format!("round {round}"));
            let victim = start();
            std::thread::sleep(std::time::Duration::from_micros(round * 7919 % 5000));
            victim.kill();
            let guard = mutex.lock(FOREVER).unwrap();
            recovered += u32::from(guard.recovered());
            assert!(guard.recovered() || number(&region, 0) == number(&region, 1), "half of a change");
            add_one(&region);
        }
        println!("{recovered} of 60 were told here, after {} changes", number(&region, 0));
        assert_eq!(witness.is_over(), None, "it has seen no half of a change");
        witness.kill();
        assert!(mutex.lock(FOREVER).is_ok());
    });
}

#[cfg(feature = "testing")]
#[test]
fn a_forked_child_has_no_part_in_its_parent_s_mutex() {
    use crate::common::code;
    use pagecast::testing::fork_and_check;
    bounded(|_| {
        let directory = Directory::new();
        let (_, region) = file(&directory);
        let mut held = pagecast::sync::RawMutex::open(&region, 0).unwrap();
        let mut free = Some(pagecast::sync::RawMutex::open(&region, 0).unwrap());
        let _ = held.lock(FOREVER).unwrap();
        let is_fine = fork_and_check(|| {
            let mut free = free.take().unwrap();
            assert_eq!(code(free.try_lock(false)), pagecast::Code::Disposed);
            assert_eq!(code(free.lock(FOREVER)), pagecast::Code::Disposed);
            held.unlock().unwrap();
            held.abandon();
            drop(free);
            let mut own = Mutex::open(&region, 0).unwrap();
            own.slot() == 2 && own.try_lock().unwrap().is_none()
        });
        assert!(is_fine.unwrap());
        assert_eq!(held.holder().unwrap().slot, 0);
        held.unlock().unwrap();
        assert!(!free.unwrap().try_lock(false).unwrap().unwrap().recovered);
    });
}

/// Its parent is killed while it holds the mutex; a child that it forked lives on.
#[cfg(feature = "testing")]
pub fn forker(path: &str) {
    let region = map(path.as_ref());
    let mut mutex = pagecast::sync::RawMutex::open(&region, 0).unwrap();
    let _ = mutex.lock(FOREVER).unwrap();
    answer(&pagecast::testing::fork().unwrap().to_string());
    let _ = commands().recv();
}

#[cfg(feature = "testing")]
#[test]
fn a_forked_child_does_not_keep_what_its_killed_parent_held() {
    bounded(|watch| {
        let directory = Directory::new();
        let (path, region) = file(&directory);
        let mut parent = Player::start(watch, "forker", &[&path]);
        let child = parent.hear();
        parent.kill();
        let mut mutex = Mutex::open(&region, 0).unwrap();
        assert!(mutex.lock(FOREVER).unwrap().recovered());
        assert!(std::process::Command::new("kill").args(["-KILL", &child]).status().unwrap().success(), "the child lives");
    });
}
