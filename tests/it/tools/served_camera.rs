//! A camera in this process, on a port of loopback, that shows an identity: open, or with keys.

use crate::tools::camera_process::PATIENCE;
use lancam::camera::access::Access;
use lancam::camera::access::folder::Folder;
use lancam::camera::access::identity::{Identity, Names};
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
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

const NAMES: Names<'_> = Names { name: "Garage", hosts: &[], addresses: &[] };

/// A camera that shows an identity, until it is dropped.
pub struct Served {
    /// Its port of loopback.
    pub port: u16,
    /// SHA-256 of its certificate.
    pub pin: Pin,
    /// Who may watch; `None` if everybody may.
    pub access: Option<Arc<Access>>,
    stop: Stop,
    ends: Receiver<SessionEnd>,
    capture: Option<JoinHandle<()>>,
}

impl Served {
    /// One that shows its picture to everybody, inside TLS and without it.
    pub fn new() -> Self {
        Self::start(&Identity::new(NAMES, Duration::ZERO).expect("randomness"), None)
    }

    /// One whose identity, code and keys lie in this folder.
    pub fn closed(state: &Path) -> Self {
        let folder = Folder::open(state).expect("it is ours");
        let identity = Identity::open(&folder, NAMES, Duration::ZERO).expect("a whole identity");
        let access = Access::open(folder, identity.server().pin()).expect("whole files");
        Self::start(&identity, Some(Arc::new(access)))
    }

    fn start(identity: &Identity, access: Option<Arc<Access>>) -> Self {
        let stop = Stop::new().expect("eventfd");
        let own = Coding::Jpeg { quality: 80, chroma: Chroma::Yuv420 };
        let metrics = Arc::new(Metrics::new(clock::now()));
        let camera = Camera {
            name: "Garage".into(),
            id: String::new(),
            roster: Roster::new(Wish::own(own, SizeWish::default()), &metrics).expect("eventfd"),
            metrics,
            notices: Arc::default(),
            tls: Some(identity.server().clone()),
            tutorial: None,
            http: HttpRules::default(),
            controls: None,
            access: access.clone(),
            connections: Connections::new(4),
            stop: stop.clone(),
        };
        let (roster, metrics) = (Arc::clone(&camera.roster), Arc::clone(&camera.metrics));
        let source = SourceSpec::parse("test:320x180@50").expect("a source");
        let source = Opener::new(source, CaptureWish::default());
        let end = stop.clone();
        let capture = thread::spawn(move || {
            let ended =
                supervisor::run(source, &roster, &metrics, None, RawLook::default(), None, &end);
            ended.expect("the source works");
        });
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
        let pin = identity.server().pin();
        Self { port, pin, access, stop, ends, capture: Some(capture) }
    }

    /// Waits for the end of the next session that ends.
    pub fn next_end(&self) -> SessionEnd {
        self.ends.recv_timeout(PATIENCE).expect("a session ends")
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.request();
        if let Some(capture) = self.capture.take() {
            let _ = capture.join();
        }
    }
}
