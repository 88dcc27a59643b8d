//! An object with our header, named or not: made whole or not at all, opened, checked, listed, removed.
//!
//! It knows names and headers; what lies behind the header is the business of the module that asked for it.

mod header;
mod location;
mod name;
mod survey;

pub use header::{END_MARK, FORMAT, HEADER_BYTES, Header, Kind, NewHeader};
pub use location::{Location, duplicate};
pub use name::{DEFAULT_DIRECTORY, Name};
pub use survey::{SegmentInfo, list, remove};
pub(crate) use survey::{clean, sweep};

use crate::error::{Code, Error, Result};
use crate::memory::{Mapping, room};
use crate::sys::{self, Identity, Object};
use nix::errno::Errno;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// An open segment: its file, its mapping and its header, checked.
#[derive(Debug)]
pub struct Segment {
    object: Object,
    identity: Identity,
    mapping: Mapping,
    header: Header,
}

/// What a name led to.
#[derive(Debug)]
pub enum Found {
    /// A segment whose header holds together.
    Segment(Box<Segment>),
    /// Our magic, with a header that contradicts itself or a file cut short: may be replaced by whoever holds its publisher's byte.
    Damaged(Object, Error),
}

impl Segment {
    /// Makes a nameless segment with this header and schema; nobody can see it until it gets a name.
    ///
    /// The room is reserved (posix_fallocate(3)), so a full filesystem is an error here and never a signal later.
    pub fn create(at: &Location, new: &NewHeader<'_>, mode: u32) -> Result<Unnamed> {
        let header = Header::new(new)?;
        let bytes = header.segment_bytes;
        let (object, temporary) = create_file(at, mode)?;
        let mut unnamed = Unnamed { segment: None, temporary, mode };
        let memory = object.memory();
        room::take(memory, 0, bytes).map_err(|errno| {
            let place = at.name().map_or("memory".into(), |name| name.directory().display().to_string());
            room::refused(format_args!("create {at}"), place, memory, bytes, errno)
        })?;
        let (identity, _) = object.describe().map_err(|errno| Error::system(format_args!("create {at}"), "fstat", errno))?;
        let mapping = Mapping::new(memory, bytes, false)?;
        header.write(&mapping, new.schema)?;
        unnamed.segment = Some(Segment { object, identity, mapping, header });
        Ok(unnamed)
    }

    /// Opens what is there and checks its header.
    pub fn open(at: impl Into<Location>, read_only: bool) -> Result<Segment> {
        match Segment::find(at, read_only)? {
            Found::Segment(segment) => Ok(*segment),
            Found::Damaged(_, error) => Err(error),
        }
    }

    /// As [`Segment::open`], and tells a damaged segment of ours from an object that is none.
    pub fn find(at: impl Into<Location>, read_only: bool) -> Result<Found> {
        let at = at.into();
        let object = open_object(&at, read_only)?;
        let (identity, size) = object.describe().map_err(|errno| match errno {
            Errno::EINVAL => Error::new(Code::NotASegment, format!("open {at}: not a regular file")),
            errno => Error::system(format_args!("open {at}"), "fstat", errno),
        })?;
        if object.is_hollow() {
            return Ok(Found::Damaged(object, Error::new(Code::NotFound, format!("open {at}: the memory that it stood for is gone"))));
        }
        if size < HEADER_BYTES {
            return Err(Error::new(Code::NotASegment, format!("open {at}: {size} bytes, a segment has at least {HEADER_BYTES}")));
        }
        let page = Mapping::new(object.memory(), HEADER_BYTES, read_only)?;
        let header = match Header::read(&page, size) {
            Ok(header) => header,
            Err(error) if error.code() == Code::NotASegment => {
                return Err(Error::new(error.code(), format!("open {at}: {}", error.message())));
            }
            Err(error) => return Ok(Found::Damaged(object, Error::new(error.code(), format!("open {at}: {}", error.message())))),
        };
        drop(page);
        let mapping = Mapping::new(object.memory(), header.segment_bytes, read_only)?;
        let segment = Segment { object, identity, mapping, header };
        match segment.check() {
            Ok(()) => Ok(Found::Segment(Box::new(segment))),
            Err(error) => Ok(Found::Damaged(segment.object, Error::new(error.code(), format!("open {at}: {}", error.message())))),
        }
    }

    /// The checked header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The mapping of the whole segment.
    pub fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    /// The memory, to map it again.
    pub fn fd(&self) -> &OwnedFd {
        self.object.memory()
    }

    /// The file that has the name, to open it anew for its locks. On Linux it is the memory.
    pub fn file(&self) -> &OwnedFd {
        self.object.file()
    }

    /// Which file it is, whatever its name.
    pub(crate) fn identity(&self) -> Identity {
        self.identity
    }

    /// The object alone.
    pub(crate) fn into_object(self) -> Object {
        self.object
    }

    /// The schema's text, copied out and checked against its hash.
    pub fn schema_text(&self) -> Result<String> {
        let text = self.header.schema_text(&self.mapping);
        self.check().and(text)
    }

    /// [`Code::Truncated`] if another process has ever cut the file short, also if it is as long as before again. Whatever was copied
    /// out of the mapping before this says `Ok` was there, and is no zeros that stand for what is gone.
    ///
    /// One load: of a mark in the segment's last page, which goes with whatever else goes.
    #[inline]
    pub fn check(&self) -> Result<()> {
        if self.mapping.last_word() == END_MARK { Ok(()) } else { Err(self.truncated()) }
    }

    #[cold]
    fn truncated(&self) -> Error {
        let made = self.header.segment_bytes;
        let left = self.object.describe().map_or(0, |(_, size)| size);
        Error::new(Code::Truncated, format!("another process cut the segment short: it was made with {made} bytes, its file has {left}"))
    }

    /// Whether the name still leads to this very file.
    pub fn is_named(&self, name: &Name) -> bool {
        sys::identify(name.path()).is_ok_and(|identity| identity == self.identity)
    }

    /// Whether the file is still as long as the header says, and was so all the time. A shorter one faults when it is touched.
    pub fn is_whole(&self) -> bool {
        self.object.describe().is_ok_and(|(_, size)| size >= self.header.segment_bytes) && self.check().is_ok()
    }

    /// Whether the file belongs to this process's user, who then is the only one that could ever set its permission bits.
    pub(crate) fn is_own(&self) -> bool {
        sys::is_own(self.file()).unwrap_or(false)
    }

    /// Whether [`set_mode`](Self::set_mode) can give it these permission bits.
    pub(crate) fn can_have_mode(&self, mode: u32) -> bool {
        self.object.can_have_mode(mode)
    }

    /// Gives the file exactly these permission bits.
    pub(crate) fn set_mode(&self, at: &Location, mode: u32) -> Result<()> {
        self.object.set_mode(mode).map_err(|errno| Error::system(format_args!("create {at}"), "fchmod", errno))
    }

    /// Tells those who watch the directory that this segment lives again.
    pub fn announce(&self) -> Result<()> {
        sys::touch(self.file()).map_err(|errno| Error::system("touch the segment", "futimens", errno))
    }
}

/// A whole segment that has no name yet. Dropped, it is gone without a trace.
#[derive(Debug)]
pub struct Unnamed {
    segment: Option<Segment>,
    /// Where the filesystem has no nameless files, the temporary name that stands in.
    temporary: Option<Temporary>,
    mode: u32,
}

impl Unnamed {
    /// The segment, to be filled before anybody can see it.
    pub fn segment(&self) -> Result<&Segment> {
        self.segment.as_ref().ok_or_else(|| Error::new(Code::System, "the segment was taken already"))
    }

    /// Leaves it without one, and its size as it is for good: nobody can cut it short (`F_SEAL_SHRINK`), or make it longer.
    pub(crate) fn stay_nameless(mut self, at: &Location) -> Result<Segment> {
        let segment = self.take()?;
        sys::seal_size(segment.fd()).map_err(|errno| Error::system(format_args!("create {at}"), "fcntl", errno))?;
        Ok(segment)
    }

    /// Gives it its name; `None` and the segment back if the name is taken.
    pub fn publish(mut self, name: &Name) -> Result<std::result::Result<Segment, Unnamed>> {
        let segment = self.segment()?;
        let linked = match &self.temporary {
            None => sys::give_name(segment.file(), name.path()),
            Some(temporary) => sys::link(&temporary.0, name.path()),
        };
        match linked {
            Ok(()) => self.take().map(Ok),
            Err(Errno::EEXIST) => Ok(Err(self)),
            Err(errno) => Err(Error::system(format_args!("name {name}"), "linkat", errno)),
        }
    }

    /// Puts it in the place of `old`, in one step; itself back if the name leads there no longer. The caller holds `old`'s publisher byte.
    ///
    /// The old one has the temporary name from then on, until that is dropped: whoever sweeps after a killed caller finds it there.
    pub(crate) fn replace(mut self, name: &Name, old: Identity) -> Result<std::result::Result<(Segment, Temporary), Unnamed>> {
        let temporary = match self.temporary.take() {
            Some(temporary) => temporary,
            None => self.link_temporary(name)?,
        };
        let is_replaced = exchange(&temporary.0, name.path(), old);
        if is_replaced.map_err(|errno| Error::system(format_args!("replace {name}"), "rename", errno))? {
            return Ok(Ok((self.take()?, temporary)));
        }
        self.temporary = Some(temporary);
        Ok(Err(self))
    }

    fn link_temporary(&self, name: &Name) -> Result<Temporary> {
        let temporary = name.temporary()?;
        let file = self.segment()?.file();
        sys::give_name(file, &temporary).map_err(|errno| Error::system(format_args!("replace {name}"), "linkat", errno))?;
        Ok(Temporary(temporary))
    }

    /// Whether somebody swept the temporary name away before this process held the segment's byte.
    pub fn is_swept(&self) -> Result<bool> {
        let names = sys::count_names(self.segment()?.file()).map_err(|errno| Error::system("look at a new segment", "fstat", errno))?;
        Ok(self.temporary.is_some() && names == 0)
    }

    fn take(&mut self) -> Result<Segment> {
        let taken = self.segment.take();
        taken.ok_or_else(|| Error::new(Code::System, "the segment was taken already"))
    }

    /// The permission bits it was made with.
    pub fn mode(&self) -> u32 {
        self.mode
    }
}

/// A name between two steps of a creator. Dropped, it is unlinked.
#[derive(Debug)]
pub struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = sys::remove_object(&self.0);
    }
}

/// Exchanges what the two names lead to. False, and as it was, if the second one led to something else than `old`: it may have been
/// removed by hand, and made anew by a publisher that lives.
fn exchange(temporary: &Path, name: &Path, old: Identity) -> nix::Result<bool> {
    match sys::exchange(temporary, name) {
        Ok(()) if sys::identify(temporary)? == old => Ok(true),
        Ok(()) => sys::exchange(temporary, name).map(|()| false),
        Err(Errno::ENOENT) => Ok(false),
        // a filesystem that cannot
        Err(Errno::EINVAL | Errno::ENOSYS | Errno::EOPNOTSUPP) => sys::rename(temporary, name).map(|()| true),
        Err(errno) => Err(errno),
    }
}

fn create_file(at: &Location, mode: u32) -> Result<(Object, Option<Temporary>)> {
    match at {
        Location::Named(name) => create_in_directory(name, mode),
        Location::Memory(label) => {
            let failed = |call| move |errno| Error::system(format_args!("create {at}"), call, errno);
            let fd = sys::create_memory(label, false).map_err(failed("memfd_create"))?;
            sys::set_mode(&fd, mode).map_err(failed("fchmod"))?;
            Ok((fd.into(), None))
        }
        Location::Descriptor { .. } => {
            Err(Error::new(Code::InvalidArgument, format!("create {at}: nothing is made where a descriptor leads")))
        }
    }
}

fn create_in_directory(name: &Name, mode: u32) -> Result<(Object, Option<Temporary>)> {
    match sys::create_nameless(name.directory(), mode) {
        Ok(file) => Ok((file.into(), None)),
        Err(Errno::EOPNOTSUPP | Errno::EISDIR) => {
            let temporary = name.temporary()?;
            let object = sys::create_object(&temporary, name.path(), mode);
            object
                .map(|object| (object, Some(Temporary(temporary))))
                .map_err(|errno| Error::system(format_args!("create {name}"), "open", errno))
        }
        Err(errno @ (Errno::ENOENT | Errno::ENOTDIR)) => Err(no_directory("create", name, errno)),
        Err(Errno::ENOSPC) => {
            let what = format!("create {name}: {} has no room for one more file (df -i)", name.directory().display());
            Err(Error::system(what, "open", Errno::ENOSPC))
        }
        Err(errno) => Err(Error::system(format_args!("create {name}"), "open", errno)),
    }
}

fn open_object(at: &Location, read_only: bool) -> Result<Object> {
    match at {
        Location::Named(name) => sys::open_object(name.path(), read_only).map_err(|errno| open_error(name, read_only, errno)),
        Location::Memory(_) => {
            Err(Error::new(Code::InvalidArgument, format!("open {at}: memory without a name is found by its descriptor alone")))
        }
        Location::Descriptor { fd, .. } => {
            let failed = |errno| Error::system(format_args!("open {at}"), "fcntl", errno);
            if !read_only && !sys::is_writable(fd).map_err(failed)? {
                return Err(Error::new(Code::Permission, format!("open {at}: it was opened for reading only; readOnly can read")));
            }
            fd.try_clone().map(Object::from).map_err(|error| failed(Errno::from_raw(error.raw_os_error().unwrap_or(0))))
        }
    }
}

fn open_error(name: &Name, read_only: bool, errno: Errno) -> Error {
    match errno {
        Errno::ENOENT if sys::identify(name.directory()).is_err() => no_directory("open", name, errno),
        Errno::ENOTDIR => no_directory("open", name, errno),
        Errno::ENOENT => Error::system(format_args!("open {name}: nothing of that name"), "open", errno),
        Errno::ELOOP => Error::system(format_args!("open {name}: a symbolic link"), "open", errno).with_code(Code::NotASegment),
        Errno::EISDIR | Errno::ENXIO => Error::system(format_args!("open {name}"), "open", errno).with_code(Code::NotASegment),
        Errno::EACCES if !read_only => {
            Error::system(format_args!("open {name}: no permission to write; readOnly needs permission to read only"), "open", errno)
        }
        Errno::EROFS => Error::system(format_args!("open {name}: nothing can be written there; readOnly can read"), "open", errno),
        errno => Error::system(format_args!("open {name}"), "open", errno),
    }
}

fn no_directory(operation: &str, name: &Name, errno: Errno) -> Error {
    Error::system(format_args!("{operation} {name}: there is no directory {}", name.directory().display()), "open", errno)
}
