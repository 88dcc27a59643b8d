//! What a region is to be.

use super::handle::Handle;
use super::sysv::Known;
use crate::error::{Code, Error, Result};
use crate::segment::{Name, duplicate};
use crate::sys::{self, Access};
use std::os::fd::{OwnedFd, RawFd};
use std::path::PathBuf;

/// Where a region's bytes are.
#[derive(Debug, Default)]
pub enum Source {
    /// Fresh zeros, without a name. Shared, they are a memfd that nobody can make shorter (memfd_create(2), `F_SEAL_SHRINK`), of a length that is a
    /// multiple of 64 KiB.
    #[default]
    Anonymous,
    /// A memfd that is to be handed on; the word is shown in /proc.
    Memory(String),
    /// A file without a name in this directory (open(2), `O_TMPFILE`).
    Temporary(PathBuf),
    /// A file or a device.
    File {
        /// Where it is.
        path: PathBuf,
        /// The permission bits of the file that is made if there is none.
        create: Option<u32>,
    },
    /// An object of shared memory that is there.
    Shared(Name),
    /// Whatever the descriptor leads to.
    Descriptor(OwnedFd),
    /// A SysV segment, by its id: see [`SysVSharedMemory`](super::SysVSharedMemory). It is never private, and its room is not for a region to take.
    SysV(i32),
    /// An object of shared memory that is open, and the name that it was opened by.
    Opened(OwnedFd, Name),
    /// What a region of another process has mapped: [`Handle::options`] says the rest.
    Handle {
        /// That region.
        handle: Box<Handle>,
        /// The object, if its descriptor was handed on; a SysV segment has none.
        fd: Option<OwnedFd>,
    },
}

impl Source {
    /// A descriptor by its number, which stays the caller's: see [`duplicate`].
    pub fn duplicate(number: RawFd) -> Result<Source> {
        duplicate(number).map(Source::Descriptor)
    }

    /// What it is, for messages.
    fn subject(&self) -> String {
        match self {
            Source::Anonymous => "anonymous memory".into(),
            Source::Memory(label) => format!("memfd {label:?}"),
            Source::Temporary(directory) => format!("a temporary file in {}", directory.display()),
            Source::File { path, .. } => path.display().to_string(),
            Source::Shared(name) => name.to_string(),
            Source::Descriptor(_) => "a descriptor's file".into(),
            Source::SysV(id) => format!("SysV segment {id}"),
            Source::Opened(_, name) => name.to_string(),
            Source::Handle { handle, .. } => handle.subject(),
        }
    }

    /// The id of the SysV segment that it is.
    pub(super) fn segment(&self) -> Option<i32> {
        if let Source::SysV(id) = self { Some(*id) } else { self.known().map(|known| known.id) }
    }

    /// Which segment that has to be.
    pub(super) fn known(&self) -> Option<Known> {
        if let Source::Handle { handle, .. } = self { handle.known() } else { None }
    }

    /// Whether it is made for the region, so that its size is the region's.
    fn is_new(&self) -> bool {
        matches!(self, Source::Anonymous | Source::Memory(_) | Source::Temporary(_))
    }

    /// Whether room is taken at once unless the caller says otherwise.
    fn reserves(&self) -> bool {
        matches!(self, Source::Memory(_) | Source::Shared(_))
    }
}

/// What becomes of what is at the address already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Placement {
    /// Nothing may be there: [`Code::AddressInUse`] (mmap(2), `MAP_FIXED_NOREPLACE`).
    #[default]
    Exclusive,
    /// If something is there, the region goes elsewhere.
    Hint,
    /// It lies within a [`Reservation`](crate::memory::Reservation) of this process, and no region is there: otherwise [`Code::AddressInUse`].
    Replace,
}

/// How [`Region::map`](super::Region::map) maps.
#[derive(Debug)]
pub struct MapOptions {
    /// Where the bytes are. Default: anonymous.
    pub source: Source,
    /// What messages call it. Default: what the source says.
    pub subject: Option<String>,
    /// Bytes mapped. Default: the rest of the object behind `byte_offset`; what is new, and a device, needs it. An empty file is extended.
    pub byte_length: Option<u64>,
    /// Where in the object it begins: a multiple of the page size. Default 0.
    pub byte_offset: u64,
    /// What may be done with the pages. Default: read and write.
    pub access: Access,
    /// Whether what is written stays in this process (`MAP_PRIVATE`, copy on write). Default false: shared.
    pub private: bool,
    /// Whether room is taken at once (posix_fallocate(3)), so that a full filesystem is an error here. Default: of a memfd and of shared
    /// memory, else not.
    pub reserve: Option<bool>,
    /// Where it goes. Default: where the kernel finds room.
    pub address: Option<(u64, Placement)>,
    /// Whether it goes where most likely nothing is in any process, to be found at the same address in others: see [`Region::handle`](super::Region::handle).
    /// Only without `address`, and not for what is private ([`Code::Private`]). Default false.
    pub portable: bool,
    /// Whether all pages are there at once (`MADV_POPULATE_WRITE`). Default false.
    pub populate: bool,
    /// Whether they stay in memory (mlock(2)). [`Code::NoAccess`] with access none. Default false.
    pub lock: bool,
    /// Whether they are to be huge ones (`MADV_HUGEPAGE`). [`Code::HugePages`] if the system refuses, or where /proc/self/smaps says that no page of a
    /// mapping can be one (`THPeligible`, since Linux 5.0): that is asked of each mapping of the region. Whether there is a huge page free when it is
    /// touched, nobody knows before. Default false.
    pub huge_pages: bool,
}

impl Default for MapOptions {
    fn default() -> MapOptions {
        MapOptions {
            source: Source::Anonymous,
            subject: None,
            byte_length: None,
            byte_offset: 0,
            access: Access::ReadWrite,
            private: false,
            reserve: None,
            address: None,
            portable: false,
            populate: false,
            lock: false,
            huge_pages: false,
        }
    }
}

impl MapOptions {
    /// The default.
    pub fn new(source: Source) -> MapOptions {
        MapOptions { source, ..MapOptions::default() }
    }

    pub(super) fn subject(&self) -> String {
        self.subject.clone().unwrap_or_else(|| self.source.subject())
    }

    pub(super) fn reserves(&self) -> bool {
        self.reserve.unwrap_or(self.source.reserves())
    }

    /// Whether others see what is written.
    pub(super) fn shares_writes(&self) -> bool {
        self.access.writes() && !self.private
    }

    /// What can be known without asking the system.
    pub(super) fn check(&self, title: &str) -> Result<()> {
        let page = sys::page_size();
        let invalid = |code, fact: String| Err(Error::new(code, format!("{title}: {fact}")));
        if self.byte_length.is_none() && self.source.is_new() {
            return invalid(Code::InvalidSize, "it has no size of its own: give one".into());
        }
        if self.byte_length.is_some_and(|bytes| bytes == 0 || bytes > i64::MAX as u64 - page) {
            return invalid(Code::InvalidSize, format!("{} bytes, expected 1 to 2^63", self.byte_length.unwrap_or(0)));
        }
        if !self.byte_offset.is_multiple_of(page) || self.byte_offset > i64::MAX as u64 / 2 {
            return invalid(
                Code::InvalidArgument,
                format!("it begins at byte {}, expected a multiple of the page's {page}", self.byte_offset),
            );
        }
        if self.byte_offset > 0 && self.source.is_new() {
            return invalid(Code::InvalidArgument, "what is made for a region begins at byte 0".into());
        }
        if self.source.segment().is_some() && (self.private || self.reserve == Some(true)) {
            let what = if self.private { "private" } else { "reserved" };
            return invalid(Code::InvalidArgument, format!("{what}, which a SysV segment cannot be mapped"));
        }
        if self.source.known().is_some() && matches!(self.source, Source::Handle { fd: Some(_), .. }) {
            return invalid(Code::InvalidArgument, "a descriptor was given, and the handle is of a SysV segment, which has none".into());
        }
        if self.lock && self.access == Access::None {
            return invalid(Code::NoAccess, "lock, and access none: pages that nobody may use are not brought into memory".into());
        }
        if self.portable && self.private {
            return invalid(Code::Private, "a private mapping cannot be placed for others: it would share nothing".into());
        }
        if self.portable && self.address.is_some() {
            return invalid(Code::InvalidArgument, "an address was asked for, and one that is chosen".into());
        }
        match self.address {
            Some((address, _)) if !address.is_multiple_of(page) || address == 0 => {
                invalid(Code::InvalidArgument, format!("{address:#x} is not the address of a page of {page} bytes"))
            }
            _ => Ok(()),
        }
    }
}
