//! A LAN of two machines: network namespaces with a cable between them. Nothing else is on it, unless a third machine is put
//! in between.

use crate::tools::skip::skip;
use crate::tools::until::wait_until;
use nix::sched::{CloneFlags, setns};
use socket2::{Domain, Socket, Type};
use std::fs::File;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
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
    /// 10.77.0.9, through which all goes that the other two say to each other, after [`Lan::with_a_machine_between`].
    Between,
}

/// What [`Lan::take_the_cameras_place`] looks up for what comes from viewers.
const TAKEN: &str = "100";

impl Lan {
    /// The address of the camera's machine.
    pub const CAMERA: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 77, 0, 1));

    /// Makes the namespaces. `None`, reported as a skip, if that is not allowed.
    pub fn new() -> Option<Self> {
        Self::built_by(Self::build)
    }

    /// The same with a machine between the two, which answers on the cable of each for the other one, and passes packets on.
    pub fn with_a_machine_between() -> Option<Self> {
        Self::built_by(Self::build_around)
    }

    fn built_by(build: impl FnOnce(&Self) -> Result<(), String>) -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let lan = Self { id: format!("lc{}n{count}", std::process::id() % 1_000_000) };
        match build(&lan) {
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
        lay_cable((&camera, "lan0"), (&desk, "lan0"))?;
        plug_in(&camera, "lan0", "10.77.0.1/24")?;
        plug_in(&desk, "lan0", "10.77.0.2/24")
    }

    fn build_around(&self) -> Result<(), String> {
        let [camera, between, desk] =
            [Machine::Camera, Machine::Between, Machine::Desk].map(|machine| self.name(machine));
        for namespace in [&camera, &between, &desk] {
            ip(&["netns", "add", namespace])?;
        }
        lay_cable((&camera, "lan0"), (&between, "far"))?;
        lay_cable((&between, "near"), (&desk, "lan0"))?;
        plug_in(&camera, "lan0", "10.77.0.1/24")?;
        plug_in(&desk, "lan0", "10.77.0.2/24")?;
        for (device, machine) in [("far", "10.77.0.1/32"), ("near", "10.77.0.2/32")] {
            plug_in(&between, device, "10.77.0.9/32")?;
            ip(&["-n", &between, "route", "add", machine, "dev", device])?;
        }
        let passes_on = "cd /proc/sys/net/ipv4 && echo 1 >ip_forward && for device in far near; do \
            echo 1 >conf/$device/proxy_arp && echo 0 >neigh/$device/proxy_delay; done";
        ip(&["netns", "exec", &between, "sh", "-c", passes_on])
    }

    /// From here on, the machine in between takes what viewers send to the camera's address, and passes on nothing of it.
    pub fn take_the_cameras_place(&self) {
        let camera = format!("{}/32", Self::CAMERA);
        let machine = Machine::Between;
        self.ip(machine, &["route", "add", "local", &camera, "dev", "lo", "table", TAKEN]);
        self.ip(machine, &["rule", "add", "pref", "1", "iif", "near", "lookup", TAKEN]);
    }

    /// From here on, it passes on all again.
    pub fn give_the_cameras_place_back(&self) {
        self.ip(Machine::Between, &["rule", "del", "pref", "1"]);
    }

    /// Listens on the machine in between, at this port of the camera's address, as soon as nobody else does.
    pub fn listen_in_the_cameras_place(&self, port: u16) -> TcpListener {
        let listens = move || {
            wait_until("a free port", || {
                let socket = Socket::new(Domain::IPV4, Type::STREAM, None).ok()?;
                socket.set_reuse_address(true).ok()?;
                // The address is another machine's.
                socket.set_ip_transparent_v4(true).ok()?;
                socket.bind(&SocketAddr::new(Self::CAMERA, port).into()).ok()?;
                socket.listen(16).ok()?;
                Some(TcpListener::from(socket))
            })
        };
        self.inside(Machine::Between, listens).join().expect("no panic")
    }

    fn name(&self, machine: Machine) -> String {
        match machine {
            Machine::Camera => format!("{}c", self.id),
            Machine::Desk => format!("{}d", self.id),
            Machine::Second => format!("{}s", self.id),
            Machine::Between => format!("{}b", self.id),
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
        for machine in [Machine::Second, Machine::Between, Machine::Camera, Machine::Desk] {
            // A third machine may not exist.
            let _ = ip(&["netns", "del", &self.name(machine)]);
        }
    }
}

/// A cable between two plugs of machines.
fn lay_cable(one: (&str, &str), other: (&str, &str)) -> Result<(), String> {
    let cable = ["link", "add", one.1, "netns", one.0, "type", "veth"];
    ip(&[&cable[..], &["peer", "name", other.1, "netns", other.0]].concat())
}

/// Gives an address to a machine's plug, and begins to use it.
fn plug_in(namespace: &str, device: &str, address: &str) -> Result<(), String> {
    ip(&["-n", namespace, "link", "set", "lo", "up"])?;
    ip(&["-n", namespace, "addr", "add", address, "dev", device])?;
    // Skip the seconds in which IPv6 checks that an address is unused.
    let no_check = format!("echo 0 >/proc/sys/net/ipv6/conf/{device}/accept_dad || true");
    ip(&["netns", "exec", namespace, "sh", "-c", &no_check])?;
    ip(&["-n", namespace, "link", "set", device, "up"])
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
