//! macOS: why an access to a page failed. Compiled and linked; it has never been run.
//!
//! Whatever the reason, the signal is SIGBUS and its code `BUS_ADRALN` (bsd/uxkern/ux_exception.c, bsd/dev/arm/unix_signal.c), also if a process sent it; only
//! where nothing is mapped it is SIGSEGV. So the kernel is asked what may be done with the page: with a plain system call, which a handler may make.

use super::signal::Fault;
use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicUsize, Ordering};

/// bsd/sys/proc_info.h
const PROC_PIDREGIONINFO: c_int = 7;

/// What the kernel says of the mapping at an address or behind it: bsd/sys/proc_info.h.
#[repr(C)]
#[derive(Clone, Copy)]
struct RegionInfo {
    protection: u32,
    _most: [u32; 3],
    _offset: u64,
    _rest: [u32; 14],
    address: u64,
    size: u64,
}

const _: () = assert!(size_of::<RegionInfo>() == 96);

/// What kind of fault of a page it is; `None` for any other.
pub(super) fn fault_of(signal: c_int, address: usize, context: *mut c_void) -> Option<Fault> {
    let access = Access::of(context);
    // a page that was jumped to cannot be mended, nor an access that is not aligned
    if signal != libc::SIGBUS || access.instruction == address || access.is_misaligned {
        return None;
    }
    let needed = if access.writes { libc::PROT_WRITE } else { libc::PROT_READ };
    let forbids = |allowed: u32| allowed & needed.cast_unsigned() == 0;
    Some(if protection_at(address).is_some_and(forbids) { Fault::Forbidden } else { Fault::Missing })
}

/// The access that failed.
struct Access {
    instruction: usize,
    writes: bool,
    is_misaligned: bool,
}

impl Access {
    #[cfg(target_arch = "aarch64")]
    fn of(context: *mut c_void) -> Access {
        // SAFETY: the kernel passes the context of the thread.
        let (instruction, syndrome) = unsafe {
            let machine = (*context.cast::<libc::ucontext_t>()).uc_mcontext;
            ((*machine).__ss.__pc, (*machine).__es.__esr)
        };
        // Arm's manual, ESR_EL1 of a data abort: WnR, and DFSC, which is 0x21 for an alignment fault
        Access { instruction: instruction as usize, writes: syndrome & 1 << 6 != 0, is_misaligned: syndrome & 0x3f == 0x21 }
    }

    #[cfg(target_arch = "x86_64")]
    fn of(context: *mut c_void) -> Access {
        // SAFETY: the kernel passes the context of the thread.
        let (instruction, error) = unsafe {
            let machine = (*context.cast::<libc::ucontext_t>()).uc_mcontext;
            ((*machine).__ss.__rip, (*machine).__es.__err)
        };
        // Intel's manual, error code of a page fault: W/R
        Access { instruction: instruction as usize, writes: error & 1 << 1 != 0, is_misaligned: false }
    }
}

/// `proc_pidinfo(PROC_PIDREGIONINFO)`: what may be done with the page.
fn protection_at(address: usize) -> Option<u32> {
    let mut info = MaybeUninit::<RegionInfo>::uninit();
    let length = size_of::<RegionInfo>() as c_int;
    // SAFETY: room for as many bytes as the call is told; it is all there if it says that it wrote as many.
    let info = unsafe {
        let written = libc::proc_pidinfo(libc::getpid(), PROC_PIDREGIONINFO, address as u64, info.as_mut_ptr().cast(), length);
        if written == length { info.assume_init() } else { return None }
    };
    (info.address..info.address + info.size).contains(&(address as u64)).then_some(info.protection)
}

/// What a thread was told last to try again: its number and the address, mixed. Two threads in one place cost a try.
static TRIED: [AtomicUsize; 64] = [const { AtomicUsize::new(0) }; 64];

/// Whether to do the access again before it is believed that the page is missing: once. Where two threads fail at one page, the second one finds that it may
/// be used, since the first one has mended it: that looks like a page that is missing, and fails no more.
pub(crate) fn may_have_passed(fault: Fault, address: usize) -> bool {
    // SAFETY: takes nothing.
    let thread = unsafe { libc::pthread_self() } as usize;
    let tried = &TRIED[(thread >> 12) % TRIED.len()];
    // Relaxed: only this thread's own store makes it equal, and that it sees
    let again = tried.load(Ordering::Relaxed) != thread ^ address;
    tried.store(if fault == Fault::Missing && again { thread ^ address } else { 0 }, Ordering::Relaxed);
    fault == Fault::Missing && again
}
