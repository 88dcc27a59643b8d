//! The helper thread that sleeps on a word so that the event loop need not.

use crate::error::OrThrow;
use napi::bindgen_prelude::Function;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Status};
use pagecast::publication::{State, Watcher};
use pagecast::sync::{MutexWatcher, Owner};
use pagecast::{Code, Error};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Longest sleep before the thread asks whether the other side lives and whether it is still wanted.
const SLICE: Duration = Duration::from_millis(50);

/// Weak: it does not keep the event loop alive. No error argument.
type Callback = ThreadsafeFunction<(), (), (), Status, false, true>;

/// What the thread sleeps for: a word that is no longer what it was `seen` to be.
pub(crate) trait Watched: Send + Sync + 'static {
    /// Whether it is another one by now.
    fn changed(&self, seen: u32) -> bool;
    /// Sleeps at most `bound`. False: there is reason to look though the word is the same.
    fn sleep(&self, seen: u32, bound: Duration, sleeps: u32) -> bool;
    /// Whether whoever could change it lives; asked only of what lived before.
    fn is_alive(&self) -> bool;
    /// Ends a sleep early.
    fn interrupt(&self);
}

impl Watched for Watcher {
    fn changed(&self, seen: u32) -> bool {
        Watcher::changed(self, State(seen))
    }

    fn sleep(&self, seen: u32, bound: Duration, sleeps: u32) -> bool {
        Watcher::sleep(self, State(seen), bound, sleeps).is_ok()
    }

    fn is_alive(&self) -> bool {
        self.publisher_alive().unwrap_or(false)
    }

    fn interrupt(&self) {
        Watcher::interrupt(self);
    }
}

impl Watched for MutexWatcher {
    fn changed(&self, seen: u32) -> bool {
        MutexWatcher::changed(self, Owner(seen))
    }

    fn sleep(&self, seen: u32, bound: Duration, _: u32) -> bool {
        !MutexWatcher::sleep(self, Owner(seen), bound)
    }

    /// The sleep asks: it is one holder that is seen, and not always the same.
    fn is_alive(&self) -> bool {
        true
    }

    fn interrupt(&self) {
        MutexWatcher::interrupt(self);
    }
}

/// One thread for one that awaits. Dropped, the thread ends by itself; it holds what it uses.
pub(crate) struct Watch {
    shared: Arc<Shared>,
}

struct Shared {
    watched: Box<dyn Watched>,
    request: Mutex<Request>,
    changed: Condvar,
}

#[derive(Clone, Copy)]
enum Request {
    None,
    /// Call back when the word is no longer this one.
    Until(u32),
    /// Call back at once.
    Now,
    /// End the thread.
    Stop,
}

impl Watch {
    pub(crate) fn start(env: &Env, watched: impl Watched, callback: &Function<'_, (), ()>) -> napi::Result<Watch> {
        let callback: Callback = callback.build_threadsafe_function().callee_handled::<false>().weak::<true>().build()?;
        let shared = Arc::new(Shared { watched: Box::new(watched), request: Mutex::new(Request::None), changed: Condvar::new() });
        let of_thread = shared.clone();
        let thread = std::thread::Builder::new().name("pagecast-watch".into());
        let started = thread.stack_size(64 * 1024).spawn(move || {
            while of_thread.next() {
                if callback.call((), ThreadsafeFunctionCallMode::NonBlocking) == Status::Closing {
                    return;
                }
            }
        });
        let refused = |error| Error::new(Code::System, format!("start the thread that waits: {error}"));
        started.map_err(refused).or_throw(env)?;
        Ok(Watch { shared })
    }

    pub(crate) fn arm(&self, seen: u32) {
        self.shared.put(Request::Until(seen));
    }

    pub(crate) fn disarm(&self) {
        let armed = matches!(*self.shared.lock(), Request::Until(_));
        if armed {
            self.shared.put(Request::Now);
            self.shared.watched.interrupt();
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.shared.put(Request::Stop);
        self.shared.watched.interrupt();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Request> {
        self.request.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, request: Request) {
        *self.lock() = request;
        self.changed.notify_one();
    }

    /// Waits for a request and then for what it asks for. False: the thread is to end.
    fn next(&self) -> bool {
        let wanted = self.changed.wait_while(self.lock(), |request| matches!(request, Request::None));
        drop(wanted);
        let lived = self.watched.is_alive();
        for sleeps in 0.. {
            let mut request = self.lock();
            match *request {
                Request::Stop => return false,
                Request::Until(seen) if !self.watched.changed(seen) => {
                    drop(request);
                    let failed = !self.watched.sleep(seen, SLICE, sleeps);
                    // dead only if the kernel says so; whoever is called back looks for itself
                    let died = !self.watched.changed(seen) && lived && !self.watched.is_alive();
                    if failed || died {
                        self.put_if_until(Request::Now);
                    }
                }
                _ => {
                    *request = Request::None;
                    return true;
                }
            }
        }
        true
    }

    fn put_if_until(&self, new: Request) {
        let mut request = self.lock();
        if matches!(*request, Request::Until(_)) {
            *request = new;
        }
    }
}
