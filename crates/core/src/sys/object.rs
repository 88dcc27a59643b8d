//! An object of shared memory by name: its memory, and the file in a directory that has the name.
//!
//! On Linux they are one and the same file. On macOS the memory is an object of shm_open(3), and a small file beside it has the name: [`beside`].

use super::{Identity, beside, platform};
use crate::testing::files_beside;
use nix::errno::Errno;
use std::os::fd::OwnedFd;
use std::path::Path;

type Sys<T> = nix::Result<T>;

/// Whether objects have a file beside them here: on macOS, and in tests that want to know what that is like.
fn stands_beside() -> bool {
    cfg!(target_os = "macos") || files_beside()
}

/// An open object.
#[derive(Debug)]
pub struct Object {
    memory: OwnedFd,
    beside: Option<OwnedFd>,
}

impl From<OwnedFd> for Object {
    /// Memory that is a file itself.
    fn from(memory: OwnedFd) -> Object {
        Object { memory, beside: None }
    }
}

impl Object {
    pub(super) fn with_file(memory: OwnedFd, file: OwnedFd) -> Object {
        Object { memory, beside: Some(file) }
    }

    /// What is mapped.
    pub(crate) fn memory(&self) -> &OwnedFd {
        &self.memory
    }

    /// What is mapped, alone.
    pub(crate) fn into_memory(self) -> OwnedFd {
        self.memory
    }

    /// What has the name, and is locked.
    pub(crate) fn file(&self) -> &OwnedFd {
        self.beside.as_ref().unwrap_or(&self.memory)
    }

    /// Identity of the file and size of the memory; `EINVAL` if it is no regular file.
    pub(crate) fn describe(&self) -> Sys<(Identity, u64)> {
        let (identity, size) = platform::describe(self.file())?;
        match self.beside {
            None => Ok((identity, size)),
            Some(_) => Ok((identity, super::extent(&self.memory)?.0)),
        }
    }

    /// Whether the file says where memory was that is there no longer, as after a restart of the system, or has no size yet.
    pub(crate) fn is_hollow(&self) -> bool {
        self.beside.is_some() && super::extent(&self.memory).is_ok_and(|(size, _)| size == 0)
    }

    /// Whether [`set_mode`](Self::set_mode) can give all of it these permission bits: those of an object of `shm_open` stay as they were made.
    pub(crate) fn can_have_mode(&self, mode: u32) -> bool {
        self.beside.is_none() || super::permissions(&self.memory) == Ok(mode)
    }

    /// `fchmod`
    pub(crate) fn set_mode(&self, mode: u32) -> Sys<()> {
        platform::set_mode(self.file(), mode)
    }
}

/// Opens what a name leads to; never follows a symbolic link, never blocks on a FIFO.
pub(crate) fn open_object(path: &Path, read_only: bool) -> Sys<Object> {
    if stands_beside() { beside::open(path, read_only) } else { platform::open_named(path, read_only).map(Object::from) }
}

/// As [`open_object`], where whoever asks takes any bytes for his own, and knows none of them from a stranger's.
pub(crate) fn open_shared(path: &Path, read_only: bool) -> Sys<Object> {
    if stands_beside() { beside::open_shared(path, read_only) } else { open_object(path, read_only) }
}

/// Makes an object at `path` with exactly these permission bits, whatever the umask: one that is to be given `name`.
pub(crate) fn create_object(path: &Path, name: &Path, mode: u32) -> Sys<Object> {
    if stands_beside() { beside::create(path, name, mode) } else { platform::create_exclusive(path, mode).map(Object::from) }
}

/// Makes an object that programs in other languages find by its name, with exactly these permission bits, whatever the umask.
pub(crate) fn create_shared(path: &Path, mode: u32) -> Sys<Object> {
    if stands_beside() { beside::create_shared(path, mode) } else { platform::create_exclusive(path, mode).map(Object::from) }
}

/// A file that has no name yet: `EOPNOTSUPP` where there is no such thing.
pub(crate) fn create_nameless(directory: &Path, mode: u32) -> Sys<OwnedFd> {
    if stands_beside() { Err(Errno::EOPNOTSUPP) } else { platform::create_unnamed(directory, mode) }
}

/// Takes a name away, and the memory with its last name. What is mapped stays.
pub(crate) fn remove_object(path: &Path) -> Sys<()> {
    if stands_beside() { beside::remove(path) } else { platform::unlink(path) }
}

/// As [`remove_object`], of what [`open_shared`] opens.
pub(crate) fn remove_shared(path: &Path) -> Sys<()> {
    if stands_beside() { beside::remove_shared(path) } else { remove_object(path) }
}

/// As [`identify`], of what [`open_shared`] opens.
pub(crate) fn identify_shared(path: &Path) -> Sys<Identity> {
    if stands_beside() { beside::identify_shared(path) } else { identify(path) }
}

/// Which file the name leads to now.
pub(crate) fn identify(path: &Path) -> Sys<Identity> {
    match platform::identify_file(path) {
        Err(Errno::ENOENT) if stands_beside() => beside::identify(path),
        identity => identity,
    }
}

/// Bytes of the object that a regular file of so many bytes stands for; `None` where it stands for none.
pub(crate) fn object_size(path: &Path, file_bytes: u64) -> Option<u64> {
    if stands_beside() { beside::size(path, file_bytes) } else { Some(file_bytes) }
}
