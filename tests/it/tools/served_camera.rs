//! A camera of this process that shows an identity, on loopback: open, or closed to clients without a key.

use crate::tools::camera_process::PATIENCE;
use lancam::camera::access::Access;
use lancam::camera::access::day::Day;
use lancam::camera::access::folder::Folder;
use lancam::camera::access::identity::{Identity, Names};
use lancam::camera::access::keys::Sealing;
use lancam::camera::connection_log::ConnectionLog;
use lancam::camera::connections::Connections;
use lancam::camera::context::{Camera, HttpRules};
use lancam::camera::encode::Coding;
use lancam::camera::metrics::Metrics;
use lancam::camera::roster::Roster;
use lancam::camera::roster::wish::Wish;
use lancam::camera::session;
use lancam::camera::session_end::SessionEnd;
use lancam::camera::supervisor;
use lancam::clock;
use lancam::image::pixels::Chroma;
use lancam::image::size_wish::SizeWish;
use lancam::image::unpack::RawLook;
use lancam::net::tls::handshake::Pin;
use lancam::source::{CaptureWish, Opener, SourceSpec};
use lancam::stop::Stop;
use lancam::wire::access::key::May;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How many may watch.
const SEATS: usize = 4;

/// A camera that shows an identity, until it is dropped.
pub struct ServedCamera {
    pub port: u16,
    pub pin: Pin,
    /// Its certificate (DER).
    pub certificate: Vec<u8>,
    /// Who may watch; `None` if everybody may.
    pub access: Option<Arc<Access>>,
    _folder: tempfile::TempDir,
    stop: Stop,
    ends: Receiver<SessionEnd>,
    capture: Option<JoinHandle<()>>,
}

impl ServedCamera {
    /// A camera that everybody may watch.
    pub fn open() -> Self {
        Self::new(Connections::new(SEATS), |_, _| None)
    }

    /// A camera that wants keys. No client of this process is asked for more than others.
    pub fn with_keys() -> Self {
        Self::with_keys_for(Connections::new(SEATS))
    }

    /// The same with so many places.
    pub fn with_keys_for(connections: Connections) -> Self {
        Self::new(connections, |folder, pin| {
            let folder = Folder::open(&folder.path().join("state")).expect("made");
            Some(Arc::new(Access::open(folder, pin).expect("opens")))
        })
    }

    fn new(
        connections: Connections,
        access: impl FnOnce(&tempfile::TempDir, Pin) -> Option<Arc<Access>>,
    ) -> Self {
        let names = Names { name: "Garage", hosts: &[], addresses: &[[127, 0, 0, 1].into()] };
        let identity = Identity::new(names, Duration::ZERO).expect("randomness");
        let folder = tempfile::tempdir().expect("a folder");
        let pin = identity.server().pin();
        let access = access(&folder, pin);
        let stop = Stop::new().expect("eventfd");
        let own = Coding::Jpeg { quality: 80, chroma: Chroma::Yuv420 };
        let metrics = Arc::new(Metrics::new(clock::now()));
        let camera = Camera {
            name: "Garage".into(),
            id: String::new(),
            roster: Roster::new(Wish::own(own, SizeWish::default()), 1, &metrics).expect("eventfd"),
            metrics,
            notices: Arc::default(),
            tls: Some(identity.server().clone()),
            tutorial: None,
            http: HttpRules::default(),
            controls: None,
            access: access.clone(),
            connections,
            stop: stop.clone(),
        };
        let capture = Some(capture(&camera));
        let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
        let port = listener.local_addr().expect("bound").port();
        let (said, ends) = channel();
        thread::spawn(move || {
            while let Ok((stream, peer)) = listener.accept() {
                let (camera, said) = (camera.clone(), said.clone());
                thread::spawn(move || {
                    let connections = camera.connections.clone();
                    let connection = connections.admit(peer.ip(), Arc::new(stream), Instant::now());
                    let (connection, _) = connection.expect("there is room");
                    let entry = ConnectionLog::default().entry(peer);
                    let _ = said.send(session::run(&connection, &camera, &entry));
                });
            }
        });
        let certificate = identity.certificate().to_vec();
        Self { port, pin, certificate, access, _folder: folder, stop, ends, capture }
    }

    /// Why the next session ended that nobody has asked about.
    pub fn next_end(&self) -> SessionEnd {
        self.ends.recv_timeout(PATIENCE).expect("a session ends")
    }

    /// Whether a session has ended with a reason that begins so, of those that nobody has asked about.
    pub fn has_ended_with(&self, text: &str) -> bool {
        self.ends.try_iter().any(|end| end.to_string().starts_with(text))
    }

    /// A new key for watching.
    pub fn key(&self, name: &str) -> String {
        let today = Day::parse("2026-11-30").expect("a day");
        let given = self.access().give(name, May::Watch, Sealing::TlsOnly, today);
        given.expect("it is written").key.text()
    }

    /// Who may watch a camera that wants keys.
    pub fn access(&self) -> &Access {
        self.access.as_ref().expect("it wants keys")
    }

    /// The public key in its certificate, with its type: what curl compares.
    pub fn public_key(&self) -> &[u8] {
        /// How the public key of an identity begins (RFC 5480, section 2): a key for elliptic curves, on P-256, 65 bytes.
        const BEGINS: [u8; 26] = [
            0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06,
            0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
        ];
        let at = self.certificate.windows(BEGINS.len()).position(|it| it == BEGINS);
        let at = at.expect("a key for P-256");
        &self.certificate[at..at + BEGINS.len() + 65]
    }
}

impl Drop for ServedCamera {
    fn drop(&mut self) {
        self.stop.request();
        if let Some(capture) = self.capture.take() {
            let _ = capture.join();
        }
    }
}

fn capture(camera: &Camera) -> JoinHandle<()> {
    let (roster, metrics) = (Arc::clone(&camera.roster), Arc::clone(&camera.metrics));
    let source = SourceSpec::parse("test:320x180@50").expect("a source");
    let source = Opener::new(source, CaptureWish::default());
    let end = camera.stop.clone();
    thread::spawn(move || {
        let ended =
            supervisor::run(source, &roster, &metrics, None, RawLook::default(), None, &end);
        ended.expect("the source works");
    })
}
