//! Reads a segment's file by docs/format.md alone, as a program in another language would.
#![expect(clippy::unwrap_used, reason = "a test")]

use pagecast::publication::Shape;
use pagecast::region::{MapOptions, Region, Source};
use pagecast::sync::RawMutex;
use pagecast::{CreateOptions, Name, RawConsumer, RawPublisher, Schema};
use std::fs;

struct File(Vec<u8>);

impl File {
    fn u32(&self, at: u64) -> u32 {
        u32::from_ne_bytes(self.0[at as usize..][..4].try_into().unwrap())
    }

    fn u64(&self, at: u64) -> u64 {
        u64::from_ne_bytes(self.0[at as usize..][..8].try_into().unwrap())
    }
}

#[test]
fn the_documented_offsets_hold() {
    let name = Name::new(&format!("format-{}", std::process::id()), None).unwrap();
    let _ = fs::remove_file(name.path()); // what was killed may have left one
    let shape = Shape { capacity: 100, buffers: Some(3), max_consumers: Some(5) };
    let options = CreateOptions { shape, init: Some(b"first"), ..CreateOptions::default() };
    let mut publisher = RawPublisher::create(&name, None, &options).unwrap();
    publisher.write(b"second value", None).unwrap();
    let mut consumer = RawConsumer::open(&name, false).unwrap();
    let pinned = consumer.try_lock(false).unwrap().unwrap();
    let file = File(fs::read(name.path()).unwrap());

    assert_eq!(&file.0[..8], b"PAGECAST");
    assert_eq!((file.u32(8), file.u32(12), file.u32(16)), (1, 0x0102_0304, 1));
    assert_eq!(file.u64(24), file.0.len() as u64);
    assert!(file.0.len().is_multiple_of(65536));
    let schema = br#"{"bytes":100}"#;
    assert_eq!((file.u64(56), file.u64(64)), (256, schema.len() as u64));
    assert_eq!(&file.0[256..256 + schema.len()], schema);
    assert_eq!(file.u64(72), Schema::hash(schema));
    assert_eq!((file.u64(96), file.u64(112), file.u64(136)), (5, 3, 100));
    assert_eq!(file.u64(176), Schema::hash(&file.0[..176]));

    assert_eq!(&file.0[file.0.len() - 4..], b"END!");
    let last_value = file.u64(120) + file.u64(112) * file.u64(128);
    assert!(last_value <= file.0.len() as u64 - 4096, "the mark's page is its own");

    let (control, slots, headers) = (file.u64(80), file.u64(88), file.u64(104));
    let (payload, stride) = (file.u64(120), file.u64(128));
    assert!(payload.is_multiple_of(4096) && stride.is_multiple_of(128));
    let state = file.u32(control);
    let index = u64::from(state & 63) - 1;
    assert_eq!(state & (512 | 256 | 128 | 64), 0);
    assert_eq!(index, u64::from(pinned.index));
    assert_eq!((file.u32(control + 12), file.u32(control + 16)), (1, 1), "high water and epoch");
    assert_eq!(file.u32(control + 20), std::process::id());
    assert_eq!((file.u32(slots), file.u32(slots + 8), file.u32(slots + 12)), (state & 63, 1, std::process::id()));

    let header = headers + index * 64;
    assert!(file.u32(header).is_multiple_of(2));
    assert_eq!((file.u64(header + 8), file.u64(header + 16)), (12, 2));
    assert!(file.u64(header + 24) <= pagecast::monotonic_ns());
    assert_eq!(&file.0[(payload + index * stride) as usize..][..12], b"second value");
}

/// Whether somebody holds that byte of the file, as fcntl(2) tells a stranger: /proc/locks may leave some out while others come and go.
fn is_locked(path: &std::path::Path, byte: u64) -> bool {
    use nix::fcntl::{FcntlArg, fcntl};
    let stranger = fs::File::options().read(true).write(true).open(path).unwrap();
    let start = i64::try_from(byte).unwrap();
    let mut lock = libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: start,
        l_len: 1,
        l_pid: 0,
    };
    fcntl(&stranger, FcntlArg::F_OFD_GETLK(&mut lock)).unwrap();
    assert!(lock.l_type == libc::F_UNLCK as libc::c_short || lock.l_pid == -1, "a lock of an open file description");
    lock.l_type == libc::F_WRLCK as libc::c_short
}

#[test]
fn the_documented_mutex_holds() {
    let path = std::path::PathBuf::from(format!("/dev/shm/format-mutex-{}", std::process::id()));
    fs::write(&path, vec![0; 8192]).unwrap();
    let source = Source::File { path: path.clone(), create: None };
    let region = Region::map(&MapOptions { byte_offset: 4096, ..MapOptions::new(source) }).unwrap();
    let (offset, position) = (192, 4096 + 192);
    let mut first = RawMutex::open(&region, offset).unwrap();
    let mut second = RawMutex::open(&region, offset).unwrap();
    let words = || {
        let file = File(fs::read(&path).unwrap());
        assert!(file.0[position + 8..position + 64].iter().all(|byte| *byte == 0));
        (file.u32(position as u64), file.u32(position as u64 + 4))
    };
    assert_eq!(words(), (0, 0));
    assert!(!second.try_lock(false).unwrap().unwrap().recovered);
    assert_eq!(words(), (2, std::process::id()));
    assert!(first.lock_within(std::time::Duration::ZERO, false).unwrap().is_none());
    assert_eq!(words().0, 2 | 1 << 31);
    second.abandon();
    assert_eq!(words(), (1 << 30, 0));
    assert!(first.try_lock(false).unwrap().unwrap().recovered);
    assert_eq!(words().0, 1);
    first.unlock().unwrap();
    assert_eq!(words(), (0, 0));

    for number in [1, 2, 3] {
        let byte = (1_u64 << 62) + (1 << 61) + 16 * position as u64 + number - 1;
        assert_eq!(is_locked(&path, byte), number <= 2, "byte {byte}");
    }
    fs::remove_file(&path).unwrap();
}
