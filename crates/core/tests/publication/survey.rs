//! Listing, removing, cleaning.

use crate::common::{Directory, code};
use crate::poses::{Pose, consume, observe, publish};
use pagecast::Code;
use pagecast::publication::clean;
use pagecast::segment::{list, remove};

#[test]
fn listing_tells_segments_from_other_files() {
    let directory = Directory::new();
    let publisher = publish(&directory.name("b-alive"), 2);
    publish(&directory.name("a-dead"), 2).abandon();
    publish(&directory.name("c-kept"), 2).close(true).unwrap();
    std::fs::write(directory.path().join("raw"), [0; 4096]).unwrap();
    std::fs::write(directory.path().join("empty"), []).unwrap();
    std::fs::create_dir(directory.path().join("directory")).unwrap();
    let found = list(Some(directory.path())).unwrap();
    let seen: Vec<_> = found.iter().map(|info| (info.name.as_str(), info.publisher_alive)).collect();
    assert_eq!(seen, [("a-dead", false), ("b-alive", true), ("c-kept", false)]);
    assert!(found.iter().all(|info| info.byte_length == publisher.raw().layout().segment_bytes && info.created_ns > 0));
}

#[test]
fn a_directory_that_is_not_there_is_an_error() {
    let missing = Some("/dev/shm/pagecast-test-no-such-directory".as_ref());
    assert_eq!(code(list(missing)), Code::NotFound);
    assert_eq!(code(clean(missing)), Code::NotFound);
}

#[test]
fn removing_refuses_what_lives_and_what_is_not_ours() {
    let directory = Directory::new();
    let name = directory.name("pose");
    let publisher = publish(&name, 2);
    let mut consumer = consume::<Pose>(&name);
    assert_eq!(code(remove(&name)), Code::PublisherExists);
    publisher.abandon();
    remove(&name).unwrap();
    assert_eq!(code(remove(&name)), Code::NotFound);
    consumer.read().unwrap();
    std::fs::write(name.path(), "somebody's data").unwrap();
    assert_eq!(code(remove(&name)), Code::NotASegment);
    assert_eq!(directory.files(), ["pose"]);
}

#[test]
fn removing_takes_damaged_segments_too() {
    let directory = Directory::new();
    let name = directory.name("damaged");
    publish(&name, 2).abandon();
    let whole = std::fs::read(name.path()).unwrap();
    std::fs::write(name.path(), &whole[..whole.len() / 2]).unwrap();
    remove(&name).unwrap();
    assert_eq!(directory.files(), [""; 0]);
}

#[test]
fn cleaning_takes_only_what_nobody_holds() {
    let directory = Directory::new();
    let _publisher = publish(&directory.name("alive"), 2);
    publish(&directory.name("dead"), 2).abandon();
    publish(&directory.name("kept"), 2).close(true).unwrap();
    publish(&directory.name("read"), 2).abandon();
    let consumer = consume::<Pose>(&directory.name("read"));
    std::fs::write(directory.path().join("raw"), [0; 4096]).unwrap();
    let segment = std::fs::read(directory.name("dead").path()).unwrap();
    let leftover = ".pagecast-0123456789abcdef0123456789abcdef";
    std::fs::write(directory.path().join(leftover), segment).unwrap();
    assert_eq!(clean(Some(directory.path())).unwrap(), [leftover, "dead", "kept"]);
    assert_eq!(directory.files(), ["alive", "raw", "read"]);
    drop(consumer);
    assert_eq!(clean(Some(directory.path())).unwrap(), ["read"]);
    assert_eq!(clean(Some(directory.path())).unwrap(), [""; 0]);
}

#[test]
fn who_reads_a_segment_that_is_cleaned_away_is_told() {
    let directory = Directory::new();
    let name = directory.name("observed");
    publish(&name, 2).abandon();
    let mut observer = observe::<Pose>(&name);
    assert_eq!(clean(Some(directory.path())).unwrap(), ["observed"], "an observer holds nothing");
    assert_eq!(code(observer.read()), Code::Replaced);
}

#[test]
#[cfg(feature = "testing")]
fn who_attaches_while_a_segment_is_cleaned_away_is_told() {
    use pagecast::publication::State;
    use pagecast::testing::observe_steps;
    use std::{cell::Cell, rc::Rc};
    let directory = Directory::new();
    let name = directory.name("late");
    publish(&name, 2).abandon();
    let late = Rc::new(Cell::new(None));
    let attached = late.clone();
    observe_steps(Some(Box::new(move |step| {
        if step == "unlink" {
            attached.set(Some(consume::<Pose>(&name)));
        }
    })));
    let cleaned = clean(Some(directory.path()));
    observe_steps(None);
    assert_eq!(cleaned.unwrap(), ["late"]);
    let consumer = late.take().unwrap();
    assert!(consumer.raw().state().has(State::REPLACED));
}

#[test]
#[cfg(feature = "testing")]
fn what_is_swept_is_held_until_its_name_is_gone() {
    use pagecast::roster::{Byte, LockFile};
    use pagecast::testing::observe_steps;
    use std::{cell::Cell, rc::Rc};
    let directory = Directory::new();
    publish(&directory.name("model"), 2).abandon();
    let leftover = directory.path().join(".pagecast-0123456789abcdef0123456789abcdef");
    std::fs::rename(directory.name("model").path(), &leftover).unwrap();
    let held = Rc::new(Cell::new(None));
    let seen = held.clone();
    let creator = std::fs::File::options().read(true).write(true).open(&leftover).unwrap().into();
    observe_steps(Some(Box::new(move |step| {
        if step == "unlink" {
            seen.set(Some(LockFile::reopen(&creator, false).unwrap().try_hold(Byte::Publisher).unwrap()));
        }
    })));
    clean(Some(directory.path())).unwrap();
    observe_steps(None);
    assert_eq!(held.take(), Some(false), "a creator that is only slow would go on with what is taken away");
    assert_eq!(directory.files(), [""; 0]);
}

#[test]
fn files_that_only_look_like_leftovers_stay() {
    let directory = Directory::new();
    let segment = {
        publish(&directory.name("model"), 2).abandon();
        std::fs::read(directory.name("model").path()).unwrap()
    };
    pagecast::segment::remove(&directory.name("model")).unwrap();
    let digits = "0123456789abcdef".repeat(2);
    let (short, upper) = (format!(".pagecast-{}", &digits[1..]), format!(".pagecast-{}", digits.to_uppercase()));
    let text = format!(".pagecast-{digits}");
    let mine = [
        (".pagecast-notes.md", b"my own".as_slice()),
        (".pagecast-rc", b""),
        (&short, &segment),
        (&upper, &segment),
        (&text, b"no segment, whatever it is called"),
    ];
    for (name, bytes) in mine {
        std::fs::write(directory.path().join(name), bytes).unwrap();
    }
    std::fs::create_dir(directory.path().join(text.replace('0', "1"))).unwrap();
    let before = directory.files();
    publish(&directory.name("pose"), 2).close(false).unwrap();
    assert_eq!(clean(Some(directory.path())).unwrap(), [""; 0]);
    assert_eq!(directory.files(), before);
    for (name, bytes) in mine {
        assert_eq!(std::fs::read(directory.path().join(name)).unwrap(), bytes, "{name}");
    }
}

#[test]
fn what_a_creator_left_before_its_header_goes() {
    let directory = Directory::new();
    for (number, bytes) in [vec![], vec![0; 1 << 17]].iter().enumerate() {
        std::fs::write(directory.path().join(format!(".pagecast-{number:032x}")), bytes).unwrap();
    }
    publish(&directory.name("pose"), 2).close(false).unwrap();
    assert_eq!(directory.files(), [""; 0]);
}
