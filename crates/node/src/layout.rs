//! Byte offsets for TypeScript, which has no copy of them.

use napi::bindgen_prelude::Float64ArraySlice;
use napi_derive::napi;
use pagecast::RawConsumer;
use pagecast::publication::{Blocked, Layout, Observation, Outcome, State, offsets};
use pagecast::segment;

/// The last word of a segment, as long as nobody cut it short.
#[napi]
pub const END_MARK: u32 = segment::END_MARK;

/// Where everything is: byte offsets from the segment's start unless said otherwise.
#[napi(object)]
pub struct NativeLayout {
    /// Size of the whole segment in bytes: a multiple of 64 KiB.
    pub segment_bytes: f64,
    /// The state word, a u32.
    pub state: f64,
    /// Not 0 while somebody sleeps until the state changes, a u32.
    pub sleepers: f64,
    /// Bit 0 is up while the publisher waits for a pin, a u32.
    pub writer_waits: f64,
    /// One more than the highest slot ever attached to, a u32.
    pub high_water: f64,
    /// The first slot.
    pub slots: f64,
    /// Bytes from one slot to the next.
    pub slot_stride: f64,
    /// In a slot: the pin, a u32.
    pub slot_pin: u32,
    /// In a slot: not 0 while its consumer waits for the lock, a u32.
    pub slot_lock_wait: u32,
    /// The first buffer's header.
    pub buffer_headers: f64,
    /// Bytes from one buffer's header to the next.
    pub buffer_header_stride: f64,
    /// How many buffers there are.
    pub buffer_count: u32,
    /// The first buffer's bytes.
    pub payload: f64,
    /// Bytes from one buffer's bytes to the next one's.
    pub payload_stride: f64,
    /// Most bytes that one value may have.
    pub capacity: f64,
    /// The word that is `END_MARK` as long as nobody cut the segment short, a u32.
    pub end_mark: f64,
    /// Consumers that may attach at once.
    pub max_consumers: u32,
    /// In a buffer's header: odd while the bytes are being written, a u32.
    pub header_sequence: u32,
    /// In a buffer's header: the value's length, a u64.
    pub header_length: u32,
    /// In a buffer's header: the value's number, a u64.
    pub header_version: u32,
    /// In a buffer's header: CLOCK_MONOTONIC in nanoseconds, a u64.
    pub header_timestamp: u32,
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "offsets inside a mapping are below 2^53")]
impl From<&Layout> for NativeLayout {
    fn from(layout: &Layout) -> NativeLayout {
        let word = |offset: usize| (layout.control + offset as u64) as f64;
        NativeLayout {
            segment_bytes: layout.segment_bytes as f64,
            state: word(offsets::STATE),
            sleepers: word(offsets::SLEEPERS),
            writer_waits: word(offsets::WRITER_WAITS),
            high_water: word(offsets::HIGH_WATER),
            slots: layout.slots as f64,
            slot_stride: offsets::SLOT as f64,
            slot_pin: offsets::PIN as u32,
            slot_lock_wait: offsets::LOCK_WAIT as u32,
            buffer_headers: layout.buffer_headers as f64,
            buffer_header_stride: offsets::BUFFER_HEADER as f64,
            buffer_count: layout.buffer_count,
            payload: layout.payload as f64,
            payload_stride: layout.payload_stride as f64,
            capacity: layout.capacity as f64,
            end_mark: (layout.segment_bytes - size_of::<u32>() as u64) as f64,
            max_consumers: layout.slot_count,
            header_sequence: offsets::SEQUENCE as u32,
            header_length: offsets::LENGTH as u32,
            header_version: offsets::VERSION as u32,
            header_timestamp: offsets::TIMESTAMP as u32,
        }
    }
}

/// What the bits of the state word mean.
#[napi(object)]
pub struct NativeStateBits {
    /// The current buffer's index + 1.
    pub index: u32,
    /// A value is being written (one buffer).
    pub writing: u32,
    /// There is no value.
    pub empty: u32,
    /// The publisher closed the publication.
    pub closed: u32,
    /// The name leads to another segment.
    pub replaced: u32,
    /// What is added for the next generation.
    pub generation: u32,
}

/// What the bits of the state word mean.
#[napi]
pub fn state_bits() -> NativeStateBits {
    NativeStateBits {
        index: State::INDEX,
        writing: State::WRITING,
        empty: State::EMPTY,
        closed: State::CLOSED,
        replaced: State::REPLACED,
        generation: State::GENERATION,
    }
}

/// A process and its slot; -1 for the publisher.
#[napi(object)]
pub struct NativeHolder {
    /// The process id as that process sees itself.
    pub pid: u32,
    /// Its slot.
    pub slot: i32,
}

/// The number that stands for "no value", below every index.
pub(crate) fn code(blocked: Blocked) -> i32 {
    match blocked {
        Blocked::Writing => -1,
        Blocked::Empty => -2,
        Blocked::Closed => -3,
        Blocked::Replaced => -4,
        Blocked::Died => -5,
    }
}

/// Fills `[version, stalenessMs, byteLength, epoch]` and returns the length, or the code of why there is no value: the numbers are then
/// those of the last one.
pub(crate) fn report(raw: &RawConsumer, outcome: Outcome<Observation>, meta: &mut Float64ArraySlice<'_>) -> pagecast::Result<f64> {
    let epoch = raw.epoch();
    let last = raw.last()?; // fails also if the epoch was gone
    let observation = outcome.unwrap_or(last);
    let age = pagecast::monotonic_ns().saturating_sub(observation.timestamp);
    #[expect(clippy::cast_precision_loss, reason = "versions and lengths are below 2^53")]
    let numbers = [observation.version as f64, crate::milliseconds(age), observation.byte_length as f64, f64::from(epoch)];
    for (target, number) in crate::pages::numbers_mut(meta).iter_mut().zip(numbers) {
        *target = number;
    }
    Ok(outcome.map_or_else(|blocked| f64::from(code(blocked)), |_| numbers[2]))
}
