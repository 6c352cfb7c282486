//! A listener on the wire of a LAN: it has a copy of each packet, as tcpdump has.

use crate::tools::lan::{Lan, Machine};
use socket2::{Domain, Protocol, Socket, Type};
use std::collections::BTreeMap;
use std::io::{ErrorKind, Read};
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// Every protocol (linux/if_ether.h).
const ETH_P_ALL: u16 = 3;

/// The longest packet that a cable between namespaces carries: some segments at once, and their head.
const LONGEST: usize = 1 << 18;

/// It listens until it is dropped.
pub struct Listener {
    heard: Arc<Mutex<Vec<Vec<u8>>>>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    /// Hears all that this machine sends and receives.
    pub fn on(lan: &Lan, machine: Machine) -> Self {
        let heard: Arc<Mutex<Vec<_>>> = Arc::default();
        let is_over: Arc<AtomicBool> = Arc::default();
        let (notes, ends) = (Arc::clone(&heard), Arc::clone(&is_over));
        let opens = lan.inside(machine, || {
            let all = Protocol::from(i32::from(ETH_P_ALL.to_be()));
            let socket = Socket::new(Domain::PACKET, Type::RAW, Some(all)).expect("root may");
            socket.set_recv_buffer_size(64 << 20).expect("the kernel gives what it may");
            socket.set_read_timeout(Some(Duration::from_millis(50))).expect("sets a timeout");
            socket
        });
        let mut socket = opens.join().expect("it is open");
        let thread = std::thread::spawn(move || {
            let mut packet = vec![0; LONGEST];
            while !ends.load(Ordering::SeqCst) {
                match socket.read(&mut packet) {
                    Ok(len) => notes.lock().expect("no panic").push(packet[..len].to_vec()),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    Err(error) => panic!("{error}"),
                }
            }
        });
        Self { heard, is_over, thread: Some(thread) }
    }

    /// All packets, one behind the other.
    pub fn heard(&self) -> Vec<u8> {
        self.heard.lock().expect("no panic").concat()
    }

    /// How many packets came.
    pub fn packets(&self) -> usize {
        self.heard.lock().expect("no panic").len()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        drop(self.thread.take().map(JoinHandle::join));
    }
}

/// What each connection has sent to this address and port so far, by TCP over IPv4, on a cable that loses nothing.
pub fn sent_to(listener: &Listener, to: SocketAddr) -> Vec<Vec<u8>> {
    let mut connections: BTreeMap<u16, Vec<u8>> = BTreeMap::new();
    for packet in listener.heard.lock().expect("no panic").iter() {
        let Some((from, bytes)) = segment_to(packet, to) else { continue };
        connections.entry(from).or_default().extend_from_slice(bytes);
    }
    connections.into_values().collect()
}

/// The sender's port and the data of an Ethernet packet that goes there (RFC 791, RFC 9293).
fn segment_to(packet: &[u8], to: SocketAddr) -> Option<(u16, &[u8])> {
    let IpAddr::V4(address) = to.ip() else { return None };
    let ip = packet.get(14..).filter(|_| packet[12..14] == [0x08, 0x00])?;
    let is_tcp = *ip.get(9)? == 6 && ip.get(16..20)? == address.octets();
    let len = usize::from(u16::from_be_bytes([ip[2], ip[3]]));
    let tcp = ip.get(usize::from(ip[0] & 15) * 4..len).filter(|_| is_tcp)?;
    let port = |at: usize| Some(u16::from_be_bytes([*tcp.get(at)?, *tcp.get(at + 1)?]));
    let data = tcp.get(usize::from(*tcp.get(12)? >> 4) * 4..)?;
    (port(2)? == to.port()).then_some((port(0)?, data))
}
