//! Addresses that are free in other processes, too, as far as anybody can tell.
//!
//! Where the kernel or a runtime puts things is a matter of chance, another one in each process (ASLR), but not in all of the address space. Of
//! the half that the processor gives to processes, by 32nds of 2^47 bytes on x86-64:
//!
//! ```text
//!  0 to 16   JavaScript: V8 asks for random addresses below 2^46, Bun below 2^43; also programs that are not position-independent
//! 17 to 20   the window
//! 20 to 21   AddressSanitizer's allocator
//! 21 to 26   position-independent programs and their heap: from two thirds on, up to 2^44 bytes further (`vm.mmap_rnd_bits`)
//! 26 to 32   mappings and stacks, from the top down
//! ```
//!
//! The same parts are free where the address space is smaller, as on arm64 with three levels of page tables; where it is larger, that of 2^47 is.

use super::view::{Backing, View};
use crate::error::{Code, Error, Result, grouped};
use crate::sys::{self, Place};
use nix::errno::Errno;
use std::ops::Range;

/// Bits of the addresses that a process may have: x86-64 and arm64; arm64 with pages of 64 KiB; arm64 with three levels of tables; RISC-V with three.
/// Where the kernel has fewer of them, a hint leads elsewhere.
const BITS: [u32; 4] = [47, 42, 39, 38];
/// Page tables and huge pages like it, and it is a multiple of all pages up to that.
const ALIGNMENT: u64 = 2 << 20;
/// In each window. Two regions of a gigabyte are in each other's way once in 6000 times, smaller ones less often.
const TRIES: usize = 32;

impl View {
    /// Maps whole pages at an address that most likely is free in other processes as well.
    pub(crate) fn in_window(byte_length: usize, backing: &Backing<'_>, refused: impl Fn(u64, Errno) -> Error) -> Result<View> {
        let random = || sys::random_bytes().map_err(|errno| Error::system("choose an address", "getrandom", errno));
        // a hint, and a look where it led to: ThreadSanitizer makes 0 of an address that it does not like, which were to be had with MAP_FIXED_NOREPLACE
        choose(byte_length, random, |address| {
            let start = usize::try_from(address).map_err(|_| refused(address, Errno::ENOMEM))?;
            let view = View::new(Place::Hint(start), byte_length, backing, |errno| refused(address, errno))?;
            if view.address() == start { Ok(view) } else { Err(refused(address, Errno::EEXIST)) }
        })
    }
}

/// Where something of this length can begin.
fn starts(bits: u32, byte_length: u64) -> Option<Range<u64>> {
    let (begin, end) = (17 << (bits - 5), 20 << (bits - 5));
    let last = u64::checked_sub(end, byte_length)?;
    (begin <= last).then_some(begin..last + 1)
}

/// Tries addresses until one is free, as if the address space were the largest one, then as if it were smaller. What is refused for another reason
/// than the address is not asked for there again.
fn choose<T>(byte_length: usize, mut random: impl FnMut() -> Result<[u8; 16]>, mut attempt: impl FnMut(u64) -> Result<T>) -> Result<T> {
    let mut refused = None;
    for window in BITS.iter().filter_map(|bits| starts(*bits, byte_length as u64)) {
        let places = u128::from((window.end - window.start).div_ceil(ALIGNMENT));
        for _ in 0..TRIES {
            let place = u128::from_ne_bytes(random()?) % places;
            match attempt(window.start + u64::try_from(place).unwrap_or(0) * ALIGNMENT) {
                Err(error) => refused = Some(error),
                mapped => return mapped,
            }
            if refused.as_ref().and_then(Error::errno) != Some(Errno::EEXIST as i32) {
                break;
            }
        }
    }
    Err(refused.unwrap_or_else(|| {
        let fact = format!("{} bytes are more than the addresses that are free in all processes", grouped(byte_length as u64));
        Error::new(Code::AddressSpace, fact)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(errno: Errno) -> Error {
        Error::system("map", "mmap", errno)
    }

    /// The address that is had of those that `errno` lets have, and how many were tried.
    fn chosen(byte_length: usize, errno: impl Fn(u64, usize) -> Option<Errno>) -> (Result<u64>, usize) {
        let mut tries = 0;
        let result = choose(
            byte_length,
            || Ok(sys::random_bytes().unwrap_or_default()),
            |address| {
                tries += 1;
                errno(address, tries).map_or(Ok(address), |errno| Err(refusal(errno)))
            },
        );
        (result, tries)
    }

    #[test]
    fn a_range_that_is_taken_leads_to_another_one_and_in_the_end_to_an_error() {
        let (address, tries) = chosen(1 << 20, |_, tries| (tries < 5).then_some(Errno::EEXIST));
        assert!((17 << 42..20 << 42).contains(&address.unwrap_or(0)));
        assert_eq!(tries, 5);
        let (refused, tries) = chosen(1 << 20, |_, _| Some(Errno::EEXIST));
        assert_eq!((refused, tries), (Err(refusal(Errno::EEXIST)), BITS.len() * TRIES));
    }

    #[test]
    fn a_smaller_address_space_has_a_window_of_its_own() {
        for bits in BITS {
            let (address, tries) = chosen(1 << 20, |address, _| (address >> bits != 0).then_some(Errno::EEXIST));
            let (_, refused) = chosen(1 << 20, |address, _| (address >> bits != 0).then_some(Errno::ENOMEM));
            let address = address.unwrap_or(0);
            assert!((17 << (bits - 5)..20 << (bits - 5)).contains(&address) && address.is_multiple_of(ALIGNMENT), "{address:#x}");
            assert!(tries <= BITS.len() * TRIES && refused <= BITS.len());
        }
    }

    #[test]
    fn what_fits_in_no_window_is_not_tried_and_what_just_fits_is() {
        let most = 3 << 42;
        assert_eq!(chosen(most, |_, _| None), (Ok(17 << 42), 1));
        let (refused, tries) = chosen(most + 4096, |_, _| None);
        assert_eq!((refused.map_err(|error| error.code()), tries), (Err(Code::AddressSpace), 0));
    }

    #[test]
    fn all_of_the_window_is_used() {
        let mut thirds = [0; 3];
        for _ in 0..300 {
            let (address, _) = chosen(4096, |_, _| None);
            thirds[usize::try_from((address.unwrap_or(0) >> 42) - 17).unwrap_or(0)] += 1;
        }
        assert!(thirds.iter().all(|count| *count > 30), "{thirds:?}");
    }
}
