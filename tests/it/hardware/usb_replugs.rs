//! USB cameras that are unplugged and plugged in again many times: the picture comes back each time, always
//! under the right name, and lancam does not grow.
//!
//! `LANCAM_REPLUGS=1000` does it a thousand times instead of a hundred.

use crate::hardware::pi::viewer;
use crate::hardware::usb_scene::{ANOTHER_AFTER, Scene, model, text_of, watched};
use crate::tools::camera_process::PATIENCE;
use crate::tools::native_client::{NativeClient, Said};
use crate::tools::soak::Holdings;
use crate::tools::until::wait_until;
use crate::tools::usb_camera::pictures::Numbered;
use crate::tools::usb_camera::{Film, Shot, UsbCamera, lsusb};
use lancam::wire::native::message::Message;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

/// The sockets of the emulated Pi that cameras are plugged into in turn.
const SOCKETS: u8 = 4;
/// A viewer notes all that it gets. It makes place for another one after so many rounds.
const ROUNDS_OF_A_VIEWER: usize = 25;

fn rounds() -> usize {
    let asked = std::env::var("LANCAM_REPLUGS").ok();
    asked.map_or(100, |rounds| rounds.parse().expect("LANCAM_REPLUGS is a number"))
}

#[test]
#[ignore = "minutes: make test-all"]
fn a_camera_comes_back_each_of_a_hundred_times_and_lancam_does_not_grow() {
    let Some(scene) = Scene::boot() else { return };
    let mut watcher = watched(&scene, "--size 640x480");
    let (mut gaps, mut held) = (Vec::new(), Vec::new());
    for round in 0..rounds() {
        if round > 0 && round % ROUNDS_OF_A_VIEWER == 0 {
            drop(std::mem::replace(&mut watcher, scene.watch()));
            watcher.picture_after(Instant::now());
        }
        scene.unplug();
        let socket = u8::try_from(round % usize::from(SOCKETS)).expect("a few");
        gaps.push(scene.plug_in_and_see(socket, &watcher));
        held.push(scene.holdings());
    }
    gaps.sort();
    let (median, worst) = (gaps[gaps.len() / 2], gaps[gaps.len() - 1]);
    println!(
        "{} times: from plugging in to the picture {median:.2?}, at worst {worst:.2?}",
        gaps.len()
    );
    assert_level(&held);
    scene.stop();
    scene.guest.power_off();
}

/// Checks that the last tenth of the rounds holds what a tenth held once the program was warm, after half of a
/// hundred rounds: until then the allocator takes a page now and then.
fn assert_level(held: &[Holdings]) {
    let tenth = (held.len() / 10).max(1);
    let warm = &held[(held.len() / 2).min(50)..];
    let (first, last) = (usual(&warm[..tenth]), usual(&warm[warm.len() - tenth..]));
    println!("usual in {tenth} rounds, warm: {first:?}; in the last: {last:?}");
    assert_eq!((last.files, last.threads), (first.files, first.threads), "{held:?}");
    // One percent, and one page, because memory is counted in whole pages: a byte more may be a page more.
    assert!(last.kib <= first.kib + first.kib / 100 + PAGE_KIB, "{held:?}");
}

const PAGE_KIB: u64 = 4;

/// Half of the rounds hold more than this, and half of them less. A session or a helper that has not ended yet
/// when a round is looked at does not change it.
fn usual(held: &[Holdings]) -> Holdings {
    fn middle<T: Ord + Copy>(held: &[Holdings], what: fn(&Holdings) -> T) -> T {
        let mut all: Vec<T> = held.iter().map(what).collect();
        all.sort_unstable();
        all[all.len() / 2]
    }
    Holdings {
        kib: middle(held, |it| it.kib),
        files: middle(held, |it| it.files),
        threads: middle(held, |it| it.threads),
    }
}

#[test]
fn what_a_round_holds_for_a_moment_does_not_count_but_what_it_keeps_does() {
    let held = |kib, files| Holdings { kib, files, threads: 5 };
    let mut rounds = [held(1000, 20); 30];
    (rounds[1], rounds[29]) = (held(1400, 23), held(1400, 23));
    assert_level(&rounds);
    for kept in [held(1015, 20), held(1000, 21)] {
        rounds[27..].fill(kept);
        assert!(std::panic::catch_unwind(|| assert_level(&rounds)).is_err(), "{kept:?}");
    }
}

/// The first number of the second camera's pictures.
const SECOND: u64 = 1 << 40;

/// What the second camera films.
#[derive(Default)]
struct Elsewhere(Numbered);

impl Film for Elsewhere {
    fn frame(&self, shot: Shot) -> Vec<u8> {
        self.0.frame(Shot { number: shot.number + SECOND, ..shot })
    }
}

#[test]
#[ignore = "minutes: make test-all"]
fn two_cameras_that_are_swapped_a_hundred_times_are_never_shown_under_each_others_name() {
    let Some(scene) = Scene::boot() else { return };
    let text = text_of("webcam").replace("A1B2C3D4", "Z9").replace("Plain Webcam", "Other Webcam");
    let second = lsusb::parse(&text).expect("a camera");
    let second = UsbCamera::new(second, Elsewhere::default());
    scene.camera.becomes(model("webcam"));
    scene.plug_into(0);
    scene.plug_other_into(&second, 1);
    scene.wait_for_node();
    scene.start("--size 640x480");
    let viewer = NamedPictures::of(viewer(&scene.guest));
    assert!(viewer.is_of_the_first(&scene), "the camera that is there first is taken");
    let (mut was_first, mut changes) = (true, 0);
    for round in 1..=rounds() {
        let unplugged = Instant::now();
        scene.camera.unplug();
        second.unplug();
        scene.wait_for_no_node();
        let socket = u8::from(round % 2 == 0);
        let plug_the_first = || scene.plug_into(socket);
        let plug_the_second = || scene.plug_other_into(&second, 1 - socket);
        let order: [&dyn Fn(); 2] = [&plug_the_first, &plug_the_second];
        for plug in if round % 3 == 0 { [order[1], order[0]] } else { order } {
            plug();
        }
        scene.wait_for_node();
        let is_first = viewer.is_of_the_first(&scene);
        if is_first != was_first {
            // On a busy machine a camera may be away for so long that the other one is taken, under its own name.
            let after = viewer.changed_at().duration_since(unplugged);
            assert!(after >= ANOTHER_AFTER, "{round}: another camera is shown after {after:?}");
            (was_first, changes) = (is_first, changes + 1);
        }
    }
    println!("the same camera was shown again in {} of {} rounds", rounds() - changes, rounds());
    scene.stop();
    scene.guest.power_off();
}

#[test]
#[ignore = "minutes: make test-all"]
fn a_camera_that_was_unplugged_for_a_moment_is_not_replaced_by_its_twin() {
    let Some(scene) = Scene::boot() else { return };
    for (serial, written) in [("none", "iSerial 0"), ("the same", "iSerial 3 0001")] {
        let twin = |name| {
            let text = text_of("webcam").replace("Plain Webcam", name);
            let line =
                text.lines().find(|line| line.contains("A1B2C3D4")).expect("a serial number");
            lsusb::parse(&text.replace(line, written)).expect("a camera")
        };
        let second = UsbCamera::new(twin("Other Webcam"), Elsewhere::default());
        scene.camera.becomes(twin("Plain Webcam"));
        scene.plug_into(0);
        scene.wait_for_node();
        scene.plug_other_into(&second, 1);
        scene.wait_for_camera("Other Webcam");
        scene.start("--size 640x480");
        let (viewer, watcher) = (NamedPictures::of(viewer(&scene.guest)), scene.watch());
        assert!(viewer.is_of_the_first(&scene), "the camera that is there first is taken");
        for round in 0..rounds().div_ceil(10) {
            let unplugged = Instant::now();
            scene.camera.unplug();
            watcher.told_after(unplugged, "was unplugged");
            scene.plug_into(0);
            let is_of_the_first = viewer.is_of_the_first(&scene);
            let Some(replaced_at) = viewer.forget_the_second() else {
                assert!(is_of_the_first, "serial number: {serial}; round {round}");
                continue;
            };
            // On a busy machine it may not be back within 5 s. Then its twin is taken.
            let after = replaced_at.duration_since(unplugged);
            assert!(after >= ANOTHER_AFTER, "{serial}: {round}: replaced after {after:?}");
            println!("serial number: {serial}; round {round}: it was away for too long");
            second.unplug();
            wait_until("the first camera", || viewer.is_of_the_first(&scene).then_some(()));
            viewer.forget_the_second();
            scene.plug_other_into(&second, 1);
        }
        scene.stop();
        second.unplug();
        scene.unplug();
    }
    scene.guest.power_off();
}

/// A viewer that compares each picture with the name of the camera that it was told.
struct NamedPictures(Arc<Mutex<Shown>>);

/// What it has seen.
#[derive(Default)]
struct Shown {
    pictures: usize,
    /// Whether the last picture is the first camera's.
    is_of_the_first: bool,
    /// When the first picture of the second camera came.
    of_the_second_since: Option<Instant>,
    /// When the first picture of the camera that is shown came.
    changed_at: Option<Instant>,
    /// A picture under another camera's name, or the end of the connection.
    wrong: Option<String>,
}

impl NamedPictures {
    /// Its thread ends with the connection, or with something wrong.
    fn of(mut client: NativeClient) -> Self {
        let shown = Arc::new(Mutex::new(Shown::default()));
        let noted = Arc::clone(&shown);
        client.stream.set_read_timeout(Some(10 * PATIENCE)).expect("sets a timeout");
        thread::spawn(move || {
            let mut told = String::new();
            loop {
                let wrong = match client.hear() {
                    Said::Stream { source, .. } => {
                        told = source;
                        None
                    }
                    Said::Frame { facts, payload } => {
                        client.say(&Message::Ack { sequence: facts.sequence });
                        noted.lock().expect("no panic").picture(&payload, &told)
                    }
                    Said::Goodbye { reason, text } => Some(format!("goodbye, {reason:?}: {text}")),
                    Said::Closed => Some("the camera closed the connection".into()),
                    _ => None,
                };
                if wrong.is_some() {
                    noted.lock().expect("no panic").wrong = wrong;
                    return;
                }
            }
        });
        Self(shown)
    }

    /// Waits for a few pictures. Returns whether the last one is the first camera's.
    fn is_of_the_first(&self, scene: &Scene) -> bool {
        // What was sent before a camera was unplugged is one picture, or two.
        let enough = self.0.lock().expect("no panic").pictures + 4;
        wait_until("pictures", || {
            let shown = self.0.lock().expect("no panic");
            if let Some(wrong) = &shown.wrong {
                panic!("{wrong}; lancam says:\n{}", scene.log());
            }
            (shown.pictures >= enough).then_some(shown.is_of_the_first)
        })
    }

    /// When the camera that is shown was seen first.
    fn changed_at(&self) -> Instant {
        self.0.lock().expect("no panic").changed_at.expect("a picture came")
    }

    /// When the second camera was first seen since this was asked last.
    fn forget_the_second(&self) -> Option<Instant> {
        self.0.lock().expect("no panic").of_the_second_since.take()
    }
}

impl Shown {
    /// Returns what is wrong with this picture's name.
    fn picture(&mut self, jpeg: &[u8], told: &str) -> Option<String> {
        let number = Numbered::number_of(jpeg).expect("a camera's JPEG");
        self.pictures += 1;
        let was_of_the_first = std::mem::replace(&mut self.is_of_the_first, number < SECOND);
        if self.is_of_the_first != was_of_the_first || self.changed_at.is_none() {
            self.changed_at = Some(Instant::now());
        }
        if !self.is_of_the_first {
            self.of_the_second_since.get_or_insert_with(Instant::now);
        }
        let name = if self.is_of_the_first { "Plain Webcam" } else { "Other Webcam" };
        (!told.contains(name)).then(|| format!("{name}'s picture is shown as {told:?}"))
    }
}
