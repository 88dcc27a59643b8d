//! From the publisher's layout to one's own, worked out once and then only copied.

use super::{Field, FieldType, Schema, join};
use crate::error::{Code, Error, Result};

/// The most runs in one plan.
pub const MAX_RUNS: usize = 1 << 20;

/// Which bytes of a publisher's value make one's own: the result of [`Schema::match_fields`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyPlan {
    runs: Vec<CopyRun>,
    is_identity: bool,
}

/// Bytes that are copied in one go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopyRun {
    /// Where they start in the publisher's value.
    pub from: usize,
    /// Where they start in one's own.
    pub to: usize,
    /// How many they are.
    pub byte_length: usize,
}

impl CopyPlan {
    /// Both schemas have been validated, so no sum below overflows.
    pub(super) fn new(own: &Schema, publisher: &Schema) -> Result<CopyPlan> {
        let runs = match_struct(own, publisher, "")?;
        let is_identity = own.byte_length <= publisher.byte_length && runs.iter().all(|run| run.from == run.to);
        Ok(CopyPlan { runs, is_identity })
    }

    /// The runs in the order of one's own bytes. Where both sides have a gap of the same size, a run may go over it: padding of one's
    /// own may then be written, a field never.
    pub fn runs(&self) -> &[CopyRun] {
        &self.runs
    }

    /// Whether the publisher's bytes can be read as one's own without copying them about.
    pub fn is_identity(&self) -> bool {
        self.is_identity
    }

    /// Copies every field.
    ///
    /// # Panics
    /// When `publisher` or `own` is shorter than its schema says.
    pub fn apply(&self, publisher: &[u8], own: &mut [u8]) {
        for &CopyRun { from, to, byte_length } in &self.runs {
            own[to..to + byte_length].copy_from_slice(&publisher[from..from + byte_length]);
        }
    }
}

fn match_struct(own: &Schema, publisher: &Schema, path: &str) -> Result<Vec<CopyRun>> {
    let mut fields: Vec<&Field> = own.fields.iter().collect();
    fields.sort_by_key(|field| field.byte_offset);
    let mut runs = Vec::new();
    for Field { name, ty, byte_offset, .. } in fields {
        let path = join(path, name);
        let found = publisher.fields.iter().find(|field| field.name == *name);
        let found = found.ok_or_else(|| mismatch(&path, format_args!("expected {ty}, the publisher has no such field")))?;
        append(&mut runs, &match_type(ty, &found.ty, &path)?, found.byte_offset, *byte_offset, &path)?;
    }
    Ok(runs)
}

fn match_type(own: &FieldType, publisher: &FieldType, path: &str) -> Result<Vec<CopyRun>> {
    match (own, publisher) {
        (FieldType::Struct(own), FieldType::Struct(publisher)) => match_struct(own, publisher, path),
        (FieldType::Array(own, length), FieldType::Array(publisher, found)) if length == found => {
            match_array(own, publisher, *length, path)
        }
        _ if own == publisher => Ok(vec![CopyRun { from: 0, to: 0, byte_length: own.byte_length() }]),
        _ => Err(mismatch(path, format_args!("expected {own}, found {publisher}"))),
    }
}

fn match_array(own: &FieldType, publisher: &FieldType, length: usize, path: &str) -> Result<Vec<CopyRun>> {
    let path = &format!("{path}[]");
    let element = match_type(own, publisher, path)?;
    let (from, to) = (publisher.byte_length(), own.byte_length());
    if let [run] = element[..]
        && from == to
    {
        return Ok(vec![CopyRun { byte_length: to * (length - 1) + run.byte_length, ..run }]);
    }
    let mut runs = Vec::new();
    for index in 0..length {
        append(&mut runs, &element, index * from, index * to, path)?;
    }
    Ok(runs)
}

fn append(runs: &mut Vec<CopyRun>, more: &[CopyRun], from: usize, to: usize, path: &str) -> Result<()> {
    for run in more {
        let run = CopyRun { from: run.from + from, to: run.to + to, byte_length: run.byte_length };
        match runs.last_mut() {
            // The runs come in the order of one's own fields: a gap before this one is padding there.
            Some(last) if run.from.checked_sub(last.from) == Some(run.to - last.to) => {
                last.byte_length = run.to - last.to + run.byte_length;
            }
            _ => runs.push(run),
        }
    }
    match runs.len() {
        0..=MAX_RUNS => Ok(()),
        _ => Err(mismatch(path, format_args!("the layouts differ so much that copying takes more than {MAX_RUNS} runs"))),
    }
}

fn mismatch(path: &str, fact: std::fmt::Arguments<'_>) -> Error {
    Error::new(Code::SchemaMismatch, format!("match schema: field {path}: {fact}"))
}
