//! What a region maps: opened or made, found to be of a kind that can be mapped, and long enough.

use super::handle::{Named, Open, Whereabouts};
use super::options::{MapOptions, Source};
use super::sysv::Known;
use crate::address::{ENGINE_PAGE, round_up};
use crate::error::{Code, Error, Result, grouped};
use crate::memory::{Behind, room};
use crate::sys::{self, FileKind, Identity, sysv};
use nix::errno::Errno;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

/// An open file, object of shared memory, memfd or device, or a SysV segment.
#[derive(Debug)]
pub(super) struct Object {
    /// `None` once it was given up.
    fd: Option<OwnedFd>,
    /// A SysV segment, which has no descriptor.
    pub sysv: Option<sysv::Segment>,
    /// Which segment it has to be.
    known: Option<Known>,
    /// Whether it has a size that another process may make smaller.
    can_shrink: bool,
    /// Whether it is a device.
    pub is_device: bool,
    /// The numbers of the file in the kernel's list of mappings, where they are known.
    pub identity: Option<Identity>,
    /// Whether it is in a filesystem of memory.
    pub is_memory: bool,
    /// The name that it was found by.
    pub named: Option<Named>,
    /// The file that was made, until the region is there.
    made: Option<PathBuf>,
}

impl Object {
    fn new(fd: Option<OwnedFd>) -> Object {
        Object {
            fd,
            sysv: None,
            known: None,
            can_shrink: false,
            is_device: false,
            identity: None,
            is_memory: false,
            named: None,
            made: None,
        }
    }

    /// Opens it, and finds out how many bytes of it the region has.
    pub fn open(options: &MapOptions, title: &str) -> Result<(Object, u64)> {
        if let Some(id) = options.source.segment() {
            return Object::of_segment(id, options, title);
        }
        let (fd, made) = open(options, title)?;
        let mut object = Object::new(Some(fd));
        (object.named, object.made) = (Named::of(&options.source), made);
        let (identity, kind) = sys::inspect(object.fd(title)?).map_err(|errno| Error::system(title, "fstat", errno))?;
        let (is_memory, is_plain) = sys::filesystem(object.fd(title)?);
        object.is_memory = is_memory;
        object.is_device = kind == FileKind::Device;
        // a device may put another file behind a shared mapping, as /dev/zero does
        object.identity = Some(identity).filter(|_| is_plain && (options.private || !object.is_device));
        object.can_shrink = matches!(kind, FileKind::Regular(_)) && !sys::cannot_shrink(object.fd(title)?);
        let byte_length = match kind {
            FileKind::Regular(size) => object.fit(options, title, size)?,
            FileKind::Device => {
                options.byte_length.ok_or_else(|| Error::new(Code::InvalidSize, format!("{title}: a device has no size: give one")))?
            }
            FileKind::Other(what) => return Err(Error::new(Code::InvalidArgument, format!("{title}: {what}, which cannot be mapped"))),
        };
        Ok((object, byte_length))
    }

    /// What does not fit is refused before the segment is attached to see what it is made of.
    fn of_segment(id: i32, options: &MapOptions, title: &str) -> Result<(Object, u64)> {
        let mut object = Object::new(None);
        (object.known, object.is_memory) = (options.source.known(), true);
        object.confirm(title)?;
        let size = super::sysv::size(id, title)?;
        let byte_length = object.fit(options, title, size)?;
        object.sysv = Some(super::sysv::attachable(id, size, options.access.writes(), title)?);
        object.identity = sysv::identity(id);
        Ok((object, byte_length))
    }

    /// Asked before anything is attached, and once more when it is. [`Code::Replaced`], [`Code::NotFound`].
    pub fn confirm(&self, title: &str) -> Result<()> {
        self.known.map_or(Ok(()), |known| known.confirm(title))
    }

    /// The region is there: what was made for it stays.
    pub fn keep(&mut self) {
        self.made = None;
    }

    fn fd(&self, title: &str) -> Result<&OwnedFd> {
        if self.sysv.is_some() {
            return Err(no_descriptor(title));
        }
        self.fd.as_ref().ok_or_else(|| {
            let fact = "it gave its descriptor up, since the process held many: close regions, or map a memfd or with placement portable, which keep theirs";
            Error::new(Code::TooManyFiles, format!("{title}: {fact}"))
        })
    }

    pub fn descriptor(&self, title: &str) -> Result<BorrowedFd<'_>> {
        self.fd(title).map(OwnedFd::as_fd)
    }

    pub fn behind(&self, title: &str) -> Result<Behind<'_>> {
        match self.sysv {
            Some(segment) => Ok(Behind::SysV(segment)),
            None => self.descriptor(title).map(Behind::File),
        }
    }

    /// Where other processes find it.
    pub fn whereabouts(&self, title: &str) -> Result<Whereabouts> {
        if let Some(segment) = self.sysv {
            return Known::of(segment.id, title).map(Whereabouts::SysV);
        }
        let fd = self.fd(title)?;
        let (identity, _) = sys::inspect(fd).map_err(|errno| Error::system(title, "fstat", errno))?;
        let leads_here = |named: &&Named| sys::identify(&named.path()).is_ok_and(|found| found == identity);
        let named = self.named.as_ref().filter(leads_here).cloned();
        Ok(Whereabouts::Open(Open { identity, born_at: sys::born_at(fd), named, pid: std::process::id(), fd: fd.as_raw_fd() }))
    }

    /// From now on nothing needs a descriptor that can be done without.
    pub fn give_up_descriptor(&mut self) {
        self.fd = None;
    }

    /// After seals were added.
    pub fn look_at_seals(&mut self) {
        self.can_shrink &= !self.fd.as_ref().is_some_and(sys::cannot_shrink);
    }

    /// Whether the file is shorter now. What cannot become shorter, or cannot be asked any more, is not.
    pub fn is_shorter_than(&self, end: u64) -> bool {
        let kind = self.fd.as_ref().filter(|_| self.can_shrink).map(sys::inspect);
        matches!(kind, Some(Ok((_, FileKind::Regular(size)))) if size < end)
    }

    /// Bytes of a regular file that the region has; an empty one is made as long as it takes.
    fn fit(&self, options: &MapOptions, title: &str, size: u64) -> Result<u64> {
        let from = options.byte_offset;
        let invalid = |fact: String| Err(Error::new(Code::InvalidSize, format!("{title}: {fact}")));
        match options.byte_length {
            None if size == 0 => invalid("it is empty: give a size, and it is extended".into()),
            None if from >= size => invalid(format!("it has {} bytes, and none from byte {} on", grouped(size), grouped(from))),
            None => self.reserve(options, title, size - from).map(|()| size - from),
            Some(bytes) if from + bytes <= size => self.reserve(options, title, bytes).map(|()| bytes),
            Some(bytes) if size == 0 && !matches!(options.source, Source::Handle { .. }) => {
                self.extend(options, title, from + bytes).map(|()| bytes)
            }
            Some(bytes) => {
                let (asked, has) = (grouped(from + bytes), grouped(size));
                let advice = if options.source.segment().is_some() { "" } else { ": map what is there and resize the region" };
                invalid(format!("{asked} bytes asked for, and it has {has}{advice}"))
            }
        }
    }

    /// Room for what is there already, where it was asked for.
    fn reserve(&self, options: &MapOptions, title: &str, byte_length: u64) -> Result<()> {
        if !options.shares_writes() || !options.reserves() {
            return Ok(());
        }
        let fd = self.fd(title)?;
        if !sys::is_writable(fd).unwrap_or(false) {
            return Ok(()); // the mapping is refused, and says why
        }
        room::take(fd, options.byte_offset, byte_length).map_err(|errno| room::refused(title, "its filesystem", fd, byte_length, errno))
    }

    fn extend(&self, options: &MapOptions, title: &str, end: u64) -> Result<()> {
        let end = match options.source {
            Source::Anonymous => round_up(end, ENGINE_PAGE).unwrap_or(end),
            _ => end,
        };
        self.grow(title, 0, end, options.reserves())
    }

    /// Makes the file longer, and never shorter: another process may have been first.
    pub fn grow(&self, title: &str, size: u64, end: u64, reserve: bool) -> Result<()> {
        let fd = self.fd(title)?;
        let reopened;
        let writable = if sys::is_writable(fd).unwrap_or(false) {
            fd
        } else {
            reopened = sys::reopen(fd, false).map_err(|errno| Error::system(format_args!("{title}: extend it"), "open", errno))?;
            &reopened
        };
        let (from, bytes) = if reserve { (size, end - size) } else { (end - 1, 1) };
        match room::take(writable, from, bytes) {
            // a filesystem that cannot; then nobody can reserve either
            Err(Errno::EOPNOTSUPP | Errno::EINVAL) if !reserve => sys::set_size(writable, end),
            Err(errno) => {
                // some filesystems go half the way; whoever else made it longer meanwhile went all the way
                if self.size(title).is_ok_and(|now| now < end) {
                    let _ = sys::set_size(writable, size);
                }
                Err(errno)
            }
            Ok(()) => Ok(()),
        }
        .map_err(|errno| room::refused(title, "its filesystem", writable, end, errno))
    }

    /// Makes the file shorter; of what cannot be, the room is given back.
    pub fn shrink(&self, title: &str, size: u64, end: u64) -> Result<()> {
        let fd = self.fd(title)?;
        if self.can_shrink {
            return sys::set_size(fd, end).map_err(|errno| Error::system(title, "ftruncate", errno));
        }
        sys::punch_hole(fd, end, size - end).map_err(|errno| Error::system(title, "fallocate", errno))
    }

    /// Bytes that the file has.
    pub fn size(&self, title: &str) -> Result<u64> {
        match sys::inspect(self.fd(title)?).map_err(|errno| Error::system(title, "fstat", errno))? {
            (_, FileKind::Regular(size)) => Ok(size),
            _ => Err(Error::new(Code::InvalidArgument, format!("{title}: it has no size that could change"))),
        }
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        if let Some(path) = &self.made {
            let _ = sys::unlink(path);
        }
    }
}

/// The descriptor, and the path of what had to be made.
fn open(options: &MapOptions, title: &str) -> Result<(OwnedFd, Option<PathBuf>)> {
    let read_only = !options.shares_writes();
    let failed = |call| {
        move |errno| match errno {
            // what is there is no file
            Errno::EISDIR | Errno::ENXIO | Errno::ELOOP => Error::system(title, call, errno).with_code(Code::InvalidArgument),
            errno => Error::system(title, call, errno),
        }
    };
    let opened = match &options.source {
        Source::Anonymous if options.private => sys::open_file(Path::new(sys::ZEROS), false).map_err(failed("open")),
        Source::Anonymous => sys::create_memory("pagecast", true).map_err(failed("memfd_create")),
        Source::Memory(label) => sys::create_memory(label, false).map_err(failed("memfd_create")),
        Source::Temporary(directory) => temporary(directory).map_err(failed("open")),
        Source::File { path, create: Some(mode) } => return create(path, *mode, read_only).map_err(failed("open")),
        Source::File { path, create: None } => sys::open_file(path, read_only).map_err(failed("open")),
        Source::Shared(name) => sys::open_shared(name.path(), read_only).map(sys::Object::into_memory).map_err(failed("open")),
        Source::Handle { handle, fd } => {
            return match &handle.object {
                Whereabouts::Open(open) => open.open(fd.as_ref(), handle.end(), read_only, title).map(|fd| (fd, None)),
                Whereabouts::SysV(_) => Err(no_descriptor(title)),
            };
        }
        Source::Descriptor(fd) | Source::Opened(fd, _) => {
            fd.try_clone().map_err(|error| failed("fcntl")(Errno::from_raw(error.raw_os_error().unwrap_or(0))))
        }
        Source::SysV(_) => return Err(no_descriptor(title)),
    };
    opened.map(|fd| (fd, None))
}

fn no_descriptor(title: &str) -> Error {
    Error::new(Code::Unsupported, format!("{title}: a SysV segment has no descriptor"))
}

fn create(path: &Path, mode: u32, read_only: bool) -> nix::Result<(OwnedFd, Option<PathBuf>)> {
    match sys::create_file(path, mode) {
        Ok(fd) => Ok((fd, Some(path.to_path_buf()))),
        Err(Errno::EEXIST) => sys::open_file(path, read_only).map(|fd| (fd, None)),
        Err(errno) => Err(errno),
    }
}

fn temporary(directory: &Path) -> nix::Result<OwnedFd> {
    match sys::create_nameless(directory, 0o600) {
        Err(Errno::EOPNOTSUPP | Errno::EISDIR) => {
            let path = directory.join(format!(".pagecast-{:032x}", u128::from_ne_bytes(sys::random_bytes()?)));
            let fd = sys::create_file(&path, 0o600)?;
            sys::unlink(&path)?;
            Ok(fd)
        }
        made => made,
    }
}
