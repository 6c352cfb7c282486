//! A USB camera on the emulated Pi for hours, with one fault after another, while viewers of all kinds come and
//! go: the picture comes back each time, nothing hangs, and lancam does not grow.
//!
//! `make soak HOURS=2` runs it, prints what it did and found, and draws target/soak.png. It prints its seed;
//! `SEED=N` repeats the order of the faults.

use crate::hardware::usb_scene::{BRIGHTNESS, Event, Scene, Watcher, assert_back, watched};
use crate::hardware::usb_troubles::{TROUBLES, Well};
use crate::tools::http_client::HttpClient;
use crate::tools::native_client::NativeClient;
use crate::tools::paced_reader::{Narrow, PacedReader, Protocol};
use crate::tools::random::Random;
use crate::tools::skip::skip;
use crate::tools::soak::{Holdings, Sample, Slope, assert_flat, draw};
use crate::tools::usb_camera::Orders;
use lancam::wire::native::message::{Message, Wishes};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::Ipv4Addr;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

/// A viewer notes all that it gets. It makes place for another one after so many rounds.
const ROUNDS_OF_A_VIEWER: usize = 20;
/// How much longer than the run the guest lives: its boot, the last round, and the end.
const MARGIN: Duration = Duration::from_secs(15 * 60);
/// How much lancam may grow in an hour, in kB, beyond what may be noise.
const GROWTH: f64 = 1.0;

#[test]
#[ignore = "hours: make soak"]
fn nothing_hangs_or_grows_while_one_fault_follows_another() {
    let seed = number("LANCAM_SEED").unwrap_or_else(|| RandomState::new().build_hasher().finish());
    let asked: Option<f64> = number("LANCAM_SOAK_HOURS");
    let time = time_of(asked.unwrap_or(0.1));
    println!("SEED={seed}, {:.0} minutes", time.as_secs_f64() / 60.0);
    let Some(scene) = Scene::boot_with(&lifetime(time)) else {
        // `make soak` asks. A skip would count as a pass.
        assert!(asked.is_none(), "there is no emulated Pi: the line above says why");
        return;
    };
    let mut samples = Vec::new();
    let outcome = catch_unwind(AssertUnwindSafe(|| rounds(&scene, seed, time, &mut samples)));
    draw(&graph(), &samples);
    println!("{} faults, SEED={seed}; the graph is target/soak.png", samples.len());
    let slope = report(&samples);
    if let Err(panic) = outcome {
        // A guest that has ended cannot show it.
        let show = || println!("{}", scene.guest.sh("tail -n 40 /tmp/log; dmesg | tail -n 15"));
        let _ = catch_unwind(AssertUnwindSafe(show));
        resume_unwind(panic);
    }
    assert_level(&samples, slope);
    let log = scene.stop();
    assert!(!log.contains("panicked"), "{log}");
    scene.guest.power_off();
}

fn number<T: std::str::FromStr>(variable: &str) -> Option<T> {
    let text = std::env::var(variable).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")))
}

fn time_of(hours: f64) -> Duration {
    assert!(hours > 0.0, "it must be longer than {hours} hours");
    Duration::from_secs_f64(hours * 3600.0)
}

/// For the kernel's command line: how long the guest may live.
fn lifetime(time: Duration) -> String {
    format!("rig.seconds={}", (time + MARGIN).as_secs())
}

#[test]
fn the_guest_lives_longer_than_the_run() {
    assert_eq!(lifetime(time_of(2.0)), "rig.seconds=8100");
}

#[test]
fn make_soak_refuses_what_is_no_time_before_it_builds_anything() {
    if Command::new("make").arg("--version").output().is_err() {
        return skip("make", "not installed");
    }
    for hours in ["0", "0.0", ".", "", "1.2.3", "-1", "1h"] {
        let mut make = Command::new("timeout");
        make.args(["30", "make", "--silent", "soak", &format!("HOURS={hours}")]);
        let output = make.current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("timeout runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("HOURS must be a number above 0"), "HOURS={hours}: {said}");
        assert!(!output.status.success(), "HOURS={hours}");
    }
}

fn graph() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/soak.png")
}

/// One fault after another for this time, and at least one. The graph is drawn now and then, for people who do not
/// wait for the end.
fn rounds(scene: &Scene, seed: u64, time: Duration, samples: &mut Vec<Sample>) {
    let (start, mut random) = (Instant::now(), Random::new(seed));
    let mut watcher = watched(scene, "--size 640x480 --control lan");
    loop {
        if samples.len() % ROUNDS_OF_A_VIEWER == ROUNDS_OF_A_VIEWER - 1 {
            drop(std::mem::replace(&mut watcher, scene.watch()));
            draw(&graph(), samples);
            if let Some(failure) = scene.guest.kernel_failure() {
                panic!("{failure}");
            }
        }
        let gap = round(scene, &watcher, &mut random);
        samples.push(Sample { at: start.elapsed(), gap, held: scene.holdings() });
        if start.elapsed() >= time {
            return;
        }
    }
}

/// One fault, and visitors meanwhile. Returns how long there was no picture once the camera was well again.
fn round(scene: &Scene, watcher: &Watcher, random: &mut Random) -> Duration {
    let (name, trouble) = random.one_of(&TROUBLES);
    println!("- {name}");
    visit(scene, random);
    let well = trouble(scene, random);
    visit(scene, random);
    scene.camera.order(|orders| *orders = Orders::default());
    let Well { since, number } = well.unwrap_or_else(|| Well::now(scene));
    let gap = watcher.picture_from(number, since);
    assert_back(gap);
    let was_closed = |(_, event): &(Instant, Event)| matches!(event, Event::Closed);
    assert!(!watcher.events().iter().any(was_closed), "the viewer was let go");
    gap
}

/// Somebody comes, looks or not, and goes.
fn visit(scene: &Scene, random: &mut Random) {
    let [native, http] = [9999, 8080].map(|port| scene.guest.port(port));
    match random.below(7) {
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
        5 => HttpClient::connect(http)
            .say("GET /snapshot?width=160 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
        _ => look_slowly(native),
    }
}

/// A viewer that stays for a while and reads slowly. It goes by itself, also if lancam lets it go before.
fn look_slowly(native: u16) {
    let to = (Ipv4Addr::LOCALHOST, native).into();
    thread::spawn(move || {
        let reader = PacedReader::connect(to, Protocol::Native, Narrow::Reading)?;
        reader.ages(Duration::from_secs(4))
    });
}

/// Prints the figures. Returns how fast lancam grew in the second half, if that can be told.
fn report(samples: &[Sample]) -> Option<Slope> {
    let mut gaps: Vec<_> = samples.iter().map(|sample| sample.gap).collect();
    gaps.sort();
    if let Some(worst) = gaps.last() {
        println!("no picture for {:.2?}, at worst {worst:.2?}", gaps[gaps.len() / 2]);
    }
    let second = samples.iter().skip(samples.len() / 2);
    let memory: Vec<(f64, f64)> =
        second.map(|it| (it.at.as_secs_f64() / 3600.0, it.kib_as_float())).collect();
    let slope = Slope::of(&memory);
    match slope {
        Some(Slope { per_hour, error }) => println!(
            "memory: {per_hour:+.1} kB an hour in the second half, with a standard error of {error:.1}"
        ),
        None => println!("memory: too few rounds to tell whether it grows"),
    }
    slope
}

/// Checks that nothing grows.
fn assert_level(samples: &[Sample], slope: Option<Slope>) {
    if samples.len() < 2 {
        return;
    }
    let held: Vec<Holdings> = samples.iter().map(|sample| sample.held).collect();
    assert_flat("lancam", &held);
    assert_not_more("open files", &held, |it| it.files);
    assert_not_more("threads", &held, |it| it.threads);
    assert!(
        !slope.is_some_and(|slope| slope.exceeds(GROWTH)),
        "memory grows: {slope:?} kB an hour"
    );
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
