use super::*;

/// A fresh directory in shared memory, gone with everything in it when dropped.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Directory {
        let number = u128::from_ne_bytes(super::super::random_bytes().unwrap()); // what was killed leaves its own
        let path = Path::new("/dev/shm").join(format!("pagecast-beside-{name}-{number:032x}"));
        std::fs::create_dir(&path).unwrap();
        Directory(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn files(&self) -> usize {
        std::fs::read_dir(&self.0).unwrap().count()
    }

    /// An object of so many bytes under a name of its own.
    fn make(&self, name: &str) -> (PathBuf, String) {
        let path = self.path(name);
        let made = create(&path, &path, 0o640).unwrap();
        super::super::set_size(made.memory(), 65536).unwrap();
        let object = object_of(made.file()).unwrap();
        (path, object)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

fn is_there(object: &str) -> bool {
    match open_memory(object, true) {
        Ok(_) => true,
        Err(Errno::ENOENT) => false,
        Err(errno) => panic!("{object}: {errno}"),
    }
}

#[test]
fn a_name_of_any_length_gets_one_that_fits() {
    let path = Path::new("/tmp").join("n".repeat(255));
    let name = object_name(&path, [0xab; 16]);
    assert!(name.len() <= NAME_MAX, "{name}");
    assert_eq!(parse(&text_of(&name, &path)), Some(name.as_str()));
    let longest = Path::new("/").join("directory/".repeat(400)).join("n".repeat(255));
    assert!(text_of(&name, &longest).len() as u64 <= FILE_MAX);
}

#[test]
fn names_differ_by_chance_and_by_what_they_are_for() {
    let [one, other] = ["/tmp/one", "/tmp/other"].map(|path| object_name(Path::new(path), [7; 16]));
    assert_ne!(one, other);
    assert_ne!(one, object_name(Path::new("/tmp/one"), [8; 16]));
}

#[test]
fn a_file_leads_to_no_object_of_others() {
    let good = "/pc-0123abcd-0123456789abcdef";
    let text = |object: &str| format!("{TITLE}\n{object}\n/tmp/pose\n");
    assert_eq!(parse(text(good).as_bytes()), Some(good));
    let short = &good[..good.len() - 1];
    let bad = ["", "/pose", "/pc-", short, &format!("{good}0"), &good.to_uppercase(), &good.replace('7', "/"), &good.replace('-', "0")];
    for object in bad {
        assert_eq!(parse(text(object).as_bytes()), None, "{object}");
    }
    for text in [good.to_owned(), format!("{TITLE} {good}\n"), format!("pagecast object 2\n{good}\n"), String::new()] {
        assert_eq!(parse(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn the_file_says_what_it_stands_for_and_both_have_the_mode() {
    let directory = Directory::new("mode");
    let (path, object) = directory.make("pose");
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text, format!("{TITLE}\n{object}\n{}\n", path.display()));
    let opened = open(&path, false).unwrap();
    for part in [opened.memory(), opened.file()] {
        assert_eq!(super::super::permissions(part), Ok(0o640));
    }
    assert_eq!(opened.describe().unwrap(), (platform::identify_file(&path).unwrap(), 65536));
    assert!(opened.can_have_mode(0o640) && !opened.can_have_mode(0o600) && !opened.is_hollow());
    remove(&path).unwrap();
}

#[test]
fn the_object_goes_with_the_last_name_and_not_before() {
    let directory = Directory::new("names");
    let (path, object) = directory.make("pose");
    let other = directory.path(".pagecast-0123456789abcdef0123456789abcdef");
    platform::link(&path, &other).unwrap();
    remove(&other).unwrap();
    assert!(is_there(&object), "it has a name still");
    platform::link(&path, &other).unwrap();
    remove(&path).unwrap();
    assert!(is_there(&object), "it has a name still");
    remove(&other).unwrap();
    assert!(!is_there(&object));
    assert_eq!((remove(&path), directory.files()), (Err(Errno::ENOENT), 0));
}

#[test]
fn a_file_whose_object_is_gone_stands_for_no_bytes_and_can_be_removed() {
    let directory = Directory::new("gone");
    let (path, object) = directory.make("pose");
    shm_unlink(object.as_str()).unwrap();
    let opened = open(&path, false).unwrap();
    assert!(opened.is_hollow());
    assert_eq!(opened.describe().unwrap().1, 0);
    remove(&path).unwrap();
    assert_eq!(directory.files(), 0);
}

#[test]
fn other_files_are_their_own_memory() {
    let directory = Directory::new("others");
    let (path, object) = directory.make("pose");
    let text = std::fs::read(&path).unwrap();
    let mine = [
        ("empty", vec![]),
        ("cut", text[..30].to_vec()),
        ("notes", b"my own".to_vec()),
        ("large", [text.as_slice(), &[b'\n'; 9000]].concat()),
    ];
    for (name, bytes) in &mine {
        let path = directory.path(name);
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(open(&path, true).unwrap().describe().unwrap().1, bytes.len() as u64, "{name}");
        remove(&path).unwrap();
    }
    assert!(is_there(&object));
    assert_eq!(directory.files(), 1);
    remove(&path).unwrap();
}

#[test]
#[cfg(feature = "testing")]
fn a_creator_that_is_swept_before_its_object_is_there_leaves_none() {
    let directory = Directory::new("swept");
    let path = directory.path(".pagecast-00000000000000000000000000000000");
    let swept = path.clone();
    let object = sweeping_at("shm_open", move || remove(&swept).unwrap(), || create(&path, &directory.path("pose"), 0o600));
    assert_eq!(platform::count_names(object.file()), Ok(0), "the creator can tell");
    let memory = super::super::permissions(object.memory());
    assert_eq!(memory, Ok(0o600));
    assert!(!is_there(&object_of(object.file()).unwrap()));
    assert_eq!(directory.files(), 0);
}

/// Does `sweep` before the step of that name.
#[cfg(feature = "testing")]
fn sweeping_at(name: &'static str, sweep: impl FnOnce() + 'static, operation: impl FnOnce() -> Sys<Object>) -> Object {
    use crate::testing::observe_steps;
    let mut sweep = Some(sweep);
    observe_steps(Some(Box::new(move |step| {
        if step == name {
            sweep.take().unwrap()();
        }
    })));
    let object = operation();
    observe_steps(None);
    object.unwrap()
}
