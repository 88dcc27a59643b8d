//! SysV shared memory: by numbers, for a segment is nothing more.

use crate::error::OrThrow;
use crate::region::number;
use napi::{Env, Result};
use napi_derive::napi;
use pagecast::region::{SysVKey, SysVOptions, SysVSettings, SysVSharedMemory, SysVStatus};
use pagecast::{Code, Error};
use std::path::Path;
use std::time::SystemTime;

/// What `SysVSharedMemory.get` was told, checked by TypeScript.
#[napi(object)]
pub struct NativeSysVOptions {
    /// The key; missing for a private segment.
    pub key: Option<i32>,
    /// Bytes.
    pub byte_length: Option<f64>,
    /// Whether it is made if there is none.
    pub create: bool,
    /// Whether there must be none.
    pub exclusive: bool,
    /// Permission bits.
    pub permissions: Option<u32>,
    /// Whether the system promises the memory.
    pub reserve: bool,
    /// Whether it is of huge pages.
    pub huge_pages: bool,
}

/// What the kernel knows of a segment.
#[napi(object)]
pub struct NativeSysVStatus {
    /// Its number.
    pub id: i32,
    /// Its key; missing where it has none.
    pub key: Option<i32>,
    /// Its owner.
    pub uid: u32,
    /// Its owner's group.
    pub gid: u32,
    /// Who made it.
    pub creator_uid: u32,
    /// The group of who made it.
    pub creator_gid: u32,
    /// Permission bits.
    pub mode: u32,
    /// Bytes.
    pub byte_length: f64,
    /// How many mappings there are.
    pub attaches: f64,
    /// Which process made it.
    pub creator_pid: i32,
    /// Which process used it last.
    pub last_pid: i32,
    /// In milliseconds since 1970.
    pub attached_at: Option<f64>,
    /// In milliseconds since 1970.
    pub detached_at: Option<f64>,
    /// In milliseconds since 1970.
    pub changed_at: Option<f64>,
    /// Whether it was removed.
    pub removed: bool,
    /// Whether it stays in memory.
    pub locked: bool,
}

fn milliseconds(time: Option<SystemTime>) -> Option<f64> {
    time?.duration_since(SystemTime::UNIX_EPOCH).ok().map(|since| since.as_secs_f64() * 1e3)
}

fn key(key: SysVKey) -> Option<i32> {
    match key {
        SysVKey::Private => None,
        SysVKey::Number(number) => Some(number),
    }
}

impl From<SysVStatus> for NativeSysVStatus {
    fn from(status: SysVStatus) -> NativeSysVStatus {
        NativeSysVStatus {
            id: status.id,
            key: key(status.key),
            uid: status.uid,
            gid: status.gid,
            creator_uid: status.creator_uid,
            creator_gid: status.creator_gid,
            mode: status.permissions,
            byte_length: number(status.byte_length),
            attaches: number(status.attaches),
            creator_pid: status.creator_pid,
            last_pid: status.last_pid,
            attached_at: milliseconds(status.attached_at),
            detached_at: milliseconds(status.detached_at),
            changed_at: milliseconds(status.changed_at),
            removed: status.is_removed,
            locked: status.is_locked,
        }
    }
}

/// shmget(2): the id.
#[napi]
pub fn sysv_get(env: Env, options: NativeSysVOptions) -> Result<i32> {
    let wanted = SysVOptions {
        byte_length: options.byte_length.map(|bytes| bytes as u64),
        create: options.create,
        exclusive: options.exclusive,
        permissions: options.permissions,
        reserve: options.reserve,
        huge_pages: options.huge_pages,
    };
    let key = options.key.map_or(SysVKey::Private, SysVKey::Number);
    SysVSharedMemory::get(key, &wanted).map(|segment| segment.id()).or_throw(&env)
}

/// shmctl(2), `IPC_STAT`
#[napi]
pub fn sysv_status(env: Env, id: i32) -> Result<NativeSysVStatus> {
    SysVSharedMemory::by_id(id).stat().map(NativeSysVStatus::from).or_throw(&env)
}

/// shmctl(2), `IPC_SET`
#[napi]
pub fn sysv_set(env: Env, id: i32, uid: Option<u32>, gid: Option<u32>, permissions: Option<u32>) -> Result<()> {
    SysVSharedMemory::by_id(id).set(SysVSettings { uid, gid, permissions }).or_throw(&env)
}

/// shmctl(2), `SHM_LOCK` and `SHM_UNLOCK`
#[napi]
pub fn sysv_set_locked(env: Env, id: i32, locked: bool) -> Result<()> {
    let segment = SysVSharedMemory::by_id(id);
    let done = if locked { segment.lock() } else { segment.unlock() };
    done.or_throw(&env)
}

/// shmctl(2), `IPC_RMID`
#[napi]
pub fn sysv_remove(env: Env, id: i32) -> Result<()> {
    SysVSharedMemory::by_id(id).remove().or_throw(&env)
}

/// All segments of this namespace, by id.
#[napi]
pub fn sysv_list(env: Env) -> Result<Vec<NativeSysVStatus>> {
    SysVSharedMemory::list().map(|found| found.into_iter().map(NativeSysVStatus::from).collect()).or_throw(&env)
}

/// ftok(3)
#[napi]
pub fn sysv_key_of(env: Env, path: String, project: u32) -> Result<i32> {
    let project = u8::try_from(project).unwrap_or(0);
    let key = SysVKey::of(Path::new(&path), project).and_then(|found| key(found).ok_or_else(no_key));
    key.or_throw(&env)
}

fn no_key() -> Error {
    Error::new(Code::InvalidArgument, "there is no key")
}
