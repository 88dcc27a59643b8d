//! Publishes this machine's telemetry 200 times a second, until its standard input ends or a signal asks it to stop.
//!
//! `cargo run --release --example telemetry [NAME]`, or with four consumers in TypeScript: `npm start -- --publisher rust`.
//! The same program in TypeScript is `examples/telemetry/publisher.ts`.

mod rates;
mod record;
mod sampler;
mod sources;

use pagecast::Publisher;
use sampler::Sampler;
use std::io::Write;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

const PERIOD: Duration = Duration::from_millis(5);

fn main() -> ExitCode {
    let name = std::env::args().nth(1).unwrap_or_else(|| "telemetry".to_owned());
    stop_on_signals();
    say(r#"{"ready":true}"#);
    match publish(&name, &end_of_input()) {
        Ok((publications, skipped)) => {
            say(&format!(r#"{{"publications":{publications},"skipped":{skipped}}}"#));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("telemetry: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Gives the numbers of values published and of values skipped because it was too late for them. The publication is gone then.
fn publish(name: &str, end: &Receiver<()>) -> pagecast::Result<(u64, u64)> {
    let mut sampler = Sampler::new();
    let mut publisher = Publisher::create(name, &sampler.sample(1))?;
    let (mut published, mut skipped) = (1, 0);
    let mut deadline = Instant::now(); // only ever moved by whole periods, so that lateness does not add up
    while !STOP.load(Ordering::Relaxed) {
        deadline += PERIOD;
        while deadline + PERIOD < Instant::now() {
            deadline += PERIOD;
            skipped += 1;
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if end.recv_timeout(left) != Err(RecvTimeoutError::Timeout) {
            break;
        }
        published += 1;
        publisher.write(&sampler.sample(published))?;
    }
    Ok((published, skipped))
}

/// Is disconnected when standard input ends: whoever started this is done with it, or dead.
fn end_of_input() -> Receiver<()> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let _open = sender;
        std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink())
    });
    receiver
}

static STOP: AtomicBool = AtomicBool::new(false);

extern "C" fn stop(_signal: libc::c_int) {
    STOP.store(true, Ordering::Relaxed);
}

/// Without this a signal would end the process where it stands, and the publication's name would stay for a successor.
fn stop_on_signals() {
    let handler = stop as extern "C" fn(libc::c_int) as libc::sighandler_t;
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        // SAFETY: the handler only stores to an atomic, which a signal may interrupt anything for.
        unsafe { libc::signal(signal, handler) };
    }
}

/// One line for whoever reads; nobody reading is no reason to fail.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
