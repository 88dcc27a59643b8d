//! Bounds a test: what hangs is stopped, and the failure says what was going on.

use std::panic::resume_unwind;
use std::process::Child;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Far longer than any test takes on a slow machine; no test measures time.
const BOUND: Duration = Duration::from_secs(300);

/// What a bounded test tells its watchdog.
#[derive(Clone, Default)]
pub struct Watch(Arc<Mutex<Watched>>);

#[derive(Default)]
struct Watched {
    stage: String,
    children: Vec<Arc<Mutex<Child>>>,
}

impl Watch {
    fn watched(&self) -> MutexGuard<'_, Watched> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says what begins now.
    pub fn stage(&self, stage: impl Into<String>) {
        self.watched().stage = stage.into();
    }

    /// Hands over a process that must not outlive the test.
    #[allow(dead_code, reason = "not every test that may hang has children")]
    pub fn guard(&self, child: Child) -> Arc<Mutex<Child>> {
        let child = Arc::new(Mutex::new(child));
        self.watched().children.push(child.clone());
        child
    }

    fn kill_children(&self) {
        for child in self.watched().children.drain(..) {
            let mut child = child.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = child.kill(); // does nothing to one that was waited for already
            let _ = child.wait();
        }
    }
}

/// Runs a test that may hang. When the bound is over its children are killed and the test fails with its last stage.
pub fn bounded(test: impl FnOnce(&Watch) + Send + 'static) {
    let watch = Watch::default();
    let (done, end) = channel::<()>();
    let body = std::thread::spawn({
        let watch = watch.clone();
        move || {
            let _done = done; // dropped at the end, also by a panic
            test(&watch);
        }
    });
    let hangs = end.recv_timeout(BOUND) == Err(RecvTimeoutError::Timeout);
    watch.kill_children();
    if hangs {
        panic!("still not over after {BOUND:?}: {}", watch.watched().stage);
    }
    if let Err(panic) = body.join() {
        resume_unwind(panic);
    }
}
