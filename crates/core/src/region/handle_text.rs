//! Handles as text, which is nobody's to be trusted.

use super::handle::{Handle, Named, Open, Whereabouts};
use super::sysv::Known;
use crate::error::{Code, Error, Result};
use crate::segment::Name;
use crate::sys::{self, Access, Identity};
use serde_json::{Map, Value, json};
use std::os::fd::RawFd;
use std::path::Path;

const KIND: &str = "pagecast.region";
const VERSION: u64 = 1;
/// In the order in which they are written.
const FIELDS: [&str; 16] = [
    "kind",
    "version",
    "address",
    "byteLength",
    "byteOffset",
    "access",
    "device",
    "inode",
    "bornAt",
    "shm",
    "directory",
    "file",
    "pid",
    "fd",
    "sysv",
    "changedAt",
];
/// Those that only what is open has, and only a SysV segment.
const OF_OPEN: [&str; 6] = ["shm", "directory", "file", "pid", "fd", "bornAt"];
const OF_SYSV: [&str; 2] = ["sysv", "changedAt"];
/// The largest whole number that JavaScript has.
const MOST: u64 = (1 << 53) - 1;
/// Characters of a bad value that are shown.
const SHOWN: usize = 60;

impl Handle {
    /// The handle as JSON: one object, whose numbers of more than 53 bits are strings.
    pub fn to_json(&self) -> String {
        let mut fields = json!({
            "kind": KIND,
            "version": VERSION,
            "address": format!("{:#x}", self.address),
            "byteLength": self.byte_length,
            "byteOffset": self.byte_offset,
            "access": self.access.to_string(),
        });
        let identity = match &self.object {
            Whereabouts::Open(open) => open.identity,
            Whereabouts::SysV(known) => known.namespace,
        };
        fields["device"] = json!(identity.device.to_string());
        fields["inode"] = json!(identity.inode.to_string());
        match &self.object {
            Whereabouts::Open(open) => {
                if let Some(born_at) = open.born_at {
                    fields["bornAt"] = json!(born_at.to_string());
                }
                match &open.named {
                    Some(Named::Shared { name, directory }) => {
                        fields["shm"] = json!(name);
                        fields["directory"] = json!(directory);
                    }
                    Some(Named::File(path)) => fields["file"] = json!(path),
                    None => {}
                }
                fields["pid"] = json!(open.pid);
                fields["fd"] = json!(open.fd);
            }
            Whereabouts::SysV(known) => {
                fields["sysv"] = json!(known.id);
                fields["changedAt"] = json!(known.changed_at);
            }
        }
        fields.to_string()
    }

    /// A handle from JSON. [`Code::InvalidArgument`] names what is wrong with it.
    pub fn from_json(json: &str) -> Result<Handle> {
        let value: Value = serde_json::from_str(json).map_err(|error| invalid(format!("malformed JSON: {error}")))?;
        let Value::Object(object) = value else { return Err(invalid(format!("it is {}, expected an object", shown(Some(&value))))) };
        if let Some(stranger) = object.keys().find(|key| !FIELDS.contains(&key.as_str())) {
            return Err(invalid(format!("there is no field {}, expected {}", shown(Some(&json!(stranger))), FIELDS.join(", "))));
        }
        let fields = Fields(&object);
        fields.get("kind", &json!(KIND).to_string(), |value| (value == KIND).then_some(()))?;
        fields.get("version", &VERSION.to_string(), |value| (*value == VERSION).then_some(()))?;
        let page = sys::page_size();
        let is_page = |number: &u64| number.is_multiple_of(page);
        Ok(Handle {
            address: fields.get("address", &format!("the address of a page of {page} bytes, as \"0x1000\""), |value| {
                address(value.as_str()?).filter(is_page).filter(|address| *address > 0)
            })?,
            byte_length: fields.number("byteLength", 1..=MOST)?,
            byte_offset: fields.get("byteOffset", &format!("a multiple of the page size, {page}"), |value| {
                value.as_u64().filter(is_page).filter(|offset| *offset <= MOST)
            })?,
            access: fields.get("access", "one of none, r, rw, rx, rwx", |value| value.as_str()?.parse::<Access>().ok())?,
            object: fields.whereabouts()?,
        })
    }
}

fn invalid(fact: impl std::fmt::Display) -> Error {
    Error::new(Code::InvalidArgument, format!("handle: {fact}"))
}

/// A value, or as much of it as a message can take.
fn shown(value: Option<&Value>) -> String {
    let Some(value) = value else { return "missing".into() };
    let text = value.to_string();
    if text.chars().count() <= SHOWN { text } else { format!("{}…", text.chars().take(SHOWN).collect::<String>()) }
}

/// As `to_json` writes it: without leading zeros, capitals or signs.
fn address(text: &str) -> Option<u64> {
    let address = u64::from_str_radix(text.strip_prefix("0x")?, 16).ok()?;
    (format!("{address:#x}") == text).then_some(address)
}

struct Fields<'a>(&'a Map<String, Value>);

impl Fields<'_> {
    fn get<T>(&self, field: &str, expected: &str, read: impl FnOnce(&Value) -> Option<T>) -> Result<T> {
        let value = self.0.get(field);
        value.and_then(read).ok_or_else(|| invalid(format!("{field} is {}, expected {expected}", shown(value))))
    }

    fn number(&self, field: &str, range: std::ops::RangeInclusive<u64>) -> Result<u64> {
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        self.get(field, &expected, |value| value.as_u64().filter(|number| range.contains(number)))
    }

    fn decimal(&self, field: &str) -> Result<u64> {
        self.get(field, "a number of 64 bits in decimal digits, as a string", |value| {
            let text = value.as_str()?;
            text.parse().ok().filter(|number: &u64| number.to_string() == text)
        })
    }

    fn path(&self, field: &str) -> Result<String> {
        self.get(field, "an absolute path", |value| {
            value.as_str().filter(|path| path.starts_with('/') && !path.contains('\0')).map(str::to_owned)
        })
    }

    fn has(&self, field: &str) -> bool {
        self.0.contains_key(field)
    }

    fn whereabouts(&self) -> Result<Whereabouts> {
        let identity = Identity { device: self.decimal("device")?, inode: self.decimal("inode")? };
        let present = |fields: &[&'static str]| fields.iter().copied().find(|field| self.has(field));
        match (present(&OF_SYSV), present(&OF_OPEN)) {
            (Some(of_sysv), Some(of_open)) => {
                Err(invalid(format!("it has both {of_sysv} and {of_open}, expected a SysV segment or what is open")))
            }
            (Some(_), None) => Ok(Whereabouts::SysV(Known {
                namespace: identity,
                id: i32::try_from(self.number("sysv", 0..=i32::MAX as u64)?).unwrap_or_default(),
                changed_at: self.number("changedAt", 0..=MOST)?,
            })),
            (None, _) => Ok(Whereabouts::Open(Open {
                identity,
                born_at: self.has("bornAt").then(|| self.decimal("bornAt")).transpose()?,
                named: self.named()?,
                pid: u32::try_from(self.number("pid", 1..=i32::MAX as u64)?).unwrap_or_default(),
                fd: RawFd::try_from(self.number("fd", 0..=i32::MAX as u64)?).unwrap_or_default(),
            })),
        }
    }

    fn named(&self) -> Result<Option<Named>> {
        match (self.has("shm"), self.has("file")) {
            (true, true) => Err(invalid("it has both shm and file, expected one of them or none")),
            (true, false) => {
                let directory = self.path("directory")?;
                let name = self.get("shm", "a name of shared memory", |value| {
                    value.as_str().filter(|name| Name::new(name, Some(Path::new(&directory))).is_ok()).map(str::to_owned)
                })?;
                Ok(Some(Named::Shared { name, directory }))
            }
            (false, _) if self.has("directory") => Err(invalid("it has a directory, and no shm that would be in it")),
            (false, true) => self.path("file").map(|path| Some(Named::File(path))),
            (false, false) => Ok(None),
        }
    }
}
