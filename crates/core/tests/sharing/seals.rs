//! What is sealed stays so, for everybody.

use crate::common::{Directory, code};
use crate::{descriptor, first_byte, memory};
use pagecast::Code;
use pagecast::region::{Access, MapOptions, Mode, Region, Seals, SharedMemory, SharedMemoryOptions, Source};

fn map(region: &Region, access: Access) -> pagecast::Result<Region> {
    Region::map(&MapOptions { access, ..MapOptions::new(Source::Descriptor(descriptor(region))) })
}

#[test]
fn seals_are_added_and_read_back() {
    let mut region = memory(8192, 1);
    assert_eq!(region.seals().unwrap(), Seals::NONE);
    region.seal(Seals::GROW).unwrap();
    region.seal(Seals::SHRINK | Seals::FUTURE_WRITE).unwrap();
    let all = Seals::GROW | Seals::SHRINK | Seals::FUTURE_WRITE;
    assert_eq!(map(&region, Access::Read).unwrap().seals().unwrap(), all, "whoever receives it sees them");
    assert_eq!((all.words(), all.to_string().as_str()), (vec!["shrink", "grow", "future-write"], "shrink, grow, future-write"));
    region.seal(Seals::SEAL).unwrap();
    assert_eq!(code(region.seal(Seals::WRITE)), Code::Permission);
}

#[test]
fn what_is_anonymous_is_sealed_against_shrinking_from_the_start() {
    let region = Region::map(&MapOptions { byte_length: Some(4096), ..MapOptions::default() }).unwrap();
    assert_eq!(region.seals().unwrap(), Seals::SHRINK);
}

#[test]
fn nobody_makes_it_shorter_or_longer() {
    let mut region = memory(8192, 1);
    region.seal(Seals::SHRINK | Seals::GROW).unwrap();
    let file = std::fs::File::from(descriptor(&region));
    for length in [4096, 16_384] {
        assert_eq!(file.set_len(length).unwrap_err().raw_os_error(), Some(nix::errno::Errno::EPERM as i32));
    }
    assert_eq!(code(map(&region, Access::ReadWrite).unwrap().resize(16_384)), Code::Permission);
    region.write_at(8191, &[2]).unwrap();
    region.check().unwrap();
}

#[test]
fn who_has_mapped_it_goes_on_writing_and_nobody_else_begins() {
    let mut region = memory(4096, 1);
    region.seal(Seals::FUTURE_WRITE).unwrap();
    region.write_at(0, &[2]).unwrap();
    assert_eq!(first_byte(descriptor(&region)), 2);
    let error = map(&region, Access::ReadWrite).unwrap_err();
    assert_eq!(error.code(), Code::Permission);
    assert!(error.message().contains("seal"), "{error}");
    let mut reader = map(&region, Access::Read).unwrap();
    assert_eq!(code(reader.protect(0..1, Access::ReadWrite)), Code::Permission);
    for length in [8192, 1] {
        assert_eq!(code(region.resize(length)), Code::Permission);
    }
    let file = std::fs::File::from(descriptor(&region));
    assert_eq!(file.metadata().unwrap().len(), 4096, "as it was");
    assert!(std::os::unix::fs::FileExt::write_at(&file, &[3], 0).is_err());
}

#[test]
fn what_is_mapped_to_be_written_cannot_be_sealed_against_it() {
    let mut region = memory(4096, 1);
    let error = region.seal(Seals::WRITE).unwrap_err();
    assert_eq!(error.code(), Code::Busy);
    assert!(error.message().contains("future-write"), "{error}");
    assert_eq!(region.seals().unwrap(), Seals::NONE);

    let options = MapOptions { private: true, ..MapOptions::new(Source::Descriptor(descriptor(&region))) };
    let mut copy = Region::map(&options).unwrap();
    drop(region);
    copy.seal(Seals::WRITE).unwrap();
    assert_eq!(copy.seals().unwrap(), Seals::WRITE);
}

#[test]
fn what_is_no_memfd_has_no_seals() {
    let directory = Directory::new();
    let options = SharedMemoryOptions { byte_length: Some(4096), ..SharedMemoryOptions::default() };
    let object = SharedMemory::open(&directory.name("object"), Mode::Exclusive, &options).unwrap();
    let mut region = object.map(MapOptions::default()).unwrap();
    assert_eq!(region.seals().unwrap(), Seals::SEAL, "in memory, and takes none");
    assert_eq!(code(region.seal(Seals::SHRINK)), Code::Permission);

    let path = std::env::temp_dir().join(format!("pagecast-test-{}", std::process::id()));
    std::fs::write(&path, [1; 4096]).unwrap();
    let mut region = Region::map(&MapOptions::new(Source::File { path: path.clone(), create: None })).unwrap();
    std::fs::remove_file(path).unwrap();
    if region.seals().unwrap() == Seals::NONE {
        assert_eq!(code(region.seal(Seals::SHRINK)), Code::InvalidArgument);
    }
}
