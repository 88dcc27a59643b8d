//! Linux: shmget(2), shmat(2), shmctl(2). What is attached is detached as any other mapping is, by what takes its place: the kernel counts mappings.

use super::super::{Access, Identity, Place, create_memory, identify, inspect, map_nothing, page_bytes, protect, unmap_pages};
use super::{Limits, Request, Segment, Status};
use nix::NixPath;
use nix::errno::Errno;
use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::path::Path;
use std::ptr::null_mut;
use std::sync::OnceLock;

type Sys<T> = nix::Result<T>;

// linux/shm.h; the libc crate does not have them
const SHM_STAT: c_int = 13;
const SHM_INFO: c_int = 14;
const SHM_STAT_ANY: c_int = 15;

/// `struct shminfo` of `IPC_INFO`
#[repr(C)]
struct ShmLimits {
    most_bytes: libc::c_ulong,
    least_bytes: libc::c_ulong,
    most_segments: libc::c_ulong,
    most_attached: libc::c_ulong,
    most_pages: libc::c_ulong,
    unused: [libc::c_ulong; 4],
}

/// `struct shm_info` of `SHM_INFO`
#[repr(C)]
struct ShmUsage {
    segments: c_int,
    pages: libc::c_ulong,
    unused: [libc::c_ulong; 4],
}

/// `ftok`
pub(crate) fn key_of(path: &Path, project: u8) -> Sys<i32> {
    // SAFETY: a C string that outlives the call.
    Errno::result(path.with_nix_path(|path| unsafe { libc::ftok(path.as_ptr(), c_int::from(project)) })?)
}

/// `shmget`
pub(crate) fn get(request: &Request) -> Sys<i32> {
    let flags = [
        (request.create, libc::IPC_CREAT),
        (request.exclusive, libc::IPC_EXCL),
        (request.huge_pages, libc::SHM_HUGETLB),
        (!request.reserve, libc::SHM_NORESERVE),
    ];
    let permissions = c_int::try_from(request.permissions & 0o777).unwrap_or(0);
    let flags = flags.iter().filter(|(is_set, _)| *is_set).fold(permissions, |all, (_, flag)| all | flag);
    // SAFETY: takes numbers.
    Errno::result(unsafe { libc::shmget(request.key, request.byte_length, flags) })
}

/// # Safety
/// `buffer` must have room for what the command writes.
unsafe fn control(id: c_int, command: c_int, buffer: *mut c_void) -> Sys<c_int> {
    // SAFETY: the caller's promise.
    Errno::result(unsafe { libc::shmctl(id, command, buffer.cast()) })
}

/// What one of the commands that fill a structure says, and the structure.
///
/// # Safety
/// `T` must be what the command writes, and may be all zeros.
unsafe fn ask<T>(id: c_int, command: c_int) -> Sys<(c_int, T)> {
    let mut answer = MaybeUninit::<T>::zeroed();
    // SAFETY: the caller's promise.
    unsafe { control(id, command, answer.as_mut_ptr().cast()).map(|number| (number, answer.assume_init())) }
}

/// `shmctl(IPC_STAT)`
pub(crate) fn stat(id: i32) -> Sys<Status> {
    status(libc::IPC_STAT, id).map(|(_, status)| status)
}

/// What the command says of the segment of this id or index; the answer's number, too.
fn status(command: c_int, number: i32) -> Sys<(c_int, Status)> {
    // SAFETY: what the commands write that are used here; numbers may be 0.
    let (answer, found) = unsafe { ask::<libc::shmid_ds>(number, command)? };
    // SAFETY: the first field, which the libc crate calls differently for each C library.
    let key = unsafe { (&raw const found.shm_perm).cast::<libc::key_t>().read() };
    let owner = found.shm_perm;
    let seconds = |time: i64| u64::try_from(time).unwrap_or(0);
    let status = Status {
        id: if command == libc::IPC_STAT { number } else { answer },
        key,
        uid: owner.uid,
        gid: owner.gid,
        creator_uid: owner.cuid,
        creator_gid: owner.cgid,
        mode: owner.mode as u32, // of 16 bits with glibc on x86-64
        byte_length: found.shm_segsz as u64,
        attaches: found.shm_nattch,
        creator_pid: found.shm_cpid,
        last_pid: found.shm_lpid,
        attached_at: seconds(found.shm_atime),
        detached_at: seconds(found.shm_dtime),
        changed_at: seconds(found.shm_ctime),
    };
    Ok((answer, status))
}

/// `shmctl(SHM_INFO)`: the largest index in use, and what there is.
fn usage() -> Sys<(c_int, ShmUsage)> {
    // SAFETY: what the command writes.
    unsafe { ask(0, SHM_INFO) }
}

/// `shmctl(SHM_STAT_ANY)` of every index; before Linux 4.17 `SHM_STAT`, which tells nothing of those that may not be read.
pub(crate) fn list() -> Sys<Vec<Status>> {
    let (last, _) = usage()?;
    let found = |index| status(SHM_STAT_ANY, index).or_else(|_| status(SHM_STAT, index)).ok();
    Ok((0..=last).filter_map(found).map(|(_, status)| status).collect())
}

/// `shmctl(IPC_INFO)` and `shmctl(SHM_INFO)`
pub(crate) fn limits() -> Sys<Limits> {
    // SAFETY: what the command writes.
    let (_, limits) = unsafe { ask::<ShmLimits>(0, libc::IPC_INFO)? };
    let (_, usage) = usage()?;
    Ok(Limits {
        most_bytes: limits.most_bytes,
        most_pages: limits.most_pages,
        pages: usage.pages,
        most_segments: limits.most_segments,
        segments: u64::try_from(usage.segments).unwrap_or(0),
    })
}

/// `shmctl(IPC_RMID)`
pub(crate) fn remove(id: i32) -> Sys<()> {
    // SAFETY: the command takes no buffer.
    unsafe { control(id, libc::IPC_RMID, null_mut()) }.map(drop)
}

/// `shmctl(IPC_SET)` of what is given; the rest stays.
pub(crate) fn set(id: i32, uid: Option<u32>, gid: Option<u32>, permissions: Option<u32>) -> Sys<()> {
    // SAFETY: what the command writes.
    let (_, mut found) = unsafe { ask::<libc::shmid_ds>(id, libc::IPC_STAT)? };
    let owner = &mut found.shm_perm;
    owner.uid = uid.unwrap_or(owner.uid);
    owner.gid = gid.unwrap_or(owner.gid);
    if let Some(permissions) = permissions {
        owner.mode = (permissions & 0o777).try_into().unwrap_or(owner.mode);
    }
    // SAFETY: the command reads the structure, which is ours.
    unsafe { control(id, libc::IPC_SET, (&raw mut found).cast()) }.map(drop)
}

/// `shmctl(SHM_LOCK)`, `shmctl(SHM_UNLOCK)`
pub(crate) fn set_locked(id: i32, locked: bool) -> Sys<()> {
    let command = if locked { libc::SHM_LOCK } else { libc::SHM_UNLOCK };
    // SAFETY: the commands take no buffer.
    unsafe { control(id, command, null_mut()) }.map(drop)
}

/// The numbers that a segment has in [`mappings`](super::super::mappings): the device is that of memfds, the inode its id.
pub(crate) fn identity(id: i32) -> Option<Identity> {
    static DEVICE: OnceLock<Option<u64>> = OnceLock::new();
    let device = (*DEVICE.get_or_init(|| {
        let memory = create_memory("pagecast", false).ok()?;
        inspect(&memory).ok().map(|(identity, _)| identity.device)
    }))?;
    Some(Identity { device, inode: u64::try_from(id).ok()? })
}

/// Which namespace of IPC ids this thread has: the file of ipc_namespaces(7).
pub(crate) fn namespace() -> Sys<Identity> {
    identify(Path::new("/proc/thread-self/ns/ipc"))
}

/// # Safety
/// With `SHM_REMAP`, what is at the address, for as many bytes as the segment has, must be the caller's own, and of a kind that may be replaced
/// at any time.
unsafe fn shmat(segment: Segment, address: usize, flags: c_int) -> Sys<usize> {
    let flags = if segment.writable { flags } else { flags | libc::SHM_RDONLY };
    // SAFETY: the caller's promise.
    let attached = unsafe { libc::shmat(segment.id, address as *const c_void, flags) };
    if attached as isize != -1 {
        return Ok(attached as usize);
    }
    match Errno::last() {
        // the address, or there is no such segment
        Errno::EINVAL if stat(segment.id).is_err() => Err(Errno::EIDRM),
        errno => Err(errno),
    }
}

/// Whether it is made of huge pages. The kernel tells nobody, but refuses to attach such a segment at an address that is not a multiple of theirs. One that is not
/// known to have none must never be attached over anything: it may be longer than its size says.
pub(crate) fn has_huge_pages(segment: Segment) -> Sys<bool> {
    let page = page_bytes();
    let room = segment.byte_length + 2 * page;
    // SAFETY: no place where anything is.
    let start = unsafe { map_nothing(Place::Anywhere, room)? }.as_ptr() as usize;
    let odd = if start.is_multiple_of(2 * page) { start + page } else { start };
    // SAFETY: the room is ours, and nobody else knows of it.
    let attached = unsafe {
        let attached = shmat(Segment { writable: false, ..segment }, odd, libc::SHM_REMAP);
        unmap_pages(start, room);
        attached
    };
    match attached {
        Err(Errno::EINVAL) => Ok(true),
        attached => attached.map(|_| false),
    }
}

/// `shmat` of a segment of pages of the usual size, or of a part of it; `EEXIST` if something is at the address, `EIDRM` if there is no such segment any more.
///
/// # Safety
/// With [`Place::Over`], what is there must be the caller's own, and of a kind that may be replaced at any time.
pub(crate) unsafe fn attach(place: Place, byte_length: usize, segment: Segment, byte_offset: usize, access: Access) -> Sys<usize> {
    let flags = if access.executes() { libc::SHM_EXEC } else { 0 };
    // SAFETY: the caller's promise.
    let address = unsafe {
        if byte_offset == 0 && byte_length == segment.byte_length {
            attach_whole(place, segment, flags)?
        } else {
            attach_part(place, byte_length, segment, byte_offset, flags)?
        }
    };
    let given = match (segment.writable, access.executes()) {
        (false, false) => Access::Read,
        (true, false) => Access::ReadWrite,
        (false, true) => Access::ReadExecute,
        (true, true) => Access::ReadWriteExecute,
    };
    if access == given {
        return Ok(address);
    }
    // SAFETY: just made, and nobody knows of it yet; what was there before is the caller's to fill again.
    unsafe {
        protect(address, byte_length, access).map(|()| address).inspect_err(|_| {
            if !matches!(place, Place::Over(_)) {
                unmap_pages(address, byte_length);
            }
        })
    }
}

/// # Safety
/// As for [`attach`].
unsafe fn attach_whole(place: Place, segment: Segment, flags: c_int) -> Sys<usize> {
    // SAFETY: the caller's promise.
    unsafe {
        match place {
            Place::Anywhere => shmat(segment, 0, flags),
            Place::Over(address) => shmat(segment, address, flags | libc::SHM_REMAP),
            Place::Exclusive(address) if address.checked_add(segment.byte_length).is_none() => Err(Errno::ENOMEM), // as mmap has it
            Place::Exclusive(address) => shmat(segment, address, flags).map_err(|errno| match errno {
                Errno::EINVAL => Errno::EEXIST,
                errno => errno,
            }),
            Place::Hint(address) => match attach_whole(Place::Exclusive(address), segment, flags) {
                Err(Errno::EEXIST | Errno::ENOMEM) => attach_whole(Place::Anywhere, segment, flags),
                attached => attached,
            },
        }
    }
}

/// The kernel attaches whole segments only. So one is attached elsewhere, the part of it moved, in one step, and the rest given up.
///
/// # Safety
/// As for [`attach`].
unsafe fn attach_part(place: Place, byte_length: usize, segment: Segment, byte_offset: usize, flags: c_int) -> Sys<usize> {
    // SAFETY: the caller's promise; every other place is one that nobody uses, and nobody knows of the whole segment.
    unsafe {
        let reserved = match place {
            Place::Exclusive(_) | Place::Hint(_) => Some(map_nothing(place, byte_length)?.as_ptr() as usize),
            Place::Anywhere | Place::Over(_) => None,
        };
        let moved = attach_whole(Place::Anywhere, segment, flags).and_then(|whole| {
            let part = whole + byte_offset;
            let target = match place {
                Place::Over(address) => Some(address),
                _ => reserved,
            };
            let moved = target.map_or(Ok(part), |target| move_pages(part, byte_length, target));
            let end = part + byte_length;
            unmap_pages(whole, byte_offset);
            unmap_pages(end, whole + segment.byte_length - end);
            moved.inspect_err(|_| unmap_pages(part, byte_length))
        });
        moved.inspect_err(|_| {
            if let Some(start) = reserved {
                unmap_pages(start, byte_length);
            }
        })
    }
}

/// `mremap(MREMAP_FIXED)`
///
/// # Safety
/// Both must be the caller's own, and what is at the target of a kind that may be replaced at any time.
unsafe fn move_pages(from: usize, byte_length: usize, target: usize) -> Sys<usize> {
    let flags = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED;
    // SAFETY: the caller's promise.
    let moved = unsafe { libc::mremap(from as *mut c_void, byte_length, byte_length, flags, target as *mut c_void) };
    if moved == libc::MAP_FAILED { Err(Errno::last()) } else { Ok(moved as usize) }
}
