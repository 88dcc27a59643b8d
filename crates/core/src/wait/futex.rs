//! The kernel's futex. See futex(2).

use super::{Park, Woken};
use crate::primitive::Word;
use crate::sys;
use nix::errno::Errno;
use std::time::Duration;

/// The kernel's futex, shared between processes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Futex;

impl Park for Futex {
    fn wait(&self, word: &Word, expected: u32, bound: Duration) -> Woken {
        match sys::futex_wait(word.address(), expected, bound) {
            Ok(()) | Err(Errno::EINTR) => Woken::Woken,
            Err(Errno::ETIMEDOUT) => Woken::TimedOut,
            Err(_) => Woken::Changed, // whatever it is, the caller looks at the word again
        }
    }

    fn wake_all(&self, word: &Word) {
        sys::futex_wake_all(word.address());
    }

    fn wake_one(&self, word: &Word) {
        sys::futex_wake_one(word.address());
    }
}
