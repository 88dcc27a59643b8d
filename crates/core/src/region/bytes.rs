//! Bytes in and out, and what is found out on the way: that the file was cut short, or that pages were used as they may not be.

use super::{Region, bytes_of};
use crate::error::{Code, Error, Result, grouped};
use crate::memory::{Mended, View};
use crate::sys::{self, Access};
use nix::errno::Errno;
use std::ops::Range;
use std::sync::atomic::Ordering;

/// What was done to a page that cannot be had back.
const SPOILED: &str =
    "not what others have, since it was used as it may not be and cannot be mapped again: its descriptor or SysV segment is gone";

impl Region {
    /// [`Code::Truncated`] from when another process has cut the file short. [`Code::ReadOnly`] or [`Code::NoAccess`], once, where JavaScript used
    /// pages as they may not be used; they are as before then.
    pub fn check(&self) -> Result<()> {
        let (mut is_missing, mut forbidden) = (false, None);
        for Mended { missing, forbidden: page } in self.views.iter().map(View::take_mended) {
            is_missing |= missing;
            forbidden = forbidden.or(page);
        }
        let end = self.byte_offset + self.byte_length();
        if is_missing || self.object.is_shorter_than(end) {
            self.is_truncated.store(true, Ordering::Relaxed);
        }
        if self.is_truncated.load(Ordering::Relaxed) {
            return Err(self.truncated());
        }
        match (forbidden, self.spoiled.get()) {
            (Some(byte_offset), _) => Err(self.restore(byte_offset / sys::page_bytes())),
            (None, Some(page)) => Err(self.refused(*page, self.runs.at(*page), SPOILED)),
            (None, None) => Ok(()),
        }
    }

    #[cold]
    pub(super) fn truncated(&self) -> Error {
        let what = format!("another process cut the file short, of which {} bytes are mapped", grouped(self.byte_length()));
        self.error(Code::Truncated, what)
    }

    /// Takes back what stands for pages that were used as they may not be, and says so; for ever, where without a descriptor they cannot be had back.
    #[cold]
    fn restore(&self, page: usize) -> Error {
        for view in self.views.iter().filter(|view| view.mends_access()) {
            for (pages, state) in self.runs.all() {
                let Some(access) = state.filter(|access| !access.writes()) else { continue };
                let restored = match self.backing(access) {
                    _ if self.private => view.protect(&bytes_of(&pages), access),
                    Ok(backing) => view.map_again(&bytes_of(&pages), &backing),
                    Err(_) => Err(Errno::EBADF),
                };
                if restored.is_err() {
                    let _ = self.spoiled.set(page);
                }
            }
            let _ = self.wishes.lock.then(|| view.on(&(0..view.byte_length()), sys::lock_pages));
        }
        let state = self.runs.at(page);
        let what = if state == Some(Access::None) { "used through a view" } else { "written through a view" };
        self.refused(page, state, what)
    }

    pub(super) fn refused(&self, page: usize, state: Option<Access>, what: &str) -> Error {
        match state {
            None => self.error(Code::Unmapped, format_args!("page {page} is {what}, and was given up by unmap")),
            Some(Access::None) => self.error(Code::NoAccess, format_args!("page {page} is {what}, and its access is none")),
            Some(access) => self.error(Code::ReadOnly, format_args!("page {page} is {what}, and its access is {access}")),
        }
    }

    fn bytes(&self, byte_offset: u64, byte_length: usize) -> Result<Range<usize>> {
        let start = usize::try_from(byte_offset).ok();
        let end = start.and_then(|start| start.checked_add(byte_length)).filter(|end| *end <= self.byte_length);
        match (start, end) {
            (Some(start), Some(end)) => Ok(start..end),
            _ => Err(self.error(
                Code::ValueRange,
                format_args!(
                    "{} bytes from byte {} on, of {}",
                    grouped(byte_length as u64),
                    grouped(byte_offset),
                    grouped(self.byte_length())
                ),
            )),
        }
    }

    /// Where bytes are whose pages all are as `wanted`.
    fn reach(&self, byte_offset: u64, byte_length: usize, what: &str, wanted: fn(Access) -> bool) -> Result<usize> {
        let bytes = self.bytes(byte_offset, byte_length)?;
        let page = sys::page_bytes();
        let pages = bytes.start / page..bytes.end.div_ceil(page);
        match self.runs.first_but(&pages, |state| state.is_some_and(wanted)) {
            None => Ok(bytes.start),
            Some((page, state)) => Err(self.refused(page, state, what)),
        }
    }

    fn primary(&self) -> Result<&View> {
        self.views.first().ok_or_else(|| self.error(Code::Disposed, "it is not mapped"))
    }

    /// Copies bytes out. What is in `target` after an error means nothing.
    pub fn read_at(&self, byte_offset: u64, target: &mut [u8]) -> Result<()> {
        let from = self.reach(byte_offset, target.len(), "read", Access::reads)?;
        self.primary()?.copy_out(from, target)?;
        self.check()
    }

    /// Copies bytes in.
    pub fn write_at(&self, byte_offset: u64, source: &[u8]) -> Result<()> {
        let to = self.reach(byte_offset, source.len(), "written", Access::writes)?;
        self.primary()?.copy_in(to, source)?;
        self.check()
    }
}
