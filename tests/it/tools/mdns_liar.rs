//! Answers questions for cameras with cameras that do not exist: a few, or as many as possible.

use crate::tools::lan::{Lan, Machine};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);
const PORT: u16 = 5353;

/// Listens until it is dropped.
pub struct Liar {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// A camera that does not exist.
#[derive(Clone)]
pub struct Lie {
    pub name: Vec<u8>,
    pub id: Vec<u8>,
    pub version: Vec<u8>,
    pub port: u16,
}

impl Liar {
    /// Answers each question once, with these cameras.
    pub fn telling(lan: &Lan, machine: Machine, at: Ipv4Addr, lies: Vec<Lie>) -> Self {
        Self::start(lan, machine, at, move |socket, asker| {
            socket.send_to(&answer(&lies), asker).map(drop)
        })
    }

    /// Answers the first question of its own machine for `time`, as fast as it can, with a dozen more cameras each time.
    pub fn flooding(lan: &Lan, machine: Machine, at: Ipv4Addr, time: Duration) -> Self {
        Self::start(lan, machine, at, move |socket, asker| {
            // A camera asks and announces too, and would get all that is meant for the viewer.
            if asker.ip() != at {
                return Ok(());
            }
            let end = Instant::now() + time;
            let mut number = 0_u64;
            while Instant::now() < end {
                let lies = [(); 12].map(|()| {
                    number += 1;
                    let (name, id) = (format!("c{number}").into(), format!("i{number}").into());
                    Lie { name, id, version: b"1".to_vec(), port: 9999 }
                });
                // Continue even if the buffer is full.
                let _ = socket.send_to(&answer(&lies), asker);
            }
            Ok(())
        })
    }

    fn start(
        lan: &Lan,
        machine: Machine,
        at: Ipv4Addr,
        tell: impl Fn(&UdpSocket, SocketAddr) -> io::Result<()> + Send + 'static,
    ) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let (sender, ready) = std::sync::mpsc::channel();
        let thread = lan.inside(machine, move || {
            let socket = listen(at).expect("the port can be shared");
            sender.send(()).expect("it waits");
            let mut question = [0; 9000];
            while !over.load(Ordering::SeqCst) {
                if let Ok((_, asker)) = socket.recv_from(&mut question) {
                    // The viewer may be gone.
                    let _ = tell(&socket, asker);
                }
            }
        });
        ready.recv().expect("it listens");
        Self { is_over, thread: Some(thread) }
    }
}

impl Drop for Liar {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("it does not panic");
        }
    }
}

fn listen(at: Ipv4Addr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.bind(&SockAddr::from(SocketAddr::from((Ipv4Addr::UNSPECIFIED, PORT))))?;
    let socket = UdpSocket::from(socket);
    socket.join_multicast_v4(&GROUP, &at)?;
    socket.set_read_timeout(Some(Duration::from_millis(100)))?;
    Ok(socket)
}

/// A DNS message (RFC 1035, section 4) with the place and facts of each camera.
fn answer(lies: &[Lie]) -> Vec<u8> {
    let service = name(&[b"_lancam", b"_tcp", b"local"]);
    let mut records = Vec::new();
    let mut count = 0_u16;
    let mut record = |owner: &[u8], kind: u16, data: &[u8]| {
        records.extend(owner);
        records.extend([kind.to_be_bytes(), 1_u16.to_be_bytes()].concat());
        records.extend(120_u32.to_be_bytes());
        records.extend(u16::try_from(data.len()).expect("short").to_be_bytes());
        records.extend(data);
        count += 1;
    };
    for Lie { name: own, id, version, port } in lies {
        let instance = [&[u8::try_from(own.len()).expect("short")][..], own, &service].concat();
        record(&service, 12, &instance);
        let host = name(&[b"nowhere", b"local"]);
        record(&instance, 33, &[&[0, 0, 0, 0], &port.to_be_bytes()[..], &host].concat());
        let facts = [[&b"id="[..], id].concat(), [&b"version="[..], version].concat()];
        record(&instance, 16, &facts.map(|fact| label(&fact)).concat());
    }
    let header = [0, 0, 0x84, 0, 0, 0].into_iter().chain(count.to_be_bytes()).chain([0; 4]);
    header.chain(records).collect()
}

fn name(labels: &[&[u8]]) -> Vec<u8> {
    let mut name: Vec<u8> = labels.iter().flat_map(|text| label(text)).collect();
    name.push(0);
    name
}

fn label(text: &[u8]) -> Vec<u8> {
    [&[u8::try_from(text.len()).expect("short")][..], text].concat()
}
