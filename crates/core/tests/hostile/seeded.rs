//! Thousands of damaged segments, the same ones each time.

use crate::common::Directory;
use crate::common::watchdog::bounded;
use crate::harness::{Seed, try_everything};

/// Another one finds other things: `PAGECAST_TEST_SEED=7 PAGECAST_TEST_CASES=100000 cargo test --test hostile seeded`.
fn setting(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |value| value.parse().unwrap())
}

/// xorshift64*: enough to reach everywhere.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() >> 16).unwrap() % end
    }

    /// Bytes as a fuzzer would make them, short ones often.
    fn input(&mut self) -> Vec<u8> {
        let changes = 1 + self.below(4) * self.below(4);
        (0..=4 * changes).map(|_| self.next().to_le_bytes()[7]).collect()
    }
}

#[test]
fn no_damage_brings_anybody_down() {
    let (seed, cases) = (setting("PAGECAST_TEST_SEED", 1), setting("PAGECAST_TEST_CASES", 3000));
    println!("seed {seed}, {cases} cases");
    bounded(move |watch| {
        let directory = Directory::new();
        let seeds = [1, 2].map(|buffers| Seed::new(directory.path(), buffers));
        let mut random = Random::new(seed);
        for case in 0..cases {
            let input = random.input();
            watch.stage(format!("case {case} of seed {seed}: {input:?}"));
            try_everything(directory.path(), &seeds[random.below(2)].changed(&input));
        }
        assert!(directory.files().is_empty(), "left behind: {:?}", directory.files());
    });
}
