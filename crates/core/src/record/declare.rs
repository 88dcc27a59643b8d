//! The macro that declares records.

use super::Field;
use crate::schema;

/// Declares records: `#[repr(C)]` structs that derive `Clone`, `Copy`, `Debug` and `PartialEq` and implement
/// [`Record`](crate::Record), with the schema that TypeScript makes of the same declaration, byte for byte.
///
/// Every field's type is a [`Field`](crate::record::Field), which keeps pointers and references out. Attributes on the struct are
/// passed on, so further traits can be derived; a field takes doc comments and one `#[meta(…)]` of notes for the schema.
///
/// ```
/// use pagecast::{Record, Text};
///
/// pagecast::record! {
///     /// A joint of the arm.
///     #[derive(Default)]
///     pub struct Joint {
///         #[meta(unit = "rad", description = "angle from rest")]
///         pub angle: f64,
///         pub stalled: bool,
///     }
///
///     pub struct Arm {
///         pub name: Text<16>,
///         pub joints: [Joint; 6],
///     }
/// }
///
/// let arm = Arm { name: Text::try_from("left")?, joints: [Joint::default(); 6] };
/// let mut bytes = [0; Arm::BYTE_LENGTH];
/// arm.store(&mut bytes);
/// assert_eq!(Arm::load(&bytes), arm);
/// assert_eq!(Arm::BYTE_LENGTH, 112);
/// # Ok::<(), pagecast::Error>(())
/// ```
///
/// A type that is no plain data does not compile:
/// ```compile_fail,E0277
/// pagecast::record! { struct Wrong { name: &'static str } }
/// ```
#[macro_export]
macro_rules! record {
    ($(
        $(#[$attribute:meta])*
        $visibility:vis struct $record:ident { $(
            $(#[doc = $doc:expr])*
            $(#[meta($($key:ident = $value:expr),+ $(,)?)] $(#[doc = $more:expr])*)?
            $field_visibility:vis $field:ident: $type:ty
        ),+ $(,)? }
    )+) => { $(
        $(#[$attribute])*
        #[repr(C)]
        #[derive(Clone, Copy, Debug, PartialEq)]
        $visibility struct $record { $(
            $(#[doc = $doc])* $($(#[doc = $more])*)?
            $field_visibility $field: $type,
        )+ }

        impl $crate::record::Record for $record {
            fn schema() -> $crate::schema::Schema {
                $crate::schema::Schema {
                    byte_length: ::core::mem::size_of::<$record>(),
                    alignment: ::core::mem::align_of::<$record>(),
                    fields: ::std::vec![$($crate::record::describe::<$type>(
                        ::core::stringify!($field),
                        ::core::mem::offset_of!($record, $field),
                        &[$($((::core::stringify!($key), $value)),+)?],
                    )),+],
                }
            }

            #[inline]
            fn load(bytes: &[u8]) -> $record {
                let bytes = &bytes[..::core::mem::size_of::<$record>()];
                $record { $(
                    $field: <$type as $crate::record::Field>::get(&bytes[::core::mem::offset_of!($record, $field)..]),
                )+ }
            }

            #[inline]
            fn store(&self, bytes: &mut [u8]) {
                let bytes = &mut bytes[..::core::mem::size_of::<$record>()];
                $(<$type as $crate::record::Field>::put(&self.$field, &mut bytes[::core::mem::offset_of!($record, $field)..]);)+
            }
        }
    )+ };
}

/// The schema's entry for a field of type `T`.
#[doc(hidden)]
pub fn describe<T: Field>(name: &str, byte_offset: usize, meta: &[(&str, &str)]) -> schema::Field {
    let meta = meta.iter().map(|(key, value)| (plain_name(key), (*value).to_owned())).collect();
    schema::Field { name: plain_name(name), ty: T::field_type(), byte_offset, meta }
}

/// `r#type` is Rust's spelling of a name that is just `type`.
fn plain_name(identifier: &str) -> String {
    identifier.strip_prefix("r#").unwrap_or(identifier).to_owned()
}
