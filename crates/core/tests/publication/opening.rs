//! Opening what is there, and what is not.

use crate::common::{Directory, bytes, code, publish_bytes};
use crate::poses::{Pose, pose, publish, refusal};
use pagecast::{Code, Consumer, Publisher, RawConsumer, Record};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

#[test]
fn a_missing_name_is_not_found() {
    let directory = Directory::new();
    for read_only in [false, true] {
        let (code, message) = refusal(RawConsumer::open(directory.name("nobody"), read_only));
        assert_eq!(code, Code::NotFound);
        assert!(message.contains("/nobody"), "{message}");
    }
}

#[test]
fn the_short_forms_use_the_default_directory() {
    let name = format!("pagecast-test-{}-short", std::process::id());
    let publisher = Publisher::create(&name, &pose(4)).unwrap();
    assert_eq!(Consumer::<Pose>::open(&name).unwrap().read().unwrap(), pose(4));
    assert_eq!(Consumer::<Pose>::open_read_only(&name).unwrap().read().unwrap(), pose(4));
    assert_eq!(Consumer::<Pose>::wait_and_open(&name, None).unwrap().read().unwrap(), pose(4));
    publisher.close(false).unwrap();
    assert_eq!(code(Consumer::<Pose>::open(&name)), Code::NotFound);
}

#[test]
fn the_schema_can_be_asked_for_without_knowing_the_type() {
    let directory = Directory::new();
    let name = directory.name("dynamic");
    let _publisher = publish(&name, 3);
    for read_only in [false, true] {
        let consumer = RawConsumer::open(&name, read_only).unwrap();
        assert_eq!(consumer.schema().unwrap(), Some(Pose::schema().to_json()));
        let mut value = vec![0; usize::try_from(consumer.layout().capacity).unwrap()];
        let observation = consumer.copy(&mut value, false).unwrap().unwrap();
        assert_eq!((observation.byte_length, observation.version), (Pose::BYTE_LENGTH, 1));
        assert_eq!(<Pose as Record>::load(&value), pose(1));
    }
}

#[test]
fn bytes_have_no_schema() {
    let directory = Directory::new();
    let name = directory.name("bytes");
    let _publisher = publish_bytes(&name, b"some bytes", 2);
    let consumer = RawConsumer::open(&name, false).unwrap();
    assert_eq!(consumer.schema().unwrap(), None);
    let (code, message) = refusal(Consumer::<Pose>::over(consumer));
    assert_eq!(code, Code::SchemaMismatch);
    assert!(message.contains("without a schema"), "{message}");
}

#[test]
fn objects_that_are_no_segments_say_so() {
    let directory = Directory::new();
    let real = directory.name("real");
    let _publisher = publish_bytes(&real, &[1; 8], 2);
    std::fs::create_dir(directory.path().join("directory")).unwrap();
    std::fs::write(directory.path().join("empty"), []).unwrap();
    std::fs::write(directory.path().join("short"), &std::fs::read(real.path()).unwrap()[..255]).unwrap();
    std::fs::write(directory.path().join("zeros"), [0; 65536]).unwrap();
    symlink(real.path(), directory.path().join("link")).unwrap();
    symlink("/nowhere", directory.path().join("dangling")).unwrap();
    let _socket = UnixListener::bind(directory.path().join("socket")).unwrap();
    nix::unistd::mkfifo(&directory.path().join("fifo"), nix::sys::stat::Mode::from_bits_truncate(0o600)).unwrap();
    for file in ["directory", "empty", "short", "zeros", "link", "dangling", "socket", "fifo"] {
        for read_only in [false, true] {
            let (code, message) = refusal(RawConsumer::open(directory.name(file), read_only));
            assert_eq!(code, Code::NotASegment, "{file}, read_only {read_only}: {message}");
            assert!(message.contains(file), "{message}");
        }
        assert_eq!(code(pagecast::RawPublisher::create(directory.name(file), None, &bytes(8, 2))), Code::NotASegment, "{file}");
    }
}
