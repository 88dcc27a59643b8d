//! Seals: what nobody may do to a memfd any more, so that whoever receives it need not trust the sender.

use super::Region;
use crate::error::{Code, Error, Result};
use crate::sys::{self, Seals};
use nix::errno::Errno;

impl Region {
    /// What its object is sealed against (fcntl(2), `F_GET_SEALS`): nothing, where it is no memfd. Seals are never taken away, so what one has
    /// seen holds.
    pub fn seals(&self) -> Result<Seals> {
        match sys::seals_of(self.descriptor()?) {
            Err(Errno::EINVAL | Errno::ENOSYS) => Ok(Seals::NONE),
            seals => seals.map_err(|errno| Error::system(&self.title, "fcntl", errno)),
        }
    }

    /// Seals its object, for everybody and for ever (fcntl(2), `F_ADD_SEALS`).
    ///
    /// [`Code::Busy`]: it is to be sealed against writing ([`Seals::WRITE`]), and is mapped to be written, by this region or by another one.
    /// [`Code::Permission`]: it is sealed against more seals, as what is no memfd but in memory always is. [`Code::InvalidArgument`]: it is no memfd.
    pub fn seal(&mut self, seals: Seals) -> Result<()> {
        let what = format!("{}: seal it against {seals}", self.title);
        sys::add_seals(self.descriptor()?, seals).map_err(|errno| match errno {
            Errno::EBUSY => {
                let fact = "it is mapped to be written; future-write leaves what is mapped";
                Error::system(format_args!("{what}: {fact}"), "fcntl", errno).with_code(Code::Busy)
            }
            Errno::EPERM => Error::system(format_args!("{what}: it takes no more seals, or was opened to be read only"), "fcntl", errno),
            Errno::EINVAL => Error::system(format_args!("{what}: it is no memfd"), "fcntl", errno).with_code(Code::InvalidArgument),
            errno => Error::system(what, "fcntl", errno),
        })?;
        self.object.look_at_seals();
        Ok(())
    }

    /// What takes the place of what is mapped to be written has to be allowed, before the object is made longer: that may be impossible to take back.
    pub(super) fn can_be_mapped_anew(&self) -> Result<()> {
        if self.seals()?.forbids_writing() {
            return Err(self.error(Code::Permission, "resize it: a seal (write, future-write) forbids to map it anew to be written"));
        }
        Ok(())
    }
}
