//! The settings of a ribbon camera: their names, their ranges, and rpicam-vid's words for them.

use crate::nearest;
use crate::wording::{either, must_be, unknown};
use std::fmt;

/// A setting and its value, as in `--csi-option NAME=VALUE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsiSetting {
    knob: &'static Knob,
    value: String,
}

/// A setting that ribbon cameras have.
#[derive(Debug)]
pub(super) struct Knob {
    /// Its name. rpicam-vid's option has the same name.
    pub(super) name: &'static str,
    /// Its name for people.
    pub(super) label: &'static str,
    /// Its values.
    pub(super) values: Values,
    /// What rpicam-vid takes when nobody says anything.
    pub(super) default: &'static str,
    /// The number of its control for viewers: V4L2's number where V4L2 has such a control. `None` where it is text.
    pub(super) control: Option<u32>,
}

/// The values of a setting.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Values {
    /// A number from `least` to `most`. Viewers set it in steps of one `parts`th.
    Number { least: f64, most: f64, parts: u16 },
    /// A time up to `most` microseconds. 0 leaves it to the camera. Viewers set up to `usual`.
    Time { most: f64, usual: u32 },
    /// One of these words.
    Word(&'static [&'static str]),
    /// The time of half a period of the mains.
    Flicker,
    /// The reciprocal of a distance in metres, or `default`.
    Lens,
    /// Four numbers within 0 and 1: x, y, width, height.
    Region,
    /// `WIDTH:HEIGHT`, `WIDTH:HEIGHT:BITS`, `WIDTH:HEIGHT:BITS:P`.
    Mode,
    /// A file's name.
    File,
}

const fn number(
    name: &'static str,
    label: &'static str,
    (least, most, parts): (f64, f64, u16),
    default: &'static str,
    control: u32,
) -> Knob {
    Knob {
        name,
        label,
        values: Values::Number { least, most, parts },
        default,
        control: Some(control),
    }
}

const fn word(
    name: &'static str,
    label: &'static str,
    words: &'static [&'static str],
    default: &'static str,
    control: u32,
) -> Knob {
    Knob { name, label, values: Values::Word(words), default, control: Some(control) }
}

const fn other(
    name: &'static str,
    label: &'static str,
    values: Values,
    default: &'static str,
    control: Option<u32>,
) -> Knob {
    Knob { name, label, values, default, control }
}

/// The numbers of V4L2's classes of controls. `OWN` is a driver's own class, for what V4L2 does not have.
const USER: u32 = 0x0098_0900;
const CAMERA: u32 = 0x009a_0900;
const OWN: u32 = 0x0098_1900;

/// Longer than any sensor by Raspberry Pi exposes (HQ: 670 s), in microseconds.
const LONGEST_SHUTTER: f64 = 700e6;

/// All settings. The ranges are those of rpicam-apps' `options.cpp`, which cuts off what is beyond, and of libcamera's
/// `ipa_base.cpp`, which refuses it.
pub(super) static KNOBS: [Knob; 17] = [
    number("brightness", "Brightness", (-1.0, 1.0, 100), "0", USER),
    number("contrast", "Contrast", (0.0, 15.99, 100), "1", USER + 1),
    number("saturation", "Saturation", (0.0, 15.99, 100), "1", USER + 2),
    number("sharpness", "Sharpness", (0.0, 15.99, 100), "1", USER + 27),
    number("ev", "Exposure Compensation", (-8.0, 8.0, 10), "0", CAMERA + 19),
    other(
        "shutter",
        "Exposure Time (us)",
        Values::Time { most: LONGEST_SHUTTER, usual: 100_000 },
        "0",
        Some(CAMERA + 2),
    ),
    number("gain", "Gain", (0.0, 64.0, 10), "0", USER + 19),
    word(
        "metering",
        "Exposure Metering",
        &["centre", "spot", "average", "custom"],
        "centre",
        CAMERA + 25,
    ),
    word(
        "awb",
        "White Balance",
        &[
            "auto",
            "incandescent",
            "tungsten",
            "fluorescent",
            "indoor",
            "daylight",
            "cloudy",
            "custom",
        ],
        "auto",
        CAMERA + 20,
    ),
    word(
        "denoise",
        "Noise Reduction",
        &["auto", "off", "cdn_off", "cdn_fast", "cdn_hq"],
        "auto",
        OWN,
    ),
    word("hdr", "High Dynamic Range", &["off", "auto", "sensor", "single-exp"], "off", OWN + 1),
    other("flicker-period", "Flicker", Values::Flicker, "0", Some(USER + 24)),
    word(
        "autofocus-mode",
        "Autofocus",
        &["default", "manual", "auto", "continuous"],
        "default",
        OWN + 2,
    ),
    other("lens-position", "Focus (1/m)", Values::Lens, "default", Some(CAMERA + 10)),
    other("roi", "Region", Values::Region, "0,0,1,1", None),
    other("mode", "Sensor Mode", Values::Mode, "", None),
    other("tuning-file", "Tuning File", Values::File, "", None),
];

/// Words of rpicam-vid that mean the same as another word: the knob, the word, and the other word.
const SAME: [(&str, &str, &str); 2] =
    [("metering", "matrix", "average"), ("awb", "normal", "auto")];

/// The highest value of a lens: 3 cm, which is nearer than any lens by Raspberry Pi focuses.
pub(super) const NEAREST: f64 = 32.0;

impl CsiSetting {
    /// Parses `NAME=VALUE`.
    ///
    /// # Errors
    /// What is wrong, and what is expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let Some((name, value)) = text.split_once('=') else {
            return Err("write NAME=VALUE, such as awb=daylight".into());
        };
        let (name, value) = (Self::name(name), value.trim());
        let Some(knob) = KNOBS.iter().find(|knob| knob.name == name) else {
            let names: Vec<_> = KNOBS.iter().map(|knob| knob.name).collect();
            let meant = nearest::of(&name, names.iter().copied());
            let otherwise = format!("the settings are {}", names.join(", "));
            return Err(unknown("setting", &name, meant, &otherwise));
        };
        Self::of(knob, value)
    }

    /// The one name of a setting. Upper case and `_` make no other setting.
    pub fn name(written: &str) -> String {
        written.trim().to_lowercase().replace('_', "-")
    }

    /// This knob with this value.
    ///
    /// # Errors
    /// What is wrong, and what is expected.
    pub(super) fn of(knob: &'static Knob, value: &str) -> Result<Self, String> {
        let same = SAME.iter().find(|(name, word, _)| *name == knob.name && *word == value);
        match knob.values.understood(same.map_or(value, |(.., other)| other)) {
            Some(value) => Ok(Self { knob, value }),
            None => Err(must_be(knob.name, &knob.values.to_string(), value)),
        }
    }

    /// Whether both are for the same knob.
    pub fn is_for_the_same(&self, other: &Self) -> bool {
        std::ptr::eq(self.knob, other.knob)
    }

    /// The setting's knob.
    pub(super) fn knob(&self) -> &'static Knob {
        self.knob
    }

    /// The value, as rpicam-vid takes it.
    pub(super) fn value(&self) -> &str {
        &self.value
    }

    /// The argument of rpicam-vid. It has a `=`, so that a value that begins with `-` does not look like an option.
    pub(super) fn argument(&self) -> String {
        format!("--{}={}", self.knob.name, self.value)
    }
}

/// `awb=daylight`
impl fmt::Display for CsiSetting {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}={}", self.knob.name, self.value)
    }
}

/// Two knobs are the same when they are the same entry of the table.
impl PartialEq for Knob {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Knob {}

impl Values {
    /// The value as rpicam-vid takes it. `None` when the setting has no such value.
    fn understood(self, value: &str) -> Option<String> {
        let is_one = match self {
            Self::Number { least, most, .. } => is_between(value, least, most),
            Self::Time { most, .. } => micros(value).is_some_and(|it| (0.0..=most).contains(&it)),
            Self::Word(words) => words.contains(&value),
            Self::Flicker => match value.to_lowercase().replace(' ', "").as_str() {
                "50" | "50hz" => return Some("10000us".into()),
                "60" | "60hz" => return Some("8333us".into()),
                "off" => return Some("0".into()),
                _ => micros(value).is_some_and(|it| it == 0.0 || (1e3..=1e6).contains(&it)),
            },
            Self::Lens => value == "default" || is_between(value, 0.0, NEAREST),
            Self::Region => {
                // rpicam-vid ignores a region with a space before a comma.
                let parts: Vec<&str> = value.split(',').map(str::trim).collect();
                return is_region(&parts).then(|| parts.join(","));
            }
            Self::Mode => is_mode(value),
            Self::File => !value.is_empty() && !value.contains('\0'),
        };
        is_one.then(|| value.to_owned())
    }
}

/// What a value must be, for people.
impl fmt::Display for Values {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number { least, most, .. } => write!(out, "{least} to {most}"),
            Self::Time { .. } => {
                out.write_str("a time such as 10000us or 20ms, or 0 for automatic")
            }
            Self::Word(words) => out.write_str(&either(words)),
            Self::Flicker => out.write_str("50 Hz, 60 Hz, off, or a time such as 10000us"),
            Self::Lens => write!(out, "0 (far away) to {NEAREST} (1/32 m), or default"),
            Self::Region => {
                out.write_str("X,Y,WIDTH,HEIGHT within 0 and 1, such as 0.25,0.25,0.5,0.5")
            }
            Self::Mode => out.write_str("WIDTH:HEIGHT or WIDTH:HEIGHT:BITS, such as 1920:1080:10"),
            Self::File => out.write_str("the path of a file"),
        }
    }
}

fn is_between(value: &str, least: f64, most: f64) -> bool {
    value.parse().is_ok_and(|it: f64| (least..=most).contains(&it))
}

/// A time in microseconds, as rpicam-apps reads it. The unit behind the number may be left out.
pub(super) fn micros(value: &str) -> Option<f64> {
    let end = value.find(|letter: char| letter.is_ascii_alphabetic()).unwrap_or(value.len());
    let (number, unit) = value.split_at(end);
    let unit = match unit {
        "" | "us" => 1.0,
        "ns" => 1e-3,
        "ms" => 1e3,
        "s" | "sec" => 1e6,
        "min" => 60e6,
        _ => return None,
    };
    number.parse::<f64>().ok().filter(|it| it.is_finite()).map(|number| number * unit)
}

fn is_region(parts: &[&str]) -> bool {
    let parts: Option<Vec<f64>> = parts.iter().map(|part| part.parse().ok()).collect();
    match parts.as_deref() {
        Some(&[x, y, width, height]) => {
            let is_side =
                |from: f64, long: f64| from >= 0.0 && long > 0.0 && from + long <= 1.000_001;
            is_side(x, width) && is_side(y, height)
        }
        _ => false,
    }
}

fn is_mode(value: &str) -> bool {
    let mut parts = value.split(':');
    let mut side =
        || parts.next().and_then(|it| it.parse().ok()).is_some_and(|it| (1..=65_535).contains(&it));
    if !(side() && side()) {
        return false;
    }
    let is_depth = parts.next().is_none_or(|bits| matches!(bits, "8" | "10" | "12" | "14" | "16"));
    let is_packing = parts.next().is_none_or(|it| matches!(it, "P" | "U" | "p" | "u"));
    is_depth && is_packing && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rpicam_vid_takes_is_taken_and_becomes_its_options() {
        for (said, argument) in [
            ("awb=daylight", "--awb=daylight"),
            ("awb=normal", "--awb=auto"),
            ("metering=matrix", "--metering=average"),
            ("ev=-0.5", "--ev=-0.5"),
            ("Brightness=-1", "--brightness=-1"),
            ("shutter=20ms", "--shutter=20ms"),
            ("shutter=0", "--shutter=0"),
            ("gain=2.5", "--gain=2.5"),
            ("flicker_period=50 Hz", "--flicker-period=10000us"),
            ("flicker-period=50", "--flicker-period=10000us"),
            ("flicker-period=60", "--flicker-period=8333us"),
            ("flicker-period=8333us", "--flicker-period=8333us"),
            ("flicker-period=10000", "--flicker-period=10000"),
            ("flicker-period=10ms", "--flicker-period=10ms"),
            ("flicker-period=0", "--flicker-period=0"),
            ("lens-position=default", "--lens-position=default"),
            ("lens-position=2", "--lens-position=2"),
            ("roi=0.25,0.25,0.5,0.5", "--roi=0.25,0.25,0.5,0.5"),
            ("roi=0.25 , 0.25,0.5 ,0.5", "--roi=0.25,0.25,0.5,0.5"),
            ("mode=1640:1232", "--mode=1640:1232"),
            ("mode=1920:1080:10:P", "--mode=1920:1080:10:P"),
            ("hdr=single-exp", "--hdr=single-exp"),
            ("tuning-file=/usr/share/x.json", "--tuning-file=/usr/share/x.json"),
        ] {
            assert_eq!(
                CsiSetting::parse(said).map(|it| it.argument()),
                Ok(argument.into()),
                "{said}"
            );
        }
    }

    #[test]
    fn what_it_does_not_take_is_refused_with_what_works() {
        for (said, part) in [
            ("awb", "NAME=VALUE"),
            ("awb=sunny", "daylight"),
            ("denoise=normal", "cdn_hq"),
            ("light=1", "awb, "),
            ("bright=1", "did you mean \"brightness\"?"),
            ("brightnes=1", "brightness"),
            ("brightness=1.1", "must be -1 to 1"),
            ("brightness=nan", "must be -1 to 1"),
            ("contrast=-1", "must be 0 to 15.99"),
            ("shutter=20 parsecs", "20ms"),
            ("shutter=-1", "20ms"),
            ("lens-position=33", "32"),
            ("roi=0,0,1", "WIDTH"),
            ("roi=0.5,0,0.6,1", "within 0 and 1"),
            ("mode=1920", "1920:1080:10"),
            ("mode=1920:1080:11", "1920:1080:10"),
            ("mode=1920:1080:10:P:x", "1920:1080:10"),
            ("tuning-file=", "path"),
            ("flicker-period=70 Hz", "50 Hz"),
            ("flicker-period=100", "50 Hz"),
            ("flicker-period=50us", "50 Hz"),
        ] {
            let error = CsiSetting::parse(said).expect_err(said);
            assert!(error.contains(part), "{said}: {error}");
        }
    }

    #[test]
    fn every_default_is_a_value_and_every_control_has_its_own_number() {
        let mut numbers = Vec::new();
        for knob in &KNOBS {
            assert!(
                knob.default.is_empty() || CsiSetting::of(knob, knob.default).is_ok(),
                "{}",
                knob.name
            );
            numbers.extend(knob.control);
        }
        numbers.sort_unstable();
        let all = numbers.len();
        numbers.dedup();
        assert_eq!(numbers.len(), all);
    }
}
