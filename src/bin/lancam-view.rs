//! Shows a lancam camera on a desktop.

use lancam::image::pixels::Size;
use lancam::latest::{Latest, Newest};
use lancam::viewer::address::CameraAddress;
use lancam::viewer::config::{self, Command, Config, HeadlessConfig, Output, Report};
use lancam::viewer::finder;
use lancam::viewer::headless::Headless;
use lancam::viewer::list;
use lancam::viewer::news::News;
use lancam::viewer::presenter::{self, End};
use lancam::viewer::receiver::Receiver;
use lancam::viewer::recorder::{Recorder, Recording};
use lancam::viewer::snapshot;
use lancam::viewer::window::Window;
#[cfg(unix)]
use lancam::viewer::xwayland;
use lancam::{log_setup, version};
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// The command line makes no sense.
const USAGE: u8 = 2;
/// No first frame in time, or not a lancam server.
const NO_PICTURE: u8 = 3;

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let config = match config::parse(std::env::args_os().skip(1)) {
        Ok(Command::Watch(config)) => config,
        Ok(Command::List { report, verbosity }) => {
            log_setup::start(verbosity);
            return list_cameras(report);
        }
        Ok(Command::Help) => return print(config::HELP.trim_end()),
        Ok(Command::Version) => return print(&version::text("lancam-view")),
        Err(error) => {
            eprintln!("lancam-view: {error}");
            return ExitCode::from(USAGE);
        }
    };
    log_setup::start(config.verbosity);
    match watch(config) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("lancam-view: {error}");
            ExitCode::FAILURE
        }
    }
}

fn watch(config: Config) -> Result<ExitCode, Failure> {
    #[cfg(unix)]
    if config.output == Output::Window
        && let Err(error) = xwayland::prefer_on_gnome()
    {
        log::warn!("the window will have no title bar: cannot start again for XWayland: {error}");
    }
    let news = Latest::new();
    let mut reader = news.reader();
    let name = config.camera.as_ref().map_or_else(|| "lancam".to_owned(), ToString::to_string);
    let camera = match (config.camera, &config.output) {
        (None, Output::Headless(_)) => match the_only_one()? {
            Ok(camera) => Some(camera),
            Err(why) => return Ok(conclude(End::NoFirstPicture(why))),
        },
        (camera, _) => camera,
    };
    let receiver = match camera {
        Some(camera) => Receiver::new(camera, config.protocol, Arc::clone(&news))?,
        None => Receiver::of_the_only_one(config.protocol, Arc::clone(&news))?,
    };
    let recorder = receiver.recorder();
    if let Some(path) = &config.record {
        recorder.start_for_sure(path, Instant::now() + OPENING)?;
    }
    thread::Builder::new().name("receiver".into()).spawn(move || receiver.run())?;
    match config.output {
        Output::Headless(headless) => {
            let mut screen = Headless::new(headless.limit, headless.timeout, Instant::now());
            let (mut scene, end) = presenter::present(&mut reader, &mut screen)?;
            let recording = finish(&recorder);
            recording.iter().for_each(|recording| scene.figures.count_recording(recording));
            report(&headless, &scene)?;
            Ok(match recording.as_ref().and_then(Recording::failure) {
                Some(reason) if end == End::Done => conclude(End::Failed(reason.to_owned())),
                _ => conclude(end),
            })
        }
        Output::Window => {
            let mut window = Window::open(&name, first_size(&news))?;
            let (_, end) = presenter::present(&mut reader, &mut window)?;
            finish(&recorder);
            Ok(conclude(end))
        }
    }
}

/// How long a file may take to be opened before pictures are shown all the same.
const OPENING: Duration = Duration::from_secs(2);

/// How long a disk may take for what is still to be written. The file can be played without that.
const WRITING: Duration = Duration::from_secs(10);

fn finish(recorder: &Recorder) -> Option<Recording> {
    let recording = recorder.finish(Instant::now() + WRITING)?;
    if !recording.phase.is_over() {
        log::warn!("the last frames could not be written into {}", recording.path.display());
    }
    Some(recording)
}

/// The only camera on the LAN, or why there is none such. Scripts do not wait until that changes.
fn the_only_one() -> io::Result<Result<CameraAddress, String>> {
    let found = finder::look()?;
    Ok(match found.as_slice() {
        [only_one] => Ok(only_one.address()),
        _ => Err(list::choice(&found)),
    })
}

fn list_cameras(report: Report) -> ExitCode {
    let cameras = match finder::look() {
        Ok(cameras) => cameras,
        Err(error) => {
            eprintln!("lancam-view: cannot look for cameras on the LAN: {error}");
            return ExitCode::FAILURE;
        }
    };
    if cameras.is_empty() {
        eprintln!("lancam-view: {}", list::NONE);
    }
    let printed = match report {
        Report::Json => print(&list::json(&cameras)),
        Report::Text if cameras.is_empty() => ExitCode::FAILURE,
        Report::Text => print(&list::text(&cameras)),
    };
    if cameras.is_empty() { ExitCode::FAILURE } else { printed }
}

/// A camera that runs has sent its first picture by then, and the window gets its shape.
const FIRST_PICTURE: Duration = Duration::from_millis(300);

/// The size of the first picture, if that comes soon.
fn first_size(news: &Arc<Latest<News>>) -> Option<Size> {
    let mut reader = news.reader();
    let deadline = Instant::now() + FIRST_PICTURE;
    loop {
        match reader.wait(deadline.saturating_duration_since(Instant::now())) {
            Newest::Fresh { value: News::Picture(arrival), .. } => {
                return Some(arrival.picture.size());
            }
            Newest::Fresh { .. } => {}
            Newest::NotYet | Newest::Closed => return None,
        }
    }
}

/// Prints the figures and keeps the last picture.
fn report(config: &HeadlessConfig, scene: &presenter::Scene) -> Result<(), Failure> {
    match config.report {
        Report::Json => writeln!(io::stdout(), "{}", scene.figures.to_json())?,
        Report::Text => writeln!(io::stdout(), "{}", scene.figures)?,
    }
    if let (Some(path), Some(arrival)) = (&config.save, &scene.arrival) {
        snapshot::save(&arrival.picture, path)?;
    }
    Ok(())
}

fn conclude(end: End) -> ExitCode {
    let (code, reason) = match end {
        End::Done | End::UserLeft => return ExitCode::SUCCESS,
        End::NoFirstPicture(reason) | End::NotLancam(reason) => {
            (ExitCode::from(NO_PICTURE), reason)
        }
        End::Failed(reason) => (ExitCode::FAILURE, reason),
    };
    eprintln!("lancam-view: {reason}");
    code
}

fn print(text: &str) -> ExitCode {
    match writeln!(io::stdout(), "{text}") {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
