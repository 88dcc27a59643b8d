//! Schemas: the canonical JSON, what `parse` refuses and what it says then.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use pagecast::schema::{Field, FieldType, MAX_JSON_BYTES};
use pagecast::{Code, Schema};

fn field(name: &str, ty: FieldType, byte_offset: usize) -> Field {
    Field { name: name.to_owned(), ty, byte_offset, meta: Vec::new() }
}

fn refusal(json: &str) -> String {
    let error = Schema::parse(json.as_bytes()).expect_err(json);
    assert_eq!(error.code(), Code::InvalidSchema, "{json}");
    error.message().to_owned()
}

/// A struct of 8 bytes, alignment 4, with these fields.
fn with_fields(fields: &str) -> String {
    format!(r#"{{"byteLength":8,"alignment":4,"fields":[{fields}]}}"#)
}

fn with_type(ty: &str) -> String {
    with_fields(&format!(r#"{{"name":"x","type":{ty},"byteOffset":0}}"#))
}

const EVERY_TYPE: &str = concat!(
    r#"{"byteLength":88,"alignment":8,"fields":["#,
    r#"{"name":"a","type":"i8","byteOffset":0},{"name":"b","type":"u8","byteOffset":1},"#,
    r#"{"name":"c","type":"i16","byteOffset":2},{"name":"d","type":"u16","byteOffset":4},"#,
    r#"{"name":"e","type":"i32","byteOffset":8},{"name":"f","type":"u32","byteOffset":12},"#,
    r#"{"name":"g","type":"i64","byteOffset":16},{"name":"h","type":"u64","byteOffset":24},"#,
    r#"{"name":"i","type":"f32","byteOffset":32},{"name":"j","type":"f64","byteOffset":40},"#,
    r#"{"name":"k","type":"bool","byteOffset":48},{"name":"l","type":{"text":5},"byteOffset":49},"#,
    r#"{"name":"m","type":{"bytes":3},"byteOffset":54},{"name":"n","type":{"array":{"array":"u16","length":2},"length":3},"byteOffset":58},"#,
    r#"{"name":"o","type":{"struct":{"byteLength":8,"alignment":4,"fields":[{"name":"_$0","type":"f32","byteOffset":0},"#,
    r#"{"name":"y","type":"bool","byteOffset":4}]}},"byteOffset":72,"meta":{"unit":"m/s²","note":"tab\t, quote \", \u001f, line\u2028"}}]}"#,
);

#[test]
fn every_type_survives_parsing_and_writing_byte_for_byte() {
    // The line separator is one that neither JSON.stringify nor we escape.
    let json = EVERY_TYPE.replace("\\u2028", "\u{2028}");
    let schema = Schema::parse(json.as_bytes()).unwrap();
    assert_eq!(schema.to_json(), json);
    assert_eq!(schema.fields[14].meta[0], ("unit".to_owned(), "m/s²".to_owned()));
}

#[test]
fn key_order_and_white_space_are_free_when_reading() {
    let json = r#" { "fields" : [ {"byteOffset":0, "type":{"length":2,"array":"u8"}, "name":"x"} ], "alignment":1, "byteLength":2 } "#;
    let schema = Schema::parse(json.as_bytes()).unwrap();
    assert_eq!(
        schema.to_json(),
        r#"{"byteLength":2,"alignment":1,"fields":[{"name":"x","type":{"array":"u8","length":2},"byteOffset":0}]}"#
    );
}

#[test]
fn hash_is_fnv_1a() {
    assert_eq!(Schema::hash(b""), 0xcbf2_9ce4_8422_2325);
    assert_eq!(Schema::hash(b"a"), 0xaf63_dc4c_8601_ec8c);
    assert_eq!(Schema::hash(b"foobar"), 0x8594_4171_f739_67e8);
}

#[test]
fn display_reads_as_a_declaration() {
    let ty = FieldType::Array(Box::new(FieldType::Array(Box::new(FieldType::Text(16)), 2)), 3);
    assert_eq!(ty.to_string(), "array(array(text(16), 2), 3)");
    assert_eq!(FieldType::Bytes(4).to_string(), "bytes(4)");
}

#[test]
fn other_shapes_are_refused() {
    for (json, fact) in [
        ("", "schema: malformed JSON: EOF while parsing a value at line 1 column 0"),
        ("[]", "schema: must be an object"),
        ("{}", "schema: \"fields\" must be an array"),
        (r#"{"byteLength":4.5,"alignment":4,"fields":[]}"#, "schema: \"byteLength\" must be a whole number"),
        (r#"{"byteLength":-4,"alignment":4,"fields":[]}"#, "schema: \"byteLength\" must be a whole number"),
        (r#"{"byteLength":4,"alignment":4,"fields":[],"more":1}"#, "schema: unknown key \"more\""),
        (&with_fields("7"), "schema field 0: must be an object"),
        (&with_fields(r#"{"type":"u8"}"#), "schema field 0: \"name\" must be a string"),
        (&with_fields(r#"{"name":"x","byteOffset":0}"#), "schema field x: \"type\" is missing"),
        (&with_fields(r#"{"name":"x","type":"u8"}"#), "schema field x: \"byteOffset\" must be a whole number"),
        (&with_fields(r#"{"name":"x","type":"u8","byteOffset":0,"meta":[]}"#), "schema field x: \"meta\" must be an object"),
        (
            &with_fields(r#"{"name":"x","type":"u8","byteOffset":0,"meta":{"a":1}}"#),
            "schema field x: every value in \"meta\" must be a string",
        ),
        (&with_type("null"), "schema field x: \"type\" must be a string or an object"),
        (&with_type(r#""u128""#), "schema field x: unknown type \"u128\""),
        (&with_type(r#"{"array":"u8"}"#), "schema field x: \"type\" must have the key text, bytes or struct, or the keys array and length"),
        (
            &with_type(r#"{"text":1,"bytes":1}"#),
            "schema field x: \"type\" must have the key text, bytes or struct, or the keys array and length",
        ),
        (&with_type(r#"{"array":{"array":"u7","length":1},"length":1}"#), "schema field x[][]: unknown type \"u7\""),
    ] {
        assert_eq!(refusal(json), fact);
    }
    assert_eq!(refusal(&" ".repeat(MAX_JSON_BYTES + 1)), "schema: 1048577 bytes of JSON, at most 1048576 are taken");
    assert!(refusal(&with_type(&r#"{"array":"#.repeat(500))).contains("recursion limit exceeded"));
    assert!(Schema::parse(b"\xff\xfe").is_err());
}

#[test]
fn broken_layouts_are_refused() {
    for (json, fact) in [
        (r#"{"byteLength":4,"alignment":4,"fields":[]}"#, "schema: 0 fields, 1 to 1024 are taken"),
        (&with_type(r#""f32""#).replace("Length\":8", "Length\":0"), "schema: byteLength 0, 1 to 4294967295 is taken"),
        (&with_type(r#""f32""#).replace("Length\":8", "Length\":4294967296"), "schema: byteLength 4294967296, 1 to 4294967295 is taken"),
        (&with_type(r#""f32""#).replace("Length\":8", "Length\":6"), "schema: byteLength 6 is no multiple of its alignment 4"),
        (&with_type(r#""f32""#).replace("ment\":4", "ment\":3"), "schema: alignment 3 is no power of two up to 64"),
        (&with_type(r#""f32""#).replace("ment\":4", "ment\":128"), "schema: alignment 128 is no power of two up to 64"),
        (&with_type(r#""f64""#), "schema field x: needs alignment 8, its struct has 4"),
        (&with_type(r#""f32""#).replace("set\":0", "set\":2"), "schema field x: byteOffset 2 is no multiple of its alignment 4"),
        (&with_type(r#""f32""#).replace("set\":0", "set\":8"), "schema field x: ends at byte 12, its struct has 8"),
        (
            &with_type(r#""u8""#).replace("set\":0", "set\":18446744073709551615"),
            "schema field x: ends at byte 18446744073709551615, its struct has 8",
        ),
        (&with_type(r#"{"text":0}"#), "schema field x: length 0, 1 to 2147483647 is taken"),
        (&with_type(r#"{"bytes":2147483648}"#), "schema field x: length 2147483648, 1 to 2147483647 is taken"),
        (&with_type(r#"{"array":"u8","length":9}"#), "schema field x: ends at byte 9, its struct has 8"),
        (
            &with_type(r#"{"array":{"array":{"array":"u64","length":2147483647},"length":2147483647},"length":2147483647}"#),
            "schema field x: ends at byte 18446744073709551615, its struct has 8",
        ),
        (
            &with_fields(r#"{"name":"y","type":"u8","byteOffset":1},{"name":"x","type":"u16","byteOffset":0}"#),
            "schema field y: byteOffset 1 is inside field x",
        ),
        (
            &with_type(r#"{"struct":{"byteLength":4,"alignment":4,"fields":[{"name":"y","type":"u16","byteOffset":1}]}}"#),
            "schema field x.y: byteOffset 1 is no multiple of its alignment 2",
        ),
    ] {
        assert_eq!(refusal(json), fact);
    }
}

#[test]
fn names_are_plain_words_and_unique() {
    for name in ["", "1", "a-b", "a.b", "ä", "a b", "__proto__", "constructor", "prototype", "\\u0000", "\\u001b[2J"] {
        let message = refusal(&with_fields(&format!(r#"{{"name":"{name}","type":"u8","byteOffset":0}}"#)));
        assert!(message.starts_with("schema field 0: ") && message.ends_with("is not a field name"), "{message}");
        assert!(!message.contains(char::is_control), "{message:?}");
    }
    let long = "x".repeat(256);
    assert_eq!(refusal(&with_type("\"u8\"").replace("\"x\"", &format!("{long:?}"))), "schema field 0: a name of 256 bytes, at most 255");
    assert!(Schema::parse(with_type("\"u8\"").replace("\"x\"", &format!("{:?}", &long[1..])).as_bytes()).is_ok());
    let twice = r#"{"name":"x","type":"u8","byteOffset":0},{"name":"x","type":"u8","byteOffset":1}"#;
    assert_eq!(refusal(&with_fields(twice)), "schema field x: declared twice");
}

fn nested(levels: usize) -> Schema {
    let wrap = |ty| Schema { byte_length: 1, alignment: 1, fields: vec![field("x", ty, 0)] };
    (1..levels).fold(wrap(FieldType::U8), |inner, _| wrap(FieldType::Struct(Box::new(inner))))
}

#[test]
fn nesting_ends_at_sixteen() {
    assert_eq!(Schema::parse(nested(16).to_json().as_bytes()).unwrap(), nested(16));
    let path = ["x"; 16].join(".");
    assert_eq!(refusal(&nested(17).to_json()), format!("schema field {path}: nested 17 deep, at most 16"));
    let arrays = (0..16).fold(FieldType::U8, |inner, _| FieldType::Array(Box::new(inner), 1));
    assert!(refusal(&Schema { fields: vec![field("x", arrays, 0)], ..nested(1) }.to_json()).ends_with("nested 17 deep, at most 16"));
}

#[test]
fn a_struct_takes_1024_fields() {
    let schema = |count: usize| Schema {
        byte_length: count,
        alignment: 1,
        fields: (0..count).map(|index| field(&format!("f{index}"), FieldType::U8, index)).collect(),
    };
    assert_eq!(Schema::parse(schema(1024).to_json().as_bytes()).unwrap(), schema(1024));
    assert_eq!(refusal(&schema(1025).to_json()), "schema: 1025 fields, 1 to 1024 are taken");
}
