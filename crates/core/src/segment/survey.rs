//! Which segments there are, and taking away those that nobody holds.

use super::{Found, Header, Name, Segment};
use crate::error::{Code, Error, Result};
use crate::roster::{Byte, LockFile};
use crate::sys::{self, Object};
use std::fs;
use std::path::Path;

/// One segment as `list` saw it.
#[derive(Clone, Debug)]
pub struct SegmentInfo {
    /// Its name in the directory.
    pub name: String,
    /// Size in bytes.
    pub byte_length: u64,
    /// Whether a publisher lives.
    pub publisher_alive: bool,
    /// When it was made: CLOCK_REALTIME in nanoseconds.
    pub created_ns: u64,
}

/// The segments of a directory (`None`: the default one), by name. Objects that are none, or may not be read, are passed over.
pub fn list(directory: Option<&Path>) -> Result<Vec<SegmentInfo>> {
    let mut found: Vec<_> = file_names(directory)?.into_iter().filter_map(|name| inspect(&name, directory).ok()).collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

fn file_names(directory: Option<&Path>) -> Result<Vec<String>> {
    let directory = directory.unwrap_or(Path::new(super::DEFAULT_DIRECTORY));
    let entries = fs::read_dir(directory).map_err(|error| {
        let errno = nix::errno::Errno::from_raw(error.raw_os_error().unwrap_or(0));
        Error::system(format_args!("list {}", directory.display()), "opendir", errno)
    })?;
    Ok(entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect())
}

fn inspect(file_name: &str, directory: Option<&Path>) -> Result<SegmentInfo> {
    let segment = Segment::open(&Name::new(file_name, directory)?, true)?;
    let locks = LockFile::reopen(segment.file(), true)?;
    Ok(SegmentInfo {
        name: file_name.to_owned(),
        byte_length: segment.header().segment_bytes,
        publisher_alive: locks.is_held(Byte::Publisher)?,
        created_ns: segment.header().created_ns,
    })
}

/// Takes the name of a segment away, unless a publisher lives. Those who are attached keep what they have.
pub fn remove(name: &Name) -> Result<()> {
    let object = match Segment::find(name, false)? {
        Found::Segment(segment) => segment.into_object(),
        Found::Damaged(object, _) => object,
    };
    let locks = LockFile::reopen(object.file(), false)?;
    // a successor may have taken the name meanwhile: then what is held here is not what would be unlinked
    let succeeded = || sys::identify(name.path()).is_ok_and(|now| object.describe().is_ok_and(|(held, _)| now != held));
    if !locks.hold(Byte::Publisher, format_args!("remove {name}"))? || succeeded() {
        return Err(Error::new(Code::PublisherExists, format!("remove {name}: its publisher lives")));
    }
    sys::remove_object(name.path()).map_err(|errno| Error::system(format_args!("remove {name}"), "unlink", errno))
}

/// Tells those who are or will be attached to a segment that is about to lose its last name. The publisher's byte is held.
pub(crate) type Farewell<'a> = &'a dyn Fn(&Segment);

/// Removes the segments of a directory that no publisher and no consumer holds, and what killed creators left. Returns their names.
pub(crate) fn clean(directory: Option<&Path>, farewell: Farewell<'_>) -> Result<Vec<String>> {
    let mut removed = Vec::new();
    for file_name in file_names(directory)? {
        let in_directory = directory.unwrap_or(Path::new(super::DEFAULT_DIRECTORY));
        let abandoned = match Name::of_temporary(&file_name, in_directory) {
            Some(temporary) => sweep_one(&temporary, farewell),
            None => clean_one(&file_name, directory, farewell),
        };
        if abandoned.unwrap_or(false) {
            removed.push(file_name);
        }
    }
    removed.sort();
    Ok(removed)
}

fn clean_one(file_name: &str, directory: Option<&Path>, farewell: Farewell<'_>) -> Result<bool> {
    let name = Name::new(file_name, directory)?;
    let segment = match Segment::find(&name, false)? {
        Found::Segment(segment) => segment,
        Found::Damaged(object, _) => return clean_hollow(&name, &object),
    };
    let locks = LockFile::reopen(segment.file(), false)?;
    if !locks.try_hold(Byte::Publisher)? || locks.any_attached()? || !segment.is_named(&name) {
        return Ok(false);
    }
    farewell(&segment); // before the unlink: who has found the name already attaches when he likes
    Ok(sys::remove_object(name.path()).is_ok())
}

/// A name that has outlived its memory. Whoever is attached still has the memory mapped.
fn clean_hollow(name: &Name, object: &Object) -> Result<bool> {
    if !object.is_hollow() {
        return Ok(false);
    }
    let locks = LockFile::reopen(object.file(), false)?;
    let is_named = || object.describe().is_ok_and(|(identity, _)| sys::identify(name.path()) == Ok(identity));
    if !locks.try_hold(Byte::Publisher)? || locks.any_attached()? || !is_named() {
        return Ok(false);
    }
    Ok(sys::remove_object(name.path()).is_ok())
}

/// Takes away what killed creators left in a directory under temporary names.
pub(crate) fn sweep(directory: &Path, farewell: Farewell<'_>) {
    for file_name in file_names(Some(directory)).unwrap_or_default() {
        if let Some(temporary) = Name::of_temporary(&file_name, directory) {
            let _ = sweep_one(&temporary, farewell);
        }
    }
}

/// A temporary name is left behind if no publisher holds what it leads to, or if that has its own name by now.
fn sweep_one(temporary: &Name, farewell: Farewell<'_>) -> Result<bool> {
    let failed = |call| move |errno| Error::system(format_args!("sweep {temporary}"), call, errno);
    let object = sys::open_object(temporary.path(), false).map_err(failed("open"))?;
    object.describe().map_err(failed("fstat"))?; // an error for what is no regular file
    // what a stranger put there is not worth the risk of touching it
    if !sys::is_own(object.file()).map_err(failed("fstat"))? {
        return Ok(false);
    }
    // until the name is gone: a creator that is only slow finds the byte taken or its name swept, never a part of both
    let locks = LockFile::reopen(object.file(), false)?;
    if sys::count_names(object.file()).map_err(failed("fstat"))? == 1 {
        if !locks.try_hold(Byte::Publisher)? {
            return Ok(false);
        }
        match Segment::find(temporary, false) {
            Ok(Found::Segment(segment)) => farewell(&segment), // one that was replaced, with consumers, or that was never finished
            Ok(Found::Damaged(..)) => {}
            Err(_) if Header::is_missing(object.memory()) => {}
            Err(_) => return Ok(false), // no creator's
        }
    }
    Ok(sys::remove_object(temporary.path()).is_ok())
}
