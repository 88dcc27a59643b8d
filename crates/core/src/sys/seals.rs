//! What a memfd is sealed against: memfd_create(2), fcntl(2).

use std::fmt;
use std::ops::BitOr;
use std::str::FromStr;

/// Seals, which are added and never taken away: what they forbid is forbidden to everybody who has the object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seals(u8);

/// In the order of the bits.
const WORDS: [&str; 5] = ["seal", "shrink", "grow", "write", "future-write"];

impl Seals {
    /// No seal.
    pub const NONE: Seals = Seals(0);
    /// `seal`: no more seals (`F_SEAL_SEAL`).
    pub const SEAL: Seals = Seals(1);
    /// `shrink`: nobody makes it shorter (`F_SEAL_SHRINK`).
    pub const SHRINK: Seals = Seals(2);
    /// `grow`: nobody makes it longer (`F_SEAL_GROW`).
    pub const GROW: Seals = Seals(4);
    /// `write`: nobody changes its bytes (`F_SEAL_WRITE`). Refused while anybody has it mapped to be written.
    pub const WRITE: Seals = Seals(8);
    /// `future-write`: nobody changes its bytes but through what is mapped already (`F_SEAL_FUTURE_WRITE`).
    pub const FUTURE_WRITE: Seals = Seals(16);

    /// Whether all of `others` are among them.
    pub const fn contains(self, others: Seals) -> bool {
        self.0 & others.0 == others.0
    }

    /// Whether nobody can map it to be written any more.
    pub const fn forbids_writing(self) -> bool {
        self.0 & (Seals::WRITE.0 | Seals::FUTURE_WRITE.0) != 0
    }

    /// Their names: `seal`, `shrink`, `grow`, `write`, `future-write`.
    pub fn words(self) -> Vec<&'static str> {
        WORDS.iter().enumerate().filter(|(bit, _)| self.0 & (1 << bit) != 0).map(|(_, word)| *word).collect()
    }
}

impl BitOr for Seals {
    type Output = Seals;

    fn bitor(self, other: Seals) -> Seals {
        Seals(self.0 | other.0)
    }
}

impl FromStr for Seals {
    type Err = String;

    fn from_str(word: &str) -> Result<Seals, String> {
        let bit = WORDS.iter().position(|known| *known == word);
        bit.map(|bit| Seals(1 << bit)).ok_or_else(|| format!("{word:?}, expected one of {}", WORDS.join(", ")))
    }
}

impl fmt::Display for Seals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Seals::NONE { write!(f, "none") } else { write!(f, "{}", self.words().join(", ")) }
    }
}
