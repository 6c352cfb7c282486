//! A LAN of two machines: network namespaces with a cable between them. Nothing else is on it.

use crate::tools::skip::skip;
use nix::sched::{CloneFlags, setns};
use std::fs::File;
use std::net::{IpAddr, Ipv4Addr};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, JoinHandle};

/// Two namespaces. Dropping it deletes them.
pub struct Lan {
    id: String,
}

/// One of its machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Machine {
    /// 10.77.0.1, where cameras run.
    Camera,
    /// 10.77.0.2, where viewers run.
    Desk,
    /// 10.77.0.3, for a second camera, after [`Lan::with_second_camera`]. It does not receive what the first one sends.
    Second,
}

impl Lan {
    /// The address of the camera's machine.
    pub const CAMERA: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 77, 0, 1));

    /// Makes the namespaces. `None`, reported as a skip, if that is not allowed.
    pub fn new() -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let lan = Self { id: format!("lc{}n{count}", std::process::id() % 1_000_000) };
        match lan.build() {
            Ok(()) => Some(lan),
            Err(why) => {
                skip("network namespaces", &why);
                None
            }
        }
    }

    /// Adds a second machine for cameras.
    #[must_use]
    pub fn with_second_camera(self) -> Option<Self> {
        let (first, second) = (self.name(Machine::Camera), self.name(Machine::Second));
        let lay = || {
            ip(&["netns", "add", &second])?;
            let shared = ["link", "add", "link", "lan0", "name", "lan1", "type", "macvlan"];
            ip(&[&["-n", &first][..], &shared, &["mode", "bridge"]].concat())?;
            ip(&["-n", &first, "link", "set", "lan1", "netns", &second])?;
            ip(&["-n", &second, "link", "set", "lan1", "name", "lan0"])?;
            ip(&["-n", &second, "link", "set", "lo", "up"])?;
            ip(&["-n", &second, "addr", "add", "10.77.0.3/24", "dev", "lan0"])?;
            ip(&["-n", &second, "link", "set", "lan0", "up"])
        };
        match lay() {
            Ok(()) => Some(self),
            Err(why) => {
                skip("a third network namespace", &why);
                None
            }
        }
    }

    fn build(&self) -> Result<(), String> {
        let (camera, desk) = (self.name(Machine::Camera), self.name(Machine::Desk));
        ip(&["netns", "add", &camera])?;
        ip(&["netns", "add", &desk])?;
        let cable = ["link", "add", "lan0", "netns", &camera, "type", "veth"];
        ip(&[&cable[..], &["peer", "name", "lan0", "netns", &desk]].concat())?;
        for (namespace, address) in [(&camera, "10.77.0.1/24"), (&desk, "10.77.0.2/24")] {
            ip(&["-n", namespace, "link", "set", "lo", "up"])?;
            ip(&["-n", namespace, "addr", "add", address, "dev", "lan0"])?;
            // Skip the seconds in which IPv6 checks that an address is unused.
            let no_check = "echo 0 >/proc/sys/net/ipv6/conf/lan0/accept_dad || true";
            ip(&["netns", "exec", namespace, "sh", "-c", no_check])?;
            ip(&["-n", namespace, "link", "set", "lan0", "up"])?;
        }
        Ok(())
    }

    fn name(&self, machine: Machine) -> String {
        match machine {
            Machine::Camera => format!("{}c", self.id),
            Machine::Desk => format!("{}d", self.id),
            Machine::Second => format!("{}s", self.id),
        }
    }

    /// The same command with its environment, on that machine.
    pub fn on(&self, machine: Machine, command: &Command) -> Command {
        let mut inside = Command::new("ip");
        inside.args(["netns", "exec", &self.name(machine)]);
        inside.arg(command.get_program()).args(command.get_args());
        for (variable, value) in command.get_envs() {
            match value {
                Some(value) => inside.env(variable, value),
                None => inside.env_remove(variable),
            };
        }
        inside
    }

    /// Runs `work` on a thread whose sockets, and those of its threads, are on that machine.
    pub fn inside<T: Send + 'static>(
        &self,
        machine: Machine,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> JoinHandle<T> {
        let namespace = File::open(format!("/run/netns/{}", self.name(machine)));
        thread::spawn(move || {
            let namespace = namespace.expect("`ip netns` made it");
            setns(namespace, CloneFlags::CLONE_NEWNET).expect("who made it may enter");
            work()
        })
    }

    /// Runs `tc` on that machine.
    pub fn tc(&self, machine: Machine, arguments: &[&str]) -> Result<(), String> {
        let mut tc = Command::new("tc");
        said(self.on(machine, tc.args(arguments)).output())
    }

    /// Runs `ip` on that machine.
    pub fn ip(&self, machine: Machine, arguments: &[&str]) {
        let done = ip(&[&["-n", &self.name(machine)], arguments].concat());
        done.unwrap_or_else(|error| panic!("{arguments:?}: {error}"));
    }
}

impl Drop for Lan {
    fn drop(&mut self) {
        for machine in [Machine::Second, Machine::Camera, Machine::Desk] {
            // The second machine may not exist.
            let _ = ip(&["netns", "del", &self.name(machine)]);
        }
    }
}

fn ip(arguments: &[&str]) -> Result<(), String> {
    said(Command::new("ip").args(arguments).output())
}

/// The error output of a command that failed.
fn said(output: std::io::Result<Output>) -> Result<(), String> {
    let output = output.map_err(|error| format!("iproute2: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}
