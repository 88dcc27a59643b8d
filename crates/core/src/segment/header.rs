//! The segment's header: written once before anybody can see it, checked once by whoever opens it, then never read again.

use crate::address::ENGINE_PAGE;
use crate::error::{Code, Error, Result};
use crate::memory::Mapping;
use crate::schema::{MAX_JSON_BYTES, Schema};
use crate::sys;
use std::os::fd::OwnedFd;
use zerocopy::{FromBytes, Immutable, IntoBytes};

const MAGIC: [u8; 8] = *b"PAGECAST";

/// The format's version; a change that older code cannot read raises it.
pub const FORMAT: u32 = 1;

/// Reads as another number on a machine of the other byte order.
const BYTE_ORDER: u32 = 0x0102_0304;

/// Bytes of the header, padding included. The schema's text follows at once.
pub const HEADER_BYTES: u64 = 256;

/// The last word of a segment, alone in its last page: `END!`. Who cuts the file short anywhere takes it away, so whoever finds it
/// after a copy knows that nothing of what was copied had been cut off.
pub const END_MARK: u32 = u32::from_le_bytes(*b"END!");

/// What a segment holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One value, one publisher, many consumers.
    Publication = 1,
}

/// What the maker of a segment decides.
#[derive(Clone, Copy, Debug)]
pub struct NewHeader<'a> {
    /// What it will hold.
    pub kind: Kind,
    /// Size of the whole segment in bytes.
    pub segment_bytes: u64,
    /// The schema's text, never empty.
    pub schema: &'a str,
    /// Numbers that the kind gives a meaning; none is 0.
    pub geometry: [u64; GEOMETRY],
}

/// How many numbers a kind may keep in the header.
pub const GEOMETRY: usize = 12;

/// The bytes as they lie at offset 0. `docs/format.md` is the same table for other languages. No field is ever 0.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct Raw {
    magic: [u8; 8],
    format: u32,
    byte_order: u32,
    kind: u32,
    page_bytes: u32,
    segment_bytes: u64,
    segment_id: [u8; 16],
    created_ns: u64,
    schema_offset: u64,
    schema_bytes: u64,
    schema_hash: u64,
    geometry: [u64; GEOMETRY],
    /// FNV-1a 64 of all bytes before it.
    checksum: u64,
}

const RAW_BYTES: usize = size_of::<Raw>();
const _: () = assert!(RAW_BYTES == 184 && RAW_BYTES as u64 <= HEADER_BYTES);

/// A header that was checked against the size of its file.
#[derive(Clone, Debug)]
pub struct Header {
    /// What the segment holds.
    pub kind: Kind,
    /// Size of the whole segment in bytes.
    pub segment_bytes: u64,
    /// A random number that tells this segment from every other of its name.
    pub segment_id: [u8; 16],
    /// When it was made: CLOCK_REALTIME in nanoseconds.
    pub created_ns: u64,
    /// FNV-1a 64 of the schema's text.
    pub schema_hash: u64,
    /// Numbers that the kind gives a meaning.
    pub geometry: [u64; GEOMETRY],
    schema_bytes: usize,
}

impl Header {
    pub(super) fn new(new: &NewHeader<'_>) -> Result<Header> {
        let segment_id = sys::random_bytes().map_err(|errno| Error::system("create a segment", "getrandom", errno))?;
        Ok(Header {
            kind: new.kind,
            segment_bytes: new.segment_bytes,
            segment_id,
            created_ns: sys::realtime_ns().max(1),
            schema_hash: Schema::hash(new.schema.as_bytes()),
            geometry: new.geometry,
            schema_bytes: new.schema.len(),
        })
    }

    fn raw(&self) -> Raw {
        let mut raw = Raw {
            magic: MAGIC,
            format: FORMAT,
            byte_order: BYTE_ORDER,
            kind: self.kind as u32,
            page_bytes: u32::try_from(sys::page_size()).unwrap_or(u32::MAX),
            segment_bytes: self.segment_bytes,
            segment_id: self.segment_id,
            created_ns: self.created_ns,
            schema_offset: HEADER_BYTES,
            schema_bytes: self.schema_bytes as u64,
            schema_hash: self.schema_hash,
            geometry: self.geometry,
            checksum: 0,
        };
        raw.checksum = checksum(&raw);
        raw
    }

    pub(super) fn write(&self, mapping: &Mapping, schema: &str) -> Result<()> {
        mapping.copy_in(self.segment_bytes - size_of::<u32>() as u64, &END_MARK.to_ne_bytes())?;
        mapping.copy_in(HEADER_BYTES, schema.as_bytes())?;
        mapping.copy_in(0, self.raw().as_bytes())
    }

    /// Copies the header out of `mapping`, whose file has `size` bytes, and checks every field of the copy.
    pub(super) fn read(mapping: &Mapping, size: u64) -> Result<Header> {
        let mut bytes = [0; RAW_BYTES];
        mapping.copy_out(0, &mut bytes)?;
        let raw = Raw::read_from_bytes(&bytes).map_err(|_| corrupt("header of an impossible size"))?;
        check_kinship(&raw)?;
        if raw.checksum != checksum(&raw) {
            return Err(corrupt("the header's checksum does not match"));
        }
        let schema_bytes = usize::try_from(raw.schema_bytes).unwrap_or(usize::MAX);
        if raw.schema_offset != HEADER_BYTES || schema_bytes == 0 || schema_bytes > MAX_JSON_BYTES {
            return Err(corrupt(format!("a schema of {schema_bytes} bytes at {}", raw.schema_offset)));
        }
        if raw.segment_bytes < HEADER_BYTES + raw.schema_bytes || !raw.segment_bytes.is_multiple_of(ENGINE_PAGE) {
            return Err(corrupt(format!("{} bytes cannot hold header and schema, or are no multiple of 64 KiB", raw.segment_bytes)));
        }
        if raw.segment_bytes > size {
            let bytes = raw.segment_bytes;
            return Err(Error::new(Code::Truncated, format!("the header says {bytes} bytes, the file has {size}")));
        }
        let kind = if raw.kind == Kind::Publication as u32 {
            Kind::Publication
        } else {
            return Err(corrupt(format!("unknown kind {}", raw.kind)));
        };
        Ok(Header {
            kind,
            segment_bytes: raw.segment_bytes,
            segment_id: raw.segment_id,
            created_ns: raw.created_ns,
            schema_hash: raw.schema_hash,
            geometry: raw.geometry,
            schema_bytes,
        })
    }

    /// Whether a creator was killed before it wrote one here: there is nothing at all, or zeros where it begins.
    pub(super) fn is_missing(memory: &OwnedFd) -> bool {
        let mut magic = [0; MAGIC.len()];
        sys::read_first(memory, &mut magic).is_ok() && magic == [0; MAGIC.len()]
    }

    /// Where the first byte behind header and schema is.
    pub fn end(&self) -> u64 {
        HEADER_BYTES + self.schema_bytes as u64
    }

    pub(super) fn schema_text(&self, mapping: &Mapping) -> Result<String> {
        let mut bytes = vec![0; self.schema_bytes];
        mapping.copy_out(HEADER_BYTES, &mut bytes)?;
        if Schema::hash(&bytes) != self.schema_hash {
            return Err(corrupt("the schema's hash does not match"));
        }
        String::from_utf8(bytes).map_err(|_| corrupt("the schema is no UTF-8"))
    }
}

fn check_kinship(raw: &Raw) -> Result<()> {
    if raw.magic != MAGIC {
        return Err(Error::new(Code::NotASegment, "no pagecast header; a raw object opens as a region"));
    }
    if raw.byte_order != BYTE_ORDER {
        return Err(Error::new(Code::UnsupportedFormat, "made on a machine of the other byte order"));
    }
    if raw.format != FORMAT {
        let format = raw.format;
        return Err(Error::new(Code::UnsupportedFormat, format!("format {format}; this release reads format {FORMAT}")));
    }
    Ok(())
}

fn checksum(raw: &Raw) -> u64 {
    let bytes = raw.as_bytes();
    Schema::hash(&bytes[..RAW_BYTES - size_of::<u64>()])
}

fn corrupt(message: impl Into<String>) -> Error {
    Error::new(Code::Corrupt, message)
}
