//! The camera allocates nothing for a frame, from its source to the socket.

use crate::tools::allocations::{self, total};
use crate::tools::alone::is_alone;
use crate::tools::http_client::HttpClient;
use crate::tools::native_client::NativeClient;
use crate::tools::rpicam::Rpicam;
use crate::tools::tls_client::TlsClient;
use lancam::camera::access::identity::{Identity, Names};
use lancam::camera::connection_log::ConnectionLog;
use lancam::camera::connections::Connections;
use lancam::camera::context::{Camera, HttpRules};
use lancam::camera::encode::Coding;
use lancam::camera::metrics::Metrics;
use lancam::camera::roster::Roster;
use lancam::camera::roster::wish::Wish;
use lancam::camera::session;
use lancam::camera::supervisor;
use lancam::clock;
use lancam::image::jpeg::codec::Encoder;
use lancam::image::pixels::{Chroma, Size};
use lancam::image::planes::Planes;
use lancam::image::resize::PlaneResizer;
use lancam::image::size_wish::SizeWish;
use lancam::image::unpack::RawLook;
use lancam::net::tls::handshake::Server;
use lancam::rate::Rate;
use lancam::source::{CaptureWish, CsiFormat, CsiWish, Opener, SourceSpec};
use lancam::stop::Stop;
use lancam::wire::native::message::Wishes;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

const WARM_UP: usize = 40;
const COUNTED: usize = 200;
/// So small that one thread encodes it.
const SIZE: Size = Size::new(320, 180);
const ENCODE_THREADS: usize = 3;

/// A pool grows when a thread is later than ever before, by one frame: it allocates an `Arc` for a packet or
/// planes, its memory, and a place in the pool's list. On a busy machine this can happen after the warm-up.
const POOLS_MAY_GROW: usize = 6;

/// What was counted while a viewer got `COUNTED` frames.
#[derive(Debug)]
struct Counted {
    /// By all threads but the viewer's: capturing, decoding, encoding, sending.
    allocations: usize,
    /// Frames captured in that time. These are more than the viewer got if the viewer was slow.
    frames: u64,
}

fn allocations(source: SourceSpec, wishes: Wishes) -> Counted {
    let watch = |port| {
        let mut client = NativeClient::connect_wishing(port, wishes);
        move || client.frame().0.sequence
    };
    allocations_while(source, watch)
}

/// `watch` connects a viewer to a port and returns a function that takes one frame and returns its number.
fn allocations_while<V: FnMut() -> u64>(
    source: SourceSpec,
    watch: impl FnOnce(u16) -> V,
) -> Counted {
    let wish = CaptureWish { rate: Some(Rate(200_000)), ..CaptureWish::default() };
    allocations_of(Opener::new(source, wish), watch)
}

fn allocations_of<V: FnMut() -> u64>(opener: Opener, watch: impl FnOnce(u16) -> V) -> Counted {
    allocations_with(None, opener, watch)
}

/// The camera shows this identity, if there is one.
fn allocations_with<V: FnMut() -> u64>(
    tls: Option<Server>,
    opener: Opener,
    watch: impl FnOnce(u16) -> V,
) -> Counted {
    let stop = Stop::new().expect("eventfd");
    let coding = Coding::Jpeg { quality: 80, chroma: Chroma::Yuv420 };
    let own = Wish::own(coding, SizeWish::default());
    let metrics = Arc::new(Metrics::new(clock::now()));
    let camera = Camera {
        name: "test".into(),
        id: String::new(),
        roster: Roster::new(own, ENCODE_THREADS, &metrics).expect("eventfd"),
        metrics,
        notices: Arc::default(),
        tls,
        tutorial: None,
        http: HttpRules::default(),
        controls: None,
        access: None,
        connections: Connections::new(1),
        stop: stop.clone(),
    };
    let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
    let port = listener.local_addr().expect("bound").port();

    let (roster, metrics) = (Arc::clone(&camera.roster), Arc::clone(&camera.metrics));
    let look = RawLook::default();
    let capture =
        thread::spawn(move || supervisor::run(opener, &roster, &metrics, None, look, None, &stop));
    let end = camera.stop.clone();
    let session = thread::spawn(move || {
        let (stream, peer) = listener.accept().expect("accepts");
        let entry = ConnectionLog::default().entry(peer);
        let connection = camera.connections.admit(peer.ip(), Arc::new(stream), Instant::now());
        session::run(&connection.expect("there is room").0, &camera, &entry)
    });
    let mut next = watch(port);
    let mut counted = |count: usize| {
        let before = total();
        let mut sequences = (0, 0);
        let own = allocations::count(|| {
            let first = next();
            sequences = (first, (1..count).map(|_| next()).last().unwrap_or(first));
        });
        Counted { allocations: total() - before - own, frames: sequences.1 - sequences.0 }
    };
    let warm_up = counted(WARM_UP);
    // A buffer that grew because a thread was late does not grow again, so up to three counts are taken. What
    // each frame allocates would be in all of them.
    let mut found = counted(COUNTED);
    for _ in 0..2 {
        if found.allocations > POOLS_MAY_GROW {
            println!("counted again after {found:?}");
            found = counted(COUNTED);
        }
    }
    end.request();
    capture.join().expect("no panic").expect("the source works");
    session.join().expect("no panic");
    assert!(warm_up.allocations > 0, "what is counted counts: {warm_up:?} in the warm-up");
    found
}

fn clip(folder: &Path) -> SourceSpec {
    let mut planes = Planes::default();
    planes.reshape(SIZE, Chroma::Yuv422);
    planes.packed_mut().fill(100);
    let mut jpeg = vec![0; Encoder::max_len(SIZE, Chroma::Yuv422).expect("a size")];
    let len = Encoder::new(90).and_then(|mut encoder| encoder.encode(&planes, &mut jpeg));
    let path = folder.join("clip.mjpeg");
    std::fs::write(&path, jpeg[..len.expect("encodes")].repeat(3)).expect("writes");
    SourceSpec::Clip(path)
}

#[test]
fn capturing_encoding_and_sending_yuyv_allocates_nothing_per_frame() {
    if is_alone(module_path!(), "capturing_encoding_and_sending_yuyv_allocates_nothing_per_frame") {
        let pattern = SourceSpec::Test { size: SIZE, rate: Rate(200_000) };
        let found = allocations(pattern, Wishes::default());
        println!("YUYV to JPEG: {found:?}");
        assert!(found.allocations <= POOLS_MAY_GROW, "{found:?}");
    }
}

#[test]
fn encoding_on_several_threads_allocates_nothing_per_frame() {
    if is_alone(module_path!(), "encoding_on_several_threads_allocates_nothing_per_frame") {
        let large = Size::new(800, 600);
        let pattern = SourceSpec::Test { size: large, rate: Rate(200_000) };
        let found = allocations(pattern, Wishes::default());
        println!("in strips: {found:?}");
        assert!(found.allocations <= POOLS_MAY_GROW, "{found:?}");
    }
}

#[test]
fn reading_a_ribbon_cameras_frames_allocates_nothing_per_frame() {
    if !is_alone(module_path!(), "reading_a_ribbon_cameras_frames_allocates_nothing_per_frame") {
        return;
    }
    for format in [CsiFormat::Yuv420, CsiFormat::Mjpeg] {
        let rpicam = Rpicam::new();
        let csi = CsiWish { program: Some(rpicam.path()), format, ..CsiWish::default() };
        let wish =
            CaptureWish { size: Some(SIZE), rate: Some(Rate(100_000)), ..CaptureWish::default() };
        let opener = Opener::new(SourceSpec::Csi(0), wish).with_csi(csi);
        let found = allocations_of(opener, |port| {
            let mut client = NativeClient::connect(port);
            move || client.frame().0.sequence
        });
        println!("{format:?} through a pipe: {found:?}");
        assert!(found.allocations <= POOLS_MAY_GROW, "{format:?}: {found:?}");
    }
}

#[test]
fn sending_over_http_allocates_nothing_per_frame() {
    if is_alone(module_path!(), "sending_over_http_allocates_nothing_per_frame") {
        let pattern = SourceSpec::Test { size: SIZE, rate: Rate(200_000) };
        let found = allocations_while(pattern, |port| {
            let mut stream = HttpClient::connect(port).stream("/stream");
            // A part has no number. Its time in units of 5 ms takes the place of one.
            move || {
                let half_centiseconds = (stream.part().timestamp * 200.0).round();
                format!("{half_centiseconds:.0}").parse().expect("a number")
            }
        });
        println!("over HTTP: {found:?}");
        assert!(found.allocations <= POOLS_MAY_GROW, "{found:?}");
    }
}

#[test]
fn sealing_for_a_viewer_over_tls_allocates_nothing_per_frame() {
    if is_alone(module_path!(), "sealing_for_a_viewer_over_tls_allocates_nothing_per_frame") {
        let names = Names { name: "test", hosts: &[], addresses: &[] };
        let identity = Identity::new(names, Duration::ZERO).expect("randomness");
        let server = identity.server();
        let pattern = SourceSpec::Test { size: SIZE, rate: Rate(200_000) };
        let wish = CaptureWish { rate: Some(Rate(200_000)), ..CaptureWish::default() };
        let opener = Opener::new(pattern, wish);
        let found = allocations_with(Some(server.clone()), opener, |port| {
            let mut client = TlsClient::connect(port, server.pin()).expect("the camera");
            client.greet();
            move || client.frame()
        });
        println!("over TLS: {found:?}");
        assert!(found.allocations <= POOLS_MAY_GROW, "{found:?}");
    }
}

#[test]
fn passing_a_cameras_jpeg_through_allocates_nothing_per_frame() {
    if is_alone(module_path!(), "passing_a_cameras_jpeg_through_allocates_nothing_per_frame") {
        let folder = tempfile::tempdir().expect("a folder");
        let found = allocations(clip(folder.path()), Wishes::default());
        println!("JPEG passed through: {found:?}");
        assert!(found.allocations <= POOLS_MAY_GROW, "{found:?}");
    }
}

#[test]
fn encoding_a_cameras_jpeg_anew_allocates_nothing_per_frame() {
    if is_alone(module_path!(), "encoding_a_cameras_jpeg_anew_allocates_nothing_per_frame") {
        let folder = tempfile::tempdir().expect("a folder");
        // The library changes its chroma from 4:2:2 to 4:2:0, and allocates for that.
        let inside = resizing_allocates(SIZE, Chroma::Yuv422, SIZE);
        let found = allocations(clip(folder.path()), Wishes { quality: 50, ..Wishes::default() });
        println!("JPEG of another quality, {inside} of the library's own a frame: {found:?}");
        assert!(found.allocations <= inside * frames(&found) + POOLS_MAY_GROW, "{found:?}");
    }
}

#[test]
fn resizing_allocates_what_the_library_does_inside_and_nothing_else() {
    if is_alone(module_path!(), "resizing_allocates_what_the_library_does_inside_and_nothing_else")
    {
        let small = Size::new(160, 90);
        let inside = resizing_allocates(SIZE, Chroma::Yuv420, small);
        let pattern = SourceSpec::Test { size: SIZE, rate: Rate(200_000) };
        let found = allocations(pattern, Wishes { width: 160, ..Wishes::default() });
        println!("resized, {inside} of the library's own a frame: {found:?}");
        assert!(found.allocations <= inside * frames(&found) + POOLS_MAY_GROW, "{found:?}");
    }
}

/// The threads are at most a few frames ahead of the viewer when counting starts and ends.
fn frames(found: &Counted) -> usize {
    usize::try_from(found.frames + 4).expect("few")
}

fn resizing_allocates(from: Size, chroma: Chroma, to: Size) -> usize {
    let mut planes = Planes::default();
    planes.reshape(from, chroma);
    let mut target = Planes::default();
    let mut resizer = PlaneResizer::default();
    resizer.resize(&planes, &mut target, to, Chroma::Yuv420);
    allocations::count(|| resizer.resize(&planes, &mut target, to, Chroma::Yuv420))
}
