//! The other end of an emulated machine's network cable. Asks by multicast DNS and reads the answers.

use lancam::wire::dns::{self, Name, QueryKind, Record};
use std::net::{Ipv4Addr, Ipv6Addr, UdpSocket};
use std::time::{Duration, Instant};

/// A neighbour with an IPv6 address of its own. The cable carries Ethernet frames in UDP packets.
pub struct Cable {
    socket: UdpSocket,
    qemu_port: u16,
}

impl Cable {
    pub fn new() -> Self {
        let free = || UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
        let (socket, theirs) = (free(), free());
        let qemu_port = theirs.local_addr().expect("bound").port();
        socket.set_read_timeout(Some(Duration::from_millis(200))).expect("a timeout");
        Self { socket, qemu_port }
    }

    /// QEMU's arguments for its end.
    pub fn qemu(&self) -> [String; 4] {
        let ours = self.socket.local_addr().expect("bound").port();
        let theirs = self.qemu_port;
        [
            "-netdev".into(),
            format!("socket,id=cable,udp=127.0.0.1:{ours},localaddr=127.0.0.1:{theirs}"),
            "-device".into(),
            // Not the first interface, whose address gives the machine its name.
            "virtio-net-pci,netdev=cable,romfile=,addr=0x10,mac=52:54:00:ca:b1:e0".into(),
        ]
    }

    /// Asks each second until `is_it` finds something in an answer. Returns that.
    pub fn ask<T>(&self, name: &Name, kind: QueryKind, is_it: impl Fn(&Record) -> Option<T>) -> T {
        let question = in_ethernet(&dns::query(&[(name, kind)]));
        let deadline = Instant::now() + Duration::from_secs(60);
        let mut asked_at = None;
        let mut frame = [0; 2048];
        loop {
            if asked_at.is_none_or(|at: Instant| at.elapsed() > Duration::from_secs(1)) {
                self.socket
                    .send_to(&question, (Ipv4Addr::LOCALHOST, self.qemu_port))
                    .expect("sends");
                asked_at = Some(Instant::now());
            }
            assert!(Instant::now() < deadline, "nobody answers for {name}");
            let Ok(len) = self.socket.recv(&mut frame) else { continue };
            let message = frame[..len].get(HEADERS..).unwrap_or_default();
            let from_mdns = frame[..len].get(HEADERS - 8..HEADERS - 6) == Some(&PORT.to_be_bytes());
            let records = if from_mdns { dns::records(message) } else { continue };
            if let Some(found) = records.unwrap_or_default().iter().find_map(&is_it) {
                return found;
            }
        }
    }
}

const PORT: u16 = 5353;
/// The length of the Ethernet, IPv6 and UDP headers.
const HEADERS: usize = 14 + 40 + 8;
const NEIGHBOUR: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
const EVERYBODY: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfb);
const UDP: u8 = 17;

/// A question in a UDP packet to the multicast DNS group.
fn in_ethernet(message: &[u8]) -> Vec<u8> {
    let len = u16::try_from(8 + message.len()).expect("a short message");
    let mut udp = Vec::new();
    for word in [PORT, PORT, len, 0] {
        udp.extend(word.to_be_bytes());
    }
    udp.extend(message);
    // RFC 8200, section 8.1: the checksum also covers the addresses, the length and the protocol.
    let pseudo = [&NEIGHBOUR.octets()[..], &EVERYBODY.octets(), &[0, 0], &len.to_be_bytes()];
    let sum = checksum(&[&pseudo.concat()[..], &[0, 0, 0, UDP], &udp].concat());
    udp[6..8].copy_from_slice(&sum.to_be_bytes());

    let mut frame = vec![0x33, 0x33, 0, 0, 0, 0xfb]; // that group's address (RFC 2464, section 7)
    frame.extend([2, 0, 0, 0, 0, 1, 0x86, 0xdd]); // from us, IPv6
    frame.extend([0x60, 0, 0, 0]);
    frame.extend(len.to_be_bytes());
    frame.extend([UDP, 255]);
    frame.extend(NEIGHBOUR.octets());
    frame.extend(EVERYBODY.octets());
    frame.extend(udp);
    frame
}

/// The checksum of RFC 1071.
fn checksum(bytes: &[u8]) -> u16 {
    let words = bytes
        .chunks(2)
        .map(|pair| u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |&low| u32::from(low)));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).expect("folded")
}

#[test]
fn a_question_is_a_packet_that_others_understand() {
    let frame = in_ethernet(&dns::query(&[(&Name::of("pi.local"), QueryKind::Aaaa)]));
    assert_eq!(frame.len(), HEADERS + 12 + 10 + 4);
    // With its own checksum included, a correct sum is 0.
    let len = &frame[HEADERS - 4..HEADERS - 2];
    let pseudo = [&frame[22..54], &[0, 0], len, &[0, 0, 0, UDP]].concat();
    assert_eq!(checksum(&[&pseudo[..], &frame[54..]].concat()), 0);
}
