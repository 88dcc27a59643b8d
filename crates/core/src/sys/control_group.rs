//! Linux: how much memory the control group of this process has left, as cgroups(7) of both versions say it. Past that the kernel kills a process of
//! the group, whoever asked for the memory.

use std::fs::read_to_string;
use std::path::{Path, PathBuf};

/// What one level of a hierarchy is asked for, by version.
struct Files {
    limit: &'static str,
    usage: &'static str,
    /// In `memory.stat`: what goes when room is needed.
    reclaimable: &'static str,
    swap_limit: &'static str,
    swap_usage: &'static str,
    /// Whether the swap's numbers include the memory's.
    swap_includes_memory: bool,
}

const V1: Files = Files {
    limit: "memory.limit_in_bytes",
    usage: "memory.usage_in_bytes",
    reclaimable: "total_inactive_file ",
    swap_limit: "memory.memsw.limit_in_bytes",
    swap_usage: "memory.memsw.usage_in_bytes",
    swap_includes_memory: true,
};

const V2: Files = Files {
    limit: "memory.max",
    usage: "memory.current",
    reclaimable: "inactive_file ",
    swap_limit: "memory.swap.max",
    swap_usage: "memory.swap.current",
    swap_includes_memory: false,
};

/// Version 1 says 2^63, rounded down to whole pages, where version 2 says `max`.
const NO_LIMIT: u64 = 1 << 62;

/// Bytes that this process's group, and those it is in, have left, of memory and of `free_swap` bytes of the machine's. `None`: no limit is known.
pub(super) fn memory_left(free_swap: u64) -> Option<u64> {
    let groups = read_to_string("/proc/self/cgroup").ok()?;
    least(&groups, Path::new("/sys/fs/cgroup"), free_swap)
}

/// `groups`: the lines of /proc/self/cgroup, `number:controllers:path`.
fn least(groups: &str, mount: &Path, free_swap: u64) -> Option<u64> {
    let levels = groups.lines().filter_map(|line| {
        let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
        match controllers {
            "" => Some((&V2, mount.to_path_buf(), path)),
            names if names.split(',').any(|name| name == "memory") => Some((&V1, mount.join("memory"), path)),
            _ => None,
        }
    });
    levels.flat_map(|(files, mount, path)| above(mount, path).filter_map(|level| left(files, &level, free_swap))).min()
}

/// A group and those it is in. In a container the path may be the machine's, and the mount the container's own group: what is not there has no limit.
fn above(mount: PathBuf, path: &str) -> impl Iterator<Item = PathBuf> {
    let path = PathBuf::from(path.trim_start_matches('/'));
    let levels: Vec<PathBuf> = path.ancestors().map(|level| mount.join(level)).collect();
    levels.into_iter()
}

fn left(files: &Files, level: &Path, free_swap: u64) -> Option<u64> {
    let limit = number(level, files.limit).filter(|limit| *limit < NO_LIMIT)?; // before all else: reading costs more than the mapping that asks
    let reclaimable = read_to_string(level.join("memory.stat")).ok().and_then(|stat| value(&stat, files.reclaimable)).unwrap_or(0);
    let used = number(level, files.usage)?.saturating_sub(reclaimable);
    let memory = limit.saturating_sub(used);
    let swap_limit = number(level, files.swap_limit).unwrap_or(u64::MAX);
    let swap_used = number(level, files.swap_usage).unwrap_or(0);
    if files.swap_includes_memory {
        let both = swap_limit.saturating_sub(swap_used.saturating_sub(reclaimable));
        return Some(memory.saturating_add(free_swap).min(both));
    }
    Some(memory.saturating_add(free_swap.min(swap_limit.saturating_sub(swap_used))))
}

/// `None` also for `max`.
fn number(level: &Path, file: &str) -> Option<u64> {
    read_to_string(level.join(file)).ok()?.trim().parse().ok()
}

fn value(stat: &str, key: &str) -> Option<u64> {
    stat.lines().find_map(|line| line.strip_prefix(key))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Tree(PathBuf);

    impl Tree {
        fn new(name: &str, files: &[(&str, &str)]) -> Tree {
            let root = std::env::temp_dir().join(format!("pagecast-groups-{}-{name}", std::process::id()));
            for (path, text) in files {
                let path = root.join(path);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, text).unwrap();
            }
            Tree(root)
        }
    }

    impl Drop for Tree {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn of_version_2_the_tightest_level_counts() {
        let tree = Tree::new(
            "v2",
            &[
                ("a/memory.max", "1000\n"),
                ("a/memory.current", "700\n"),
                ("a/memory.stat", "anon 600\nfile 100\ninactive_file 50\n"),
                ("a/b/memory.max", "max\n"),
                ("a/b/memory.current", "10\n"),
                ("a/b/c/memory.max", "5000\n"),
                ("a/b/c/memory.current", "10\n"),
                ("a/memory.swap.max", "300\n"),
                ("a/memory.swap.current", "100\n"),
            ],
        );
        assert_eq!(least("0::/a/b/c\n", &tree.0, 0), Some(350));
        assert_eq!(least("0::/a/b/c\n", &tree.0, 120), Some(470));
        assert_eq!(least("0::/a/b/c\n", &tree.0, 9000), Some(550), "no more swap than the group may have");
        assert_eq!(least("0::/\n", &tree.0, 0), None);
    }

    #[test]
    fn of_version_1_swap_and_memory_have_a_limit_in_common() {
        let files = [
            ("memory/memory.limit_in_bytes", "9223372036854771712\n"),
            ("memory/memory.usage_in_bytes", "77\n"),
            ("memory/box/memory.limit_in_bytes", "1000\n"),
            ("memory/box/memory.usage_in_bytes", "600\n"),
            ("memory/box/memory.stat", "inactive_file 1\ntotal_inactive_file 100\n"),
            ("memory/box/memory.memsw.limit_in_bytes", "1200\n"),
            ("memory/box/memory.memsw.usage_in_bytes", "600\n"),
        ];
        let tree = Tree::new("v1", &files);
        let groups = "4:cpu,memory:/box\n3:cpuset:/box\n0::/\n";
        assert_eq!(least(groups, &tree.0, 0), Some(500));
        assert_eq!(least(groups, &tree.0, 9000), Some(700));
        assert_eq!(least("4:cpu:/box\n", &tree.0, 0), None);
    }

    #[test]
    fn a_path_that_is_the_machines_leads_to_the_containers_own_group() {
        let tree = Tree::new("container", &[("memory/memory.limit_in_bytes", "1000"), ("memory/memory.usage_in_bytes", "400")]);
        assert_eq!(least("4:memory:/docker/0123\n", &tree.0, 0), Some(600));
    }

    #[test]
    fn nonsense_is_no_limit() {
        let tree = Tree::new("nonsense", &[("memory.max", "lots"), ("x/memory.max", "10"), ("x/memory.current", "20")]);
        assert_eq!(least("", &tree.0, 0), None);
        assert_eq!(least("no colons\n0:\n", &tree.0, 0), None);
        assert_eq!(least("0::/\n", &tree.0, 0), None);
        assert_eq!(least("0::/x\n", &tree.0, 0), Some(0), "past the limit");
    }
}
