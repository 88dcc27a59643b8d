//! macOS: files, their open-file-description locks, waiting on addresses. Compiled and linked; it has never been run.
//!
//! What is said of objects of `shm_open` is so in Apple's bsd/kern/posix_shm.c.

use super::{ByteLock, Identity};
use crate::testing::{step, tmpfile_off};
use nix::NixPath;
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, open};
use nix::sys::mman::{MapFlags, ProtFlags};
use nix::sys::stat::{FileStat, Mode, fchmod, fstat, stat};
use nix::time::{ClockId, clock_gettime};
use std::ffi::{CStr, c_void};
use std::num::NonZeroUsize;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::path::Path;
use std::ptr::{NonNull, null};
use std::sync::OnceLock;
use std::time::Duration;

type Sys<T> = nix::Result<T>;

/// Where named segments live unless the caller says otherwise.
pub(crate) const DEFAULT_DIRECTORY: &str = "/tmp";

/// How long a directory is watched at most: changes of its files do not wake who watches it.
const GLANCE: Duration = Duration::from_millis(20);

/// `sysconf(_SC_PAGESIZE)`
pub(crate) fn page_size() -> u64 {
    static SIZE: OnceLock<u64> = OnceLock::new();
    *SIZE.get_or_init(|| {
        let size = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE);
        size.ok().flatten().and_then(|size| u64::try_from(size).ok()).unwrap_or(16384)
    })
}

/// `getrlimit(RLIMIT_AS)`: `None` where there is no limit.
pub(crate) fn address_space_limit() -> Option<u64> {
    use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};
    let (soft, _) = getrlimit(Resource::RLIMIT_AS).ok()?;
    (soft != RLIM_INFINITY).then_some(soft)
}

/// There is no `O_TMPFILE`: a temporary name it is.
pub(crate) fn create_unnamed(_: &Path, _: u32) -> Sys<OwnedFd> {
    let _ = tmpfile_off();
    Err(Errno::EOPNOTSUPP)
}

/// `open(path, O_CREAT | O_EXCL | O_RDWR)` with exactly these permission bits, whatever the umask.
pub(crate) fn create_exclusive(path: &Path, mode: u32) -> Sys<OwnedFd> {
    step(|| "open O_EXCL");
    let flags = OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_RDWR | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW;
    let fd = open(path, flags, bits(0o600))?;
    fchmod(&fd, bits(mode))?;
    Ok(fd)
}

fn bits(mode: u32) -> Mode {
    Mode::from_bits_truncate(libc::mode_t::try_from(mode & 0o7777).unwrap_or(0o600))
}

/// `open(path)`; never follows a symbolic link, never blocks on a FIFO.
pub(crate) fn open_named(path: &Path, read_only: bool) -> Sys<OwnedFd> {
    open(path, access(read_only) | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK, Mode::empty())
}

/// Elsewhere one number says that something is not supported. Here a filesystem says `ENOTSUP`, which is another one than `EOPNOTSUPP` (bsd/sys/errno.h).
pub(super) fn unified(errno: Errno) -> Errno {
    if errno == Errno::ENOTSUP { Errno::EOPNOTSUPP } else { errno }
}

fn access(read_only: bool) -> OFlag {
    if read_only { OFlag::O_RDONLY } else { OFlag::O_RDWR }
}

/// `fcntl(F_GETPATH)` and `open`: a new open file description of the same file. `/dev/fd` would give the same one again.
///
/// Of a file that had two names the system may remember the one that is gone: then by its numbers, where the filesystem can. `ESTALE` where neither leads to it.
pub(crate) fn reopen(fd: &OwnedFd, read_only: bool) -> Sys<OwnedFd> {
    let mut path = [0_u8; libc::PATH_MAX as usize];
    // SAFETY: the buffer is as long as the call asks.
    Errno::result(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETPATH, path.as_mut_ptr()) })?;
    let path = CStr::from_bytes_until_nul(&path).map_err(|_| Errno::ENAMETOOLONG)?;
    let stat = fstat(fd)?;
    let same = |file: Sys<OwnedFd>| -> Sys<OwnedFd> {
        let file = file?;
        if identity(&fstat(&file)?) == identity(&stat) { Ok(file) } else { Err(Errno::ESTALE) }
    };
    let flags = access(read_only) | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    match same(open(path, flags, Mode::empty())) {
        Err(Errno::ENOENT | Errno::ESTALE) => {
            let numbers = format!("/.vol/{}/{}", stat.st_dev, stat.st_ino);
            same(open(numbers.as_str(), flags, Mode::empty())).map_err(|_| Errno::ESTALE)
        }
        reopened => reopened,
    }
}

/// `fchmod`
pub(crate) fn set_mode(fd: &OwnedFd, mode: u32) -> Sys<()> {
    step(|| "fchmod");
    fchmod(fd, bits(mode))
}

/// No file is nameless here: see [`create_unnamed`].
pub(crate) fn give_name(_: &OwnedFd, _: &Path) -> Sys<()> {
    Err(Errno::EOPNOTSUPP)
}

/// `linkat`: a second name for a file; `EEXIST` if that name is taken.
pub(crate) fn link(from: &Path, to: &Path) -> Sys<()> {
    step(|| "linkat");
    nix::unistd::linkat(AT_FDCWD, from, AT_FDCWD, to, AtFlags::empty()).map_err(unified)
}

/// `rename`
pub(crate) fn rename(from: &Path, to: &Path) -> Sys<()> {
    step(|| "rename");
    nix::fcntl::renameat(AT_FDCWD, from, AT_FDCWD, to)
}

/// `renameatx_np(RENAME_SWAP)`: each name leads to what the other one led to. `EOPNOTSUPP` where the filesystem cannot.
pub(crate) fn exchange(one: &Path, other: &Path) -> Sys<()> {
    step(|| "rename");
    let result = one.with_nix_path(|one| {
        other.with_nix_path(|other| {
            let here = libc::AT_FDCWD;
            // SAFETY: both are C strings that outlive the call.
            unsafe { libc::renameatx_np(here, one.as_ptr(), here, other.as_ptr(), libc::RENAME_SWAP) }
        })
    })??;
    Errno::result(result).map(drop).map_err(unified)
}

/// `pthread_atfork`: all three run on the thread that forks.
pub(crate) fn at_fork(before: extern "C" fn(), in_parent: extern "C" fn(), in_child: extern "C" fn()) -> Sys<()> {
    // SAFETY: the functions are never unloaded; what they may do between fork and exec is their business.
    let errno = unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) };
    if errno == 0 { Ok(()) } else { Err(Errno::from_raw(errno)) }
}

/// `dup2`: these descriptors lead to /dev/null from now on. Where no descriptor is left to open that with, `close`.
pub(crate) fn replace_by_nothing(descriptors: &[RawFd]) {
    let nothing = open("/dev/null", OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty());
    for descriptor in descriptors {
        // SAFETY: no memory is involved; whoever owns the descriptor uses it for nothing but locking.
        unsafe {
            match &nothing {
                Ok(nothing) => {
                    libc::dup2(nothing.as_raw_fd(), *descriptor);
                    libc::fcntl(*descriptor, libc::F_SETFD, libc::FD_CLOEXEC);
                }
                Err(_) => {
                    libc::close(*descriptor);
                }
            }
        }
    }
}

/// Tests of forks are Linux's.
#[cfg(feature = "testing")]
pub(crate) fn fork_idle() -> Sys<i32> {
    Err(Errno::ENOSYS)
}

/// Tests of forks are Linux's.
#[cfg(feature = "testing")]
pub(crate) fn fork_and_check(_: impl FnOnce() -> bool) -> Sys<bool> {
    Err(Errno::ENOSYS)
}

/// `unlink`
pub(crate) fn unlink(path: &Path) -> Sys<()> {
    step(|| "unlink");
    nix::unistd::unlink(path)
}

/// `futimens(fd, now)`. Who watches the directory does not hear it, but looks again soon: see [`DirectoryWatch`].
pub(crate) fn touch(fd: &OwnedFd) -> Sys<()> {
    step(|| "futimens");
    // SAFETY: no times: now.
    Errno::result(unsafe { libc::futimens(fd.as_raw_fd(), null()) }).map(drop)
}

/// Whether it is an object of `shm_open`: those are of no kind.
pub(super) fn is_memory(stat: &FileStat) -> bool {
    stat.st_mode & libc::S_IFMT == 0
}

/// Identity and size of an open regular file or object of `shm_open`, all of which have one identity; `EINVAL` for anything else.
pub(crate) fn describe(fd: &OwnedFd) -> Sys<(Identity, u64)> {
    let stat = fstat(fd)?;
    if stat.st_mode & libc::S_IFMT != libc::S_IFREG && !is_memory(&stat) {
        return Err(Errno::EINVAL);
    }
    Ok((identity(&stat), u64::try_from(stat.st_size).unwrap_or(0)))
}

/// Which file it is.
pub(super) fn identity(stat: &FileStat) -> Identity {
    // the same bits: the number of a device has a sign here
    Identity { device: u64::from(stat.st_dev.cast_unsigned()), inode: stat.st_ino }
}

/// `st_nlink`: how many names an open file has.
pub(crate) fn count_names(fd: &OwnedFd) -> Sys<u64> {
    Ok(u64::from(fstat(fd)?.st_nlink))
}

/// `st_uid` and `geteuid`: whether an open file belongs to this process's user.
pub(crate) fn is_own(fd: &OwnedFd) -> Sys<bool> {
    // SAFETY: it takes nothing and cannot fail.
    Ok(fstat(fd)?.st_uid == unsafe { libc::geteuid() })
}

/// Which file the name leads to now.
pub(crate) fn identify_file(path: &Path) -> Sys<Identity> {
    Ok(identity(&stat(path)?))
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

/// `mmap(MAP_FIXED | MAP_ANON | MAP_PRIVATE)`: private zeros where shared pages were.
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

fn byte_range(kind: libc::c_short, byte: u64, count: i64) -> libc::flock {
    libc::flock {
        l_start: i64::try_from(byte).unwrap_or(i64::MAX),
        l_len: count,
        l_pid: 0,
        l_type: kind,
        l_whence: libc::c_short::try_from(libc::SEEK_SET).unwrap_or(0),
    }
}

fn lock_call(fd: &OwnedFd, command: libc::c_int, range: &mut libc::flock) -> Sys<()> {
    // SAFETY: the kernel reads and writes the range, which outlives the call.
    Errno::result(unsafe { libc::fcntl(fd.as_raw_fd(), command, &raw mut *range) }).map(drop).map_err(unified)
}

/// `fcntl(F_OFD_SETLK)`: false where another description holds a conflicting lock.
pub(crate) fn try_lock_byte(fd: &OwnedFd, byte: u64, exclusive: bool) -> Sys<bool> {
    let kind = if exclusive { libc::F_WRLCK } else { libc::F_RDLCK };
    match lock_call(fd, libc::F_OFD_SETLK, &mut byte_range(kind, byte, 1)) {
        Ok(()) => Ok(true),
        Err(Errno::EAGAIN | Errno::EACCES) => Ok(false),
        Err(errno) => Err(errno),
    }
}

/// `fcntl(F_OFD_SETLK, F_UNLCK)`
pub(crate) fn unlock_byte(fd: &OwnedFd, byte: u64) -> Sys<()> {
    lock_call(fd, libc::F_OFD_SETLK, &mut byte_range(libc::F_UNLCK, byte, 1))
}

/// `fcntl(F_OFD_SETLK, F_UNLCK)` on the whole range.
pub(crate) fn unlock_all(fd: &OwnedFd) -> Sys<()> {
    lock_call(fd, libc::F_OFD_SETLK, &mut byte_range(libc::F_UNLCK, 0, 0))
}

/// `fcntl(F_OFD_GETLK)`: what stands in the way of a lock of the kind asked for on `count` bytes, seen from this description.
pub(crate) fn query_bytes(fd: &OwnedFd, byte: u64, count: i64, exclusive: bool) -> Sys<ByteLock> {
    let mut range = byte_range(if exclusive { libc::F_WRLCK } else { libc::F_RDLCK }, byte, count);
    lock_call(fd, libc::F_OFD_GETLK, &mut range)?;
    Ok(match range.l_type {
        libc::F_WRLCK => ByteLock::Write,
        libc::F_RDLCK => ByteLock::Read,
        _ => ByteLock::Free,
    })
}

fn nanoseconds(clock: ClockId) -> u64 {
    let time = clock_gettime(clock).map(Duration::from).unwrap_or_default();
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// `clock_gettime(CLOCK_MONOTONIC_RAW)` in nanoseconds: the same clock in every process of this boot, and that of libuv (`mach_continuous_time`). The one without
/// `RAW` is the time of day less that of the boot, in whole microseconds, and goes as fast as the former is corrected (gen/clock_gettime.c of Apple's Libc).
pub(crate) fn monotonic_ns() -> u64 {
    nanoseconds(ClockId::from_raw(libc::CLOCK_MONOTONIC_RAW))
}

/// `clock_gettime(CLOCK_REALTIME)` in nanoseconds since 1970.
pub(crate) fn realtime_ns() -> u64 {
    nanoseconds(ClockId::CLOCK_REALTIME)
}

/// `getentropy`
pub(crate) fn random_bytes() -> Sys<[u8; 16]> {
    let mut bytes = [0; 16];
    // SAFETY: the buffer is ours and as long as we say.
    let result = unsafe { libc::getentropy(bytes.as_mut_ptr().cast(), bytes.len()) };
    Errno::result(result).map(|_| bytes)
}

/// Copies through the C library, which the compiler cannot see into: the bytes may change under it.
///
/// # Safety
/// Both ranges must be mapped for the length given and must not overlap.
pub(crate) unsafe fn copy_opaque(from: *const u8, to: *mut u8, byte_length: usize) {
    // SAFETY: the caller's promise.
    unsafe { libc::memcpy(to.cast(), from.cast(), byte_length) };
}

/// Watches a directory for names that come and go.
pub(crate) struct DirectoryWatch {
    queue: OwnedFd,
    /// What is watched must stay open.
    _directory: OwnedFd,
}

impl DirectoryWatch {
    /// `kqueue` and `kevent(EVFILT_VNODE)`
    pub(crate) fn new(directory: &Path) -> Sys<DirectoryWatch> {
        let directory = open(directory, OFlag::O_RDONLY | OFlag::O_CLOEXEC | OFlag::O_DIRECTORY, Mode::empty())?;
        // SAFETY: a fresh descriptor that nobody else knows, unless it is -1, which is told as an error before.
        let queue = unsafe { OwnedFd::from_raw_fd(Errno::result(libc::kqueue())?) };
        let ident = usize::try_from(directory.as_raw_fd()).map_err(|_| Errno::EBADF)?;
        let flags = libc::EV_ADD | libc::EV_CLEAR;
        let change =
            libc::kevent { ident, filter: libc::EVFILT_VNODE, flags, fflags: libc::NOTE_WRITE, data: 0, udata: std::ptr::null_mut() };
        // SAFETY: one change, which outlives the call, and no events.
        Errno::result(unsafe { libc::kevent(queue.as_raw_fd(), &raw const change, 1, std::ptr::null_mut(), 0, null()) })?;
        Ok(DirectoryWatch { queue, _directory: directory })
    }

    /// `kevent`: at most `bound`, and never longer than a glance; returns early on any event or signal.
    pub(crate) fn wait(&self, bound: Duration) -> Sys<()> {
        let bound = bound.min(GLANCE);
        let timeout = libc::timespec { tv_sec: 0, tv_nsec: libc::c_long::from(bound.subsec_nanos()) };
        let mut event = std::mem::MaybeUninit::<libc::kevent>::uninit();
        // SAFETY: room for one event, and a timeout that outlives the call.
        let result = unsafe { libc::kevent(self.queue.as_raw_fd(), null(), 0, event.as_mut_ptr(), 1, &raw const timeout) };
        match Errno::result(result) {
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(errno) => Err(errno),
        }
    }
}
