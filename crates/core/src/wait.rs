//! Sleeping on a word of shared memory until another process changes it.

#[cfg(not(pagecast_loom))]
mod futex;
#[cfg(not(pagecast_loom))]
mod patience;

use crate::primitive::Word;
#[cfg(not(pagecast_loom))]
pub use futex::Futex;
#[cfg(not(pagecast_loom))]
pub use patience::Patience;
#[cfg(not(pagecast_loom))]
pub(crate) use patience::Wait;
use std::time::{Duration, Instant};

/// How the protocol sleeps and wakes; loom's tests stand in for the kernel here.
pub trait Park {
    /// Sleeps while `word` is `expected`, at most `bound`.
    fn wait(&self, word: &Word, expected: u32, bound: Duration) -> Woken;
    /// Wakes everybody who sleeps on `word`, in any process.
    fn wake_all(&self, word: &Word);
    /// Wakes one who sleeps on `word`, in any process.
    fn wake_one(&self, word: &Word);
}

/// How a bounded sleep ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// The word did not have the expected value.
    Changed,
    /// Somebody woke us, or a signal did.
    Woken,
    /// The bound is over.
    TimedOut,
}

/// Looks this often before it is worth going to sleep: one to four microseconds, about what a sleep and a wake-up cost.
#[cfg(not(pagecast_loom))]
const LOOKS: u32 = 100;

/// Looks again and again for a moment, for what somebody on another processor is about to finish.
#[cfg(not(pagecast_loom))]
pub(crate) fn spin<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    (0..LOOKS).find_map(|_| {
        std::hint::spin_loop();
        look()
    })
}

/// The moment at which a wait ends.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// `timeout` from now.
    pub fn after(timeout: Duration) -> Deadline {
        Deadline(Instant::now().checked_add(timeout))
    }

    /// What is left, at most `slice`; `None` when it is over.
    pub fn slice(&self, slice: Duration) -> Option<Duration> {
        match self.0 {
            None => Some(slice),
            Some(end) => {
                let left = end.saturating_duration_since(Instant::now());
                (!left.is_zero()).then(|| left.min(slice))
            }
        }
    }
}
