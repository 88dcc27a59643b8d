//! Buffer and address: the only unsafe code of the binding.

#![allow(unsafe_code)]

use napi::JsValue;
use napi::bindgen_prelude::{ArrayBuffer, Float64ArraySlice, Uint8Array, Uint8ArraySlice, Unknown};
use pagecast::memory::{Covering, EnginePages, Lent};
use pagecast::segment::Segment;
use pagecast::{Code, Error};
use std::ffi::{CStr, c_void};
use std::mem::transmute;

/// The engine's pages, with a segment mapped over them. Dropped, they hold private zeros again.
pub(crate) struct Pages {
    _covering: Covering,
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
        let covering = unsafe { Covering::new(array.as_ptr() as usize, found, segment.fd(), mapping.read_only()) }?;
        Ok(Pages { _covering: covering, _array: array })
    }
}

/// The pages of a region, which nothing native keeps from being collected: what JavaScript can reach keeps the region, and they go together.
pub(crate) fn engine_pages(array: &Uint8ArraySlice<'_>) -> pagecast::Result<EnginePages> {
    // SAFETY: TypeScript passes the whole of an engine's memory that it just made and never lets out of its module. Its buffer keeps the native
    // region alive, so that the two end together, or after `close` and `resize`, which put private zeros there.
    unsafe { EnginePages::new(array.as_ptr() as usize, array.len()) }
}

/// The pages within a caller's array, of which its engine does not let go while they are lent, as nothing detaches its buffer and the array is kept alive.
pub(crate) fn lent_pages(array: Uint8Array) -> pagecast::Result<Lent> {
    let (address, byte_length) = (array.as_ptr() as usize, array.len());
    // SAFETY: TypeScript passes bytes of an `ArrayBuffer` of fixed length that the engine says cannot be detached. Until the keeper is dropped nobody frees
    // them, nor do we keep a slice of them; JavaScript, which may look at them at any time, takes whatever it finds.
    unsafe { Lent::new(address, byte_length, Box::new(array)) }
}

/// Whether a buffer can be detached. `None`: the engine is not V8, or does not tell.
pub(crate) fn can_detach(buffer: &ArrayBuffer<'_>) -> Option<bool> {
    let function = v8_function(c"_ZNK2v811ArrayBuffer12IsDetachableEv")?;
    // SAFETY: `bool v8::ArrayBuffer::IsDetachable() const`, on a buffer of this thread: Node-API's values are V8's handles.
    Some(unsafe { transmute::<*mut c_void, unsafe extern "C" fn(Handle) -> bool>(function)(buffer.raw().cast()) })
}

/// Has the buffer detached only by whoever has the key, which is nobody; `undefined` lets everybody do it again. False: the engine is not V8.
pub(crate) fn set_detach_key(buffer: &ArrayBuffer<'_>, key: &Unknown<'_>) -> bool {
    let Some(function) = v8_function(c"_ZN2v811ArrayBuffer12SetDetachKeyENS_5LocalINS_5ValueEEE") else { return false };
    // SAFETY: `void v8::ArrayBuffer::SetDetachKey(Local<Value>)`, on handles of this thread; a `Local` is one pointer, and passed as one.
    unsafe { transmute::<*mut c_void, unsafe extern "C" fn(Handle, Handle)>(function)(buffer.raw().cast(), key.raw().cast()) };
    true
}

/// A handle of V8's, as Node-API hands it out.
type Handle = *mut c_void;

/// A function of the process's V8 that Node-API has no name for.
fn v8_function(symbol: &CStr) -> Option<*mut c_void> {
    // SAFETY: looks a C string up among the symbols of the process.
    let function = unsafe { libc::dlsym(libc::RTLD_DEFAULT, symbol.as_ptr()) };
    (!function.is_null()).then_some(function)
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
