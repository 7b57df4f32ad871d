//! The machine, reduced to the two facts that a profile is fitted to.

use std::path::Path;

/// What a profile may use of a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Machine {
    /// Processor cores, at least 1.
    pub cores: usize,
    /// Memory in bytes; `u64::MAX` where it is not known, which no limit exceeds.
    pub memory_bytes: u64,
}

impl Machine {
    /// The machine this process runs on, within the limits that its container or scheduler sets.
    ///
    /// On systems without `/proc` the memory counts as unknown.
    pub fn detect() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let read = |path: &Path| std::fs::read_to_string(path).ok();
        Self {
            cores,
            memory_bytes: memory_bytes(&read).unwrap_or(u64::MAX),
        }
    }
}

/// The smaller of the machine's memory and the limits of the control groups of this process.
fn memory_bytes(read: &dyn Fn(&Path) -> Option<String>) -> Option<u64> {
    let total = read(Path::new("/proc/meminfo"))
        .as_deref()
        .and_then(total_of_meminfo);
    let groups = read(Path::new("/proc/self/cgroup")).unwrap_or_default();
    groups
        .lines()
        .flat_map(limit_files)
        .filter_map(|path| read(Path::new(&path))?.trim().parse::<u64>().ok())
        .chain(total)
        .min()
}

/// `MemTotal` in bytes.
fn total_of_meminfo(text: &str) -> Option<u64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// The files that may hold a memory limit for one line of `/proc/self/cgroup`: those of the group
/// and of all groups around it. A group without a limit has `max` in its file, or a huge number.
fn limit_files(line: &str) -> Vec<String> {
    let mut parts = line.splitn(3, ':');
    let (Some(_), Some(controllers), Some(group)) = (parts.next(), parts.next(), parts.next())
    else {
        return Vec::new();
    };
    let (root, file) = if controllers.is_empty() {
        ("/sys/fs/cgroup", "memory.max")
    } else if controllers.split(',').any(|name| name == "memory") {
        ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
    } else {
        return Vec::new();
    };
    Path::new(group)
        .ancestors()
        .map(|group| {
            let group = group.to_string_lossy();
            format!("{root}/{}/{file}", group.trim_matches('/')).replace("//", "/")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(files: &[(&str, &str)]) -> Option<u64> {
        memory_bytes(&|path: &Path| {
            files
                .iter()
                .find(|(name, _)| Path::new(name) == path)
                .map(|(_, text)| (*text).to_owned())
        })
    }

    #[test]
    fn the_memory_of_a_plain_machine_is_its_total() {
        let meminfo = "MemTotal:       16384 kB\nMemFree:         1 kB\n";
        assert_eq!(memory(&[("/proc/meminfo", meminfo)]), Some(16384 * 1024));
    }

    #[test]
    fn the_smallest_limit_around_a_container_counts() {
        let files = [
            ("/proc/meminfo", "MemTotal: 1048576 kB\n"),
            ("/proc/self/cgroup", "0::/job/step\n"),
            ("/sys/fs/cgroup/job/step/memory.max", "max\n"),
            ("/sys/fs/cgroup/job/memory.max", "4096\n"),
            ("/sys/fs/cgroup/memory.max", "8192\n"),
        ];
        assert_eq!(memory(&files), Some(4096));
    }

    #[test]
    fn limits_of_the_first_kind_of_control_groups_count() {
        let files = [
            ("/proc/meminfo", "MemTotal: 1048576 kB\n"),
            ("/proc/self/cgroup", "3:cpu,cpuacct:/\n2:memory:/docker\n"),
            (
                "/sys/fs/cgroup/memory/docker/memory.limit_in_bytes",
                "9223372036854771712\n",
            ),
            ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "65536\n"),
        ];
        assert_eq!(memory(&files), Some(65536));
    }

    #[test]
    fn without_any_of_these_files_the_memory_is_unknown() {
        assert_eq!(memory(&[]), None);
        assert_eq!(memory(&[("/proc/meminfo", "MemTotal: many\n")]), None);
    }

    #[test]
    fn this_machine_has_at_least_one_core() {
        assert!(Machine::detect().cores >= 1);
        assert!(Machine::detect().memory_bytes > 0);
    }
}
