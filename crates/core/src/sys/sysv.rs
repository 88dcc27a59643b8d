//! SysV shared memory: what is the same everywhere, and the calls of this platform.

#[cfg_attr(target_os = "linux", path = "linux_sysv.rs")]
#[cfg_attr(not(target_os = "linux"), path = "stub_sysv.rs")]
mod calls;

pub(crate) use calls::*;

/// A segment, as it is attached.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "the stub attaches nothing"))]
pub(crate) struct Segment {
    pub id: i32,
    /// Bytes of all its pages.
    pub byte_length: usize,
    /// Whether its pages may ever be written: no `SHM_RDONLY`.
    pub writable: bool,
}

/// How a segment is looked for, or made.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "the stub makes nothing"))]
pub(crate) struct Request {
    /// Or [`PRIVATE`].
    pub key: i32,
    pub byte_length: usize,
    pub create: bool,
    pub exclusive: bool,
    pub permissions: u32,
    pub huge_pages: bool,
    pub reserve: bool,
}

/// What the kernel knows of a segment: `struct shmid_ds`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Status {
    pub id: i32,
    pub key: i32,
    pub uid: u32,
    pub gid: u32,
    pub creator_uid: u32,
    pub creator_gid: u32,
    /// Permission bits, `SHM_DEST` and `SHM_LOCKED`.
    pub mode: u32,
    pub byte_length: u64,
    pub attaches: u64,
    pub creator_pid: i32,
    pub last_pid: i32,
    /// In seconds since 1970, 0 for never.
    pub attached_at: u64,
    pub detached_at: u64,
    pub changed_at: u64,
}

/// What there may be of SysV shared memory, and what there is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Most bytes of one segment: `SHMMAX`.
    pub most_bytes: u64,
    /// Most pages of all together, `SHMALL`, and how many they have.
    pub most_pages: u64,
    pub pages: u64,
    /// Most segments, `SHMMNI`, and how many there are.
    pub most_segments: u64,
    pub segments: u64,
}

/// `IPC_PRIVATE`
pub(crate) const PRIVATE: i32 = 0;
/// It goes when the last process detaches it.
pub(crate) const REMOVED: u32 = 0o1000;
/// It stays in memory.
pub(crate) const LOCKED: u32 = 0o2000;
