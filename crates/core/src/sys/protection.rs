//! What may be done with pages, and what the kernel is told of their use: words that are the same everywhere.

use std::fmt;
use std::str::FromStr;

/// What a process may do with pages: `PROT_…` of mmap(2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing.
    None,
    /// Read.
    Read,
    /// Read and write.
    ReadWrite,
    /// Read and execute.
    ReadExecute,
    /// Read, write and execute, where the system allows it.
    ReadWriteExecute,
}

impl Access {
    const WORDS: [(Access, &'static str); 5] = [
        (Access::None, "none"),
        (Access::Read, "r"),
        (Access::ReadWrite, "rw"),
        (Access::ReadExecute, "rx"),
        (Access::ReadWriteExecute, "rwx"),
    ];

    /// Whether the pages may be read.
    pub fn reads(self) -> bool {
        self != Access::None
    }

    /// Whether the pages may be written.
    pub fn writes(self) -> bool {
        matches!(self, Access::ReadWrite | Access::ReadWriteExecute)
    }

    /// Whether the pages may be executed.
    pub fn executes(self) -> bool {
        matches!(self, Access::ReadExecute | Access::ReadWriteExecute)
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(word_of(&Access::WORDS, *self))
    }
}

impl FromStr for Access {
    type Err = String;

    fn from_str(word: &str) -> Result<Access, String> {
        named(&Access::WORDS, word)
    }
}

/// What the kernel is told of the use of pages: `MADV_…` of madvise(2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advice {
    /// No special treatment.
    Normal,
    /// Pages in no order: no reading ahead.
    Random,
    /// Pages one after the other.
    Sequential,
    /// Soon.
    WillNeed,
    /// Not soon. Of private pages what was written is gone.
    DontNeed,
    /// Huge pages, where the system has them.
    HugePage,
    /// None.
    NoHugePage,
    /// The kernel may take the pages whenever it wants them; private ones only.
    Free,
    /// Not used of late.
    Cold,
    /// To be written out now.
    PageOut,
    /// The bytes themselves are given up, for everybody who shares them: a hole of zeros.
    Remove,
    /// Not in a forked child.
    DontFork,
    /// In it.
    DoFork,
    /// Not in a core dump.
    DontDump,
    /// In it.
    DoDump,
}

impl Advice {
    const WORDS: [(Advice, &'static str); 15] = [
        (Advice::Normal, "normal"),
        (Advice::Random, "random"),
        (Advice::Sequential, "sequential"),
        (Advice::WillNeed, "willneed"),
        (Advice::DontNeed, "dontneed"),
        (Advice::HugePage, "hugepage"),
        (Advice::NoHugePage, "nohugepage"),
        (Advice::Free, "free"),
        (Advice::Cold, "cold"),
        (Advice::PageOut, "pageout"),
        (Advice::Remove, "remove"),
        (Advice::DontFork, "dontfork"),
        (Advice::DoFork, "dofork"),
        (Advice::DontDump, "dontdump"),
        (Advice::DoDump, "dodump"),
    ];
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(word_of(&Advice::WORDS, *self))
    }
}

impl FromStr for Advice {
    type Err = String;

    fn from_str(word: &str) -> Result<Advice, String> {
        named(&Advice::WORDS, word)
    }
}

fn word_of<T: PartialEq>(words: &[(T, &'static str)], value: T) -> &'static str {
    words.iter().find(|(known, _)| *known == value).map_or("", |(_, word)| word)
}

fn named<T: Copy>(words: &[(T, &'static str)], word: &str) -> Result<T, String> {
    let found = words.iter().find(|(_, known)| *known == word).map(|(value, _)| *value);
    found.ok_or_else(|| {
        let known: Vec<_> = words.iter().map(|(_, word)| *word).collect();
        format!("{word:?}, expected one of {}", known.join(", "))
    })
}
