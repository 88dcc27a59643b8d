//! Mapped memory of a shared object, copies in and out of it, and what becomes of it when the object shrinks.

#![allow(unsafe_code)]

#[cfg(pagecast_loom)]
pub mod range;

// Loom's tests build what is above this line.
#[cfg(not(pagecast_loom))]
mod covering;
#[cfg(not(pagecast_loom))]
pub mod fault_guard;
#[cfg(not(pagecast_loom))]
mod fillings;
#[cfg(not(pagecast_loom))]
mod lent;
#[cfg(not(pagecast_loom))]
mod mapping;
#[cfg(not(pagecast_loom))]
mod range;
#[cfg(not(pagecast_loom))]
mod reservation;
#[cfg(not(pagecast_loom))]
pub(crate) mod room;
#[cfg(not(pagecast_loom))]
mod view;
#[cfg(not(pagecast_loom))]
mod window;

#[cfg(not(pagecast_loom))]
pub use {
    covering::Covering,
    lent::{Lent, NotOverlaid, Number},
    mapping::Mapping,
    reservation::Reservation,
    view::EnginePages,
};
#[cfg(not(pagecast_loom))]
pub(crate) use {
    fault_guard::Mended,
    fillings::Fillings,
    lent::Kept,
    mapping::map_error,
    reservation::{Part, in_use, out_of_reach},
    view::{Backing, Behind, View},
};
