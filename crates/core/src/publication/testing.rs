//! Switches for tests: constants that vanish unless the crate is built with the feature `testing`.

/// Whether reading and writing take no notice of each other: the negative control of every test of exclusion.
#[cfg(feature = "testing")]
#[inline]
pub fn exclusion_off() -> bool {
    use std::sync::OnceLock;
    static OFF: OnceLock<bool> = OnceLock::new();
    *OFF.get_or_init(|| std::env::var_os("PAGECAST_TEST_NO_EXCLUSION").is_some())
}

/// Whether reading and writing take no notice of each other: never, in a release.
#[cfg(not(feature = "testing"))]
#[inline(always)]
pub const fn exclusion_off() -> bool {
    false
}
