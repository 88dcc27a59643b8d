//! Where the words of a mutex lie in its mapping. Only this file makes references from pointers into the region's object.

#![allow(unsafe_code)]

use super::mutex::MutexWords;
use crate::error::{Code, Error, Result};
use crate::memory::View;

const _: () = assert!(size_of::<MutexWords>() == MUTEX_BYTES as usize && align_of::<MutexWords>() == MUTEX_ALIGNMENT as usize);

/// Bytes of a mutex.
pub const MUTEX_BYTES: u64 = 64;

/// A mutex begins at a multiple of so many bytes of its file.
pub const MUTEX_ALIGNMENT: u64 = 64;

/// The words of one mutex, in a mapping that lives as long.
#[derive(Debug)]
pub(super) struct Place {
    view: View,
    words: *const MutexWords,
}

// SAFETY: a place is a mapping that is its own, and an address in it; what lies there is reached by atomics only.
unsafe impl Send for Place {}
// SAFETY: as above.
unsafe impl Sync for Place {}

impl Place {
    pub(super) fn find(view: View, byte_offset: usize) -> Result<Place> {
        let end = byte_offset.checked_add(size_of::<MutexWords>()).filter(|end| *end <= view.byte_length());
        let words = (view.address() + byte_offset) as *const MutexWords;
        if end.is_none() || !words.is_aligned() {
            return Err(Error::new(Code::ValueRange, format!("a mutex at byte {byte_offset} of {} that are mapped", view.byte_length())));
        }
        #[cfg(feature = "testing")]
        crate::testing::name_words(words, 1, &["owner", "owner_pid"]);
        Ok(Place { view, words })
    }

    /// The words, for as long as the mapping is borrowed.
    #[inline]
    pub(super) fn words(&self) -> &MutexWords {
        // SAFETY: `find` checked bounds and alignment in the view, which stays mapped, readable and writable while this is borrowed; the type
        // holds nothing but atomics, for which every bit pattern is valid and every change by another process is allowed.
        unsafe { &*self.words }
    }

    /// Whether zeros stand for the words, because another process cut the file short.
    #[inline]
    pub(super) fn is_missing(&self) -> bool {
        self.view.take_mended().missing
    }
}
