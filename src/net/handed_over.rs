//! Takes listening sockets that the service manager has opened: sd_listen_fds(3).
//!
//! These sockets outlive this process. So viewers who connect during a restart wait in them and are not refused. (The crate
//! listenfd does this too, but it ignores names, and has not been changed for years. It would save the one `unsafe` below.)

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::socket::{SockType, getsockopt, sockopt};
use std::net::TcpListener;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};

/// The first descriptor. Those before it are standard input, output and error.
const FIRST: RawFd = 3;

/// The most descriptors that are accepted.
const MOST: RawFd = 64;

static TAKEN: AtomicBool = AtomicBool::new(false);

/// The TCP sockets handed over to this process, at the first call; empty at later ones. Call it before anything else is
/// opened: if a promised socket is missing, another file could take its number.
pub fn listeners() -> Vec<TcpListener> {
    if TAKEN.swap(true, Ordering::Relaxed) {
        return Vec::new();
    }
    let variable = |name| std::env::var(name).unwrap_or_default();
    let count = promised(&variable("LISTEN_PID"), &variable("LISTEN_FDS"), std::process::id());
    let names = variable("LISTEN_FDNAMES");
    let mut names = names.split(':').filter(|name| !name.is_empty());
    let mut listeners = Vec::new();
    for number in FIRST..FIRST + count {
        let name = names.next().unwrap_or("no name");
        match listener(number) {
            Ok(listener) => listeners.push(listener),
            Err(why) => {
                log::warn!(
                    "ignoring file descriptor {number} ({name}), which the service manager handed over: {why}"
                );
            }
        }
    }
    listeners
}

/// The number of sockets, if they are for this process.
fn promised(pid: &str, count: &str, own_pid: u32) -> RawFd {
    if pid.parse() != Ok(own_pid) {
        return 0;
    }
    count.parse().unwrap_or(0).clamp(0, MOST)
}

fn listener(number: RawFd) -> Result<TcpListener, String> {
    if std::fs::symlink_metadata(format!("/proc/self/fd/{number}")).is_err() {
        return Err("it is not open".into());
    }
    // SAFETY: the descriptor is open and has no other owner. The process that started this one says with LISTEN_PID that it
    // opened it for us, nothing was opened since, and `TAKEN` lets this happen only once.
    let fd = unsafe { OwnedFd::from_raw_fd(number) };
    // It was passed without this flag. Programs that this one starts must not inherit it.
    fcntl(&fd, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).map_err(|error| error.to_string())?;
    let is_stream = getsockopt(&fd, sockopt::SockType) == Ok(SockType::Stream);
    if !is_stream || getsockopt(&fd, sockopt::AcceptConn) != Ok(true) {
        return Err("it must be a listening socket: ListenStream= in the .socket unit".into());
    }
    let listener = TcpListener::from(fd);
    match listener.local_addr() {
        Ok(_) => Ok(listener),
        Err(_) => Err("it must be TCP: ListenStream=9999 in the .socket unit".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_for_this_process_is_taken() {
        assert_eq!(promised("7", "2", 7), 2);
        assert_eq!(promised("8", "2", 7), 0);
        assert_eq!(promised("", "2", 7), 0);
        assert_eq!(promised("7", "x", 7), 0);
        assert_eq!(promised("7", "-1", 7), 0);
        assert_eq!(promised("7", "2000000000", 7), MOST);
    }
}
