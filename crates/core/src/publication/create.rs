//! Becoming the publisher: of a new segment, of one that a dead publisher left, or in the place of one.

use super::attachment::{Attachment, bytes_schema, publisher_pid};
use super::layout::{Layout, Shape};
use super::place::Place;
use super::state::State;
use super::writer::Writer;
use crate::error::{Code, Error, Result};
use crate::primitive::Ordering;
use crate::roster::{Byte, LockFile};
use crate::schema::Schema;
use crate::segment::{self, Found, Kind, Location, Name, NewHeader, Segment, Unnamed};
use crate::sys::{self, Identity};
use crate::wait::Futex;
use std::path::Path;
use std::time::Duration;

/// What to do about a segment of that name whose publisher is gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IfDead {
    /// Take it over when schema and size match and it is this user's own, so that consumers stay attached; else replace it.
    #[default]
    Adopt,
    /// Put a new segment in its place; consumers of the old one are told.
    Replace,
    /// [`Code::AlreadyExists`]
    Fail,
}

/// How a publication is made.
#[derive(Clone, Copy, Debug)]
pub struct CreateOptions<'a> {
    /// Most bytes of a value, buffers and consumers.
    pub shape: Shape,
    /// Permission bits, exactly these whatever the umask. Default `0o600`. Whoever they let write, only the same user takes the segment
    /// over in place; another one replaces it, if the directory lets him (in `/dev/shm` it does not: [`Code::Permission`]).
    pub mode: u32,
    /// Default [`IfDead::Adopt`].
    pub if_dead: IfDead,
    /// The first value; without it consumers find the publication empty.
    pub init: Option<&'a [u8]>,
    /// How long an adopted segment's readers are waited for when there is an `init`. Default 1 s.
    pub timeout: Duration,
}

impl Default for CreateOptions<'_> {
    fn default() -> Self {
        let timeout = super::DEFAULT_TIMEOUT;
        CreateOptions { shape: Shape::default(), mode: 0o600, if_dead: IfDead::Adopt, init: None, timeout }
    }
}

/// Names that change hands faster than this often are not being created but fought over.
const ATTEMPTS: u32 = 1000;

/// No publisher lives to count so far: a larger version is forged. TypeScript counts in doubles, and here it can still double.
const MAX_VERSION: u64 = 1 << 52;

/// The attachment, whether it was adopted, and the version to go on from.
type Created = (Attachment, bool, u64);

pub(super) fn create(at: &Location, schema: Option<&str>, options: &CreateOptions<'_>) -> Result<Created> {
    let bytes = bytes_schema(options.shape.capacity);
    let request = Request { at, schema: schema.unwrap_or(&bytes), options };
    request.check()?;
    match at {
        Location::Named(name) => request.take_name(name),
        Location::Memory(_) => request.make_nameless(),
        Location::Descriptor { .. } => request.take_over(),
    }
}

struct Request<'a> {
    at: &'a Location,
    schema: &'a str,
    options: &'a CreateOptions<'a>,
}

impl Request<'_> {
    fn check(&self) -> Result<()> {
        let at = self.at;
        let capacity = self.options.shape.capacity;
        if let Some(init) = self.options.init.filter(|init| init.len() as u64 > capacity) {
            return Err(Error::new(Code::InvalidSize, format!("create {at}: a first value of {} bytes where {capacity} fit", init.len())));
        }
        if self.options.mode & !0o777 != 0 || self.options.mode & 0o600 != 0o600 {
            let mode = self.options.mode;
            return Err(Error::new(Code::InvalidArgument, format!("create {at}: mode {mode:#o}, expected bits up to 0o777 with 0o600")));
        }
        if matches!(at, Location::Descriptor { .. }) && self.options.if_dead == IfDead::Replace {
            let fact = "nothing can take the place of a descriptor's file: adopt what is there, or make new memory";
            return Err(Error::new(Code::InvalidArgument, format!("create {at}: {fact}")));
        }
        self.check_schema()
    }

    /// A schema that consumers would refuse never gets into a segment.
    fn check_schema(&self) -> Result<()> {
        let capacity = self.options.shape.capacity;
        if self.schema == bytes_schema(capacity) {
            return Ok(());
        }
        let byte_length = Schema::parse(self.schema.as_bytes())?.byte_length;
        if byte_length as u64 != capacity {
            let message = format!("create {}: the schema says {byte_length} bytes, the size is {capacity}", self.at);
            return Err(Error::new(Code::InvalidSchema, message));
        }
        Ok(())
    }

    fn take_name(&self, name: &Name) -> Result<Created> {
        segment::sweep(name.directory(), &retire);
        for _ in 0..ATTEMPTS {
            if let Some(created) = self.attempt(name)? {
                return Ok(created);
            }
        }
        Err(Error::new(Code::AlreadyExists, format!("create {name}: the name changed hands {ATTEMPTS} times meanwhile")))
    }

    /// Nobody else can know it yet.
    fn make_nameless(&self) -> Result<Created> {
        let built = self.build()?;
        let (unnamed, locks) = built.ok_or_else(|| Error::new(Code::System, format!("create {}: somebody else has it", self.at)))?;
        self.created(unnamed.stay_nameless(self.at)?, locks)
    }

    /// What the publisher of a descriptor's file left; there is nothing to put in its place.
    fn take_over(&self) -> Result<Created> {
        let segment = Segment::open(self.at, false)?;
        let locks = LockFile::reopen(segment.file(), false)?;
        self.hold(&locks, || publisher_pid(&segment))?;
        self.check_permitted()?;
        let old = Attachment::with_locks(segment, locks)?;
        if !self.adoptable(&old) {
            old.check()?;
            let fact = "what is there is of another type or size, or another user's, and nothing can take its place";
            return Err(Error::new(Code::SchemaMismatch, format!("create {}: {fact}", self.at)));
        }
        let adopted = adopt(old, self.at, self.options.mode)?;
        adopted.ok_or_else(|| Error::new(Code::Truncated, format!("create {}: another process cut it short", self.at)))
    }

    /// `None`: the name changed hands meanwhile, look again.
    fn attempt(&self, name: &Name) -> Result<Option<Created>> {
        match Segment::find(name, false) {
            Ok(found) => self.succeed(name, found),
            Err(error) if error.code() == Code::NotFound => self.make(name),
            Err(error) => Err(error),
        }
    }

    /// Nothing has the name: a new segment gets it, unless somebody else's is faster.
    fn make(&self, name: &Name) -> Result<Option<Created>> {
        let Some((unnamed, locks)) = self.build()? else { return Ok(None) };
        let Ok(segment) = unnamed.publish(name)? else { return Ok(None) };
        Ok(Some(self.created(segment, locks)?))
    }

    /// A whole segment, its publisher's byte held, its first value in place, without a name. `None`: it was swept away before the byte was held.
    fn build(&self) -> Result<Option<(Unnamed, LockFile)>> {
        let layout = Layout::new(&self.options.shape, self.schema.len() as u64)?;
        let geometry = layout.to_geometry();
        let header = NewHeader { kind: Kind::Publication, segment_bytes: layout.segment_bytes, schema: self.schema, geometry };
        let unnamed = Segment::create(self.at, &header, self.options.mode)?;
        let segment = unnamed.segment()?;
        let locks = LockFile::reopen(segment.file(), false)?;
        if !locks.try_hold(Byte::Publisher)? || unnamed.is_swept()? {
            return Ok(None);
        }
        let words = Place::find(segment.mapping(), &layout)?.borrow(segment.mapping());
        // Relaxed, all of it: ordered before everything by the name that comes later
        words.control.epoch.store(1, Ordering::Relaxed);
        words.control.state.store(State::NEW.0, Ordering::Relaxed);
        words.control.publisher_pid.store(std::process::id(), Ordering::Relaxed);
        if let Some(init) = self.options.init {
            let buffer = &words.buffers[0];
            segment.mapping().copy_in(layout.value(0), init)?;
            buffer.length.store(init.len() as u64, Ordering::Relaxed);
            buffer.version.store(1, Ordering::Relaxed);
            buffer.timestamp.store(sys::monotonic_ns(), Ordering::Relaxed);
            words.control.state.store(State::NEW.next(1).0, Ordering::Relaxed);
        }
        Ok(Some((unnamed, locks)))
    }

    fn created(&self, segment: Segment, locks: LockFile) -> Result<Created> {
        let attachment = Attachment::with_locks(segment, locks)?;
        Ok((attachment, false, u64::from(self.options.init.is_some())))
    }

    /// Something has the name already.
    fn succeed(&self, name: &Name, found: Found) -> Result<Option<Created>> {
        match found {
            Found::Damaged(object, _) => {
                let locks = LockFile::reopen(object.file(), false)?;
                let (identity, _) = object.describe().map_err(|errno| Error::system(format_args!("create {name}"), "fstat", errno))?;
                if !self.hold(&locks, || None)? || sys::identify(name.path()) != Ok(identity) {
                    return Ok(None);
                }
                self.check_permitted()?;
                self.replace(name, identity, || {})
            }
            Found::Segment(segment) => {
                let locks = LockFile::reopen(segment.file(), false)?;
                // two candidates may hold descriptors of one dead segment; only while the name leads to it is it worth having
                if !self.hold(&locks, || publisher_pid(&segment))? || !segment.is_named(name) {
                    return Ok(None);
                }
                self.check_permitted()?;
                if Layout::from_header(segment.header()).is_err() {
                    return self.replace(name, segment.identity(), || {}); // with the byte still held: nobody else replaces it meanwhile
                }
                let old = Attachment::with_locks(*segment, locks)?;
                if self.adoptable(&old) {
                    adopt(old, self.at, self.options.mode)
                } else {
                    self.replace(name, old.segment.identity(), || retire(&old.segment))
                }
            }
        }
    }

    /// Takes the publisher's byte of what is there; an error if its publisher lives, who calls itself `pid`.
    fn hold(&self, locks: &LockFile, pid: impl FnOnce() -> Option<u32>) -> Result<bool> {
        match locks.hold(Byte::Publisher, format_args!("create {}", self.at))? {
            true => Ok(true),
            false => {
                let pid = pid().map(|pid| format!(" (pid {pid})")).unwrap_or_default();
                Err(Error::new(Code::PublisherExists, format!("create {}: its publisher{pid} lives", self.at)))
            }
        }
    }

    fn check_permitted(&self) -> Result<()> {
        if self.options.if_dead == IfDead::Fail {
            return Err(Error::new(Code::AlreadyExists, format!("create {}: a segment without a publisher is there", self.at)));
        }
        Ok(())
    }

    fn adoptable(&self, old: &Attachment) -> bool {
        let shape = &self.options.shape;
        self.options.if_dead == IfDead::Adopt
            && old.segment.is_own() // another user's: he may have it open, whatever its permission bits are from now on
            && old.segment.can_have_mode(self.options.mode)
            && old.segment.is_whole()
            && old.words().buffers.iter().all(|buffer| buffer.version.load(Ordering::Relaxed) <= MAX_VERSION)
            && old.layout.capacity == shape.capacity
            && shape.buffers.is_none_or(|buffers| buffers == old.layout.buffer_count)
            && shape.max_consumers.is_none_or(|slots| slots == old.layout.slot_count)
            && !old.state().has(State::REPLACED)
            && old.segment.schema_text().is_ok_and(|text| text == self.schema)
    }

    /// The new segment takes the name of `old` in one step; then those who are attached to the old one are told. Killed in between, the
    /// next creator tells them: until they know, the old one has a temporary name. The caller holds the old one's byte.
    fn replace(&self, name: &Name, old: Identity, tell: impl FnOnce()) -> Result<Option<Created>> {
        let Some((unnamed, locks)) = self.build()? else { return Ok(None) };
        match unnamed.replace(name, old)? {
            Ok((segment, _temporary)) => {
                tell();
                self.created(segment, locks).map(Some)
            }
            Err(unnamed) => {
                retire(unnamed.segment()?); // it had the name for an instant
                Ok(None)
            }
        }
    }
}

/// Removes the segments of a directory (`None`: the default one) that no publisher and no consumer holds, and what killed creators left.
/// Whoever attaches or reads without a slot meanwhile is told as if they had been replaced. Returns their names.
pub fn clean(directory: Option<&Path>) -> Result<Vec<String>> {
    segment::clean(directory, &retire)
}

/// Tells the consumers of a segment that no name leads to it any more.
fn retire(old: &Segment) {
    let Ok(layout) = Layout::from_header(old.header()) else { return };
    if let Ok(place) = Place::find(old.mapping(), &layout)
        && old.is_whole()
    {
        Writer { words: place.borrow(old.mapping()), park: Futex }.retire();
    }
}

/// Goes on with a dead or departed publisher's segment (docs/protocol.md R10). The byte is held, and the name, if it has one, still leads here.
/// `None`: it was cut short meanwhile, look again.
fn adopt(old: Attachment, at: &Location, mode: u32) -> Result<Option<Created>> {
    old.segment.set_mode(at, mode)?;
    let version = Writer { words: old.words(), park: Futex }.succeed(&old.locks)?;
    old.words().control.publisher_pid.store(std::process::id(), Ordering::Relaxed);
    old.segment.announce()?;
    Ok(old.segment.is_whole().then_some((old, true, version)))
}
