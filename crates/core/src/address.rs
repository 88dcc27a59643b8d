//! Page arithmetic, and nothing that touches memory.

use std::ops::Range;

/// The engine's page: JavaScript's memories come in multiples of it, so segments do too.
pub const ENGINE_PAGE: u64 = 64 * 1024;

/// `value` rounded up to a multiple of `step`, a power of two. `None` where that does not fit.
pub const fn round_up(value: u64, step: u64) -> Option<u64> {
    match value.checked_add(step - 1) {
        Some(sum) => Some(sum & !(step - 1)),
        None => None,
    }
}

/// `byte_length` rounded up to whole pages of this system. `None` where that does not fit.
pub fn round_to_page_size(byte_length: u64) -> Option<u64> {
    round_up(byte_length, crate::sys::page_size())
}

/// Some pages in a row of something that is mapped: numbers only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRange {
    origin: u64,
    first: usize,
    length: usize,
}

impl PageRange {
    /// So many pages from the address of a page on.
    pub fn new(address: u64, length: usize) -> PageRange {
        PageRange { origin: address, first: 0, length }
    }

    /// A part of these pages, numbered from the first of them; what lies outside is left out.
    #[must_use]
    pub fn slice(&self, pages: Range<usize>) -> PageRange {
        let end = pages.end.min(self.length);
        let start = pages.start.min(end);
        PageRange { first: self.first + start, length: end - start, ..*self }
    }

    /// How many pages.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Their numbers, counted from the first page of what is mapped.
    pub fn numbers(&self) -> Range<usize> {
        self.first..self.first + self.length
    }

    /// Bytes before them.
    pub fn byte_offset(&self) -> u64 {
        self.first as u64 * crate::sys::page_size()
    }

    /// Bytes in them.
    pub fn byte_length(&self) -> u64 {
        self.length as u64 * crate::sys::page_size()
    }

    /// The address of the first one.
    pub fn address(&self) -> u64 {
        self.origin + self.byte_offset()
    }

    /// The address of each.
    pub fn addresses(&self) -> impl Iterator<Item = u64> {
        let (address, page) = (self.address(), crate::sys::page_size());
        (0..self.length as u64).map(move |number| address + number * page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_up_to_the_step() {
        assert_eq!(round_up(0, 64), Some(0));
        assert_eq!(round_up(1, 64), Some(64));
        assert_eq!(round_up(64, 64), Some(64));
        assert_eq!(round_up(u64::MAX, 64), None);
        assert_eq!(round_up(51_342_411, 4096), Some(12_535 * 4096));
    }

    #[test]
    fn a_range_of_pages_is_counted_in_pages_and_bytes() {
        let pages = PageRange::new(0x10_0000, 12_535);
        let some = pages.slice(44..124);
        assert_eq!((some.len(), some.byte_offset(), some.byte_length(), some.address()), (80, 180_224, 327_680, 0x10_0000 + 180_224));
        assert_eq!(some.slice(1..3).numbers(), 45..47);
        assert_eq!(some.addresses().last(), Some(0x10_0000 + 123 * 4096));
        assert!(some.slice(80..90).is_empty() && pages.slice(5..usize::MAX).len() == 12_530);
    }
}
