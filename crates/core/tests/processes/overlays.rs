//! Processes share numbers that each of them had already, and one gets its own back where there is hardly any memory.

use crate::common::watchdog::bounded;
use crate::common::{Directory, code};
use crate::player::Player;
use crate::roles::{answer, commands};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use pagecast::Code;
use pagecast::region::{MapOptions, Overlay, Source, StillOverlaid};
use std::fs::{read_to_string, write};

const PAGE: u64 = 4096;
const MEGABYTE: u64 = 1 << 20;

fn overlay(numbers: Vec<f32>, path: &str) -> Overlay<f32> {
    let source = Source::File { path: path.into(), create: None };
    Overlay::map(numbers, MapOptions { byte_length: Some(2 * PAGE), ..MapOptions::new(source) }).unwrap()
}

/// Has numbers, shares some of them, and says and does what it is told.
pub fn sharer(path: &str) {
    let numbers = overlay(vec![-1.0; 3 * 1024], path);
    answer("shared");
    for command in commands() {
        let words: Vec<_> = command.split(' ').collect();
        match words[..] {
            ["fill", value] => {
                let value: f32 = value.parse().unwrap();
                (0..2048).for_each(|index| numbers.write_at(4 * index, &(value + index as f32).to_ne_bytes()).unwrap());
                answer("filled");
            }
            ["back"] => break,
            _ => panic!("unknown command {command}"),
        }
    }
    let from = numbers.byte_offset() / 4;
    let numbers = numbers.into_memory(true).unwrap();
    let own = numbers.iter().enumerate().filter(|(index, _)| !(from..from + 2048).contains(index));
    assert!(own.map(|(_, number)| *number).eq(std::iter::repeat_n(-1.0, 1024)), "what was not shared");
    answer(&numbers[from..from + 2048].iter().sum::<f32>().to_string());
}

/// Gives 16 MiB back where there is room for 8.
pub fn give_back_without_room(path: &str) {
    let numbers = vec![1.0_f32; usize::try_from(16 * MEGABYTE / 4 + PAGE / 4).unwrap()];
    let source = Source::File { path: path.into(), create: Some(0o600) };
    let options = MapOptions { byte_length: Some(16 * MEGABYTE), ..MapOptions::new(source) };
    let overlay = Overlay::map_kept(numbers, options).unwrap();
    let (_, hard) = getrlimit(Resource::RLIMIT_AS).unwrap();
    let pages: u64 = read_to_string("/proc/self/statm").unwrap().split(' ').next().unwrap().parse().unwrap();
    setrlimit(Resource::RLIMIT_AS, pages * PAGE + 8 * MEGABYTE, hard).unwrap();
    let StillOverlaid { overlay, error } = overlay.into_memory(true).unwrap_err();
    assert_eq!(error.code(), Code::AddressSpace, "{error}");
    overlay.write_at(0, &5.0_f32.to_ne_bytes()).unwrap();
    assert_eq!(std::fs::read(path).unwrap()[..4], 5.0_f32.to_ne_bytes(), "it is as it was");
    let from = overlay.byte_offset() / 4;
    let numbers = overlay.into_memory(false).unwrap();
    assert_eq!((numbers[from].to_bits(), numbers[from + 1].to_bits()), (0, 0), "zeros take no room");
    answer("given back");
}

#[test]
fn numbers_that_one_process_fills_are_those_of_another() {
    bounded(|watch| {
        let directory = Directory::new();
        let file = directory.path().join("file");
        write(&file, vec![0; 2 * PAGE as usize]).unwrap();
        let path = file.to_str().unwrap();
        let mut players = [Player::start(watch, "sharer", &[path]), Player::start(watch, "sharer", &[path])];
        for player in &mut players {
            watch.stage("sharing");
            assert_eq!(player.hear(), "shared");
        }
        let [first, second] = &mut players;
        let mine = overlay(vec![0.0; 4096], path);
        for value in [1.0_f32, 100.0] {
            first.say(&format!("fill {value}"));
            assert_eq!(first.hear(), "filled");
            let mut number = [0; 4];
            mine.read_at(4 * 7, &mut number).unwrap();
            assert_eq!(f32::from_ne_bytes(number), value + 7.0);
        }
        watch.stage("giving back");
        second.say("back");
        let sum: f32 = (0..2048_u16).map(|index| 100.0 + f32::from(index)).sum();
        assert_eq!(second.hear(), sum.to_string());
        assert_eq!(code(mine.write_at(2 * PAGE, &[1])), Code::ValueRange);
    });
}

#[test]
fn without_room_for_a_copy_an_overlay_stays_and_can_still_end() {
    bounded(|watch| {
        watch.stage("out of address space");
        let directory = Directory::new();
        let mut player = Player::start(watch, "give-back-without-room", &[directory.path().join("file").to_str().unwrap()]);
        assert_eq!(player.hear(), "given back");
    });
}
