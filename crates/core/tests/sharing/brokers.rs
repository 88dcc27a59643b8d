//! A broker and its clients.

use crate::broker_scene::{Scene, names};
use crate::common::code;
use crate::common::watchdog::bounded;
use crate::{LONG, SHORT, descriptor, first_byte, memory, open_memory};
use pagecast::broker::{Allocation, ConnectOptions, Limits};
use pagecast::region::{MapOptions, Mode, Region, Seals, SharedMemory, SharedMemoryOptions, Source};
use pagecast::wait::Patience;
use pagecast::{Broker, BrokerClient, BrokerOptions, Code};
use std::os::fd::AsFd;
use std::sync::atomic::AtomicBool;

#[test]
fn what_one_allocates_another_one_gets() {
    bounded(|_| {
        let scene = Scene::new(Limits::default());
        let (mut one, mut other) = (scene.client(), scene.client());
        let region = one.allocate("frames", &Allocation::new(10_000), LONG).unwrap();
        region.write_at(9_999, &[7]).unwrap();
        let same = Region::map(&MapOptions::new(Source::Descriptor(other.get("frames", false, LONG).unwrap()))).unwrap();
        assert_eq!((same.byte_length(), same.seals().unwrap()), (10_000, Seals::SHRINK | Seals::GROW));
        same.write_at(0, &[8]).unwrap();
        let mut bytes = [0];
        region.read_at(0, &mut bytes).unwrap();
        assert_eq!(bytes, [8]);
        let [entry] = other.list(LONG).unwrap().try_into().unwrap();
        assert_eq!((entry.name.as_str(), entry.byte_length, entry.pid, entry.keep), ("frames", 10_000, Some(std::process::id()), false));

        assert_eq!(code(other.free("frames", LONG)), Code::Permission);
        assert_eq!(code(other.allocate("frames", &Allocation::new(1), LONG)), Code::AlreadyExists);
        one.free("frames", LONG).unwrap();
        assert_eq!(code(one.free("frames", LONG)), Code::NotFound);
        assert_eq!(code(other.get("frames", false, LONG)), Code::NotFound);
        same.read_at(9_999, &mut bytes).unwrap();
        assert_eq!(bytes, [7], "who has it keeps it");
    });
}

#[test]
fn what_is_allocated_is_labelled_by_its_name() {
    bounded(|_| {
        let scene = Scene::new(Limits::default());
        let mut client = scene.client();
        let long = "\u{1f600}".repeat(63); // longer than a label may be
        for (name, label) in [("labelled", "labelled"), (&long, &long[..240])] {
            assert_eq!(open_memory(label), 0);
            let _region = client.allocate(name, &Allocation::new(4096), LONG).unwrap();
            assert!(open_memory(label) >= 1, "{label}");
        }
    });
}

#[test]
fn what_is_a_clients_own_goes_with_it_and_what_is_kept_stays_until_anybody_frees_it() {
    bounded(|_| {
        let scene = Scene::new(Limits::default());
        let (mut one, mut other) = (scene.client(), scene.client());
        one.allocate("own", &Allocation::new(4096), LONG).unwrap();
        one.allocate("kept", &Allocation { keep: true, ..Allocation::new(4096) }, LONG).unwrap();
        assert_eq!(names(&mut other), ["kept", "own"]);
        drop(one);
        while names(&mut other) != ["kept"] {}
        assert_eq!(other.list(LONG).unwrap()[0].pid, None);
        other.free("kept", LONG).unwrap();
        assert_eq!(names(&mut other), Vec::<String>::new());
    });
}

#[test]
fn what_is_there_already_is_shared_too_if_it_is_memory() {
    bounded(|_| {
        let scene = Scene::new(Limits::default());
        let mut client = scene.client();
        client.share("memfd", memory(4096, 5).descriptor().unwrap(), false, LONG).unwrap();
        assert_eq!(first_byte(client.get("memfd", false, LONG).unwrap()), 5);
        let options = SharedMemoryOptions { byte_length: Some(4096), ..SharedMemoryOptions::default() };
        let object = SharedMemory::open(&scene.directory.name("object"), Mode::Exclusive, &options).unwrap();
        client.share("object", object.descriptor(), false, LONG).unwrap();
        assert_eq!(first_byte(client.get("object", false, LONG).unwrap()), 0);

        let (stream, _other) = std::os::unix::net::UnixStream::pair().unwrap();
        let empty = SharedMemory::open(&scene.directory.name("empty"), Mode::Exclusive, &SharedMemoryOptions::default()).unwrap();
        let null = std::fs::File::open("/dev/null").unwrap();
        for refused in [stream.as_fd(), empty.descriptor(), null.as_fd()] {
            assert_eq!(code(client.share("refused", refused, false, LONG)), Code::InvalidArgument);
        }
        assert_eq!(names(&mut client), ["memfd", "object"]);
    });
}

#[test]
fn who_waits_for_a_name_gets_it_when_it_comes() {
    bounded(|_| {
        let scene = Scene::new(Limits::default());
        let mut client = scene.client();
        let waiting: Vec<_> = (0..4)
            .map(|_| {
                let mut client = scene.client();
                std::thread::spawn(move || client.get("later", true, LONG).map(first_byte))
            })
            .collect();
        std::thread::sleep(SHORT);
        client.share("later", memory(4096, 9).descriptor().unwrap(), false, LONG).unwrap();
        for waiting in waiting {
            assert_eq!(waiting.join().unwrap().unwrap(), 9);
        }
    });
}

#[test]
fn a_wait_that_was_given_up_leaves_nothing() {
    bounded(|_| {
        let scene = Scene::new(Limits::default());
        let (mut one, mut other) = (scene.client(), scene.client());
        // it answers that there is no such name yet, sooner or later
        let patience = (1..).map(|times| SHORT * times).find(|patience| {
            let error = one.get("later", true, *patience).unwrap_err();
            let facts = ["nobody gave it that name", "the broker did not answer"]
                .map(|fact| format!("get \"later\": {patience:?} are over, and {fact}"));
            assert!(error.code() == Code::Timeout && facts.contains(&error.message().to_owned()), "{error}");
            error.message() == facts[0]
        });
        assert!(patience.is_some());
        let stop = AtomicBool::new(true);
        assert_eq!(code(one.get("later", true, Patience { timeout: None, cancelled: Some(&stop) })), Code::Aborted);
        other.share("later", memory(4096, 9).descriptor().unwrap(), false, LONG).unwrap();
        other.share("another", memory(4096, 10).descriptor().unwrap(), false, LONG).unwrap();
        assert_eq!(first_byte(one.get("another", false, LONG).unwrap()), 10, "no answer to a call of before");
    });
}

#[test]
fn limits_hold() {
    bounded(|_| {
        let limits = Limits { max_bytes: 100_000, max_names: 3, max_names_per_client: 2, max_clients: 3 };
        let scene = Scene::new(limits);
        let (mut one, mut other, _third) = (scene.client(), scene.client(), scene.client());
        let connected = BrokerClient::connect(scene.broker.path(), &ConnectOptions::default(), LONG);
        assert_eq!(code(connected), Code::BrokerLimit, "clients");

        assert_eq!(code(one.allocate("large", &Allocation::new(100_001), LONG)), Code::BrokerLimit);
        one.allocate("a", &Allocation::new(60_000), LONG).unwrap();
        let error = other.allocate("b", &Allocation::new(50_000), LONG).unwrap_err();
        assert_eq!(error.code(), Code::BrokerLimit);
        assert!(error.message().contains("50,000") && error.message().contains("100,000"), "{error}");
        one.allocate("b", &Allocation::new(1), LONG).unwrap();
        assert_eq!(code(one.allocate("c", &Allocation::new(1), LONG)), Code::BrokerLimit, "names of a client");
        other.allocate("c", &Allocation::new(1), LONG).unwrap();
        assert_eq!(code(other.allocate("d", &Allocation::new(1), LONG)), Code::BrokerLimit, "names in all");
        one.free("a", LONG).unwrap();
        other.allocate("d", &Allocation::new(90_000), LONG).unwrap();
    });
}

#[test]
fn what_grows_afterwards_counts_as_it_is_by_then() {
    bounded(|_| {
        let scene = Scene::new(Limits { max_bytes: 100_000, ..Limits::default() });
        let mut client = scene.client();
        let region = memory(4096, 1);
        client.share("growing", region.descriptor().unwrap(), false, LONG).unwrap();
        std::fs::File::from(descriptor(&region)).set_len(100_000).unwrap();
        assert_eq!(code(client.allocate("more", &Allocation::new(4096), LONG)), Code::BrokerLimit);
    });
}

#[test]
fn a_list_is_as_long_as_it_has_to_be() {
    bounded(|_| {
        let scene = Scene::new(Limits::default());
        let mut client = scene.client();
        let region = memory(4096, 1);
        let wanted: Vec<String> = (0..100).map(|index| format!("{}{index:03}", "\u{1}".repeat(252))).collect();
        for name in &wanted {
            client.share(name, region.descriptor().unwrap(), false, LONG).unwrap();
        }
        assert_eq!(names(&mut client), wanted);
    });
}

#[test]
fn names_are_those_of_files() {
    bounded(|_| {
        let scene = Scene::new(Limits::default());
        let mut client = scene.client();
        let region = memory(4096, 1);
        for name in ["", "..", "with/slash", "with\0nul", &"x".repeat(256), ".pagecast-x"] {
            assert_eq!(code(client.share(name, region.descriptor().unwrap(), false, LONG)), Code::InvalidName);
            assert_eq!(code(client.get(name, true, LONG)), Code::InvalidName);
        }
        let stranger = scene.stranger();
        stranger.send(br#"{"id":1,"call":"share","name":"with/slash"}"#, &[region.descriptor().unwrap()], LONG).unwrap();
        let answer = String::from_utf8(stranger.receive(LONG).unwrap().unwrap().bytes).unwrap();
        assert!(answer.contains("ERR_INVALID_NAME"), "the broker looks for itself: {answer}");
    });
}

#[test]
fn calls_end_when_the_broker_does_and_regions_stay() {
    bounded(|_| {
        let scene = Scene::new(Limits::default());
        let path = scene.broker.path().to_path_buf();
        let mut client = scene.client();
        let region = client.allocate("frames", &Allocation::new(4096), LONG).unwrap();
        let mut waiting = scene.client();
        let waiting = std::thread::spawn(move || waiting.get("never", true, LONG).map(drop));
        std::thread::sleep(SHORT);
        drop(scene.broker);
        assert_eq!(code(waiting.join().unwrap()), Code::BrokerGone);
        assert_eq!(code(client.get("frames", false, LONG)), Code::BrokerGone);
        assert_eq!(code(client.list(LONG)), Code::BrokerGone);
        assert_eq!(scene.directory.files(), Vec::<String>::new());
        region.write_at(0, &[3]).unwrap();

        let broker = Broker::listen(&path, &BrokerOptions::default()).unwrap();
        let mut again = BrokerClient::connect(&path, &ConnectOptions::default(), LONG).unwrap();
        assert_eq!(code(again.get("frames", false, LONG)), Code::NotFound);
        again.share("frames", region.descriptor().unwrap(), false, LONG).unwrap();
        assert_eq!(first_byte(again.get("frames", false, LONG).unwrap()), 3);
        drop(broker);
    });
}
