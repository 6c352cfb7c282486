//! The bytes of USB/IP: a host's requests to a device over TCP, and the answers.
//!
//! All numbers are big-endian, except those that USB itself defines. The kernel's Documentation/usb/usbip_protocol.rst has
//! the tables.

use super::model::Model;
use std::io::{self, Read, Write};

const VERSION: u16 = 0x0111;
const OP_REQ_DEVLIST: u16 = 0x8005;
const OP_REQ_IMPORT: u16 = 0x8003;
const CMD_SUBMIT: u32 = 1;
const CMD_UNLINK: u32 = 2;
const RET_SUBMIT: u32 = 3;
const RET_UNLINK: u32 = 4;

/// The only device on offer.
const BUS_ID: &[u8] = b"1-1";
const BUS: u32 = 1;
const DEVICE: u32 = 2;

/// A request before a device is attached.
#[derive(Debug, PartialEq)]
pub(super) enum Request {
    List,
    Import { is_known: bool },
}

/// Reads a request.
pub(super) fn request(stream: &mut impl Read) -> io::Result<Request> {
    let mut head = [0; 8];
    stream.read_exact(&mut head)?;
    let mut numbers = Numbers(&head);
    let version = numbers.u16();
    if version != VERSION {
        return Err(invalid(&format!("version {version:#x}")));
    }
    match numbers.u16() {
        OP_REQ_DEVLIST => Ok(Request::List),
        OP_REQ_IMPORT => {
            let mut bus_id = [0; 32];
            stream.read_exact(&mut bus_id)?;
            let end = bus_id.iter().position(|&byte| byte == 0).unwrap_or(bus_id.len());
            Ok(Request::Import { is_known: &bus_id[..end] == BUS_ID })
        }
        other => Err(invalid(&format!("request {other:#x}"))),
    }
}

/// The answer to [`Request::List`].
pub(super) fn list(model: &Model) -> Vec<u8> {
    let mut bytes = reply(OP_REQ_DEVLIST, 0);
    bytes.extend(1_u32.to_be_bytes());
    describe(&mut bytes, model);
    for interface in model.interfaces() {
        bytes.extend([interface.class, interface.subclass, interface.protocol, 0]);
    }
    bytes
}

/// The answer to [`Request::Import`]. Without a model it says that there is no such device.
pub(super) fn import(model: Option<&Model>) -> Vec<u8> {
    let mut bytes = reply(OP_REQ_IMPORT, u32::from(model.is_none()));
    if let Some(model) = model {
        describe(&mut bytes, model);
    }
    bytes
}

fn reply(request: u16, status: u32) -> Vec<u8> {
    let mut bytes = VERSION.to_be_bytes().to_vec();
    bytes.extend((request & 0x7FFF).to_be_bytes());
    bytes.extend(status.to_be_bytes());
    bytes
}

/// `struct usbip_usb_device`, 312 bytes.
fn describe(bytes: &mut Vec<u8>, model: &Model) {
    let mut text = |text: &[u8], len: usize| {
        bytes.extend(text);
        bytes.resize(bytes.len() + len - text.len(), 0);
    };
    text(b"/sys/devices/software/camera", 256);
    text(BUS_ID, 32);
    for number in [BUS, DEVICE, model.speed.number()] {
        bytes.extend(number.to_be_bytes());
    }
    let device = &model.device;
    // Vendor, product and release are little-endian in the descriptor and big-endian here.
    bytes.extend([9, 8, 11, 10, 13, 12].map(|at| device[at]));
    bytes.extend([device[4], device[5], device[6]]);
    let interfaces = u8::try_from(model.interfaces().len()).expect("a few interfaces");
    bytes.extend([model.configuration[5], device[17], interfaces]);
}

/// A request to an attached device.
#[derive(Debug, PartialEq)]
pub(super) enum Command {
    Submit(Submit),
    Unlink { seqnum: u32, of: u32 },
}

/// A transfer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Submit {
    pub(super) seqnum: u32,
    pub(super) is_in: bool,
    pub(super) endpoint: u8,
    /// The length of the buffer, or of the data.
    pub(super) len: usize,
    pub(super) setup: [u8; 8],
    /// The data of an outgoing transfer.
    pub(super) data: Vec<u8>,
    /// The offset and length of each packet in an isochronous transfer.
    pub(super) packets: Vec<(usize, usize)>,
    start_frame: u32,
}

/// Reads a command. `is_isochronous` says which endpoints are isochronous, by number and direction.
pub(super) fn command(
    stream: &mut impl Read,
    is_isochronous: impl Fn(u8, bool) -> bool,
) -> io::Result<Command> {
    let mut head = [0; 48];
    stream.read_exact(&mut head)?;
    let mut numbers = Numbers(&head);
    let (code, seqnum, _device) = (numbers.u32(), numbers.u32(), numbers.u32());
    let (is_in, endpoint) = (numbers.u32() == 1, numbers.u32());
    match code {
        CMD_UNLINK => Ok(Command::Unlink { seqnum, of: numbers.u32() }),
        CMD_SUBMIT => {
            let endpoint = u8::try_from(endpoint).map_err(|_| invalid("an endpoint"))?;
            let (_flags, len) = (numbers.u32(), numbers.u32());
            let (start_frame, packets) = (numbers.u32(), numbers.u32());
            let _interval = numbers.u32();
            let setup = numbers.0[..8].try_into().expect("eight bytes are left of 48");
            if len > MOST_BYTES || is_isochronous(endpoint, is_in) && packets > MOST_PACKETS {
                return Err(invalid(&format!("{len} bytes in {packets} packets")));
            }
            let len = len as usize;
            let mut data = vec![0; if is_in { 0 } else { len }];
            stream.read_exact(&mut data)?;
            let mut places = Vec::new();
            if is_isochronous(endpoint, is_in) {
                let mut bytes = vec![0; packets as usize * 16];
                stream.read_exact(&mut bytes)?;
                for packet in bytes.chunks_exact(16) {
                    let mut numbers = Numbers(packet);
                    places.push((numbers.u32() as usize, numbers.u32() as usize));
                }
            }
            Ok(Command::Submit(Submit {
                seqnum,
                is_in,
                endpoint,
                len,
                setup,
                data,
                packets: places,
                start_frame,
            }))
        }
        other => Err(invalid(&format!("command {other}"))),
    }
}

const MOST_BYTES: u32 = 16 << 20;
const MOST_PACKETS: u32 = 1024;

/// A completed transfer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Done {
    pub(super) submit: Submit,
    /// 0, or a negative Linux error number.
    pub(super) status: i32,
    /// The received data.
    pub(super) data: Vec<u8>,
    pub(super) sent_out: usize,
    /// How many bytes of `data` belong to each packet.
    pub(super) packets: Vec<usize>,
}

impl Done {
    pub(super) fn write_to(&self, stream: &mut impl Write) -> io::Result<()> {
        let actual = if self.submit.is_in { self.data.len() } else { self.sent_out };
        let mut bytes = Vec::with_capacity(48 + self.data.len() + 16 * self.packets.len());
        for number in [RET_SUBMIT, self.submit.seqnum, 0, 0, 0] {
            bytes.extend(number.to_be_bytes());
        }
        bytes.extend(self.status.to_be_bytes());
        let packets = self.submit.packets.len();
        for number in [number(actual), self.submit.start_frame, number(packets), 0, 0, 0] {
            bytes.extend(number.to_be_bytes());
        }
        bytes.extend(&self.data);
        for (index, &(offset, len)) in self.submit.packets.iter().enumerate() {
            let actual = self.packets.get(index).copied().unwrap_or(0);
            for number in [number(offset), number(len), number(actual), 0] {
                bytes.extend(number.to_be_bytes());
            }
        }
        stream.write_all(&bytes)
    }
}

/// Answers an unlink: whether the transfer was still waiting.
pub(super) fn unlinked(seqnum: u32, was_waiting: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    for number in [RET_UNLINK, seqnum, 0, 0, 0] {
        bytes.extend(number.to_be_bytes());
    }
    bytes.extend(if was_waiting { ECONNRESET } else { 0 }.to_be_bytes());
    bytes.resize(48, 0);
    bytes
}

const ECONNRESET: i32 = -104;

fn number(len: usize) -> u32 {
    u32::try_from(len).expect("a transfer has less than 4 GiB")
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("not USB/IP as this camera knows it: {what}"),
    )
}

/// Reads big-endian numbers one after the other.
struct Numbers<'a>(&'a [u8]);

impl Numbers<'_> {
    fn u16(&mut self) -> u16 {
        let (number, rest) = self.0.split_at(2);
        self.0 = rest;
        u16::from_be_bytes(number.try_into().expect("two bytes"))
    }

    fn u32(&mut self) -> u32 {
        let (number, rest) = self.0.split_at(4);
        self.0 = rest;
        u32::from_be_bytes(number.try_into().expect("four bytes"))
    }
}
