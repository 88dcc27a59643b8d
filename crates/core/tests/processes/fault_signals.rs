//! SIGBUS and SIGSEGV: what is ours, what is passed on, and what happens without the guard.

use crate::common::Directory;
use crate::common::watchdog::bounded;
use crate::player::Player;
use nix::libc::{SIGBUS, SIGSEGV};

/// What came of a process with this role in one of its parts: what it said last, and the signal that ended it.
fn fate(part: &'static str, environment: Option<(&'static str, &'static str)>) -> (Option<String>, Option<i32>) {
    let (send, receive) = std::sync::mpsc::channel();
    bounded(move |watch| {
        watch.stage(part);
        let directory = Directory::new();
        let player = Player::start_in(watch, environment, "faulter", &[directory.path().to_str().unwrap(), part]);
        send.send(player.fate()).unwrap();
    });
    receive.recv().unwrap()
}

fn said(word: &str) -> (Option<String>, Option<i32>) {
    (Some(word.into()), None)
}

const DIED: (Option<String>, Option<i32>) = (None, Some(SIGBUS));

#[test]
fn a_segment_that_is_cut_is_an_error() {
    assert_eq!(fate("own", None), said("ERR_TRUNCATED"));
}

#[test]
fn without_the_guard_the_process_dies() {
    assert_eq!(fate("own", Some(("PAGECAST_FAULT_GUARD", "off"))), DIED);
    assert_eq!(fate("own, switched off", None), DIED);
}

#[test]
fn the_guard_can_be_switched_on_again() {
    assert_eq!(fate("own, switched off and on", None), said("ERR_TRUNCATED"));
    assert_eq!(fate("own, switched on", Some(("PAGECAST_FAULT_GUARD", "off"))), said("ERR_TRUNCATED"));
}

#[test]
fn a_fault_of_somebody_else_ends_the_process() {
    assert_eq!(fate("foreign", None), DIED);
    assert_eq!(fate("foreign, by default", None), DIED);
    assert_eq!(fate("foreign, ignored", None), DIED);
    assert_eq!(fate("foreign, where a segment was", None), DIED);
    assert_eq!(fate("segmentation fault", None), (None, Some(SIGSEGV)));
}

#[test]
fn the_handler_from_before_is_called() {
    assert_eq!(fate("handler", None), said("called 1 times, errno kept"));
    assert_eq!(fate("plain handler", None), said("called 1 times, errno kept"));
}

/// Ours lets SIGBUS through, since a page that it copies may be missing.
#[test]
fn the_handler_from_before_runs_under_the_mask_that_it_asked_for() {
    assert_eq!(fate("view, masked", None), said("0b11 0b0"));
}

#[test]
fn a_signal_that_a_process_sent_is_not_taken_for_a_fault() {
    assert_eq!(fate("sent, by default", None), DIED);
    assert_eq!(fate("sent, ignored", None), said("alive"));
    assert_eq!(fate("sent, handler", None), said("called 1 times, errno kept"));
}

#[test]
fn more_ranges_than_fit_in_one_block_of_the_table_are_guarded() {
    assert_eq!(fate("many", None), said("200 of 200"));
}

#[test]
fn a_write_to_a_page_that_may_only_be_read_reaches_nobody_and_is_told_once() {
    assert_eq!(fate("view, read-only", None), said("1 9 1 1 ERR_READ_ONLY nothing"));
    assert_eq!(fate("view, device", None), said("0 9 0 0 ERR_READ_ONLY nothing"));
    assert_eq!(fate("view, threads", None), said("200 of 200, true"));
}

#[test]
fn a_page_without_access_is_zeros_and_that_is_told_once() {
    assert_eq!(fate("view, no access", None), said("0 9 1 0 ERR_NO_ACCESS nothing"));
}

#[test]
fn without_the_guard_a_forbidden_access_ends_the_process() {
    const DIED: (Option<String>, Option<i32>) = (None, Some(SIGSEGV));
    assert_eq!(fate("view, switched off", None), DIED);
    assert_eq!(fate("view, read-only", Some(("PAGECAST_FAULT_GUARD", "off"))), DIED);
    assert_eq!(fate("view, jumped to", None), DIED);
}

/// The collector of garbage takes pages back, and the region hears of it later.
#[test]
fn addresses_that_are_somebody_else_s_by_now_are_not_mended() {
    assert_eq!(fate("view, taken", None), (None, Some(SIGSEGV)));
    assert_eq!(fate("view, collected and taken", None), (None, Some(SIGSEGV)));
}

#[test]
fn what_can_still_be_reached_is_guarded() {
    assert_eq!(fate("view, collected and cut", None), said("0"));
    assert_eq!(fate("view, detached and cut", None), said("0"));
}
