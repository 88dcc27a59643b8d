//! Which names are names.

use crate::common::{Directory, bytes, code};
use crate::poses::refusal;
use pagecast::{Code, Name, RawConsumer, RawPublisher};
use std::path::Path;

#[test]
fn what_is_no_file_name_is_no_name() {
    let long = "n".repeat(256);
    let wide = "ü".repeat(128);
    for name in ["", ".", "..", "/", "/pose", "pose/", "a/b", "../pose", "a\0b", "\0", ".pagecast-0", &long, &wide] {
        let (code, message) = refusal(Name::new(name, None));
        assert_eq!(code, Code::InvalidName, "{name:?}");
        assert!(message.contains(&format!("{name:?}")), "{message}");
    }
    let directory = Path::new("/dev/shm/a\0b");
    assert_eq!(code(Name::new("pose", Some(directory))), Code::InvalidName);
}

#[test]
fn what_is_a_file_name_is_a_name() {
    let directory = Directory::new();
    let long = "n".repeat(255);
    for text in ["x", "...", ".hidden", "-rf", "a b", "ünï", "日本", "a\nb", "*", "CON", &long] {
        let name = directory.name(text);
        let _publisher = RawPublisher::create(&name, None, &bytes(8, 2)).unwrap();
        assert_eq!(directory.files(), [text]);
        RawConsumer::open(&name, false).unwrap();
    }
}

#[test]
fn the_default_directory_is_that_of_posix_shared_memory() {
    let name = Name::new("pose", None).unwrap();
    assert_eq!(name.path(), Path::new("/dev/shm/pose"));
    assert_eq!(name.to_string(), "/dev/shm/pose");
}
