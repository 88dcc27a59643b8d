//! The project's own protocol code under loom: `RUSTFLAGS="--cfg pagecast_loom" cargo test --release -p pagecast --test loom`.
//!
//! `kernel`, `segment`, `arena` and `value` stand in for what is shared; `consumer`, `publisher` and `participant` do with the project's steps what
//! the library's own do; the other modules are the scenarios. `ci/mutate.mjs` shows that they notice what they are there to notice.
#![cfg(pagecast_loom)]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests fail by panicking, in their helpers too")]

mod arena;
mod cast;
mod consumer;
mod kernel;
mod model;
mod participant;
mod publisher;
mod segment;
mod value;

mod attach;
mod death;
mod exclusion;
mod grace;
mod litmus;
mod mutex;
mod news;
mod optimistic;
mod pins;
mod ranges;
mod takeover;
