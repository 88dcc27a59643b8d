//! Clients that a broker has to bear.

use crate::broker_scene::{Scene, names};
use crate::common::watchdog::bounded;
use crate::{LONG, SHORT, first_byte, memory, send_raw};
use pagecast::broker::{Allocation, ConnectOptions, Limits};
use pagecast::{BrokerClient, Channel, Code};
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

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
