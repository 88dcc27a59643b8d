//! `NativeDescriptor`

use crate::error::OrThrow;
use napi::{Env, Result};
use napi_derive::napi;
use pagecast::channel::{can_be_written, duplicate};
use pagecast::{Code, Error};
use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd};

/// A descriptor that is closed with this object.
#[napi]
pub struct NativeDescriptor {
    /// `None` once closed, or taken.
    fd: Option<OwnedFd>,
}

impl NativeDescriptor {
    pub(crate) fn new(fd: OwnedFd) -> NativeDescriptor {
        NativeDescriptor { fd: Some(fd) }
    }

    fn open(&self) -> pagecast::Result<&OwnedFd> {
        self.fd.as_ref().ok_or_else(|| Error::new(Code::Disposed, "this descriptor is closed"))
    }
}

#[napi]
impl NativeDescriptor {
    /// Another descriptor of what a number leads to.
    #[napi(factory)]
    pub fn duplicate(env: Env, fd: i32) -> Result<NativeDescriptor> {
        duplicate(fd).map(NativeDescriptor::new).or_throw(&env)
    }

    /// Its number.
    #[napi]
    pub fn fd(&self, env: Env) -> Result<i32> {
        self.open().map(AsRawFd::as_raw_fd).or_throw(&env)
    }

    /// Whether what it leads to can be mapped to be written.
    #[napi(getter)]
    pub fn is_writable(&self) -> bool {
        self.fd.as_ref().is_some_and(can_be_written)
    }

    /// Its number, which is the caller's to close from now on.
    #[napi]
    pub fn take(&mut self, env: Env) -> Result<i32> {
        self.open().map(drop).or_throw(&env)?;
        Ok(self.fd.take().map_or(-1, IntoRawFd::into_raw_fd))
    }

    /// Closes it.
    #[napi]
    pub fn close(&mut self) {
        self.fd = None;
    }
}
