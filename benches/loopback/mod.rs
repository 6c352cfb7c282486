//! The age of a real camera's pictures when they are handed to the window, on loopback, where both programs share a clock.

/// Prints a line for each window.
#[cfg(all(feature = "camera", target_os = "linux"))]
pub(crate) use measured::report;

/// Without the camera, nothing is measured.
#[cfg(not(all(feature = "camera", target_os = "linux")))]
pub(crate) fn report() {
    println!("skipped: age on loopback: built without the camera");
}

#[cfg(all(feature = "camera", target_os = "linux"))]
mod measured {
    use lancam::clock;
    use lancam::image::pixels::Size;
    use lancam::latest::Doorbell;
    use lancam::viewer::find::address::CameraAddress;
    use lancam::viewer::stage::composer::{Composer, Extras, Repaint};
    use lancam::viewer::stage::tile::Tile;
    use lancam::viewer::stage::wall::{Info, Wall};
    use lancam::viewer::watch::channel::{Change, Channel};
    use lancam::viewer::watch::receiver::{Protocol, Wanted};
    use lancam::wire::native::message::Wishes;
    use std::error::Error;
    use std::hint::black_box;
    use std::io::{BufRead, BufReader, Write};
    use std::process::{Child, Command, Stdio};
    use std::time::{Duration, Instant};
    use tempfile::NamedTempFile;

    const PICTURE: Size = Size::new(1280, 720);
    /// The first frames are not counted, because buffers still grow.
    const WARM_UP: usize = 30;
    const COUNTED: usize = 300;
    /// Three times as long as the measurement takes.
    const PATIENCE: Duration = Duration::from_secs(33);
    /// The goal for the age without decoding.
    const GOAL_MS: f64 = 3.0;

    pub(crate) fn report() {
        println!(
            "age on loopback: from a camera's time stamp to the pixels for the window; {COUNTED} frames of {PICTURE} at 30 fps"
        );
        for makes in [Makes::Jpegs, Makes::Pixels] {
            for (room, info) in [(PICTURE, Info::Hidden), (Size::new(1920, 1080), Info::Shown)] {
                if let Err(why) = measure(makes, room, info) {
                    println!("skipped: {makes:?} in {room}: {why}");
                }
            }
        }
    }

    /// The pictures that the camera makes.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Makes {
        /// JPEGs, as from webcams. They are passed on.
        Jpegs,
        /// The test pattern, which is drawn and encoded after its time stamp.
        Pixels,
    }

    fn measure(makes: Makes, room: Size, info: Info) -> Result<(), Box<dyn Error>> {
        let camera = Camera::start(makes)?;
        let doorbell = Doorbell::new();
        let wanted = Wanted::at(CameraAddress::parse(&camera.address)?);
        let protocol = Protocol::Native(Wishes::default());
        let mut tile = Tile::from(Channel::open(wanted, protocol, &doorbell)?);
        let mut wall = Wall::new(1);
        wall.info = info;
        wall.resize(room);
        let mut composer = Composer::new(1.0);
        let mut times = Times::default();
        let deadline = Instant::now() + PATIENCE;
        let mut decoded = (0, Duration::ZERO);
        while times.ages.len() < WARM_UP + COUNTED {
            let now = Instant::now();
            if now > deadline {
                return Err(format!("only {} frames came", times.ages.len()).into());
            }
            doorbell.wait(Duration::from_millis(100));
            let now = Instant::now();
            if tile.update(now, true) != Change::Picture {
                continue;
            }
            let extras = Extras { paused: None, picker: None, toasts: &[], now };
            let tiles = std::slice::from_ref(&tile);
            let picture = composer.compose(&wall, tiles, Repaint::Changed, &extras);
            black_box(picture.pixels());
            let handed_over = clock::now();
            let arrival = tile.channel.arrival.as_ref().ok_or("a picture without pixels")?;
            let age = handed_over.since(arrival.picture.captured_at);
            let totals = arrival.totals;
            if totals.frames == decoded.0 + 1 {
                times.decoding.push(totals.decode_time - decoded.1);
            }
            if let Some(known) = &arrival.age {
                times.coming.push(age.saturating_sub(known.at.elapsed()));
            }
            times.ages.push(age);
            times.composing.push(now.elapsed());
            decoded = (totals.frames, totals.decode_time);
            tile.shown(Instant::now());
            tile.channel.is_changed = false;
        }
        times.print(makes, room, info);
        Ok(())
    }

    /// The times of each frame.
    #[derive(Default)]
    struct Times {
        ages: Vec<Duration>,
        /// Until all its bytes had arrived.
        coming: Vec<Duration>,
        decoding: Vec<Duration>,
        composing: Vec<Duration>,
    }

    impl Times {
        fn print(&mut self, makes: Makes, room: Size, info: Info) {
            let decoding = percentile(&mut self.decoding, 50);
            let composing = percentile(&mut self.composing, 50);
            let coming = percentile(&mut self.coming, 50);
            let [p50, p95] = [50, 95].map(|percent| percentile(&mut self.ages, percent));
            let above = p50 - decoding;
            let with = if info == Info::Shown { ", figures over it" } else { "" };
            println!(
                "{makes:?} in {room}{with}: p50 {p50:.2} ms, p95 {p95:.2} ms; coming here {coming:.2} ms, decoding {decoding:.2} ms, putting together {composing:.2} ms; \
                 p50 above decoding {above:.2} ms (goal {GOAL_MS})"
            );
        }
    }

    /// In milliseconds, without the first frames.
    fn percentile(times: &mut [Duration], percent: usize) -> f64 {
        let counted = times.get_mut(WARM_UP..).unwrap_or_default();
        counted.sort_unstable();
        let at = (counted.len() * percent / 100).min(counted.len().saturating_sub(1));
        counted.get(at).map_or(f64::NAN, |time| time.as_secs_f64() * 1000.0)
    }

    /// A real camera, which ends when this is dropped.
    struct Camera {
        process: Child,
        address: String,
        _clip: NamedTempFile,
    }

    impl Camera {
        fn start(makes: Makes) -> Result<Self, Box<dyn Error>> {
            let mut clip = tempfile::Builder::new().suffix(".mjpeg").tempfile()?;
            clip.write_all(&crate::encode(PICTURE))?;
            let mut command = Command::new(env!("CARGO_BIN_EXE_lancam"));
            for (variable, _) in std::env::vars_os() {
                if variable.to_string_lossy().starts_with("LANCAM_") {
                    command.env_remove(variable);
                }
            }
            let source = match makes {
                Makes::Jpegs => clip.path().to_string_lossy().into_owned(),
                Makes::Pixels => format!("test:{PICTURE}@30"),
            };
            let mut process = command
                .args(["--source", &source, "--fps", "30", "--listen", "127.0.0.1:0"])
                .env("LANCAM_ANNOUNCE", "off")
                .env("LANCAM_CONFIG", "")
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()?;
            let stdout = process.stdout.take();
            let mut camera = Self { process, address: String::new(), _clip: clip };
            // Its output ends with the process, at the latest when this is dropped.
            for line in BufReader::new(stdout.ok_or("no standard output")?).lines() {
                if let Some((_, address)) = line?.split_once("LISTENING AT: tcp://") {
                    camera.address = address.to_owned();
                    return Ok(camera);
                }
            }
            Err("lancam ended before it listened".into())
        }
    }

    impl Drop for Camera {
        fn drop(&mut self) {
            let _ = self.process.kill();
            let _ = self.process.wait();
        }
    }
}
