//! Transparent huge pages: there is either what smaps calls possible, or an error that says why not.

use crate::common::{Directory, code};
use crate::smaps;
use pagecast::Code;
use pagecast::region::{Advice, HugePlace, MapOptions, Overlay, Region, Reservation, Source};

const SETTINGS: &str = "/sys/kernel/mm/transparent_hugepage";
const MEBI: u64 = 1 << 20;

/// A number that the kernel has of the mapping with the region's first page.
fn number(region: &Region, field: &str) -> Option<u64> {
    smaps(region.address(), field)?.trim_end_matches(" kB").parse().ok()
}

/// Of fresh memory, of memory that is handed on, and of files on a disk and in memory, shared and not.
fn examples(directory: &Directory, disk: &Directory) -> Vec<MapOptions> {
    let path = |directory: &Directory| {
        let path = directory.path().join("long");
        std::fs::File::create(&path).unwrap().set_len(8 * MEBI).unwrap();
        path
    };
    let (memory, file) = (path(directory), path(disk));
    let mut examples = Vec::new();
    for byte_length in [4096, 65_536, 8 * MEBI] {
        for private in [false, true] {
            let sources = [
                Source::Anonymous,
                Source::Memory("huge".into()),
                Source::File { path: file.clone(), create: None },
                Source::File { path: memory.clone(), create: None },
            ];
            let of = |source| MapOptions { byte_length: Some(byte_length), reserve: Some(false), private, ..MapOptions::new(source) };
            examples.extend(sources.map(of));
        }
    }
    examples
}

#[test]
fn they_are_promised_where_the_kernel_may_give_them_and_nowhere_else() {
    let (directory, disk) = (Directory::new(), Directory::on_disk());
    let before = examples(&directory, &disk);
    for (options, twin) in examples(&directory, &disk).into_iter().zip(before) {
        let asked = Region::map(&MapOptions { huge_pages: true, ..options });
        let plain = Region::map(&twin).unwrap();
        let taken = plain.advise(0..plain.pages().len(), Advice::HugePage);
        let possible = taken.is_ok() && number(&plain, "THPeligible") == Some(1);
        match asked {
            Ok(region) => assert!(possible && number(&region, "THPeligible") == Some(1), "{twin:?}"),
            Err(error) => {
                assert_eq!((possible, error.code()), (false, Code::HugePages), "{twin:?}");
                let message = error.message();
                let reasons = [SETTINGS, "hold no huge page", "for this kind of file", "THPeligible: 0"];
                assert!(reasons.iter().any(|reason| message.contains(reason)), "{message}");
            }
        }
    }
}

/// How often the kernel had no huge page free when one was touched, or took one apart again, in all processes.
fn given_up() -> u64 {
    let all = std::fs::read_to_string("/proc/vmstat").unwrap();
    let numbers =
        all.lines().filter_map(|line| line.split_once(' ')).filter(|(name, _)| ["thp_fault_fallback", "thp_split_pmd"].contains(name));
    numbers.map(|(_, number)| number.parse::<u64>().unwrap()).sum()
}

#[test]
fn fresh_zeros_of_one_process_are_huge_pages() {
    let chosen = std::fs::read_to_string(format!("{SETTINGS}/enabled")).unwrap_or("none".into());
    let zeros = |huge_pages| {
        Region::map(&MapOptions { byte_length: Some(8 * MEBI), private: true, populate: true, huge_pages, ..MapOptions::default() })
    };
    if !["[madvise]", "[always]"].iter().any(|setting| chosen.contains(setting)) {
        let error = zeros(true).unwrap_err();
        assert_eq!(error.code(), Code::HugePages);
        assert!(error.message().contains(&format!("{SETTINGS}/enabled")), "{error}");
        return;
    }
    let before = given_up();
    let regions: Vec<_> = (0..8).map(|_| zeros(true).unwrap()).collect();
    let huge: Vec<_> = regions.iter().map(|region| number(region, "AnonHugePages").unwrap()).collect();
    assert!(huge.iter().any(|kilobytes| *kilobytes >= 2048) || given_up() > before, "{huge:?}, and the kernel had some");
    if chosen.contains("[madvise]") {
        assert_eq!(number(&zeros(false).unwrap(), "AnonHugePages"), Some(0), "nobody asked");
    }
}

/// A reservation stands for memory that an engine places. Each is one page longer than the one before, and lies below it.
#[test]
fn their_place_is_found_wherever_memory_would_be_next() {
    let Some(size) = std::fs::read_to_string(format!("{SETTINGS}/hpage_pmd_size")).ok().and_then(|size| size.trim().parse::<u64>().ok())
    else {
        return;
    };
    let is_level = |reserved: &Reservation, offset: u64| reserved.address() % size == offset % size;
    let mut all: Vec<_> = (1..4).map(|index| Reservation::new(2 * size + 4096 * index, None).unwrap()).collect();
    if all.iter().all(|reserved| is_level(reserved, 0)) {
        return; // Linux 6.7 to 6.12 begins all that is so long as huge pages do, and nothing elsewhere
    }
    let mut at_once = 0;
    for index in 1..=20 {
        let (byte_length, offset) = (2 * size + 4096 * index, 4096 * (index % 3) + size);
        let make = || Reservation::new(byte_length, None).unwrap();
        let mut place = HugePlace::new(offset);
        all.push(make());
        at_once += u32::from(is_level(&all[all.len() - 1], offset));
        while place.is_elsewhere(&range(&all[all.len() - 1])) {
            all.push(make());
        }
        assert!(is_level(&all[all.len() - 1], offset), "{:#x} for {offset:#x}", all[all.len() - 1].address());
    }
    assert!(at_once < 20, "it is not had without looking for it");
}

fn range(reserved: &Reservation) -> std::ops::Range<usize> {
    let [start, byte_length] = [reserved.address(), reserved.byte_length()].map(|number| usize::try_from(number).unwrap());
    start..start + byte_length
}

/// Of a length for which not every kernel finds one by itself.
#[test]
fn a_region_of_more_than_one_has_it_as_well() {
    let of = MapOptions { byte_length: Some(3 * MEBI), private: true, huge_pages: true, ..MapOptions::default() };
    for _ in 0..20 {
        match Region::map(&of) {
            Ok(region) => assert_eq!(number(&region, "THPeligible"), Some(1)),
            Err(error) => assert!(error.message().contains(SETTINGS), "{error}"),
        }
    }
}

#[test]
fn one_page_is_no_huge_page() {
    for private in [false, true] {
        let asked = Region::map(&MapOptions { byte_length: Some(4096), private, huge_pages: true, ..MapOptions::default() });
        assert_eq!(code(asked), Code::HugePages);
    }
}

#[test]
fn a_file_that_was_made_for_what_is_refused_is_gone() {
    let directory = Directory::new();
    let path = directory.path().join("file");
    let source = Source::File { path: path.clone(), create: Some(0o600) };
    let refused = Region::map(&MapOptions { byte_length: Some(4096), huge_pages: true, ..MapOptions::new(source) });
    assert_eq!(code(refused), Code::HugePages);
    assert!(!path.exists());
}

#[test]
fn numbers_that_cannot_lie_in_huge_pages_stay() {
    let source = Source::Memory("numbers".into());
    let Err(refused) = Overlay::map_kept(vec![7_u8; 65_536], MapOptions { huge_pages: true, ..MapOptions::new(source) }) else {
        panic!("64 KiB hold no huge page")
    };
    assert_eq!(refused.error.code(), Code::HugePages, "{}", refused.error);
    assert_eq!(refused.memory, vec![7; 65_536]);
}
