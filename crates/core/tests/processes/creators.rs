//! Two processes create the same name at the same moment: exactly one becomes the publisher.

use crate::common::watchdog::bounded;
use crate::common::{Directory, bytes};
use crate::player::Player;
use pagecast::{RawConsumer, RawPublisher};

/// What becomes of the segment before the next round.
type Ending = (&'static str, fn(&Directory));

const CLOSED: Ending = ("close", |_| {});
const KEPT: Ending = ("keep", |_| {});
const ABANDONED: Ending = ("abandon", |_| {});
const CUT: Ending = ("abandon", |directory| {
    let file = std::fs::File::options().write(true).open(directory.name("value").path()).unwrap();
    file.set_len(4096).unwrap();
});
const FORGED: Ending = ("abandon", |directory| {
    let path = directory.name("value");
    let mut file = std::fs::read(path.path()).unwrap();
    file[100] ^= 1;
    std::fs::write(path.path(), file).unwrap();
});

/// So many times, and until each has won.
fn race(rounds: u64, buffers: [u32; 2], endings: &'static [Ending]) {
    bounded(move |watch| {
        let directory = Directory::new();
        let mut start = RawPublisher::create(directory.name("start"), None, &bytes(8, 4)).unwrap();
        let path = directory.path().to_str().unwrap();
        let mut players = buffers.map(|count| Player::start(watch, "creator", &[path, "value", "start", &count.to_string()]));
        assert_eq!(players.each_mut().map(Player::hear), ["ready"; 2]);
        let mut wins = [0; 2];
        for round in 1.. {
            if round > rounds && wins.iter().all(|wins| *wins > 0) {
                break;
            }
            watch.stage(format!("two creators, round {round}"));
            start.write(&[0; 8], None).unwrap();
            let answers = players.each_mut().map(Player::hear);
            let winner = match answers.each_ref().map(String::as_str) {
                ["won", "ERR_PUBLISHER_EXISTS"] => 0,
                ["ERR_PUBLISHER_EXISTS", "won"] => 1,
                _ => panic!("round {round}: {answers:?}"),
            };
            wins[winner] += 1;
            let consumer = RawConsumer::open(directory.name("value"), true).unwrap();
            assert!(consumer.publisher_alive().unwrap(), "round {round}: the name leads to the winner's segment");
            assert_eq!((consumer.publisher_pid(), consumer.layout().buffer_count), (players[winner].pid(), buffers[winner]));
            let (command, then) = endings[usize::try_from(round).unwrap() % endings.len()];
            assert_eq!(players[winner].ask(command), "done");
            then(&directory);
        }
        assert!(directory.files().iter().all(|file| file == "start" || file == "value"), "{:?}", directory.files());
    });
}

#[test]
fn of_two_creators_exactly_one_wins_a_thousand_times() {
    race(1000, [2, 2], &[CLOSED]);
}

#[test]
fn of_two_successors_exactly_one_wins_a_thousand_times() {
    race(1000, [2, 2], &[ABANDONED, KEPT, CLOSED]);
}

#[test]
fn of_two_that_replace_what_is_there_exactly_one_wins_a_thousand_times() {
    race(1000, [2, 3], &[ABANDONED, CUT, FORGED, KEPT, CLOSED]);
}

#[test]
fn of_two_that_find_it_damaged_exactly_one_wins_a_thousand_times() {
    race(1000, [2, 2], &[CUT, FORGED]);
}
