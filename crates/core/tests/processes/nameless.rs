//! Publications without a name: another process gets the descriptor.

use crate::common::watchdog::bounded;
use crate::common::{FOREVER, bytes, code, pin};
use crate::player::Player;
use crate::roles::{SIZE, answer};
use pagecast::{Code, Location, RawConsumer, RawPublisher};
use std::os::fd::AsFd;

/// What the other process does with the file that this path leads to: it becomes the publisher, publishes, and lives until it is killed.
pub fn succeed(path: &str) {
    let at = Location::descriptor(std::fs::OpenOptions::new().read(true).write(true).open(path).unwrap().into());
    let mut consumer = RawConsumer::open(&at, false).unwrap();
    answer(&format!("reads {}", pin(&mut consumer).observation.version));
    let mut publisher = RawPublisher::standby(&at, None, &bytes(SIZE as u64, 3), None).unwrap();
    publisher.write(&[2; SIZE], Some(FOREVER)).unwrap();
    answer(&format!("published {}", publisher.epoch()));
    std::thread::park();
}

#[test]
fn a_process_takes_over_and_is_killed() {
    bounded(|watch| {
        watch.stage("a successor takes over by the descriptor");
        let mut first = RawPublisher::create(Location::Memory("value".into()), None, &bytes(SIZE as u64, 3)).unwrap();
        first.write(&[1; SIZE], None).unwrap();
        let at = Location::descriptor(first.segment().fd().as_fd().try_clone_to_owned().unwrap());
        let Location::Descriptor { fd, .. } = &at else { unreachable!() };
        let path = format!("/proc/{}/fd/{}", std::process::id(), std::os::fd::AsRawFd::as_raw_fd(fd));
        let mut successor = Player::start(watch, "nameless-successor", &[&path]);
        assert_eq!(successor.hear(), "reads 1");
        let mut consumer = RawConsumer::open(&at, false).unwrap();
        first.abandon();
        assert_eq!(successor.hear(), "published 2");
        assert_eq!(pin(&mut consumer).observation.version, 2);
        consumer.unlock();
        assert_eq!(code(RawPublisher::create(&at, None, &bytes(SIZE as u64, 3))), Code::PublisherExists);
        successor.kill();
        let mut third = RawPublisher::create(&at, None, &bytes(SIZE as u64, 3)).unwrap();
        assert_eq!((third.epoch(), third.total_writes()), (3, 2));
        assert!(third.holders().is_empty(), "what it held as a consumer was taken back");
        third.write(&[3; SIZE], None).unwrap();
        assert_eq!(pin(&mut consumer).observation.version, 3);
    });
}
