//! Buffer and address: the only unsafe code of the binding.

#![allow(unsafe_code)]

use napi::bindgen_prelude::{Float64ArraySlice, Uint8Array, Uint8ArraySlice};
use pagecast::memory::{EnginePages, Overlay};
use pagecast::segment::Segment;
use pagecast::{Code, Error};

/// The engine's pages, with a segment mapped over them. Dropped, they hold private zeros again.
pub(crate) struct Pages {
    _overlay: Overlay,
    /// Keeps the engine from giving the pages away while the segment lies over them, also when JavaScript forgot both.
    _array: Uint8Array,
}

impl Pages {
    /// Maps the whole segment over the engine's pages.
    pub(crate) fn map(array: Uint8Array, segment: &Segment) -> pagecast::Result<Pages> {
        let mapping = segment.mapping();
        let (found, expected) = (array.len(), mapping.byte_length());
        if found != expected {
            return Err(Error::new(Code::InvalidSize, format!("map the segment: {found} bytes of pages for {expected} bytes")));
        }
        // SAFETY: TypeScript passes the whole of a WebAssembly.Memory that it just made and never lets out of its module, and which
        // lives as long as the array's buffer does.
        let overlay = unsafe { Overlay::new(array.as_ptr() as usize, found, segment.fd(), mapping.read_only()) }?;
        Ok(Pages { _overlay: overlay, _array: array })
    }
}

/// The pages of a region, which nothing native keeps from being collected: what JavaScript can reach keeps the region, and they go together.
pub(crate) fn engine_pages(array: &Uint8ArraySlice<'_>) -> pagecast::Result<EnginePages> {
    // SAFETY: TypeScript passes the whole of an engine's memory that it just made and never lets out of its module. Its buffer keeps the native
    // region alive, so that the two end together, or after `close` and `resize`, which put private zeros there.
    unsafe { EnginePages::new(array.as_ptr() as usize, array.len()) }
}

/// The bytes of a caller's array, for the length of one call.
pub(crate) fn bytes_mut<'a>(array: &'a mut Uint8ArraySlice<'_>) -> &'a mut [u8] {
    // SAFETY: this thread's JavaScript does not run while this call does. Others may have the array's memory, too: what it is handed to only copies
    // into it, and takes nothing for granted that it finds there.
    unsafe { array.as_mut() }
}

/// The numbers of a caller's array, for the length of one call.
pub(crate) fn numbers_mut<'a>(array: &'a mut Float64ArraySlice<'_>) -> &'a mut [f64] {
    // SAFETY: as above.
    unsafe { array.as_mut() }
}
