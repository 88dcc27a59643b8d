//! Where a segment is.

use super::Name;
use crate::error::{Code, Error, Result};
use crate::sys;
use nix::errno::Errno;
use std::fmt;
use std::os::fd::{OwnedFd, RawFd};
use std::sync::Arc;

/// Where a segment is: under a name that anybody may open, or where only a descriptor leads, which is handed on to a child, over a socket
/// or by a broker.
#[derive(Clone, Debug)]
pub enum Location {
    /// Under a name.
    Named(Name),
    /// In fresh memory without a name (memfd_create(2)) that is to be made; the label is shown in /proc.
    Memory(String),
    /// In the file of a descriptor, whatever names it has.
    Descriptor {
        /// The file, open.
        fd: Arc<OwnedFd>,
        /// What messages call it.
        label: String,
    },
}

impl Location {
    /// The file of this descriptor.
    pub fn descriptor(fd: OwnedFd) -> Location {
        Location::Descriptor { fd: Arc::new(fd), label: "a descriptor".into() }
    }

    /// The file of a descriptor by number, which stays the caller's: see [`duplicate`].
    pub fn duplicate(number: RawFd) -> Result<Location> {
        duplicate(number).map(|fd| Location::Descriptor { fd: Arc::new(fd), label: format!("descriptor {number}") })
    }

    /// The name, if it has one.
    pub fn name(&self) -> Option<&Name> {
        if let Location::Named(name) = self { Some(name) } else { None }
    }
}

/// A copy of a descriptor that was handed on by its number (fcntl(2), `F_DUPFD_CLOEXEC`). [`Code::InvalidArgument`] if it is none.
pub fn duplicate(number: RawFd) -> Result<OwnedFd> {
    let what = format!("duplicate descriptor {number}");
    sys::duplicate(number).map_err(|errno| match errno {
        Errno::EBADF => Error::system(format_args!("{what}: there is none"), "fcntl", errno).with_code(Code::InvalidArgument),
        errno => Error::system(what, "fcntl", errno),
    })
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Location::Named(name) => name.fmt(f),
            Location::Memory(label) => write!(f, "memfd:{label}"),
            Location::Descriptor { label, .. } => f.write_str(label),
        }
    }
}

impl From<&Location> for Location {
    fn from(location: &Location) -> Location {
        location.clone()
    }
}

impl From<Name> for Location {
    fn from(name: Name) -> Location {
        Location::Named(name)
    }
}

impl From<&Name> for Location {
    fn from(name: &Name) -> Location {
        Location::Named(name.clone())
    }
}
