//! Brokers, their clients and siblings that pass descriptors, each in a process of its own, which may be killed.

use crate::common::watchdog::{Watch, bounded};
use crate::common::{Directory, FOREVER, code};
use crate::player::Player;
use crate::roles::{answer, commands};
use pagecast::broker::{Allocation, ConnectOptions};
use pagecast::region::{MapOptions, Region, Source};
use pagecast::{Broker, BrokerClient, BrokerOptions, Channel, Code, Listener};
use std::path::Path;

/// The user that owns nothing.
const NOBODY: u32 = 65534;

/// Serves until it is killed.
pub fn broker(path: &str, uid: Option<&str>) {
    let uids = uid.map(|uid| uid.parse().unwrap()).into_iter().collect();
    let options = BrokerOptions { uids, mode: Some(0o666), ..BrokerOptions::default() };
    let broker = Broker::listen(Path::new(path), &options);
    answer(broker.as_ref().map_or_else(|error| error.code().as_str(), |_| "serving"));
    assert!(commands().recv().is_err(), "it is told nothing");
}

/// A client that does what it is told, and keeps all regions that it got.
pub fn broker_client(path: &str) {
    let connected = BrokerClient::connect(Path::new(path), &ConnectOptions::default(), FOREVER);
    answer(connected.as_ref().map_or_else(|error| error.code().as_str(), |_| "connected"));
    let Ok(mut client) = connected else { return };
    let mut regions = Vec::new();
    for command in commands() {
        let words: Vec<_> = command.split(' ').collect();
        let done = match words[0] {
            "allocate" => {
                client.allocate(words[1], &Allocation { keep: words[2] == "keep", ..Allocation::new(4096) }, FOREVER).map(|region| {
                    region.write_at(0, &[words[3].parse().unwrap()]).unwrap();
                    regions.push(region);
                    "allocated".to_owned()
                })
            }
            "get" => client.get(words[1], words[2] == "wait", FOREVER).map(|fd| {
                let region = Region::map(&MapOptions::new(Source::Descriptor(fd))).unwrap();
                let mut byte = [0];
                region.read_at(0, &mut byte).unwrap();
                regions.push(region);
                byte[0].to_string()
            }),
            "free" => client.free(words[1], FOREVER).map(|()| "freed".to_owned()),
            "list" => client.list(FOREVER).map(|all| all.into_iter().map(|entry| entry.name).collect::<Vec<_>>().join(" ")),
            "peek" => regions[0].read_at(0, &mut [0]).map(|()| "there".to_owned()),
            word => panic!("unknown command {word}"),
        };
        answer(&done.unwrap_or_else(|error| error.code().as_str().into()));
    }
}

/// Connects, waits for a region and adds one to its first byte.
pub fn sibling(path: &str) {
    let channel = Channel::connect(Path::new(path), true, FOREVER).unwrap();
    let message = channel.receive(FOREVER).unwrap().unwrap();
    let [fd] = message.descriptors.try_into().unwrap();
    let region = Region::map(&MapOptions::new(Source::Descriptor(fd))).unwrap();
    let mut byte = [0];
    region.read_at(0, &mut byte).unwrap();
    region.write_at(0, &[byte[0] + 1]).unwrap();
    channel.send(b"done", &[], FOREVER).unwrap();
    answer(&format!("{} {}", String::from_utf8(message.bytes).unwrap(), channel.peer().pid));
}

/// Listens, and passes on what nobody else has.
pub fn passer(path: &str) {
    let listener = Listener::bind(Path::new(path), &Default::default()).unwrap();
    let region = Region::map(&MapOptions { byte_length: Some(4096), ..MapOptions::default() }).unwrap();
    region.write_at(0, &[41]).unwrap();
    let channel = listener.accept(FOREVER).unwrap();
    channel.send(b"a region", &[region.descriptor().unwrap()], FOREVER).unwrap();
    assert_eq!(channel.receive(FOREVER).unwrap().unwrap().bytes, b"done");
    let mut byte = [0];
    region.read_at(0, &mut byte).unwrap();
    answer(&byte[0].to_string());
}

fn start<'a>(watch: &'a Watch, path: &'a str) -> impl Fn(&'static str) -> Player + 'a {
    move |role| {
        let mut player = Player::start(watch, role, &[path]);
        assert_eq!(player.hear(), if role == "broker" { "serving" } else { "connected" });
        player
    }
}

#[test]
fn siblings_pass_a_region() {
    bounded(|watch| {
        let directory = Directory::new();
        let path = directory.path().join("socket");
        let arguments = [path.to_str().unwrap()];
        let mut sibling = Player::start(watch, "sibling", &arguments);
        let mut passer = Player::start(watch, "passer", &arguments);
        assert_eq!(sibling.hear(), format!("a region {}", passer.pid()));
        assert_eq!(passer.hear(), "42");
    });
}

#[test]
fn what_a_killed_client_had_goes_and_who_has_it_mapped_keeps_it() {
    bounded(|watch| {
        let directory = Directory::new();
        let path = directory.path().join("broker");
        let start = start(watch, path.to_str().unwrap());
        let (_broker, mut one, mut other) = (start("broker"), start("broker-client"), start("broker-client"));
        assert_eq!(one.ask("allocate own drop 7"), "allocated");
        assert_eq!(one.ask("allocate kept keep 8"), "allocated");
        assert_eq!(other.ask("get own now"), "7");
        assert_eq!(other.ask("free own"), "ERR_PERMISSION");
        one.kill();
        while other.ask("list") != "kept" {}
        assert_eq!(other.ask("get own now"), "ERR_NOT_FOUND");
        assert_eq!(other.ask("peek"), "there");
        assert_eq!(other.ask("get kept now"), "8");
        assert_eq!(other.ask("allocate own drop 9"), "allocated", "the name is free");
        assert_eq!(other.ask("free kept"), "freed");
        assert_eq!(other.ask("list"), "own");
    });
}

#[test]
fn clients_outlive_a_killed_broker_and_the_next_one_takes_its_place() {
    bounded(|watch| {
        let directory = Directory::new();
        let path = directory.path().join("broker");
        let start = start(watch, path.to_str().unwrap());
        for round in 0..5 {
            watch.stage(format!("round {round}"));
            let (broker, mut one, mut waiting) = (start("broker"), start("broker-client"), start("broker-client"));
            assert_eq!(one.ask("allocate frames drop 7"), "allocated");
            waiting.say("get never wait");
            let mut second = Player::start(watch, "broker", &[path.to_str().unwrap()]);
            assert_eq!(second.hear(), "ERR_ALREADY_EXISTS");
            broker.kill();
            assert_eq!(waiting.hear(), "ERR_BROKER_GONE");
            assert_eq!(one.ask("get frames now"), "ERR_BROKER_GONE");
            assert_eq!(one.ask("list"), "ERR_BROKER_GONE");
            assert_eq!(one.ask("peek"), "there");
            assert_eq!(directory.files(), ["broker", "broker.lock"], "what a killed one leaves");
        }
    });
}

#[test]
fn another_user_is_refused_unless_it_is_let_in() {
    bounded(|watch| {
        let directory = Directory::new();
        let path = directory.path().join("broker");
        let path = path.to_str().unwrap();
        for (uid, expected) in [(None, "ERR_PERMISSION"), (Some("65534"), "connected")] {
            let arguments: Vec<&str> = [path].into_iter().chain(uid).collect();
            let mut broker = Player::start(watch, "broker", &arguments);
            assert_eq!(broker.hear(), "serving");
            // only root may start a process as somebody else
            let Ok(mut stranger) = Player::start_as(watch, NOBODY, "broker-client", &[path]) else { return };
            assert_eq!(stranger.hear(), expected);
            broker.kill();
        }
    });
}

#[test]
fn the_broker_of_another_user_is_trusted_only_if_the_client_says_so() {
    bounded(|watch| {
        let directory = Directory::new();
        std::os::unix::fs::chown(directory.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        let path = directory.path().join("broker");
        let Ok(mut broker) = Player::start_as(watch, NOBODY, "broker", &[path.to_str().unwrap()]) else { return };
        assert_eq!(broker.hear(), "serving");
        let connect = |uids: &[u32]| BrokerClient::connect(&path, &ConnectOptions { uids: uids.to_vec(), wait: false }, FOREVER);
        assert_eq!(code(connect(&[])), Code::Permission);
        connect(&[NOBODY]).unwrap();
    });
}

#[test]
#[cfg(feature = "testing")]
fn a_forked_child_is_no_client_and_no_broker() {
    bounded(|watch| {
        let directory = Directory::new();
        let path = directory.path().join("broker");
        let mut broker = Some(Broker::listen(&path, &BrokerOptions::default()).unwrap());
        let mut client = Some(BrokerClient::connect(&path, &ConnectOptions::default(), FOREVER).unwrap());
        client.as_mut().unwrap().allocate("own", &Allocation::new(4096), FOREVER).unwrap();
        watch.stage("a child drops what it inherits");
        let is_fine = pagecast::testing::fork_and_check(|| {
            let (broker, mut client) = (broker.take(), client.take().unwrap());
            assert_eq!(code(client.list(FOREVER)), Code::Disposed);
            drop((broker, client));
            true
        });
        assert!(is_fine.unwrap());
        let mut other = BrokerClient::connect(&path, &ConnectOptions::default(), FOREVER).unwrap();
        assert_eq!(other.list(FOREVER).unwrap().len(), 1, "the parent's is there");

        watch.stage("a child outlives its parent's connection");
        let child = pagecast::testing::fork().unwrap();
        drop(client);
        while !other.list(FOREVER).unwrap().is_empty() {}
        drop(broker);
        assert_eq!(code(BrokerClient::connect(&path, &ConnectOptions::default(), FOREVER)), Code::NotFound);
        // SAFETY: it is ours, and not waited for yet.
        assert_eq!(unsafe { libc::kill(child, libc::SIGKILL) }, 0);
        nix::sys::wait::waitpid(nix::unistd::Pid::from_raw(child), None).unwrap();
    });
}
