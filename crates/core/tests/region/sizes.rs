use crate::common::{Directory, code};
use crate::{anonymous, byte, file, free_address};
use pagecast::Code;
use pagecast::region::{Access, MapOptions, Placement, Region, Reservation, Source};
use std::os::unix::fs::MetadataExt;

#[test]
fn a_size_that_no_region_can_have_is_refused() {
    let map = |byte_length| Region::map(&MapOptions { byte_length, ..MapOptions::default() });
    assert_eq!(code(map(None)), Code::InvalidSize);
    assert_eq!(code(map(Some(0))), Code::InvalidSize);
    assert_eq!(code(map(Some(u64::MAX))), Code::InvalidSize);
    assert_eq!(code(map(Some(1 << 60))), Code::AddressSpace);
    assert_eq!(code(anonymous(10).resize(0)), Code::InvalidSize);
    assert_eq!(code(anonymous(10).resize(u64::MAX)), Code::InvalidSize);
}

#[test]
fn an_empty_file_is_extended_and_no_other_one() {
    let directory = Directory::new();
    let path = directory.path().join("file");
    std::fs::write(&path, "").unwrap();
    assert_eq!(code(Region::map(&file(&path))), Code::InvalidSize);
    let read_only = MapOptions { byte_length: Some(5000), access: Access::Read, ..file(&path) };
    assert_eq!(byte(&Region::map(&read_only).unwrap(), 4999), 0);
    assert_eq!(std::fs::metadata(&path).unwrap().len(), 5000);
    let longer = MapOptions { byte_length: Some(5001), ..file(&path) };
    let error = Region::map(&longer).unwrap_err();
    assert_eq!(error.code(), Code::InvalidSize);
    assert!(error.message().contains("5,001") && error.message().contains("5,000"), "{error}");
    assert_eq!(std::fs::metadata(&path).unwrap().len(), 5000);
    assert_eq!(Region::map(&file(&path)).unwrap().byte_length(), 5000);
}

#[test]
fn a_part_of_a_file_is_mapped() {
    let directory = Directory::new();
    let path = directory.path().join("file");
    let content: Vec<u8> = (0..3_u8).flat_map(|page| vec![page + 1; 4096]).collect();
    std::fs::write(&path, content).unwrap();
    let rest = Region::map(&MapOptions { byte_offset: 4096, ..file(&path) }).unwrap();
    assert_eq!((rest.byte_length(), rest.byte_offset(), byte(&rest, 0), byte(&rest, 8191)), (8192, 4096, 2, 3));
    let part = Region::map(&MapOptions { byte_offset: 8192, byte_length: Some(10), ..file(&path) }).unwrap();
    part.write_at(9, &[9]).unwrap();
    assert_eq!((byte(&rest, 4096 + 9), part.pages().len()), (9, 1));
    for (byte_offset, wanted) in [(1, Code::InvalidArgument), (12_288, Code::InvalidSize), (1 << 62, Code::InvalidArgument)] {
        assert_eq!(code(Region::map(&MapOptions { byte_offset, ..file(&path) })), wanted, "{byte_offset}");
    }
    assert_eq!(code(Region::map(&MapOptions { byte_offset: 8192, byte_length: Some(4097), ..file(&path) })), Code::InvalidSize);
}

#[test]
fn a_sparse_file_stays_sparse() {
    let directory = Directory::new();
    let path = std::env::temp_dir().join(format!("pagecast-sparse-{}", std::process::id()));
    for path in [&path, &directory.path().join("file")] {
        let source = Source::File { path: path.clone(), create: Some(0o600) };
        let region = Region::map(&MapOptions { byte_length: Some(3 << 30), ..MapOptions::new(source) }).unwrap();
        region.write_at((3 << 30) - 4, b"last").unwrap();
        region.write_at(1 << 30, b"some").unwrap();
        let metadata = std::fs::metadata(path).unwrap();
        assert_eq!(metadata.len(), 3 << 30);
        assert!(metadata.blocks() * 512 <= 64 * 1024, "{} blocks", metadata.blocks());
        std::fs::remove_file(path).unwrap();
    }
}

#[test]
fn more_than_four_gigabytes_are_one_region() {
    let mut region = anonymous(6 << 30);
    region.write_at(5 << 30, b"far").unwrap();
    assert_eq!((byte(&region, 5 << 30), region.pages().len()), (b'f', 6 << 18));
    region.resize(7 << 30).unwrap();
    assert_eq!(byte(&region, (5 << 30) + 2), b'r');
}

#[test]
fn room_is_taken_where_it_is_asked_for() {
    let directory = Directory::new();
    let path = directory.path().join("file");
    let source = || Source::File { path: path.clone(), create: Some(0o640) };
    let region = Region::map(&MapOptions { byte_length: Some(1 << 20), reserve: Some(true), ..MapOptions::new(source()) }).unwrap();
    let metadata = std::fs::metadata(&path).unwrap();
    assert_eq!((metadata.blocks(), metadata.mode() & 0o777), (2048, 0o640));
    drop(region);
    let huge = MapOptions { byte_length: Some(1 << 50), reserve: Some(true), ..MapOptions::new(Source::Memory("huge".into())) };
    assert_eq!(code(Region::map(&huge)), Code::NoSpace);
}

#[test]
fn a_region_grows_and_shrinks_with_its_file() {
    let directory = Directory::new();
    let path = directory.path().join("file");
    std::fs::write(&path, [1; 4096]).unwrap();
    let mut region = Region::map(&file(&path)).unwrap();
    region.resize(3 * 4096 + 5).unwrap();
    assert_eq!((region.byte_length(), std::fs::metadata(&path).unwrap().len()), (3 * 4096 + 5, 3 * 4096 + 5));
    region.write_at(3 * 4096, b"after").unwrap();
    assert_eq!((byte(&region, 4095), byte(&region, 4096), byte(&region, 3 * 4096 + 4)), (1, 0, b'r'));
    region.resize(100).unwrap();
    assert_eq!((std::fs::metadata(&path).unwrap().len(), byte(&region, 99), region.pages().len()), (100, 1, 1));
    assert_eq!(code(region.read_at(100, &mut [0])), Code::ValueRange);
    region.resize(8192).unwrap();
    assert_eq!((byte(&region, 99), byte(&region, 100), byte(&region, 8191)), (1, 0, 0));
}

#[test]
fn pages_stay_as_they_were_made_and_new_ones_are_as_all_were_at_first() {
    let mut region = anonymous(4 * 4096);
    region.protect(1..2, Access::Read).unwrap();
    region.unmap(3..4).unwrap();
    region.resize(8 * 4096).unwrap();
    assert_eq!(code(region.write_at(4096, &[1])), Code::ReadOnly);
    assert_eq!(code(region.read_at(3 * 4096, &mut [0])), Code::Unmapped);
    region.write_at(4 * 4096, &[1; 4 * 4096]).unwrap();
    region.resize(2 * 4096).unwrap();
    region.resize(4 * 4096).unwrap();
    region.write_at(2 * 4096, &[1; 2 * 4096]).unwrap();
    assert_eq!(code(region.write_at(4096, &[1])), Code::ReadOnly);
}

#[test]
fn anonymous_memory_that_shrank_has_zeros_where_it_grows_again() {
    let mut region = anonymous(1 << 20);
    region.write_at(0, &[1; 1 << 20]).unwrap();
    region.resize(65_536).unwrap();
    region.resize(1 << 20).unwrap();
    assert_eq!((byte(&region, 65_535), byte(&region, 65_536), byte(&region, (1 << 20) - 1)), (1, 0, 0));
}

#[test]
fn what_cannot_be_resized_says_so_and_stays() {
    let resize = |options: MapOptions| {
        let mut region = Region::map(&MapOptions { byte_length: Some(4096), ..options }).unwrap();
        let code = code(region.resize(8192));
        assert_eq!(region.byte_length(), 4096);
        code
    };
    assert_eq!(resize(MapOptions { private: true, ..MapOptions::default() }), Code::Private);
    assert_eq!(resize(MapOptions { access: Access::Read, ..MapOptions::default() }), Code::ReadOnly);
    assert_eq!(resize(file("/dev/zero".as_ref())), Code::InvalidArgument);
    let reservation = Reservation::new(16 * 4096, None).unwrap();
    assert_eq!(
        resize(MapOptions { address: Some((reservation.address(), Placement::Replace)), ..MapOptions::default() }),
        Code::AddressInUse
    );
    let mut region = anonymous(4096);
    region.give_up_descriptor();
    assert_eq!(code(region.resize(1 << 20)), Code::TooManyFiles);
    region.write_at(0, &[1]).unwrap();
}

#[test]
fn a_region_at_an_address_grows_where_it_is_or_not_at_all() {
    let address = free_address();
    let place = |pages: u64| Some((address + pages * 4096, Placement::Exclusive));
    let source = || Source::Memory("grows".into());
    let mut region = Region::map(&MapOptions { byte_length: Some(4096), address: place(0), ..MapOptions::new(source()) }).unwrap();
    region.write_at(0, &[7]).unwrap();
    region.resize(8 * 4096).unwrap();
    region.write_at(8 * 4096 - 1, &[8]).unwrap();
    assert_eq!((region.address(), byte(&region, 0)), (address, 7));
    let neighbour = Region::map(&MapOptions { byte_length: Some(4096), address: place(8), ..MapOptions::new(source()) }).unwrap();
    assert_eq!(code(region.resize(9 * 4096)), Code::AddressInUse);
    assert_eq!((region.byte_length(), byte(&region, 8 * 4096 - 1), byte(&neighbour, 0)), (8 * 4096, 8, 0));
    region.resize(4096).unwrap();
    let between = Region::map(&MapOptions { byte_length: Some(7 * 4096), address: place(1), ..MapOptions::new(source()) }).unwrap();
    assert_eq!((between.address(), byte(&region, 0)), (address + 4096, 7), "what it no longer has is free");
}

#[test]
fn pages_keep_what_may_be_done_with_them_and_new_ones_are_as_all_were_at_first() {
    let mut region = anonymous(6 * 4096);
    region.write_at(0, &[7; 6 * 4096]).unwrap();
    region.protect(0..1, Access::Read).unwrap();
    region.unmap(2..3).unwrap();
    region.protect(5..6, Access::None).unwrap();
    region.resize(10 * 4096).unwrap();
    assert_eq!(code(region.write_at(0, &[1])), Code::ReadOnly);
    assert_eq!(code(region.read_at(2 * 4096, &mut [0])), Code::Unmapped);
    assert_eq!(code(region.read_at(5 * 4096, &mut [0])), Code::NoAccess);
    region.write_at(6 * 4096, &[1; 4 * 4096]).unwrap();
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let access_at = |page: u64| {
        let address = region.address() + page * 4096;
        let hex = |text: &str| u64::from_str_radix(text, 16).unwrap();
        let holds = |line: &&str| {
            let (start, end) = line.split_whitespace().next().unwrap().split_once('-').unwrap();
            (hex(start)..hex(end)).contains(&address)
        };
        maps.lines().find(holds).unwrap().split_whitespace().nth(1).unwrap().to_owned()
    };
    assert_eq!([0, 1, 2, 5, 6].map(access_at), ["r--s", "rw-s", "---p", "---s", "rw-s"]);
}
