//! One value, one publisher, many consumers.
//!
//! With one buffer, writing and reading exclude each other. With more, the publisher writes where nobody reads, and nobody waits;
//! with `consumers + 2` it is wait-free. The protocol is a word of state, a pin for each consumer, and liveness that the kernel vouches for.

mod reader;
mod state;
mod words;
mod writer;

// Loom's tests build what is above this line.
#[cfg(not(pagecast_loom))]
mod attachment;
#[cfg(not(pagecast_loom))]
mod create;
#[cfg(not(pagecast_loom))]
mod holder;
#[cfg(not(pagecast_loom))]
mod layout;
#[cfg(not(pagecast_loom))]
mod observation;
#[cfg(not(pagecast_loom))]
mod place;
#[cfg(not(pagecast_loom))]
mod raw_consumer;
#[cfg(not(pagecast_loom))]
mod raw_publisher;
#[cfg(not(pagecast_loom))]
mod standby;
#[cfg(not(pagecast_loom))]
mod typed;
#[cfg(not(pagecast_loom))]
mod watcher;

pub use state::State;

#[cfg(pagecast_loom)]
pub use {
    reader::{Reader, read_unpinned, sleep},
    words::{BufferHeader, Control, Words},
    writer::Writer,
};

#[cfg(not(pagecast_loom))]
pub use {
    create::{CreateOptions, IfDead, clean},
    layout::{DEFAULT_MAX_CONSUMERS, Layout, MAX_BUFFERS, Shape},
    observation::{Blocked, Observation, Outcome},
    place::offsets,
    raw_consumer::{Pinned, RawConsumer},
    raw_publisher::RawPublisher,
    standby::{STANDBY_INTERVAL, Standby},
    typed::{Consumer, Publisher, ReadGuard, WriteGuard},
    watcher::Watcher,
};

#[cfg(not(pagecast_loom))]
pub use crate::roster::Holder;

/// How long an operation that excludes the other side waits unless it is told otherwise.
pub const DEFAULT_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(1);
