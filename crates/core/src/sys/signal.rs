//! SIGBUS: sigaction(2), the same on every Unix.

use nix::errno::Errno;
use std::ffi::{c_int, c_void};
use std::mem::{MaybeUninit, transmute};
use std::ptr::{null, null_mut};
use std::sync::OnceLock;

/// Repairs what lies at an address, so that the access can be done again; false if that is not its business.
type Mend = fn(usize) -> bool;

static MEND: OnceLock<Mend> = OnceLock::new();

/// What was to be done about SIGBUS before.
static PREVIOUS: OnceLock<libc::sigaction> = OnceLock::new();

/// Has `mend` called at every access to a page that its file does not have any more. Once for the process; one caller at a time.
pub(crate) fn on_bus_error(mend: Mend) -> nix::Result<()> {
    if MEND.get().is_some() {
        return Ok(());
    }
    let mut previous = MaybeUninit::zeroed();
    // SAFETY: only asks, and writes to our own variable.
    Errno::result(unsafe { libc::sigaction(libc::SIGBUS, null(), previous.as_mut_ptr()) })?;
    // SAFETY: all of it may be zero, and the kernel filled it.
    let previous = *PREVIOUS.get_or_init(|| unsafe { previous.assume_init() });
    let mut action = previous; // its mask: whoever is called in the end runs among the signals that it knows
    let inherited = previous.sa_flags & (libc::SA_RESTART | libc::SA_NODEFER);
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | inherited;
    action.sa_sigaction = handle as *const () as libc::sighandler_t;
    let _ = MEND.set(mend);
    // SAFETY: the handler is async-signal-safe, as long as `mend` is.
    Errno::result(unsafe { libc::sigaction(libc::SIGBUS, &raw const action, null_mut()) }).map(drop)
}

extern "C" fn handle(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let errno = Errno::last_raw();
    // SAFETY: the kernel passes what SA_SIGINFO promises; a page that is missing comes with its address.
    let (code, address) = unsafe { ((*info).si_code, (*info).si_addr() as usize) };
    // an access that is not aligned is a SIGBUS, too, and would be one again
    let mended = code == libc::BUS_ADRERR && MEND.get().is_some_and(|mend| mend(address));
    if !mended {
        pass_on(signal, info, context, code <= 0);
    }
    Errno::set_raw(errno);
}

/// To whom it may concern. `sent`: by a process, not by an access.
fn pass_on(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void, sent: bool) {
    let Some(previous) = PREVIOUS.get() else { return };
    match previous.sa_sigaction {
        libc::SIG_IGN if sent => {}
        // the kernel does not let an access be ignored either
        libc::SIG_DFL | libc::SIG_IGN => die_of(signal, sent),
        handler if previous.sa_flags & libc::SA_SIGINFO != 0 => {
            // SAFETY: whoever installed it with SA_SIGINFO said that it is such a function.
            let handler = unsafe { transmute::<usize, extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void)>(handler) };
            handler(signal, info, context);
        }
        handler => {
            // SAFETY: whoever installed it without SA_SIGINFO said that it is such a function.
            let handler = unsafe { transmute::<usize, extern "C" fn(c_int)>(handler) };
            handler(signal);
        }
    }
}

/// Dies as if there had never been a handler: of the access, when it is done again, or of the signal, when this one returns.
fn die_of(signal: c_int, sent: bool) {
    // SAFETY: both are async-signal-safe.
    unsafe {
        libc::signal(signal, libc::SIG_DFL);
        if sent {
            libc::raise(signal);
        }
    }
}
