//! The viewer's command line.

use super::address::{AddressError, CameraAddress};
use super::headless::{Limit, Timeout};
pub use super::help::HELP;
use super::receiver::Protocol;
use super::recorder::{self, Naming, Plan, Rotation};
use super::snapshot;
use super::units;
use crate::wire::native::message::Wishes;
use lexopt::prelude::*;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

/// What the user asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Show a camera.
    Watch(Box<Config>),
    /// List the cameras on the LAN.
    List {
        /// How.
        report: Report,
        /// How much is logged.
        verbosity: i8,
    },
    /// Print [`HELP`].
    Help,
    /// Print the version.
    Version,
}

/// Which cameras, and how to show them.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Where they are; none: the last one, the only one on the LAN, or whichever is chosen.
    pub cameras: Vec<CameraAddress>,
    /// What is spoken with them.
    pub protocol: Protocol,
    /// Where their pictures go.
    pub output: Output,
    /// What they are recorded into.
    pub record: Option<Plan>,
    /// When recordings begin another file, those of the `r` key too.
    pub rotation: Rotation,
    /// How much is logged: 0 as usual, above more, below less.
    pub verbosity: i8,
}

/// Where pictures go.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// A window.
    Window,
    /// Nowhere; they are counted.
    Headless(HeadlessConfig),
}

/// How to watch without a window.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadlessConfig {
    /// When to end.
    pub limit: Limit,
    /// The longest wait for the first picture, and for any next one.
    pub timeout: Timeout,
    /// Where the last picture is kept.
    pub save: Option<PathBuf>,
    /// How the figures are printed.
    pub report: Report,
}

/// How figures and lists are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Report {
    /// Sentences, lines.
    Text,
    /// A line of JSON.
    Json,
}

/// What is wrong with a command line, and what would work.
#[derive(Debug, thiserror::Error)]
pub enum UsageError {
    /// An option that is unknown or lacks its value.
    #[error("{0}; 'lancam-view --help' lists what there is")]
    Option(#[from] lexopt::Error),
    /// A value that an option does not take.
    #[error("{option} takes {wants}, not '{found}'")]
    Value {
        /// The option.
        option: &'static str,
        /// What it takes.
        wants: &'static str,
        /// What was given.
        found: String,
    },
    /// More than one, where only one can be.
    #[error("{0} takes one camera; found {1} and {2}")]
    OneCamera(&'static str, CameraAddress, CameraAddress),
    /// More than anybody can look at.
    #[error("at most {MAX_CAMERAS} cameras at once")]
    TooManyCameras,
    /// Not a camera's address.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// An option that means nothing without another.
    #[error("{0} works only with {1}")]
    Needs(&'static str, &'static str),
    /// A server that listens to nobody.
    #[error(
        "the server behind --pickle takes no wishes: leave out --width, --height, --quality and --fps"
    )]
    WishesForPickle,
    /// A server of pixels.
    #[error("the server behind --pickle sends no JPEGs: --save FILE.png")]
    JpegOfPickle,
    /// Options that contradict each other.
    #[error("use {0} or {1}, not both")]
    Conflict(&'static str, &'static str),
}

/// More panes than this nobody can tell apart.
const MAX_CAMERAS: usize = 64;

/// Parses the arguments behind the program's name.
///
/// # Errors
/// When they make no sense; the error is one line that says what would.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, UsageError> {
    let mut parser = lexopt::Parser::from_args(arguments);
    let mut given = Given::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(Command::Help),
            Long("version") => return Ok(Command::Version),
            Short('v') => given.verbosity = given.verbosity.saturating_add(1),
            Short('q') => given.verbosity = given.verbosity.saturating_sub(1),
            Long("headless") => given.headless = true,
            Long("json") => given.json = true,
            Long("save") => given.save = Some(picture(&mut parser)?),
            Long("frames") => {
                given.frames =
                    Some(number(&mut parser, "--frames", "a number from 1", |&n| n > 0)?);
            }
            Long("seconds") => given.seconds = Some(seconds(&mut parser, "--seconds")?),
            Long("timeout") => given.timeout = Some(seconds(&mut parser, "--timeout")?),
            Long("width") => given.wishes.width = side(&mut parser, "--width")?,
            Long("height") => given.wishes.height = side(&mut parser, "--height")?,
            Long("quality") => {
                let is_quality = |quality: &u8| (1..=100).contains(quality);
                given.wishes.quality =
                    number(&mut parser, "--quality", "a number from 1 to 100", is_quality)?;
            }
            Long("fps") => given.wishes.millifps = millifps(&mut parser)?,
            Long("list") => given.list = true,
            Long("record") => given.record = Some(recording(&mut parser)?),
            Long("record-every") => {
                let time = with_unit(&mut parser, "--record-every", units::A_TIME, units::time)?;
                given.rotation.every = Some(time);
            }
            Long("record-max") => {
                let max = with_unit(&mut parser, "--record-max", units::A_LENGTH, units::length)?;
                given.rotation.max = Some(max);
            }
            Long("record-keep") => {
                given.rotation.keep =
                    number(&mut parser, "--record-keep", "a number of files from 1", |&n| n > 0)?;
            }
            Long("pickle") => {
                given.pickle = true;
                given.name_camera(&parser.value()?.string()?)?;
            }
            Value(camera) => given.name_camera(&camera.string()?)?,
            other => return Err(other.unexpected().into()),
        }
    }
    match given.list {
        true => given.into_list(),
        false => given.into_config().map(|config| Command::Watch(Box::new(config))),
    }
}

/// Options as they were given, before they are held against each other.
#[derive(Default)]
struct Given {
    cameras: Vec<CameraAddress>,
    wishes: Wishes,
    pickle: bool,
    list: bool,
    headless: bool,
    json: bool,
    save: Option<PathBuf>,
    record: Option<PathBuf>,
    rotation: Rotation,
    frames: Option<u64>,
    seconds: Option<Duration>,
    timeout: Option<Duration>,
    verbosity: i8,
}

/// What there is to print besides figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lists {
    Cameras,
    Nothing,
}

/// How long `--headless` watches when nothing is said.
const DEFAULT_SECONDS: Duration = Duration::from_secs(10);
/// How long it waits for a picture when nothing is said.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
/// Beyond a year nobody waits, and clocks overflow.
const MOST_SECONDS: f64 = 366.0 * 86_400.0;

impl Given {
    fn name_camera(&mut self, text: &str) -> Result<(), UsageError> {
        if self.cameras.len() == MAX_CAMERAS {
            return Err(UsageError::TooManyCameras);
        }
        self.cameras.push(CameraAddress::parse(text)?);
        Ok(())
    }

    fn into_list(self) -> Result<Command, UsageError> {
        if !self.cameras.is_empty() {
            return Err(UsageError::Conflict("--list", "a camera's address"));
        }
        if self.headless {
            return Err(UsageError::Conflict("--list", "--headless"));
        }
        if self.record.is_some() || self.rotation != Rotation::default() {
            return Err(UsageError::Conflict("--list", "--record"));
        }
        self.refuse_headless_options(Lists::Cameras)?;
        Ok(Command::List { report: self.report(), verbosity: self.verbosity })
    }

    fn report(&self) -> Report {
        if self.json { Report::Json } else { Report::Text }
    }

    fn into_config(self) -> Result<Config, UsageError> {
        let alone = [(self.pickle, "--pickle"), (self.headless, "--headless")];
        self.check_rotation()?;
        if let ([first, second, ..], Some((_, option))) =
            (self.cameras.as_slice(), alone.into_iter().find(|(given, _)| *given))
        {
            return Err(UsageError::OneCamera(option, first.clone(), second.clone()));
        }
        let output = match self.headless {
            true => Output::Headless(self.headless()?),
            false => {
                self.refuse_headless_options(Lists::Nothing)?;
                Output::Window
            }
        };
        let is_jpeg_saved =
            self.save.as_deref().and_then(snapshot::Form::of) == Some(snapshot::Form::Jpeg);
        if self.pickle && is_jpeg_saved {
            return Err(UsageError::JpegOfPickle);
        }
        let protocol = match self.pickle {
            true if self.wishes != Wishes::default() => return Err(UsageError::WishesForPickle),
            true => Protocol::Pickle,
            false => Protocol::Native(self.wishes),
        };
        let Self { cameras, record, rotation, verbosity, .. } = self;
        let naming = if cameras.len() > 1 { Naming::WithCamera } else { Naming::Plain };
        let record = record.map(|path| Plan { path, naming, rotation });
        Ok(Config { cameras, protocol, output, record, rotation, verbosity })
    }

    /// Whether something is recorded that can be cut into files.
    fn check_rotation(&self) -> Result<(), UsageError> {
        let Rotation { every, max, keep } = self.rotation;
        if keep > 0 && !self.rotation.is_on() {
            return Err(UsageError::Needs("--record-keep", "--record-every or --record-max"));
        }
        let is_recorded = self.record.is_some() || !self.headless;
        for (given, option) in
            [(every.is_some(), "--record-every"), (max.is_some(), "--record-max")]
        {
            if given && !is_recorded {
                return Err(UsageError::Needs(option, "--record"));
            }
        }
        Ok(())
    }

    fn headless(&self) -> Result<HeadlessConfig, UsageError> {
        let limit = match (self.frames, self.seconds) {
            (Some(_), Some(_)) => return Err(UsageError::Conflict("--frames", "--seconds")),
            (Some(frames), None) => Limit::Pictures(frames),
            (None, None) if self.record.is_some() => Limit::Never,
            (None, seconds) => Limit::Elapsed(seconds.unwrap_or(DEFAULT_SECONDS)),
        };
        let first = self.timeout.unwrap_or(DEFAULT_TIMEOUT);
        // A recording goes on when the camera is back, unless somebody has said how long that may take.
        let is_patient = self.record.is_some() && self.timeout.is_none();
        let next = if is_patient { None } else { Some(first) };
        Ok(HeadlessConfig {
            limit,
            timeout: Timeout { first, next },
            save: self.save.clone(),
            report: self.report(),
        })
    }

    fn refuse_headless_options(&self, lists: Lists) -> Result<(), UsageError> {
        for (given, option) in [
            (self.json && lists == Lists::Nothing, "--json"),
            (self.save.is_some(), "--save"),
            (self.frames.is_some(), "--frames"),
            (self.seconds.is_some(), "--seconds"),
            (self.timeout.is_some(), "--timeout"),
        ] {
            if given {
                return Err(UsageError::Needs(option, "--headless"));
            }
        }
        Ok(())
    }
}

/// An option's value as a number that `is_fine`.
fn number<T: std::str::FromStr>(
    parser: &mut lexopt::Parser,
    option: &'static str,
    wants: &'static str,
    is_fine: impl Fn(&T) -> bool,
) -> Result<T, UsageError> {
    let found = parser.value()?.to_string_lossy().into_owned();
    match found.parse().ok().filter(is_fine) {
        Some(number) => Ok(number),
        None => Err(UsageError::Value { option, wants, found }),
    }
}

/// An option's value as `read` makes it of the number and its unit.
fn with_unit<T>(
    parser: &mut lexopt::Parser,
    option: &'static str,
    wants: &'static str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<T, UsageError> {
    let found = parser.value()?.to_string_lossy().into_owned();
    read(&found).ok_or(UsageError::Value { option, wants, found })
}

/// A file whose name says in which form a picture will be in it.
fn picture(parser: &mut lexopt::Parser) -> Result<PathBuf, UsageError> {
    let path = PathBuf::from(parser.value()?);
    match snapshot::Form::of(&path) {
        Some(_) => Ok(path),
        None => Err(UsageError::Value {
            option: "--save",
            wants: "a file whose name ends in .png, or in .jpg for the camera's own JPEG",
            found: path.to_string_lossy().into_owned(),
        }),
    }
}

/// A file whose name says what will be in it.
fn recording(parser: &mut lexopt::Parser) -> Result<PathBuf, UsageError> {
    let path = PathBuf::from(parser.value()?);
    let is_known = |extension: &OsStr| extension.eq_ignore_ascii_case(recorder::EXTENSION);
    match path.extension().is_some_and(is_known) {
        true => Ok(path),
        false => Err(UsageError::Value {
            option: "--record",
            wants: "a file or pipe whose name ends in .mkv",
            found: path.to_string_lossy().into_owned(),
        }),
    }
}

fn side(parser: &mut lexopt::Parser, option: &'static str) -> Result<u16, UsageError> {
    number(parser, option, "a number of pixels from 1 to 65535", |&side| side > 0)
}

fn seconds(parser: &mut lexopt::Parser, option: &'static str) -> Result<Duration, UsageError> {
    let wants = "a number of seconds above 0";
    let is_fine = |&seconds: &f64| seconds > 0.0 && seconds <= MOST_SECONDS;
    number(parser, option, wants, is_fine).map(Duration::from_secs_f64)
}

fn millifps(parser: &mut lexopt::Parser) -> Result<u32, UsageError> {
    let is_fine = |&fps: &f64| (0.001..=1000.0).contains(&fps);
    let fps = number(parser, "--fps", "frames per second from 0.001 to 1000", is_fine)?;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    // The range was checked above; floats have no other conversion.
    Ok((fps * 1000.0).round() as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_line(line: &str) -> Result<Command, String> {
        let arguments = line.split_whitespace().map(OsString::from);
        parse(arguments).map_err(|error| error.to_string())
    }

    fn config(line: &str) -> Config {
        match parse_line(line) {
            Ok(Command::Watch(config)) => *config,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn a_camera_is_enough() {
        let config = config("pi.local");
        assert_eq!(config.cameras, [CameraAddress { host: "pi.local".into(), port: None }]);
        assert_eq!(config.protocol, Protocol::Native(Wishes::default()));
        assert_eq!(config.output, Output::Window);
    }

    #[test]
    fn none_is_enough_too_and_several_make_a_grid() {
        assert_eq!(config("").cameras, []);
        assert_eq!(config("--headless").cameras, []);
        assert_eq!(config("a b:7 [::1]").cameras.len(), 3);
    }

    #[test]
    fn cameras_are_listed_for_people_or_for_programs() {
        let list = |report, verbosity| Ok(Command::List { report, verbosity });
        assert_eq!(parse_line("--list"), list(Report::Text, 0));
        assert_eq!(parse_line("-v --json --list"), list(Report::Json, 1));
    }

    #[test]
    fn headless_ends_after_ten_seconds_unless_told_otherwise() {
        let headless = |line| match config(line).output {
            Output::Headless(headless) => headless,
            Output::Window => panic!("{line}"),
        };
        let plain = headless("--headless pi");
        assert_eq!(plain.limit, Limit::Elapsed(Duration::from_secs(10)));
        let both = |timeout| Timeout { first: timeout, next: Some(timeout) };
        assert_eq!((plain.timeout, plain.report), (both(Duration::from_secs(10)), Report::Text));
        let told = headless("--headless pi --frames 5 --timeout=0.5 --save a.png --json");
        assert_eq!(told.limit, Limit::Pictures(5));
        let timeout = both(Duration::from_millis(500));
        assert_eq!((told.timeout, told.report), (timeout, Report::Json));
        assert_eq!(told.save, Some("a.png".into()));
        let endless = headless("--headless pi --record x.mkv");
        let timeout = Timeout { first: Duration::from_secs(10), next: None };
        assert_eq!((endless.limit, endless.timeout), (Limit::Never, timeout));
        let told = headless("--headless pi --record x.mkv --seconds 5 --timeout 10");
        assert_eq!(
            (told.limit, told.timeout),
            (Limit::Elapsed(Duration::from_secs(5)), plain.timeout)
        );
    }

    #[test]
    fn recordings_are_cut_and_named() {
        let plan =
            config("a b --record x.mkv --record-every 10min --record-max 2GiB --record-keep 6");
        let rotation =
            Rotation { every: Some(Duration::from_secs(600)), max: Some(2 << 30), keep: 6 };
        assert_eq!(plan.rotation, rotation);
        let record = Plan { path: "x.mkv".into(), naming: Naming::WithCamera, rotation };
        assert_eq!(plan.record, Some(record));
        assert_eq!(config("a --record x.mkv").record, Some(Plan::file("x.mkv".as_ref())));
        assert_eq!(config("a --record-every 1h").record, None, "it is for the key");
    }

    #[test]
    fn a_server_of_pickles_is_named_behind_its_option() {
        let config = config("--headless --pickle pi:1234");
        assert_eq!((config.protocol, config.cameras[0].port), (Protocol::Pickle, Some(1234)));
    }

    #[test]
    fn wishes_are_passed_on() {
        let protocol = config("pi --width 640 --height 360 --quality 70 --fps 12.5").protocol;
        let wishes = Wishes { width: 640, height: 360, quality: 70, millifps: 12_500 };
        assert_eq!(protocol, Protocol::Native(wishes));
    }

    #[test]
    fn what_makes_no_sense_is_answered_in_one_line_with_what_would() {
        for (line, answer) in [
            ("a b --headless", "--headless takes one camera; found a:9999 and b:9999"),
            ("pi --sead", "--help"),
            ("pi --save", "--help"),
            ("pi --save x.png", "works only with --headless"),
            ("pi --headless --save x.gif", "ends in .png"),
            ("pi --headless --save png", "ends in .png"),
            ("--headless --pickle pi --save x.JPEG", "sends no JPEGs"),
            ("pi --frames 3", "works only with --headless"),
            ("pi --headless --frames 0", "takes a number from 1, not '0'"),
            ("pi --headless --frames -1", "takes a number from 1, not '-1'"),
            ("pi --headless --seconds nan", "takes a number of seconds above 0"),
            ("pi --headless --seconds 1e300", "takes a number of seconds above 0"),
            ("pi --headless --seconds 1 --frames 1", "not both"),
            ("pi --pickle other", "--pickle takes one camera"),
            ("--pickle pi --width 9", "takes no wishes"),
            ("pi --width 0", "from 1 to 65535"),
            ("pi --width 100000", "from 1 to 65535"),
            ("pi --quality 101", "from 1 to 100"),
            ("pi --fps 0", "from 0.001 to 1000"),
            ("pi:99999", "HOST:PORT"),
            ("--list pi", "not both"),
            ("--list --headless", "not both"),
            ("--list --frames 3", "works only with --headless"),
            ("pi --json", "works only with --headless"),
            ("pi --record x.avi", "ends in .mkv, not 'x.avi'"),
            ("pi --record mkv", "ends in .mkv, not 'mkv'"),
            ("--list --record x.mkv", "not both"),
            ("--list --record-max 1GB", "not both"),
            ("pi --record x.mkv --record-every 10", "unit (s, min, h, d), such as 10min, not '10'"),
            ("pi --record x.mkv --record-max 2G", "such as 2GiB, not '2G'"),
            ("pi --record x.mkv --record-keep 0", "files from 1, not '0'"),
            ("pi --record x.mkv --record-keep 3", "only with --record-every or --record-max"),
            ("pi --headless --record-every 1h", "--record-every works only with --record"),
            ("a b --headless --record x.mkv", "--headless takes one camera"),
            ("pi --record /dev/stdout", "file or pipe whose name ends in .mkv, not '/dev/stdout'"),
        ] {
            let error = parse_line(line).expect_err(line);
            assert!(error.contains(answer), "{line}: {error}");
            assert!(!error.contains('\n'), "{line}: {error}");
        }
    }

    #[test]
    fn help_names_every_option_that_is_taken() {
        for option in [
            "--list",
            "--headless",
            "--frames",
            "--seconds",
            "--timeout",
            "--save",
            "--record",
            "--record-every",
            "--record-max",
            "--record-keep",
            "--json",
            "--width",
            "--height",
            "--quality",
            "--fps",
            "-v",
            "-q",
            "--version",
            "--help",
        ] {
            assert!(HELP.contains(option), "{option}");
        }
        assert_eq!(parse_line("--help"), Ok(Command::Help));
        assert_eq!(parse_line("pi --version"), Ok(Command::Version));
    }
}
