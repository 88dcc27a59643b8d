//! What broker and client say to each other.

use crate::error::{Code, Error, Result};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

/// Most bytes of what a client says.
pub(super) const MOST_BYTES: usize = 4096;

/// Most names in one answer, so that it fits into a message however long they are.
pub(super) const MOST_ENTRIES: usize = 32;

/// What begins an answer to whoever connects.
pub(super) const VERSION: u32 = 1;

/// What a client says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Request {
    pub id: u64,
    #[serde(flatten)]
    pub call: Call,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "call", rename_all = "lowercase")]
pub(super) enum Call {
    Share {
        name: String,
        #[serde(default)]
        keep: bool,
    },
    Get {
        name: String,
        #[serde(default)]
        wait: bool,
    },
    Free {
        name: String,
    },
    List {
        #[serde(default)]
        after: String,
    },
    Cancel,
}

/// What a broker says first.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Greeting {
    pub broker: u32,
    pub pid: u32,
}

/// What it says then.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Reply {
    #[serde(default)]
    pub id: u64,
    #[serde(flatten, deserialize_with = "refusal")]
    pub refusal: Option<Refusal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entries: Option<Vec<Entry>>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
}

/// Why there is nothing.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Refusal {
    pub error: String,
    pub message: String,
}

/// A whole one or none: half of one, or one that is no text, is not to be taken for consent.
fn refusal<'a, D: Deserializer<'a>>(deserializer: D) -> std::result::Result<Option<Refusal>, D::Error> {
    #[derive(Deserialize)]
    struct Parts {
        error: Option<String>,
        message: Option<String>,
    }
    match Parts::deserialize(deserializer)? {
        Parts { error: None, .. } => Ok(None),
        Parts { error: Some(error), message: Some(message) } => Ok(Some(Refusal { error, message })),
        Parts { .. } => Err(D::Error::missing_field("message")),
    }
}

/// An object as a broker lists it.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Its length in bytes, now.
    pub byte_length: u64,
    /// The process whose it is; `None` of one that is kept, and whose owner is gone.
    pub pid: Option<u32>,
    /// Whether it stays when its owner is gone.
    pub keep: bool,
}

/// What a broker refuses with.
const CODES: [Code; 9] = [
    Code::InvalidName,
    Code::InvalidArgument,
    Code::NotFound,
    Code::AlreadyExists,
    Code::Permission,
    Code::TooManyFiles,
    Code::BrokerLimit,
    Code::BadMessage,
    Code::System,
];

impl Refusal {
    pub fn of(error: &Error) -> Refusal {
        Refusal { error: error.code().as_str().into(), message: error.message().into() }
    }

    pub fn into_error(self, what: &str) -> Error {
        let code = CODES.into_iter().find(|code| code.as_str() == self.error).unwrap_or(Code::BadMessage);
        Error::new(code, format!("{what}: the broker says: {}", self.message))
    }
}

pub(super) fn write(message: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(message).map_err(|error| Error::new(Code::System, format!("write a message: {error}")))
}

pub(super) fn read<'a, T: Deserialize<'a>>(what: &str, bytes: &'a [u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|error| Error::new(Code::BadMessage, format!("{what}: not what a broker says: {error}")))
}
