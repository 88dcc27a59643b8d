//! `NativeHugePlace`

use napi::bindgen_prelude::Uint8ArraySlice;
use napi_derive::napi;
use pagecast::region::HugePlace;

/// Finds a place for huge pages in the engine's memory.
#[napi]
pub struct NativeHugePlace {
    /// `None` once closed.
    place: Option<HugePlace>,
}

#[napi]
impl NativeHugePlace {
    /// For what begins at this byte of its object.
    #[napi(constructor)]
    pub fn new(byte_offset: f64) -> NativeHugePlace {
        NativeHugePlace { place: Some(HugePlace::new(byte_offset as u64)) }
    }

    /// Whether other memory, asked for before this is closed, may be better than these pages are.
    #[napi]
    pub fn is_elsewhere(&mut self, pages: Uint8ArraySlice<'_>) -> bool {
        let start = pages.as_ptr() as usize;
        self.place.as_mut().is_some_and(|place| place.is_elsewhere(&(start..start + pages.len())))
    }

    /// Lets go of the addresses that were kept from the engine.
    #[napi]
    pub fn close(&mut self) {
        self.place = None;
    }
}
