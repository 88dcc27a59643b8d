//! Which segments there are, and taking away those that nobody holds.

use super::name::is_temporary;
use super::{Found, Name, Segment};
use crate::error::{Code, Error, Result};
use crate::roster::{Byte, LockFile};
use crate::sys;
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
    let locks = LockFile::reopen(segment.fd(), true)?;
    Ok(SegmentInfo {
        name: file_name.to_owned(),
        byte_length: segment.header().segment_bytes,
        publisher_alive: locks.is_held(Byte::Publisher)?,
        created_ns: segment.header().created_ns,
    })
}

/// Takes the name of a segment away, unless a publisher lives. Those who are attached keep what they have.
pub fn remove(name: &Name) -> Result<()> {
    let fd = match Segment::find(name, false)? {
        Found::Segment(segment) => segment.into_fd(),
        Found::Damaged(fd, _) => fd,
    };
    let locks = LockFile::reopen(&fd, false)?;
    // a successor may have taken the name meanwhile: then what is held here is not what would be unlinked
    let succeeded = || sys::identify(name.path()).is_ok_and(|now| sys::describe(&fd).is_ok_and(|(held, _)| now != held));
    if !locks.hold(Byte::Publisher)? || succeeded() {
        return Err(Error::new(Code::PublisherExists, format!("remove {name}: its publisher lives")));
    }
    sys::unlink(name.path()).map_err(|errno| Error::system(format_args!("remove {name}"), "unlink", errno))
}

/// Removes the segments of a directory that no publisher and no consumer holds, and what a killed replacement left. Returns their names.
pub fn clean(directory: Option<&Path>) -> Result<Vec<String>> {
    let mut removed = Vec::new();
    for file_name in file_names(directory)? {
        let abandoned = if is_temporary(&file_name) { sweep(&file_name, directory) } else { clean_one(&file_name, directory) };
        if abandoned.unwrap_or(false) {
            removed.push(file_name);
        }
    }
    removed.sort();
    Ok(removed)
}

fn clean_one(file_name: &str, directory: Option<&Path>) -> Result<bool> {
    let name = Name::new(file_name, directory)?;
    let segment = Segment::open(&name, false)?;
    let locks = LockFile::reopen(segment.fd(), false)?;
    if !locks.try_hold(Byte::Publisher)? || locks.any_attached()? || !segment.is_named(&name) {
        return Ok(false);
    }
    Ok(sys::unlink(name.path()).is_ok())
}

/// A temporary name whose segment no publisher holds is what a killed replacement left.
fn sweep(file_name: &str, directory: Option<&Path>) -> Result<bool> {
    let path = directory.unwrap_or(Path::new(super::DEFAULT_DIRECTORY)).join(file_name);
    let open = |errno| Error::system(format_args!("sweep {}", path.display()), "open", errno);
    let fd = sys::open_object(&path, false).map_err(open)?;
    let locks = LockFile::reopen(&fd, false)?;
    Ok(locks.try_hold(Byte::Publisher)? && sys::unlink(&path).is_ok())
}

/// Sweeps every temporary name of a directory.
pub(crate) fn sweep_all(directory: &Path) {
    for file_name in file_names(Some(directory)).unwrap_or_default() {
        if is_temporary(&file_name) {
            let _ = sweep(&file_name, Some(directory));
        }
    }
}
