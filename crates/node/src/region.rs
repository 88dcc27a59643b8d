//! `NativeRegion`

use crate::descriptors::{Held, too_many_descriptors};
use crate::error::OrThrow;
use crate::pages;
use napi::bindgen_prelude::{BigInt, Uint8ArraySlice};
use napi::{Env, Result};
use napi_derive::napi;
use pagecast::region::{Handle, MapOptions, Placement, Region, Seals, Source, duplicate};
use pagecast::{Code, Error, Name};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// What `Region.map` was told, checked by TypeScript.
#[napi(object)]
pub struct NativeMapOptions {
    /// What messages call it.
    pub subject: String,
    /// `anonymous`, `memfd`, `temporary`, `file`, `shm`, `fd`, `sysv` or `handle`.
    pub kind: String,
    /// The file's path, the temporary file's directory, the memfd's label, or the object's name, that of a descriptor included.
    pub path: Option<String>,
    /// The object's directory.
    pub directory: Option<String>,
    /// A descriptor by number, which stays the caller's.
    pub fd: Option<i32>,
    /// A SysV segment's id.
    pub id: Option<i32>,
    /// The handle's text.
    pub handle: Option<String>,
    /// Whether a file that is missing is made.
    pub create: Option<bool>,
    /// Its permission bits.
    pub mode: Option<u32>,
    /// Bytes; by default all that there are.
    pub byte_length: Option<f64>,
    /// Where in the object it begins.
    pub byte_offset: f64,
    /// `none`, `r`, `rw`, `rx` or `rwx`.
    pub access: String,
    /// Copy on write.
    pub is_private: bool,
    /// Whether the room is taken at once.
    pub reserve: bool,
    /// Where it goes.
    pub address: Option<BigInt>,
    /// `exclusive`, `hint` or `replace`; without an address, `portable`.
    pub placement: Option<String>,
    /// Whether all pages are there at once.
    pub populate: bool,
    /// Whether they stay in memory.
    pub lock: bool,
    /// Whether they are to be huge ones.
    pub huge_pages: bool,
}

/// Mapped memory.
#[napi]
pub struct NativeRegion {
    /// `None` once closed.
    region: Option<Region>,
    held: Option<Held>,
    /// Whether the engine's pages are held for as long as it is not closed.
    closes_at_end: bool,
}

#[napi]
impl NativeRegion {
    /// Opens or makes the object, and maps it at the address, if there is one.
    #[napi(factory)]
    pub fn open(env: Env, options: NativeMapOptions) -> Result<NativeRegion> {
        let opened = map_options(&options).and_then(|options| Region::prepare(&options));
        // what is to be handed on
        let is_optional = options.kind != "memfd" && !is_portable(&options);
        let opened = opened.map(|region| {
            let held = region.descriptor().is_ok().then(|| Held::count(is_optional));
            NativeRegion { region: Some(region), held, closes_at_end: false }
        });
        let mut native = opened.or_throw(&env)?;
        if !native.viewable() && too_many_descriptors() {
            native.spare_descriptor();
        }
        Ok(native)
    }

    pub(crate) fn region(&self) -> pagecast::Result<&Region> {
        self.region.as_ref().ok_or_else(closed)
    }

    pub(crate) fn region_mut(&mut self) -> pagecast::Result<&mut Region> {
        self.region.as_mut().ok_or_else(closed)
    }

    /// Bytes.
    #[napi(getter)]
    pub fn byte_length(&self) -> f64 {
        self.region.as_ref().map_or(0.0, |region| number(region.byte_length()))
    }

    /// Where in the object it begins.
    #[napi(getter)]
    pub fn byte_offset(&self) -> f64 {
        self.region.as_ref().map_or(0.0, |region| number(region.byte_offset()))
    }

    /// Whether it can be mapped over the engine's pages: what has an address is mapped already.
    #[napi(getter)]
    pub fn viewable(&self) -> bool {
        self.region.as_ref().is_some_and(|region| region.address() == 0 || region.is_mappable_again())
    }

    /// Maps it over the engine's pages: what JavaScript sees, and what addresses mean where none was asked for.
    #[napi]
    pub fn map_over(&mut self, env: Env, pages: Uint8ArraySlice<'_>) -> Result<()> {
        let mapped = pages::engine_pages(&pages).and_then(|pages| self.region_mut()?.map_over(pages));
        mapped.or_throw(&env)
    }

    /// Once all is mapped that has to be: gives the descriptor up, if it can do without.
    #[napi]
    pub fn spare_descriptor(&mut self) {
        if let (Some(region), Some(held)) = (&mut self.region, &self.held)
            && held.is_optional
        {
            region.give_up_descriptor();
            self.held = None;
        }
    }

    /// Somebody is told of the descriptor, and may count on it.
    fn keep_descriptor(&mut self) {
        if let Some(held) = &mut self.held {
            held.is_optional = false;
        }
    }

    /// The engine would use its pages before it takes them back. So they are held until `close`, and what is torn down with its thread closes first.
    #[napi]
    pub fn close_at_end(&mut self) {
        self.closes_at_end = true;
    }

    /// Maps it also over these, which workers may share.
    #[napi]
    pub fn share(&mut self, env: Env, pages: Uint8ArraySlice<'_>) -> Result<()> {
        pages::engine_pages(&pages).and_then(|pages| self.region_mut()?.map_over(pages)).or_throw(&env)
    }

    /// Where the first byte is.
    #[napi]
    pub fn address(&self, env: Env) -> Result<BigInt> {
        self.region().map(|region| BigInt::from(region.address())).or_throw(&env)
    }

    /// Which byte is at an address of any of its mappings, the end included.
    #[napi]
    pub fn offset_of(&self, env: Env, at: BigInt) -> Result<Option<f64>> {
        let found = self.region().and_then(|region| address(&at).map(|at| region.offset_of(at)));
        found.map(|byte_offset| byte_offset.map(number)).or_throw(&env)
    }

    /// Places it for other processes, if it was not, and names it for them: JSON.
    #[napi]
    pub fn handle(&mut self, env: Env) -> Result<String> {
        let handle = self.region_mut().and_then(Region::handle).map(|handle| handle.to_json()).or_throw(&env)?;
        self.keep_descriptor();
        Ok(handle)
    }

    /// The number of the open file's descriptor.
    #[napi]
    pub fn fd(&mut self, env: Env) -> Result<i32> {
        use std::os::fd::AsRawFd;
        let fd = self.region().and_then(Region::descriptor).map(|fd| fd.as_raw_fd()).or_throw(&env)?;
        self.keep_descriptor();
        Ok(fd)
    }

    /// What its object is sealed against.
    #[napi]
    pub fn seals(&self, env: Env) -> Result<Vec<String>> {
        let seals = self.region().and_then(Region::seals);
        seals.map(|seals| seals.words().into_iter().map(str::to_owned).collect()).or_throw(&env)
    }

    /// Seals it, for everybody and for ever.
    #[napi]
    pub fn seal(&mut self, env: Env, seals: Vec<String>) -> Result<()> {
        let wanted = seals.iter().try_fold(Seals::NONE, |all, seal| word(seal, "seal").map(|seal| all | seal));
        wanted.and_then(|seals| self.region_mut()?.seal(seals)).or_throw(&env)
    }

    /// Throws `ERR_TRUNCATED`, `ERR_READ_ONLY` or `ERR_NO_ACCESS` if there is something to tell.
    #[napi]
    pub fn check(&self, env: Env) -> Result<()> {
        self.region().and_then(Region::check).or_throw(&env)
    }

    /// Copies bytes out.
    #[napi]
    pub fn read(&self, env: Env, byte_offset: f64, mut target: Uint8ArraySlice<'_>) -> Result<()> {
        self.region().and_then(|region| region.read_at(byte_offset as u64, pages::bytes_mut(&mut target))).or_throw(&env)
    }

    /// Copies bytes in.
    #[napi]
    pub fn write(&self, env: Env, byte_offset: f64, source: Uint8ArraySlice<'_>) -> Result<()> {
        self.region().and_then(|region| region.write_at(byte_offset as u64, &source)).or_throw(&env)
    }

    /// mprotect(2)
    #[napi]
    pub fn protect(&mut self, env: Env, first_page: f64, pages: f64, access: String) -> Result<()> {
        let access = word(&access, "access");
        access.and_then(|access| self.region_mut()?.protect(range(first_page, pages), access)).or_throw(&env)
    }

    /// madvise(2)
    #[napi]
    pub fn advise(&self, env: Env, first_page: f64, pages: f64, advice: String) -> Result<()> {
        let advice = word(&advice, "advice");
        advice.and_then(|advice| self.region()?.advise(range(first_page, pages), advice)).or_throw(&env)
    }

    /// mlock(2)
    #[napi]
    pub fn lock(&self, env: Env, first_page: f64, pages: f64) -> Result<()> {
        self.region().and_then(|region| region.lock(range(first_page, pages))).or_throw(&env)
    }

    /// munlock(2)
    #[napi]
    pub fn unlock(&self, env: Env, first_page: f64, pages: f64) -> Result<()> {
        self.region().and_then(|region| region.unlock(range(first_page, pages))).or_throw(&env)
    }

    /// msync(2)
    #[napi]
    pub fn flush(&self, env: Env, first_page: f64, pages: f64, wait: bool) -> Result<()> {
        self.region().and_then(|region| region.flush(range(first_page, pages), wait)).or_throw(&env)
    }

    /// mincore(2): 1 or 0 for each page.
    #[napi]
    pub fn residency(&self, env: Env, first_page: f64, pages: f64, mut target: Uint8ArraySlice<'_>) -> Result<()> {
        let asked = self.region().and_then(|region| region.residency(range(first_page, pages), pages::bytes_mut(&mut target)));
        asked.or_throw(&env)
    }

    /// Gives pages up.
    #[napi]
    pub fn unmap(&mut self, env: Env, first_page: f64, pages: f64) -> Result<()> {
        self.region_mut().and_then(|region| region.unmap(range(first_page, pages))).or_throw(&env)
    }

    /// Makes region and object as long as that, over fresh pages of the engine's.
    #[napi]
    pub fn resize(&mut self, env: Env, byte_length: f64, pages: Option<Uint8ArraySlice<'_>>) -> Result<()> {
        let region = self.region_mut().or_throw(&env)?;
        let resized = match pages {
            None => region.resize(byte_length as u64),
            Some(pages) => pages::engine_pages(&pages).and_then(|pages| region.resize_over(byte_length as u64, pages)),
        };
        resized.or_throw(&env)
    }

    /// Leaves the mapping for the rest of the process.
    #[napi]
    pub fn detach(&mut self) {
        self.held = None;
        if let Some(region) = self.region.take() {
            region.detach();
        }
    }

    /// Takes the mapping away: private zeros take its place in the engine's pages.
    #[napi]
    pub fn close(&mut self) {
        self.held = None;
        self.region = None;
    }
}

/// Collected, together with its pages, or torn down with its thread: the engine takes the pages back when nobody can reach them.
impl Drop for NativeRegion {
    fn drop(&mut self) {
        if let Some(region) = self.region.take()
            && !self.closes_at_end
        {
            region.abandon();
        }
    }
}

fn closed() -> Error {
    Error::new(Code::Disposed, "this region is closed")
}

#[expect(clippy::cast_precision_loss, reason = "sizes in memory and offsets in files are below 2^53")]
pub(crate) fn number(bytes: u64) -> f64 {
    bytes as f64
}

fn range(first_page: f64, pages: f64) -> Range<usize> {
    let first = first_page as usize;
    first..first.saturating_add(pages as usize)
}

fn word<T: std::str::FromStr<Err = String>>(word: &str, what: &str) -> pagecast::Result<T> {
    word.parse().map_err(|fault| Error::new(Code::InvalidArgument, format!("{what} is {fault}")))
}

/// An address that JavaScript passed. TypeScript has checked its range.
pub(crate) fn address(address: &BigInt) -> pagecast::Result<u64> {
    match address.get_u64() {
        (false, address, true) => Ok(address),
        _ => Err(Error::new(Code::InvalidArgument, "no address: it does not fit into 64 bits")),
    }
}

fn placement(word: Option<&str>) -> pagecast::Result<Placement> {
    match word {
        None | Some("exclusive") => Ok(Placement::Exclusive),
        Some("hint") => Ok(Placement::Hint),
        Some("replace") => Ok(Placement::Replace),
        Some(other) => Err(Error::new(Code::InvalidArgument, format!("placement is {other:?}, expected exclusive, hint or replace"))),
    }
}

fn is_portable(options: &NativeMapOptions) -> bool {
    options.placement.as_deref() == Some("portable")
}

fn map_options(options: &NativeMapOptions) -> pagecast::Result<MapOptions> {
    Ok(MapOptions {
        source: source(options)?,
        subject: Some(options.subject.clone()),
        byte_length: options.byte_length.map(|bytes| bytes as u64),
        byte_offset: options.byte_offset as u64,
        access: word(&options.access, "access")?,
        private: options.is_private,
        reserve: Some(options.reserve),
        address: match &options.address {
            Some(given) => Some((address(given)?, placement(options.placement.as_deref())?)),
            None => None,
        },
        portable: is_portable(options),
        populate: options.populate,
        lock: options.lock,
        huge_pages: options.huge_pages,
    })
}

fn source(options: &NativeMapOptions) -> pagecast::Result<Source> {
    let path = options.path.clone().unwrap_or_default();
    match options.kind.as_str() {
        "anonymous" => Ok(Source::Anonymous),
        "memfd" => Ok(Source::Memory(path)),
        "temporary" => Ok(Source::Temporary(PathBuf::from(path))),
        "file" => {
            let create = options.create.unwrap_or(false).then(|| options.mode.unwrap_or(0o600));
            Ok(Source::File { path: PathBuf::from(path), create })
        }
        "shm" => Name::new(&path, options.directory.as_deref().map(Path::new)).map(Source::Shared),
        "fd" => opened(options),
        "sysv" => Ok(Source::SysV(options.id.unwrap_or(-1))),
        "handle" => {
            let handle = Handle::from_json(options.handle.as_deref().unwrap_or_default())?;
            Ok(Source::Handle { handle: Box::new(handle), fd: options.fd.map(duplicate).transpose()? })
        }
        other => Err(Error::new(Code::InvalidArgument, format!("there is no source {other:?}"))),
    }
}

/// A descriptor, of shared memory that has a name.
fn opened(options: &NativeMapOptions) -> pagecast::Result<Source> {
    let fd = duplicate(options.fd.unwrap_or(-1))?;
    match &options.path {
        Some(name) => Ok(Source::Opened(fd, Name::new(name, options.directory.as_deref().map(Path::new))?)),
        None => Ok(Source::Descriptor(fd)),
    }
}
