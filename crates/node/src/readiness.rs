//! The helper thread that waits for a socket so that the event loop need not.

use crate::error::OrThrow;
use napi::bindgen_prelude::Function;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Status};
use pagecast::channel::{Interest, wait_until_ready};
use pagecast::{Channel, Code, Error, Listener};
use std::io::{PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// Weak: it does not keep the event loop alive. No error argument.
type Callback = ThreadsafeFunction<(), (), (), Status, false, true>;

/// What is waited for.
#[derive(Clone)]
pub(crate) enum Endpoint {
    Channel(Arc<Channel>),
    Listener(Arc<Listener>),
}

impl Endpoint {
    fn descriptor(&self) -> BorrowedFd<'_> {
        match self {
            Endpoint::Channel(channel) => channel.descriptor(),
            Endpoint::Listener(listener) => listener.descriptor(),
        }
    }
}

impl From<Arc<Channel>> for Endpoint {
    fn from(channel: Arc<Channel>) -> Endpoint {
        Endpoint::Channel(channel)
    }
}

impl From<Arc<Listener>> for Endpoint {
    fn from(listener: Arc<Listener>) -> Endpoint {
        Endpoint::Listener(listener)
    }
}

/// A channel or listener until it is closed, and the thread that waits for it once it is watched.
pub(crate) struct Watched<T> {
    /// `None` once closed.
    socket: Option<Arc<T>>,
    readiness: Option<Readiness>,
}

impl<T> Watched<T>
where
    Endpoint: From<Arc<T>>,
{
    pub(crate) fn new(socket: T) -> Watched<T> {
        Watched { socket: Some(Arc::new(socket)), readiness: None }
    }

    pub(crate) fn get(&self) -> pagecast::Result<&Arc<T>> {
        self.socket.as_ref().ok_or_else(|| Error::new(Code::Disposed, "this channel is closed"))
    }

    /// Starts the thread that waits. It sleeps until it is armed.
    pub(crate) fn watch(&mut self, env: &Env, callback: &Function<'_, (), ()>) -> napi::Result<()> {
        let socket = self.get().cloned().or_throw(env)?;
        self.readiness = Some(Readiness::start(env, socket.into(), callback)?);
        Ok(())
    }

    /// Calls back once, when something can be received (`writes`: or sent).
    pub(crate) fn arm(&mut self, writes: bool) {
        if let Some(readiness) = &mut self.readiness {
            readiness.arm(writes);
        }
    }

    pub(crate) fn close(&mut self) {
        self.readiness = None;
        self.socket = None;
    }
}

/// One thread for one socket. Dropped, the thread has ended, and holds nothing.
pub(crate) struct Readiness {
    shared: Arc<Shared>,
    interrupt: PipeWriter,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    endpoint: Endpoint,
    request: Mutex<Request>,
    changed: Condvar,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Request {
    None,
    /// Call back when it is ready for that.
    Until(Interest),
    /// End the thread.
    Stop,
}

impl Request {
    fn interest(self) -> Interest {
        if let Request::Until(interest) = self { interest } else { Interest::default() }
    }
}

impl Readiness {
    fn start(env: &Env, endpoint: Endpoint, callback: &Function<'_, (), ()>) -> napi::Result<Readiness> {
        let callback: Callback = callback.build_threadsafe_function().callee_handled::<false>().weak::<true>().build()?;
        let refused = |error| Error::new(Code::System, format!("start the thread that waits: {error}"));
        let (interrupted, interrupt) = std::io::pipe().map_err(refused).or_throw(env)?;
        let shared = Arc::new(Shared { endpoint, request: Mutex::new(Request::None), changed: Condvar::new() });
        let of_thread = shared.clone();
        let thread = std::thread::Builder::new().name("pagecast-socket".into()).stack_size(64 * 1024);
        let started = thread.spawn(move || {
            while of_thread.next(&interrupted) {
                if callback.call((), ThreadsafeFunctionCallMode::NonBlocking) == Status::Closing {
                    return;
                }
            }
        });
        Ok(Readiness { shared, interrupt, thread: Some(started.map_err(refused).or_throw(env)?) })
    }

    /// Calls back once, when something can be received (`writes`: sent), or when what it was armed for before can.
    pub(crate) fn arm(&mut self, writes: bool) {
        let Interest { reads: received, writes: sent } = self.shared.lock().interest();
        self.put(Request::Until(Interest { reads: received || !writes, writes: sent || writes }));
    }

    fn put(&mut self, request: Request) {
        let before = std::mem::replace(&mut *self.shared.lock(), request);
        self.shared.changed.notify_one();
        // otherwise it sleeps on the condition
        if before != request && before != Request::None {
            let _ = self.interrupt.write_all(&[0]);
        }
    }
}

impl Drop for Readiness {
    fn drop(&mut self) {
        self.put(Request::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // it blocks nowhere but where it was just woken
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Request> {
        self.request.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a request and then for what it asks for. False: the thread is to end.
    fn next(&self, mut interrupted: &PipeReader) -> bool {
        loop {
            let request = self.changed.wait_while(self.lock(), |request| *request == Request::None);
            let interest = match *request.unwrap_or_else(PoisonError::into_inner) {
                Request::Until(interest) => interest,
                _ => return false,
            };
            match wait_until_ready(self.endpoint.descriptor(), interest, interrupted.as_fd()) {
                Ok((_, true)) => drop(interrupted.read(&mut [0])), // the request is another one
                Ok((false, false)) => {}
                // whoever is called back looks for itself, and finds what is wrong
                Ok((true, false)) | Err(_) => {
                    let mut request = self.lock();
                    if *request == Request::Stop {
                        return false;
                    }
                    *request = Request::None;
                    return true;
                }
            }
        }
    }
}
