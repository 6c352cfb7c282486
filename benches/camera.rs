//! The camera's costs as ratios to the bare library call or a plain loop, measured in turns in one run.
//!
//! `cargo bench --bench camera`. Ratios hold on a noisy machine; the times beside them are this machine's.

#[cfg(not(all(feature = "camera", target_os = "linux")))]
fn main() {
    eprintln!("skipped: camera bench: built without the camera");
}

#[cfg(all(feature = "camera", target_os = "linux"))]
fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    match arguments.next().as_deref() {
        Some("reader") => {
            let port = arguments.next().and_then(|port| port.parse().ok()).expect("a port");
            send::read_frames(port, arguments.next().as_deref() == Some("native"))
        }
        _ => {
            encode::run();
            send::run()
        }
    }
}

#[cfg(all(feature = "camera", target_os = "linux"))]
mod measure;
#[cfg(all(feature = "camera", target_os = "linux"))]
mod scene;

#[cfg(all(feature = "camera", target_os = "linux"))]
mod encode {
    //! Camera memory to JPEG.

    use crate::measure::paired;
    use crate::scene::{scene, scene_layout, scene_planes};
    use lancam::camera::encode::{Coding, Encoding, Recipe};
    use lancam::image::frame::{FrameLayout, Micros, RawFrame};
    use lancam::image::jpeg::codec::{Decoder, Encoder};
    use lancam::image::pixels::{Chroma, Colour, Matrix, Range, Size};
    use lancam::image::planes::Planes;
    use lancam::image::resize::PlaneResizer;
    use lancam::image::unpack::{Unpacker, Wanted};
    use lancam::wire::packet::{Codec, FrameFacts};

    const SIZE: Size = Size::new(1280, 720);
    const SMALL: Size = Size::new(320, 180);
    const QUALITY: u8 = 80;
    const WANTED: Wanted = Wanted { chroma: Chroma::Yuv420, at_least: SIZE };

    /// The camera's own stages, one behind the other on this thread; the camera has two threads for them.
    struct Path {
        unpacker: Unpacker,
        planes: Planes,
        encoding: Encoding,
    }

    impl Path {
        fn new(size: Size) -> Self {
            let coding = Coding::Jpeg { quality: QUALITY, chroma: Chroma::Yuv420 };
            let encoding = Encoding::new(Recipe { coding, size }).expect("encoder");
            Self { unpacker: Unpacker::default(), planes: Planes::default(), encoding }
        }

        fn frame(&mut self, bytes: &[u8], layout: &FrameLayout) {
            let frame = RawFrame { bytes, layout, sequence: 1, captured_at: Micros(1) };
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
            let frame =
                RawFrame { bytes: &yuyv, layout: &layout, sequence: 1, captured_at: Micros(1) };
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
    }

    /// A camera's JPEGs for a viewer of a quarter of their width.
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
            let mut encoding = Encoding::new(Recipe { coding, size: SMALL }).expect("encoder");
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

#[cfg(all(feature = "camera", target_os = "linux"))]
mod send {
    //! Sessions against a plain writer: a thread per socket, the same pacing and bytes.
    //!
    //! The viewers are another process, so that only the sender's CPU is counted.

    use lancam::camera::encode::Coding;
    use lancam::camera::renditions::Renditions;
    use lancam::camera::renditions::wish::{Captured, Wish};
    use lancam::camera::server::{self, Listen};
    use lancam::camera::session::{Camera, HttpRules, Seats};
    use lancam::camera::update::{StatusText, StreamFacts, Update};
    use lancam::image::frame::Micros;
    use lancam::image::pixels::{Chroma, PixelFormat, Size};
    use lancam::image::rendition::SizeWish;
    use lancam::net::lan::Guests;
    use lancam::stop::Stop;
    use lancam::wire::native::decoder::Decoder;
    use lancam::wire::native::message::{Message, StatusCode, Wishes};
    use lancam::wire::native::{MAX_PAYLOAD, VERSION};
    use lancam::wire::packet::{Codec, FrameFacts, PacketPool};
    use nix::sys::resource::{UsageWho, getrusage};
    use std::io::{self, Read, Write};
    use std::net::{SocketAddr, TcpListener, TcpStream};
    use std::process::{Child, Command, Stdio};
    use std::sync::{Arc, Barrier};
    use std::thread;
    use std::time::{Duration, Instant};

    const FRAME_LEN: usize = 120_000;
    const FRAMES: u32 = 90;
    const INTERVAL: Duration = Duration::from_micros(33_333);
    const ROUNDS: usize = 7;

    pub(super) fn run() -> io::Result<()> {
        println!(
            "sending {FRAME_LEN} bytes a frame at 30 fps; CPU of the sender, user and system, per frame"
        );
        for viewers in [1, 8] {
            let mut ratios = Vec::new();
            let mut micros = Vec::new();
            for _ in 0..ROUNDS {
                let sessions = sessions(viewers)?;
                let plain = plain(viewers)?;
                ratios.push(sessions / plain);
                micros.push((sessions, plain));
            }
            ratios.sort_by(f64::total_cmp);
            micros.sort_by(|a, b| a.0.total_cmp(&b.0));
            let (sessions, plain) = micros[ROUNDS / 2];
            println!(
                "  {viewers} viewers: sessions {sessions:.0} us, plain writer {plain:.0} us; ratio {:.2} of {:.2} to {:.2} (goal 1.2)",
                ratios[ROUNDS / 2],
                ratios[0],
                ratios[ROUNDS - 1]
            );
        }
        Ok(())
    }

    /// A process of viewers, one per call.
    fn reader(port: u16, protocol: &str) -> io::Result<Child> {
        Command::new(std::env::current_exe()?)
            .args(["reader", &port.to_string(), protocol])
            .stdin(Stdio::null())
            .spawn()
    }

    /// What the reader process does: connects, and takes frames until the sender leaves.
    pub(super) fn read_frames(port: u16, native: bool) -> io::Result<()> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        if !native {
            let mut sink = vec![0; 256 << 10];
            while stream.read(&mut sink)? > 0 {}
            return Ok(());
        }
        let mut out = Vec::new();
        Message::Hello {
            min_version: VERSION,
            max_version: VERSION,
            credit: 1,
            wishes: Wishes::default(),
            program: "bench",
        }
        .write_to(&mut out);
        stream.write_all(&out)?;
        let mut decoder = Decoder::new(MAX_PAYLOAD);
        loop {
            let count = stream.read(decoder.space())?;
            if count == 0 {
                return Ok(());
            }
            decoder.filled(count);
            while let Some(message) = decoder.next_message().map_err(io::Error::other)? {
                match message {
                    Message::Frame { facts, .. } => {
                        out.clear();
                        Message::Ack { sequence: facts.sequence }.write_to(&mut out);
                        stream.write_all(&out)?;
                    }
                    Message::Goodbye { .. } => return Ok(()),
                    _ => {}
                }
            }
        }
    }

    /// Microseconds of CPU per frame: this process, user and system.
    fn cpu() -> f64 {
        let usage = getrusage(UsageWho::RUSAGE_SELF).expect("getrusage");
        let micros =
            |time: nix::sys::time::TimeVal| time.tv_sec() as f64 * 1e6 + time.tv_usec() as f64;
        micros(usage.user_time()) + micros(usage.system_time())
    }

    /// Calls `tick` with 1, 2, 3 … at the frames' pace and returns the CPU it all took, per frame.
    fn paced(mut tick: impl FnMut(u64)) -> f64 {
        let before = cpu();
        let start = Instant::now();
        for frame in 1..=FRAMES {
            thread::sleep((start + INTERVAL * frame).saturating_duration_since(Instant::now()));
            tick(u64::from(frame));
        }
        // What is still being sent belongs to these frames.
        thread::sleep(INTERVAL);
        (cpu() - before) / f64::from(FRAMES)
    }

    fn sessions(viewers: usize) -> io::Result<f64> {
        let stop = Stop::new()?;
        let coding = Coding::Jpeg { quality: 80, chroma: Chroma::Yuv420 };
        let camera = Camera {
            name: "bench".into(),
            renditions: Renditions::new(Wish::own(coding, SizeWish::default()))?,
            tutorial: None,
            http: HttpRules::default(),
            seats: Seats::new(viewers),
            stop: stop.clone(),
        };
        let address: SocketAddr = ([127, 0, 0, 1], 0).into();
        let listeners = server::listen(&Listen::At(vec![address])).map_err(io::Error::other)?;
        let port = listeners[0].local_addr()?.port();
        let acceptors = server::start(listeners, &camera, &Guests::Anyone)?;
        let readers =
            (0..viewers).map(|_| reader(port, "native")).collect::<io::Result<Vec<_>>>()?;
        while camera.renditions.viewers() < viewers {
            thread::sleep(Duration::from_millis(5));
        }
        let picture = vec![0xA5; FRAME_LEN];
        let size = Size::new(1280, 720);
        let stream = Arc::new(StreamFacts { source: String::new(), millifps: 30_000, size });
        let starting = StatusText { code: StatusCode::Starting, text: String::new() };
        let captured = Captured { format: PixelFormat::Jpeg, size };
        let plan = camera.renditions.begin(captured, &stream, Update::Status(Arc::new(starting)));
        let mut pool = PacketPool::default();
        let mut publish = |sequence: u64| {
            let facts =
                FrameFacts { sequence, captured_at: Micros(sequence), codec: Codec::Jpeg, size };
            let mut packet = pool.take(facts);
            let content = PacketPool::open(&mut packet);
            // Filled once: what is measured is sending; the copy from the camera is another stage's.
            if content.payload().is_empty() {
                content.storage(FRAME_LEN)[..FRAME_LEN].copy_from_slice(&picture);
                content.set_len(FRAME_LEN);
            }
            pool.remember(&packet);
            plan.publish_as_captured(&packet, &stream);
        };
        // Buffers grow to a frame's size before anything is counted.
        for warm_up in 1..=5 {
            publish(warm_up);
            thread::sleep(INTERVAL);
        }
        let cost = paced(|frame| publish(frame + 5));
        stop.request();
        for acceptor in acceptors {
            let _ = acceptor.join();
        }
        for mut reader in readers {
            reader.wait()?;
        }
        Ok(cost)
    }

    fn plain(viewers: usize) -> io::Result<f64> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let port = listener.local_addr()?.port();
        let readers =
            (0..viewers).map(|_| reader(port, "plain")).collect::<io::Result<Vec<_>>>()?;
        let barrier = Arc::new(Barrier::new(viewers + 1));
        let writers: Vec<_> = (0..viewers)
            .map(|_| {
                let (mut stream, _) = listener.accept()?;
                stream.set_nodelay(true)?;
                let barrier = Arc::clone(&barrier);
                Ok(thread::spawn(move || {
                    let frame = vec![0xA5; FRAME_LEN];
                    for _ in 0..FRAMES {
                        barrier.wait();
                        stream.write_all(&frame).expect("the reader reads");
                    }
                }))
            })
            .collect::<io::Result<_>>()?;
        let cost = paced(|_| {
            barrier.wait();
        });
        for writer in writers {
            let _ = writer.join();
        }
        for mut reader in readers {
            reader.wait()?;
        }
        Ok(cost)
    }
}
