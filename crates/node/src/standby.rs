//! `NativeStandby`

use crate::error::OrThrow;
use crate::milliseconds;
use napi::{Env, Result};
use napi_derive::napi;
use pagecast::Name;
use pagecast::publication::{STANDBY_INTERVAL, Standby};
use std::path::Path;

/// Tells when it is worth trying to become the publisher of a name.
#[napi]
pub struct NativeStandby {
    /// `None` once closed.
    standby: Option<Standby>,
}

#[napi]
impl NativeStandby {
    /// Watches a name. Nothing need be there.
    #[napi(factory)]
    pub fn open(env: Env, name: String, directory: Option<String>) -> Result<NativeStandby> {
        let name = Name::new(&name, directory.as_deref().map(Path::new)).or_throw(&env)?;
        Ok(NativeStandby { standby: Some(Standby::new(&name)) })
    }

    /// Milliseconds from one question to the next.
    #[napi(getter)]
    pub fn interval_ms(&self) -> f64 {
        milliseconds(STANDBY_INTERVAL.as_nanos() as u64)
    }

    /// Asks the kernel whether no living publisher has the name. True also where it cannot be told: who tries learns why.
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
