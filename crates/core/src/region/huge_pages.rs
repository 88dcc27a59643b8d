//! Transparent huge pages (madvise(2), `MADV_HUGEPAGE`). The kernel takes the advice also where it will not follow it, so its settings are read.

use super::object::Object;
use crate::error::{Code, Error, Result};
use crate::memory::View;
use crate::sys::Advice;

const SETTINGS: &str = "/sys/kernel/mm/transparent_hugepage";

/// Asks for them; why not, if the system refuses.
pub(super) fn ask(title: &str, object: &Object, private: bool, view: &View) -> Result<()> {
    let refused = |fact: String| Error::new(Code::HugePages, format!("{title}: huge pages asked for, and refused: {fact}"));
    let setting = match (private, object.is_memory, object.is_device) {
        (false, true, false) => "shmem_enabled",
        (true, _, _) => "enabled",
        _ => return Err(refused("the kernel has none for this kind of file".into())),
    };
    let path = format!("{SETTINGS}/{setting}");
    let chosen = std::fs::read_to_string(&path).map_err(|error| refused(format!("{path}: {error}")))?;
    if chosen.contains("[never]") || chosen.contains("[deny]") {
        return Err(refused(format!("{path} is {:?}", chosen.trim())));
    }
    let asked = view.advise(&(0..view.byte_length()), Advice::HugePage);
    asked.map_err(|errno| Error::system(format_args!("{title}: huge pages"), "madvise", errno).with_code(Code::HugePages))
}
