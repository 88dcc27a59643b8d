//! The files of /proc, opened once and read again from their beginning: each read is a new snapshot.

use std::fs::File;
use std::os::unix::fs::FileExt;

pub struct Source {
    file: Option<File>,
    bytes: Vec<u8>,
}

impl Source {
    /// A system without this file has nothing to say about its subject, which is no error.
    pub fn open(path: &str) -> Source {
        Source { file: File::open(path).ok(), bytes: vec![0; 64 * 1024] }
    }

    pub fn read(&mut self) -> &str {
        let length = self.file.as_ref().and_then(|file| file.read_at(&mut self.bytes, 0).ok()).unwrap_or(0);
        std::str::from_utf8(&self.bytes[..length]).unwrap_or_default()
    }
}

/// The words of a line as numbers, 0 for what is none.
pub fn numbers<'a>(words: impl Iterator<Item = &'a str>) -> Vec<f64> {
    words.map(|word| word.parse().unwrap_or(0.0)).collect()
}

/// The names of whole disks: /proc/diskstats lists their partitions too, which would count everything twice.
pub fn whole_disks() -> Vec<String> {
    let entries = std::fs::read_dir("/sys/block").into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| !["loop", "ram", "zram"].iter().any(|kind| name.starts_with(kind))).collect()
}
