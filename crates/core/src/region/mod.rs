//! Mapped memory: a file, shared memory, a SysV segment, a memfd, a device or fresh zeros, by the byte and by the page.
//!
//! ```
//! use pagecast::region::{MapOptions, Region, Source};
//!
//! let options = MapOptions { byte_length: Some(51_342_411), ..MapOptions::new(Source::Anonymous) };
//! let mut region = Region::map(&options)?;
//! let pages = region.pages().slice(44..124);
//! assert_eq!((region.pages().len(), pages.byte_offset(), pages.byte_length()), (12_535, 180_224, 327_680));
//!
//! region.write_at(180_224, b"shared")?;
//! let mut read = [0; 6];
//! region.read_at(180_224, &mut read)?;
//! assert_eq!(&read, b"shared");
//! region.protect(pages.numbers(), pagecast::region::Access::Read)?;
//! assert!(region.write_at(180_224, b"refused").is_err());
//! # Ok::<(), pagecast::Error>(())
//! ```

mod bytes;
mod cursor;
mod handle;
mod handle_text;
mod huge_pages;
mod object;
mod options;
mod overlay;
mod page_calls;
mod resize;
mod runs;
mod sealing;
mod shared_memory;
mod sysv;

pub use crate::memory::{Lent, NotOverlaid, Number, Reservation};
pub use crate::segment::duplicate;
pub use crate::sys::{Access, Advice, Seals};
pub use handle::Handle;
pub use huge_pages::HugePlace;
pub use options::{MapOptions, Placement, Source};
pub use overlay::{Overlay, StillOverlaid};
pub use shared_memory::{Mode, SharedMemory, SharedMemoryInfo, SharedMemoryOptions, list, unlink};
pub use sysv::{SysVKey, SysVOptions, SysVSettings, SysVSharedMemory, SysVStatus};

use crate::address::PageRange;
use crate::error::{Code, Error, Result, grouped};
use crate::memory::{Backing, EnginePages, Part, View, in_use, map_error, out_of_reach};
use crate::sys::{self, Place};
use nix::errno::Errno;
use object::Object;
use runs::Runs;
use std::ops::Range;
use std::os::fd::BorrowedFd;
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;

/// Mapped memory. Bytes are copied in and out, because other processes may change them at any time; where they lie is an address for those
/// who know what they do. Dropped, the mapping is gone; [`Region::detach`] leaves it.
///
/// Another process that cuts the file short costs [`Code::Truncated`], see [`fault_guard`](crate::fault_guard): at the next call and at all
/// that follow.
#[derive(Debug)]
pub struct Region {
    /// Begins messages.
    title: String,
    object: Object,
    byte_offset: u64,
    byte_length: usize,
    access: Access,
    private: bool,
    /// Whether it stands at an address that was asked for, or that other processes were or will be told.
    is_placed: bool,
    reserve: bool,
    wishes: Wishes,
    /// The first one is the primary: it is what addresses mean, and what Rust copies through. The others are further mappings of the same
    /// pages; what is done to pages is done in all of them.
    views: Vec<View>,
    runs: Runs,
    /// Another process cut the file short: for good.
    is_truncated: AtomicBool,
    /// A page in whose place something else stays.
    spoiled: OnceLock<usize>,
    position: u64,
}

/// What is asked for each view.
#[derive(Clone, Copy, Debug)]
struct Wishes {
    populate: bool,
    lock: bool,
    huge_pages: bool,
}

impl Region {
    /// Maps what the options say.
    pub fn map(options: &MapOptions) -> Result<Region> {
        let mut region = Region::prepare(options)?;
        if region.views.is_empty() {
            region.add(region.view_anywhere()?)?;
        }
        Ok(region)
    }

    fn view_anywhere(&self) -> Result<View> {
        let (length, backing) = (self.whole_pages(), self.backing(self.access)?);
        let view = || View::new(Place::Anywhere, length, &backing, |errno| self.map_refused("", length, errno));
        if self.wishes.huge_pages { HugePlace::new(self.byte_offset).find(view) } else { view() }
    }

    /// As [`Region::map`], and where it has no place nothing is mapped yet: that is for [`Region::map_over`].
    pub fn prepare(options: &MapOptions) -> Result<Region> {
        let subject = options.subject();
        let title = format!("map {subject}");
        options.check(&title)?;
        let part = match (options.address, options.byte_length) {
            // before anything is made
            (Some((address, Placement::Replace)), Some(bytes)) => Some(Part::take(address, whole_pages(bytes)?)?),
            _ => None,
        };
        let (object, bytes) = Object::open(options, &title)?;
        if options.portable && object.is_device {
            return Err(Error::new(
                Code::Private,
                format!("{title}: a device cannot be placed for others: each may have memory of its own"),
            ));
        }
        let byte_length = usize::try_from(bytes).ok().filter(|_| whole_pages(bytes).is_ok());
        let Some(byte_length) = byte_length else {
            let fact = format!("{title}: {} bytes are more than this process can address", grouped(bytes));
            return Err(Error::new(Code::AddressSpace, fact));
        };
        let &MapOptions { byte_offset, access, private, populate, lock, huge_pages, .. } = options;
        let mut region = Region {
            runs: Runs::new(byte_length.div_ceil(sys::page_bytes()), access),
            wishes: Wishes { populate, lock, huge_pages },
            is_placed: options.address.is_some(),
            reserve: options.reserves(),
            is_truncated: AtomicBool::new(false),
            spoiled: OnceLock::new(),
            views: Vec::new(),
            position: 0,
            title: format!("region of {subject}"),
            object,
            byte_offset,
            byte_length,
            access,
            private,
        };
        if let Some((address, placement)) = options.address {
            let view = region.place(address, placement, part)?;
            region.add(view)?;
        }
        if options.portable {
            region.place_in_window()?;
        }
        Ok(region)
    }

    fn place(&self, address: u64, placement: Placement, part: Option<Part>) -> Result<View> {
        let (length, backing) = (self.whole_pages(), self.backing(self.access)?);
        let refused = |errno| self.place_refused(address, length, errno);
        let start =
            usize::try_from(address).map_err(|_| Error::new(Code::AddressSpace, format!("{}: no address of this process", self.title)))?;
        match placement {
            Placement::Exclusive => View::new(Place::Exclusive(start), length, &backing, refused),
            Placement::Hint => View::new(Place::Hint(start), length, &backing, refused),
            Placement::Replace => View::in_reservation(part.map_or_else(|| Part::take(address, length), Ok)?, &backing, refused),
        }
    }

    fn place_refused(&self, address: u64, length: usize, errno: Errno) -> Error {
        match errno {
            Errno::EEXIST => in_use(address, length, errno),
            errno => out_of_reach(address, length, errno).unwrap_or_else(|| self.map_refused(&format!(" at {address:#x}"), length, errno)),
        }
    }

    fn refuse_unshared(&self) -> Result<()> {
        if self.is_mappable_again() {
            return Ok(());
        }
        Err(self.error(Code::Private, "a private mapping, or that of a device, cannot be mapped a second time: it would share nothing"))
    }

    /// Maps the region over pages that the JavaScript engine owns; the first time, unless it was placed, as what addresses mean.
    pub fn map_over(&mut self, pages: EnginePages) -> Result<()> {
        if !self.views.is_empty() {
            self.refuse_unshared()?;
        }
        let (length, backing) = (self.whole_pages(), self.backing(self.access)?);
        let view = View::over(pages, length, &backing, |errno| self.map_refused("", length, errno))?;
        self.add(view)
    }

    fn map_refused(&self, place: &str, byte_length: usize, errno: Errno) -> Error {
        let title = format!("{}{place}", self.title);
        match self.object.sysv {
            Some(_) => sysv::attach_refused(&title, self.access, errno),
            None => map_refused(&title, byte_length, self.access, errno),
        }
    }

    /// One more view, as all of them are.
    fn add(&mut self, view: View) -> Result<()> {
        self.settle(&view)?;
        self.views.push(view);
        self.object.keep();
        Ok(())
    }

    /// Makes the pages of a new view what they are in the others.
    fn settle(&self, view: &View) -> Result<()> {
        for (pages, state) in self.runs.all() {
            let part = bytes_of(&pages);
            let set = match state {
                None => view.vacate(&part),
                Some(access) if access != self.access => view.protect(&part, access),
                Some(_) => Ok(()),
            };
            set.map_err(|errno| Error::system(&self.title, "mprotect", errno))?;
        }
        if self.views.is_empty() {
            self.object.confirm(&self.title)?; // from now on it stays what it is
        }
        self.fulfil(view, 0)
    }

    /// What is asked for each view, of the pages from a byte on. Huge pages first: those that are there stay as they are.
    fn fulfil(&self, view: &View, from: usize) -> Result<()> {
        let Wishes { populate, lock, huge_pages } = self.wishes;
        if huge_pages {
            huge_pages::ask(&self.title, &self.object, self.private, self.byte_offset, view)?;
        }
        if !lock && !populate {
            return Ok(());
        }
        let (first, end) = (from / sys::page_bytes(), view.byte_length() / sys::page_bytes());
        let mut runs = self.runs.clone();
        runs.set_length(end, self.access); // of a region that is about to become longer
        for (pages, state) in runs.within(&(first..end)) {
            let (part, Some(access)) = (bytes_of(&pages), state) else { continue };
            if lock {
                match view.on(&part, sys::lock_pages) {
                    // they are locked as soon as they may be used
                    Err(Errno::ENOMEM) if !access.reads() => {}
                    locked => locked.map_err(|errno| self.lock_refused(part.len(), errno))?,
                }
            }
            if populate && access.reads() {
                view.populate(&part, access.writes()).map_err(|errno| Error::system(&self.title, "madvise", errno))?;
            }
        }
        Ok(())
    }

    fn lock_refused(&self, byte_length: usize, errno: Errno) -> Error {
        let limit = sys::lock_limit().map_or("no limit".into(), |limit| format!("{} bytes (ulimit -l)", grouped(limit)));
        let what = format!("{}: lock {} bytes of memory within {limit}", self.title, grouped(byte_length as u64));
        Error::system(what, "mlock", errno).with_code(Code::LockLimit)
    }

    /// What it is, for messages.
    pub(crate) fn title(&self) -> &str {
        &self.title
    }

    fn error(&self, code: Code, fact: impl std::fmt::Display) -> Error {
        Error::new(code, format!("{}: {fact}", self.title))
    }

    fn backing(&self, access: Access) -> Result<Backing<'_>> {
        Ok(Backing {
            behind: self.object.behind(&self.title)?,
            byte_offset: self.byte_offset,
            access,
            private: self.private,
            identity: self.object.identity,
        })
    }

    fn whole_pages(&self) -> usize {
        self.byte_length.next_multiple_of(sys::page_bytes())
    }

    /// Bytes, as asked for.
    pub fn byte_length(&self) -> u64 {
        self.byte_length as u64
    }

    /// Where in the object it begins.
    pub fn byte_offset(&self) -> u64 {
        self.byte_offset
    }

    /// What could be done with all pages at first.
    pub fn access(&self) -> Access {
        self.access
    }

    /// Whether what is written stays in this process.
    pub fn is_private(&self) -> bool {
        self.private
    }

    /// Whether further mappings would be the same memory: what is private is not, and each mapping of a device, such as /dev/zero, may be memory of
    /// its own.
    pub fn is_mappable_again(&self) -> bool {
        !self.private && !self.object.is_device
    }

    /// Where the first byte is. 0 where nothing is mapped yet.
    pub fn address(&self) -> u64 {
        self.views.first().map_or(0, |view| view.address() as u64)
    }

    /// The address of a byte; one past the last is allowed.
    pub fn address_of(&self, byte_offset: u64) -> Option<u64> {
        (byte_offset <= self.byte_length()).then(|| self.address() + byte_offset)
    }

    /// Which byte is at an address, of whichever mapping of the region; that past its last byte is allowed.
    pub fn offset_of(&self, address: u64) -> Option<u64> {
        let find = |is_meant: fn(u64, u64) -> bool| {
            self.views.iter().find_map(|view| {
                let end = self.byte_length().min(view.byte_length() as u64);
                address.checked_sub(view.address() as u64).filter(|byte_offset| is_meant(*byte_offset, end))
            })
        };
        // where one mapping ends another one may begin
        find(|byte_offset, end| byte_offset < end).or_else(|| find(|byte_offset, end| byte_offset == end))
    }

    /// Whether it is of a SysV segment, which has no descriptor.
    pub(crate) fn is_sysv(&self) -> bool {
        self.object.sysv.is_some()
    }

    /// The pages, to count and to number.
    pub fn pages(&self) -> PageRange {
        PageRange::new(self.address(), self.whole_pages() / sys::page_bytes())
    }

    /// The open file, to be mapped by others. [`Code::TooManyFiles`] if it was given up; [`Code::Unsupported`] of a SysV segment, which has none.
    pub fn descriptor(&self) -> Result<BorrowedFd<'_>> {
        self.object.descriptor(&self.title)
    }

    /// Closes the open file: for whoever holds many regions. What is mapped stays; resizing and further mappings are [`Code::TooManyFiles`], and
    /// [`Code::ReadOnly`] and [`Code::NoAccess`] of shared pages last.
    pub fn give_up_descriptor(&mut self) {
        self.object.give_up_descriptor();
    }

    /// Gives the mapping up without undoing it: it stays for the rest of the process. Where, and how long it is.
    pub fn detach(mut self) -> (u64, u64) {
        let where_it_is = (self.address(), self.byte_length());
        self.views.drain(..).for_each(View::keep);
        where_it_is
    }

    /// Whoever owned it is gone, and the engine takes its pages back when nobody can reach them. What is not the engine's is unmapped.
    pub fn abandon(mut self) {
        for view in self.views.drain(..) {
            if view.is_engines() {
                view.abandon();
            }
        }
    }
}

/// Bytes of whole pages.
fn bytes_of(pages: &Range<usize>) -> Range<usize> {
    pages.start * sys::page_bytes()..pages.end * sys::page_bytes()
}

fn whole_pages(byte_length: u64) -> Result<usize> {
    let rounded = crate::address::round_to_page_size(byte_length).and_then(|bytes| isize::try_from(bytes).ok());
    let length = rounded.and_then(|bytes| usize::try_from(bytes).ok());
    length.ok_or_else(|| Error::new(Code::InvalidSize, format!("{} bytes are more than a process can map", grouped(byte_length))))
}

fn map_refused(title: &str, byte_length: usize, access: Access, errno: Errno) -> Error {
    match errno {
        Errno::EPERM => {
            let fact = "is not allowed: a seal (write, future-write) forbids writing, or a filesystem that is mounted noexec executing";
            Error::system(format_args!("{title}: access {access} {fact}"), "mmap", errno)
        }
        Errno::EACCES => {
            Error::system(format_args!("{title}: access {access} needs permission that the file or its descriptor lacks"), "mmap", errno)
        }
        Errno::ENODEV => Error::system(format_args!("{title}: it cannot be mapped"), "mmap", errno).with_code(Code::InvalidArgument),
        errno => map_error(byte_length as u64, &format!(" ({title})"), errno),
    }
}
