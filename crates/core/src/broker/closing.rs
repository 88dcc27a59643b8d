//! Closing what a client sent. That may take as long as somebody else likes: a filesystem that does not answer, a connection that lingers. So the
//! thread that serves never does it.

use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Most threads that may hang in it. What comes then is never closed: whoever does this has to be a user that may connect.
const MOST: usize = 64;

static HANGING: AtomicUsize = AtomicUsize::new(0);

/// Drops something on a thread of its own.
pub(super) fn close_elsewhere<T: Send + 'static>(sent: T) {
    // dropped with the closure it would be dropped here, if there is no thread
    let sent = ManuallyDrop::new(sent);
    if HANGING.fetch_add(1, Ordering::Relaxed) < MOST {
        let thread = std::thread::Builder::new().name("pagecast-close".into()).stack_size(64 * 1024);
        let started = thread.spawn(move || {
            drop(ManuallyDrop::into_inner(sent));
            HANGING.fetch_sub(1, Ordering::Relaxed);
        });
        if started.is_ok() {
            return;
        }
    }
    HANGING.fetch_sub(1, Ordering::Relaxed);
}
