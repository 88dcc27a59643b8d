//! Names of sockets: given whole, taken back, and taken over from who was killed.

use crate::common::watchdog::bounded;
use crate::common::{Directory, code};
use crate::{LONG, SHORT};
use pagecast::channel::ListenOptions;
use pagecast::{Channel, Code, Listener};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Barrier};

fn bind(path: &Path) -> pagecast::Result<Listener> {
    Listener::bind(path, &ListenOptions::default())
}

/// What a process leaves that is killed while it listens: here, one that has ended without taking its path away.
fn abandoned(directory: &Directory) -> PathBuf {
    let path = directory.path().join("socket");
    drop(UnixListener::bind(&path).unwrap());
    path
}

#[test]
fn it_is_there_while_it_listens_and_then_nothing_is() {
    bounded(|_| {
        let directory = Directory::new();
        let path = directory.path().join("socket");
        assert_eq!(code(Channel::connect(&path, false, LONG)), Code::NotFound);
        let listener = bind(&path).unwrap();
        assert_eq!(directory.files(), ["socket", "socket.lock"]);
        assert_eq!(listener.path(), path);
        let here = Channel::connect(&path, false, LONG).unwrap();
        let there = listener.accept(LONG).unwrap();
        assert_eq!(code(listener.accept(SHORT)), Code::Timeout);
        drop(listener);
        assert_eq!(directory.files(), Vec::<String>::new());
        there.send(b"still connected", &[], LONG).unwrap();
        assert_eq!(here.receive(LONG).unwrap().unwrap().bytes, b"still connected");
        assert_eq!(here.peer().pid, std::process::id());
    });
}

#[test]
fn one_listens_at_a_time() {
    let directory = Directory::new();
    let path = directory.path().join("socket");
    let listener = bind(&path).unwrap();
    assert_eq!(code(bind(&path)), Code::AlreadyExists);
    drop(listener);
    bind(&path).unwrap();
}

#[test]
fn its_permissions_are_exactly_those_asked_for() {
    let directory = Directory::new();
    for mode in [0o600, 0o666, 0o660] {
        let path = directory.path().join("socket");
        let _listener = Listener::bind(&path, &ListenOptions { mode }).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode);
    }
}

#[test]
fn who_waits_is_connected_once_somebody_listens() {
    bounded(|_| {
        let directory = Directory::new();
        let path = directory.path().join("socket");
        assert_eq!(code(Channel::connect(&path, true, SHORT)), Code::Timeout);
        let waiting = std::thread::spawn({
            let path = path.clone();
            move || Channel::connect(&path, true, LONG).map(|channel| channel.peer().pid)
        });
        std::thread::sleep(SHORT);
        let _listener = bind(&path).unwrap();
        assert_eq!(waiting.join().unwrap().unwrap(), std::process::id());
    });
}

#[test]
fn a_socket_that_nobody_listens_at_is_replaced() {
    bounded(|_| {
        let directory = Directory::new();
        let path = abandoned(&directory);
        assert_eq!(code(Channel::connect(&path, false, LONG)), Code::NotFound);
        let _listener = bind(&path).unwrap();
        Channel::connect(&path, false, LONG).unwrap();
    });
}

#[test]
fn of_many_that_would_replace_it_one_does() {
    bounded(|watch| {
        for round in 0..50 {
            watch.stage(format!("round {round}"));
            let directory = Directory::new();
            let path = abandoned(&directory);
            let start = Arc::new(Barrier::new(8));
            let candidates: Vec<_> = (0..8)
                .map(|_| {
                    let (path, start) = (path.clone(), start.clone());
                    std::thread::spawn(move || {
                        start.wait();
                        bind(&path)
                    })
                })
                .collect();
            let outcomes: Vec<_> = candidates.into_iter().map(|candidate| candidate.join().unwrap()).collect();
            let beaten = outcomes.iter().filter(|outcome| matches!(outcome, Err(error) if error.code() == Code::AlreadyExists)).count();
            assert_eq!(beaten, 7, "{outcomes:?}");
            let listener = outcomes.iter().find_map(|outcome| outcome.as_ref().ok()).unwrap();
            let _here = Channel::connect(&path, false, LONG).unwrap();
            listener.accept(LONG).unwrap();
        }
    });
}

#[test]
fn what_is_somebody_elses_stays() {
    let directory = Directory::new();
    let file = directory.path().join("file");
    std::fs::write(&file, "precious").unwrap();
    assert_eq!(code(bind(&file)), Code::AlreadyExists);
    assert_eq!(std::fs::read(&file).unwrap(), b"precious");

    let stream = directory.path().join("stream");
    let _listening = UnixListener::bind(&stream).unwrap();
    assert_eq!(code(bind(&stream)), Code::AlreadyExists);
    assert_eq!(code(Channel::connect(&stream, false, LONG)), Code::BadMessage, "a socket of another kind");

    let link = directory.path().join("link");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    assert_eq!(code(bind(&link)), Code::AlreadyExists);
    assert_eq!(directory.files(), ["file", "link", "stream"], "no lock file stays");
}

#[test]
fn the_name_is_left_to_whoever_took_it_meanwhile() {
    let directory = Directory::new();
    let path = directory.path().join("socket");
    let listener = bind(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let _stranger = UnixListener::bind(&path).unwrap();
    drop(listener);
    assert_eq!(directory.files(), ["socket"]);
}

#[test]
fn paths_that_cannot_be_are_refused() {
    let directory = Directory::new();
    for path in ["", "with\0nul", &"x".repeat(108)] {
        assert_eq!(code(bind(Path::new(path))), Code::InvalidName, "{path:?}");
    }
    assert_eq!(code(bind(&directory.path().join("none/socket"))), Code::NotFound);
    assert_eq!(directory.files(), Vec::<String>::new());
}
