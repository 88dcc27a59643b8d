//! Segments that somebody damaged or forged: an error or a value, never a panic, a crash or a byte outside.

use crate::common::{Directory, bytes, code, publish_bytes};
use crate::poses::Pose;
use pagecast::publication::{Layout, Shape, State, clean};
use pagecast::segment::{HEADER_BYTES, list};
use pagecast::{Code, Consumer, CreateOptions, Name, Publisher, RawConsumer, RawPublisher, Schema};
use std::ops::Range;
use std::time::Duration;

const CHECKSUM: usize = 176;
const SCHEMA_HASH: usize = 72;
const GEOMETRY: usize = 80;
const SHORT: Duration = Duration::from_millis(1);

/// Everything that reads. Whatever it answers, it must answer.
fn read_all(name: &Name) {
    for read_only in [false, true] {
        let Ok(mut consumer) = RawConsumer::open(name, read_only) else { continue };
        let _ = (consumer.schema(), consumer.peek(), consumer.state(), consumer.publisher_alive(), consumer.publisher_pid());
        let mut target = vec![0; 1 << 12];
        let _ = consumer.copy(&mut target, false);
        let _ = consumer.copy_within(&mut target, SHORT, true);
        if consumer.lock_within(SHORT, true).is_ok_and(|outcome| outcome.is_ok()) {
            consumer.get(0, &mut target[..1]).unwrap();
        }
        consumer.unlock();
        if let Ok(mut consumer) = Consumer::<Pose>::over(consumer) {
            consumer.set_timeout(SHORT);
            let _ = (consumer.read(), consumer.has_changed(), consumer.staleness(), consumer.wait_for_change(SHORT));
        }
    }
}

/// Everything that writes, in the place of a publisher that is gone.
fn write_all(name: &Name) {
    let options = CreateOptions { timeout: SHORT, ..few() };
    let Ok(mut publisher) = Publisher::<Pose>::create_with(name, None, &options) else { return };
    publisher.set_timeout(Some(SHORT));
    let _ = (publisher.raw().holders(), publisher.raw().recover_dead(), publisher.raw().peek());
    for number in 0..4 {
        let _ = publisher.update(|value| value.field1 = number);
        let _ = publisher.write(&Pose::default());
    }
    publisher.abandon();
}

/// Two buffers, two consumers: every part is there, and little of it.
fn few() -> CreateOptions<'static> {
    let shape = Shape { buffers: Some(2), max_consumers: Some(2), ..Shape::default() };
    CreateOptions { shape, ..CreateOptions::default() }
}

/// The file of such a publication of `Pose`, and where its parts are.
fn sample(directory: &Directory) -> (Vec<u8>, Layout) {
    let name = directory.name("sample");
    let publisher = Publisher::create_with(&name, Some(&Pose::default()), &few()).unwrap();
    let layout = *publisher.raw().layout();
    publisher.abandon();
    let file = std::fs::read(name.path()).unwrap();
    std::fs::remove_file(name.path()).unwrap();
    (file, layout)
}

/// Where the words are: control line, slots, buffer headers.
fn words(layout: &Layout) -> Range<usize> {
    let end = layout.buffer_headers + 64 * u64::from(layout.buffer_count);
    usize::try_from(layout.control).unwrap()..usize::try_from(end).unwrap()
}

fn forge(name: &Name, file: &mut [u8]) {
    let checksum = Schema::hash(&file[..CHECKSUM]);
    file[CHECKSUM..CHECKSUM + 8].copy_from_slice(&checksum.to_ne_bytes());
    std::fs::write(name.path(), file).unwrap();
}

fn set(file: &mut [u8], at: usize, value: u64) {
    file[at..at + 8].copy_from_slice(&value.to_ne_bytes());
}

#[test]
fn every_changed_byte_of_the_header_is_noticed() {
    let directory = Directory::new();
    let name = directory.name("header");
    let (file, _) = sample(&directory);
    for at in 0..CHECKSUM + 8 {
        for flip in [0x01, 0x10, 0x80, 0xff] {
            let mut file = file.clone();
            file[at] ^= flip;
            std::fs::write(name.path(), &file).unwrap();
            for read_only in [false, true] {
                let found = code(RawConsumer::open(&name, read_only));
                assert!(matches!(found, Code::NotASegment | Code::Corrupt | Code::UnsupportedFormat), "byte {at} ^ {flip:#x}: {found:?}");
            }
            let info = list(Some(directory.path())).unwrap();
            assert!(info.is_empty(), "byte {at} ^ {flip:#x}");
        }
    }
}

#[test]
fn every_changed_byte_of_the_schema_is_noticed() {
    let directory = Directory::new();
    let name = directory.name("schema");
    let (file, layout) = sample(&directory);
    let start = usize::try_from(HEADER_BYTES).unwrap();
    for at in (start..usize::try_from(layout.control).unwrap()).take_while(|at| file[*at] != 0) {
        let mut file = file.clone();
        file[at] ^= 0x01;
        std::fs::write(name.path(), &file).unwrap();
        let consumer = RawConsumer::open(&name, false).unwrap();
        assert_eq!(code(consumer.schema()), Code::Corrupt, "byte {at}");
        assert_eq!(code(Consumer::<Pose>::over(consumer)), Code::Corrupt, "byte {at}");
    }
}

#[test]
fn no_changed_byte_of_the_words_brings_anybody_down() {
    let directory = Directory::new();
    let name = directory.name("words");
    let (file, layout) = sample(&directory);
    let words = words(&layout);
    let used = |at: &usize| at % 64 < 32; // the rest of each line is padding
    for at in words.filter(used) {
        for flip in [0x01, 0x80, 0xff] {
            let mut file = file.clone();
            file[at] ^= flip;
            std::fs::write(name.path(), &file).unwrap();
            read_all(&name);
            write_all(&name);
            read_all(&name);
        }
    }
}

#[test]
fn words_full_of_ones_or_noughts_bring_nobody_down() {
    let directory = Directory::new();
    let name = directory.name("filled");
    let (file, layout) = sample(&directory);
    let words = words(&layout);
    for start in words.clone().step_by(4) {
        for end in [start + 4, start + 8, words.end] {
            for fill in [0x00, 0xff] {
                let mut file = file.clone();
                file[start..end].fill(fill);
                std::fs::write(name.path(), &file).unwrap();
                read_all(&name);
                write_all(&name);
            }
        }
    }
}

#[test]
fn every_length_short_of_the_whole_is_an_error() {
    let directory = Directory::new();
    let name = directory.name("cut");
    let (file, layout) = sample(&directory);
    let control = usize::try_from(layout.control).unwrap();
    let lengths = (0..control + 64).chain((control + 64..file.len()).step_by(509)).chain([file.len() - 1]);
    for length in lengths {
        std::fs::write(name.path(), &file[..length]).unwrap();
        for read_only in [false, true] {
            let found = code(RawConsumer::open(&name, read_only));
            let expected = if length < usize::try_from(HEADER_BYTES).unwrap() { Code::NotASegment } else { Code::Truncated };
            assert_eq!(found, expected, "{length} bytes");
        }
    }
    std::fs::write(name.path(), &file).unwrap();
    RawConsumer::open(&name, false).unwrap();
}

#[test]
fn a_forged_geometry_leads_to_nothing_outside_the_segment() {
    let directory = Directory::new();
    let name = directory.name("geometry");
    let (file, layout) = sample(&directory);
    let size = layout.segment_bytes;
    let near = [0, 1, 8, 63, 64, 65, 127, 128, 256, 4095, 4096, 65536];
    let values = near.into_iter().chain([size - 4096, size - 64, size - 1, size, size + 1, 2 * size]);
    let far = [1 << 31, (1 << 32) - 1, 1 << 32, 1 << 62, 1 << 63, u64::MAX - 4095, u64::MAX - 63, u64::MAX];
    let values: Vec<u64> = values.chain(far).collect();
    let fields = [24, 56, 64].into_iter().chain((0..12).map(|index| GEOMETRY + 8 * index));
    for at in fields {
        for value in &values {
            let mut file = file.clone();
            set(&mut file, at, *value);
            forge(&name, &mut file);
            read_all(&name);
            write_all(&name);
        }
    }
}

#[test]
fn a_geometry_whose_parts_overlap_is_refused() {
    let directory = Directory::new();
    let name = directory.name("overlap");
    let (file, _) = sample(&directory);
    let number = |at: usize| u64::from_ne_bytes(file[at..at + 8].try_into().unwrap());
    let [control, slots, buffer_headers, payload] = [0, 8, 24, 40].map(|at| GEOMETRY + at);
    for (later, earlier) in [(slots, control), (buffer_headers, slots), (buffer_headers, control), (payload, 24), (control, slots)] {
        let mut file = file.clone();
        set(&mut file, later, number(earlier));
        forge(&name, &mut file);
        assert_eq!(code(RawConsumer::open(&name, false)), Code::Corrupt, "the part at {later} where that at {earlier} is");
    }
    for at in [control, slots, buffer_headers, payload] {
        let mut file = file.clone();
        set(&mut file, at, 0);
        forge(&name, &mut file);
        assert_eq!(code(RawConsumer::open(&name, false)), Code::Corrupt, "over the header");
    }
}

#[test]
fn forged_geometries_of_many_fields_lead_to_nothing_outside_the_segment() {
    let directory = Directory::new();
    let name = directory.name("random");
    let (file, _) = sample(&directory);
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move |below: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % below
    };
    for _ in 0..5000 {
        let mut file = file.clone();
        for _ in 0..=next(3) {
            let at = GEOMETRY + 8 * usize::try_from(next(8)).unwrap();
            let value = match next(4) {
                0 => next(64),
                1 => 64 * next(2048),
                2 => 4096 * next(40),
                _ => 1 << next(64),
            };
            set(&mut file, at, value);
        }
        forge(&name, &mut file);
        read_all(&name);
    }
}

#[test]
fn a_size_that_no_file_has_is_an_error() {
    let directory = Directory::new();
    let name = directory.name("sparse");
    let (mut file, _) = sample(&directory);
    set(&mut file, 24, 1 << 50);
    forge(&name, &mut file);
    assert_eq!(code(RawConsumer::open(&name, false)), Code::Truncated);
    std::fs::File::options().write(true).open(name.path()).unwrap().set_len(1 << 50).unwrap();
    let found = code(RawConsumer::open(&name, false));
    assert!(matches!(found, Code::AddressSpace | Code::InvalidSize), "{found:?}");
}

#[test]
fn a_forged_schema_is_an_error() {
    let directory = Directory::new();
    let name = directory.name("forged");
    let (file, layout) = sample(&directory);
    let start = usize::try_from(HEADER_BYTES).unwrap();
    let length = file[start..usize::try_from(layout.control).unwrap()].iter().take_while(|byte| **byte != 0).count();
    let original = String::from_utf8(file[start..start + length].to_vec()).unwrap();
    let forgeries = [
        "[".repeat(length),
        "{".repeat(length),
        "9".repeat(length),
        " ".repeat(length),
        "\0".repeat(length),
        original.replace("16", "99"),
        original.replace("16", "32"),
        original.replace("field2", "field1"),
        original.replace("field1", "fi\"ld1"),
        original.replace("i32", "i99"),
    ];
    for forgery in forgeries {
        let mut file = file.clone();
        file[start..start + length].copy_from_slice(forgery.as_bytes());
        set(&mut file, SCHEMA_HASH, Schema::hash(forgery.as_bytes()));
        forge(&name, &mut file);
        let consumer = RawConsumer::open(&name, false).unwrap();
        let found = code(consumer.schema());
        assert!(matches!(found, Code::InvalidSchema | Code::Corrupt), "{forgery}: {found:?}");
    }
    let mut file = file.clone();
    file[start..start + length].fill(0xff);
    set(&mut file, SCHEMA_HASH, Schema::hash(&vec![0xff; length]));
    forge(&name, &mut file);
    assert_eq!(code(RawConsumer::open(&name, false).unwrap().schema()), Code::Corrupt, "no UTF-8");
}

#[test]
fn a_segment_whose_version_nobody_could_count_to_is_replaced() {
    let directory = Directory::new();
    let name = directory.name("version");
    for (version, is_adopted) in [(1 << 52, true), ((1 << 52) + 1, false), ((1 << 53) - 1, false), (u64::MAX, false)] {
        publish_bytes(&name, &[1; 8], 2).abandon();
        let consumer = RawConsumer::open(&name, false).unwrap();
        let at = consumer.layout().buffer_headers + pagecast::publication::offsets::VERSION as u64;
        consumer.segment().mapping().copy_in(at, &u64::to_ne_bytes(version)).unwrap();
        let mut publisher = RawPublisher::create(&name, None, &bytes(8, 2)).unwrap();
        assert_eq!((publisher.adopted(), consumer.state().has(State::REPLACED)), (is_adopted, !is_adopted), "{version}");
        publisher.write(&[2; 8], None).unwrap();
        assert_eq!(publisher.total_writes(), if is_adopted { version + 1 } else { 1 });
        publisher.close(false).unwrap();
    }
}

#[test]
fn a_length_beyond_the_capacity_is_an_error_and_not_read() {
    let directory = Directory::new();
    let name = directory.name("length");
    for count in [1, 2] {
        publish_bytes(&name, &[1; 8], count).abandon();
        let mut file = std::fs::read(name.path()).unwrap();
        let layout = *RawConsumer::open(&name, true).unwrap().layout();
        let length = usize::try_from(layout.buffer_headers).unwrap() + pagecast::publication::offsets::LENGTH;
        for forged in [9, 1 << 32, u64::MAX] {
            set(&mut file, length, forged);
            std::fs::write(name.path(), &file).unwrap();
            let mut consumer = RawConsumer::open(&name, false).unwrap();
            assert_eq!(code(consumer.try_lock(false)), Code::Corrupt);
            assert_eq!(code(consumer.copy(&mut [0; 64], false)), Code::Corrupt);
            assert_eq!(code(consumer.peek()), Code::Corrupt);
            let mut publisher = RawPublisher::create(&name, None, &bytes(8, count)).unwrap();
            assert!(publisher.holders().is_empty(), "a failed lock leaves no pin");
            assert_eq!(code(publisher.begin(None, true)), Code::Corrupt);
            publisher.write(&[2; 8], None).unwrap();
            assert_eq!(consumer.copy(&mut [0; 8], false).unwrap().unwrap().byte_length, 8, "a new value is a value again");
            publisher.abandon();
        }
        std::fs::remove_file(name.path()).unwrap();
    }
}

#[test]
fn cleaning_among_rubbish_takes_no_rubbish() {
    let directory = Directory::new();
    let (mut file, _) = sample(&directory);
    std::fs::write(directory.path().join("short"), &file[..300]).unwrap();
    file[0] = 0;
    std::fs::write(directory.path().join("other"), &file).unwrap();
    std::fs::write(directory.path().join("empty"), []).unwrap();
    clean(Some(directory.path())).unwrap();
    assert!(directory.files().iter().any(|name| name == "other"));
    assert!(directory.files().iter().any(|name| name == "empty"));
}
