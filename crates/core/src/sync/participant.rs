//! One of those who share a mutex: its words, and a number that a byte of the kernel's proves to be its own.

use super::mutex::{Locked, Locker, Owner};
use super::place::{MUTEX_ALIGNMENT, MUTEX_BYTES, Place};
use crate::error::{Code, Error, Result, grouped};
use crate::memory::{Backing, Behind, View, map_error};
use crate::primitive::Ordering;
use crate::region::Region;
use crate::roster::{Byte, Holder, LockFile, MAX_MUTEXES, MAX_SLOTS, SlotBytes};
use crate::sys::{self, Access};
use crate::wait::{Futex, Park};
use std::sync::atomic::AtomicBool;

/// Its mapping and its descriptor are its own: they stay whatever becomes of the region.
#[derive(Debug)]
pub(super) struct Participant {
    /// What messages call the mutex.
    pub title: String,
    place: Place,
    locks: LockFile,
    /// Which 64 bytes of the file.
    mutex: u64,
    slot: u32,
    /// Whether another process can cut the file short.
    can_shrink: bool,
    /// Another process has: for good.
    is_truncated: AtomicBool,
}

impl Participant {
    pub fn open(region: &Region, byte_offset: u64) -> Result<Participant> {
        let title = format!("mutex at byte {} of the {}", grouped(byte_offset), region.title());
        let position = check(region, byte_offset, &title)?;
        region.check()?;
        let fd = region.descriptor()?;
        let page = sys::page_size();
        let start = position / page * page;
        let backing = Backing { behind: Behind::File(fd), byte_offset: start, access: Access::ReadWrite, private: false, identity: None };
        let refused = |errno| map_error(page, &format!(" (open the {title})"), errno);
        let view = View::new(sys::Place::Anywhere, sys::page_bytes(), &backing, refused)?;
        let place = Place::find(view, usize::try_from(position - start).unwrap_or(usize::MAX))?;
        let owned = fd.try_clone_to_owned().map_err(|error| io_error(&title, &error))?;
        let locks = LockFile::reopen(&owned, false)?;
        let (mutex, what) = (position / MUTEX_BYTES, format!("open the {title}"));
        let Some(slot) = locks.hold_participant(mutex, &what)? else {
            return Err(Error::new(Code::TooManyConsumers, format!("{what}: all {MAX_SLOTS} participants are there already")));
        };
        let (can_shrink, is_truncated) = (!sys::cannot_shrink(&owned), AtomicBool::new(false));
        let participant = Participant { title, place, locks, mutex, slot, can_shrink, is_truncated };
        participant.locker().attach();
        participant.check().map(|()| participant)
    }

    #[inline]
    pub fn locker(&self) -> Locker<'_, Futex> {
        Locker { words: self.place.words(), number: self.slot + 1, park: Futex }
    }

    pub fn slot(&self) -> u32 {
        self.slot
    }

    /// What the word says now.
    pub fn owner(&self) -> Owner {
        Owner(self.place.words().owner.load(Ordering::Relaxed)) // Relaxed: nothing else is read on the strength of it
    }

    /// For display: who holds the mutex.
    pub fn name_self(&self) {
        self.place.words().owner_pid.store(std::process::id(), Ordering::Relaxed);
    }

    /// For display, before it lets go.
    pub fn name_nobody(&self) {
        self.place.words().owner_pid.store(0, Ordering::Relaxed);
    }

    pub fn holder(&self) -> Option<Holder> {
        let slot = self.owner().slot()?;
        Some(Holder { pid: self.place.words().owner_pid.load(Ordering::Relaxed), slot })
    }

    /// Wakes everybody who waits, to look again.
    pub fn wake_all(&self) {
        Futex.wake_all(&self.place.words().owner);
    }

    /// [`Code::Disposed`] in a forked child of the process that it belongs to: there its number is the parent's.
    #[inline]
    pub fn check_own(&self, operation: &str) -> Result<()> {
        if !self.locks.is_inherited() {
            return Ok(());
        }
        let fact = format!("{operation} the {}: opened by the process that forked this one; open it here", self.title);
        Err(Error::new(Code::Disposed, fact))
    }

    /// [`Code::Truncated`] from when another process has cut the file short: the words may be zeros that nobody shares.
    pub fn check(&self) -> Result<()> {
        let end = (self.mutex + 1) * MUTEX_BYTES;
        let is_shorter = || self.can_shrink && self.locks.file_size().is_some_and(|size| size < end);
        if self.place.is_missing() || is_shorter() {
            self.is_truncated.store(true, Ordering::Relaxed);
        }
        if self.is_truncated.load(Ordering::Relaxed) { Err(self.truncated()) } else { Ok(()) }
    }

    #[cold]
    fn truncated(&self) -> Error {
        Error::new(Code::Truncated, format!("{}: another process cut the file short", self.title))
    }

    /// Whether it can be true that this one holds it and not the caller: what the word says is never trusted.
    pub fn check_holder(&self, seen: Owner) -> Result<()> {
        let number = seen.number();
        if number <= MAX_SLOTS && number != self.slot + 1 {
            return Ok(());
        }
        self.check()?;
        Err(self.corrupt(seen))
    }

    #[cold]
    pub fn corrupt(&self, seen: Owner) -> Error {
        let fact = match seen.number() {
            0 => "nobody holds it, but this participant does".into(),
            number if number == self.slot + 1 => "this participant holds it, and it does not".into(),
            number if number <= MAX_SLOTS => format!("participant {number} holds it, but this participant does"),
            number => format!("participant {number} holds it, and there are {MAX_SLOTS} at most"),
        };
        Error::new(Code::Corrupt, format!("{}: its word is {:#x}, so {fact}", self.title, seen.0))
    }

    /// Asks the kernel whether that holder lives. Errors count as life: they say nothing of a death.
    pub fn is_alive(&self, holder: Owner) -> bool {
        holder.slot().is_none_or(|slot| self.locks.is_held(Byte::Participant(self.mutex, slot)).unwrap_or(true))
    }

    /// See [`Locker::recover`]. [`Code::Corrupt`] if that cannot be the holder: its byte is this participant's own, or another mutex's, and would be let
    /// go of here. [`Code::LockObstructed`] where a read lock of somebody who is no participant stands in the way.
    pub fn recover(&self, seen: Owner) -> Result<Option<Locked>> {
        let Some(slot) = seen.slot() else { return Ok(None) };
        self.check_holder(seen)?;
        let byte = Byte::Participant(self.mutex, slot);
        if self.locks.is_held(byte)? {
            return Ok(None);
        }
        let recovered = self.locker().recover(seen, self)?;
        if recovered.is_none() && self.owner().number() == seen.number() && self.locks.is_obstructed(byte)? {
            return Err(crate::roster::obstruction(format_args!("lock the {}", self.title), byte));
        }
        Ok(recovered)
    }

    /// The last thing a participant does. By hand: a watcher may keep the description.
    pub fn leave(&self) {
        let _ = self.locks.release(Byte::Participant(self.mutex, self.slot));
    }
}

impl SlotBytes for Participant {
    type Error = Error;

    fn try_hold_slot(&self, slot: u32) -> Result<bool> {
        self.locks.try_hold(Byte::Participant(self.mutex, slot))
    }

    fn release_slot(&self, slot: u32) -> Result<()> {
        self.locks.release(Byte::Participant(self.mutex, slot))
    }
}

/// Where in the file the mutex is, if one can be there.
fn check(region: &Region, byte_offset: u64, title: &str) -> Result<u64> {
    let error = |code, fact: String| Err(Error::new(code, format!("open the {title}: {fact}")));
    if !byte_offset.is_multiple_of(MUTEX_ALIGNMENT) {
        return error(Code::InvalidArgument, format!("its offset is no multiple of {MUTEX_ALIGNMENT}"));
    }
    if byte_offset.checked_add(MUTEX_BYTES).is_none_or(|end| end > region.byte_length()) {
        let length = grouped(region.byte_length());
        return error(Code::ValueRange, format!("its {MUTEX_BYTES} bytes do not lie in the {length} of the region"));
    }
    if !region.is_mappable_again() {
        return error(Code::Private, "a private mapping, or that of a device, shares nothing with anybody".into());
    }
    if region.is_sysv() {
        return error(Code::Unsupported, "a SysV segment has no descriptor, and so no byte to lock by which others see who lives".into());
    }
    if !region.access().writes() {
        return error(Code::ReadOnly, format!("the region was mapped with access {}", region.access()));
    }
    let position = region.byte_offset().checked_add(byte_offset).filter(|position| position / MUTEX_BYTES < MAX_MUTEXES);
    let Some(position) = position else {
        return error(Code::ValueRange, format!("it lies past the first {} bytes of its file", grouped(MAX_MUTEXES * MUTEX_BYTES)));
    };
    Ok(position)
}

fn io_error(title: &str, error: &std::io::Error) -> Error {
    let errno = nix::errno::Errno::from_raw(error.raw_os_error().unwrap_or(0));
    Error::system(format_args!("open the {title}"), "fcntl", errno)
}

#[cfg(test)]
mod tests;
