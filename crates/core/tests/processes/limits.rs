//! A process runs into a limit of the system: the error has a code of its own, nothing is left behind, and the process goes on.

use crate::common::watchdog::bounded;
use crate::common::{Directory, bytes};
use crate::player::Player;
use crate::roles::{SIZE, answer, name};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use pagecast::region::{MapOptions, Region, Source};
use pagecast::sync::Mutex;
use pagecast::{Code, CreateOptions, Error, IfDead, RawConsumer, RawPublisher, Result};
use std::fs::{File, read_dir, read_to_string};
use std::time::Duration;

type Attempt = (&'static str, fn(&str) -> Result<()>);

/// `living` has a publisher, `left` is what a dead one left; a mutex lies in both as well as in any other file.
const ATTEMPTS: [Attempt; 9] = [
    ("create", |directory| RawPublisher::create(name(directory, "new"), None, &bytes(8, 2)).map(drop)),
    ("adopt", |directory| RawPublisher::create(name(directory, "left"), None, &bytes(8, 2)).map(RawPublisher::abandon)),
    ("replace", |directory| {
        let options = CreateOptions { if_dead: IfDead::Replace, ..bytes(8, 2) };
        RawPublisher::create(name(directory, "left"), None, &options).map(RawPublisher::abandon)
    }),
    ("standby", |directory| RawPublisher::standby(name(directory, "new"), None, &bytes(8, 2), Duration::ZERO).map(drop)),
    ("open", |directory| RawConsumer::open(name(directory, "living"), false).map(drop)),
    ("observe", |directory| RawConsumer::open(name(directory, "living"), true).map(drop)),
    ("wait", |directory| RawConsumer::wait_and_open(&name(directory, "living"), false, Duration::ZERO).map(drop)),
    ("take part in a mutex", |directory| {
        let source = Source::Shared(name(directory, "living"));
        Mutex::open(&Region::map(&MapOptions::new(source))?, 64).map(drop)
    }),
    ("wait read-only", |directory| RawConsumer::wait_and_open(&name(directory, "living"), true, Duration::ZERO).map(drop)),
];

/// All descriptors that there are.
fn hoard() -> Vec<File> {
    std::iter::from_fn(|| File::open("/dev/null").ok()).collect()
}

/// Each attempt with no descriptor left, with one, with two, until it succeeds; after each failure there are as many as before.
pub fn run_out_of_descriptors(directory: &str) {
    setrlimit(Resource::RLIMIT_NOFILE, 40, 40).unwrap();
    for (attempt, run) in ATTEMPTS {
        let mut taken = hoard();
        let mut refusals = 0;
        while let Err(error) = run(directory) {
            assert_eq!(error.code(), Code::TooManyFiles, "{attempt}: {error}");
            assert_eq!(hoard().len(), refusals, "{attempt} loses none");
            assert!(taken.pop().is_some(), "{attempt} never succeeds: {error}");
            refusals += 1;
        }
        assert!(refusals > 0, "{attempt}");
        answer(attempt);
    }
}

fn address_space() -> u64 {
    let pages: u64 = read_to_string("/proc/self/statm").unwrap().split(' ').next().unwrap().parse().unwrap();
    pages * 4096
}

fn holdings(directory: &str) -> (usize, usize) {
    let maps = read_to_string("/proc/self/maps").unwrap();
    let of_segments = maps.lines().filter(|line| line.contains(directory) || line.ends_with(" (deleted)")).count();
    (read_dir("/proc/self/fd").unwrap().count(), of_segments)
}

const MEGABYTE: u64 = 1 << 20;

/// A segment of 16 MiB where there is room for 8.
pub fn run_out_of_address_space(directory: &str) {
    let (_, hard) = getrlimit(Resource::RLIMIT_AS).unwrap();
    let limit = address_space() + 8 * MEGABYTE;
    setrlimit(Resource::RLIMIT_AS, limit, hard).unwrap();
    let large = bytes(16 * MEGABYTE, 1);
    let before = holdings(directory);
    let refused = |what: &str, error: Error| {
        assert_eq!((error.code(), error.syscall()), (Code::AddressSpace, Some("mmap")), "{what}: {error}");
        let digits: String = error.message().chars().filter(|c| *c != ',').collect();
        assert!(digits.contains(&format!("{limit} bytes of address space (ulimit -v)")), "{error}");
        assert_eq!(holdings(directory), before, "{what}");
    };
    refused("create", RawPublisher::create(name(directory, "new"), None, &large).unwrap_err());
    refused("open", RawConsumer::open(name(directory, "large"), false).unwrap_err());
    refused("observe", RawConsumer::open(name(directory, "large"), true).unwrap_err());
    refused("adopt", RawPublisher::create(name(directory, "large"), None, &large).unwrap_err());
    drop(RawPublisher::create(name(directory, "small"), None, &bytes(SIZE as u64, 2)).unwrap());
    setrlimit(Resource::RLIMIT_AS, hard, hard).unwrap();
    RawPublisher::create(name(directory, "large"), None, &large).unwrap().abandon();
    answer("went on");
}

#[test]
fn out_of_descriptors_nothing_is_lost() {
    bounded(|watch| {
        let directory = Directory::new();
        let _living = RawPublisher::create(directory.name("living"), None, &bytes(8, 2)).unwrap();
        RawPublisher::create(directory.name("left"), None, &bytes(8, 2)).unwrap().abandon();
        let mut player = Player::start(watch, "out-of-descriptors", &[directory.path().to_str().unwrap()]);
        for (attempt, _) in ATTEMPTS {
            watch.stage(attempt);
            assert_eq!(player.hear(), attempt);
        }
        assert_eq!(directory.files(), ["left", "living"]);
    });
}

#[test]
fn out_of_address_space_nothing_is_left() {
    bounded(|watch| {
        watch.stage("out of address space");
        let directory = Directory::new();
        RawPublisher::create(directory.name("large"), None, &bytes(16 * MEGABYTE, 1)).unwrap().abandon();
        let mut player = Player::start(watch, "out-of-address-space", &[directory.path().to_str().unwrap()]);
        assert_eq!(player.hear(), "went on");
        assert_eq!(directory.files(), ["large"]);
    });
}
