//! Who holds what somebody waits for, as errors name it.

use std::fmt;

/// A consumer that holds a buffer or a slot; a participant that holds a mutex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its process id as it sees itself.
    pub pid: u32,
    /// Its slot.
    pub slot: u32,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pid {} in slot {}", self.pid, self.slot)
    }
}
