//! The memory available to this process: on the machine, in its control groups, and in its address space.

use std::path::{Path, PathBuf};

/// Where control groups are mounted.
const GROUPS: &str = "/sys/fs/cgroup";

/// Bytes that this process can still allocate without swapping; none if the system does not tell. It is the
/// least of the machine's available memory, the room in its control groups, and the room in its address space
/// (`ulimit -v`).
pub fn available_memory() -> Option<u64> {
    let read = |path: &Path| std::fs::read_to_string(path).ok();
    let machine = read(Path::new("/proc/meminfo")).and_then(|text| machine(&text));
    let groups = read(Path::new("/proc/self/cgroup")).and_then(|text| groups(&text, read));
    let address_space = read(Path::new("/proc/self/limits"))
        .zip(read(Path::new("/proc/self/status")))
        .and_then(|(limits, status)| address_space(&limits, &status));
    [machine, groups, address_space].into_iter().flatten().min()
}

/// Available memory, from `/proc/meminfo`.
fn machine(text: &str) -> Option<u64> {
    kib(text, "MemAvailable:")
}

/// A line such as `VmSize:   1234 kB`, in bytes.
fn kib(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// Room in the address space if it is limited, from `/proc/self/limits` and `/proc/self/status`.
fn address_space(limits: &str, status: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max address space"))?;
    let limit: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(limit.saturating_sub(kib(status, "VmSize:")?))
}

/// The least room in a control group of this process or in one of its ancestors. `text` is
/// `/proc/self/cgroup`.
fn groups(text: &str, read: impl Fn(&Path) -> Option<String>) -> Option<u64> {
    let left = |line: &str| {
        let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
        let version2 = controllers.is_empty();
        if !version2 && !controllers.split(',').any(|controller| controller == "memory") {
            return None;
        }
        let root = if version2 { PathBuf::from(GROUPS) } else { Path::new(GROUPS).join("memory") };
        let (limit, used) = if version2 {
            ("memory.max", "memory.current")
        } else {
            ("memory.limit_in_bytes", "memory.usage_in_bytes")
        };
        // In a container, the path may be the host's, while its group is mounted as the root.
        let own = root.join(path.trim_start_matches('/'));
        let groups = own.ancestors().take_while(|group| group.starts_with(&root));
        let of_group = |group: &Path| {
            let number = |name: &str| read(&group.join(name))?.trim().parse::<u64>().ok();
            let reclaimable = read(&group.join("memory.stat")).map_or(0, |text| inactive_file(&text));
            Some(number(limit)?.saturating_sub(number(used)?.saturating_sub(reclaimable)))
        };
        groups.filter_map(of_group).min()
    };
    text.lines().filter_map(left).min()
}

/// Bytes of file cache that a group would release, from `memory.stat`.
fn inactive_file(text: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix("inactive_file "));
    line.and_then(|bytes| bytes.trim().parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_says_what_is_available() {
        let text = "MemTotal:       32000 kB\nMemFree:   10 kB\nMemAvailable:   20480 kB\n";
        assert_eq!(machine(text), Some(20 << 20));
        assert_eq!(machine("MemTotal: 32000 kB\n"), None);
    }

    #[test]
    fn an_address_space_may_have_a_limit() {
        let status = "Name:\tx\nVmPeak:\t 9 kB\nVmSize:\t   1024 kB\n";
        let limits = |soft: &str| {
            format!(
                "Limit     Soft Limit   Hard Limit  Units\nMax address space   {soft}   unlimited   bytes\n"
            )
        };
        assert_eq!(address_space(&limits("3145728"), status), Some(2 << 20));
        assert_eq!(address_space(&limits("100"), status), Some(0));
        assert_eq!(address_space(&limits("unlimited"), status), None);
    }

    #[test]
    fn the_narrowest_group_decides() {
        let files = |path: &Path| {
            let text = match path.to_str()? {
                "/sys/fs/cgroup/a/memory.max" => "1000",
                "/sys/fs/cgroup/a/memory.current" => "400",
                "/sys/fs/cgroup/a/memory.stat" => "anon 1\ninactive_file 100\n",
                "/sys/fs/cgroup/a/b/memory.max" => "max\n",
                "/sys/fs/cgroup/a/b/memory.current" => "300\n",
                "/sys/fs/cgroup/memory/memory.limit_in_bytes" => "9000\n",
                "/sys/fs/cgroup/memory/memory.usage_in_bytes" => "8500\n",
                _ => return None,
            };
            Some(text.to_owned())
        };
        assert_eq!(groups("0::/a/b\n", files), Some(700));
        assert_eq!(groups("12:cpu:/a\n4:memory:/docker/7\n0::/\n", files), Some(500));
        assert_eq!(groups("0::/\n", files), None);
    }
}
