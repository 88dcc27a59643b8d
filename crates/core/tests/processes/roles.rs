//! What a process that a test started does: it obeys commands, or runs flat out until it is killed.

use crate::common::{FOREVER, bytes};
use crate::faulter;
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
        "nameless-successor" => crate::nameless::succeed(arguments[0]),
        "heir" => crate::handles::inherit(),
        "maker" => crate::handles::make(arguments[0].parse().unwrap()),
        "give-back-without-room" => crate::overlays::give_back_without_room(arguments[0]),
        "counter" => crate::mutexes::counter(arguments[0], arguments[1]),
        "flat-out-counter" => crate::mutexes::flat_out(arguments[0]),
        #[cfg(feature = "testing")]
        "forker" => crate::mutexes::forker(arguments[0]),
        "mapper" => crate::regions::mapper(arguments[0]),
        #[cfg(target_os = "linux")]
        "broker" => crate::brokers::broker(arguments[0], arguments.get(1).copied()),
        #[cfg(target_os = "linux")]
        "broker-client" => crate::brokers::broker_client(arguments[0]),
        #[cfg(target_os = "linux")]
        "sibling" => crate::brokers::sibling(arguments[0]),
        #[cfg(target_os = "linux")]
        "passer" => crate::brokers::passer(arguments[0]),
        "cutter" => cutter(Path::new(arguments[0])),
        "checked-publisher" => checked_publisher(&name(arguments[0], arguments[1]), arguments[2].parse().unwrap()),
        "checked-consumer" => checked_consumer(&name(arguments[0], arguments[1]), arguments[2] == "read-only"),
        "sharer" => crate::overlays::sharer(arguments[0]),
        "faulter" => answer(&faulter::play(Path::new(arguments[0]), arguments[1])),
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
pub fn commands() -> Receiver<String> {
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
    let Ok(mut publisher) = created else { return };
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
    let mut child = command.args(["-c", "echo up; exec sleep 600"]).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
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

/// Cuts a file to the lengths that it is told.
fn cutter(path: &Path) {
    let file = std::fs::File::options().write(true).open(path).unwrap();
    for length in commands() {
        file.set_len(length.parse().unwrap()).unwrap();
        answer("cut");
    }
}

/// Bytes of a value that takes long to copy. All its numbers are the same, and none is 0.
pub const LARGE: usize = 1 << 20;

/// Writes until it is refused.
fn checked_publisher(name: &Name, buffers: u32) {
    let _commands = commands();
    let mut publisher = RawPublisher::create(name, None, &bytes(LARGE as u64, buffers)).unwrap();
    let mut write = |number: u64| publisher.write(&number.to_ne_bytes().repeat(LARGE / 8), Some(FOREVER));
    write(1).unwrap();
    answer("ready");
    let refused = (2..).find_map(|number| write(number).err()).unwrap();
    answer(&format!("{} spoiled 0", refused.code().as_str()));
    let again = write(1).unwrap_err();
    own_publication_goes_on(name, again.code());
}

/// Reads until it is refused, and counts what was no whole value.
fn checked_consumer(name: &Name, read_only: bool) {
    let _commands = commands();
    let mut consumer = RawConsumer::open(name, read_only).unwrap();
    answer("ready");
    let (mut spoiled, mut value) = (0, vec![0; LARGE]);
    let mut read = |value: &mut [u8]| {
        if read_only {
            return consumer.copy_within(value, FOREVER, false).map(drop);
        }
        consumer.lock(FOREVER)?;
        let copied = consumer.get(0, value);
        consumer.unlock();
        copied
    };
    let refused = loop {
        match read(&mut value) {
            Ok(()) => spoiled += u32::from(value[..8] == [0; 8] || value.chunks_exact(8).any(|number| *number != value[..8])),
            Err(error) => break error,
        }
    };
    answer(&format!("{} spoiled {spoiled}", refused.code().as_str()));
    let again = read(&mut value).unwrap_err();
    own_publication_goes_on(name, again.code());
}

fn own_publication_goes_on(name: &Name, again: pagecast::Code) {
    let own = Name::new(&format!("own-{}", std::process::id()), name.path().parent()).unwrap();
    let mut publisher = RawPublisher::create(&own, None, &bytes(8, 3)).unwrap();
    publisher.write(&[1; 8], None).unwrap();
    let mut value = [0; 8];
    RawConsumer::open(&own, false).unwrap().copy(&mut value, false).unwrap().unwrap();
    assert_eq!(value, [1; 8]);
    publisher.close(false).unwrap();
    answer(&format!("{}, and the other publication goes on", again.as_str()));
}
