//! `NativeStandby`

use crate::error::OrThrow;
use crate::location::NativeLocation;
use crate::milliseconds;
use napi::{Env, Result};
use napi_derive::napi;
use pagecast::publication::{STANDBY_INTERVAL, Standby};

/// Tells when it is worth trying to become the publisher of a name.
#[napi]
pub struct NativeStandby {
    /// `None` once closed.
    standby: Option<Standby>,
}

#[napi]
impl NativeStandby {
    /// Watches a name, where nothing need be, or a file.
    #[napi(factory)]
    pub fn open(env: Env, at: NativeLocation) -> Result<NativeStandby> {
        let at = at.resolve().or_throw(&env)?;
        Ok(NativeStandby { standby: Some(Standby::new(at)) })
    }

    /// Milliseconds from one question to the next.
    #[napi(getter)]
    pub fn interval_ms(&self) -> f64 {
        milliseconds(STANDBY_INTERVAL.as_nanos() as u64)
    }

    /// Asks the kernel whether no living publisher is there. True also where it cannot be told: who tries learns why.
    #[napi]
    pub fn is_vacant(&mut self) -> bool {
        self.standby.as_mut().is_some_and(Standby::is_vacant)
    }

    /// The living publisher, as it named itself.
    #[napi]
    pub fn publisher_pid(&self) -> Option<u32> {
        self.standby.as_ref().and_then(Standby::publisher_pid)
    }

    /// Watches no longer.
    #[napi]
    pub fn close(&mut self) {
        self.standby = None;
    }
}
