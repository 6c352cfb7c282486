//! The metrics of a process that Prometheus' own clients report, from /proc.

use nix::unistd::{SysconfVar, sysconf};
use std::fs;

/// The metrics of this process, as far as the kernel has them.
#[derive(Debug, Default)]
pub(super) struct Process {
    pub(super) cpu_seconds: Option<f64>,
    pub(super) start_time_seconds: Option<f64>,
    pub(super) resident_bytes: Option<u64>,
    pub(super) threads: Option<u64>,
    pub(super) open_fds: Option<usize>,
    pub(super) max_fds: Option<u64>,
}

impl Process {
    pub(super) fn read() -> Self {
        let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
        let boot = fs::read_to_string("/proc/stat").unwrap_or_default();
        let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let ticks =
            sysconf(SysconfVar::CLK_TCK).ok().flatten().and_then(|ticks| u32::try_from(ticks).ok());
        let mut process = Self::parse(&stat, &boot, &limits, &status, ticks.unwrap_or(100));
        // Reading the folder takes one descriptor, which is not counted.
        process.open_fds =
            fs::read_dir("/proc/self/fd").ok().map(|fds| fds.count().saturating_sub(1));
        process
    }

    /// Parses /proc/self/stat, /proc/stat, /proc/self/limits and /proc/self/status.
    fn parse(stat: &str, boot: &str, limits: &str, status: &str, ticks: u32) -> Self {
        // The second field is the name in parentheses, which may contain anything. So count fields
        // after it, from the third.
        let fields: Vec<&str> = stat
            .rsplit_once(')')
            .map(|(_, rest)| rest.split_whitespace().collect())
            .unwrap_or_default();
        let field = |number: usize| fields.get(number - 3)?.parse::<f64>().ok();
        let ticks = f64::from(ticks);
        let boot_time =
            boot.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse::<f64>().ok());
        let of_status = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse::<u64>().ok()
        };
        let max_fds = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
        Self {
            cpu_seconds: field(14).zip(field(15)).map(|(user, system)| (user + system) / ticks),
            start_time_seconds: field(22).zip(boot_time).map(|(start, boot)| boot + start / ticks),
            resident_bytes: of_status("VmRSS:").map(|kilobytes| kilobytes * 1024),
            threads: of_status("Threads:"),
            open_fds: None,
            max_fds: max_fds.and_then(|line| line.split_whitespace().next()?.parse().ok()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_and_spaces_moves_no_field() {
        let stat = "42 (lan) cam) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20 0 7 0 1000 0 0\n";
        let process = Process::parse(
            stat,
            "cpu 1\nbtime 1700000000\n",
            "Limit Soft\nMax open files            1024                 4096                 files\n",
            "Threads:\t7\nVmRSS:\t    2000 kB\n",
            100,
        );
        assert_eq!(process.cpu_seconds, Some(2.0));
        assert_eq!(process.start_time_seconds, Some(1_700_000_010.0));
        assert_eq!((process.resident_bytes, process.threads), (Some(2_048_000), Some(7)));
        assert_eq!(process.max_fds, Some(1024));
        let nothing = Process::parse("", "", "", "", 100);
        assert_eq!((nothing.cpu_seconds, nothing.max_fds), (None, None));
        assert!(Process::read().cpu_seconds.is_some() && Process::read().open_fds.is_some());
    }
}
