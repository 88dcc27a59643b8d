//! Shared memory with one publisher and many consumers: a whole value or an error, whoever dies.
//!
//! A publisher keeps one value of a fixed type, or bytes, in a named segment of shared memory; any number of processes
//! read it, in Rust, in TypeScript, or in any language that maps the documented format. See [`Publisher`] and [`Consumer`].

#![deny(unsafe_code)]

#[cfg(not(unix))]
compile_error!("pagecast needs Unix: it shares memory by mmap(2) and passes descriptors, and has nothing in their place on this platform");

pub mod memory;
pub mod primitive;
pub mod publication;
pub mod roster;
pub mod sync;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(not(feature = "testing"))]
mod testing;
pub mod wait;

// Loom's tests build the protocol alone: nothing below this line, which needs files, mappings or system calls.
#[cfg(not(pagecast_loom))]
pub mod address;
#[cfg(not(pagecast_loom))]
pub mod broker;
#[cfg(not(pagecast_loom))]
pub mod channel;
#[cfg(not(pagecast_loom))]
pub mod error;
#[cfg(not(pagecast_loom))]
pub mod record;
#[cfg(not(pagecast_loom))]
pub mod region;
#[cfg(not(pagecast_loom))]
pub mod schema;
#[cfg(not(pagecast_loom))]
pub mod segment;
#[cfg(not(pagecast_loom))]
mod sys;

#[cfg(not(pagecast_loom))]
pub use {
    broker::{Broker, BrokerClient, BrokerOptions},
    channel::{Channel, Listener},
    error::{Code, Error, Result},
    memory::fault_guard,
    publication::{Consumer, CreateOptions, IfDead, Publisher, RawConsumer, RawPublisher},
    record::{Bytes, Record, Text},
    region::{MapOptions, Region, SharedMemory},
    schema::Schema,
    segment::{Location, Name},
    wait::Patience,
};

/// CLOCK_MONOTONIC in nanoseconds, on macOS CLOCK_MONOTONIC_RAW: the clock that publications are stamped with.
#[cfg(not(pagecast_loom))]
pub fn monotonic_ns() -> u64 {
    sys::monotonic_ns()
}

/// Most bytes of address space this process may have (`ulimit -v`); `None` where there is no limit.
#[cfg(not(pagecast_loom))]
pub fn address_space_limit() -> Option<u64> {
    sys::address_space_limit()
}

/// Most descriptors this process may have open (`ulimit -n`); `None` where there is no limit.
#[cfg(not(pagecast_loom))]
pub fn descriptor_limit() -> Option<u64> {
    sys::descriptor_limit()
}

/// Bytes of a page of this system: `sysconf(_SC_PAGESIZE)`.
#[cfg(not(pagecast_loom))]
pub fn page_size() -> u64 {
    sys::page_size()
}

/// The README's examples are doc tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
