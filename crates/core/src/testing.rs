//! What tests need inside: nothing of it is there unless the crate is built with the feature `testing`.
//!
//! A process does something to others through three doors: [`crate::primitive`], `memory` and `sys`. Each says before every [`step`]
//! what comes next. A test that counts the steps of an operation can stop a process at each of them, to kill it there.

#[cfg(feature = "testing")]
pub use there::*;
#[cfg(not(feature = "testing"))]
pub(crate) use vanished::*;

/// A switch of that name, and the variable in the environment that throws it.
macro_rules! switch {
    ($(#[$doc:meta])* $name:ident, $variable:literal) => {
        $(#[$doc])*
        #[cfg(feature = "testing")]
        #[inline]
        pub fn $name() -> bool {
            use std::sync::OnceLock;
            static OFF: OnceLock<bool> = OnceLock::new();
            *OFF.get_or_init(|| std::env::var_os($variable).is_some())
        }

        $(#[$doc])*
        #[cfg(not(feature = "testing"))]
        #[inline(always)]
        pub const fn $name() -> bool {
            false
        }
    };
}

switch! {
    /// Whether locks take no notice of the other side: the negative control of every test of exclusion.
    exclusion_off, "PAGECAST_TEST_NO_EXCLUSION"
}

switch! {
    /// Whether a copy without a pin is believed without a look at the sequence afterwards: the negative control of every test of such copies.
    recheck_off, "PAGECAST_TEST_NO_RECHECK"
}

switch! {
    /// Whether to do as on a filesystem without `O_TMPFILE`.
    #[cfg_attr(pagecast_loom, expect(dead_code, reason = "loom's tests make no files"))]
    tmpfile_off, "PAGECAST_TEST_NO_TMPFILE"
}

switch! {
    /// Whether segments are what they are on macOS: objects of shm_open(3) with a file beside them.
    #[cfg_attr(pagecast_loom, expect(dead_code, reason = "loom's tests make no files"))]
    files_beside, "PAGECAST_TEST_FILES_BESIDE"
}

#[cfg(feature = "testing")]
mod there {
    use std::cell::RefCell;
    use std::sync::{Mutex, PoisonError};

    /// fork(2): a child that does nothing, for a minute at most. Returns its process id.
    pub fn fork() -> crate::Result<i32> {
        crate::sys::fork_idle().map_err(|errno| crate::Error::system("fork", "fork", errno))
    }

    /// fork(2), and whether the child found everything as it should be. It may drop what it inherits, and leaves nothing to the parent.
    pub fn fork_and_check(check: impl FnOnce() -> bool) -> crate::Result<bool> {
        crate::sys::fork_and_check(check).map_err(|errno| crate::Error::system("fork", "fork", errno))
    }

    /// Gets the name of each step before it is taken, on the thread that takes it.
    pub type Observer = Box<dyn FnMut(&str)>;

    thread_local! {
        static OBSERVER: RefCell<Option<Observer>> = const { RefCell::new(None) };
    }

    /// Has this thread's steps observed from now on, or no longer.
    pub fn observe_steps(observer: Option<Observer>) {
        OBSERVER.with_borrow_mut(|current| *current = observer);
    }

    /// A step of this process: what comes next may be seen by others.
    #[inline]
    pub(crate) fn step<T: AsRef<str>>(name: impl FnOnce() -> T) {
        // taken out while it looks: what it does itself is no step
        if let Ok(Some(mut observer)) = OBSERVER.try_with(RefCell::take) {
            observer(name().as_ref());
            observe_steps(Some(observer));
        }
    }

    /// The step that a word at this address is accessed.
    #[inline]
    pub(crate) fn word_step(access: &str, address: usize) {
        step(|| format!("{access} {}", name_of(address)));
    }

    /// Where to stop in the middle of copying so many bytes.
    pub(crate) fn half(byte_length: usize) -> usize {
        let observed = OBSERVER.with_borrow(Option::is_some);
        if observed { byte_length / 2 } else { 0 }
    }

    /// So many structures of one kind, one after the other, that begin with these words.
    struct Known {
        start: usize,
        count: usize,
        stride: usize,
        words: &'static [&'static str],
    }

    static KNOWN: Mutex<Vec<Known>> = Mutex::new(Vec::new());

    /// Gives words of a mapping their names; the newest mapping of an address counts. Not in a forked child: another thread of its parent may have been
    /// about to do the same, and what it locked stays locked there.
    pub(crate) fn name_words<T>(first: *const T, count: usize, words: &'static [&'static str]) {
        if crate::roster::forked::generation() > 0 {
            return;
        }
        let known = Known { start: first.addr(), count, stride: size_of::<T>(), words };
        KNOWN.lock().unwrap_or_else(PoisonError::into_inner).push(known);
    }

    fn name_of(address: usize) -> &'static str {
        let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.iter().rev().find(|known| (known.start..known.start + known.count * known.stride).contains(&address));
        found.and_then(|known| known.words.get((address - known.start) % known.stride / 4)).unwrap_or(&"another word")
    }
}

#[cfg(not(feature = "testing"))]
mod vanished {
    #[inline(always)]
    #[cfg_attr(pagecast_loom, expect(dead_code, reason = "loom's tests have a step of their own"))]
    pub(crate) fn step<T>(_: impl FnOnce() -> T) {}

    #[inline(always)]
    pub(crate) const fn word_step(_: &str, _: usize) {}

    #[inline(always)]
    #[cfg_attr(pagecast_loom, expect(dead_code, reason = "loom's tests copy no bytes"))]
    pub(crate) const fn half(_: usize) -> usize {
        0
    }
}
