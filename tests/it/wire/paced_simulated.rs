//! A made-up camera, path and viewer in made-up time: how many frames are on their way, and how old they
//! become.

use lancam::image::frame::Micros;
use lancam::rate::Rate;
use lancam::wire::native::clock::{ClockMatch, Exchange};
use lancam::wire::native::credit::{Appetite, Credit, Sent};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

/// Microseconds.
type Us = u64;

/// The path between the two, and the speed of the viewer.
#[derive(Debug, Clone, Copy)]
struct World {
    one_way: Us,
    /// The most that is added to the time in each direction.
    jitter: Us,
    /// The time that a frame needs on the slowest link.
    transfer: Us,
    decoding: Us,
    interval: Us,
}

const AT_30_FPS: World =
    World { one_way: 500, jitter: 0, transfer: 3000, decoding: 8000, interval: 33_333 };

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Captured,
    /// These happen at the camera.
    Ack(u64),
    Allow(u8),
    Ping(Us),
    /// These happen at the viewer's socket. `began` is when the first byte came.
    Frame {
        captured: u64,
        began: Us,
    },
    Pong {
        asked: Us,
        answered: Us,
    },
    /// This happens at the viewer.
    Decoded,
}

/// The figures of a part of the simulation.
#[derive(Debug)]
struct Outcome {
    fps: f64,
    /// The age of shown frames, in milliseconds.
    p95: u64,
    /// The highest number of frames that was allowed on their way, and the last one.
    most: u8,
    last: u8,
}

struct Simulation {
    world: World,
    events: BinaryHeap<Reverse<(Us, u64, Event)>>,
    order: u64,
    noise: u64,
    /// When the link to the viewer becomes free, and when the last message in each direction arrives.
    link_free: Us,
    there: Us,
    back: Us,
    viewer_free: Us,
    credit: Credit,
    newest: Option<u64>,
    appetite: Appetite,
    clock: ClockMatch,
    /// When a ping was sent, and whether an acknowledgement followed at once.
    asked: Option<(Us, bool)>,
    ping_due: Us,
    pings: u32,
    allowed: Vec<u8>,
    ages: Vec<Us>,
}

/// How far the camera's clock is ahead.
const AHEAD: Us = 10_000_000_000;

impl Simulation {
    fn new(world: World) -> Self {
        let mut appetite = Appetite::new();
        appetite.rate(Rate::of_interval(Duration::from_micros(world.interval)));
        let mut simulation = Self {
            world,
            events: BinaryHeap::new(),
            order: 0,
            noise: 1,
            link_free: 0,
            there: 0,
            back: 0,
            viewer_free: 0,
            credit: Credit::new(1),
            newest: None,
            appetite,
            clock: ClockMatch::default(),
            asked: None,
            ping_due: 0,
            pings: 0,
            allowed: vec![1],
            ages: Vec::new(),
        };
        simulation.at(0, Event::Captured);
        // The first ping follows the welcome, and may meet the first frame.
        simulation.ping(0, true, false);
        simulation
    }

    fn at(&mut self, time: Us, event: Event) {
        self.order += 1;
        self.events.push(Reverse((time, self.order, event)));
    }

    fn way(&mut self) -> Us {
        self.noise = self.noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        self.world.one_way + (self.noise >> 33) % (self.world.jitter + 1)
    }

    /// Sends something to the viewer, after everything that is on its way. Returns when its first and its
    /// last byte arrive.
    fn send_there(&mut self, now: Us, takes: Us) -> (Us, Us) {
        let begins = now.max(self.link_free);
        self.link_free = begins + takes;
        let way = self.way();
        self.there = self.there.max(self.link_free + way);
        ((begins + way).min(self.there), self.there)
    }

    fn send_back(&mut self, now: Us, event: Event) {
        let way = self.way();
        self.back = self.back.max(now + way);
        self.at(self.back, event);
    }

    fn ping(&mut self, now: Us, due: bool, before_ack: bool) {
        if due && self.asked.is_none() {
            self.asked = Some((now, before_ack));
            // The first pings follow each other without a pause.
            self.ping_due = if self.pings < 8 { now } else { now + 1_000_000 };
            self.pings += 1;
            self.send_back(now, Event::Ping(now));
        }
    }

    fn send_newest(&mut self, now: Us) {
        while self.credit.allows()
            && let Some(captured) = self.newest.take()
        {
            self.credit.sent(Sent {
                sequence: captured,
                captured_at: Micros(captured),
                bytes: 0,
                at: Micros(now),
            });
            let (began, arrives) = self.send_there(now, self.world.transfer);
            self.at(arrives, Event::Frame { captured, began });
        }
    }

    fn take(&mut self, now: Us, event: Event) {
        match event {
            Event::Captured => {
                self.newest = Some(now);
                self.at(now + self.world.interval, Event::Captured);
                self.send_newest(now);
            }
            Event::Ack(sequence) => {
                self.credit.acknowledged(sequence, Micros(now));
                self.send_newest(now);
            }
            Event::Allow(frames) => {
                self.credit.allow(frames);
                self.send_newest(now);
            }
            Event::Ping(asked) => {
                let (_, arrives) = self.send_there(now, 0);
                self.at(arrives, Event::Pong { asked, answered: now });
            }
            // While the viewer is busy, it does not see what arrives.
            Event::Frame { .. } | Event::Pong { .. } if now < self.viewer_free => {
                self.at(self.viewer_free, event);
            }
            Event::Frame { captured, began } => {
                let began = began.max(self.viewer_free).min(now);
                self.appetite.frame_arrived(Duration::from_micros(now - began));
                let due = now >= self.ping_due && !self.pings.is_multiple_of(2);
                self.ping(now, due || self.appetite.wants_ping(), true);
                self.send_back(now, Event::Ack(captured));
                self.viewer_free = now + self.world.decoding;
                self.ages.push(self.viewer_free - captured);
                self.at(self.viewer_free, Event::Decoded);
            }
            Event::Decoded => {
                self.appetite.frame_decoded(Duration::from_micros(self.world.decoding));
                self.ping(now, now >= self.ping_due && self.pings.is_multiple_of(2), false);
            }
            Event::Pong { asked, answered } => {
                let before_ack = self.asked.take().is_some_and(|(_, before_ack)| before_ack);
                let answered = Micros(answered + AHEAD);
                self.clock.learn(&Exchange {
                    asked_at: Micros(asked),
                    received_at: answered,
                    answered_at: answered,
                    heard_at: Micros(now),
                });
                let matched = self.clock.matched(Micros(now)).expect("answered");
                if before_ack {
                    self.appetite.ping_answered(matched.round_trip);
                }
                if let Some(frames) = self.appetite.news() {
                    self.allowed.push(frames);
                    self.send_back(now, Event::Allow(frames));
                }
            }
        }
    }

    /// Simulates until `end`, and returns the figures of this part.
    fn run_until(&mut self, end: Us) -> Outcome {
        self.ages.clear();
        let last = self.allowed.last().copied().expect("never empty");
        self.allowed = vec![last];
        let mut start = None;
        while let Some(Reverse((now, _, event))) = self.events.pop() {
            start.get_or_insert(now);
            self.take(now, event);
            if now >= end {
                break;
            }
        }
        let took = end - start.expect("events");
        self.ages.sort_unstable();
        Outcome {
            fps: self.ages.len() as f64 / (took as f64 / 1e6),
            p95: self.ages[self.ages.len() * 95 / 100] / 1000,
            most: self.allowed.iter().copied().max().expect("never empty"),
            last: self.allowed.last().copied().expect("never empty"),
        }
    }
}

/// The figures of one minute, after two seconds.
fn minute(world: World) -> Outcome {
    let mut simulation = Simulation::new(world);
    simulation.run_until(2_000_000);
    let outcome = simulation.run_until(62_000_000);
    println!("{world:?}: {outcome:?}");
    outcome
}

#[test]
fn on_a_lan_one_frame_is_on_its_way() {
    let outcome = minute(AT_30_FPS);
    assert!(outcome.most == 1 && outcome.fps > 29.0 && outcome.p95 <= 13, "{outcome:?}");
}

#[test]
fn wifi_that_jitters_by_five_milliseconds_asks_for_no_more() {
    let outcome = minute(World { one_way: 1500, jitter: 5000, transfer: 6000, ..AT_30_FPS });
    assert!(outcome.most == 1 && outcome.fps > 29.0 && outcome.p95 <= 24, "{outcome:?}");
}

#[test]
fn sixty_milliseconds_cost_no_rate_and_no_more_age_than_the_way_is_long() {
    for jitter in [0, 10_000] {
        let outcome = minute(World { one_way: 30_000, jitter, transfer: 6000, ..AT_30_FPS });
        assert!(outcome.fps >= 24.0, "{outcome:?}");
        assert!(outcome.most <= 3 && outcome.p95 <= 30 + 10 + 6 + 8 + 33, "{outcome:?}");
    }
}

#[test]
fn a_narrow_link_has_one_frame_on_it_and_age_stays_a_transfer_and_an_interval() {
    let outcome = minute(World { transfer: 64_000, ..AT_30_FPS });
    assert!(outcome.most == 1 && outcome.fps > 14.5, "{outcome:?}");
    assert!(outcome.p95 <= 64 + 33 + 8 + 2, "{outcome:?}");
}

#[test]
fn a_narrow_link_far_away_is_kept_busy_and_queues_next_to_nothing() {
    let outcome = minute(World { one_way: 30_000, transfer: 64_000, ..AT_30_FPS });
    assert!(outcome.fps > 14.0 && outcome.most <= 2, "{outcome:?}");
    assert!(outcome.p95 <= 30 + 64 + 33 + 8 + 10, "{outcome:?}");
}

#[test]
fn a_viewer_that_decodes_slowly_is_sent_nothing_that_would_wait_for_it() {
    let outcome = minute(World { decoding: 80_000, ..AT_30_FPS });
    assert!(outcome.last == 1 && outcome.fps > 11.0, "{outcome:?}");
    assert!(outcome.p95 <= 80 + 80 + 33 + 4, "{outcome:?}");
}

#[test]
fn when_the_way_has_become_short_frames_do_not_keep_each_other_waiting() {
    let mut simulation = Simulation::new(World { one_way: 30_000, transfer: 64_000, ..AT_30_FPS });
    assert_eq!(simulation.run_until(30_000_000).last, 2);
    simulation.world.one_way = 500;
    // Every 16 pings, the path is measured without a frame on it. After as many pings, the old round trip is
    // forgotten.
    simulation.run_until(70_000_000);
    let outcome = simulation.run_until(100_000_000);
    assert!(outcome.most == 1 && outcome.p95 <= 64 + 33 + 8 + 2, "{outcome:?}");
}
