//! `NativeHandle`

use crate::error::OrThrow;
use crate::region::number;
use napi::bindgen_prelude::BigInt;
use napi::{Env, Result};
use napi_derive::napi;
use pagecast::region::Handle;

/// What TypeScript needs to know of a handle before the region is mapped.
#[napi(object)]
pub struct NativeHandle {
    /// What messages call it.
    pub subject: String,
    /// Where the first byte is to be.
    pub address: BigInt,
    /// Bytes.
    pub byte_length: f64,
    /// Where in the object the region begins.
    pub byte_offset: f64,
    /// `none`, `r`, `rw`, `rx` or `rwx`.
    pub access: String,
    /// Whether it is of a SysV segment, to which no descriptor leads.
    pub is_sysv: bool,
}

/// Checks the text of a handle.
#[napi]
pub fn parse_handle(env: Env, json: String) -> Result<NativeHandle> {
    let parsed = Handle::from_json(&json).map(|handle| NativeHandle {
        subject: handle.subject(),
        address: handle.address().into(),
        byte_length: number(handle.byte_length()),
        byte_offset: number(handle.byte_offset()),
        access: handle.access().to_string(),
        is_sysv: handle.is_sysv(),
    });
    parsed.or_throw(&env)
}
