//! Records: the declaration, its layout, its schema, and its way into bytes and back.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::mem::{align_of, offset_of};

use pagecast::record::Field;
use pagecast::schema::FieldType;
use pagecast::{Bytes, Code, Record, Schema, Text};

pagecast::record! {
    /// Two fields with a gap between them.
    #[derive(Default)]
    pub struct Point {
        /// Which one.
        #[meta(unit = "count", description = "which one, \"first\" is 0")]
        /// More about it.
        pub index: u8,
        #[meta(unit = "m")]
        distance: f64,
    }

    #[derive(PartialOrd)]
    struct Small { r#type: u16, on: bool }

    pub(crate) struct Everything {
        a: i8, b: u8, c: i16, d: u16, e: i32, f: u32, g: i64, h: u64, i: f32, j: f64, k: bool,
        name: Text<5>,
        raw: Bytes<3>,
        grid: [[u16; 2]; 3],
        flags: [bool; 2],
        small: Small,
        points: [Point; 2],
    }
}

fn everything() -> Everything {
    let point = |index| Point { index, distance: f64::from(index) / 3.0 };
    Everything {
        a: -1,
        b: 2,
        c: -3,
        d: 4,
        e: -5,
        f: 6,
        g: i64::MIN,
        h: u64::MAX,
        i: 0.5,
        j: -0.0,
        k: true,
        name: Text::try_from("héé").unwrap(),
        raw: Bytes([0, 0xff, 7]),
        grid: [[1, 2], [3, 4], [5, 6]],
        flags: [false, true],
        small: Small { r#type: 9, on: true },
        points: [point(1), point(2)],
    }
}

#[test]
fn the_schema_is_the_canonical_json() {
    let expected = concat!(
        r#"{"byteLength":112,"alignment":8,"fields":["#,
        r#"{"name":"a","type":"i8","byteOffset":0},{"name":"b","type":"u8","byteOffset":1},"#,
        r#"{"name":"c","type":"i16","byteOffset":2},{"name":"d","type":"u16","byteOffset":4},"#,
        r#"{"name":"e","type":"i32","byteOffset":8},{"name":"f","type":"u32","byteOffset":12},"#,
        r#"{"name":"g","type":"i64","byteOffset":16},{"name":"h","type":"u64","byteOffset":24},"#,
        r#"{"name":"i","type":"f32","byteOffset":32},{"name":"j","type":"f64","byteOffset":40},"#,
        r#"{"name":"k","type":"bool","byteOffset":48},"#,
        r#"{"name":"name","type":{"text":5},"byteOffset":49},{"name":"raw","type":{"bytes":3},"byteOffset":54},"#,
        r#"{"name":"grid","type":{"array":{"array":"u16","length":2},"length":3},"byteOffset":58},"#,
        r#"{"name":"flags","type":{"array":"bool","length":2},"byteOffset":70},"#,
        r#"{"name":"small","type":{"struct":{"byteLength":4,"alignment":2,"fields":["#,
        r#"{"name":"type","type":"u16","byteOffset":0},{"name":"on","type":"bool","byteOffset":2}]}},"byteOffset":72},"#,
        r#"{"name":"points","type":{"array":{"struct":{"byteLength":16,"alignment":8,"fields":["#,
        r#"{"name":"index","type":"u8","byteOffset":0,"meta":{"unit":"count","description":"which one, \"first\" is 0"}},"#,
        r#"{"name":"distance","type":"f64","byteOffset":8,"meta":{"unit":"m"}}]}},"length":2},"byteOffset":80}]}"#,
    );
    assert_eq!(Everything::schema().to_json(), expected);
    assert_eq!(Schema::parse(expected.as_bytes()).as_ref(), Ok(&Everything::schema()));
}

#[test]
fn the_schema_tells_the_compilers_layout() {
    let schema = Everything::schema();
    assert_eq!((schema.byte_length, schema.alignment), (Everything::BYTE_LENGTH, align_of::<Everything>()));
    let offset = |name: &str| schema.fields.iter().find(|field| field.name == name).unwrap().byte_offset;
    assert_eq!(offset("name"), offset_of!(Everything, name));
    assert_eq!(offset("small"), offset_of!(Everything, small));
    assert_eq!(offset("points"), offset_of!(Everything, points));
    assert_eq!(<Text<5> as Field>::field_type(), FieldType::Text(5));
    assert_eq!(<[Bytes<3>; 2] as Field>::field_type().byte_length(), size_of::<[Bytes<3>; 2]>());
}

#[test]
fn a_stored_record_loads_as_it_was() {
    let mut bytes = [0; Everything::BYTE_LENGTH];
    everything().store(&mut bytes);
    assert_eq!(Everything::load(&bytes), everything());
    assert_eq!(bytes[offset_of!(Everything, e)..][..4], (-5_i32).to_ne_bytes());
    assert_eq!(&bytes[offset_of!(Everything, name)..][..5], "héé".as_bytes());
    assert_eq!(bytes[offset_of!(Everything, grid) + 10..][..2], 6_u16.to_ne_bytes());
}

#[test]
fn storing_leaves_padding_and_what_follows_alone() {
    let mut bytes = [0xaa; 20];
    Point { index: 1, distance: 0.0 }.store(&mut bytes);
    assert_eq!(bytes, [1, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0, 0, 0, 0, 0, 0, 0, 0, 0xaa, 0xaa, 0xaa, 0xaa]);
}

#[test]
fn any_bytes_are_a_value() {
    let all = Everything::load(&[0xff; Everything::BYTE_LENGTH]);
    assert!(all.k && all.flags == [true, true] && all.small.on && all.i.is_nan());
    assert_eq!(all.name.as_str().unwrap_err().code(), Code::ValueRange);
    assert_eq!(Point::load(&[0; 16]), Point::default());
}

#[test]
fn alignment_of_the_bytes_does_not_matter() {
    let mut bytes = [0; Everything::BYTE_LENGTH + 1];
    everything().store(&mut bytes[1..]);
    assert_eq!(Everything::load(&bytes[1..]), everything());
}

#[test]
#[should_panic(expected = "range end index 16 out of range for slice of length 15")]
fn too_few_bytes_to_load_panic() {
    Point::load(&[0; 15]);
}

#[test]
#[should_panic(expected = "range end index 16 out of range for slice of length 15")]
fn too_few_bytes_to_store_panic() {
    Point::default().store(&mut [0; 15]);
}

#[test]
fn a_record_reads_what_another_layout_published() {
    pagecast::record! { struct Published { extra: u64, small: Wider, distance: f64, index: u8 } struct Wider { on: bool, r#type: u16 } }
    pagecast::record! { struct Wanted { index: u8, small: Small, distance: f64 } }
    let mut bytes = [0; Published::BYTE_LENGTH];
    Published { extra: 1, small: Wider { on: true, r#type: 3 }, distance: 1.5, index: 7 }.store(&mut bytes);
    let mut own = [0; Wanted::BYTE_LENGTH];
    Schema::match_fields(&Wanted::schema(), &Published::schema()).unwrap().apply(&bytes, &mut own);
    assert_eq!(Wanted::load(&own), Wanted { index: 7, small: Small { r#type: 3, on: true }, distance: 1.5 });
}

#[test]
fn extra_alignment_is_in_the_schema() {
    pagecast::record! { #[repr(align(64))] struct Line { x: u8 } }
    let schema = Line::schema();
    assert_eq!((schema.byte_length, schema.alignment), (64, 64));
    assert_eq!(schema.validate(), Ok(()));
}

#[test]
fn a_name_that_other_languages_cannot_have_is_found_by_validation() {
    pagecast::record! { struct Named { größe: u8 } }
    assert_eq!(Named::schema().validate().unwrap_err().message(), "schema field 0: \"größe\" is not a field name");
}
