//! The static program with the kernel's own `uvcvideo`. The USB cameras are software, plugged into the
//! emulated Pi.

use crate::hardware::usb_models::a_model_is_as_its_row_says;
use crate::hardware::usb_scene::{Scene, assert_exact, model, text_of};
use crate::tools::camera_process::PATIENCE;
use crate::tools::usb_camera::{Kind, Transfers, lsusb};
use std::time::Instant;

#[test]
fn a_webcam_on_the_real_driver_is_listed_watched_and_refused_for_h264_alone() {
    let Some(scene) = Scene::boot() else { return };
    scene.plug("webcam");
    it_is_listed(&scene);
    every_frame_arrives_in_order(&scene, "--size 640x480", 60, true);
    every_frame_arrives_in_order(&scene, "--size 640x480 --format YUYV", 20, false);
    scene.unplug();
    a_model_is_as_its_row_says(&scene, "logitech-c270");
    h264_alone_is_refused_with_what_it_is(&scene);
    scene.guest.power_off();
}

#[test]
#[ignore = "minutes: make test-all"]
fn of_each_format_300_frames_arrive_in_order_from_the_real_driver() {
    let Some(scene) = Scene::boot() else { return };
    scene.plug("webcam");
    selftest_measures_it(&scene);
    every_frame_arrives_in_order(&scene, "--size 640x480", 300, true);
    every_frame_arrives_in_order(&scene, "--size 1280x720", 300, true);
    every_frame_arrives_in_order(&scene, "--size 640x480 --format YUYV", 300, false);
    scene.unplug();
    scene.plug("bulk");
    every_frame_arrives_in_order(&scene, "--size 640x480 --format NV12", 300, false);
    scene.guest.power_off();
}

fn it_is_listed(scene: &Scene) {
    let list = scene.guest.sh("lancam list");
    let text = list.text();
    for line in [
        "/dev/video0\n  Plain Webcam: Plain Webcam (/dev/video0, uvcvideo, usb-vhci_hcd.0-1)\n",
        "  MJPG Motion-JPEG\n    640x480  30, 15 fps\n    1280x720  30, 15 fps\n    320x240  30, 15 fps\n",
        "  YUYV YUYV 4:2:2\n    640x480  30, 15 fps\n    320x240  30, 15 fps\n",
        " integer       -64 to 64, default 0, now 0\n",
        " integer       2800 to 6500, default 4600, now 4600 (inactive)\n",
        " menu          default 3 (Aperture Priority Mode), now 3 (Aperture Priority Mode)\n",
        "/dev/video1 (Plain Webcam: Plain Webcam, uvcvideo): a metadata node: it has no pictures\n",
    ] {
        assert!(list.ok() && text.contains(line), "{line:?} is missing in:\n{list}");
    }
}

fn selftest_measures_it(scene: &Scene) {
    let test = scene.guest.sh("lancam selftest");
    let text = test.text();
    assert!(test.ok() && text.contains("Plain Webcam"), "{test}");
    let measured = text.lines().find(|line| line.starts_with("measured")).unwrap_or_default();
    assert!(measured.contains("1280x720 MJPG"), "{test}");
    println!("{measured}");
}

/// A viewer takes `count` frames. Their numbers must rise, and JPEGs must have exactly the camera's bytes.
/// Raw frames are so large that their numbers can be read at half the size too, which lancam sends over a
/// busy machine's slow link.
fn every_frame_arrives_in_order(scene: &Scene, options: &str, count: usize, is_jpeg: bool) {
    scene.start(options);
    let (start, watcher) = (Instant::now(), scene.watch());
    let deadline = start + PATIENCE * u32::try_from(count / 10).expect("a few frames");
    while watcher.events().len() < count {
        assert!(
            Instant::now() < deadline,
            "{options}: only {:?}\n{}",
            watcher.events().len(),
            scene.log()
        );
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let pictures = watcher.pictures_after(start, count);
    let seconds = start.elapsed().as_secs_f64();
    let unread: Vec<usize> =
        (0..pictures.len()).filter(|&index| pictures[index].0.is_none()).collect();
    assert_eq!(unread, [0_usize; 0], "{options}: these pictures do not show their number");
    let numbers: Vec<u64> = pictures.iter().filter_map(|(number, _)| *number).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "{options}: {numbers:?}");
    assert!(
        pictures.iter().all(|(_, is_exact)| *is_exact == is_jpeg),
        "{options}: other bytes than the camera's"
    );
    let (first, last) = (numbers[0], numbers[numbers.len() - 1]);
    println!("{options}: {count} frames of {} in {seconds:.1} s, in order", last - first + 1);
    let log = scene.stop();
    // On a busy machine the emulated one may stand still for a second.
    let is_wrong = |line: &&str| line.contains("WARN") && !line.contains("gave no frame for");
    assert_eq!(log.lines().find(is_wrong), None, "{log}");
}

fn h264_alone_is_refused_with_what_it_is(scene: &Scene) {
    scene.plug("h264");
    let output = scene.guest.sh("lancam --listen 127.0.0.1:0 --source /dev/video0");
    assert_eq!(output.status, 69, "{output}");
    let said = output.text();
    assert!(
        said.contains("it offers H264 up to 1920x1080; lancam takes JPEGs or raw pictures"),
        "{output}"
    );
    let list = scene.guest.sh("lancam list");
    assert!(list.text().contains("H264"), "{list}");
}

#[test]
#[ignore = "minutes: make test-all"]
fn two_cameras_in_one_device_are_told_apart() {
    let Some(scene) = Scene::boot() else { return };
    scene.camera.becomes(lsusb::parse(&twofold()).expect("a camera"));
    scene.plug_into(0);
    scene.wait_for_camera("Infrared");
    let list = scene.guest.sh("lancam list");
    for line in [
        "/dev/video0\n  Plain Webcam: Plain Webcam (/dev/video0, uvcvideo, usb-vhci_hcd.0-1)\n",
        "/dev/video2\n  Plain Webcam: Infrared (/dev/video2, uvcvideo, usb-vhci_hcd.0-1)\n",
    ] {
        assert!(list.ok() && list.text().contains(line), "{line:?} is missing in:\n{list}");
    }
    let listed = list.text().matches(" integer       -64 to 64, default 0, now 0\n").count();
    assert_eq!(listed, 2, "each has its brightness: {list}");
    let cameras = [
        ("/dev/video2", "Plain Webcam: Infrared", "320x240", "brightness@2"),
        ("/dev/video0", "Plain Webcam: Plain Webcam", "640x480", "brightness"),
    ];
    for (node, name, size, brightness) in cameras {
        scene.start(&format!("--source {node} --size {size} --set brightness=20"));
        let (start, watcher) = (Instant::now(), scene.watch());
        assert_exact(&watcher.pictures_after(start, 10));
        let seen = scene.camera.seen();
        assert_eq!(seen.controls.get(brightness), Some(&20), "{:?}", seen.controls);
        let committed = seen.committed.unwrap_or_default();
        assert!(committed.contains(size), "{node}: {committed}");
        let log = scene.stop();
        assert!(log.contains(name), "{node}: {log}");
    }
    scene.guest.power_off();
}

/// The webcam with a second camera in it: interfaces 2 and 3, endpoints 2 and 4.
fn twofold() -> String {
    let text = text_of("webcam");
    let at = text.find("    Interface Association:").expect("a function");
    let (head, function) = text.split_at(at);
    let field = |line: &str| match line.split_whitespace().collect::<Vec<_>>()[..] {
        ["bFirstInterface" | "bInterfaceNumber", "0"] => "bInterfaceNumber 2".into(),
        ["bInterfaceNumber", "1"] => "bInterfaceNumber 3".into(),
        ["baInterfaceNr(", "0)", "1"] => "baInterfaceNr( 0) 3".into(),
        ["bEndpointAddress", "0x81", ..] => "bEndpointAddress 0x82".into(),
        ["bEndpointAddress", "0x83", ..] => "bEndpointAddress 0x84".into(),
        ["iFunction", ..] => "iFunction 5 Infrared".into(),
        _ => line.to_owned(),
    };
    let second: String = function.lines().map(|line| field(line) + "\n").collect();
    let head: String = head
        .lines()
        .map(|line| if line.contains("bNumInterfaces") { "bNumInterfaces 4" } else { line })
        .map(|line| line.to_owned() + "\n")
        .collect();
    [&head, function, &second].concat()
}

#[test]
fn a_device_may_be_two_cameras_and_a_microphone() {
    let two = lsusb::parse(&twofold()).expect("a camera");
    assert_eq!(two.control_interfaces(), [0, 2]);
    assert_eq!(two.units(0), two.units(2));
    let ends: Vec<(u8, u8)> =
        two.streaming().iter().map(|streaming| (streaming.interface, streaming.endpoint)).collect();
    assert_eq!(ends, [(1, 1), (3, 2)]);
    assert_eq!(Vec::from_iter(two.isochronous()), [0x81, 0x82]);
    assert_eq!(two.strings[&5], "Infrared");
    // Its microphone's endpoint is isochronous too.
    let c922 = model("models/logitech-c922");
    assert_eq!(Vec::from_iter(c922.isochronous()), [0x81, 0x82]);
}

#[test]
fn cameras_are_read_from_what_lsusb_says_of_them() {
    let webcam = model("webcam");
    assert_eq!(webcam.device[8..12], [0x09, 0x12, 0x01, 0x00]);
    assert_eq!(webcam.strings[&3], "A1B2C3D4");
    let streaming = &webcam.streaming()[0];
    let kinds: Vec<Kind> = streaming.formats.iter().map(|format| format.kind).collect();
    assert_eq!(kinds, [Kind::Mjpeg, Kind::Raw(*b"YUY2", 16)]);
    let Transfers::Isochronous(settings) = &streaming.transfers else { panic!("{streaming:?}") };
    assert_eq!(settings[&6], 3 * 1024, "a high-bandwidth endpoint");
    let size = &streaming.formats[0].sizes[1];
    assert_eq!(
        (size.width, size.height, &size.intervals[..]),
        (1280, 720, &[333_333, 666_666][..])
    );
    // The parser computes the total lengths of the configuration and of both class-specific headers.
    let whole = &webcam.configuration;
    assert_eq!(usize::from(u16::from_le_bytes([whole[2], whole[3]])), whole.len());
    let header = whole.windows(5).position(|part| part == [13, 0x24, 1, 0, 1]).expect("a header");
    assert_eq!(u16::from_le_bytes([whole[header + 5], whole[header + 6]]), 13 + 18 + 11 + 9);

    let bulk = model("bulk");
    assert_eq!((bulk.uvc(), &bulk.streaming()[0].transfers), (0x0150, &Transfers::Bulk));
    assert_eq!(bulk.device[16], 0, "no serial number");
    // What lsusb shows as part of an endpoint of USB 3 is a descriptor of its own, after it. There the unit
    // of current is 8 mA.
    let brio = model("models/logitech-brio");
    assert_eq!((brio.speed.number(), brio.configuration[8]), (5, 112));
    let Transfers::Isochronous(settings) = &brio.streaming()[0].transfers else { panic!() };
    assert_eq!(settings.values().max(), Some(&(10 * 3 * 1024)), "ten packets, three times");
    assert!(brio.configuration.windows(6).any(|part| part == [6, 0x30, 9, 2, 0x00, 0x78]));
    assert_eq!(model("models/purethermal-2").speed.number(), 2, "full speed");

    let h264 = model("h264");
    assert_eq!(h264.streaming()[0].formats[0].kind, Kind::Stream(*b"H264"));
}
