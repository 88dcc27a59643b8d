//! Where the words of a publication lie in its mapping. Only this file makes references from pointers into the segment.

#![allow(unsafe_code)]

use super::layout::Layout;
use super::words::{BufferHeader, Control, Words};
use crate::error::{Code, Error, Result};
use crate::memory::Mapping;
use crate::roster::Slot;

const _: () = assert!(size_of::<Control>() == 64 && size_of::<BufferHeader>() == 64 && size_of::<Slot>() == 64);

/// Byte offsets that other languages need. See `docs/format.md`.
pub mod offsets {
    use super::{BufferHeader, Control, Slot};
    use std::mem::offset_of;

    /// Of the state word in `Control`; the others of that line follow.
    pub const STATE: usize = offset_of!(Control, state);
    /// Of the sleepers' flag in `Control`.
    pub const SLEEPERS: usize = offset_of!(Control, sleepers);
    /// Of the waiting publisher's word in `Control`.
    pub const WRITER_WAITS: usize = offset_of!(Control, writer_waits);
    /// Of the high-water mark in `Control`.
    pub const HIGH_WATER: usize = offset_of!(Control, high_water);
    /// Bytes of one [`Slot`].
    pub const SLOT: usize = size_of::<Slot>();
    /// Of the pin in [`Slot`].
    pub const PIN: usize = offset_of!(Slot, pin);
    /// Of the flag of a consumer that waits for the lock in [`Slot`].
    pub const LOCK_WAIT: usize = offset_of!(Slot, lock_wait);
    /// Of the sequence in `BufferHeader`.
    pub const SEQUENCE: usize = offset_of!(BufferHeader, sequence);
    /// Bytes of one `BufferHeader`.
    pub const BUFFER_HEADER: usize = size_of::<BufferHeader>();
    /// Of the length in `BufferHeader`.
    pub const LENGTH: usize = offset_of!(BufferHeader, length);
    /// Of the version in `BufferHeader`.
    pub const VERSION: usize = offset_of!(BufferHeader, version);
    /// Of the timestamp in `BufferHeader`.
    pub const TIMESTAMP: usize = offset_of!(BufferHeader, timestamp);
}

/// Where the words are in one mapping, found once so that borrowing them costs nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    control: *const Control,
    slots: (*const Slot, usize),
    buffers: (*const BufferHeader, usize),
}

// SAFETY: a place is addresses only; `borrow` says what must hold when they are used.
unsafe impl Send for Place {}
// SAFETY: as above.
unsafe impl Sync for Place {}

impl Place {
    pub(crate) fn find(mapping: &Mapping, layout: &Layout) -> Result<Place> {
        let (slots, buffers) = (layout.slot_count as usize, layout.buffer_count as usize);
        let place = || {
            Some(Place {
                control: mapping.pointer(layout.control)?.as_ptr(),
                slots: (mapping.array(layout.slots, slots)?.as_ptr(), slots),
                buffers: (mapping.array(layout.buffer_headers, buffers)?.as_ptr(), buffers),
            })
        };
        let place = place().ok_or_else(|| Error::new(Code::Corrupt, "the publication's words lie outside the segment"))?;
        #[cfg(feature = "testing")]
        place.name_words();
        Ok(place)
    }

    /// For tests, in the order of the fields.
    #[cfg(feature = "testing")]
    fn name_words(&self) {
        use crate::testing::name_words;
        name_words(self.control, 1, &["state", "sleepers", "writer_waits", "high_water", "epoch", "publisher_pid"]);
        name_words(self.slots.0, self.slots.1, &["pin", "lock_wait", "attach_count", "pid"]);
        name_words(self.buffers.0, self.buffers.1, &["sequence"]);
    }

    /// The words, for as long as the mapping is borrowed.
    #[inline]
    pub(crate) fn borrow<'a>(&self, _mapping: &'a Mapping) -> Words<'a> {
        // SAFETY: `find` checked bounds and alignment in this mapping, which stays mapped while it is borrowed; the types hold
        // nothing but atomics, for which every bit pattern is valid and every change by another process is allowed.
        unsafe {
            Words {
                control: &*self.control,
                slots: std::slice::from_raw_parts(self.slots.0, self.slots.1),
                buffers: std::slice::from_raw_parts(self.buffers.0, self.buffers.1),
            }
        }
    }
}
