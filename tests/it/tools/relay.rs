//! A machine in the middle: passes on what viewer and camera say, with a certificate of its own, and reads all of it. In front
//! of a camera of tests, it is what encrypts.

use lancam::camera::access::identity::{Identity, Names};
use lancam::net::tls::handshake::{Accepts, Client, Pin, Server};
use lancam::net::tls::stream::Secured;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// How long a handshake may take.
const SOON: Duration = Duration::from_secs(10);

/// How long one end is listened to before the other one has its turn.
const TURN: Duration = Duration::from_millis(5);

/// It listens until it is dropped.
pub struct Relay {
    address: SocketAddr,
    pin: Pin,
    heard: Arc<Mutex<Vec<u8>>>,
    is_over: Arc<AtomicBool>,
}

impl Relay {
    /// Listens at this port of loopback (0 for a free one), and passes on to another port, with TLS where the viewer speaks
    /// it.
    pub fn to(port: u16, camera: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("binds");
        Self::at(listener, (Ipv4Addr::LOCALHOST, camera).into())
    }

    /// Encrypts for a camera that does not.
    pub fn before(camera: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("binds");
        Self::with(Far::Plain, listener, (Ipv4Addr::LOCALHOST, camera).into())
    }

    /// Passes on from this listener to a camera, with TLS where the viewer speaks it.
    pub fn at(listener: TcpListener, camera: SocketAddr) -> Self {
        Self::with(Far::AsNear, listener, camera)
    }

    fn with(far: Far, listener: TcpListener, camera: SocketAddr) -> Self {
        let names = Names { name: "Garage", hosts: &[], addresses: &[] };
        let identity = Identity::new(names, Duration::ZERO).expect("randomness");
        let address = listener.local_addr().expect("bound");
        let heard = Arc::new(Mutex::new(Vec::new()));
        let is_over = Arc::new(AtomicBool::new(false));
        let pin = identity.server().pin();
        let relay = Self { address, pin, heard: Arc::clone(&heard), is_over: Arc::clone(&is_over) };
        thread::spawn(move || {
            for viewer in listener.incoming().map_while(Result::ok) {
                if is_over.load(Ordering::SeqCst) {
                    return;
                }
                let (heard, is_over) = (Arc::clone(&heard), Arc::clone(&is_over));
                let server = identity.server().clone();
                // A viewer that leaves makes this an error.
                thread::spawn(move || {
                    drop(pass_on(&viewer, (far, camera), &server, &heard, &is_over));
                });
            }
        });
        relay
    }

    pub fn address(&self) -> String {
        self.address.to_string()
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// SHA-256 of its certificate.
    pub fn pin(&self) -> Pin {
        self.pin
    }

    /// All that viewers have said to it.
    pub fn heard(&self) -> Vec<u8> {
        self.heard.lock().expect("no panic").clone()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
    }
}

/// How it speaks with the camera.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Far {
    /// As the viewer speaks with it.
    AsNear,
    /// Without TLS.
    Plain,
}

/// One end of a relayed connection.
struct End<'a> {
    stream: &'a TcpStream,
    secured: Option<Secured>,
}

impl End<'_> {
    /// What has come; `None` at the end.
    fn hear(&mut self, space: &mut [u8]) -> io::Result<Option<usize>> {
        let mut stream = self.stream;
        let heard = match &mut self.secured {
            Some(secured) => secured.read(stream, space),
            None => stream.read(space),
        };
        match heard {
            Ok(0) => Ok(None),
            Ok(count) => Ok(Some(count)),
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => Ok(Some(0)),
                _ => Err(error),
            },
        }
    }

    fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut stream = self.stream;
        match &mut self.secured {
            Some(secured) => secured.write_all(stream, bytes),
            None => stream.write_all(bytes),
        }
    }
}

fn pass_on(
    viewer: &TcpStream,
    (how, camera): (Far, SocketAddr),
    server: &Server,
    heard: &Mutex<Vec<u8>>,
    is_over: &AtomicBool,
) -> io::Result<()> {
    let far = TcpStream::connect(camera)?;
    let mut first = [0];
    viewer.set_read_timeout(Some(SOON))?;
    viewer.peek(&mut first)?;
    let until = Instant::now() + SOON;
    let is_tls = first[0] == 0x16;
    let (mut near_end, mut far_end) =
        (End { stream: viewer, secured: None }, End { stream: &far, secured: None });
    if is_tls {
        let greet = |handshake, stream| {
            Secured::greet(handshake, stream, Vec::new(), 64 << 10, until).map_err(io::Error::other)
        };
        let own = server.begin().map_err(io::Error::other)?;
        near_end.secured = Some(greet(own, viewer)?);
        if how == Far::AsNear {
            let other = Client::new(Accepts::Any).and_then(|client| client.begin());
            far_end.secured = Some(greet(other.map_err(io::Error::other)?, &far)?);
        }
    }
    for end in [&near_end, &far_end] {
        end.stream.set_read_timeout(Some(TURN))?;
        end.stream.set_write_timeout(Some(SOON))?;
    }
    let mut space = vec![0; 1 << 20];
    while !is_over.load(Ordering::SeqCst) {
        let Some(count) = near_end.hear(&mut space)? else { break };
        heard.lock().expect("no panic").extend_from_slice(&space[..count]);
        far_end.say(&space[..count])?;
        let Some(count) = far_end.hear(&mut space)? else { break };
        near_end.say(&space[..count])?;
    }
    viewer.shutdown(Shutdown::Both)
}
