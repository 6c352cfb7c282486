//! The port of multicast DNS: sends on one interface or to one peer, and says on which interface a message arrived.

use super::socket::{self, MDNS_PORT, MDNS_V4, MDNS_V6};
use nix::cmsg_space;
use nix::libc;
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, sendmsg, setsockopt,
    sockopt,
};
use std::io::{self, IoSlice, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

/// The port, for one address family.
#[derive(Debug)]
pub struct MulticastPort {
    socket: UdpSocket,
    group: IpAddr,
    /// The buffer for the kernel's information about a message.
    control: Vec<u8>,
}

/// A message that arrived.
#[derive(Debug, Clone, Copy)]
pub struct Received {
    /// How many bytes of the buffer it fills.
    pub len: usize,
    /// The sender.
    pub from: SocketAddr,
    /// The index of the interface on which it arrived.
    pub interface: u32,
    /// Whether it was sent to the multicast group, not to this machine alone.
    pub is_to_group: bool,
}

impl MulticastPort {
    /// The port for IPv4.
    ///
    /// # Errors
    /// When another program uses the port exclusively.
    pub fn open_v4() -> io::Result<Self> {
        let socket = socket::shared_port((Ipv4Addr::UNSPECIFIED, MDNS_PORT).into())?;
        setsockopt(&socket, sockopt::Ipv4PacketInfo, &true)?;
        let control = cmsg_space!(libc::in_pktinfo);
        Ok(Self { socket, group: MDNS_V4.into(), control })
    }

    /// The port for IPv6.
    ///
    /// # Errors
    /// When another program uses the port exclusively, or there is no IPv6.
    pub fn open_v6() -> io::Result<Self> {
        let socket = socket::shared_port((Ipv6Addr::UNSPECIFIED, MDNS_PORT).into())?;
        setsockopt(&socket, sockopt::Ipv6RecvPacketInfo, &true)?;
        let control = cmsg_space!(libc::in6_pktinfo);
        Ok(Self { socket, group: MDNS_V6.into(), control })
    }

    /// Receives from now on what is sent to the group on an interface.
    ///
    /// # Errors
    /// When there is no such interface, or the kernel allows no more memberships.
    pub fn join(&self, interface: u32) -> io::Result<()> {
        socket::join_group(&self.socket, self.group, interface)
    }

    /// Receives a message, if there is one. A message longer than `buffer` is dropped.
    ///
    /// # Errors
    /// The kernel's errors.
    pub fn receive(&mut self, buffer: &mut [u8]) -> io::Result<Option<Received>> {
        let mut parts = [IoSliceMut::new(buffer)];
        let fd = self.socket.as_raw_fd();
        let flags = MsgFlags::MSG_DONTWAIT;
        let message =
            match recvmsg::<SockaddrStorage>(fd, &mut parts, Some(&mut self.control), flags) {
                Ok(message) => message,
                Err(nix::errno::Errno::EAGAIN | nix::errno::Errno::EINTR) => return Ok(None),
                Err(error) => return Err(error.into()),
            };
        let from = message.address.as_ref().and_then(socket_addr);
        let is_whole = !message.flags.contains(MsgFlags::MSG_TRUNC);
        let len = if is_whole { message.bytes } else { 0 };
        let Some(way) = message.cmsgs()?.find_map(|control| way(&control)) else { return Ok(None) };
        let Some(from) = from else { return Ok(None) };
        let (interface, to) = way;
        Ok(Some(Received { len, from, interface, is_to_group: to == self.group }))
    }

    /// Sends `bytes` on an interface: to `peer`, or to the group.
    ///
    /// # Errors
    /// The kernel's errors, such as an interface that has disappeared or an address that is not ready yet.
    pub fn send(&self, bytes: &[u8], interface: u32, peer: Option<SocketAddr>) -> io::Result<()> {
        let parts = [IoSlice::new(bytes)];
        let fd = self.socket.as_raw_fd();
        let flags = MsgFlags::MSG_DONTWAIT;
        match self.group {
            IpAddr::V4(group) => {
                let to = peer.unwrap_or_else(|| SocketAddrV4::new(group, MDNS_PORT).into());
                let way = libc::in_pktinfo {
                    ipi_ifindex: i32::try_from(interface).map_err(io::Error::other)?,
                    ipi_spec_dst: libc::in_addr { s_addr: 0 },
                    ipi_addr: libc::in_addr { s_addr: 0 },
                };
                let way = [ControlMessage::Ipv4PacketInfo(&way)];
                sendmsg(fd, &parts, &way, flags, Some(&SockaddrStorage::from(to)))?;
            }
            IpAddr::V6(group) => {
                let to = peer
                    .unwrap_or_else(|| SocketAddrV6::new(group, MDNS_PORT, 0, interface).into());
                let way = libc::in6_pktinfo {
                    ipi6_addr: libc::in6_addr { s6_addr: [0; 16] },
                    ipi6_ifindex: interface,
                };
                let way = [ControlMessage::Ipv6PacketInfo(&way)];
                sendmsg(fd, &parts, &way, flags, Some(&SockaddrStorage::from(to)))?;
            }
        }
        Ok(())
    }
}

impl AsFd for MulticastPort {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn socket_addr(address: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = address.as_sockaddr_in().map(|address| SocketAddrV4::from(*address).into());
    v4.or_else(|| address.as_sockaddr_in6().map(|address| SocketAddrV6::from(*address).into()))
}

/// The interface on which a message arrived, and the address that it was sent to.
fn way(control: &ControlMessageOwned) -> Option<(u32, IpAddr)> {
    match control {
        ControlMessageOwned::Ipv4PacketInfo(info) => {
            let to = Ipv4Addr::from(info.ipi_addr.s_addr.to_ne_bytes());
            Some((u32::try_from(info.ipi_ifindex).ok()?, to.into()))
        }
        ControlMessageOwned::Ipv6PacketInfo(info) => {
            Some((info.ipi6_ifindex, Ipv6Addr::from(info.ipi6_addr.s6_addr).into()))
        }
        _ => None,
    }
}
