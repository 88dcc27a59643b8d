//! What publisher and consumer have in common: an open segment, its layout, its words, and a description to lock with.

use super::layout::Layout;
use super::observation::{Observation, Outcome, observe};
use super::place::Place;
use super::state::State;
use super::words::Words;
use crate::error::{Code, Error, Result};
use crate::primitive::Ordering;
use crate::roster::{Byte, LockFile};
use crate::schema::Schema;
use crate::segment::{Kind, Segment};
use crate::wait::{Futex, Park, Woken};
use std::time::Duration;

/// A publication that this process has open. Its mapping is its own: it stays valid whatever becomes of other mappings of the segment.
#[derive(Debug)]
pub(crate) struct Attachment {
    pub segment: Segment,
    pub layout: Layout,
    pub locks: LockFile,
    place: Place,
}

impl Attachment {
    pub fn new(segment: Segment, read_only: bool) -> Result<Attachment> {
        let locks = LockFile::reopen(segment.file(), read_only)?;
        Attachment::with_locks(segment, locks)
    }

    pub fn with_locks(segment: Segment, locks: LockFile) -> Result<Attachment> {
        let Kind::Publication = segment.header().kind;
        let layout = Layout::from_header(segment.header())?;
        let place = Place::find(segment.mapping(), &layout)?;
        Ok(Attachment { segment, layout, locks, place })
    }

    /// [`Code::Disposed`] in a forked child of the process that it belongs to: there its words are the parent's.
    #[inline]
    pub fn check_own(&self, operation: &str) -> Result<()> {
        if self.locks.is_inherited() { Err(inherited(operation)) } else { Ok(()) }
    }

    #[inline]
    pub fn words(&self) -> Words<'_> {
        self.place.borrow(self.segment.mapping())
    }

    /// See [`Segment::check`].
    #[inline]
    pub fn check(&self) -> Result<()> {
        self.segment.check()
    }

    /// The state word now.
    pub fn state(&self) -> State {
        self.words().state()
    }

    /// Asks the kernel whether another process, or another object of this one, is the publisher.
    pub fn publisher_alive(&self) -> Result<bool> {
        self.locks.is_held(Byte::Publisher)
    }

    /// Length, version and time of the current value, without a pin and without its bytes.
    pub fn peek(&self) -> Result<Outcome<Observation>> {
        let outcome = observe(&self.words(), State::NO_VALUE, self.layout.capacity, |_, _| Ok(()));
        self.check().and(outcome)
    }

    /// What the last value's header says, also while there is none to be had; all 0 if there never was one.
    pub fn last(&self) -> Result<Observation> {
        let look = |buffer| Observation::of(buffer, self.layout.capacity).unwrap_or_default();
        let last = self.words().buffers.iter().map(look).max_by_key(|observation| observation.version).unwrap_or_default();
        self.check().map(|()| last)
    }

    /// Wakes everybody who sleeps until the state changes.
    pub fn wake(&self) {
        Futex.wake_all(&self.words().control.state);
    }

    /// Sleeps until the state is no longer `seen`, at most `bound`. Needs permission to write: it says that it sleeps.
    pub fn sleep(&self, seen: State, bound: Duration) -> Woken {
        super::reader::sleep(&self.words(), &Futex, seen, bound)
    }

    /// The schema's text; `None` for a publication of bytes.
    pub fn schema(&self) -> Result<Option<String>> {
        let text = self.segment.schema_text()?;
        if text == bytes_schema(self.layout.capacity) {
            return Ok(None);
        }
        let schema = Schema::parse(text.as_bytes())?;
        if schema.byte_length as u64 != self.layout.capacity {
            let (schema, capacity) = (schema.byte_length, self.layout.capacity);
            return Err(Error::new(Code::Corrupt, format!("the schema says {schema} bytes, the header {capacity}")));
        }
        Ok(Some(text))
    }
}

#[cold]
fn inherited(operation: &str) -> Error {
    Error::new(Code::Disposed, format!("{operation}: made by the process that forked this one; open or create it here"))
}

/// The process id that a segment's publisher gave, for display; `None` where the segment is not what it says.
pub(super) fn publisher_pid(segment: &Segment) -> Option<u32> {
    let layout = Layout::from_header(segment.header()).ok().filter(|_| segment.is_whole())?;
    let place = Place::find(segment.mapping(), &layout).ok()?;
    Some(place.borrow(segment.mapping()).control.publisher_pid.load(Ordering::Relaxed))
}

/// What stands for the schema where there is none.
pub(crate) fn bytes_schema(capacity: u64) -> String {
    format!("{{\"bytes\":{capacity}}}")
}
