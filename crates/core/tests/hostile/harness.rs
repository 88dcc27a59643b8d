//! Everything that can be done with a segment, done to one whose bytes somebody changed. The seeded test and the fuzzer share this.
//!
//! Whatever the bytes say: every call comes back, with an error or with a value of the length and the type that it has to have.

use pagecast::publication::clean;
use pagecast::publication::{Shape, State};
use pagecast::segment::list;
use pagecast::{Consumer, CreateOptions, Name, Publisher, RawConsumer, RawPublisher, Schema};
use std::path::Path;
use std::time::Duration;

pagecast::record! {
    /// A field of every kind that is read in its own way.
    #[derive(Default)]
    pub struct Sample {
        number: i32,
        wide: u64,
        flag: bool,
        text: pagecast::Text<12>,
        list: [f64; 3],
    }
}

const NAME: &str = "hostile";
const CHECKSUM: usize = 176;
const SCHEMA: usize = 256;
const SCHEMA_BYTES: usize = 64;
const SCHEMA_HASH: usize = 72;
const SHORT: Duration = Duration::from_micros(200);

/// A sound segment's file to begin with, and where the values in it begin.
pub struct Seed {
    file: Vec<u8>,
    payload: usize,
}

/// Few buffers and slots: every part is there, and little of it.
fn options(buffers: u32) -> CreateOptions<'static> {
    let shape = Shape { buffers: Some(buffers), max_consumers: Some(2), ..Shape::default() };
    CreateOptions { shape, timeout: SHORT, ..CreateOptions::default() }
}

impl Seed {
    /// Made in this directory, which is left empty.
    pub fn new(directory: &Path, buffers: u32) -> Seed {
        let name = Name::new(NAME, Some(directory)).unwrap();
        let publisher = Publisher::create_with(&name, Some(&Sample::default()), &options(buffers)).unwrap();
        let payload = usize::try_from(publisher.raw().layout().payload).unwrap();
        publisher.abandon();
        let file = std::fs::read(name.path()).unwrap();
        std::fs::remove_file(name.path()).unwrap();
        Seed { file, payload }
    }

    /// The file with changes that `input` asks for: of each four bytes, two say where, one how, one what. The first byte says whether
    /// the checksums are put right afterwards, so that changes get past them.
    pub fn changed(&self, input: &[u8]) -> Vec<u8> {
        let mut file = self.file.clone();
        let Some((forge, changes)) = input.split_first() else { return file };
        for change in changes.chunks_exact(4) {
            // the header and the words are where most can go wrong
            let at = usize::from(u16::from_le_bytes([change[0], change[1]])) % (self.payload + 64);
            change_bytes(&mut file, at, change[2], change[3]);
        }
        if forge & 1 != 0 {
            forge_checksums(&mut file);
        }
        let cut = if forge & 6 == 6 { usize::from(*forge) * 277 % file.len() } else { file.len() };
        file.truncate(cut);
        file
    }
}

fn change_bytes(file: &mut [u8], at: usize, how: u8, what: u8) {
    let word = at & !7;
    match how % 6 {
        0 => file[at] ^= what.max(1),
        1 => file[at] = what,
        2 => file[word..word + 8].copy_from_slice(&u64::from(what).to_ne_bytes()),
        3 => file[word..word + 8].copy_from_slice(&(1_u64 << (what & 63)).to_ne_bytes()),
        4 => file[word..word + 8].copy_from_slice(&(u64::from(what) * 4096).to_ne_bytes()),
        _ => file[at & !3..(at & !3) + 4].fill(what),
    }
}

fn forge_checksums(file: &mut [u8]) {
    let length = u64::from_ne_bytes(file[SCHEMA_BYTES..SCHEMA_BYTES + 8].try_into().unwrap());
    let end = usize::try_from(length).ok().and_then(|length| length.checked_add(SCHEMA)).filter(|end| *end <= file.len());
    if let Some(end) = end {
        let hash = Schema::hash(&file[SCHEMA..end]);
        file[SCHEMA_HASH..SCHEMA_HASH + 8].copy_from_slice(&hash.to_ne_bytes());
    }
    let checksum = Schema::hash(&file[..CHECKSUM]);
    file[CHECKSUM..CHECKSUM + 8].copy_from_slice(&checksum.to_ne_bytes());
}

/// Puts the file there, does everything to it, and takes it away.
pub fn try_everything(directory: &Path, file: &[u8]) {
    let name = Name::new(NAME, Some(directory)).unwrap();
    std::fs::write(name.path(), file).unwrap();
    read_all(&name);
    write_all(&name);
    read_all(&name);
    let _ = (list(Some(directory)).unwrap(), clean(Some(directory)).unwrap());
    let _ = std::fs::remove_file(name.path());
}

/// Everything that reads.
pub fn read_all(name: &Name) {
    for read_only in [false, true] {
        let Ok(mut consumer) = RawConsumer::open(name, read_only) else { continue };
        read_bytes(&mut consumer);
        let Ok(mut consumer) = Consumer::<Sample>::over(consumer) else { continue };
        consumer.set_timeout(SHORT);
        let _ = (consumer.read().map(|value| check(&value)), consumer.read_change(), consumer.has_changed(), consumer.staleness());
        let _ =
            (consumer.read_lock().map(|lock| check(&lock)), consumer.wait_for_change(SHORT).map(|value| value.map(|value| check(&value))));
    }
}

fn read_bytes(consumer: &mut RawConsumer) {
    let capacity = usize::try_from(consumer.layout().capacity).unwrap();
    let mut target = vec![0; capacity.min(1 << 16)];
    let _ = (consumer.schema(), consumer.last(), consumer.publisher_alive(), consumer.publisher_pid(), consumer.epoch());
    let lengths = [
        consumer.peek().ok().and_then(std::result::Result::ok).map(|found| found.byte_length),
        consumer.copy(&mut target, false).ok().and_then(std::result::Result::ok).map(|found| found.byte_length),
        consumer.copy_within(&mut target, SHORT, true).ok().and_then(std::result::Result::ok).map(|found| found.byte_length),
        consumer.lock_within(SHORT, true).ok().and_then(std::result::Result::ok).map(|pinned| pinned.observation.byte_length),
    ];
    assert!(lengths.into_iter().flatten().all(|length| length <= capacity), "{lengths:?} of {capacity}");
    let _ = consumer.get(0, &mut target);
    consumer.unlock();
    let seen = consumer.state();
    let _ = consumer.watcher().sleep(seen, SHORT, 0);
    consumer.watcher().interrupt();
}

/// A value of a type is one of its values, whatever the bytes were.
fn check(value: &Sample) {
    assert!(value.text.to_string().chars().count() <= 12);
    assert!(u8::from(value.flag) <= 1);
}

/// Everything that writes, in the place of a publisher that is gone.
pub fn write_all(name: &Name) {
    for buffers in [None, Some(1), Some(2)] {
        let shape = Shape { buffers, max_consumers: Some(2), ..Shape::default() };
        let options = CreateOptions { shape, ..options(2) };
        let Ok(mut publisher) = Publisher::<Sample>::create_with(name, None, &options) else { continue };
        publisher.set_timeout(Some(SHORT));
        write_some(&mut publisher);
        publisher.abandon();
    }
}

fn write_some(publisher: &mut Publisher<Sample>) {
    let raw: &RawPublisher = publisher.raw();
    let _ = (raw.holders(), raw.recover_dead(), raw.peek(), raw.last(), raw.epoch(), raw.state().has(State::ENDED));
    for number in 0..3 {
        let _ = publisher.update(|value| value.number = number);
        let _ = publisher.write(&Sample::default());
        let _ = publisher.write_lock().map(abort);
    }
}

fn abort(lock: pagecast::publication::WriteGuard<'_, Sample>) {
    let _ = lock.abort();
}
