//! A broker and its clients.

use crate::common::watchdog::bounded;
use crate::common::{Directory, code};
use crate::{LONG, SHORT, descriptor, first_byte, memory, open_memory, send_raw};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use pagecast::broker::{Allocation, ConnectOptions, Limits};
use pagecast::region::{MapOptions, Mode, Region, Seals, SharedMemory, SharedMemoryOptions, Source};
use pagecast::wait::Patience;
use pagecast::{Broker, BrokerClient, BrokerOptions, Channel, Code};
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

struct Scene {
    directory: Directory,
    broker: Broker,
}

impl Scene {
    fn new(limits: Limits) -> Scene {
        raise_descriptor_limit();
        let directory = Directory::new();
        let options = BrokerOptions { limits, ..BrokerOptions::default() };
        let broker = Broker::listen(&directory.path().join("broker"), &options).unwrap();
        Scene { directory, broker }
    }

    fn client(&self) -> BrokerClient {
        BrokerClient::connect(self.broker.path(), &ConnectOptions::default(), LONG).unwrap()
    }

    /// Somebody who does not keep to the form, and has been greeted.
    fn stranger(&self) -> Channel {
        let channel = Channel::connect(self.broker.path(), false, LONG).unwrap();
        assert!(channel.receive(LONG).unwrap().unwrap().bytes.starts_with(b"{\"broker\":1"));
        channel
    }
}

/// To all that there may be: the tests are threads of one process, and some send a broker more than the usual thousand between them.
fn raise_descriptor_limit() {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, most, most).unwrap();
}

fn names(client: &mut BrokerClient) -> Vec<String> {
    client.list(LONG).unwrap().into_iter().map(|entry| entry.name).collect()
}

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
fn who_says_nonsense_is_told_so_and_no_longer_heard() {
    bounded(|watch| {
        let scene = Scene::new(Limits::default());
        let mut client = scene.client();
        let region = memory(4096, 1);
        let fd = region.descriptor().unwrap();
        let long = format!(r#"{{"id":1,"call":"get","name":"{}"}}"#, "x".repeat(5000));
        let deep = "[".repeat(4000);
        let nonsense: [(&[u8], usize); 8] = [
            (b"\0", 0),
            (b"{}", 0),
            (br#"{"id":-1,"call":"list"}"#, 0),
            (br#"{"id":1,"call":"explode"}"#, 16),
            (br#"{"id":1,"call":"list","after":7}"#, 1),
            (br#"{"id":1,"call":"get","name":"x"}"#, 2),
            (long.as_bytes(), 1),
            (deep.as_bytes(), 0),
        ];
        for (bytes, count) in nonsense {
            watch.stage(String::from_utf8_lossy(bytes));
            let stranger = scene.stranger();
            stranger.send(bytes, &vec![fd; count], LONG).unwrap();
            let answer = String::from_utf8(stranger.receive(LONG).unwrap().unwrap().bytes).unwrap();
            assert!(answer.contains("ERR_BAD_MESSAGE"), "{answer}");
            assert!(stranger.receive(LONG).unwrap().is_none());
        }
        client.allocate("fine", &Allocation::new(4096), LONG).unwrap();
    });
}

#[test]
fn who_does_not_read_keeps_nobody_else_waiting() {
    bounded(|_| {
        let scene = Scene::new(Limits::default());
        let mut client = scene.client();
        client.allocate("frames", &Allocation::new(4096), LONG).unwrap();
        let stranger = scene.stranger();
        let call = br#"{"id":1,"call":"get","name":"frames"}"#;
        let mut sent = 0;
        // until the broker does not hear it any more, because it does not read
        while sent < 20_000 && stranger.send(call, &[], SHORT * 10).is_ok() {
            sent += 1;
        }
        assert!(sent < 20_000, "the broker goes on collecting answers that nobody reads");
        assert_eq!(first_byte(client.get("frames", false, LONG).unwrap()), 0);
        let mut answers = 0;
        while answers < sent {
            assert_eq!(stranger.receive(LONG).unwrap().unwrap().descriptors.len(), 1);
            answers += 1;
        }
    });
}

/// A connection that, once its last descriptor is closed, waits an hour for a peer that does not read; and that peer.
fn lingering() -> (OwnedFd, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    set(&listener, libc::SO_RCVBUF, &4096i32); // so that it has room for less than is sent
    let mut socket = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (peer, _) = listener.accept().unwrap();
    set(&socket, libc::SO_SNDBUF, &65_536i32); // and little is: hundreds of these take megabytes each of the kernel's, otherwise
    socket.set_nonblocking(true).unwrap();
    while socket.write(&[0; 65_536]).is_ok() {}
    socket.set_nonblocking(false).unwrap();
    set(&socket, libc::SO_LINGER, &libc::linger { l_onoff: 1, l_linger: 3600 });
    (socket.into(), peer)
}

fn set<T>(socket: &impl AsRawFd, option: i32, value: &T) {
    let (value, length) = ((&raw const *value).cast(), size_of::<T>() as libc::socklen_t);
    // SAFETY: the value outlives the call, and is as long as we say.
    assert_eq!(unsafe { libc::setsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, option, value, length) }, 0);
}

/// Sends one, so that mostly the last to close it is the broker: only then `left` is counted up. If the broker is faster, a thread of this test hangs. Its peer.
fn send_lingering(stranger: Arc<Channel>, bytes: &'static [u8], left: &Arc<AtomicUsize>) -> TcpStream {
    let ((socket, peer), left) = (lingering(), left.clone());
    std::thread::spawn(move || {
        let sent = stranger.send(bytes, &[socket.as_fd()], LONG);
        drop(stranger); // it is not this thread's to keep open, should it hang
        drop(socket);
        left.fetch_add(1, Ordering::Relaxed);
        sent
    });
    peer
}

/// Waits until the broker has the socket that it listens at, and one of one client: those that it accepted have its path, too. As often as it takes: while
/// others come and go, the kernel's list may leave one out.
fn until_there_is_one_client(scene: &Scene) {
    let path = scene.broker.path().to_str().unwrap();
    let sockets = || std::fs::read_to_string("/proc/self/net/unix").unwrap().lines().filter(|line| line.ends_with(path)).count();
    while sockets() != 2 {}
}

#[test]
fn what_hangs_when_it_is_closed_does_not_hang_the_broker() {
    bounded(|watch| {
        let scene = Scene::new(Limits::default());
        let mut client = scene.client();
        let mut peers = Vec::new();
        let ways: [(&'static [&'static [u8]], usize); 8] = [
            (&[br#"{"id":1,"call":"share","name":"refused"}"#], 0),
            (&[br#"{"id":1,"call":"list"}"#], 0),
            (&[b"nonsense"], 0),
            (&[b"nonsense", b"never read"], 0), // it is in what is thrown away with the connection
            (&[b"", b"never read"], 0),         // behind what is empty, as the end is
            (&[b""], 0),
            (&[b"many"], 16), // it is the last of so many more
            (&[b"most"], 252),
        ];
        for (way, (messages, more)) in ways.into_iter().enumerate() {
            watch.stage(format!("way {way}"));
            for _ in 0..4 {
                let (socket, peer) = lingering();
                peers.push(peer);
                let (path, (sent, is_sent)) = (scene.broker.path().to_path_buf(), std::sync::mpsc::channel());
                std::thread::spawn(move || {
                    let null = std::fs::File::open("/dev/null").unwrap();
                    let numbers: Vec<_> = std::iter::repeat_n(null.as_raw_fd(), more).chain([socket.as_raw_fd()]).collect();
                    let stranger = Channel::connect(&path, false, LONG).unwrap();
                    for (index, message) in messages.iter().enumerate() {
                        // unless the broker hears it no more
                        send_raw(&stranger, message, if index + 1 == messages.len() { &numbers } else { &[] });
                    }
                    sent.send(stranger).unwrap();
                    drop(socket); // before the broker has its turn, mostly: then its descriptor is the last one; if not, this thread is to hang
                });
                let _stranger = is_sent.recv().unwrap();
                client.list(LONG).unwrap();
            }
        }
        watch.stage("the end");
        drop(scene.broker);
        drop(peers); // whoever hangs in a close is let go
    });
}

#[test]
fn who_is_refused_leaves_nothing() {
    bounded(|_| {
        let scene = Scene::new(Limits { max_clients: 1, ..Limits::default() });
        let mut client = scene.client();
        let refused: Vec<_> = (0..100).map(|_| Channel::connect(scene.broker.path(), false, LONG).unwrap()).collect();
        for channel in refused {
            let said = channel.receive(LONG).unwrap().unwrap().bytes;
            assert!(said.starts_with(br#"{"error":"ERR_BROKER_LIMIT""#), "{}", String::from_utf8_lossy(&said));
            assert!(channel.receive(LONG).unwrap().is_none());
        }
        until_there_is_one_client(&scene);
        client.allocate("fine", &Allocation::new(4096), LONG).unwrap();
    });
}

#[test]
fn nobody_is_accepted_while_too_much_hangs_and_all_of_it_is_closed_in_the_end() {
    bounded(|watch| {
        let scene = Scene::new(Limits::default());
        let mut client = scene.client();
        let (mut peers, left) = (Vec::new(), Arc::<AtomicUsize>::default());
        // while no more hang than there are threads for, everybody is accepted in the end
        let patience = |hanging| if hanging < 64 { LONG } else { SHORT * 10 };
        let connect = |hanging| BrokerClient::connect(scene.broker.path(), &ConnectOptions::default(), patience(hanging));
        while let Ok(greeted) = connect(peers.len()) {
            drop(greeted);
            watch.stage(format!("{} hang", peers.len()));
            assert!(left.load(Ordering::Relaxed) < 400, "the broker accepts whatever hangs");
            let stranger = Channel::connect(scene.broker.path(), false, LONG).unwrap();
            peers.push(send_lingering(Arc::new(stranger), b"nonsense", &left));
            client.list(LONG).unwrap();
        }
        assert!(peers.len() >= 64, "only {} hang", peers.len());
        client.allocate("fine", &Allocation::new(4096), LONG).unwrap();
        watch.stage("let go");
        drop(peers);
        drop(scene.client());
        until_there_is_one_client(&scene);
    });
}

#[test]
fn of_whom_much_hangs_is_not_heard_and_its_names_go_with_it() {
    bounded(|watch| {
        let scene = Scene::new(Limits::default());
        let mut client = scene.client();
        let (stranger, region) = (Arc::new(scene.stranger()), memory(4096, 1));
        stranger.send(br#"{"id":1,"call":"share","name":"own"}"#, &[region.descriptor().unwrap()], LONG).unwrap();
        assert!(stranger.receive(LONG).unwrap().is_some(), "the name is its own");
        let (mut peers, mut answers, left) = (Vec::new(), 0, Arc::<AtomicUsize>::default());
        // while not more hangs than may, it is answered in the end
        while answers == peers.len() {
            assert!(left.load(Ordering::Relaxed) < 400, "the broker hears whatever hangs");
            peers.push(send_lingering(stranger.clone(), br#"{"id":2,"call":"list"}"#, &left));
            answers += usize::from(stranger.receive(if answers < 16 { LONG } else { SHORT * 10 }).is_ok());
        }
        assert!(answers >= 16, "{answers} answers: as many as may hang");
        assert_eq!(names(&mut client), ["own"]);
        watch.stage("it leaves");
        drop(stranger);
        while !names(&mut client).is_empty() {}
        drop(scene.client());
        watch.stage("let go");
        drop(peers);
        until_there_is_one_client(&scene);
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

#[test]
fn what_is_no_broker_is_found_out() {
    bounded(|_| {
        let directory = Directory::new();
        let path = directory.path().join("socket");
        let listener = pagecast::Listener::bind(&path, &Default::default()).unwrap();
        let connect = || BrokerClient::connect(&path, &ConnectOptions::default(), SHORT * 10);
        let error = connect().unwrap_err();
        assert_eq!(error.code(), Code::Timeout, "it says nothing");
        assert!(error.message().ends_with("and the broker did not greet"), "{error}");
        for (said, expected) in [
            (&b"hello"[..], Code::BadMessage),
            (br#"{"broker":2,"pid":1}"#, Code::BadMessage),
            (br#"{"error":"ERR_PERMISSION","message":"no"}"#, Code::Permission),
            (br#"{"error":"rm -rf","message":"no"}"#, Code::BadMessage),
        ] {
            let answered = std::thread::scope(|threads| {
                let connecting = threads.spawn(|| BrokerClient::connect(&path, &ConnectOptions::default(), LONG));
                // the one before left without being accepted
                while !listener.accept(LONG).unwrap().try_send(said, &[]).unwrap_or(false) {}
                connecting.join().unwrap()
            });
            assert_eq!(code(answered), expected);
        }
    });
}

/// A client of somebody who has said all this before he was asked anything.
fn told_in_advance(said: impl IntoIterator<Item = String>) -> (BrokerClient, Channel) {
    let directory = Directory::new();
    let path = directory.path().join("socket");
    let listener = pagecast::Listener::bind(&path, &Default::default()).unwrap();
    std::thread::scope(|threads| {
        let connecting = threads.spawn(|| BrokerClient::connect(&path, &ConnectOptions::default(), LONG).unwrap());
        let talker = listener.accept(LONG).unwrap();
        for said in [r#"{"broker":1,"pid":1}"#.into()].into_iter().chain(said) {
            talker.send(said.as_bytes(), &[], LONG).unwrap();
        }
        (connecting.join().unwrap(), talker)
    })
}

#[test]
fn a_broker_that_talks_of_other_things_does_not_make_a_wait_longer() {
    bounded(|_| {
        let others = || (100..200).map(|id| format!(r#"{{"id":{id}}}"#)).chain([r#"{"id":1}"#.into()]);
        let cancelled = AtomicBool::new(true);
        let (mut client, _talker) = told_in_advance(others());
        assert_eq!(code(client.get("x", true, Patience::from(SHORT / 1_000_000))), Code::Timeout);
        let (mut client, _talker) = told_in_advance(others());
        assert_eq!(code(client.get("x", true, Patience { timeout: None, cancelled: Some(&cancelled) })), Code::Aborted);
        let (mut client, _talker) = told_in_advance(others());
        assert_eq!(code(client.get("x", true, LONG)), Code::BadMessage, "the answer is behind the others, and has no descriptor");

        let (mut client, _silent) = told_in_advance([]);
        let error = client.get("x", true, SHORT).unwrap_err();
        assert_eq!((error.code(), error.message()), (Code::Timeout, "get \"x\": 30ms are over, and the broker did not answer"));
        let (mut client, talker) = told_in_advance([]);
        let talking = std::thread::spawn(move || while talker.send(br#"{"id":999}"#, &[], LONG).is_ok() {});
        assert_eq!(code(client.get("x", true, SHORT * 10)), Code::Timeout);
        drop(client);
        talking.join().unwrap();
    });
}

#[test]
fn a_refusal_that_is_none_is_not_taken_for_consent() {
    bounded(|_| {
        for (said, expected) in [
            (r#""error":"ERR_NOT_FOUND","message":"no""#, Err(Code::NotFound)),
            (r#""error":"ERR_X","message":{"toString":1}"#, Err(Code::BadMessage)),
            (r#""error":7,"message":"no""#, Err(Code::BadMessage)),
            (r#""error":"ERR_NOT_FOUND""#, Err(Code::BadMessage)),
            (r#""more":false"#, Ok(())),
        ] {
            let (mut client, _talker) = told_in_advance([format!(r#"{{"id":1,{said}}}"#)]);
            assert_eq!(client.free("x", LONG).map_err(|error| error.code()), expected, "{said}");
        }
    });
}

#[test]
fn a_list_that_never_ends_ends_by_its_time() {
    bounded(|_| {
        let page = |id| format!(r#"{{"id":{id},"entries":[{{"name":"{id:09}","byteLength":1,"pid":1,"keep":false}}],"more":true}}"#);
        let (mut client, _talker) = told_in_advance((1..=100).map(page));
        assert_eq!(code(client.list(SHORT / 1_000_000)), Code::Timeout);
        let last = r#"{"id":51,"entries":[]}"#.to_owned();
        let (mut client, _talker) = told_in_advance((1..=50).map(page).chain([last]));
        assert_eq!(client.list(LONG).unwrap().len(), 50);

        let pages_within = |time| {
            let (mut client, talker) = told_in_advance([]);
            let listing = std::thread::spawn(move || client.list(time));
            let mut pages = 0;
            while let Ok(Some(message)) = talker.receive(LONG) {
                if String::from_utf8(message.bytes).unwrap().contains("list") {
                    pages += 1;
                    let _ = talker.send(page(pages).as_bytes(), &[], LONG);
                }
            }
            assert_eq!(code(listing.join().unwrap()), Code::Timeout);
            pages
        };
        // as long as it takes for a second one
        assert!((1..).any(|times| pages_within(SHORT * times) > 1));
    });
}

#[test]
fn who_connects_again_and_again_keeps_no_client_waiting_nor_the_end() {
    bounded(|watch| {
        let scene = Scene::new(Limits { max_clients: 4, ..Limits::default() });
        let path = scene.broker.path().to_path_buf();
        let mut client = scene.client();
        let connections = AtomicUsize::new(0);
        std::thread::scope(|threads| {
            for _ in 0..3 {
                threads.spawn(|| {
                    loop {
                        match Channel::try_connect(&path).map(drop) {
                            Err(error) if error.code() != Code::Busy => return,
                            outcome => connections.fetch_add(usize::from(outcome.is_ok()), Ordering::Relaxed),
                        };
                    }
                });
            }
            for count in 0..100 {
                watch.stage(format!("call {count}"));
                assert_eq!(names(&mut client), Vec::<String>::new());
            }
            while connections.load(Ordering::Relaxed) < 1000 {
                assert_eq!(names(&mut client), Vec::<String>::new());
            }
            watch.stage("the end");
            drop(scene.broker);
        });
    });
}
