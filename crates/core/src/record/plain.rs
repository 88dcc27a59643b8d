//! Scalars: their bytes are their value, so one of them, or an array of them, is a single copy.

use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::Field;
use crate::schema::FieldType;

#[inline]
pub(super) fn get<T: FromBytes + IntoBytes>(bytes: &[u8]) -> T {
    let mut value = T::new_zeroed();
    value.as_mut_bytes().copy_from_slice(&bytes[..size_of::<T>()]);
    value
}

#[inline]
pub(super) fn put<T: IntoBytes + Immutable + ?Sized>(value: &T, bytes: &mut [u8]) {
    bytes[..size_of_val(value)].copy_from_slice(value.as_bytes());
}

macro_rules! scalar {
    ($($scalar:ident: $field_type:ident),+) => { $(
        const _: () = assert!(align_of::<$scalar>() == size_of::<$scalar>(), "pagecast needs a target that aligns scalars to their size");

        impl Field for $scalar {
            fn field_type() -> FieldType {
                FieldType::$field_type
            }

            #[inline]
            fn get(bytes: &[u8]) -> $scalar {
                get(bytes)
            }

            #[inline]
            fn put(&self, bytes: &mut [u8]) {
                put(self, bytes);
            }

            #[inline]
            fn get_array<const N: usize>(bytes: &[u8]) -> [$scalar; N] {
                get(bytes)
            }

            #[inline]
            fn put_array(values: &[$scalar], bytes: &mut [u8]) {
                put(values, bytes);
            }
        }
    )+ };
}

scalar!(i8: I8, u8: U8, i16: I16, u16: U16, i32: I32, u32: U32, i64: I64, u64: U64, f32: F32, f64: F64);

/// A byte that is neither 0 nor 1 would be no `bool` in Rust: it loads as true.
impl Field for bool {
    fn field_type() -> FieldType {
        FieldType::Bool
    }

    #[inline]
    fn get(bytes: &[u8]) -> bool {
        bytes[0] != 0
    }

    #[inline]
    fn put(&self, bytes: &mut [u8]) {
        bytes[0] = u8::from(*self);
    }
}
