//! Objects of shared memory by name (shm_open(3)): what C, Python and a shell see under the same names.

use super::{MapOptions, Region, Source};
use crate::error::{Code, Error, Result, grouped};
use crate::memory::room;
use crate::segment::{DEFAULT_DIRECTORY, Name};
use crate::sys::{self, FileKind, Identity, Object};
use nix::errno::Errno;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Looks at a name that is neither there nor free, before it counts as taken: by a stranger's file on macOS, else by one that comes and goes.
const ATTEMPTS: u32 = 100;

/// How an object is opened: Python's letters. Memory that can be written can be read, so `w` is `w+` and `x` is `x+`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// `r`: to read; it must be there.
    Read,
    /// `r+`: to read and write; it must be there.
    #[default]
    ReadWrite,
    /// `w`, `w+`: made if it is missing; one that is there is cut to nothing first.
    Truncate,
    /// `x`, `x+`: made; it must not be there.
    Exclusive,
}

impl FromStr for Mode {
    type Err = Error;

    fn from_str(letters: &str) -> Result<Mode> {
        match letters {
            "r" => Ok(Mode::Read),
            "r+" => Ok(Mode::ReadWrite),
            "w" | "w+" => Ok(Mode::Truncate),
            "x" | "x+" => Ok(Mode::Exclusive),
            _ => Err(Error::new(Code::InvalidArgument, format!("mode {letters:?}, expected r, r+, w, w+, x or x+"))),
        }
    }
}

/// How [`SharedMemory::open`] makes an object.
#[derive(Clone, Debug)]
pub struct SharedMemoryOptions {
    /// Bytes of an object that is made or cut. Default: 0, to be [`SharedMemory::truncate`]d.
    pub byte_length: Option<u64>,
    /// Permission bits of one that is made, exactly these, whatever the umask. Default 0600.
    pub permissions: u32,
    /// Whether room is taken for all of it at once. Default true.
    pub reserve: bool,
}

impl Default for SharedMemoryOptions {
    fn default() -> SharedMemoryOptions {
        SharedMemoryOptions { byte_length: None, permissions: 0o600, reserve: true }
    }
}

/// An open object of shared memory. Dropped, it stays, and so do regions made of it.
#[derive(Debug)]
pub struct SharedMemory {
    name: Name,
    object: Object,
    identity: Identity,
    writable: bool,
    reserve: bool,
}

impl SharedMemory {
    /// Opens or makes an object.
    pub fn open(name: &Name, mode: Mode, options: &SharedMemoryOptions) -> Result<SharedMemory> {
        let is_there = matches!(mode, Mode::Read | Mode::ReadWrite);
        if is_there && options.byte_length.is_some() {
            return Err(Error::new(
                Code::InvalidArgument,
                format!("open {name}: a size is for what is made, with w or x; truncate changes it"),
            ));
        }
        let object = match mode {
            Mode::Read | Mode::ReadWrite => existing(name, mode == Mode::Read)?,
            Mode::Exclusive => return SharedMemory::make(name, options)?.ok_or_else(|| taken(name)),
            Mode::Truncate => match SharedMemory::found_or_made(name, options)? {
                Ok(object) => object,
                Err(made) => return Ok(made),
            },
        };
        let opened = SharedMemory::of(name, object, mode != Mode::Read, options.reserve)?;
        if mode == Mode::Truncate {
            opened.truncate(0)?;
            opened.truncate(options.byte_length.unwrap_or(0))?;
        }
        Ok(opened)
    }

    /// What is there, to be cut, or else what was made.
    fn found_or_made(name: &Name, options: &SharedMemoryOptions) -> Result<std::result::Result<Object, SharedMemory>> {
        for _ in 0..ATTEMPTS {
            match existing(name, false) {
                Ok(object) => return Ok(Ok(object)),
                Err(error) if error.code() != Code::NotFound || sys::identify(name.directory()).is_err() => return Err(error),
                Err(_) => {}
            }
            if let Some(made) = SharedMemory::make(name, options)? {
                return Ok(Err(made));
            }
        }
        Err(taken(name))
    }

    fn of(name: &Name, object: Object, writable: bool, reserve: bool) -> Result<SharedMemory> {
        match sys::inspect(object.file()).map_err(|errno| Error::system(format_args!("open {name}"), "fstat", errno))? {
            (identity, FileKind::Regular(_)) => Ok(SharedMemory { name: name.clone(), object, identity, writable, reserve }),
            _ => Err(Error::new(Code::InvalidArgument, format!("open {name}: it is no object of shared memory"))),
        }
    }

    /// A whole one or none; `None`: the name is taken.
    fn make(name: &Name, options: &SharedMemoryOptions) -> Result<Option<SharedMemory>> {
        let failed = |call| move |errno| Error::system(format_args!("create {name}"), call, errno);
        let file = match sys::create_nameless(name.directory(), options.permissions) {
            Err(Errno::EOPNOTSUPP | Errno::EISDIR) => return SharedMemory::make_named(name, options),
            made => made.map_err(failed("open"))?,
        };
        let made = SharedMemory::of(name, file.into(), true, options.reserve)?;
        made.truncate(options.byte_length.unwrap_or(0))?;
        match sys::give_name(made.object.file(), name.path()) {
            Ok(()) => Ok(Some(made)),
            Err(Errno::EEXIST) => Ok(None),
            Err(errno) => Err(failed("linkat")(errno)),
        }
    }

    /// Where the filesystem has no files without a name.
    fn make_named(name: &Name, options: &SharedMemoryOptions) -> Result<Option<SharedMemory>> {
        let object = match sys::create_shared(name.path(), options.permissions) {
            Err(Errno::EEXIST) => return Ok(None),
            made => made.map_err(|errno| Error::system(format_args!("create {name}"), "open", errno))?,
        };
        let sized = SharedMemory::of(name, object, true, options.reserve).and_then(|made| {
            made.truncate(options.byte_length.unwrap_or(0))?;
            Ok(made)
        });
        if sized.is_err() {
            let _ = sys::remove_shared(name.path());
        }
        sized.map(Some)
    }

    /// The name it was opened by.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Bytes it has now.
    pub fn byte_length(&self) -> Result<u64> {
        match sys::inspect(self.object.memory()) {
            Ok((_, FileKind::Regular(size))) => Ok(size),
            Ok(_) => Ok(0),
            Err(errno) => Err(self.failed("fstat", errno)),
        }
    }

    /// Its permission bits now.
    pub fn permissions(&self) -> Result<u32> {
        sys::permissions(self.object.file()).map_err(|errno| self.failed("fstat", errno))
    }

    /// The open file.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.object.memory().as_fd()
    }

    /// Whether it was opened to write.
    pub fn is_writable(&self) -> bool {
        self.writable
    }

    /// Makes it as long as that (ftruncate(2)), and takes the room for what is new. Who has mapped what is cut off gets [`Code::Truncated`].
    pub fn truncate(&self, byte_length: u64) -> Result<()> {
        if !self.writable {
            return Err(Error::new(Code::ReadOnly, format!("truncate {}: it was opened to read", self.name)));
        }
        let size = self.byte_length()?;
        if byte_length > size && self.reserve {
            let taken = room::take(self.object.memory(), size, byte_length - size);
            return taken.map_err(|errno| {
                let place = self.name.directory().display();
                room::refused(format_args!("truncate {}", self.name), place, self.object.memory(), byte_length, errno)
            });
        }
        sys::set_size(self.object.memory(), byte_length).map_err(|errno| match errno {
            // on macOS
            Errno::EOPNOTSUPP => {
                let what = format_args!("truncate {}: an object of {} bytes, whose size is given once", self.name, grouped(size));
                Error::system(what, "ftruncate", errno)
            }
            errno => self.failed("ftruncate", errno),
        })
    }

    /// Maps it; the options' source is not looked at.
    pub fn map(&self, options: MapOptions) -> Result<Region> {
        let fd =
            self.object.memory().try_clone().map_err(|error| self.failed("fcntl", Errno::from_raw(error.raw_os_error().unwrap_or(0))))?;
        let (reserve, subject) = (options.reserve.or(Some(self.reserve)), options.subject.or_else(|| Some(self.name.to_string())));
        Region::map(&MapOptions { source: Source::Opened(fd, self.name.clone()), reserve, subject, ..options })
    }

    /// Takes the name away (shm_unlink(3)), if it leads to this object still: [`Code::NotFound`] otherwise. What is mapped stays.
    pub fn unlink(&self) -> Result<()> {
        if sys::identify_shared(self.name.path()).ok() != Some(self.identity) {
            return Err(Error::new(Code::NotFound, format!("unlink {}: the name leads to this object no longer", self.name)));
        }
        unlink(&self.name)
    }

    fn failed(&self, call: &'static str, errno: Errno) -> Error {
        Error::system(format_args!("shared memory {}", self.name), call, errno)
    }
}

fn existing(name: &Name, read_only: bool) -> Result<Object> {
    sys::open_shared(name.path(), read_only).map_err(|errno| {
        let error = Error::system(format_args!("open {name}"), "open", errno);
        // what is there is no file
        if matches!(errno, Errno::EISDIR | Errno::ENXIO | Errno::ELOOP) { error.with_code(Code::InvalidArgument) } else { error }
    })
}

fn taken(name: &Name) -> Error {
    Error::system(format_args!("create {name}"), "open", Errno::EEXIST)
}

/// Takes a name away (shm_unlink(3)). What is mapped stays.
pub fn unlink(name: &Name) -> Result<()> {
    sys::remove_shared(name.path()).map_err(|errno| Error::system(format_args!("unlink {name}"), "unlink", errno))
}

/// An object as [`list`] saw it.
#[derive(Clone, Debug)]
pub struct SharedMemoryInfo {
    /// Its name in the directory.
    pub name: String,
    /// Size in bytes.
    pub byte_length: u64,
    /// Permission bits.
    pub permissions: u32,
    /// Whether it is a segment of a publication.
    pub is_segment: bool,
}

/// The objects of a directory (`None`: the default one), by name.
pub fn list(directory: Option<&Path>) -> Result<Vec<SharedMemoryInfo>> {
    use std::os::unix::fs::PermissionsExt;
    let path = directory.map_or_else(|| PathBuf::from(DEFAULT_DIRECTORY), Path::to_path_buf);
    let entries = std::fs::read_dir(&path).map_err(|error| {
        let errno = Errno::from_raw(error.raw_os_error().unwrap_or(0));
        Error::system(format_args!("list {}", path.display()), "opendir", errno)
    })?;
    let segments: Vec<_> = crate::segment::list(directory)?.into_iter().map(|segment| segment.name).collect();
    let object = |entry: std::fs::DirEntry| {
        let metadata = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
        let name = entry.file_name().into_string().ok()?;
        let byte_length = sys::object_size(&entry.path(), metadata.len())?;
        let is_segment = segments.contains(&name);
        Some(SharedMemoryInfo { name, byte_length, permissions: metadata.permissions().mode() & 0o7777, is_segment })
    };
    let mut found: Vec<_> = entries.filter_map(|entry| object(entry.ok()?)).collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}
