//! Publications without a name, which a descriptor leads to.

use crate::common::code;
use crate::poses::{Pose, buffers, pose};
use pagecast::{Code, Consumer, CreateOptions, IfDead, Location, Publisher, RawConsumer, RawPublisher};
use std::fs::{File, OpenOptions};
use std::os::fd::{AsRawFd, BorrowedFd};

fn found() -> Publisher<Pose> {
    Publisher::create_with(Location::Memory("pose".into()), Some(&pose(1)), &buffers(3)).unwrap()
}

/// As if it had come from another process.
fn received(fd: BorrowedFd<'_>) -> Location {
    Location::descriptor(fd.try_clone_to_owned().unwrap())
}

fn consume(fd: BorrowedFd<'_>) -> Consumer<Pose> {
    Consumer::open_at(received(fd), false).unwrap()
}

#[test]
fn its_descriptor_leads_to_it() {
    let mut publisher = found();
    let mut consumers = [false, true].map(|read_only| Consumer::<Pose>::open_at(received(publisher.descriptor()), read_only).unwrap());
    publisher.write(&pose(2)).unwrap();
    for consumer in &mut consumers {
        assert_eq!(consumer.read().unwrap(), pose(2));
    }
    let number = publisher.descriptor().as_raw_fd();
    let mut another = Consumer::<Pose>::open_at(Location::duplicate(number).unwrap(), false).unwrap();
    assert_eq!(another.read().unwrap(), pose(2));
    publisher.close(false).unwrap();
    assert_eq!(code(another.read()), Code::Closed);
}

#[test]
fn who_has_the_descriptor_goes_on_where_the_last_publisher_was() {
    let first = found();
    let mut consumer = consume(first.descriptor());
    let at = received(first.descriptor());
    assert_eq!(code(RawPublisher::create(&at, None, &CreateOptions::default())), Code::PublisherExists);
    first.abandon();
    assert!(!consumer.raw().publisher_alive().unwrap());
    let mut second = Publisher::<Pose>::standby(&at, None, &buffers(3), None).unwrap();
    assert!(second.raw().adopted());
    second.write(&pose(2)).unwrap();
    assert_eq!((consumer.read().unwrap(), consumer.raw().epoch()), (pose(2), 2));
    second.close(false).unwrap();
    assert_eq!(code(consumer.read()), Code::Closed);
}

#[test]
fn nothing_takes_the_place_of_what_does_not_fit() {
    let first = found();
    let mut consumer = consume(first.descriptor());
    let at = received(first.descriptor());
    first.abandon();
    let choose = |if_dead| CreateOptions { if_dead, ..buffers(3) };
    assert_eq!(code(Publisher::create_with(&at, Some(&pose(2)), &choose(IfDead::Replace))), Code::InvalidArgument);
    assert_eq!(code(Publisher::create_with(&at, Some(&pose(2)), &choose(IfDead::Fail))), Code::AlreadyExists);
    assert_eq!(code(Publisher::create_with(&at, Some(&pose(2)), &buffers(5))), Code::SchemaMismatch);
    assert_eq!(code(RawPublisher::create(&at, None, &buffers(3))), Code::SchemaMismatch);
    assert_eq!((consumer.read().unwrap(), consumer.raw().epoch()), (pose(1), 1), "and all is as it was");
}

#[test]
fn its_size_stays_as_it_is() {
    let publisher = found();
    let file = File::from(publisher.descriptor().try_clone_to_owned().unwrap());
    for bytes in [0, 1 << 30] {
        assert_eq!(file.set_len(bytes).unwrap_err().kind(), std::io::ErrorKind::PermissionDenied);
    }
}

#[test]
fn what_leads_to_no_publication_is_refused() {
    let kept = found_and_kept();
    let path = format!("/proc/self/fd/{}", kept.as_raw_fd());
    let read_only = Location::descriptor(OpenOptions::new().read(true).open(path).unwrap().into());
    assert_eq!(code(RawConsumer::open(&read_only, false)), Code::Permission);
    assert!(RawConsumer::open(&read_only, true).is_ok());
    assert_eq!(code(RawConsumer::open(Location::Memory("pose".into()), false)), Code::InvalidArgument);
    assert_eq!(code(Location::duplicate(-1)), Code::InvalidArgument);
    assert_eq!(code(Location::duplicate(i32::MAX)), Code::InvalidArgument);
    let zeros = Location::descriptor(File::open("/dev/zero").unwrap().into());
    assert_eq!(code(RawConsumer::open(&zeros, true)), Code::NotASegment);
    let own = Location::descriptor(File::open(std::env::current_exe().unwrap()).unwrap().into());
    assert_eq!(code(RawConsumer::open(&own, true)), Code::NotASegment);
}

/// A descriptor alone keeps it.
fn found_and_kept() -> std::os::fd::OwnedFd {
    let publisher = found();
    publisher.descriptor().try_clone_to_owned().unwrap()
}
