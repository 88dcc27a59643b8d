//! Regions over arrays that JavaScript has.

use crate::descriptors::too_many_descriptors;
use crate::error::OrThrow;
use crate::pages;
use crate::region::{NativeRegion, number};
use napi::bindgen_prelude::{ArrayBuffer, Uint8Array, Uint8ArraySlice, Unknown};
use napi::{Env, Result};
use napi_derive::napi;
use pagecast::region::Lent;

/// The whole pages within an array.
#[napi(object)]
pub struct NativePagesWithin {
    /// Bytes before them.
    pub byte_offset: f64,
    /// Bytes; 0 if there are none.
    pub byte_length: f64,
}

/// Which whole pages lie within an array.
#[napi]
pub fn pages_within(array: Uint8ArraySlice<'_>) -> NativePagesWithin {
    let address = array.as_ptr() as usize;
    let pages = Lent::pages_within(address, array.len());
    NativePagesWithin { byte_offset: number((pages.start - address) as u64), byte_length: number(pages.len() as u64) }
}

/// Whether the engine lets a buffer be detached; null where it does not tell.
#[napi]
pub fn can_detach(buffer: ArrayBuffer<'_>) -> Option<bool> {
    pages::can_detach(&buffer)
}

/// Lets nobody detach a buffer who does not have the key; anybody, if it is `undefined`. False where the engine knows no such keys.
#[napi]
pub fn set_detach_key(buffer: ArrayBuffer<'_>, key: Unknown<'_>) -> bool {
    pages::set_detach_key(&buffer, &key)
}

#[napi]
impl NativeRegion {
    /// Maps it over the pages within an array, which is kept alive from then on; what is there goes to the object first if it is `kept`.
    #[napi]
    pub fn overlay(&mut self, env: Env, array: Uint8Array, kept: bool) -> Result<()> {
        let mapped = pages::lent_pages(array).and_then(|lent| self.region_mut()?.map_over_lent(lent, kept));
        mapped.or_throw(&env)?;
        if too_many_descriptors() {
            self.spare_descriptor();
        }
        Ok(())
    }

    /// Gives the array its pages back, with what is there if that is to be kept, and closes.
    #[napi]
    pub fn give_back(&mut self, env: Env, keep: bool) -> Result<()> {
        self.region_mut().and_then(|region| region.give_back(keep)).or_throw(&env)?;
        self.close();
        Ok(())
    }
}
