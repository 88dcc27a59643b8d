//! Rust types as values of a publication: [`record!`](crate::record!) declares them, [`Record`] and [`Field`] read and write them.
//!
//! A record is loaded and stored field by field, at the offsets the compiler gave. So padding is neither read nor written, every bit
//! pattern that a stranger may have left in the bytes is a value, and nothing unsafe rests on a schema being right.

mod bytes;
mod declare;
mod plain;
mod text;

pub use bytes::Bytes;
#[doc(hidden)]
pub use declare::describe;
pub use text::Text;

use crate::schema::{FieldType, Schema};

/// A type that one field of a [`Record`] can have.
///
/// Implemented for `i8` to `u64`, `f32`, `f64`, `bool`, [`Text`], [`Bytes`], arrays of fields, and records.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a field of a record",
    note = "fields are i8 to u64, f32, f64, bool, Text<N>, Bytes<N>, arrays of fields, and types that `pagecast::record!` declared"
)]
pub trait Field: Copy + Send + 'static {
    /// The type in the schema. Its size and alignment are those of `Self`.
    fn field_type() -> FieldType;

    /// Reads a value from the first `size_of::<Self>()` bytes. Any bytes are a value.
    ///
    /// # Panics
    /// When there are fewer bytes.
    fn get(bytes: &[u8]) -> Self;

    /// Writes the value to the first `size_of::<Self>()` bytes; padding stays as it is.
    ///
    /// # Panics
    /// When there are fewer bytes.
    fn put(&self, bytes: &mut [u8]);

    /// As many values as `N`, one after the other: a separate step so that scalars can be copied as one block.
    #[doc(hidden)]
    fn get_array<const N: usize>(bytes: &[u8]) -> [Self; N] {
        std::array::from_fn(|index| Self::get(&bytes[index * size_of::<Self>()..]))
    }

    #[doc(hidden)]
    fn put_array(values: &[Self], bytes: &mut [u8]) {
        for (index, value) in values.iter().enumerate() {
            value.put(&mut bytes[index * size_of::<Self>()..]);
        }
    }
}

/// A `#[repr(C)]` struct of fields, as [`record!`](crate::record!) declares it.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a record", note = "declare it with `pagecast::record!`")]
pub trait Record: Copy + Send + 'static {
    /// The size in bytes with padding, the same in C and TypeScript.
    const BYTE_LENGTH: usize = size_of::<Self>();

    /// The schema. It is built anew by each call, and not yet validated: publishing it is what checks names and limits.
    fn schema() -> Schema;

    /// Reads a value from the first `BYTE_LENGTH` bytes. Any bytes are a value.
    ///
    /// # Panics
    /// When there are fewer bytes.
    fn load(bytes: &[u8]) -> Self;

    /// Writes the value to the first `BYTE_LENGTH` bytes; padding stays as it is.
    ///
    /// # Panics
    /// When there are fewer bytes.
    fn store(&self, bytes: &mut [u8]);
}

impl<R: Record> Field for R {
    fn field_type() -> FieldType {
        FieldType::Struct(Box::new(R::schema()))
    }

    #[inline]
    fn get(bytes: &[u8]) -> R {
        <R as Record>::load(bytes)
    }

    #[inline]
    fn put(&self, bytes: &mut [u8]) {
        Record::store(self, bytes);
    }
}

impl<T: Field, const N: usize> Field for [T; N] {
    fn field_type() -> FieldType {
        const { assert!(N > 0, "an array field needs at least one element") }
        FieldType::Array(Box::new(T::field_type()), N)
    }

    #[inline]
    fn get(bytes: &[u8]) -> [T; N] {
        T::get_array(&bytes[..size_of::<[T; N]>()])
    }

    #[inline]
    fn put(&self, bytes: &mut [u8]) {
        T::put_array(self, &mut bytes[..size_of::<[T; N]>()]);
    }
}
