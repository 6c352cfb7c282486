//! The cost of a picture from the wire's bytes to the window's pixels, compared with a bare decode and one copy of the
//! pixels. Also, separately, what the window's library does with them.

use crate::encode;
use crate::measure::{cpu_seconds, paired};
use crate::path::{Bare, Path};
use lancam::image::pixels::Size;
use lancam::latest::Latest;
use lancam::viewer::arrival::Age;
use lancam::viewer::find::address::CameraAddress;
use lancam::viewer::find::identity::Identity;
use lancam::viewer::stage::composer::{Composer, Extras, Repaint};
use lancam::viewer::stage::tile::Tile;
use lancam::viewer::stage::wall::{Info, Wall};
use lancam::viewer::stage::window::Window;
use lancam::viewer::watch::channel::{Channel, Feed};
use lancam::viewer::watch::controls::Remote;
use lancam::viewer::watch::demand::Demand;
use lancam::viewer::watch::news::Publisher;
use lancam::viewer::watch::receiver::Wanted;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The number of turns ...
const ROUNDS: usize = 41;
/// ... and of frames in each. Work that is done only now and then happens equally often in each turn.
const FRAMES: u32 = 6;
/// The time between two frames, as the measured code sees it. A little more than a 30th of a second, so that three frames
/// take a tenth of a second.
const INTERVAL: Duration = Duration::from_micros(33_334);

const HD: Size = Size::new(1280, 720);
const FULL_HD: Size = Size::new(1920, 1080);
const SMALL: Size = Size::new(640, 360);

/// Prints a line for each case.
pub(crate) fn report() {
    println!(
        "bytes of the wire to pixels for the window, against a bare decode and one copy of them"
    );
    for (picture, room, info, goal) in [
        (HD, HD, Info::Hidden, 1.2),
        (FULL_HD, FULL_HD, Info::Hidden, 1.2),
        (HD, FULL_HD, Info::Shown, 1.6),
        (HD, Size::new(960, 540), Info::Shown, 1.6),
        (FULL_HD, HD, Info::Shown, 1.6),
        (FULL_HD, Size::new(2560, 1440), Info::Shown, 1.6),
    ] {
        let jpeg = encode(picture);
        let mut pane = Pane::new(&jpeg, picture, 1, room, info);
        let mut limit = Limit::new(picture, room);
        let (ours, limit, ratio) = paired(
            ROUNDS,
            || (0..FRAMES).for_each(|_| pane.show()),
            || (0..FRAMES).for_each(|_| limit.show(&jpeg)),
        );
        let [ours, limit] = [ours, limit].map(|seconds| seconds * 1000.0 / f64::from(FRAMES));
        let with = if info == Info::Shown { ", figures over it" } else { "" };
        println!(
            "{picture} in {room}{with}: {ours:.3} ms / {limit:.3} ms = {ratio:.3} (goal {goal}); {:.0} % after the slot",
            pane.composing()
        );
    }
    println!("a grid of nine cameras of {SMALL}, for each picture that is shown");
    for room in [FULL_HD, HD] {
        let jpeg = encode(SMALL);
        let mut panes = Pane::new(&jpeg, SMALL, 9, room, Info::Hidden);
        let mut limit = Limit::new(SMALL, Size::new(room.width / 3, room.height / 3));
        let (ours, limit, _) =
            paired(2 * ROUNDS, || panes.show(), || (0..9).for_each(|_| limit.show(&jpeg)));
        let [ours, limit] = [ours, limit].map(|seconds| seconds * 1000.0 / 9.0);
        let (ratio, after) = (ours / limit, panes.composing());
        println!(
            "in {room}: {ours:.3} ms / {limit:.3} ms = {ratio:.3}; {after:.0} % after the slot"
        );
    }
    windows();
}

/// Cameras without a real window.
struct Pane {
    paths: Vec<Path>,
    tiles: Vec<Tile>,
    demands: Vec<Arc<Demand>>,
    wall: Wall,
    composer: Composer,
    now: Instant,
    /// Seconds for all frames so far: for composing, and in total.
    spent: (f64, f64),
}

impl Pane {
    fn new(jpeg: &[u8], picture: Size, cameras: usize, room: Size, info: Info) -> Self {
        let mut wall = Wall::new(cameras);
        wall.info = info;
        wall.resize(room);
        let address = CameraAddress { host: "pi.local".into(), port: None };
        let identity = Some(Identity { name: "Küche".into(), id: String::new() });
        let wanted = Wanted { identity, address };
        let (mut paths, mut tiles, mut demands) = (Vec::new(), Vec::new(), Vec::new());
        for index in 0..cameras {
            wall.reshape(index, picture);
            let slot = Latest::new();
            let demand = Arc::new(Demand::default());
            let path = Path::new(jpeg, picture, Publisher::new(Arc::clone(&slot)))
                .looked_at_by(Arc::clone(&demand));
            let feed = Feed {
                slot,
                demand: Arc::clone(&demand),
                recorder: path.recorder(),
                remote: Remote::default(),
            };
            tiles.push(Tile::from(Channel::fed_by(feed, wanted.clone())));
            paths.push(path);
            demands.push(demand);
        }
        let composer = Composer::new(1.0);
        let (now, spent) = (Instant::now(), (0.0, 0.0));
        let mut pane = Self { paths, tiles, demands, wall, composer, now, spent };
        pane.look_back();
        pane
    }

    /// Fills in ages as if it had been watched for ten seconds.
    fn look_back(&mut self) {
        for tile in &mut self.tiles {
            for frame in 0..300 {
                let ms = Duration::from_millis;
                tile.ages.push(self.now + INTERVAL * frame, ms(20 + u64::from(frame) * 7919 % 9));
            }
        }
        self.now += INTERVAL * 300;
    }

    /// The share of composing in the total time, in percent.
    fn composing(&self) -> f64 {
        100.0 * self.spent.0 / self.spent.1
    }

    /// Takes a frame of each camera, and composes the window.
    fn show(&mut self) {
        let begun = cpu_seconds();
        self.now += INTERVAL;
        let now = self.now;
        for path in &mut self.paths {
            let ms = Duration::from_millis;
            path.age = Some(Age { age: ms(9), at: now, uncertainty: ms(1), round_trip: ms(2) });
            path.frame();
        }
        for tile in &mut self.tiles {
            tile.update(now, true);
        }
        let received = cpu_seconds();
        let extras = Extras { paused: None, picker: None, toasts: &[], now };
        let picture = self.composer.compose(&self.wall, &self.tiles, Repaint::Changed, &extras);
        black_box(picture.pixels());
        let done = cpu_seconds();
        self.spent.0 += done - received;
        self.spent.1 += done - begun;
        for (index, tile) in self.tiles.iter_mut().enumerate() {
            tile.shown(now);
            tile.channel.is_changed = false;
            let area = self.wall.area(index);
            let needed = |area| self.wall.view(index).needed(area, self.wall.shape(index));
            self.demands[index].set(area.map(needed));
        }
    }
}

/// The work of any program: decode, and hand over as many pixels as the window has.
struct Limit {
    bare: Bare,
    source: Vec<u32>,
    copy: Vec<u32>,
}

impl Limit {
    fn new(picture: Size, room: Size) -> Self {
        let (source, copy) = (vec![1; room.area()], vec![0; room.area()]);
        Self { bare: Bare::new(picture), source, copy }
    }

    fn show(&mut self, jpeg: &[u8]) {
        self.bare.frame(jpeg);
        black_box(&self.bare.pixels);
        black_box(&mut self.copy).copy_from_slice(black_box(&self.source));
    }
}

/// What `minifb` does with the pixels, if there is a display.
fn windows() {
    for size in [HD, FULL_HD] {
        let picture = lancam::image::picture::Picture::blank(size, 0x0040_8060);
        let mut window = match Window::open("bench", size) {
            Ok(window) => window,
            Err(why) => return println!("skipped: minifb's own time: {why}"),
        };
        let mut copy = vec![0_u32; size.area()];
        let (ours, limit, ratio) = paired(
            2 * ROUNDS,
            || window.show(&picture).expect("it is open"),
            || black_box(&mut copy).copy_from_slice(black_box(picture.pixels())),
        );
        let [ours, limit] = [ours, limit].map(|seconds| seconds * 1000.0);
        println!("minifb, {size}: {ours:.3} ms, {ratio:.1} copies of {limit:.3} ms");
    }
}
