//! Running a scenario in all its interleavings.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

/// Runs every interleaving of `scenario` in which at most so many threads lose the processor against their will.
pub fn model(preemptions: usize, scenario: impl Fn() + Send + Sync + 'static) {
    check(Some(preemptions), move || {
        scenario();
        false
    });
}

/// As [`model`], once for each step that `scenario` can kill somebody before: until no interleaving has anybody left to kill.
pub fn at_every_step(preemptions: usize, scenario: impl Fn(u32) -> bool + Copy + Send + Sync + 'static) {
    for steps in 0.. {
        if !check(Some(preemptions), move || scenario(steps)) {
            return;
        }
    }
}

/// Whether some interleaving of `scenario` answers yes.
pub fn observe(scenario: impl Fn() -> bool + Send + Sync + 'static) -> bool {
    check(None, scenario)
}

fn check(preemptions: Option<usize>, scenario: impl Fn() -> bool + Send + Sync + 'static) -> bool {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = preemptions;
    builder.max_branches = 5_000;
    let (executions, answered) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let (counter, answer) = (executions.clone(), answered.clone());
    let start = Instant::now();
    builder.check(move || {
        counter.fetch_add(1, Ordering::Relaxed);
        answer.fetch_or(scenario(), Ordering::Relaxed);
    });
    println!("{} executions in {:.1} s", executions.load(Ordering::Relaxed), start.elapsed().as_secs_f64());
    answered.load(Ordering::Relaxed)
}
