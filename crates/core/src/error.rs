//! One error type: a `code` that programs match on, and a message of operation, subject, fact and number.

use std::fmt;

/// What went wrong, as a word that is the same in Rust, in TypeScript and in every release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Code {
    /// A name that is empty, too long, or holds a slash or a NUL.
    InvalidName,
    /// An argument outside what the operation takes.
    InvalidArgument,
    /// A size that is zero or larger than the limit.
    InvalidSize,
    /// A schema that breaks the rules of the format.
    InvalidSchema,
    /// A field's value does not fit its type, or bytes or pages lie outside a region.
    ValueRange,
    /// No segment of that name.
    NotFound,
    /// An object of that name is there, and the caller asked for that to be an error.
    AlreadyExists,
    /// A live publisher holds the name.
    PublisherExists,
    /// The object is no pagecast segment.
    NotASegment,
    /// The object says that it is a segment, and contradicts itself.
    Corrupt,
    /// A segment of another format version or byte order.
    UnsupportedFormat,
    /// The publisher's schema lacks a field, or has it with another type.
    SchemaMismatch,
    /// Every consumer slot is taken, or every participant's of a mutex.
    TooManyConsumers,
    /// A read lock (fcntl) of a process that is not attached stands in the way: of a publisher, of a consumer, of taking back what a dead
    /// one held.
    LockObstructed,
    /// A second lock on the same consumer, publisher or mutex.
    AlreadyLocked,
    /// Every buffer is pinned.
    Busy,
    /// The time given is over.
    Timeout,
    /// The caller's cancellation ended the wait.
    Aborted,
    /// Nothing has been published yet.
    Empty,
    /// The publisher closed the publication.
    Closed,
    /// The name leads to another segment or object now.
    Replaced,
    /// The publisher, consumer, region or mutex was closed by its own side.
    Disposed,
    /// The publisher died and left no whole value.
    PublisherDied,
    /// The operation needs write permission that this consumer, region or object lacks.
    ReadOnly,
    /// The filesystem has too little room.
    NoSpace,
    /// The process has too little address space.
    AddressSpace,
    /// The system refuses for lack of permission.
    Permission,
    /// The filesystem is mounted read-only.
    ReadOnlyFilesystem,
    /// Out of file descriptors, or a region gave its own up.
    TooManyFiles,
    /// Another process cut the file of a segment or region short.
    Truncated,
    /// Something is mapped at the address.
    AddressInUse,
    /// The pages were given up.
    Unmapped,
    /// The pages may not be read.
    NoAccess,
    /// The system refuses huge pages.
    HugePages,
    /// More than may be locked in memory.
    LockLimit,
    /// A private mapping has nobody to share with.
    Private,
    /// The other end of a channel is gone.
    PeerGone,
    /// The broker is gone, or ended the connection.
    BrokerGone,
    /// A limit of a broker: on bytes, names, clients or waiting calls.
    BrokerLimit,
    /// A message that is too long, carries too many descriptors, or is not what was expected.
    BadMessage,
    /// This platform lacks what the operation needs.
    Unsupported,
    /// Any other failure of a system call.
    System,
}

impl Code {
    /// The code as it is written in both languages, `ERR_…`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Code::InvalidName => "ERR_INVALID_NAME",
            Code::InvalidArgument => "ERR_INVALID_ARGUMENT",
            Code::InvalidSize => "ERR_INVALID_SIZE",
            Code::InvalidSchema => "ERR_INVALID_SCHEMA",
            Code::ValueRange => "ERR_VALUE_RANGE",
            Code::NotFound => "ERR_NOT_FOUND",
            Code::AlreadyExists => "ERR_ALREADY_EXISTS",
            Code::PublisherExists => "ERR_PUBLISHER_EXISTS",
            Code::NotASegment => "ERR_NOT_A_SEGMENT",
            Code::Corrupt => "ERR_CORRUPT",
            Code::UnsupportedFormat => "ERR_UNSUPPORTED_FORMAT",
            Code::SchemaMismatch => "ERR_SCHEMA_MISMATCH",
            Code::TooManyConsumers => "ERR_TOO_MANY_CONSUMERS",
            Code::LockObstructed => "ERR_LOCK_OBSTRUCTED",
            Code::AlreadyLocked => "ERR_ALREADY_LOCKED",
            Code::Busy => "ERR_BUSY",
            Code::Timeout => "ERR_TIMEOUT",
            Code::Aborted => "ERR_ABORTED",
            Code::Empty => "ERR_EMPTY",
            Code::Closed => "ERR_CLOSED",
            Code::Replaced => "ERR_REPLACED",
            Code::Disposed => "ERR_DISPOSED",
            Code::PublisherDied => "ERR_PUBLISHER_DIED",
            Code::ReadOnly => "ERR_READ_ONLY",
            Code::NoSpace => "ERR_NO_SPACE",
            Code::AddressSpace => "ERR_ADDRESS_SPACE",
            Code::Permission => "ERR_PERMISSION",
            Code::ReadOnlyFilesystem => "ERR_READ_ONLY_FILESYSTEM",
            Code::TooManyFiles => "ERR_TOO_MANY_FILES",
            Code::Truncated => "ERR_TRUNCATED",
            Code::AddressInUse => "ERR_ADDRESS_IN_USE",
            Code::Unmapped => "ERR_UNMAPPED",
            Code::NoAccess => "ERR_NO_ACCESS",
            Code::HugePages => "ERR_HUGE_PAGES",
            Code::LockLimit => "ERR_LOCK_LIMIT",
            Code::Private => "ERR_PRIVATE",
            Code::PeerGone => "ERR_PEER_GONE",
            Code::BrokerGone => "ERR_BROKER_GONE",
            Code::BrokerLimit => "ERR_BROKER_LIMIT",
            Code::BadMessage => "ERR_BAD_MESSAGE",
            Code::Unsupported => "ERR_UNSUPPORTED",
            Code::System => "ERR_SYSTEM",
        }
    }
}

/// A failed operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    code: Code,
    message: String,
    syscall: Option<&'static str>,
    errno: Option<i32>,
}

/// The result of every fallible operation of this crate.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error that no system call reported.
    pub fn new(code: Code, message: impl Into<String>) -> Error {
        Error { code, message: message.into(), syscall: None, errno: None }
    }

    /// An error that `syscall` reported as `errno` while doing `what` (operation and subject).
    pub(crate) fn system(what: impl fmt::Display, syscall: &'static str, errno: nix::errno::Errno) -> Error {
        let code = code_of(errno);
        Error { code, message: format!("{what}: {} ({errno:?})", errno.desc()), syscall: Some(syscall), errno: Some(errno as i32) }
    }

    /// The same error under a code that says more than the errno does.
    pub(crate) fn with_code(mut self, code: Code) -> Error {
        self.code = code;
        self
    }

    /// The word that programs match on.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The system call that failed, where one did.
    pub fn syscall(&self) -> Option<&'static str> {
        self.syscall
    }

    /// Its `errno`.
    pub fn errno(&self) -> Option<i32> {
        self.errno
    }

    /// The sentence without the code.
    pub fn message(&self) -> &str {
        &self.message
    }
}

fn code_of(errno: nix::errno::Errno) -> Code {
    use nix::errno::Errno;
    match errno {
        Errno::ENOENT | Errno::ENOTDIR => Code::NotFound,
        Errno::EEXIST => Code::AlreadyExists,
        Errno::EACCES | Errno::EPERM => Code::Permission,
        Errno::EROFS => Code::ReadOnlyFilesystem,
        Errno::ENOSPC | Errno::EDQUOT => Code::NoSpace,
        Errno::ENOMEM => Code::AddressSpace,
        Errno::EMFILE | Errno::ENFILE => Code::TooManyFiles,
        Errno::ENAMETOOLONG => Code::InvalidName,
        Errno::ENOSYS | Errno::EOPNOTSUPP => Code::Unsupported,
        _ => Code::System,
    }
}

/// A number of bytes as people read it: `68,719,476,736`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let groups = digits.as_bytes()[first..].chunks(3).map(|group| String::from_utf8_lossy(group).into_owned());
    let head = (first > 0).then(|| digits[..first].to_owned());
    head.into_iter().chain(groups).collect::<Vec<_>>().join(",")
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}]", self.message, self.code.as_str())
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_are_grouped_by_thousands() {
        let examples = [(0, "0"), (999, "999"), (1000, "1,000"), (65_536, "65,536"), (1_073_741_824, "1,073,741,824")];
        for (number, text) in examples {
            assert_eq!(super::grouped(number), text);
        }
    }
}
