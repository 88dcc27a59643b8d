//! Who is attached and alive: bytes of a lock range that the kernel holds for a living process and drops with it.
//!
//! Each attachment locks through an open file description of its own that is never mapped and never passed on, so the
//! locks go the moment the process does (fcntl(2), "Open file description locks"). Time never declares anybody dead.

#[cfg(not(pagecast_loom))]
mod forked;
#[cfg(not(pagecast_loom))]
mod lock_file;
mod slot;

#[cfg(not(pagecast_loom))]
pub use lock_file::{Byte, LockFile, MAX_SLOTS};
pub use slot::Slot;
pub(crate) use slot::reset;
