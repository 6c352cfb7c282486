//! The code and the key for a camera: from options or from the environment, and out of sight of other users.

use super::{Config, UsageError};
use crate::viewer::keep::keyring::{GivenKey, KeyError};
use crate::viewer::watch::receiver::Protocol;
use crate::wire::access::code::Code;
use std::ffi::OsString;
use std::path::PathBuf;
#[cfg(unix)]
use std::process::Command;

/// Where a key for one camera comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// A file.
    File(PathBuf),
    /// The environment.
    Environment(GivenKey),
}

/// The variable for the code.
pub const CODE: &str = "LANCAM_CODE";

/// The variable for the key, with what a file would have.
pub const KEY: &str = "LANCAM_KEY";

impl KeySource {
    /// The key.
    ///
    /// # Errors
    /// When the file cannot be read, or lacks the key or the certificate.
    pub fn read(&self) -> Result<GivenKey, KeyError> {
        match self {
            Self::File(path) => GivenKey::read(path),
            Self::Environment(given) => Ok(given.clone()),
        }
    }
}

impl Config {
    /// Takes code and key from the environment, unless an option gives one of them.
    ///
    /// # Errors
    /// When one cannot be read, or does not go with the other options.
    pub fn with_secrets_of(
        mut self,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, UsageError> {
        let value = |name| variable(name).filter(|it| !it.is_empty());
        if self.code.is_some() || self.key.is_some() || self.protocol == Protocol::Pickle {
            return Ok(self);
        }
        if let Some(code) = value(CODE) {
            let parsed = Code::parse(&code.to_string_lossy());
            self.code = Some(parsed.map_err(|error| UsageError::Code(CODE, error))?);
        }
        if let Some(key) = value(KEY) {
            self.key = Some(KeySource::Environment(GivenKey::parse(&key.to_string_lossy(), KEY)?));
        }
        self.check_secrets([CODE, KEY])?;
        Ok(self)
    }

    /// Checks that code and key, which have these names, go with the other options.
    pub(super) fn check_secrets(&self, [code, key]: [&'static str; 2]) -> Result<(), UsageError> {
        let given = [(self.code.is_some(), code), (self.key.is_some(), key)];
        let mut given = given.into_iter().filter(|(is_given, _)| *is_given).map(|(_, name)| name);
        let Some(name) = given.next() else { return Ok(()) };
        if let Some(other) = given.next() {
            return Err(UsageError::Conflict(name, other));
        }
        if self.protocol == Protocol::Pickle {
            return Err(UsageError::Conflict("--pickle", name));
        }
        if let [first, second, ..] = self.cameras.as_slice() {
            return Err(UsageError::OneCamera(name, first.clone(), second.clone()));
        }
        Ok(())
    }
}

/// The arguments without `--code` and its value, and that value; `None` if it is not there once.
#[cfg(unix)]
fn without_code(arguments: Vec<OsString>) -> Option<(Vec<OsString>, OsString)> {
    let (mut left, mut code) = (Vec::new(), None);
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let value = match argument.to_str() {
            Some("--code") => arguments.next()?,
            Some(text) if text.starts_with("--code=") => text.trim_start_matches("--code=").into(),
            _ => {
                left.push(argument);
                continue;
            }
        };
        if code.replace(value).is_some() {
            return None;
        }
    }
    code.map(|code| (left, code))
}

/// Starts this program again with the code in its environment, if it stands among its arguments: every user of this machine
/// can list those. Does not return then. Call it when the arguments are known to make sense, and nothing is open yet.
///
/// # Errors
/// When it cannot be started again. Then the code stays visible.
#[cfg(unix)]
pub fn hide_code() -> std::io::Result<()> {
    use std::os::unix::process::CommandExt;
    let mut arguments = std::env::args_os();
    let name = arguments.next();
    let mut again = Command::new(std::env::current_exe()?);
    if let Some(name) = name {
        again.arg0(name);
    }
    match hides_code(&mut again, arguments.collect()) {
        true => Err(again.exec()),
        false => Ok(()),
    }
}

/// Gives a program these arguments, but the code in its environment. Returns whether there is one.
#[cfg(unix)]
fn hides_code(program: &mut Command, arguments: Vec<OsString>) -> bool {
    let Some((arguments, code)) = without_code(arguments) else { return false };
    // A code that is given counts alone. Beside a key in the environment it would be one too many.
    program.args(arguments).env(CODE, code).env_remove(KEY);
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::viewer::config::{Request, parse};
    #[cfg(unix)]
    use std::ffi::OsStr;

    const A_CODE: &str = "K7QM-2XPD-9HRT";

    fn config(line: &str) -> Config {
        match parse(line.split_whitespace().map(OsString::from)) {
            Ok(Request::Watch(config)) => *config,
            other => panic!("{line}: {other:?}"),
        }
    }

    fn completed(line: &str, set: &[(&str, &str)]) -> Result<Config, String> {
        let variable = |name: &str| {
            let found = set.iter().find(|(it, _)| *it == name);
            found.map(|(_, value)| OsString::from(value))
        };
        config(line).with_secrets_of(variable).map_err(|error| error.to_string())
    }

    #[test]
    fn a_code_comes_from_its_option_or_else_from_the_environment() {
        let code = |text| Some(Code::parse(text).expect("a code"));
        let given = completed("pi --code k7qm2xpd9hrt", &[(CODE, "0000-0000-0000")]);
        assert_eq!(given.expect("fine").code, code(A_CODE));
        let set = completed("pi", &[(CODE, A_CODE), (KEY, "")]).expect("fine");
        assert_eq!((set.code, set.key), (code(A_CODE), None));
        assert_eq!(completed("a b", &[]).expect("fine").code, None);
        let error = completed("pi", &[(CODE, "K7QM")]).expect_err("too short");
        assert!(error.starts_with("LANCAM_CODE: a code has 12 letters"), "{error}");
        let error = completed("a b", &[(CODE, A_CODE)]).expect_err("two cameras");
        assert!(error.starts_with("LANCAM_CODE goes with one camera, not with a"), "{error}");
    }

    #[test]
    fn a_key_comes_from_a_file_or_else_from_the_environment() {
        let text = format!("{} {}", "A".repeat(43), "ab".repeat(32));
        let set = completed("pi", &[(KEY, &text)]).expect("fine");
        let given = GivenKey::parse(&text, KEY).expect("both are there");
        assert_eq!(set.key, Some(KeySource::Environment(given)));
        let file = completed("pi --key-file /dev/null/key", &[(KEY, "nonsense")]).expect("fine");
        assert_eq!(file.key, Some(KeySource::File("/dev/null/key".into())));
        assert!(file.key.expect("a file").read().is_err());
        let error = completed("pi", &[(KEY, "nonsense")]).expect_err("no key");
        assert!(error.starts_with("LANCAM_KEY has no key"), "{error}");
        let both = completed("pi", &[(CODE, A_CODE), (KEY, &text)]).expect_err("one will do");
        assert_eq!(both, "use LANCAM_CODE or LANCAM_KEY, not both");
    }

    #[cfg(unix)]
    #[test]
    fn a_code_that_is_hidden_counts_alone_as_before() {
        let mut program = Command::new("lancam-view");
        let line = ["--code", A_CODE, "pi"].map(OsString::from);
        assert!(hides_code(&mut program, line.to_vec()));
        assert_eq!(program.get_args().collect::<Vec<_>>(), ["pi"]);
        let value = |name: &str| program.get_envs().find(|(it, _)| *it == name);
        let code = value(CODE).and_then(|(_, value)| value);
        assert_eq!(code, Some(OsStr::new(A_CODE)));
        assert_eq!(value(KEY), Some((OsStr::new(KEY), None)), "it is taken away");
        assert!(!hides_code(&mut program, vec!["pi".into()]));
    }

    #[test]
    fn the_code_is_taken_out_of_the_arguments_and_nothing_else() {
        let split = |line: &str| {
            let arguments = line.split_whitespace().map(OsString::from).collect();
            without_code(arguments).map(|(left, code)| {
                let left: Vec<_> = left.iter().map(|it| it.to_string_lossy()).collect();
                (left.join(" "), code.to_string_lossy().into_owned())
            })
        };
        let found = |left: &str, code: &str| Some((left.to_owned(), code.to_owned()));
        assert_eq!(split("pi --code K7 --json"), found("pi --json", "K7"));
        assert_eq!(split("--code=K7 pi"), found("pi", "K7"));
        for line in ["pi", "pi --code", "--code a --code b", "--codes x", ""] {
            assert_eq!(split(line), None, "{line}");
        }
    }
}
