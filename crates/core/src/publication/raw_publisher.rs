//! The publisher of a value that is bytes. [`super::Publisher`] puts a record's type over it.

use super::attachment::{Attachment, bytes_schema};
use super::create::{self, CreateOptions};
use super::layout::{Layout, Shape};
use super::observation::{Observation, Outcome};
use super::standby::{STANDBY_INTERVAL, Standby};
use super::state::State;
use super::words::BufferHeader;
use super::writer::Writer;
use crate::error::{Code, Error, Result};
use crate::primitive::Ordering;
use crate::roster::{Byte, Holder};
use crate::segment::{Location, Segment};
use crate::sys;
use crate::wait::{Deadline, Futex, Patience, spin};
use std::time::Duration;

/// How often a publisher that waits for readers asks the kernel whether they live: nobody is woken by a death.
const ASK: Duration = Duration::from_millis(5);

/// How long a publisher with one buffer holds back for readers that wait for the lock.
const GRACE: Duration = Duration::from_millis(1);

/// How often, at the most, the publisher asks whether observers sleep.
const OBSERVERS_PROBE_NS: u64 = 10_000_000;

/// What a write that was begun will become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Idle,
    /// One buffer: readers are kept out, some are still inside.
    Waiting,
    /// This buffer is the publisher's alone.
    Writing(u32),
}

/// The one publisher of a publication. Dropped, it closes it; see [`RawPublisher::abandon`].
#[derive(Debug)]
pub struct RawPublisher {
    attachment: Attachment,
    at: Location,
    adopted: bool,
    phase: Phase,
    version: u64,
    graced: Vec<u32>,
    /// One buffer: the value from before the write, so that it can be put back.
    backup: Option<Vec<u8>>,
    observers: Probe,
    open: bool,
}

/// Whether observers sleep, as of the last time the kernel was asked.
#[derive(Debug, Default)]
struct Probe {
    asked_ns: u64,
    present: bool,
}

impl RawPublisher {
    /// Makes the publication, or takes over what a publisher that is gone left. See [`CreateOptions`]. [`Code::PublisherExists`] while one
    /// lives, [`Code::LockObstructed`] while a process that is not attached holds a read lock where the publisher's would be.
    ///
    /// `schema` is the text that travels with the data, `None` for bytes.
    pub fn create(at: impl Into<Location>, schema: Option<&str>, options: &CreateOptions<'_>) -> Result<RawPublisher> {
        let mut publisher = RawPublisher::create_or_adopt(at, schema, options)?;
        if let (true, Some(value)) = (publisher.adopted, options.init) {
            let written = publisher.write(value, Some(options.timeout));
            if let Err(error) = written {
                publisher.abandon(); // what was adopted is left to the next, not closed
                return Err(error);
            }
        }
        Ok(publisher)
    }

    /// How long a segment of this shape is.
    pub fn segment_bytes(schema: Option<&str>, shape: &Shape) -> Result<u64> {
        let schema_bytes = schema.map_or_else(|| bytes_schema(shape.capacity).len(), str::len);
        Ok(Layout::new(shape, schema_bytes as u64)?.segment_bytes)
    }

    /// As [`create`](Self::create), but what was adopted keeps its value: `init` is for a new segment only.
    pub fn create_or_adopt(at: impl Into<Location>, schema: Option<&str>, options: &CreateOptions<'_>) -> Result<RawPublisher> {
        let at = at.into();
        let (attachment, adopted, version) = create::create(&at, schema, options)?;
        let graced = vec![0; attachment.layout.slot_count as usize];
        let observers = Probe::default();
        Ok(RawPublisher { attachment, at, adopted, phase: Phase::Idle, version, graced, backup: None, observers, open: true })
    }

    /// As [`create`](Self::create), as soon as no living publisher has the name: at once, or within some 5 ms after the one that has it closes
    /// or dies. Of several that stand by one becomes the publisher, the others go on waiting. So does one that is kept out by a
    /// stranger's read lock ([`Code::LockObstructed`] from [`create`](Self::create)).
    pub fn standby<'a>(
        at: impl Into<Location>,
        schema: Option<&str>,
        options: &CreateOptions<'_>,
        patience: impl Into<Patience<'a>>,
    ) -> Result<RawPublisher> {
        let at = at.into();
        let (mut standby, wait) = (Standby::new(&at), patience.into().begin());
        loop {
            let mut obstruction = None;
            if standby.is_vacant() {
                match RawPublisher::create(&at, schema, options) {
                    Err(error) if error.code() == Code::PublisherExists => {} // somebody was faster
                    Err(error) if error.code() == Code::LockObstructed => obstruction = Some(error), // for as long as the stranger likes
                    created => return created,
                }
            }
            let waited_for = || obstruction.map_or_else(|| standby.waited_for(), |error| error.message().to_owned());
            let slice = wait.slice(format_args!("standby {at}"), STANDBY_INTERVAL, waited_for)?;
            std::thread::sleep(slice);
        }
    }

    /// Whether an existing segment was taken over, with the consumers that are attached to it.
    pub fn adopted(&self) -> bool {
        self.adopted
    }

    /// Where everything is.
    pub fn layout(&self) -> &Layout {
        &self.attachment.layout
    }

    /// The segment.
    pub fn segment(&self) -> &Segment {
        &self.attachment.segment
    }

    /// The state word now.
    pub fn state(&self) -> State {
        self.attachment.state()
    }

    /// How many publishers this segment has had.
    pub fn epoch(&self) -> u32 {
        self.attachment.words().control.epoch.load(Ordering::Relaxed)
    }

    /// Values published so far, those of earlier publishers of this segment included.
    pub fn total_writes(&self) -> u64 {
        self.version
    }

    /// Length, version and time of the current value.
    pub fn peek(&self) -> Result<Outcome<Observation>> {
        self.attachment.peek()
    }

    /// What is known of the last value, also while there is none to be had; all 0 if there never was one.
    pub fn last(&self) -> Result<Observation> {
        self.attachment.last()
    }

    /// Consumers that hold a buffer now.
    pub fn holders(&self) -> Vec<Holder> {
        Holder::all(&self.attachment.words(), |slot| slot.pin.load(Ordering::Relaxed) != 0)
    }

    #[inline]
    fn writer(&self) -> Writer<'_, Futex> {
        Writer { words: self.attachment.words(), park: Futex }
    }

    fn buffer(&self, index: u32) -> &BufferHeader {
        &self.attachment.words().buffers[index as usize]
    }

    /// Publishes these bytes. Without a `timeout` a publisher with several buffers never waits: [`Code::Busy`].
    pub fn write(&mut self, value: &[u8], timeout: Option<Duration>) -> Result<()> {
        self.check_length(value.len())?;
        let index = self.begin(timeout, false)?;
        self.attachment.segment.mapping().copy_in(self.attachment.layout.value(index), value)?;
        self.commit(value.len())
    }

    fn check_length(&self, byte_length: usize) -> Result<()> {
        let capacity = self.attachment.layout.capacity;
        if byte_length as u64 <= capacity {
            return Ok(());
        }
        Err(Error::new(Code::InvalidSize, format!("write {}: {byte_length} bytes where {capacity} fit", self.at)))
    }

    /// Begins a write and returns the index of the buffer that is the caller's until [`commit`](Self::commit) or
    /// [`abort`](Self::abort). With `copy` it begins as a copy of the current value.
    pub fn begin(&mut self, timeout: Option<Duration>, copy: bool) -> Result<u32> {
        if let Some(index) = self.try_begin(copy)? {
            return Ok(index);
        }
        let begun = match timeout {
            None => self.begin_at_once(copy),
            Some(timeout) => self.begin_before(timeout, copy),
        };
        if begun.is_err() {
            self.cancel(); // readers may come in again
        }
        begun
    }

    fn begin_before(&mut self, timeout: Duration, copy: bool) -> Result<u32> {
        let begun = self.begin_within(timeout, copy)?;
        begun.ok_or_else(|| self.refusal(Code::Timeout, format_args!("write {}: {timeout:?} are over", self.at)))
    }

    /// A caller that does not wait gets back what the dead hold, and no more.
    fn begin_at_once(&mut self, copy: bool) -> Result<u32> {
        if self.recover_dead()? > 0
            && let Some(index) = self.try_begin(copy)?
        {
            return Ok(index);
        }
        Err(self.refusal(Code::Busy, format_args!("write {}: every buffer is pinned", self.at)))
    }

    fn refusal(&self, code: Code, what: std::fmt::Arguments<'_>) -> Error {
        let named = |holders: Vec<Holder>| Error::new(code, format!("{what}, {}", Holder::list(&holders)));
        self.blockers().map_or_else(|obstruction| obstruction, named)
    }

    /// The [`holders`](Self::holders) that a write waits for; [`Code::LockObstructed`] if one of them is gone, and a process that is not
    /// attached keeps its pin from being taken back, by a read lock.
    pub fn blockers(&self) -> Result<Vec<Holder>> {
        let holders = self.holders();
        for holder in &holders {
            let byte = Byte::Slot(holder.slot);
            if self.attachment.locks.is_obstructed(byte)? {
                let at = &self.at;
                let fact = format_args!("{holder} is gone, but a process that is not attached holds a read lock (fcntl) on {byte}");
                return Err(Error::new(Code::LockObstructed, format!("write {at}: {fact}")));
            }
        }
        Ok(holders)
    }

    /// One attempt that does not wait.
    #[inline]
    pub fn try_begin(&mut self, copy: bool) -> Result<Option<u32>> {
        match self.try_acquire()? {
            Some(index) => self.start(index, copy).map(Some),
            None => Ok(None),
        }
    }

    /// Goes on with an attempt that found no free buffer, sleeping at most `slice`; then [`cancel`](Self::cancel) or come again.
    pub fn begin_within(&mut self, slice: Duration, copy: bool) -> Result<Option<u32>> {
        match self.acquire_within(slice)? {
            Some(index) => self.start(index, copy).map(Some),
            None => Ok(None),
        }
    }

    /// As [`begin_within`](Self::begin_within) for a caller that takes the steps of the write itself, on a mapping of its own.
    pub fn hand_over_within(&mut self, slice: Duration) -> Result<Option<u32>> {
        let index = self.acquire_within(slice)?;
        if index.is_some() {
            self.phase = Phase::Idle;
        }
        Ok(index)
    }

    #[inline]
    fn try_acquire(&mut self) -> Result<Option<u32>> {
        self.check_idle()?;
        if self.attachment.layout.buffer_count == 1 && self.phase == Phase::Idle {
            let mut graced = std::mem::take(&mut self.graced);
            if !self.state().has(State::WRITING) {
                self.writer().grant_grace(&mut graced, GRACE); // once they are kept out there is nothing to grant
            }
            self.graced = graced;
            self.writer().shut_out_readers();
            self.phase = Phase::Waiting;
        }
        Ok(self.writer().choose())
    }

    fn acquire_within(&mut self, slice: Duration) -> Result<Option<u32>> {
        if let Some(index) = self.try_acquire()? {
            return Ok(Some(index));
        }
        if let Some(index) = spin(|| self.writer().choose()) {
            return Ok(Some(index)); // whoever reads is seldom longer at it than falling asleep takes
        }
        let deadline = Deadline::after(slice);
        loop {
            self.attachment.check()?;
            self.recover_dead()?;
            let left = deadline.slice(ASK);
            let found = self.writer().wait_for_buffer(left.unwrap_or_default());
            if found.is_some() || left.is_none() {
                return Ok(found);
            }
        }
    }

    /// Wakes everybody who sleeps until the state changes.
    pub fn wake_consumers(&self) {
        self.attachment.wake();
    }

    /// Asks the kernel whether observers may be asleep, who cannot say so in the segment.
    pub fn observers_present(&self) -> bool {
        self.attachment.locks.is_locked(Byte::Observers).unwrap_or(true)
    }

    /// Ends an attempt that found no free buffer: readers may come in again.
    pub fn cancel(&mut self) {
        if self.phase == Phase::Waiting && !self.attachment.locks.is_inherited() {
            self.phase = Phase::Idle;
            let writer = self.writer();
            writer.publish(writer.state().meaning() & !State::WRITING, self.observers.present);
        }
    }

    fn check_idle(&self) -> Result<()> {
        if !self.open {
            return Err(Error::new(Code::Disposed, format!("write {}: this publisher is closed", self.at)));
        }
        self.attachment.check_own("write")?;
        match self.phase {
            Phase::Writing(_) => Err(Error::new(Code::AlreadyLocked, format!("write {}: a write lock is held already", self.at))),
            Phase::Idle | Phase::Waiting => self.attachment.check(),
        }
    }

    #[inline]
    fn start(&mut self, index: u32, copy: bool) -> Result<u32> {
        if copy && let Err(error) = self.copy_current(index) {
            self.cancel(); // readers may come in again
            return Err(error);
        }
        self.phase = Phase::Writing(index);
        self.writer().begin(self.buffer(index));
        Ok(index)
    }

    /// Several buffers: the current value into the new buffer. One buffer: into private memory, for [`abort`](Self::abort).
    fn copy_current(&mut self, index: u32) -> Result<()> {
        let layout = self.attachment.layout;
        let Some(current) = self.state().index(layout.buffer_count) else { return self.clear(index) };
        let length = Observation::of(self.buffer(current), layout.capacity)?.byte_length;
        let mapping = self.attachment.segment.mapping();
        if current != index {
            self.writer().begin(self.buffer(index));
            return mapping.copy_within(layout.value(current), layout.value(index), length);
        }
        let mut backup = self.backup.take().unwrap_or_default();
        backup.resize(length, 0);
        mapping.copy_out(layout.value(index), &mut backup)?;
        self.backup = Some(backup);
        Ok(())
    }

    /// Where nothing was published yet, a copy of it is zeros, not what an earlier write left.
    fn clear(&self, index: u32) -> Result<()> {
        let layout = self.attachment.layout;
        self.writer().begin(self.buffer(index));
        self.attachment.segment.mapping().copy_in(layout.value(index), &vec![0; layout.capacity as usize])
    }

    /// Publishes the buffer that [`begin`](Self::begin) gave out.
    #[inline]
    pub fn commit(&mut self, byte_length: usize) -> Result<()> {
        let Phase::Writing(index) = self.phase else {
            return Err(Error::new(Code::InvalidArgument, format!("publish {}: no write was begun", self.at)));
        };
        self.check_length(byte_length)?;
        self.attachment.check_own("publish")?;
        let now = sys::monotonic_ns();
        self.probe_observers(now);
        let (buffer, writer) = (self.buffer(index), self.writer());
        let version = self.version.wrapping_add(1).max(1); // the one it goes on from may be forged
        buffer.length.store(byte_length as u64, Ordering::Relaxed);
        buffer.version.store(version, Ordering::Relaxed);
        buffer.timestamp.store(now, Ordering::Relaxed);
        writer.end(buffer);
        let whole = self.attachment.check(); // of a value that went to pages which are gone nobody is told
        if whole.is_ok() {
            writer.publish(index + 1, self.observers.present);
            self.version = version;
        }
        self.backup = None;
        self.phase = Phase::Idle;
        whole
    }

    /// Ends a write without publishing. With one buffer the value from before comes back, if `begin` was told to copy; else there is none.
    pub fn abort(&mut self) -> Result<()> {
        self.attachment.check_own("abort")?;
        self.cancel();
        let Phase::Writing(index) = self.phase else { return Ok(()) };
        self.phase = Phase::Idle;
        let restored = self.put_back(index);
        if self.attachment.layout.buffer_count == 1 {
            let whole = matches!(restored, Ok(true)) && self.state().index(1).is_some();
            self.writer().give_up(whole, self.observers.present);
        }
        restored.map(drop)
    }

    fn put_back(&mut self, index: u32) -> Result<bool> {
        let Some(backup) = self.backup.take() else { return Ok(false) };
        self.attachment.segment.mapping().copy_in(self.attachment.layout.value(index), &backup)?;
        Ok(true)
    }

    fn probe_observers(&mut self, now: u64) {
        if now.wrapping_sub(self.observers.asked_ns) >= OBSERVERS_PROBE_NS {
            self.observers = Probe { asked_ns: now, present: self.observers_present() };
        }
    }

    /// Takes back the pins of consumers that the kernel no longer knows. Returns how many there were.
    pub fn recover_dead(&self) -> Result<u32> {
        self.attachment.check_own("write")?;
        self.writer().recover_dead(&self.attachment.locks)
    }

    /// Copies bytes into the buffer that [`begin`](Self::begin) gave out.
    pub fn put(&mut self, byte_offset: u64, bytes: &[u8]) -> Result<()> {
        let at = self.place(byte_offset, bytes.len())?;
        self.attachment.segment.mapping().copy_in(at, bytes)
    }

    /// Copies bytes out of the buffer that [`begin`](Self::begin) gave out.
    pub fn get(&self, byte_offset: u64, target: &mut [u8]) -> Result<()> {
        let at = self.place(byte_offset, target.len())?;
        self.attachment.segment.mapping().copy_out(at, target)?;
        self.attachment.check()
    }

    fn place(&self, byte_offset: u64, byte_length: usize) -> Result<u64> {
        self.attachment.check_own("write")?;
        let Phase::Writing(index) = self.phase else {
            return Err(Error::new(Code::InvalidArgument, format!("write {}: no write was begun", self.at)));
        };
        let layout = self.attachment.layout;
        match byte_offset.checked_add(byte_length as u64) {
            Some(end) if end <= layout.capacity => Ok(layout.value(index) + byte_offset),
            _ => Err(Error::new(Code::InvalidSize, format!("bytes {byte_offset} + {byte_length} of a value of {}", layout.capacity))),
        }
    }

    /// Marks the publication as closed, wakes everybody, and takes its name away, if it has one, unless told to `keep` it for a successor.
    pub fn close(&mut self, keep: bool) -> Result<()> {
        if !self.open {
            return Ok(());
        }
        self.attachment.check_own("close")?;
        let aborted = self.abort();
        self.open = false;
        let writer = self.writer();
        writer.publish(writer.state().meaning() | State::CLOSED, true);
        let name = self.at.name().filter(|name| !keep && self.attachment.segment.is_named(name));
        let unlinked = name.map_or(Ok(()), |name| sys::remove_object(name.path()));
        self.attachment.locks.release(Byte::Publisher)?;
        unlinked.map_err(|errno| Error::system(format_args!("close {}", self.at), "unlink", errno))?;
        aborted
    }

    /// Lets go of the publication as a dying process would: the name stays, the next publisher adopts it.
    pub fn abandon(mut self) {
        self.open = false;
    }
}

impl Drop for RawPublisher {
    fn drop(&mut self) {
        let _ = self.close(false);
    }
}
