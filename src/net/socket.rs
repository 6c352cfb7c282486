//! Creates and tunes sockets for both programs. Only this file names `socket2`.

use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

/// A peer that acknowledges nothing for this long is gone, such as an unplugged cable or a sleeping laptop.
#[cfg(target_os = "linux")]
const DEAD_PEER: Duration = Duration::from_secs(10);

/// The most connections waiting to be accepted. The default limit of every system is higher.
const BACKLOG: i32 = 128;

/// Room for TCP's and IP's headers around a frame, and for small messages between frames.
#[cfg(target_os = "linux")]
const SEND_SLACK: usize = 16 << 10;

/// Listens on `address`. A listener on IPv6's `[::]` also accepts IPv4.
///
/// # Errors
/// When the address is in use, or does not belong to this machine.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        // One listener for both families, whatever net.ipv6.bindv6only says.
        socket.set_only_v6(false)?;
    }
    // A restarted camera gets its port back at once, even if old connections are still in TIME_WAIT. (On Windows, this
    // option would let another program take over the port.)
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Connects to `address` as a viewer does.
///
/// # Errors
/// When nothing answers within `timeout`.
pub fn connect(address: SocketAddr, timeout: Duration) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, timeout)?;
    tune(&stream)?;
    Ok(stream)
}

/// Sets the options that both ends of a connection need.
fn tune(stream: &TcpStream) -> io::Result<()> {
    let socket = SockRef::from(stream);
    // Send acknowledgements and the last part of a frame at once. Nagle's algorithm would wait for more data.
    socket.set_tcp_nodelay(true)?;
    // While nothing is being sent, keepalive probes detect a lost peer after 5 s of silence ...
    let keepalive = TcpKeepalive::new().with_time(Duration::from_secs(5));
    #[cfg(any(target_os = "linux", target_os = "macos", windows))]
    let keepalive = keepalive.with_interval(Duration::from_secs(2));
    socket.set_tcp_keepalive(&keepalive)?;
    // ... and while something is being sent, the user timeout detects missing acknowledgements.
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(DEAD_PEER))?;
    Ok(())
}

/// A socket whose multicasts leave by the interface with `address`. They are looped back to this machine too.
///
/// # Errors
/// When the address no longer belongs to this machine.
pub fn multicast_v4(address: Ipv4Addr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_multicast_if_v4(&address)?;
    socket.set_multicast_ttl_v4(MDNS_HOPS)?;
    socket.set_multicast_loop_v4(true)?;
    socket.bind(&SocketAddr::from((address, 0)).into())?;
    Ok(socket.into())
}

/// The same for IPv6, where the interface is given by its index.
///
/// # Errors
/// When there is no such interface, or no IPv6.
pub fn multicast_v6(interface: u32) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::IPV6, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_only_v6(true)?;
    socket.set_multicast_if_v6(interface)?;
    socket.set_multicast_hops_v6(MDNS_HOPS)?;
    socket.set_multicast_loop_v6(true)?;
    socket.bind(&SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)).into())?;
    Ok(socket.into())
}

/// A socket at a UDP `port` that other programs on this machine share. It receives a group only on interfaces where it
/// [joins](join_group) it.
///
/// # Errors
/// When another program uses the port exclusively, or the address family is not available.
#[cfg(all(feature = "camera", target_os = "linux"))]
pub fn shared_port(port: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(port), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_reuse_address(true)?;
    // Some programs set one of these options, some the other, most both.
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    if port.is_ipv4() {
        socket.set_multicast_ttl_v4(MDNS_HOPS)?;
        socket.set_ttl_v4(MDNS_HOPS)?;
        socket.set_multicast_loop_v4(true)?;
        socket.set_multicast_all_v4(false)?;
    } else {
        socket.set_only_v6(true)?;
        socket.set_multicast_hops_v6(MDNS_HOPS)?;
        socket.set_unicast_hops_v6(MDNS_HOPS)?;
        socket.set_multicast_loop_v6(true)?;
        // Needs Linux 4.20. On older kernels the socket receives more groups than it should; the caller ignores messages
        // from unknown interfaces.
        let _ = socket.set_multicast_all_v6(false);
    }
    socket.bind(&port.into())?;
    Ok(socket.into())
}

/// Makes `socket` receive `group` on an interface.
///
/// # Errors
/// When there is no such interface, or the kernel allows no more memberships.
#[cfg(all(feature = "camera", target_os = "linux"))]
pub fn join_group(socket: &UdpSocket, group: std::net::IpAddr, interface: u32) -> io::Result<()> {
    let socket = SockRef::from(socket);
    let joined = match group {
        std::net::IpAddr::V4(group) => {
            let interface = socket2::InterfaceIndexOrAddress::Index(interface);
            socket.join_multicast_v4_n(&group, &interface)
        }
        std::net::IpAddr::V6(group) => socket.join_multicast_v6(&group, interface),
    };
    match joined {
        // It is a member already.
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Ok(()),
        joined => joined,
    }
}

/// The IPv4 group of multicast DNS (RFC 6762, section 3).
pub const MDNS_V4: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);
/// The IPv6 group.
pub const MDNS_V6: Ipv6Addr = Ipv6Addr::new(0xFF02, 0, 0, 0, 0, 0, 0, 0xFB);
/// The port for both.
pub const MDNS_PORT: u16 = 5353;

/// The hop limit of multicast DNS, by which a receiver can see that no router forwarded a message (RFC 6762, section 11).
const MDNS_HOPS: u32 = 255;

/// The camera's end of a connection: controls how much the kernel buffers for it.
#[cfg(target_os = "linux")]
#[derive(Debug, Default)]
pub struct SendBuffer {
    /// The frame length that the buffer has room for.
    frame_len: usize,
}

#[cfg(target_os = "linux")]
impl SendBuffer {
    /// Tunes an accepted connection for frames. Call [`make_room`](Self::make_room) before sending one.
    ///
    /// # Errors
    /// When the peer has left already.
    pub fn for_accepted(stream: &TcpStream) -> io::Result<Self> {
        tune(stream)?;
        // A session waits by epoll for its socket and for the next frame at the same time.
        stream.set_nonblocking(true)?;
        Ok(Self::default())
    }

    /// Makes room for a frame of `frame_len` bytes, so that one `writev` takes all of it. Makes two system calls if frames
    /// have grown, else none. Returns the buffer size that the kernel granted, if it was asked.
    ///
    /// # Errors
    /// When the socket is closed.
    pub fn make_room(&mut self, stream: &TcpStream, frame_len: usize) -> io::Result<Option<usize>> {
        if frame_len <= self.frame_len {
            return Ok(None);
        }
        // A quarter more, so that slowly growing frames do not need a new call each time.
        self.frame_len = frame_len + frame_len / 4;
        self.widen(stream)?;
        SockRef::from(stream).send_buffer_size().map(Some)
    }

    /// Makes the socket writable only when nothing is unsent and at most `bytes` are unacknowledged. After this, a waiting
    /// thread must arm epoll again ([`EPOLL_CTL_MOD`]). Before writing a frame, call [`widen`](Self::widen), because
    /// `sendmsg` stops at the same limits.
    ///
    /// [`EPOLL_CTL_MOD`]: https://man7.org/linux/man-pages/man2/epoll_ctl.2.html
    ///
    /// # Errors
    /// When the socket is closed.
    pub fn narrow(&self, stream: &TcpStream, bytes: usize) -> io::Result<()> {
        let socket = SockRef::from(stream);
        socket.set_tcp_notsent_lowat(1)?;
        // A socket is writable below two thirds of its buffer, and the kernel doubles the given size.
        socket.set_send_buffer_size(bytes / 4 * 3)
    }

    /// Undoes [`narrow`](Self::narrow).
    ///
    /// # Errors
    /// When the socket is closed.
    pub fn widen(&self, stream: &TcpStream) -> io::Result<()> {
        let room = self.frame_len + SEND_SLACK;
        let socket = SockRef::from(stream);
        // The kernel doubles the size for its own bookkeeping, and limits it to net.core.wmem_max.
        socket.set_send_buffer_size(room)?;
        // The socket is writable, and takes a frame, while less than one frame is unsent. The limit must not be lower,
        // because `sendmsg` stops at it too. It must not be higher, because an old frame would be queued.
        socket.set_tcp_notsent_lowat(u32::try_from(room).unwrap_or(u32::MAX))
    }
}

/// How much of the written data the kernel still holds.
#[cfg(all(feature = "camera", target_os = "linux"))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Bytes that have not been sent.
    pub unsent: usize,
    /// Bytes that have not been acknowledged, including the unsent ones.
    pub unacknowledged: usize,
}

/// Asks the kernel how much it still holds. Takes one system call if that is nothing, else two.
///
/// # Errors
/// When the socket is closed.
#[cfg(all(feature = "camera", target_os = "linux"))]
pub fn held(stream: &TcpStream) -> io::Result<Held> {
    let unacknowledged = raw::count(stream, raw::unacknowledged)?;
    let unsent = match unacknowledged {
        0 => 0,
        _ => raw::count(stream, raw::unsent)?,
    };
    Ok(Held { unsent, unacknowledged })
}

/// What the kernel has measured about the path to a peer.
#[cfg(all(feature = "camera", target_os = "linux"))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Path {
    /// The minimum of the last minutes. Zero before the first round trip.
    pub least_round_trip: Duration,
    /// The recent delivery rate. Zero before anything was measured.
    pub bytes_a_second: u64,
}

#[cfg(all(feature = "camera", target_os = "linux"))]
impl Path {
    /// How long this many bytes take at that rate.
    pub fn time_for(&self, bytes: usize) -> Duration {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let micros = bytes.saturating_mul(1_000_000).checked_div(self.bytes_a_second);
        Duration::from_micros(micros.unwrap_or(0))
    }
}

/// Asks the kernel about the path to the peer. Takes one system call.
///
/// # Errors
/// When the socket is closed.
#[cfg(all(feature = "camera", target_os = "linux"))]
pub fn path(stream: &TcpStream) -> io::Result<Path> {
    let info = raw::tcp_info(stream)?;
    let low = u64::from(info[raw::DELIVERY_RATE]);
    let high = u64::from(info[raw::DELIVERY_RATE + 1]);
    let (low, high) = if cfg!(target_endian = "little") { (low, high) } else { (high, low) };
    let least = match info[raw::MIN_RTT] {
        // There was no round trip yet.
        u32::MAX => 0,
        micros => micros,
    };
    Ok(Path {
        least_round_trip: Duration::from_micros(least.into()),
        bytes_a_second: high << 32 | low,
    })
}

/// Calls of tcp(7) that no crate has.
#[cfg(all(feature = "camera", target_os = "linux"))]
mod raw {
    use nix::libc;
    use std::io;
    use std::net::TcpStream;
    use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

    /// The kernel's `struct tcp_info` (<linux/tcp.h>) as an array of numbers. It grows at its end. Fields that an older
    /// kernel does not know stay zero.
    pub(super) type TcpInfo = [u32; 64];

    /// `tcpi_min_rtt`, in microseconds. Since Linux 4.6.
    pub(super) const MIN_RTT: usize = 148 / 4;

    /// `tcpi_delivery_rate`, in bytes per second, 64 bits in two of these numbers. Since Linux 4.9.
    pub(super) const DELIVERY_RATE: usize = 160 / 4;

    pub(super) fn tcp_info(stream: &TcpStream) -> io::Result<TcpInfo> {
        let mut info: TcpInfo = [0; 64];
        let mut len: libc::socklen_t = 256;
        let (level, name) = (libc::IPPROTO_TCP, libc::TCP_INFO);
        let to = info.as_mut_ptr().cast();
        // SAFETY: the socket is open, and the kernel writes at most `len` bytes into `info`, which has that many.
        let outcome =
            unsafe { libc::getsockopt(stream.as_raw_fd(), level, name, to, &raw mut len) };
        nix::errno::Errno::result(outcome)?;
        Ok(info)
    }

    mod ioctl {
        nix::ioctl_read_bad!(siocoutq, nix::libc::TIOCOUTQ, nix::libc::c_int);
        // <linux/sockios.h>; the same on every architecture.
        nix::ioctl_read_bad!(siocoutqnsd, 0x894B, nix::libc::c_int);
    }

    type Call = fn(BorrowedFd<'_>, &mut i32) -> nix::Result<i32>;

    pub(super) fn unacknowledged(fd: BorrowedFd<'_>, count: &mut i32) -> nix::Result<i32> {
        // SAFETY: a borrowed descriptor is open, and the kernel writes one int into `count`.
        unsafe { ioctl::siocoutq(fd.as_raw_fd(), count) }
    }

    pub(super) fn unsent(fd: BorrowedFd<'_>, count: &mut i32) -> nix::Result<i32> {
        // SAFETY: as above.
        unsafe { ioctl::siocoutqnsd(fd.as_raw_fd(), count) }
    }

    pub(super) fn count(stream: &TcpStream, call: Call) -> io::Result<usize> {
        let mut count = 0;
        call(stream.as_fd(), &mut count)?;
        Ok(usize::try_from(count).unwrap_or(0))
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn an_accepted_socket_has_every_option_set() {
        for address in ["[::]:0", "0.0.0.0:0", "127.0.0.1:0"] {
            let listener = match listen(address.parse().expect("an address")) {
                Ok(listener) => listener,
                Err(error) if address.starts_with('[') => {
                    eprintln!("skipped: {address}: {error}");
                    continue;
                }
                Err(error) => panic!("{address}: {error}"),
            };
            assert!(SockRef::from(&listener).reuse_address().expect("readable"));
            let port = listener.local_addr().expect("bound").port();
            // IPv4 reaches each of them, because [::] is dual-stack.
            let viewer = connect(([127, 0, 0, 1], port).into(), Duration::from_secs(10));
            let viewer = viewer.expect("connects");
            let (accepted, _) = listener.accept().expect("accepts");
            let mut buffer = SendBuffer::for_accepted(&accepted).expect("tunes");
            let socket = SockRef::from(&accepted);
            assert!(socket.tcp_nodelay().expect("readable"), "TCP_NODELAY");
            assert!(socket.keepalive().expect("readable"), "SO_KEEPALIVE");
            assert_eq!(socket.tcp_keepalive_time().expect("readable"), Duration::from_secs(5));
            assert_eq!(socket.tcp_user_timeout().expect("readable"), Some(DEAD_PEER));
            assert!(socket.nonblocking().expect("readable"));
            let granted = buffer.make_room(&accepted, 80_000).expect("asks").expect("granted");
            assert_eq!(socket.send_buffer_size().expect("readable"), granted);
            assert!(granted >= 100_000 + SEND_SLACK, "room for the frame: {granted}");
            assert_eq!(
                usize::try_from(socket.tcp_notsent_lowat().expect("readable")),
                Ok(100_000 + SEND_SLACK)
            );
            assert_eq!(buffer.make_room(&accepted, 90_000).expect("fits already"), None);
            assert!(buffer.make_room(&accepted, 120_000).expect("asks again").is_some());
            assert!(SockRef::from(&viewer).tcp_nodelay().expect("readable"));
        }
    }
}
