//! Publisher and consumer of a record's type, over those of bytes.

use super::create::CreateOptions;
use super::observation::{Blocked, Observation, Outcome};
use super::raw_consumer::RawConsumer;
use super::raw_publisher::RawPublisher;
use super::state::State;
use crate::error::{Code, Error, Result};
use crate::record::Record;
use crate::schema::{CopyPlan, Schema};
use crate::segment::{Location, Name};
use crate::wait::Patience;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

/// The one publisher of values of type `T`. Dropped, it closes the publication and takes its name away.
///
/// ```
/// pagecast::record! { pub struct Pose { field1: i32, field2: f64 } }
/// # fn main() -> pagecast::Result<()> {
/// let name = format!("doc-publisher-{}", std::process::id());
/// let mut pose = pagecast::Publisher::create(&name, &Pose { field1: 1, field2: 0.5 })?;
/// pose.write(&Pose { field1: 2, field2: 1.5 })?;
/// pose.update(|value| value.field2 = 3.0)?;
/// assert_eq!(pose.total_writes(), 3);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Publisher<T: Record> {
    raw: RawPublisher,
    scratch: Vec<u8>,
    timeout: Option<Duration>,
    record: PhantomData<T>,
}

impl<T: Record> Publisher<T> {
    /// Makes the publication `name` in the default directory with this first value.
    pub fn create(name: &str, init: &T) -> Result<Publisher<T>> {
        Publisher::create_with(&Name::new(name, None)?, Some(init), &CreateOptions::default())
    }

    /// Makes the publication with every choice; without `init` consumers find it empty until the first write.
    /// The options' `shape.capacity` and `init` are set from the type.
    ///
    /// It may also be in memory without a name, whose [`descriptor`](Self::descriptor) is then handed to whoever is to have it:
    ///
    /// ```
    /// # use pagecast::{Consumer, CreateOptions, Location, Publisher};
    /// # pagecast::record! { pub struct Pose { field1: i32, field2: f64 } }
    /// let options = CreateOptions::default();
    /// let pose = Publisher::create_with(Location::Memory("pose".into()), Some(&Pose { field1: 1, field2: 0.5 }), &options)?;
    /// let received = Location::descriptor(pose.descriptor().try_clone_to_owned().unwrap());
    /// assert_eq!(Consumer::<Pose>::open_at(received, false)?.read()?.field2, 0.5);
    /// # Ok::<(), pagecast::Error>(())
    /// ```
    pub fn create_with(at: impl Into<Location>, init: Option<&T>, options: &CreateOptions<'_>) -> Result<Publisher<T>> {
        Publisher::make(init, options, |schema, options| RawPublisher::create(at, Some(schema), options))
    }

    /// As [`create_with`](Self::create_with), as soon as no living publisher has the name: at once, or within some 5 ms after the one that
    /// has it closes or dies. Of several that stand by one becomes the publisher, the others go on waiting.
    ///
    /// Without `init` an adopted segment keeps its last value. [`Code::Timeout`] and [`Code::Aborted`] as the `patience` says; it may be
    /// a `Duration`.
    ///
    /// ```
    /// # use pagecast::{CreateOptions, Name, Publisher};
    /// # use std::time::Duration;
    /// # pagecast::record! { pub struct Pose { field1: i32, field2: f64 } }
    /// # fn main() -> pagecast::Result<()> {
    /// let name = Name::new(&format!("doc-standby-{}", std::process::id()), None)?;
    /// let first = Publisher::create_with(&name, Some(&Pose { field1: 1, field2: 0.5 }), &CreateOptions::default())?;
    /// let standing_by = name.clone();
    /// let second = std::thread::spawn(move || {
    ///     Publisher::<Pose>::standby(&standing_by, None, &CreateOptions::default(), Duration::from_secs(60))
    /// });
    /// first.abandon(); // as if its process had died
    /// let mut second = second.join().unwrap()?;
    /// second.update(|pose| pose.field2 = 3.0)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn standby<'a>(
        at: impl Into<Location>,
        init: Option<&T>,
        options: &CreateOptions<'_>,
        patience: impl Into<Patience<'a>>,
    ) -> Result<Publisher<T>> {
        Publisher::make(init, options, |schema, options| RawPublisher::standby(at, Some(schema), options, patience))
    }

    fn make(
        init: Option<&T>,
        options: &CreateOptions<'_>,
        raw: impl FnOnce(&str, &CreateOptions<'_>) -> Result<RawPublisher>,
    ) -> Result<Publisher<T>> {
        let mut scratch = vec![0; T::BYTE_LENGTH];
        if let Some(init) = init {
            init.store(&mut scratch);
        }
        let mut options = *options;
        options.shape.capacity = T::BYTE_LENGTH as u64;
        options.init = init.map(|_| scratch.as_slice());
        let raw = raw(&T::schema().to_json(), &options)?;
        let timeout = (raw.layout().buffer_count == 1).then_some(super::DEFAULT_TIMEOUT);
        Ok(Publisher { raw, scratch, timeout, record: PhantomData })
    }

    /// How long a write waits for readers that hold the buffer it needs. `None`: [`Code::Busy`] at once.
    /// Default 1 s with one buffer, `None` with more.
    pub fn set_timeout(&mut self, timeout: Option<Duration>) {
        self.timeout = timeout;
    }

    /// Publishes a value.
    pub fn write(&mut self, value: &T) -> Result<()> {
        value.store(&mut self.scratch);
        let index = self.raw.begin(self.timeout, false)?;
        let _ = index;
        self.raw.put(0, &self.scratch)?;
        self.raw.commit(T::BYTE_LENGTH)
    }

    /// Changes the current value and publishes the result. Nothing is published if `change` panics.
    /// [`Code::Empty`] if nothing was published yet, for then there is nothing to change.
    pub fn update(&mut self, change: impl FnOnce(&mut T)) -> Result<()> {
        let current = self.raw.state().index(self.raw.layout().buffer_count);
        self.raw.segment().check()?; // a state that is gone names no buffer either
        if current.is_none() {
            return Err(Error::new(Code::Empty, "update: nothing has been published yet; write a whole value first"));
        }
        let mut lock = self.write_lock()?;
        change(&mut lock);
        lock.publish()
    }

    /// Locks the value for writing; the guard starts from the current one, or from zeros, and publishes when it is dropped.
    pub fn write_lock(&mut self) -> Result<WriteGuard<'_, T>> {
        self.raw.begin(self.timeout, true)?;
        self.raw.get(0, &mut self.scratch)?;
        let value = T::load(&self.scratch);
        Ok(WriteGuard { publisher: self, value, done: false })
    }

    /// Values published so far, those of earlier publishers of this segment included.
    pub fn total_writes(&self) -> u64 {
        self.raw.total_writes()
    }

    /// The publisher without its type.
    pub fn raw(&self) -> &RawPublisher {
        &self.raw
    }

    /// The segment's file, for whoever is to have it: see [`Location`].
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.raw.segment().fd().as_fd()
    }

    /// Marks the publication as closed and wakes everybody; `keep` leaves the name for a successor.
    pub fn close(mut self, keep: bool) -> Result<()> {
        self.raw.close(keep)
    }

    /// Lets go of the publication as a dying process would: the name stays, the next publisher adopts it.
    pub fn abandon(self) {
        self.raw.abandon();
    }
}

/// The value while nobody else can have it. Dropped, it publishes; unwinding from a panic, it does not.
#[derive(Debug)]
pub struct WriteGuard<'a, T: Record> {
    publisher: &'a mut Publisher<T>,
    value: T,
    done: bool,
}

impl<T: Record> WriteGuard<'_, T> {
    /// Publishes, and reports what a drop could not.
    pub fn publish(mut self) -> Result<()> {
        self.finish()
    }

    /// Gives the value up: what was current stays current.
    pub fn abort(mut self) -> Result<()> {
        self.done = true;
        self.publisher.raw.abort()
    }

    fn finish(&mut self) -> Result<()> {
        self.done = true;
        self.value.store(&mut self.publisher.scratch);
        self.publisher.raw.put(0, &self.publisher.scratch)?;
        self.publisher.raw.commit(T::BYTE_LENGTH)
    }
}

impl<T: Record> Deref for WriteGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: Record> DerefMut for WriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T: Record> Drop for WriteGuard<'_, T> {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        let _ = if std::thread::panicking() { self.publisher.raw.abort() } else { self.finish() };
    }
}

/// A consumer of values of type `T`: its fields are found in the publisher's schema by name and type.
///
/// ```
/// # pagecast::record! { pub struct Pose { field1: i32, field2: f64 } }
/// # fn main() -> pagecast::Result<()> {
/// # let name = format!("doc-consumer-{}", std::process::id());
/// # let mut publisher = pagecast::Publisher::create(&name, &Pose { field1: 1, field2: 0.5 })?;
/// let mut pose = pagecast::Consumer::<Pose>::open(&name)?;
/// assert_eq!(pose.read()?.field1, 1);
/// assert!(!pose.has_changed()?);
/// publisher.write(&Pose { field1: 2, field2: 0.5 })?;
/// assert_eq!(pose.read_change()?.map(|value| value.field1), Some(2));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Consumer<T: Record> {
    raw: RawConsumer,
    /// The publisher's bytes of one value.
    theirs: Vec<u8>,
    /// The same value in this type's layout.
    ours: Vec<u8>,
    plan: CopyPlan,
    seen: u64,
    timeout: Duration,
    record: PhantomData<T>,
}

impl<T: Record> Consumer<T> {
    /// Attaches to the publication `name` in the default directory.
    pub fn open(name: &str) -> Result<Consumer<T>> {
        Consumer::over(RawConsumer::open(&Name::new(name, None)?, false)?)
    }

    /// Attaches without permission to write: it reads copies and can lock nobody out.
    pub fn open_read_only(name: &str) -> Result<Consumer<T>> {
        Consumer::over(RawConsumer::open(&Name::new(name, None)?, true)?)
    }

    /// Attaches to the publication of a name in any directory, or that a descriptor leads to; `read_only` as [`open_read_only`](Self::open_read_only).
    pub fn open_at(at: impl Into<Location>, read_only: bool) -> Result<Consumer<T>> {
        Consumer::over(RawConsumer::open(at, read_only)?)
    }

    /// The segment's file, for whoever is to have it: see [`Location`].
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.raw.segment().fd().as_fd()
    }

    /// Waits until the publication is there: as long as the `patience` says, which may be a `Duration`. Sleeps in the kernel, see inotify(7).
    pub fn wait_and_open<'a>(name: &str, patience: impl Into<Patience<'a>>) -> Result<Consumer<T>> {
        Consumer::over(RawConsumer::wait_and_open(&Name::new(name, None)?, false, patience)?)
    }

    /// Puts the type over a consumer of bytes.
    pub fn over(raw: RawConsumer) -> Result<Consumer<T>> {
        let bytes = || Error::new(Code::SchemaMismatch, "the publication holds bytes without a schema");
        let theirs = Schema::parse(raw.schema()?.ok_or_else(bytes)?.as_bytes())?;
        let plan = Schema::match_fields(&T::schema(), &theirs)?;
        let (theirs, ours) = (vec![0; theirs.byte_length], vec![0; T::BYTE_LENGTH]);
        Ok(Consumer { raw, theirs, ours, plan, seen: 0, timeout: super::DEFAULT_TIMEOUT, record: PhantomData })
    }

    /// How long a read waits for a write that is under way (one buffer). Default 1 s.
    pub fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    /// A copy of the current value.
    pub fn read(&mut self) -> Result<T> {
        let observation = self.copy(false)?;
        self.accept(&observation)
    }

    /// The value's bytes to `theirs`; with `last` also those of a publication that ended.
    fn copy(&mut self, last: bool) -> Result<Observation> {
        if self.raw.slot().is_none() {
            return self.copy_unpinned(last);
        }
        let pinned = self.raw.lock_before(self.timeout, last)?;
        let copied = self.raw.get(0, &mut self.theirs);
        self.raw.unlock();
        copied.map(|()| pinned.observation)
    }

    fn copy_unpinned(&mut self, last: bool) -> Result<Observation> {
        let mut outcome = self.raw.copy(&mut self.theirs, last)?;
        if outcome == Err(Blocked::Writing) {
            outcome = self.raw.copy_within(&mut self.theirs, self.timeout, last)?;
        }
        outcome.map_err(|blocked| blocked.error("read", self.raw.publisher_pid()))
    }

    /// Takes a value that is in `theirs` now.
    fn accept(&mut self, observation: &Observation) -> Result<T> {
        if observation.byte_length != self.theirs.len() {
            let (found, expected) = (observation.byte_length, self.theirs.len());
            return Err(Error::new(Code::Corrupt, format!("a value of {found} bytes where the schema says {expected}")));
        }
        self.seen = observation.version;
        if self.plan.is_identity() {
            return Ok(T::load(&self.theirs));
        }
        self.plan.apply(&self.theirs, &mut self.ours);
        Ok(T::load(&self.ours))
    }

    /// Holds the current value: with one buffer the publisher waits until the guard is dropped, with more it writes elsewhere.
    pub fn read_lock(&mut self) -> Result<ReadGuard<'_, T>> {
        let pinned = self.raw.lock(self.timeout)?;
        let copied = self.raw.get(0, &mut self.theirs).and_then(|()| self.accept(&pinned.observation));
        match copied {
            Ok(value) => Ok(ReadGuard { consumer: self, value, version: pinned.observation.version }),
            Err(error) => {
                self.raw.unlock();
                Err(error)
            }
        }
    }

    /// The current value if it is newer than the last one read. The last value of a publication that was closed or replaced still comes;
    /// after that, [`Code::Closed`] or [`Code::Replaced`].
    pub fn read_change(&mut self) -> Result<Option<T>> {
        let state = self.raw.state(); // before the look for a value: nothing comes after the end
        if self.has_changed()?
            && let Some(value) = self.read_newer()?
        {
            return Ok(Some(value));
        }
        if !state.has(State::ENDED) {
            return Ok(None);
        }
        Err(Blocked::by(state, self.raw.layout().buffer_count)?.error("read_change", self.raw.publisher_pid()))
    }

    fn read_newer(&mut self) -> Result<Option<T>> {
        match self.copy(true) {
            Ok(observation) if observation.version > self.seen => self.accept(&observation).map(Some),
            Err(error) if error.code() != Code::Empty => Err(error),
            _ => Ok(None), // there is none any more
        }
    }

    /// Whether [`read_change`](Self::read_change) has something: a value newer than the last one read.
    pub fn has_changed(&self) -> Result<bool> {
        let version = match self.look()? {
            Ok(observation) => observation.version,
            Err(Blocked::Writing) => self.raw.last()?.version,
            Err(_) => 0,
        };
        Ok(version > self.seen)
    }

    /// Values published so far; 0 when there is none.
    pub fn total_writes(&self) -> Result<u64> {
        Ok(self.look()?.or_else(|_| self.raw.last())?.version)
    }

    /// Since when the current value has been current; `None` when there is none.
    pub fn staleness(&self) -> Result<Option<Duration>> {
        let observation = match self.look()? {
            Err(Blocked::Writing) => Ok(self.raw.last()?),
            outcome => outcome,
        };
        let now = crate::sys::monotonic_ns();
        Ok(observation.ok().map(|observation| Duration::from_nanos(now.saturating_sub(observation.timestamp))))
    }

    fn look(&self) -> Result<Outcome<Observation>> {
        self.raw.peek()
    }

    /// Sleeps until there is a newer value, and reads it as [`read_change`](Self::read_change) does. `None` when `timeout` is over.
    pub fn wait_for_change(&mut self, timeout: Duration) -> Result<Option<T>> {
        let deadline = crate::wait::Deadline::after(timeout);
        let watcher = self.raw.watcher();
        for sleeps in 0.. {
            let seen = self.raw.state(); // before the look
            if let Some(value) = self.read_change()? {
                return Ok(Some(value));
            }
            let Some(slice) = deadline.slice(Duration::from_millis(50)) else { break };
            watcher.sleep(seen, slice, sleeps)?;
        }
        Ok(None)
    }

    /// The consumer without its type.
    pub fn raw(&self) -> &RawConsumer {
        &self.raw
    }
}

/// A copy of the value, and the promise that the original does not change as long as this lives.
#[derive(Debug)]
pub struct ReadGuard<'a, T: Record> {
    consumer: &'a mut Consumer<T>,
    value: T,
    version: u64,
}

impl<T: Record> ReadGuard<'_, T> {
    /// The value's number: 1 for the first ever.
    pub fn version(&self) -> u64 {
        self.version
    }
}

impl<T: Record> Deref for ReadGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: Record> Drop for ReadGuard<'_, T> {
    fn drop(&mut self) {
        self.consumer.raw.unlock();
    }
}
