//! Longer and shorter regions.

use super::{Region, map_refused, whole_pages};
use crate::error::{Code, Error, Result, grouped};
use crate::memory::{Backing, EnginePages, View, in_use};
use crate::sys::{self, Place};
use nix::errno::Errno;

impl Region {
    /// Makes region and object as long as that (ftruncate(2)): others who have mapped what is cut off get [`Code::Truncated`]. A region at
    /// an address that was asked for stays there, or is [`Code::AddressInUse`]; another one may move.
    pub fn resize(&mut self, byte_length: u64) -> Result<()> {
        let view = |region: &Region, length: usize| -> Result<Option<View>> {
            if region.is_placed {
                return Ok(None);
            }
            let backing = region.backing(region.access)?;
            View::new(Place::Anywhere, length, &backing, |errno| map_refused(&region.title, length, region.access, errno)).map(Some)
        };
        self.resize_with(byte_length, view)
    }

    /// As [`Region::resize`], over fresh pages of the engine's for the new length. They take the place of those of before.
    pub fn resize_over(&mut self, byte_length: u64, pages: EnginePages) -> Result<()> {
        self.resize_with(byte_length, |region, length| {
            let backing = region.backing(region.access)?;
            View::over(pages, length, &backing, |errno| map_refused(&region.title, length, region.access, errno)).map(Some)
        })
    }

    fn resize_with(&mut self, byte_length: u64, new_view: impl FnOnce(&Region, usize) -> Result<Option<View>>) -> Result<()> {
        self.check()?;
        self.may_resize(byte_length)?;
        self.can_be_mapped_anew()?;
        let new_length = whole_pages(byte_length)?;
        let end = self.byte_offset + byte_length;
        let size = self.object.size(&self.title)?;
        if end > size {
            self.object.grow(&self.title, size, end, self.reserve)?;
        }
        let resized = new_view(self, new_length).and_then(|view| self.resize_views(new_length, view));
        // whoever else made it longer still meanwhile counts on that
        if resized.is_err() && end > size && self.object.size(&self.title).is_ok_and(|now| now == end) {
            let _ = self.object.shrink(&self.title, end, size);
        }
        resized?;
        self.byte_length = usize::try_from(byte_length).unwrap_or(self.byte_length);
        self.runs.set_length(new_length / sys::page_bytes(), self.access);
        self.position = self.position.min(byte_length);
        if end < size {
            self.object.shrink(&self.title, size, end)?;
        }
        Ok(())
    }

    /// The primary view is replaced, or at the address that was asked for stays and becomes longer or shorter. Others that are there see
    /// what is left of what they saw. First what may be refused, then what cannot be taken back.
    fn resize_views(&mut self, length: usize, fresh: Option<View>) -> Result<()> {
        let backing = Backing {
            behind: self.object.behind(&self.title)?,
            byte_offset: self.byte_offset,
            access: self.access,
            private: self.private,
            identity: self.object.identity,
        };
        if let Some(fresh) = &fresh {
            self.settle(fresh)?;
        }
        if self.is_placed
            && let Some(primary) = self.views.first_mut().filter(|view| view.byte_length() < length)
        {
            let (address, before) = (primary.address() as u64, primary.byte_length());
            primary.lengthen(length, &backing).map_err(|errno| match errno {
                Errno::EEXIST => in_use(address, length, errno),
                errno => map_refused(&self.title, length, self.access, errno),
            })?;
            if let Err(error) = self.fulfil(&self.views[0], before) {
                let _ = self.views[0].shorten(before); // as it was
                return Err(error);
            }
        }
        if let Some(fresh) = fresh {
            let is_old = |view: &View| !self.is_placed || view.is_engines();
            match self.views.iter().position(is_old) {
                Some(old) => drop(std::mem::replace(&mut self.views[old], fresh)),
                None => self.views.push(fresh),
            }
        }
        for view in self.views.iter_mut().filter(|view| view.byte_length() > length) {
            view.shorten(length).map_err(|errno| Error::system(&self.title, "mmap", errno))?;
        }
        Ok(())
    }

    fn may_resize(&self, byte_length: u64) -> Result<()> {
        if byte_length == 0 || whole_pages(byte_length).is_err() {
            return Err(self.error(Code::InvalidSize, format_args!("resize to {} bytes", grouped(byte_length))));
        }
        if self.private {
            return Err(self.error(Code::Private, "a private mapping cannot be resized: what was written in it is nowhere else"));
        }
        if !self.access.writes() {
            return Err(self.error(Code::ReadOnly, format_args!("it cannot be resized with access {}", self.access)));
        }
        if self.object.is_device {
            return Err(self.error(Code::InvalidArgument, "a device cannot be resized"));
        }
        if self.object.sysv.is_some() {
            return Err(self.error(Code::Unsupported, "a SysV segment cannot be resized: it is as long as it was made"));
        }
        if self.views.first().is_some_and(View::is_reserved) {
            return Err(self.error(Code::AddressInUse, "a region in a reservation cannot be resized: close it, and map another one there"));
        }
        Ok(())
    }
}
