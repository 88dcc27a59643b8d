use crate::common::code;
use crate::{anonymous, byte, free_address};
use pagecast::Code;
use pagecast::region::{MapOptions, Placement, Region, Reservation, Source};

fn at(address: u64, placement: Placement, byte_length: u64) -> pagecast::Result<Region> {
    Region::map(&MapOptions { byte_length: Some(byte_length), address: Some((address, placement)), ..MapOptions::default() })
}

#[test]
fn a_free_address_is_had_and_one_in_use_is_an_error() {
    let address = free_address();
    let region = at(address, Placement::Exclusive, 8192).unwrap();
    assert_eq!(region.address(), address);
    region.write_at(0, &[7]).unwrap();
    for taken in [address, address + 4096] {
        assert_eq!(code(at(taken, Placement::Exclusive, 8192)), Code::AddressInUse);
        assert_eq!(code(Reservation::new(8192, Some(taken))), Code::AddressInUse);
    }
    assert_eq!(code(at(address - 4096, Placement::Exclusive, 8192)), Code::AddressInUse);
    assert_eq!(byte(&region, 0), 7, "and nothing was overwritten");
    drop(region);
    assert_eq!(at(address, Placement::Exclusive, 8192).unwrap().address(), address);
}

#[test]
fn a_hint_is_only_that() {
    let address = free_address();
    let first = at(address, Placement::Hint, 8192).unwrap();
    first.write_at(0, &[7]).unwrap();
    let second = at(address, Placement::Hint, 8192).unwrap();
    assert_ne!(second.address(), address);
    assert_eq!((byte(&first, 0), byte(&second, 0)), (7, 0));
}

#[test]
fn what_is_no_page_s_address_is_refused() {
    for address in [0, 1, 4095, 0x7000_0000_0001] {
        assert_eq!(code(at(address, Placement::Exclusive, 4096)), Code::InvalidArgument, "{address:#x}");
        assert_eq!(code(Reservation::new(4096, Some(address))), Code::InvalidArgument);
    }
    assert_eq!(code(Reservation::new(0, None)), Code::InvalidSize);
    assert_eq!(code(Reservation::new(u64::MAX, None)), Code::InvalidSize);
    assert_eq!(code(Reservation::new(1 << 60, None)), Code::AddressSpace);
}

#[test]
fn an_address_past_the_last_one_is_told_from_too_many_mappings() {
    for address in [u64::MAX - 4095, 0xffff_8000_0000_0000] {
        for refused in [at(address, Placement::Exclusive, 8192).unwrap_err(), Reservation::new(8192, Some(address)).unwrap_err()] {
            assert_eq!(refused.code(), Code::AddressSpace);
            let fact = format!("map 8,192 bytes at {address:#x}: past the last address that a process can have: ");
            assert!(refused.to_string().starts_with(&fact), "{refused}");
        }
        assert_ne!(at(address, Placement::Hint, 8192).unwrap().address(), address);
    }
    let refused = at(free_address(), Placement::Exclusive, 1 << 60).unwrap_err();
    assert!(!refused.to_string().contains("past the last address"), "so many are too many anywhere: {refused}");
}

#[test]
fn only_one_s_own_reservation_is_replaced() {
    let address = free_address();
    let reservation = Reservation::new(10 * 4096, Some(address)).unwrap();
    let region = at(address + 4096, Placement::Replace, 2 * 4096).unwrap();
    region.write_at(0, &[7; 8192]).unwrap();
    let elsewhere = anonymous(10 * 4096);
    for taken in [address + 4096, address + 2 * 4096, address, address + 9 * 4096, address - 4096, elsewhere.address(), 4096] {
        assert_eq!(code(at(taken, Placement::Replace, 2 * 4096)), Code::AddressInUse, "{taken:#x}");
    }
    assert_eq!(code(at(address + 5 * 4096, Placement::Exclusive, 4096)), Code::AddressInUse);
    assert_eq!(byte(&region, 8191), 7);
    drop(region);
    let region = at(address + 2 * 4096, Placement::Replace, 8 * 4096).unwrap();
    drop(reservation);
    region.write_at(0, &[7]).unwrap();
    for placement in [Placement::Exclusive, Placement::Replace] {
        assert_eq!(code(at(address, placement, 4096)), Code::AddressInUse, "it stays while a region is in it, and takes no other");
    }
    drop(region);
    at(address, Placement::Exclusive, 4096).unwrap();
}

#[test]
fn what_is_taken_of_a_reservation_is_given_back_when_the_mapping_fails() {
    let reservation = Reservation::new(10 * 4096, None).unwrap();
    let place = Some((reservation.address(), Placement::Replace));
    let source = Source::File { path: "/nowhere".into(), create: None };
    let failed = Region::map(&MapOptions { byte_length: Some(4096), address: place, ..MapOptions::new(source) });
    assert_eq!(code(failed), Code::NotFound);
    at(reservation.address(), Placement::Replace, 10 * 4096).unwrap();
}

#[test]
fn a_detached_mapping_stays() {
    let region = anonymous(8192);
    region.write_at(0, b"stays").unwrap();
    let (address, byte_length) = region.detach();
    assert_eq!(byte_length, 8192);
    assert_eq!(code(at(address, Placement::Exclusive, 4096)), Code::AddressInUse);
    // SAFETY: mapped for the rest of the process.
    assert_eq!(unsafe { (address as *const [u8; 5]).read_volatile() }, *b"stays");
}
