//! Publications in one process, through the public API: what publisher and consumers promise each other, and what they refuse.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failure here is a failed test")]

#[path = "../common/mod.rs"]
mod common;

mod attaching;
mod create;
mod hostile;
mod nameless;
mod names;
mod opening;
mod poses;
mod reading;
mod retired;
mod schema;
mod successors;
mod survey;
mod unpinned;
mod waiting;
mod write_lock;
mod writing;
