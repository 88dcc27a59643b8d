use crate::common::watchdog::bounded;
use crate::common::{Directory, code};
use crate::{anonymous, byte, file};
use pagecast::region::{Access, Lent, MapOptions, NotOverlaid, Number, Overlay, Placement, Region, Source};
use pagecast::{Code, Error};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

const PAGE: usize = 4096;

/// The object of an overlay, mapped once more.
fn again(region: &Region) -> Region {
    let source = Source::duplicate(region.descriptor().unwrap().as_raw_fd()).unwrap();
    Region::map(&MapOptions { byte_length: Some(region.byte_length()), ..MapOptions::new(source) }).unwrap()
}

fn label(name: &str) -> MapOptions {
    MapOptions::new(Source::Memory(name.into()))
}

/// A file of three pages, all of it. That it is told matters: four pages of numbers have room for three, or for four where they happen to begin with one.
fn three_pages(path: &std::path::Path) -> MapOptions {
    MapOptions { byte_length: Some(3 * PAGE as u64), ..file(path) }
}

/// Why it was refused; the numbers must have come back as they were.
#[track_caller]
fn refusal<T: Number + PartialEq + std::fmt::Debug>(memory: &[T], options: MapOptions) -> Code {
    let NotOverlaid { memory: left, error } = Overlay::map(memory.to_vec(), options).unwrap_err();
    assert_eq!(left, memory, "they are as they were");
    error.code()
}

#[test]
fn numbers_are_shared_both_ways_and_given_back() {
    let numbers: Vec<f32> = (0..4096_u16).map(f32::from).collect();
    let overlay = Overlay::map_kept(numbers.clone(), label("numbers")).unwrap();
    let (from, bytes) = (overlay.byte_offset(), usize::try_from(overlay.byte_length()).unwrap());
    assert_eq!((from % 4, bytes % PAGE, overlay.address() % 4096), (0, 0, 0));
    assert!(bytes >= 3 * PAGE && from < PAGE && from + bytes <= 4 * PAGE, "{from} {bytes}");

    let other = again(&overlay);
    let mut second = [0; 4];
    other.read_at(4, &mut second).unwrap();
    let first = from / 4;
    assert_eq!(f32::from_ne_bytes(second), numbers[first + 1]);
    other.write_at(0, &0.5_f32.to_ne_bytes()).unwrap();
    overlay.write_at(8, &1.5_f32.to_ne_bytes()).unwrap();

    let back = overlay.into_memory(true).unwrap();
    let expected: Vec<f32> = numbers
        .iter()
        .enumerate()
        .map(|(index, number)| {
            if index == first {
                0.5
            } else if index == first + 2 {
                1.5
            } else {
                *number
            }
        })
        .collect();
    assert_eq!(back, expected);
    other.write_at(0, &9.5_f32.to_ne_bytes()).unwrap();
    assert_eq!(back[first].to_bits(), 0.5_f32.to_bits(), "they are nobody else's any more");
}

#[test]
fn what_is_in_the_object_shows_unless_the_numbers_are_kept() {
    let directory = Directory::new();
    let path = directory.path().join("file");
    std::fs::write(&path, [7; 3 * PAGE]).unwrap();
    let options = || MapOptions { byte_length: Some(PAGE as u64 + 10), byte_offset: PAGE as u64, ..file(&path) };

    let overlay = Overlay::map(vec![1_u8; 4 * PAGE], options()).unwrap();
    assert_eq!((overlay.byte_length(), byte(&overlay, 0), byte(&overlay, PAGE as u64 + 9)), (PAGE as u64 + 10, 7, 7));
    let from = overlay.byte_offset();
    let back = overlay.into_memory(false).unwrap();
    let shared = from..from + 2 * PAGE;
    assert!(back.iter().enumerate().all(|(index, byte)| *byte == u8::from(!shared.contains(&index))), "zeros where it was shared");
    assert_eq!(std::fs::read(&path).unwrap(), [7; 3 * PAGE]);

    drop(Overlay::map_kept(vec![1_u8; 4 * PAGE], options()).unwrap());
    let left = std::fs::read(&path).unwrap();
    assert!(left[..PAGE].iter().chain(&left[2 * PAGE + 10..]).all(|byte| *byte == 7), "and nothing past what was asked for");
    assert!(left[PAGE..2 * PAGE + 10].iter().all(|byte| *byte == 1));
}

/// One in some hundred vectors happens to begin with a page.
#[test]
fn without_a_length_it_is_the_same_wherever_the_numbers_begin() {
    let directory = Directory::new();
    let path = directory.path().join("file");
    std::fs::write(&path, [7; PAGE]).unwrap();
    // they are kept, so that the next ones begin elsewhere; not their regions, which have a descriptor each
    let mut kept = Vec::new();
    for _ in 0..1000 {
        let overlay = Overlay::map(vec![1_u8; 2 * PAGE], file(&path)).unwrap();
        assert_eq!(overlay.byte_length(), PAGE as u64);
        kept.push(overlay.into_memory(false).unwrap());
    }
    assert_eq!(refusal(&vec![1_u8; 2 * PAGE - 2], label("short")), Code::InvalidSize);
}

#[test]
fn what_may_only_be_read_is_kept_and_what_may_not_be_is_zeros() {
    let directory = Directory::new();
    let path = directory.path().join("file");
    std::fs::write(&path, [7; 3 * PAGE]).unwrap();
    let mut overlay = Overlay::map(vec![1_u8; 4 * PAGE], MapOptions { access: Access::Read, ..three_pages(&path) }).unwrap();
    assert_eq!(code(overlay.write_at(0, &[1])), Code::ReadOnly);
    overlay.protect(1..2, Access::None).unwrap();
    assert_eq!(code(overlay.read_at(PAGE as u64, &mut [0])), Code::NoAccess);
    let from = overlay.byte_offset();
    let mut back = overlay.into_memory(true).unwrap();
    assert_eq!((back[from], back[from + PAGE], back[from + 2 * PAGE]), (7, 0, 7));
    back.fill(3);
    assert_eq!(std::fs::read(&path).unwrap(), [7; 3 * PAGE]);

    let kept = Overlay::map_kept(vec![1_u8; 4 * PAGE], MapOptions { access: Access::Read, ..three_pages(&path) }).unwrap_err();
    assert_eq!((kept.error.code(), kept.memory), (Code::ReadOnly, vec![1; 4 * PAGE]));
}

#[test]
fn what_cannot_be_mapped_over_is_as_it_was() {
    let directory = Directory::new();
    let created = || Source::File { path: directory.path().join("made"), create: Some(0o600) };
    assert_eq!(refusal(&[1_u8; PAGE - 1], MapOptions::new(created())), Code::InvalidSize);
    assert_eq!(refusal::<u64>(&[], MapOptions::new(created())), Code::InvalidSize);
    let numbers = [1_u16; 3 * PAGE];
    let too_much = MapOptions { byte_length: Some(7 * PAGE as u64), ..MapOptions::new(created()) };
    assert_eq!(refusal(&numbers, too_much), Code::InvalidSize);
    let all = MapOptions { byte_length: Some(u64::MAX), ..MapOptions::new(created()) };
    assert_eq!(refusal(&numbers, all), Code::InvalidSize);
    let place = (crate::free_address(), Placement::Exclusive);
    assert_eq!(refusal(&numbers, MapOptions { address: Some(place), ..MapOptions::new(created()) }), Code::InvalidArgument);
    assert_eq!(refusal(&numbers, MapOptions { private: true, ..MapOptions::new(created()) }), Code::Private);
    assert_eq!(directory.files(), [""; 0], "nothing was made");
    assert_eq!(refusal(&numbers, file("/nowhere".as_ref())), Code::NotFound);
    assert_eq!(refusal(&numbers, MapOptions { byte_length: Some(4096), ..file("/dev/null".as_ref()) }), Code::InvalidArgument);
    let path = directory.path().join("short");
    std::fs::write(&path, [7; 100]).unwrap();
    assert_eq!(refusal(&numbers, file(&path)), Code::InvalidSize, "fewer bytes than there is room for");
    let read_only = || Source::Descriptor(std::fs::File::open(&path).unwrap().into());
    let options = || MapOptions { byte_length: Some(100), ..MapOptions::new(read_only()) };
    assert_eq!(refusal(&numbers, options()), Code::Permission, "as mmap(2) says, before it is over the memory");
    Overlay::map(numbers.to_vec(), MapOptions { access: Access::Read, ..options() }).unwrap();
}

#[test]
fn memory_that_is_no_longer_plain_is_refused() {
    let lend = |address: u64, byte_length: usize| {
        // SAFETY: it is refused: nothing is mapped over it.
        unsafe { Lent::new(address.try_into().unwrap(), byte_length, Box::new(())) }
    };
    let overlay = Overlay::map(vec![1_u8; 4 * PAGE], label("first")).unwrap();
    assert_eq!(code(lend(overlay.address() - 1, 3 * PAGE)), Code::AddressInUse, "an overlay");
    assert_eq!(code(lend(anonymous(8192).address(), 8192)), Code::AddressInUse, "a region");
    let constant = (memory_that_is_no_longer_plain_is_refused as *const () as u64).next_multiple_of(4096) - 4096;
    assert_eq!(code(lend(constant, PAGE)), Code::AddressInUse, "code");
    assert_eq!(code(lend(crate::free_address(), PAGE)), Code::AddressInUse, "nothing");
    assert_eq!(code(lend(u64::MAX, 100)), Code::InvalidSize);
    let (address, room) = (overlay.address(), overlay.byte_length());
    let again = Overlay::map(overlay.into_memory(true).unwrap(), label("second")).unwrap();
    assert_eq!((again.address(), again.byte_length()), (address, room), "once it is gone, its pages can be lent again");
}

#[test]
fn a_file_that_is_cut_short_leaves_zeros_and_says_so() {
    let directory = Directory::new();
    let path = directory.path().join("file");
    std::fs::write(&path, [7; 3 * PAGE]).unwrap();
    let overlay = Overlay::map(vec![1_u8; 4 * PAGE], three_pages(&path)).unwrap();
    std::fs::File::options().write(true).open(&path).unwrap().set_len(PAGE as u64).unwrap();
    assert_eq!(code(overlay.read_at(0, &mut [0; 3 * PAGE])), Code::Truncated);
    let from = overlay.byte_offset();
    let back = overlay.into_memory(true).unwrap();
    assert_eq!((back[from], back[from + PAGE], back[from + 3 * PAGE - 1]), (7, 0, 0));
}

#[test]
fn a_file_that_is_cut_short_meanwhile_costs_nothing_that_was_to_be_kept() {
    let directory = Directory::new();
    let path = directory.path().join("file");
    std::fs::write(&path, [7; 3 * PAGE]).unwrap();
    let mut region = Region::prepare(&three_pages(&path)).unwrap();
    std::fs::File::options().write(true).open(&path).unwrap().set_len(PAGE as u64).unwrap();
    let numbers = vec![1_u8; 4 * PAGE].leak();
    // SAFETY: leaked, and looked at only when it is nobody else's any more.
    let lent = unsafe { Lent::new(numbers.as_ptr() as usize, numbers.len(), Box::new(())) }.unwrap();
    assert_eq!(code(region.map_over_lent(lent, true)), Code::Truncated);
    assert!(numbers.iter().all(|number| *number == 1));
}

/// One that nothing was read of, so that it is cut while it is given back.
#[test]
fn a_file_that_is_cut_short_is_given_back() {
    let directory = Directory::new();
    let path = directory.path().join("file");
    std::fs::write(&path, [7; 3 * PAGE]).unwrap();
    let overlay = Overlay::map(vec![1_u8; 4 * PAGE], three_pages(&path)).unwrap();
    std::fs::File::options().write(true).open(&path).unwrap().set_len(2 * PAGE as u64).unwrap();
    let from = overlay.byte_offset();
    let back = overlay.into_memory(true).unwrap();
    assert_eq!((back[from], back[from + 2 * PAGE - 1], back[from + 2 * PAGE]), (7, 7, 0));
}

/// Overlays a vector again and again, and gives it back while another thread looks at one byte of it: how often that was meanwhile, and how often it saw
/// another byte than the one that is always there.
fn watched(keep: bool) -> (u64, u64) {
    let mut numbers = vec![7_u8; 20 * PAGE];
    let watched = numbers.as_ptr() as u64 + 10 * PAGE as u64;
    let (looks, odd, is_over) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
    let mut meanwhile = 0;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Acquire) {
                // SAFETY: the vector is there until this thread is gone; what is at the address may change at any time.
                let seen = unsafe { (watched as *const u8).read_volatile() };
                odd.fetch_add(u64::from(seen != 7), Ordering::Relaxed);
                looks.fetch_add(1, Ordering::Release);
            }
        });
        for _ in 0..300 {
            let overlay = Overlay::map_kept(std::mem::take(&mut numbers), label("watched")).unwrap();
            let before = looks.load(Ordering::Acquire);
            numbers = overlay.into_memory(keep).unwrap();
            meanwhile += looks.load(Ordering::Acquire) - before;
            numbers.fill(7);
        }
        is_over.store(true, Ordering::Release);
    });
    (meanwhile, odd.into_inner())
}

/// As often as it takes: where there is one processor for both threads, the other one seldom has it meanwhile.
#[test]
fn another_thread_never_sees_a_hole_nor_other_bytes() {
    bounded(|watch| {
        let mut looks = 0;
        while looks <= 1000 {
            watch.stage(format!("{looks} looks"));
            let (meanwhile, odd) = watched(true);
            assert_eq!(odd, 0);
            looks += meanwhile;
        }
        watch.stage("until zeros are seen");
        while watched(false).1 == 0 {}
    });
}

/// How many descriptors lead to a memfd of that label: other tests of this program open other things meanwhile.
fn open_memory(label: &str) -> usize {
    let open = std::fs::read_dir("/proc/self/fd").unwrap().filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok());
    open.filter(|path| path.to_string_lossy().starts_with(&format!("/memfd:{label} "))).count()
}

#[test]
fn many_come_and_go_and_leave_nothing_behind() {
    for round in 0..3000_usize {
        let numbers = vec![round as u32; 2 * PAGE + (round * 37) % (8 * PAGE)];
        let overlay = Overlay::map_kept(numbers, label("many")).unwrap();
        assert!(round > 0 || open_memory("many") > 0, "what is looked for below can be seen");
        match round % 3 {
            0 => drop(overlay),
            1 => assert!(overlay.into_memory(true).unwrap().iter().all(|number| *number == round as u32)),
            _ => {
                let before = overlay.byte_offset() / size_of::<u32>();
                let back = overlay.into_memory(false).unwrap();
                assert!(back[..before].iter().all(|number| *number == round as u32), "what lies before the pages is untouched");
                assert_eq!(back[before], 0);
            }
        }
    }
    assert_eq!(open_memory("many"), 0);
}

#[test]
fn one_that_is_forgotten_stays() {
    let overlay = Overlay::map_kept(vec![7_u8; 4 * PAGE], label("forgotten")).unwrap();
    let (other, address) = (again(&overlay), overlay.address());
    std::mem::forget(overlay);
    other.write_at(0, &[9]).unwrap();
    // SAFETY: the memory is never freed.
    assert_eq!(unsafe { (address as *const u8).read_volatile() }, 9);
}

#[test]
fn a_refusal_becomes_an_error() {
    fn shared(numbers: Vec<u8>) -> Result<u64, Error> {
        Ok(Overlay::map(numbers, MapOptions::default())?.byte_length())
    }
    assert_eq!(code(shared(vec![0; 10])), Code::InvalidSize);
    assert!(shared(vec![0; 4 * PAGE]).unwrap() >= 3 * PAGE as u64);
}
