//! Where the parts of a publication lie in its segment, and the check of somebody else's answer to that.

use super::words::{BufferHeader, Control};
use crate::address::{ENGINE_PAGE, round_up};
use crate::error::{Code, Error, Result};
use crate::roster::{MAX_SLOTS, Slot};
use crate::segment::{HEADER_BYTES, Header};
use crate::sys;

/// Most buffers: the state word has six bits for the index + 1.
pub const MAX_BUFFERS: u32 = 63;

/// Consumers that may attach unless the publisher says otherwise.
pub const DEFAULT_MAX_CONSUMERS: u32 = 16;

/// Buffers where one for each consumer and two more would take more than [`DEFAULT_BUFFER_BYTES`].
const FEW_BUFFERS: u32 = 4;

/// What the buffers may take in all before the default number of them falls to [`FEW_BUFFERS`].
const DEFAULT_BUFFER_BYTES: u64 = 1 << 20;

/// Values begin this far apart at the least, so that neighbours share neither a cache line nor the pair of lines that is fetched at once.
const VALUE_ALIGNMENT: u64 = 128;

/// Byte offsets from the segment's start, sizes in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Size of the whole segment: a multiple of 64 KiB.
    pub segment_bytes: u64,
    /// Consumers that may attach at once.
    pub slot_count: u32,
    /// Where [`Slot`] 0 is.
    pub slots: u64,
    /// Values that the publication keeps room for.
    pub buffer_count: u32,
    /// Where the words are.
    pub control: u64,
    /// Where the header of buffer 0 is.
    pub buffer_headers: u64,
    /// Where the bytes of buffer 0 are: a page boundary.
    pub payload: u64,
    /// From one buffer's bytes to the next one's.
    pub payload_stride: u64,
    /// Most bytes that one value may have.
    pub capacity: u64,
}

/// What the publisher may choose.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shape {
    /// Most bytes that one value may have.
    pub capacity: u64,
    /// Number of buffers; `None`: `max_consumers + 2` while that fits in 1 MiB, else 4.
    pub buffers: Option<u32>,
    /// Number of slots; `None`: 16.
    pub max_consumers: Option<u32>,
}

impl Shape {
    fn checked(&self) -> Result<(u32, u32, u64)> {
        let slots = within("maxConsumers", self.max_consumers.unwrap_or(DEFAULT_MAX_CONSUMERS), MAX_SLOTS)?;
        let stride = round_up(self.capacity, VALUE_ALIGNMENT).filter(|_| self.capacity > 0);
        let stride = stride.ok_or_else(|| Error::new(Code::InvalidSize, format!("a value of {} bytes", self.capacity)))?;
        let plenty = (slots + 2).min(MAX_BUFFERS);
        let fits = stride.checked_mul(u64::from(plenty)).is_some_and(|bytes| bytes <= DEFAULT_BUFFER_BYTES);
        let buffers = within("buffers", self.buffers.unwrap_or(if fits { plenty } else { FEW_BUFFERS }), MAX_BUFFERS)?;
        Ok((slots, buffers, stride))
    }
}

fn within(what: &str, value: u32, most: u32) -> Result<u32> {
    if (1..=most).contains(&value) {
        return Ok(value);
    }
    Err(Error::new(Code::InvalidArgument, format!("{what} is {value}, expected 1 to {most}")))
}

impl Layout {
    /// Lays the parts out one after the other behind the header and a schema of `schema_bytes`.
    pub fn new(shape: &Shape, schema_bytes: u64) -> Result<Layout> {
        let (slot_count, buffer_count, payload_stride) = shape.checked()?;
        let page = sys::page_size();
        let place = || {
            let control = round_up(HEADER_BYTES + schema_bytes, align_of::<Control>() as u64)?;
            let slots = control + size_of::<Control>() as u64;
            let buffer_headers = slots + u64::from(slot_count) * size_of::<Slot>() as u64;
            let payload = round_up(buffer_headers + u64::from(buffer_count) * size_of::<BufferHeader>() as u64, page)?;
            let end = payload.checked_add(payload_stride.checked_mul(u64::from(buffer_count))?)?;
            // behind the last value a page for the mark alone: a file that is cut in the middle of a page ends in zeros, without a fault
            let segment_bytes = round_up(round_up(end, page)?.checked_add(page)?, ENGINE_PAGE.max(page))?;
            let capacity = shape.capacity;
            Some(Layout { segment_bytes, slot_count, slots, buffer_count, control, buffer_headers, payload, payload_stride, capacity })
        };
        place().ok_or_else(|| Error::new(Code::InvalidSize, format!("{buffer_count} values of {} bytes", shape.capacity)))
    }

    /// As the header keeps it.
    pub fn to_geometry(self) -> [u64; 12] {
        let Layout { slot_count, slots, buffer_count, control, buffer_headers, payload, payload_stride, capacity, .. } = self;
        [control, slots, slot_count.into(), buffer_headers, buffer_count.into(), payload, payload_stride, capacity, 1, 1, 1, 1]
    }

    /// Reads a header's numbers back and believes none of them before it has been checked against the segment's size.
    pub fn from_header(header: &Header) -> Result<Layout> {
        let [control, slots, slot_count, buffer_headers, buffer_count, payload, payload_stride, capacity, ..] = header.geometry;
        let contradiction = || Error::new(Code::Corrupt, format!("the header's numbers {:?} contradict each other", header.geometry));
        let count = |value: u64, most: u32| u32::try_from(value).ok().filter(|value| (1..=most).contains(value)).ok_or_else(contradiction);
        let (slot_count, buffer_count) = (count(slot_count, MAX_SLOTS)?, count(buffer_count, MAX_BUFFERS)?);
        let segment_bytes = header.segment_bytes;
        let parts = [
            (control, size_of::<Control>() as u64, 1, 64),
            (slots, size_of::<Slot>() as u64, slot_count, 64),
            (buffer_headers, size_of::<BufferHeader>() as u64, buffer_count, 64),
            (payload, payload_stride, buffer_count, 4096),
        ];
        let mut end = header.end();
        for (start, stride, count, alignment) in parts {
            let length = stride.checked_mul(count.into()).ok_or_else(contradiction)?;
            if start < end || !start.is_multiple_of(alignment) {
                return Err(contradiction());
            }
            end = start.checked_add(length).ok_or_else(contradiction)?;
        }
        let end = round_up(end, sys::page_size()).and_then(|end| end.checked_add(sys::page_size())).ok_or_else(contradiction)?;
        let sound = end <= segment_bytes && capacity >= 1 && capacity <= payload_stride && payload_stride.is_multiple_of(VALUE_ALIGNMENT);
        if !sound {
            return Err(contradiction());
        }
        Ok(Layout { segment_bytes, slot_count, slots, buffer_count, control, buffer_headers, payload, payload_stride, capacity })
    }

    /// Where the bytes of this buffer begin.
    pub fn value(&self, index: u32) -> u64 {
        self.payload + u64::from(index) * self.payload_stride
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_number_of_buffers_depends_on_the_size() {
        let buffers = |capacity| Layout::new(&Shape { capacity, ..Shape::default() }, 100).unwrap().buffer_count;
        assert_eq!(buffers(64), 18);
        assert_eq!(buffers(1 << 20), 4);
    }

    #[test]
    fn refuses_sizes_that_do_not_fit() {
        for capacity in [0, u64::MAX, u64::MAX / 4] {
            let refused = Layout::new(&Shape { capacity, ..Shape::default() }, 100);
            assert_eq!(refused.unwrap_err().code(), Code::InvalidSize, "{capacity}");
        }
    }
}
