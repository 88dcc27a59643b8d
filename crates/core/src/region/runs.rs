//! What may be done with each page of a region, for as many pages in a row as it is the same.

use crate::sys::Access;
use std::ops::Range;

/// `None`: the pages were given up.
type State = Option<Access>;

/// Begins at page 0; each run reaches to the next one.
#[derive(Clone, Debug)]
pub(super) struct Runs {
    runs: Vec<(usize, State)>,
    pages: usize,
}

impl Runs {
    pub fn new(pages: usize, access: Access) -> Runs {
        Runs { runs: vec![(0, Some(access))], pages }
    }

    /// From now on these pages are so.
    pub fn set(&mut self, pages: &Range<usize>, state: State) {
        if pages.is_empty() {
            return;
        }
        let after = self.at(pages.end);
        let mut runs: Vec<_> = self.runs.iter().copied().filter(|(first, _)| *first < pages.start).collect();
        runs.push((pages.start, state));
        if pages.end < self.pages {
            runs.push((pages.end, after));
        }
        runs.extend(self.runs.iter().copied().filter(|(first, _)| *first > pages.end));
        runs.dedup_by(|next, run| next.1 == run.1);
        self.runs = runs;
    }

    /// As many pages as this; with what may be done to those that are new.
    pub fn set_length(&mut self, pages: usize, access: Access) {
        let before = std::mem::replace(&mut self.pages, pages);
        self.runs.retain(|(first, _)| *first < pages.max(1));
        self.set(&(before..pages), Some(access));
    }

    /// What may be done with a page.
    pub fn at(&self, page: usize) -> State {
        self.runs.iter().rev().find(|(first, _)| *first <= page).and_then(|(_, state)| *state)
    }

    /// The first page of these of which `wanted` is not true.
    pub fn first_but(&self, pages: &Range<usize>, wanted: impl Fn(State) -> bool) -> Option<(usize, State)> {
        self.within(pages).find(|(_, state)| !wanted(*state)).map(|(part, state)| (part.start, state))
    }

    /// The runs, as far as they are in these pages.
    pub fn within(&self, pages: &Range<usize>) -> impl Iterator<Item = (Range<usize>, State)> + use<'_> {
        let ends = self.runs.iter().skip(1).map(|(first, _)| *first).chain([self.pages]);
        let all = self.runs.iter().zip(ends).map(|((first, state), end)| (*first..end, *state));
        let (start, end) = (pages.start, pages.end);
        all.map(move |(run, state)| (run.start.max(start)..run.end.min(end), state)).filter(|(part, _)| !part.is_empty())
    }

    pub fn all(&self) -> impl Iterator<Item = (Range<usize>, State)> + use<'_> {
        self.within(&(0..self.pages))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states(runs: &Runs) -> Vec<(Range<usize>, State)> {
        runs.all().collect()
    }

    #[test]
    fn pages_that_are_alike_are_one_run() {
        let (read, write) = (Some(Access::Read), Some(Access::ReadWrite));
        let mut runs = Runs::new(10, Access::ReadWrite);
        runs.set(&(2..5), read);
        assert_eq!(states(&runs), [(0..2, write), (2..5, read), (5..10, write)]);
        runs.set(&(4..10), None);
        assert_eq!(states(&runs), [(0..2, write), (2..4, read), (4..10, None)]);
        runs.set(&(0..3), read);
        assert_eq!(states(&runs), [(0..4, read), (4..10, None)]);
        assert_eq!(runs.first_but(&(1..9), |state| state == read), Some((4, None)));
        assert_eq!(runs.first_but(&(1..4), |state| state == read), None);
        runs.set(&(0..10), write);
        assert_eq!(states(&runs), [(0..10, write)]);
        runs.set(&(3..3), None);
        runs.set_length(4, Access::Read);
        assert_eq!(states(&runs), [(0..4, write)]);
        runs.set(&(3..4), None);
        runs.set_length(9, Access::ReadWrite);
        assert_eq!(states(&runs), [(0..3, write), (3..4, None), (4..9, write)]);
    }

    #[test]
    fn every_change_is_as_page_by_page() {
        let mut seed = 1_u64;
        let mut random = move |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) as usize % below
        };
        let mut runs = Runs::new(16, Access::ReadWrite);
        let mut pages = [Some(Access::ReadWrite); 16];
        for _ in 0..10_000 {
            let (start, length) = (random(16), random(17));
            let part = start..(start + length).min(16);
            let state = [None, Some(Access::None), Some(Access::Read), Some(Access::ReadWrite)][random(4)];
            runs.set(&part, state);
            pages[part].fill(state);
            assert!((0..16).all(|page| runs.at(page) == pages[page]), "{runs:?} {pages:?}");
            assert!(runs.runs.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 != pair[1].1));
        }
    }
}
