//! Names, and where they lie.

use crate::error::{Code, Error, Result};
use crate::sys;
use std::fmt;
use std::path::{Path, PathBuf};

/// The directory of POSIX shared memory objects.
pub const DEFAULT_DIRECTORY: &str = sys::DEFAULT_DIRECTORY;

/// Longest name in bytes, as in the filesystem.
const NAME_MAX: usize = 255;

/// Begins the names that exist only between two steps of a creator. No segment has a name that begins like them.
const TEMPORARY: &str = sys::TEMPORARY;

/// What follows it: a random number in so many hexadecimal digits.
const DIGITS: usize = 32;

/// A checked name in a directory. `pose` in the default directory is `/dev/shm/pose`, the object that `shm_open("/pose")` opens.
#[derive(Clone, PartialEq, Eq)]
pub struct Name {
    directory: PathBuf,
    path: PathBuf,
}

impl Name {
    /// Checks the name: not empty, at most 255 bytes, no slash, no NUL, not `.` or `..`.
    pub fn new(name: &str, directory: Option<&Path>) -> Result<Name> {
        if let Some(fault) = fault(name) {
            return Err(Error::new(Code::InvalidName, format!("segment name {name:?}: {fault}")));
        }
        let directory = directory.unwrap_or(Path::new(DEFAULT_DIRECTORY)).to_path_buf();
        if directory.as_os_str().as_encoded_bytes().contains(&0) {
            return Err(Error::new(Code::InvalidName, format!("directory {directory:?}: holds a NUL")));
        }
        let path = directory.join(name);
        Ok(Name { directory, path })
    }

    /// The directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The whole path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A fresh path in the same directory that no segment can have.
    pub(crate) fn temporary(&self) -> Result<PathBuf> {
        let random = sys::random_bytes().map_err(|errno| Error::system(format_args!("create {self}"), "getrandom", errno))?;
        Ok(self.directory.join(format!("{TEMPORARY}{:0DIGITS$x}", u128::from_ne_bytes(random))))
    }

    /// The name of what has such a path; `None` for a file name that is none of them.
    pub(crate) fn of_temporary(file_name: &str, directory: &Path) -> Option<Name> {
        is_temporary(file_name).then(|| Name { directory: directory.to_path_buf(), path: directory.join(file_name) })
    }
}

/// Whether a creator makes such names. What only begins like one is somebody's own file.
fn is_temporary(file_name: &str) -> bool {
    let digits = file_name.strip_prefix(TEMPORARY).filter(|digits| digits.len() == DIGITS);
    digits.is_some_and(|digits| digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')))
}

fn fault(name: &str) -> Option<String> {
    match name {
        "" => Some("empty".into()),
        "." | ".." => Some("a directory".into()),
        name if name.len() > NAME_MAX => Some(format!("{} bytes, at most {NAME_MAX} fit", name.len())),
        name if name.contains('/') => Some("holds a slash".into()),
        name if name.contains('\0') => Some("holds a NUL".into()),
        name if name.starts_with(TEMPORARY) => Some(format!("begins with {TEMPORARY}, which is reserved")),
        _ => None,
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({})", self.path.display())
    }
}
