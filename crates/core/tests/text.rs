//! `Text` and `Bytes`.

use std::collections::HashSet;

use pagecast::record::Field;
use pagecast::{Bytes, Code, Text};

#[test]
fn texts_from_empty_to_full() {
    for text in ["", "a", "abcd", "éx", "🦀"] {
        let stored = Text::<4>::try_from(text).unwrap();
        assert_eq!(stored.as_str().unwrap(), text);
        assert_eq!(stored, text);
        assert_eq!(stored, *text);
        assert_eq!(stored.to_string(), text);
        assert_eq!(format!("{stored:?}"), format!("{text:?}"));
    }
    assert_eq!(Text::<4>::default(), "");
}

#[test]
fn texts_that_do_not_fit_are_refused() {
    let error = Text::<4>::try_from("abcde").unwrap_err();
    assert_eq!((error.code(), error.message()), (Code::ValueRange, "text(4): 5 bytes given, 4 fit"));
    // Counted in bytes, not in characters.
    assert_eq!(Text::<4>::try_from("€€").unwrap_err().message(), "text(4): 6 bytes given, 4 fit");
    let error = Text::<4>::try_from("a\0b").unwrap_err();
    assert_eq!((error.code(), error.message()), (Code::ValueRange, "text(4): NUL at byte 1, which would end the text there"));
}

#[test]
fn what_is_no_utf_8_is_told_apart_and_can_still_be_shown() {
    let text = Text::<4>::get(&[b'a', 0xff, b'b', 0]);
    let error = text.as_str().unwrap_err();
    assert_eq!((error.code(), error.message()), (Code::ValueRange, "text(4): no UTF-8 at byte 1"));
    assert_eq!(text.as_bytes(), [b'a', 0xff, b'b']);
    assert_eq!(text.to_string(), "a\u{fffd}b");
    assert_eq!(format!("{text:?}"), "\"a\u{fffd}b\"");
}

#[test]
fn what_follows_the_first_nul_does_not_count() {
    let (dirty, clean) = (Text::<4>::get(b"a\0zz"), Text::<4>::try_from("a").unwrap());
    assert_eq!(dirty, clean);
    assert_eq!(dirty, "a");
    assert_eq!(HashSet::from([dirty, clean]).len(), 1);
    assert_ne!(dirty, Text::<4>::try_from("az").unwrap());
}

#[test]
fn display_obeys_the_width() {
    assert_eq!(format!("[{:>5}]", Text::<4>::try_from("ab").unwrap()), "[   ab]");
}

#[test]
fn bytes_are_just_bytes() {
    let bytes = Bytes::from([1, 0, 255]);
    let mut stored = [9; 4];
    bytes.put(&mut stored);
    assert_eq!(stored, [1, 0, 255, 9]);
    assert_eq!(Bytes::<3>::get(&stored), bytes);
    assert_eq!(bytes.as_ref(), [1, 0, 255]);
    assert_eq!(Bytes::<64>::default().0, [0; 64]);
}
