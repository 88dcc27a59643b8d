//! Sleeping until a publication changes, apart from the consumer that wants to know.

use super::attachment::Attachment;
use super::state::State;
use crate::error::Result;
use crate::roster::Byte;
use crate::wait::{Futex, Park};
use std::sync::Arc;
use std::time::Duration;

/// Longest sleep of an observer whose wish to be woken the publisher may not have seen yet.
const SHORT: Duration = Duration::from_millis(5);

/// Short sleeps until the publisher must have seen it: it asks every 10 ms while it publishes.
const SHORT_SLEEPS: u32 = 4;

/// Watches the state word of one attachment.
#[derive(Debug)]
pub struct Watcher {
    attachment: Arc<Attachment>,
    observer: bool,
}

impl Watcher {
    pub(super) fn new(attachment: Arc<Attachment>, observer: bool) -> Watcher {
        Watcher { attachment, observer }
    }

    /// The state word now.
    pub fn state(&self) -> State {
        self.attachment.state()
    }

    /// Asks the kernel whether a publisher lives.
    pub fn publisher_alive(&self) -> Result<bool> {
        self.attachment.publisher_alive()
    }

    /// Sleeps until the state is no longer `seen`, at most `bound`; may return early for no reason. `sleeps` counts the sleeps so far.
    pub fn sleep(&self, seen: State, bound: Duration, sleeps: u32) -> Result<()> {
        if !self.observer {
            self.attachment.sleep(seen, bound);
            return Ok(());
        }
        // An observer cannot raise the flag; its read lock tells the publisher to wake always.
        let shared = self.attachment.locks.try_share(Byte::Observers)?;
        let bound = if shared && sleeps >= SHORT_SLEEPS { bound } else { bound.min(SHORT) };
        Futex.wait(&self.attachment.words().control.state, seen.0, bound);
        Ok(())
    }

    /// Ends a sleep of this watcher early, and costs every other sleeper a look.
    pub fn interrupt(&self) {
        self.attachment.wake();
    }

    /// Whether the state is no longer `seen`, or the segment no longer whole.
    pub fn changed(&self, seen: State) -> bool {
        self.attachment.state() != seen || self.attachment.check().is_err()
    }
}
