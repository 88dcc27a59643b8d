//! Locks over borrowed words of shared memory.
//!
//! ```
//! use pagecast::region::{MapOptions, Region, Source};
//! use pagecast::sync::Mutex;
//! use std::time::Duration;
//!
//! let region = Region::map(&MapOptions { byte_length: Some(65_536), ..MapOptions::new(Source::Anonymous) })?;
//! let mut mutex = Mutex::open(&region, 0)?;
//! let guard = mutex.lock(Duration::from_secs(1))?;
//! if guard.recovered() {
//!     // whoever held it before is gone, and may have left its work half done
//! }
//! guard.release()?;
//! # Ok::<(), pagecast::Error>(())
//! ```

mod mutex;

// Loom's tests build what is above this line.
#[cfg(not(pagecast_loom))]
mod participant;
#[cfg(not(pagecast_loom))]
mod place;
#[cfg(not(pagecast_loom))]
mod raw_mutex;
#[cfg(not(pagecast_loom))]
mod robust_mutex;

pub use mutex::{Locked, Owner};
#[cfg(pagecast_loom)]
pub use mutex::{Locker, MutexWords};
#[cfg(not(pagecast_loom))]
pub use {
    place::{MUTEX_ALIGNMENT, MUTEX_BYTES},
    raw_mutex::{MutexWatcher, RawMutex},
    robust_mutex::{Mutex, MutexGuard},
};
