//! The helper thread that sleeps on the state word so that the event loop need not.

use crate::error::OrThrow;
use napi::bindgen_prelude::Function;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Status};
use pagecast::publication::{State, Watcher};
use pagecast::{Code, Error};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Longest sleep before the thread asks whether the publisher lives and whether it is still wanted.
const SLICE: Duration = Duration::from_millis(50);

/// Weak: it does not keep the event loop alive. No error argument.
type Callback = ThreadsafeFunction<(), (), (), Status, false, true>;

/// One thread for one consumer. Dropped, the thread ends by itself; it holds what it uses.
pub(crate) struct Watch {
    shared: Arc<Shared>,
}

struct Shared {
    watcher: Watcher,
    request: Mutex<Request>,
    changed: Condvar,
}

#[derive(Clone, Copy)]
enum Request {
    None,
    /// Call back when the state is no longer this one.
    Until(State),
    /// Call back at once.
    Now,
    /// End the thread.
    Stop,
}

impl Watch {
    pub(crate) fn start(env: &Env, watcher: Watcher, callback: &Function<'_, (), ()>) -> napi::Result<Watch> {
        let callback: Callback = callback.build_threadsafe_function().callee_handled::<false>().weak::<true>().build()?;
        let shared = Arc::new(Shared { watcher, request: Mutex::new(Request::None), changed: Condvar::new() });
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
        self.shared.put(Request::Until(State(seen)));
    }

    pub(crate) fn disarm(&self) {
        let armed = matches!(*self.shared.lock(), Request::Until(_));
        if armed {
            self.shared.put(Request::Now);
            self.shared.watcher.interrupt();
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.shared.put(Request::Stop);
        self.shared.watcher.interrupt();
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
        let lived = self.watcher.publisher_alive().unwrap_or(false);
        for sleeps in 0.. {
            let mut request = self.lock();
            match *request {
                Request::Stop => return false,
                Request::Until(seen) if !self.watcher.changed(seen) => {
                    drop(request);
                    let failed = self.watcher.sleep(seen, SLICE, sleeps).is_err();
                    // dead only if the kernel says so; whoever is called back looks for itself
                    let died = !self.watcher.changed(seen) && lived && !self.watcher.publisher_alive().unwrap_or(false);
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
