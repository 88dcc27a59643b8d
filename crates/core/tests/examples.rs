//! The examples, run against each other.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a failure here is a failed test")]

#[path = "common/watchdog.rs"]
mod watchdog;

use std::collections::HashMap;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, LazyLock, Mutex};
use watchdog::{Watch, bounded};

/// As cargo built this test with the whole workspace, so that it finds the examples built already.
const AS_THIS: &[&str] = if cfg!(feature = "testing") { &["--workspace", "--features", "testing"] } else { &["--workspace"] };
const PROFILE: &[&str] = if cfg!(debug_assertions) { &[] } else { &["--release"] };

/// The programs by their names. Built before any of them starts: who publishes for seconds does not wait for others that are being built.
static PROGRAMS: LazyLock<HashMap<String, PathBuf>> = LazyLock::new(|| {
    let mut command = Command::new(env!("CARGO"));
    command.args(["build", "--quiet", "--message-format", "json", "--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")]);
    command.args(AS_THIS).args(PROFILE).args(["--example", "consumer", "--example", "publisher"]);
    let output = command.stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "{}", output.status);
    let messages = String::from_utf8(output.stdout).unwrap();
    let program = |message: &str| {
        let message: serde_json::Value = serde_json::from_str(message).ok()?;
        Some((message["target"]["name"].as_str()?.to_owned(), message["executable"].as_str()?.into()))
    };
    messages.lines().filter_map(program).collect()
});

struct Example {
    child: Arc<Mutex<std::process::Child>>,
    output: std::process::ChildStdout,
}

impl Example {
    fn start(watch: &Watch, name: &str, arguments: &[&str]) -> Example {
        let mut child = Command::new(&PROGRAMS[name]).args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let output = child.stdout.take().unwrap();
        Example { child: watch.guard(child), output }
    }

    /// What it prints until it ends, and whether it ends well.
    fn run(mut self) -> (Vec<String>, bool) {
        let mut text = String::new();
        self.output.read_to_string(&mut text).unwrap();
        let status = self.child.lock().unwrap().wait().unwrap();
        (text.lines().map(str::to_owned).collect(), status.success())
    }
}

/// What is printed by somebody who reads to the end, by somebody who reads three values, and by the publisher, who takes so many seconds.
fn play(watch: &Watch, name: &str, seconds: &str) -> [(Vec<String>, bool); 3] {
    let to_the_end = Example::start(watch, "consumer", &[name, "--seconds", "60"]);
    let three = Example::start(watch, "consumer", &[name, "--seconds", "60", "--count", "3"]);
    let publisher = Example::start(watch, "publisher", &[name, "--count", "200", "--seconds", seconds]);
    [to_the_end, three, publisher].map(Example::run)
}

#[test]
fn the_consumer_prints_what_the_publisher_publishes() {
    bounded(|watch| {
        watch.stage("the examples are built");
        LazyLock::force(&PROGRAMS);
        let name = &format!("pagecast-test-{}-example", std::process::id());
        // nothing says that the consumers have begun: if they were too late, once more and longer
        for seconds in ["2", "10", "50"] {
            watch.stage(format!("the examples run against each other for {seconds} s"));
            let [(lines, ended_well), (three, three_ended_well), publisher] = play(watch, name, seconds);
            assert_eq!(publisher, (vec![format!("published 201 values of {name}")], true));
            let numbers: Vec<i32> = lines.iter().map(|line| line.split(' ').next().unwrap().parse().unwrap()).collect();
            assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
            assert!(lines.iter().chain(&three).all(|line| line.contains(" rust [")), "{lines:?} {three:?}");
            assert!(three.len() <= 3, "{three:?}");
            if numbers.len() > 3 && three.len() == 3 {
                assert!(ended_well && three_ended_well);
                return;
            }
        }
        panic!("the consumers saw no publication");
    });
}

#[test]
fn a_consumer_that_waits_in_vain_says_so() {
    bounded(|watch| {
        watch.stage("the consumer's example waits in vain");
        let name = format!("pagecast-test-{}-nobody", std::process::id());
        let example = Example::start(watch, "consumer", &[&name, "--seconds", "0.01"]);
        assert_eq!(example.run(), (vec![], false));
    });
}
