//! A consumer of a value that is bytes. [`super::Consumer`] puts a record's type over it.

use super::attachment::Attachment;
use super::layout::Layout;
use super::observation::{Blocked, Observation, Outcome, observe};
use super::reader::{ATTEMPTS, Reader, wake_writer};
use super::state::State;
use crate::error::{Code, Error, Result};
use crate::primitive::Ordering;
use crate::roster::{Byte, Holder};
use crate::segment::{Location, Name, Segment};
use crate::sys::DirectoryWatch;
use crate::wait::{Deadline, Futex, Patience, spin};
use nix::errno::Errno;
use std::sync::Arc;
use std::time::Duration;

/// How long one sleep may last before the kernel is asked who lives.
const SLICE: Duration = Duration::from_millis(50);

/// How often a name that is waited for is looked at though the directory told of nothing.
const LOOK: Duration = Duration::from_secs(1);

/// One of the consumers of a publication. Dropped, it detaches.
#[derive(Debug)]
pub struct RawConsumer {
    attachment: Arc<Attachment>,
    /// `None` for a read-only consumer: it has no slot and can hold nothing.
    slot: Option<u32>,
    pinned: Option<u32>,
    /// How often it has slept for the lock.
    grace: u32,
}

/// A value that is pinned: it does not change until [`RawConsumer::unlock`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pinned {
    /// Which buffer it is in.
    pub index: u32,
    /// What is known of it.
    pub observation: Observation,
}

impl RawConsumer {
    /// Attaches to the publication of that name, or that a descriptor leads to. `read_only` needs no permission to write, and can hold no lock.
    /// [`Code::TooManyConsumers`] if each slot has a living consumer, [`Code::LockObstructed`] if one of them has instead a read lock of
    /// a process that is not attached.
    pub fn open(at: impl Into<Location>, read_only: bool) -> Result<RawConsumer> {
        let at = at.into();
        let attachment = Attachment::new(Segment::open(&at, read_only)?, read_only)?;
        let slot = if read_only { None } else { Some(attach(&at, &attachment)?) };
        Ok(RawConsumer { attachment: Arc::new(attachment), slot, pinned: None, grace: 0 })
    }

    /// Waits until there is a publication of that name that is not closed, then attaches to it, or fails, as [`open`](Self::open).
    pub fn wait_and_open<'a>(name: &Name, read_only: bool, patience: impl Into<Patience<'a>>) -> Result<RawConsumer> {
        let wait = patience.into().begin();
        let failed = |errno| watch_error(name, errno);
        let watch = DirectoryWatch::new(name.directory()).map_err(failed)?; // before the first look, so that nothing is missed
        loop {
            match RawConsumer::open(name, read_only) {
                Ok(consumer) if !consumer.state().has(State::ENDED) => return Ok(consumer),
                Ok(_) => {}
                Err(error) if error.code() == Code::NotFound => {}
                Err(error) => return Err(error),
            }
            let slice = wait.slice(format_args!("wait for {name}"), LOOK, || "no publication of that name came")?;
            watch.wait(slice).map_err(failed)?;
        }
    }

    /// Where everything is.
    pub fn layout(&self) -> &Layout {
        &self.attachment.layout
    }

    /// The segment.
    pub fn segment(&self) -> &Segment {
        &self.attachment.segment
    }

    /// The schema's text, checked; `None` for a publication of bytes.
    pub fn schema(&self) -> Result<Option<String>> {
        self.attachment.schema()
    }

    /// The slot this consumer holds; `None` when read-only.
    pub fn slot(&self) -> Option<u32> {
        self.slot
    }

    /// The state word now.
    pub fn state(&self) -> State {
        self.attachment.state()
    }

    /// How many publishers this segment has had.
    pub fn epoch(&self) -> u32 {
        self.attachment.words().control.epoch.load(Ordering::Relaxed)
    }

    /// Asks the kernel whether a publisher lives.
    pub fn publisher_alive(&self) -> Result<bool> {
        self.attachment.publisher_alive()
    }

    /// The process id that the publisher gave; for display.
    pub fn publisher_pid(&self) -> u32 {
        self.attachment.words().control.publisher_pid.load(Ordering::Relaxed)
    }

    /// Length, version and time of the current value, without a pin.
    pub fn peek(&self) -> Result<Outcome<Observation>> {
        self.attachment.peek()
    }

    /// What is known of the last value, also while there is none to be had; all 0 if there never was one.
    pub fn last(&self) -> Result<Observation> {
        self.attachment.last()
    }

    /// Something to sleep with while this consumer goes on, in another thread too.
    pub fn watcher(&self) -> super::Watcher {
        super::Watcher::new(self.attachment.clone(), self.slot.is_none())
    }

    /// The way to everything that a consumer stores.
    #[inline]
    fn reader(&self) -> Result<Reader<'_, Futex>> {
        let read_only = || Error::new(Code::ReadOnly, "lock: a read-only consumer has no slot to say so; read copies instead");
        let number = self.slot.ok_or_else(read_only)?;
        self.attachment.check_own("lock")?;
        let words = self.attachment.words();
        let slot = &words.slots[number as usize];
        Ok(Reader { words, slot, park: Futex })
    }

    /// Pins the current value, without waiting. Also when it ended, with `last`.
    #[inline]
    pub fn try_lock(&mut self, last: bool) -> Result<Outcome<Pinned>> {
        if self.pinned.is_some() {
            return Err(Error::new(Code::AlreadyLocked, "lock: this consumer holds a read lock already"));
        }
        let blockers = State::NO_VALUE | if last { 0 } else { State::ENDED };
        for _ in 0..ATTEMPTS {
            match self.reader()?.pin(blockers) {
                Ok((index, _)) => return self.accept(index).map(Ok),
                Err(state) => {
                    if let Some(blocked) = self.blocked(state)? {
                        return Ok(Err(blocked));
                    }
                }
            }
        }
        Ok(Err(Blocked::Writing))
    }

    /// Takes the buffer that was pinned, if what its header says can be true.
    #[inline]
    fn accept(&mut self, index: u32) -> Result<Pinned> {
        let reader = self.reader()?;
        let observation = Observation::of(&reader.words.buffers[index as usize], self.attachment.layout.capacity);
        match self.attachment.check().and(observation) {
            Ok(observation) => {
                self.pinned = Some(index);
                Ok(Pinned { index, observation })
            }
            Err(error) => {
                reader.unpin();
                Err(error)
            }
        }
    }

    /// Why there is no value to be had in this state; `None` if it is another one by now.
    fn blocked(&self, state: State) -> Result<Option<Blocked>> {
        self.attachment.check()?; // a state that is gone reads as 0
        let blocked = Blocked::by(state, self.attachment.layout.buffer_count)?;
        if !matches!(blocked, Blocked::Writing | Blocked::Empty) || self.publisher_alive()? {
            return Ok(Some(blocked));
        }
        // the answer and the word belong together only if the word is still the same
        Ok((self.state() == state).then_some(Blocked::Died))
    }

    /// As [`try_lock`](Self::try_lock), and sleeps once, at most `slice`, while a write is under way or there is no value.
    pub fn lock_within(&mut self, slice: Duration, last: bool) -> Result<Outcome<Pinned>> {
        let deadline = Deadline::after(slice);
        loop {
            let seen = spin(|| Some(self.state()).filter(|state| !state.has(State::WRITING))).unwrap_or_else(|| self.state());
            let outcome = self.try_lock(last)?;
            if !matches!(outcome, Err(Blocked::Writing | Blocked::Empty | Blocked::Died)) {
                self.end_grace()?;
                return Ok(outcome);
            }
            let Some(left) = deadline.slice(SLICE) else {
                self.end_grace()?;
                return Ok(outcome);
            };
            if outcome == Err(Blocked::Writing) {
                self.ask_for_grace()?;
            }
            if seen.has(State::NO_VALUE) {
                self.attachment.sleep(seen, left);
            } else {
                std::thread::yield_now(); // the state changed since, or keeps changing
            }
        }
    }

    /// Pins the current value, waiting at most `timeout` for a write that is under way. Where there is no value, that is an error at once.
    pub fn lock(&mut self, timeout: Duration) -> Result<Pinned> {
        self.lock_before(timeout, false)
    }

    /// As [`lock`](Self::lock), with `last` also the value of a publication that ended.
    pub(super) fn lock_before(&mut self, timeout: Duration, last: bool) -> Result<Pinned> {
        let deadline = Deadline::after(timeout);
        let mut outcome = self.try_lock(last)?;
        while outcome == Err(Blocked::Writing)
            && let Some(slice) = deadline.slice(SLICE)
        {
            outcome = self.lock_within(slice, last)?; // by the slice, to hear of the publisher's death
        }
        let pid = self.publisher_pid();
        outcome.map_err(|blocked| match blocked {
            Blocked::Writing => blocked.error(&format!("lock: {timeout:?} are over"), pid),
            blocked => blocked.error("lock", pid),
        })
    }

    /// Says that this consumer waits for the lock, so that a publisher with one buffer lets it in before its next write.
    /// Taken back by the next attempt that ends.
    pub fn ask_for_grace(&mut self) -> Result<()> {
        if self.reader()?.slot.lock_wait.load(Ordering::Relaxed) == 0 {
            self.grace = self.grace.wrapping_add(1).max(1);
            self.reader()?.ask_for_grace(self.grace);
        }
        Ok(())
    }

    /// Takes that back: it got the lock, or gave up.
    pub fn end_grace(&self) -> Result<()> {
        let reader = self.reader()?;
        if reader.slot.lock_wait.load(Ordering::Relaxed) != 0 {
            reader.end_grace();
        }
        Ok(())
    }

    /// Lets go of the pinned value.
    #[inline]
    pub fn unlock(&mut self) {
        if self.pinned.take().is_some()
            && let Ok(reader) = self.reader()
        {
            reader.unpin();
        }
    }

    /// As [`lock_within`](Self::lock_within) for a caller that takes the pin back itself, on a mapping of its own.
    pub fn hand_over_within(&mut self, slice: Duration, last: bool) -> Result<Outcome<Pinned>> {
        let outcome = self.lock_within(slice, last)?;
        self.pinned = None;
        Ok(outcome)
    }

    /// Wakes a publisher that waits for a pin to be taken back.
    pub fn wake_publisher(&self) {
        wake_writer(&self.attachment.words(), &Futex);
    }

    /// Copies bytes of the pinned value. After an error what is in the target means nothing.
    #[inline]
    pub fn get(&self, byte_offset: u64, target: &mut [u8]) -> Result<()> {
        let Some(index) = self.pinned else { return Err(Error::new(Code::InvalidArgument, "read: no lock is held")) };
        let layout = &self.attachment.layout;
        match byte_offset.checked_add(target.len() as u64) {
            Some(end) if end <= layout.capacity => {
                self.attachment.segment.mapping().copy_out(layout.value(index) + byte_offset, target)?;
                self.attachment.check()
            }
            _ => Err(Error::new(Code::InvalidSize, format!("bytes {byte_offset} + {} of a value of {}", target.len(), layout.capacity))),
        }
    }

    /// Copies the current value without a pin, as often as it takes; `Writing` if it keeps changing. Works for read-only consumers.
    /// A target that is too small is an error; what lies behind the value is left as it was. After an error what is in the target
    /// means nothing.
    #[inline]
    pub fn copy(&self, target: &mut [u8], last: bool) -> Result<Outcome<Observation>> {
        let layout = self.attachment.layout;
        let mapping = self.attachment.segment.mapping();
        let blockers = State::NO_VALUE | if last { 0 } else { State::ENDED };
        let outcome = observe(&self.attachment.words(), blockers, layout.capacity, |index, observation| {
            let (length, room) = (observation.byte_length, target.len());
            let target = target.get_mut(..length).ok_or_else(|| too_small(room, length))?;
            mapping.copy_out(layout.value(index), target)
        });
        self.attachment.check()?;
        match outcome? {
            Err(Blocked::Writing | Blocked::Empty) => self.missed().map(Err),
            outcome => Ok(outcome),
        }
    }

    /// Why a copy got no value. Where there is one now it kept changing, which counts as a write that is under way.
    fn missed(&self) -> Result<Blocked> {
        let state = self.state();
        let blocked = if state.has(State::NO_VALUE) { self.blocked(state)? } else { None };
        Ok(blocked.unwrap_or(Blocked::Writing))
    }

    /// As [`copy`](Self::copy), and goes on for at most `slice` while the value keeps changing.
    pub fn copy_within(&self, target: &mut [u8], slice: Duration, last: bool) -> Result<Outcome<Observation>> {
        let deadline = Deadline::after(slice);
        for sleeps in 0.. {
            let seen = self.state(); // before the look
            let outcome = self.copy(target, last)?;
            let waits = matches!(outcome, Err(Blocked::Writing | Blocked::Empty | Blocked::Died));
            let Some(left) = deadline.slice(SLICE).filter(|_| waits) else { return Ok(outcome) };
            if seen.has(State::NO_VALUE) {
                self.watcher().sleep(seen, left, sleeps)?;
            } else {
                std::thread::yield_now(); // several buffers: the value was replaced while it was copied
            }
        }
        Ok(Err(Blocked::Writing))
    }
}

fn too_small(room: usize, length: usize) -> Error {
    Error::new(Code::InvalidSize, format!("read: the value has {length} bytes, the target {room}"))
}

/// Where the directory cannot be watched. "No space" is inotify's word for too many watches, and says nothing of the segment's room.
fn watch_error(name: &Name, errno: Errno) -> Error {
    let error = Error::system(format_args!("wait for {name}"), "inotify", errno);
    if errno == Errno::ENOSPC { error.with_code(Code::System) } else { error }
}

/// Takes a slot and makes it this process's (docs/protocol.md R11).
fn attach(at: &Location, attachment: &Attachment) -> Result<u32> {
    let (words, slots) = (attachment.words(), attachment.layout.slot_count);
    let Some(number) = attachment.locks.hold_slot(slots, format_args!("open {at}"))? else {
        let holders = Holder::list(&Holder::all(&words, |_| true));
        return Err(Error::new(Code::TooManyConsumers, format!("open {at}: all {slots} consumer slots are taken, {holders}")));
    };
    let slot = &words.slots[number as usize];
    Reader { words, slot, park: Futex }.attach(number);
    slot.pid.store(std::process::id(), Ordering::Relaxed);
    Ok(number)
}

impl Drop for RawConsumer {
    fn drop(&mut self) {
        let Some(number) = self.slot.filter(|_| !self.attachment.locks.is_inherited()) else { return };
        if let Ok(reader) = self.reader() {
            reader.unpin(); // also a pin that was handed over
        }
        if self.end_grace().is_ok() {
            crate::roster::reset(&self.attachment.words().slots[number as usize]);
        }
        // the last touch of the slot; a watcher may keep the attachment alive, so the byte is let go of by hand
        let _ = self.attachment.locks.release(Byte::Slot(number));
    }
}
