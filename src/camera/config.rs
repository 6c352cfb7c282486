//! The camera program's options: from the environment, then from the command line.

use super::announcer::Announce;
use super::encode::Coding;
use super::renditions::wish::Wish;
use super::server::Listen;
use crate::image::orientation::{Orientation, Rotation};
use crate::image::pixels::{Chroma, FourCc, PixelFormat, Size};
use crate::image::rendition::{Aspect, SizeWish};
use crate::image::unpack::{Automatic, RawLook};
use crate::net::lan::{Guests, Prefix};
use crate::source::v4l2::ControlSetting;
use crate::source::{CaptureWish, SourceSpec};
use crate::wire::http::host;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::time::Duration;

/// What the program is to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Stream.
    Run(Box<Config>),
    /// List the cameras.
    List {
        /// For programs.
        json: bool,
    },
    /// Print the version.
    Version,
    /// Print [`HELP`](super::help::HELP).
    Help,
}

/// How to stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Where frames come from.
    pub source: SourceSpec,
    /// What to ask of the camera.
    pub capture: CaptureWish,
    /// How the camera's controls are to be set.
    pub settings: Vec<ControlSetting>,
    /// The turn that is part of `capture.orientation`.
    rotation: Rotation,
    /// What is done after it, and is part of that too.
    flip: Orientation,
    /// What is done to a sensor's own samples.
    pub raw: RawLook,
    /// What viewers are sent.
    pub size: SizeWish,
    /// JPEG quality, where lancam encodes.
    pub quality: u8,
    /// Colour detail, where lancam encodes.
    pub chroma: Chroma,
    /// How long nobody may watch before the camera is stopped; `None` is for ever.
    pub idle_stop: Option<Duration>,
    /// Where to listen.
    pub listen: Listen,
    /// Who may connect.
    pub guests: Guests,
    /// Whether it can be found.
    pub announce: Announce,
    /// Shown in viewers; `None` is the host name.
    pub name: Option<String>,
    /// Origins whose pages may read what HTTP says.
    pub cors: Vec<String>,
    /// Whether the tutorial's client is served.
    pub pickle: bool,
    /// How many may watch.
    pub max_viewers: usize,
    /// Steps above or below the usual amount of log.
    pub verbosity: i8,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            source: SourceSpec::Auto,
            capture: CaptureWish::default(),
            settings: Vec::new(),
            rotation: Rotation::None,
            flip: Orientation::UPRIGHT,
            raw: RawLook::default(),
            size: SizeWish::default(),
            quality: 80,
            chroma: Chroma::Yuv420,
            idle_stop: Some(Duration::from_secs(60)),
            listen: Listen::Default,
            guests: Guests::LanAnd(Vec::new()),
            announce: Announce::On,
            name: None,
            cors: Vec::new(),
            pickle: false,
            max_viewers: 64,
            verbosity: 0,
        }
    }
}

/// A wrong option: what was said, and what would work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(String);

/// Options that take a value, without their dashes.
const WITH_VALUE: [&str; 20] = [
    "source",
    "size",
    "fps",
    "format",
    "set",
    "rotate",
    "flip",
    "raw",
    "width",
    "height",
    "quality",
    "chroma",
    "idle-stop",
    "listen",
    "allow",
    "announce",
    "name",
    "cors",
    "max-viewers",
    "control",
];

/// Options that take none.
const SWITCHES: [&str; 2] = ["stretch", "pickle"];

impl Command {
    /// Reads the environment's `LANCAM_*` and then `arguments`, without the program's name.
    ///
    /// # Errors
    /// One line that says what would work.
    pub fn parse(
        environment: impl IntoIterator<Item = (OsString, OsString)>,
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<Self, UsageError> {
        let mut config = Config::default();
        config.apply_environment(environment)?;
        config.apply_arguments(arguments)
    }
}

impl Config {
    /// What viewers without wishes are sent.
    pub fn own_wish(&self) -> Wish {
        Wish::own(Coding::Jpeg { quality: self.quality, chroma: self.chroma }, self.size)
    }

    /// What the tutorial's client is sent, where it is served.
    pub fn tutorial_wish(&self) -> Option<Wish> {
        self.pickle.then(|| Wish::own(Coding::Bgr24, self.pickle_size()))
    }

    fn pickle_size(&self) -> SizeWish {
        /// As wide as the tutorial makes it.
        const TUTORIAL_WIDTH: usize = 320;
        if (self.size.width, self.size.height) == (None, None) {
            return SizeWish { width: Some(TUTORIAL_WIDTH), ..self.size };
        }
        self.size
    }

    fn apply_environment(
        &mut self,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<(), UsageError> {
        for (variable, value) in environment {
            let Some(name) = variable.to_str().and_then(|name| name.strip_prefix("LANCAM_")) else {
                continue;
            };
            let option = name.to_ascii_lowercase().replace('_', "-");
            let value =
                value.to_str().ok_or_else(|| UsageError(format!("LANCAM_{name} is not UTF-8")))?;
            if SWITCHES.contains(&option.as_str()) {
                match value {
                    "1" | "true" | "yes" => self.set(&option, "")?,
                    "" | "0" | "false" | "no" => {}
                    _ => {
                        return Err(UsageError(format!(
                            "LANCAM_{name}={value}: 1 or 0 would work"
                        )));
                    }
                }
            } else if matches!(option.as_str(), "listen" | "allow" | "set" | "cors") {
                for value in value.split(',').map(str::trim).filter(|value| !value.is_empty()) {
                    self.set(&option, value)?;
                }
            } else if WITH_VALUE.contains(&option.as_str()) {
                self.set(&option, value)?;
            } else {
                // Somebody else's variable may begin so too; it is no reason not to start.
                eprintln!("lancam: LANCAM_{name} is no option and was ignored");
            }
        }
        Ok(())
    }

    fn apply_arguments(
        mut self,
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<Command, UsageError> {
        use lexopt::Arg::{Long, Short, Value};
        let wrong =
            |error: lexopt::Error| UsageError(format!("{error}; lancam --help lists what works"));
        let mut parser = lexopt::Parser::from_args(arguments);
        let mut list = false;
        let mut json = false;
        // Addresses on the command line replace those of the environment, they do not join them.
        let mut listen_named = false;
        let mut first = true;
        while let Some(argument) = parser.next().map_err(wrong)? {
            match argument {
                Value(word) if first && word == "run" => {}
                Value(word) if first && word == "list" => list = true,
                Long("json") if list => json = true,
                Long("help") | Short('h') => return Ok(Command::Help),
                Long("version") | Short('V') => return Ok(Command::Version),
                Short('v') => self.verbosity = self.verbosity.saturating_add(1),
                Short('q') => self.verbosity = self.verbosity.saturating_sub(1),
                Long(name) if SWITCHES.contains(&name) => {
                    let name = name.to_owned();
                    self.set(&name, "")?;
                }
                Long(name) if WITH_VALUE.contains(&name) => {
                    let name = name.to_owned();
                    let value = parser.value().map_err(wrong)?;
                    let value = value
                        .to_str()
                        .ok_or_else(|| UsageError(format!("--{name} needs text in UTF-8")))?;
                    if name == "listen" && !std::mem::replace(&mut listen_named, true) {
                        self.listen = Listen::Default;
                    }
                    self.set(&name, value)?;
                }
                other => return Err(wrong(other.unexpected())),
            }
            first = false;
        }
        if list { Ok(Command::List { json }) } else { Ok(Command::Run(Box::new(self))) }
    }

    /// Sets one option; `value` is empty for switches.
    fn set(&mut self, option: &str, value: &str) -> Result<(), UsageError> {
        let wrong = |would_work: &str| {
            UsageError(format!("--{option} {value:?} cannot be: {would_work} would work"))
        };
        match option {
            "source" | "size" | "fps" | "format" | "set" | "rotate" | "flip" | "raw"
            | "idle-stop" => self.set_capture(option, value, wrong),
            "width" | "height" | "stretch" | "quality" | "chroma" => {
                self.set_pictures(option, value, wrong)
            }
            _ => self.set_service(option, value, wrong),
        }
    }

    /// What is asked of the camera.
    fn set_capture(
        &mut self,
        option: &str,
        value: &str,
        wrong: impl Fn(&str) -> UsageError,
    ) -> Result<(), UsageError> {
        match option {
            "source" => self.source = SourceSpec::parse(value).map_err(UsageError)?,
            "size" => {
                let size = Size::parse(value)
                    .filter(|size| size.area() <= crate::image::picture::MAX_PIXELS);
                self.capture.size =
                    Some(size.ok_or_else(|| wrong("WIDTHxHEIGHT, such as 1280x720"))?);
            }
            "fps" => {
                let fps = value.parse().ok().filter(|fps| (0.01..=1000.0).contains(fps));
                self.capture.fps = Some(fps.ok_or_else(|| wrong("a rate from 0.01 to 1000"))?);
            }
            "format" => {
                self.capture.format =
                    parse_format(value).map_err(|()| wrong(&format!("auto{}", known_formats())))?;
            }
            "set" => {
                let setting = ControlSetting::parse(value).map_err(wrong)?;
                // The last word on a control counts, and the order of those is the order of setting.
                self.settings.retain(|earlier| !earlier.is_for_the_same(&setting));
                self.settings.push(setting);
            }
            "rotate" => {
                self.rotation = Rotation::parse(value).ok_or_else(|| wrong("0, 90, 180 or 270"))?;
                self.capture.orientation = Orientation::turned(self.rotation).then(self.flip);
            }
            "flip" => {
                self.flip = match value {
                    "none" => Orientation::UPRIGHT,
                    "h" => Orientation::FLIPPED_LEFT_RIGHT,
                    "v" => Orientation::FLIPPED_TOP_BOTTOM,
                    "hv" | "vh" => Orientation::turned(Rotation::Half),
                    _ => return Err(wrong("h, v, hv or none")),
                };
                self.capture.orientation = Orientation::turned(self.rotation).then(self.flip);
            }
            "raw" => {
                self.raw = parse_raw(value)
                    .ok_or_else(|| wrong("auto, off, or some of black,balance,gamma"))?;
            }
            "idle-stop" => {
                let seconds = value.parse().ok().filter(|seconds| (0.0..=1e9).contains(seconds));
                let seconds = seconds.ok_or_else(|| wrong("a number of seconds, 0 for never,"))?;
                self.idle_stop = (seconds > 0.0).then(|| Duration::from_secs_f64(seconds));
            }
            _ => return Err(no_option(option)),
        }
        Ok(())
    }

    /// What viewers are sent.
    fn set_pictures(
        &mut self,
        option: &str,
        value: &str,
        wrong: impl Fn(&str) -> UsageError,
    ) -> Result<(), UsageError> {
        let side = || {
            value
                .parse()
                .ok()
                .filter(|side| (1..=Size::MAX_SIDE).contains(side))
                .ok_or_else(|| wrong("a number of pixels from 1 to 65535"))
        };
        match option {
            "width" => self.size.width = Some(side()?),
            "height" => self.size.height = Some(side()?),
            "stretch" => self.size.aspect = Aspect::Stretch,
            "quality" => {
                let quality = value.parse().ok().filter(|quality| (1..=100).contains(quality));
                self.quality = quality.ok_or_else(|| wrong("a number from 1 to 100"))?;
            }
            "chroma" => {
                self.chroma = match value {
                    "420" => Chroma::Yuv420,
                    "422" => Chroma::Yuv422,
                    _ => return Err(wrong("420 or 422")),
                }
            }
            _ => return Err(no_option(option)),
        }
        Ok(())
    }

    /// Who may watch, where, and how they find it.
    fn set_service(
        &mut self,
        option: &str,
        value: &str,
        wrong: impl Fn(&str) -> UsageError,
    ) -> Result<(), UsageError> {
        match option {
            "listen" => {
                let address: SocketAddr = value
                    .parse()
                    .map_err(|_| wrong("ADDRESS:PORT, such as 0.0.0.0:9999 or [::]:0,"))?;
                match &mut self.listen {
                    Listen::At(addresses) => addresses.push(address),
                    Listen::Default => self.listen = Listen::At(vec![address]),
                }
            }
            "allow" => match (&mut self.guests, value) {
                (_, "any") => self.guests = Guests::Anyone,
                (Guests::Anyone, _) => {}
                (Guests::LanAnd(prefixes), _) => prefixes.push(
                    Prefix::parse(value)
                        .ok_or_else(|| wrong("an address, ADDRESS/LENGTH or any"))?,
                ),
            },
            "announce" => {
                self.announce = match value {
                    "on" => Announce::On,
                    "off" => Announce::Off,
                    _ => return Err(wrong("on or off")),
                }
            }
            "name" => {
                if value.is_empty() || value.len() > 63 || value.chars().any(char::is_control) {
                    return Err(wrong("a name of up to 63 bytes, without control characters,"));
                }
                self.name = Some(value.into());
            }
            "cors" => {
                if !host::is_origin(value) {
                    return Err(wrong(
                        "an origin such as http://octopi.local:5000, without a path, or *,",
                    ));
                }
                self.cors.push(value.into());
            }
            "pickle" => self.pickle = true,
            "control" if value == "off" => {}
            "control" => return Err(wrong("off (viewers cannot change controls in this version)")),
            "max-viewers" => {
                let count = value.parse().ok().filter(|count| (1..=10_000).contains(count));
                self.max_viewers = count.ok_or_else(|| wrong("a number from 1 to 10000"))?;
            }
            _ => return Err(no_option(option)),
        }
        Ok(())
    }
}

fn no_option(option: &str) -> UsageError {
    UsageError(format!("--{option} is no option of lancam"))
}

/// `, MJPG, JPEG, …`
fn known_formats() -> String {
    PixelFormat::KNOWN.map(|(code, _)| format!(", {code}")).concat()
}

fn parse_raw(text: &str) -> Option<RawLook> {
    match text {
        "auto" => return Some(RawLook::default()),
        "off" => return Some(RawLook::AS_IT_IS),
        _ => {}
    }
    let mut look = RawLook::AS_IT_IS;
    for word in text.split(',') {
        match word.trim() {
            "black" => look.black_level = Automatic::On,
            "balance" => look.white_balance = Automatic::On,
            "gamma" => look.gamma = Automatic::On,
            _ => return None,
        }
    }
    Some(look)
}

fn parse_format(text: &str) -> Result<Option<PixelFormat>, ()> {
    if text.eq_ignore_ascii_case("auto") {
        return Ok(None);
    }
    // As it is first: V4L2 tells some codes apart by their case alone (pGAA, pgAA).
    let known = |text: &str| FourCc::parse(text).and_then(PixelFormat::from_fourcc);
    known(text).or_else(|| known(&text.to_ascii_uppercase())).map(Some).ok_or(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::help::HELP;

    fn parse(environment: &[(&str, &str)], arguments: &[&str]) -> Result<Command, UsageError> {
        let environment: Vec<_> =
            environment.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Command::parse(environment, arguments.iter().map(Into::into))
    }

    fn config(arguments: &[&str]) -> Config {
        match parse(&[], arguments) {
            Ok(Command::Run(config)) => *config,
            other => panic!("{arguments:?}: {other:?}"),
        }
    }

    #[test]
    fn options_are_read_and_the_command_line_wins() {
        let command = parse(
            &[
                ("LANCAM_QUALITY", "50"),
                ("LANCAM_WIDTH", "640"),
                ("LANCAM_PICKLE", "1"),
                ("HOME", "/"),
            ],
            &["run", "--quality", "60", "--source=test:64x48", "--format", "mjpg"],
        );
        let Ok(Command::Run(config)) = command else { panic!("{command:?}") };
        assert_eq!((config.quality, config.size.width, config.pickle), (60, Some(640), true));
        assert_eq!(config.source, SourceSpec::Test { size: Size::new(64, 48), fps: 30.0 });
        assert_eq!(config.capture.format, Some(PixelFormat::Jpeg));
        assert_eq!(parse(&[], &["list", "--json"]), Ok(Command::List { json: true }));
    }

    #[test]
    fn every_format_that_is_listed_can_be_named_as_it_is_listed() {
        for (code, format) in PixelFormat::KNOWN {
            let found = config(&["--format", &code.to_string()]).capture.format;
            assert_eq!(found, Some(format), "{code}");
        }
    }

    #[test]
    fn addresses_on_the_command_line_replace_those_of_the_environment() {
        let command = parse(
            &[("LANCAM_LISTEN", "[::]:1, 0.0.0.0:2")],
            &["--listen", "127.0.0.1:0", "--listen", "[::1]:0"],
        );
        let Ok(Command::Run(config)) = command else { panic!("{command:?}") };
        let addresses = ["127.0.0.1:0", "[::1]:0"].map(|text| text.parse().expect("an address"));
        assert_eq!(config.listen, Listen::At(addresses.to_vec()));
    }

    #[test]
    fn controls_are_set_in_the_order_of_their_last_mention() {
        let command = parse(
            &[("LANCAM_SET", "brightness=1, gain=2,hue=3")],
            &["--set", "Brightness=4", "--set", "gain=a,b"],
        );
        let Ok(Command::Run(config)) = command else { panic!("{command:?}") };
        let settings: Vec<String> = config.settings.iter().map(ToString::to_string).collect();
        assert_eq!(settings, ["hue=3", "Brightness=4", "gain=a,b"]);
    }

    #[test]
    fn the_camera_rests_after_a_minute_or_when_it_is_told_to() {
        let idle_stop = |arguments: &[&str]| config(arguments).idle_stop;
        assert_eq!(idle_stop(&[]), Some(Duration::from_secs(60)));
        assert_eq!(idle_stop(&["--idle-stop", "0.5"]), Some(Duration::from_millis(500)));
        assert_eq!(idle_stop(&["--idle-stop", "0"]), None);
    }

    #[test]
    fn the_tutorials_client_gets_the_tutorials_width_unless_told_otherwise() {
        assert_eq!(config(&["--pickle"]).pickle_size().width, Some(320));
        assert_eq!(config(&["--pickle", "--width", "160"]).pickle_size().width, Some(160));
    }

    #[test]
    fn a_wrong_option_is_told_with_what_would_work() {
        for (arguments, would_work) in [
            (&["--size", "0x10"][..], "1280x720"),
            (&["--size", "100000x10"], "1280x720"),
            (&["--width", "0"], "65535"),
            (&["--height", "100000"], "65535"),
            (&["--fps", "NaN"], "0.01"),
            (&["--quality", "101"], "100"),
            (&["--format", "H264"], "YUYV"),
            (&["--listen", "9999"], "ADDRESS:PORT"),
            (&["--allow", "home"], "any"),
            (&["--cors", "octopi.local"], "http://octopi.local:5000"),
            (&["--cors", "http://octopi.local/x"], "without a path"),
            (&["--cors", "http://a\r\nX: y"], "without a path"),
            (&["--source", "test:9"], "640x360"),
            (&["--max-viewers", "0"], "10000"),
            (&["--announce", "maybe"], "on or off"),
            (&["--set", "brightness"], "NAME=VALUE"),
            (&["--set", "=5"], "NAME=VALUE"),
            (&["--idle-stop", "-1"], "0 for never"),
            (&["--idle-stop", "inf"], "0 for never"),
            (&["--nonsense"], "--help"),
            (&["nonsense"], "--help"),
            (&["--size"], "--help"),
            (&["--json"], "--help"),
        ] {
            let error = parse(&[], arguments).expect_err("wrong").to_string();
            assert!(error.contains(would_work), "{arguments:?}: {error}");
            assert!(!error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn every_option_is_in_the_help() {
        for option in WITH_VALUE.iter().chain(&SWITCHES).filter(|&&option| option != "control") {
            assert!(HELP.contains(&format!("--{option} ")), "{option}");
        }
    }
}
