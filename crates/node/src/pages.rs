//! Buffer and address: the only unsafe code of the binding.

#![allow(unsafe_code)]

use crate::error::OrThrow;
use napi::bindgen_prelude::{BigInt, Float64ArraySlice, Uint8ArraySlice};
use napi::{Env, Result};
use napi_derive::napi;
use pagecast::memory;
use pagecast::segment::Segment;
use pagecast::{Code, Error};

/// Where the engine's pages are.
#[napi]
pub fn pages_address(pages: Uint8ArraySlice<'_>) -> BigInt {
    BigInt::from(pages.as_ptr() as u64)
}

/// Puts anonymous pages where `map_over` mapped a segment. TypeScript has detached the views before and keeps the memory alive.
#[napi]
pub fn release_address(env: Env, address: BigInt, byte_length: f64) -> Result<()> {
    let (_, address, _) = address.get_u64();
    // SAFETY: TypeScript passes the address and length of a WebAssembly.Memory of its own, which it keeps alive meanwhile.
    unsafe { memory::unmap_over(address as usize, byte_length as usize) }.or_throw(&env)
}

/// Maps the whole segment over the engine's pages.
pub(crate) fn map_over(pages: &Uint8ArraySlice<'_>, segment: &Segment) -> pagecast::Result<()> {
    let mapping = segment.mapping();
    if pages.len() != mapping.byte_length() {
        let (found, expected) = (pages.len(), mapping.byte_length());
        return Err(Error::new(Code::InvalidSize, format!("map the segment: {found} bytes of pages for {expected} bytes")));
    }
    // SAFETY: TypeScript passes the whole of a WebAssembly.Memory that it just made and never lets out of its module.
    unsafe { memory::map_over(pages.as_ptr() as usize, pages.len(), segment.fd(), mapping.read_only()) }
}

/// The bytes of a caller's array, for the length of one call.
pub(crate) fn bytes_mut<'a>(array: &'a mut Uint8ArraySlice<'_>) -> &'a mut [u8] {
    // SAFETY: JavaScript does not run while this call does, so nobody else reads or writes the array.
    unsafe { array.as_mut() }
}

/// The numbers of a caller's array, for the length of one call.
pub(crate) fn numbers_mut<'a>(array: &'a mut Float64ArraySlice<'_>) -> &'a mut [f64] {
    // SAFETY: as above.
    unsafe { array.as_mut() }
}
