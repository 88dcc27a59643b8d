//! What all tests share: directories of their own, publications of bytes, and errors by their code.

pub mod watchdog;

use pagecast::publication::{Blocked, Layout, Pinned, Shape};
use pagecast::segment::Segment;
use pagecast::{Code, CreateOptions, Name, RawConsumer, RawPublisher, Result};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// As good as for ever: a wait that runs into it ends in the watchdog.
pub const FOREVER: Duration = Duration::from_secs(3600);

/// A fresh directory in shared memory, gone with everything in it when dropped.
pub struct Directory(PathBuf);

impl Directory {
    /// One for this test alone.
    pub fn new() -> Directory {
        Directory::within("/dev/shm".as_ref())
    }

    /// The same on a disk, if that is where the tests were built.
    #[allow(dead_code, reason = "not every test program needs a disk")]
    pub fn on_disk() -> Directory {
        Directory::within(env!("CARGO_TARGET_TMPDIR").as_ref())
    }

    /// What was killed leaves its own, and another process may get its number.
    fn within(parent: &Path) -> Directory {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        loop {
            let unique = format!("pagecast-test-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
            let path = parent.join(unique);
            match std::fs::create_dir(&path) {
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                made => {
                    made.unwrap();
                    return Directory(path);
                }
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// A name in it.
    pub fn name(&self, name: &str) -> Name {
        Name::new(name, Some(&self.0)).unwrap()
    }

    /// The names of the files in it.
    pub fn files(&self) -> Vec<String> {
        let mut files: Vec<_> =
            std::fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        files.sort();
        files
    }
}

/// The objects of shm_open(3) that were ever made for a name and are there still: none, unless `PAGECAST_TEST_FILES_BESIDE` is set.
#[allow(dead_code, reason = "not every test program looks for them")]
pub fn objects_of(name: &Name) -> Vec<String> {
    use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
    let prefix = format!("pc-{:08x}-", BuildHasherDefault::<DefaultHasher>::default().hash_one(name.path()) as u32);
    let names = std::fs::read_dir("/dev/shm").unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|object| object.starts_with(&prefix)).collect()
}

/// Takes a name away as no library would. With `PAGECAST_TEST_FILES_BESIDE` the memory is elsewhere, and goes, too.
#[allow(dead_code, reason = "not every test program does")]
pub fn remove_by_hand(name: &Name) {
    remove_memory(name.path());
    std::fs::remove_file(name.path()).unwrap();
}

/// Removes the object of shm_open(3) that a file stands for, if it stands for one.
fn remove_memory(file: &Path) {
    if file.symlink_metadata().is_ok_and(|file| file.is_file() && file.len() < 8192)
        && let Ok(text) = std::fs::read_to_string(file)
        && let Some(object) = text.strip_prefix("pagecast object 1\n/").and_then(|rest| rest.lines().next())
    {
        let _ = std::fs::remove_file(Path::new("/dev/shm").join(object));
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        self.files().iter().for_each(|file| remove_memory(&self.0.join(file)));
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The default options for values of `capacity` bytes with this many buffers.
pub fn bytes(capacity: u64, count: u32) -> CreateOptions<'static> {
    CreateOptions { shape: Shape { capacity, buffers: Some(count), max_consumers: None }, ..CreateOptions::default() }
}

/// Byte offset in the control line of the word whose bit 0 says that the publisher waits; see `docs/format.md`.
pub const WRITER_WAITS: u64 = 8;

/// What a word of the control line says.
pub fn word(segment: &Segment, layout: &Layout, offset: u64) -> u32 {
    let mut value = [0; 4];
    segment.mapping().copy_out(layout.control + offset, &mut value).unwrap();
    u32::from_ne_bytes(value)
}

/// The code of an operation that must fail.
#[track_caller]
pub fn code<T>(result: Result<T>) -> Code {
    result.map(drop).unwrap_err().code()
}

/// Pins the current value of a publication that is neither empty nor being written.
pub fn pin(consumer: &mut RawConsumer) -> Pinned {
    consumer.try_lock(false).unwrap().unwrap()
}

/// Why a value could not be pinned.
pub fn blocked(consumer: &mut RawConsumer) -> Blocked {
    consumer.try_lock(false).unwrap().unwrap_err()
}

/// Publishes these bytes without a schema.
pub fn publish_bytes(name: &Name, value: &[u8], count: u32) -> RawPublisher {
    let mut publisher = RawPublisher::create(name, None, &bytes(value.len() as u64, count)).unwrap();
    publisher.write(value, None).unwrap();
    publisher
}
