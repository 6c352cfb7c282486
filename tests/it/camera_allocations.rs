//! A frame costs the camera no allocation, from its source to the socket.

use crate::allocations::{Meter, count};
use crate::native_client::NativeClient;
use lancam::camera::encode::{Coding, Rendition, Renditions};
use lancam::camera::session::{self, Camera, Seats};
use lancam::camera::supervisor;
use lancam::image::jpeg::codec::Encoder;
use lancam::image::pixels::{Chroma, Size};
use lancam::image::planes::Planes;
use lancam::image::rendition::SizeWish;
use lancam::image::resize::PlaneResizer;
use lancam::latest::Latest;
use lancam::source::{CaptureWish, Opener, SourceSpec};
use lancam::stop::Stop;
use std::net::TcpListener;
use std::path::Path;
use std::thread;

const WARM_UP: usize = 40;
const COUNTED: usize = 200;
const SIZE: Size = Size::new(320, 180);

/// What was counted while a viewer got `COUNTED` frames.
#[derive(Debug)]
struct Counted {
    capture: usize,
    session: usize,
    /// Frames captured meanwhile: more than the viewer got, where it was not quick enough.
    frames: u64,
}

fn allocations(source: SourceSpec, wish: SizeWish) -> Counted {
    let stop = Stop::new().expect("eventfd");
    let camera = Camera {
        name: "test".into(),
        jpeg: Latest::new(),
        bgr: None,
        seats: Seats::new(1),
        stop: stop.clone(),
    };
    let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
    let mut client = NativeClient::connect(listener.local_addr().expect("bound").port());
    let (stream, _) = listener.accept().expect("accepts");

    let capturing = Meter::new();
    let sending = Meter::new();
    let coding = Coding::Jpeg { quality: 80, chroma: Chroma::Yuv420 };
    let rendition = Rendition::new(coding, wish, camera.jpeg.clone()).expect("an encoder");
    let mut renditions = Renditions::new(vec![rendition]).expect("a decoder");
    let wish = CaptureWish { fps: Some(200.0), ..CaptureWish::default() };
    let capture = thread::spawn(move || {
        capturing.charge_this_thread();
        supervisor::run(Opener::new(source, wish), &mut renditions, &stop)
    });
    let end = camera.stop.clone();
    let session = thread::spawn(move || {
        sending.charge_this_thread();
        session::run(&stream, &camera)
    });
    let mut frames = |count| (0..count).map(|_| client.frame().0.sequence).last();
    let first = frames(WARM_UP);
    let before = (capturing.count(), sending.count());
    let last = frames(COUNTED);
    let after = (capturing.count(), sending.count());
    end.request();
    capture.join().expect("no panic").expect("the source works");
    session.join().expect("no panic");
    assert!(before.0 > 0 && before.1 > 0, "the meters count: {before:?} in the warm-up");
    Counted {
        capture: after.0 - before.0,
        session: after.1 - before.1,
        frames: last.zip(first).map_or(0, |(last, first)| last - first),
    }
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
    let pattern = SourceSpec::Test { size: SIZE, fps: 200.0 };
    let found = allocations(pattern, SizeWish::default());
    println!("YUYV to JPEG, allocations: {found:?}");
    assert_eq!((found.capture, found.session), (0, 0));
}

#[test]
fn passing_a_cameras_jpeg_through_allocates_nothing_per_frame() {
    let folder = tempfile::tempdir().expect("a folder");
    let found = allocations(clip(folder.path()), SizeWish::default());
    println!("JPEG passed through, allocations: {found:?}");
    assert_eq!((found.capture, found.session), (0, 0));
}

#[test]
fn resizing_allocates_what_the_library_does_inside_and_nothing_else() {
    let small = Size::new(160, 90);
    let wish = SizeWish { width: Some(small.width), ..SizeWish::default() };
    let mut planes = Planes::default();
    planes.reshape(SIZE, Chroma::Yuv420);
    let mut target = Planes::default();
    let mut resizer = PlaneResizer::default();
    resizer.resize(&planes, &mut target, small, Chroma::Yuv420);
    let inside = count(|| resizer.resize(&planes, &mut target, small, Chroma::Yuv420));
    let found = allocations(SourceSpec::Test { size: SIZE, fps: 200.0 }, wish);
    println!("resized, {inside} of the library's own a frame: {found:?}");
    // The capture thread is at most a few frames ahead of the viewer when counting starts and ends.
    let frames = usize::try_from(found.frames + 4).expect("few");
    assert!(found.capture <= inside * frames, "{found:?}, the library's own {inside}");
    assert_eq!(found.session, 0);
}
