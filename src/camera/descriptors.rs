//! How many connections the process has file descriptors for.

use nix::sys::resource::{Resource, getrlimit};

/// The file descriptors of a viewer: its socket, the epoll set and the eventfd of its session, and
/// one spare.
const OF_A_VIEWER: usize = 4;

/// The file descriptors that the camera needs besides: to open the source again, to announce, to
/// refuse connections.
const KEPT: usize = 16;

/// How many connections fit into the file descriptors that are not used yet. At least one.
pub fn room_for_connections() -> usize {
    let limit = getrlimit(Resource::RLIMIT_NOFILE).map_or(u64::MAX, |(soft, _)| soft);
    // Reading the folder takes one descriptor, which is not counted.
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
