//! USB cameras that misbehave, on the kernel's own `uvcvideo`: what viewers see of each fault, and how soon
//! the picture is back.
//!
//! All faults share one boot, because booting takes minutes. Each is a function, with its sentence in
//! [`FAULTS`]. With `LANCAM_BLESS=1`, they become the table in docs/HARDWARE.md. `LANCAM_FAULTS=unplugged`
//! runs only those with that word in their sentence.

use crate::hardware::usb_descriptors;
use crate::hardware::usb_frames::{self, spoilt};
use crate::hardware::usb_scene::{
    ANOTHER_AFTER, BRIGHTNESS, DRIVER_WAITS, Scene, assert_back, assert_exact, print_gap,
    stands_on_the_page, text_of, watched,
};
use crate::tools::native_client::{NativeClient, Said};
use crate::tools::until::wait_until;
use crate::tools::usb_camera::{Flaw, Manner, Moment, lsusb};
use lancam::wire::native::message::Message;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// The fault, the result, and the function that proves it.
type Fault = (&'static str, &'static str, fn(&Scene));

const FAULTS: [Fault; 35] = [
    (
        "unplugged in the middle of a frame, and plugged in again",
        "viewers are told; the picture is back, its size and controls as they were; no torn picture is shown",
        unplugged_in_a_frame,
    ),
    (
        "plugged into another port",
        "the same camera is found by its serial number",
        plugged_into_another_port,
    ),
    (
        "unplugged while it is started",
        "the picture comes as soon as it is plugged in again",
        unplugged_at_the_start,
    ),
    ("unplugged while the driver asks what it is", "the same", unplugged_in_probe),
    ("unplugged while a control is set", "the same", unplugged_while_a_control_is_set),
    (
        "another camera in the same port",
        "it is taken after 5 s; what viewers set on the first one is not set on it",
        another_camera_in_the_same_port,
    ),
    ("payloads marked as broken", "the driver leaves those frames out", |scene| {
        spoilt(scene, Flaw::ErrorBit, 3, true);
    }),
    ("frames that do not tell where they begin (FID)", "the driver leaves them out", |scene| {
        spoilt(scene, Flaw::SameFid, 3, true);
    }),
    ("frames that do not tell where they end (EOF)", "shown", |scene| {
        spoilt(scene, Flaw::NoEndOfFrame, 3, true);
    }),
    ("now and then a JPEG that is cut", "left out", |scene| spoilt(scene, Flaw::Cut, 20, true)),
    ("bytes behind the JPEG", "cut off", |scene| spoilt(scene, Flaw::TooLong, 3, true)),
    ("two JPEGs in a frame", "the first is shown", |scene| spoilt(scene, Flaw::Twice, 3, true)),
    ("empty frames", "left out", |scene| spoilt(scene, Flaw::Empty, 3, true)),
    ("frames of noise", "left out", |scene| spoilt(scene, Flaw::Noise, 3, true)),
    (
        "payloads whose headers are too long",
        "a hole in that picture; the others are whole",
        |scene| spoilt(scene, Flaw::LongHeader, 3, false),
    ),
    (
        "JPEGs without their Huffman tables (AVI1)",
        "the standard tables are put in, and no pixel is another one",
        usb_frames::without_tables,
    ),
    ("pictures of another size than was agreed", "shown as they are", usb_frames::another_size),
    ("raw frames that are too short", "left out; no torn picture is shown", |scene| {
        usb_frames::of_another_length(scene, Flaw::Cut);
    }),
    ("raw frames that are too long", "the driver leaves them out", |scene| {
        usb_frames::of_another_length(scene, Flaw::TooLong);
    }),
    (
        "time stamps that stand still, or say anything, also if the driver uses them (`hwtimestamps`)",
        "pictures come at their rate all the same",
        usb_frames::nonsense_of_the_clock,
    ),
    (
        "its rate falls by itself to 3 fps, as in the dark",
        "pictures come at that rate, and at the old one afterwards; it is not a fault",
        usb_frames::slow_in_the_dark,
    ),
    (
        "its rate falls by itself to a picture every 2 s",
        "the camera is opened anew up to three times, until lancam knows that it is slow; then pictures come at that rate",
        usb_frames::slower_than_its_patience,
    ),
    (
        "nothing but noise in the first second",
        "the picture comes after it",
        usb_frames::noise_at_first,
    ),
    (
        "nothing but noise, for ever",
        "viewers are told what is wrong with the frames; the log says it a few times, not for ever",
        usb_frames::noise_for_ever,
    ),
    ("silent for 2 s", "viewers are told; the picture is back", |scene| {
        usb_frames::silent(scene, 2);
    }),
    ("silent for 10 s", "the same", |scene| usb_frames::silent(scene, 10)),
    ("silent for 60 s", "the same", |scene| usb_frames::silent(scene, 60)),
    ("its hub is reset", "viewers are told; the picture is back", hub_reset),
    (
        "no bandwidth on the bus (ENOSPC)",
        "viewers are told what to do; the picture comes when there is some",
        no_bandwidth,
    ),
    ("its endpoint is halted", "the stream is begun anew; the picture is back", halted),
    (
        "a control that always fails (EPIPE)",
        "the picture comes; the log and `lancam list` name the control and say what is wrong with it",
        a_control_that_fails,
    ),
    ("a control that takes 6 s", "pictures go on in the meantime", a_control_that_is_slow),
    (
        "descriptors that lie: frames of 0 bytes or 4 GiB, intervals of 0, a size twice",
        "listed and watched; if there are no buffers for MJPG, lancam takes YUYV",
        usb_descriptors::lying,
    ),
    (
        "descriptors with holes in their indexes, or a format twice",
        "listed and watched",
        usb_descriptors::with_holes,
    ),
    (
        "200 frame sizes",
        "all are listed; the size that is asked for is taken",
        usb_descriptors::two_hundred_sizes,
    ),
];

#[test]
#[ignore = "minutes: make test-all"]
fn each_fault_of_a_usb_camera_leaves_viewers_with_a_picture_or_a_word() {
    let Some(scene) = Scene::boot() else { return };
    let wanted = std::env::var("LANCAM_FAULTS").unwrap_or_default();
    let mut failed = Vec::new();
    for (what, outcome, prove) in FAULTS.iter().filter(|(what, ..)| what.contains(&wanted)) {
        println!("- {what}");
        let start = Instant::now();
        let proof = catch_unwind(AssertUnwindSafe(|| prove(&scene)));
        if proof.is_err() {
            println!("{}", scene.guest.sh("tail -n 30 /tmp/log; dmesg | tail -n 15"));
            failed.push(*what);
        }
        println!(
            "  {outcome}: {} after {:.0} s",
            if proof.is_ok() { "so it is" } else { "NOT SO" },
            start.elapsed().as_secs_f64()
        );
        scene.clear();
    }
    assert!(failed.is_empty(), "{failed:#?}");
    scene.guest.power_off();
}

#[test]
fn the_faults_that_are_proven_are_those_of_the_page() {
    let rows: String =
        FAULTS.iter().map(|(what, outcome, _)| format!("| {what} | {outcome} |\n")).collect();
    stands_on_the_page("| fault | what happens |\n|---|---|\n", &rows);
}

fn unplugged_in_a_frame(scene: &Scene) {
    let watcher = watched(scene, "--size 640x480 --set brightness=20");
    let before = scene.camera.seen();
    assert_eq!(before.controls["brightness"], 20);
    let pulled = Instant::now();
    scene.camera.order(|orders| orders.unplug = Some(Moment::InFrame));
    watcher.told_after(pulled, "was unplugged");
    scene.unplug();
    assert_back(scene.plug_in_and_see(0, &watcher));
    assert_exact(&watcher.pictures_after(pulled, 10));
    let after = scene.camera.seen();
    assert_eq!(
        (after.committed, after.controls, after.plugged),
        (before.committed, before.controls, before.plugged + 1)
    );
    let log = scene.stop();
    let told = log.matches("was unplugged").count();
    assert!((1..=2).contains(&told), "that it is gone, and that it is waited for: {log}");
}

fn plugged_into_another_port(scene: &Scene) {
    let watcher = watched(scene, "--size 640x480");
    scene.unplug();
    assert_back(scene.plug_in_and_see(3, &watcher));
    scene.stop();
}

fn unplugged_at_the_start(scene: &Scene) {
    scene.plug("webcam");
    scene.camera.order(|orders| orders.unplug = Some(Moment::Start));
    scene.start("--size 640x480");
    let watcher = scene.watch();
    scene.wait_until_pulled();
    assert_back(scene.plug_in_and_see(0, &watcher));
    scene.stop();
}

fn unplugged_in_probe(scene: &Scene) {
    let watcher = watched(scene, "--size 640x480");
    scene.unplug();
    scene.camera.order(|orders| orders.unplug = Some(Moment::Probe));
    scene.plug_into(0);
    scene.wait_until_pulled();
    let gap = scene.plug_in_and_see(0, &watcher);
    assert_back(gap.saturating_sub(DRIVER_WAITS));
    scene.stop();
}

fn unplugged_while_a_control_is_set(scene: &Scene) {
    let watcher = watched(scene, "--size 640x480 --control lan");
    scene.camera.order(|orders| orders.unplug = Some(Moment::SettingControl));
    let mut client = NativeClient::connect(scene.guest.port(9999));
    client.say(&Message::SetControl { id: BRIGHTNESS, value: 33 });
    let pulled = Instant::now();
    watcher.told_after(pulled, "was unplugged");
    scene.unplug();
    assert_back(scene.plug_in_and_see(0, &watcher));
    scene.stop();
}

fn another_camera_in_the_same_port(scene: &Scene) {
    let watcher = watched(scene, "--size 640x480 --control lan");
    let mut client = NativeClient::connect(scene.guest.port(9999));
    client.say(&Message::SetControl { id: BRIGHTNESS, value: 33 });
    wait_until("the control is set", || {
        (scene.camera.seen().controls.get("brightness") == Some(&33)).then_some(())
    });
    scene.unplug();
    let other = text_of("webcam").replace("A1B2C3D4", "Z9").replace("Plain Webcam", "Other Webcam");
    scene.camera.becomes(lsusb::parse(&other).expect("a camera"));
    let gap = scene.plug_in_and_see(0, &watcher);
    assert_back(gap.saturating_sub(ANOTHER_AFTER));
    let set = scene.camera.seen().controls;
    assert!(!set.contains_key("brightness"), "{set:?}");
    assert!(scene.log().contains("Other Webcam"), "{}", scene.log());

    scene.stop();
}

fn no_bandwidth(scene: &Scene) {
    const ENOSPC: i32 = 28;
    scene.plug("webcam");
    scene.camera.order(|orders| orders.refuse_start = Some(ENOSPC));
    scene.start("--size 640x480");
    let (start, watcher) = (Instant::now(), scene.watch());
    let said = watcher.told_after(start, "bandwidth");
    assert!(said.contains("a smaller --size"), "{said}");
    scene.camera.order(|orders| orders.refuse_start = None);
    assert_back(watcher.picture_after(Instant::now()));
    scene.stop();
}

fn halted(scene: &Scene) {
    let watcher = watched(scene, "--size 640x480");
    let start = Instant::now();
    scene.camera.order(|orders| orders.halt = true);
    watcher.told_after(start, "camera");
    scene.camera.order(|orders| orders.halt = false);
    assert_back(watcher.picture_after(Instant::now()));
    scene.stop();
}

/// A hub that loses its power for a moment takes its devices with it, and finds them anew.
fn hub_reset(scene: &Scene) {
    let watcher = watched(scene, "--size 640x480");
    let start = Instant::now();
    scene.switch_hubs(false);
    watcher.told_after(start, "was unplugged");
    scene.wait_for_no_node();
    let (fresh, given) = (scene.next_number(), Instant::now());
    scene.switch_hubs(true);
    assert_back(watcher.picture_from(fresh, given));
    assert_exact(&watcher.pictures_after(Instant::now(), 5));
    scene.stop();
}

fn a_control_that_fails(scene: &Scene) {
    scene.camera.order(|orders| orders.controls = [("brightness".into(), Manner::Stalls)].into());
    scene.plug("webcam");
    scene.start("--size 640x480 --set brightness=20 --set contrast=40");
    let (start, watcher) = (Instant::now(), scene.watch());
    print_gap(watcher.picture_after(start));
    assert_exact(&watcher.pictures_after(start, 5));
    let log = scene.log();
    let fails = "the camera fails to say what this control can be";
    assert!(log.contains(&format!("brightness=20: {fails}")), "{log}");
    assert_eq!(scene.camera.seen().controls.get("contrast"), Some(&40));
    let list = scene.guest.sh("lancam list");
    let said = format!("  brightness: {fails}");
    assert!(list.ok() && list.text().contains("contrast") && list.text().contains(&said), "{list}");
    scene.stop();
}

fn a_control_that_is_slow(scene: &Scene) {
    let watcher = watched(scene, "--size 640x480 --control lan");
    let slow = Manner::Takes(Duration::from_secs(6));
    scene.camera.order(|orders| orders.controls = [("brightness".into(), slow)].into());
    let mut client = NativeClient::connect(scene.guest.port(9999));
    let asked = Instant::now();
    client.say(&Message::SetControl { id: BRIGHTNESS, value: 33 });
    let answer = loop {
        match client.hear() {
            Said::Frame { facts, .. } => client.say(&Message::Ack { sequence: facts.sequence }),
            said @ (Said::Control { id: BRIGHTNESS, .. } | Said::Status { .. })
                if asked.elapsed() > Duration::from_secs(4) =>
            {
                break said;
            }
            Said::Closed => panic!("the camera closed the connection"),
            _ => {}
        }
    };
    let (took, pictures) = (asked.elapsed(), watcher.pictures_after(asked, 0).len());
    println!(
        "  answered after {:.1} s ({answer:?}), {pictures} pictures meanwhile",
        took.as_secs_f64()
    );
    assert!(pictures >= 5, "the picture stood still");
    assert_back(watcher.longest_gap(asked));
    scene.stop();
}
