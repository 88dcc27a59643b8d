//! The only door to atomics: `core`'s, or under `cfg(pagecast_loom)` loom's.

#[cfg(pagecast_loom)]
pub mod modelled;

#[cfg(not(pagecast_loom))]
use core::sync::atomic::AtomicU32;
#[cfg(not(pagecast_loom))]
pub use core::sync::atomic::{AtomicU64, Ordering, fence};
#[cfg(pagecast_loom)]
pub use loom::sync::atomic::{AtomicU64, Ordering, fence};
#[cfg(pagecast_loom)]
use modelled::AtomicU32;

use crate::testing::word_step;

/// A `u32` in shared memory. The methods are `AtomicU32`'s.
#[derive(Debug)]
#[repr(transparent)]
pub struct Word(AtomicU32);

macro_rules! read_modify_write {
    ($($name:ident),*) => {$(
        #[doc = concat!("`AtomicU32::", stringify!($name), "`")]
        #[inline]
        pub fn $name(&self, value: u32, order: Ordering) -> u32 {
            word_step(stringify!($name), self.place());
            self.0.$name(value, order)
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
        word_step("load", self.place());
        self.0.load(order)
    }

    /// `AtomicU32::store`
    #[inline]
    pub fn store(&self, value: u32, order: Ordering) {
        word_step("store", self.place());
        self.0.store(value, order);
    }

    read_modify_write!(fetch_add, fetch_or, fetch_and, fetch_max);

    /// `AtomicU32::compare_exchange`
    #[inline]
    pub fn compare_exchange(&self, current: u32, new: u32, success: Ordering, failure: Ordering) -> Result<u32, u32> {
        word_step("compare_exchange", self.place());
        self.0.compare_exchange(current, new, success, failure)
    }

    /// Where the word lies, for its name in tests.
    #[inline(always)]
    fn place(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// Where the word lies, for the kernel.
    #[cfg(not(pagecast_loom))]
    pub(crate) fn address(&self) -> *const u32 {
        self.0.as_ptr()
    }
}
