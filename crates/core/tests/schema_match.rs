//! Matching one's own schema against a publisher's.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod generate;

use generate::{Random, lay_out};
use pagecast::schema::{CopyRun, FieldType, MAX_RUNS};
use pagecast::{Code, Schema};

use FieldType::{F32, F64, I32, U8, U16};

fn schema(fields: &[(&str, FieldType)]) -> Schema {
    lay_out(fields.iter().map(|(name, ty)| ((*name).to_owned(), ty.clone())).collect())
}

fn nested(fields: &[(&str, FieldType)]) -> FieldType {
    FieldType::Struct(Box::new(schema(fields)))
}

fn array(element: FieldType, length: usize) -> FieldType {
    FieldType::Array(Box::new(element), length)
}

fn runs(own: &Schema, publisher: &Schema) -> Vec<(usize, usize, usize)> {
    let plan = Schema::match_fields(own, publisher).unwrap();
    plan.runs().iter().map(|&CopyRun { from, to, byte_length }| (from, to, byte_length)).collect()
}

fn mismatch(own: &Schema, publisher: &Schema) -> String {
    let error = Schema::match_fields(own, publisher).unwrap_err();
    assert_eq!(error.code(), Code::SchemaMismatch);
    error.message().to_owned()
}

#[test]
fn the_same_schema_is_one_run() {
    let inner = nested(&[("a", U8), ("b", U16)]);
    let own = schema(&[("x", U8), ("y", F64), ("z", array(inner, 1_000_000_000)), ("w", U8)]);
    assert_eq!(runs(&own, &own), [(0, 0, 4_000_000_017)]);
    assert!(Schema::match_fields(&own, &own).unwrap().is_identity());
}

#[test]
fn notes_take_no_part() {
    let own = schema(&[("x", F64)]);
    let mut publisher = own.clone();
    publisher.fields[0].meta.push(("unit".to_owned(), "m".to_owned()));
    assert!(Schema::match_fields(&own, &publisher).unwrap().is_identity());
}

#[test]
fn fields_are_found_by_name_wherever_they_are() {
    let own = schema(&[("x", I32), ("y", F64)]);
    let publisher = schema(&[("y", F64), ("extra", U8), ("x", I32)]);
    assert_eq!(runs(&own, &publisher), [(12, 0, 4), (0, 8, 8)]);
    assert!(!Schema::match_fields(&own, &publisher).unwrap().is_identity());
}

#[test]
fn extra_fields_at_the_end_keep_the_identity() {
    let own = schema(&[("x", I32), ("y", F32)]);
    let longer = schema(&[("x", I32), ("y", F32), ("z", F64)]);
    assert!(Schema::match_fields(&own, &longer).unwrap().is_identity());
    let padded = Schema { byte_length: 64, alignment: 64, ..own.clone() };
    let plan = Schema::match_fields(&padded, &own).unwrap();
    assert_eq!(plan.runs(), [CopyRun { from: 0, to: 0, byte_length: 8 }]);
    assert!(!plan.is_identity(), "the publisher's value is shorter");
}

#[test]
fn arrays_of_structs_step_by_each_sides_own_stride() {
    let own = schema(&[("legs", array(nested(&[("angle", F32)]), 3))]);
    let publisher = schema(&[("legs", array(nested(&[("load", F32), ("angle", F32)]), 3))]);
    assert_eq!(runs(&own, &publisher), [(4, 0, 4), (12, 4, 4), (20, 8, 4)]);
    let narrow = schema(&[("legs", array(nested(&[("angle", F32), ("id", U8)]), 2))]);
    let wide = schema(&[("legs", array(nested(&[("angle", F32), ("id", U8), ("more", U16)]), 2))]);
    assert_eq!(runs(&narrow, &wide), [(0, 0, 13)]);
}

#[test]
fn a_mismatch_names_the_field_and_both_types() {
    let own = schema(&[("legs", array(nested(&[("joint", nested(&[("angle", F32)]))]), 3))]);
    let legs = |fields: &[(&str, FieldType)]| schema(&[("legs", array(nested(&[("joint", nested(fields))]), 3))]);
    for (publisher, fact) in [
        (schema(&[("arms", U8)]), "field legs: expected array(struct, 3), the publisher has no such field"),
        (schema(&[("legs", U8)]), "field legs: expected array(struct, 3), found u8"),
        (schema(&[("legs", array(nested(&[("joint", U8)]), 4))]), "field legs: expected array(struct, 3), found array(struct, 4)"),
        (schema(&[("legs", array(U8, 3))]), "field legs[]: expected struct, found u8"),
        (legs(&[("angle", F64)]), "field legs[].joint.angle: expected f32, found f64"),
        (legs(&[("Angle", F32)]), "field legs[].joint.angle: expected f32, the publisher has no such field"),
    ] {
        assert_eq!(mismatch(&own, &publisher), format!("match schema: {fact}"));
    }
    let text = |length| schema(&[("name", FieldType::Text(length))]);
    assert_eq!(mismatch(&text(16), &text(8)), "match schema: field name: expected text(16), found text(8)");
}

#[test]
fn a_plan_has_an_upper_size() {
    let own = schema(&[("items", array(nested(&[("a", U8)]), 100_000_000))]);
    let publisher = schema(&[("items", array(nested(&[("b", U8), ("a", U8)]), 100_000_000))]);
    let limit = format!("match schema: field items[]: the layouts differ so much that copying takes more than {MAX_RUNS} runs");
    assert_eq!(mismatch(&own, &publisher), limit);
}

#[test]
fn an_invalid_schema_is_no_partner() {
    let own = schema(&[("x", U8)]);
    let broken = Schema { byte_length: 0, ..own.clone() };
    assert_eq!(Schema::match_fields(&own, &broken).unwrap_err().code(), Code::InvalidSchema);
    assert_eq!(Schema::match_fields(&broken, &own).unwrap_err().code(), Code::InvalidSchema);
}

/// Every scalar, text and bytes of a value: (path with indices, offset, length).
fn leaves(schema: &Schema, path: &str, base: usize, into: &mut Vec<(String, usize, usize)>) {
    for field in &schema.fields {
        type_leaves(&field.ty, &format!("{path}.{}", field.name), base + field.byte_offset, into);
    }
}

fn type_leaves(ty: &FieldType, path: &str, base: usize, into: &mut Vec<(String, usize, usize)>) {
    match ty {
        FieldType::Struct(schema) => leaves(schema, path, base, into),
        FieldType::Array(element, length) => {
            (0..*length).for_each(|index| type_leaves(element, &format!("{path}[{index}]"), base + index * element.byte_length(), into));
        }
        other => into.push((path.to_owned(), base, other.byte_length())),
    }
}

#[test]
fn every_leaf_arrives_whatever_the_layouts() {
    for seed in 0..2_000 {
        let mut random = Random::new(seed);
        let own = random.schema(3);
        let publisher = random.variant(&own);
        let plan = Schema::match_fields(&own, &publisher).unwrap();
        let from = random.bytes(publisher.byte_length);
        let mut to = vec![0; own.byte_length];
        plan.apply(&from, &mut to);
        let (mut wanted, mut found) = (Vec::new(), Vec::new());
        leaves(&own, "", 0, &mut wanted);
        leaves(&publisher, "", 0, &mut found);
        for (path, offset, length) in wanted {
            let source = found.iter().find(|(name, ..)| *name == path).unwrap().1;
            assert_eq!(to[offset..][..length], from[source..][..length], "seed {seed}, {path}");
            assert!(!plan.is_identity() || source == offset, "seed {seed}, {path}");
        }
    }
}
