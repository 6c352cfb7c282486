//! Reads a camera from the output of `lsusb -v`: its descriptors, byte for byte.
//!
//! The text has each descriptor's fields in order, under the names of the specification. The first letters of a name give
//! the field's length: `b` one byte, `w` two, `dw` four. So the text of any device can be turned back into bytes. A file may
//! leave out `bLength` and `wTotalLength`, which are computed. Lines that are not fields are comments,
//! except `Negotiated speed: Full Speed (12Mbps)`, which newer versions of lsusb print. Without it, `bcdUSB` tells USB 3 from
//! USB 2.

use super::model::{Model, Speed};
use std::collections::BTreeMap;

/// Reads a camera. An error names the line.
pub fn parse(text: &str) -> Result<Model, String> {
    let mut reader =
        Reader { first_guid_bytes_last: !text.contains(OLD_GUID), ..Reader::default() };
    for (index, line) in text.lines().enumerate() {
        reader.line(line.trim()).map_err(|why| format!("line {}: {why}: {line}", index + 1))?;
    }
    reader.end_block()?;
    let device = reader.device.ok_or("there is no Device Descriptor")?;
    if device.len() != 18 || reader.configuration.len() < 9 {
        return Err("there is no whole Device Descriptor and Configuration Descriptor".into());
    }
    let speed = reader.speed.unwrap_or(if device[3] >= 3 { Speed::Super } else { Speed::High });
    let mut model =
        Model { device, configuration: reader.configuration, strings: reader.strings, speed };
    model.count_totals();
    Ok(model)
}

/// Old versions of lsusb print a format's GUID in byte order, with `YUY2` first.
const OLD_GUID: &str = "-0000-1000-8000-00aa00389b71";

#[derive(Default)]
struct Reader {
    section: Section,
    device: Option<Vec<u8>>,
    configuration: Vec<u8>,
    strings: BTreeMap<u8, String>,
    speed: Option<Speed>,
    block: Option<Block>,
    first_guid_bytes_last: bool,
}

#[derive(Default, Clone, Copy, PartialEq)]
enum Section {
    #[default]
    Head,
    Device,
    Configuration,
    /// Descriptors after the configuration, which other requests return.
    Rest,
}

/// One descriptor.
#[derive(Default)]
struct Block {
    len: Option<usize>,
    bytes: Vec<u8>,
    control_size: usize,
    companion: Option<Companion>,
}

/// What lsusb shows, as fields of an endpoint of USB 3, of the descriptor that follows it.
#[derive(Default, Clone, Copy)]
struct Companion {
    max_burst: u8,
    mult: u8,
}

impl Reader {
    fn line(&mut self, line: &str) -> Result<(), String> {
        if let Some(speed) = line.strip_prefix("Negotiated speed:") {
            self.speed = Some(Speed::in_words(speed.trim()).ok_or("no speed of a camera")?);
            return Ok(());
        }
        if let Some(bytes) = line.strip_prefix("** UNRECOGNIZED:") {
            self.end_block()?;
            let bytes: Result<Vec<u8>, _> =
                bytes.split_whitespace().map(|byte| u8::from_str_radix(byte, 16)).collect();
            self.block =
                Some(Block { bytes: bytes.map_err(|why| why.to_string())?, ..Block::default() });
            return self.end_block();
        }
        let is_title = line.ends_with("Descriptor:") || line.ends_with("Association:");
        let is_rest = line.starts_with("Device Qualifier")
            || line.starts_with("Device Status")
            || line.starts_with("Binary Object Store");
        if is_title || is_rest {
            self.end_block()?;
            self.section = match line {
                _ if is_rest => Section::Rest,
                "Device Descriptor:" => Section::Device,
                "Configuration Descriptor:" if self.section == Section::Device => {
                    Section::Configuration
                }
                // A second configuration is ignored: a device uses one at a time.
                "Configuration Descriptor:" => Section::Rest,
                _ => self.section,
            };
            let is_read = matches!(self.section, Section::Device | Section::Configuration);
            self.block = is_read.then(Block::default);
            return Ok(());
        }
        self.field(line)
    }

    fn field(&mut self, line: &str) -> Result<(), String> {
        let Some(block) = &mut self.block else { return Ok(()) };
        let end = line.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(line.len());
        let (name, mut rest) = line.split_at(end);
        if matches!(name, "bMaxBurst" | "Mult") {
            return block.companion(name, rest.trim());
        }
        let Some(size) = size_of(name) else { return Ok(()) };
        let is_indexed = rest.starts_with(['(', '[']);
        if is_indexed {
            rest = rest.split_once([')', ']']).ok_or("an index without an end")?.1;
        }
        let rest = rest.trim_start();
        // lsusb prints 0 as `0x 0` in places where `%#x` would be too short.
        let rest = rest.strip_prefix("0x ").unwrap_or(rest);
        let (value, comment) = rest.split_once(' ').unwrap_or((rest, ""));
        if name.starts_with("guid") {
            block.bytes.extend(guid(value, self.first_guid_bytes_last)?);
            return Ok(());
        }
        let mut number = number(name, value).ok_or_else(|| format!("no number: {value:?}"))?;
        if name == "MaxPower" {
            // In steps of 2 mA; of 8 mA in USB 3.
            number /= if self.device.as_ref().is_some_and(|device| device[3] >= 3) { 8 } else { 2 };
        }
        let size = match name {
            "bmControls" | "bmaControls" if !is_indexed || name == "bmaControls" => {
                block.control_size.max(1)
            }
            _ => size,
        };
        match name {
            "bLength" => block.len = Some(number as usize),
            "bControlSize" => block.control_size = number as usize,
            _ => {}
        }
        if name.starts_with('i') && size == 1 && number != 0 && !comment.trim().is_empty() {
            self.strings.insert(
                u8::try_from(number).map_err(|_| "an index above 255")?,
                comment.trim().into(),
            );
        }
        if name != "bLength" {
            if block.bytes.is_empty() {
                block.bytes.push(0);
            }
            block.bytes.extend(&number.to_le_bytes()[..size]);
        }
        Ok(())
    }

    fn end_block(&mut self) -> Result<(), String> {
        let Some(Block { len, mut bytes, companion, .. }) = self.block.take() else {
            return Ok(());
        };
        if bytes.is_empty() {
            return Ok(());
        }
        let len = len.unwrap_or(bytes.len());
        if bytes.len() < len {
            return Err(format!("a descriptor of {len} bytes has fields for {} only", bytes.len()));
        }
        // lsusb also prints fields of newer versions, which the device does not have.
        bytes.truncate(len);
        bytes[0] = u8::try_from(len).map_err(|_| "a descriptor is longer than 255 bytes")?;
        match self.section {
            Section::Device => self.device = Some(bytes),
            Section::Configuration => {
                let companion = companion.and_then(|it| it.behind(&bytes));
                self.configuration.extend(bytes);
                self.configuration.extend(companion.into_iter().flatten());
            }
            Section::Head | Section::Rest => {}
        }
        Ok(())
    }
}

impl Block {
    fn companion(&mut self, name: &str, value: &str) -> Result<(), String> {
        let number = value.parse::<u8>().map_err(|why| format!("{name}: {why}"))?;
        let companion = self.companion.get_or_insert_default();
        match name {
            "Mult" => companion.mult = number,
            _ => companion.max_burst = number,
        }
        Ok(())
    }
}

impl Companion {
    /// The descriptor; its bytes in each interval are those that its other fields allow.
    fn behind(self, endpoint: &[u8]) -> Option<[u8; 6]> {
        let (attributes, packet) = (endpoint.get(3)?, endpoint.get(4..6)?);
        let packet = u32::from(u16::from_le_bytes(packet.try_into().ok()?) & 0x7FF);
        let is_periodic = attributes & 3 == 1 || attributes & 3 == 3;
        let bytes = packet * (u32::from(self.max_burst) + 1) * (u32::from(self.mult) + 1);
        let [low, high, ..] = if is_periodic { bytes.to_le_bytes() } else { [0; 4] };
        Some([6, 0x30, self.max_burst, self.mult, low, high])
    }
}

/// The length of a field in bytes. `None` for a line that is not a field.
fn size_of(name: &str) -> Option<usize> {
    if name == "MaxPower" {
        return Some(1);
    }
    let prefix = name.split(|c: char| c.is_ascii_uppercase()).next()?;
    if prefix.len() == name.len() {
        return None;
    }
    match prefix {
        "b" | "ba" | "bm" | "bma" | "i" => Some(1),
        "w" | "id" | "bcd" => Some(2),
        "t" => Some(3),
        "dw" => Some(4),
        "guid" => Some(16),
        _ => None,
    }
}

fn number(name: &str, value: &str) -> Option<u32> {
    if name.starts_with("bcd") {
        // 1.10 is 0x0110.
        let (major, minor) = value.split_once('.')?;
        return Some(
            u32::from_str_radix(major, 16).ok()? << 8 | u32::from_str_radix(minor, 16).ok()?,
        );
    }
    if let Some(milliamperes) = value.strip_suffix("mA") {
        return milliamperes.parse().ok();
    }
    if let Some(frequency) = value.strip_suffix("MHz") {
        // 48.000000
        return frequency.replace('.', "").parse().ok();
    }
    match value.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => value.parse().ok(),
    }
}

/// Parses `{32595559-0000-0010-8000-00aa00389b71}`. The first three groups are little-endian numbers.
fn guid(text: &str, first_bytes_last: bool) -> Result<Vec<u8>, String> {
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    if digits.len() != 32 {
        return Err(format!("no GUID: {text}"));
    }
    let byte = |at: usize| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).expect("two digits");
    let order = if first_bytes_last {
        [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15]
    } else {
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]
    };
    Ok(order.map(byte).to_vec())
}
