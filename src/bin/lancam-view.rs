//! Shows a lancam camera on a desktop.

use lancam::console::{answer, complain};
use lancam::image::pixels::Size;
use lancam::latest::Doorbell;
use lancam::viewer::config::{
    self, Config, HeadlessConfig, Output, Report, Request, help, secrets,
};
use lancam::viewer::find::address::CameraAddress;
use lancam::viewer::find::census::Sightings;
use lancam::viewer::find::finder;
use lancam::viewer::find::list;
use lancam::viewer::headless::Headless;
use lancam::viewer::keep::keyring::Keyring;
use lancam::viewer::keep::memory::Memory;
use lancam::viewer::keep::recorder::{self, Plan, WRITING};
use lancam::viewer::keep::snapshot::{self, SnapshotError};
use lancam::viewer::leave::Leave;
#[cfg(unix)]
use lancam::viewer::leave::Signals;
use lancam::viewer::run::{End, run};
use lancam::viewer::stage::chooser::Chooser;
use lancam::viewer::stage::show::Show;
#[cfg(unix)]
use lancam::viewer::stage::window::xwayland;
use lancam::viewer::stage::window::{Window, opening_size};
use lancam::viewer::terminal::Terminal;
use lancam::viewer::watch::channel::Channel;
use lancam::viewer::watch::news::{Asks, Hold};
use lancam::viewer::watch::receiver::{Dialogue, Protocol, Wanted};
use lancam::{log_setup, version};
use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The exit status for a wrong command line.
const USAGE: u8 = 2;
/// The exit status when no first frame came in time, or the server is not lancam.
const NO_PICTURE: u8 = 3;

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let config = match config::parse(std::env::args_os().skip(1)) {
        Ok(Request::Watch(config)) => config,
        Ok(Request::List { report, verbosity }) => {
            log_setup::start(verbosity);
            return list_cameras(report);
        }
        Ok(Request::Forget { camera, verbosity }) => {
            log_setup::start(verbosity);
            return forget(&camera);
        }
        Ok(Request::Help) => return print(help::text().trim_end()),
        Ok(Request::Version) => return print(&version::text("lancam-view")),
        Err(error) => {
            complain(format_args!("lancam-view: {error}"));
            return ExitCode::from(USAGE);
        }
    };
    log_setup::start(config.verbosity);
    #[cfg(unix)]
    if let Err(error) = secrets::hide_code() {
        log::warn!("other users of this machine can see the code while this runs: {error}");
    }
    let config = match config.with_secrets_of(|name| std::env::var_os(name)) {
        Ok(config) => config,
        Err(error) => {
            complain(format_args!("lancam-view: {error}"));
            return ExitCode::from(USAGE);
        }
    };
    match watch(config) {
        Ok(code) => code,
        Err(error) => {
            complain(format_args!("lancam-view: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn watch(config: Config) -> Result<ExitCode, Failure> {
    #[cfg(unix)]
    if config.output == Output::Window
        && let Err(error) = xwayland::prefer_for(config.opening)
    {
        log::warn!("no title bar and no full screen: cannot start again under XWayland: {error}");
    }
    let doorbell = Doorbell::new();
    let leave = Leave::new(Arc::clone(&doorbell));
    #[cfg(unix)]
    Signals::hold()?.ask(leave.clone())?;
    let given = config.key.as_ref().map(secrets::KeySource::read).transpose()?;
    let keyring = Arc::new(Keyring::load().with(given));
    let (protocol, code) = (config.protocol, config.code.clone());
    let dialogue = Dialogue { protocol, keyring, code, ..Dialogue::default() };
    match config.output {
        Output::Window => show(config, dialogue, doorbell, &leave),
        Output::Headless(headless) => {
            let camera = match config.cameras.into_iter().next() {
                Some(camera) => Wanted::at(camera),
                None => match the_only_one()? {
                    Ok(camera) => camera,
                    Err(why) => return Ok(conclude(End::NoFirstPicture(why))),
                },
            };
            count(camera, dialogue, config.record, &headless, &doorbell, &leave)
        }
    }
}

/// Watches a camera without a window.
fn count(
    camera: Wanted,
    dialogue: Dialogue,
    record: Option<Plan>,
    config: &HeadlessConfig,
    doorbell: &Arc<Doorbell>,
    leave: &Leave,
) -> Result<ExitCode, Failure> {
    if let Some(path) = &config.save {
        snapshot::check(path)?;
    }
    let hold = config.timeout.hold();
    let terminal = Terminal::of_this_program(doorbell);
    let asks = if terminal.is_some() { Asks::AtTerminal } else { Asks::Elsewhere };
    let dialogue = Dialogue { asks, ..dialogue };
    let camera = Channel::open_with(camera, dialogue, record, hold, doorbell)?;
    let screen = Headless::new(camera, config.limit, config.timeout, Instant::now());
    let mut screen = screen.asking_at(terminal);
    let Ok(end) = run(&mut screen, doorbell, leave);
    let Headless { mut camera, .. } = screen;
    let deadline = Instant::now() + WRITING;
    let recording = recorder::finish(&[camera.recorder.clone()], deadline).pop();
    recording.iter().for_each(|recording| camera.statistics.count_recording(recording));
    let has_failed = recording.as_ref().is_some_and(|recording| recording.failure().is_some());
    let untold = camera.recording_failure();
    let saved = save(config, &camera);
    let printed = print_figures(config, &camera);
    saved.inspect_err(|_| untold.iter().for_each(|why| log::error!("{why}")))?;
    let code = match untold {
        Some(reason) if end == End::Done => conclude(End::Failed(reason)),
        Some(reason) => {
            log::error!("{reason}");
            conclude(end)
        }
        None if has_failed && end == End::Done => ExitCode::FAILURE,
        None => conclude(end),
    };
    Ok(if code == ExitCode::SUCCESS { printed } else { code })
}

/// Watches cameras in a window.
fn show(
    config: Config,
    dialogue: Dialogue,
    doorbell: Arc<Doorbell>,
    leave: &Leave,
) -> Result<ExitCode, Failure> {
    let Config { cameras, record, rotation, opening, .. } = config;
    let memory = Memory::load();
    let mut chooser = None;
    let mut wanted: Vec<Wanted> = cameras.into_iter().map(Wanted::at).collect();
    if wanted.is_empty() {
        chooser = Some(Chooser::start(&doorbell, &dialogue.keyring)?);
        wanted.extend(memory.cameras.iter().cloned());
    }
    let mut spoken = match memory.is_pickle && chooser.is_some() {
        true => Dialogue { protocol: Protocol::Pickle, ..dialogue.clone() },
        false => dialogue.clone(),
    };
    // Cameras that are chosen later are recorded from then on.
    let (plan, record) = match chooser {
        Some(_) => (None, record),
        None => (record, None),
    };
    let open = |camera| {
        Channel::open_with(camera, spoken.for_next(), plan.clone(), Hold::Nothing, &doorbell)
    };
    let mut channels = wanted.into_iter().map(open).collect::<Result<Vec<_>, _>>()?;
    let dialogue = Dialogue { code: spoken.code, ..dialogue };
    let size = memory.size.unwrap_or_else(|| opening_size(first_size(&mut channels, &doorbell)));
    let title = match channels.as_slice() {
        [only] => only.name().to_owned(),
        _ => "lancam".to_owned(),
    };
    let window = Window::open(&title, size)?;
    let show = Show::new(window, channels, chooser, dialogue, doorbell, memory);
    Ok(conclude(show.recording(record, rotation).opened(opening).run(leave)?))
}

/// The only camera on the LAN, or a message if there is not exactly one. Scripts should not wait for that to change.
fn the_only_one() -> io::Result<Result<Wanted, String>> {
    let found = finder::look()?;
    Ok(match found.cameras.as_slice() {
        [only_one] => Ok(only_one.wanted()),
        several => Err(list::choice(several)),
    })
}

/// Forgets the pairing with a camera.
fn forget(camera: &CameraAddress) -> ExitCode {
    let keyring = Keyring::load();
    let forgotten = match keyring.forget(camera) {
        Ok(forgotten) => forgotten,
        Err(error) => {
            complain(format_args!("lancam-view: {error}"));
            return ExitCode::FAILURE;
        }
    };
    if forgotten.is_empty() {
        let camera = camera.written();
        let paired = match &keyring.names()[..] {
            [] => "No camera is paired here".to_owned(),
            names => format!("Paired: {}", names.join(", ")),
        };
        complain(format_args!("lancam-view: no paired camera is called {camera}. {paired}"));
        return ExitCode::FAILURE;
    }
    complain(format_args!(
        "lancam-view: the camera still accepts the key of this viewer. To take that key back, type on the camera's machine: sudo lancam pair --list, and then sudo lancam pair --revoke NAME"
    ));
    print(&format!("forgotten: {}", forgotten.join(", ")))
}

fn list_cameras(report: Report) -> ExitCode {
    let cameras = match finder::look() {
        Ok(Sightings { cameras, is_cut }) => {
            if is_cut {
                complain(format_args!("lancam-view: {}", list::CUT));
            }
            cameras
        }
        Err(error) => {
            complain(format_args!("lancam-view: cannot look for cameras on the LAN: {error}"));
            return ExitCode::FAILURE;
        }
    };
    if cameras.is_empty() {
        complain(format_args!("lancam-view: {}", list::NONE));
    }
    let printed = match report {
        Report::Json => print(&list::json(&cameras)),
        Report::Text if cameras.is_empty() => ExitCode::FAILURE,
        Report::Text => {
            let keyring = Keyring::load();
            print(&list::text(&cameras, |camera| keyring.standing_of(camera).words()))
        }
    };
    if cameras.is_empty() { ExitCode::FAILURE } else { printed }
}

/// How long to wait for the first picture before the window opens. A running camera has sent one by then, and the window
/// gets its shape.
const FIRST_PICTURE: Duration = Duration::from_millis(200);

/// The size of the first picture, if there is one camera and its picture comes in time.
fn first_size(channels: &mut [Channel], doorbell: &Doorbell) -> Option<Size> {
    let [channel] = channels else { return None };
    let deadline = Instant::now() + FIRST_PICTURE;
    loop {
        channel.update(Instant::now(), true);
        let size = channel.arrival.as_ref().map(|arrival| arrival.size);
        let left = deadline.saturating_duration_since(Instant::now());
        if size.is_some() || left.is_zero() {
            return size;
        }
        doorbell.wait(left);
    }
}

/// Saves the last picture, if that was asked for.
fn save(config: &HeadlessConfig, camera: &Channel) -> Result<(), SnapshotError> {
    match (&config.save, &camera.arrival) {
        (Some(path), Some(arrival)) => snapshot::keep_as(arrival, path),
        _ => Ok(()),
    }
}

fn print_figures(config: &HeadlessConfig, camera: &Channel) -> ExitCode {
    let figures = &camera.statistics;
    match config.report {
        Report::Json => print(&figures.to_json()),
        // The reason is printed elsewhere.
        Report::Text if figures.shown() == 0 => ExitCode::SUCCESS,
        Report::Text => print(&figures.to_string()),
    }
}

fn conclude(end: End) -> ExitCode {
    let (code, reason) = match end {
        End::Done | End::UserLeft => return ExitCode::SUCCESS,
        End::NoFirstPicture(reason) | End::NotLancam(reason) => {
            (ExitCode::from(NO_PICTURE), reason)
        }
        End::Failed(reason) => (ExitCode::FAILURE, reason),
    };
    complain(format_args!("lancam-view: {reason}"));
    code
}

fn print(text: &str) -> ExitCode {
    answer("lancam-view", text)
}
