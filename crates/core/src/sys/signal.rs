//! SIGBUS and SIGSEGV: sigaction(2). Which of them means what differs: on macOS both faults are SIGBUS.

use nix::errno::Errno;
use std::ffi::{c_int, c_void};
use std::mem::{MaybeUninit, transmute};
use std::ptr::{null, null_mut};
use std::sync::OnceLock;

/// The libc crate does not have it everywhere.
#[cfg(not(target_os = "macos"))]
const SEGV_ACCERR: c_int = 2;

/// Where both faults are one signal, the handler is interrupted by it, too: a page that it copies may be missing. Blocked, the signal would wait until the
/// handler is done, and the access be done again and again (bsd/kern/kern_sig.c).
const NESTED: c_int = if cfg!(target_os = "macos") { libc::SA_NODEFER } else { 0 };

/// Why an access failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The file does not have the page any more: SIGBUS, `BUS_ADRERR`.
    Missing,
    /// The page may not be used like that: SIGSEGV, `SEGV_ACCERR`; on macOS SIGBUS.
    Forbidden,
}

impl Fault {
    const ALL: [Fault; 2] = [Fault::Missing, Fault::Forbidden];

    fn signal(self) -> c_int {
        let forbidden = if cfg!(target_os = "macos") { libc::SIGBUS } else { libc::SIGSEGV };
        [libc::SIGBUS, forbidden][self as usize]
    }

    #[cfg(not(target_os = "macos"))]
    fn code(self) -> c_int {
        [libc::BUS_ADRERR, SEGV_ACCERR][self as usize]
    }

    /// The first that comes with a signal: what is known of the signal is kept with it.
    fn first_of(signal: c_int) -> Option<Fault> {
        Fault::ALL.into_iter().find(|fault| fault.signal() == signal)
    }
}

/// Repairs what lies at an address, so that the access can be done again; false if that is not its business.
type Mend = fn(Fault, usize) -> bool;

static MEND: [OnceLock<Mend>; 2] = [const { OnceLock::new() }; 2];

/// What was to be done about the signal before, with the first fault that comes with it.
static PREVIOUS: [OnceLock<libc::sigaction>; 2] = [const { OnceLock::new() }; 2];

/// Has `mend` called at every access that fails like this. Once for the process; one caller at a time.
pub(crate) fn on_fault(fault: Fault, mend: Mend) -> nix::Result<()> {
    if MEND[fault as usize].get().is_some() {
        return Ok(());
    }
    let first = Fault::first_of(fault.signal()).unwrap_or(fault);
    if PREVIOUS[first as usize].get().is_some() {
        let _ = MEND[fault as usize].set(mend); // the handler is there, for the other fault
        return Ok(());
    }
    let mut previous = MaybeUninit::zeroed();
    // SAFETY: only asks, and writes to our own variable.
    Errno::result(unsafe { libc::sigaction(fault.signal(), null(), previous.as_mut_ptr()) })?;
    // SAFETY: all of it may be zero, and the kernel filled it.
    let previous = *PREVIOUS[first as usize].get_or_init(|| unsafe { previous.assume_init() });
    let mut action = previous; // its mask: whoever is called in the end runs among the signals that it knows
    let inherited = previous.sa_flags & (libc::SA_RESTART | libc::SA_NODEFER);
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | inherited | NESTED;
    action.sa_sigaction = handle as *const () as libc::sighandler_t;
    // a page that the handler copies may be missing, and that is for the handler of SIGBUS, which on macOS is the same: see NESTED
    // SAFETY: our own variable.
    unsafe { libc::sigdelset(&raw mut action.sa_mask, libc::SIGBUS) };
    let _ = MEND[fault as usize].set(mend);
    // SAFETY: the handler is async-signal-safe, as long as `mend` is.
    Errno::result(unsafe { libc::sigaction(fault.signal(), &raw const action, null_mut()) }).map(drop)
}

extern "C" fn handle(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let errno = Errno::last_raw();
    // SAFETY: the kernel passes what SA_SIGINFO promises; a page that is missing comes with its address.
    let (code, address) = unsafe { ((*info).si_code, (*info).si_addr() as usize) };
    #[cfg(not(target_os = "macos"))]
    let fault = fault_of(signal, code, address, context);
    #[cfg(target_os = "macos")]
    let fault = super::macos_fault::fault_of(signal, address, context);
    let mended = fault.is_some_and(|fault| MEND[fault as usize].get().is_some_and(|mend| mend(fault, address)));
    if !mended {
        pass_on(signal, info, context, code <= 0);
    }
    Errno::set_raw(errno);
}

#[cfg(not(target_os = "macos"))]
fn fault_of(signal: c_int, code: c_int, address: usize, context: *mut c_void) -> Option<Fault> {
    // an access that is not aligned is a SIGBUS, too, and would be one again; a page that was jumped to cannot be mended
    Fault::first_of(signal).filter(|fault| code == fault.code() && address != instruction(context))
}

/// Which instruction the thread was at; 0 where that is not known.
#[cfg(not(target_os = "macos"))]
fn instruction(context: *mut c_void) -> usize {
    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    // SAFETY: the kernel passes the context of the thread.
    return unsafe { (*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs[libc::REG_RIP as usize] as usize };
    #[cfg(all(target_os = "linux", target_arch = "aarch64"))]
    // SAFETY: as above.
    return unsafe { (*context.cast::<libc::ucontext_t>()).uc_mcontext.pc as usize };
    #[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
    {
        let _ = context;
        0
    }
}

/// To whom it may concern. `sent`: by a process, not by an access.
fn pass_on(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void, sent: bool) {
    let Some(previous) = Fault::first_of(signal).and_then(|fault| PREVIOUS[fault as usize].get()) else { return };
    match previous.sa_sigaction {
        libc::SIG_IGN if sent => {}
        // the kernel does not let an access be ignored either; macOS's does not say which of them it is
        libc::SIG_DFL | libc::SIG_IGN => die_of(signal, sent || cfg!(target_os = "macos")),
        handler if previous.sa_flags & libc::SA_SIGINFO != 0 => {
            block_for(previous, signal);
            // SAFETY: whoever installed it with SA_SIGINFO said that it is such a function.
            let handler = unsafe { transmute::<usize, extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void)>(handler) };
            handler(signal, info, context);
        }
        handler => {
            block_for(previous, signal);
            // SAFETY: whoever installed it without SA_SIGINFO said that it is such a function.
            let handler = unsafe { transmute::<usize, extern "C" fn(c_int)>(handler) };
            handler(signal);
        }
    }
}

/// Blocks what the handler from before asked for and ours lets through, until ours returns.
fn block_for(previous: &libc::sigaction, signal: c_int) {
    let mut mask = previous.sa_mask;
    // SAFETY: both are async-signal-safe, and use our own variable.
    unsafe {
        if previous.sa_flags & libc::SA_NODEFER == 0 {
            libc::sigaddset(&raw mut mask, signal);
        }
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const mask, null_mut());
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
