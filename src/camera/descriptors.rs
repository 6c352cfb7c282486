//! How many connections the process has file descriptors for.

use nix::sys::resource::{Resource, getrlimit};

/// A viewer's own: its socket, what its session sleeps on, and what wakes it; one is to spare.
const OF_A_VIEWER: usize = 4;

/// What the camera needs besides: to be opened again, to be announced, to tell others why they are not served.
const KEPT: usize = 16;

/// As many connections as there can be, when everything else that stays open is open. At least one.
pub fn room_for_connections() -> usize {
    let limit = getrlimit(Resource::RLIMIT_NOFILE).map_or(u64::MAX, |(soft, _)| soft);
    // The folder itself is open while it is read.
    let open = std::fs::read_dir("/proc/self/fd").map_or(0, |fds| fds.count().saturating_sub(1));
    room(usize::try_from(limit).unwrap_or(usize::MAX), open)
}

fn room(limit: usize, open: usize) -> usize {
    (limit.saturating_sub(open + KEPT) / OF_A_VIEWER).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_limit_is_room_for_all_and_a_small_one_for_some() {
        assert!(room(1024, 20) >= 64 + 64);
        assert_eq!(room(40, 12), 3);
        assert_eq!(room(10, 12), 1);
        assert!(room(usize::MAX, 12) > 1 << 20);
        assert!(room_for_connections() >= 1);
    }
}
