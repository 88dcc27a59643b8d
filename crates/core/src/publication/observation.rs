//! Reading without a pin: what read-only consumers do, and how anybody looks at the current value's header.

use super::reader::{ATTEMPTS, read_unpinned};
use super::state::State;
use super::words::{BufferHeader, Words};
use crate::error::{Code, Error, Result};
use crate::primitive::Ordering;

/// Why there is no value to be had now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blocked {
    /// A write is under way.
    Writing,
    /// Nothing was published yet.
    Empty,
    /// The publisher closed the publication.
    Closed,
    /// The name leads to another segment now.
    Replaced,
    /// The publisher died and left no whole value.
    Died,
}

/// A value, or why there is none.
pub type Outcome<T> = std::result::Result<T, Blocked>;

impl Blocked {
    /// What this state, which kept a reader out of one of `buffers`, says; an error if no publisher stores such a state.
    pub(crate) fn by(state: State, buffers: u32) -> Result<Blocked> {
        match state {
            state if !state.has(State::EMPTY) && state.index(buffers).is_none() => {
                Err(Error::new(Code::Corrupt, format!("the state ({state:?}) names none of {buffers} buffers")))
            }
            state if state.has(State::REPLACED) => Ok(Blocked::Replaced),
            state if state.has(State::CLOSED) => Ok(Blocked::Closed),
            state if state.has(State::EMPTY) && !state.has(State::WRITING) => Ok(Blocked::Empty),
            _ => Ok(Blocked::Writing), // or there is a value, and it kept changing
        }
    }

    /// The error of an operation that cannot wait any longer.
    /// The publisher is named by the process id it gave.
    pub fn error(self, what: &str, publisher: u32) -> Error {
        match self {
            Blocked::Writing => Error::new(Code::Timeout, format!("{what}, the publisher (pid {publisher}) is still writing")),
            Blocked::Empty => Error::new(Code::Empty, format!("{what}: nothing has been published yet")),
            Blocked::Closed => Error::new(Code::Closed, format!("{what}: the publisher closed the publication")),
            Blocked::Replaced => Error::new(Code::Replaced, format!("{what}: the name leads to another segment now")),
            Blocked::Died => {
                Error::new(Code::PublisherDied, format!("{what}: the publisher (pid {publisher}) died and left no whole value"))
            }
        }
    }
}

/// What is known of one value besides its bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Observation {
    /// Bytes of the value.
    pub byte_length: usize,
    /// 1 for the first value ever, then growing by 1.
    pub version: u64,
    /// CLOCK_MONOTONIC in nanoseconds when it was published.
    pub timestamp: u64,
}

impl Observation {
    /// Copies the header of a buffer that is pinned, or is looked at between two looks at its sequence.
    #[inline]
    pub(crate) fn of(buffer: &BufferHeader, capacity: u64) -> Result<Observation> {
        let length = buffer.length.load(Ordering::Relaxed);
        if length > capacity {
            return Err(Error::new(Code::Corrupt, format!("a value of {length} bytes where {capacity} fit")));
        }
        let (version, timestamp) = (buffer.version.load(Ordering::Relaxed), buffer.timestamp.load(Ordering::Relaxed));
        Ok(Observation { byte_length: length as usize, version, timestamp })
    }
}

/// Looks at the current value until one look is undisturbed. `copy` gets the buffer's index and what is known of it.
#[inline]
pub(crate) fn observe(
    words: &Words<'_>,
    blockers: u32,
    capacity: u64,
    mut copy: impl FnMut(u32, &Observation) -> Result<()>,
) -> Result<Outcome<Observation>> {
    let mut observation = Observation::default();
    for _ in 0..ATTEMPTS {
        let attempt = read_unpinned(words, blockers, |index, buffer| {
            observation = Observation::of(buffer, capacity)?;
            copy(index, &observation)
        });
        match attempt {
            Err(state) => return Blocked::by(state, words.buffers.len() as u32).map(Err),
            // an undisturbed look: a length out of bounds is the segment's fault
            Ok(Some(looked)) => return looked.map(|()| Ok(observation)),
            Ok(None) => std::hint::spin_loop(),
        }
    }
    Ok(Err(Blocked::Writing))
}
