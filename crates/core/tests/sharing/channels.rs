//! Messages and the descriptors in them.

use crate::common::code;
use crate::common::watchdog::bounded;
use crate::{LONG, SHORT, first_byte, memory, open_memory, send_raw};
use pagecast::channel::{Look, MOST_BYTES, MOST_DESCRIPTORS};
use pagecast::region::{MapOptions, Region, Source};
use pagecast::wait::Patience;
use pagecast::{Channel, Code};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

fn pair() -> (Channel, Channel) {
    let (one, other) = Channel::pair().unwrap();
    (one, Channel::from_descriptor(other).unwrap())
}

#[test]
fn messages_come_whole_and_in_order_and_then_the_end() {
    bounded(|_| {
        let (here, there) = pair();
        let lengths = [1, 2, 65_536, 1000];
        for length in lengths {
            here.send(&vec![length.to_string().as_bytes()[0]; length], &[], LONG).unwrap();
        }
        assert!(matches!(here.try_receive().unwrap(), Look::Nothing));
        drop(here);
        for length in lengths {
            let message = there.receive(LONG).unwrap().unwrap();
            assert_eq!(message.bytes, vec![length.to_string().as_bytes()[0]; length]);
            assert!(message.descriptors.is_empty());
        }
        assert!(there.receive(LONG).unwrap().is_none());
        assert!(there.receive(LONG).unwrap().is_none(), "it stays over");
        assert_eq!(code(there.send(b"too late", &[], LONG)), Code::PeerGone);
    });
}

#[test]
fn what_was_sent_is_received_also_from_one_who_left_without_reading() {
    bounded(|_| {
        let (here, there) = pair();
        let region = memory(4096, 7);
        here.send(b"never read", &[], LONG).unwrap();
        there.send(b"the first", &[], LONG).unwrap();
        there.send(b"the last", &[region.descriptor().unwrap()], LONG).unwrap();
        drop(there);
        assert_eq!(here.receive(LONG).unwrap().unwrap().bytes, b"the first");
        let message = here.receive(LONG).unwrap().unwrap();
        assert_eq!((message.bytes, message.descriptors.len()), (b"the last".to_vec(), 1));
        assert!(here.receive(LONG).unwrap().is_none());
    });
}

#[test]
fn descriptors_arrive_as_the_same_memory_with_bytes_and_without() {
    bounded(|_| {
        let (here, there) = pair();
        let regions: Vec<Region> = (0..MOST_DESCRIPTORS).map(|index| memory(4096, index as u8)).collect();
        let all: Vec<BorrowedFd<'_>> = regions.iter().map(|region| region.descriptor().unwrap()).collect();
        here.send(b"all", &all, LONG).unwrap();
        here.send(b"", &all[3..4], LONG).unwrap();
        let message = there.receive(LONG).unwrap().unwrap();
        assert_eq!(message.bytes, b"all");
        assert!(message.descriptors.iter().all(|fd| nix::fcntl::fcntl(fd, nix::fcntl::FcntlArg::F_GETFD).unwrap() == libc::FD_CLOEXEC));
        let bytes: Vec<u8> = message.descriptors.into_iter().map(first_byte).collect();
        assert_eq!(bytes, (0..MOST_DESCRIPTORS as u8).collect::<Vec<_>>());
        let message = there.receive(LONG).unwrap().unwrap();
        assert!(message.bytes.is_empty());
        let [fd]: [OwnedFd; 1] = message.descriptors.try_into().unwrap();
        let same = Region::map(&MapOptions::new(Source::Descriptor(fd))).unwrap();
        same.write_at(0, &[99]).unwrap();
        let mut byte = [0];
        regions[3].read_at(0, &mut byte).unwrap();
        assert_eq!(byte, [99]);
    });
}

#[test]
fn what_cannot_be_sent_is_refused_before_anything_is() {
    let (here, there) = pair();
    let region = memory(4096, 1);
    let too_many = vec![region.descriptor().unwrap(); MOST_DESCRIPTORS + 1];
    assert_eq!(code(here.send(b"", &[], LONG)), Code::InvalidSize);
    assert_eq!(code(here.send(&vec![0; MOST_BYTES + 1], &[], LONG)), Code::InvalidSize);
    assert_eq!(code(here.send(b"x", &too_many, LONG)), Code::InvalidSize);
    assert!(matches!(there.try_receive().unwrap(), Look::Nothing));
}

#[test]
fn a_wait_ends_when_its_time_is_over_or_it_is_cancelled() {
    bounded(|_| {
        let (here, there) = pair();
        assert_eq!(code(there.receive(SHORT)), Code::Timeout);
        let stop = AtomicBool::new(true);
        assert_eq!(code(there.receive(Patience { timeout: None, cancelled: Some(&stop) })), Code::Aborted);
        let full = std::iter::repeat_with(|| here.try_send(&[7; 60_000], &[]).unwrap()).take_while(|sent| *sent).count();
        assert!(full > 0);
        assert_eq!(code(here.send(&[7; 60_000], &[], SHORT)), Code::Timeout, "the other end does not read");
        for _ in 0..full {
            assert_eq!(there.receive(LONG).unwrap().unwrap().bytes, [7; 60_000]);
        }
        here.send(b"room again", &[], LONG).unwrap();
    });
}

/// How much time of a processor this thread has used.
fn thread_time() -> Duration {
    // SAFETY: zeros are a time, and one is written.
    let time = unsafe {
        let mut time: libc::timespec = std::mem::zeroed();
        assert_eq!(libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time), 0);
        time
    };
    Duration::new(time.tv_sec.try_into().unwrap(), time.tv_nsec.try_into().unwrap())
}

#[test]
fn a_sender_who_was_sent_something_sleeps_while_it_waits() {
    bounded(|_| {
        let (here, there) = pair();
        there.send(b"not read yet", &[], LONG).unwrap();
        while here.try_send(&[7; 1000], &[]).unwrap() {}
        let used = || {
            let before = thread_time();
            assert_eq!(code(here.send(&[7; 1000], &[], SHORT * 20)), Code::Timeout);
            thread_time() - before
        };
        // once would be enough: what the machine itself was busy with may count for the thread that it interrupts
        let least = (0..5).map(|_| used()).find(|used| *used < SHORT * 2);
        assert!(least.is_some(), "never less than {:?} of {:?}: it asks again and again", SHORT * 2, SHORT * 20);
        assert_eq!(here.receive(LONG).unwrap().unwrap().bytes, b"not read yet");
    });
}

#[test]
fn a_sender_waits_until_there_is_room_and_a_receiver_until_something_comes() {
    bounded(|_| {
        let (here, there) = pair();
        let receiver = std::thread::spawn(move || {
            let mut count = 0;
            while let Some(message) = there.receive(LONG).unwrap() {
                assert_eq!(message.bytes, vec![count as u8; 50_000]);
                count += 1;
            }
            count
        });
        for count in 0..100 {
            here.send(&vec![count; 50_000], &[], LONG).unwrap();
        }
        drop(here);
        assert_eq!(receiver.join().unwrap(), 100);
    });
}

#[test]
fn a_message_that_is_too_long_or_has_too_many_descriptors_is_dropped_and_nothing_of_it_stays_open() {
    bounded(|_| {
        let (here, there) = pair();
        let label = "surplus";
        let options = MapOptions { byte_length: Some(4096), ..MapOptions::new(Source::Memory(label.into())) };
        let region = Region::map(&options).unwrap();
        let number = region.descriptor().unwrap().as_raw_fd();
        for count in [17, 100, 253] {
            assert_eq!(send_raw(&here, b"x", &vec![number; count]), 1);
            assert_eq!(code(there.receive(LONG)), Code::BadMessage);
        }
        assert_eq!(send_raw(&here, &vec![0; MOST_BYTES + 1], &[number; 3]), 65_537);
        assert_eq!(code(there.receive(LONG)), Code::BadMessage);
        assert_eq!(open_memory(label), 1, "the region's own");
        here.send(b"the next one", &[], LONG).unwrap();
        assert_eq!(there.receive(LONG).unwrap().unwrap().bytes, b"the next one");
    });
}

#[test]
fn an_empty_message_is_not_the_end() {
    bounded(|_| {
        let (here, there) = pair();
        let region = memory(4096, 7);
        let number = region.descriptor().unwrap().as_raw_fd();
        for _ in 0..2 {
            assert_eq!(send_raw(&here, b"", &[]), 0);
            assert_eq!(code(there.receive(LONG)), Code::BadMessage, "with nothing behind it");
        }
        for (bytes, numbers) in [(&b""[..], &[][..]), (b"", &[]), (b"", &[number]), (b"", &[]), (b"the last", &[])] {
            assert_eq!(send_raw(&here, bytes, numbers), bytes.len() as isize);
        }
        drop(here); // from now on an empty message and the end look the same
        assert_eq!(code(there.receive(LONG)), Code::BadMessage);
        assert_eq!(code(there.receive(LONG)), Code::BadMessage);
        assert_eq!(there.receive(LONG).unwrap().unwrap().descriptors.len(), 1);
        assert_eq!(code(there.receive(LONG)), Code::BadMessage);
        assert_eq!(there.receive(LONG).unwrap().unwrap().bytes, b"the last");
        assert!(there.receive(LONG).unwrap().is_none());
        assert!(there.receive(LONG).unwrap().is_none());
    });
}

#[test]
fn the_end_is_one_also_where_an_empty_message_was_not_read() {
    bounded(|_| {
        let (here, there) = pair();
        assert_eq!((send_raw(&there, b"", &[]), send_raw(&here, b"", &[])), (0, 0));
        drop(here); // it did not read what it was sent
        assert!(!matches!(there.receive(LONG), Ok(Some(_))));
        assert!(there.receive(LONG).unwrap().is_none());
    });
}

#[test]
fn what_was_sent_and_never_read_is_closed_with_the_channel() {
    let (here, there) = pair();
    let label = "unread";
    let options = MapOptions { byte_length: Some(4096), ..MapOptions::new(Source::Memory(label.into())) };
    let region = Region::map(&options).unwrap();
    here.send(b"x", &[region.descriptor().unwrap()], LONG).unwrap();
    drop(region);
    let message = there.receive(LONG).unwrap().unwrap();
    assert_eq!(open_memory(label), 1);
    drop(message);
    assert_eq!(open_memory(label), 0);
    drop((here, there));
}

#[test]
fn only_a_socket_that_keeps_messages_apart_is_a_channel() {
    let (stream, _other) = std::os::unix::net::UnixStream::pair().unwrap();
    for fd in [OwnedFd::from(stream), memory(4096, 1).descriptor().unwrap().try_clone_to_owned().unwrap()] {
        let number = fd.as_raw_fd();
        let refused = Channel::duplicate(number).unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert!(refused.message().contains(&format!("descriptor {number}: ")), "it is called by the caller's number: {refused}");
        assert_eq!(code(Channel::from_descriptor(fd)), Code::InvalidArgument);
    }
    assert_eq!(code(Channel::duplicate(-1)), Code::InvalidArgument);
    let (here, there) = Channel::pair().unwrap();
    Channel::duplicate(there.as_raw_fd()).unwrap().send(b"a copy", &[], LONG).unwrap();
    assert_eq!(here.receive(LONG).unwrap().unwrap().bytes, b"a copy");
}

#[test]
fn the_kernel_says_who_is_at_the_other_end() {
    let (here, there) = pair();
    assert_eq!(here.peer().pid, std::process::id());
    assert_eq!(here.peer(), there.peer());
}
