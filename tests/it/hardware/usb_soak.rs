//! A USB camera on the emulated Pi for hours, with one fault after another, while viewers of all kinds come and
//! go: the picture comes back each time, nothing hangs, and lancam does not grow.
//!
//! `make soak HOURS=2` runs it and draws target/soak.png. `SEED=N` repeats the order of the faults.

use crate::hardware::pi::run;
use crate::hardware::usb_scene::{Event, Scene, Watcher, watched};
use crate::tools::http_client::HttpClient;
use crate::tools::native_client::NativeClient;
use crate::tools::random::Random;
use crate::tools::soak::{Holdings, Sample, assert_flat, draw};
use crate::tools::usb_camera::{Clock, Flaw, Manner, Moment, Orders};
use lancam::wire::native::message::{Message, Wishes};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// What happens to the camera, and its name in the log of the run.
type Trouble = (&'static str, fn(&Scene, &mut Random));

const TROUBLES: [Trouble; 12] = [
    ("unplugged", unplugged),
    ("unplugged in the middle of a frame", |scene, random| pulled(scene, random, Moment::InFrame)),
    ("unplugged while it is asked what it is", |scene, random| {
        scene.unplug();
        pulled(scene, random, Moment::Probe);
    }),
    ("silent", |scene, random| {
        let until = Instant::now() + Duration::from_secs(1) + random.time_below(SILENCE);
        scene.camera.order(|orders| orders.silent_until = Some(until));
        sleep(until.saturating_duration_since(Instant::now()));
    }),
    ("flawed frames", |scene, random| {
        let (every, flaw) = (random.below(4) + 1, random.one_of(&FLAWS));
        let every = u64::try_from(every).expect("small");
        for_a_while(scene, random, |orders| orders.flaw = Some((every, flaw)));
    }),
    ("halted", |scene, random| for_a_while(scene, random, |orders| orders.halt = true)),
    ("no bandwidth", |scene, random| {
        scene.camera.order(|orders| orders.refuse_start = Some(ENOSPC));
        unplugged(scene, random);
    }),
    ("slow", |scene, random| for_a_while(scene, random, |orders| orders.slowness = 10)),
    ("another size", |scene, random| {
        for_a_while(scene, random, |orders| orders.other_size = Some((320, 240)));
    }),
    ("a clock that jumps", |scene, random| {
        for_a_while(scene, random, |orders| orders.clock = Clock::Jumps);
    }),
    ("a control that fails", |scene, random| {
        let faults = [("brightness".into(), Manner::Stalls)];
        for_a_while(scene, random, move |orders| orders.controls = faults.into());
    }),
    ("the Pi's clock is set", |scene, random| {
        let hours = random.one_of(&["+ 3600", "- 3600", "+ 86400", "- 5"]);
        run(&scene.guest, &format!("date -s @$(($(date +%s) {hours})) >/dev/null"));
    }),
];

const FLAWS: [Flaw; 8] = [
    Flaw::ErrorBit,
    Flaw::SameFid,
    Flaw::NoEndOfFrame,
    Flaw::Cut,
    Flaw::Twice,
    Flaw::Empty,
    Flaw::Noise,
    Flaw::LongHeader,
];

const ENOSPC: i32 = 28;
/// The longest silence, less a second.
const SILENCE: Duration = Duration::from_secs(11);
/// A viewer notes all that it gets. It makes place for another one after so many rounds.
const ROUNDS_OF_A_VIEWER: usize = 20;

#[test]
#[ignore = "hours: make soak"]
fn nothing_hangs_or_grows_while_one_fault_follows_another() {
    let Some(scene) = Scene::boot() else { return };
    let seed = number("LANCAM_SEED").unwrap_or(0x5EED);
    let hours: f64 = number("LANCAM_SOAK_HOURS").unwrap_or(0.1);
    println!("SEED={seed}, {hours} hours");
    let (start, mut random) = (Instant::now(), Random::new(seed));
    let mut watcher = watched(&scene, "--size 640x480 --control lan");
    let mut samples = Vec::new();
    while start.elapsed().as_secs_f64() < hours * 3600.0 {
        if samples.len() % ROUNDS_OF_A_VIEWER == ROUNDS_OF_A_VIEWER - 1 {
            drop(std::mem::replace(&mut watcher, scene.watch()));
        }
        let gap = round(&scene, &watcher, &mut random);
        samples.push(Sample { at: start.elapsed(), gap, held: scene.holdings() });
    }
    drop(watcher);
    let picture = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/soak.png");
    draw(&picture, &samples);
    println!("{} faults; the graph is target/soak.png", samples.len());
    report(&samples);
    let log = scene.stop();
    assert!(!log.contains("panicked"), "{log}");
    scene.guest.power_off();
}

fn number<T: std::str::FromStr>(variable: &str) -> Option<T> {
    let text = std::env::var(variable).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")))
}

/// One fault, and visitors meanwhile. Returns how long there was no picture once the camera was well again.
fn round(scene: &Scene, watcher: &Watcher, random: &mut Random) -> Duration {
    let (name, trouble) = random.one_of(&TROUBLES);
    let start = Instant::now();
    visit(scene, random);
    trouble(scene, random);
    visit(scene, random);
    scene.camera.order(|orders| *orders = Orders::default());
    let gap = watcher.picture_after(Instant::now());
    println!(
        "{name}, {:.1} s: a picture after {} ms",
        start.elapsed().as_secs_f64(),
        gap.as_millis()
    );
    let was_closed = |(_, event): &(Instant, Event)| matches!(event, Event::Closed);
    assert!(!watcher.events().iter().any(was_closed), "the viewer was let go");
    gap
}

/// Somebody comes, looks or not, and goes.
fn visit(scene: &Scene, random: &mut Random) {
    let [native, http] = [9999, 8080].map(|port| scene.guest.port(port));
    match random.below(6) {
        0 => drop(NativeClient::connect_silently(native)),
        1 => {
            let wishes = Wishes { width: 320, ..Wishes::default() };
            drop(NativeClient::connect_wishing(native, wishes));
        }
        2 => {
            let mut client = NativeClient::connect(native);
            client.say(&Message::SetControl { id: BRIGHTNESS, value: 10 });
        }
        3 => {
            let path = random.one_of(&["/", "/state", "/metrics", "/healthz", "/nothing"]);
            HttpClient::connect(http).get(path);
        }
        4 => HttpClient::connect(http).say("GET /stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
        _ => HttpClient::connect(http)
            .say("GET /snapshot?width=160 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
    }
}

const BRIGHTNESS: u32 = 0x0098_0900;

fn unplugged(scene: &Scene, random: &mut Random) {
    scene.unplug();
    plug_again(scene, random);
}

/// The camera unplugs itself at this moment.
fn pulled(scene: &Scene, random: &mut Random, moment: Moment) {
    scene.camera.order(|orders| orders.unplug = Some(moment));
    if moment == Moment::Probe {
        scene.plug_into(0);
    }
    scene.wait_until_pulled();
    plug_again(scene, random);
}

fn plug_again(scene: &Scene, random: &mut Random) {
    sleep(random.time_below(Duration::from_secs(2)));
    scene.plug_into(random.one_of(&[0, 1, 2, 3]));
    scene.wait_for_node();
}

fn for_a_while(scene: &Scene, random: &mut Random, change: impl FnOnce(&mut Orders)) {
    scene.camera.order(change);
    sleep(random.time_below(Duration::from_secs(5)));
}

/// Prints the figures, and checks that nothing grows.
fn report(samples: &[Sample]) {
    let mut gaps: Vec<_> = samples.iter().map(|sample| sample.gap).collect();
    gaps.sort();
    println!("no picture for {:.2?}, at worst {:.2?}", gaps[gaps.len() / 2], gaps[gaps.len() - 1]);
    let held: Vec<Holdings> = samples.iter().map(|sample| sample.held).collect();
    assert_flat("lancam", &held);
    assert_not_more("open files", &held, |it| it.files);
    assert_not_more("threads", &held, |it| it.threads);
}

/// Checks that the second half of the run has not more of something than the first.
fn assert_not_more(name: &str, held: &[Holdings], what: impl Fn(&Holdings) -> usize) {
    let (first, second) = held.split_at(held.len() / 2);
    let most = |held: &[Holdings]| held.iter().map(&what).max().unwrap_or_default();
    let (before, after) = (most(first), most(second));
    println!("{name}: at most {before} in the first half, {after} in the second");
    // How many visitors are there at once is chance.
    assert!(after <= before + 6, "{name}: {held:?}");
}
