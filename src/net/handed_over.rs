//! Listening sockets that the service manager has opened and hands over: sd_listen_fds(3).
//!
//! They outlive this process, so viewers who come during a restart wait in them and are not refused. (The crate listenfd
//! does this too, knows no names, and was last changed years ago; what it saves is the one `unsafe` below.)

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::socket::{SockType, getsockopt, sockopt};
use std::net::TcpListener;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};

/// The first one; those before it are standard input, output and error.
const FIRST: RawFd = 3;

/// More than anybody hands over.
const MOST: RawFd = 64;

static TAKEN: AtomicBool = AtomicBool::new(false);

/// The TCP sockets handed over to this process, the first time that it asks; none later. To be called before
/// anything else is opened: the numbers of those that are promised and not there would be taken by others.
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

/// How many, if they are for this process.
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
    // SAFETY: it is open, and nobody else's: whoever started this process says with LISTEN_PID that he opened it for
    // us, nothing was opened since, and `TAKEN` lets this happen once.
    let fd = unsafe { OwnedFd::from_raw_fd(number) };
    // It came without, and is not for programs that this one may start.
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
