//! `NativeConsumer`

use crate::error::OrThrow;
use crate::layout::{NativeHolder, NativeLayout, code, report};
use crate::location::NativeLocation;
use crate::pages::{self, Pages};
use crate::slice;
use crate::watch::Watch;
use napi::bindgen_prelude::{Float64ArraySlice, Function, Uint8Array, Uint8ArraySlice};
use napi::{Env, Result};
use napi_derive::napi;
use pagecast::{Code, Error, RawConsumer};
use std::os::fd::AsRawFd;

/// What `Consumer.open` was told, checked by TypeScript.
#[napi(object)]
pub struct NativeOpenOptions {
    /// Where it is.
    pub at: NativeLocation,
    /// Without permission to write, and without a slot.
    pub read_only: Option<bool>,
}

/// One of the consumers of a publication.
#[napi]
pub struct NativeConsumer {
    /// `None` once closed.
    raw: Option<RawConsumer>,
    schema: Option<String>,
    watch: Option<Watch>,
    pages: Option<Pages>,
}

#[napi]
impl NativeConsumer {
    /// Attaches to a publication.
    #[napi(factory)]
    pub fn open(env: Env, options: NativeOpenOptions) -> Result<NativeConsumer> {
        open(&options).or_throw(&env)
    }

    fn raw(&self) -> pagecast::Result<&RawConsumer> {
        self.raw.as_ref().ok_or_else(closed)
    }

    fn raw_mut(&mut self) -> pagecast::Result<&mut RawConsumer> {
        self.raw.as_mut().ok_or_else(closed)
    }

    /// Where everything is.
    #[napi]
    pub fn layout(&self, env: Env) -> Result<NativeLayout> {
        self.raw().map(|raw| raw.layout().into()).or_throw(&env)
    }

    /// Checked JSON; null for bytes.
    #[napi(getter)]
    pub fn schema(&self) -> Option<String> {
        self.schema.clone()
    }

    /// The number of the segment's descriptor.
    #[napi]
    pub fn fd(&self, env: Env) -> Result<i32> {
        self.raw().map(|raw| raw.segment().fd().as_raw_fd()).or_throw(&env)
    }

    /// The slot, -1 when read-only.
    #[napi(getter)]
    pub fn slot(&self) -> i32 {
        let slot = self.raw.as_ref().and_then(RawConsumer::slot);
        slot.and_then(|slot| i32::try_from(slot).ok()).unwrap_or(-1)
    }

    /// Maps the segment over the engine's pages, until `close`.
    #[napi]
    pub fn map_over(&mut self, env: Env, pages: Uint8Array) -> Result<()> {
        self.pages = Some(self.raw().and_then(|raw| Pages::map(pages, raw.segment())).or_throw(&env)?);
        Ok(())
    }

    /// Pins the current value: its buffer's index, or a code. Sleeps at most `sliceMs` while there is something to wait for.
    /// The caller takes the pin back. With `last`, the last value of a publication that ended counts.
    #[napi]
    pub fn pin(&mut self, env: Env, slice_ms: f64, last: bool) -> Result<i32> {
        let pinned = self.raw_mut().and_then(|raw| raw.hand_over_within(slice(slice_ms), last)).or_throw(&env)?;
        Ok(pinned.map_or_else(code, |pinned| i32::try_from(pinned.index).unwrap_or(-1)))
    }

    /// Wakes a publisher that waits for a pin to be taken back.
    #[napi]
    pub fn wake_publisher(&self, env: Env) -> Result<()> {
        self.raw().map(RawConsumer::wake_publisher).or_throw(&env)
    }

    /// Copies the current value without a pin: its length or a code. Tries for at most `sliceMs`.
    #[napi]
    pub fn copy(
        &self,
        env: Env,
        mut target: Uint8ArraySlice<'_>,
        mut meta: Float64ArraySlice<'_>,
        slice_ms: f64,
        last: bool,
    ) -> Result<f64> {
        let raw = self.raw().or_throw(&env)?;
        let outcome = raw.copy_within(pages::bytes_mut(&mut target), slice(slice_ms), last);
        outcome.and_then(|outcome| report(raw, outcome, &mut meta)).or_throw(&env)
    }

    /// Fills `[version, stalenessMs, byteLength, epoch]` of the current value; its length or a code.
    #[napi]
    pub fn peek(&self, env: Env, mut meta: Float64ArraySlice<'_>) -> Result<f64> {
        let raw = self.raw().or_throw(&env)?;
        raw.peek().and_then(|outcome| report(raw, outcome, &mut meta)).or_throw(&env)
    }

    /// The state word now.
    #[napi]
    pub fn state(&self, env: Env) -> Result<u32> {
        let look = |raw: &RawConsumer| {
            let state = raw.state().0;
            raw.segment().check().map(|()| state)
        };
        self.raw().and_then(look).or_throw(&env)
    }

    /// The publisher, as it named itself.
    #[napi]
    pub fn holder(&self) -> Option<NativeHolder> {
        self.raw.as_ref().map(|raw| NativeHolder { pid: raw.publisher_pid(), slot: -1 })
    }

    /// Asks the kernel.
    #[napi]
    pub fn publisher_alive(&self, env: Env) -> Result<bool> {
        self.raw().and_then(RawConsumer::publisher_alive).or_throw(&env)
    }

    /// Sets up the helper thread that `arm` wakes. It never keeps the process alive.
    #[napi]
    pub fn watch(&mut self, env: Env, callback: Function<'_, (), ()>) -> Result<()> {
        let watcher = self.raw().or_throw(&env)?.watcher();
        self.watch = Some(Watch::start(&env, watcher, &callback)?);
        Ok(())
    }

    /// One callback when the state is no longer `seenState`, when the publisher dies, or after `disarm`.
    #[napi]
    pub fn arm(&mut self, env: Env, seen_state: u32, for_lock: bool) -> Result<()> {
        let raw = self.raw_mut().or_throw(&env)?;
        if for_lock && raw.slot().is_some() {
            raw.ask_for_grace().or_throw(&env)?;
        }
        if let Some(watch) = &self.watch {
            watch.arm(seen_state);
        }
        Ok(())
    }

    /// Takes back what `arm` for a lock told the publisher: the lock was got, or given up.
    #[napi]
    pub fn end_grace(&self, env: Env) -> Result<()> {
        match &self.raw {
            Some(raw) if raw.slot().is_some() => raw.end_grace().or_throw(&env),
            _ => Ok(()),
        }
    }

    /// The callback comes at once.
    #[napi]
    pub fn disarm(&self) {
        if let Some(watch) = &self.watch {
            watch.disarm();
        }
    }

    /// Detaches.
    #[napi]
    pub fn close(&mut self) {
        self.watch = None;
        self.raw = None;
        self.pages = None;
    }
}

fn closed() -> Error {
    Error::new(Code::Disposed, "this consumer is closed")
}

fn open(options: &NativeOpenOptions) -> pagecast::Result<NativeConsumer> {
    let raw = RawConsumer::open(options.at.resolve()?, options.read_only.unwrap_or(false))?;
    let schema = raw.schema()?;
    Ok(NativeConsumer { raw: Some(raw), schema, watch: None, pages: None })
}
