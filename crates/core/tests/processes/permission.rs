//! A consumer that is another user and may only read.

use crate::common::watchdog::bounded;
use crate::common::{Directory, bytes};
use crate::player::Player;
use crate::roles::SIZE;
use pagecast::{CreateOptions, RawPublisher};

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
        let mut publisher = RawPublisher::create(&directory.name("value"), None, &options).unwrap();
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
        let _publisher = RawPublisher::create(&directory.name("value"), None, &options).unwrap();
        for access in ["read-write", "read-only"] {
            let arguments = [directory.path().to_str().unwrap(), "value", access];
            let Ok(mut refused) = Player::start_as(watch, NOBODY, "consumer", &arguments) else { return };
            assert_eq!(refused.hear(), "ERR_PERMISSION");
        }
    });
}
