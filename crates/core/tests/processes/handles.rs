//! Two processes map the same region at the same address.

use crate::common::watchdog::bounded;
use crate::common::{Directory, code};
use crate::player::Player;
use crate::roles::{answer, commands};
use pagecast::region::{
    Handle, MapOptions, Mode, Placement, Region, SharedMemory, SharedMemoryOptions, Source, SysVKey, SysVOptions, SysVSharedMemory,
};
use pagecast::{Code, Result};

/// A SysV segment that goes with its test, also with one that fails.
struct Segment(SysVSharedMemory);

impl Segment {
    fn private(byte_length: u64) -> Segment {
        let options = SysVOptions { byte_length: Some(byte_length), ..SysVOptions::default() };
        Segment(SysVSharedMemory::get(SysVKey::Private, &options).unwrap())
    }

    fn removed_and_placed(&self) -> Region {
        let region = self.0.attach(MapOptions { portable: true, ..MapOptions::default() }).unwrap();
        self.0.remove().unwrap();
        region
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        let _ = self.0.remove();
    }
}

/// Answers each handle with what the absolute pointer at its beginning leads to, writes there, and puts a pointer of its own in its place.
pub fn inherit() {
    answer("ready");
    for text in commands() {
        let taken = text.strip_prefix("taken ");
        let handle = Handle::from_json(taken.unwrap_or(&text)).unwrap();
        let said = if taken.is_some() { come_too_late(&handle) } else { follow(&handle) };
        answer(&said.unwrap_or_else(|error| error.code().as_str().into()));
    }
}

fn follow(handle: &Handle) -> Result<String> {
    let region = Region::from_handle(handle, None)?;
    let mut pointer = [0; 8];
    region.read_at(0, &mut pointer)?;
    let at = region.offset_of(u64::from_ne_bytes(pointer)).expect("a pointer into the region");
    let mut found = [0; 5];
    region.read_at(at, &mut found)?;
    region.write_at(at + 8192, b"reply")?;
    region.write_at(0, &region.address_of(at + 8192).unwrap().to_ne_bytes())?;
    Ok(format!("{} at {at} of {:#x}", String::from_utf8_lossy(&found), region.address()))
}

/// Something else is where the region would go: at its end, the other way round, or all over it.
fn come_too_late(handle: &Handle) -> Result<String> {
    for (address, byte_length) in
        [(handle.address() + handle.byte_length() - 4096, 8192), (handle.address() - 4096, 8192), (handle.address(), handle.byte_length())]
    {
        let place = Some((address, Placement::Exclusive));
        let there = Region::map(&MapOptions { byte_length: Some(byte_length), address: place, ..MapOptions::default() })?;
        let filled = vec![0xAA; usize::try_from(byte_length).unwrap()];
        there.write_at(0, &filled)?;
        assert_eq!(code(Region::from_handle(handle, None)), Code::AddressInUse);
        let mut left = vec![0; filled.len()];
        there.read_at(0, &mut left)?;
        assert_eq!(left, filled, "nothing was overwritten");
    }
    follow(handle)
}

/// Makes a region without a name, tells its handle, and is there until it is not.
pub fn make(byte_length: u64) {
    let mut region = Region::map(&MapOptions { byte_length: Some(byte_length), ..MapOptions::default() }).unwrap();
    region.write_at(0, b"alive").unwrap();
    answer(&region.handle().unwrap().to_json());
    for _ in commands() {}
}

/// A pointer to this word at its beginning.
fn point(region: &Region, to: u64, word: &[u8]) {
    region.write_at(to, word).unwrap();
    region.write_at(0, &region.address_of(to).unwrap().to_ne_bytes()).unwrap();
}

/// Follows the pointer at the beginning.
fn pointed_at(region: &Region) -> (u64, [u8; 5]) {
    let (mut pointer, mut word) = ([0; 8], [0; 5]);
    region.read_at(0, &mut pointer).unwrap();
    let at = region.offset_of(u64::from_ne_bytes(pointer)).unwrap();
    region.read_at(at, &mut word).unwrap();
    (at, word)
}

#[test]
fn a_pointer_means_the_same_byte_in_each_process() {
    bounded(|watch| {
        let directory = Directory::new();
        let options = SharedMemoryOptions { byte_length: Some(1 << 20), ..SharedMemoryOptions::default() };
        let object = SharedMemory::open(&directory.name("object"), Mode::Exclusive, &options).unwrap();
        let file = Source::File { path: directory.path().join("file"), create: Some(0o600) };
        let (segment, removed) = (Segment::private(1 << 20), Segment::private(1 << 20));
        let mut other = Player::start(watch, "heir", &[]);
        assert_eq!(other.hear(), "ready");
        let sized = |source| MapOptions { byte_length: Some(1 << 20), ..MapOptions::new(source) };
        for (title, mut region) in [
            ("shared memory", object.map(MapOptions::default()).unwrap()),
            ("a file", Region::map(&sized(file)).unwrap()),
            ("anonymous memory", Region::map(&sized(Source::Anonymous)).unwrap()),
            ("a memfd, placed at once", Region::map(&MapOptions { portable: true, ..sized(Source::Memory("handed-on".into())) }).unwrap()),
            ("a temporary file", Region::map(&sized(Source::Temporary(directory.path().into()))).unwrap()),
            ("a SysV segment", segment.0.attach(MapOptions::default()).unwrap()),
            ("a removed SysV segment, placed at once", removed.removed_and_placed()),
        ] {
            watch.stage(title);
            let handle = region.handle().unwrap().to_json();
            point(&region, 12_288, b"words");
            assert_eq!(other.ask(&handle), format!("words at 12288 of {:#x}", region.address()), "{title}");
            assert_eq!(pointed_at(&region), (20_480, *b"reply"), "{title}");
        }
    });
}

#[test]
fn twenty_processes_have_the_range_free() {
    bounded(|watch| {
        for number in 0..20 {
            watch.stage(format!("process {number}"));
            // sparse: address space, and no memory
            let source = Source::Memory("sparse".into());
            let options = MapOptions { byte_length: Some(1 << 30), reserve: Some(false), ..MapOptions::new(source) };
            let mut region = Region::map(&options).unwrap();
            let handle = region.handle().unwrap().to_json();
            point(&region, (1 << 30) - 16_384, b"space");
            let mut other = Player::start(watch, "heir", &[]);
            other.hear();
            assert_eq!(other.ask(&handle), format!("space at {} of {:#x}", (1 << 30) - 16_384, region.address()));
            assert_eq!(pointed_at(&region), ((1 << 30) - 8192, *b"reply"));
        }
    });
}

#[test]
fn a_process_that_has_something_there_is_told_and_keeps_it() {
    bounded(|watch| {
        let options = MapOptions { byte_length: Some(65_536), portable: true, ..MapOptions::default() };
        let mut region = Region::map(&options).unwrap();
        point(&region, 4096, b"still");
        let mut other = Player::start(watch, "heir", &[]);
        other.hear();
        let handle = region.handle().unwrap().to_json();
        assert_eq!(other.ask(&format!("taken {handle}")), format!("still at 4096 of {:#x}", region.address()));
        assert_eq!(pointed_at(&region), (12_288, *b"reply"));
    });
}

#[test]
fn what_has_no_name_goes_with_whoever_made_it_unless_somebody_has_it() {
    bounded(|watch| {
        let mut maker = Player::start(watch, "maker", &["65536"]);
        let handle = Handle::from_json(&maker.hear()).unwrap();
        let region = Region::from_handle(&handle, None).unwrap();
        let fd = region.descriptor().unwrap().try_clone_to_owned().unwrap();
        drop(region);
        maker.kill();
        assert_eq!(code(Region::from_handle(&handle, None)), Code::NotFound);
        let region = Region::from_handle(&handle, Some(fd)).unwrap();
        let mut bytes = [0; 5];
        region.read_at(0, &mut bytes).unwrap();
        assert_eq!((region.address(), &bytes), (handle.address(), b"alive"));
    });
}

#[test]
fn another_user_has_what_he_may_open_and_nothing_else() {
    bounded(|watch| {
        let directory = Directory::new();
        let Ok(mut other) = Player::start_as(watch, 65_534, "heir", &[]) else { return }; // only root may start a process as somebody else
        other.hear();
        let mut nameless = Region::map(&MapOptions { byte_length: Some(65_536), ..MapOptions::default() }).unwrap();
        assert_eq!(other.ask(&nameless.handle().unwrap().to_json()), "ERR_PERMISSION");
        for (permissions, said) in [(0o600, "ERR_PERMISSION"), (0o644, "ERR_PERMISSION"), (0o666, "words at 4096")] {
            let options = SharedMemoryOptions { byte_length: Some(65_536), permissions, ..SharedMemoryOptions::default() };
            let object = SharedMemory::open(&directory.name("object"), Mode::Exclusive, &options).unwrap();
            let mut region = object.map(MapOptions { portable: true, ..MapOptions::default() }).unwrap();
            point(&region, 4096, b"words");
            assert!(other.ask(&region.handle().unwrap().to_json()).starts_with(said), "{permissions:o}");
            object.unlink().unwrap();
        }
    });
}
