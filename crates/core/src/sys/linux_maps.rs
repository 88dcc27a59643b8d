//! Linux: mapping of pages, and what lies where in the address space.

use super::control_group;
use super::{Access, Advice, FileKind, Identity, Mapped, Place, page_bytes};
use crate::testing::step;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl, open};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::stat::{Mode, fchmod, fstat};
use std::ffi::c_void;
use std::ops::Range;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::path::Path;
use std::ptr::{NonNull, null_mut};

type Sys<T> = nix::Result<T>;

/// What anonymous memory is a private mapping of: it is known by that in [`mappings`].
pub(crate) const ZEROS: &str = "/dev/zero";

/// `open(path)` as it is, following links; never blocks on a FIFO.
pub(crate) fn open_file(path: &Path, read_only: bool) -> Sys<OwnedFd> {
    let access = if read_only { OFlag::O_RDONLY } else { OFlag::O_RDWR };
    open(path, access | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK | OFlag::O_NOCTTY, Mode::empty())
}

/// `open(path, O_CREAT | O_EXCL | O_RDWR)` with exactly these permission bits; follows no link.
pub(crate) fn create_file(path: &Path, mode: u32) -> Sys<OwnedFd> {
    let flags = OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_RDWR | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW;
    let fd = open(path, flags, Mode::from_bits_truncate(0o600))?;
    fchmod(&fd, Mode::from_bits_truncate(mode))?;
    Ok(fd)
}

/// `memfd_create`. With `sealed`, nobody can make it shorter (`F_SEAL_SHRINK`).
pub(crate) fn create_memory(label: &str, sealed: bool) -> Sys<OwnedFd> {
    let fd = memfd_create(label, MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING)?;
    Ok(fd).and_then(|fd| if sealed { seal_shrink(&fd).map(|()| fd) } else { Ok(fd) })
}

fn seal_shrink(fd: &OwnedFd) -> Sys<()> {
    use nix::fcntl::SealFlag;
    fcntl(fd, FcntlArg::F_ADD_SEALS(SealFlag::F_SEAL_SHRINK)).map(drop)
}

/// `fcntl(F_ADD_SEALS)`: nobody can make the file shorter or longer, nor take that back.
pub(crate) fn seal_size(fd: &OwnedFd) -> Sys<()> {
    use nix::fcntl::SealFlag;
    step(|| "seal");
    fcntl(fd, FcntlArg::F_ADD_SEALS(SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SEAL)).map(drop)
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

/// `fcntl(F_GET_SEALS)`: whether nobody can make the file shorter.
pub(crate) fn cannot_shrink(fd: &OwnedFd) -> bool {
    fcntl(fd, FcntlArg::F_GET_SEALS).is_ok_and(|seals| seals & libc::F_SEAL_SHRINK != 0)
}

/// `fstat`: which file it is, and of what kind.
pub(crate) fn inspect(fd: &OwnedFd) -> Sys<(Identity, FileKind)> {
    let stat = fstat(fd)?;
    let kind = match stat.st_mode & libc::S_IFMT {
        libc::S_IFREG => FileKind::Regular(u64::try_from(stat.st_size).unwrap_or(0)),
        libc::S_IFCHR | libc::S_IFBLK => FileKind::Device,
        libc::S_IFDIR => FileKind::Other("a directory"),
        libc::S_IFIFO => FileKind::Other("a pipe"),
        libc::S_IFSOCK => FileKind::Other("a socket"),
        _ => FileKind::Other("no file"),
    };
    Ok((Identity { device: stat.st_dev, inode: stat.st_ino }, kind))
}

/// `statx`: when the file was made, in nanoseconds since 1970. `None` where its filesystem or the kernel does not say.
pub(crate) fn born_at(fd: &OwnedFd) -> Option<u64> {
    // SAFETY: numbers, of which any value is one.
    let mut found: libc::statx = unsafe { std::mem::zeroed() };
    let path = c"".as_ptr();
    // SAFETY: an empty string of C, and room for the answer. By its number: older C libraries have no function for it.
    let result = unsafe { libc::syscall(libc::SYS_statx, fd.as_raw_fd(), path, libc::AT_EMPTY_PATH, libc::STATX_BTIME, &raw mut found) };
    if result != 0 || found.stx_mask & libc::STATX_BTIME == 0 {
        return None;
    }
    let seconds = u64::try_from(found.stx_btime.tv_sec).ok()?;
    seconds.checked_mul(1_000_000_000)?.checked_add(u64::from(found.stx_btime.tv_nsec))
}

/// `pread`: the first bytes of an object; what it does not have stays as it is.
pub(crate) fn read_first(fd: &OwnedFd, target: &mut [u8]) -> Sys<()> {
    // SAFETY: the buffer is as long as the call is told.
    Errno::result(unsafe { libc::pread(fd.as_raw_fd(), target.as_mut_ptr().cast(), target.len(), 0) }).map(drop)
}

/// `fstat`: the permission bits.
pub(crate) fn permissions(fd: &OwnedFd) -> Sys<u32> {
    Ok(fstat(fd)?.st_mode & 0o7777)
}

/// `fstat`: the length of a file, and how many bytes there is room for already.
pub(crate) fn extent(fd: &OwnedFd) -> Sys<(u64, u64)> {
    let stat = fstat(fd)?;
    let [size, blocks] = [stat.st_size, stat.st_blocks].map(|number| u64::try_from(number).unwrap_or(0));
    Ok((size, blocks.saturating_mul(512)))
}

/// `ftruncate`
pub(crate) fn set_size(fd: &OwnedFd, byte_length: u64) -> Sys<()> {
    let length = i64::try_from(byte_length).map_err(|_| Errno::EFBIG)?;
    nix::unistd::ftruncate(fd, length)
}

/// `posix_fallocate`: the room of a part is there from now on, or `ENOSPC`.
pub(crate) fn reserve_part(fd: &OwnedFd, from: u64, byte_length: u64) -> Sys<()> {
    step(|| "fallocate");
    let (from, length) = (i64::try_from(from).map_err(|_| Errno::EFBIG)?, i64::try_from(byte_length).map_err(|_| Errno::EFBIG)?);
    loop {
        match nix::fcntl::posix_fallocate(fd, from, length) {
            Err(Errno::EINTR) => {}
            other => return other,
        }
    }
}

/// `fallocate(FALLOC_FL_PUNCH_HOLE)`: the room of a part is given back, and reads as zeros.
pub(crate) fn punch_hole(fd: &OwnedFd, from: u64, byte_length: u64) -> Sys<()> {
    let (from, length) = (i64::try_from(from).map_err(|_| Errno::EFBIG)?, i64::try_from(byte_length).map_err(|_| Errno::EFBIG)?);
    let mode = libc::FALLOC_FL_PUNCH_HOLE | libc::FALLOC_FL_KEEP_SIZE;
    // SAFETY: takes numbers.
    Errno::result(unsafe { libc::fallocate(fd.as_raw_fd(), mode, from, length) }).map(drop)
}

/// `statfs`: whether this is a filesystem of memory, and whether its files have in [`mappings`] the numbers that `fstat` gives them
/// (those of Btrfs and overlayfs have others).
pub(crate) fn filesystem(fd: &OwnedFd) -> (bool, bool) {
    let kind = nix::sys::statfs::fstatfs(fd).map(|stat| stat.filesystem_type());
    let is_memory = kind.is_ok_and(|kind| kind == nix::sys::statfs::TMPFS_MAGIC);
    const XFS: nix::sys::statfs::FsType = nix::sys::statfs::FsType(0x5846_5342);
    (is_memory, is_memory || kind.is_ok_and(|kind| kind == nix::sys::statfs::EXT4_SUPER_MAGIC || kind == XFS))
}

fn limit(resource: nix::sys::resource::Resource) -> Option<u64> {
    let (soft, _) = nix::sys::resource::getrlimit(resource).ok()?;
    (soft != nix::sys::resource::RLIM_INFINITY).then_some(soft)
}

/// `getrlimit(RLIMIT_MEMLOCK)`: most bytes that may be locked.
pub(crate) fn lock_limit() -> Option<u64> {
    limit(nix::sys::resource::Resource::RLIMIT_MEMLOCK)
}

/// `getrlimit(RLIMIT_NOFILE)`: most descriptors that may be open.
pub(crate) fn descriptor_limit() -> Option<u64> {
    limit(nix::sys::resource::Resource::RLIMIT_NOFILE)
}

/// `getrlimit(RLIMIT_FSIZE)`: most bytes that a file may get.
pub(crate) fn file_size_limit() -> Option<u64> {
    limit(nix::sys::resource::Resource::RLIMIT_FSIZE)
}

fn protection(access: Access) -> i32 {
    let bits = [(access.reads(), libc::PROT_READ), (access.writes(), libc::PROT_WRITE), (access.executes(), libc::PROT_EXEC)];
    bits.iter().filter(|(is_set, _)| *is_set).fold(libc::PROT_NONE, |all, (_, bit)| all | bit)
}

fn placed(place: Place) -> (*mut c_void, i32) {
    match place {
        Place::Anywhere => (null_mut(), 0),
        Place::Hint(address) => (address as *mut c_void, 0),
        Place::Exclusive(address) => (address as *mut c_void, libc::MAP_FIXED_NOREPLACE),
        Place::Over(address) => (address as *mut c_void, libc::MAP_FIXED),
    }
}

/// # Safety
/// With [`Place::Over`], what is there must be the caller's own, and of a kind that may be replaced at any time.
unsafe fn mmap(place: Place, byte_length: usize, access: Access, flags: i32, fd: RawFd, offset: u64) -> Sys<NonNull<u8>> {
    let (hint, fixed) = placed(place);
    let offset = libc::off_t::try_from(offset).map_err(|_| Errno::EOVERFLOW)?;
    // SAFETY: the caller's promise; every other place is one that nobody uses.
    let address = unsafe { libc::mmap(hint, byte_length, protection(access), flags | fixed, fd, offset) };
    if address == libc::MAP_FAILED {
        return Err(Errno::last());
    }
    // before Linux 4.17 the flag is not known, and the address a mere hint
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
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: the caller's promise.
    unsafe { mmap(place, byte_length, Access::None, flags, -1, 0) }
}

/// `mmap(MAP_FIXED | MAP_ANONYMOUS | MAP_PRIVATE)`: private zeros as an allocator has them from the system, so that they become one mapping with those around.
///
/// # Safety
/// The pages must be the caller's own, and of a kind that may be replaced at any time.
pub(crate) unsafe fn map_plain_zeros_over(address: usize, byte_length: usize) -> Sys<()> {
    // SAFETY: the caller's promise.
    unsafe { mmap(Place::Over(address), byte_length, Access::ReadWrite, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0) }.map(drop)
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

/// `madvise`
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
        Advice::HugePage => libc::MADV_HUGEPAGE,
        Advice::NoHugePage => libc::MADV_NOHUGEPAGE,
        Advice::Free => libc::MADV_FREE,
        Advice::Cold => libc::MADV_COLD,
        Advice::PageOut => libc::MADV_PAGEOUT,
        Advice::Remove => libc::MADV_REMOVE,
        Advice::DontFork => libc::MADV_DONTFORK,
        Advice::DoFork => libc::MADV_DOFORK,
        Advice::DontDump => libc::MADV_DONTDUMP,
        Advice::DoDump => libc::MADV_DODUMP,
    };
    // SAFETY: the caller's promise.
    unsafe { madvise(address, byte_length, advice) }
}

unsafe fn madvise(address: usize, byte_length: usize, advice: i32) -> Sys<()> {
    // SAFETY: the caller's promise.
    Errno::result(unsafe { libc::madvise(address as *mut c_void, byte_length, advice) }).map(drop)
}

/// `madvise(MADV_POPULATE_…)`: every page is there from now on; `EINVAL` before Linux 5.14.
pub(crate) fn populate(address: usize, byte_length: usize, writes: bool) -> Sys<()> {
    let advice = if writes { libc::MADV_POPULATE_WRITE } else { libc::MADV_POPULATE_READ };
    // SAFETY: it changes no byte; the kernel checks the range.
    unsafe { madvise(address, byte_length, advice) }
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
    Errno::result(unsafe { libc::mincore(address as *mut c_void, byte_length, pages.as_mut_ptr()) }).map(drop)
}

/// Puts a private copy of pages in their place, in one step, so that they can be written and nobody else sees it: `parts` are the byte ranges that are
/// copied, the rest is zeros. For the handler of a fault, too: async-signal-safe.
///
/// # Safety
/// The pages must be ones that may be replaced by other bytes at any time, and `parts` must lie in them and be readable.
pub(crate) unsafe fn replace_by_copy(address: usize, byte_length: usize, parts: &[Range<usize>]) -> Sys<()> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: pages that nobody else knows; the copied ones are mapped, and if they are cut off meanwhile the fault is mended like any other.
    unsafe {
        let copy = mmap(Place::Anywhere, byte_length, Access::ReadWrite, flags, -1, 0)?.as_ptr();
        for part in parts {
            libc::memcpy(copy.add(part.start).cast(), (address + part.start) as *const c_void, part.len());
        }
        let flags = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED;
        let moved = libc::mremap(copy.cast(), byte_length, byte_length, flags, address as *mut c_void);
        if moved == libc::MAP_FAILED {
            let errno = Errno::last();
            libc::munmap(copy.cast(), byte_length);
            return Err(errno);
        }
    }
    Ok(())
}

/// Reads /proc/self/maps, without allocating anything and with little stack: async-signal-safe. Nothing comes where there is no /proc.
pub(crate) struct Mappings {
    fd: RawFd,
    buffer: [u8; 256],
    next: usize,
    filled: usize,
}

/// What lies where in the address space of this process.
pub(crate) fn mappings() -> Mappings {
    // SAFETY: a C string; `open` is async-signal-safe.
    let fd = unsafe { libc::open(c"/proc/self/maps".as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) };
    Mappings { fd, buffer: [0; 256], next: 0, filled: 0 }
}

impl Mappings {
    /// Whether anything can be found out.
    pub(crate) fn is_open(&self) -> bool {
        self.fd >= 0
    }

    fn byte(&mut self) -> Option<u8> {
        if self.next == self.filled {
            // SAFETY: the buffer is ours; `read` is async-signal-safe.
            let read = unsafe { libc::read(self.fd, self.buffer.as_mut_ptr().cast(), self.buffer.len()) };
            self.filled = usize::try_from(read).ok().filter(|read| *read > 0)?;
            self.next = 0;
        }
        self.next += 1;
        Some(self.buffer[self.next - 1])
    }

    /// A number in this radix, and the byte that ended it.
    fn number(&mut self, radix: u32) -> Option<(u64, u8)> {
        let mut number = 0;
        loop {
            let byte = self.byte()?;
            match char::from(byte).to_digit(radix) {
                Some(digit) => number = number * u64::from(radix) + u64::from(digit),
                None => return Some((number, byte)),
            }
        }
    }

    fn skip_past(&mut self, end: u8) -> Option<()> {
        while self.byte()? != end {}
        Some(())
    }
}

impl Iterator for Mappings {
    type Item = Mapped;

    /// `start-end rwxp offset major:minor inode path`
    fn next(&mut self) -> Option<Mapped> {
        let (start, end) = (self.number(16)?.0, self.number(16)?.0);
        let read_write = [self.byte()?, self.byte()?] == *b"rw";
        self.skip_past(b' ')?;
        self.number(16)?;
        let (major, minor) = (self.number(16)?.0, self.number(16)?.0);
        let (inode, last) = self.number(10)?;
        if last != b'\n' {
            self.skip_past(b'\n')?;
        }
        Some(Mapped { start, end, read_write, identity: Identity { device: nix::sys::stat::makedev(major, minor), inode } })
    }
}

impl Drop for Mappings {
    fn drop(&mut self) {
        // SAFETY: our own descriptor, or -1.
        unsafe { libc::close(self.fd) };
    }
}

/// Bytes that the filesystem of an open file has left for this user; `None`: it has no limit of its own, as that of memfds.
pub(crate) fn bytes_available_at(fd: &OwnedFd) -> Sys<Option<u64>> {
    let stat = nix::sys::statvfs::fstatvfs(fd)?;
    Ok((stat.blocks() > 0).then(|| stat.blocks_available().saturating_mul(stat.fragment_size())))
}

/// `MemAvailable` and `SwapFree` of /proc/meminfo, in bytes, or what the control group has left, if that is less: what the kernel can give without taking it
/// from a process.
pub(crate) fn memory_available() -> Option<u64> {
    let all = std::fs::read_to_string("/proc/meminfo").ok()?;
    let kilobytes = |name: &str| {
        let line = all.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim_start_matches(':').split_whitespace().next()?.parse::<u64>().ok()
    };
    let free_swap = kilobytes("SwapFree").unwrap_or(0) * 1024;
    let machine = kilobytes("MemAvailable")? * 1024 + free_swap;
    Some(control_group::memory_left(free_swap).unwrap_or(u64::MAX).min(machine))
}
