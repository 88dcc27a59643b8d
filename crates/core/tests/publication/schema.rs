//! Types on both sides: fields are matched by name and type.

use crate::common::{Directory, bytes, code};
use crate::poses::{Pose, consume, observe, pose, publish, refusal};
use pagecast::{Code, Consumer, Publisher, RawConsumer, RawPublisher, Record, Text};

pagecast::record! {
    struct Joint {
        angle: f64,
        stalled: bool,
    }

    struct Arm {
        id: u8,
        name: Text<12>,
        joints: [Joint; 3],
        #[meta(unit = "m/s")]
        speed: f32,
        serial: u64,
    }

    struct Angle {
        angle: f64,
    }

    struct Part {
        serial: u64,
        joints: [Angle; 3],
        id: u8,
    }
}

fn arm() -> Arm {
    let joint = |angle| Joint { angle, stalled: angle > 1.0 };
    Arm { id: 7, name: Text::try_from("left").unwrap(), joints: [joint(0.5), joint(1.5), joint(2.5)], speed: 0.25, serial: u64::MAX }
}

#[test]
fn every_field_arrives() {
    let directory = Directory::new();
    let name = directory.name("arm");
    let _publisher = Publisher::create_with(&name, Some(&arm()), &pagecast::CreateOptions::default()).unwrap();
    assert_eq!(consume::<Arm>(&name).read().unwrap(), arm());
    assert_eq!(observe::<Arm>(&name).read().unwrap(), arm());
}

#[test]
fn a_consumer_may_know_fewer_fields_in_another_order() {
    let directory = Directory::new();
    let name = directory.name("part");
    let mut publisher = Publisher::create_with(&name, Some(&arm()), &pagecast::CreateOptions::default()).unwrap();
    let part = Part { serial: u64::MAX, joints: [0.5, 1.5, 2.5].map(|angle| Angle { angle }), id: 7 };
    for mut consumer in [consume::<Part>(&name), observe::<Part>(&name)] {
        assert_eq!(consumer.read().unwrap(), part);
    }
    let mut consumer = consume::<Part>(&name);
    publisher.update(|value| value.id = 8).unwrap();
    assert_eq!(consumer.read_change().unwrap(), Some(Part { id: 8, ..part }));
    assert_eq!(consumer.read_lock().unwrap().id, 8);
}

#[test]
fn what_does_not_match_is_named_with_both_types() {
    pagecast::record! {
        struct Missing { field1: i32, field3: f64 }
        struct Retyped { field1: u32 }
        struct Nested { field1: Joint }
    }
    let directory = Directory::new();
    let name = directory.name("pose");
    let _publisher = publish(&name, 2);
    let open = |read_only| RawConsumer::open(&name, read_only).unwrap();
    let refusals = [
        (refusal(Consumer::<Missing>::over(open(false))), ["field3", "f64", "no such field"]),
        (refusal(Consumer::<Retyped>::over(open(true))), ["field1", "u32", "i32"]),
        (refusal(Consumer::<Nested>::over(open(false))), ["field1", "struct", "i32"]),
    ];
    for ((code, message), parts) in refusals {
        assert_eq!(code, Code::SchemaMismatch);
        assert!(parts.iter().all(|part| message.contains(part)), "{message}");
    }
}

#[test]
fn a_schema_that_breaks_the_rules_is_not_published() {
    let directory = Directory::new();
    let name = directory.name("invalid");
    let good = Pose::schema().to_json();
    let bad = [
        String::new(),
        "x".into(),
        "{}".into(),
        "[]".into(),
        good[..good.len() - 1].into(),
        good.replace("field2", "field1"),
        good.replace("field1", "__proto__"),
        good.replace("\"byteOffset\":8", "\"byteOffset\":4"),
        good.replace("\"byteOffset\":8", "\"byteOffset\":16"),
        good.replace("\"byteLength\":16", "\"byteLength\":0"),
        "[".repeat(1 << 20),
        " ".repeat((1 << 20) + 1),
    ];
    for schema in bad {
        let created = RawPublisher::create(&name, Some(&schema), &bytes(16, 2));
        assert_eq!(code(created), Code::InvalidSchema, "{}", schema.chars().take(80).collect::<String>());
    }
    assert_eq!(directory.files(), [""; 0]);
}

#[test]
fn a_schema_of_another_size_than_the_value_is_not_published() {
    let directory = Directory::new();
    for capacity in [8, 15, 17, 32] {
        let created = RawPublisher::create(directory.name("size"), Some(&Pose::schema().to_json()), &bytes(capacity, 2));
        assert!(matches!(code(created), Code::InvalidSchema | Code::InvalidSize), "{capacity}");
    }
    assert_eq!(directory.files(), [""; 0]);
}

#[test]
fn a_record_with_a_name_that_is_none_elsewhere_is_not_published() {
    pagecast::record! { struct Ünï { größe: f32 } }
    let directory = Directory::new();
    let (code, message) = refusal(Publisher::create_with(directory.name("x"), Some(&Ünï { größe: 1.0 }), &Default::default()));
    assert_eq!(code, Code::InvalidSchema);
    assert!(message.contains("größe"), "{message}");
}

#[test]
fn a_value_shorter_than_its_schema_is_an_error_and_leaves_no_pin() {
    let directory = Directory::new();
    let name = directory.name("short");
    let mut publisher = RawPublisher::create(&name, Some(&Pose::schema().to_json()), &bytes(16, 1)).unwrap();
    let mut consumer = consume::<Pose>(&name);
    publisher.write(&[1; 15], None).unwrap();
    assert_eq!(code(consumer.read()), Code::Corrupt);
    assert_eq!(code(observe::<Pose>(&name).read()), Code::Corrupt);
    let mut value = [0; 16];
    pose(3).store(&mut value);
    publisher.write(&value, None).unwrap();
    assert_eq!(consumer.read().unwrap(), pose(3));
}
