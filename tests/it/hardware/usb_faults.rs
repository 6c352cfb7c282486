//! USB cameras that misbehave, on the kernel's own `uvcvideo`: what viewers see of each fault, and how soon the picture is back.
//!
//! One boot for all, since that is what takes minutes; each fault is a function with its sentence in [`FAULTS`], which is
//! also the table in docs/HARDWARE.md: `LANCAM_BLESS=1` writes it there. `LANCAM_FAULTS=unplugged` runs those alone whose
//! sentences have that word.

use crate::hardware::usb_scene::{Scene, Watcher, text_of};
use crate::tools::native_client::{NativeClient, Said};
use crate::tools::until::wait_until;
use crate::tools::usb_camera::{Flaw, Manner, Moment, lsusb};
use lancam::wire::native::message::Message;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

/// What is wrong, what comes of it, and the proof.
type Fault = (&'static str, &'static str, fn(&Scene));

const FAULTS: [Fault; 24] = [
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
    ("nothing but noise in the first second", "the picture comes after it", noise_at_first),
    (
        "nothing but noise, for ever",
        "viewers are told what is wrong with the frames; the log says it a few times, not for ever",
        noise_for_ever,
    ),
    ("silent for 2 s", "viewers are told; the picture is back", |scene| silent(scene, 2)),
    ("silent for 10 s", "the same", |scene| silent(scene, 10)),
    (
        "no bandwidth on the bus (ENOSPC)",
        "viewers are told what to do; the picture comes when there is some",
        no_bandwidth,
    ),
    ("its endpoint is halted", "the stream is begun anew; the picture is back", halted),
    (
        "a control that always fails (EPIPE)",
        "the picture comes, the log names the control",
        a_control_that_fails,
    ),
    ("a control that takes 6 s", "pictures go on while it is waited for", a_control_that_is_slow),
    (
        "descriptors that lie: frames of 0 bytes or 4 GiB, intervals of 0, a size twice",
        "listed and watched; where no buffers can be had for MJPG, YUYV is taken",
        lying_descriptors,
    ),
    ("200 frame sizes", "all are listed; the size that is asked for is taken", two_hundred_sizes),
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
    assert!(!scene.guest.sh("dmesg").text().contains("Internal error"), "the kernel itself failed");
    scene.guest.power_off();
}

#[test]
fn the_faults_that_are_proven_are_those_of_the_page() {
    let rows: String =
        FAULTS.iter().map(|(what, outcome, _)| format!("| {what} | {outcome} |\n")).collect();
    let table = format!("| fault | what comes of it |\n|---|---|\n{rows}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/HARDWARE.md");
    let page = std::fs::read_to_string(&path).expect("a page about hardware");
    if std::env::var_os("LANCAM_BLESS").is_some() {
        let start = page.find("| fault |").expect("a table of faults");
        let end = page[start..].find("\n\n").map_or(page.len(), |end| start + end + 1);
        std::fs::write(&path, [&page[..start], &table, &page[end..]].concat()).expect("it is ours");
        return;
    }
    assert!(page.contains(&table), "LANCAM_BLESS=1 makes the table of docs/HARDWARE.md anew");
}

/// Starts lancam with a webcam and a viewer who has seen a picture.
fn watched(scene: &Scene, options: &str) -> Watcher {
    scene.plug("webcam");
    scene.start(options);
    let (start, watcher) = (Instant::now(), scene.watch());
    watcher.picture_after(start);
    watcher
}

fn print_gap(gap: Duration) {
    println!("  a picture {} ms after the camera could give one (goal 1000)", gap.as_millis());
}

/// What a viewer was shown is whole: the camera's own bytes.
fn assert_exact(pictures: &[(Option<u64>, bool)]) {
    assert!(
        pictures.iter().all(|(_, is_exact)| *is_exact),
        "other bytes than the camera's: {pictures:?}"
    );
    assert!(pictures.is_sorted_by_key(|(number, _)| *number), "{pictures:?}");
}

fn unplugged_in_a_frame(scene: &Scene) {
    let watcher = watched(scene, "--size 640x480 --set brightness=20");
    let before = scene.camera.seen();
    assert_eq!(before.controls["brightness"], 20);
    let pulled = Instant::now();
    scene.camera.order(|orders| orders.unplug = Some(Moment::InFrame));
    watcher.told_after(pulled, "was unplugged");
    scene.unplug();
    let given = Instant::now();
    scene.plug_into(0);
    scene.wait_for_node();
    let node = Instant::now();
    let gap = watcher.picture_after(given);
    print_gap(gap.saturating_sub(node - given));
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
    let given = Instant::now();
    scene.plug_into(3);
    scene.wait_for_node();
    let node = Instant::now();
    print_gap(watcher.picture_after(given).saturating_sub(node - given));
    scene.stop();
}

fn unplugged_at_the_start(scene: &Scene) {
    scene.plug("webcam");
    scene.camera.order(|orders| orders.unplug = Some(Moment::Start));
    scene.start("--size 640x480");
    let watcher = scene.watch();
    wait_until("the plug is pulled", || {
        let mut is_pulled = false;
        scene.camera.order(|orders| is_pulled = orders.unplug.is_none());
        is_pulled.then_some(())
    });
    scene.unplug();
    let given = Instant::now();
    scene.plug_into(0);
    watcher.picture_after(given);
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
    let given = Instant::now();
    scene.plug_into(0);
    watcher.picture_after(given);
    scene.stop();
}

const BRIGHTNESS: u32 = 0x0098_0900;

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
    let given = Instant::now();
    scene.plug_into(0);
    scene.wait_for_node();
    let gap = watcher.picture_after(given);
    println!("  the other camera's picture after {:.1} s", gap.as_secs_f64());
    let set = scene.camera.seen().controls;
    assert!(!set.contains_key("brightness"), "{set:?}");
    assert!(scene.log().contains("Other Webcam"), "{}", scene.log());

    scene.stop();
}

/// Every so manieth frame has this flaw, and others are shown meanwhile.
fn spoilt(scene: &Scene, flaw: Flaw, every: u64, is_exact: bool) {
    let watcher = watched(scene, "--size 640x480");
    scene.camera.order(|orders| orders.flaw = Some((every, flaw)));
    let start = Instant::now();
    let pictures = watcher.pictures_after(start, 40);
    scene.camera.order(|orders| orders.flaw = None);
    if is_exact {
        assert_exact(&pictures);
    } else {
        assert!(pictures.iter().any(|(_, is_exact)| *is_exact), "{pictures:?}");
    }
    let log = scene.stop();
    let told = log.lines().filter(|line| line.contains("a frame ")).count();
    assert!(told <= 1, "it is said once:\n{log}");
}

fn noise_at_first(scene: &Scene) {
    scene.plug("webcam");
    scene.camera.order(|orders| orders.noise_at_start = 30);
    scene.start("--size 640x480");
    let (start, watcher) = (Instant::now(), scene.watch());
    let gap = watcher.picture_after(start);
    println!("  the first picture {} ms after a viewer came", gap.as_millis());
    assert_exact(&watcher.pictures_after(start, 10));
    scene.stop();
}

fn noise_for_ever(scene: &Scene) {
    let watcher = watched(scene, "--size 640x480");
    scene.camera.order(|orders| orders.flaw = Some((1, Flaw::Noise)));
    let start = Instant::now();
    watcher.told_after(start, "did not begin like a JPEG");
    let opened = || scene.camera.seen().frames;
    let before = opened();
    wait_until("the camera is tried again", || (opened() > before + 300).then_some(()));
    let lines = scene.log().lines().count();
    let before = opened();
    wait_until("and again", || (opened() > before + 300).then_some(()));
    assert!(scene.log().lines().count() <= lines + 1, "the log grows:\n{}", scene.log());
    scene.camera.order(|orders| orders.flaw = None);
    print_gap(watcher.picture_after(Instant::now()));
    scene.stop();
}

fn silent(scene: &Scene, seconds: u64) {
    let watcher = watched(scene, "--size 640x480");
    let start = Instant::now();
    let until = start + Duration::from_secs(seconds);
    scene.camera.order(|orders| orders.silent_until = Some(until));
    watcher.told_after(start, "no frame");
    print_gap(watcher.picture_after(until.max(Instant::now())));
    assert_exact(&watcher.pictures_after(until, 5));
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
    print_gap(watcher.picture_after(Instant::now()));
    scene.stop();
}

fn halted(scene: &Scene) {
    let watcher = watched(scene, "--size 640x480");
    let start = Instant::now();
    scene.camera.order(|orders| orders.halt = true);
    watcher.told_after(start, "camera");
    scene.camera.order(|orders| orders.halt = false);
    print_gap(watcher.picture_after(Instant::now()));
    scene.stop();
}

fn a_control_that_fails(scene: &Scene) {
    scene.camera.order(|orders| orders.controls = [("brightness".into(), Manner::Stalls)].into());
    let watcher = watched(scene, "--size 640x480 --set brightness=20 --set contrast=40");
    assert_exact(&watcher.pictures_after(Instant::now(), 5));
    let log = scene.log();
    assert!(log.contains("brightness=20"), "{log}");
    assert_eq!(scene.camera.seen().controls.get("contrast"), Some(&40));
    let list = scene.guest.sh("lancam list");
    assert!(list.ok() && list.text().contains("contrast"), "{list}");
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
    scene.stop();
}

fn lying_descriptors(scene: &Scene) {
    let honest = text_of("webcam");
    let field = |name: &str, value: &str| {
        let lie = |line: &str| match line.split_once(name) {
            Some((indent, _)) if indent.trim().is_empty() => format!("{indent}{name}  {value}"),
            _ => line.to_owned(),
        };
        honest.lines().map(lie).collect::<Vec<_>>().join("\n")
    };
    let twice = {
        let at = honest.find("      VideoStreaming Interface Descriptor:\n        bLength                             34").expect("a size");
        let end =
            honest[at + 10..].find("      VideoStreaming Interface Descriptor:").expect("another")
                + at
                + 10;
        format!("{}{}{}", &honest[..end], &honest[at..end], &honest[end..])
    };
    for (what, text) in [
        ("frames of 0 bytes", field("dwMaxVideoFrameBufferSize", "0")),
        ("frames of 4 GiB", field("dwMaxVideoFrameBufferSize", "4294967295")),
        ("intervals of 0", field("dwFrameInterval( 0)", "0")),
        ("default intervals of 0", field("dwDefaultFrameInterval", "0")),
        ("bits of 0", field("bBitsPerPixel", "0")),
        ("a size twice", twice),
    ] {
        scene.camera.becomes(lsusb::parse(&text).unwrap_or_else(|why| panic!("{what}: {why}")));
        scene.plug_into(0);
        scene.wait_for_node();
        let list = scene.guest.sh("lancam list");
        assert!(list.ok() && list.text().contains("640x480"), "{what}: {list}");
        scene.start("--size 640x480");
        let (start, watcher) = (Instant::now(), scene.watch());
        watcher.picture_after(start);
        println!("  {what}: {}", scene.camera.seen().committed.unwrap_or_default());
        scene.stop();
        scene.unplug();
    }
}

fn two_hundred_sizes(scene: &Scene) {
    let honest = text_of("webcam");
    let at = honest.find("      VideoStreaming Interface Descriptor:\n        bLength                             34").expect("a size");
    let end =
        honest[at + 10..].find("      VideoStreaming Interface Descriptor:").expect("another")
            + at
            + 10;
    let one = &honest[at..end];
    let sizes: String = (0..197)
        .map(|index| {
            let (width, height) = (160 + 16 * (index % 20), 120 + 8 * (index / 20));
            let line = |line: &str| match line.split_whitespace().next() {
                Some("bFrameIndex") => format!("        bFrameIndex  {}\n", index + 4),
                Some("wWidth") => format!("        wWidth  {width}\n"),
                Some("wHeight") => format!("        wHeight  {height}\n"),
                _ => format!("{line}\n"),
            };
            one.lines().map(line).collect::<String>()
        })
        .collect();
    // They follow the three of MJPG.
    let behind =
        honest.find("        bDescriptorSubtype                  13").expect("the colours");
    let behind =
        honest[..behind].rfind("      VideoStreaming Interface Descriptor:").expect("its title");
    let text = format!("{}{sizes}{}", &honest[..behind], &honest[behind..]);
    let text =
        text.replacen("bNumFrameDescriptors                 3", "bNumFrameDescriptors  200", 1);
    scene.camera.becomes(lsusb::parse(&text).expect("a camera"));
    scene.plug_into(0);
    scene.wait_for_node();
    let list = scene.guest.sh("lancam list --json");
    let sizes = list.text().matches("\"width\"").count();
    assert!(list.ok() && sizes >= 200, "{sizes}: {list}");
    scene.start("--size 416x192");
    let (start, watcher) = (Instant::now(), scene.watch());
    watcher.picture_after(start);
    let committed = scene.camera.seen().committed.unwrap_or_default();
    assert!(committed.starts_with("MJPG 416x192"), "{committed}");
    scene.stop();
}
