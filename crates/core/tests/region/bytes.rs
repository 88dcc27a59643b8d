use crate::common::code;
use crate::{anonymous, byte};
use pagecast::Code;
use pagecast::region::{Access, MapOptions, Region};
use std::io::{Read, Seek, SeekFrom, Write};

#[test]
fn what_was_written_is_read() {
    let region = anonymous(10_000);
    let value: Vec<u8> = (0..=255).cycle().take(5000).collect();
    for byte_offset in [0, 1, 4095, 4999, 5000] {
        region.write_at(byte_offset, &value).unwrap();
        let mut read = vec![0; 5000];
        region.read_at(byte_offset, &mut read).unwrap();
        assert_eq!(read, value);
    }
}

#[test]
fn nothing_outside_is_read_or_written() {
    let region = anonymous(100);
    for (byte_offset, length) in [(0, 101), (100, 1), (101, 0), (u64::MAX, 1), (u64::MAX, 0), (50, 51)] {
        assert_eq!(code(region.read_at(byte_offset, &mut vec![0; length])), Code::ValueRange, "{length} from {byte_offset}");
        assert_eq!(code(region.write_at(byte_offset, &vec![1; length])), Code::ValueRange);
    }
    region.write_at(100, &[]).unwrap();
    assert!((0..100).all(|byte_offset| byte(&region, byte_offset) == 0));
}

#[test]
fn addresses_and_offsets_are_each_other_s_inverse() {
    let region = anonymous(10_000);
    assert!(region.address().is_multiple_of(4096));
    assert_eq!(region.address_of(123), Some(region.address() + 123));
    assert_eq!(region.offset_of(region.address() + 123), Some(123));
    assert_eq!(region.address_of(10_000), Some(region.address() + 10_000));
    assert_eq!((region.address_of(10_001), region.offset_of(region.address() - 1)), (None, None));
    assert_eq!(region.offset_of(region.address() + 10_001), None);
    region.write_at(123, &[9]).unwrap();
    // SAFETY: mapped, and nobody writes there now.
    assert_eq!(unsafe { (region.address_of(123).unwrap() as *const u8).read_volatile() }, 9);
}

#[test]
fn it_is_read_and_written_like_a_file() {
    let mut region = anonymous(10);
    assert_eq!(region.write(b"hello").unwrap(), 5);
    assert_eq!(region.stream_position().unwrap(), 5);
    assert_eq!(region.write(b", world").unwrap(), 5);
    assert_eq!(region.write(b"!").unwrap(), 0);
    assert_eq!(region.seek(SeekFrom::Start(1)).unwrap(), 1);
    let mut four = [0; 4];
    region.read_exact(&mut four).unwrap();
    assert_eq!(&four, b"ello");
    assert_eq!(region.seek(SeekFrom::End(-3)).unwrap(), 7);
    let mut rest = Vec::new();
    region.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, b"wor");
    for nowhere in [SeekFrom::Start(11), SeekFrom::End(1), SeekFrom::Current(-11), SeekFrom::Current(i64::MIN)] {
        assert!(region.seek(nowhere).is_err(), "{nowhere:?}");
    }
    assert_eq!(region.stream_position().unwrap(), 10);
}

#[test]
fn what_may_not_be_written_is_not() {
    let region = Region::map(&MapOptions { byte_length: Some(4096), access: Access::Read, ..MapOptions::default() }).unwrap();
    assert_eq!(code(region.write_at(0, &[1])), Code::ReadOnly);
    assert_eq!(byte(&region, 0), 0);
    let region = Region::map(&MapOptions { byte_length: Some(4096), access: Access::None, ..MapOptions::default() }).unwrap();
    assert_eq!(code(region.read_at(0, &mut [0])), Code::NoAccess);
    assert_eq!(code(region.write_at(0, &[0])), Code::NoAccess);
}
