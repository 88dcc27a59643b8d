//! The only door to atomics: `core`'s, or loom's under `cfg(pagecast_loom)`.

#[cfg(not(pagecast_loom))]
pub use core::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
#[cfg(pagecast_loom)]
pub use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

/// A `u32` in shared memory. The methods are `AtomicU32`'s; under loom, which knows no sequentially consistent
/// *accesses*, a `SeqCst` store and the next `SeqCst` load of the same thread get a `SeqCst` fence between them,
/// and only when both are `SeqCst`: weakening either one still breaks the pattern, as it does on hardware.
#[derive(Debug)]
#[repr(transparent)]
pub struct Word(AtomicU32);

#[cfg(not(pagecast_loom))]
mod order {
    pub(super) fn before_load(_: super::Ordering) {}
    pub(super) fn after_store(_: super::Ordering) {}
}

#[cfg(pagecast_loom)]
mod order {
    use super::{Ordering, fence};
    use std::cell::Cell;

    loom::thread_local! { static STORED: Cell<bool> = Cell::new(false); }

    pub(super) fn before_load(order: Ordering) {
        if order == Ordering::SeqCst && STORED.with(|stored| stored.replace(false)) {
            fence(Ordering::SeqCst);
        }
    }

    pub(super) fn after_store(order: Ordering) {
        if order == Ordering::SeqCst {
            STORED.with(|stored| stored.set(true));
        }
    }
}

macro_rules! read_modify_write {
    ($($name:ident),*) => {$(
        #[doc = concat!("`AtomicU32::", stringify!($name), "`")]
        #[inline]
        pub fn $name(&self, value: u32, order: Ordering) -> u32 {
            order::before_load(order);
            let old = self.0.$name(value, order);
            order::after_store(order);
            old
        }
    )*};
}

impl Word {
    /// A word outside shared memory, for tests.
    pub fn new(value: u32) -> Word {
        Word(AtomicU32::new(value))
    }

    /// `AtomicU32::load`
    #[inline]
    pub fn load(&self, order: Ordering) -> u32 {
        order::before_load(order);
        self.0.load(order)
    }

    /// `AtomicU32::store`
    #[inline]
    pub fn store(&self, value: u32, order: Ordering) {
        self.0.store(value, order);
        order::after_store(order);
    }

    read_modify_write!(fetch_add, fetch_or, fetch_and, fetch_max);

    /// Where the word lies, for the kernel.
    #[cfg(not(pagecast_loom))]
    pub(crate) fn address(&self) -> *const u32 {
        self.0.as_ptr()
    }
}
