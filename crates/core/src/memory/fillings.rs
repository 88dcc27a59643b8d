//! Addresses that are kept from whoever maps next, for a moment.

use crate::sys::{self, Place};
use std::ops::Range;

/// Stretches of the address space that hold nothing (mmap(2), `PROT_NONE`), until it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Fillings(Vec<Range<usize>>);

impl Fillings {
    /// Fills what is free on both sides of whatever `address` lies in, so that what is left there ends, and begins, `distance` bytes past a multiple of
    /// `step`. A kernel puts what is mapped next at the end of a free stretch, or, in the old layout, at the beginning of one.
    ///
    /// No stack stops growing by that: the main thread's grows downwards into the stretch above everything else, of which only the other end is filled.
    pub(crate) fn add_around(&mut self, address: usize, step: usize, distance: usize) {
        let mapped = sys::mappings().filter_map(|mapped| Some(usize::try_from(mapped.start).ok()?..usize::try_from(mapped.end).ok()?));
        for addresses in run_around(address, mapped).into_iter().flat_map(|run| beside(&run, step, distance)) {
            self.add(addresses);
        }
    }

    /// What cannot be had stays free: it is somebody else's by now, or no address at all.
    fn add(&mut self, addresses: Range<usize>) {
        if addresses.is_empty() {
            return;
        }
        // SAFETY: no place where anything is.
        let added = unsafe { sys::map_nothing(Place::Exclusive(addresses.start), addresses.len()) };
        if added.is_ok() {
            self.0.push(addresses);
        }
    }
}

impl Drop for Fillings {
    fn drop(&mut self) {
        for addresses in self.0.drain(..) {
            // SAFETY: our own, and nobody else knows of them.
            unsafe { sys::unmap_pages(addresses.start, addresses.len()) };
        }
    }
}

/// The mappings without a gap between them of which one is at this address. One comes twice if it grew while they were told.
fn run_around(address: usize, mappings: impl Iterator<Item = Range<usize>>) -> Option<Range<usize>> {
    let mut run = 0..0;
    for mapped in mappings {
        if mapped.start <= run.end {
            run.end = run.end.max(mapped.end);
        } else if run.contains(&address) {
            break;
        } else {
            run = mapped;
        }
    }
    run.contains(&address).then_some(run)
}

/// What lies between these addresses and those that are `distance` past a multiple of `step`, before and after them.
fn beside(run: &Range<usize>, step: usize, distance: usize) -> [Range<usize>; 2] {
    let (before, after) = (run.start.wrapping_sub(distance) % step, distance.wrapping_sub(run.end) % step);
    [run.start.saturating_sub(before)..run.start, run.end..run.end.saturating_add(after)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_has_no_gap() {
        let mapped = [0x1000..0x2000, 0x2000..0x5000, 0x5000..0x6000, 0x7000..0x8000];
        let examples = [
            (0x1000, Some(0x1000..0x6000)),
            (0x5fff, Some(0x1000..0x6000)),
            (0x6000, None),
            (0x7fff, Some(0x7000..0x8000)),
            (0x8000, None),
        ];
        for (address, run) in examples {
            assert_eq!(run_around(address, mapped.clone().into_iter()), run, "{address:#x}");
        }
        let grown = [0x1000..0x2000, 0x1000..0x3000, 0x3000..0x4000, 0x5000..0x6000];
        assert_eq!(run_around(0x3000, grown.into_iter()), Some(0x1000..0x4000));
    }

    #[test]
    fn what_is_left_begins_and_ends_at_the_distance() {
        assert_eq!(beside(&(0x5000..0x7000), 0x4000, 0), [0x4000..0x5000, 0x7000..0x8000]);
        assert_eq!(beside(&(0x5000..0x7000), 0x4000, 0x3000), [0x3000..0x5000, 0x7000..0x7000]);
        assert_eq!(beside(&(0x4000..0x8000), 0x4000, 0), [0x4000..0x4000, 0x8000..0x8000]);
        assert_eq!(beside(&(0x1000..usize::MAX), 0x4000, 0x2000), [0..0x1000, usize::MAX..usize::MAX]);
    }
}
