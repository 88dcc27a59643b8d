//! SysV shared memory (shmget(2)): segments that have a number instead of a name, and stay until somebody removes them.

use super::{MapOptions, Region, Source};
use crate::error::{Code, Error, Result, grouped};
use crate::sys::{self, Access, Identity, sysv};
use nix::errno::Errno;
use std::fmt;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// What a segment is found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SysVKey {
    /// Nothing: it is made, and others get it by its id (`IPC_PRIVATE`).
    Private,
    /// A number that its users have agreed on, and is not 0.
    Number(i32),
}

impl SysVKey {
    /// The key that a file and a number stand for (ftok(3)): of its inode 16 bits, of its device 8, and the 8 of `project`, which is not 0. Two files
    /// may have the same; one that was replaced has another one.
    pub fn of(path: &Path, project: u8) -> Result<SysVKey> {
        let what = format!("ftok of {}", path.display());
        if project == 0 {
            return Err(Error::new(Code::InvalidArgument, format!("{what}: project 0, expected 1 to 255")));
        }
        match sysv::key_of(path, project).map_err(|errno| Error::system(&what, "stat", errno))? {
            0 => Err(Error::new(Code::InvalidArgument, format!("{what}: its key would be 0, which is IPC_PRIVATE"))),
            key => Ok(SysVKey::Number(key)),
        }
    }

    fn number(self) -> i32 {
        match self {
            SysVKey::Private => sysv::PRIVATE,
            SysVKey::Number(key) => key,
        }
    }
}

impl fmt::Display for SysVKey {
    /// As ipcs(1) prints them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SysVKey::Private => f.write_str("private"),
            SysVKey::Number(key) => write!(f, "{key:#010x}"),
        }
    }
}

/// How [`SysVSharedMemory::get`] finds a segment or makes one.
#[derive(Clone, Copy, Debug)]
pub struct SysVOptions {
    /// Bytes: of one that is made, which needs it, all there are; one that is there has at least as many. Default: whatever is there.
    pub byte_length: Option<u64>,
    /// Whether it is made if there is none (`IPC_CREAT`). A private one always is. Default false.
    pub create: bool,
    /// Whether there must be none: [`Code::AlreadyExists`] otherwise (`IPC_EXCL`). Default false.
    pub exclusive: bool,
    /// Permission bits of one that is made, exactly these, whatever the umask; of one that is there, what this process must be allowed. Default: 0600 with
    /// `create`, else none.
    pub permissions: Option<u32>,
    /// Whether the system promises the memory now, so that too much is [`Code::NoSpace`] here (false: `SHM_NORESERVE`). Default true.
    pub reserve: bool,
    /// Whether one that is made has huge pages, of the system's default size (`SHM_HUGETLB`); [`Code::HugePages`] if there are none. Other programs attach
    /// it; no [`Region`] does. Default false.
    pub huge_pages: bool,
}

impl Default for SysVOptions {
    fn default() -> SysVOptions {
        SysVOptions { byte_length: None, create: false, exclusive: false, permissions: None, reserve: true, huge_pages: false }
    }
}

impl SysVOptions {
    /// What can be known without asking the system.
    fn request(&self, title: &str, key: SysVKey) -> Result<sysv::Request> {
        let create = self.create || key == SysVKey::Private;
        let invalid = |code, fact: String| Err(Error::new(code, format!("{title}: {fact}")));
        if key == SysVKey::Number(sysv::PRIVATE) {
            return invalid(Code::InvalidArgument, "key 0 is IPC_PRIVATE, which no two processes share: say that it is private".into());
        }
        let makes = [(self.exclusive, "exclusive"), (self.huge_pages, "huge pages"), (!self.reserve, "no reserve")];
        if let (false, Some((_, option))) = (create, makes.iter().find(|(is_given, _)| *is_given)) {
            return invalid(Code::InvalidArgument, format!("{option} is for what is made, with create"));
        }
        if let Some(permissions) = self.permissions.filter(|permissions| *permissions > 0o777) {
            return invalid(Code::InvalidArgument, format!("permissions {permissions:#o}, expected at most 0o777"));
        }
        let byte_length = match self.byte_length {
            None if create => return invalid(Code::InvalidSize, "it has no size yet: give one".into()),
            None => 0,
            Some(bytes) => match usize::try_from(bytes).ok().filter(|bytes| *bytes > 0 && isize::try_from(*bytes).is_ok()) {
                Some(bytes) => bytes,
                None => return invalid(Code::InvalidSize, format!("{} bytes, expected 1 to 2^63", grouped(bytes))),
            },
        };
        Ok(sysv::Request {
            key: key.number(),
            byte_length,
            create,
            exclusive: self.exclusive,
            permissions: self.permissions.unwrap_or(if create { 0o600 } else { 0 }),
            huge_pages: self.huge_pages,
            reserve: self.reserve,
        })
    }
}

/// What [`SysVSharedMemory::set`] changes; what is `None` stays.
#[derive(Clone, Copy, Debug, Default)]
pub struct SysVSettings {
    /// User.
    pub uid: Option<u32>,
    /// Group.
    pub gid: Option<u32>,
    /// Permission bits.
    pub permissions: Option<u32>,
}

/// What the kernel knows of a segment: `struct shmid_ds` of shmctl(2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SysVStatus {
    /// Its number.
    pub id: i32,
    /// Its key; one that was removed has none any more.
    pub key: SysVKey,
    /// The user and the group that it belongs to, and those of who made it.
    pub uid: u32,
    /// See `uid`.
    pub gid: u32,
    /// See `uid`.
    pub creator_uid: u32,
    /// See `uid`.
    pub creator_gid: u32,
    /// Permission bits.
    pub permissions: u32,
    /// Bytes, as asked for.
    pub byte_length: u64,
    /// How many mappings there are of it, in all processes. Linux counts pages in a row: one of which some were given up, or protected, is several.
    pub attaches: u64,
    /// The process that made it, by its number here; 0 if it has none here.
    pub creator_pid: i32,
    /// The process that attached or detached it last; 0 for none.
    pub last_pid: i32,
    /// When it was attached last, to the second; `None` for never.
    pub attached_at: Option<SystemTime>,
    /// When it was detached last.
    pub detached_at: Option<SystemTime>,
    /// When it was made, or its owner or permissions changed.
    pub changed_at: Option<SystemTime>,
    /// Whether it was removed, and goes with the last who has it attached (`SHM_DEST`).
    pub is_removed: bool,
    /// Whether it stays in memory (`SHM_LOCKED`).
    pub is_locked: bool,
}

impl From<sysv::Status> for SysVStatus {
    fn from(found: sysv::Status) -> SysVStatus {
        let time = |seconds: u64| (seconds > 0).then(|| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        SysVStatus {
            id: found.id,
            key: if found.key == sysv::PRIVATE { SysVKey::Private } else { SysVKey::Number(found.key) },
            uid: found.uid,
            gid: found.gid,
            creator_uid: found.creator_uid,
            creator_gid: found.creator_gid,
            permissions: found.mode & 0o777,
            byte_length: found.byte_length,
            attaches: found.attaches,
            creator_pid: found.creator_pid,
            last_pid: found.last_pid,
            attached_at: time(found.attached_at),
            detached_at: time(found.detached_at),
            changed_at: time(found.changed_at),
            is_removed: found.mode & sysv::REMOVED != 0,
            is_locked: found.mode & sysv::LOCKED != 0,
        }
    }
}

/// A SysV segment. This is its number and nothing more: dropped, the segment stays, and only [`SysVSharedMemory::remove`] ends it, or ipcrm(1).
///
/// ```
/// use pagecast::region::{MapOptions, SysVKey, SysVOptions, SysVSharedMemory};
///
/// let options = SysVOptions { byte_length: Some(5000), ..SysVOptions::default() };
/// let memory = SysVSharedMemory::get(SysVKey::Private, &options)?;
/// let region = memory.attach(MapOptions::default())?;
/// memory.remove()?; // goes with the region
/// region.write_at(4998, b"ok")?;
/// assert_eq!((region.byte_length(), memory.stat()?.attaches), (5000, 1));
/// # Ok::<(), pagecast::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SysVSharedMemory {
    id: i32,
}

impl SysVSharedMemory {
    /// Finds a segment, or makes one (shmget(2)). [`Code::NotFound`] where there is none; [`Code::InvalidSize`] for one that has fewer bytes, and for more than
    /// one may have (`SHMMAX`); [`Code::NoSpace`] for more than all may have, in pages or in number (`SHMALL`, `SHMMNI`), or there is memory for.
    pub fn get(key: SysVKey, options: &SysVOptions) -> Result<SysVSharedMemory> {
        let title = format!("get SysV segment {key}");
        let request = options.request(&title, key)?;
        match sysv::get(&request) {
            Ok(id) => Ok(SysVSharedMemory { id }),
            Err(errno) => Err(get_refused(&title, &request, errno)),
        }
    }

    /// That of an id, whether or not there is one: what is done with it says [`Code::NotFound`] where there is none.
    pub fn by_id(id: i32) -> SysVSharedMemory {
        SysVSharedMemory { id }
    }

    /// Its number, which all processes of its namespace know it by.
    pub fn id(&self) -> i32 {
        self.id
    }

    /// What the kernel knows of it (`IPC_STAT`). It tells those who may read it.
    pub fn stat(&self) -> Result<SysVStatus> {
        status(format_args!("stat {self}"), self.id)
    }

    /// Attaches it (shmat(2)), or a part of it; the options' source is not looked at. Access without writing is `SHM_RDONLY`, with executing `SHM_EXEC`, a
    /// [`Placement::Replace`](super::Placement::Replace) `SHM_REMAP`. Dropping the region detaches it.
    pub fn attach(&self, options: MapOptions) -> Result<Region> {
        let subject = options.subject.or_else(|| Some(self.to_string()));
        Region::map(&MapOptions { source: Source::SysV(self.id), subject, ..options })
    }

    /// Changes owner and permissions (`IPC_SET`), for its owner, its creator and root.
    pub fn set(&self, settings: SysVSettings) -> Result<()> {
        let SysVSettings { uid, gid, permissions } = settings;
        if let Some(permissions) = permissions.filter(|permissions| *permissions > 0o777) {
            return Err(Error::new(Code::InvalidArgument, format!("set {self}: permissions {permissions:#o}, expected at most 0o777")));
        }
        let what = format!("set {self}");
        sysv::set(self.id, uid, gid, permissions).map_err(|errno| match errno {
            // of one that is there it is about the owner
            Errno::EINVAL if sysv::stat(self.id).is_ok() => {
                let fact = "there is no such user or group in this user namespace";
                Error::system(format_args!("{what}: {fact}"), "shmctl", errno).with_code(Code::InvalidArgument)
            }
            errno => failed(format_args!("{what}"), errno),
        })
    }

    /// Keeps all of it in memory (`SHM_LOCK`), whoever has it attached; [`Code::LockLimit`].
    pub fn lock(&self) -> Result<()> {
        self.set_locked(true)
    }

    /// No longer (`SHM_UNLOCK`).
    pub fn unlock(&self) -> Result<()> {
        self.set_locked(false)
    }

    fn set_locked(&self, locked: bool) -> Result<()> {
        let what = if locked { "lock" } else { "unlock" };
        sysv::set_locked(self.id, locked).map_err(|errno| {
            let limit = sys::lock_limit();
            // EPERM is for others' segments, and for who may lock nothing; that one may unlock
            if !locked || errno != Errno::ENOMEM && (errno != Errno::EPERM || limit != Some(0)) {
                return failed(format_args!("{what} {self}"), errno);
            }
            let limit = limit.map_or("no limit".into(), |limit| format!("{} bytes (ulimit -l)", grouped(limit)));
            failed(format_args!("lock {self} within {limit}"), errno).with_code(Code::LockLimit)
        })
    }

    /// Removes it (`IPC_RMID`), for its owner, its creator and root. Nobody finds it by its key any more; who has it attached keeps it, and it goes with the last
    /// of them. Until then Linux lets who knows its id attach it.
    pub fn remove(&self) -> Result<()> {
        sysv::remove(self.id).map_err(|errno| failed(format_args!("remove {self}"), errno))
    }

    /// All segments of this namespace, by id, whoever may use them. Before Linux 4.17: those that may be read.
    pub fn list() -> Result<Vec<SysVStatus>> {
        let found = sysv::list().map_err(|errno| Error::system("list SysV segments", "shmctl", errno))?;
        let mut all: Vec<SysVStatus> = found.into_iter().map(SysVStatus::from).collect();
        all.sort_by_key(|status| status.id);
        Ok(all)
    }
}

impl fmt::Display for SysVSharedMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SysV segment {}", self.id)
    }
}

fn status(what: fmt::Arguments<'_>, id: i32) -> Result<SysVStatus> {
    sysv::stat(id).map(SysVStatus::from).map_err(|errno| failed(what, errno))
}

pub(super) fn size(id: i32, title: &str) -> Result<u64> {
    status(format_args!("{title}"), id).map(|status| status.byte_length)
}

/// A segment, told from every other one, by whoever hears of it in another process.
///
/// Ids count within an IPC namespace, where each is given out again: 4,194,240 segments later on Linux 6.18, which takes a loop that does nothing else 24 seconds, and
/// 65,536 later on old kernels. So of two segments of the same id the later was made in another second, and its time of change (`shm_ctime`) begins with that; but for
/// what root asks for by kernel.shm_next_id. Setting owner or permissions changes the time of a segment, too: then its handles are refused, as if it were another one,
/// rather than another one be taken for it.
///
/// Nothing else would do. Of what is attached /proc/self/maps shows no more than the id, as its inode; the key goes when the segment is removed; the creator's pid is
/// another number in another PID namespace, and a server that makes segments for others makes all of them, often of one size, under one pid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub namespace: Identity,
    pub id: i32,
    /// In seconds since 1970.
    pub changed_at: u64,
}

impl Known {
    /// The segment that has the id now.
    pub fn of(id: i32, title: &str) -> Result<Known> {
        Ok(Known { namespace: namespace(title)?, id, changed_at: changed_at(id, title)? })
    }

    /// [`Code::NotFound`] if it is of another namespace or gone, [`Code::Replaced`] if the id is another one's by now. What this process has attached meanwhile is
    /// sure to be this one: as long as it is, the id stays its own.
    pub fn confirm(&self, title: &str) -> Result<()> {
        let (ours, theirs) = (namespace(title)?, self.namespace);
        if ours != theirs {
            let fact = format!("of IPC namespace {}, and this process is in {}", theirs.inode, ours.inode);
            return Err(Error::new(Code::NotFound, format!("{title}: the handle is about a segment {fact}")));
        }
        let found = changed_at(self.id, title)?;
        if found == self.changed_at {
            return Ok(());
        }
        let fact =
            format!("made or changed (IPC_SET) at {found}, and the handle is about one of {}, in seconds since 1970", self.changed_at);
        Err(Error::new(Code::Replaced, format!("{title}: the id leads to a segment that was {fact}")))
    }
}

fn namespace(title: &str) -> Result<Identity> {
    sysv::namespace().map_err(|errno| Error::system(format_args!("{title}: which IPC namespace this is"), "stat", errno))
}

fn changed_at(id: i32, title: &str) -> Result<u64> {
    sysv::stat(id).map(|found| found.changed_at).map_err(|errno| failed(format_args!("{title}"), errno))
}

/// How it is attached.
pub(super) fn attachable(id: i32, size: u64, writable: bool, title: &str) -> Result<sysv::Segment> {
    let segment = sysv::Segment { id, byte_length: super::whole_pages(size)?, writable };
    match sysv::has_huge_pages(segment) {
        Ok(false) => Ok(segment),
        Ok(true) => Err(Error::new(Code::HugePages, format!("{title}: it is made of huge pages, over which no region is mapped"))),
        Err(errno) => Err(attach_refused(title, if writable { Access::ReadWrite } else { Access::Read }, errno)),
    }
}

pub(super) fn attach_refused(title: &str, access: Access, errno: Errno) -> Error {
    let needs =
        if errno == Errno::EACCES { format!(": access {access} needs permission that its mode does not give") } else { String::new() };
    match errno {
        Errno::EIDRM => gone(title, "shmat", errno),
        errno => Error::system(format_args!("{title}{needs}"), "shmat", errno),
    }
}

/// What shmctl(2) said. There is no such segment: `EINVAL` if its number is nobody's, `EIDRM` if it is somebody else's by now.
fn failed(what: fmt::Arguments<'_>, errno: Errno) -> Error {
    match errno {
        Errno::EINVAL | Errno::EIDRM => gone(what, "shmctl", errno),
        errno => Error::system(what, "shmctl", errno),
    }
}

fn gone(what: impl fmt::Display, call: &'static str, errno: Errno) -> Error {
    Error::system(format_args!("{what}: there is no such segment"), call, errno).with_code(Code::NotFound)
}

fn get_refused(title: &str, request: &sysv::Request, errno: Errno) -> Error {
    let fact = refusal(request, errno);
    let error = Error::system(format!("{title}{fact}"), "shmget", errno);
    match errno {
        Errno::EINVAL | Errno::ENOMEM | Errno::EPERM | Errno::ENOSYS if request.huge_pages => error.with_code(Code::HugePages),
        Errno::EINVAL => error.with_code(Code::InvalidSize),
        Errno::ENOMEM => error.with_code(Code::NoSpace),
        _ => error,
    }
}

/// What the kernel meant, as far as its numbers tell.
fn refusal(request: &sysv::Request, errno: Errno) -> String {
    let asked = grouped(request.byte_length as u64);
    let limits = sysv::limits();
    match errno {
        Errno::ENOENT => ": there is no segment with this key".into(),
        Errno::EEXIST => ": there is one with this key already".into(),
        Errno::EINVAL => match (there(request), limits) {
            (Some(found), _) => format!(": {asked} bytes asked for, and it has {}", grouped(found.byte_length)),
            (None, Ok(limits)) => format!(": {asked} bytes asked for, {} the most of one (kernel.shmmax)", grouped(limits.most_bytes)),
            (None, Err(_)) => String::new(),
        },
        Errno::ENOSPC => limits.map_or(String::new(), |limits| {
            let pages = format!("{} of {} pages (kernel.shmall)", grouped(limits.pages), grouped(limits.most_pages));
            let segments = format!("{} of {} segments (kernel.shmmni)", grouped(limits.segments), grouped(limits.most_segments));
            format!(": {asked} bytes asked for, there are {pages} and {segments}")
        }),
        Errno::ENOMEM => {
            let free = sys::memory_available().map_or(String::new(), |bytes| format!(", {} free", grouped(bytes)));
            format!(": {asked} bytes asked for{free}")
        }
        _ => String::new(),
    }
}

/// The segment that has the key.
fn there(request: &sysv::Request) -> Option<sysv::Status> {
    if request.key == sysv::PRIVATE {
        return None;
    }
    let whatever = sysv::Request { byte_length: 0, create: false, exclusive: false, permissions: 0, ..*request };
    sysv::get(&whatever).and_then(sysv::stat).ok()
}
