//! The examples, run against each other.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a failure here is a failed test")]

#[path = "common/watchdog.rs"]
mod watchdog;

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use watchdog::{Watch, bounded};

/// As cargo built this test, so that it finds the examples built already.
const AS_THIS: &[&str] = if cfg!(feature = "testing") { &["--features", "testing"] } else { &[] };
const PROFILE: &[&str] = if cfg!(debug_assertions) { &[] } else { &["--release"] };

struct Example {
    child: Arc<Mutex<std::process::Child>>,
    output: std::process::ChildStdout,
}

impl Example {
    fn start(watch: &Watch, name: &str, arguments: &[&str]) -> Example {
        let mut command = Command::new(env!("CARGO"));
        command.args(["run", "--quiet", "--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"), "--example", name]);
        let mut child = command.args(AS_THIS).args(PROFILE).arg("--").args(arguments).stdout(Stdio::piped()).spawn().unwrap();
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

    fn lines(self) -> Vec<String> {
        let (lines, success) = self.run();
        assert!(success, "{lines:?}");
        lines
    }
}

#[test]
fn the_consumer_prints_what_the_publisher_publishes() {
    bounded(|watch| {
        watch.stage("the examples run against each other");
        let name = &format!("pagecast-test-{}-example", std::process::id());
        let to_the_end = Example::start(watch, "consumer", &[name, "--seconds", "60"]);
        let three = Example::start(watch, "consumer", &[name, "--seconds", "60", "--count", "3"]);
        let publisher = Example::start(watch, "publisher", &[name, "--count", "200", "--seconds", "2"]);
        assert_eq!(three.lines().len(), 3);
        let lines = to_the_end.lines();
        let numbers: Vec<i32> = lines.iter().map(|line| line.split(' ').next().unwrap().parse().unwrap()).collect();
        assert!(numbers.len() > 3 && numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
        assert!(lines.iter().all(|line| line.contains(" rust [")), "{lines:?}");
        assert_eq!(publisher.lines(), [format!("published 201 values of {name}")]);
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
