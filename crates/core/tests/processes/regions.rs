//! Two processes map the same bytes.

use crate::common::watchdog::bounded;
use crate::common::{Directory, code};
use crate::player::Player;
use crate::roles::{answer, commands};
use crate::truncation::Cutter;
use pagecast::region::{MapOptions, Mode, Region, SharedMemory, SharedMemoryOptions, Source};
use pagecast::{Code, Name};
use std::os::fd::AsRawFd;

/// Maps a file, and says and does what it is told.
pub fn mapper(path: &str) {
    let source = Source::File { path: path.into(), create: None };
    let mut region = Region::map(&MapOptions::new(source)).unwrap();
    answer(&region.byte_length().to_string());
    for command in commands() {
        let words: Vec<_> = command.split(' ').collect();
        let number = |index: usize| words[index].parse().unwrap();
        let done = match words[0] {
            "read" => {
                let mut byte = [0];
                region.read_at(number(1), &mut byte).map(|()| byte[0].to_string())
            }
            "write" => region.write_at(number(1), &[u8::try_from(number(2)).unwrap()]).map(|()| "written".into()),
            "resize" => region.resize(number(1)).map(|()| "resized".into()),
            "flat" => flat_out(&region),
            word => panic!("unknown command {word}"),
        };
        answer(&done.unwrap_or_else(|error| error.code().as_str().into()));
    }
}

/// Copies all bytes until it is refused: each copy that was not is all ones.
fn flat_out(region: &Region) -> pagecast::Result<String> {
    answer("running");
    let mut copy = vec![0; usize::try_from(region.byte_length()).unwrap()];
    loop {
        region.read_at(0, &mut copy)?;
        assert!(copy.iter().all(|byte| *byte == 1), "cut off, and handed out");
    }
}

fn object(name: &Name, byte_length: u64) -> Region {
    let options = SharedMemoryOptions { byte_length: Some(byte_length), ..SharedMemoryOptions::default() };
    SharedMemory::open(name, Mode::Exclusive, &options).unwrap().map(MapOptions::default()).unwrap()
}

#[test]
fn what_one_process_writes_another_one_reads() {
    bounded(|watch| {
        let directory = Directory::new();
        let region = object(&directory.name("object"), 10_000);
        let anonymous = Region::map(&MapOptions { byte_length: Some(65_536), ..MapOptions::default() }).unwrap();
        let handed_on = format!("/proc/{}/fd/{}", std::process::id(), anonymous.descriptor().unwrap().as_raw_fd());
        let path = directory.path().join("object");
        for (region, path) in [(&region, path.to_str().unwrap()), (&anonymous, &handed_on)] {
            watch.stage(path);
            let mut other = Player::start(watch, "mapper", &[path]);
            assert_eq!(other.hear(), region.byte_length().to_string());
            region.write_at(9_999, &[7]).unwrap();
            assert_eq!(other.ask("read 9999"), "7");
            assert_eq!(other.ask("write 0 8"), "written");
            let mut byte = [0];
            region.read_at(0, &mut byte).unwrap();
            assert_eq!(byte, [8]);
        }
    });
}

#[test]
fn a_region_that_another_process_makes_shorter_says_so_and_a_longer_one_is_as_before() {
    bounded(|watch| {
        let directory = Directory::new();
        let region = object(&directory.name("object"), 3 * 4096);
        let mut other = Player::start(watch, "mapper", &[directory.path().join("object").to_str().unwrap()]);
        other.hear();
        assert_eq!(other.ask("resize 40960"), "resized");
        region.write_at(3 * 4096 - 1, &[7]).unwrap();
        assert_eq!(other.ask("read 12287"), "7");
        assert_eq!(other.ask("resize 8192"), "resized");
        assert_eq!(other.ask("read 0"), "0");
        assert_eq!(code(region.read_at(0, &mut [0])), Code::Truncated);
        assert_eq!(code(region.flush(0..1, true)), Code::Truncated);
    });
}

#[test]
fn copies_that_are_under_way_when_a_file_is_cut_are_never_handed_out() {
    bounded(|watch| {
        let directory = Directory::new();
        for round in 0..10 {
            watch.stage(format!("round {round}"));
            let name = directory.name(&round.to_string());
            let region = object(&name, 1 << 20);
            region.write_at(0, &vec![1; 1 << 20]).unwrap();
            let mut other = Player::start(watch, "mapper", &[name.path().to_str().unwrap()]);
            other.hear();
            assert_eq!(other.ask("flat out"), "running");
            Cutter::start(watch, &name).cut([0, 4096, 1 << 19, (1 << 20) - 1, 100_000][round % 5]);
            assert_eq!(other.hear(), "ERR_TRUNCATED");
            assert_eq!(other.ask("read 0"), "ERR_TRUNCATED");
        }
    });
}
