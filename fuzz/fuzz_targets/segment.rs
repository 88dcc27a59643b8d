//! Damaged segments, as in `crates/core/tests/hostile`, with changes that the fuzzer finds by coverage. They lie in a directory of
//! `/dev/shm`, which stays behind empty: a fuzzer does not say when it ends.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

#[path = "../../crates/core/tests/hostile/harness.rs"]
mod harness;

struct Stage {
    directory: PathBuf,
    seeds: [harness::Seed; 2],
}

static STAGE: LazyLock<Stage> = LazyLock::new(|| {
    let directory = Path::new("/dev/shm").join(format!("pagecast-fuzz-{}", std::process::id()));
    std::fs::create_dir(&directory).unwrap();
    let seeds = [1, 2].map(|buffers| harness::Seed::new(&directory, buffers));
    Stage { directory, seeds }
});

fuzz_target!(|input: &[u8]| {
    let Some((which, changes)) = input.split_first() else { return };
    harness::try_everything(&STAGE.directory, &STAGE.seeds[usize::from(which & 1)].changed(changes));
});
