//! What the tests of publications share: a directory of their own, records, and errors by their code.
#![expect(clippy::unwrap_used, reason = "a helper of tests: a failure here is a failed test")]

pub mod watchdog;

use pagecast::publication::{Blocked, Pinned, Shape};
use pagecast::{Code, Consumer, CreateOptions, Name, Publisher, RawConsumer, RawPublisher, Record, Result};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// As good as for ever: a wait that runs into it ends in the watchdog.
pub const FOREVER: Duration = Duration::from_secs(3600);

pagecast::record! {
    /// The record that most tests publish.
    #[derive(Default)]
    pub struct Pose {
        /// Changes with every value.
        pub field1: i32,
        /// Half of it.
        pub field2: f64,
    }
}

/// A value that can be told from its neighbours.
pub fn pose(number: i32) -> Pose {
    Pose { field1: number, field2: f64::from(number) / 2.0 }
}

/// A fresh directory in shared memory, gone with everything in it when dropped.
pub struct Directory(PathBuf);

impl Directory {
    /// One for this test alone.
    pub fn new() -> Directory {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let unique = format!("pagecast-test-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = Path::new("/dev/shm").join(unique);
        std::fs::create_dir(&path).unwrap();
        Directory(path)
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

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The default options with this many buffers.
pub fn buffers(count: u32) -> CreateOptions<'static> {
    CreateOptions { shape: Shape { buffers: Some(count), ..Shape::default() }, ..CreateOptions::default() }
}

/// The default options for values of `capacity` bytes with this many buffers.
pub fn bytes(capacity: u64, count: u32) -> CreateOptions<'static> {
    CreateOptions { shape: Shape { capacity, buffers: Some(count), max_consumers: None }, ..CreateOptions::default() }
}

/// Publishes `pose(1)` with this many buffers.
pub fn publish(name: &Name, count: u32) -> Publisher<Pose> {
    Publisher::create_with(name, Some(&pose(1)), &buffers(count)).unwrap()
}

/// Attaches.
pub fn consume<T: Record>(name: &Name) -> Consumer<T> {
    Consumer::over(RawConsumer::open(name, false).unwrap()).unwrap()
}

/// Attaches with permission to read only.
pub fn observe<T: Record>(name: &Name) -> Consumer<T> {
    Consumer::over(RawConsumer::open(name, true).unwrap()).unwrap()
}

/// The code of an operation that must fail.
pub fn code<T>(result: Result<T>) -> Code {
    match result {
        Ok(_) => panic_at("the operation succeeded"),
        Err(error) => error.code(),
    }
}

/// Code and message of an operation that must fail.
pub fn refusal<T>(result: Result<T>) -> (Code, String) {
    match result {
        Ok(_) => panic_at("the operation succeeded"),
        Err(error) => (error.code(), error.message().to_owned()),
    }
}

#[track_caller]
#[expect(clippy::panic, reason = "a helper of tests: a failure here is a failed test")]
fn panic_at(what: &str) -> ! {
    panic!("{what}")
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
