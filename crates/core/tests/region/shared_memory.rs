use crate::byte;
use crate::common::{Directory, code, objects_of};
use pagecast::region::{MapOptions, Mode, Region, SharedMemory, SharedMemoryOptions, Source, list, unlink};
use pagecast::{Code, Name};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

fn of(byte_length: u64) -> SharedMemoryOptions {
    SharedMemoryOptions { byte_length: Some(byte_length), ..SharedMemoryOptions::default() }
}

#[test]
fn each_mode_does_what_python_s_does() {
    let directory = Directory::new();
    let open = |mode: &str, options: &SharedMemoryOptions| SharedMemory::open(&directory.name("object"), mode.parse().unwrap(), options);
    let plain = SharedMemoryOptions::default();
    for mode in ["r", "r+"] {
        assert_eq!(code(open(mode, &plain)), Code::NotFound);
        assert_eq!(code(open(mode, &of(1))), Code::InvalidArgument);
    }
    let made = open("x", &of(5000)).unwrap();
    assert_eq!((made.byte_length().unwrap(), made.permissions().unwrap()), (5000, 0o600));
    made.map(MapOptions::default()).unwrap().write_at(4999, &[7]).unwrap();
    for mode in ["x", "x+"] {
        assert_eq!(code(open(mode, &of(1))), Code::AlreadyExists);
    }
    let read = open("r", &plain).unwrap();
    assert!(!read.is_writable());
    assert_eq!(code(read.truncate(1)), Code::ReadOnly);
    assert_eq!(code(read.map(MapOptions::default())), Code::Permission);
    let both = open("r+", &plain).unwrap();
    assert_eq!(byte(&both.map(MapOptions::default()).unwrap(), 4999), 7);
    for mode in ["w", "w+"] {
        let cut = open(mode, &of(6000)).unwrap();
        assert_eq!((cut.byte_length().unwrap(), byte(&cut.map(MapOptions::default()).unwrap(), 4999)), (6000, 0));
    }
    assert_eq!(made.byte_length().unwrap(), 6000, "the same object");
    for mode in ["", "a", "rw", "R", "r++", "wx"] {
        assert_eq!(code(mode.parse::<Mode>()), Code::InvalidArgument, "{mode:?}");
    }
}

#[test]
fn an_object_appears_with_its_size_and_its_room() {
    let directory = Directory::new();
    let options = SharedMemoryOptions { permissions: 0o644, ..of(1 << 20) };
    SharedMemory::open(&directory.name("object"), Mode::Truncate, &options).unwrap();
    let metadata = std::fs::metadata(directory.path().join("object")).unwrap();
    assert_eq!((metadata.len(), metadata.blocks(), metadata.mode() & 0o777), (1 << 20, 2048, 0o644));
    let sparse = SharedMemoryOptions { reserve: false, ..of(1 << 30) };
    SharedMemory::open(&directory.name("sparse"), Mode::Exclusive, &sparse).unwrap();
    assert_eq!(std::fs::metadata(directory.path().join("sparse")).unwrap().blocks(), 0);
    assert_eq!(code(SharedMemory::open(&directory.name("huge"), Mode::Exclusive, &of(1 << 50))), Code::NoSpace);
    assert_eq!(directory.files(), ["object", "sparse"]);
}

#[test]
fn whoever_mapped_what_is_cut_off_is_told() {
    let directory = Directory::new();
    let object = SharedMemory::open(&directory.name("object"), Mode::Exclusive, &of(3 * 4096)).unwrap();
    let region = object.map(MapOptions::default()).unwrap();
    region.write_at(0, &[7; 3 * 4096]).unwrap();
    object.truncate(2 * 4096).unwrap();
    assert_eq!(code(region.read_at(0, &mut [0])), Code::Truncated);
    object.truncate(3 * 4096).unwrap();
    assert_eq!(code(region.write_at(2 * 4096, &[0])), Code::Truncated, "for good");
    let region = object.map(MapOptions::default()).unwrap();
    assert_eq!((byte(&region, 2 * 4096 - 1), byte(&region, 2 * 4096)), (7, 0));
}

#[test]
fn a_name_that_is_taken_away_leaves_what_is_mapped() {
    let directory = Directory::new();
    let name = directory.name("object");
    let first = SharedMemory::open(&name, Mode::Exclusive, &of(4096)).unwrap();
    let region = first.map(MapOptions::default()).unwrap();
    first.unlink().unwrap();
    assert_eq!(directory.files(), [""; 0]);
    region.write_at(0, &[7]).unwrap();
    assert_eq!(byte(&first.map(MapOptions::default()).unwrap(), 0), 7);
    let second = SharedMemory::open(&name, Mode::Exclusive, &of(4096)).unwrap();
    assert_eq!(code(first.unlink()), Code::NotFound, "the name is another object's");
    assert_eq!(byte(&Region::map(&MapOptions::new(Source::Shared(name.clone()))).unwrap(), 0), 0);
    unlink(&name).unwrap();
    assert_eq!(code(unlink(&name)), Code::NotFound);
    assert_eq!(code(second.unlink()), Code::NotFound);
}

#[test]
fn objects_and_segments_are_listed() {
    let directory = Directory::new();
    SharedMemory::open(&directory.name("b"), Mode::Exclusive, &of(10)).unwrap();
    let _publisher = crate::common::publish_bytes(&directory.name("a"), &[1; 8], 2);
    std::fs::create_dir(directory.path().join("folder")).unwrap();
    let found: Vec<_> =
        list(Some(directory.path())).unwrap().into_iter().map(|info| (info.name, info.permissions, info.is_segment)).collect();
    assert_eq!(found, [("a".into(), 0o600, true), ("b".into(), 0o600, false)]);
    assert_eq!(code(list(Some("/nowhere".as_ref()))), Code::NotFound);
}

/// On macOS the default directory is `/tmp`, where anybody's files are. Here it is memory, and any file in it is an object, unless
/// `PAGECAST_TEST_FILES_BESIDE` is set.
#[test]
fn a_stranger_s_file_in_the_default_directory_is_no_object_and_stays() {
    if std::env::var_os("PAGECAST_TEST_FILES_BESIDE").is_none() {
        return;
    }
    let name = Name::new(&format!("pagecast-test-stranger-{}", std::process::id()), None).unwrap();
    let open = |mode, options: &SharedMemoryOptions| SharedMemory::open(&name, mode, options);
    std::fs::write(name.path(), "my notes").unwrap();
    let plain = SharedMemoryOptions::default();
    assert_eq!([Mode::Read, Mode::ReadWrite].map(|mode| code(open(mode, &plain))), [Code::NotFound; 2]);
    assert_eq!([Mode::Truncate, Mode::Exclusive].map(|mode| code(open(mode, &of(4096)))), [Code::AlreadyExists; 2]);
    assert_eq!(code(Region::map(&MapOptions::new(Source::Shared(name.clone())))), Code::NotFound);
    assert_eq!(code(unlink(&name)), Code::NotFound);
    assert!(list(None).unwrap().iter().all(|object| name.path() != Path::new("/dev/shm").join(&object.name)));
    assert_eq!((std::fs::read_to_string(name.path()).unwrap(), objects_of(&name)), ("my notes".into(), vec![]));
    std::fs::remove_file(name.path()).unwrap();

    let made = open(Mode::Truncate, &of(4096)).unwrap();
    made.map(MapOptions::default()).unwrap().write_at(0, &[7]).unwrap();
    assert_eq!(byte(&Region::map(&MapOptions::new(Source::Shared(name.clone()))).unwrap(), 0), 7);
    assert_eq!((std::fs::read_to_string(name.path()).unwrap().lines().next(), objects_of(&name).len()), (Some("pagecast object 1"), 1));
    std::fs::remove_file(name.path()).unwrap();
    std::fs::write(name.path(), "my notes").unwrap();
    assert_eq!(code(made.unlink()), Code::NotFound, "the name leads elsewhere");
    assert_eq!(std::fs::read_to_string(name.path()).unwrap(), "my notes");
    std::fs::remove_file(name.path()).unwrap();
    for object in objects_of(&name) {
        std::fs::remove_file(Path::new("/dev/shm").join(object)).unwrap();
    }
}
