use crate::common::{Directory, code};
use crate::{byte, file};
use pagecast::region::{Access, MapOptions, Region, Source};
use pagecast::{Code, Location};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;

/// Maps the object of a region once more.
fn again(region: &Region) -> Region {
    let source = Source::duplicate(region.descriptor().unwrap().as_raw_fd()).unwrap();
    Region::map(&MapOptions { byte_length: Some(region.byte_length()), ..MapOptions::new(source) }).unwrap()
}

#[test]
fn what_is_made_for_a_region_is_zeros_and_can_be_handed_on() {
    let directory = Directory::new();
    for source in [Source::Anonymous, Source::Memory("label".into()), Source::Temporary(directory.path().into())] {
        let region = Region::map(&MapOptions { byte_length: Some(10_000), ..MapOptions::new(source) }).unwrap();
        assert_eq!((byte(&region, 0), byte(&region, 9_999)), (0, 0));
        region.write_at(9_990, b"handed on").unwrap();
        let mut read = [0; 9];
        again(&region).read_at(9_990, &mut read).unwrap();
        assert_eq!(&read, b"handed on");
        assert_eq!(directory.files(), [""; 0]);
    }
}

#[test]
fn anonymous_memory_cannot_be_cut_by_whoever_gets_it() {
    let region = crate::anonymous(10_000);
    let file = std::fs::File::from(region.descriptor().unwrap().try_clone_to_owned().unwrap());
    assert!(file.set_len(4096).is_err());
    assert_eq!(file.metadata().unwrap().len(), 65_536);
}

#[test]
fn private_memory_is_the_process_s_own() {
    let directory = Directory::new();
    let path = directory.path().join("file");
    std::fs::write(&path, [1; 8192]).unwrap();
    let shared = Region::map(&file(&path)).unwrap();
    let mut permissions = std::fs::metadata(&path).unwrap().permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(&path, permissions).unwrap();
    let private = Region::map(&MapOptions { private: true, ..file(&path) }).unwrap();
    private.write_at(0, &[2]).unwrap();
    shared.write_at(4096, &[3]).unwrap();
    assert_eq!((byte(&shared, 0), byte(&private, 0), byte(&private, 4096)), (1, 2, 3));
    let fresh = Region::map(&MapOptions { byte_length: Some(10_000), private: true, ..MapOptions::default() }).unwrap();
    fresh.write_at(9_999, &[4]).unwrap();
    assert_eq!((byte(&fresh, 0), byte(&fresh, 9_999)), (0, 4));
}

#[test]
fn a_device_needs_a_size_and_is_not_extended() {
    let zeros = || file("/dev/zero".as_ref());
    assert_eq!(code(Region::map(&zeros())), Code::InvalidSize);
    let region = Region::map(&MapOptions { byte_length: Some(8192), ..zeros() }).unwrap();
    region.write_at(8191, &[1]).unwrap();
    assert_eq!(byte(&region, 8191), 1);
    let null = Region::map(&MapOptions { byte_length: Some(4096), ..file("/dev/null".as_ref()) });
    assert_eq!(code(null), Code::InvalidArgument);
}

#[test]
fn what_is_no_file_is_an_error_of_its_own() {
    let directory = Directory::new();
    let path = |name: &str| -> PathBuf { directory.path().join(name) };
    assert_eq!(code(Region::map(&file(&path("missing")))), Code::NotFound);
    assert_eq!(code(Region::map(&file(directory.path()))), Code::InvalidArgument);
    nix::unistd::mkfifo(&path("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert_eq!(code(Region::map(&file(&path("fifo")))), Code::InvalidArgument);
    assert_eq!(code(Region::map(&MapOptions::new(Source::Shared(directory.name("missing"))))), Code::NotFound);
    for number in [-1, 12_345] {
        let refused = Source::duplicate(number).unwrap_err();
        assert_eq!((refused.code(), refused.syscall()), (Code::InvalidArgument, Some("fcntl")), "{refused}");
        assert!(refused.message().starts_with(&format!("duplicate descriptor {number}: there is none: ")), "{refused}");
        assert_eq!(Location::duplicate(number).unwrap_err().message(), refused.message());
    }
    let nowhere = Source::Temporary(path("missing"));
    assert_eq!(code(Region::map(&MapOptions { byte_length: Some(1), ..MapOptions::new(nowhere) })), Code::NotFound);
    let pipe = OwnedFd::from(std::io::pipe().unwrap().0);
    assert_eq!(code(Region::map(&MapOptions::new(Source::Descriptor(pipe)))), Code::InvalidArgument);
}

#[test]
fn a_descriptor_that_may_only_be_read_is_mapped_to_be_read() {
    use pagecast::region::Access;
    let directory = Directory::new();
    let path = directory.path().join("file");
    std::fs::write(&path, [1; 4096]).unwrap();
    let source = || Source::Descriptor(std::fs::File::open(&path).unwrap().into());
    assert_eq!(code(Region::map(&MapOptions::new(source()))), Code::Permission);
    let mut region = Region::map(&MapOptions { access: Access::Read, ..MapOptions::new(source()) }).unwrap();
    assert_eq!(byte(&region, 4095), 1);
    assert_eq!(code(region.protect(0..1, Access::ReadWrite)), Code::Permission);
    let private = Region::map(&MapOptions { private: true, ..MapOptions::new(source()) }).unwrap();
    private.write_at(0, &[2]).unwrap();
    assert_eq!(byte(&region, 0), 1);
}

#[test]
fn a_file_that_is_made_is_there_only_if_the_region_is() {
    let directory = Directory::new();
    let make = |name: &str, byte_length| {
        let source = Source::File { path: directory.path().join(name), create: Some(0o600) };
        Region::map(&MapOptions { byte_length, ..MapOptions::new(source) })
    };
    assert_eq!(code(make("without size", None)), Code::InvalidSize);
    assert!(make("too large", Some(1 << 62)).is_err());
    assert_eq!(directory.files(), [""; 0]);
    make("file", Some(10)).unwrap();
    assert_eq!(make("file", None).unwrap().byte_length(), 10, "one that is there is taken as it is");
    assert_eq!(directory.files(), ["file"]);
}

#[test]
#[cfg(target_os = "linux")]
fn what_cannot_be_extended_is_not_for_lack_of_room() {
    let options = MapOptions { byte_length: Some(4096), access: Access::Read, ..file("/proc/self/maps".as_ref()) };
    let error = Region::map(&options).unwrap_err();
    if std::fs::File::options().write(true).open("/proc/self/maps").is_err() {
        return assert_eq!(error.code(), Code::Permission); // only root comes as far as that
    }
    assert_eq!((error.code(), error.syscall()), (Code::System, Some("posix_fallocate")));
    assert_eq!(error.message(), "map /proc/self/maps: room for 4,096 bytes: Illegal seek (ESPIPE)");
}
