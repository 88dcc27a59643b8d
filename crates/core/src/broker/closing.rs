//! Closing what a client sent. That may take as long as somebody else likes: a filesystem that does not answer, a connection that lingers. So the
//! thread that serves never does it.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Most threads that may hang in it, and most things that may wait for one of them before nobody is accepted any more.
const MOST: usize = 64;

/// Threads that close. Dropped, they go on until all is closed.
pub(super) struct Closers {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// What is to be closed.
    waiting: VecDeque<Box<dyn Send>>,
    threads: usize,
    /// Threads that have nothing to do.
    idle: usize,
    is_over: bool,
}

impl Closers {
    /// Starts one, so that there is one whatever comes. More are started as they are needed.
    pub fn start() -> std::io::Result<Closers> {
        let closers = Closers { shared: Arc::default() };
        closers.shared.lock().threads = 1;
        closers.hire().map(|()| closers)
    }

    /// Drops something on another thread.
    pub fn close<T: Send + 'static>(&self, sent: T) {
        let mut state = self.shared.lock();
        state.waiting.push_back(Box::new(sent));
        self.shared.changed.notify_one();
        if state.waiting.len() > state.idle && state.threads < MOST {
            state.threads += 1;
            drop(state);
            if self.hire().is_err() {
                self.shared.lock().threads -= 1; // it waits for the others
            }
        }
    }

    /// Whether all hang, and much waits for them.
    pub fn are_full(&self) -> bool {
        self.shared.lock().waiting.len() >= MOST
    }

    fn hire(&self) -> std::io::Result<()> {
        let shared = self.shared.clone();
        let thread = std::thread::Builder::new().name("pagecast-close".into()).stack_size(64 * 1024);
        thread.spawn(move || shared.work()).map(drop)
    }
}

impl Drop for Closers {
    fn drop(&mut self) {
        self.shared.lock().is_over = true;
        self.shared.changed.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        let mut state = self.lock();
        loop {
            if let Some(sent) = state.waiting.pop_front() {
                drop(state);
                drop(sent);
                state = self.lock();
            } else if state.is_over || state.idle > 0 {
                state.threads -= 1;
                return;
            } else {
                state.idle += 1;
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.idle -= 1;
            }
        }
    }
}
