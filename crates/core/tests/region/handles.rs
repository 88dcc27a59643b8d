//! Handles within one process. Others that map the same address are in `processes/handles.rs`.

use crate::common::{Directory, code};
use crate::{anonymous, byte, file, free_address};
use pagecast::region::{Access, Handle, MapOptions, Mode, Placement, Region, SharedMemory, SharedMemoryOptions, Source};
use pagecast::{Code, Name};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;

fn portable(byte_length: u64) -> Region {
    Region::map(&MapOptions { byte_length: Some(byte_length), portable: true, ..MapOptions::default() }).unwrap()
}

fn shared(name: &Name, byte_length: u64) -> SharedMemory {
    let options = SharedMemoryOptions { byte_length: Some(byte_length), ..SharedMemoryOptions::default() };
    SharedMemory::open(name, Mode::Exclusive, &options).unwrap()
}

/// The region once more, wherever there is room.
fn elsewhere(handle: &Handle, fd: Option<OwnedFd>) -> pagecast::Result<Region> {
    Region::map(&MapOptions { address: None, ..handle.options(fd) })
}

/// What may be done at an address, as the kernel says: `rw-s`.
fn access_at(address: u64) -> String {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let holds = |line: &&str| {
        let (start, end) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let number = |text| u64::from_str_radix(text, 16).unwrap();
        (number(start)..number(end)).contains(&address)
    };
    maps.lines().find(holds).map_or("nothing", |line| line.split(' ').nth(1).unwrap()).into()
}

/// Nanoseconds since 1970.
fn born_at(stat: &std::fs::Metadata) -> u128 {
    stat.created().unwrap().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos()
}

/// A field of a handle is something else.
fn with(handle: &Handle, field: &str, value: &str) -> String {
    let mut fields: serde_json::Value = serde_json::from_str(&handle.to_json()).unwrap();
    fields[field] = serde_json::from_str(value).unwrap();
    fields.to_string()
}

#[test]
fn a_portable_region_stays_where_it_is_and_regions_keep_out_of_each_other_s_way() {
    let mut regions: Vec<Region> = (0..50).map(|_| portable(10_000)).collect();
    for region in &mut regions {
        let address = region.address();
        assert!(address.is_multiple_of(2 << 20), "{address:#x}");
        assert_eq!(region.handle().unwrap().address(), address);
        assert_eq!(region.address(), address);
        region.write_at(9_999, &[7]).unwrap();
    }
    regions.sort_by_key(Region::address);
    assert!(regions.windows(2).all(|pair| pair[0].address() + 12_288 <= pair[1].address()));
}

#[test]
fn a_handle_moves_what_addresses_mean_and_those_of_before_are_known() {
    let mut region = anonymous(3 * 4096 - 1);
    let before = region.address();
    region.write_at(5, b"before").unwrap();
    let handle = region.handle().unwrap();
    let now = region.address();
    assert_ne!(now, before);
    assert_eq!((handle.address(), region.handle().unwrap()), (now, handle.clone()));
    for address in [before, now] {
        assert_eq!(region.offset_of(address), Some(0));
        assert_eq!(region.offset_of(address + 4096), Some(4096));
        assert_eq!(region.offset_of(address + region.byte_length()), Some(region.byte_length()));
        assert_eq!(region.offset_of(address + region.byte_length() + 1), None);
        assert_eq!(region.offset_of(address - 1), None);
        // SAFETY: mapped for as long as the region is.
        assert_eq!(unsafe { ((address + 5) as *const [u8; 6]).read_volatile() }, *b"before");
    }
    assert_eq!((region.offset_of(0), region.offset_of(u64::MAX)), (None, None));
    assert_eq!(region.pages().address(), now);
    region.write_at(5, b"beyond").unwrap();
    // SAFETY: as above.
    assert_eq!(unsafe { ((before + 5) as *const [u8; 6]).read_volatile() }, *b"beyond");
    drop(region);
    assert_eq!(access_at(now), "nothing");
}

#[test]
fn a_region_at_an_address_keeps_it() {
    let address = free_address();
    let place = Some((address, Placement::Exclusive));
    let mut region = Region::map(&MapOptions { byte_length: Some(4096), address: place, ..MapOptions::default() }).unwrap();
    assert_eq!(region.handle().unwrap().address(), address);
    assert_eq!(region.address(), address);
}

#[test]
fn what_was_done_to_pages_is_done_in_the_new_mapping_too() {
    let mut region = anonymous(4 * 4096);
    region.protect(1..2, Access::Read).unwrap();
    region.protect(2..3, Access::None).unwrap();
    region.unmap(3..4).unwrap();
    region.handle().unwrap();
    let access = |page: u64| access_at(region.address() + page * 4096);
    assert_eq!([access(0), access(1), access(2), access(3)], ["rw-s", "r--s", "---s", "---p"]);
    assert_eq!(code(region.write_at(4096, &[1])), Code::ReadOnly);
    assert_eq!(code(region.read_at(3 * 4096, &mut [0])), Code::Unmapped);
    region.protect(1..3, Access::ReadWrite).unwrap();
    region.write_at(4096, &[1; 8192]).unwrap();
    assert_eq!(access_at(region.address() + 2 * 4096), "rw-s");
}

#[test]
fn a_region_that_others_were_told_of_is_resized_in_place_or_not_at_all() {
    let directory = Directory::new();
    let mut region = shared(&directory.name("object"), 8192).map(MapOptions::default()).unwrap();
    let before = region.address();
    let address = region.handle().unwrap().address();
    region.resize(5 * 4096).unwrap();
    region.write_at(4 * 4096, &[7]).unwrap();
    assert_eq!((region.address(), region.offset_of(address + 4 * 4096)), (address, Some(4 * 4096)));
    assert_eq!((region.offset_of(before + 4096), region.offset_of(before + 4 * 4096)), (Some(4096), None), "it shows what it showed");
    region.resize(4096).unwrap();
    assert_eq!((region.address(), access_at(address + 4096).as_str()), (address, "nothing"));
    assert_eq!((region.offset_of(before + 4096), region.offset_of(before + 4097)), (Some(4096), None));
    let place = Some((address + 4096, Placement::Exclusive));
    let in_the_way = Region::map(&MapOptions { byte_length: Some(4096), address: place, ..MapOptions::default() }).unwrap();
    assert_eq!(code(region.resize(8192)), Code::AddressInUse);
    assert_eq!((region.address(), region.byte_length()), (address, 4096));
    region.write_at(0, &[8]).unwrap();
    drop(in_the_way);
    region.resize(8192).unwrap();
    assert_eq!(byte(&region, 0), 8);
}

#[test]
fn what_is_private_or_a_device_has_no_handle() {
    let private = |portable| MapOptions { byte_length: Some(4096), private: true, portable, ..MapOptions::default() };
    let device = |portable| MapOptions { byte_length: Some(4096), portable, ..file("/dev/zero".as_ref()) };
    for options in [private, device] {
        let mut region = Region::map(&options(false)).unwrap();
        let address = region.address();
        assert_eq!(code(region.handle()), Code::Private);
        assert_eq!(region.address(), address);
        assert_eq!(code(Region::map(&options(true))), Code::Private);
    }
    let both = MapOptions { address: Some((free_address(), Placement::Hint)), ..MapOptions::default() };
    assert_eq!(code(Region::map(&MapOptions { byte_length: Some(4096), portable: true, ..both })), Code::InvalidArgument);
    let mut region = anonymous(4096);
    region.give_up_descriptor();
    let address = region.address();
    assert_eq!(code(region.handle()), Code::TooManyFiles);
    assert_eq!(region.address(), address);
}

#[test]
fn more_than_the_window_has_no_place_in_it_and_leaves_nothing() {
    let directory = Directory::new();
    let path = directory.path().join("file");
    let source = Source::File { path: path.clone(), create: Some(0o600) };
    let failed = Region::map(&MapOptions { byte_length: Some(13 << 40), portable: true, ..MapOptions::new(source) });
    assert_eq!(code(failed), Code::AddressSpace);
    assert_eq!(directory.files(), [""; 0]);
}

#[test]
fn where_the_range_is_taken_nothing_is_overwritten() {
    let mut region = portable(8192);
    region.write_at(0, &[7; 8192]).unwrap();
    let handle = region.handle().unwrap();
    assert_eq!(code(Region::from_handle(&handle, None)), Code::AddressInUse);
    assert_eq!((byte(&region, 0), byte(&region, 8191)), (7, 7));
    let again = elsewhere(&handle, None).unwrap();
    again.write_at(1, &[8]).unwrap();
    assert_eq!((byte(&region, 1), byte(&again, 8191)), (8, 7));
}

#[test]
fn named_objects_are_found_by_their_names() {
    let directory = Directory::new();
    let path = directory.path().join("file");
    std::fs::write(&path, [3; 3 * 4096]).unwrap();
    let shm = directory.name("object");
    drop(shared(&shm, 3 * 4096));
    for options in [file(&path), MapOptions::new(Source::Shared(shm.clone()))] {
        let mut region = Region::map(&MapOptions { byte_offset: 4096, ..options }).unwrap();
        region.write_at(0, b"named").unwrap();
        let handle = region.handle().unwrap();
        assert_eq!((handle.byte_offset(), handle.byte_length()), (4096, 8192));
        drop(region);
        let again = Region::from_handle(&handle, None).unwrap();
        let mut bytes = [0; 5];
        again.read_at(0, &mut bytes).unwrap();
        assert_eq!((again.address(), &bytes), (handle.address(), b"named"));
        drop(again);
        let read_only = Region::map(&MapOptions { access: Access::Read, ..handle.options(None) }).unwrap();
        assert_eq!(code(read_only.write_at(0, &[1])), Code::ReadOnly);
    }
}

#[test]
fn a_name_that_is_gone_or_another_s_leads_nowhere_once_the_maker_has_let_go() {
    let directory = Directory::new();
    for (replace, expected) in [(true, Code::Replaced), (false, Code::NotFound)] {
        let name = directory.name("object");
        let object = shared(&name, 8192);
        let mut region = object.map(MapOptions::default()).unwrap();
        region.write_at(0, &[7]).unwrap();
        let handle = region.handle().unwrap();
        object.unlink().unwrap();
        let other = replace.then(|| shared(&name, 8192));
        let through_the_maker = elsewhere(&handle, None).unwrap();
        assert_eq!(byte(&through_the_maker, 0), 7);
        let fresh = region.handle().unwrap();
        assert!(!fresh.to_json().contains("shm"), "no name leads there: {}", fresh.to_json());
        drop((region, through_the_maker));
        assert_eq!(code(Region::from_handle(&handle, None)), expected);
        assert_eq!(code(Region::from_handle(&fresh, None)), Code::NotFound);
        assert_eq!(access_at(handle.address()), "nothing");
        other.inspect(|other| other.unlink().unwrap());
    }
}

/// On a disk: ext4 with a journal gives an inode again at once.
#[test]
fn a_file_that_has_the_inode_of_one_that_is_gone_is_another_one() {
    let directory = Directory::on_disk();
    let path = directory.path().join("file");
    let identity = || std::fs::metadata(&path).map(|stat| (stat.dev(), stat.ino(), stat.created().unwrap())).unwrap();
    let mut reused = 0;
    for attempt in 0..20 {
        std::fs::write(&path, [7; 4096]).unwrap();
        let (device, inode, born_at) = identity();
        let handle = Region::map(&file(&path)).unwrap().handle().unwrap();
        drop(Region::from_handle(&handle, None).unwrap());
        loop {
            std::fs::remove_file(&path).unwrap();
            std::fs::write(&path, [9; 4096]).unwrap();
            if identity().2 != born_at {
                break; // the kernel's clock has gone on: it does so every few milliseconds
            }
        }
        let own = OwnedFd::from(std::fs::File::options().read(true).write(true).open(&path).unwrap());
        let without = {
            let mut fields: serde_json::Value = serde_json::from_str(&handle.to_json()).unwrap();
            fields.as_object_mut().unwrap().remove("bornAt");
            Handle::from_json(&fields.to_string()).unwrap()
        };
        assert_eq!(code(Region::from_handle(&handle, None)), Code::Replaced, "attempt {attempt}");
        assert_eq!(code(elsewhere(&handle, Some(own))), Code::InvalidArgument, "attempt {attempt}");
        if identity().0 == device && identity().1 == inode {
            reused += 1;
            assert_eq!(byte(&Region::from_handle(&without, None).unwrap(), 0), 9, "device and inode do not tell them apart");
        }
        std::fs::remove_file(&path).unwrap();
    }
    // ext4 without a journal waits a minute; what is told apart by its time alone is tested below, with a handle that lies, wherever the files are
    println!("{reused} of 20 had the inode again");
}

#[test]
fn only_a_descriptor_of_the_object_is_taken() {
    let mut region = portable(8192);
    region.write_at(0, &[7]).unwrap();
    let handle = region.handle().unwrap();
    let descriptor = |region: &Region| region.descriptor().unwrap().try_clone_to_owned().unwrap();
    let (own, other) = (descriptor(&region), descriptor(&anonymous(8192)));
    drop(region);
    assert_eq!(code(Region::from_handle(&handle, Some(other))), Code::InvalidArgument);
    assert_eq!(code(Region::from_handle(&handle, None)), Code::NotFound);
    let again = Region::from_handle(&handle, Some(own.try_clone().unwrap())).unwrap();
    assert_eq!((again.address(), byte(&again, 0)), (handle.address(), 7));
    drop(again);
    let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&own));
    let read_only = OwnedFd::from(std::fs::File::open(path).unwrap());
    assert_eq!(code(Region::from_handle(&handle, Some(read_only.try_clone().unwrap()))), Code::Permission);
    let region = Region::map(&MapOptions { access: Access::Read, ..handle.options(Some(read_only)) }).unwrap();
    assert_eq!((region.access(), byte(&region, 0)), (Access::Read, 7));
}

#[test]
fn an_object_that_became_shorter_is_an_error_and_a_longer_one_is_mapped_as_far_as_it_was() {
    let directory = Directory::new();
    let object = shared(&directory.name("object"), 8192);
    let mut region = object.map(MapOptions::default()).unwrap();
    let handle = region.handle().unwrap();
    region.resize(3 * 4096).unwrap();
    drop(region);
    let again = Region::from_handle(&handle, None).unwrap();
    assert_eq!(again.byte_length(), 8192);
    drop(again);
    for byte_length in [8191, 0] {
        object.truncate(byte_length).unwrap();
        assert_eq!(code(Region::from_handle(&handle, None)), Code::Truncated);
        assert_eq!(object.byte_length().unwrap(), byte_length, "nothing extends it");
    }
}

#[test]
fn a_region_that_was_cut_gives_no_handle() {
    let directory = Directory::new();
    let object = shared(&directory.name("object"), 8192);
    let mut region = object.map(MapOptions::default()).unwrap();
    object.truncate(4096).unwrap();
    assert_eq!(code(region.handle()), Code::Truncated);
}

#[test]
fn a_handle_is_one_line_of_text_that_says_all() {
    let directory = Directory::new();
    let name = directory.name("object");
    let mut region = shared(&name, 8192).map(MapOptions { access: Access::Read, ..MapOptions::default() }).unwrap();
    let handle = region.handle().unwrap();
    let stat = std::fs::metadata(name.path()).unwrap();
    let (device, inode) = (stat.dev(), stat.ino());
    let fd = std::os::fd::AsRawFd::as_raw_fd(&region.descriptor().unwrap().as_fd());
    let born_at = born_at(&stat);
    let (shm, pid) = (directory.path().display(), std::process::id());
    let expected = format!(
        r#"{{"kind":"pagecast.region","version":1,"address":"{:#x}","byteLength":8192,"byteOffset":0,"access":"r","device":"{device}","inode":"{inode}","bornAt":"{born_at}","shm":"object","directory":"{shm}","pid":{pid},"fd":{fd}}}"#,
        region.address()
    );
    assert_eq!(handle.to_json(), expected);
    assert_eq!(Handle::from_json(&expected).unwrap(), handle);
    let path = directory.path().join("file");
    std::fs::write(&path, [1; 10]).unwrap();
    let handle = Region::map(&file(&path)).unwrap().handle().unwrap();
    assert!(handle.to_json().contains(&format!(r#","file":"{}","pid":"#, path.display())), "{}", handle.to_json());
    assert_eq!(Handle::from_json(&handle.to_json()).unwrap(), handle);
}

#[test]
fn text_that_is_no_handle_is_refused_by_name() {
    let directory = Directory::new();
    let mut region = shared(&directory.name("object"), 8192).map(MapOptions::default()).unwrap();
    let handle = region.handle().unwrap();
    let most = (1_u64 << 53).to_string();
    for (field, values) in [
        ("kind", &["1", "null", "\"\"", "\"pagecast\"", "[]"][..]),
        ("version", &["0", "2", "1.5", "\"1\"", "null"]),
        (
            "address",
            &[
                "0",
                "4096",
                "\"0x0\"",
                "\"4096\"",
                "\"0x1\"",
                "\"0x1001\"",
                "\"0x01000\"",
                "\"0X1000\"",
                "\"0x+1000\"",
                "\"0x10000000000000000\"",
                "null",
            ],
        ),
        ("byteLength", &["0", "-1", "1.5", "1e300", "\"8192\"", &most, "null", "{}"]),
        ("byteOffset", &["1", "-4096", "4096.5", "\"0\"", "18446744073709547520", "null"]),
        ("access", &["\"\"", "\"w\"", "\"RW\"", "1", "null"]),
        ("device", &["1", "\"-1\"", "\"+1\"", "\"01\"", "\"1.0\"", "\"18446744073709551616\"", "\"\"", "null"]),
        ("inode", &["1", "\"x\"", "\" 1\"", "null"]),
        ("bornAt", &["1", "\"-1\"", "\"01\"", "\"1.5\"", "\"18446744073709551616\"", "\"\"", "null"]),
        ("shm", &["\"\"", "\"a/b\"", "\"..\"", "\"a\\u0000b\"", "1", "null"]),
        ("directory", &["\"\"", "\"relative\"", "\"/a\\u0000b\"", "1", "null"]),
        ("file", &["\"/also/a/file\""]),
        ("pid", &["0", "-1", "2147483648", "1.5", "\"1\"", "null"]),
        ("fd", &["-1", "2147483648", "0.5", "\"0\"", "null"]),
        ("stranger", &["1"]),
        ("__proto__", &["1"]),
    ] {
        for value in values {
            let refused = Handle::from_json(&with(&handle, field, value)).map(drop).unwrap_err();
            assert_eq!(refused.code(), Code::InvalidArgument, "{field} {value}");
            assert!(refused.message().starts_with("handle: ") && refused.message().contains(field), "{field} {value}: {refused}");
        }
    }
    for field in ["kind", "version", "address", "byteLength", "byteOffset", "access", "device", "inode", "directory", "shm", "pid", "fd"] {
        let mut fields: serde_json::Map<_, _> = serde_json::from_str(&handle.to_json()).unwrap();
        fields.remove(field);
        let refused = Handle::from_json(&serde_json::Value::from(fields).to_string()).map(drop).unwrap_err();
        assert!(refused.message().contains(field), "without {field}: {refused}");
    }
    let long = with(&handle, "access", &format!("\"{}\"", "é".repeat(10_000)));
    assert!(Handle::from_json(&long).map(drop).unwrap_err().message().len() < 300);
    for text in ["", "{", "null", "[]", "\"handle\"", "1", &format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000))] {
        assert_eq!(code(Handle::from_json(text)), Code::InvalidArgument);
    }
}

#[test]
fn a_handle_that_lies_maps_nothing_else() {
    let directory = Directory::new();
    let name = directory.name("object");
    let mut region = shared(&name, 8192).map(MapOptions::default()).unwrap();
    let handle = region.handle().unwrap();
    let other = directory.path().join("other");
    std::fs::write(&other, [9; 8192]).unwrap();
    drop(region);
    let lie = |field: &str, value: &str| Region::from_handle(&Handle::from_json(&with(&handle, field, value)).unwrap(), None);
    assert_eq!(code(lie("shm", "\"other\"")), Code::Replaced);
    assert_eq!(code(lie("shm", "\"missing\"")), Code::NotFound);
    assert_eq!(code(lie("inode", "\"1\"")), Code::Replaced);
    assert_eq!(code(lie("device", "\"18446744073709551615\"")), Code::Replaced);
    assert_eq!(code(lie("bornAt", "\"1\"")), Code::Replaced);
    assert_eq!(code(lie("byteLength", "12288")), Code::Truncated);
    assert_eq!(code(lie("byteLength", "9007199254740991")), Code::Truncated);
    assert_eq!(code(lie("byteOffset", "4096")), Code::Truncated);
    // this test's own code
    let code_page = format!("\"{:#x}\"", (portable as fn(u64) -> Region as usize) & !4095);
    assert_eq!(code(lie("address", &code_page)), Code::AddressInUse);
    assert_eq!(std::fs::read(&other).unwrap(), [9; 8192]);
    assert_eq!(std::fs::metadata(name.path()).unwrap().len(), 8192);
    lie("pid", "1").unwrap();
}

#[test]
fn a_handle_does_not_open_what_is_not_the_object() {
    let directory = Directory::new();
    let fifo = directory.path().join("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let mut region = portable(4096);
    let handle = region.handle().unwrap();
    drop(region);
    let stat = std::fs::metadata(&fifo).unwrap();
    let mut fields: serde_json::Value = serde_json::from_str(&handle.to_json()).unwrap();
    fields["file"] = fifo.to_str().unwrap().into();
    assert_eq!(code(Region::from_handle(&Handle::from_json(&fields.to_string()).unwrap(), None)), Code::Replaced);
    fields["device"] = stat.dev().to_string().into();
    fields["inode"] = stat.ino().to_string().into();
    fields["bornAt"] = born_at(&stat).to_string().into();
    assert_eq!(code(Region::from_handle(&Handle::from_json(&fields.to_string()).unwrap(), None)), Code::InvalidArgument);
}
