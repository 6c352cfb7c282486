//! What a camera is: its descriptors, and the formats and controls in them.

use std::collections::{BTreeMap, BTreeSet};

/// A camera's unchanging properties while it is plugged in.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// The device descriptor, 18 bytes.
    pub device: Vec<u8>,
    /// The configuration descriptor and everything in it.
    pub configuration: Vec<u8>,
    pub strings: BTreeMap<u8, String>,
    pub speed: Speed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speed {
    Full,
    High,
    Super,
}

impl Speed {
    /// The kernel's number (`enum usb_device_speed`).
    pub fn number(self) -> u32 {
        match self {
            Self::Full => 2,
            Self::High => 3,
            Self::Super => 5,
        }
    }

    /// As lsusb says it: `High Speed (480Mbps)`.
    pub fn in_words(words: &str) -> Option<Self> {
        match words.split('(').next()?.trim() {
            "Full Speed" => Some(Self::Full),
            "High Speed" => Some(Self::High),
            words if words.starts_with("SuperSpeed") => Some(Self::Super),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interface {
    pub number: u8,
    pub class: u8,
    pub subclass: u8,
    pub protocol: u8,
}

/// An interface that sends pictures.
#[derive(Debug, Clone, PartialEq)]
pub struct Streaming {
    pub interface: u8,
    /// The endpoint's number, without the direction.
    pub endpoint: u8,
    pub transfers: Transfers,
    pub formats: Vec<Format>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Transfers {
    Bulk,
    /// Bytes per interval for each alternate setting. 0 if it has no endpoint.
    Isochronous(BTreeMap<u8, usize>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Format {
    pub index: u8,
    pub kind: Kind,
    pub sizes: Vec<FrameSize>,
}

/// The content of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Mjpeg,
    /// Pixels: the format's name, `YUY2`, and bits per pixel.
    Raw([u8; 4], u8),
    /// A compressed stream by its name, `H264`.
    Stream([u8; 4]),
}

#[derive(Debug, Clone, PartialEq)]
pub struct FrameSize {
    pub index: u8,
    pub width: usize,
    pub height: usize,
    /// The frame length in the descriptor.
    pub max_bytes: u32,
    pub default_interval: u32,
    /// In units of 100 ns.
    pub intervals: Vec<u32>,
}

/// A unit with controls.
#[derive(Debug, Clone, PartialEq)]
pub struct Unit {
    pub id: u8,
    pub is_camera: bool,
    /// The bits set in its descriptor.
    pub controls: u32,
}

const INTERFACE: u8 = 4;
const ENDPOINT: u8 = 5;
/// It follows each endpoint of USB 3.
const COMPANION: u8 = 0x30;
const CLASS_INTERFACE: u8 = 0x24;
const VIDEO: u8 = 14;
const CONTROL: u8 = 1;
const STREAMING: u8 = 2;

impl Model {
    /// Each descriptor of the configuration, with its interface and alternate setting.
    fn parts(&self) -> Vec<(Interface, u8, &[u8])> {
        let mut here = (Interface { number: 0, class: 0, subclass: 0, protocol: 0 }, 0);
        let mut parts = Vec::new();
        let mut rest = &self.configuration[..];
        while let Some(&len) =
            rest.first().filter(|&&len| len >= 2 && usize::from(len) <= rest.len())
        {
            let (part, after) = rest.split_at(usize::from(len));
            if part[1] == INTERFACE && part.len() >= 9 {
                let interface = Interface {
                    number: part[2],
                    class: part[5],
                    subclass: part[6],
                    protocol: part[7],
                };
                here = (interface, part[3]);
            }
            parts.push((here.0, here.1, part));
            rest = after;
        }
        parts
    }

    pub fn interfaces(&self) -> Vec<Interface> {
        let of = |(interface, alternate, part): (Interface, u8, &[u8])| {
            (part[1] == INTERFACE && alternate == 0).then_some(interface)
        };
        self.parts().into_iter().filter_map(of).collect()
    }

    /// The UVC version, such as 0x0110.
    pub fn uvc(&self) -> u16 {
        let header = self.control_parts().find(|(_, part)| part[2] == 1);
        header.map_or(0x0100, |(_, part)| u16_at(part, 3))
    }

    /// Class-specific descriptors of the interfaces with controls, each with its interface's number.
    fn control_parts(&self) -> impl Iterator<Item = (u8, &[u8])> {
        self.parts().into_iter().filter_map(|(interface, _, part)| {
            let is_so = interface.class == VIDEO
                && interface.subclass == CONTROL
                && part[1] == CLASS_INTERFACE;
            (is_so && part.len() > 3).then_some((interface.number, part))
        })
    }

    /// The numbers of the interfaces with controls. A device that is several cameras has one for each.
    pub fn control_interfaces(&self) -> Vec<u8> {
        let is_so =
            |interface: &Interface| interface.class == VIDEO && interface.subclass == CONTROL;
        self.interfaces().into_iter().filter(is_so).map(|interface| interface.number).collect()
    }

    /// The addresses of all isochronous endpoints, also of those for sound.
    pub fn isochronous(&self) -> BTreeSet<u8> {
        let is_so = |part: &&[u8]| part[1] == ENDPOINT && part.len() >= 7 && part[3] & 3 == 1;
        let parts = self.parts().into_iter().map(|(_, _, part)| part);
        parts.filter(is_so).map(|part| part[2]).collect()
    }

    /// The units of the interface with controls that has this number.
    pub fn units(&self, interface: u8) -> Vec<Unit> {
        let bits = |part: &[u8], at: usize| {
            let size = usize::from(part.get(at).copied().unwrap_or(0)).min(4);
            let bytes = part.get(at + 1..at + 1 + size).unwrap_or(&[]);
            bytes.iter().rev().fold(0, |bits, &byte| bits << 8 | u32::from(byte))
        };
        let unit = |part: &[u8]| match part[2] {
            2 if u16_at(part, 4) == 0x0201 => {
                Some(Unit { id: part[3], is_camera: true, controls: bits(part, 14) })
            }
            5 => Some(Unit { id: part[3], is_camera: false, controls: bits(part, 7) }),
            _ => None,
        };
        let own = self.control_parts().filter(|(number, _)| *number == interface);
        own.filter_map(|(_, part)| unit(part)).collect()
    }

    pub fn streaming(&self) -> Vec<Streaming> {
        let mut found: Vec<Streaming> = Vec::new();
        for (interface, alternate, part) in self.parts() {
            if interface.class != VIDEO || interface.subclass != STREAMING {
                continue;
            }
            if part[1] == INTERFACE && alternate == 0 {
                let transfers = Transfers::Bulk;
                found.push(Streaming {
                    interface: interface.number,
                    endpoint: 0,
                    transfers,
                    formats: Vec::new(),
                });
            }
            let Some(streaming) = found.last_mut() else { continue };
            match (part[1], part[2]) {
                (CLASS_INTERFACE, 1) => streaming.endpoint = part[6] & 0x0F,
                (CLASS_INTERFACE, kind) => streaming.add(kind, part),
                (ENDPOINT, address) if address & 0x0F == streaming.endpoint && part[3] & 3 == 1 => {
                    let packet = u16_at(part, 4);
                    let bytes = usize::from(packet & 0x7FF) * usize::from((packet >> 11 & 3) + 1);
                    if let Transfers::Bulk = streaming.transfers {
                        streaming.transfers = Transfers::Isochronous(BTreeMap::from([(0, 0)]));
                    }
                    if let Transfers::Isochronous(settings) = &mut streaming.transfers {
                        settings.insert(alternate, bytes);
                    }
                }
                (COMPANION, max_burst) => {
                    if let Transfers::Isochronous(settings) = &mut streaming.transfers
                        && let Some(bytes) = settings.get_mut(&alternate)
                    {
                        *bytes *= (usize::from(max_burst) + 1) * (usize::from(part[3] & 3) + 1);
                    }
                }
                _ => {}
            }
        }
        found
    }

    /// Fills in the total lengths of the configuration and of each video interface's class-specific part.
    pub fn count_totals(&mut self) {
        let mut totals = vec![(2, self.configuration.len())];
        let (mut at, mut is_counted) = (0, false);
        for (interface, _, part) in self.parts() {
            let is_video = interface.class == VIDEO && part[1] == CLASS_INTERFACE;
            if part[1] == INTERFACE {
                is_counted = false;
            }
            if is_video && part.len() > 6 && part[2] == 1 {
                // In the streaming header, the total follows the number of formats; in the control header, it follows the
                // version.
                totals.push((at + if interface.subclass == STREAMING { 4 } else { 5 }, 0));
                is_counted = true;
            }
            if let Some((_, total)) = totals.last_mut().filter(|_| is_video && is_counted) {
                *total += part.len();
            }
            at += part.len();
        }
        for (at, total) in totals {
            let total = u16::try_from(total).expect("descriptors have less than 64 KiB");
            self.configuration[at..at + 2].copy_from_slice(&total.to_le_bytes());
        }
    }
}

impl Streaming {
    fn add(&mut self, kind: u8, part: &[u8]) {
        let name = |part: &[u8]| [part[5], part[6], part[7], part[8]];
        let format = |kind| Format { index: part[3], kind, sizes: Vec::new() };
        match kind {
            0x04 if part.len() >= 27 => self.formats.push(format(Kind::Raw(name(part), part[21]))),
            0x06 => self.formats.push(format(Kind::Mjpeg)),
            0x10 if part.len() >= 28 => self.formats.push(format(Kind::Stream(name(part)))),
            0x05 | 0x07 if part.len() >= 26 => self.add_size(part, u32_at(part, 17), part[25], 26),
            0x11 if part.len() >= 26 => self.add_size(part, 0, part[21], 26),
            _ => {}
        }
    }

    fn add_size(&mut self, part: &[u8], max_bytes: u32, count: u8, at: usize) {
        let default_at = at - if part[2] == 0x11 { 9 } else { 5 };
        let count = if count == 0 { 2 } else { usize::from(count) };
        let intervals =
            part[at..].chunks_exact(4).take(count).map(|bytes| u32_at(bytes, 0)).collect();
        let size = FrameSize {
            index: part[3],
            width: u16_at(part, 5).into(),
            height: u16_at(part, 7).into(),
            max_bytes,
            default_interval: u32_at(part, default_at),
            intervals,
        };
        if let Some(format) = self.formats.last_mut() {
            format.sizes.push(size);
        }
    }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(bytes[at..at + 2].try_into().expect("two bytes"))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}
