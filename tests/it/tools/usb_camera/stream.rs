//! A stream of pictures: the negotiated format, and frames as payloads in the waiting transfers.

use super::fault::{Clock, Flaw, Moment, Orders};
use super::model::{Format, FrameSize, Kind, Model, Streaming, Transfers};
use super::pictures;
use super::usbip::{Done, Submit};
use super::{Film, Shot};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// One streaming interface of a camera.
pub(super) struct Stream {
    pub(super) model: Streaming,
    uvc: u16,
    probe: Agreement,
    committed: Option<Agreement>,
    /// The alternate setting. An isochronous stream runs in those that have an endpoint.
    setting: u8,
    waiting: VecDeque<Submit>,
    frame: Option<Frame>,
    next_at: Instant,
    /// Frames since the stream was started.
    since_start: u64,
    fid: u8,
}

/// What host and camera agreed on: `bFormatIndex`, `bFrameIndex`, `dwFrameInterval`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Agreement {
    format: u8,
    frame: u8,
    interval: u32,
}

/// A frame that is being sent.
struct Frame {
    bytes: Vec<u8>,
    sent: usize,
    payloads: usize,
    flaw: Option<Flaw>,
    clock: Clock,
}

/// A bulk payload is one transfer of the driver: 32 packets of 512 bytes.
const BULK_PAYLOAD: usize = 32 * 512;
const HEADER: u8 = 12;
const END_OF_FRAME: u8 = 0x02;
const PTS_AND_SCR: u8 = 0x0C;
const ERROR: u8 = 0x40;
const END_OF_HEADER: u8 = 0x80;
const EPIPE: i32 = -32;

impl Stream {
    pub(super) fn of(model: Streaming, whole: &Model) -> Self {
        let mut stream = Self {
            model,
            uvc: whole.uvc(),
            probe: Agreement { format: 0, frame: 0, interval: 0 },
            committed: None,
            setting: 0,
            waiting: VecDeque::new(),
            frame: None,
            next_at: Instant::now(),
            since_start: 0,
            fid: 0,
        };
        stream.probe = stream.nearest(stream.probe);
        stream
    }

    /// The answer to GET_CUR, GET_MIN, GET_MAX or GET_DEF of probe or commit.
    pub(super) fn agreed(&self, is_commit: bool) -> Vec<u8> {
        let agreement = self.committed.filter(|_| is_commit).unwrap_or(self.probe);
        let (_, size) = self.find(agreement);
        let mut bytes = vec![0, 0, agreement.format, agreement.frame];
        bytes.extend(agreement.interval.to_le_bytes());
        bytes.extend([0; 10]);
        bytes.extend(self.frame_bytes(size, agreement).to_le_bytes());
        bytes
            .extend(u32::try_from(self.payload_bytes()).expect("a payload is small").to_le_bytes());
        bytes.extend(48_000_000_u32.to_le_bytes());
        bytes.extend([3, 1, 1, 1]);
        bytes.resize(48, 0);
        bytes.truncate(self.agreement_len());
        bytes
    }

    /// The length of the probe and commit structure in this version of UVC.
    pub(super) fn agreement_len(&self) -> usize {
        match self.uvc {
            0x0150.. => 48,
            0x0110.. => 34,
            _ => 26,
        }
    }

    /// SET_CUR of probe or commit.
    pub(super) fn ask(&mut self, is_commit: bool, bytes: &[u8]) {
        if bytes.len() < 8 {
            return;
        }
        let interval = u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
        self.probe = self.nearest(Agreement { format: bytes[2], frame: bytes[3], interval });
        if is_commit {
            self.committed = Some(self.probe);
            if self.model.transfers == Transfers::Bulk {
                self.start();
            }
        }
    }

    /// SET_INTERFACE starts and stops isochronous streams.
    pub(super) fn choose(&mut self, setting: u8) {
        self.setting = setting;
        if setting > 0 {
            self.start();
        } else {
            self.frame = None;
        }
    }

    pub(super) fn is_a_start(&self, setting: u8) -> bool {
        setting > 0 && self.model.transfers != Transfers::Bulk
    }

    pub(super) fn setting(&self) -> u8 {
        self.setting
    }

    fn start(&mut self) {
        (self.frame, self.since_start, self.next_at) = (None, 0, Instant::now());
    }

    fn runs(&self) -> bool {
        self.committed.is_some() && (self.setting > 0 || self.model.transfers == Transfers::Bulk)
    }

    /// The committed format and size as text: `MJPG 640x480 333333`.
    pub(super) fn committed(&self) -> Option<String> {
        let agreement = self.committed?;
        let (format, size) = self.find(agreement);
        Some(format!("{} {}x{} {}", name(format.kind), size.width, size.height, agreement.interval))
    }

    pub(super) fn submit(&mut self, submit: Submit) {
        self.waiting.push_back(submit);
    }

    /// Unlinks a transfer. Returns whether it was still waiting.
    pub(super) fn unlink(&mut self, seqnum: u32) -> bool {
        let before = self.waiting.len();
        self.waiting.retain(|submit| submit.seqnum != seqnum);
        self.waiting.len() < before
    }

    /// Completes the oldest transfer, if there is a frame for it. `count` numbers the camera's frames.
    pub(super) fn next(
        &mut self,
        now: Instant,
        orders: &mut Orders,
        film: &dyn Film,
        count: &mut u64,
    ) -> Option<Done> {
        if !self.runs() || self.waiting.is_empty() {
            return None;
        }
        if orders.halt {
            let submit = self.waiting.pop_front()?;
            return Some(Done {
                submit,
                status: EPIPE,
                data: Vec::new(),
                sent_out: 0,
                packets: Vec::new(),
            });
        }
        if self.frame.is_none() {
            let is_due =
                now >= self.next_at && orders.silent_until.is_none_or(|until| now >= until);
            if !is_due {
                return None;
            }
            self.begin(now, orders, film, count);
        }
        let submit = self.waiting.pop_front()?;
        let mut data = Vec::with_capacity(submit.len);
        let mut packets = Vec::new();
        if submit.packets.is_empty() {
            self.payload(&mut data, submit.len.min(BULK_PAYLOAD), now);
        }
        for &(_, len) in &submit.packets {
            // If the camera is unplugged in the middle of a frame, the rest of it is not sent.
            let is_over = orders.unplug == Some(Moment::InFrame) && self.is_inside_of_a_frame();
            packets.push(if is_over { 0 } else { self.payload(&mut data, len, now) });
        }
        Some(Done { submit, status: 0, data, sent_out: 0, packets })
    }

    /// When the next frame is due.
    pub(super) fn due(&self) -> Option<Instant> {
        (self.runs() && !self.waiting.is_empty()).then_some(self.next_at)
    }

    pub(super) fn is_inside_of_a_frame(&self) -> bool {
        self.frame.as_ref().is_some_and(|frame| frame.sent > frame.bytes.len() / 2)
    }

    fn begin(&mut self, now: Instant, orders: &Orders, film: &dyn Film, count: &mut u64) {
        let agreement = self.committed.unwrap_or(self.probe);
        let (format, size) = self.find(agreement);
        let (width, height) = orders.other_size.unwrap_or((size.width, size.height));
        let shot = Shot { kind: format.kind, width, height, number: *count };
        let mut bytes = film.frame(shot);
        let is_noise = self.since_start < orders.noise_at_start;
        let every = |&(every, _): &(u64, Flaw)| count.is_multiple_of(every.max(1));
        let flaw =
            orders.flaw.filter(every).map(|(_, flaw)| flaw).or(is_noise.then_some(Flaw::Noise));
        match flaw {
            Some(Flaw::Cut) => bytes.truncate(bytes.len() / 2),
            Some(Flaw::TooLong) => bytes.resize(2 * bytes.len(), 0x55),
            Some(Flaw::Twice) => bytes.extend(film.frame(Shot { number: *count + 1, ..shot })),
            Some(Flaw::Empty) => bytes.clear(),
            Some(Flaw::NoTables) => bytes = pictures::without_tables(&bytes),
            Some(Flaw::Noise) => {
                let mut state = *count | 1;
                bytes.fill_with(|| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    state.to_le_bytes()[7]
                });
            }
            _ => {}
        }
        if flaw != Some(Flaw::SameFid) {
            self.fid ^= 1;
        }
        self.frame = Some(Frame { bytes, sent: 0, payloads: 0, flaw, clock: orders.clock });
        *count += 1;
        self.since_start += 1;
        let interval = Duration::from_nanos(100 * u64::from(agreement.interval.max(1)));
        let interval = interval * orders.slowness.max(1);
        // A slow host does not get the frames that it missed.
        self.next_at = (self.next_at + interval).max(now);
    }

    /// Appends a header and as much of the frame as fits into `room`. Returns the number of bytes.
    fn payload(&mut self, data: &mut Vec<u8>, room: usize, now: Instant) -> usize {
        let Some(frame) = &mut self.frame else { return 0 };
        let header = usize::from(HEADER);
        if room <= header {
            return 0;
        }
        let part = (room - header).min(frame.bytes.len() - frame.sent);
        let is_last = frame.sent + part == frame.bytes.len();
        let is_middle =
            frame.sent <= frame.bytes.len() / 2 && frame.sent + part >= frame.bytes.len() / 2;
        let mut flags = END_OF_HEADER | PTS_AND_SCR | self.fid;
        if is_last && frame.flaw != Some(Flaw::NoEndOfFrame) {
            flags |= END_OF_FRAME;
        }
        if is_middle && frame.flaw == Some(Flaw::ErrorBit) {
            flags |= ERROR;
        }
        let is_long = is_middle && frame.flaw == Some(Flaw::LongHeader);
        let header = if is_long { 0xFF } else { HEADER };
        let start = data.len();
        data.extend([header, flags]);
        let (ticks, clock) = (ticks(now), frame.clock);
        // Presentation time stamp and source clock reference: the camera's clock, and with it the bus's.
        data.extend(clock.says(ticks).to_le_bytes());
        data.extend(clock.says(ticks).to_le_bytes());
        data.extend(clock.bus_frame(ticks).to_le_bytes());
        let part = if is_long { part.min(64) } else { part };
        data.extend(&frame.bytes[frame.sent..frame.sent + part]);
        frame.sent += part;
        frame.payloads += 1;
        if frame.sent == frame.bytes.len() {
            self.frame = None;
        }
        data.len() - start
    }

    /// The largest payload: `dwMaxPayloadTransferSize`.
    fn payload_bytes(&self) -> usize {
        match &self.model.transfers {
            Transfers::Bulk => BULK_PAYLOAD,
            Transfers::Isochronous(settings) => settings.values().copied().max().unwrap_or(0),
        }
    }

    /// The largest frame, as the camera reports it: `dwMaxVideoFrameSize`.
    fn frame_bytes(&self, size: &FrameSize, agreement: Agreement) -> u32 {
        let (format, _) = self.find(agreement);
        let pixels = u32::try_from(size.width * size.height).unwrap_or(u32::MAX);
        match format.kind {
            Kind::Raw(..) | Kind::Mjpeg => size.max_bytes,
            Kind::Stream(_) => pixels,
        }
    }

    fn find(&self, agreement: Agreement) -> (&Format, &FrameSize) {
        let format = self.model.formats.iter().find(|it| it.index == agreement.format);
        let format = format.or(self.model.formats.first()).expect("a camera has a format");
        let size = format.sizes.iter().find(|it| it.index == agreement.frame);
        (format, size.or(format.sizes.first()).expect("a format has a size"))
    }

    fn nearest(&self, asked: Agreement) -> Agreement {
        let (format, size) = self.find(asked);
        let wanted = if asked.interval == 0 { size.default_interval } else { asked.interval };
        let nearest = size.intervals.iter().min_by_key(|interval| interval.abs_diff(wanted));
        Agreement {
            format: format.index,
            frame: size.index,
            interval: nearest.copied().unwrap_or(wanted),
        }
    }
}

/// The camera's clock of 48 MHz.
fn ticks(now: Instant) -> u32 {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let since = now.saturating_duration_since(*START.get_or_init(Instant::now));
    let ticks = since.as_micros() * 48;
    u32::try_from(ticks & 0xFFFF_FFFF).expect("32 bits")
}

fn name(kind: Kind) -> String {
    match kind {
        Kind::Mjpeg => "MJPG".into(),
        Kind::Raw(name, _) | Kind::Stream(name) => String::from_utf8_lossy(&name).into_owned(),
    }
}
