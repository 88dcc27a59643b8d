//! What another process needs to map a region at the same address.

use super::sysv::Known;
use super::{MapOptions, Placement, Region, Source};
use crate::error::{Code, Error, Result, grouped};
use crate::memory::View;
use crate::sys::{self, Access, FileKind, Identity};
use nix::errno::Errno;
use std::os::fd::{OwnedFd, RawFd};
use std::path::{Path, PathBuf};

/// A region, named for other processes: where it stands, and where its object is. It holds nothing: the object lives as long as it has a name or
/// somebody has it open or mapped, and the address is free in the other process or not.
///
/// It travels as text, [`Handle::to_json`], which is that of TypeScript's `Region.handle()`, too.
///
/// ```
/// use pagecast::region::{Handle, MapOptions, Region};
///
/// let mut region = Region::map(&MapOptions { byte_length: Some(65_536), portable: true, ..MapOptions::default() })?;
/// region.write_at(0, &(region.address() + 4096).to_ne_bytes())?; // a pointer
/// let text = region.handle()?.to_json();
/// let fd = region.descriptor()?.try_clone_to_owned().ok(); // as a child inherits it; `None` does, too, while this process has the region
/// drop(region); // in this one the range is taken
///
/// // in another process
/// let region = Region::from_handle(&Handle::from_json(&text)?, fd)?;
/// let mut pointer = [0; 8];
/// region.read_at(0, &mut pointer)?;
/// assert_eq!(region.offset_of(u64::from_ne_bytes(pointer)), Some(4096));
/// # Ok::<(), pagecast::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handle {
    pub(super) address: u64,
    pub(super) byte_length: u64,
    pub(super) byte_offset: u64,
    pub(super) access: Access,
    pub(super) object: Whereabouts,
}

/// Where the object of a region is, for other processes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Whereabouts {
    /// Where descriptors lead to.
    Open(Open),
    /// A SysV segment.
    SysV(Known),
}

/// An object that whoever made the handle has open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Open {
    pub identity: Identity,
    /// When the file was made, in nanoseconds since 1970, where the filesystem says so: a later file may have the inode again.
    pub born_at: Option<u64>,
    /// A name that led to it when the handle was made.
    pub named: Option<Named>,
    /// Who made the handle, and by which descriptor it has the object open.
    pub pid: u32,
    pub fd: RawFd,
}

/// A name of an object, absolute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Named {
    Shared { name: String, directory: String },
    File(String),
}

impl Named {
    /// `None`: it has no name, or none that can be written as text.
    pub fn of(source: &Source) -> Option<Named> {
        let text = |path: &Path| std::path::absolute(path).ok()?.into_os_string().into_string().ok();
        match source {
            Source::Shared(name) | Source::Opened(_, name) => {
                let last = name.path().file_name()?.to_str()?.to_owned();
                Some(Named::Shared { name: last, directory: text(name.directory())? })
            }
            Source::File { path, .. } => text(path).map(Named::File),
            Source::Handle { handle, .. } => match &handle.object {
                Whereabouts::Open(open) => open.named.clone(),
                Whereabouts::SysV(_) => None,
            },
            Source::Anonymous | Source::Memory(_) | Source::Temporary(_) | Source::Descriptor(_) | Source::SysV(_) => None,
        }
    }

    /// Where it leads.
    pub fn path(&self) -> PathBuf {
        match self {
            Named::Shared { name, directory } => Path::new(directory).join(name),
            Named::File(path) => PathBuf::from(path),
        }
    }
}

impl Region {
    /// Names the region for other processes, which map it at the same address by [`Region::from_handle`].
    ///
    /// The first time, a region that was neither placed ([`MapOptions::portable`]) nor put at an address is mapped once more, where most likely
    /// nothing is in any process: that is what addresses mean from then on, and where it stays when it is resized. Addresses of before go on being
    /// known to [`Region::offset_of`], and mean nothing to others: store none in the region before that. A region at an address that was asked for keeps it.
    ///
    /// The handle of a SysV segment is good until somebody sets its owner or permissions (`IPC_SET`), also when it was removed meanwhile, as long as somebody has it
    /// attached.
    ///
    /// [`Code::Private`] for a private mapping and a device, [`Code::TooManyFiles`] if the descriptor was given up, [`Code::Truncated`]; [`Code::Permission`] if it may
    /// be written, and was sealed against that (`F_SEAL_FUTURE_WRITE`) before it was placed; [`Code::NotFound`] if all pages of a SysV segment were given up, and it is gone.
    pub fn handle(&mut self) -> Result<Handle> {
        self.check()?;
        self.refuse_unshared()?;
        let object = self.object.whereabouts(&self.title)?;
        if !self.is_placed {
            self.place_in_window()?;
        }
        Ok(Handle { address: self.address(), byte_length: self.byte_length(), byte_offset: self.byte_offset, access: self.access, object })
    }

    /// Maps what [`Handle::options`] says.
    ///
    /// `fd` is a descriptor of the object that was handed on; without one the object is opened by its name, and where that does not lead to it, or
    /// there is none, by way of the process that made the handle (`/proc/PID/fd/N`), which has to be there still, as the same user. A SysV segment has no
    /// descriptor, and is attached by its id, in the IPC namespace that the handle is of.
    ///
    /// [`Code::AddressInUse`] if anything is at the address. [`Code::NotFound`] if the object cannot be had, [`Code::Replaced`] if the name or the id leads to
    /// another one by now, [`Code::InvalidArgument`] if the descriptor does; [`Code::Truncated`] if the object is shorter by now.
    pub fn from_handle(handle: &Handle, fd: Option<OwnedFd>) -> Result<Region> {
        Region::map(&handle.options(fd))
    }

    /// From now on addresses are those of a further mapping, where other processes have room.
    pub(super) fn place_in_window(&mut self) -> Result<()> {
        let (length, backing) = (self.whole_pages(), self.backing(self.access)?);
        let view = View::in_window(length, &backing, |address, errno| self.place_refused(address, length, errno))?;
        self.settle(&view)?;
        self.views.insert(0, view);
        self.is_placed = true;
        self.object.keep();
        Ok(())
    }
}

impl Handle {
    /// Where the first byte is.
    pub fn address(&self) -> u64 {
        self.address
    }

    /// Bytes.
    pub fn byte_length(&self) -> u64 {
        self.byte_length
    }

    /// Where in the object the region begins.
    pub fn byte_offset(&self) -> u64 {
        self.byte_offset
    }

    /// What could be done with all pages at first.
    pub fn access(&self) -> Access {
        self.access
    }

    /// How the region is mapped that it names, at its address and nowhere else: to be changed where another access is wanted, or the address does not
    /// matter.
    pub fn options(&self, fd: Option<OwnedFd>) -> MapOptions {
        MapOptions {
            byte_length: Some(self.byte_length),
            byte_offset: self.byte_offset,
            access: self.access,
            address: Some((self.address, Placement::Exclusive)),
            ..MapOptions::new(Source::Handle { handle: Box::new(self.clone()), fd })
        }
    }

    /// What it names, for messages.
    pub fn subject(&self) -> String {
        match &self.object {
            Whereabouts::Open(Open { named: Some(named), .. }) => named.path().display().to_string(),
            Whereabouts::Open(Open { pid, fd, .. }) => format!("descriptor {fd} of process {pid}"),
            Whereabouts::SysV(known) => format!("SysV segment {}", known.id),
        }
    }

    /// Whether it is of a SysV segment, so that no descriptor leads to the object.
    pub fn is_sysv(&self) -> bool {
        self.known().is_some()
    }

    /// The SysV segment that it is of.
    pub(super) fn known(&self) -> Option<Known> {
        if let Whereabouts::SysV(known) = self.object { Some(known) } else { None }
    }

    /// Bytes that the object has at least.
    pub(super) fn end(&self) -> u64 {
        self.byte_offset + self.byte_length
    }
}

impl Open {
    /// The object, and no other one, with as many bytes as that.
    pub fn open(&self, fd: Option<&OwnedFd>, end: u64, read_only: bool, title: &str) -> Result<OwnedFd> {
        let opened = match fd {
            Some(fd) => self.take(fd, title)?,
            None => self.find(read_only, title)?,
        };
        match sys::inspect(&opened) {
            Ok((_, FileKind::Regular(size))) if size < end => {
                let (asked, has) = (grouped(end), grouped(size));
                Err(Error::new(Code::Truncated, format!("{title}: the object has {has} bytes by now, of {asked} that the handle is about")))
            }
            Ok((_, FileKind::Regular(_))) => Ok(opened),
            Ok(_) => Err(Error::new(Code::InvalidArgument, format!("{title}: the handle is about what has no size"))),
            Err(errno) => Err(Error::system(title, "fstat", errno)),
        }
    }

    fn take(&self, fd: &OwnedFd, title: &str) -> Result<OwnedFd> {
        match sys::inspect(fd) {
            Ok((identity, _)) if identity == self.identity => {
                if self.is_other(fd) {
                    let fact = format!("inode {} once more, in a file that was made at another time", identity.inode);
                    return Err(Error::new(Code::InvalidArgument, format!("{title}: the descriptor given leads to {fact}")));
                }
                fd.try_clone().map_err(|error| Error::system(title, "fcntl", Errno::from_raw(error.raw_os_error().unwrap_or(0))))
            }
            Ok((Identity { device, inode }, _)) => {
                let expected = self.identity;
                let fact = format!(
                    "inode {inode} of device {device}, and the handle is about inode {} of device {}",
                    expected.inode, expected.device
                );
                Err(Error::new(Code::InvalidArgument, format!("{title}: the descriptor given leads to {fact}")))
            }
            Err(errno) => Err(Error::system(title, "fstat", errno)),
        }
    }

    /// By its name, or by way of whoever made the handle.
    fn find(&self, read_only: bool, title: &str) -> Result<OwnedFd> {
        let by_name = self.named.as_ref().map(|named| self.open_path(&named.path(), read_only));
        if let Some(Ok(Some(fd))) = by_name {
            return Ok(fd);
        }
        let path = PathBuf::from(format!("/proc/{}/fd/{}", self.pid, self.fd));
        let of_maker = self.open_path(&path, read_only);
        let gone = || {
            let maker = format!("process {}, which made the handle, is gone or has it open no longer", self.pid);
            Error::new(Code::NotFound, format!("{title}: {maker}, and no descriptor was given"))
        };
        match (of_maker, by_name) {
            (Ok(Some(fd)), _) => Ok(fd),
            (_, Some(Err(errno))) => Err(Error::system(title, "open", errno)),
            (_, Some(Ok(_))) => Err(Error::new(Code::Replaced, format!("{title}: the name leads to another object by now"))),
            (Ok(None) | Err(Errno::ENOENT | Errno::ESRCH), None) => Err(gone()),
            (Err(errno), None) => Err(Error::system(format_args!("{title}: open {}", path.display()), "open", errno)),
        }
    }

    /// `None`: another object is there, which is not so much as opened, as far as that can be known before.
    fn open_path(&self, path: &Path, read_only: bool) -> nix::Result<Option<OwnedFd>> {
        if sys::identify(path)? != self.identity {
            return Ok(None);
        }
        let fd = sys::open_file(path, read_only)?;
        Ok((sys::inspect(&fd)?.0 == self.identity && !self.is_other(&fd)).then_some(fd))
    }

    /// Whether a file of the same device and inode is another one all the same. What cannot be said is not held against it.
    fn is_other(&self, fd: &OwnedFd) -> bool {
        self.born_at.is_some_and(|expected| sys::born_at(fd).is_some_and(|found| found != expected))
    }
}
