//! `AtomicU32` for loom's tests: its `SeqCst` is sequentially consistent, and a process can be killed before any access.
//!
//! loom's manual says that it takes `SeqCst` accesses for `AcqRel`. It does a little more: a `SeqCst` load never returns a `SeqCst`
//! store that has another `SeqCst` store after it. So the order in which an execution runs its accesses serves as the one total order
//! that the language asks for, and whoever weakens one access of a pair loses it, as on hardware. Two gaps are closed here: a word's
//! first value is no `SeqCst` store for loom; and a weaker store could still be returned after a `SeqCst` one, so from a word's first
//! weaker store on, `SeqCst` stores happen before the `SeqCst` loads that come after them. `tests/loom/litmus.rs` holds this to C++'s rules.

use loom::sync::atomic;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering as Std};

use super::Ordering;

/// The atomic behind [`super::Word`].
#[derive(Debug)]
pub(super) struct AtomicU32 {
    value: atomic::AtomicU32,
    /// Whether a store weaker than `SeqCst` was made.
    weakened: AtomicBool,
    /// What `SeqCst` stores release and `SeqCst` loads acquire from then on.
    order: atomic::AtomicU32,
}

macro_rules! read_modify_write {
    ($($name:ident),*) => {$(
        pub(super) fn $name(&self, value: u32, order: Ordering) -> u32 {
            step();
            let old = self.value.$name(value, order);
            self.stored(order);
            old
        }
    )*};
}

impl AtomicU32 {
    pub(super) fn new(value: u32) -> AtomicU32 {
        let first = atomic::AtomicU32::new(value);
        first.store(value, Ordering::SeqCst);
        AtomicU32 { value: first, weakened: AtomicBool::new(false), order: atomic::AtomicU32::new(0) }
    }

    pub(super) fn load(&self, order: Ordering) -> u32 {
        step();
        if order == Ordering::SeqCst && self.weakened.load(Std::Relaxed) {
            self.order.fetch_add(0, Ordering::Acquire);
        }
        self.value.load(order)
    }

    pub(super) fn store(&self, value: u32, order: Ordering) {
        step();
        self.value.store(value, order);
        self.stored(order);
    }

    read_modify_write!(fetch_add, fetch_or, fetch_and, fetch_max);

    pub(super) fn compare_exchange(&self, current: u32, new: u32, success: Ordering, failure: Ordering) -> Result<u32, u32> {
        step();
        let exchanged = self.value.compare_exchange(current, new, success, failure);
        if exchanged.is_ok() {
            self.stored(success);
        }
        exchanged
    }

    fn stored(&self, order: Ordering) {
        if order != Ordering::SeqCst {
            self.weakened.store(true, Std::Relaxed);
        } else if self.weakened.load(Std::Relaxed) {
            self.order.fetch_add(1, Ordering::Release);
        }
    }
}

loom::thread_local! {
    static STEPS_LEFT: Cell<Option<u32>> = Cell::new(None);
}

/// What the stack of a killed process unwinds with.
struct Killed;

/// Runs `process`, which is killed before the step after this many. `None`: it was killed.
pub fn mortal<T>(steps: u32, process: impl FnOnce() -> T) -> Option<T> {
    STEPS_LEFT.with(|left| left.set(Some(steps)));
    let result = catch_unwind(AssertUnwindSafe(process));
    STEPS_LEFT.with(|left| left.set(None));
    match result {
        Ok(value) => Some(value),
        Err(reason) if reason.is::<Killed>() => None,
        Err(reason) => resume_unwind(reason),
    }
}

/// Runs a call of the kernel: a process may be killed before it and after it, not inside.
pub fn in_kernel<T>(call: impl FnOnce() -> T) -> T {
    let left = STEPS_LEFT.with(Cell::take);
    let result = call();
    STEPS_LEFT.with(|steps| steps.set(left));
    result
}

/// A step of a process: every access to a word, and whatever else a test counts as one.
pub fn step() {
    STEPS_LEFT.with(|left| match left.get() {
        Some(0) => resume_unwind(Box::new(Killed)),
        Some(steps) => left.set(Some(steps - 1)),
        None => {}
    });
}
