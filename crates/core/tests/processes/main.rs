//! Publications across real processes: waking, dying and racing. Contention is the conformance suite's (`__test__/conformance`).
//!
//! The processes are this test's own binary, run again with a role to play (`roles`).
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is a failed test")]

#[cfg(target_os = "linux")]
mod brokers;
#[path = "../common/mod.rs"]
mod common;
mod creators;
mod dead_consumers;
mod dead_publishers;
mod fault_signals;
mod faulter;
#[cfg(feature = "testing")]
mod forked;
mod handles;
mod limits;
mod mutexes;
mod nameless;
mod overlays;
mod permission;
mod player;
mod random_kills;
mod regions;
mod roles;
mod standby;
mod truncation;
mod waking;
