//! The Node binding: converts arguments, calls the core, converts back. Its types are private to the TypeScript layer.

mod broker;
mod channel;
mod consumer;
mod descriptor;
mod descriptors;
mod error;
pub mod handle;
mod huge_place;
pub mod layout;
mod location;
mod mutex;
pub mod overlay;
pub mod pages;
mod publisher;
mod readiness;
mod region;
mod reservation;
pub mod shared_memory;
mod standby;
pub mod sysv;
mod watch;

use crate::error::OrThrow;
#[cfg(feature = "testing")]
use napi::bindgen_prelude::Function;
use napi::{Env, Result};
use napi_derive::napi;

/// CLOCK_MONOTONIC in milliseconds: the clock that publications are stamped with.
#[napi]
pub fn now() -> f64 {
    milliseconds(pagecast::monotonic_ns())
}

#[expect(clippy::cast_precision_loss, reason = "exact below 2^53 ns = 104 days of uptime, to the microsecond for centuries after")]
pub(crate) fn milliseconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e6
}

/// A slice of a wait. TypeScript has checked that it is finite and not negative.
pub(crate) fn slice(milliseconds: f64) -> std::time::Duration {
    std::time::Duration::try_from_secs_f64(milliseconds / 1e3).unwrap_or_default()
}

/// Most bytes of address space this process may have (`ulimit -v`); null where there is no limit.
#[napi]
pub fn address_space_limit() -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "for a message; no process has 2^53 bytes")]
    pagecast::address_space_limit().map(|limit| limit as f64)
}

/// A store-store barrier: no store of JavaScript that follows is seen before one that came before. Only where the processor
/// needs telling.
#[napi]
pub fn store_fence() {
    std::sync::atomic::fence(std::sync::atomic::Ordering::Release); // as after the mark in the core's `Writer::begin`
}

/// Whether a page that another process cut off is an error instead of the end of the process.
#[napi]
pub fn set_fault_guard(env: Env, enabled: bool) -> Result<()> {
    pagecast::fault_guard::set_enabled(enabled).or_throw(&env)
}

/// Whether a test switched exclusion off, in a build for tests.
#[cfg(feature = "testing")]
#[napi]
pub fn exclusion_off() -> bool {
    pagecast::testing::exclusion_off()
}

/// Calls back with the name of each step that native code takes on this thread, before it takes it; in a build for tests.
#[cfg(feature = "testing")]
#[napi]
pub fn observe_steps(env: Env, callback: Option<Function<'_, String, ()>>) -> napi::Result<()> {
    let observer = callback.map(|callback| -> napi::Result<pagecast::testing::Observer> {
        let callback = std::mem::ManuallyDrop::new(callback.create_ref()?); // not let go of when the thread is gone, and the engine with it
        Ok(Box::new(move |name: &str| {
            let _ = callback.borrow_back(&env).and_then(|callback| callback.call(name.to_owned()));
        }))
    });
    pagecast::testing::observe_steps(observer.transpose()?);
    Ok(())
}

/// Whether a test switched off the look at the sequence after a copy without a pin, in a build for tests.
#[cfg(feature = "testing")]
#[napi]
pub fn recheck_off() -> bool {
    pagecast::testing::recheck_off()
}
