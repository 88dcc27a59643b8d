//! How many descriptors the regions of this process hold.
//!
//! A region that nobody can reach any more is closed by the garbage collector, which knows nothing of descriptors: a program that forgets to
//! close its regions would run out of them long before the collector has a reason to look. So from some number on regions give theirs up, those that were mapped
//! first before the others, unless somebody was told of it.

use napi_derive::napi;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Most of them.
const MOST: usize = 512;

static HELD: AtomicUsize = AtomicUsize::new(0);

/// One of them, until this is dropped.
pub(crate) struct Held {
    /// Whether the region can do without.
    pub(crate) is_optional: bool,
}

impl Held {
    pub(crate) fn count(is_optional: bool) -> Held {
        HELD.fetch_add(1, Ordering::Relaxed);
        Held { is_optional }
    }
}

/// Whether regions are to give up those that they can do without.
#[napi]
pub fn too_many_descriptors() -> bool {
    let limit = pagecast::descriptor_limit().map_or(MOST, |limit| MOST.min(usize::try_from(limit / 4).unwrap_or(MOST)));
    HELD.load(Ordering::Relaxed) > limit
}

impl Drop for Held {
    fn drop(&mut self) {
        HELD.fetch_sub(1, Ordering::Relaxed);
    }
}
