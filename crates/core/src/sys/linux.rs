//! Linux: tmpfs files, open-file-description locks, shared futexes.

use super::{ByteLock, Identity};
use crate::testing::{step, tmpfile_off};
use nix::NixPath;
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, FcntlArg, OFlag, fcntl, open};
use nix::sys::mman::{MapFlags, ProtFlags};
use nix::sys::stat::{Mode, fchmod, fstat, stat};
use nix::time::{ClockId, clock_gettime};
use std::ffi::c_void;
use std::num::NonZeroUsize;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::path::Path;
use std::ptr::NonNull;
use std::sync::OnceLock;
use std::time::Duration;

type Sys<T> = nix::Result<T>;

/// Where named segments live unless the caller says otherwise.
pub(crate) const DEFAULT_DIRECTORY: &str = "/dev/shm";

/// `sysconf(_SC_PAGESIZE)`
pub(crate) fn page_size() -> u64 {
    static SIZE: OnceLock<u64> = OnceLock::new();
    *SIZE.get_or_init(|| {
        let size = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE);
        size.ok().flatten().and_then(|size| u64::try_from(size).ok()).unwrap_or(4096)
    })
}

/// `getrlimit(RLIMIT_AS)`: `None` where there is no limit.
pub(crate) fn address_space_limit() -> Option<u64> {
    use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};
    let (soft, _) = getrlimit(Resource::RLIMIT_AS).ok()?;
    (soft != RLIM_INFINITY).then_some(soft)
}

/// `open(directory, O_TMPFILE | O_RDWR)` with exactly these permission bits, whatever the umask.
pub(crate) fn create_unnamed(directory: &Path, mode: u32) -> Sys<OwnedFd> {
    if tmpfile_off() {
        return Err(Errno::EOPNOTSUPP);
    }
    let fd = open(directory, OFlag::O_TMPFILE | OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::from_bits_truncate(0o600))?;
    fchmod(&fd, Mode::from_bits_truncate(mode))?;
    Ok(fd)
}

/// `open(path, O_CREAT | O_EXCL | O_RDWR)`, for filesystems that have no `O_TMPFILE`.
pub(crate) fn create_exclusive(path: &Path, mode: u32) -> Sys<OwnedFd> {
    step(|| "open O_EXCL");
    let flags = OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_RDWR | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW;
    let fd = open(path, flags, Mode::from_bits_truncate(0o600))?;
    fchmod(&fd, Mode::from_bits_truncate(mode))?;
    Ok(fd)
}

/// `open(path)`; never follows a symbolic link, never blocks on a FIFO.
pub(crate) fn open_named(path: &Path, read_only: bool) -> Sys<OwnedFd> {
    let access = if read_only { OFlag::O_RDONLY } else { OFlag::O_RDWR };
    open(path, access | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK, Mode::empty())
}

/// A new open file description of the same file: locks taken through it belong to it alone.
pub(crate) fn reopen(fd: &OwnedFd, read_only: bool) -> Sys<OwnedFd> {
    let access = if read_only { OFlag::O_RDONLY } else { OFlag::O_RDWR };
    open(proc_path(fd).as_str(), access | OFlag::O_CLOEXEC, Mode::empty())
}

fn proc_path(fd: &OwnedFd) -> String {
    format!("/proc/self/fd/{}", fd.as_raw_fd())
}

/// `fchmod`
pub(crate) fn set_mode(fd: &OwnedFd, mode: u32) -> Sys<()> {
    step(|| "fchmod");
    fchmod(fd, Mode::from_bits_truncate(mode))
}

/// `linkat`: gives a nameless file its name; `EEXIST` if the name is taken.
pub(crate) fn give_name(fd: &OwnedFd, path: &Path) -> Sys<()> {
    step(|| "linkat");
    nix::unistd::linkat(AT_FDCWD, proc_path(fd).as_str(), AT_FDCWD, path, AtFlags::AT_SYMLINK_FOLLOW)
}

/// `linkat`: a second name for a file; `EEXIST` if that name is taken.
pub(crate) fn link(from: &Path, to: &Path) -> Sys<()> {
    step(|| "linkat");
    nix::unistd::linkat(AT_FDCWD, from, AT_FDCWD, to, AtFlags::empty())
}

/// `rename`
pub(crate) fn rename(from: &Path, to: &Path) -> Sys<()> {
    step(|| "rename");
    nix::fcntl::renameat(AT_FDCWD, from, AT_FDCWD, to)
}

/// `renameat2(RENAME_EXCHANGE)`: each name leads to what the other one led to.
pub(crate) fn exchange(one: &Path, other: &Path) -> Sys<()> {
    step(|| "rename");
    let result = one.with_nix_path(|one| {
        other.with_nix_path(|other| {
            let (here, flags) = (libc::AT_FDCWD, libc::RENAME_EXCHANGE);
            // SAFETY: both are C strings that outlive the call. By number, because not every C library has the function.
            unsafe { libc::syscall(libc::SYS_renameat2, here, one.as_ptr(), here, other.as_ptr(), flags) }
        })
    })??;
    Errno::result(result).map(drop)
}

/// `pthread_atfork`: all three run on the thread that forks.
pub(crate) fn at_fork(before: extern "C" fn(), in_parent: extern "C" fn(), in_child: extern "C" fn()) -> Sys<()> {
    // SAFETY: the functions are never unloaded; what they may do between fork and exec is their business.
    let errno = unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) };
    if errno == 0 { Ok(()) } else { Err(Errno::from_raw(errno)) }
}

/// `dup3`: these descriptors lead to /dev/null from now on. Where no descriptor is left to open that with, `close`.
pub(crate) fn replace_by_nothing(descriptors: &[RawFd]) {
    let nothing = open("/dev/null", OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty());
    for descriptor in descriptors {
        // SAFETY: no memory is involved; whoever owns the descriptor uses it for nothing but locking.
        let _ = unsafe {
            match &nothing {
                Ok(nothing) => libc::dup3(nothing.as_raw_fd(), *descriptor, libc::O_CLOEXEC),
                Err(_) => libc::close(*descriptor),
            }
        };
    }
}

/// `fork`, for tests: the child does nothing, for a minute at most. Returns its process id, once the child runs.
#[cfg(feature = "testing")]
pub(crate) fn fork_idle() -> Sys<i32> {
    let (awaited, told) = nix::unistd::pipe2(OFlag::O_CLOEXEC)?;
    // SAFETY: the child calls nothing but async-signal-safe functions.
    match unsafe { nix::unistd::fork() }? {
        nix::unistd::ForkResult::Parent { child } => {
            drop(told);
            // until then it has not yet done what `at_fork` is for
            nix::unistd::read(&awaited, &mut [0])?;
            Ok(child.as_raw())
        }
        nix::unistd::ForkResult::Child => loop {
            // SAFETY: as above; the standard streams belong to the test that the child is to outlive.
            unsafe {
                libc::write(told.as_raw_fd(), b"!".as_ptr().cast(), 1);
                for stream in 0..3 {
                    libc::close(stream);
                }
                libc::alarm(60);
                libc::pause();
            }
        },
    }
}

/// `fork` and `waitpid`, for tests: the child finds out whether all is as it should be, in a minute at most.
#[cfg(feature = "testing")]
pub(crate) fn fork_and_check(check: impl FnOnce() -> bool) -> Sys<bool> {
    use nix::sys::wait::{WaitStatus, waitpid};
    // SAFETY: the C library keeps its allocator usable in the child; what else `check` needs is the test's business.
    match unsafe { nix::unistd::fork() }? {
        nix::unistd::ForkResult::Parent { child } => Ok(matches!(waitpid(child, None)?, WaitStatus::Exited(_, 0))),
        nix::unistd::ForkResult::Child => {
            // SAFETY: takes a number.
            unsafe { libc::alarm(60) };
            let is_fine = std::panic::catch_unwind(std::panic::AssertUnwindSafe(check)).unwrap_or(false);
            // SAFETY: ends the process at once, without what the test's harness would do at its end.
            unsafe { libc::_exit(i32::from(!is_fine)) }
        }
    }
}

/// `unlink`
pub(crate) fn unlink(path: &Path) -> Sys<()> {
    step(|| "unlink");
    nix::unistd::unlink(path)
}

/// `futimens(fd, now)`: tells those who watch the directory that something happened to the file.
pub(crate) fn touch(fd: &OwnedFd) -> Sys<()> {
    use nix::sys::time::TimeSpec;
    step(|| "futimens");
    nix::sys::stat::futimens(fd, &TimeSpec::UTIME_NOW, &TimeSpec::UTIME_NOW)
}

/// Identity and size of an open regular file; `EINVAL` for anything else.
pub(crate) fn describe(fd: &OwnedFd) -> Sys<(Identity, u64)> {
    let stat = fstat(fd)?;
    if stat.st_mode & libc::S_IFMT != libc::S_IFREG {
        return Err(Errno::EINVAL);
    }
    Ok((Identity { device: stat.st_dev, inode: stat.st_ino }, u64::try_from(stat.st_size).unwrap_or(0)))
}

/// `st_nlink`: how many names an open file has.
pub(crate) fn count_names(fd: &OwnedFd) -> Sys<u64> {
    // u64 on x86-64, u32 on arm64
    Ok(fstat(fd)?.st_nlink as u64)
}

/// `st_uid` and `geteuid`: whether an open file belongs to this process's user.
pub(crate) fn is_own(fd: &OwnedFd) -> Sys<bool> {
    // SAFETY: it takes nothing and cannot fail.
    Ok(fstat(fd)?.st_uid == unsafe { libc::geteuid() })
}

/// Which file the name leads to now.
pub(crate) fn identify_file(path: &Path) -> Sys<Identity> {
    let stat = stat(path)?;
    Ok(Identity { device: stat.st_dev, inode: stat.st_ino })
}

fn protection(read_only: bool) -> ProtFlags {
    if read_only { ProtFlags::PROT_READ } else { ProtFlags::PROT_READ | ProtFlags::PROT_WRITE }
}

/// `mmap(NULL, …, MAP_SHARED)`
pub(crate) fn map(fd: &OwnedFd, byte_length: NonZeroUsize, read_only: bool) -> Sys<NonNull<u8>> {
    // SAFETY: the kernel chooses an unused range; nothing that exists is touched.
    let address = unsafe { nix::sys::mman::mmap(None, byte_length, protection(read_only), MapFlags::MAP_SHARED, fd, 0)? };
    Ok(address.cast())
}

/// `mmap(MAP_FIXED | MAP_SHARED)` over pages that are there already.
///
/// # Safety
/// The range must be the caller's own, whole pages, and of a kind that may be replaced by other bytes at any time.
pub(crate) unsafe fn map_over(address: NonZeroUsize, byte_length: NonZeroUsize, fd: &OwnedFd, read_only: bool) -> Sys<()> {
    let flags = MapFlags::MAP_SHARED | MapFlags::MAP_FIXED;
    // SAFETY: the caller owns the range.
    unsafe { nix::sys::mman::mmap(Some(address), byte_length, protection(read_only), flags, fd, 0)? };
    Ok(())
}

/// `mmap(MAP_FIXED | MAP_ANONYMOUS | MAP_PRIVATE)`: private zeros where shared pages were.
///
/// # Safety
/// As for [`map_over`].
pub(crate) unsafe fn map_zeros_over(address: NonZeroUsize, byte_length: NonZeroUsize) -> Sys<()> {
    let flags = MapFlags::MAP_PRIVATE | MapFlags::MAP_FIXED | MapFlags::MAP_NORESERVE;
    // SAFETY: the caller owns the range.
    unsafe { nix::sys::mman::mmap_anonymous(Some(address), byte_length, protection(false), flags)? };
    Ok(())
}

/// `munmap`
///
/// # Safety
/// The range must have come from [`map`] and nothing may point into it any more.
pub(crate) unsafe fn unmap(address: NonNull<u8>, byte_length: usize) {
    // SAFETY: handed on to the caller. The only failure, a range that is no mapping, would be a broken caller.
    let _ = unsafe { nix::sys::mman::munmap(address.cast::<c_void>(), byte_length) };
}

fn byte_range(kind: i32, byte: u64, count: i64) -> libc::flock {
    libc::flock {
        l_type: i16::try_from(kind).unwrap_or(0),
        l_whence: i16::try_from(libc::SEEK_SET).unwrap_or(0),
        l_start: i64::try_from(byte).unwrap_or(i64::MAX),
        l_len: count,
        l_pid: 0,
    }
}

/// `fcntl(F_OFD_SETLK)`: false where another description holds a conflicting lock.
pub(crate) fn try_lock_byte(fd: &OwnedFd, byte: u64, exclusive: bool) -> Sys<bool> {
    let kind = if exclusive { libc::F_WRLCK } else { libc::F_RDLCK };
    match fcntl(fd, FcntlArg::F_OFD_SETLK(&byte_range(kind, byte, 1))) {
        Ok(_) => Ok(true),
        Err(Errno::EAGAIN | Errno::EACCES) => Ok(false),
        Err(errno) => Err(errno),
    }
}

/// `fcntl(F_OFD_SETLK, F_UNLCK)`
pub(crate) fn unlock_byte(fd: &OwnedFd, byte: u64) -> Sys<()> {
    fcntl(fd, FcntlArg::F_OFD_SETLK(&byte_range(libc::F_UNLCK, byte, 1))).map(drop)
}

/// `fcntl(F_OFD_SETLK, F_UNLCK)` on the whole range.
pub(crate) fn unlock_all(fd: &OwnedFd) -> Sys<()> {
    fcntl(fd, FcntlArg::F_OFD_SETLK(&byte_range(libc::F_UNLCK, 0, 0))).map(drop)
}

/// `fcntl(F_OFD_GETLK)`: what stands in the way of a lock of the kind asked for on `count` bytes, seen from this description.
pub(crate) fn query_bytes(fd: &OwnedFd, byte: u64, count: i64, exclusive: bool) -> Sys<ByteLock> {
    let mut range = byte_range(if exclusive { libc::F_WRLCK } else { libc::F_RDLCK }, byte, count);
    fcntl(fd, FcntlArg::F_OFD_GETLK(&mut range))?;
    Ok(match i32::from(range.l_type) {
        libc::F_WRLCK => ByteLock::Write,
        libc::F_RDLCK => ByteLock::Read,
        _ => ByteLock::Free,
    })
}

/// `futex(FUTEX_WAIT)`, shared between processes, at most `bound`.
///
/// The word may be in a mapping that another process truncates: the kernel then answers `EFAULT`.
pub(crate) fn futex_wait(word: *const u32, expected: u32, bound: Duration) -> Sys<()> {
    step(|| "futex wait");
    let timeout = libc::timespec {
        tv_sec: libc::time_t::try_from(bound.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_nsec: libc::c_long::from(bound.subsec_nanos()),
    };
    // SAFETY: the kernel checks the address itself, and reads `timeout`, which outlives the call.
    let result = unsafe { libc::syscall(libc::SYS_futex, word, libc::FUTEX_WAIT, expected, &raw const timeout) };
    Errno::result(result).map(drop)
}

/// `futex(FUTEX_WAKE, INT_MAX)`, shared between processes.
pub(crate) fn futex_wake_all(word: *const u32) {
    futex_wake(word, i32::MAX);
}

/// `futex(FUTEX_WAKE, 1)`, shared between processes.
pub(crate) fn futex_wake_one(word: *const u32) {
    futex_wake(word, 1);
}

fn futex_wake(word: *const u32, most: i32) {
    step(|| "futex wake");
    // SAFETY: the kernel only uses the address to find the waiters.
    unsafe { libc::syscall(libc::SYS_futex, word, libc::FUTEX_WAKE, most) };
}

fn nanoseconds(clock: ClockId) -> u64 {
    let time = Duration::from(clock_gettime(clock).unwrap_or_else(|_| nix::sys::time::TimeSpec::from_duration(Duration::ZERO)));
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// `clock_gettime(CLOCK_MONOTONIC)` in nanoseconds: the same clock in every process of this boot.
pub(crate) fn monotonic_ns() -> u64 {
    nanoseconds(ClockId::CLOCK_MONOTONIC)
}

/// `clock_gettime(CLOCK_REALTIME)` in nanoseconds since 1970.
pub(crate) fn realtime_ns() -> u64 {
    nanoseconds(ClockId::CLOCK_REALTIME)
}

/// `getrandom`
pub(crate) fn random_bytes() -> Sys<[u8; 16]> {
    let mut bytes = [0; 16];
    // SAFETY: the buffer is ours and as long as we say.
    let result = unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), 0) };
    Errno::result(result).map(|_| bytes)
}

/// Whether to do an access again before it is believed that its page is missing: the kernel says what is wrong with it, so never.
#[inline(always)]
pub(crate) fn may_have_passed(_: super::Fault, _: usize) -> bool {
    false
}

/// Copies through the C library, which the compiler cannot see into: the bytes may change under it.
///
/// # Safety
/// Both ranges must be mapped for the length given and must not overlap.
pub(crate) unsafe fn copy_opaque(from: *const u8, to: *mut u8, byte_length: usize) {
    // SAFETY: the caller's promise.
    unsafe { libc::memcpy(to.cast(), from.cast(), byte_length) };
}

/// Watches a directory for names that come, move in, or are touched.
pub(crate) struct DirectoryWatch(nix::sys::inotify::Inotify);

impl DirectoryWatch {
    /// `inotify_init1` and `inotify_add_watch`
    pub(crate) fn new(directory: &Path) -> Sys<DirectoryWatch> {
        use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
        inotify.add_watch(directory, AddWatchFlags::IN_CREATE | AddWatchFlags::IN_MOVED_TO | AddWatchFlags::IN_ATTRIB)?;
        Ok(DirectoryWatch(inotify))
    }

    /// `poll`, then reads what has come: at most `bound`, returns early on any event or signal.
    pub(crate) fn wait(&self, bound: Duration) -> Sys<()> {
        use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
        use std::os::fd::AsFd;
        let fd: BorrowedFd<'_> = self.0.as_fd();
        let timeout = PollTimeout::try_from(bound).unwrap_or(PollTimeout::MAX);
        match poll(&mut [PollFd::new(fd, PollFlags::POLLIN)], timeout) {
            Ok(0) | Err(Errno::EINTR) => return Ok(()),
            Ok(_) => {}
            Err(errno) => return Err(errno),
        }
        match self.0.read_events() {
            Ok(_) | Err(Errno::EAGAIN) => Ok(()),
            Err(errno) => Err(errno),
        }
    }
}
