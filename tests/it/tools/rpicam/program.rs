//! The stand-in's process: writes what rpicam-vid writes, when it does (`output.cpp`, `file_output.cpp`), with its faults.

use super::options::Options;
use super::scene::{DELAY, Scene};
use lancam::clock;
use lancam::image::frame::Micros;
use lancam::image::pixels::Size;
use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, exit};
use std::thread::sleep;
use std::time::Duration;

/// A fault, by its word in the file.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    None,
    NoCamera,
    InUse,
    ModeRefused,
    NoMemory,
    /// Exits after this many frames.
    DiesAfter(u32),
    /// The same. Before its first frame it says that the camera is busy, and then goes on.
    BusyThenDiesAfter(u32),
    /// Hangs after this many frames, in the middle of the next one; with 0, before its first byte.
    HangsAfter(u32),
    /// Exits in the middle of a frame.
    HalfAFrame,
    Garbage,
    Flood,
    /// The script ignores the signal.
    IgnoresTerm,
    /// After ten frames it exits, but a child process keeps the pipe open.
    Grandchild,
    /// Leaves out every tenth line of times.
    LinesLost,
    LinesLate,
    /// Has no times for its first frames.
    FirstLinesLost,
    /// Leaves out every twentieth frame, as if all buffers were in use.
    LeavesOut,
    /// Sends half as many frames a second as it was asked for.
    HalfTheRate,
    /// Too old to report times, and to know of flicker.
    Old,
    /// Uses limited range, and says so.
    Limited,
    /// Sends this size, whatever was asked for.
    Smaller(Size),
}

impl Fault {
    fn read(folder: &Path) -> Self {
        let text = fs::read_to_string(folder.join("fault")).unwrap_or_default();
        let (name, number) = text.split_once(' ').unwrap_or((&text, "0"));
        let number = number.parse();
        match name {
            "" => Self::None,
            "no-camera" => Self::NoCamera,
            "in-use" => Self::InUse,
            "mode-refused" => Self::ModeRefused,
            "no-memory" => Self::NoMemory,
            "dies-after" => Self::DiesAfter(number.expect("a number")),
            "busy-then-dies-after" => Self::BusyThenDiesAfter(number.expect("a number")),
            "hangs-after" => Self::HangsAfter(number.expect("a number")),
            "half-a-frame" => Self::HalfAFrame,
            "garbage" => Self::Garbage,
            "flood" => Self::Flood,
            "ignores-term" => Self::IgnoresTerm,
            "grandchild" => Self::Grandchild,
            "lines-lost" => Self::LinesLost,
            "lines-late" => Self::LinesLate,
            "first-lines-lost" => Self::FirstLinesLost,
            "leaves-out" => Self::LeavesOut,
            "half-the-rate" => Self::HalfTheRate,
            "old" => Self::Old,
            "limited" => Self::Limited,
            "smaller" => Self::Smaller(Size::new(576, 324)),
            "unaligned" => Self::Smaller(Size::new(584, 324)),
            other => panic!("there is no fault {other:?}"),
        }
    }
}

/// Acts as rpicam-vid if the script of [`Rpicam`](super::Rpicam) started it. Otherwise does nothing.
#[test]
fn stands_in_for_rpicam_vid() {
    let Some(arguments) = env::var_os("RPICAM_ARGUMENTS") else { return };
    let arguments = arguments.into_string().expect("UTF-8");
    let arguments: Vec<String> = arguments.split('\u{1f}').map(str::to_owned).collect();
    let folder = PathBuf::from(env::var_os("RPICAM_FOLDER").expect("set together"));
    let line = format!(
        "{}\u{1f}{}\u{1f}{}\n",
        std::process::id(),
        clock::now().0,
        arguments.join("\u{1f}")
    );
    let starts = OpenOptions::new().create(true).append(true).open(folder.join("starts"));
    starts.expect("opens").write_all(line.as_bytes()).expect("writes");
    let said = run(&arguments, Fault::read(&folder));
    if let Err(why) = said {
        eprintln!("ERROR: *** {why} ***");
    }
    exit(255);
}

/// Runs until the reader has left.
#[expect(clippy::zombie_processes, reason = "what outlives this program is what is tested")]
fn run(arguments: &[String], fault: Fault) -> Result<(), String> {
    let options = Options::parse(arguments, fault == Fault::Old)?;
    let mut output = Output::open(&options, fault)?;
    open_camera(&options, fault)?;
    let size = match fault {
        Fault::Smaller(size) => size,
        _ => options.size,
    };
    let colour = if fault == Fault::Limited { "SMPTE170M" } else { "sYCC" };
    eprintln!("Mode selection for {}:{}:12:P({})", size.width, size.height, options.fps);
    if logs_of_the_camera() {
        eprintln!(
            "[0:12:34.567890123] [812]  INFO Camera camera.cpp:1216 configuring streams: (0) {size}-YUV420/{colour} (1) \
             1640x1232-SBGGR10_CSI2P/RAW"
        );
    }
    if let Fault::BusyThenDiesAfter(_) = fault {
        eprintln!(
            "[0:12:34.567890123] [812] ERROR V4L2 v4l2_device.cpp:390 'imx219': Unable to set controls: Device or resource busy"
        );
    }
    let mut scene = Scene::new(&options, size, fault == Fault::Limited);
    let pace = Duration::from_secs_f64(1.0 / options.fps);
    let first_at = clock::now();
    let mut flood = vec![b'x'; 64 << 10];
    flood.iter_mut().step_by(64).for_each(|byte| *byte = b'\n');
    for number in 0_u32.. {
        if fault == Fault::HangsAfter(number) {
            if number > 0 {
                let frame = scene.frame(number, Micros(0));
                output.put(&frame[..frame.len() / 2]);
            }
            sleep(Duration::from_secs(3600));
        }
        match fault {
            Fault::LeavesOut if number % 20 == 10 => continue,
            Fault::HalfTheRate if number % 2 == 1 => continue,
            Fault::DiesAfter(last) | Fault::BusyThenDiesAfter(last) if number == last => {
                return Err("the sensor went away".into());
            }
            Fault::HalfAFrame if number == 3 => {
                let frame = scene.frame(number, Micros(0));
                output.put(&frame[..frame.len() / 2]);
                return Ok(());
            }
            Fault::Grandchild if number == 10 => {
                // The child inherits the pipe as its descriptor 7.
                Command::new("sleep").arg("600").spawn().expect("sleep starts");
                return Ok(());
            }
            Fault::Flood => (0..16).for_each(|_| drop(io::stderr().write_all(&flood))),
            Fault::Garbage => {
                output.put(&flood);
                sleep(pace);
                continue;
            }
            _ => {}
        }
        let exposed_at = first_at.after(pace * number);
        sleep(exposed_at.after(DELAY).since(clock::now()));
        output.put(scene.frame(number, exposed_at));
        output.tell(number, exposed_at);
    }
    Ok(())
}

/// Whether libcamera logs what it says of cameras when all is well, and to standard error (`log.cpp`): the first level counts
/// whose category fits.
fn logs_of_the_camera() -> bool {
    let levels = env::var("LIBCAMERA_LOG_LEVELS").unwrap_or_default();
    let fits = |pair: &str| {
        let (category, level) = pair.split_once(':')?;
        ["*", "Camera"].contains(&category).then(|| ["DEBUG", "INFO"].contains(&level))
    };
    let is_loud = levels.split(',').find_map(fits).unwrap_or(true);
    is_loud && env::var_os("LIBCAMERA_LOG_FILE").is_none()
}

/// The failures of `RPiCamApp::OpenCamera` and `setupCapture`.
fn open_camera(options: &Options, fault: Fault) -> Result<(), String> {
    match fault {
        Fault::NoCamera => return Err("no cameras available".into()),
        _ if options.tuning_file.as_ref().is_some_and(|file| !Path::new(file).is_file()) => {
            // libcamera leaves out a camera whose tuning file it cannot read (`controller.cpp`, `ipa_base.cpp`).
            let file = options.tuning_file.as_deref().unwrap_or_default();
            eprintln!(
                "[0:00:01.234567890] [812] ERROR IPARPI ipa_base.cpp:164 Failed to load tuning data file {file}"
            );
            return Err("no cameras available".into());
        }
        _ if options.camera >= 1 => return Err("selected camera is not available".into()),
        Fault::InUse => {
            eprintln!(
                "[0:00:01.234567890] [812]  INFO Camera camera.cpp:1021 Pipeline handler in use by another process"
            );
            return Err("failed to acquire camera /base/soc/i2c0mux/i2c@1/imx219@10".into());
        }
        Fault::ModeRefused => return Err("failed to configure streams".into()),
        Fault::NoMemory => {
            eprintln!("dmaHeap allocation failure for rpicam-apps0");
            return Err("failed to allocate capture buffers for stream".into());
        }
        _ => {}
    }
    Ok(())
}

/// The files that rpicam-vid writes.
struct Output {
    frames: File,
    /// What stdio buffers without `--flush`.
    kept: Vec<u8>,
    flush: bool,
    metadata: Option<File>,
    is_text: bool,
    pts: Option<File>,
    first_at: Option<Micros>,
    fault: Fault,
    late: Vec<u8>,
}

impl Output {
    fn open(options: &Options, fault: Fault) -> Result<Self, String> {
        let create = |path: &String| {
            File::create(path).map_err(|_| format!("Failed to open timestamp file {path}"))
        };
        let mut pts = options.save_pts.as_ref().map(create).transpose()?;
        if let Some(pts) = &mut pts {
            let _ = pts.write_all(b"# timecode format v2\n");
        }
        Ok(Self {
            frames: OpenOptions::new().write(true).open("/dev/fd/7").expect("the script opens it"),
            kept: Vec::new(),
            flush: options.flush,
            metadata: options.metadata.as_ref().map(create).transpose()?,
            is_text: options.is_text,
            pts,
            first_at: None,
            fault,
            late: Vec::new(),
        })
    }

    /// Writes a frame's bytes. All of them are written at once only with `--flush`.
    fn put(&mut self, bytes: &[u8]) {
        self.kept.extend_from_slice(bytes);
        let now = if self.flush { self.kept.len() } else { self.kept.len() / 4096 * 4096 };
        if self.frames.write_all(&self.kept[..now]).is_err() {
            // SIGPIPE ends rpicam-vid, unless `--signal` is given.
            exit(141);
        }
        self.kept.drain(..now);
    }

    /// Writes a frame's times, after its bytes.
    fn tell(&mut self, number: u32, exposed_at: Micros) {
        let since = exposed_at.since(*self.first_at.get_or_insert(exposed_at)).as_micros();
        if let Some(pts) = &mut self.pts {
            let _ = writeln!(pts, "{}.{:03}", since / 1000, since % 1000);
        }
        let Some(metadata) = &mut self.metadata else { return };
        let nanos = exposed_at.0 * 1000;
        let text = if self.is_text {
            format!(
                "SensorBlackLevels=[ 4096, 4096, 4096, 4096 ]\nSensorTimestamp={nanos}\nLux=123.456\n\
                 ExposureTime=19989\nFrameDuration=33333\nAnalogueGain=1.500000\n\n"
            )
        } else {
            format!("{{\n    \"ExposureTime\": 19989,\n    \"SensorTimestamp\": {nanos}\n}}")
        };
        let _ = metadata.write_all(&std::mem::take(&mut self.late));
        match self.fault {
            Fault::LinesLost if number % 10 == 7 => {}
            Fault::FirstLinesLost if number < 30 => {}
            Fault::LinesLate if number % 10 == 7 => self.late = text.into_bytes(),
            _ => drop(metadata.write_all(text.as_bytes())),
        }
    }
}
