//! Options as they were given, and the checks that need more than one of them.

use super::secrets::KeySource;
use super::{Config, HeadlessConfig, MAX_CAMERAS, Output, Report, Request, UsageError};
use crate::viewer::find::address::CameraAddress;
use crate::viewer::headless::{Limit, Timeout};
use crate::viewer::keep::recorder::{Naming, Plan, Rotation};
use crate::viewer::keep::snapshot;
use crate::viewer::stage::window::Opening;
use crate::viewer::watch::receiver::Protocol;
use crate::wire::access::code::Code;
use crate::wire::native::message::Wishes;
use std::path::PathBuf;
use std::time::Duration;

/// Options as they were given, before they are checked against each other.
#[derive(Default)]
pub(super) struct Given {
    pub cameras: Vec<CameraAddress>,
    pub wishes: Wishes,
    pub pickle: bool,
    pub list: bool,
    pub headless: bool,
    pub opening: Opening,
    pub json: bool,
    pub save: Option<PathBuf>,
    pub record: Option<PathBuf>,
    pub rotation: Rotation,
    pub frames: Option<u64>,
    pub seconds: Option<Duration>,
    pub timeout: Option<Duration>,
    pub code: Option<Code>,
    pub key_file: Option<PathBuf>,
    pub forget: Option<CameraAddress>,
    pub verbosity: i8,
    /// Options of [`WITH_VALUE`] that were given.
    named: Vec<&'static str>,
}

/// Options with a value, of which there is one.
pub(super) const WITH_VALUE: [&str; 15] = [
    "--code",
    "--key-file",
    "--forget",
    "--record",
    "--record-every",
    "--record-max",
    "--record-keep",
    "--width",
    "--height",
    "--quality",
    "--fps",
    "--frames",
    "--seconds",
    "--timeout",
    "--save",
];

/// How long `--headless` watches by default.
const DEFAULT_SECONDS: Duration = Duration::from_secs(10);
/// How long `--headless` waits for a picture by default.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

impl Given {
    /// Refuses the second of two values for an option.
    pub(super) fn once(&mut self, option: &str) -> Result<(), UsageError> {
        let is_it = |known: &&str| known.strip_prefix("--") == Some(option);
        let Some(option) = WITH_VALUE.into_iter().find(is_it) else { return Ok(()) };
        if self.named.contains(&option) {
            return Err(UsageError::Twice(option));
        }
        self.named.push(option);
        Ok(())
    }

    pub(super) fn name_camera(&mut self, text: &str) -> Result<(), UsageError> {
        if self.cameras.len() == MAX_CAMERAS {
            return Err(UsageError::TooManyCameras);
        }
        self.cameras.push(CameraAddress::parse(text)?);
        Ok(())
    }

    /// What all options together ask for.
    pub(super) fn into_request(mut self) -> Result<Request, UsageError> {
        if let Some(camera) = self.forget.take() {
            return self.into_forget(camera);
        }
        match self.list {
            true => self.into_list(),
            false => self.into_config().map(|config| Request::Watch(Box::new(config))),
        }
    }

    fn into_list(self) -> Result<Request, UsageError> {
        self.refuse_others("--list", &["--json"])?;
        if !self.cameras.is_empty() {
            return Err(UsageError::Conflict("--list", "a camera's address"));
        }
        Ok(Request::List { report: self.report(), verbosity: self.verbosity })
    }

    fn into_forget(self, camera: CameraAddress) -> Result<Request, UsageError> {
        self.refuse_others("--forget", &[])?;
        match self.cameras.first() {
            Some(other) => Err(UsageError::OneCamera("--forget", camera, other.clone())),
            None => Ok(Request::Forget { camera, verbosity: self.verbosity }),
        }
    }

    /// Refuses the options that do not go with `option`, because they would do nothing. Those of how much is logged always go.
    fn refuse_others(&self, option: &'static str, fine: &[&str]) -> Result<(), UsageError> {
        let switches = [
            (self.list, "--list"),
            (self.headless, "--headless"),
            (self.json, "--json"),
            (self.pickle, "--pickle"),
            (self.opening != Opening::default(), "--fullscreen"),
        ];
        let switches = switches.into_iter().filter_map(|(given, other)| given.then_some(other));
        let mut others = switches.chain(self.named.iter().copied());
        match others.find(|other| *other != option && !fine.contains(other)) {
            Some(other) => Err(UsageError::Conflict(option, other)),
            None => Ok(()),
        }
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
        if self.headless && self.opening != Opening::default() {
            return Err(UsageError::Conflict("--headless", "--fullscreen"));
        }
        let output = match self.headless {
            true => Output::Headless(self.headless()?),
            false => {
                self.refuse_headless_options()?;
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
        let Self { cameras, record, rotation, opening, code, key_file, verbosity, .. } = self;
        let naming = if cameras.len() > 1 { Naming::WithCamera } else { Naming::Plain };
        let record = record.map(|path| Plan { path, naming, rotation });
        let key = key_file.map(KeySource::File);
        let config =
            Config { cameras, protocol, output, record, rotation, opening, code, key, verbosity };
        config.check_secrets(["--code", "--key-file"])?;
        Ok(config)
    }

    /// Checks that the options for several files come with a recording.
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
        // A recording continues when the camera is back, unless `--timeout` limits the wait.
        let is_patient = self.record.is_some() && self.timeout.is_none();
        let next = if is_patient { None } else { Some(first) };
        Ok(HeadlessConfig {
            limit,
            timeout: Timeout { first, next },
            save: self.save.clone(),
            report: self.report(),
        })
    }

    fn refuse_headless_options(&self) -> Result<(), UsageError> {
        for (given, option) in [
            (self.json, "--json"),
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
