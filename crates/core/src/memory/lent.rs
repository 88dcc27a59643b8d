//! Memory that somebody has, and lends for an object to be mapped over the whole pages that lie within it.

use crate::error::{Code, Error, Result, grouped};
use crate::sys;
use std::any::Any;
use std::cell::UnsafeCell;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What is lent, by its pages, in this process.
static ALL: Mutex<Vec<Range<usize>>> = Mutex::new(Vec::new());

fn all() -> MutexGuard<'static, Vec<Range<usize>>> {
    ALL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whole pages within memory that belongs to somebody, who does without them until this is dropped.
pub struct Lent {
    pages: Range<usize>,
    address: usize,
    byte_length: usize,
    /// Keeps the memory.
    _keeper: Box<dyn Any + Send + Sync>,
}

impl Lent {
    /// The whole pages that lie within `byte_length` bytes at `address`; an empty range, if there are none.
    pub fn pages_within(address: usize, byte_length: usize) -> Range<usize> {
        let page = sys::page_bytes();
        let end = address.saturating_add(byte_length);
        let start = address.checked_next_multiple_of(page).unwrap_or(end);
        start..start.max(end - end % page)
    }

    /// Lends `byte_length` bytes at `address`. [`Code::InvalidSize`] if no whole page lies within them, [`Code::AddressInUse`] if pages are lent already, or are
    /// no plain memory: as far as the system tells (/proc/self/maps), a file is mapped there, or they cannot be read and written.
    ///
    /// # Safety
    /// The memory must be the caller's own, private to this process, and stay where it is until `keeper` is dropped. Until then nobody may hold a reference to
    /// what lies in its whole pages, nor rely on what is there: other processes change it, and the pages themselves are replaced.
    pub unsafe fn new(address: usize, byte_length: usize, keeper: Box<dyn Any + Send + Sync>) -> Result<Lent> {
        let pages = Lent::pages_within(address, byte_length);
        let refused =
            |code, fact: &str| Err(Error::new(code, format!("map over {} bytes at {address:#x}: {fact}", grouped(byte_length as u64))));
        if pages.is_empty() {
            return refused(Code::InvalidSize, &format!("no whole page of {} bytes lies within them", sys::page_bytes()));
        }
        let mut all = all();
        if all.iter().any(|other| other.start < pages.end && pages.start < other.end) {
            return refused(Code::AddressInUse, "another region is over them already");
        }
        if !is_plain(&pages) {
            return refused(Code::AddressInUse, "a file is mapped there, or they cannot be read and written");
        }
        all.push(pages.clone());
        Ok(Lent { pages, address, byte_length, _keeper: keeper })
    }

    /// Where the pages are.
    pub fn pages(&self) -> Range<usize> {
        self.pages.clone()
    }

    /// Bytes of whole pages that lie within so many bytes, wherever in a page they begin.
    pub(crate) fn surely_within(&self) -> usize {
        let page = sys::page_bytes();
        ((self.byte_length + 1) / page).saturating_sub(1) * page
    }

    /// Bytes from the first one lent to the first page.
    pub fn byte_offset(&self) -> usize {
        self.pages.start - self.address
    }

    /// The first bytes of the pages, before anything is mapped over them.
    pub(crate) fn bytes(&self, byte_length: usize) -> &[u8] {
        // SAFETY: the lender's memory, which he does not touch meanwhile; it is there, and nothing is mapped over it yet.
        unsafe { std::slice::from_raw_parts(self.pages.start as *const u8, byte_length.min(self.pages.len())) }
    }
}

impl fmt::Debug for Lent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lent({} bytes at {:#x})", self.byte_length, self.address)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let mut all = all();
        if let Some(index) = all.iter().position(|pages| *pages == self.pages) {
            all.swap_remove(index);
        }
    }
}

/// Whether nothing but private memory is there that can be read and written. Where nothing can be found out, it is believed.
fn is_plain(pages: &Range<usize>) -> bool {
    let mappings = sys::mappings();
    let (start, end) = (pages.start as u64, pages.end as u64);
    if !mappings.is_open() {
        return true;
    }
    let here = mappings.take_while(|part| part.start < end).filter(|part| start < part.end); // they come by their addresses
    // one comes twice if it grew while they were told, because what lay beside it changed
    here.take_while(|part| part.is_anonymous() && part.read_write)
        .fold(start, |reached, part| if part.start <= reached { reached.max(part.end) } else { reached })
        >= end
}

mod sealed {
    pub trait Number: Copy + Send + Sync + 'static {}
}

/// Numbers of which any bytes are one: what other processes put there is a value.
pub trait Number: sealed::Number {}

macro_rules! numbers {
    ($($number:ident),+) => { $(
        impl sealed::Number for $number {}
        impl Number for $number {}
    )+ };
}

numbers!(i8, u8, i16, u16, i32, u32, i64, u64, f32, f64);

/// Memory that was not mapped over, and why. As it was.
pub struct NotOverlaid<T> {
    /// The numbers.
    pub memory: Vec<T>,
    /// Why.
    pub error: Error,
}

impl<T> fmt::Debug for NotOverlaid<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NotOverlaid({:?})", self.error)
    }
}

impl<T> From<NotOverlaid<T>> for Error {
    fn from(refused: NotOverlaid<T>) -> Error {
        refused.error
    }
}

/// Numbers that are lent, and come back when nobody has the pages any more.
#[derive(Debug)]
pub(crate) struct Kept<T>(UnsafeCell<Vec<T>>);

// SAFETY: the cell is only there for the bytes behind the vector to change; nobody looks into it before it is owned again.
unsafe impl<T: Number> Sync for Kept<T> {}

impl<T: Number> Kept<T> {
    /// Lends them.
    pub(crate) fn lend(memory: Vec<T>) -> std::result::Result<(Arc<Kept<T>>, Lent), NotOverlaid<T>> {
        let kept = Arc::new(Kept(UnsafeCell::new(memory)));
        // SAFETY: nobody else has the cell yet.
        let (address, byte_length) = unsafe { ((*kept.0.get()).as_mut_ptr() as usize, (*kept.0.get()).len() * size_of::<T>()) };
        // SAFETY: the vector's own memory, which stays where it is while it is neither used nor dropped: the keeper holds it, and so does whoever gets the
        // other half, who cannot look into it.
        match unsafe { Lent::new(address, byte_length, Box::new(kept.clone())) } {
            Ok(lent) => Ok((kept, lent)),
            Err(error) => Err(NotOverlaid { memory: Kept::take(kept).unwrap_or_default(), error }),
        }
    }

    /// The numbers, if nobody has the pages any more.
    pub(crate) fn take(kept: Arc<Kept<T>>) -> Option<Vec<T>> {
        Arc::into_inner(kept).map(|kept| kept.0.into_inner())
    }
}
