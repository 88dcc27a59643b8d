//! macOS: sleeping on a word of shared memory. Compiled and linked; it has never been run.
//!
//! Three ways, the first that is there: the public calls, since macOS 14.4; the calls under them (bsd/sys/ulock.h), which the C++ library sleeps with,
//! too, on every macOS that the addon can be loaded by, and which are not public; naps. Every process of a system finds the same.

use crate::testing::step;
use nix::errno::Errno;
use std::ffi::{CStr, c_int, c_void};
use std::ptr::NonNull;
use std::sync::OnceLock;
use std::time::Duration;

type Sys<T> = nix::Result<T>;

/// How long somebody sleeps at most who cannot be woken.
const NAP: Duration = Duration::from_millis(1);

/// bsd/sys/ulock.h: compare 32 bits and wait, in memory that processes share.
const UL_COMPARE_AND_WAIT_SHARED: u32 = 3;
const ULF_WAKE_ALL: u32 = 0x100;

type Wait = unsafe extern "C" fn(*mut c_void, u64, usize, u32, libc::os_clockid_t, u64) -> c_int;
type Wake = unsafe extern "C" fn(*mut c_void, usize, u32) -> c_int;
type UlockWait = unsafe extern "C" fn(u32, *mut c_void, u64, u32) -> c_int;
type UlockWake = unsafe extern "C" fn(u32, *mut c_void, u64) -> c_int;

#[derive(Clone, Copy)]
enum Calls {
    /// `os_sync_wait_on_address_with_timeout`, `os_sync_wake_by_address_all` and `os_sync_wake_by_address_any`
    Public {
        wait: Wait,
        wake_all: Wake,
        wake_one: Wake,
    },
    /// `__ulock_wait` and `__ulock_wake`
    Private {
        wait: UlockWait,
        wake: UlockWake,
    },
    None,
}

/// They are looked up and not linked: an older system would not load the addon otherwise.
fn calls() -> Calls {
    static CALLS: OnceLock<Calls> = OnceLock::new();
    *CALLS.get_or_init(|| {
        let wakes = find(c"os_sync_wake_by_address_all").zip(find(c"os_sync_wake_by_address_any"));
        let public = find(c"os_sync_wait_on_address_with_timeout").zip(wakes);
        let private = find(c"__ulock_wait").zip(find(c"__ulock_wake"));
        // SAFETY: os/os_sync_wait_on_address.h and bsd/sys/ulock.h declare them so.
        unsafe {
            match (public, private) {
                (Some((wait, (all, one))), _) => Calls::Public {
                    wait: std::mem::transmute::<NonNull<c_void>, Wait>(wait),
                    wake_all: std::mem::transmute::<NonNull<c_void>, Wake>(all),
                    wake_one: std::mem::transmute::<NonNull<c_void>, Wake>(one),
                },
                (None, Some((wait, wake))) => Calls::Private {
                    wait: std::mem::transmute::<NonNull<c_void>, UlockWait>(wait),
                    wake: std::mem::transmute::<NonNull<c_void>, UlockWake>(wake),
                },
                (None, None) => Calls::None,
            }
        }
    })
}

fn find(name: &CStr) -> Option<NonNull<c_void>> {
    // SAFETY: only looks the name up.
    NonNull::new(unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) })
}

/// Sleeps while the word is as expected, at most `bound`. Where nobody can be woken, a nap: the caller looks at the word again.
pub(crate) fn futex_wait(word: *const u32, expected: u32, bound: Duration) -> Sys<()> {
    step(|| "futex wait");
    let (address, value) = (word.cast_mut().cast::<c_void>(), u64::from(expected));
    // of no time at all the one makes an error, and the other one for ever
    let result = match calls() {
        Calls::Public { wait, .. } => {
            let (flags, clock) = (libc::OS_SYNC_WAIT_ON_ADDRESS_SHARED, libc::OS_CLOCK_MACH_ABSOLUTE_TIME);
            let nanoseconds = u64::try_from(bound.as_nanos()).unwrap_or(u64::MAX).max(1);
            // SAFETY: the kernel checks the address itself, and never writes to it.
            unsafe { wait(address, value, size_of::<u32>(), flags, clock, nanoseconds) }
        }
        Calls::Private { wait, .. } => {
            let microseconds = u32::try_from(bound.as_micros()).unwrap_or(u32::MAX).max(1);
            // SAFETY: as above.
            unsafe { wait(UL_COMPARE_AND_WAIT_SHARED, address, value, microseconds) }
        }
        Calls::None => return nap(bound),
    };
    match Errno::result(result) {
        // a system that has the call and not this use of it
        Err(Errno::EINVAL | Errno::ENOTSUP) => nap(bound),
        result => result.map(drop),
    }
}

fn nap(bound: Duration) -> Sys<()> {
    std::thread::sleep(bound.min(NAP));
    if bound <= NAP { Err(Errno::ETIMEDOUT) } else { Ok(()) }
}

/// Wakes everybody who sleeps on the word, in any process.
pub(crate) fn futex_wake_all(word: *const u32) {
    wake(word, true);
}

/// Wakes one of those who sleep on the word, in whatever process.
pub(crate) fn futex_wake_one(word: *const u32) {
    wake(word, false);
}

fn wake(word: *const u32, all: bool) {
    step(|| "futex wake");
    let address = word.cast_mut().cast::<c_void>();
    // SAFETY: the kernel only uses the address to find the waiters; that there are none is no matter.
    let _ = unsafe {
        match calls() {
            Calls::Public { wake_all, wake_one, .. } => {
                (if all { wake_all } else { wake_one })(address, size_of::<u32>(), libc::OS_SYNC_WAKE_BY_ADDRESS_SHARED)
            }
            Calls::Private { wake, .. } => wake(UL_COMPARE_AND_WAIT_SHARED | if all { ULF_WAKE_ALL } else { 0 }, address, 0),
            Calls::None => 0, // nobody sleeps long enough
        }
    };
}
