//! What a process that a test started does: it obeys commands, or runs flat out until it is killed.

use crate::common::{FOREVER, bytes};
use crate::player::MARK;
use pagecast::{Name, RawConsumer, RawPublisher, Result};
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

#[test]
#[ignore = "what the processes do that the other tests start"]
fn play() {
    let Ok(role) = std::env::var("PAGECAST_TEST_ROLE") else { return };
    let arguments = std::env::var("PAGECAST_TEST_ARGUMENTS").unwrap();
    let arguments: Vec<&str> = arguments.lines().collect();
    match role.as_str() {
        "publisher" => publisher(&name(arguments[0], arguments[1]), arguments[2].parse().unwrap()),
        "standby" => stand_by(&name(arguments[0], arguments[1]), arguments[2].parse().unwrap()),
        "consumer" => consumer(&name(arguments[0], arguments[1]), arguments[2] == "read-only"),
        "creator" => creator(&name(arguments[0], arguments[1]), &name(arguments[0], arguments[2]), arguments[3].parse().unwrap()),
        "out-of-descriptors" => crate::limits::run_out_of_descriptors(arguments[0]),
        "out-of-address-space" => crate::limits::run_out_of_address_space(arguments[0]),
        "founder" => found_and_close(&name(arguments[0], arguments[1])),
        "flat-out-publisher" => publish_flat_out(&name(arguments[0], arguments[1]), arguments[2].parse().unwrap()),
        "flat-out-consumer" => consume_flat_out(&name(arguments[0], arguments[1])),
        role => panic!("unknown role {role}"),
    }
    std::process::exit(0) // before the harness prints to somebody who may not listen any more
}

/// A name in the directory that the process was told.
pub fn name(directory: &str, name: &str) -> Name {
    Name::new(name, Some(Path::new(directory))).unwrap()
}

/// Tells the test something.
pub fn answer(line: &str) {
    println!("{MARK}{line}");
}

fn answer_result(result: Result<String>) {
    answer(&result.unwrap_or_else(|error| error.code().as_str().to_owned()));
}

/// The commands as they come. The process ends with its standard input, so that it does not outlive who started it.
fn commands() -> Receiver<String> {
    let (send, commands) = channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines() {
            let _ = send.send(line.unwrap());
        }
        std::process::exit(0)
    });
    commands
}

/// Values are [`SIZE`] bytes that are all the same.
pub const SIZE: usize = 256;

fn publisher(name: &Name, buffers: u32) {
    publish(RawPublisher::create(name, None, &bytes(SIZE as u64, buffers)), &commands());
}

/// A publisher as soon as it can be.
fn stand_by(name: &Name, buffers: u32) {
    let commands = commands();
    answer("waiting");
    publish(RawPublisher::standby(name, None, &bytes(SIZE as u64, buffers), None), &commands);
}

fn publish(created: Result<RawPublisher>, commands: &Receiver<String>) {
    answer_result(created.as_ref().map(|publisher| format!("epoch {}", publisher.epoch())).map_err(Clone::clone));
    let mut publisher = created.unwrap();
    for command in commands {
        let (verb, number) = command.split_once(' ').unwrap_or((&command, "0"));
        let value = [number.parse().unwrap(); SIZE];
        let version = |publisher: &RawPublisher| format!("version {}", publisher.total_writes());
        answer_result(match verb {
            "write" => publisher.write(&value, Some(FOREVER)).map(|()| version(&publisher)),
            "begin" => publisher.begin(None, true).map(|_| "begun".into()),
            "half" => publisher.put(0, &value[..SIZE / 2]).map(|()| "half".into()),
            "commit" => publisher.put(0, &value).and_then(|()| publisher.commit(SIZE)).map(|()| version(&publisher)),
            // one sleep of an hour: nothing but a wake-up ends it in time
            "sleep" => publisher.begin_within(FOREVER, true).map(|index| format!("{}", index.is_some())),
            "spawn" => Ok(spawn_a_child_that_lives_on()),
            "close" => publisher.close(false).map(|()| "closed".into()),
            "exit" => std::process::exit(0),
            verb => panic!("unknown command {verb}"),
        });
    }
}

#[expect(clippy::zombie_processes, reason = "it is there to live longer than its parent")]
fn spawn_a_child_that_lives_on() -> String {
    let mut command = Command::new("sh");
    let mut child = command.args(["-c", "echo up; exec sleep 60"]).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdout.take().unwrap().read_exact(&mut [0; 3]).unwrap(); // it runs, so what is closed on exec is closed
    child.id().to_string()
}

fn consumer(name: &Name, read_only: bool) {
    let opened = RawConsumer::open(name, read_only);
    answer_result(opened.as_ref().map(|consumer| format!("slot {:?}", consumer.slot())).map_err(Clone::clone));
    let Ok(mut consumer) = opened else { return };
    for command in commands() {
        answer_result(match command.as_str() {
            "lock" => consumer.lock(FOREVER).map(|pinned| format!("version {}", pinned.observation.version)),
            "lock patiently" => consumer.lock_within(FOREVER, false).map(|outcome| match outcome {
                Ok(pinned) => format!("version {}", pinned.observation.version),
                Err(blocked) => format!("{blocked:?}"),
            }),
            "unlock" => {
                consumer.unlock();
                Ok("unlocked".into())
            }
            "copy" => copy(&consumer),
            "sleep" => sleep(&consumer),
            command => panic!("unknown command {command}"),
        });
    }
}

fn copy(consumer: &RawConsumer) -> Result<String> {
    let mut value = [0; SIZE];
    let outcome = consumer.copy_within(&mut value, FOREVER, false)?;
    let whole = value.iter().all(|byte| *byte == value[0]);
    Ok(outcome.map_or_else(|blocked| format!("{blocked:?}"), |observation| format!("version {} whole {whole}", observation.version)))
}

/// Sleeps of an hour: nothing but a wake-up ends them in time. An observer's first sleeps are short, until the publisher can know of it.
fn sleep(consumer: &RawConsumer) -> Result<String> {
    let (watcher, seen) = (consumer.watcher(), consumer.state());
    for sleeps in 0.. {
        if watcher.changed(seen) {
            break;
        }
        let first = consumer.slot().is_none() && sleeps < 10;
        watcher.sleep(seen, if first { Duration::from_millis(2) } else { FOREVER }, sleeps)?;
        if first && sleeps == 9 {
            answer("deep");
        }
    }
    Ok("changed".into())
}

/// Creates `name` each time the number that `start` publishes rises, as one of two that do so at the same moment.
fn creator(name: &Name, start: &Name, buffers: u32) {
    let start = RawConsumer::open(start, true).unwrap();
    let (commands, mut round) = (commands(), 0);
    answer("ready");
    loop {
        let version = || start.peek().unwrap().map_or(0, |observation| observation.version);
        while version() <= round {
            std::thread::yield_now();
        }
        round = version();
        let created = RawPublisher::create(name, None, &bytes(SIZE as u64, buffers));
        answer_result(created.as_ref().map(|_| "won".into()).map_err(Clone::clone));
        let Ok(mut publisher) = created else { continue };
        match commands.recv().unwrap().as_str() {
            "abandon" => publisher.abandon(),
            "close" => publisher.close(false).unwrap(),
            "keep" => publisher.close(true).unwrap(),
            command => panic!("unknown command {command}"),
        }
        answer("done");
    }
}

/// Creates and ends publications until it is killed, in every way there is.
fn found_and_close(name: &Name) {
    let _commands = commands();
    answer("ready");
    for round in 0_u32.. {
        let mut publisher = RawPublisher::create(name, None, &bytes(SIZE as u64, 2 + round % 2)).unwrap();
        publisher.write(&[1; SIZE], None).unwrap();
        match round % 3 {
            0 => publisher.close(false).unwrap(),
            1 => publisher.close(true).unwrap(),
            _ => publisher.abandon(),
        }
    }
}

fn publish_flat_out(name: &Name, buffers: u32) {
    let _commands = commands();
    let mut publisher = RawPublisher::create(name, None, &bytes(SIZE as u64, buffers)).unwrap();
    answer("ready");
    loop {
        publisher.write(&[publisher.total_writes() as u8; SIZE], Some(FOREVER)).unwrap();
    }
}

fn consume_flat_out(name: &Name) {
    let _commands = commands();
    let mut consumer = RawConsumer::open(name, false).unwrap();
    answer("ready");
    loop {
        consumer.lock(FOREVER).unwrap();
        consumer.get(0, &mut [0; SIZE]).unwrap();
        consumer.unlock();
    }
}
