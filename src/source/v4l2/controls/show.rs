//! Prints a camera's controls with their values, for people and for programs.

use super::control::{Control, ControlType, Item, Value};
use super::driver::Driver;
use super::enumerate::Silent;
use super::{Controls, fails_to_describe, names};
use crate::json::{Object, array, quoted};
use std::fmt;

/// Every control with its value.
#[derive(Debug, Default)]
pub(in super::super) struct Shown {
    lines: Vec<Line>,
    /// Those that the camera fails to describe.
    silent: Vec<Silent>,
}

#[derive(Debug)]
struct Line {
    /// The headline of its group.
    class: String,
    control: Control,
    value: Option<Value>,
}

impl Shown {
    /// Reads all controls from the driver.
    pub(in super::super) fn read(driver: &impl Driver) -> Self {
        let Controls { all, silent } = Controls::list(driver);
        let headline = |class: u32| {
            let is_headline = |it: &&Control| it.kind == ControlType::Class && it.class() == class;
            let named = all.iter().find(is_headline).map(|it| it.title.clone());
            named.unwrap_or_else(|| class_name(class))
        };
        let line = |control: &Control| Line {
            class: headline(control.class()),
            value: control.value(driver),
            control: control.clone(),
        };
        let lines = all.iter().filter(|it| it.kind != ControlType::Class).map(line).collect();
        Self { lines, silent }
    }

    /// A JSON array of objects, without the controls that the camera fails to describe.
    pub(in super::super) fn json(&self) -> String {
        array(&self.lines, Line::json)
    }
}

/// Lines, each with a newline at its end.
impl fmt::Display for Shown {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.lines.iter().map(|line| line.control.name.len());
        let wide = names.max().unwrap_or(0);
        let mut class = "";
        for line in &self.lines {
            if line.class != class {
                class = &line.class;
                writeln!(out, "  {class}")?;
            }
            let Control { name, kind, .. } = &line.control;
            let type_name = kind.to_string();
            writeln!(out, "    {name:wide$}  {type_name:<12}  {}", line.facts())?;
            for Item { number, text } in kind.items() {
                writeln!(out, "      {number} {text}")?;
            }
        }
        for Silent { id, errno } in &self.silent {
            writeln!(out, "  {}: {}", names::of(*id), fails_to_describe(*errno))?;
        }
        Ok(())
    }
}

impl Line {
    /// `0 to 255, default 128, now 100 (inactive)`.
    fn facts(&self) -> String {
        let Self { control, value, .. } = self;
        let default = || format!("default {}", control.spell(&Value::Number(control.default)));
        let mut facts = match control.kind {
            ControlType::Integer | ControlType::Integer64 => vec![control.range(), default()],
            ControlType::Boolean | ControlType::Menu(_) | ControlType::IntegerMenu(_) => {
                vec![default()]
            }
            ControlType::Bitmask => vec![format!("bits of {:#x}", control.maximum), default()],
            ControlType::Text => vec![control.lengths()],
            ControlType::Button | ControlType::Class | ControlType::Other { .. } => vec![],
        };
        if let Some(value) = value {
            facts.push(format!("now {}", control.spell(value)));
        }
        let mut facts = facts.join(", ");
        let flags = control.flag_names();
        if !flags.is_empty() {
            facts += &format!(" ({})", flags.join(", "));
        }
        facts.trim_start().to_owned()
    }

    fn json(&self) -> String {
        let Self { class, control, value } = self;
        let Control { id, name, title, kind, minimum, maximum, step, default, .. } = control;
        let value = value.as_ref().map(|value| match value {
            Value::Number(number) => number.to_string(),
            Value::Text(text) => quoted(text),
        });
        let item = |Item { number, text }: &Item| {
            Object::new().json("number", number).text("text", text).end()
        };
        Object::new()
            .text("class", class)
            .text("name", name)
            .text("title", title)
            .json("id", id)
            .text("type", &kind.to_string())
            .json("minimum", minimum)
            .json("maximum", maximum)
            .json("step", step)
            .json("default", default)
            .or_null("value", value)
            .json("items", array(kind.items(), item))
            .json("flags", array(&control.flag_names(), |flag| quoted(flag)))
            .end()
    }
}

impl ControlType {
    fn items(&self) -> &[Item] {
        match self {
            Self::Menu(items) | Self::IntegerMenu(items) => items,
            _ => &[],
        }
    }
}

/// The type, for people and programs: `integer`, `u8 array 2x3`.
impl fmt::Display for ControlType {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Integer => "integer",
            Self::Integer64 => "integer64",
            Self::Boolean => "boolean",
            Self::Menu(_) => "menu",
            Self::IntegerMenu(_) => "integer menu",
            Self::Button => "button",
            Self::Text => "text",
            Self::Bitmask => "bitmask",
            Self::Class => "class",
            Self::Other { element, sides } => return write_other(out, *element, sides),
        })
    }
}

fn write_other(out: &mut fmt::Formatter<'_>, element: u32, sides: &[u32]) -> fmt::Result {
    match ELEMENTS.iter().find(|(number, _)| *number == element) {
        Some((_, name)) => out.write_str(name)?,
        None => write!(out, "unknown type {element:#06x}")?,
    }
    if !sides.is_empty() {
        let sides: Vec<String> = sides.iter().map(ToString::to_string).collect();
        write!(out, " array {}", sides.join("x"))?;
    }
    Ok(())
}

/// The headline of a group for drivers that provide none.
fn class_name(class: u32) -> String {
    match class {
        0x0098_0000 => "User Controls".into(),
        0x0099_0000 => "Codec Controls".into(),
        0x009a_0000 => "Camera Controls".into(),
        0x009d_0000 => "JPEG Compression Controls".into(),
        0x009e_0000 => "Image Source Controls".into(),
        0x009f_0000 => "Image Processing Controls".into(),
        _ => format!("Controls of class {class:#010x}"),
    }
}

/// V4L2_CTRL_TYPE_… of types that lancam does not set.
const ELEMENTS: [(u32, &str); 9] = [
    (1, "integer"),
    (2, "boolean"),
    (5, "integer64"),
    (7, "text"),
    (0x100, "u8"),
    (0x101, "u16"),
    (0x102, "u32"),
    (0x106, "area"),
    (0x107, "rectangle"),
];

#[cfg(test)]
mod tests {
    use super::super::driver::RawControl;
    use super::super::fake::{FakeDriver, raw};
    use super::*;
    use nix::errno::Errno;

    fn driver() -> FakeDriver {
        let controls = vec![
            raw(0x0098_0001, 6, "Picture"),
            raw(0x0098_0900, 1, "Brightness"),
            RawControl { maximum: 1, default: 0, flags: 0x10, ..raw(0x0098_0914, 2, "Flip") },
            RawControl { maximum: 2, default: 2, ..raw(0x009a_0918, 3, "Power Line") },
            RawControl { flags: 0x84, ..raw(0x009a_0919, 8, "Mask") },
            raw(0x009a_0920, 4, "Press"),
            RawControl { maximum: 9, ..raw(0x00f0_0000, 7, "Say \"it\"") },
            RawControl { dimensions: 2, sides: [4, 3, 0, 0], ..raw(0x00f0_0001, 0x101, "Array") },
            raw(0x00f0_0002, 0x4242, "Odd"),
        ];
        let numbers = [(0x0098_0900, 100), (0x0098_0914, 1), (0x009a_0919, 5)];
        FakeDriver {
            controls,
            numbers: std::cell::RefCell::new(numbers.into()),
            text: b"hi".to_vec().into(),
            ..FakeDriver::default()
        }
    }

    #[test]
    fn people_read_controls_in_groups() {
        assert_eq!(
            Shown::read(&driver()).to_string(),
            "\x20 Picture
    brightness  integer       0 to 255, default 128, now 100
    flip        boolean       default off, now on (inactive)
  Camera Controls
    power_line  menu          default 2 (Item 2), now 0 (Item 0)
      0 Item 0
      2 Item 2
    mask        bitmask       bits of 0xff, default 0x80, now 0x5 (read-only, volatile)
    press       button        
  Controls of class 0x00f00000
    say_it      text          0 to 9 bytes, now \"hi\"
    array       u16 array 4x3  
    odd         unknown type 0x4242  
"
        );
    }

    #[test]
    fn the_page_about_hardware_shows_controls_as_they_are_printed() {
        let kelvin = raw(0x0098_091a, 1, "White Balance Temperature");
        let (minimum, maximum, default, flags) = (2000, 6500, 4000, 0x10);
        let driver = FakeDriver {
            controls: vec![
                raw(0x0098_0900, 1, "Brightness"),
                RawControl {
                    maximum: 1,
                    default: 1,
                    ..raw(0x0098_090c, 2, "White Balance, Automatic")
                },
                RawControl {
                    maximum: 2,
                    default: 2,
                    ..raw(0x0098_0918, 3, "Power Line Frequency")
                },
                RawControl { minimum, maximum, default, flags, ..kelvin },
            ],
            numbers: std::cell::RefCell::new(
                [(0x0098_0900, 128), (0x0098_090c, 1), (0x0098_0918, 2), (0x0098_091a, 4000)]
                    .into(),
            ),
            ..FakeDriver::default()
        };
        let mut shown = Shown::read(&driver);
        let items = (0..).zip(["Disabled", "50 Hz", "60 Hz"]);
        let items = items.map(|(number, text)| Item { number, text: text.into() });
        shown.lines[2].control.kind = ControlType::Menu(items.collect());
        let page = include_str!("../../../../docs/HARDWARE.md");
        assert!(page.contains(&format!("```text\n{shown}```\n")), "{shown}");
    }

    #[test]
    fn programs_read_the_same() {
        let json = Shown::read(&driver()).json();
        for part in [
            r#"[{"class":"Picture","name":"brightness","title":"Brightness","id":9963776,"#,
            r#""type":"integer","minimum":0,"maximum":255,"step":1,"default":128,"value":100,"#,
            r#""items":[],"flags":[]},"#,
            r#""items":[{"number":0,"text":"Item 0"},{"number":2,"text":"Item 2"}]"#,
            r#""flags":["read-only","volatile"]"#,
            r#""title":"Say \"it\"""#,
            r#""value":"hi""#,
            r#""type":"unknown type 0x4242""#,
        ] {
            assert!(json.contains(part), "{part} in {json}");
        }
    }

    #[test]
    fn a_driver_that_lies_in_every_number_is_shown_all_the_same() {
        for kind in (0..12).chain(0xfe..0x120).chain([u32::MAX]) {
            for (minimum, maximum, step) in
                [(i64::MIN, i64::MAX, u64::MAX), (i64::MAX, i64::MIN, 0), (-1, -1, 1)]
            {
                let lying = RawControl {
                    minimum,
                    maximum,
                    step,
                    default: i64::MIN,
                    flags: !0x141,
                    elements: u32::MAX * (kind % 2),
                    dimensions: u32::MAX * (kind % 2),
                    sides: [u32::MAX; 4],
                    name: [0xff; 32],
                    ..raw(5, kind, "")
                };
                let controls = vec![lying];
                let driver = FakeDriver { controls, ..FakeDriver::default() };
                let shown = Shown::read(&driver);
                assert!(!shown.to_string().is_empty() || kind == 6);
                assert!(shown.json().starts_with('['));
            }
        }
        let nothing =
            FakeDriver { answer: Some(Box::new(|_, _| Err(Errno::EIO))), ..FakeDriver::default() };
        assert_eq!(Shown::read(&nothing).to_string(), "");
    }
}
