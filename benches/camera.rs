//! The camera's costs, as ratios to the bare library call or a plain loop, measured alternately in one run.
//!
//! `cargo bench --bench camera`. The ratios are stable on a noisy machine; the times beside them are this machine's.

// The output is the result. Nothing is lost if nobody reads it.
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[cfg(not(all(feature = "camera", target_os = "linux")))]
fn main() {
    eprintln!("skipped: camera bench: built without the camera");
}

#[cfg(all(feature = "camera", target_os = "linux"))]
fn main() {
    encode::run();
}

#[cfg(all(feature = "camera", target_os = "linux"))]
mod measure;
#[cfg(all(feature = "camera", target_os = "linux"))]
mod scene;

#[cfg(all(feature = "camera", target_os = "linux"))]
mod encode {
    //! From camera memory to JPEG.

    use crate::measure::paired;
    use crate::scene::{scene, scene_layout, scene_planes};
    use lancam::camera::encode::{Coding, Encoding, Recipe};
    use lancam::camera::strips::EncodeThreads;
    use lancam::image::frame::{Content, Frame, FrameLayout, Micros, RawFrame};
    use lancam::image::jpeg::codec::{Decoder, Encoder};
    use lancam::image::pixels::{Chroma, Colour, Matrix, Range, Size};
    use lancam::image::planes::Planes;
    use lancam::image::resize::PlaneResizer;
    use lancam::image::unpack::{Unpacker, Wanted};
    use lancam::source::{CaptureWish, CsiFormat, CsiWish, Next, Opener, SourceSpec};
    use lancam::stop::Stop;
    use lancam::wire::packet::{Codec, FrameFacts};
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    const SIZE: Size = Size::new(1280, 720);
    const SMALL: Size = Size::new(320, 180);
    const QUALITY: u8 = 80;
    const WANTED: Wanted = Wanted { chroma: Chroma::Yuv420, at_least: SIZE };

    /// The camera's own stages, one after the other on this thread. The camera uses two threads for them.
    struct Path {
        unpacker: Unpacker,
        planes: Planes,
        encoding: Encoding,
    }

    impl Path {
        fn new(size: Size) -> Self {
            let coding = Coding::Jpeg { quality: QUALITY, chroma: Chroma::Yuv420 };
            let encoding =
                Encoding::new(Recipe { coding, size }, &EncodeThreads::new(1)).expect("encoder");
            Self { unpacker: Unpacker::default(), planes: Planes::default(), encoding }
        }

        fn frame(&mut self, bytes: &[u8], layout: &FrameLayout) {
            let frame = RawFrame { bytes, layout };
            self.unpacker.unpack(&frame, WANTED, &mut self.planes);
            let facts = FrameFacts {
                sequence: 1,
                captured_at: Micros(1),
                codec: Codec::Jpeg,
                size: self.encoding.recipe().size,
            };
            self.encoding.encode(&self.planes, facts).expect("encodes");
        }
    }

    pub(super) fn run() {
        let yuyv = scene(SIZE);
        println!(
            "720p YUYV, quality {QUALITY}, one viewer; each against libjpeg-turbo on ready planes"
        );
        for range in [Range::Full, Range::Limited] {
            let layout = scene_layout(SIZE, Colour { matrix: Matrix::Bt601, range });
            let frame = RawFrame { bytes: &yuyv, layout: &layout };
            let planes = scene_planes(SIZE, Chroma::Yuv420);
            let mut encoder = Encoder::new(QUALITY).expect("encoder");
            let mut out = vec![0; Encoder::max_len(SIZE, Chroma::Yuv420).expect("a size")];
            let len = encoder.encode(&planes, &mut out).expect("encodes");

            let mut path = Path::new(SIZE);
            report(
                &format!("to JPEG, {range:?} range ({} kB)", len / 1000),
                paired(
                    200,
                    || path.frame(&yuyv, &layout),
                    || {
                        encoder.encode(&planes, &mut out).expect("encodes");
                    },
                ),
                1.2,
            );

            let mut path = Path::new(SMALL);
            let mut resizer = PlaneResizer::default();
            let mut small = Planes::default();
            let small_times = paired(
                200,
                || path.frame(&yuyv, &layout),
                || {
                    resizer.resize(&planes, &mut small, SMALL, Chroma::Yuv420);
                    encoder.encode(&small, &mut out).expect("encodes");
                },
            );
            println!(
                "  to 320x180 JPEG, {range:?} range: {:.3} ms; resize and encode of ready planes {:.3} ms; ratio {:.2}",
                small_times.0 * 1e3,
                small_times.1 * 1e3,
                small_times.2
            );

            let mut again = Planes::default();
            let mut unpacker = Unpacker::default();
            let (pass, copy, ratio) = paired(
                200,
                || unpacker.unpack(&frame, WANTED, &mut again),
                || {
                    let mut copy = vec![0_u8; yuyv.len()];
                    copy.copy_from_slice(std::hint::black_box(&yuyv));
                    std::hint::black_box(copy);
                },
            );
            println!(
                "  the pass to planes alone, {range:?} range: {:.3} ms; a fresh copy of the frame {:.3} ms; ratio {ratio:.2}",
                pass * 1e3,
                copy * 1e3
            );
        }
        smaller_jpegs();
        ribbon_camera();
    }

    /// A ribbon camera's samples: from the pipe of rpicam-vid, through the source, to a JPEG.
    fn ribbon_camera() {
        let folder = tempfile::tempdir().expect("a folder");
        let planes = scene_planes(SIZE, Chroma::Yuv420);
        let [frame, program] = ["frame", "rpicam-vid"].map(|name| folder.path().join(name));
        fs::write(&frame, planes.packed()).expect("writes");
        // One frame at a time, as a camera does. Only CPU time is measured.
        let lines = format!("#!/bin/sh\nwhile cat '{}'; do sleep 0.03; done\n", frame.display());
        fs::write(&program, lines).expect("writes");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("allowed");
        let csi =
            CsiWish { program: Some(program), format: CsiFormat::Yuv420, ..CsiWish::default() };
        let wish = CaptureWish { size: Some(SIZE), ..CaptureWish::default() };
        let stop = Stop::new().expect("a descriptor is free");
        let opened = Opener::new(SourceSpec::Csi(0), wish).with_csi(csi).open(&stop);
        let mut source = opened.expect("the program starts");
        let mut encoders = [QUALITY; 2].map(|quality| Encoder::new(quality).expect("encoder"));
        let [ours, limit] = &mut encoders;
        let room = Encoder::max_len(SIZE, Chroma::Yuv420).expect("a size");
        let (mut out, mut other) = (vec![0; room], vec![0; room]);
        let mut unpacked = 0;
        let next = || {
            loop {
                match source.next_frame(&stop).expect("the program runs") {
                    Next::Frame(Frame { content: Content::Shared(shared), .. }) => {
                        ours.encode(shared.planes, &mut out).expect("encodes");
                        return;
                    }
                    Next::Frame(_) => unpacked += 1,
                    _ => {}
                }
            }
        };
        let times = paired(200, next, || {
            limit.encode(&planes, &mut other).expect("encodes");
        });
        println!(
            "720p yuv420 of a ribbon camera, through a pipe; against libjpeg-turbo on ready planes"
        );
        report("from the pipe to JPEG", times, 1.25);
        println!("  copies after the one from the pipe: {unpacked} in 200 frames");
    }

    /// A camera's JPEGs for a viewer that wants a quarter of their width.
    fn smaller_jpegs() {
        let planes = scene_planes(SIZE, Chroma::Yuv422);
        let mut jpeg = vec![0; Encoder::max_len(SIZE, Chroma::Yuv422).expect("a size")];
        let encoded = Encoder::new(QUALITY).and_then(|mut it| it.encode(&planes, &mut jpeg));
        jpeg.truncate(encoded.expect("encodes"));
        let coding = Coding::Jpeg { quality: QUALITY, chroma: Chroma::Yuv420 };
        let facts =
            FrameFacts { sequence: 1, captured_at: Micros(1), codec: Codec::Jpeg, size: SMALL };
        let path = |at_least: Size| {
            let mut decoder = Decoder::new().expect("decoder");
            let mut encoding =
                Encoding::new(Recipe { coding, size: SMALL }, &EncodeThreads::new(1))
                    .expect("encoder");
            let mut planes = Planes::default();
            let jpeg = &jpeg;
            move || {
                decoder.decode_planes(jpeg, at_least, &mut planes).expect("decodes");
                encoding.encode(&planes, facts).expect("encodes");
            }
        };
        let (ours, plain, ratio) = paired(100, path(SMALL), path(SIZE));
        println!(
            "720p MJPG ({} kB) to 320x180 JPEG: {:.3} ms; decoded at full size and resized {:.3} ms; ratio {ratio:.2}",
            jpeg.len() / 1000,
            ours * 1e3,
            plain * 1e3
        );
    }

    fn report(what: &str, (ours, limit, ratio): (f64, f64, f64), goal: f64) {
        println!(
            "  {what}: {:.3} ms; limit {:.3} ms; ratio {ratio:.2} (goal {goal})",
            ours * 1e3,
            limit * 1e3
        );
    }
}
