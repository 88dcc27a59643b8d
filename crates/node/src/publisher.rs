//! `NativePublisher`

use crate::error::OrThrow;
use crate::layout::{NativeHolder, NativeLayout};
use crate::location::NativeLocation;
use crate::pages::Pages;
use crate::slice;
use napi::bindgen_prelude::{Uint8Array, Uint8ArraySlice};
use napi::{Env, Result};
use napi_derive::napi;
use pagecast::publication::Shape;
use pagecast::{Code, CreateOptions, Error, IfDead, RawPublisher};
use std::os::fd::AsRawFd;

/// What `Publisher.create` was told, checked by TypeScript.
#[napi(object)]
pub struct NativeCreateOptions<'a> {
    /// Where it is, or will be.
    pub at: NativeLocation,
    /// Canonical JSON; none for bytes.
    pub schema: Option<String>,
    /// Most bytes of a value.
    pub byte_length: f64,
    /// Number of buffers.
    pub buffers: Option<u32>,
    /// Number of slots.
    pub max_consumers: Option<u32>,
    /// Permission bits.
    pub mode: Option<u32>,
    /// `adopt`, `replace` or `fail`.
    pub if_dead: Option<String>,
    /// The first value.
    pub init: Option<Uint8ArraySlice<'a>>,
}

/// The one publisher of a publication.
#[napi]
pub struct NativePublisher {
    /// `None` once closed.
    raw: Option<RawPublisher>,
    adopted: bool,
    pages: Option<Pages>,
}

#[napi]
impl NativePublisher {
    /// Makes the publication or takes a dead publisher's over.
    #[napi(factory)]
    pub fn create(env: Env, options: NativeCreateOptions<'_>) -> Result<NativePublisher> {
        let raw = create(&options).or_throw(&env)?;
        Ok(NativePublisher { adopted: raw.adopted(), raw: Some(raw), pages: None })
    }

    /// How long the segment will be that `create` makes of these.
    #[napi]
    pub fn segment_bytes(env: Env, options: NativeCreateOptions<'_>) -> Result<f64> {
        #[expect(clippy::cast_precision_loss, reason = "sizes of segments are below 2^53")]
        RawPublisher::segment_bytes(options.schema.as_deref(), &shape(&options)).map(|bytes| bytes as f64).or_throw(&env)
    }

    fn raw(&self) -> pagecast::Result<&RawPublisher> {
        self.raw.as_ref().ok_or_else(closed)
    }

    fn raw_mut(&mut self) -> pagecast::Result<&mut RawPublisher> {
        self.raw.as_mut().ok_or_else(closed)
    }

    /// Whether an existing segment was taken over.
    #[napi(getter)]
    pub fn adopted(&self) -> bool {
        self.adopted
    }

    /// Where everything is.
    #[napi]
    pub fn layout(&self, env: Env) -> Result<NativeLayout> {
        self.raw().map(|raw| raw.layout().into()).or_throw(&env)
    }

    /// Maps the segment over the engine's pages, until `close` or `abandon`.
    #[napi]
    pub fn map_over(&mut self, env: Env, pages: Uint8Array) -> Result<()> {
        self.pages = Some(self.raw().and_then(|raw| Pages::map(pages, raw.segment())).or_throw(&env)?);
        Ok(())
    }

    /// The index of a buffer that is the caller's, or -1: none within `sliceMs`, come again or `cancelWrite`.
    #[napi]
    pub fn acquire(&mut self, env: Env, slice_ms: f64) -> Result<i32> {
        let acquired = self.raw_mut().and_then(|raw| raw.hand_over_within(slice(slice_ms))).or_throw(&env)?;
        Ok(acquired.and_then(|index| i32::try_from(index).ok()).unwrap_or(-1))
    }

    /// Gives up after -1.
    #[napi]
    pub fn cancel_write(&mut self) {
        if let Some(raw) = &mut self.raw {
            raw.cancel();
        }
    }

    /// The number of the segment's descriptor.
    #[napi]
    pub fn fd(&self, env: Env) -> Result<i32> {
        self.raw().map(|raw| raw.segment().fd().as_raw_fd()).or_throw(&env)
    }

    /// Wakes everybody who sleeps until the state changes.
    #[napi]
    pub fn wake_consumers(&self, env: Env) -> Result<()> {
        self.raw().map(RawPublisher::wake_consumers).or_throw(&env)
    }

    /// Whether observers may be asleep, who cannot say so in the segment.
    #[napi]
    pub fn observers_present(&self, env: Env) -> Result<bool> {
        self.raw().map(RawPublisher::observers_present).or_throw(&env)
    }

    /// The version of the last value published, as of when this publisher was made.
    #[napi]
    pub fn version(&self, env: Env) -> Result<f64> {
        #[expect(clippy::cast_precision_loss, reason = "versions are below 2^53")]
        self.raw().map(|raw| raw.total_writes() as f64).or_throw(&env)
    }

    /// Consumers that a write waits for. Throws `ERR_LOCK_OBSTRUCTED` if one of them is gone and cannot be recovered.
    #[napi]
    pub fn holders(&self, env: Env) -> Result<Vec<NativeHolder>> {
        let holders = self.raw().and_then(RawPublisher::blockers).or_throw(&env)?;
        Ok(holders.iter().map(|holder| NativeHolder { pid: holder.pid, slot: i32::try_from(holder.slot).unwrap_or(-1) }).collect())
    }

    /// Lets go of the publication as a dying process would: the name stays and can be adopted.
    #[napi]
    pub fn abandon(&mut self) {
        if let Some(raw) = self.raw.take() {
            raw.abandon();
        }
        self.pages = None;
    }

    /// Marks the publication as closed, wakes everybody, and takes the name away unless told to keep it.
    #[napi]
    pub fn close(&mut self, env: Env, keep: bool) -> Result<()> {
        let closed = self.raw.take().map_or(Ok(()), |mut raw| raw.close(keep));
        self.pages = None;
        closed.or_throw(&env)
    }
}

/// Collected or torn down with its process: as if the process had died. The name stays and can be adopted.
impl Drop for NativePublisher {
    fn drop(&mut self) {
        self.abandon();
    }
}

fn closed() -> Error {
    Error::new(Code::Disposed, "this publisher is closed")
}

fn create(options: &NativeCreateOptions<'_>) -> pagecast::Result<RawPublisher> {
    let at = options.at.resolve()?;
    let defaults = CreateOptions::default();
    let choices = CreateOptions {
        shape: shape(options),
        mode: options.mode.unwrap_or(defaults.mode),
        if_dead: if_dead(options.if_dead.as_deref())?,
        init: options.init.as_deref(),
        ..defaults
    };
    RawPublisher::create_or_adopt(at, options.schema.as_deref(), &choices)
}

fn shape(options: &NativeCreateOptions<'_>) -> Shape {
    let capacity = options.byte_length as u64;
    Shape { capacity, buffers: options.buffers, max_consumers: options.max_consumers }
}

fn if_dead(word: Option<&str>) -> pagecast::Result<IfDead> {
    match word {
        None | Some("adopt") => Ok(IfDead::Adopt),
        Some("replace") => Ok(IfDead::Replace),
        Some("fail") => Ok(IfDead::Fail),
        Some(other) => Err(Error::new(Code::InvalidArgument, format!("ifDead is {other:?}, expected adopt, replace or fail"))),
    }
}
