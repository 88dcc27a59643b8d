//! `NativeSharedMemory`

use crate::error::OrThrow;
use crate::region::number;
use napi::{Env, Result};
use napi_derive::napi;
use pagecast::region::{self, Mode, SharedMemoryOptions};
use pagecast::{Code, Error, Name, SharedMemory};
use std::path::Path;

/// What `SharedMemory.open` was told, checked by TypeScript.
#[napi(object)]
pub struct NativeShmOptions {
    /// The object's name.
    pub name: String,
    /// Its directory.
    pub directory: Option<String>,
    /// `r`, `r+`, `w`, `w+`, `x` or `x+`.
    pub mode: String,
    /// Bytes of one that is made.
    pub byte_length: Option<f64>,
    /// Permission bits of one that is made.
    pub permissions: Option<u32>,
    /// Whether room is taken at once.
    pub reserve: bool,
}

/// An object of shared memory.
#[napi]
pub struct NativeSharedMemory {
    /// `None` once closed.
    object: Option<SharedMemory>,
}

#[napi]
impl NativeSharedMemory {
    /// Opens or makes it.
    #[napi(factory)]
    pub fn open(env: Env, options: NativeShmOptions) -> Result<NativeSharedMemory> {
        open(&options).map(|object| NativeSharedMemory { object: Some(object) }).or_throw(&env)
    }

    fn object(&self) -> pagecast::Result<&SharedMemory> {
        self.object.as_ref().ok_or_else(|| Error::new(Code::Disposed, "this shared memory is closed"))
    }

    /// Bytes that it has now.
    #[napi]
    pub fn byte_length(&self, env: Env) -> Result<f64> {
        self.object().and_then(SharedMemory::byte_length).map(number).or_throw(&env)
    }

    /// Its permission bits now.
    #[napi]
    pub fn permissions(&self, env: Env) -> Result<u32> {
        self.object().and_then(SharedMemory::permissions).or_throw(&env)
    }

    /// The number of its descriptor.
    #[napi]
    pub fn fd(&self, env: Env) -> Result<i32> {
        use std::os::fd::AsRawFd;
        self.object().map(|object| object.descriptor().as_raw_fd()).or_throw(&env)
    }

    /// Where it is.
    #[napi]
    pub fn path(&self, env: Env) -> Result<String> {
        self.object().map(|object| object.name().path().to_string_lossy().into_owned()).or_throw(&env)
    }

    /// ftruncate(2)
    #[napi]
    pub fn truncate(&self, env: Env, byte_length: f64) -> Result<()> {
        self.object().and_then(|object| object.truncate(byte_length as u64)).or_throw(&env)
    }

    /// shm_unlink(3), if the name leads to it still.
    #[napi]
    pub fn unlink(&self, env: Env) -> Result<()> {
        self.object().and_then(SharedMemory::unlink).or_throw(&env)
    }

    /// Closes the descriptor.
    #[napi]
    pub fn close(&mut self) {
        self.object = None;
    }
}

fn open(options: &NativeShmOptions) -> pagecast::Result<SharedMemory> {
    let defaults = SharedMemoryOptions::default();
    let mode: Mode = options.mode.parse()?;
    let choices = SharedMemoryOptions {
        byte_length: options.byte_length.map(|bytes| bytes as u64),
        permissions: options.permissions.unwrap_or(defaults.permissions),
        reserve: options.reserve,
    };
    SharedMemory::open(&name(&options.name, options.directory.as_deref())?, mode, &choices)
}

fn name(name: &str, directory: Option<&str>) -> pagecast::Result<Name> {
    Name::new(name, directory.map(Path::new))
}

/// shm_unlink(3)
#[napi]
pub fn unlink_shared_memory(env: Env, object: String, directory: Option<String>) -> Result<()> {
    name(&object, directory.as_deref()).and_then(|name| region::unlink(&name)).or_throw(&env)
}

/// An object as it was found.
#[napi(object)]
pub struct NativeSharedMemoryInfo {
    /// Its name.
    pub name: String,
    /// Bytes.
    pub byte_length: f64,
    /// Permission bits.
    pub mode: u32,
    /// Whether it is a segment of a publication.
    pub segment: bool,
}

/// What there is in a directory, by name.
#[napi]
pub fn list_shared_memory(env: Env, directory: Option<String>) -> Result<Vec<NativeSharedMemoryInfo>> {
    let found = region::list(directory.as_deref().map(Path::new)).or_throw(&env)?;
    Ok(found
        .into_iter()
        .map(|info| NativeSharedMemoryInfo {
            name: info.name,
            byte_length: number(info.byte_length),
            mode: info.permissions,
            segment: info.is_segment,
        })
        .collect())
}

/// Bytes of a page of this system.
#[napi]
pub fn page_size() -> f64 {
    number(pagecast::page_size())
}
