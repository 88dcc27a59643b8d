//! The type of one field, and its size in C.

use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeMap};

use super::Schema;

/// The type of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// `int8_t`
    I8,
    /// `uint8_t`
    U8,
    /// `int16_t`
    I16,
    /// `uint16_t`
    U16,
    /// `int32_t`
    I32,
    /// `uint32_t`
    U32,
    /// `int64_t`
    I64,
    /// `uint64_t`
    U64,
    /// `float`
    F32,
    /// `double`
    F64,
    /// One byte: 0 is false, anything else is true.
    Bool,
    /// `char[N]`: UTF-8, padded with NUL, without a terminator when full.
    Text(usize),
    /// `uint8_t[N]`
    Bytes(usize),
    /// `T[N]`
    Array(Box<FieldType>, usize),
    /// A struct inside the struct.
    Struct(Box<Schema>),
}

use FieldType::*;

static SCALARS: [(&str, FieldType); 11] = [
    ("i8", I8),
    ("u8", U8),
    ("i16", I16),
    ("u16", U16),
    ("i32", I32),
    ("u32", U32),
    ("i64", I64),
    ("u64", U64),
    ("f32", F32),
    ("f64", F64),
    ("bool", Bool),
];

impl FieldType {
    /// The size in bytes; `usize::MAX` for a type too large to count.
    pub fn byte_length(&self) -> usize {
        match self {
            I8 | U8 | Bool => 1,
            I16 | U16 => 2,
            I32 | U32 | F32 => 4,
            I64 | U64 | F64 => 8,
            Text(length) | Bytes(length) => *length,
            Array(element, length) => element.byte_length().saturating_mul(*length),
            Struct(schema) => schema.byte_length,
        }
    }

    /// The alignment in bytes.
    pub fn alignment(&self) -> usize {
        match self {
            Text(_) | Bytes(_) => 1,
            Array(element, _) => element.alignment(),
            Struct(schema) => schema.alignment,
            scalar => scalar.byte_length(),
        }
    }

    pub(super) fn scalar(name: &str) -> Option<FieldType> {
        SCALARS.iter().find(|(known, _)| *known == name).map(|(_, scalar)| scalar.clone())
    }

    fn scalar_name(&self) -> &'static str {
        SCALARS.iter().find(|(_, scalar)| scalar == self).map_or("struct", |(name, _)| name)
    }
}

/// As a declaration would have it: `f64`, `text(16)`, `array(f64, 8)`, `struct`.
impl fmt::Display for FieldType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Text(length) => write!(f, "text({length})"),
            Bytes(length) => write!(f, "bytes({length})"),
            Array(element, length) => write!(f, "array({element}, {length})"),
            other => f.write_str(other.scalar_name()),
        }
    }
}

impl Serialize for FieldType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Text(length) => serializer.collect_map([("text", length)]),
            Bytes(length) => serializer.collect_map([("bytes", length)]),
            Struct(schema) => serializer.collect_map([("struct", schema)]),
            Array(element, length) => {
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("array", element)?;
                map.serialize_entry("length", length)?;
                map.end()
            }
            scalar => serializer.serialize_str(scalar.scalar_name()),
        }
    }
}
