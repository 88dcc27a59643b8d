//! What can be done with some of a region's pages, in all its views.

use super::{Region, bytes_of};
use crate::error::{Code, Error, Result};
use crate::memory::View;
use crate::sys::{self, Access, Advice};
use nix::errno::Errno;
use std::ops::Range;

/// Calls on pages, numbered from the region's first. Pages that the region does not have are [`Code::ValueRange`], those that were given up
/// [`Code::Unmapped`].
impl Region {
    /// Changes what may be done with the pages (mprotect(2)). [`Code::Permission`] where the file was not opened for that.
    pub fn protect(&mut self, pages: Range<usize>, access: Access) -> Result<()> {
        self.check_pages(&pages)?;
        let part = bytes_of(&pages);
        self.each(|view| view.protect(&part, access)).map_err(|errno| self.call_failed("protect", "mprotect", errno))?;
        self.runs.set(&pages, Some(access));
        Ok(())
    }

    /// Tells the kernel of the use of the pages (madvise(2)). [`Code::Unsupported`] where it does not know the advice, or not for such pages.
    /// [`Advice::Remove`] makes zeros of the bytes, for everybody; [`Advice::DontNeed`] takes back what was written to private pages.
    pub fn advise(&self, pages: Range<usize>, advice: Advice) -> Result<()> {
        self.check_pages(&pages)?;
        let part = bytes_of(&pages);
        self.each(|view| view.advise(&part, advice)).map_err(|errno| {
            let error = self.call_failed(&format!("advise {advice}"), "madvise", errno);
            if errno == Errno::EINVAL { error.with_code(Code::Unsupported) } else { error }
        })
    }

    /// Keeps the pages in memory (mlock(2)); [`Code::LockLimit`]. Pages whose access is none are [`Code::NoAccess`].
    pub fn lock(&self, pages: Range<usize>) -> Result<()> {
        self.check_pages(&pages)?;
        if let Some((page, state)) = self.runs.first_but(&pages, |state| state.is_some_and(Access::reads)) {
            return Err(self.refused(page, state, "locked")); // the kernel says of them what it says of too many
        }
        let part = bytes_of(&pages);
        self.each(|view| view.on(&part, sys::lock_pages)).map_err(|errno| self.lock_refused(part.len(), errno))
    }

    /// No longer (munlock(2)).
    pub fn unlock(&self, pages: Range<usize>) -> Result<()> {
        self.check_pages(&pages)?;
        let part = bytes_of(&pages);
        self.each(|view| view.on(&part, sys::unlock_pages)).map_err(|errno| self.call_failed("unlock", "munlock", errno))
    }

    /// Writes what was changed to the file (msync(2)), and waits until it is there, or only asks for it. Nothing happens to private pages.
    pub fn flush(&self, pages: Range<usize>, wait: bool) -> Result<()> {
        self.check_pages(&pages)?;
        let part = bytes_of(&pages);
        let flushed = self.views.first().map_or(Ok(()), |view| view.on(&part, |address, length| sys::flush(address, length, wait)));
        flushed.map_err(|errno| self.call_failed("flush", "msync", errno))?;
        self.check()
    }

    /// Whether each page is in memory (mincore(2)): a byte a page, 1 or 0.
    pub fn residency(&self, pages: Range<usize>, target: &mut [u8]) -> Result<()> {
        self.check_pages(&pages)?;
        if target.len() != pages.len() {
            return Err(self.error(Code::InvalidSize, format_args!("{} bytes for {} pages", target.len(), pages.len())));
        }
        let part = bytes_of(&pages);
        let asked = self.views.first().map_or(Ok(()), |view| view.on(&part, |address, _| sys::residency(address, target)));
        target.iter_mut().for_each(|page| *page &= 1);
        asked.map_err(|errno| self.call_failed("residency", "mincore", errno))
    }

    /// Gives pages up: the object is mapped there no longer. Their addresses stay the region's, and views of JavaScript show zeros. Pages that were given
    /// up before are left as they are.
    pub fn unmap(&mut self, pages: Range<usize>) -> Result<()> {
        self.check_numbers(&pages)?;
        let part = bytes_of(&pages);
        self.each(|view| view.vacate(&part)).map_err(|errno| self.call_failed("unmap", "mmap", errno))?;
        self.runs.set(&pages, None);
        Ok(())
    }

    fn each(&self, act: impl Fn(&View) -> nix::Result<()>) -> nix::Result<()> {
        self.views.iter().try_for_each(act)
    }

    fn check_pages(&self, pages: &Range<usize>) -> Result<()> {
        self.check()?;
        self.check_numbers(pages)?;
        match self.runs.first_but(pages, |state| state.is_some()) {
            None => Ok(()),
            Some((page, state)) => Err(self.refused(page, state, "used")),
        }
    }

    fn check_numbers(&self, pages: &Range<usize>) -> Result<()> {
        let count = self.pages().len();
        if pages.start <= pages.end && pages.end <= count {
            return Ok(());
        }
        Err(self.error(Code::ValueRange, format_args!("pages {} to {} of {count}", pages.start, pages.end)))
    }

    fn call_failed(&self, what: &str, call: &'static str, errno: Errno) -> Error {
        Error::system(format_args!("{}: {what}", self.title), call, errno)
    }
}
