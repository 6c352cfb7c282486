//! The network interfaces that lead to a LAN, and the kernel's notifications when they change.

use super::on_link::prefix_of;
use crate::prefix::Prefix;
use nix::errno::Errno;
use nix::ifaddrs::getifaddrs;
use nix::net::if_::{InterfaceFlags, if_nametoindex};
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, socket,
};
use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// An interface that is up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Addressed {
    /// Its addresses, each with the prefix length of its network.
    pub addresses: Vec<Prefix>,
}

/// The interfaces that lead to a LAN, by index: up, with a carrier, multicast possible; not loopback, not a tunnel.
///
/// # Errors
/// When the kernel does not list them.
pub fn of_lan() -> io::Result<BTreeMap<u32, Addressed>> {
    let needed =
        InterfaceFlags::IFF_UP | InterfaceFlags::IFF_RUNNING | InterfaceFlags::IFF_MULTICAST;
    let unwanted = InterfaceFlags::IFF_LOOPBACK | InterfaceFlags::IFF_POINTOPOINT;
    let mut found: BTreeMap<u32, Addressed> = BTreeMap::new();
    for interface in getifaddrs()? {
        if !interface.flags.contains(needed) || interface.flags.intersects(unwanted) {
            continue;
        }
        let Some(address) = prefix_of(&interface) else { continue };
        // The interface has disappeared. The kernel's notification is on its way.
        let Ok(index) = if_nametoindex(interface.interface_name.as_str()) else { continue };
        let addresses = &mut found.entry(index).or_default().addresses;
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    Ok(found)
}

/// Becomes readable when interfaces or addresses have changed.
#[derive(Debug)]
pub struct Changes(OwnedFd);

/// Groups of <linux/rtnetlink.h>: links, and addresses of both families.
const GROUPS: u32 = 0x1 | 0x10 | 0x100;

impl Changes {
    /// Listens for changes from now on.
    ///
    /// # Errors
    /// When this process is not allowed to.
    pub fn listen() -> io::Result<Self> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let kind = SockProtocol::NetlinkRoute;
        let socket = socket(AddressFamily::Netlink, SockType::Raw, flags, kind)?;
        bind(socket.as_raw_fd(), &NetlinkAddr::new(0, GROUPS))?;
        Ok(Self(socket))
    }

    /// Whether anything changed since the last call.
    pub fn take(&self) -> bool {
        let mut buffer = [0; 8192];
        let mut any = false;
        // As many messages as the kernel keeps. Later ones are read by the next call.
        for _ in 0..64 {
            match recv(self.0.as_raw_fd(), &mut buffer, MsgFlags::MSG_DONTWAIT) {
                Ok(count) if count > 0 => any = true,
                // Some messages were lost.
                Err(Errno::ENOBUFS) => any = true,
                _ => break,
            }
        }
        any
    }
}

impl AsFd for Changes {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
