//! Transparent huge pages (madvise(2), `MADV_HUGEPAGE`). The kernel takes the advice also where it will not follow it, so it is asked what it makes of the
//! mapping: `THPeligible` of /proc/self/smaps, since Linux 5.0. Before that, and where there is no /proc, its settings are all there is.

use super::object::Object;
use crate::error::{Code, Error, Result, grouped};
use crate::memory::{Fillings, View};
use crate::sys::Advice;
use std::fs::{File, read_to_string};
use std::io::{BufRead, BufReader};
use std::ops::Range;

const SETTINGS: &str = "/sys/kernel/mm/transparent_hugepage";
const SMAPS: &str = "/proc/self/smaps";

/// How often an engine is asked for other memory: each time makes one more free stretch fit, and those that it gave back leave some, too.
const TRIES: u32 = 64;

/// Finds a place for huge pages in memory that somebody else places, as the kernel does, or an engine: V8 aligns its own to 64 KiB, so that the multiples of a
/// huge page's size in a shared object are at such multiples of an address only by luck. So whoever finds that they are not asks for other memory, keeping
/// the first, while what lies beside that is filled up to where they would be. Linux 6.7 to 6.12 begins all that is longer than a huge page as those do: what
/// begins elsewhere in its object finds no place there.
#[derive(Debug, Default)]
pub struct HugePlace {
    byte_offset: u64,
    tries: u32,
    fillings: Fillings,
}

impl HugePlace {
    /// For what begins at this byte of its object.
    pub fn new(byte_offset: u64) -> HugePlace {
        HugePlace { byte_offset, ..HugePlace::default() }
    }

    /// Whether other memory may be better than these pages are, asked for while this lives, and while what was asked for before is still there. Not if they can
    /// hold a huge page, nor if so many could hold none wherever they are.
    pub fn is_elsewhere(&mut self, pages: &Range<usize>) -> bool {
        let Some(size) = huge_page() else { return false };
        let offset = usize::try_from(self.byte_offset % size as u64).unwrap_or(0);
        let best = offset..offset.saturating_add(pages.len());
        let may_be = |pages| can_hold_one(pages, Some(self.byte_offset));
        if may_be(pages) || !may_be(&best) || self.tries == TRIES {
            return false;
        }
        // what an engine takes with it on both sides is a multiple of a huge page, or nothing
        let taken = if self.tries.is_multiple_of(2) { 0 } else { pages.len() };
        self.fillings.add_around(pages.start, size, (offset + taken) % size);
        self.tries += 1;
        true
    }

    /// Mapped again until there can be huge pages, or nothing is left to try.
    pub(super) fn find(mut self, map: impl Fn() -> Result<View>) -> Result<View> {
        let mut views = vec![map()?]; // each stays, for the next one to be elsewhere
        while views.last().is_some_and(|view| self.is_elsewhere(&addresses(view))) {
            let Ok(other) = map() else { break };
            views.push(other);
        }
        views.pop().map_or_else(map, Ok)
    }
}

/// Asks for them; why not, if the system refuses.
pub(super) fn ask(title: &str, object: &Object, private: bool, byte_offset: u64, view: &View) -> Result<()> {
    let setting = || forbidding_setting(object, private);
    let asked = view.advise(&(0..view.byte_length()), Advice::HugePage);
    if let Err(errno) = asked {
        let unnamed = || Error::system(format_args!("{title}: huge pages"), "madvise", errno).with_code(Code::HugePages);
        return Err(setting().map_or_else(unnamed, |fact| refused(title, &fact)));
    }
    let pages = addresses(view);
    match File::open(SMAPS).ok().and_then(|smaps| is_eligible(BufReader::new(smaps), &pages)) {
        Some(true) => Ok(()),
        Some(false) => {
            let within = (!private || !object.is_device).then_some(byte_offset); // private zeros have no place in /dev/zero
            let place = (!can_hold_one(&pages, within)).then(|| holds_none(&pages));
            let fact =
                place.or_else(setting).unwrap_or_else(|| format!("the kernel has none for such a mapping (THPeligible: 0 in {SMAPS})"));
            Err(refused(title, &fact))
        }
        None => setting().map_or(Ok(()), |fact| Err(refused(title, &fact))),
    }
}

fn addresses(view: &View) -> Range<usize> {
    view.address()..view.address() + view.byte_length()
}

/// Refuses a place that cannot hold one, before anything is lost there by mapping a shared object over it.
pub(super) fn check_place(title: &str, pages: &Range<usize>, byte_offset: u64) -> Result<()> {
    if can_hold_one(pages, Some(byte_offset)) { Ok(()) } else { Err(refused(title, &holds_none(pages))) }
}

fn refused(title: &str, fact: &str) -> Error {
    Error::new(Code::HugePages, format!("{title}: huge pages asked for, and refused: {fact}"))
}

/// The setting that forbids them, or that there is none for what is mapped.
fn forbidding_setting(object: &Object, private: bool) -> Option<String> {
    let setting = match (private, object.is_memory, object.is_device) {
        (_, true, false) => "shmem_enabled",
        (true, _, _) => "enabled",
        _ => return Some("the kernel promises none for this kind of file".into()),
    };
    let path = format!("{SETTINGS}/{setting}");
    match read_to_string(&path) {
        Err(error) => Some(format!("{path}: {error}")),
        Ok(chosen) if chosen.contains("[never]") || chosen.contains("[deny]") => {
            let unless = if setting == "enabled" { "" } else { ", and no mounted tmpfs says otherwise by huge=" };
            Some(format!("{path} is {:?}{unless}", chosen.trim()))
        }
        Ok(_) => None,
    }
}

/// Bytes of a huge page.
fn huge_page() -> Option<usize> {
    let size: usize = read_to_string(format!("{SETTINGS}/hpage_pmd_size")).ok()?.trim().parse().ok()?;
    size.is_power_of_two().then_some(size)
}

/// Whether a whole one lies in these pages; one of an object begins at a multiple of its size there, too.
fn can_hold_one(pages: &Range<usize>, byte_offset: Option<u64>) -> bool {
    let Some(size) = huge_page() else { return true };
    let is_level = byte_offset.is_none_or(|byte_offset| (pages.start as u64).wrapping_sub(byte_offset).is_multiple_of(size as u64));
    let first = pages.start.checked_next_multiple_of(size).and_then(|first| first.checked_add(size));
    is_level && first.is_some_and(|end| end <= pages.end)
}

fn holds_none(pages: &Range<usize>) -> String {
    let (bytes, size) = (grouped(pages.len() as u64), grouped(huge_page().unwrap_or(0) as u64));
    format!(
        "{bytes} bytes at {:#x} hold no huge page, which is at a multiple of its {size} bytes, in memory and in a shared object",
        pages.start
    )
}

/// What the kernel says of the mappings within these pages: whether one of them may have huge pages. `None` if it does not say.
fn is_eligible(smaps: impl BufRead, pages: &Range<usize>) -> Option<bool> {
    let mut is_here = false;
    let mut found = None;
    for line in smaps.split(b'\n') {
        let line = String::from_utf8_lossy(&line.ok()?).into_owned(); // paths are any bytes
        if let Some(mapping) = header(&line) {
            if mapping.start >= pages.end {
                break; // they come by their addresses
            }
            is_here = mapping.end > pages.start;
        } else if let Some(value) = line.strip_prefix("THPeligible:").filter(|_| is_here) {
            found = Some(found == Some(true) || value.trim() == "1");
        }
    }
    found
}

/// `start-end rwxp …`
fn header(line: &str) -> Option<Range<usize>> {
    let (start, end) = line.split(' ').next()?.split_once('-')?;
    Some(usize::from_str_radix(start, 16).ok()?..usize::from_str_radix(end, 16).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = b"\
00200000-00600000 rw-p 00000000 00:05 4 /dev/\xffzero\n\
Size:               4096 kB\nAnonHugePages:         0 kB\nTHPeligible:           1\nVmFlags: rd wr mr mw me nr hg \n\
00600000-00700000 r--p 00000000 00:00 0 \nSize:               1024 kB\nTHPeligible:    0\nVmFlags: rd mr mw me nr \n\
00900000-00a00000 r--p 00000000 00:00 0 \nSize:               1024 kB\nVmFlags: rd mr mw me nr \n";

    #[test]
    fn what_the_kernel_says_is_of_the_pages_alone() {
        let examples = [
            (0x20_0000..0x60_0000, Some(true)),
            (0x5f_f000..0x60_0000, Some(true)),
            (0x60_0000..0x70_0000, Some(false)),
            (0x5f_f000..0x60_1000, Some(true)),
            (0x10_0000..0x20_0000, None),
            (0x80_0000..0x90_0000, None),
            (0x90_0000..0xa0_0000, None),
            (0xa0_0000..0xb0_0000, None),
        ];
        for (pages, said) in examples {
            assert_eq!(is_eligible(TEXT, &pages), said, "{pages:x?}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_huge_page_needs_a_place_of_its_own_size() {
        let Some(size) = huge_page() else { return };
        let examples = [
            (size..2 * size, None, true),
            (size..2 * size - 4096, None, false),
            (size + 4096..2 * size + 4096, None, false),
            (size + 4096..3 * size, None, true),
            (size..3 * size, Some(0), true),
            (size..3 * size, Some(size as u64), true),
            (size..3 * size, Some(4096), false),
            (size + 4096..3 * size, Some(4096), true),
            (size + 4096..3 * size, Some(0), false),
        ];
        for (pages, byte_offset, holds) in examples {
            assert_eq!(can_hold_one(&pages, byte_offset), holds, "{pages:x?} {byte_offset:?}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn there_is_a_better_place_only_for_what_can_hold_one_somewhere() {
        let Some(size) = huge_page() else { return };
        let (half, start) = (size / 2, 5 * size + size / 4);
        let examples = [
            (0, size - 4096, false),
            (0, size, true),
            (half, size, false),
            (half, size + half - 4096, false),
            (half, size + half, true),
            (3 * size + half, size + half, true),
            (size / 4, 2 * size, false), // it can already
        ];
        for (byte_offset, byte_length, is_elsewhere) in examples {
            let mut place = HugePlace::new(byte_offset as u64);
            assert_eq!(place.is_elsewhere(&(start..start + byte_length)), is_elsewhere, "{byte_length:#x} from {byte_offset:#x}");
        }
        let mut place = HugePlace::new(0);
        let tries = std::iter::repeat_with(|| place.is_elsewhere(&(start..start + size))).take_while(|is_elsewhere| *is_elsewhere);
        assert_eq!(tries.count(), TRIES as usize, "and not for ever");
    }
}
