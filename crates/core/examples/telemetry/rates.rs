//! Counters that only grow, seen as changes per second.

use std::collections::VecDeque;

/// Counters tick 100 times a second at best: over less time than this their changes say little.
const WINDOW_SECONDS: f64 = 1.0;

/// The counters of the last second.
#[derive(Default)]
pub struct Rates {
    history: VecDeque<(f64, Vec<f64>)>,
}

impl Rates {
    /// Takes the counters as they are now; gives the change per second of each, 0 where nothing is known yet.
    pub fn update(&mut self, seconds: f64, counters: Vec<f64>) -> Vec<f64> {
        if self.history.front().is_some_and(|(_, oldest)| oldest.len() != counters.len()) {
            self.history.clear(); // a device came or went
        }
        self.history.push_back((seconds, counters));
        while self.history.get(1).is_some_and(|(at, _)| seconds - at >= WINDOW_SECONDS) {
            self.history.pop_front();
        }
        let (Some((from, before)), Some((to, now))) = (self.history.front(), self.history.back()) else { return Vec::new() };
        let elapsed = (to - from).max(f64::MIN_POSITIVE);
        now.iter().zip(before).map(|(now, before)| ((now - before) / elapsed).max(0.0)).collect()
    }
}
