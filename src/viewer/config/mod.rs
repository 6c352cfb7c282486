//! The viewer's command line.

mod given;
pub mod help;
mod meant;
pub mod secrets;
#[cfg(test)]
mod tests;
mod units;
mod values;

use crate::one_dash::OneDash;
use crate::viewer::find::address::{AddressError, CameraAddress};
use crate::viewer::headless::{Limit, Timeout};
use crate::viewer::keep::keyring::KeyError;
use crate::viewer::keep::recorder::{Plan, Rotation};
use crate::viewer::stage::window::Opening;
use crate::viewer::watch::receiver::Protocol;
use crate::wire::access::code::{Code, NotACode};
use crate::wording::{given_twice, must_be, needs_a_value};
use given::Given;
use lexopt::prelude::*;
use meant::Beside;
use secrets::KeySource;
use std::ffi::OsString;
use std::path::PathBuf;

/// What the command line asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// Show a camera.
    Watch(Box<Config>),
    /// List the cameras on the LAN.
    List {
        /// How the list is printed.
        report: Report,
        /// How much is logged.
        verbosity: i8,
    },
    /// Forget the pairing with a camera.
    Forget {
        /// Its name or address.
        camera: CameraAddress,
        /// How much is logged.
        verbosity: i8,
    },
    /// Print [`help::text`].
    Help,
    /// Print the version.
    Version,
}

/// Which cameras, and how to show them.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The cameras to watch. None: those watched last, the only one on the LAN, or one chosen from the list.
    pub cameras: Vec<CameraAddress>,
    /// The protocol to speak with them.
    pub protocol: Protocol,
    /// Where their pictures go.
    pub output: Output,
    /// The recording that starts at once.
    pub record: Option<Plan>,
    /// When a recording begins another file. Holds for the `r` key too.
    pub rotation: Rotation,
    /// How the window opens.
    pub opening: Opening,
    /// The code to pair with, if the camera wants one.
    pub code: Option<Code>,
    /// The key to show instead of one that is remembered.
    pub key: Option<KeySource>,
    /// How much is logged: 0 is the default, more logs more, less logs less.
    pub verbosity: i8,
}

/// Where pictures go.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// A window.
    Window,
    /// No window; the pictures are counted.
    Headless(HeadlessConfig),
}

/// How to watch without a window.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadlessConfig {
    /// When to stop.
    pub limit: Limit,
    /// The longest wait for the first picture, and for each later one.
    pub timeout: Timeout,
    /// The file for the last picture.
    pub save: Option<PathBuf>,
    /// How the figures are printed.
    pub report: Report,
}

/// How figures and lists are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Report {
    /// Text for people.
    Text,
    /// A line of JSON.
    Json,
}

/// Why a command line cannot be used, and what to type instead.
#[derive(Debug, thiserror::Error)]
pub enum UsageError {
    /// An option without its value, or with one that is not text.
    #[error("{}", about(.0))]
    Option(#[from] lexopt::Error),
    /// An option or a command that does not exist, and what was probably meant.
    #[error("{0}")]
    Unknown(String),
    /// A value that the option does not take.
    #[error("{}", must_be(option, wants, found))]
    Value {
        /// The option.
        option: &'static str,
        /// What the value must be.
        wants: &'static str,
        /// What was given.
        found: String,
    },
    /// Several cameras with an option that takes one.
    #[error("{}", one_camera(.0, .1, .2))]
    OneCamera(&'static str, CameraAddress, CameraAddress),
    /// More cameras than a window can show.
    #[error("too many cameras: name {MAX_CAMERAS} at most")]
    TooManyCameras,
    /// Text that is not a camera's address.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// An option that needs another one.
    #[error("{0} works only together with {1}")]
    Needs(&'static str, &'static str),
    /// Wishes with `--pickle`, whose server takes none.
    #[error(
        "--pickle does not go with --width, --height, --quality and --fps: that server sends one size and rate"
    )]
    WishesForPickle,
    /// A JPEG is to be saved, but the server sends pixels.
    #[error("the server behind --pickle sends no JPEGs; use --save FILE.png")]
    JpegOfPickle,
    /// Options that contradict each other.
    #[error("use {0} or {1}, not both")]
    Conflict(&'static str, &'static str),
    /// A text that is not a code. The text itself is not shown.
    #[error("{0}: {1}")]
    Code(&'static str, NotACode),
    /// A text that has no key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// An option with two values, of which one would be lost.
    #[error("{}", given_twice(.0, None))]
    Twice(&'static str),
}

/// What to say about an option that cannot be parsed.
fn about(error: &lexopt::Error) -> String {
    match error {
        lexopt::Error::MissingValue { option: Some(option) } => {
            needs_a_value(option, help::placeholder(option))
        }
        other => format!("{other}; {}", meant::SEE_HELP),
    }
}

fn one_camera(option: &str, one: &CameraAddress, other: &CameraAddress) -> String {
    let (one, other) = (one.written(), other.written());
    format!(
        "{option} goes with one camera, not with {one} and {other}; start one lancam-view for each. \
         A name with a space needs quotes"
    )
}

/// With more panes, nobody could tell them apart.
const MAX_CAMERAS: usize = 64;

/// Parses the arguments after the program's name.
///
/// # Errors
/// When they make no sense. The error is one line that says what to type instead.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Request, UsageError> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if let Some(request) = word_alone(&arguments) {
        return request;
    }
    let mut parser = lexopt::Parser::from_args(arguments);
    let (mut given, mut dashes) = (Given::default(), OneDash::default());
    loop {
        if let Some(found) = dashes.next(&mut parser, meant::is_long) {
            return meant::one_dash(found, &mut parser, given.cameras.first());
        }
        let Some(argument) = parser.next()? else { break };
        if let Long(name) = argument {
            given.once(name)?;
        }
        match argument {
            Short('h') | Long("help") => return Ok(Request::Help),
            Short('V') | Long("version") => return Ok(Request::Version),
            Short('v') => given.verbosity = given.verbosity.saturating_add(1),
            Short('q') => given.verbosity = given.verbosity.saturating_sub(1),
            Long("fullscreen") => given.opening = Opening::FullScreen,
            Long("headless") => given.headless = true,
            Long("json") => given.json = true,
            Long("save") => given.save = Some(values::picture(&mut parser)?),
            Long("frames") => given.frames = Some(values::count(&mut parser, "--frames")?),
            Long("seconds") => given.seconds = Some(values::seconds(&mut parser, "--seconds")?),
            Long("timeout") => given.timeout = Some(values::seconds(&mut parser, "--timeout")?),
            Long("width") => given.wishes.width = values::side(&mut parser, "--width")?,
            Long("height") => given.wishes.height = values::side(&mut parser, "--height")?,
            Long("quality") => given.wishes.quality = values::quality(&mut parser)?,
            Long("fps") => given.wishes.rate = values::rate(&mut parser)?,
            Long("list") => given.list = true,
            Long("code") => given.code = Some(values::code(&mut parser)?),
            Long("key-file") => given.key_file = Some(parser.value()?.into()),
            Long("forget") => {
                given.forget = Some(CameraAddress::parse(&parser.value()?.string()?)?);
            }
            Long("record") => given.record = Some(values::recording(&mut parser)?),
            Long("record-every") => given.rotation.every = Some(values::every(&mut parser)?),
            Long("record-max") => given.rotation.max = Some(values::max(&mut parser)?),
            Long("record-keep") => {
                given.rotation.keep = values::count(&mut parser, "--record-keep")?;
            }
            Long("pickle") => {
                given.pickle = true;
                given.name_camera(&parser.value()?.string()?)?;
            }
            Value(camera) => given.name_camera(&camera.string()?)?,
            Long(name) => {
                let name = name.to_owned();
                return Err(meant::long(&name, &Beside::new(&mut parser, given.cameras.first())));
            }
            Short(letter) => {
                let beside = Beside::new(&mut parser, given.cameras.first());
                return Err(meant::letter(letter, &beside));
            }
        }
    }
    given.into_request()
}

/// What a word in place of all options asks for, if there is one.
fn word_alone(arguments: &[OsString]) -> Option<Result<Request, UsageError>> {
    match arguments {
        [only] if only == "help" => Some(Ok(Request::Help)),
        [only] if only == "version" => Some(Ok(Request::Version)),
        [first, rest @ ..] if first == "list" && rest.iter().all(|word| word == "--json") => {
            Some(Err(meant::list()))
        }
        _ => None,
    }
}

/// All long options.
pub const OPTIONS: [&str; 22] = [
    "fullscreen",
    "list",
    "code",
    "key-file",
    "forget",
    "record",
    "record-every",
    "record-max",
    "record-keep",
    "pickle",
    "width",
    "height",
    "quality",
    "fps",
    "headless",
    "frames",
    "seconds",
    "timeout",
    "save",
    "json",
    "version",
    "help",
];
