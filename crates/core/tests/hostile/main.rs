//! Segments that somebody wrote nonsense into, before they are opened or while they are used: an error or a value that was checked.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failure here is a failed test")]

#[path = "../common/mod.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod common;

mod attacked;
mod harness;
mod seeded;
