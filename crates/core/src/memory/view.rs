//! A stretch of addresses over which an object is mapped, and what can be done with its pages.

use super::fault_guard::{self, Guarded, Mended};
use super::lent::Lent;
use super::mapping::copy_bytes;
use super::range::Kind;
use super::reservation::Part;
use crate::error::{Code, Error, Result};
use crate::sys::{self, Access, Advice, Place, sysv};
use nix::errno::Errno;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::os::fd::BorrowedFd;

/// Whose the addresses are, and so what takes the place of the object in the end.
#[derive(Debug)]
pub(crate) enum Owner {
    /// The view's own: unmapped.
    View,
    /// A reservation's: reserved again.
    Reservation { _part: Part },
    /// The JavaScript engine's: private zeros, until the engine takes the pages back.
    Engine,
    /// A lender's, who gets private pages back: zeros, unless [`View::give_back`] came first. `None` once they are.
    Lender(Option<Lent>),
}

/// What mapped pages are of.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Behind<'a> {
    File(BorrowedFd<'a>),
    SysV(sysv::Segment),
}

/// What is mapped, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backing<'a> {
    pub behind: Behind<'a>,
    pub byte_offset: u64,
    pub access: Access,
    pub private: bool,
    /// The numbers that the file has in the kernel's list of mappings, where they are known.
    pub identity: Option<sys::Identity>,
}

/// Pages that the JavaScript engine owns, for an object to be mapped over.
#[derive(Debug)]
pub struct EnginePages {
    address: usize,
    byte_length: usize,
}

impl EnginePages {
    /// `byte_length` bytes from `address` on.
    ///
    /// # Safety
    /// They must be whole pages of an engine-owned memory that nobody else remaps. They must stay the engine's until the region that gets
    /// them is dropped or resized, or be collected in the same turn of its garbage collector as whatever owns that region, which is then
    /// given up by [`Region::abandon`](crate::region::Region::abandon).
    pub unsafe fn new(address: usize, byte_length: usize) -> Result<EnginePages> {
        if address.is_multiple_of(sys::page_bytes()) && address > 0 {
            return Ok(EnginePages { address, byte_length });
        }
        Err(Error::new(Code::InvalidArgument, format!("{byte_length} bytes at {address:#x} do not begin with a page")))
    }
}

/// Whole pages of an object, mapped. Nothing refers to them: bytes are copied in and out, or reached by whoever has the address.
#[derive(Debug)]
pub(crate) struct View {
    start: usize,
    byte_length: usize,
    owner: Owner,
    /// `None` only while it is being made or dropped.
    guarded: Option<Guarded>,
}

impl View {
    /// Maps whole pages where the kernel finds room, or at an address that nobody uses. `refused` says what the kernel said.
    pub(crate) fn new(place: Place, byte_length: usize, backing: &Backing<'_>, refused: impl FnOnce(Errno) -> Error) -> Result<View> {
        debug_assert!(!matches!(place, Place::Over(_)));
        // SAFETY: no place where anything is.
        let address = unsafe { map(place, byte_length, backing) }.map_err(refused)?;
        View { start: address, byte_length, owner: Owner::View, guarded: None }.guarded(backing)
    }

    /// Maps whole pages over a part of a reservation, all of it.
    pub(crate) fn in_reservation(part: Part, backing: &Backing<'_>, refused: impl FnOnce(Errno) -> Error) -> Result<View> {
        let (address, byte_length) = part.place();
        // SAFETY: nothing is mapped in the part, and no other view gets it.
        unsafe { View::replacing(address, byte_length, Owner::Reservation { _part: part }, backing, refused) }
    }

    /// Maps whole pages over the first of the engine's.
    pub(crate) fn over(
        pages: EnginePages,
        byte_length: usize,
        backing: &Backing<'_>,
        refused: impl FnOnce(Errno) -> Error,
    ) -> Result<View> {
        if byte_length > pages.byte_length {
            let fact = format!("{} bytes of the engine's pages for {byte_length} bytes", pages.byte_length);
            return Err(Error::new(Code::InvalidArgument, fact));
        }
        // SAFETY: what was promised to `EnginePages::new`.
        unsafe { View::replacing(pages.address, byte_length, Owner::Engine, backing, refused) }
    }

    /// Maps whole pages over the first that lie within what somebody lends.
    pub(crate) fn over_lent(lent: Lent, byte_length: usize, backing: &Backing<'_>, refused: impl FnOnce(Errno) -> Error) -> Result<View> {
        let start = lent.pages().start;
        debug_assert!(byte_length <= lent.pages().len());
        // SAFETY: what was promised to `Lent::new`; nothing of the lender's that is to last is in the pages any more.
        unsafe { View::replacing(start, byte_length, Owner::Lender(Some(lent)), backing, refused) }
    }

    /// Dropped where the system refuses: before Linux 6.12 what was there is gone if it is the file's driver that refuses, and others must not get the
    /// addresses.
    ///
    /// # Safety
    /// The pages must be the owner's, and nothing may be lost with them.
    unsafe fn replacing(
        start: usize,
        byte_length: usize,
        owner: Owner,
        backing: &Backing<'_>,
        refused: impl FnOnce(Errno) -> Error,
    ) -> Result<View> {
        let view = View { start, byte_length, owner, guarded: None };
        // SAFETY: the caller's promise.
        unsafe { map(Place::Over(start), byte_length, backing) }.map_err(refused)?;
        view.guarded(backing)
    }

    /// Dropped if there is no guard.
    fn guarded(mut self, backing: &Backing<'_>) -> Result<View> {
        self.guarded = Some(fault_guard::guard_as(self.start, self.byte_length, kind(&self.owner, backing))?);
        Ok(self)
    }

    pub(crate) fn address(&self) -> usize {
        self.start
    }

    pub(crate) fn byte_length(&self) -> usize {
        self.byte_length
    }

    /// What was mended: of forbidden pages since this was last asked, of missing ones ever.
    pub(crate) fn take_mended(&self) -> Mended {
        self.guarded.as_ref().map(Guarded::take_mended).unwrap_or_default()
    }

    /// Copies bytes out; all of them must be in the view, in pages that may be read.
    pub(crate) fn copy_out(&self, from: usize, target: &mut [u8]) -> Result<()> {
        let from = self.checked(from, target.len())?;
        // SAFETY: mapped, and no slice that is safe overlaps a mapping that hands out no references; of JavaScript's none is a view of the region.
        unsafe { copy_bytes(from as *const u8, target.as_mut_ptr(), target.len()) };
        Ok(())
    }

    /// Copies bytes in; all of them must be in the view, in pages that may be written.
    pub(crate) fn copy_in(&self, to: usize, source: &[u8]) -> Result<()> {
        let to = self.checked(to, source.len())?;
        // SAFETY: as in `copy_out`.
        unsafe { copy_bytes(source.as_ptr(), to as *mut u8, source.len()) };
        Ok(())
    }

    fn checked(&self, byte_offset: usize, byte_length: usize) -> Result<usize> {
        let end = byte_offset.checked_add(byte_length).filter(|end| *end <= self.byte_length);
        end.map(|_| self.start + byte_offset).ok_or_else(|| {
            Error::new(Code::ValueRange, format!("{byte_length} bytes from byte {byte_offset} on, of {} that are mapped", self.byte_length))
        })
    }

    /// A part as addresses. The caller has checked it.
    fn part(&self, part: &Range<usize>) -> (usize, usize) {
        let end = part.end.min(self.byte_length);
        (self.start + part.start.min(end), end.saturating_sub(part.start))
    }

    /// Calls `act` with address and length of a part, unless none of it is in this view.
    pub(crate) fn on(&self, part: &Range<usize>, act: impl FnOnce(usize, usize) -> nix::Result<()>) -> nix::Result<()> {
        let (address, byte_length) = self.part(part);
        if byte_length == 0 { Ok(()) } else { act(address, byte_length) }
    }

    /// Whether the addresses are a reservation's.
    pub(crate) fn is_reserved(&self) -> bool {
        matches!(self.owner, Owner::Reservation { .. })
    }

    /// Whether the addresses are the engine's.
    pub(crate) fn is_engines(&self) -> bool {
        matches!(self.owner, Owner::Engine)
    }

    /// Whether the addresses are a lender's, who has not got them back.
    pub(crate) fn is_lent(&self) -> bool {
        matches!(self.owner, Owner::Lender(Some(_)))
    }

    /// Whether JavaScript may reach the pages, and do to them what they do not allow.
    pub(crate) fn mends_access(&self) -> bool {
        matches!(self.owner, Owner::Engine | Owner::Lender(_))
    }

    /// Puts private pages in the place of the object's, in one step, with the bytes of these parts and zeros elsewhere. What is refused changes nothing.
    ///
    /// To the kernel, zeros become one mapping again with the lender's memory around them; a copy stays one of its own.
    pub(crate) fn give_back(&mut self, parts: &[Range<usize>]) -> nix::Result<()> {
        // SAFETY: the pages are this view's, and whoever lent them expects others to change them.
        unsafe {
            match parts {
                [] => sys::map_plain_zeros_over(self.start, self.byte_length),
                _ => sys::replace_by_copy(self.start, self.byte_length, parts),
            }
        }?;
        self.guarded = None; // before the lender has the addresses back
        self.owner = Owner::Lender(None);
        Ok(())
    }

    /// Has pages in memory at once.
    pub(crate) fn populate(&self, part: &Range<usize>, writes: bool) -> nix::Result<()> {
        match self.on(part, |address, byte_length| sys::populate(address, byte_length, writes)) {
            // before Linux 5.14, or pages of a kind that cannot: reading ahead is all there is then
            Err(Errno::EINVAL) => self.advise(part, Advice::WillNeed),
            populated => populated,
        }
    }

    /// Tells the kernel of the use of pages.
    pub(crate) fn advise(&self, part: &Range<usize>, advice: Advice) -> nix::Result<()> {
        // SAFETY: the pages are this view's, and its owner was told what the advice does to them.
        self.on(part, |address, byte_length| unsafe { sys::advise(address, byte_length, advice) })
    }

    /// Changes what may be done with pages.
    pub(crate) fn protect(&self, part: &Range<usize>, access: Access) -> nix::Result<()> {
        if let (Some(guarded), false) = (&self.guarded, access.reads()) {
            guarded.mark_unreadable();
        }
        // SAFETY: the pages are this view's.
        self.on(part, |address, byte_length| unsafe { sys::protect(address, byte_length, access) })
    }

    /// Maps pages anew: what was put in their place goes.
    pub(crate) fn map_again(&self, part: &Range<usize>, backing: &Backing<'_>) -> nix::Result<()> {
        let backing = Backing { byte_offset: backing.byte_offset + part.start as u64, ..*backing };
        // SAFETY: the pages are this view's.
        self.on(part, |address, byte_length| unsafe { map(Place::Over(address), byte_length, &backing) }.map(drop))
    }

    /// Gives pages up. Their addresses stay this view's.
    pub(crate) fn vacate(&self, part: &Range<usize>) -> nix::Result<()> {
        self.on(part, |address, byte_length| match self.owner {
            Owner::Engine | Owner::Lender(_) => zeros(address, byte_length),
            // SAFETY: the pages are this view's.
            _ => unsafe { sys::map_nothing(Place::Over(address), byte_length) }.map(drop),
        })
    }

    /// Gives up what is past the first `byte_length` bytes.
    pub(crate) fn shorten(&mut self, byte_length: usize) -> nix::Result<()> {
        if !matches!(self.owner, Owner::View) {
            return self.vacate(&(byte_length..self.byte_length)); // the addresses stay, and so does the guard over them
        }
        let (rest, rest_length) = self.part(&(byte_length..self.byte_length));
        self.set_length(byte_length); // before the pages, as in drop
        // SAFETY: the pages were this view's until now.
        unsafe { sys::unmap_pages(rest, rest_length) };
        Ok(())
    }

    /// Maps more of the object behind what is mapped; `EEXIST` if something is there.
    pub(crate) fn lengthen(&mut self, byte_length: usize, backing: &Backing<'_>) -> nix::Result<()> {
        let more = byte_length - self.byte_length;
        let backing = Backing { byte_offset: backing.byte_offset + self.byte_length as u64, ..*backing };
        // SAFETY: no place where anything is.
        unsafe { map(Place::Exclusive(self.start + self.byte_length), more, &backing) }?;
        self.set_length(byte_length);
        Ok(())
    }

    fn set_length(&mut self, byte_length: usize) {
        self.byte_length = byte_length;
        if let Some(guarded) = &self.guarded {
            guarded.set_length(byte_length);
        }
    }

    /// Leaves everything as it is, for whoever may still reach it; the engine unmaps what is the engine's. Everything else stays for the
    /// rest of the process.
    pub(crate) fn abandon(mut self) {
        match (&self.owner, self.guarded.take()) {
            (Owner::Engine, Some(guarded)) => guarded.abandon(),
            (_, guarded) => std::mem::forget(guarded),
        }
        std::mem::forget(self);
    }

    /// As [`View::abandon`], for pages that are kept from the engine's hands: the guard stays for good.
    pub(crate) fn keep(mut self) {
        std::mem::forget(self.guarded.take());
        std::mem::forget(self);
    }
}

impl Drop for View {
    fn drop(&mut self) {
        match &self.owner {
            Owner::View => {
                self.guarded = None; // before the pages: their addresses may be somebody else's as soon as they are gone
                // SAFETY: the pages are this view's, and nobody refers to them.
                unsafe { sys::unmap_pages(self.start, self.byte_length) };
            }
            // Where the system refuses, the object stays mapped until the owner gives the pages away.
            Owner::Reservation { .. } => drop(self.vacate(&(0..self.byte_length))),
            Owner::Engine => drop(zeros(self.start, self.byte_length)),
            Owner::Lender(None) => {}
            Owner::Lender(Some(_)) => {
                if self.give_back(&[]).is_err() {
                    // never given back, as something else is mapped there
                    std::mem::forget(std::mem::replace(&mut self.owner, Owner::Lender(None)));
                }
                self.guarded = None; // before the lender has the addresses back
            }
        }
    }
}

/// The pages of a view that JavaScript can reach are mended whatever it does to them.
fn kind(owner: &Owner, backing: &Backing<'_>) -> Kind {
    let (Owner::Engine | Owner::Lender(_)) = owner else { return Kind::default() };
    let private = if backing.private { Kind::PRIVATE } else { 0 };
    let unreadable = if backing.access.reads() { 0 } else { Kind::UNREADABLE };
    let verified = if backing.identity.is_some() { Kind::VERIFIED } else { 0 };
    let (device, inode) = backing.identity.map_or((0, 0), |identity| (identity.device, identity.inode));
    Kind { bits: Kind::MENDS_ACCESS | private | unreadable | verified, device, inode }
}

/// # Safety
/// As for [`sys::map_object`].
unsafe fn map(place: Place, byte_length: usize, backing: &Backing<'_>) -> nix::Result<usize> {
    let Backing { behind, byte_offset, access, private, .. } = *backing;
    // SAFETY: the caller's promise.
    unsafe {
        match behind {
            Behind::File(fd) => {
                sys::map_object(place, byte_length, fd, byte_offset, access, private).map(|address| address.as_ptr() as usize)
            }
            Behind::SysV(segment) => {
                let byte_offset = usize::try_from(byte_offset).map_err(|_| Errno::EOVERFLOW)?;
                sysv::attach(place, byte_length, segment, byte_offset, access)
            }
        }
    }
}

fn zeros(address: usize, byte_length: usize) -> nix::Result<()> {
    let (Some(start), Some(length)) = (NonZeroUsize::new(address), NonZeroUsize::new(byte_length)) else { return Ok(()) };
    // SAFETY: called for pages of a view whose owner is the engine or a lender.
    unsafe { sys::map_zeros_over(start, length) }
}
