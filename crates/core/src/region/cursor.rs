//! Reading and writing from a position on, as a file.

use super::Region;
use std::io::{self, Read, Seek, SeekFrom, Write};

fn to_io(error: crate::Error) -> io::Error {
    io::Error::other(error)
}

impl Region {
    /// Bytes from the position to the end.
    fn left(&self) -> u64 {
        self.byte_length() - self.position
    }
}

impl Read for Region {
    /// Fewer bytes at the end, and then none.
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let count = target.len().min(usize::try_from(self.left()).unwrap_or(usize::MAX));
        self.read_at(self.position, &mut target[..count]).map_err(to_io)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Write for Region {
    /// Fewer bytes at the end, and then none.
    fn write(&mut self, source: &[u8]) -> io::Result<usize> {
        let count = source.len().min(usize::try_from(self.left()).unwrap_or(usize::MAX));
        self.write_at(self.position, &source[..count]).map_err(to_io)?;
        self.position += count as u64;
        Ok(count)
    }

    /// Others who have mapped the object see what is written at once; for what survives the machine, see [`Region::flush`](Region::flush).
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Region {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
            SeekFrom::End(by) => self.byte_length().checked_add_signed(by),
        };
        match position.filter(|position| *position <= self.byte_length()) {
            Some(position) => {
                self.position = position;
                Ok(position)
            }
            None => Err(io::Error::new(io::ErrorKind::InvalidInput, format!("no position within {} bytes", self.byte_length()))),
        }
    }
}
