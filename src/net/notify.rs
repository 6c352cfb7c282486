//! Tells the service manager the state of the program: sd_notify(3), which takes a few lines.
//!
//! The crate sd-notify does nothing more, and has its own way of taking over sockets.

use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// A connection to the service manager that started the program.
#[derive(Debug)]
pub struct Notifier {
    socket: UnixDatagram,
    manager: SocketAddr,
    watchdog: Option<Duration>,
}

impl Notifier {
    /// Reads `NOTIFY_SOCKET` and `WATCHDOG_USEC`. `None` if the program was not started by a service manager.
    pub fn from_environment() -> Option<Self> {
        let variable = |name| std::env::var(name).ok();
        let name = variable("NOTIFY_SOCKET").filter(|name| !name.is_empty())?;
        let watchdog = watchdog(
            variable("WATCHDOG_USEC").as_deref(),
            variable("WATCHDOG_PID").as_deref(),
            std::process::id(),
        );
        match Self::new(&name, watchdog) {
            Ok(notifier) => Some(notifier),
            Err(error) => {
                log::warn!("cannot notify the service manager at NOTIFY_SOCKET={name}: {error}");
                None
            }
        }
    }

    fn new(name: &str, watchdog: Option<Duration>) -> io::Result<Self> {
        let manager = match name.strip_prefix('@') {
            Some(abstract_name) => SocketAddr::from_abstract_name(abstract_name)?,
            None => SocketAddr::from_pathname(name)?,
        };
        let socket = UnixDatagram::unbound()?;
        // A service manager that reads slowly must not block the thread that notifies the watchdog.
        socket.set_nonblocking(true)?;
        Ok(Self { socket, manager, watchdog })
    }

    /// The service manager's watchdog timeout.
    pub fn watchdog(&self) -> Option<Duration> {
        self.watchdog
    }

    /// Sends assignments, one per line, such as `READY=1`. Returns whether they were sent.
    pub fn tell(&self, assignments: &str) -> bool {
        self.socket.send_to_addr(assignments.as_bytes(), &self.manager).is_ok()
    }

    /// Sends a line for people about what the program is doing.
    pub fn status(&self, text: &str) -> bool {
        self.tell(&format!("STATUS={}", text.lines().next().unwrap_or_default()))
    }
}

/// sd_watchdog_enabled(3): the variables may be meant for another process.
fn watchdog(micros: Option<&str>, pid: Option<&str>, own_pid: u32) -> Option<Duration> {
    if pid.is_some_and(|pid| pid.parse() != Ok(own_pid)) {
        return None;
    }
    let micros = micros?.parse().ok().filter(|&micros| micros > 0)?;
    Some(Duration::from_micros(micros))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_watchdog_is_for_the_process_that_is_named() {
        let second = Some(Duration::from_secs(1));
        assert_eq!(watchdog(Some("1000000"), None, 7), second);
        assert_eq!(watchdog(Some("1000000"), Some("7"), 7), second);
        assert_eq!(watchdog(Some("1000000"), Some("8"), 7), None);
        assert_eq!(watchdog(Some("0"), Some("7"), 7), None);
        assert_eq!(watchdog(Some("x"), Some("7"), 7), None);
        assert_eq!(watchdog(None, None, 7), None);
    }
}
