//! What stands in the buffers: a number, twice, so that half of one and half of another is noticed.

use loom::cell::UnsafeCell;
use loom::sync::atomic::{AtomicU32, Ordering};
use pagecast::primitive::modelled::step;

pub trait Value: Send + Sync + 'static {
    fn new(value: u32) -> Self;
    /// One half, a step, the other half.
    fn write(&self, value: u32);
    /// Both halves.
    fn copy(&self) -> [u32; 2];

    fn read(&self) -> u32 {
        whole(self.copy())
    }
}

/// The value, if it is one.
pub fn whole([first, second]: [u32; 2]) -> u32 {
    assert_eq!(first, second, "half of one value and half of another");
    first
}

/// Plain memory: loom reports any access that is not excluded.
pub struct Plain(UnsafeCell<[u32; 2]>);

// SAFETY: what the protocol is there for, and loom checks.
unsafe impl Sync for Plain {}

impl Plain {
    fn put(&self, half: usize, value: u32) {
        // SAFETY: loom reports it if anybody else has access now.
        self.0.with_mut(|bytes| unsafe { (*bytes)[half] = value });
    }
}

impl Value for Plain {
    fn new(value: u32) -> Plain {
        Plain(UnsafeCell::new([value; 2]))
    }

    fn write(&self, value: u32) {
        self.put(0, value);
        step();
        self.put(1, value);
    }

    fn copy(&self) -> [u32; 2] {
        // SAFETY: loom reports it if anybody writes now.
        self.0.with(|bytes| unsafe { *bytes })
    }
}

/// Memory that is copied while somebody may write it, as unpinned readers do.
pub struct Volatile([AtomicU32; 2]);

impl Value for Volatile {
    fn new(value: u32) -> Volatile {
        Volatile([AtomicU32::new(value), AtomicU32::new(value)])
    }

    fn write(&self, value: u32) {
        self.0[0].store(value, Ordering::Relaxed);
        step();
        self.0[1].store(value, Ordering::Relaxed);
    }

    fn copy(&self) -> [u32; 2] {
        [self.0[0].load(Ordering::Relaxed), self.0[1].load(Ordering::Relaxed)]
    }
}
