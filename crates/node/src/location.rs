//! Where a segment is, as TypeScript says it.

use napi_derive::napi;
use pagecast::{Code, Error, Location, Name};
use std::path::Path;

/// A name, a new memfd's label, or a descriptor: one of the three.
#[napi(object)]
pub struct NativeLocation {
    /// The segment's name.
    pub name: Option<String>,
    /// The name's directory.
    pub directory: Option<String>,
    /// The label of memory that is to be made.
    pub memfd: Option<String>,
    /// A descriptor by number, which stays the caller's.
    pub fd: Option<i32>,
}

impl NativeLocation {
    pub(crate) fn resolve(&self) -> pagecast::Result<Location> {
        match self {
            NativeLocation { name: Some(name), directory, .. } => Name::new(name, directory.as_deref().map(Path::new)).map(Location::Named),
            NativeLocation { memfd: Some(label), .. } => Ok(Location::Memory(label.clone())),
            NativeLocation { fd: Some(number), .. } => Location::duplicate(*number),
            _ => Err(Error::new(Code::InvalidArgument, "there is no segment without a name, a label or a descriptor")),
        }
    }
}
