//! A line of the language: a verb, then words, `name=value` among them.

use std::time::Duration;

/// The answer, or why there is none.
pub type Answer<T = String> = Result<T, Box<dyn std::error::Error>>;

/// Longer than anything takes that ends at all.
pub const FOREVER: Duration = Duration::from_secs(30);

pub struct Command<'a> {
    pub verb: &'a str,
    words: Vec<&'a str>,
}

impl<'a> Command<'a> {
    pub fn parse(line: &'a str) -> Command<'a> {
        let mut words = line.split_whitespace();
        Command { verb: words.next().unwrap_or_default(), words: words.collect() }
    }

    pub fn word(&self, index: usize) -> Answer<&'a str> {
        let plain = self.words.iter().filter(|word| !word.contains('='));
        Ok(plain.copied().nth(index).ok_or_else(|| format!("{} needs more words", self.verb))?)
    }

    pub fn number(&self, index: usize) -> Answer<u32> {
        Ok(self.word(index)?.parse()?)
    }

    pub fn has(&self, word: &str) -> bool {
        self.words.contains(&word)
    }

    pub fn option(&self, name: &str) -> Option<&'a str> {
        self.words.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
    }

    pub fn number_option<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, T::Err> {
        self.option(name).map(str::parse).transpose()
    }

    /// `timeout=` in milliseconds.
    pub fn timeout(&self) -> Answer<Option<Duration>> {
        Ok(self.number_option("timeout")?.map(Duration::from_millis))
    }

    pub fn unknown(&self) -> Answer {
        Err(format!("{} is not for this party", self.verb).into())
    }
}
