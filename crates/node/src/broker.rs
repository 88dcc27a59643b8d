//! `NativeBroker`

use crate::error::OrThrow;
use napi::{Env, Result};
use napi_derive::napi;
use pagecast::broker::{BrokerOptions, Limits};
use pagecast::{Broker, Code, Error};
use std::path::Path;

/// What `Broker.listen` was told, checked by TypeScript.
#[napi(object)]
pub struct NativeBrokerOptions {
    /// Users that may connect, besides its own and root.
    pub uids: Vec<u32>,
    /// Permission bits of the socket.
    pub mode: Option<u32>,
    /// Bytes of all objects.
    pub max_bytes: Option<f64>,
    /// Names in all.
    pub max_names: Option<u32>,
    /// Names of one client.
    pub max_names_per_client: Option<u32>,
    /// Clients at once.
    pub max_clients: Option<u32>,
}

/// A thread that serves.
#[napi]
pub struct NativeBroker {
    /// `None` once closed.
    broker: Option<Broker>,
}

#[napi]
impl NativeBroker {
    /// Serves at a path.
    #[napi(factory)]
    pub fn listen(env: Env, path: String, options: NativeBrokerOptions) -> Result<NativeBroker> {
        let broker = Broker::listen(Path::new(&path), &broker_options(options));
        broker.map(|broker| NativeBroker { broker: Some(broker) }).or_throw(&env)
    }

    /// Where it listens.
    #[napi]
    pub fn path(&self, env: Env) -> Result<String> {
        let broker = self.broker.as_ref().ok_or_else(|| Error::new(Code::Disposed, "this broker is closed"));
        broker.map(|broker| broker.path().to_string_lossy().into_owned()).or_throw(&env)
    }

    /// Ends it.
    #[napi]
    pub fn close(&mut self) {
        self.broker = None;
    }
}

fn broker_options(options: NativeBrokerOptions) -> BrokerOptions {
    let defaults = Limits::default();
    let count = |given: Option<u32>, default| given.map_or(default, |given| given as usize);
    let limits = Limits {
        max_bytes: options.max_bytes.map_or(defaults.max_bytes, |bytes| bytes as u64),
        max_names: count(options.max_names, defaults.max_names),
        max_names_per_client: count(options.max_names_per_client, defaults.max_names_per_client),
        max_clients: count(options.max_clients, defaults.max_clients),
    };
    BrokerOptions { uids: options.uids, mode: options.mode, limits }
}
