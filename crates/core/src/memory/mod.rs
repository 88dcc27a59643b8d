//! Mapped memory of a shared object, copies in and out of it, and what becomes of it when the object shrinks.

#![allow(unsafe_code)]

#[cfg(pagecast_loom)]
pub mod range;

// Loom's tests build what is above this line.
#[cfg(not(pagecast_loom))]
pub mod fault_guard;
#[cfg(not(pagecast_loom))]
mod mapping;
#[cfg(not(pagecast_loom))]
mod overlay;
#[cfg(not(pagecast_loom))]
mod range;

#[cfg(not(pagecast_loom))]
pub use {mapping::Mapping, overlay::Overlay};
