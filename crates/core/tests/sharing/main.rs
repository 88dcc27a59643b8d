//! Memory shared without names, in one process: seals, channels, brokers. Several processes are in `processes/brokers.rs`.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failure here is a failed test")]

mod broker_scene;
mod brokers;
mod channels;
#[path = "../common/mod.rs"]
#[allow(dead_code, reason = "shared with tests of publications")]
mod common;
mod hostile_brokers;
mod hostile_clients;
mod listeners;
mod publications;
mod seals;

use common::FOREVER as LONG;
use pagecast::Channel;
use pagecast::region::{MapOptions, Region, Source};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Duration;

/// Long enough for a wait to be one.
const SHORT: Duration = Duration::from_millis(30);

/// A memfd of so many bytes, the first of which is this one.
fn memory(byte_length: u64, byte: u8) -> Region {
    let options = MapOptions { byte_length: Some(byte_length), ..MapOptions::new(Source::Memory("test".into())) };
    let region = Region::map(&options).unwrap();
    region.write_at(0, &[byte]).unwrap();
    region
}

/// A descriptor of its own.
fn descriptor(region: &Region) -> OwnedFd {
    region.descriptor().unwrap().as_fd().try_clone_to_owned().unwrap()
}

/// The first byte of what a descriptor leads to.
fn first_byte(fd: OwnedFd) -> u8 {
    let region = Region::map(&MapOptions { access: pagecast::region::Access::Read, ..MapOptions::new(Source::Descriptor(fd)) }).unwrap();
    let mut byte = [0];
    region.read_at(0, &mut byte).unwrap();
    byte[0]
}

/// Sends what the library does not.
fn send_raw(channel: &Channel, bytes: &[u8], descriptors: &[i32]) -> isize {
    let mut control = [0u64; 256];
    let data = size_of_val(descriptors);
    let mut part = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    // SAFETY: all that the header points to outlives the call, and the control message fits.
    unsafe {
        let mut header: libc::msghdr = std::mem::zeroed();
        header.msg_iov = &raw mut part;
        header.msg_iovlen = 1;
        if data > 0 {
            header.msg_control = control.as_mut_ptr().cast();
            header.msg_controllen = libc::CMSG_SPACE(data as u32) as _;
            let first = libc::CMSG_FIRSTHDR(&raw const header);
            (*first).cmsg_level = libc::SOL_SOCKET;
            (*first).cmsg_type = libc::SCM_RIGHTS;
            (*first).cmsg_len = libc::CMSG_LEN(data as u32) as _;
            libc::CMSG_DATA(first).copy_from_nonoverlapping(descriptors.as_ptr().cast(), data);
        }
        libc::sendmsg(channel.descriptor().as_raw_fd(), &raw const header, 0)
    }
}

/// How many descriptors lead to a memfd of that label, or to a socket: other tests of this program open other things meanwhile.
fn open_memory(label: &str) -> usize {
    let open = std::fs::read_dir("/proc/self/fd").unwrap().filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok());
    open.filter(|path| path.to_string_lossy().starts_with(&format!("/memfd:{label} "))).count()
}
