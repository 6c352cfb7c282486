//! Shows a lancam camera on a desktop.

use lancam::latest::Latest;
use lancam::viewer::config::{self, Command, Config, HeadlessConfig, Output, Report};
use lancam::viewer::headless::Headless;
use lancam::viewer::presenter::{self, End};
use lancam::viewer::receiver::Receiver;
use lancam::viewer::snapshot;
use lancam::wire::native;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

/// The command line makes no sense.
const USAGE: u8 = 2;
/// No first frame in time, or not a lancam server.
const NO_PICTURE: u8 = 3;

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let config = match config::parse(std::env::args_os().skip(1)) {
        Ok(Command::Watch(config)) => config,
        Ok(Command::Help) => return print(config::HELP.trim_end()),
        Ok(Command::Version) => {
            let version = env!("CARGO_PKG_VERSION");
            return print(&format!("lancam-view {version} (protocol {})", native::VERSION));
        }
        Err(error) => {
            eprintln!("lancam-view: {error}");
            return ExitCode::from(USAGE);
        }
    };
    let level = match config.verbosity {
        ..=-2 => log::LevelFilter::Error,
        -1 => log::LevelFilter::Warn,
        0 => log::LevelFilter::Info,
        1.. => log::LevelFilter::Debug,
    };
    env_logger::Builder::new().filter_level(level).parse_default_env().init();
    match watch(config) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("lancam-view: {error}");
            ExitCode::FAILURE
        }
    }
}

fn watch(config: Config) -> Result<ExitCode, Failure> {
    let news = Latest::new();
    let mut reader = news.reader();
    let receiver = Receiver::new(config.camera, config.wishes, Arc::clone(&news))?;
    thread::Builder::new().name("receiver".into()).spawn(move || receiver.run())?;
    match config.output {
        Output::Headless(headless) => {
            let mut screen = Headless::new(headless.limit, headless.timeout, Instant::now());
            let (scene, end) = presenter::present(&mut reader, &mut screen)?;
            report(&headless, &scene)?;
            Ok(conclude(end))
        }
        Output::Window => todo!(),
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
        End::NoFirstPicture(reason) | End::NotLancam(reason) => (ExitCode::from(NO_PICTURE), reason),
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
