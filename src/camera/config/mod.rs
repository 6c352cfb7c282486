//! The camera program's options. The command line overrides the environment, which overrides the
//! file.

mod advice;
mod command_line;
mod file;
mod meant;
pub mod options;
pub mod pair;
mod problem;
mod values;

use super::access::{Mode, Plain};
use super::announcer::Announce;
use super::controls::Control;
use super::encode::Coding;
use super::listen::Listen;
use super::roster::wish::Wish;
use super::strips::EncodeThreads;
use crate::console::complain;
use crate::image::orientation::{Orientation, Rotation};
use crate::image::pixels::Chroma;
use crate::image::size_wish::{Aspect, SizeWish};
use crate::image::unpack::RawLook;
use crate::net::lan::Guests;
use crate::source::v4l2::ControlSetting;
use crate::source::{CaptureWish, CsiWish, SourceSpec};
use crate::wording::{TYPE, WRITE, unknown};
use command_line::{Arguments, Verb};
use options::{Entry, OPTIONS, ValueKind};
use pair::PairOrder;
use problem::Wrong;
pub use problem::{ConfigError, Place, Problem};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// The file that is read if no other is named.
pub const DEFAULT_FILE: &str = "/etc/lancam/lancam.toml";

/// Why the tutorial's client is not served where a key is needed.
pub const NO_KEY_IN_PICKLE: &str = "pickle needs access open, since the tutorial's client cannot show a key. Then everybody on the \
                                    LAN may watch, without TLS";

/// What the program has to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Stream.
    Run(Box<Config>),
    /// List the cameras.
    List {
        /// For programs.
        json: bool,
        /// Steps above or below the usual amount of log.
        verbosity: i8,
    },
    /// Say that the configuration is valid.
    Check {
        /// The file, if there is one.
        file: Option<PathBuf>,
        /// Settings in it that have no effect.
        remarks: Vec<String>,
    },
    /// Print one block about this machine and its camera.
    SelfTest {
        /// Steps above or below the usual amount of log.
        verbosity: i8,
    },
    /// Show the code, or change who has a key.
    Pair {
        /// What to do.
        order: PairOrder,
        /// Where the keys are, and how viewers reach this camera.
        config: Box<Config>,
    },
    /// Print the version.
    Version,
    /// Print [`help::text`](super::help::text).
    Help,
}

/// How to stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Where frames come from.
    pub source: SourceSpec,
    /// What to ask of the camera.
    pub capture: CaptureWish,
    /// How to set the camera's controls.
    pub settings: Vec<ControlSetting>,
    /// What else to ask of a ribbon camera, except the quality.
    csi: CsiWish,
    /// The turn that is part of `capture.orientation`.
    rotation: Rotation,
    /// The mirroring after that turn; also part of `capture.orientation`.
    flip: Orientation,
    /// How a sensor's raw samples are developed.
    pub raw: RawLook,
    /// The size that viewers get.
    pub size: SizeWish,
    /// The JPEG quality when lancam encodes.
    pub quality: u8,
    /// The chroma subsampling when lancam encodes.
    pub chroma: Chroma,
    /// How many threads encode one picture.
    pub encode_threads: usize,
    /// How long nobody may watch before the camera is closed; `None`: no limit.
    pub idle_stop: Option<Duration>,
    /// Where to listen.
    pub listen: Listen,
    /// Which addresses may connect.
    pub guests: Guests,
    /// Who of these may watch.
    pub access: Mode,
    /// Whether keys that were made for it are accepted without TLS.
    pub plain: Plain,
    /// The folder of the identity, the code and the keys; `None`: the usual one.
    pub state: Option<PathBuf>,
    /// Whether it is announced.
    pub announce: Announce,
    /// The name that viewers show; `None`: the host name.
    pub name: Option<String>,
    /// The origins whose pages may read HTTP answers.
    pub cors: Vec<String>,
    /// Further host names for HTTP.
    pub http_names: Vec<String>,
    /// Whether the tutorial's client is served.
    pub pickle: bool,
    /// How many viewers there may be at once.
    pub max_viewers: usize,
    /// Whether viewers may change the camera's controls.
    pub control: Control,
    /// Steps above or below the default log level.
    pub verbosity: i8,
    /// What to do about mistakes in the configuration.
    pub config_errors: ConfigErrors,
    /// The mistakes in this configuration, which were left out of it.
    pub problems: Vec<Problem>,
}

/// What to do about mistakes in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigErrors {
    /// The program does not start.
    Stop,
    /// The program starts without the wrong options, and reports them. So a camera that nobody can
    /// reach by hand goes on working.
    Defaults,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            source: SourceSpec::Auto,
            capture: CaptureWish::default(),
            settings: Vec::new(),
            csi: CsiWish::default(),
            rotation: Rotation::None,
            flip: Orientation::UPRIGHT,
            raw: RawLook::default(),
            size: SizeWish::default(),
            quality: 80,
            chroma: Chroma::Yuv420,
            encode_threads: EncodeThreads::one_for_each_core(),
            idle_stop: Some(Duration::from_secs(60)),
            listen: Listen::Default,
            guests: Guests::LanAnd(Vec::new()),
            access: Mode::Keys,
            plain: Plain::Off,
            state: None,
            announce: Announce::On,
            name: None,
            cors: Vec::new(),
            http_names: Vec::new(),
            pickle: false,
            max_viewers: 64,
            control: Control::Off,
            verbosity: 0,
            config_errors: ConfigErrors::Stop,
            problems: Vec::new(),
        }
    }
}

/// An option with its values, named as in the place where it was set.
struct Said {
    entry: &'static Entry,
    /// One value; any number for lists and controls.
    values: Vec<String>,
    /// The option's name in that place: `--size`, `LANCAM_SIZE`, `size`.
    called: String,
    place: Option<Place>,
}

impl Command {
    /// Reads `arguments` (without the program's name), the `LANCAM_*` variables, and the file that
    /// they name.
    ///
    /// # Errors
    /// What is wrong, and what is expected.
    pub fn parse(
        environment: impl IntoIterator<Item = (OsString, OsString)>,
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<Self, ConfigError> {
        let Arguments { verb, said, verbosity } = Arguments::parse(arguments)?;
        match verb {
            Verb::Help => return Ok(Self::Help),
            Verb::Version => return Ok(Self::Version),
            Verb::SelfTest => {
                ignore("selftest", &said);
                return Ok(Self::SelfTest { verbosity });
            }
            Verb::List { json } => {
                ignore("list", &said);
                return Ok(Self::List { json, verbosity });
            }
            Verb::Run | Verb::Check | Verb::Pair(_) => {}
        }
        let (mut config, file) = Config::read(environment, &said)?;
        config.verbosity = config.verbosity.saturating_add(verbosity);
        let may_go_on = config.config_errors == ConfigErrors::Defaults && verb != Verb::Check;
        if !config.problems.is_empty() && !may_go_on {
            return Err(ConfigError::of(config.problems));
        }
        Ok(match verb {
            Verb::Check => Self::Check { file, remarks: config.remarks() },
            Verb::Pair(order) => Self::Pair { order, config: Box::new(config) },
            _ => Self::Run(Box::new(config)),
        })
    }
}

/// Warns that a command ignores options, since it looks at every camera.
fn ignore(command: &str, said: &[Said]) {
    if !said.is_empty() {
        let options: Vec<_> = said.iter().map(|said| said.called.as_str()).collect();
        complain(format_args!("lancam {command} ignores {}", options.join(", ")));
    }
}

/// The options in the environment.
fn said_by(
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    problems: &mut Vec<Problem>,
) -> Vec<Said> {
    let mut said = Vec::new();
    for (variable, value) in environment {
        let Some(variable) = variable.to_str().filter(|name| name.starts_with("LANCAM_")) else {
            continue;
        };
        let Some(entry) = OPTIONS.iter().find(|entry| entry.variable() == variable) else {
            // A variable of another program may begin like this. It must not keep lancam from
            // starting.
            let name = variable.trim_start_matches("LANCAM_").to_ascii_lowercase();
            let meant = meant::option(&name).and_then(Entry::named).map(Entry::variable);
            let text = unknown("variable", variable, meant.as_deref(), "it is ignored");
            complain(format_args!("lancam: {text}"));
            continue;
        };
        let Some(value) = value.to_str() else {
            problems.push(Problem {
                place: None,
                text: format!("the value of {variable} is not UTF-8"),
            });
            continue;
        };
        let values = match entry.kind {
            ValueKind::Controls => settings_in(value),
            ValueKind::List(_) => {
                let values = value.split(',').map(str::trim).filter(|value| !value.is_empty());
                values.map(str::to_owned).collect()
            }
            ValueKind::Switch | ValueKind::Number | ValueKind::Text => vec![value.to_owned()],
        };
        said.push(Said { entry, values, called: variable.to_owned(), place: None });
    }
    said
}

/// Splits several `NAME=VALUE` at commas. A value may contain commas too.
fn settings_in(text: &str) -> Vec<String> {
    let mut settings: Vec<String> = Vec::new();
    for piece in text.split(',').map(str::trim).filter(|piece| !piece.is_empty()) {
        match settings.last_mut() {
            Some(last) if !piece.contains('=') => {
                last.push(',');
                last.push_str(piece);
            }
            _ => settings.push(piece.to_owned()),
        }
    }
    settings
}

/// The file to read: the one named last on the command line, else in the environment, else the
/// default file if it exists.
fn file_named(arguments: &[Said], variables: &[Said]) -> Option<PathBuf> {
    let named = |said: &[Said]| {
        let said = said.iter().rfind(|said| said.entry.name == "config")?;
        said.values.last().cloned()
    };
    match named(arguments).or_else(|| named(variables)) {
        Some(name) if name.is_empty() => None,
        Some(name) => Some(name.into()),
        None => Some(PathBuf::from(DEFAULT_FILE)).filter(|file| file.exists()),
    }
}

impl Config {
    /// Reads the environment, the file that is named or usual, and what the command line says. Also returns that file.
    fn read(
        environment: impl IntoIterator<Item = (OsString, OsString)>,
        typed: &[Said],
    ) -> Result<(Self, Option<PathBuf>), ConfigError> {
        let mut problems = Vec::new();
        let variables = said_by(environment, &mut problems);
        let file = file_named(typed, &variables);
        let mut said = match &file {
            Some(file) => file::read(file, &mut problems),
            None => Vec::new(),
        };
        said.extend(variables);
        let mut config = Self { problems, ..Self::default() };
        for said in &said {
            if let Err(text) = config.follow(said) {
                config.problems.push(Problem { place: said.place.clone(), text });
            }
        }
        for said in typed {
            config.follow(said).map_err(ConfigError::Usage)?;
        }
        config.refuse_pickle_among_keys(&said, typed)?;
        config
            .problems
            .sort_by_key(|problem| problem.place.as_ref().map(|at| (at.line, at.column)));
        Ok((config, file))
    }

    /// Switches `pickle` off where it would let anybody in who has no key, and says so.
    fn refuse_pickle_among_keys(
        &mut self,
        said: &[Said],
        typed: &[Said],
    ) -> Result<(), ConfigError> {
        if !self.pickle || self.access == Mode::Open || !self.listen.reaches_others() {
            return Ok(());
        }
        self.pickle = false;
        let is_pickle = |said: &&Said| said.entry.name == "pickle";
        if typed.iter().any(|said| is_pickle(&said)) {
            let text = format!("--{NO_KEY_IN_PICKLE}. {TYPE}lancam --pickle --access open");
            return Err(ConfigError::Usage(text));
        }
        let place = said.iter().rfind(is_pickle).and_then(|said| said.place.clone());
        let text = format!("{NO_KEY_IN_PICKLE}. {WRITE}access = \"open\"");
        self.problems.push(Problem { place, text });
        Ok(())
    }

    /// Applies an option: all of its values, or none.
    fn follow(&mut self, said: &Said) -> Result<(), String> {
        let before = self.clone();
        if let ValueKind::List(clear) = said.entry.kind {
            clear(self);
        }
        for value in &said.values {
            if let Err(wrong) = (said.entry.set)(self, value) {
                *self = before;
                return Err(wrong.about(&said.called, value));
            }
        }
        Ok(())
    }

    /// What to ask of a ribbon camera besides.
    pub fn csi_wish(&self) -> CsiWish {
        CsiWish { quality: self.quality, ..self.csi.clone() }
    }

    /// Settings that have no effect, one line each.
    pub fn remarks(&self) -> Vec<String> {
        let is_stretched = self.size.aspect == Aspect::Stretch;
        let has_both = self.size.width.is_some() && self.size.height.is_some();
        let stretch = (is_stretched && !has_both)
            .then(|| "stretch is ignored, because it needs both width and height".to_owned());
        let is_pattern = matches!(self.source, SourceSpec::Test { .. });
        let is_asked = self.capture.size.is_some() || self.capture.rate.is_some();
        let pattern = (is_pattern && is_asked).then(|| {
            "size and fps do not change the test pattern; write both into its source, such as test:640x480@15"
                .to_owned()
        });
        let is_plain = self.plain == Plain::Keys && self.access == Mode::Open;
        let plain = is_plain.then(|| {
            "plain is ignored with access = \"open\": everybody on the LAN may watch, without a key"
                .to_owned()
        });
        stretch.into_iter().chain(pattern).chain(plain).collect()
    }

    /// The form that viewers without wishes get.
    pub fn own_wish(&self) -> Wish {
        Wish::own(Coding::Jpeg { quality: self.quality, chroma: self.chroma }, self.size)
    }

    /// The form that the tutorial's client gets, if it is served.
    pub fn tutorial_wish(&self) -> Option<Wish> {
        self.pickle.then(|| Wish::own(Coding::Bgr24, self.pickle_size()))
    }

    fn pickle_size(&self) -> SizeWish {
        /// The width in the tutorial.
        const TUTORIAL_WIDTH: usize = 320;
        if (self.size.width, self.size.height) == (None, None) {
            return SizeWish { width: Some(TUTORIAL_WIDTH), ..self.size };
        }
        self.size
    }
}

#[cfg(test)]
mod followed;
#[cfg(test)]
mod tests;
