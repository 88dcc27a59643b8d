//! How long a wait goes on that may have no end of its own.

use super::Deadline;
use crate::error::{Code, Error, Result};
use std::fmt::Display;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Longest sleep between two looks at the caller's flag.
const HEARING: Duration = Duration::from_millis(50);

/// What ends a wait besides what is waited for. The default: nothing does.
///
/// ```
/// # use pagecast::wait::Patience;
/// # use std::{sync::atomic::AtomicBool, time::Duration};
/// let stop = AtomicBool::new(false); // raised by another thread, or by a signal handler
/// let patience = Patience { timeout: Some(Duration::from_secs(5)), cancelled: Some(&stop) };
/// let for_a_second = Patience::from(Duration::from_secs(1));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Patience<'a> {
    /// Then [`Code::Timeout`]. `None`: never.
    pub timeout: Option<Duration>,
    /// Within 50 ms after it became true, [`Code::Aborted`].
    pub cancelled: Option<&'a AtomicBool>,
}

impl From<Duration> for Patience<'_> {
    fn from(timeout: Duration) -> Self {
        Some(timeout).into()
    }
}

impl From<Option<Duration>> for Patience<'_> {
    fn from(timeout: Option<Duration>) -> Self {
        Patience { timeout, cancelled: None }
    }
}

impl<'a> Patience<'a> {
    /// The wait begins now.
    pub(crate) fn begin(self) -> Wait<'a> {
        Wait { patience: self, deadline: Deadline(self.timeout.and_then(|timeout| Deadline::after(timeout).0)) }
    }
}

/// A wait under way.
#[derive(Debug)]
pub(crate) struct Wait<'a> {
    patience: Patience<'a>,
    deadline: Deadline,
}

impl Wait<'_> {
    /// How long to sleep before the next look, at most `slice`; an error when the wait is over. `what` is operation and subject,
    /// `missing` says what did not come.
    pub fn slice<M: Display>(&self, what: impl Display, slice: Duration, missing: impl FnOnce() -> M) -> Result<Duration> {
        let Patience { timeout, cancelled } = self.patience;
        // Relaxed: nothing else is read on the strength of it
        if cancelled.is_some_and(|cancelled| cancelled.load(Ordering::Relaxed)) {
            return Err(Error::new(Code::Aborted, format!("{what}: cancelled by the caller")));
        }
        let longest = if cancelled.is_some() { slice.min(HEARING) } else { slice };
        self.deadline.slice(longest).ok_or_else(|| {
            let over = timeout.unwrap_or_default();
            Error::new(Code::Timeout, format!("{what}: {over:?} are over, {}", missing()))
        })
    }
}
