//! Who is attached and alive: bytes of a lock range that the kernel holds for a living process and drops with it.
//!
//! Each attachment locks through an open file description of its own that is never mapped and never passed on, so the
//! locks go the moment the process does (fcntl(2), "Open file description locks"). Time never declares anybody dead.

#[cfg(not(pagecast_loom))]
pub(crate) mod forked;
#[cfg(not(pagecast_loom))]
mod holder;
#[cfg(not(pagecast_loom))]
mod lock_file;
mod slot;

#[cfg(not(pagecast_loom))]
pub use holder::Holder;
#[cfg(not(pagecast_loom))]
pub use lock_file::{Byte, LockFile, MAX_SLOTS};
#[cfg(not(pagecast_loom))]
pub(crate) use lock_file::{MAX_MUTEXES, obstruction};
pub use slot::Slot;
pub(crate) use slot::reset;

/// The bytes of the slots: each is held by the living consumer in it. Loom's tests stand in for the kernel here.
pub trait SlotBytes {
    /// What the kernel says when it does not lock at all.
    type Error;
    /// Takes a slot's byte; false if somebody has it.
    fn try_hold_slot(&self, slot: u32) -> Result<bool, Self::Error>;
    /// Lets go of it.
    fn release_slot(&self, slot: u32) -> Result<(), Self::Error>;
}
