//! Objects of shm_open(3), each with a small file beside it that has its name.
//!
//! On macOS such an object has one name of at most 31 characters, which can be given once and taken away: no second name, no rename, no lock, no
//! notice to who watches. The file has all of these. It says which object it stands for, and is written before that is made. So what is done with
//! files elsewhere, whole or not at all, is done with the file here, and who opens the name opens the file, reads it and opens the object.
//!
//! What the file says is not trusted: the object has a name that nothing else has, and the same owner as the file.
//!
//! This compiles everywhere, so that Linux can be made to do the same in tests.

use super::{Identity, Object, platform};
use crate::testing::step;
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::mman::{shm_open, shm_unlink};
use nix::sys::stat::{Mode, fstat};
use std::fs::File;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

type Sys<T> = nix::Result<T>;

/// Begins the names that exist only between two steps of whoever makes an object or takes it away.
pub(crate) const TEMPORARY: &str = ".pagecast-";

/// Longest name of an object in characters, the slash before it included: `PSHMNAMLEN`.
const NAME_MAX: usize = 31;

/// The first line of the file. The second one is the object's name, the third one the path that the object was made for.
const TITLE: &str = "pagecast object 1";

/// Begins the names of the objects.
const PREFIX: &str = "/pc-";

/// No file that stands for an object is longer than that.
const FILE_MAX: u64 = 8192;

/// A name for the object of `path` that nobody can guess: 8 digits of a hash of the path, for people, and 16 of chance.
fn object_name(path: &Path, random: [u8; 16]) -> String {
    let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(path) as u32;
    let [.., chance] = bytes_as_words(random);
    format!("{PREFIX}{hash:08x}-{chance:016x}")
}

fn bytes_as_words(bytes: [u8; 16]) -> [u64; 2] {
    let number = u128::from_ne_bytes(bytes);
    [(number >> 64) as u64, number as u64]
}

/// What stands in the file.
fn text_of(object: &str, path: &Path) -> Vec<u8> {
    [TITLE.as_bytes(), object.as_bytes(), path.as_os_str().as_encoded_bytes(), b""].join(&b'\n')
}

/// The object that such a text names: nothing but what [`object_name`] makes.
fn parse(text: &[u8]) -> Option<&str> {
    let rest = text.strip_prefix(TITLE.as_bytes())?.strip_prefix(b"\n")?;
    let line = rest.split(|byte| *byte == b'\n').next()?;
    let (hash, chance) = std::str::from_utf8(line).ok()?.strip_prefix(PREFIX)?.split_once('-')?;
    let is_hex = |digits: &str, count| digits.len() == count && digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    if is_hex(hash, 8) && is_hex(chance, 16) { std::str::from_utf8(line).ok() } else { None }
}

/// The object that a file stands for; `None` for any other file.
fn object_of(file: &OwnedFd) -> Option<String> {
    let (_, size) = platform::describe(file).ok().filter(|(_, size)| *size <= FILE_MAX)?;
    let mut text = vec![0; usize::try_from(size).ok()?];
    super::read_first(file, &mut text).ok()?;
    parse(&text).map(str::to_owned)
}

fn open_memory(name: &str, read_only: bool) -> Sys<OwnedFd> {
    shm_open(name, if read_only { OFlag::O_RDONLY } else { OFlag::O_RDWR }, Mode::empty())
}

/// With exactly these permission bits: macOS takes them as they are, Linux minus the umask.
fn create_memory(name: &str, mode: u32) -> Sys<OwnedFd> {
    step(|| "shm_open");
    let bits = Mode::from_bits_truncate((mode & 0o7777) as libc::mode_t);
    let memory = shm_open(name, OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_RDWR, bits)?;
    if super::permissions(&memory)? != mode {
        platform::set_mode(&memory, mode).inspect_err(|_| take_memory_away(name))?;
    }
    Ok(memory)
}

/// Whoever has it open or mapped keeps it. That it is gone already is as good.
fn take_memory_away(name: &str) {
    step(|| "shm_unlink");
    let _ = shm_unlink(name);
}

/// Opens what a name leads to: the object that the file there stands for, a file that stands for none, or an object that has the name itself.
pub(super) fn open(path: &Path, read_only: bool) -> Sys<Object> {
    match platform::open_named(path, read_only) {
        Err(Errno::ENOENT) => open_own(path, read_only),
        file => open_behind(file?, read_only),
    }
}

/// As [`open`], where whoever asks takes any bytes for his own: a stranger's file is as good as none.
pub(super) fn open_shared(path: &Path, read_only: bool) -> Sys<Object> {
    match platform::open_named(path, read_only) {
        Err(Errno::ENOENT) => open_own(path, read_only),
        Ok(file) if is_strange(path, &file) => open_own(path, read_only),
        file => open_behind(file?, read_only),
    }
}

/// Whether a file is one of those that are in the default directory for some other reason: `/tmp` is everybody's.
fn is_strange(path: &Path, file: &OwnedFd) -> bool {
    is_in_default_directory(path) && object_of(file).is_none()
}

/// An object that has the name itself.
fn open_own(path: &Path, read_only: bool) -> Sys<Object> {
    open_memory(&own_name(path).ok_or(Errno::ENOENT)?, read_only).map(Object::from)
}

/// The object that a file stands for, or the file.
fn open_behind(file: OwnedFd, read_only: bool) -> Sys<Object> {
    let Some(name) = object_of(&file) else { return Ok(file.into()) };
    let memory = match open_memory(&name, read_only) {
        // as good as none: it has no bytes
        Err(Errno::ENOENT) => super::create_memory("gone", false)?,
        // a file of one user that stands for another one's object is a trap
        Ok(memory) if fstat(&memory)?.st_uid != fstat(&file)?.st_uid => return Err(Errno::EPERM),
        memory => memory?,
    };
    Ok(Object::with_file(memory, file))
}

/// Makes a file at `path` and the object that it stands for, for the name that it is to get. The file comes first: whoever sweeps after a killed
/// creator finds the object by it.
pub(super) fn create(path: &Path, name: &Path, mode: u32) -> Sys<Object> {
    let object = object_name(name, super::random_bytes()?);
    let file = File::from(platform::create_exclusive(path, mode)?);
    let written = file.write_all_at(&text_of(&object, name), 0);
    let made =
        written.map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO))).and_then(|()| create_memory(&object, mode));
    let file = OwnedFd::from(file);
    let memory = made.inspect_err(|_| {
        let _ = platform::unlink(path);
    })?;
    if platform::count_names(&file)? == 0 {
        take_memory_away(&object); // swept meanwhile, before there was an object
    }
    Ok(Object::with_file(memory, file))
}

/// Makes an object that others find by its own name, where it has one; else with a file beside it, or in a directory that was asked for as a file.
pub(super) fn create_shared(path: &Path, mode: u32) -> Sys<Object> {
    match own_name(path) {
        Some(_) if platform::identify_file(path).is_ok() => Err(Errno::EEXIST),
        Some(name) => create_memory(&name, mode).map(Object::from),
        None if is_in_default_directory(path) => {
            let temporary = temporary_beside(path)?;
            let object = create(&temporary, path, mode)?;
            let linked = platform::link(&temporary, path);
            remove(&temporary)?;
            linked.map(|()| object)
        }
        None => platform::create_exclusive(path, mode).map(Object::from),
    }
}

/// Takes a name away, and with the last name of a file the object that it stands for.
///
/// The object goes first, so that who is killed in between leaves a file to be found; and that under a temporary name, where everybody knows that it
/// was left. Once more after the file: a creator whose file is swept may make its object in between.
pub(super) fn remove(path: &Path) -> Sys<()> {
    let open = |path: &Path| platform::open_named(path, true);
    match (open(path), own_name(path)) {
        (Err(Errno::ENOENT), Some(name)) => return shm_unlink(name.as_str()),
        // the object would be left behind: the name is what somebody can find it by
        (Err(errno @ (Errno::EMFILE | Errno::ENFILE)), _) => return Err(errno),
        (Ok(file), _) if object_of(&file).is_some() => {}
        _ => return platform::unlink(path),
    }
    let temporary = if is_temporary(path) { path.to_path_buf() } else { temporary_beside(path)? };
    if temporary != path {
        platform::rename(path, &temporary)?;
    }
    // another file perhaps than a moment ago: as with unlink, what has the name now loses it
    let file = open(&temporary)?;
    let object = object_of(&file);
    // in this order: whoever else takes another name away, or this one, changes the first or the second
    let is_last = platform::count_names(&file)? == 1 && leads_to(&temporary, &file)?;
    if let (Some(object), true) = (&object, is_last) {
        take_memory_away(object);
    }
    platform::unlink(&temporary)?;
    if let (Some(object), 0) = (&object, platform::count_names(&file)?) {
        take_memory_away(object);
    }
    Ok(())
}

/// As [`remove`], and leaves a stranger's file alone: also one that cannot be looked into.
pub(super) fn remove_shared(path: &Path) -> Sys<()> {
    match platform::open_named(path, true) {
        Ok(file) if is_strange(path, &file) => shm_unlink(own_name(path).ok_or(Errno::ENOENT)?.as_str()),
        Err(errno) if errno != Errno::ENOENT && is_in_default_directory(path) => Err(errno),
        _ => remove(path),
    }
}

fn leads_to(path: &Path, file: &OwnedFd) -> Sys<bool> {
    let (identity, _) = platform::describe(file)?;
    Ok(platform::identify_file(path)? == identity)
}

/// Which file the name leads to, or which object; a stranger's file is as good as none.
pub(super) fn identify_shared(path: &Path) -> Sys<Identity> {
    match platform::open_named(path, true) {
        Ok(file) if is_strange(path, &file) => identify(path),
        Err(Errno::ENOENT) => identify(path),
        _ => platform::identify_file(path),
    }
}

/// Of an object that has a name of its own. There is nothing that tells one such object from another.
pub(super) fn identify(path: &Path) -> Sys<Identity> {
    let name = own_name(path).ok_or(Errno::ENOENT)?;
    open_memory(&name, true).map(|_| Identity { device: 0, inode: 0 })
}

/// Bytes of the object that a file of so many bytes stands for. In the default directory other files stand for none.
pub(super) fn size(path: &Path, file_bytes: u64) -> Option<u64> {
    let object = platform::open_named(path, true).ok().as_ref().and_then(object_of);
    match object {
        Some(object) => open_memory(&object, true).and_then(|memory| super::extent(&memory)).ok().map(|(size, _)| size),
        None => (!is_in_default_directory(path)).then_some(file_bytes),
    }
}

/// The name of the object that programs in other languages have under such a name: `None` if it is too long, or in a directory that was asked for.
fn own_name(path: &Path) -> Option<String> {
    let name = format!("/{}", path.file_name()?.to_str()?);
    (cfg!(target_os = "macos") && name.len() <= NAME_MAX && is_in_default_directory(path)).then_some(name)
}

fn is_in_default_directory(path: &Path) -> bool {
    path.parent() == Some(Path::new(platform::DEFAULT_DIRECTORY))
}

fn is_temporary(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(TEMPORARY.as_bytes()))
}

fn temporary_beside(path: &Path) -> Sys<PathBuf> {
    let number = u128::from_ne_bytes(super::random_bytes()?);
    Ok(path.with_file_name(format!("{TEMPORARY}{number:032x}")))
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
