//! Somebody writes random bytes anywhere into a segment while it is used: everybody comes back from every call, and a new one works.

use crate::common::watchdog::{Watch, bounded};
use crate::common::{Directory, bytes};
use crate::seeded::Random;
use pagecast::{CreateOptions, Name, RawConsumer, RawPublisher};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const SIZE: usize = 3000;
const PATIENCE: Duration = Duration::from_millis(20);

#[test]
#[ignore = "what the processes do that the other test starts"]
fn play() {
    let Ok(role) = std::env::var("PAGECAST_TEST_ROLE") else { return };
    let arguments = std::env::var("PAGECAST_TEST_ARGUMENTS").unwrap();
    let [directory, seconds, buffers]: [&str; 3] = arguments.lines().collect::<Vec<_>>().try_into().unwrap();
    let name = Name::new("attacked", Some(Path::new(directory))).unwrap();
    let end = Instant::now() + Duration::from_secs_f64(seconds.parse().unwrap());
    let is_over = Arc::new(AtomicBool::new(false));
    std::thread::spawn({
        let is_over = is_over.clone();
        move || {
            let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
            is_over.store(true, Ordering::Relaxed);
        }
    });
    let is_over = || is_over.load(Ordering::Relaxed);
    // whoever reads ends by its time, but not before it succeeded; the others are there for as long
    let succeeded = match role.as_str() {
        "attacker" => attack(&name, is_over),
        "publisher" => publish(&name, is_over, buffers.parse().unwrap()),
        "consumer" | "observer" => consume(&name, |read| is_over() || (read > 0 && Instant::now() >= end), role == "observer"),
        role => panic!("unknown role {role}"),
    };
    println!("@{succeeded}");
    std::process::exit(0)
}

/// Anywhere in the file, and most of all in the words, where every page is shared by everybody.
fn attack(name: &Name, is_over: impl Fn() -> bool) -> u64 {
    let mut random = Random::new(u64::from(std::process::id()));
    let mut writes = 0;
    while writes == 0 || !is_over() {
        let Ok(file) = std::fs::File::options().read(true).write(true).open(name.path()) else { continue };
        let length = usize::try_from(file.metadata().unwrap().len()).unwrap();
        for _ in 0..1000 {
            let at = if random.below(3) == 0 { random.below(length) } else { 256 + random.below(2048) };
            let (word, count) = (random.next(), 1 + random.below(8));
            let value = if random.below(2) == 0 { word } else { word & 0xff };
            file.write_all_at(&value.to_le_bytes()[..count], u64::try_from(at.min(length - count)).unwrap()).unwrap();
            writes += 1;
        }
        std::thread::yield_now();
    }
    writes
}

/// How many values were published.
fn publish(name: &Name, is_over: impl Fn() -> bool, buffers: u32) -> u64 {
    let mut published = 0;
    for round in 0.. {
        if published > 0 && is_over() {
            break;
        }
        let options = CreateOptions { timeout: PATIENCE, ..bytes(SIZE as u64, buffers) };
        let Ok(mut publisher) = RawPublisher::create(name, None, &options) else {
            let _ = std::fs::remove_file(name.path()); // not one of ours any more, by its looks
            continue;
        };
        for number in 0..300_u64 {
            published += u64::from(publisher.write(&[number as u8; SIZE], Some(PATIENCE)).is_ok());
            let _ = publisher.begin(Some(PATIENCE), true).and_then(|_| publisher.get(0, &mut [0; SIZE])).and_then(|()| publisher.abort());
            let _ = (publisher.peek(), publisher.last(), publisher.holders(), publisher.recover_dead());
        }
        if round % 2 == 0 {
            publisher.abandon()
        } else {
            let _ = publisher.close(false);
        }
    }
    published
}

/// How many values were read.
fn consume(name: &Name, is_over: impl Fn(u64) -> bool, read_only: bool) -> u64 {
    let mut read = 0;
    while !is_over(read) {
        let Ok(mut consumer) = RawConsumer::open(name, read_only) else { continue };
        let mut target = vec![0; usize::try_from(consumer.layout().capacity).unwrap().min(1 << 20)];
        for _ in 0..300 {
            if is_over(read) {
                break;
            }
            if let Ok(Ok(found)) = consumer.copy_within(&mut target, PATIENCE, false) {
                assert!(found.byte_length <= target.len());
                read += 1;
            }
            if let Ok(Ok(pinned)) = consumer.lock_within(PATIENCE, true) {
                assert!(pinned.observation.byte_length <= target.len());
                read += u64::from(consumer.get(0, &mut target[..pinned.observation.byte_length]).is_ok());
                consumer.unlock();
            }
            let _ = consumer.lock(PATIENCE).map(|_| consumer.unlock());
            let _ = (consumer.peek(), consumer.last(), consumer.schema(), consumer.watcher().sleep(consumer.state(), PATIENCE / 20, 0));
        }
    }
    read
}

/// It is told that all is over by the end of what it hears.
fn start(watch: &Watch, role: &str, directory: &Directory, buffers: u32) -> (Arc<Mutex<Child>>, ChildStdin, impl Read + use<>) {
    let arguments = [directory.path().to_str().unwrap(), "4", &buffers.to_string()].join("\n");
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "attacked::play", "--ignored", "--nocapture", "--test-threads=1"]);
    command.env("PAGECAST_TEST_ROLE", role).env("PAGECAST_TEST_ARGUMENTS", arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    (watch.guard(child), input, output)
}

#[test]
fn nobody_is_brought_down_by_somebody_who_writes_nonsense_all_the_time() {
    bounded(|watch| {
        for buffers in [1, 4] {
            let directory = Directory::new();
            watch.stage(format!("{buffers} buffers under attack"));
            let roles = ["publisher", "attacker", "consumer", "consumer", "observer"];
            let players = roles.map(|role| (role, start(watch, role, &directory, buffers)));
            // the attacker goes after all who read, and the publisher last
            for (role, (child, input, output)) in players.into_iter().rev() {
                let input = Some(input).filter(|_| !["attacker", "publisher"].contains(&role));
                let said = BufReader::new(output).lines().map_while(Result::ok).find_map(|line| Some(line.split_once('@')?.1.to_owned()));
                drop(input);
                let status = child.lock().unwrap().wait().unwrap();
                assert!(status.success(), "{role}: {status}, signal {:?}, said {said:?}", status.signal());
                assert!(said.unwrap().parse::<u64>().unwrap() > 0, "{role} succeeded in something");
            }
            let name = directory.name("attacked");
            let _ = std::fs::remove_file(name.path());
            let mut publisher = RawPublisher::create(&name, None, &bytes(8, buffers)).unwrap();
            publisher.write(&[1; 8], None).unwrap();
            assert_eq!(RawConsumer::open(&name, false).unwrap().copy(&mut [0; 8], false).unwrap().unwrap().byte_length, 8);
        }
    });
}
