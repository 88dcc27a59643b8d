//! A process that touches pages that are gone: those of a segment, and its own.

use crate::common::bytes;
use nix::libc;
use pagecast::memory::EnginePages;
use pagecast::region::{Access, MapOptions, Region, Source};
use pagecast::{Name, RawConsumer, RawPublisher, fault_guard};
use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::ptr::{null_mut, without_provenance};
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

const PAGE: usize = 4096;

/// Plays one part and says what came of it, if it still can.
pub fn play(directory: &Path, part: &str) -> String {
    leave_no_core();
    let (part, how) = part.split_once(", ").unwrap_or((part, ""));
    match (part, how) {
        ("own", "switched off") => fault_guard::set_enabled(false).unwrap(),
        ("own", "switched on") => fault_guard::set_enabled(true).unwrap(),
        ("handler", _) | (_, "handler") => install(libc::SIGBUS, with_info as *const () as usize, libc::SA_SIGINFO, &[]),
        ("plain handler", _) => install(libc::SIGBUS, plain as *const () as usize, 0, &[]),
        ("view", "masked") => install(libc::SIGSEGV, masked as *const () as usize, 0, &[libc::SIGBUS]),
        (_, "by default") => install(libc::SIGBUS, libc::SIG_DFL, 0, &[]),
        (_, "ignored") => install(libc::SIGBUS, libc::SIG_IGN, 0, &[]),
        _ => {}
    }
    let name = Name::new("value", Some(directory)).unwrap();
    let publisher = publish(&name);
    match part {
        "own" => own(&name, how),
        "foreign" if how == "where a segment was" => where_a_segment_was(publisher),
        "foreign" | "handler" | "plain handler" => foreign(directory),
        "segmentation fault" => read(without_provenance(8)), // nobody has the first page
        "sent" => send(),
        "many" => return many(directory),
        "view" => return view(directory, how),
        part => panic!("unknown part {part}"),
    }
    .map_or_else(|| format!("called {} times, errno kept", CALLS.load(Ordering::Relaxed)), str::to_owned)
}

fn publish(name: &Name) -> RawPublisher {
    let mut publisher = RawPublisher::create(name, None, &bytes(5000, 3)).unwrap();
    publisher.write(&[1; 5000], None).unwrap();
    publisher
}

fn own(name: &Name, how: &str) -> Option<&'static str> {
    let mut consumer = RawConsumer::open(name, false).unwrap();
    consumer.try_lock(false).unwrap().unwrap();
    if how == "switched off and on" {
        fault_guard::set_enabled(false).unwrap();
        fault_guard::set_enabled(true).unwrap();
    }
    File::options().write(true).open(name.path()).unwrap().set_len(4096).unwrap();
    Some(consumer.get(0, &mut [0; 5000]).unwrap_err().code().as_str())
}

/// The addresses of a segment that is closed are nobody's, and then somebody else's.
fn where_a_segment_was(publisher: RawPublisher) -> Option<&'static str> {
    let mapping = publisher.segment().mapping();
    let (address, length) = (mapping_address(publisher.segment()), mapping.byte_length());
    drop(publisher);
    let file = temporary(length);
    // SAFETY: nothing is there any more; where something is, the call fails.
    let mapped = unsafe {
        libc::mmap(address as *mut _, length, libc::PROT_READ, libc::MAP_SHARED | libc::MAP_FIXED_NOREPLACE, file.as_raw_fd(), 0)
    };
    assert_eq!(mapped as usize, address);
    file.set_len(0).unwrap();
    read(address as *const u8)
}

/// Where the kernel says that the segment is mapped. A file of another filesystem may have its inode, too: a library, or this program.
fn mapping_address(segment: &pagecast::segment::Segment) -> usize {
    use std::os::unix::fs::MetadataExt;
    let file = File::open(format!("/proc/self/fd/{}", segment.fd().as_raw_fd())).unwrap().metadata().unwrap();
    let identity = format!(" {:02x}:{:02x} {} ", libc::major(file.dev()), libc::minor(file.dev()), file.ino());
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let line = maps.lines().find(|line| line.contains(&identity)).unwrap();
    usize::from_str_radix(line.split_once('-').unwrap().0, 16).unwrap()
}

fn temporary(length: usize) -> File {
    let path = format!("/dev/shm/pagecast-test-foreign-{}", std::process::id());
    let file = File::options().read(true).write(true).create_new(true).open(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    file.set_len(length as u64).unwrap();
    file
}

/// A mapping that pagecast knows nothing of, cut short.
fn foreign(_: &Path) -> Option<&'static str> {
    let file = temporary(PAGE);
    // SAFETY: a new mapping where the kernel likes.
    let address = unsafe { libc::mmap(null_mut(), PAGE, libc::PROT_READ, libc::MAP_SHARED, file.as_raw_fd(), 0) };
    FOREIGN.store(address, Ordering::Relaxed);
    file.set_len(0).unwrap();
    nix::errno::Errno::set_raw(42);
    let lived = read(address.cast());
    assert_eq!(nix::errno::Errno::last_raw(), 42);
    lived
}

fn read(address: *const u8) -> Option<&'static str> {
    // SAFETY: none: that is the point. Volatile, so that the compiler neither leaves it out nor asks what is there.
    unsafe { address.read_volatile() };
    None
}

fn send() -> Option<&'static str> {
    // SAFETY: a signal to ourselves.
    unsafe { libc::raise(libc::SIGBUS) };
    (CALLS.load(Ordering::Relaxed) == 0).then_some("alive")
}

/// Consumers of many publications, all of them cut.
fn many(directory: &Path) -> String {
    let names: Vec<_> = (0..100).map(|number| Name::new(&format!("many-{number}"), Some(directory)).unwrap()).collect();
    let publishers: Vec<_> = names.iter().map(publish).collect();
    let mut consumers: Vec<_> = names.iter().map(|name| RawConsumer::open(name, false).unwrap()).collect();
    names.iter().for_each(|name| File::options().write(true).open(name.path()).unwrap().set_len(0).unwrap());
    let told = |failed: bool| u32::from(failed);
    let readers: u32 = consumers.iter_mut().map(|consumer| told(consumer.try_lock(false).is_err())).sum();
    let writers: u32 = publishers.into_iter().map(|mut publisher| told(publisher.write(&[2; 5000], None).is_err())).sum();
    format!("{} of 200", readers + writers)
}

/// Pages that stand for the JavaScript engine's: whole, at an address of their own, and nobody else's.
fn engine(length: usize) -> usize {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: a new mapping where the kernel likes.
    unsafe { libc::mmap(null_mut(), length, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0) as usize }
}

/// A region over pages of the engine's, as JavaScript sees it.
fn region_over(path: &Path, address: usize, access: Access) -> Region {
    let source = Source::File { path: path.to_path_buf(), create: None };
    let byte_length = Some(VIEW as u64);
    let mut region = Region::prepare(&MapOptions { access, byte_length, ..MapOptions::new(source) }).unwrap();
    // SAFETY: our own pages, which stay ours.
    region.map_over(unsafe { EnginePages::new(address, VIEW) }.unwrap()).unwrap();
    region
}

const VIEW: usize = 4 * PAGE;

fn store(address: usize, value: u8) {
    // SAFETY: none, as in `read`.
    unsafe { (address as *mut u8).write_volatile(value) };
}

fn load(address: usize) -> u8 {
    // SAFETY: none, as in `read`.
    unsafe { (address as *const u8).read_volatile() }
}

/// JavaScript uses pages through a view as they may not be used.
fn view(directory: &Path, how: &str) -> String {
    let path = directory.join("viewed");
    let path = if how == "device" { "/dev/zero".into() } else { path };
    if how != "device" {
        std::fs::write(&path, [1; VIEW]).unwrap();
    }
    let address = engine(VIEW);
    let access = if how.starts_with("no access") { Access::None } else { Access::Read };
    let region = region_over(&path, address, access);
    let told = |region: &Region| region.check().map_or_else(|error| error.code().as_str(), |()| "nothing");
    match how {
        "switched off" => fault_guard::set_enabled(false).unwrap(),
        "masked" => return segmentation_fault_of_another(),
        "threads" => return threads(&path, &region, address),
        "taken" | "collected and taken" | "collected and cut" | "detached and cut" => return ended(&path, region, address, how),
        "jumped to" => {
            // SAFETY: none: the page cannot be executed, and that is the end of the process.
            unsafe { std::mem::transmute::<usize, extern "C" fn()>(address)() };
        }
        _ => {}
    }
    let seen = load(address + PAGE);
    store(address + PAGE, 9);
    let here = load(address + PAGE);
    let file = if how == "device" { 0 } else { std::fs::read(&path).unwrap()[PAGE] };
    let answers = [told(&region), told(&region)];
    let after = if access.reads() { load(address + PAGE) } else { 0 };
    format!("{seen} {here} {file} {after} {}", answers.join(" "))
}

/// An access that the handler from before allows; which signals are blocked meanwhile, and afterwards.
fn segmentation_fault_of_another() -> String {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: a new mapping where the kernel likes.
    let address = unsafe { libc::mmap(null_mut(), PAGE, libc::PROT_NONE, flags, -1, 0) };
    FOREIGN.store(address, Ordering::Relaxed);
    load(address as usize);
    format!("{:#b} {:#b}", BLOCKED.load(Ordering::Relaxed), blocked())
}

/// Some threads write to the same page that may not be written, at the same moment.
fn threads(path: &Path, region: &Region, address: usize) -> String {
    let barrier = std::sync::Barrier::new(4);
    let mut told = 0;
    for round in 0..200 {
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let barrier = &barrier;
                scope.spawn(move || {
                    barrier.wait();
                    store(address + round % 4 * PAGE + thread, 9);
                });
            }
        });
        told += u32::from(region.check().is_err());
    }
    format!("{told} of 200, {}", std::fs::read(path).unwrap() == [1; VIEW])
}

/// A region that ended while its addresses, or what took their place, are used still.
fn ended(path: &Path, region: Region, address: usize, how: &str) -> String {
    match how {
        "taken" => drop(region),
        "detached and cut" => drop(region.detach()),
        _ => region.abandon(),
    }
    if how.ends_with("taken") {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
        // SAFETY: over our own pages, as an engine does that has them back.
        unsafe { libc::mmap(address as *mut _, VIEW, libc::PROT_NONE, flags, -1, 0) };
    } else {
        File::options().write(true).open(path).unwrap().set_len(0).unwrap();
    }
    load(address).to_string()
}

static CALLS: AtomicU32 = AtomicU32::new(0);
static FOREIGN: AtomicPtr<libc::c_void> = AtomicPtr::new(null_mut());

static BLOCKED: AtomicU32 = AtomicU32::new(0);

fn install(signal: i32, handler: usize, flags: i32, mask: &[i32]) {
    // SAFETY: the handlers below are async-signal-safe.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler;
        action.sa_flags = flags;
        for blocked in mask {
            libc::sigaddset(&raw mut action.sa_mask, *blocked);
        }
        assert_eq!(libc::sigaction(signal, &raw const action, null_mut()), 0);
    }
}

extern "C" fn with_info(_: i32, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the kernel passes it.
    let sent = unsafe { (*info).si_code } <= 0;
    assert!(!context.is_null());
    repair(sent);
}

extern "C" fn plain(_: i32) {
    repair(false);
}

extern "C" fn masked(_: i32) {
    BLOCKED.store(blocked(), Ordering::Relaxed);
    // SAFETY: a mapping of our own.
    unsafe { libc::mprotect(FOREIGN.load(Ordering::Relaxed), PAGE, libc::PROT_READ) };
}

/// Bit 0: SIGBUS is blocked; bit 1: SIGSEGV is.
fn blocked() -> u32 {
    // SAFETY: asks, and uses our own variable.
    unsafe {
        let mut mask = std::mem::zeroed();
        libc::pthread_sigmask(libc::SIG_BLOCK, std::ptr::null(), &raw mut mask);
        let is_blocked = |signal| u32::from(libc::sigismember(&raw const mask, signal) == 1);
        is_blocked(libc::SIGBUS) | is_blocked(libc::SIGSEGV) << 1
    }
}

fn repair(sent: bool) {
    CALLS.fetch_add(1, Ordering::Relaxed);
    if !sent {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
        // SAFETY: over a mapping of our own.
        unsafe { libc::mmap(FOREIGN.load(Ordering::Relaxed), PAGE, libc::PROT_READ, flags, -1, 0) };
    }
    nix::errno::Errno::set_raw(libc::EINVAL); // careless: ours puts it right
}

fn leave_no_core() {
    let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: reads our own variable.
    unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const none) };
}
