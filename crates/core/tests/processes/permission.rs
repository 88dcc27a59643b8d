//! Another user: a consumer who may only read, one who made the segment, one who stands by.

use crate::common::watchdog::bounded;
use crate::common::{Directory, bytes, objects_of};
use crate::player::Player;
use crate::roles::SIZE;
use pagecast::publication::State;
use pagecast::{CreateOptions, RawConsumer, RawPublisher};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;

/// The user that owns nothing.
const NOBODY: u32 = 65534;

#[test]
fn another_user_reads_what_he_may_read_and_changes_nothing() {
    bounded(|watch| {
        watch.stage("another user reads");
        let directory = Directory::new();
        let arguments = |read_only| [directory.path().to_str().unwrap().to_owned(), "value".into(), String::from(read_only)];
        let start = |read_only| {
            let arguments = arguments(read_only);
            Player::start_as(watch, NOBODY, "consumer", &arguments.each_ref().map(String::as_str)).ok()
        };
        let options = CreateOptions { mode: 0o644, init: Some(&[1; SIZE]), ..bytes(SIZE as u64, 1) };
        let mut publisher = RawPublisher::create(directory.name("value"), None, &options).unwrap();
        let Some(mut refused) = start("read-write") else { return }; // only root may start a process as somebody else
        assert_eq!(refused.hear(), "ERR_PERMISSION");
        let Some(mut observer) = start("read-only") else { return };
        assert_eq!(observer.hear(), "slot None");
        assert_eq!(observer.ask("copy"), "version 1 whole true");
        assert_eq!(observer.ask("lock"), "ERR_READ_ONLY");
        assert_eq!(observer.ask("sleep"), "deep");
        publisher.write(&[2; SIZE], None).unwrap();
        assert_eq!(observer.hear(), "changed");
        assert_eq!(observer.ask("copy"), "version 2 whole true");
    });
}

#[test]
fn another_user_sees_nothing_of_what_is_private() {
    bounded(|watch| {
        watch.stage("another user is refused");
        let directory = Directory::new();
        let options = CreateOptions { init: Some(&[1; SIZE]), ..bytes(SIZE as u64, 1) };
        let _publisher = RawPublisher::create(directory.name("value"), None, &options).unwrap();
        for access in ["read-write", "read-only"] {
            let arguments = [directory.path().to_str().unwrap(), "value", access];
            let Ok(mut refused) = Player::start_as(watch, NOBODY, "consumer", &arguments) else { return };
            assert_eq!(refused.hear(), "ERR_PERMISSION");
        }
    });
}

/// What a publisher of that user left, with these permission bits. False: only root may give a file away.
fn leave_to(uid: u32, directory: &Directory, mode: u32) -> bool {
    let options = CreateOptions { mode, init: Some(&[1; SIZE]), ..bytes(SIZE as u64, 2) };
    RawPublisher::create(directory.name("value"), None, &options).unwrap().abandon();
    chown(directory.name("value").path(), Some(uid), None).is_ok()
}

#[test]
fn what_another_user_made_is_not_adopted_but_replaced() {
    let directory = Directory::new();
    if !leave_to(NOBODY, &directory, 0o666) {
        return;
    }
    let left = RawConsumer::open(directory.name("value"), false).unwrap();
    let mut publisher = RawPublisher::create(directory.name("value"), None, &bytes(SIZE as u64, 2)).unwrap();
    let made = std::fs::metadata(directory.name("value").path()).unwrap();
    assert_eq!((publisher.adopted(), made.mode() & 0o777, made.uid() == NOBODY), (false, 0o600, false));
    publisher.write(&[2; SIZE], None).unwrap();
    assert!(left.state().has(State::REPLACED), "whoever is attached is told");
    let mut value = [0; SIZE];
    left.copy(&mut value, true).unwrap().unwrap();
    assert_eq!(value, [1; SIZE], "and sees nothing of what comes");
}

#[test]
fn another_user_takes_over_only_where_the_directory_lets_him() {
    bounded(|watch| {
        // as /dev/shm is, and as one is whose files anybody may rename
        for (mode, expected) in [(0o1777, "ERR_PERMISSION"), (0o777, "epoch 1")] {
            watch.stage(format!("another user stands by in a directory of mode {mode:o}"));
            let directory = Directory::new();
            std::fs::set_permissions(directory.path(), PermissionsExt::from_mode(mode)).unwrap();
            leave_to(0, &directory, 0o666);
            let arguments = [directory.path().to_str().unwrap(), "value", "2"];
            let Ok(mut other) = Player::start_as(watch, NOBODY, "standby", &arguments) else { return };
            assert_eq!((other.hear(), other.hear()), ("waiting".into(), expected.into()));
            assert_eq!(directory.files(), ["value"]);
            // an object beside the file that was replaced is root's, and he may not take it away
            let left = objects_of(&directory.name("value"));
            left.iter().for_each(|object| std::fs::remove_file(Path::new("/dev/shm").join(object)).unwrap());
        }
    });
}
