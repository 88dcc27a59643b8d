//! `bytes(N)`: bytes without a meaning of their own.

use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::{Field, plain};
use crate::schema::FieldType;

/// `N` bytes that are not numbers: `bytes(N)` in the schema, where `[u8; N]` is an array of `u8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, FromBytes, IntoBytes, Immutable)]
#[repr(transparent)]
pub struct Bytes<const N: usize>(pub [u8; N]);

impl<const N: usize> Default for Bytes<N> {
    fn default() -> Bytes<N> {
        Bytes([0; N])
    }
}

impl<const N: usize> From<[u8; N]> for Bytes<N> {
    fn from(bytes: [u8; N]) -> Bytes<N> {
        Bytes(bytes)
    }
}

impl<const N: usize> AsRef<[u8]> for Bytes<N> {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl<const N: usize> Field for Bytes<N> {
    fn field_type() -> FieldType {
        const { assert!(N > 0, "bytes need a length of at least 1") }
        FieldType::Bytes(N)
    }

    #[inline]
    fn get(bytes: &[u8]) -> Bytes<N> {
        plain::get(bytes)
    }

    #[inline]
    fn put(&self, bytes: &mut [u8]) {
        plain::put(self, bytes);
    }
}
