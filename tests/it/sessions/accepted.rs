//! The options of sockets that are being served, read back from the kernel, for each kind of listener and
//! each protocol.

use crate::tools::camera_process::PATIENCE;
use crate::tools::native_client::hello;
use lancam::camera::connection_log::ConnectionLog;
use lancam::camera::connections::Connections;
use lancam::camera::context::{Camera, HttpRules};
use lancam::camera::encode::Coding;
use lancam::camera::listen::{self, Listen};
use lancam::camera::metrics::Metrics;
use lancam::camera::roster::Roster;
use lancam::camera::roster::wish::Wish;
use lancam::camera::session;
use lancam::camera::supervisor;
use lancam::clock;
use lancam::image::pixels::Chroma;
use lancam::image::size_wish::SizeWish;
use lancam::image::unpack::RawLook;
use lancam::source::{CaptureWish, Opener, SourceSpec};
use lancam::stop::Stop;
use lancam::wire::native::VERSION;
use socket2::SockRef;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// More bytes than any answer's head, so they prove that a frame is on its way.
const OF_A_FRAME: usize = 2000;

fn camera(stop: &Stop) -> Camera {
    let own = Wish::own(Coding::Jpeg { quality: 80, chroma: Chroma::Yuv420 }, SizeWish::default());
    let metrics = Arc::new(Metrics::new(clock::now()));
    Camera {
        name: "test".into(),
        id: String::new(),
        roster: Roster::new(own, 1, &metrics).expect("eventfd"),
        metrics,
        notices: Arc::default(),
        tls: None,
        tutorial: Some(Wish::own(Coding::Bgr24, SizeWish::default())),
        http: HttpRules::default(),
        controls: None,
        access: None,
        connections: Connections::new(4),
        stop: stop.clone(),
    }
}

/// The first bytes that a viewer of each protocol sends.
fn greetings() -> [(&'static str, Vec<u8>); 4] {
    let mut native = Vec::new();
    hello(VERSION, VERSION).write_to(&mut native);
    [
        ("native", native),
        ("stream", b"GET /stream HTTP/1.0\r\n\r\n".to_vec()),
        ("snapshot", b"GET /snapshot HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec()),
        ("pickle", Vec::new()),
    ]
}

/// Serves a viewer that connects to `address`. Returns both ends of the connection while it watches.
fn watch(
    listener: &TcpListener,
    address: SocketAddr,
    greeting: &[u8],
    camera: &Camera,
) -> (TcpStream, TcpStream) {
    let mut viewer = TcpStream::connect(address).expect("connects");
    viewer.set_read_timeout(Some(PATIENCE)).expect("sets a timeout");
    let (accepted, peer) = listener.accept().expect("accepts");
    let (served, camera) = (accepted.try_clone().expect("a descriptor"), camera.clone());
    thread::spawn(move || {
        let connection = camera.connections.admit(peer.ip(), Arc::new(served), Instant::now());
        let (connection, _) = connection.expect("there is room");
        session::run(&connection, &camera, &ConnectionLog::default().entry(peer))
    });
    viewer.write_all(greeting).expect("it listens");
    viewer.read_exact(&mut [0; OF_A_FRAME]).expect("a frame comes");
    (viewer, accepted)
}

#[test]
fn whoever_listens_and_whatever_is_spoken_the_socket_is_as_it_should_be() {
    let stop = Stop::new().expect("eventfd");
    let camera = camera(&stop);
    let (roster, metrics) = (Arc::clone(&camera.roster), Arc::clone(&camera.metrics));
    let end = stop.clone();
    let source = Opener::new(
        SourceSpec::parse("test:320x180@50").expect("a source"),
        CaptureWish::default(),
    );
    let capture = thread::spawn(move || {
        supervisor::run(source, &roster, &metrics, None, RawLook::default(), None, &end)
    });
    let mut looked_at = 0;
    for (listen, by) in [
        ("127.0.0.1:0", "127.0.0.1"),
        ("0.0.0.0:0", "127.0.0.1"),
        // One listener for IPv4 and IPv6.
        ("[::]:0", "127.0.0.1"),
        ("[::]:0", "::1"),
        ("[::1]:0", "::1"),
    ] {
        let at = Listen::At(vec![listen.parse().expect("an address")]);
        let listener = match listen::listen(&at, &[]) {
            Ok(mut listeners) => listeners.remove(0),
            Err(error) if listen.starts_with('[') => {
                crate::tools::skip::skip(listen, &error.to_string());
                continue;
            }
            Err(error) => panic!("{error}"),
        };
        let port = listener.local_addr().expect("bound").port();
        let address = SocketAddr::new(by.parse().expect("an address"), port);
        for (protocol, greeting) in greetings() {
            let (_viewer, accepted) = watch(&listener, address, &greeting, &camera);
            let socket = SockRef::from(&accepted);
            let what = format!("{protocol} at {listen} by {by}");
            assert!(socket.tcp_nodelay().expect("readable"), "TCP_NODELAY: {what}");
            assert!(socket.keepalive().expect("readable"), "SO_KEEPALIVE: {what}");
            let silent = socket.tcp_keepalive_time().expect("readable");
            assert_eq!(silent, Duration::from_secs(5), "TCP_KEEPIDLE: {what}");
            let gone = socket.tcp_user_timeout().expect("readable");
            assert_eq!(gone, Some(Duration::from_secs(10)), "TCP_USER_TIMEOUT: {what}");
            assert!(socket.nonblocking().expect("readable"), "O_NONBLOCK: {what}");
            // Room for a frame of 8 kB, or of 170 kB for the tutorial, and little more. The kernel's default
            // is 4 MB.
            let room = socket.send_buffer_size().expect("readable");
            assert!((2 * OF_A_FRAME..1 << 20).contains(&room), "SO_SNDBUF {room}: {what}");
            let mark = socket.tcp_notsent_lowat().expect("readable");
            assert!((1..1 << 19).contains(&mark), "TCP_NOTSENT_LOWAT {mark}: {what}");
            looked_at += 1;
        }
    }
    stop.request();
    capture.join().expect("no panic").expect("the source works");
    assert!(looked_at >= 8, "{looked_at} sockets");
}
