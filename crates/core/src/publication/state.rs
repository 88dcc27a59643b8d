//! The state word: everything that a publication says at once (docs/protocol.md R1).

use std::fmt;

/// generation (22 bits) | REPLACED | CLOSED | EMPTY | WRITING | buffer index + 1 (6 bits). Never 0.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct State(pub u32);

impl State {
    /// The buffer that holds the current value, plus 1.
    pub const INDEX: u32 = (1 << 6) - 1;
    /// `buffers = 1`: the value is being changed.
    pub const WRITING: u32 = 1 << 6;
    /// There is no value: none was published yet, or the last publisher died in the middle of one.
    pub const EMPTY: u32 = 1 << 7;
    /// The publisher closed the publication.
    pub const CLOSED: u32 = 1 << 8;
    /// The name leads to another segment now.
    pub const REPLACED: u32 = 1 << 9;
    /// What is added for the next generation; it wraps around.
    pub const GENERATION: u32 = 1 << 10;

    /// What keeps a reader out while it waits for something better.
    pub const NO_VALUE: u32 = State::WRITING | State::EMPTY;
    /// What ends a publication.
    pub const ENDED: u32 = State::CLOSED | State::REPLACED;

    /// The first state of a publication without a value.
    pub const NEW: State = State(State::GENERATION | State::EMPTY);

    /// The current buffer's index, unless the word names none or one of `buffers` that there are not.
    #[inline]
    pub fn index(self, buffers: u32) -> Option<u32> {
        let index = (self.0 & State::INDEX).wrapping_sub(1);
        (index < buffers).then_some(index)
    }

    /// Whether any of these flags is up.
    #[inline]
    pub const fn has(self, flags: u32) -> bool {
        self.0 & flags != 0
    }

    /// The next generation of what the flags and the index say. 0 is skipped, so that the word never is.
    #[inline]
    pub const fn next(self, flags_and_index: u32) -> State {
        let generation = (self.0 & !(State::GENERATION - 1)).wrapping_add(State::GENERATION);
        State((if generation == 0 { State::GENERATION } else { generation }) | flags_and_index)
    }

    /// Flags and index without the generation.
    pub const fn meaning(self) -> u32 {
        self.0 & (State::GENERATION - 1)
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = [(State::WRITING, " WRITING"), (State::EMPTY, " EMPTY"), (State::CLOSED, " CLOSED"), (State::REPLACED, " REPLACED")];
        write!(f, "generation {} buffer {}", self.0 / State::GENERATION, i64::from(self.0 & State::INDEX) - 1)?;
        flags.iter().filter(|(flag, _)| self.has(*flag)).try_for_each(|(_, name)| f.write_str(name))
    }
}
