use crate::byte;
use crate::common::{Directory, code};
use pagecast::region::{
    Access, Advice, Handle, MapOptions, Overlay, Placement, Region, Reservation, Source, SysVKey, SysVOptions, SysVSettings,
    SysVSharedMemory, SysVStatus,
};
use pagecast::sync::Mutex;
use pagecast::{Code, Result};
use std::os::unix::fs::MetadataExt;
use std::process::Command;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, SystemTime};

/// A segment that goes with its test, also with one that fails.
struct Segment(SysVSharedMemory);

impl std::ops::Deref for Segment {
    type Target = SysVSharedMemory;

    fn deref(&self) -> &SysVSharedMemory {
        &self.0
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        let _ = self.0.remove();
    }
}

const PAGE: u64 = 4096;

fn of(byte_length: u64) -> SysVOptions {
    SysVOptions { byte_length: Some(byte_length), ..SysVOptions::default() }
}

fn created(byte_length: u64) -> SysVOptions {
    SysVOptions { create: true, exclusive: true, ..of(byte_length) }
}

fn get(key: SysVKey, options: &SysVOptions) -> Result<Segment> {
    SysVSharedMemory::get(key, options).map(Segment)
}

/// Code and message of what must fail.
fn refusal<T>(result: Result<T>) -> (Code, String) {
    let error = result.map(drop).unwrap_err();
    (error.code(), error.message().to_owned())
}

fn private(byte_length: u64) -> Segment {
    get(SysVKey::Private, &of(byte_length)).unwrap()
}

/// A key that nobody else has: processes of other numbers have others, and what was killed may have left some.
fn key() -> SysVKey {
    static COUNT: AtomicI32 = AtomicI32::new(0);
    let process = i32::try_from(std::process::id() & 0xf_ffff).unwrap();
    let next = || SysVKey::Number(0x5000_0000 | process << 6 | COUNT.fetch_add(1, Ordering::Relaxed));
    let is_free = |key: &SysVKey| SysVSharedMemory::get(*key, &SysVOptions::default()).is_err_and(|error| error.code() == Code::NotFound);
    std::iter::repeat_with(next).find(is_free).unwrap()
}

fn attach(segment: &Segment) -> Region {
    segment.attach(MapOptions::default()).unwrap()
}

fn status(segment: &Segment) -> SysVStatus {
    segment.stat().unwrap()
}

#[test]
fn a_segment_is_made_found_and_removed() {
    let key = key();
    let nobody = format!("get SysV segment {key}: there is no segment with this key: No such file or directory (ENOENT)");
    assert_eq!(refusal(get(key, &SysVOptions::default())), (Code::NotFound, nobody));
    let made = get(key, &SysVOptions { permissions: Some(0o640), ..created(5000) }).unwrap();
    let taken = format!("get SysV segment {key}: there is one with this key already: File exists (EEXIST)");
    assert_eq!(refusal(get(key, &created(5000))), (Code::AlreadyExists, taken));
    let found = SysVSharedMemory::get(key, &SysVOptions::default()).unwrap();
    assert_eq!((found, status(&made).key), (*made, key));
    assert_eq!(SysVSharedMemory::get(key, &SysVOptions { create: true, ..of(5000) }).unwrap(), found, "there already");
    assert_eq!(SysVSharedMemory::by_id(made.id()), found);
    made.remove().unwrap();
    assert_eq!(code(get(key, &SysVOptions::default())), Code::NotFound);
    for (what, gone) in [
        ("remove", refusal(made.remove())),
        ("stat", refusal(made.stat())),
        ("map", refusal(made.attach(MapOptions::default()))),
        ("lock", refusal(made.lock())),
        ("unlock", refusal(made.unlock())),
        ("set", refusal(made.set(SysVSettings::default()))),
    ] {
        let fact = format!("{what} SysV segment {}: there is no such segment: ", made.id());
        assert!(gone.0 == Code::NotFound && gone.1.starts_with(&fact), "{gone:?}");
    }
}

#[test]
fn an_owner_that_cannot_be_is_told_from_a_segment_that_is_gone() {
    let segment = private(1);
    for settings in
        [SysVSettings { uid: Some(u32::MAX), ..SysVSettings::default() }, SysVSettings { gid: Some(u32::MAX), ..SysVSettings::default() }]
    {
        let (code, message) = refusal(segment.set(settings));
        assert!(code == Code::InvalidArgument && message.contains("there is no such user or group"), "{message}");
    }
}

#[test]
fn a_private_segment_is_found_by_nobody() {
    let (one, other) = (private(1), private(1));
    assert_ne!(one.id(), other.id());
    assert_eq!((status(&one).key, status(&other).key), (SysVKey::Private, SysVKey::Private));
}

#[test]
fn what_cannot_be_asked_for_is_refused() {
    let refused = |key, options: SysVOptions| code(get(key, &options));
    let create = |options: SysVOptions| SysVOptions { create: true, ..options };
    assert_eq!(refused(SysVKey::Number(0), create(of(1))), Code::InvalidArgument);
    assert_eq!(refused(SysVKey::Private, SysVOptions::default()), Code::InvalidSize);
    assert_eq!(refused(key(), create(SysVOptions::default())), Code::InvalidSize);
    for bytes in [0, u64::MAX, 1 << 63] {
        assert_eq!(refused(key(), create(of(bytes))), Code::InvalidSize, "{bytes}");
    }
    assert_eq!(refused(key(), create(SysVOptions { permissions: Some(0o1000), ..of(1) })), Code::InvalidArgument);
    let whatever = SysVOptions::default();
    for options in [
        SysVOptions { exclusive: true, ..whatever },
        SysVOptions { huge_pages: true, ..whatever },
        SysVOptions { reserve: false, ..whatever },
    ] {
        assert_eq!(refused(key(), options), Code::InvalidArgument, "only with create: {options:?}");
    }
    let segment = private(1);
    assert_eq!(code(segment.set(SysVSettings { permissions: Some(0o1000), ..SysVSettings::default() })), Code::InvalidArgument);
    for options in [
        MapOptions { private: true, ..MapOptions::default() },
        MapOptions { reserve: Some(true), ..MapOptions::default() },
        MapOptions { byte_offset: 1, ..MapOptions::default() },
        MapOptions { address: Some((1, Placement::Hint)), ..MapOptions::default() },
    ] {
        assert_eq!(code(segment.attach(options)), Code::InvalidArgument);
    }
    assert_eq!(code(segment.attach(MapOptions { byte_length: Some(2), ..MapOptions::default() })), Code::InvalidSize);
    assert_eq!(status(&segment).attached_at, None, "refused before any attachment");
    assert_eq!(code(Region::map(&MapOptions::new(Source::SysV(-1)))), Code::NotFound);
}

#[test]
fn a_size_that_the_segment_or_the_system_does_not_have_is_told_with_both_numbers() {
    let key = key();
    let segment = get(key, &created(5000)).unwrap();
    let error = SysVSharedMemory::get(key, &of(5001)).unwrap_err();
    assert_eq!((error.code(), error.syscall()), (Code::InvalidSize, Some("shmget")));
    assert!(error.message().contains("5,001") && error.message().contains("5,000"), "{error}");
    assert_eq!(SysVSharedMemory::get(key, &of(1)).unwrap(), *segment, "fewer are fine");
    let promises_anything = std::fs::read_to_string("/proc/sys/vm/overcommit_memory").is_ok_and(|mode| mode.trim() == "1");
    for byte_length in [1 << 46, 1 << 62].into_iter().filter(|_| !promises_anything) {
        let error = SysVSharedMemory::get(SysVKey::Private, &of(byte_length)).unwrap_err();
        assert_eq!(error.code(), Code::NoSpace, "{error}");
    }
    let later = get(SysVKey::Private, &SysVOptions { reserve: false, ..of(1 << 46) }).unwrap();
    assert_eq!(status(&later).byte_length, 1 << 46);
    let error = segment.attach(MapOptions { byte_length: Some(5001), ..MapOptions::default() }).unwrap_err();
    assert_eq!(error.code(), Code::InvalidSize);
    assert!(error.message().contains("5,001") && error.message().contains("5,000"), "{error}");
}

#[test]
fn the_kernel_tells_of_a_segment_what_happened_to_it() {
    let (key, before) = (key(), SystemTime::now() - Duration::from_secs(2));
    let segment = get(key, &SysVOptions { permissions: Some(0o604), ..created(5000) }).unwrap();
    let pid = i32::try_from(std::process::id()).unwrap();
    let made = status(&segment);
    assert_eq!((made.id, made.key, made.permissions, made.byte_length), (segment.id(), key, 0o604, 5000));
    assert_eq!((made.attaches, made.creator_pid, made.last_pid, made.attached_at, made.detached_at), (0, pid, 0, None, None));
    assert!(made.changed_at.unwrap() > before);
    let own = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").unwrap());
    assert_eq!((made.uid, made.creator_uid, made.is_removed, made.is_locked), (own, own, false, false));

    let region = attach(&segment);
    let attached = status(&segment);
    assert_eq!((attached.attaches, attached.last_pid), (1, pid));
    assert!(attached.attached_at.unwrap() > before);
    drop(region);
    assert_eq!(status(&segment).attaches, 0);
    assert!(status(&segment).detached_at.unwrap() > before);

    segment.set(SysVSettings { permissions: Some(0o666), ..SysVSettings::default() }).unwrap();
    assert_eq!((status(&segment).permissions, status(&segment).uid), (0o666, own));
    segment.lock().unwrap();
    assert!(status(&segment).is_locked);
    segment.unlock().unwrap();
    assert!(!status(&segment).is_locked);
}

#[test]
fn ipcs_and_ipcrm_agree() {
    let key = key();
    let segment = get(key, &created(12_345)).unwrap();
    let _region = attach(&segment);
    let ipcs = || {
        let output = Command::new("ipcs").args(["-m"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).find(|line| line.starts_with(&key.to_string()))
    };
    let line = ipcs().unwrap();
    let columns: Vec<_> = line.split_whitespace().collect();
    assert_eq!((columns[1], &columns[3..6]), (segment.id().to_string().as_str(), &["600", "12345", "1"][..]));
    let found = SysVSharedMemory::list().unwrap();
    assert_eq!(found.iter().find(|found| found.id == segment.id()), Some(&status(&segment)));
    assert!(found.is_sorted_by_key(|found| found.id));
    assert!(Command::new("ipcrm").args(["-m", &segment.id().to_string()]).status().unwrap().success());
    assert!(status(&segment).is_removed);
    assert_eq!(ipcs(), None, "the key is nobody's");
    let other = get(key, &created(10)).unwrap();
    assert!(Command::new("ipcrm").args(["-M", &key.to_string()]).status().unwrap().success());
    assert_eq!(code(other.stat()), Code::NotFound);
}

#[test]
fn a_removed_segment_stays_until_the_last_detaches_it() {
    let key = key();
    let segment = get(key, &created(2 * PAGE)).unwrap();
    let region = attach(&segment);
    region.write_at(PAGE, b"stays").unwrap();
    segment.remove().unwrap();
    assert_eq!(code(get(key, &SysVOptions::default())), Code::NotFound, "not to be found any more");
    assert_eq!(get(key, &created(1)).unwrap().stat().unwrap().byte_length, 1, "the key is another one's");
    assert_eq!((status(&segment).is_removed, status(&segment).key), (true, SysVKey::Private));
    let by_id = attach(&segment); // POSIX does not say so, Linux does
    drop(region);
    assert_eq!((byte(&by_id, PAGE), status(&segment).attaches), (b's', 1));
    drop(by_id);
    assert_eq!(code(segment.stat()), Code::NotFound);
    assert!(SysVSharedMemory::list().unwrap().iter().all(|found| found.id != segment.id()));
}

#[test]
fn bytes_are_the_same_in_every_attachment_and_pages_are_a_region_s() {
    let _turn = crate::may_lock();
    let segment = private(8 * PAGE - 100);
    let (mut one, other) = (attach(&segment), attach(&segment));
    assert_eq!((one.byte_length(), one.pages().len(), status(&segment).attaches), (8 * PAGE - 100, 8, 2));
    one.write_at(3 * PAGE, b"both").unwrap();
    assert_eq!(byte(&other, 3 * PAGE + 3), b'h');
    assert_eq!(code(one.write_at(8 * PAGE - 100, &[1])), Code::ValueRange);

    one.protect(3..4, Access::Read).unwrap();
    assert_eq!(code(one.write_at(3 * PAGE, &[1])), Code::ReadOnly);
    assert_eq!(status(&segment).attaches, 4, "three mappings instead of one");
    one.protect(3..4, Access::None).unwrap();
    assert_eq!(code(one.read_at(3 * PAGE, &mut [0])), Code::NoAccess);
    one.protect(3..4, Access::ReadWrite).unwrap();
    one.write_at(3 * PAGE, b"B").unwrap();
    assert_eq!(byte(&other, 3 * PAGE), b'B');

    one.lock(0..2).unwrap();
    one.unlock(0..2).unwrap();
    one.flush(0..8, true).unwrap();
    one.advise(0..8, Advice::WillNeed).unwrap();
    one.advise(3..4, Advice::Remove).unwrap();
    assert_eq!(byte(&other, 3 * PAGE), 0, "a hole");
    one.write_at(PAGE, &[1]).unwrap();
    let mut residency = [0; 8];
    one.residency(0..8, &mut residency).unwrap();
    assert_eq!((residency[1], residency[7]), (1, 0));

    one.unmap(0..1).unwrap();
    assert_eq!(code(one.read_at(0, &mut [0])), Code::Unmapped);
    other.write_at(0, &[5]).unwrap();
    drop(one);
    assert_eq!(status(&segment).attaches, 1);
    let populated = segment.attach(MapOptions { populate: true, lock: true, ..MapOptions::default() }).unwrap();
    populated.residency(0..8, &mut residency).unwrap();
    assert_eq!((residency, byte(&populated, 0)), ([1; 8], 5));
}

/// A field of a handle is something else.
fn lying(handle: &Handle, field: &str, value: serde_json::Value) -> Result<Handle> {
    let mut fields: serde_json::Value = serde_json::from_str(&handle.to_json()).unwrap();
    fields[field] = value;
    Handle::from_json(&fields.to_string())
}

#[test]
fn a_handle_is_good_while_anybody_has_the_segment_removed_or_not() {
    let segment = get(key(), &created(3 * PAGE)).unwrap();
    let whole = attach(&segment);
    let options = MapOptions { byte_offset: PAGE, byte_length: Some(PAGE + 5), ..MapOptions::default() };
    let mut part = segment.attach(options).unwrap();
    let handle = part.handle().unwrap();
    assert_eq!((handle.address(), handle.byte_offset(), handle.byte_length()), (part.address(), PAGE, PAGE + 5));
    assert!(handle.is_sysv());
    assert_eq!(part.handle().unwrap(), handle);
    part.write_at(PAGE, b"there").unwrap();
    assert_eq!(code(Region::from_handle(&handle, None)), Code::AddressInUse);
    drop(part);
    segment.remove().unwrap();
    let mut again = Region::from_handle(&handle, None).unwrap();
    assert_eq!((again.address(), byte(&again, PAGE), byte(&whole, 2 * PAGE + 1)), (handle.address(), b't', b'h'));
    assert_eq!((again.handle().unwrap(), status(&segment).attaches), (handle.clone(), 2));
    let elsewhere = Region::map(&MapOptions { address: None, access: Access::Read, ..handle.options(None) }).unwrap();
    assert_eq!((byte(&elsewhere, PAGE), code(elsewhere.write_at(0, &[1]))), (b't', Code::ReadOnly));
    drop((whole, elsewhere));
    again.unmap(0..2).unwrap();
    assert_eq!(code(again.handle()), Code::NotFound, "its pages were the last");
    drop(again);
    assert_eq!(code(Region::from_handle(&handle, None)), Code::NotFound);
}

#[test]
fn a_handle_says_all_that_tells_the_segment_from_others() {
    let segment = private(PAGE);
    let mut region = segment.attach(MapOptions { portable: true, ..MapOptions::default() }).unwrap();
    let address = region.address();
    let handle = region.handle().unwrap();
    assert_eq!(region.address(), address);
    let namespace = std::fs::metadata("/proc/self/ns/ipc").unwrap();
    let changed_at = status(&segment).changed_at.unwrap().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let expected = format!(
        r#"{{"kind":"pagecast.region","version":1,"address":"{address:#x}","byteLength":4096,"byteOffset":0,"access":"rw","device":"{}","inode":"{}","sysv":{},"changedAt":{changed_at}}}"#,
        namespace.dev(),
        namespace.ino(),
        segment.id()
    );
    assert_eq!(handle.to_json(), expected);
    assert_eq!(Handle::from_json(&expected).unwrap(), handle);
    for (field, value) in [
        ("sysv", serde_json::json!(-1)),
        ("sysv", (1_u64 << 31).into()),
        ("sysv", "0".into()),
        ("changedAt", serde_json::json!(-1)),
        ("changedAt", 1.5.into()),
        ("changedAt", serde_json::Value::Null),
        ("shm", "object".into()),
        ("file", "/etc/passwd".into()),
        ("directory", "/dev/shm".into()),
        ("pid", 1.into()),
        ("fd", 0.into()),
    ] {
        let refused = lying(&handle, field, value.clone()).unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert!(refused.message().starts_with("handle: ") && refused.message().contains(field), "{field} {value}: {refused}");
    }
    for field in ["sysv", "changedAt", "device", "inode"] {
        let mut fields: serde_json::Map<_, _> = serde_json::from_str(&expected).unwrap();
        fields.remove(field);
        let refused = Handle::from_json(&serde_json::Value::from(fields).to_string()).unwrap_err();
        assert!(refused.message().contains(field), "without {field}: {refused}");
    }
}

#[test]
fn a_handle_leads_to_no_other_segment() {
    let (segment, other) = (private(PAGE), private(PAGE));
    let mut region = attach(&segment);
    let handle = region.handle().unwrap();
    drop(region);
    let changed_at = segment.stat().unwrap().changed_at.unwrap().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    for (field, value, expected) in [
        ("sysv", i32::MAX.into(), Code::NotFound),
        ("changedAt", serde_json::json!(changed_at + 1), Code::Replaced),
        ("changedAt", 0.into(), Code::Replaced),
        ("inode", "1".into(), Code::NotFound),
        ("device", "18446744073709551615".into(), Code::NotFound),
        ("byteLength", (PAGE + 1).into(), Code::InvalidSize),
        ("byteOffset", PAGE.into(), Code::InvalidSize),
    ] {
        let refused = Region::from_handle(&lying(&handle, field, value).unwrap(), None).unwrap_err();
        assert_eq!(refused.code(), expected, "{field}: {refused}");
    }
    let fd = std::fs::File::open("/dev/zero").unwrap().into();
    assert_eq!(code(Region::from_handle(&handle, Some(fd))), Code::InvalidArgument);
    for options in [MapOptions { reserve: Some(true), ..handle.options(None) }, MapOptions { private: true, ..handle.options(None) }] {
        assert_eq!(code(Region::map(&options)), Code::InvalidArgument);
    }
    assert_eq!((status(&segment).attaches, status(&other).attached_at), (0, None));
    drop(Region::from_handle(&handle, None).unwrap());
    segment.remove().unwrap();
    let successor = private(PAGE);
    assert_ne!(successor.id(), segment.id(), "ids go on counting");
    assert_eq!(code(Region::from_handle(&handle, None)), Code::NotFound);
}

#[test]
fn an_overlay_of_a_segment_is_seen_in_every_attachment() {
    let segment = private(4 * PAGE);
    let region = attach(&segment);
    region.write_at(0, &[7; 4 * 4096]).unwrap();
    let options = || MapOptions { byte_length: Some(4 * PAGE), ..MapOptions::new(Source::SysV(segment.id())) };
    let overlay = Overlay::map(vec![1_u8; 5 * 4096], options()).unwrap();
    assert_eq!((byte(&overlay, 0), byte(&overlay, 4 * PAGE - 1), status(&segment).attaches), (7, 7, 2));
    overlay.write_at(9, &[9]).unwrap();
    assert_eq!(byte(&region, 9), 9);
    assert_eq!(code(overlay.descriptor()), Code::Unsupported);
    let back = overlay.into_memory(true).unwrap();
    assert_eq!((back.iter().filter(|byte| **byte == 7).count(), status(&segment).attaches), (4 * 4096 - 1, 1));
    let kept = Overlay::map_kept(vec![3_u8; 5 * 4096], options()).unwrap();
    assert_eq!((byte(&region, 0), byte(&region, 4 * PAGE - 1)), (3, 3));
    drop(kept);
    assert_eq!((byte(&region, 9), status(&segment).attaches), (3, 1));
}

#[test]
fn what_a_segment_cannot_do_says_so_and_leaves_it_as_it_was() {
    let segment = private(PAGE);
    let mut region = attach(&segment);
    region.write_at(0, &[7]).unwrap();
    assert_eq!(code(region.resize(2 * PAGE)), Code::Unsupported);
    let refused = region.descriptor().unwrap_err();
    assert_eq!(refused.code(), Code::Unsupported);
    assert_eq!(refused.message(), format!("region of SysV segment {}: a SysV segment has no descriptor", segment.id()));
    let refused = Mutex::open(&region, 128).map(drop).unwrap_err();
    assert_eq!(refused.code(), Code::Unsupported);
    assert!(
        refused.message().starts_with(&format!("open the mutex at byte 128 of the region of SysV segment {}: ", segment.id())),
        "{refused}"
    );
    region.give_up_descriptor();
    assert_eq!((byte(&region, 0), region.byte_length(), region.is_mappable_again()), (7, PAGE, true));
}

#[test]
fn a_part_is_attached_and_nothing_of_the_rest() {
    let segment = private(10 * PAGE);
    let whole = attach(&segment);
    for page in 0..10_u8 {
        whole.write_at(u64::from(page) * PAGE, &[page + 1]).unwrap();
    }
    let part = |from: u64, byte_length: u64, address| {
        let options = MapOptions { byte_offset: from * PAGE, byte_length: Some(byte_length), address, ..MapOptions::default() };
        segment.attach(options)
    };
    let address = crate::free_address();
    // with nothing behind it, where another test may have a reservation otherwise
    let space = Reservation::new(16 * PAGE, Some(crate::free_address())).unwrap();
    for place in
        [None, Some((address, Placement::Exclusive)), Some((address, Placement::Hint)), Some((space.address(), Placement::Replace))]
    {
        for (from, byte_length) in [(0, 10), (3, 2 * PAGE - 5), (9, PAGE), (0, 10 * PAGE)] {
            let region = part(from, byte_length, place).unwrap();
            assert_eq!((region.byte_length(), byte(&region, 0)), (byte_length, u8::try_from(from).unwrap() + 1));
            assert_eq!(status(&segment).attaches, 2, "the whole one and this");
            region.write_at(byte_length - 1, &[99]).unwrap();
            assert_eq!(byte(&whole, from * PAGE + byte_length - 1), 99);
            region.write_at(byte_length - 1, &[u8::try_from(from).unwrap() + 1]).unwrap();
            if let Some((address, placement)) = place.filter(|(_, placement)| *placement != Placement::Hint) {
                assert_eq!(region.address(), address, "{placement:?}");
            }
        }
    }
    assert_eq!(part(9, PAGE, None).unwrap().byte_offset(), 9 * PAGE);
    assert_eq!(code(part(9, 2 * PAGE, None)), Code::InvalidSize);
    assert_eq!(code(part(10, 1, None)), Code::InvalidSize);
    let occupied = Some((whole.address(), Placement::Exclusive));
    assert_eq!(code(part(0, 10 * PAGE, occupied)), Code::AddressInUse);
    assert_eq!(code(part(1, PAGE, occupied)), Code::AddressInUse);
    assert_ne!(part(1, PAGE, Some((whole.address(), Placement::Hint))).unwrap().address(), whole.address());
    assert_ne!(part(0, 10 * PAGE, Some((whole.address(), Placement::Hint))).unwrap().address(), whole.address());
    assert_eq!(code(part(0, 10 * PAGE, Some((whole.address(), Placement::Replace)))), Code::AddressInUse);
    assert_eq!(code(part(0, PAGE, Some((space.address() + 16 * PAGE, Placement::Replace)))), Code::AddressInUse, "not one's own");
    assert_eq!((status(&segment).attaches, byte(&whole, 0)), (1, 1), "nothing was left attached");
}

#[test]
fn a_segment_in_a_reservation_leaves_the_addresses_reserved() {
    let segment = private(2 * PAGE);
    let space = Reservation::new(4 * PAGE, None).unwrap();
    let place = |page: u64| Some((space.address() + page * PAGE, Placement::Replace));
    let region = segment.attach(MapOptions { address: place(1), ..MapOptions::default() }).unwrap();
    region.write_at(0, &[9]).unwrap();
    assert_eq!(code(segment.attach(MapOptions { address: place(2), ..MapOptions::default() })), Code::AddressInUse, "a region is there");
    let past = MapOptions { address: place(3), ..MapOptions::default() };
    assert_eq!(code(segment.attach(past)), Code::AddressInUse, "it would reach past the reservation");
    drop(region);
    assert_eq!(status(&segment).attaches, 0);
    let taken = Reservation::new(PAGE, Some(space.address() + PAGE));
    assert_eq!(code(taken), Code::AddressInUse);
    let again = segment.attach(MapOptions { address: place(2), ..MapOptions::default() }).unwrap();
    assert_eq!(byte(&again, 0), 9);
}

#[test]
fn what_is_attached_to_be_read_is_never_written() {
    let segment = get(SysVKey::Private, &SysVOptions { permissions: Some(0o700), ..of(2 * PAGE) }).unwrap();
    let writer = attach(&segment);
    let mut reader = segment.attach(MapOptions { access: Access::Read, ..MapOptions::default() }).unwrap();
    writer.write_at(5, &[5]).unwrap();
    assert_eq!(byte(&reader, 5), 5);
    assert_eq!(code(reader.write_at(5, &[6])), Code::ReadOnly);
    assert_eq!(code(reader.protect(0..2, Access::ReadWrite)), Code::Permission, "SHM_RDONLY");
    for access in [Access::None, Access::ReadExecute, Access::ReadWriteExecute] {
        let mut region = segment.attach(MapOptions { access, ..MapOptions::default() }).unwrap();
        assert_eq!(region.read_at(5, &mut [0]).is_ok(), access.reads());
        region.protect(0..1, Access::Read).unwrap();
        assert_eq!(byte(&region, 5), 5);
    }
}

#[test]
fn a_key_is_that_of_ftok() {
    use std::os::unix::fs::MetadataExt;
    let directory = Directory::new();
    let path = directory.path().join("file");
    std::fs::write(&path, "").unwrap();
    let metadata = std::fs::metadata(&path).unwrap();
    let number = (0xe3 << 24) | ((metadata.dev() & 0xff) << 16) | (metadata.ino() & 0xffff);
    let expected = SysVKey::Number(u32::try_from(number).unwrap().cast_signed());
    assert_eq!(SysVKey::of(&path, 0xe3).unwrap(), expected);
    assert_eq!(expected.to_string(), format!("{number:#010x}"));
    assert_ne!(SysVKey::of(&path, 1).unwrap(), SysVKey::of(&path, 2).unwrap());
    assert_eq!(code(SysVKey::of(&path, 0)), Code::InvalidArgument);
    assert_eq!(code(SysVKey::of(&directory.path().join("missing"), 1)), Code::NotFound);
}

#[test]
fn huge_pages_are_there_or_refused_and_no_region_is_mapped_over_them() {
    let huge = |reserve| get(SysVKey::Private, &SysVOptions { huge_pages: true, reserve, ..of(PAGE) });
    for made in [huge(true), huge(false)] {
        match made {
            Err(error) => assert_eq!(error.code(), Code::HugePages, "{error}"),
            // its mapping would be 512 pages long
            Ok(segment) => {
                let space = Reservation::new(1 << 23, None).unwrap();
                let aligned = space.address().next_multiple_of(1 << 21);
                for address in [None, Some((aligned, Placement::Replace)), Some((aligned, Placement::Hint))] {
                    let options = MapOptions { address, access: Access::Read, ..MapOptions::default() };
                    assert_eq!(code(segment.attach(options)), Code::HugePages);
                }
                assert_eq!(status(&segment).attaches, 0);
            }
        }
    }
}
