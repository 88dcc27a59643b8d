use crate::common::{Directory, code};
use crate::{anonymous, byte, file, free_address, may_lock, smaps};
use pagecast::Code;
use pagecast::region::{Access, Advice, MapOptions, Placement, Region};

#[test]
fn pages_are_counted_as_in_the_example() {
    let region = anonymous(51_342_411);
    let pages = region.pages().slice(44..124);
    assert_eq!((region.pages().len(), pages.len()), (12_535, 80));
    assert_eq!((pages.byte_offset(), pages.byte_length()), (180_224, 327_680));
    assert_eq!(pages.addresses().next(), Some(region.address() + 180_224));
    assert_eq!(pages.addresses().count(), 80);
}

#[test]
fn access_is_a_page_s_own() {
    let mut region = anonymous(10 * 4096);
    region.write_at(0, &[1; 10 * 4096]).unwrap();
    region.protect(2..4, Access::Read).unwrap();
    region.protect(3..5, Access::None).unwrap();
    assert_eq!(code(region.write_at(2 * 4096 - 1, &[2; 2])), Code::ReadOnly);
    assert_eq!(code(region.read_at(3 * 4096 - 1, &mut [2; 2])), Code::NoAccess);
    region.write_at(4096, &[3; 4096]).unwrap();
    region.write_at(5 * 4096, &[3; 4096]).unwrap();
    assert_eq!(byte(&region, 3 * 4096 - 1), 1);
    region.protect(0..10, Access::ReadWrite).unwrap();
    region.write_at(2 * 4096 - 1, &[2; 2]).unwrap();
    assert_eq!((byte(&region, 2 * 4096), byte(&region, 3 * 4096)), (2, 1));
}

#[test]
fn pages_that_there_are_not_are_an_error() {
    let mut region = anonymous(4 * 4096);
    #[expect(clippy::reversed_empty_ranges, reason = "that is the point")]
    for pages in [0..5, 5..5, 3..2, 4..usize::MAX] {
        assert_eq!(code(region.protect(pages.clone(), Access::Read)), Code::ValueRange, "{pages:?}");
        assert_eq!(code(region.advise(pages.clone(), Advice::Normal)), Code::ValueRange);
        assert_eq!(code(region.lock(pages.clone())), Code::ValueRange);
        assert_eq!(code(region.unlock(pages.clone())), Code::ValueRange);
        assert_eq!(code(region.flush(pages.clone(), true)), Code::ValueRange);
        assert_eq!(code(region.residency(pages.clone(), &mut [])), Code::ValueRange);
        assert_eq!(code(region.unmap(pages)), Code::ValueRange);
    }
    region.protect(4..4, Access::Read).unwrap();
    assert_eq!(code(region.residency(0..4, &mut [0; 3])), Code::InvalidSize);
}

#[test]
fn advice_is_taken_and_dontneed_gives_private_pages_back() {
    let region = Region::map(&MapOptions { byte_length: Some(4 * 4096), private: true, ..MapOptions::default() }).unwrap();
    for advice in [Advice::Normal, Advice::Random, Advice::Sequential, Advice::WillNeed, Advice::DontFork, Advice::DoFork, Advice::DontDump]
    {
        region.advise(0..4, advice).unwrap();
    }
    region.write_at(0, &[1; 4 * 4096]).unwrap();
    region.advise(1..2, Advice::DontNeed).unwrap();
    assert_eq!((byte(&region, 4095), byte(&region, 4096), byte(&region, 2 * 4096)), (1, 0, 1));
}

#[test]
fn removed_bytes_are_zeros_and_their_room_is_free() {
    let directory = Directory::new();
    let path = directory.path().join("file");
    std::fs::write(&path, vec![1; 4 * 4096]).unwrap();
    let region = Region::map(&file(&path)).unwrap();
    region.advise(1..3, Advice::Remove).unwrap();
    use std::os::unix::fs::MetadataExt;
    assert_eq!(std::fs::metadata(&path).unwrap().blocks(), 2 * 8, "before they are read, which takes room for zeros");
    assert_eq!((byte(&region, 4095), byte(&region, 4096), byte(&region, 3 * 4096)), (1, 0, 1));
    let private = Region::map(&MapOptions { private: true, ..file(&path) }).unwrap();
    private.advise(0..4, Advice::Free).map_or_else(|error| assert_eq!(error.code(), Code::Unsupported), drop);
}

#[test]
fn residency_tells_which_pages_are_there() {
    let region = anonymous(8 * 4096);
    region.write_at(2 * 4096, &[1; 2 * 4096]).unwrap();
    let mut resident = [9; 8];
    region.residency(0..8, &mut resident).unwrap();
    assert_eq!(resident, [0, 0, 1, 1, 0, 0, 0, 0]);
    let populated = Region::map(&MapOptions { byte_length: Some(8 * 4096), populate: true, ..MapOptions::default() }).unwrap();
    populated.residency(0..8, &mut resident).unwrap();
    assert_eq!(resident, [1; 8]);
}

/// Whether a page is locked, as the kernel says: of this page, since other tests lock some of their own meanwhile.
fn is_locked(region: &Region, page: u64) -> bool {
    let flags = smaps(region.address() + page * 4096, "VmFlags").unwrap();
    flags.split_whitespace().any(|flag| flag == "lo")
}

#[test]
fn locked_pages_stay_in_memory() {
    let _turn = may_lock();
    let region = anonymous(16 * 4096);
    let locked = |region: &Region| [3, 4, 5, 6, 7, 8].map(|page| is_locked(region, page));
    assert_eq!(locked(&region), [false; 6]);
    region.lock(4..8).unwrap();
    assert_eq!(locked(&region), [false, true, true, true, true, false]);
    region.unlock(4..6).unwrap();
    assert_eq!(locked(&region), [false, false, false, true, true, false]);
    let region = Region::map(&MapOptions { byte_length: Some(9 * 4096), lock: true, ..MapOptions::default() }).unwrap();
    assert_eq!(locked(&region), [true; 6]);
}

#[test]
fn pages_that_may_not_be_used_are_not_locked() {
    let _turn = may_lock();
    let none = MapOptions { byte_length: Some(4096), access: Access::None, lock: true, ..MapOptions::default() };
    let error = Region::map(&none).unwrap_err();
    assert_eq!((error.code(), error.syscall()), (Code::NoAccess, None), "{error}");
    let mut region = anonymous(4 * 4096);
    region.protect(2..3, Access::None).unwrap();
    let error = region.lock(0..4).unwrap_err();
    assert_eq!((error.code(), error.syscall()), (Code::NoAccess, None), "{error}");
    assert!(error.message().contains("page 2 is locked"), "{error}");
    region.lock(0..2).unwrap();
}

#[test]
fn what_is_asked_for_all_pages_is_asked_for_those_that_come_later() {
    let _turn = may_lock();
    for address in [None, Some((free_address(), Placement::Exclusive))] {
        let byte_length = Some(8 * 4096);
        let mut region = Region::map(&MapOptions { byte_length, address, lock: true, populate: true, ..MapOptions::default() }).unwrap();
        region.protect(2..4, Access::None).unwrap();
        region.protect(4..6, Access::Read).unwrap();
        region.unmap(6..7).unwrap();
        region.resize(10 * 4096).unwrap();
        let mut resident = [0; 2];
        region.residency(8..10, &mut resident).unwrap();
        assert_eq!(resident, [1; 2], "{address:?}");
        assert_eq!([1, 3, 5, 6, 7, 8, 9].map(|page| is_locked(&region, page)), [true, true, true, false, true, true, true], "{address:?}");
    }
}

#[test]
fn pages_that_were_given_up_are_gone_and_the_others_stay() {
    let mut region = anonymous(8 * 4096);
    region.write_at(0, &[1; 8 * 4096]).unwrap();
    region.unmap(2..4).unwrap();
    region.unmap(3..5).unwrap();
    assert_eq!((byte(&region, 2 * 4096 - 1), byte(&region, 5 * 4096)), (1, 1));
    assert_eq!(code(region.read_at(2 * 4096 - 1, &mut [0; 2])), Code::Unmapped);
    assert_eq!(code(region.write_at(4 * 4096, &[0])), Code::Unmapped);
    assert_eq!(code(region.protect(4..6, Access::Read)), Code::Unmapped);
    assert_eq!(code(region.flush(0..8, true)), Code::Unmapped);
    region.protect(5..8, Access::Read).unwrap();
}

#[test]
fn what_is_flushed_is_in_the_file() {
    let directory = Directory::new();
    let path = directory.path().join("file");
    std::fs::write(&path, vec![0; 3 * 4096]).unwrap();
    let region = Region::map(&file(&path)).unwrap();
    region.write_at(4096, b"flushed").unwrap();
    region.flush(1..2, true).unwrap();
    region.flush(0..3, false).unwrap();
    assert_eq!(&std::fs::read(&path).unwrap()[4096..4103], b"flushed");
}
