//! Publications across real processes: waking, dying, racing and contending.
//!
//! The processes are this test's own binary, run again with a role to play (`roles`), or `examples/contender.rs` as one of them.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is a failed test")]

#[path = "../common/mod.rs"]
mod common;
#[path = "../../examples/contender.rs"]
#[expect(dead_code, reason = "as a program it has a main function, too")]
mod contender;

mod contention;
mod creators;
mod dead_consumers;
mod dead_publishers;
mod limits;
mod permission;
mod player;
mod random_kills;
mod roles;
mod standby;
mod waking;
