//! Reads options' values and checks them.

use super::{UsageError, units};
use crate::decimal;
use crate::rate::Rate;
use crate::viewer::keep::{folders, snapshot};
use crate::wire::access::code::Code;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::time::Duration;

/// A year. Longer waits are surely mistakes, and very long ones overflow clocks.
const MOST_SECONDS: f64 = 366.0 * 86_400.0;

/// Reads a number that `is_fine`.
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

/// Reads how many.
pub(super) fn count<T: std::str::FromStr + Default + PartialOrd>(
    parser: &mut lexopt::Parser,
    option: &'static str,
) -> Result<T, UsageError> {
    number(parser, option, "1 or more", |count| *count > T::default())
}

/// Reads a number with a unit, by `read`.
fn with_unit<T>(
    parser: &mut lexopt::Parser,
    option: &'static str,
    wants: &'static str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<T, UsageError> {
    let found = parser.value()?.to_string_lossy().into_owned();
    read(&found).ok_or(UsageError::Value { option, wants, found })
}

/// Reads the name of a file for a picture. Its extension decides the form.
pub(super) fn picture(parser: &mut lexopt::Parser) -> Result<PathBuf, UsageError> {
    let path = PathBuf::from(parser.value()?);
    match snapshot::Form::of(&path) {
        Some(_) => Ok(path),
        None => Err(UsageError::Value {
            option: "--save",
            wants: "a file that ends in .png, or in .jpg for the camera's own JPEG",
            found: path.to_string_lossy().into_owned(),
        }),
    }
}

/// Reads the name of a file for a recording.
pub(super) fn recording(parser: &mut lexopt::Parser) -> Result<PathBuf, UsageError> {
    let path = PathBuf::from(parser.value()?);
    let is_known = |extension: &OsStr| extension.eq_ignore_ascii_case(folders::EXTENSION);
    match path.extension().is_some_and(is_known) {
        true => Ok(path),
        false => Err(UsageError::Value {
            option: "--record",
            wants: "a file or pipe that ends in .mkv",
            found: path.to_string_lossy().into_owned(),
        }),
    }
}

/// Reads a camera's code.
pub(super) fn code(parser: &mut lexopt::Parser) -> Result<Code, UsageError> {
    let typed = parser.value()?;
    Code::parse(&typed.to_string_lossy()).map_err(|error| UsageError::Code("--code", error))
}

pub(super) fn side(parser: &mut lexopt::Parser, option: &'static str) -> Result<u16, UsageError> {
    number(parser, option, "1 to 65535 pixels", |&side| side > 0)
}

pub(super) fn seconds(
    parser: &mut lexopt::Parser,
    option: &'static str,
) -> Result<Duration, UsageError> {
    let wants = "a number of seconds above 0";
    let is_fine = |&seconds: &f64| seconds > 0.0 && seconds <= MOST_SECONDS;
    let read = |text: &str| decimal::parse(text).filter(is_fine);
    with_unit(parser, option, wants, read).map(Duration::from_secs_f64)
}

pub(super) fn quality(parser: &mut lexopt::Parser) -> Result<u8, UsageError> {
    number(parser, "--quality", "1 to 100", |quality| (1..=100).contains(quality))
}

/// Reads the longest time of a file.
pub(super) fn every(parser: &mut lexopt::Parser) -> Result<Duration, UsageError> {
    with_unit(parser, "--record-every", units::A_TIME, units::time)
}

/// Reads the greatest length of a file.
pub(super) fn max(parser: &mut lexopt::Parser) -> Result<u64, UsageError> {
    with_unit(parser, "--record-max", units::A_LENGTH, units::length)
}

pub(super) fn rate(parser: &mut lexopt::Parser) -> Result<Rate, UsageError> {
    let wants = "0.001 to 1000 frames per second";
    with_unit(parser, "--fps", wants, |text| Rate::parse(text, 0.001..=1000.0))
}
