//! Page arithmetic, and nothing that touches memory.

/// The engine's page: JavaScript's memories come in multiples of it, so segments do too.
pub const ENGINE_PAGE: u64 = 64 * 1024;

/// `value` rounded up to a multiple of `step`, a power of two. `None` where that does not fit.
pub const fn round_up(value: u64, step: u64) -> Option<u64> {
    match value.checked_add(step - 1) {
        Some(sum) => Some(sum & !(step - 1)),
        None => None,
    }
}

/// `byte_length` rounded up to whole pages of this system. `None` where that does not fit.
pub fn round_to_page_size(byte_length: u64) -> Option<u64> {
    round_up(byte_length, crate::sys::page_size())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_up_to_the_step() {
        assert_eq!(round_up(0, 64), Some(0));
        assert_eq!(round_up(1, 64), Some(64));
        assert_eq!(round_up(64, 64), Some(64));
        assert_eq!(round_up(u64::MAX, 64), None);
        assert_eq!(round_up(51_342_411, 4096), Some(12_535 * 4096));
    }
}
