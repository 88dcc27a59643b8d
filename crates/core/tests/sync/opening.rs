use crate::common::{Directory, code};
use crate::{anonymous, mutex};
use pagecast::Code;
use pagecast::region::{Access, MapOptions, Mode, Region, SharedMemory, SharedMemoryOptions, Source};
use pagecast::roster::{Byte, LockFile};
use pagecast::sync::{MUTEX_BYTES, Mutex};
use std::time::Duration;

#[test]
fn it_lies_at_a_multiple_of_64_in_the_region() {
    let region = anonymous();
    for offset in [1, 4, 8, 63, 65, 4097, u64::MAX - 1] {
        assert_eq!(code(Mutex::open(&region, offset)), Code::InvalidArgument, "{offset}");
    }
    for offset in [65_536, 1 << 40, u64::MAX - 63] {
        assert_eq!(code(Mutex::open(&region, offset)), Code::ValueRange, "{offset}");
    }
    for offset in [0, MUTEX_BYTES, 4096 - 64, 4096, 65_536 - 64] {
        let mut mutex = Mutex::open(&region, offset).unwrap();
        mutex.lock(Duration::ZERO).unwrap().release().unwrap();
    }
    let short = Region::map(&MapOptions { byte_length: Some(100), ..MapOptions::new(Source::Memory("short".into())) }).unwrap();
    assert_eq!(code(Mutex::open(&short, 64)), Code::ValueRange, "64 bytes from 64 on, of 100");
}

#[test]
fn it_needs_a_region_that_is_shared_and_may_be_written() {
    let directory = Directory::new();
    let path = directory.path().join("file");
    std::fs::write(&path, vec![0; 4096]).unwrap();
    let open = |options: MapOptions| {
        let source = Source::File { path: path.clone(), create: None };
        Mutex::open(&Region::map(&MapOptions { source, ..options }).unwrap(), 0)
    };
    assert_eq!(code(open(MapOptions { access: Access::Read, ..MapOptions::default() })), Code::ReadOnly);
    assert_eq!(code(open(MapOptions { private: true, ..MapOptions::default() })), Code::Private);
    assert!(open(MapOptions::default()).is_ok());
    let device = Source::File { path: "/dev/zero".into(), create: None };
    let device = Region::map(&MapOptions { byte_length: Some(4096), ..MapOptions::new(device) }).unwrap();
    assert_eq!(code(Mutex::open(&device, 0)), Code::Private);
}

#[test]
fn what_is_mapped_from_elsewhere_on_has_the_same_mutex() {
    let directory = Directory::new();
    let options = SharedMemoryOptions { byte_length: Some(3 * 4096), ..SharedMemoryOptions::default() };
    let memory = SharedMemory::open(&directory.name("object"), Mode::Exclusive, &options).unwrap();
    let whole = memory.map(MapOptions::default()).unwrap();
    let part = memory.map(MapOptions { byte_offset: 4096, ..MapOptions::default() }).unwrap();
    let (mut one, mut same) = (Mutex::open(&whole, 4096 + 64).unwrap(), Mutex::open(&part, 64).unwrap());
    let mut next = Mutex::open(&part, 128).unwrap();
    assert_eq!((one.slot(), same.slot(), next.slot()), (0, 1, 0), "each mutex has slots of its own");
    let guard = one.lock(Duration::ZERO).unwrap();
    assert!(same.try_lock().unwrap().is_none());
    assert!(next.try_lock().unwrap().is_some());
    drop(guard);
    assert!(same.try_lock().unwrap().is_some());
}

#[test]
fn it_outlives_its_region() {
    let region = anonymous();
    let (mut one, mut two) = (mutex(&region), mutex(&region));
    drop(region);
    let guard = one.lock(Duration::ZERO).unwrap();
    assert!(two.try_lock().unwrap().is_none());
    drop(guard);
    assert!(two.try_lock().unwrap().is_some());
}

#[test]
fn a_region_that_gave_its_descriptor_up_has_none() {
    let mut region = anonymous();
    region.give_up_descriptor();
    assert_eq!(code(Mutex::open(&region, 0)), Code::TooManyFiles);
}

#[test]
fn slots_are_taken_up_and_given_back() {
    let region = anonymous();
    let fd = region.descriptor().unwrap().try_clone_to_owned().unwrap();
    let others = LockFile::reopen(&fd, false).unwrap();
    for slot in 0..1023 {
        assert!(others.try_hold(Byte::Participant(0, slot)).unwrap());
    }
    let last = mutex(&region);
    assert_eq!(last.slot(), 1023);
    let error = Mutex::open(&region, 0).unwrap_err();
    assert_eq!(error.code(), Code::TooManyConsumers);
    assert!(error.message().contains("1024"), "{error}");
    drop(last);
    assert_eq!(mutex(&region).slot(), 1023);
    drop(others);
    assert_eq!(mutex(&region).slot(), 0);
}
