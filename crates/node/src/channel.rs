//! `NativeChannel`, `NativeListener`, and what goes through them.

use crate::descriptor::NativeDescriptor;
use crate::error::OrThrow;
use crate::pages;
use crate::readiness::Watched;
use napi::bindgen_prelude::{Function, Uint8ArraySlice};
use napi::{Env, Result};
use napi_derive::napi;
use pagecast::channel::{ListenOptions, Look, check_sizes, duplicate};
use pagecast::{Channel, Listener};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

/// Who is at the other end.
#[napi(object)]
pub struct NativePeer {
    /// Process id; 0 for one of another PID namespace.
    pub pid: u32,
    /// Effective user id.
    pub uid: u32,
    /// Effective group id.
    pub gid: u32,
}

/// A message that is to be sent: copies, for whoever gave them may change or close them meanwhile.
#[napi]
pub struct NativeParcel {
    bytes: Vec<u8>,
    descriptors: Vec<OwnedFd>,
}

#[napi]
impl NativeParcel {
    /// Copies the bytes and duplicates the descriptors, unless there are too many.
    #[napi(factory)]
    pub fn pack(env: Env, bytes: Uint8ArraySlice<'_>, descriptors: Vec<i32>) -> Result<NativeParcel> {
        check_sizes(bytes.len(), descriptors.len()).or_throw(&env)?;
        let descriptors = descriptors.into_iter().map(duplicate).collect::<pagecast::Result<_>>().or_throw(&env)?;
        Ok(NativeParcel { bytes: bytes.to_vec(), descriptors })
    }

    /// Closes the duplicates.
    #[napi]
    pub fn close(&mut self) {
        self.descriptors.clear();
    }
}

/// A message that came, or the end.
#[napi]
pub struct NativeMessage {
    bytes: Vec<u8>,
    descriptors: Vec<OwnedFd>,
    is_end: bool,
}

#[napi]
impl NativeMessage {
    /// Whether there will be no more messages, of which this is none.
    #[napi(getter)]
    pub fn is_end(&self) -> bool {
        self.is_end
    }

    /// How many bytes it has.
    #[napi(getter)]
    pub fn byte_length(&self) -> u32 {
        u32::try_from(self.bytes.len()).unwrap_or(0)
    }

    /// Copies them into an array of that length.
    #[napi]
    pub fn copy_into(&self, mut target: Uint8ArraySlice<'_>) {
        let target = pages::bytes_mut(&mut target);
        if target.len() == self.bytes.len() {
            target.copy_from_slice(&self.bytes);
        }
    }

    /// Its descriptors, once.
    #[napi]
    pub fn take_descriptors(&mut self) -> Vec<NativeDescriptor> {
        self.descriptors.drain(..).map(NativeDescriptor::new).collect()
    }
}

/// One end of a connection.
#[napi]
pub struct NativeChannel {
    channel: Watched<Channel>,
    /// Of a pair, until it is taken.
    other: Option<OwnedFd>,
}

#[napi]
impl NativeChannel {
    fn new(channel: Channel, other: Option<OwnedFd>) -> NativeChannel {
        NativeChannel { channel: Watched::new(channel), other }
    }

    /// Connects at once: `ERR_NOT_FOUND` if nobody listens, `ERR_BUSY` if one has to try again.
    #[napi(factory)]
    pub fn connect(env: Env, path: String) -> Result<NativeChannel> {
        Channel::try_connect(Path::new(&path)).map(|channel| NativeChannel::new(channel, None)).or_throw(&env)
    }

    /// Makes a channel of an inherited descriptor, which stays the caller's.
    #[napi(factory)]
    pub fn from_descriptor(env: Env, fd: i32) -> Result<NativeChannel> {
        Channel::duplicate(fd).map(|channel| NativeChannel::new(channel, None)).or_throw(&env)
    }

    /// Two that are connected.
    #[napi(factory)]
    pub fn pair(env: Env) -> Result<NativeChannel> {
        Channel::pair().map(|(channel, other)| NativeChannel::new(channel, Some(other))).or_throw(&env)
    }

    /// The other end of a pair, once.
    #[napi]
    pub fn take_other(&mut self) -> Option<NativeDescriptor> {
        self.other.take().map(NativeDescriptor::new)
    }

    /// Who is at the other end.
    #[napi]
    pub fn peer(&self, env: Env) -> Result<NativePeer> {
        let peer = self.channel.get().map(|channel| channel.peer());
        peer.map(|peer| NativePeer { pid: peer.pid, uid: peer.uid, gid: peer.gid }).or_throw(&env)
    }

    /// Sends a message, if there is room for it.
    #[napi]
    pub fn try_send(&self, env: Env, parcel: &NativeParcel) -> Result<bool> {
        let descriptors: Vec<_> = parcel.descriptors.iter().map(AsFd::as_fd).collect();
        self.channel.get().and_then(|channel| channel.try_send(&parcel.bytes, &descriptors)).or_throw(&env)
    }

    /// Looks for a message.
    #[napi]
    pub fn try_receive(&self, env: Env) -> Result<Option<NativeMessage>> {
        let found = self.channel.get().and_then(|channel| channel.try_receive()).or_throw(&env)?;
        Ok(match found {
            Look::Message(message) => Some(NativeMessage { bytes: message.bytes, descriptors: message.descriptors, is_end: false }),
            Look::Nothing => None,
            Look::End => Some(NativeMessage { bytes: Vec::new(), descriptors: Vec::new(), is_end: true }),
        })
    }

    /// Starts the thread that waits. It sleeps until it is armed.
    #[napi]
    pub fn watch(&mut self, env: Env, callback: Function<'_, (), ()>) -> Result<()> {
        self.channel.watch(&env, &callback)
    }

    /// Calls back once, when something can be received (`writes`: sent).
    #[napi]
    pub fn arm(&mut self, writes: bool) {
        self.channel.arm(writes);
    }

    /// Closes it.
    #[napi]
    pub fn close(&mut self) {
        self.channel.close();
        self.other = None;
    }
}

/// Whom others connect to.
#[napi]
pub struct NativeListener {
    listener: Watched<Listener>,
}

#[napi]
impl NativeListener {
    /// Listens at a path.
    #[napi(factory)]
    pub fn listen(env: Env, path: String, mode: u32) -> Result<NativeListener> {
        let listener = Listener::bind(Path::new(&path), &ListenOptions { mode });
        listener.map(|listener| NativeListener { listener: Watched::new(listener) }).or_throw(&env)
    }

    /// Where it listens.
    #[napi]
    pub fn path(&self, env: Env) -> Result<String> {
        self.listener.get().map(|listener| listener.path().to_string_lossy().into_owned()).or_throw(&env)
    }

    /// Whoever waits to be accepted.
    #[napi]
    pub fn try_accept(&self, env: Env) -> Result<Option<NativeChannel>> {
        let accepted = self.listener.get().and_then(|listener| listener.try_accept()).or_throw(&env)?;
        Ok(accepted.map(|channel| NativeChannel::new(channel, None)))
    }

    /// Starts the thread that waits.
    #[napi]
    pub fn watch(&mut self, env: Env, callback: Function<'_, (), ()>) -> Result<()> {
        self.listener.watch(&env, &callback)
    }

    /// Calls back once, when somebody waits to be accepted.
    #[napi]
    pub fn arm(&mut self, writes: bool) {
        self.listener.arm(writes);
    }

    /// Closes it.
    #[napi]
    pub fn close(&mut self) {
        self.listener.close();
    }
}
