//! `text(N)`: short UTF-8 of a fixed size.

use std::fmt;
use std::hash::{Hash, Hasher};

use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::{Field, plain};
use crate::error::{Code, Error, Result};
use crate::schema::FieldType;

/// Up to `N` bytes of UTF-8, padded with NUL; a text of `N` bytes has no terminator. In C, `char[N]`.
///
/// Texts compare and hash up to their first NUL. One that came from another process may hold bytes that are no UTF-8:
/// [`as_str`](Text::as_str) says so, `Display` and `to_string` put U+FFFD in their place.
///
/// ```
/// use pagecast::Text;
/// let name = Text::<16>::try_from("Grüße")?;
/// assert_eq!(name, "Grüße");
/// assert_eq!(name.as_bytes().len(), 7);
/// assert_eq!(name.as_str()?, "Grüße");
/// # Ok::<(), pagecast::Error>(())
/// ```
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(transparent)]
pub struct Text<const N: usize>([u8; N]);

impl<const N: usize> Text<N> {
    /// The bytes up to the first NUL, or all of them.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.split(|&byte| byte == 0).next().unwrap_or_default()
    }

    /// The text.
    ///
    /// # Errors
    /// `ERR_VALUE_RANGE` when the bytes are no UTF-8.
    pub fn as_str(&self) -> Result<&str> {
        std::str::from_utf8(self.as_bytes()).map_err(|error| out_of_range::<N>(format_args!("no UTF-8 at byte {}", error.valid_up_to())))
    }
}

impl<const N: usize> TryFrom<&str> for Text<N> {
    type Error = Error;

    /// # Errors
    /// `ERR_VALUE_RANGE` when `text` has more than `N` bytes or holds a NUL.
    fn try_from(text: &str) -> Result<Text<N>> {
        if let Some(position) = text.bytes().position(|byte| byte == 0) {
            return Err(out_of_range::<N>(format_args!("NUL at byte {position}, which would end the text there")));
        }
        let mut bytes = [0; N];
        let room = bytes.get_mut(..text.len()).ok_or_else(|| out_of_range::<N>(format_args!("{} bytes given, {N} fit", text.len())))?;
        room.copy_from_slice(text.as_bytes());
        Ok(Text(bytes))
    }
}

fn out_of_range<const N: usize>(fact: fmt::Arguments<'_>) -> Error {
    Error::new(Code::ValueRange, format!("text({N}): {fact}"))
}

impl<const N: usize> Default for Text<N> {
    fn default() -> Text<N> {
        Text([0; N])
    }
}

impl<const N: usize> fmt::Display for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&String::from_utf8_lossy(self.as_bytes()))
    }
}

impl<const N: usize> fmt::Debug for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&String::from_utf8_lossy(self.as_bytes()), f)
    }
}

impl<const N: usize> PartialEq for Text<N> {
    fn eq(&self, other: &Text<N>) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl<const N: usize> Eq for Text<N> {}

impl<const N: usize> Hash for Text<N> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl<const N: usize> PartialEq<str> for Text<N> {
    fn eq(&self, other: &str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl<const N: usize> PartialEq<&str> for Text<N> {
    fn eq(&self, other: &&str) -> bool {
        self == *other
    }
}

impl<const N: usize> Field for Text<N> {
    fn field_type() -> FieldType {
        const { assert!(N > 0, "a text needs a length of at least 1") }
        FieldType::Text(N)
    }

    #[inline]
    fn get(bytes: &[u8]) -> Text<N> {
        plain::get(bytes)
    }

    #[inline]
    fn put(&self, bytes: &mut [u8]) {
        plain::put(self, bytes);
    }
}
