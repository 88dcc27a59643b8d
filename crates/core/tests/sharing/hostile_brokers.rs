//! Brokers that a client has to bear.

use crate::common::watchdog::bounded;
use crate::common::{Directory, code};
use crate::{LONG, SHORT};
use pagecast::broker::ConnectOptions;
use pagecast::wait::Patience;
use pagecast::{BrokerClient, Channel, Code};
use std::sync::atomic::AtomicBool;

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
