//! One control of a camera: its type, its range, and how to read and set its value.

use super::driver::{Driver, RawControl, RawItem};
use crate::plain::fixed_text;
use nix::errno::Errno;
use v4l::v4l_sys::{
    V4L2_CTRL_FLAG_DISABLED, V4L2_CTRL_FLAG_GRABBED, V4L2_CTRL_FLAG_HAS_PAYLOAD,
    V4L2_CTRL_FLAG_INACTIVE, V4L2_CTRL_FLAG_MODIFY_LAYOUT, V4L2_CTRL_FLAG_READ_ONLY,
    V4L2_CTRL_FLAG_VOLATILE, V4L2_CTRL_FLAG_WRITE_ONLY,
};

/// A control, under the name that scripts use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Control {
    /// Its V4L2 number.
    pub(in super::super) id: u32,
    /// `exposure_time_absolute`; unique among the controls of a camera.
    pub(in super::super) name: String,
    /// The driver's name for it: `Exposure Time, Absolute`.
    pub(in super::super) title: String,
    pub(in super::super) kind: ControlType,
    /// The least value; of a text, the least length.
    pub(in super::super) minimum: i64,
    /// The greatest value; of a text, the greatest length; of a bitmask, all bits that may be set.
    pub(in super::super) maximum: i64,
    /// The step between values, at least 1.
    pub(in super::super) step: u64,
    pub(in super::super) default: i64,
    /// `V4L2_CTRL_FLAG_…`.
    flags: u32,
}

/// The type of a control's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum ControlType {
    Integer,
    Integer64,
    Boolean,
    Menu(Vec<Item>),
    /// A menu whose items are numbers.
    IntegerMenu(Vec<Item>),
    /// Setting it triggers an action; it has no value.
    Button,
    Text,
    Bitmask,
    /// The headline of a group, not a control.
    Class,
    /// Shown, but never read or set: arrays, structures, and types newer than this program.
    Other {
        /// `V4L2_CTRL_TYPE_…` of an element.
        element: u32,
        /// The dimensions of an array; empty if it is not one.
        sides: Vec<u32>,
    },
}

/// An item of a menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Item {
    pub(in super::super) number: i64,
    pub(in super::super) text: String,
}

/// A value for a control.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Value {
    Number(i64),
    Text(String),
}

impl Control {
    /// A control called `name`, as `raw` describes it.
    pub(super) fn new(raw: &RawControl, name: String, driver: &impl Driver) -> Self {
        let kind = ControlType::of(raw, driver);
        // A bitmask is unsigned, but the old query sign-extends bit 31.
        let unsigned =
            |value: i64| if kind == ControlType::Bitmask { value & 0xffff_ffff } else { value };
        Self {
            id: raw.id,
            name,
            title: fixed_text(&raw.name),
            minimum: raw.minimum,
            maximum: unsigned(raw.maximum),
            step: raw.step.max(1),
            default: unsigned(raw.default),
            flags: raw.flags,
            kind,
        }
    }

    /// The control with what may have changed since it was described: setting one control can
    /// change the ranges and flags of others.
    pub(super) fn renewed(&self, raw: &RawControl) -> Self {
        let kind = self.kind.clone();
        let unsigned =
            |value: i64| if kind == ControlType::Bitmask { value & 0xffff_ffff } else { value };
        Self {
            minimum: raw.minimum,
            maximum: unsigned(raw.maximum),
            step: raw.step.max(1),
            flags: raw.flags,
            kind,
            ..self.clone()
        }
    }

    /// The group that it belongs to: V4L2_CTRL_ID2CLASS.
    pub(in super::super) fn class(&self) -> u32 {
        self.id & 0x0fff_0000
    }

    /// Whether an automatic control sets it now.
    pub(super) fn is_inactive(&self) -> bool {
        self.flags & V4L2_CTRL_FLAG_INACTIVE != 0
    }

    /// Whether it can never be set.
    pub(super) fn is_fixed(&self) -> bool {
        self.flags & (V4L2_CTRL_FLAG_READ_ONLY | V4L2_CTRL_FLAG_DISABLED) != 0
            || matches!(self.kind, ControlType::Class | ControlType::Other { .. })
    }

    /// Whether it cannot be set because something uses it.
    pub(super) fn is_grabbed(&self) -> bool {
        self.flags & V4L2_CTRL_FLAG_GRABBED != 0
    }

    /// Whether it is disabled.
    pub(super) fn is_disabled(&self) -> bool {
        self.flags & V4L2_CTRL_FLAG_DISABLED != 0
    }

    /// Whether the camera changes its value by itself.
    pub(super) fn is_volatile(&self) -> bool {
        self.flags & V4L2_CTRL_FLAG_VOLATILE != 0
    }

    /// Whether setting it changes the layout of the frames.
    pub(super) fn modifies_layout(&self) -> bool {
        self.flags & V4L2_CTRL_FLAG_MODIFY_LAYOUT != 0
    }

    /// Names of its flags, as far as they matter to people.
    pub(super) fn flag_names(&self) -> Vec<&'static str> {
        let names = FLAGS.iter().filter(|(flag, _)| self.flags & flag != 0);
        names.map(|(_, name)| *name).collect()
    }

    /// The current value; `None` if it has none, cannot be read, or the driver fails to answer.
    pub(in super::super) fn value(&self, driver: &impl Driver) -> Option<Value> {
        if self.flags & (V4L2_CTRL_FLAG_WRITE_ONLY | V4L2_CTRL_FLAG_DISABLED) != 0 {
            return None;
        }
        match self.kind {
            ControlType::Integer
            | ControlType::Boolean
            | ControlType::Menu(_)
            | ControlType::IntegerMenu(_) => {
                Some(Value::Number(driver.value(self.id).ok()?.into()))
            }
            ControlType::Bitmask => {
                let bits = u32::from_ne_bytes(driver.value(self.id).ok()?.to_ne_bytes());
                Some(Value::Number(bits.into()))
            }
            ControlType::Integer64 => Some(Value::Number(driver.value64(self.id).ok()?)),
            ControlType::Text => {
                let size = usize::try_from(self.maximum).ok()?.checked_add(1)?;
                let bytes = driver.text(self.id, Some(size).filter(|it| *it <= LONGEST_TEXT)?);
                let bytes = bytes.ok()?;
                let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
                Some(Value::Text(String::from_utf8_lossy(&bytes[..end]).into_owned()))
            }
            ControlType::Button | ControlType::Class | ControlType::Other { .. } => None,
        }
    }

    /// Asks the driver to set `value`; [`Self::value`] then returns what the driver made of it.
    pub(in super::super) fn set(&self, driver: &impl Driver, value: &Value) -> Result<(), Errno> {
        match (&self.kind, value) {
            (ControlType::Text, Value::Text(text)) => driver.set_text(self.id, text),
            (ControlType::Integer64, Value::Number(number)) => driver.set_value64(self.id, *number),
            (ControlType::Bitmask, Value::Number(bits)) => {
                let bits = u32::try_from(*bits).map_err(|_| Errno::ERANGE)?;
                driver.set_value(self.id, i32::from_ne_bytes(bits.to_ne_bytes()))
            }
            (
                ControlType::Integer
                | ControlType::Boolean
                | ControlType::Menu(_)
                | ControlType::IntegerMenu(_)
                | ControlType::Button,
                Value::Number(number),
            ) => driver.set_value(self.id, i32::try_from(*number).map_err(|_| Errno::ERANGE)?),
            _ => Err(Errno::EINVAL),
        }
    }
}

impl ControlType {
    fn of(raw: &RawControl, driver: &impl Driver) -> Self {
        let is_array = raw.dimensions > 0 || raw.elements > 1;
        let has_payload = raw.flags & V4L2_CTRL_FLAG_HAS_PAYLOAD != 0;
        let items = |text: fn(&RawItem) -> String| items(raw, driver, text);
        match raw.kind {
            STRING if !is_array => Self::Text,
            // Of the types below, only arrays have a payload.
            _ if is_array || has_payload => Self::other(raw),
            INTEGER => Self::Integer,
            BOOLEAN => Self::Boolean,
            MENU => Self::Menu(items(|item| fixed_text(&item.0))),
            BUTTON => Self::Button,
            INTEGER64 => Self::Integer64,
            CLASS => Self::Class,
            BITMASK => Self::Bitmask,
            INTEGER_MENU => Self::IntegerMenu(items(|RawItem(bytes)| {
                let number = bytes.first_chunk().map_or(0, |first| i64::from_ne_bytes(*first));
                number.to_string()
            })),
            _ => Self::other(raw),
        }
    }

    fn other(raw: &RawControl) -> Self {
        let dimensions = usize::try_from(raw.dimensions).unwrap_or(usize::MAX);
        let sides = raw.sides.iter().take(dimensions).copied().collect();
        Self::Other { element: raw.kind, sides }
    }
}

/// The items of a menu. Menus have gaps: an index that the driver refuses has no item.
fn items(raw: &RawControl, driver: &impl Driver, text: fn(&RawItem) -> String) -> Vec<Item> {
    let Ok(first) = u32::try_from(raw.minimum.max(0)) else { return Vec::new() };
    if raw.maximum < i64::from(first) {
        return Vec::new();
    }
    let last = u32::try_from(raw.maximum).unwrap_or(u32::MAX);
    let last = last.min(first.saturating_add(MOST_ITEMS - 1));
    let item = |index: u32| {
        let item = driver.item(raw.id, index).ok()?;
        Some(Item { number: index.into(), text: text(&item) })
    };
    (first..=last).filter_map(item).collect()
}

/// `Exposure Time, Absolute` as `exposure_time_absolute`, as v4l2-ctl does.
pub(super) fn plain(title: &str) -> String {
    let mut plain = String::with_capacity(title.len());
    for letter in title.chars() {
        if letter.is_ascii_alphanumeric() {
            plain.push(letter.to_ascii_lowercase());
        } else if !plain.is_empty() && !plain.ends_with('_') {
            plain.push('_');
        }
    }
    plain.truncate(plain.trim_end_matches('_').len());
    plain
}

/// V4L2_CTRL_TYPE_… of `linux/videodev2.h`.
const INTEGER: u32 = 1;
const BOOLEAN: u32 = 2;
const MENU: u32 = 3;
const BUTTON: u32 = 4;
const INTEGER64: u32 = 5;
const CLASS: u32 = 6;
const STRING: u32 = 7;
const BITMASK: u32 = 8;
const INTEGER_MENU: u32 = 9;

/// The most items that are asked for; no real menu has as many.
const MOST_ITEMS: u32 = 256;

/// The longest text that is read. Drivers' texts are file names and radio stations.
const LONGEST_TEXT: usize = 4096;

const FLAGS: [(u32, &str); 6] = [
    (V4L2_CTRL_FLAG_DISABLED, "disabled"),
    (V4L2_CTRL_FLAG_GRABBED, "grabbed"),
    (V4L2_CTRL_FLAG_READ_ONLY, "read-only"),
    (V4L2_CTRL_FLAG_WRITE_ONLY, "write-only"),
    (V4L2_CTRL_FLAG_INACTIVE, "inactive"),
    (V4L2_CTRL_FLAG_VOLATILE, "volatile"),
];

#[cfg(test)]
mod tests {
    use super::super::fake::{FakeDriver, name, raw};
    use super::*;

    fn control(raw: &RawControl) -> Control {
        Control::new(raw, "some".into(), &FakeDriver::default())
    }

    #[test]
    fn a_type_that_nobody_knows_is_shown_and_never_read_or_set() {
        let driver = FakeDriver::default();
        for kind in [0, 10, 77, 0x100, 0x106, 0x107, 0x110, 0x0fff, u32::MAX] {
            let control = control(&raw(1, kind, "Odd"));
            assert_eq!(control.kind, ControlType::Other { element: kind, sides: vec![] });
            assert!(control.is_fixed());
            assert_eq!(control.value(&driver), None);
            assert_eq!(control.set(&driver, &Value::Number(0)), Err(Errno::EINVAL));
        }
        assert!(driver.sets.borrow().is_empty());
    }

    #[test]
    fn an_array_of_a_known_type_is_not_taken_for_its_element() {
        for kind in [INTEGER, BOOLEAN, MENU, INTEGER64, STRING, BITMASK, INTEGER_MENU] {
            let array = RawControl {
                elements: 6,
                dimensions: 2,
                sides: [2, 3, 0, 0],
                ..raw(1, kind, "Array")
            };
            assert_eq!(
                control(&array).kind,
                ControlType::Other { element: kind, sides: vec![2, 3] }
            );
            let endless = RawControl { dimensions: u32::MAX, ..array };
            assert!(control(&endless).is_fixed());
        }
        let with_payload =
            RawControl { flags: V4L2_CTRL_FLAG_HAS_PAYLOAD, ..raw(1, INTEGER, "Payload") };
        assert!(control(&with_payload).is_fixed());
        let text = RawControl { flags: V4L2_CTRL_FLAG_HAS_PAYLOAD, ..raw(1, STRING, "Text") };
        assert_eq!(control(&text).kind, ControlType::Text);
    }

    #[test]
    fn a_menu_has_the_items_that_the_driver_names_and_not_those_it_only_claims() {
        let numbers = |minimum, maximum| {
            let raw = RawControl { minimum, maximum, step: 0, ..raw(1, MENU, "Menu") };
            match control(&raw).kind {
                ControlType::Menu(items) => {
                    items.iter().map(|item| item.number).collect::<Vec<_>>()
                }
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(numbers(0, 5), [0, 2, 4]);
        assert_eq!(numbers(-3, 2), [0, 2]);
        assert_eq!(numbers(3, 1), []);
        assert_eq!(numbers(-9, -3), []);
        assert_eq!(numbers(0, i64::MAX).len(), 128);
        assert_eq!(numbers(i64::from(u32::MAX) - 1, i64::MAX), [i64::from(u32::MAX) - 1]);
        assert_eq!(numbers(i64::MAX, i64::MAX), []);
    }

    #[test]
    fn an_integer_menu_has_numbers_for_texts() {
        let ControlType::IntegerMenu(items) = control(&raw(1, INTEGER_MENU, "Menu")).kind else {
            panic!("an integer menu")
        };
        // "Item 0\0\0" as a little-endian number.
        let number = i64::from_le_bytes(*b"Item 0\0\0");
        assert_eq!(items[0].text, number.to_string());
    }

    #[test]
    fn names_without_an_end_or_in_no_alphabet_are_names_nevertheless() {
        let title =
            |bytes: &[u8]| control(&RawControl { name: name(bytes), ..raw(1, INTEGER, "") }).title;
        assert_eq!(title(&[b'x'; 40]), "x".repeat(32));
        assert_eq!(title(b"\xff\xfeGain"), "\u{fffd}\u{fffd}Gain");
        assert_eq!(title(b"a\x1b[31mb\nc"), "a?[31mb?c");
        assert_eq!(title(b""), "");
    }

    #[test]
    fn a_plain_name_is_what_v4l2_ctl_makes_of_it() {
        for (title, expected) in [
            ("Exposure Time, Absolute", "exposure_time_absolute"),
            ("White Balance Temperature, Auto", "white_balance_temperature_auto"),
            ("  Gain (dB)  ", "gain_db"),
            ("U8 4x4 Matrix", "u8_4x4_matrix"),
            ("Größe", "gr_e"),
            ("!?", ""),
        ] {
            assert_eq!(plain(title), expected);
        }
    }

    #[test]
    fn the_highest_bit_of_a_bitmask_is_a_bit() {
        let mask = RawControl {
            maximum: i64::from(i32::MIN) | 0x2000,
            default: -1,
            ..raw(1, BITMASK, "Mask")
        };
        let (control, driver) = (control(&mask), FakeDriver::default());
        assert_eq!((control.maximum, control.default), (0x8000_2000, 0xffff_ffff));
        assert_eq!(control.set(&driver, &Value::Number(0x8000_0000)), Ok(()));
        assert_eq!(control.value(&driver), Some(Value::Number(0x8000_0000)));
        assert_eq!(control.set(&driver, &Value::Number(1 << 32)), Err(Errno::ERANGE));
    }

    #[test]
    fn a_text_of_an_unbelievable_length_is_not_read() {
        let driver = FakeDriver { text: b"abc\0def".to_vec().into(), ..FakeDriver::default() };
        let value =
            |maximum| control(&RawControl { maximum, ..raw(1, STRING, "T") }).value(&driver);
        assert_eq!(value(10), Some(Value::Text("abc".into())));
        for maximum in [i64::MAX, 1 << 40, -1, i64::MIN] {
            assert_eq!(value(maximum), None);
        }
    }

    #[test]
    fn what_is_write_only_is_not_read() {
        let secret = RawControl { flags: V4L2_CTRL_FLAG_WRITE_ONLY, ..raw(1, INTEGER, "Secret") };
        assert_eq!(control(&secret).value(&FakeDriver::default()), None);
        assert_eq!(control(&secret).flag_names(), ["write-only"]);
    }
}
