//! Another process cuts the segment short: no zero is handed out, the next call says so, and the process goes on.

use crate::common::watchdog::{Watch, bounded};
use crate::common::{Directory, FOREVER, bytes, code, pin};
use crate::player::Player;
use crate::roles::LARGE;
use pagecast::publication::Layout;
use pagecast::{Code, CreateOptions, Name, RawConsumer, RawPublisher};
use std::os::unix::fs::FileExt;

/// Somebody who may write the file and does not know what it is.
pub(crate) struct Cutter(Player);

impl Cutter {
    pub fn start(watch: &Watch, name: &Name) -> Cutter {
        Cutter(Player::start(watch, "cutter", &[name.path().to_str().unwrap()]))
    }

    pub fn cut(&mut self, byte_length: u64) {
        assert_eq!(self.0.ask(&byte_length.to_string()), "cut");
    }
}

const VALUE: [u8; 5000] = [7; 5000];

/// Lengths that leave nothing, half a header, the header, some of the values, and all but the mark's page, some of them in a page's middle.
fn cuts(layout: &Layout) -> Vec<u64> {
    let second = layout.value(1.min(layout.buffer_count - 1));
    vec![
        0,
        100,
        layout.control,
        4096,
        layout.payload,
        layout.payload + 4096,
        second + 100,
        layout.segment_bytes - 4096,
        layout.segment_bytes - 1,
    ]
}

/// Every way to get at a value, or to change it, once the segment was cut.
fn everything_says_so(publisher: &mut RawPublisher, consumers: &mut [RawConsumer]) {
    for consumer in consumers {
        assert_eq!(code(consumer.peek()), Code::Truncated);
        assert_eq!(code(consumer.last()), Code::Truncated);
        assert_eq!(code(consumer.copy(&mut [0; VALUE.len()], true)), Code::Truncated);
        assert_eq!(code(consumer.copy_within(&mut [0; VALUE.len()], FOREVER, true)), Code::Truncated);
        assert_eq!(code(consumer.schema()), Code::Truncated);
        if consumer.slot().is_some() {
            assert_eq!(code(consumer.try_lock(true)), Code::Truncated);
            assert_eq!(code(consumer.lock_within(FOREVER, false)), Code::Truncated);
            assert_eq!(code(consumer.lock(FOREVER)), Code::Truncated);
        }
        assert!(consumer.watcher().changed(consumer.state()), "whoever sleeps for news is to look");
    }
    assert_eq!(code(publisher.write(&VALUE, None)), Code::Truncated);
    assert_eq!(code(publisher.begin(Some(FOREVER), true)), Code::Truncated);
    assert_eq!(code(publisher.peek()), Code::Truncated);
}

#[test]
fn wherever_a_segment_is_cut_both_sides_learn_it_and_live() {
    bounded(|watch| {
        let directory = Directory::new();
        let mut other = RawPublisher::create(directory.name("other"), None, &bytes(8, 3)).unwrap();
        for buffers in [1, 3] {
            let name = directory.name("value");
            let options = CreateOptions { init: Some(&VALUE), ..bytes(VALUE.len() as u64, buffers) };
            let count = cuts(RawPublisher::create(&name, None, &options).unwrap().layout()).len();
            for index in 0..count {
                let mut publisher = RawPublisher::create(&name, None, &options).unwrap();
                let cut = cuts(publisher.layout())[index];
                let whole = publisher.layout().segment_bytes;
                let mut holder = RawConsumer::open(&name, false).unwrap();
                let mut consumers = [false, true].map(|read_only| RawConsumer::open(&name, read_only).unwrap());
                pin(&mut holder);
                let mut cutter = Cutter::start(watch, &name);
                for length in [cut, whole] {
                    watch.stage(format!("{buffers} buffers, cut to {cut} of {whole} bytes, then {length}"));
                    cutter.cut(length);
                    assert_eq!(code(holder.get(0, &mut [0; VALUE.len()])), Code::Truncated);
                    everything_says_so(&mut publisher, &mut consumers);
                    assert!(RawConsumer::open(&name, false).is_err());
                    other.write(&[1; 8], None).unwrap();
                }
                holder.unlock();
                drop(publisher);
                assert!(!name.path().exists());
            }
        }
    });
}

#[test]
fn a_segment_that_was_cut_is_replaced_by_the_next_publisher() {
    bounded(|watch| {
        let directory = Directory::new();
        let name = directory.name("value");
        for cut in [256, 4096, 8192] {
            watch.stage(format!("cut to {cut}"));
            let publisher = RawPublisher::create(&name, None, &bytes(5000, 3)).unwrap();
            let whole = publisher.layout().segment_bytes;
            publisher.abandon();
            let mut cutter = Cutter::start(watch, &name);
            cutter.cut(cut);
            assert_eq!(code(RawConsumer::open(&name, false)), Code::Truncated);
            cutter.cut(whole);
            assert_eq!(code(RawConsumer::open(&name, false)), Code::Truncated, "long again, and empty");
            let mut next = RawPublisher::create(&name, None, &bytes(5000, 3)).unwrap();
            assert!(!next.adopted());
            next.write(&VALUE, None).unwrap();
            assert_eq!(pin(&mut RawConsumer::open(&name, false).unwrap()).observation.byte_length, VALUE.len());
            next.close(false).unwrap();
        }
    });
}

#[test]
fn a_publisher_whose_value_went_nowhere_does_not_publish_it() {
    bounded(|watch| {
        let directory = Directory::new();
        let name = directory.name("value");
        let mut publisher = RawPublisher::create(&name, None, &bytes(5000, 3)).unwrap();
        publisher.write(&VALUE, None).unwrap();
        let state = publisher.state();
        publisher.begin(None, false).unwrap();
        Cutter::start(watch, &name).cut(publisher.layout().payload);
        publisher.put(0, &[8; 5000]).unwrap();
        assert_eq!(code(publisher.commit(5000)), Code::Truncated);
        assert_eq!(publisher.state(), state, "nobody was told");
    });
}

#[test]
fn sleepers_of_a_segment_that_is_cut_wake_up_by_themselves() {
    bounded(|watch| {
        let directory = Directory::new();
        for cut in [0, 4096] {
            let name = directory.name(&format!("cut-{cut}"));
            let _publisher = RawPublisher::create(&name, None, &bytes(5000, 1)).unwrap();
            let mut consumer = RawConsumer::open(&name, false).unwrap();
            let mut cutter = Cutter::start(watch, &name);
            watch.stage(format!("asleep while it is cut to {cut}"));
            let sleeper = std::thread::spawn(move || code(consumer.lock_within(FOREVER, false))); // nothing was published
            cutter.cut(cut);
            assert_eq!(sleeper.join().unwrap(), Code::Truncated);
        }
    });
}

/// Whether somebody attached meanwhile; read from the file, by docs/format.md.
fn attached(name: &Name, layout: &Layout) -> bool {
    let mut high_water = [0; 4];
    std::fs::File::open(name.path()).unwrap().read_exact_at(&mut high_water, layout.control + 12).unwrap();
    u32::from_ne_bytes(high_water) > 0
}

#[test]
fn copies_that_are_under_way_when_a_segment_is_cut_are_never_handed_out() {
    bounded(|watch| {
        let directory = Directory::new();
        for round in 0..24_u64 {
            let name = directory.name(&format!("round-{round}"));
            let (path, file) = (directory.path().to_str().unwrap(), format!("round-{round}"));
            let access = if round % 3 == 2 { "read-only" } else { "read-write" };
            watch.stage(format!("round {round}: {access}"));
            let mut publisher = Player::start(watch, "checked-publisher", &[path, &file, if round % 2 == 0 { "4" } else { "1" }]);
            assert_eq!(publisher.hear(), "ready");
            let mut consumer = Player::start(watch, "checked-consumer", &[path, &file, access]);
            assert_eq!(consumer.hear(), "ready");
            let layout = *RawConsumer::open(&name, true).unwrap().layout();
            assert!(access == "read-only" || attached(&name, &layout));
            let mut cutter = Cutter::start(watch, &name);
            std::thread::sleep(std::time::Duration::from_micros(round * 731 % 5000));
            let cuts = [0, layout.payload, layout.payload + LARGE as u64 / 2 + 100, layout.segment_bytes - 1];
            cutter.cut(cuts[usize::try_from(round).unwrap() % cuts.len()]);
            if round % 5 == 0 {
                cutter.cut(layout.segment_bytes);
            }
            for player in [&mut publisher, &mut consumer] {
                assert_eq!(player.hear(), "ERR_TRUNCATED spoiled 0");
                assert_eq!(player.hear(), "ERR_TRUNCATED, and the other publication goes on");
            }
        }
    });
}
