//! A region over memory that its caller has already.

use super::{MapOptions, Region, bytes_of, huge_pages, whole_pages};
use crate::error::{Code, Error, Result, grouped};
use crate::memory::{Kept, Lent, NotOverlaid, Number, View};
use crate::sys::{Access, Place};
use std::fmt;
use std::ops::{Deref, Range};
use std::sync::Arc;

impl Region {
    /// Maps a region that was [prepared](Region::prepare) over the whole pages within memory that somebody lends: over as many as it takes, from the first on.
    /// What was there is gone, unless it is `kept`: then it goes to the object first, and whoever has that mapped sees it.
    ///
    /// What fails leaves the memory as it was.
    pub fn map_over_lent(&mut self, lent: Lent, kept: bool) -> Result<()> {
        if self.private {
            return Err(self.error(Code::Private, "a private mapping over memory that is private shares nothing with anybody"));
        }
        if !self.views.is_empty() {
            return Err(self.error(Code::AddressInUse, "it is mapped already"));
        }
        let (length, room) = (self.whole_pages(), lent.pages().len());
        if length > room {
            let (bytes, room) = (grouped(self.byte_length()), grouped(room as u64));
            return Err(
                self.error(Code::InvalidSize, format_args!("{bytes} bytes do not fit into the {room} of whole pages within the memory"))
            );
        }
        if kept && !self.access.writes() {
            return Err(self.error(Code::ReadOnly, format_args!("what is in the memory cannot be kept with access {}", self.access)));
        }
        let backing = self.backing(self.access)?;
        let refused = |errno| self.map_refused("", length, errno);
        if self.wishes.huge_pages {
            let start = lent.pages().start; // elsewhere there may be one
            huge_pages::check_place(&self.title, &(start..start + length), self.byte_offset)?;
        }
        // Elsewhere first: whatever the system refuses, it refuses there. What is over the memory once cannot be undone without losing what was in it.
        let rehearsal = View::new(Place::Anywhere, length, &backing, refused)?;
        self.fulfil(&rehearsal, 0)?;
        if kept {
            rehearsal.copy_in(0, lent.bytes(self.byte_length))?;
            if rehearsal.take_mended().missing {
                return Err(self.truncated());
            }
        }
        let view = View::over_lent(lent, length, &backing, refused)?;
        drop(rehearsal);
        self.add(view)
    }

    /// Gives lent memory back: private pages take the place of the object's, in one step; with the bytes that are there, as far as they may be read, or with
    /// zeros. The region is mapped nowhere then. What fails leaves it as it was.
    pub fn give_back(&mut self, keep: bool) -> Result<()> {
        let parts: Vec<_> =
            self.runs.all().filter(|(_, state)| keep && state.is_none_or(Access::reads)).map(|(pages, _)| bytes_of(&pages)).collect();
        let length = self.whole_pages();
        let Some(view) = self.views.last_mut().filter(|view| view.is_lent()) else {
            return Err(self.error(Code::Disposed, "it is over nobody's memory"));
        };
        view.give_back(&parts).map_err(|errno| self.map_refused("", length, errno))?;
        self.views.clear();
        Ok(())
    }
}

/// A region over the whole pages within numbers that the caller has: shared, until [`Overlay::into_memory`] gives them back. Dropped, private zeros
/// take its place before the memory is freed; forgotten, it stays mapped, and the memory is never freed.
///
/// The allocator does not align to pages: of a vector with one page more than is needed, enough lies within. Other processes see the same bytes from
/// [`Overlay::byte_offset`] on. It has the vector, instead of borrowing it, because who forgets a borrowed one leaves memory behind that looks like his own
/// and is not.
///
/// ```
/// use pagecast::region::{MapOptions, Overlay, Region, Source};
/// use std::os::fd::AsRawFd;
///
/// let batch = vec![1.0_f32; 3 * 1024];
/// let overlay = Overlay::map_kept(batch, MapOptions::new(Source::Memory("batch".into())))?;
/// assert!(overlay.byte_length() >= 8192);
///
/// let elsewhere = Region::map(&MapOptions::new(Source::duplicate(overlay.descriptor()?.as_raw_fd())?))?;
/// elsewhere.write_at(0, &2.5_f32.to_ne_bytes())?;
/// let first = overlay.byte_offset() / 4;
/// let batch = overlay.into_memory(true)?;
/// assert_eq!((batch[first], batch[first + 1]), (2.5, 1.0));
/// # Ok::<(), pagecast::Error>(())
/// ```
#[derive(Debug)]
pub struct Overlay<T: Number> {
    region: Region,
    memory: Arc<Kept<T>>,
    byte_offset: usize,
}

/// An overlay that could not be taken away, and why. As it was.
pub struct StillOverlaid<T: Number> {
    /// The overlay.
    pub overlay: Box<Overlay<T>>,
    /// Why.
    pub error: Error,
}

impl<T: Number> Overlay<T> {
    /// Maps the object over the numbers, which are gone: from then on there is what is in the object. By default the whole pages
    /// that lie within so many bytes wherever they begin, which is the same everywhere: one page fewer than they are, if they are a whole number of pages.
    pub fn map(memory: Vec<T>, options: MapOptions) -> std::result::Result<Overlay<T>, NotOverlaid<T>> {
        Overlay::make(memory, options, false)
    }

    /// As [`Overlay::map`], and the numbers go to the object first.
    pub fn map_kept(memory: Vec<T>, options: MapOptions) -> std::result::Result<Overlay<T>, NotOverlaid<T>> {
        Overlay::make(memory, options, true)
    }

    fn make(memory: Vec<T>, options: MapOptions, kept: bool) -> std::result::Result<Overlay<T>, NotOverlaid<T>> {
        let (memory, lent) = Kept::lend(memory)?;
        let byte_offset = lent.byte_offset();
        match overlaid(lent, options, kept) {
            Ok(region) => Ok(Overlay { region, memory, byte_offset }),
            Err(error) => Err(NotOverlaid { memory: Kept::take(memory).unwrap_or_default(), error }),
        }
    }

    /// Bytes from the first number to the first one that is shared.
    pub fn byte_offset(&self) -> usize {
        self.byte_offset
    }

    /// As [`Region::protect`].
    pub fn protect(&mut self, pages: Range<usize>, access: Access) -> Result<()> {
        self.region.protect(pages, access)
    }

    /// As [`Region::give_back`]: the numbers, private again; with what was shared last, if it is to be kept, or with zeros there.
    pub fn into_memory(mut self, keep: bool) -> std::result::Result<Vec<T>, StillOverlaid<T>> {
        if let Err(error) = self.region.give_back(keep) {
            return Err(StillOverlaid { overlay: Box::new(self), error });
        }
        let Overlay { region, memory, .. } = self;
        drop(region);
        Ok(Kept::take(memory).unwrap_or_default()) // the region had the only other half
    }
}

fn overlaid(lent: Lent, options: MapOptions, kept: bool) -> Result<Region> {
    let room = lent.pages().len() as u64;
    let sure = lent.surely_within() as u64;
    let options = MapOptions { byte_length: options.byte_length.or(Some(sure)), ..options };
    if options.byte_length == Some(0) {
        let fact = "no whole page lies within the memory for certain: it takes one page more than what is to be shared";
        return Err(Error::new(Code::InvalidSize, format!("map {}: {fact}", options.subject())));
    }
    if options.address.is_some() {
        return Err(Error::new(Code::InvalidArgument, format!("map {}: an address, and memory to be mapped over", options.subject())));
    }
    if options.byte_length.is_some_and(|bytes| whole_pages(bytes).is_ok_and(|bytes| bytes as u64 > room)) {
        // before anything is made
        let fact = format!("more bytes than the {} of whole pages within the memory", grouped(room));
        return Err(Error::new(Code::InvalidSize, format!("map {}: {fact}", options.subject())));
    }
    let mut region = Region::prepare(&options)?;
    region.map_over_lent(lent, kept)?;
    Ok(region)
}

impl<T: Number> Deref for Overlay<T> {
    type Target = Region;

    fn deref(&self) -> &Region {
        &self.region
    }
}

impl<T: Number> fmt::Debug for StillOverlaid<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StillOverlaid({:?})", self.error)
    }
}

impl<T: Number> From<StillOverlaid<T>> for Error {
    fn from(refused: StillOverlaid<T>) -> Error {
        refused.error
    }
}
