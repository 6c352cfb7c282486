//! Faults of [`usb_faults`](super::usb_faults) in the descriptors of a USB camera.

use crate::hardware::usb_scene::{Scene, print_gap, text_of};
use crate::tools::usb_camera::lsusb;
use std::ops::Range;
use std::time::Instant;

/// The title of the descriptor of each format and size.
const TITLE: &str = "      VideoStreaming Interface Descriptor:";

pub(crate) fn lying(scene: &Scene) {
    let honest = text_of("webcam");
    let field = |name: &str, value: &str| {
        let lie = |line: &str| match line.split_once(name) {
            Some((indent, _)) if indent.trim().is_empty() => format!("{indent}{name}  {value}"),
            _ => line.to_owned(),
        };
        honest.lines().map(lie).collect::<Vec<_>>().join("\n")
    };
    let a_size = a_size(&honest);
    let twice = format!("{}{}", &honest[..a_size.end], &honest[a_size.start..]);
    for (what, text) in [
        ("frames of 0 bytes", field("dwMaxVideoFrameBufferSize", "0")),
        ("frames of 4 GiB", field("dwMaxVideoFrameBufferSize", "4294967295")),
        ("intervals of 0", field("dwFrameInterval( 0)", "0")),
        ("default intervals of 0", field("dwDefaultFrameInterval", "0")),
        ("bits of 0", field("bBitsPerPixel", "0")),
        ("a size twice", twice),
    ] {
        is_listed_and_watched(scene, what, &text, "640x480");
    }
}

pub(crate) fn with_holes(scene: &Scene) {
    let honest = text_of("webcam");
    let index = |line: &str| match line.split_whitespace().collect::<Vec<_>>()[..] {
        ["bFrameIndex", "2"] => "bFrameIndex 20".into(),
        ["bFrameIndex", "3"] => "bFrameIndex 255".into(),
        ["bFormatIndex", "2"] => "bFormatIndex 9".into(),
        _ => line.to_owned(),
    };
    let holes: String = honest.lines().map(|line| index(line) + "\n").collect();
    is_listed_and_watched(scene, "holes", &holes, "1280x720");
    let title_of = |subtype| {
        let at = honest.find(subtype).expect("a format");
        honest[..at].rfind(TITLE).expect("its title")
    };
    let (start, end) = (title_of("(FORMAT_MJPEG)"), title_of("(FORMAT_UNCOMPRESSED)"));
    let twice = format!("{}{}", &honest[..end], &honest[start..]);
    is_listed_and_watched(scene, "a format twice", &twice, "640x480");
}

fn is_listed_and_watched(scene: &Scene, what: &str, text: &str, size: &str) {
    scene.camera.becomes(lsusb::parse(text).unwrap_or_else(|why| panic!("{what}: {why}")));
    scene.plug_into(0);
    scene.wait_for_node();
    let list = scene.guest.sh("lancam list");
    assert!(list.ok() && list.text().contains(size), "{what}: {list}");
    scene.start(&format!("--size {size}"));
    let (start, watcher) = (Instant::now(), scene.watch());
    print_gap(watcher.picture_after(start));
    let committed = scene.camera.seen().committed.unwrap_or_default();
    assert!(committed.contains(size), "{what}: {committed}");
    println!("  {what}: {committed}");
    scene.stop();
    scene.unplug();
}

/// The place of the first descriptor of a size with two rates.
fn a_size(text: &str) -> Range<usize> {
    let head = format!("{TITLE}\n        bLength                             34");
    let start = text.find(&head).expect("a size");
    let end = text[start + TITLE.len()..].find(TITLE).expect("another") + start + TITLE.len();
    start..end
}

pub(crate) fn two_hundred_sizes(scene: &Scene) {
    let honest = text_of("webcam");
    let one = &honest[a_size(&honest)];
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
    // The new sizes follow the three of MJPG.
    let behind =
        honest.find("        bDescriptorSubtype                  13").expect("the colours");
    let behind = honest[..behind].rfind(TITLE).expect("its title");
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
    print_gap(watcher.picture_after(start));
    let committed = scene.camera.seen().committed.unwrap_or_default();
    assert!(committed.starts_with("MJPG 416x192"), "{committed}");
    scene.stop();
}
