//! `NativeReservation`

use crate::error::OrThrow;
use crate::region::address;
use napi::bindgen_prelude::BigInt;
use napi::{Env, Result};
use napi_derive::napi;
use pagecast::region::Reservation;
use pagecast::{Code, Error};

/// Addresses that nothing else is mapped to.
#[napi]
pub struct NativeReservation {
    /// `None` once closed.
    reservation: Option<Reservation>,
}

#[napi]
impl NativeReservation {
    /// Reserves so many bytes, at an address where nothing is, or anywhere.
    #[napi(factory)]
    pub fn make(env: Env, byte_length: f64, at: Option<BigInt>) -> Result<NativeReservation> {
        let at = at.map(|at| address(&at)).transpose();
        let reservation = at.and_then(|at| Reservation::new(byte_length as u64, at)).or_throw(&env)?;
        Ok(NativeReservation { reservation: Some(reservation) })
    }

    /// The first address.
    #[napi(getter)]
    pub fn address(&self, env: Env) -> Result<BigInt> {
        let reservation = self.reservation.as_ref().ok_or_else(|| Error::new(Code::Disposed, "this reservation is closed"));
        reservation.map(|reservation| BigInt::from(reservation.address())).or_throw(&env)
    }

    /// Lets go of it; it stays while regions are in it.
    #[napi]
    pub fn close(&mut self) {
        self.reservation = None;
    }
}
