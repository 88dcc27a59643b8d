//! macOS: mapping of pages. Compiled and linked; it has never been run.

use super::platform::{is_memory, unified};
use super::{Access, Advice, FileKind, Identity, Mapped, Place, page_bytes};
use crate::testing::step;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl, open};
use nix::sys::stat::{Mode, fchmod, fstat};
use std::ffi::{CString, c_void};
use std::ops::Range;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::path::Path;
use std::ptr::{NonNull, null_mut};

type Sys<T> = nix::Result<T>;

/// What anonymous memory is a private mapping of.
pub(crate) const ZEROS: &str = "/dev/zero";

/// `open(path)` as it is, following links; never blocks on a FIFO.
pub(crate) fn open_file(path: &Path, read_only: bool) -> Sys<OwnedFd> {
    let access = if read_only { OFlag::O_RDONLY } else { OFlag::O_RDWR };
    open(path, access | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK | OFlag::O_NOCTTY, Mode::empty())
}

/// `open(path, O_CREAT | O_EXCL | O_RDWR)` with exactly these permission bits; follows no link.
pub(crate) fn create_file(path: &Path, mode: u32) -> Sys<OwnedFd> {
    let flags = OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_RDWR | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW;
    let bits = |mode: u32| Mode::from_bits_truncate(libc::mode_t::try_from(mode & 0o7777).unwrap_or(0o600));
    let fd = open(path, flags, bits(0o600))?;
    fchmod(&fd, bits(mode))?;
    Ok(fd)
}

/// `shm_open` under a name that nobody can guess, and `shm_unlink`. Such an object gets its size once: nobody can make it shorter, sealed or not.
pub(crate) fn create_memory(_: &str, _: bool) -> Sys<OwnedFd> {
    // names have 31 characters at most
    let number = u128::from_ne_bytes(super::random_bytes()?);
    let name = CString::new(format!("/pc-{:024x}", number >> 32)).map_err(|_| Errno::EINVAL)?;
    let flags = libc::O_CREAT | libc::O_EXCL | libc::O_RDWR;
    // SAFETY: a C string; the descriptor is fresh, and nobody else knows it.
    unsafe {
        let fd = OwnedFd::from_raw_fd(Errno::result(libc::shm_open(name.as_ptr(), flags, 0o600))?);
        libc::shm_unlink(name.as_ptr());
        Errno::result(libc::fcntl(fd.as_raw_fd(), libc::F_SETFD, libc::FD_CLOEXEC)).map(|_| fd)
    }
}

/// `fcntl(F_DUPFD_CLOEXEC)` of a number that somebody gave: `EBADF` if it is none.
pub(crate) fn duplicate(number: RawFd) -> Sys<OwnedFd> {
    // SAFETY: the kernel looks the number up; no memory is involved.
    let copy = Errno::result(unsafe { libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 3) })?;
    // SAFETY: a fresh descriptor that nobody else knows.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}

/// `fcntl(F_GETFL)`: whether writing through the descriptor is allowed.
pub(crate) fn is_writable(fd: &OwnedFd) -> Sys<bool> {
    let flags = fcntl(fd, FcntlArg::F_GETFL)?;
    Ok(flags & libc::O_ACCMODE == libc::O_RDWR)
}

/// There are no seals. A file's size is its own affair, and an object of shared memory gets its size once.
pub(crate) fn seal_size(_: &OwnedFd) -> Sys<()> {
    Ok(())
}

/// Objects of `shm_open` get their size once. Of files nobody can say that: there are no seals.
pub(crate) fn cannot_shrink(fd: &OwnedFd) -> bool {
    fstat(fd).is_ok_and(|stat| is_memory(&stat))
}

/// `fstat`: which file it is, and of what kind.
pub(crate) fn inspect(fd: &OwnedFd) -> Sys<(Identity, FileKind)> {
    let stat = fstat(fd)?;
    let kind = match stat.st_mode & libc::S_IFMT {
        _ if is_memory(&stat) => FileKind::Regular(u64::try_from(stat.st_size).unwrap_or(0)),
        libc::S_IFREG => FileKind::Regular(u64::try_from(stat.st_size).unwrap_or(0)),
        libc::S_IFCHR | libc::S_IFBLK => FileKind::Device,
        libc::S_IFDIR => FileKind::Other("a directory"),
        libc::S_IFIFO => FileKind::Other("a pipe"),
        libc::S_IFSOCK => FileKind::Other("a socket"),
        _ => FileKind::Other("no file"),
    };
    Ok((super::platform::identity(&stat), kind))
}

/// `st_birthtime`: when the file was made, in nanoseconds since 1970. `None` where its filesystem does not say, and for an object of `shm_open`.
pub(crate) fn born_at(fd: &OwnedFd) -> Option<u64> {
    let stat = fstat(fd).ok()?;
    let [seconds, rest] = [stat.st_birthtime, stat.st_birthtime_nsec].map(|number| u64::try_from(number).ok());
    seconds?.checked_mul(1_000_000_000)?.checked_add(rest?).filter(|born_at| *born_at > 0)
}

/// The first bytes of an object, by `pread`, or where it can only be mapped by `mmap`; what it does not have stays as it is.
pub(crate) fn read_first(fd: &OwnedFd, target: &mut [u8]) -> Sys<()> {
    let stat = fstat(fd)?;
    if !is_memory(&stat) {
        // SAFETY: the buffer is as long as the call is told.
        return Errno::result(unsafe { libc::pread(fd.as_raw_fd(), target.as_mut_ptr().cast(), target.len(), 0) }).map(drop);
    }
    let length = target.len().min(usize::try_from(stat.st_size).unwrap_or(0));
    if length == 0 {
        return Ok(());
    }
    // SAFETY: pages that nobody else knows of, there for as many bytes as are copied: the object never becomes smaller.
    unsafe {
        let bytes = mmap(Place::Anywhere, length, Access::Read, libc::MAP_SHARED, fd.as_raw_fd(), 0)?.as_ptr();
        super::copy_opaque(bytes, target.as_mut_ptr(), length);
        libc::munmap(bytes.cast(), length);
    }
    Ok(())
}

/// `fstat`: the permission bits.
pub(crate) fn permissions(fd: &OwnedFd) -> Sys<u32> {
    Ok(u32::from(fstat(fd)?.st_mode & 0o7777))
}

fn offset(number: u64) -> Sys<libc::off_t> {
    libc::off_t::try_from(number).map_err(|_| Errno::EFBIG)
}

/// `fstat`: the length of a file, and how many bytes there is room for already; of an object of `shm_open`, whose length is in whole pages, nobody says.
pub(crate) fn extent(fd: &OwnedFd) -> Sys<(u64, u64)> {
    let stat = fstat(fd)?;
    let [size, blocks] = [stat.st_size, stat.st_blocks].map(|number| u64::try_from(number).unwrap_or(0));
    Ok((size, blocks.saturating_mul(512)))
}

/// `ftruncate`; `EOPNOTSUPP` for another size of an object of `shm_open` than it has.
pub(crate) fn set_size(fd: &OwnedFd, byte_length: u64) -> Sys<()> {
    let stat = fstat(fd)?;
    if !is_memory(&stat) {
        return nix::unistd::ftruncate(fd, offset(byte_length)?);
    }
    let size = u64::try_from(stat.st_size).unwrap_or(0);
    // even of no bytes it would be the one size
    if byte_length.next_multiple_of(super::page_size()) == size {
        return Ok(());
    }
    if size > 0 { Err(Errno::EOPNOTSUPP) } else { nix::unistd::ftruncate(fd, offset(byte_length)?) }
}

/// `fcntl(F_PREALLOCATE)` and `ftruncate`: the room behind the end of the file is there from now on, or `ENOSPC`; `EOPNOTSUPP` where the filesystem cannot.
/// Holes before it stay holes. An object of `shm_open` gets its size; nobody can take room for that.
pub(crate) fn reserve_part(fd: &OwnedFd, from: u64, byte_length: u64) -> Sys<()> {
    step(|| "fallocate");
    let end = offset(from.checked_add(byte_length).ok_or(Errno::EFBIG)?)?;
    let stat = fstat(fd)?;
    let more = end - stat.st_size;
    if more <= 0 {
        return Ok(());
    }
    if is_memory(&stat) {
        return set_size(fd, from + byte_length);
    }
    let (flags, mode) = (libc::F_ALLOCATEALL, libc::F_PEOFPOSMODE);
    let mut room = libc::fstore_t { fst_flags: flags, fst_posmode: mode, fst_offset: 0, fst_length: more, fst_bytesalloc: 0 };
    // SAFETY: the kernel reads and writes `room`, which outlives the call.
    Errno::result(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_PREALLOCATE, &raw mut room) }).map_err(unified)?;
    nix::unistd::ftruncate(fd, end)
}

/// `fcntl(F_PUNCHHOLE)`: the room of a part is given back, and reads as zeros.
pub(crate) fn punch_hole(fd: &OwnedFd, from: u64, byte_length: u64) -> Sys<()> {
    let hole = libc::fpunchhole_t { fp_flags: 0, reserved: 0, fp_offset: offset(from)?, fp_length: offset(byte_length)? };
    // SAFETY: the kernel reads `hole`, which outlives the call.
    Errno::result(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_PUNCHHOLE, &raw const hole) }).map(drop).map_err(unified)
}

/// Whether this is a filesystem of memory, and whether [`mappings`] has its files: no, and no.
pub(crate) fn filesystem(_: &OwnedFd) -> (bool, bool) {
    (false, false)
}

fn limit(resource: nix::sys::resource::Resource) -> Option<u64> {
    let (soft, _) = nix::sys::resource::getrlimit(resource).ok()?;
    (soft != nix::sys::resource::RLIM_INFINITY).then_some(soft)
}

/// `getrlimit(RLIMIT_MEMLOCK)`: most bytes that may be locked.
pub(crate) fn lock_limit() -> Option<u64> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the kernel fills it; nix does not have this limit here.
    Errno::result(unsafe { libc::getrlimit(libc::RLIMIT_MEMLOCK, &raw mut limit) }).ok()?;
    (limit.rlim_cur != libc::RLIM_INFINITY).then_some(limit.rlim_cur)
}

/// `getrlimit(RLIMIT_NOFILE)`: most descriptors that may be open.
pub(crate) fn descriptor_limit() -> Option<u64> {
    limit(nix::sys::resource::Resource::RLIMIT_NOFILE)
}

/// `getrlimit(RLIMIT_FSIZE)`: most bytes that a file may get.
pub(crate) fn file_size_limit() -> Option<u64> {
    limit(nix::sys::resource::Resource::RLIMIT_FSIZE)
}

/// Bytes that the filesystem of an open file has left for this user; `None`: it has no limit of its own.
pub(crate) fn bytes_available_at(fd: &OwnedFd) -> Sys<Option<u64>> {
    let stat = nix::sys::statvfs::fstatvfs(fd)?;
    Ok((stat.blocks() > 0).then(|| u64::from(stat.blocks_available()).saturating_mul(stat.fragment_size())))
}

/// Nobody says.
pub(crate) fn memory_available() -> Option<u64> {
    None
}

fn protection(access: Access) -> i32 {
    let bits = [(access.reads(), libc::PROT_READ), (access.writes(), libc::PROT_WRITE), (access.executes(), libc::PROT_EXEC)];
    bits.iter().filter(|(is_set, _)| *is_set).fold(libc::PROT_NONE, |all, (_, bit)| all | bit)
}

/// Nothing but [`Place::Over`] may replace what is there: the rest are hints, and [`mmap`] looks at the answer.
fn placed(place: Place) -> (*mut c_void, i32) {
    match place {
        Place::Anywhere => (null_mut(), 0),
        Place::Hint(address) | Place::Exclusive(address) => (address as *mut c_void, 0),
        Place::Over(address) => (address as *mut c_void, libc::MAP_FIXED),
    }
}

/// # Safety
/// With [`Place::Over`], what is there must be the caller's own, and of a kind that may be replaced at any time.
unsafe fn mmap(place: Place, byte_length: usize, access: Access, flags: i32, fd: RawFd, from: u64) -> Sys<NonNull<u8>> {
    let (hint, fixed) = placed(place);
    // SAFETY: the caller's promise; every other place is one that nobody uses.
    let address = unsafe { libc::mmap(hint, byte_length, protection(access), flags | fixed, fd, offset(from)?) };
    if address == libc::MAP_FAILED {
        return Err(Errno::last());
    }
    if matches!(place, Place::Exclusive(_)) && address != hint {
        // SAFETY: just made, and nobody knows of it.
        unsafe { libc::munmap(address, byte_length) };
        return Err(Errno::EEXIST);
    }
    NonNull::new(address.cast()).ok_or(Errno::ENOMEM)
}

/// `mmap` of an object from `offset` on.
///
/// # Safety
/// With [`Place::Over`], what is there must be the caller's own, and of a kind that may be replaced at any time.
pub(crate) unsafe fn map_object(
    place: Place,
    byte_length: usize,
    fd: BorrowedFd<'_>,
    offset: u64,
    access: Access,
    private: bool,
) -> Sys<NonNull<u8>> {
    let flags = if private { libc::MAP_PRIVATE | libc::MAP_NORESERVE } else { libc::MAP_SHARED };
    // SAFETY: the caller's promise.
    unsafe { mmap(place, byte_length, access, flags, fd.as_raw_fd(), offset) }
}

/// `mmap(PROT_NONE)`: addresses that nobody else gets, and nothing behind them.
///
/// # Safety
/// As for [`map_object`].
pub(crate) unsafe fn map_nothing(place: Place, byte_length: usize) -> Sys<NonNull<u8>> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANON | libc::MAP_NORESERVE;
    // SAFETY: the caller's promise.
    unsafe { mmap(place, byte_length, Access::None, flags, -1, 0) }
}

/// `mmap(MAP_FIXED | MAP_ANONYMOUS | MAP_PRIVATE)`: private zeros as an allocator has them from the system, so that they become one mapping with those around.
///
/// # Safety
/// The pages must be the caller's own, and of a kind that may be replaced at any time.
pub(crate) unsafe fn map_plain_zeros_over(address: usize, byte_length: usize) -> Sys<()> {
    // SAFETY: the caller's promise.
    unsafe { mmap(Place::Over(address), byte_length, Access::ReadWrite, libc::MAP_PRIVATE | libc::MAP_ANON, -1, 0) }.map(drop)
}

/// `munmap`
///
/// # Safety
/// The pages must be the caller's own, and nothing may refer to them.
pub(crate) unsafe fn unmap_pages(address: usize, byte_length: usize) {
    // SAFETY: the caller's promise. The only failure, a range that is no mapping, would be a broken caller.
    unsafe { libc::munmap(address as *mut c_void, byte_length) };
}

/// `mprotect`
///
/// # Safety
/// The pages must be the caller's own.
pub(crate) unsafe fn protect(address: usize, byte_length: usize, access: Access) -> Sys<()> {
    // SAFETY: the caller's promise.
    Errno::result(unsafe { libc::mprotect(address as *mut c_void, byte_length, protection(access)) }).map(drop)
}

/// `madvise`; `EINVAL` for what only Linux knows.
///
/// # Safety
/// The pages must be the caller's own, and hold nothing that the advice must not take away.
pub(crate) unsafe fn advise(address: usize, byte_length: usize, advice: Advice) -> Sys<()> {
    let advice = match advice {
        Advice::Normal => libc::MADV_NORMAL,
        Advice::Random => libc::MADV_RANDOM,
        Advice::Sequential => libc::MADV_SEQUENTIAL,
        Advice::WillNeed => libc::MADV_WILLNEED,
        Advice::DontNeed => libc::MADV_DONTNEED,
        Advice::Free => libc::MADV_FREE,
        _ => return Err(Errno::EINVAL),
    };
    // SAFETY: the caller's promise.
    Errno::result(unsafe { libc::madvise(address as *mut c_void, byte_length, advice) }).map(drop)
}

/// There is no such advice; `EINVAL`, as before Linux 5.14.
pub(crate) fn populate(_: usize, _: usize, _: bool) -> Sys<()> {
    Err(Errno::EINVAL)
}

/// `mlock`
pub(crate) fn lock_pages(address: usize, byte_length: usize) -> Sys<()> {
    // SAFETY: it changes no byte; the kernel checks the range.
    Errno::result(unsafe { libc::mlock(address as *const c_void, byte_length) }).map(drop)
}

/// `munlock`
pub(crate) fn unlock_pages(address: usize, byte_length: usize) -> Sys<()> {
    // SAFETY: as above.
    Errno::result(unsafe { libc::munlock(address as *const c_void, byte_length) }).map(drop)
}

/// `msync`: writes what was changed to the file, and waits for that (`MS_SYNC`), or only asks for it (`MS_ASYNC`).
pub(crate) fn flush(address: usize, byte_length: usize, wait: bool) -> Sys<()> {
    let flags = if wait { libc::MS_SYNC } else { libc::MS_ASYNC };
    // SAFETY: it changes no byte; the kernel checks the range.
    Errno::result(unsafe { libc::msync(address as *mut c_void, byte_length, flags) }).map(drop)
}

/// `mincore`: bit 0 of a byte for each page, whether it is in memory.
pub(crate) fn residency(address: usize, pages: &mut [u8]) -> Sys<()> {
    let byte_length = pages.len() * page_bytes();
    // SAFETY: a byte for each page of the range, which the kernel checks.
    Errno::result(unsafe { libc::mincore(address as *const c_void, byte_length, pages.as_mut_ptr().cast()) }).map(drop)
}

// mach/mach_vm.h, mach/vm_statistics.h, mach/vm_inherit.h
const VM_FLAGS_OVERWRITE: i32 = 0x4000;
const VM_INHERIT_COPY: u32 = 1;
const KERN_SUCCESS: i32 = 0;

unsafe extern "C" {
    static mach_task_self_: u32;
    fn mach_vm_remap(
        to: u32,
        address: *mut u64,
        byte_length: u64,
        mask: u64,
        flags: i32,
        from: u32,
        source: u64,
        copy: i32,
        protection: *mut i32,
        most: *mut i32,
        inheritance: u32,
    ) -> i32;
}

/// Puts a private copy of pages in their place, in one step, so that they can be written and nobody else sees it: `parts` are the byte ranges that are
/// copied, the rest is zeros. For the handler of a fault, too: async-signal-safe, as far as a Mach call is.
///
/// # Safety
/// The pages must be ones that may be replaced by other bytes at any time, and `parts` must lie in them and be readable.
pub(crate) unsafe fn replace_by_copy(address: usize, byte_length: usize, parts: &[Range<usize>]) -> Sys<()> {
    // SAFETY: pages that nobody else knows; the copied ones are mapped, and if they are cut off meanwhile the fault is mended like any other, by a handler
    // within the handler.
    unsafe {
        let copy = mmap(Place::Anywhere, byte_length, Access::ReadWrite, libc::MAP_PRIVATE | libc::MAP_ANON, -1, 0)?.as_ptr();
        for part in parts {
            libc::memcpy(copy.add(part.start).cast(), (address + part.start) as *const c_void, part.len());
        }
        let (task, mut address, mut protection, mut most) = (mach_task_self_, address as u64, 0, 0);
        let (bytes, source, flags) = (byte_length as u64, copy as u64, VM_FLAGS_OVERWRITE);
        let answer = mach_vm_remap(task, &mut address, bytes, 0, flags, task, source, 0, &mut protection, &mut most, VM_INHERIT_COPY);
        // both names of the pages led to the same ones until here
        libc::munmap(copy.cast(), byte_length);
        if answer == KERN_SUCCESS { Ok(()) } else { Err(Errno::ENOMEM) }
    }
}

/// What lies where cannot be found out as by files: there is no /proc.
pub(crate) struct Mappings;

pub(crate) fn mappings() -> Mappings {
    Mappings
}

impl Mappings {
    pub(crate) fn is_open(&self) -> bool {
        false
    }
}

impl Iterator for Mappings {
    type Item = Mapped;

    fn next(&mut self) -> Option<Mapped> {
        None
    }
}
