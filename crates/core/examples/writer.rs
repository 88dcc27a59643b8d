//! One writer of the hammer, as `hammer/writer.mjs`, which says what it does and prints.
//!
//! ```text
//! writer OWNER LIMIT_MS OFFSET+LENGTH,… 3< REGION
//! ```

use pagecast::region::{MapOptions, Region, Source};
use std::io::{Read, Seek, SeekFrom, Write};
use std::time::{Duration, Instant};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const REGION: i32 = 3;
/// As in `hammer/layout.mjs`.
const CONTROL: u64 = 0;
const GO: u32 = 1;
const STOP: u32 = 2;
const LONGEST: usize = 64;

const USAGE: &str = "usage: writer OWNER LIMIT_MS OFFSET+LENGTH,… 3< REGION";

fn main() -> Result<()> {
    let arguments = std::env::args().skip(1).collect::<Vec<_>>();
    let [owner, limit, fields] = arguments.as_slice() else {
        return Err(USAGE.into());
    };
    let fields = fields.split(',').map(Field::parse).collect::<Result<Vec<_>>>()?;
    let region = Region::map(&MapOptions::new(Source::duplicate(REGION)?))?;
    let limit = Duration::from_millis(limit.parse()?);
    let mut writer = Writer { region, owner: owner.parse()?, fields, end: Instant::now() + limit, turn: 0 };
    say(r#"{"event":"ready"}"#)?;
    writer.work()
}

struct Field {
    offset: u64,
    length: usize,
}

impl Field {
    fn parse(place: &str) -> Result<Field> {
        let (offset, length) = place.split_once('+').ok_or(USAGE)?;
        Ok(Field { offset: offset.parse()?, length: length.parse()? })
    }
}

struct Writer {
    region: Region,
    owner: u32,
    fields: Vec<Field>,
    /// Should the hammer be gone, nobody is to go on for ever.
    end: Instant,
    turn: u32,
}

impl Writer {
    fn work(&mut self) -> Result<()> {
        let (mut writes, mut disturbed) = (0_u64, 0_u64);
        while self.control()? < GO {
            std::thread::sleep(Duration::from_millis(1));
        }
        while self.control()? != STOP {
            disturbed += self.take_turn()?;
            writes += self.fields.len() as u64;
        }
        let (checks, turn) = (writes.saturating_sub(self.fields.len() as u64), self.turn); // not before the first turn
        say(&format!(r#"{{"writes":{writes},"checks":{checks},"disturbed":{disturbed},"turn":{turn}}}"#))
    }

    fn control(&self) -> Result<u32> {
        if Instant::now() > self.end {
            return Err("nobody has said anything for too long".into());
        }
        let mut word = [0; 4];
        self.region.read_at(CONTROL, &mut word)?;
        Ok(u32::from_le_bytes(word))
    }

    /// How many fields did not hold what was written in the turn before.
    fn take_turn(&mut self) -> Result<u64> {
        let (mut disturbed, turn) = (0, self.turn + 1);
        let (mut found, mut next) = ([0; LONGEST], [0; LONGEST]);
        for (at, &Field { offset, length }) in self.fields.iter().enumerate() {
            let (found, next) = (&mut found[..length], &mut next[..length]);
            let as_file = (turn as usize + at).is_multiple_of(2);
            if self.turn > 0 {
                if as_file {
                    self.region.seek(SeekFrom::Start(offset))?;
                    self.region.read_exact(found)?;
                } else {
                    self.region.read_at(offset, found)?;
                }
                fill(next, self.owner, self.turn);
                disturbed += u64::from(found != next);
            }
            fill(next, self.owner, turn);
            if as_file {
                self.region.write_at(offset, next)?;
            } else {
                self.region.seek(SeekFrom::Start(offset))?;
                self.region.write_all(next)?;
            }
        }
        self.turn = turn;
        Ok(disturbed)
    }
}

/// As `byteOf` in `hammer/layout.mjs`.
fn fill(bytes: &mut [u8], owner: u32, turn: u32) {
    for (index, byte) in (0_u32..).zip(bytes) {
        let value = owner.wrapping_mul(37).wrapping_add(turn.wrapping_mul(101)).wrapping_add(index * 11 + 1);
        *byte = (value & 0xff) as u8;
    }
}

fn say(line: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
