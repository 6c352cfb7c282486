//! A plugged-in camera: answers requests on its control endpoint, and feeds its streams.

use super::Film;
use super::controls::{Controls, Refusal};
use super::fault::{Manner, Moment, Orders};
use super::model::Model;
use super::stream::Stream;
use super::usbip::{Done, Submit};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// The device's state since it was plugged in. Power came with the plug, so no earlier setting remains.
pub(super) struct Device {
    model: Model,
    /// By the interface that they belong to.
    controls: BTreeMap<u8, Controls>,
    streams: Vec<Stream>,
    /// What was committed last, on any stream.
    committed: Option<String>,
    /// Why the last request to a control was refused.
    refusal: u8,
    /// Answers that are delayed.
    slow: Vec<(Instant, Done)>,
    /// Transfers of other endpoints, which never complete.
    idle: Vec<Submit>,
    /// Transfers that were unlinked before they arrived. Some arrive later, because the kernel's two queues may overtake
    /// each other.
    taken_back: BTreeSet<u32>,
    configuration: u8,
}

/// The effect of a request.
pub(super) enum Effect {
    Answered(Done),
    /// The answer comes later.
    Waits,
    /// The camera is unplugged.
    Unplugged,
}

const EPIPE: i32 = -32;

/// A control request: `bmRequestType`, `bRequest`, `wValue`, `wIndex`, `wLength`.
#[derive(Clone, Copy)]
struct Setup {
    kind: u8,
    request: u8,
    value: u16,
    index: u16,
    len: usize,
}

impl Device {
    pub(super) fn new(model: &Model) -> Self {
        let streams = model.streaming().into_iter().map(|streaming| Stream::of(streaming, model));
        let controls = model.control_interfaces().into_iter();
        let controls = controls.map(|interface| (interface, Controls::of(model.units(interface))));
        Self {
            model: model.clone(),
            controls: controls.collect(),
            streams: streams.collect(),
            committed: None,
            refusal: 0,
            slow: Vec::new(),
            idle: Vec::new(),
            taken_back: BTreeSet::new(),
            configuration: 0,
        }
    }

    pub(super) fn submit(&mut self, submit: Submit, orders: &mut Orders) -> Effect {
        if self.taken_back.remove(&submit.seqnum) {
            return Effect::Waits;
        }
        if submit.endpoint == 0 {
            return self.control(submit, orders);
        }
        match self.streams.iter_mut().find(|it| it.model.endpoint == submit.endpoint) {
            Some(stream) if submit.is_in => stream.submit(submit),
            _ => self.idle.push(submit),
        }
        Effect::Waits
    }

    /// Unlinks a transfer. Returns whether it was still waiting.
    pub(super) fn unlink(&mut self, seqnum: u32) -> bool {
        let before = self.idle.len() + self.slow.len();
        self.idle.retain(|submit| submit.seqnum != seqnum);
        self.slow.retain(|(_, done)| done.submit.seqnum != seqnum);
        let was_here = self.idle.len() + self.slow.len() < before;
        let was_waiting = self.streams.iter_mut().any(|stream| stream.unlink(seqnum)) || was_here;
        if !was_waiting {
            self.taken_back.insert(seqnum);
        }
        was_waiting
    }

    /// The next transfer that completes now.
    pub(super) fn next(
        &mut self,
        now: Instant,
        orders: &mut Orders,
        film: &dyn Film,
        count: &mut u64,
    ) -> Option<Done> {
        if let Some(at) = self.slow.iter().position(|(at, _)| *at <= now) {
            return Some(self.slow.remove(at).1);
        }
        self.streams.iter_mut().find_map(|stream| stream.next(now, orders, film, count))
    }

    /// How long nothing completes by itself, at most `longest`.
    pub(super) fn idle_for(&self, now: Instant, longest: Duration) -> Duration {
        let slow = self.slow.iter().map(|(at, _)| *at);
        let next = slow.chain(self.streams.iter().filter_map(Stream::due)).min();
        next.map_or(longest, |at| at.saturating_duration_since(now).min(longest))
    }

    pub(super) fn is_inside_of_a_frame(&self) -> bool {
        self.streams.iter().any(Stream::is_inside_of_a_frame)
    }

    /// The controls of another camera in the device have the number of its interface: `brightness@2`.
    pub(super) fn controls_set(&self) -> BTreeMap<String, i64> {
        let first = self.controls.keys().next();
        let named = |interface: &u8, name: String| {
            if Some(interface) == first { name } else { format!("{name}@{interface}") }
        };
        let all = self.controls.iter().flat_map(|(interface, controls)| {
            controls.all_set().into_iter().map(move |(name, value)| (named(interface, name), value))
        });
        all.collect()
    }

    pub(super) fn committed(&self) -> Option<String> {
        self.committed.clone()
    }

    fn control(&mut self, submit: Submit, orders: &mut Orders) -> Effect {
        let [kind, request, v0, v1, i0, i1, l0, l1] = submit.setup;
        let (value, index) = (u16::from_le_bytes([v0, v1]), u16::from_le_bytes([i0, i1]));
        let setup = Setup { kind, request, value, index, len: u16::from_le_bytes([l0, l1]).into() };
        let manner = self.manner(setup, orders);
        if let Some(moment) = self.moment(setup)
            && orders.unplug == Some(moment)
        {
            orders.unplug = None;
            return Effect::Unplugged;
        }
        let answer = match manner {
            Some(Manner::Stalls) => Err(EPIPE),
            _ => self.answer(setup, &submit.data, orders),
        };
        let sent_out = submit.data.len();
        let (status, mut data) = match answer {
            Ok(data) => (0, data),
            Err(status) => (status, Vec::new()),
        };
        data.truncate(setup.len);
        let done = Done { submit, status, data, sent_out, packets: Vec::new() };
        if let Some(Manner::Takes(time)) = manner {
            self.slow.push((Instant::now() + time, done));
            return Effect::Waits;
        }
        Effect::Answered(done)
    }

    /// The moment of a camera's life to which this request belongs.
    fn moment(&self, setup: Setup) -> Option<Moment> {
        match (setup.kind, setup.request) {
            (0x21, 1) if self.control_name(setup).is_some() => Some(Moment::SettingControl),
            (0xA1, 0x81..) if self.is_probe(setup) => Some(Moment::Probe),
            (0x01, 11) if setup.value > 0 => Some(Moment::Start),
            _ => None,
        }
    }

    fn is_probe(&self, setup: Setup) -> bool {
        let interface = setup.index.to_le_bytes()[0];
        self.streams.iter().any(|stream| stream.model.interface == interface)
    }

    fn control_name(&self, setup: Setup) -> Option<&'static str> {
        let [interface, unit] = setup.index.to_le_bytes();
        let controls = self.controls.get(&interface).filter(|_| setup.kind & 0x7F == 0x21)?;
        controls.name(unit, setup.value.to_le_bytes()[1])
    }

    fn manner(&self, setup: Setup, orders: &Orders) -> Option<Manner> {
        orders.controls.get(self.control_name(setup)?).copied()
    }

    fn answer(&mut self, setup: Setup, data: &[u8], orders: &mut Orders) -> Result<Vec<u8>, i32> {
        let nothing = Ok(Vec::new());
        match (setup.kind, setup.request) {
            (0x80, 6) => self.descriptor(setup.value).ok_or(EPIPE),
            // GET_STATUS of the device, an interface or an endpoint.
            (0x80..=0x82, 0) => Ok(vec![0, 0]),
            (0x80, 8) => Ok(vec![self.configuration]),
            (0x00, 9) => {
                self.configuration = setup.value.to_le_bytes()[0];
                nothing
            }
            (0x01, 11) => self.set_interface(setup, orders).map(|()| Vec::new()),
            (0x81, 10) => Ok(vec![self.stream(setup.index).map_or(0, |stream| stream.setting())]),
            (0x02, 1) => {
                orders.halt = false;
                nothing
            }
            // SET_FEATURE and CLEAR_FEATURE of others, SET_SEL, SET_ISOCH_DELAY.
            (0x00..=0x02, 1 | 3 | 48 | 49) => nothing,
            (0x21 | 0xA1, _) => self.class_request(setup, data),
            _ => Err(EPIPE),
        }
    }

    fn descriptor(&self, value: u16) -> Option<Vec<u8>> {
        let [index, kind] = value.to_le_bytes();
        match kind {
            1 => Some(self.model.device.clone()),
            2 if index == 0 => Some(self.model.configuration.clone()),
            3 if index == 0 => Some(vec![4, 3, 0x09, 0x04]),
            3 => {
                let text: Vec<u8> = self
                    .model
                    .strings
                    .get(&index)?
                    .encode_utf16()
                    .take(126)
                    .flat_map(u16::to_le_bytes)
                    .collect();
                Some(
                    [&[u8::try_from(text.len() + 2).expect("at most 254 bytes"), 3][..], &text]
                        .concat(),
                )
            }
            15 if self.model.speed == super::Speed::Super => Some(BINARY_OBJECTS.to_vec()),
            _ => None,
        }
    }

    fn stream(&mut self, interface: u16) -> Option<&mut Stream> {
        self.streams.iter_mut().find(|stream| u16::from(stream.model.interface) == interface & 0xFF)
    }

    fn set_interface(&mut self, setup: Setup, orders: &Orders) -> Result<(), i32> {
        let setting = setup.value.to_le_bytes()[0];
        let refusal = orders.refuse_start;
        let Some(stream) = self.stream(setup.index) else { return Ok(()) };
        if let Some(errno) = refusal.filter(|_| stream.is_a_start(setting)) {
            return Err(-errno);
        }
        stream.choose(setting);
        Ok(())
    }

    fn class_request(&mut self, setup: Setup, data: &[u8]) -> Result<Vec<u8>, i32> {
        let [_, selector] = setup.value.to_le_bytes();
        let [interface, unit] = setup.index.to_le_bytes();
        let Some(controls) = self.controls.get_mut(&interface) else {
            let stream = self.stream(setup.index).ok_or(EPIPE)?;
            let answer = video_request(stream, setup, selector, data)?;
            if setup.kind == 0x21 && selector == COMMIT {
                self.committed = stream.committed();
            }
            return Ok(answer);
        };
        if unit == 0 {
            // VC_REQUEST_ERROR_CODE_CONTROL.
            return if selector == 2 { Ok(vec![self.refusal]) } else { Err(EPIPE) };
        }
        let answer = match setup.kind {
            0x21 => controls.set(unit, selector, setup.request, data).map(|()| Vec::new()),
            _ => controls.answer(unit, selector, setup.request),
        };
        self.refusal = answer.as_ref().err().map_or(0, |refusal: &Refusal| *refusal as u8);
        answer.map_err(|_| EPIPE)
    }
}

/// The selector of VS_COMMIT_CONTROL.
const COMMIT: u8 = 2;

/// Requests for probe (1) and commit (2).
fn video_request(
    stream: &mut Stream,
    setup: Setup,
    selector: u8,
    data: &[u8],
) -> Result<Vec<u8>, i32> {
    let is_commit = selector == COMMIT;
    match (selector, setup.kind, setup.request) {
        (1 | 2, 0x21, 1) => {
            stream.ask(is_commit, data);
            Ok(Vec::new())
        }
        (1 | 2, 0xA1, 0x81..=0x84 | 0x87) => Ok(stream.agreed(is_commit)),
        (1 | 2, 0xA1, 0x85) => {
            Ok(u16::try_from(stream.agreement_len()).expect("it is short").to_le_bytes().to_vec())
        }
        (1 | 2, 0xA1, 0x86) => Ok(vec![3]),
        // VS_STREAM_ERROR_CODE_CONTROL: no error.
        (6, 0xA1, 0x81) => Ok(vec![0]),
        _ => Err(EPIPE),
    }
}

/// A USB 3 device's further descriptor: its speeds.
const BINARY_OBJECTS: [u8; 22] =
    [5, 15, 22, 0, 2, 7, 16, 2, 2, 0, 0, 0, 10, 16, 3, 0, 14, 0, 1, 10, 0xFF, 7];
