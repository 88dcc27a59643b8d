//! `NativeMutex`

use crate::error::OrThrow;
use crate::layout::NativeHolder;
use crate::region::NativeRegion;
use crate::slice;
use crate::watch::Watch;
use napi::bindgen_prelude::Function;
use napi::{Env, Result};
use napi_derive::napi;
use pagecast::sync::{Locked, RawMutex};
use pagecast::{Code, Error};

/// One participant of a robust mutex.
#[napi]
pub struct NativeMutex {
    /// `None` once closed.
    raw: Option<RawMutex>,
    watch: Option<Watch>,
}

#[napi]
impl NativeMutex {
    /// Takes part in the mutex at that byte offset of a region.
    #[napi(factory)]
    pub fn open(env: Env, region: &NativeRegion, byte_offset: f64) -> Result<NativeMutex> {
        let raw = region.region().and_then(|region| RawMutex::open(region, byte_offset as u64)).or_throw(&env)?;
        Ok(NativeMutex { raw: Some(raw), watch: None })
    }

    fn raw(&self) -> pagecast::Result<&RawMutex> {
        self.raw.as_ref().ok_or_else(closed)
    }

    fn raw_mut(&mut self) -> pagecast::Result<&mut RawMutex> {
        self.raw.as_mut().ok_or_else(closed)
    }

    /// The slot.
    #[napi(getter)]
    pub fn slot(&self) -> i32 {
        self.raw.as_ref().and_then(|raw| i32::try_from(raw.slot()).ok()).unwrap_or(-1)
    }

    /// 0: it was got, 1: and whoever held it before had not released it; -1: somebody holds it. `woken`: after `watch` called back.
    #[napi]
    pub fn try_lock(&mut self, env: Env, woken: bool) -> Result<i32> {
        self.raw_mut().and_then(|raw| raw.try_lock(woken)).map(code).or_throw(&env)
    }

    /// As `tryLock`, and sleeps at most `sliceMs` for whoever holds it.
    #[napi]
    pub fn lock(&mut self, env: Env, slice_ms: f64, woken: bool) -> Result<i32> {
        self.raw_mut().and_then(|raw| raw.lock_within(slice(slice_ms), woken)).map(code).or_throw(&env)
    }

    /// Releases it. Twice is once.
    #[napi]
    pub fn unlock(&mut self, env: Env) -> Result<()> {
        self.raw_mut().and_then(RawMutex::unlock).or_throw(&env)
    }

    /// What the word says of who holds it.
    #[napi]
    pub fn owner(&self, env: Env) -> Result<u32> {
        self.raw().map(|raw| raw.owner().0).or_throw(&env)
    }

    /// Who holds it, as it named itself; null: nobody.
    #[napi]
    pub fn holder(&self) -> Option<NativeHolder> {
        let holder = self.raw.as_ref().and_then(RawMutex::holder)?;
        Some(NativeHolder { pid: holder.pid, slot: i32::try_from(holder.slot).unwrap_or(-1) })
    }

    /// Sets up the helper thread that `arm` wakes. It never keeps the process alive.
    #[napi]
    pub fn watch(&mut self, env: Env, callback: Function<'_, (), ()>) -> Result<()> {
        let watcher = self.raw().or_throw(&env)?.watcher();
        self.watch = Some(Watch::start(&env, watcher, &callback)?);
        Ok(())
    }

    /// One callback when `seenOwner` no longer holds it, or is gone, or after `disarm`.
    #[napi]
    pub fn arm(&self, seen_owner: u32) {
        if let Some(watch) = &self.watch {
            watch.arm(seen_owner);
        }
    }

    /// The callback comes at once; and if a wake-up has come already that is not made use of, whoever else sleeps looks again.
    #[napi]
    pub fn disarm(&self) {
        if let Some(watch) = &self.watch {
            watch.disarm();
        }
        if let Some(raw) = &self.raw {
            raw.watcher().interrupt();
        }
    }

    /// Leaves. What is held then counts as not released.
    #[napi]
    pub fn close(&mut self) {
        self.watch = None;
        self.raw = None;
    }
}

fn code(locked: Option<Locked>) -> i32 {
    locked.map_or(-1, |locked| i32::from(locked.recovered))
}

fn closed() -> Error {
    Error::new(Code::Disposed, "this mutex is closed")
}
