//! The rules that make a schema safe to use: whoever reads bytes by it stays inside them, aligned.

use std::collections::HashSet;

use super::{Field, FieldType, Schema, fault, join};
use crate::error::Result;

/// The most fields in one struct.
pub const MAX_FIELDS: usize = 1024;
/// The deepest nesting: the outermost struct is 1, and every struct or array inside adds 1.
pub const MAX_DEPTH: usize = 16;
/// The longest field name in bytes.
pub const MAX_NAME_BYTES: usize = 255;
/// The largest length of a text, of bytes and of an array.
pub const MAX_LENGTH: usize = (1 << 31) - 1;
/// The largest struct in bytes.
pub const MAX_BYTE_LENGTH: usize = u32::MAX as usize;
/// The largest alignment in bytes: what every buffer of a segment has.
pub const MAX_ALIGNMENT: usize = 64;

/// Names that mean something else to JavaScript.
const RESERVED: [&str; 3] = ["__proto__", "constructor", "prototype"];

pub(super) fn check(schema: &Schema, path: &str, depth: usize) -> Result<()> {
    check_depth(path, depth)?;
    check_struct(schema, path)?;
    check_names(schema, path)?;
    for field in &schema.fields {
        check_field(field, schema, &join(path, &field.name), depth)?;
    }
    check_overlap(schema, path)
}

fn check_depth(path: &str, depth: usize) -> Result<()> {
    require(depth <= MAX_DEPTH, path, || format!("nested {depth} deep, at most {MAX_DEPTH}"))
}

fn check_struct(schema: &Schema, path: &str) -> Result<()> {
    let Schema { byte_length, alignment, ref fields } = *schema;
    require((1..=MAX_FIELDS).contains(&fields.len()), path, || format!("{} fields, 1 to {MAX_FIELDS} are taken", fields.len()))?;
    require((1..=MAX_BYTE_LENGTH).contains(&byte_length), path, || format!("byteLength {byte_length}, 1 to {MAX_BYTE_LENGTH} is taken"))?;
    let possible = alignment.is_power_of_two() && alignment <= MAX_ALIGNMENT;
    require(possible, path, || format!("alignment {alignment} is no power of two up to {MAX_ALIGNMENT}"))?;
    require(byte_length % alignment == 0, path, || format!("byteLength {byte_length} is no multiple of its alignment {alignment}"))
}

fn check_names(schema: &Schema, path: &str) -> Result<()> {
    let mut seen = HashSet::new();
    for (index, Field { name, .. }) in schema.fields.iter().enumerate() {
        let position = || join(path, &format!("{index}"));
        require(name.len() <= MAX_NAME_BYTES, &position(), || format!("a name of {} bytes, at most {MAX_NAME_BYTES}", name.len()))?;
        require(is_name(name), &position(), || format!("{name:?} is not a field name"))?;
        require(seen.insert(name), &join(path, name), || "declared twice".to_owned())?;
    }
    Ok(())
}

fn is_name(name: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$';
    !name.is_empty() && name.bytes().all(word) && !name.as_bytes()[0].is_ascii_digit() && !RESERVED.contains(&name)
}

fn check_field(field: &Field, parent: &Schema, path: &str, depth: usize) -> Result<()> {
    check_type(&field.ty, path, depth)?;
    let (start, alignment) = (field.byte_offset, field.ty.alignment());
    let end = start.saturating_add(field.ty.byte_length());
    require(end <= parent.byte_length, path, || format!("ends at byte {end}, its struct has {}", parent.byte_length))?;
    require(start % alignment == 0, path, || format!("byteOffset {start} is no multiple of its alignment {alignment}"))?;
    let enough = || format!("needs alignment {alignment}, its struct has {}", parent.alignment);
    require(alignment <= parent.alignment, path, enough)
}

fn check_type(ty: &FieldType, path: &str, depth: usize) -> Result<()> {
    match ty {
        FieldType::Text(length) | FieldType::Bytes(length) => check_length(*length, path),
        FieldType::Struct(schema) => check(schema, path, depth + 1),
        FieldType::Array(element, length) => {
            check_depth(path, depth + 1)?;
            check_length(*length, path)?;
            check_type(element, &format!("{path}[]"), depth + 1)
        }
        _ => Ok(()),
    }
}

fn check_length(length: usize, path: &str) -> Result<()> {
    require((1..=MAX_LENGTH).contains(&length), path, || format!("length {length}, 1 to {MAX_LENGTH} is taken"))
}

fn check_overlap(schema: &Schema, path: &str) -> Result<()> {
    let mut fields: Vec<&Field> = schema.fields.iter().collect();
    fields.sort_by_key(|field| field.byte_offset);
    for pair in fields.windows(2) {
        let (before, field) = (pair[0], pair[1]);
        let apart = before.byte_offset + before.ty.byte_length() <= field.byte_offset;
        require(apart, &join(path, &field.name), || format!("byteOffset {} is inside field {}", field.byte_offset, before.name))?;
    }
    Ok(())
}

fn require(rule: bool, path: &str, fact: impl FnOnce() -> String) -> Result<()> {
    if rule { Ok(()) } else { Err(fault(path, fact())) }
}
