//! Addresses that are kept free for mappings to come.

use super::mapping::map_error;
use crate::error::{Code, Error, Result, grouped};
use crate::sys::{self, Place};
use nix::errno::Errno;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// A stretch of the address space that nothing else in this process is mapped to (mmap(2), `PROT_NONE`): memory is not taken. Regions go
/// into it by [`Placement::Replace`](crate::region::Placement::Replace). Dropped, it takes no more of
/// them; the addresses stay until all regions in it are dropped, too.
#[derive(Debug)]
pub struct Reservation(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    start: usize,
    byte_length: usize,
    /// Where regions are.
    taken: Mutex<Vec<Range<usize>>>,
}

/// All in this process that take regions, and where. Whoever looks for one keeps no other one: its addresses are free when it is dropped.
static ALL: Mutex<Vec<(Range<usize>, Weak<Inner>)>> = Mutex::new(Vec::new());

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Reservation {
    /// Reserves so many bytes, rounded up to whole pages, at an address where nothing is, or where the kernel finds room.
    pub fn new(byte_length: u64, address: Option<u64>) -> Result<Reservation> {
        let page = sys::page_bytes();
        let rounded =
            crate::address::round_to_page_size(byte_length).and_then(|bytes| usize::try_from(bytes).ok()).filter(|bytes| *bytes > 0);
        let Some(length) = rounded else {
            return Err(Error::new(Code::InvalidSize, format!("reserve {} bytes: no size of an address space", grouped(byte_length))));
        };
        let place = match address {
            None => Place::Anywhere,
            Some(address) => match usize::try_from(address) {
                Ok(start) if start.is_multiple_of(page) && start > 0 => Place::Exclusive(start),
                _ => {
                    return Err(Error::new(
                        Code::InvalidArgument,
                        format!("reserve at {address:#x}: not the address of a page of {page} bytes"),
                    ));
                }
            },
        };
        // SAFETY: no place where anything is.
        let start = unsafe { sys::map_nothing(place, length) }.map_err(|errno| reserve_error(length, address, errno))?;
        let start = start.as_ptr() as usize;
        let range = Arc::new(Inner { start, byte_length: length, taken: Mutex::default() });
        lock(&ALL).push((start..start + length, Arc::downgrade(&range)));
        Ok(Reservation(range))
    }

    /// The first address.
    pub fn address(&self) -> u64 {
        self.0.start as u64
    }

    /// Bytes reserved.
    pub fn byte_length(&self) -> u64 {
        self.0.byte_length as u64
    }
}

fn reserve_error(length: usize, address: Option<u64>, errno: Errno) -> Error {
    match address {
        Some(address) if errno == Errno::EEXIST => in_use(address, length, errno),
        _ => address
            .and_then(|address| out_of_reach(address, length, errno))
            .unwrap_or_else(|| map_error(length as u64, " of addresses", errno)),
    }
}

/// Something is at the address.
pub(crate) fn in_use(address: u64, byte_length: usize, errno: Errno) -> Error {
    let what = format!("map {} bytes at {address:#x}: something is mapped there already", grouped(byte_length as u64));
    Error::system(what, "mmap", errno).with_code(Code::AddressInUse)
}

/// What was refused because the process can have nothing at the address, whatever it is. `None`: there was another reason.
///
/// No constant tells: the end differs by processor and kernel. So it is tried with nothing: that is refused there, too, and not elsewhere.
pub(crate) fn out_of_reach(address: u64, byte_length: usize, errno: Errno) -> Option<Error> {
    let place = Place::Exclusive(usize::try_from(address).ok()?);
    if try_nothing(place, byte_length) != Err(errno) || try_nothing(Place::Anywhere, byte_length).is_err() {
        return None;
    }
    let fact = match errno {
        Errno::ENOMEM => "past the last address that a process can have",
        Errno::EPERM | Errno::EACCES => "lower than the first address that this process may use (vm.mmap_min_addr)",
        _ => "no address that this process can use",
    };
    Some(Error::system(format_args!("map {} bytes at {address:#x}: {fact}", grouped(byte_length as u64)), "mmap", errno))
}

/// Whether so many addresses can be had.
fn try_nothing(place: Place, byte_length: usize) -> std::result::Result<(), Errno> {
    // SAFETY: no place where anything is.
    let start = unsafe { sys::map_nothing(place, byte_length) }?;
    // SAFETY: it was just mapped, and nobody knows of it.
    unsafe { sys::unmap_pages(start.as_ptr() as usize, byte_length) };
    Ok(())
}

/// What is mapped into it stays, and nothing more comes.
impl Drop for Reservation {
    fn drop(&mut self) {
        let own = Arc::downgrade(&self.0);
        lock(&ALL).retain(|(_, known)| !known.ptr_eq(&own));
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // SAFETY: nothing is mapped in it any more, and nobody else had the addresses.
        unsafe { sys::unmap_pages(self.start, self.byte_length) };
    }
}

/// A part of a reservation that a region has.
#[derive(Debug)]
pub(crate) struct Part {
    range: Arc<Inner>,
    part: Range<usize>,
}

impl Part {
    /// Takes a part, if it lies in a reservation of this process and no region is there.
    pub(crate) fn take(address: u64, byte_length: usize) -> Result<Part> {
        let refused = |fact: &str| {
            let what = format!("replace {} bytes at {address:#x}: {fact}", grouped(byte_length as u64));
            Error::new(Code::AddressInUse, what)
        };
        let start = usize::try_from(address).ok();
        let part = start.and_then(|start| Some(start..start.checked_add(byte_length)?));
        let Some(part) = part else { return Err(refused("no addresses of this process")) };
        let holding = |(all, known): &(Range<usize>, Weak<Inner>)| {
            if all.start <= part.start && part.end <= all.end { known.upgrade() } else { None }
        };
        let range = lock(&ALL).iter().find_map(holding);
        let Some(range) = range else { return Err(refused("not within a reservation of this process")) };
        let mut taken = lock(&range.taken);
        if taken.iter().any(|other| other.start < part.end && part.start < other.end) {
            return Err(refused("another region is there, which has to be closed first"));
        }
        taken.push(part.clone());
        drop(taken);
        Ok(Part { range, part })
    }
}

impl Part {
    /// Address and length.
    pub(super) fn place(&self) -> (usize, usize) {
        (self.part.start, self.part.len())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        lock(&self.range.taken).retain(|part| *part != self.part);
    }
}
