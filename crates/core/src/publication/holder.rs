//! Consumers that somebody waits for, and how an error names them.

use super::words::Words;
use crate::primitive::Ordering;
use crate::roster::{Holder, Slot};

/// An error names at most so many: there may be a thousand.
const MOST_NAMED: usize = 8;

impl Holder {
    /// Those whose slots are as asked for.
    pub(super) fn all(words: &Words<'_>, wanted: impl Fn(&Slot) -> bool) -> Vec<Holder> {
        let slots = words.slots.iter().zip(0..).filter(|(slot, _)| wanted(slot));
        slots.map(|(slot, number)| Holder { pid: slot.pid.load(Ordering::Relaxed), slot: number }).collect()
    }

    /// `held by pid 7 in slot 0, pid 8 in slot 1`
    pub(super) fn list(holders: &[Holder]) -> String {
        if holders.is_empty() {
            return "held by nobody any more".into();
        }
        let named: Vec<_> = holders.iter().take(MOST_NAMED).map(Holder::to_string).collect();
        let more = holders.len() - named.len();
        format!("held by {}{}", named.join(", "), if more > 0 { format!(" and {more} more") } else { String::new() })
    }
}
