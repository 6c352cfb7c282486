//! Finds out which signals end this program.

use nix::sys::signal::{SigSet, Signal};

/// SIGTERM, SIGINT and SIGHUP, without those that were ignored when the program started: `nohup`
/// ignores SIGHUP, and a shell without job control ignores SIGINT for programs in the background.
/// They stay ignored.
pub fn that_end() -> SigSet {
    // Systems other than Linux have no such file; there, no signal counts as ignored.
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = ignored(&status);
    let all = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP];
    SigSet::from_iter(all.into_iter().filter(|&signal| ignored & bit(signal) == 0))
}

/// What people call a signal: `Ctrl-C`, or its name.
pub fn told(signal: Signal) -> &'static str {
    match signal {
        Signal::SIGINT => "Ctrl-C",
        other => other.as_str(),
    }
}

/// The mask of ignored signals in `/proc/self/status`; none if it is missing.
fn ignored(status: &str) -> u64 {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

fn bit(signal: Signal) -> u64 {
    1 << (signal as u32 - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_is_called_as_people_call_it() {
        assert_eq!([Signal::SIGINT, Signal::SIGTERM].map(told), ["Ctrl-C", "SIGTERM"]);
    }

    #[test]
    fn the_kernel_says_which_signals_are_ignored() {
        let status = "Name:\tlancam\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000001001\n";
        assert_eq!(ignored(status), bit(Signal::SIGHUP) | bit(Signal::SIGPIPE));
        assert_eq!(ignored(""), 0);
        assert_eq!(ignored("SigIgn:\tnothing"), 0);
    }
}
