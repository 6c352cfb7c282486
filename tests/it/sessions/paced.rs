//! A reader of 5 Mbit/s: its pictures are hardly older than the time that one of them needs to arrive.

use crate::tools::camera_process::CameraProcess;
use crate::tools::fake_camera::FakeServer;
use crate::tools::interrupted::again;
use crate::tools::lan::{Lan, Machine};
use crate::tools::native_client::NativeClient;
use crate::tools::paced_reader::{
    Ages, BYTES_A_SECOND, FPS, INTERVAL, Narrow, Pace, PacedReader, Protocol, SIP, SIZE,
    connect_narrowly, plain_server,
};
use crate::tools::skip::skip;
use crate::tools::viewer_process::Viewer;
use lancam::image::jpeg::codec::Encoder;
use lancam::image::pixels::Chroma;
use lancam::image::planes::Planes;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A JPEG of 1280x720 and about 40 KB.
fn jpeg() -> Vec<u8> {
    jpeg_of(50, 46)
}

/// A JPEG of 1280x720 with this quality and this many rows of noise.
pub fn jpeg_of(quality: u8, noisy_rows: usize) -> Vec<u8> {
    let mut planes = Planes::default();
    planes.reshape(SIZE, Chroma::Yuv420);
    let to = planes.split_mut();
    to.cb.fill(128);
    to.cr.fill(128);
    // Noise in a part of it stays large in every encoder.
    let mut noise = 1_u32;
    for (at, pixel) in to.y.iter_mut().enumerate() {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [_, _, _, high] = noise.to_le_bytes();
        *pixel = if at / SIZE.width < noisy_rows { high } else { 100 };
    }
    let mut out = vec![0; Encoder::max_len(SIZE, Chroma::Yuv420).expect("a size")];
    let len = Encoder::new(quality).and_then(|mut encoder| encoder.encode(&planes, &mut out));
    out.truncate(len.expect("encodes"));
    assert!((36_000..44_000).contains(&out.len()), "{} bytes", out.len());
    out
}

/// A link of this speed between a viewer and the camera at `port`.
fn narrow_link(port: u16) -> FakeServer {
    FakeServer::on(0, move |mut viewer| {
        let mut camera = connect_narrowly(port)?;
        viewer.set_nodelay(true)?;
        let (mut from, mut to) = (viewer.try_clone()?, camera.try_clone()?);
        thread::spawn(move || {
            // If the viewer leaves, both directions end.
            drop(io::copy(&mut from, &mut to));
            to.shutdown(Shutdown::Both)
        });
        let mut pace = Pace::of(BYTES_A_SECOND);
        let mut sip = [0; SIP];
        loop {
            let count = again(|| camera.read(&mut sip))?;
            if count == 0 {
                return Ok(());
            }
            pace.rest(count);
            viewer.write_all(&sip[..count])?;
        }
    })
}

/// The highest age of such frames at such a reader, at p95: the transfer of one frame, one interval, and 50
/// ms. Over HTTP, without acknowledgements, it is 150 ms.
fn bound(jpeg: &[u8], protocol: Protocol) -> Duration {
    let len = u32::try_from(jpeg.len()).expect("small");
    let more = match protocol {
        Protocol::Native => 50,
        Protocol::Http => 150,
    };
    Duration::from_secs(1) * len / BYTES_A_SECOND + INTERVAL + Duration::from_millis(more)
}

/// The options of a camera that repeats this JPEG unchanged. Its folder must stay.
fn clip(jpeg: &[u8], at: IpAddr) -> (tempfile::TempDir, Vec<String>) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("clip.mjpeg");
    std::fs::write(&path, jpeg).expect("writes");
    let source = path.to_str().expect("UTF-8").to_owned();
    let listen = format!("{at}:0");
    let options = ["--listen", &listen, "--source", &source, "--fps", &FPS.to_string()];
    (folder, options.map(str::to_owned).into())
}

/// Such a camera on this machine, and the folder of its clip.
fn camera(jpeg: &[u8]) -> (CameraProcess, tempfile::TempDir) {
    let (folder, options) = clip(jpeg, HERE);
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let camera = CameraProcess::spawn(&mut CameraProcess::command(&options));
    // The source is open when the first frame has come.
    NativeClient::connect(camera.port()).frame();
    (camera, folder)
}

fn say(whose: &str, protocol: Protocol, ages: Ages, bound: Duration) {
    let Ages { frames, p50, p95 } = ages;
    println!(
        "{whose}, {protocol:?}: {frames} frames, {p50:.1?} old at p50, {p95:.1?} at p95; bound {bound:.1?}"
    );
}

/// A slow reader at lancam and one at a plain server, at the same time. If the machine was busy, there are
/// further attempts.
fn compare(protocol: Protocol, time: Duration, attempts: u32) -> io::Result<()> {
    let jpeg = jpeg();
    let bound = bound(&jpeg, protocol);
    let (camera, _folder) = camera(&jpeg);
    let plain = plain_server(HERE, protocol, jpeg);
    let connect = |port| PacedReader::connect((HERE, port).into(), protocol, Narrow::Reading);
    for attempt in 1..=attempts {
        let there = connect(plain.port())?;
        let plain = thread::spawn(move || there.ages(time));
        let ours = connect(camera.port())?.ages(time)?;
        let plain = plain.join().expect("no panic")?;
        say("lancam", protocol, ours, bound);
        say("a plain server", protocol, plain, bound);
        assert!(plain.p95 >= bound * 10, "no test of anything: a plain server comes to {plain:?}");
        if ours.p95 <= bound {
            assert!(plain.p95 >= ours.p95 * 10);
            return Ok(());
        }
        assert!(attempt < attempts, "{ours:?} is over {bound:?}, each time");
    }
    Ok(())
}

#[test]
fn a_slow_reader_gets_young_pictures_and_from_a_plain_server_old_ones() -> io::Result<()> {
    compare(Protocol::Native, Duration::from_secs(8), 3)
}

#[test]
fn a_slow_reader_over_http_gets_young_pictures_and_from_a_plain_server_old_ones() -> io::Result<()>
{
    compare(Protocol::Http, Duration::from_secs(8), 3)
}

#[test]
#[ignore = "minutes: make test-all"]
fn a_slow_reader_gets_young_pictures_for_half_a_minute() -> io::Result<()> {
    compare(Protocol::Native, Duration::from_secs(30), 3)
}

#[test]
#[ignore = "minutes: make test-all"]
fn a_slow_reader_over_http_gets_young_pictures_for_half_a_minute() -> io::Result<()> {
    compare(Protocol::Http, Duration::from_secs(30), 3)
}

/// A cable that carries 5 Mbit/s towards the desk. `None` if the kernel cannot limit it, which counts as a
/// skip.
fn narrow_cable() -> Option<Lan> {
    let lan = Lan::new()?;
    let tbf = "qdisc add dev lan0 root tbf rate 5mbit burst 16kb latency 50ms";
    match lan.tc(Machine::Camera, &tbf.split(' ').collect::<Vec<_>>()) {
        Ok(()) => Some(lan),
        Err(why) => {
            skip("tbf", &why);
            None
        }
    }
}

/// The server at the other end of the cable.
#[derive(Debug, Clone, Copy)]
enum Server {
    Lancam,
    Plain,
}

/// The ages of the frames that a reader at the desk gets through a slow cable.
fn ages_behind_a_cable(
    server: Server,
    protocol: Protocol,
    jpeg: &[u8],
    time: Duration,
) -> Option<Ages> {
    let lan = narrow_cable()?;
    let at = Lan::CAMERA;
    let read = |port| {
        let to = SocketAddr::from((at, port));
        lan.inside(Machine::Desk, move || {
            PacedReader::connect(to, protocol, Narrow::Link).and_then(|reader| reader.ages(time))
        })
    };
    let ages = match server {
        Server::Lancam => {
            let (_folder, options) = clip(jpeg, at);
            let options: Vec<&str> = options.iter().map(String::as_str).collect();
            let command = CameraProcess::command(&options);
            let camera = CameraProcess::spawn(&mut lan.on(Machine::Camera, &command));
            read(camera.port()).join()
        }
        Server::Plain => {
            let (port, there) = mpsc::channel();
            let (done, end) = mpsc::channel::<()>();
            let jpeg = jpeg.to_vec();
            let serving = lan.inside(Machine::Camera, move || {
                let server = plain_server(at, protocol, jpeg);
                port.send(server.port()).expect("waited for");
                // The server must close in its own network, after the reader has ended.
                let _ = end.recv();
            });
            let ages = read(there.recv().expect("it listens")).join();
            drop(done);
            serving.join().expect("no panic");
            ages
        }
    };
    Some(ages.expect("no panic").expect("frames come"))
}

#[test]
#[ignore = "minutes: make test-all"]
fn behind_a_cable_of_5_mbit_pictures_are_young_and_from_a_plain_server_old() {
    // Asks once before, so that there is only one line about a skip.
    let Some(_) = narrow_cable() else { return };
    let jpeg = jpeg();
    let time = Duration::from_secs(30);
    let each = [Server::Lancam, Server::Plain]
        .map(|server| [Protocol::Native, Protocol::Http].map(|protocol| (server, protocol)));
    let ages = thread::scope(|scope| {
        let readers = each.map(|pair| {
            pair.map(|(server, protocol)| {
                let jpeg = &jpeg;
                scope.spawn(move || ages_behind_a_cable(server, protocol, jpeg, time))
            })
        });
        readers.map(|pair| pair.map(|reader| reader.join().expect("no panic")))
    });
    for (which, protocol) in [Protocol::Native, Protocol::Http].into_iter().enumerate() {
        let (Some(ours), Some(plain)) = (ages[0][which], ages[1][which]) else { return };
        let bound = bound(&jpeg, protocol);
        say("lancam", protocol, ours, bound);
        say("a plain server", protocol, plain, bound);
        // The kernel of a plain server buffers less when it knows that the link is slow, so the ratio is
        // smaller here than elsewhere.
        assert!(ours.p95 <= bound && plain.p95 >= ours.p95 * 4, "{ours:?}, plain {plain:?}");
    }
}

#[test]
fn a_viewer_behind_a_narrow_link_shows_young_pictures_and_knows_it() {
    let jpeg = jpeg();
    let (camera, _folder) = camera(&jpeg);
    let link = narrow_link(camera.port());
    let bound = bound(&jpeg, Protocol::Native).as_secs_f64() * 1e3;
    for _ in 0..3 {
        let arguments = ["-v", "--headless", "--json", "--seconds", "6", &link.address()];
        let output = Viewer::start(&arguments).finish();
        print!("{}", output.stdout);
        let log = output.log.join("\n");
        assert!(!log.contains("on their way at once"), "more than one frame:\n{log}");
        // Pings travel between frames, so the round trip is shorter than that of a frame.
        let is_certain = output.figure("age_uncertainty_ms") < 10.0;
        if is_certain && output.figure("p95") <= bound && output.figure("fps") > 14.0 {
            return;
        }
    }
    panic!("never, in three attempts, within {bound} ms");
}
