//! A camera's controls: brightness, exposure, focus and whatever else its driver has.
//!
//! `driver` is the interface to the kernel, `ioctl` implements it, `enumerate` finds all controls,
//! `names` has the names of usual controls, `control` is one of them, `value` parses and prints
//! values, `settings` applies `--set`, `limited` ends that in time and `late` goes on with it, `show` prints the list,
//! `mirror` turns the picture by controls, `board` gives viewers access.

mod board;
mod control;
mod driver;
mod enumerate;
#[cfg(test)]
mod fake;
mod ioctl;
mod late;
mod limited;
mod mirror;
mod names;
mod settings;
mod show;
mod value;

pub use board::Wanted;
pub(super) use board::{Board, Turning};
pub(super) use late::set_later;
pub(super) use limited::Limited;
pub(super) use mirror::Turned;
pub use settings::ControlSetting;
pub(super) use settings::{Moment, Settings};
pub(super) use show::Shown;

use crate::nearest;
use control::{Control, Value, plain};
use driver::{Driver, Query};
use enumerate::Silent;
use nix::errno::Errno;
use std::fmt;

/// The controls of one camera, in the order of their numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Controls {
    all: Vec<Control>,
    /// Those that the camera has and fails to describe.
    silent: Vec<Silent>,
}

/// What a driver made of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Made {
    /// The name of the control.
    pub(super) name: String,
    /// The value that was asked for, in words for people.
    pub(super) asked: String,
    /// The value that was set instead, if it differs.
    pub(super) instead: Option<String>,
    /// Whether an automatic control sets its value now.
    pub(super) is_inactive: bool,
}

/// Why a control was not set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NotSet {
    /// No control has that name; these names are similar.
    Unknown(Vec<String>),
    /// The camera has no controls at all.
    NoControls,
    /// The camera has it and fails to describe it.
    Silent(Errno),
    /// The value is not valid; the text says what is expected.
    Unfit(String),
    /// The driver refused.
    Refused {
        /// Why.
        errno: Errno,
        /// Whether an automatic control sets its value now.
        is_inactive: bool,
    },
}

impl Controls {
    /// All controls of `driver`. Does not read their values, which may take a camera milliseconds
    /// each.
    pub(super) fn list(driver: &impl Driver) -> Self {
        let (described, silent) = enumerate::enumerate(driver);
        let mut all: Vec<Control> = Vec::new();
        for raw in described {
            let title = crate::plain::fixed_text(&raw.name);
            let name = unused(plain(&title), raw.id, &all);
            all.push(Control::new(&raw, name, driver));
        }
        Self { all, silent }
    }

    /// The control that `name` means: by its name, its title, a name that another version of the
    /// kernel uses, or its number.
    pub(super) fn find(&self, name: &str) -> Option<&Control> {
        let name = plain(name);
        let by_name = self.all.iter().find(|control| control.name == name);
        let by_number = || self.by_id(number(&name)?);
        let by_other_name = || self.by_id(names::id(&name)?);
        by_name.or_else(by_number).or_else(by_other_name)
    }

    /// Why the control that `name` means is not described; `None` where there is none, or it is described.
    fn silence(&self, name: &str) -> Option<Errno> {
        let name = plain(name);
        let id = number(&name).or_else(|| names::id(&name))?;
        self.silence_of(id)
    }

    fn silence_of(&self, id: u32) -> Option<Errno> {
        self.silent.iter().find(|silent| silent.id == id).map(|silent| silent.errno)
    }

    /// The control with this V4L2 number.
    pub(super) fn by_id(&self, id: u32) -> Option<&Control> {
        self.all.iter().find(|control| control.id == id)
    }

    /// Sets the control that `name` means to the value that `text` means.
    pub(super) fn set(&self, driver: &impl Driver, name: &str, text: &str) -> Result<Made, NotSet> {
        let control = self.find(name).ok_or_else(|| match self.silence(name) {
            Some(errno) => NotSet::Silent(errno),
            None if self.all.is_empty() => NotSet::NoControls,
            None => NotSet::Unknown(self.names_like(name)),
        })?;
        let control = control.now(driver);
        let asked = control.parse(text).map_err(NotSet::Unfit)?;
        control
            .set(driver, &asked)
            .map_err(|errno| NotSet::Refused { errno, is_inactive: control.is_inactive() })?;
        let control = control.now(driver);
        let made = control.value(driver).filter(|made| *made != asked);
        Ok(Made {
            name: control.name.clone(),
            asked: spell_asked(&control, &asked),
            instead: made.map(|made| control.spell(&made)),
            is_inactive: control.is_inactive(),
        })
    }

    /// Up to three names similar to `name`, the nearest first.
    fn names_like(&self, name: &str) -> Vec<String> {
        let name = plain(name);
        let settable = self.all.iter().filter(|control| !control.is_fixed());
        let mut near: Vec<(usize, &str)> = settable
            .filter_map(|control| Some((unlikeness(&name, &control.name)?, control.name.as_str())))
            .collect();
        near.sort_unstable();
        near.into_iter().take(3).map(|(_, name)| name.to_owned()).collect()
    }
}

impl Control {
    /// The control with its current ranges and flags, or unchanged if the driver does not answer.
    fn now(&self, driver: &impl Driver) -> Self {
        let raw = driver.query(Query::Extended, self.id);
        let raw = raw.or_else(|_| driver.query(Query::Old, self.id));
        raw.map_or_else(|_| self.clone(), |raw| self.renewed(&raw))
    }
}

/// What is wrong with a control that exists and cannot be shown.
fn fails_to_describe(errno: Errno) -> String {
    format!("the camera fails to say what this control can be: {}", errno.desc())
}

/// `0x00980900`, as people write a control's V4L2 number.
fn number(name: &str) -> Option<u32> {
    u32::from_str_radix(name.strip_prefix("0x")?, 16).ok()
}

fn spell_asked(control: &Control, asked: &Value) -> String {
    match control.kind {
        control::ControlType::Button => "press".into(),
        _ => control.spell(asked),
    }
}

/// Follows `NAME=VALUE: `.
impl fmt::Display for NotSet {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoControls => out.write_str("the camera has no controls"),
            Self::Unknown(like) if like.is_empty() => {
                out.write_str("the camera has no such control; lancam list shows them")
            }
            Self::Unknown(like) => {
                let like = like.join(" or ");
                write!(out, "the camera has no such control; did you mean {like}?")
            }
            Self::Silent(errno) => write!(out, "{}", fails_to_describe(*errno)),
            Self::Unfit(expected) => out.write_str(expected),
            Self::Refused { errno, is_inactive } => {
                write!(out, "the camera refused it: {}", errno.desc())?;
                if *is_inactive {
                    out.write_str("; an automatic control sets it; switch that off first")?;
                }
                Ok(())
            }
        }
    }
}

/// `name`, with a number appended if another control has it.
fn unused(name: String, id: u32, others: &[Control]) -> String {
    let name = if name.is_empty() { format!("control_{id:08x}") } else { name };
    let is_taken = |name: &str| others.iter().any(|other| other.name == name);
    if !is_taken(&name) {
        return name;
    }
    let numbered = (2..).map(|number: u32| format!("{name}_{number}"));
    numbered.into_iter().find(|name| !is_taken(name)).unwrap_or(name)
}

/// How much two names differ; `None` if nobody would confuse them.
fn unlikeness(wanted: &str, name: &str) -> Option<usize> {
    let is_part = wanted.len() >= 3 && name.contains(wanted);
    let typos = nearest::distance(wanted, name);
    let shares_words = wanted.split('_').any(|word| word.len() >= 4 && name.contains(word));
    if typos <= wanted.len() / 3 {
        Some(typos)
    } else if is_part {
        Some(wanted.len())
    } else if shares_words {
        Some(wanted.len() + typos)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::fake::{FakeDriver, raw};
    use super::*;

    fn names(titles: &[&str]) -> Vec<String> {
        let ids = 0x0098_0900..;
        let controls = ids.zip(titles).map(|(id, title)| raw(id, 1, title)).collect();
        let driver = FakeDriver { controls, ..FakeDriver::default() };
        Controls::list(&driver).all.into_iter().map(|control| control.name).collect()
    }

    fn webcam() -> FakeDriver {
        let switch = |id, title| driver::RawControl { maximum: 1, ..raw(id, 2, title) };
        let controls = vec![
            raw(0x0098_0001, 6, "User Controls"),
            raw(0x0098_0900, 1, "Brightness"),
            switch(0x0098_090c, "White Balance, Automatic"),
            raw(0x0098_091a, 1, "White Balance Temperature"),
            raw(0x009a_0902, 1, "Exposure Time, Absolute"),
        ];
        FakeDriver { controls, ..FakeDriver::default() }
    }

    #[test]
    fn no_two_controls_have_the_same_name() {
        assert_eq!(
            names(&["Gain", "gain!", "Gain 2", "GAIN"]),
            ["gain", "gain_2", "gain_2_2", "gain_3"]
        );
        assert_eq!(names(&["", "ß"]), ["control_00980900", "control_00980901"]);
    }

    #[test]
    fn a_control_that_is_not_described_is_told_from_one_that_is_not_there() {
        let answer = |how, id| match (how, id) {
            (_, 0x0098_0901) => Ok(raw(id, 1, "Contrast")),
            (Query::Extended, _) | (_, 0x0098_0900) => Err(Errno::EPIPE),
            _ => Err(Errno::EINVAL),
        };
        let driver = FakeDriver { answer: Some(Box::new(answer)), ..FakeDriver::default() };
        let controls = Controls::list(&driver);
        let set = |name| controls.set(&driver, name, "5").expect_err("not set").to_string();
        for name in ["brightness", "0x00980900"] {
            let expected = "the camera fails to say what this control can be: Broken pipe";
            assert_eq!(set(name), expected);
        }
        assert_eq!(set("gamma"), "the camera has no such control; lancam list shows them");
        assert!(controls.find("contrast").is_some());
        let shown = Shown::read(&driver).to_string();
        let line =
            "\n  brightness: the camera fails to say what this control can be: Broken pipe\n";
        assert!(shown.contains("contrast") && shown.contains(line), "{shown}");
    }

    #[test]
    fn a_control_is_found_by_every_name_that_it_goes_by() {
        let controls = Controls::list(&webcam());
        for name in [
            "exposure_time_absolute",
            "Exposure Time, Absolute",
            "exposure-time-absolute",
            "exposure_absolute",
            "0x009a0902",
        ] {
            let found = controls.find(name).map(|control| control.id);
            assert_eq!(found, Some(0x009a_0902), "{name}");
        }
        for name in ["", "exposure", "0x", "0x1", "hflip"] {
            assert_eq!(controls.find(name), None, "{name}");
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_those_it_may_have_been_meant_for() {
        let driver = webcam();
        let refusal = |name: &str| match Controls::list(&driver).set(&driver, name, "1") {
            Err(reason) => reason.to_string(),
            Ok(made) => panic!("{made:?}"),
        };
        for (name, like) in [
            ("brightnes", "did you mean brightness?"),
            ("exposure", "did you mean exposure_time_absolute?"),
            ("white_balance", "did you mean white_balance_automatic or white_balance_temperature"),
            ("zoom", "lancam list shows them"),
            ("user_controls", "title of a group"),
        ] {
            assert!(refusal(name).contains(like), "{name}: {}", refusal(name));
        }
        let empty = FakeDriver::default();
        assert_eq!(Controls::list(&empty).set(&empty, "gain", "1"), Err(NotSet::NoControls));
    }

    #[test]
    fn what_the_driver_made_of_a_value_is_read_back() {
        let driver = FakeDriver { makes: Some((0x0098_0900, 64)), ..webcam() };
        let controls = Controls::list(&driver);
        let made = |text| controls.set(&driver, "brightness", text).map(|made| made.instead);
        assert_eq!(made("60"), Ok(Some("64".into())));
        assert_eq!(made("64"), Ok(None));
        assert_eq!(made("256"), Err(NotSet::Unfit("it must be 0 to 255".into())));
        assert_eq!(driver.sets.borrow().len(), 2, "what does not fit never reaches the driver");
    }

    #[test]
    fn a_range_that_has_changed_is_the_one_that_counts() {
        let mut driver = webcam();
        let controls = Controls::list(&driver);
        driver.controls[1].maximum = 10;
        let refused = controls.set(&driver, "brightness", "11");
        assert_eq!(refused, Err(NotSet::Unfit("it must be 0 to 10".into())));
    }
}
