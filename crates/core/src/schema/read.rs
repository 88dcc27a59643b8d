//! JSON to schema: the shape only. What the numbers and names may be is `check`'s business.

use serde_json::{Map, Value};

use super::{Field, FieldType, Schema, fault, join};
use crate::error::Result;

type Object = Map<String, Value>;

/// `serde_json` refuses nesting deeper than 128, which bounds every recursion below.
pub(super) fn read(json: &[u8]) -> Result<Schema> {
    let value = serde_json::from_slice(json).map_err(|error| fault("", format_args!("malformed JSON: {error}")))?;
    read_schema(&value, "")
}

fn read_schema(value: &Value, path: &str) -> Result<Schema> {
    let object = read_object(value, path, &["byteLength", "alignment", "fields"])?;
    let fields = object.get("fields").and_then(Value::as_array).ok_or_else(|| fault(path, "\"fields\" must be an array"))?;
    Ok(Schema {
        byte_length: read_number(object, "byteLength", path)?,
        alignment: read_number(object, "alignment", path)?,
        fields: fields.iter().enumerate().map(|(index, field)| read_field(field, index, path)).collect::<Result<_>>()?,
    })
}

fn read_field(value: &Value, index: usize, parent: &str) -> Result<Field> {
    let position = join(parent, &format!("{index}"));
    let object = read_object(value, &position, &["name", "type", "byteOffset", "meta"])?;
    let name = object.get("name").and_then(Value::as_str).ok_or_else(|| fault(&position, "\"name\" must be a string"))?;
    let path = join(parent, name);
    let ty = object.get("type").ok_or_else(|| fault(&path, "\"type\" is missing"))?;
    Ok(Field {
        name: name.to_owned(),
        ty: read_type(ty, &path)?,
        byte_offset: read_number(object, "byteOffset", &path)?,
        meta: object.get("meta").map_or(Ok(Vec::new()), |meta| read_meta(meta, &path))?,
    })
}

fn read_type(value: &Value, path: &str) -> Result<FieldType> {
    match value {
        Value::String(name) => FieldType::scalar(name).ok_or_else(|| fault(path, format_args!("unknown type \"{}\"", join("", name)))),
        Value::Object(object) => read_compound(object, path),
        _ => Err(fault(path, "\"type\" must be a string or an object")),
    }
}

fn read_compound(object: &Object, path: &str) -> Result<FieldType> {
    let mut keys: Vec<&str> = object.keys().map(String::as_str).collect();
    keys.sort_unstable();
    match keys[..] {
        ["text"] => Ok(FieldType::Text(read_number(object, "text", path)?)),
        ["bytes"] => Ok(FieldType::Bytes(read_number(object, "bytes", path)?)),
        ["struct"] => Ok(FieldType::Struct(Box::new(read_schema(&object["struct"], path)?))),
        ["array", "length"] => {
            let element = read_type(&object["array"], &format!("{path}[]"))?;
            Ok(FieldType::Array(Box::new(element), read_number(object, "length", path)?))
        }
        _ => Err(fault(path, "\"type\" must have the key text, bytes or struct, or the keys array and length")),
    }
}

fn read_meta(value: &Value, path: &str) -> Result<Vec<(String, String)>> {
    let object = value.as_object().ok_or_else(|| fault(path, "\"meta\" must be an object"))?;
    let entry = |(key, value): (&String, &Value)| value.as_str().map(|value| (key.clone(), value.to_owned()));
    object.iter().map(entry).collect::<Option<_>>().ok_or_else(|| fault(path, "every value in \"meta\" must be a string"))
}

fn read_object<'a>(value: &'a Value, path: &str, known: &[&str]) -> Result<&'a Object> {
    let object = value.as_object().ok_or_else(|| fault(path, "must be an object"))?;
    match object.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(fault(path, format_args!("unknown key \"{}\"", join("", key)))),
        None => Ok(object),
    }
}

fn read_number(object: &Object, key: &str, path: &str) -> Result<usize> {
    let number = object.get(key).and_then(Value::as_u64).and_then(|number| usize::try_from(number).ok());
    number.ok_or_else(|| fault(path, format_args!("\"{key}\" must be a whole number")))
}
