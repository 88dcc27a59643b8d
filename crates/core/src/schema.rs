//! What the bytes of a value mean: field names, types and offsets, as they travel inside the segment.
//!
//! The JSON is canonical: Rust and TypeScript write the same bytes for the same declaration, so equal hashes mean equal schemas.
//! A schema read from a segment was written by somebody else: [`Schema::parse`] believes nothing.

mod check;
mod plan;
mod read;
mod types;

use serde::{Serialize, Serializer};

pub use check::{MAX_ALIGNMENT, MAX_BYTE_LENGTH, MAX_DEPTH, MAX_FIELDS, MAX_LENGTH, MAX_NAME_BYTES};
pub use plan::{CopyPlan, CopyRun, MAX_RUNS};
pub use types::FieldType;

use crate::error::{Code, Error, Result};

/// The longest schema, in bytes of JSON.
pub const MAX_JSON_BYTES: usize = 1 << 20;

/// The layout of a struct, as the C compiler lays it out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Schema {
    /// The struct's size with its padding: a multiple of `alignment`.
    pub byte_length: usize,
    /// The largest alignment among the fields, a power of two.
    pub alignment: usize,
    /// The fields in the order of their declaration.
    pub fields: Vec<Field>,
}

/// One field of a [`Schema`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Field {
    /// The name, unique within its struct: letters, digits, `_` and `$`.
    pub name: String,
    /// The type.
    #[serde(rename = "type")]
    pub ty: FieldType,
    /// Where the field starts, in bytes from the start of its struct.
    pub byte_offset: usize,
    /// Notes for people and tools, such as `unit` and `description`, in the order they were given. They take no part in matching.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "as_map")]
    pub meta: Vec<(String, String)>,
}

impl Schema {
    /// The canonical JSON.
    ///
    /// ```
    /// pagecast::record! { struct Point { x: f64, #[meta(unit = "m")] y: f64 } }
    /// use pagecast::Record;
    /// assert_eq!(
    ///     Point::schema().to_json(),
    ///     r#"{"byteLength":16,"alignment":8,"fields":[{"name":"x","type":"f64","byteOffset":0},{"name":"y","type":"f64","byteOffset":8,"meta":{"unit":"m"}}]}"#
    /// );
    /// ```
    #[expect(clippy::expect_used, reason = "writing to a string fails only for map keys that are no strings, and ours are strings")]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a schema always has a JSON form")
    }

    /// Reads a schema that anybody may have written, and checks all of it.
    ///
    /// # Errors
    /// `ERR_INVALID_SCHEMA`, with the path of the field at fault, for anything that [`validate`](Schema::validate) refuses, for JSON
    /// that is malformed or has another shape, and for more than [`MAX_JSON_BYTES`].
    ///
    /// ```
    /// use pagecast::{Code, Schema};
    /// let json = br#"{"byteLength":8,"alignment":4,"fields":[{"name":"x","type":"f32","byteOffset":2}]}"#;
    /// let error = Schema::parse(json).unwrap_err();
    /// assert_eq!(error.code(), Code::InvalidSchema);
    /// assert_eq!(error.message(), "schema field x: byteOffset 2 is no multiple of its alignment 4");
    /// ```
    pub fn parse(json: &[u8]) -> Result<Schema> {
        if json.len() > MAX_JSON_BYTES {
            return Err(fault("", format_args!("{} bytes of JSON, at most {MAX_JSON_BYTES} are taken", json.len())));
        }
        let schema = read::read(json)?;
        schema.validate()?;
        Ok(schema)
    }

    /// Checks a schema that was built by hand: the limits, the names, and a layout that C could have made.
    ///
    /// # Errors
    /// `ERR_INVALID_SCHEMA`, with the path of the field at fault.
    pub fn validate(&self) -> Result<()> {
        check::check(self, "", 1)
    }

    /// The number that tells schemas apart quickly: FNV-1a, 64 bits, over the bytes of the JSON.
    ///
    /// ```
    /// assert_eq!(pagecast::Schema::hash(b"foobar"), 0x85944171f73967e8);
    /// ```
    pub fn hash(json: &[u8]) -> u64 {
        json.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
    }

    /// How to turn the publisher's bytes into `own`'s: by field name and type, at whatever offsets each side has them.
    ///
    /// Fields that only the publisher has are ignored. Structs inside structs and arrays match by the same rule; `meta` takes no part.
    ///
    /// # Errors
    /// `ERR_SCHEMA_MISMATCH`, with the path of the field, what was expected and what was found, for a field that the publisher lacks or
    /// has with another type, or for arrays of structs so different that copying takes more than [`MAX_RUNS`] runs.
    /// `ERR_INVALID_SCHEMA` where one of the two is not valid.
    pub fn match_fields(own: &Schema, publisher: &Schema) -> Result<CopyPlan> {
        own.validate()?;
        publisher.validate()?;
        CopyPlan::new(own, publisher)
    }
}

fn as_map<S: Serializer>(meta: &[(String, String)], serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.collect_map(meta.iter().map(|(key, value)| (key, value)))
}

/// The path of field `name` inside `path`. The name may be unchecked, so what a terminal could stumble over is escaped.
fn join(path: &str, name: &str) -> String {
    let dot = if path.is_empty() { "" } else { "." };
    let name: String = name.chars().take(MAX_NAME_BYTES).flat_map(char::escape_debug).collect();
    format!("{path}{dot}{name}")
}

fn fault(path: &str, fact: impl std::fmt::Display) -> Error {
    let subject = if path.is_empty() { "schema".to_owned() } else { format!("schema field {path}") };
    Error::new(Code::InvalidSchema, format!("{subject}: {fact}"))
}
