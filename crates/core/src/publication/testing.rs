//! Switches for tests: constants that vanish unless the crate is built with the feature `testing`.

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
