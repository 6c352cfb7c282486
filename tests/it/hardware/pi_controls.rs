//! A real driver's controls, with every unusual kind: listed, set, and checked with v4l2-ctl.

use crate::hardware::pi::{NOT_OPEN, boot, run, start, stop, viewer};
use crate::tools::native_client::{NativeClient, Said};
use crate::tools::rig::{Guest, Machine, Output};
use lancam::image::pixels::Size;
use lancam::wire::native::message::Message;
use std::time::{Duration, Instant};

#[test]
fn the_controls_of_a_real_driver_are_listed_and_set_and_set_again() {
    let Some(guest) = boot(Machine::Virt) else { return };
    every_odd_control_is_listed(&guest);
    what_is_asked_is_what_v4l2_ctl_reads(&guest);
    what_cannot_be_is_told_and_keeps_nobody_from_streaming(&guest);
    a_camera_that_was_plugged_in_again_is_told_again(&guest);
    a_viewer_sets_controls_while_frames_flow(&guest);
    a_camera_that_can_stand_on_its_head_does_it_itself(&guest);
    guest.power_off();
}

const DEADLINE: Duration = Duration::from_secs(20);

/// What v4l2-ctl reads, one control a line, such as `brightness: 200`.
fn controls(guest: &Guest, names: &str) -> Vec<String> {
    let read = read_controls(guest, names);
    assert!(read.ok(), "{read}");
    lines(&read)
}

fn read_controls(guest: &Guest, names: &str) -> Output {
    guest.sh(&format!("v4l2-ctl -d $(ls /dev/video* | head -1) -C {names}"))
}

fn lines(read: &Output) -> Vec<String> {
    read.text().lines().map(|line| line.trim().to_owned()).collect()
}

fn log(guest: &Guest) -> String {
    guest.sh(&format!("sed '{NOT_OPEN}' /tmp/log")).text()
}

fn assert_log(guest: &Guest, lines: &[&str]) {
    let log = log(guest);
    for line in lines {
        assert!(log.contains(line), "{line:?} is missing in:\n{log}");
    }
}

fn every_odd_control_is_listed(guest: &Guest) {
    let list = guest.sh("lancam list");
    let text = list.text();
    assert!(list.ok() && !text.contains("panicked"), "{list}");
    for line in [
        "  User Controls\n",
        "  Vivid Controls\n",
        "brightness                     integer       0 to 255, default 128, now 128\n",
        "gain                           integer       0 to 255, default 100, now ",
        " (inactive, volatile)\n",
        "boolean                        boolean       default on, now on\n",
        "integer_64_bits                integer64     -9223372036854775808 to 9223372036854775807,",
        "menu                           menu          default 3 (Menu Item 3), now 3 (Menu Item 3)\n",
        "      1 Menu Item 1\n      3 Menu Item 3\n      4 Menu Item 4\n",
        "string                         text          2 to 4 bytes, now \"  \"\n",
        "bitmask                        bitmask       bits of 0x80402010, default 0x80002000, now ",
        "integer_menu                   integer menu  default 4 (5), now 4 (5)\n",
        "      8 42\n",
        "u32_1_element_array            u32 array 1",
        "u16_8x16_matrix                u16 array 8x16",
        "u8_2x3x4x5_array               u8 array 2x3x4x5",
        "area                           area",
        "read_only_integer_32_bits      integer       0 to 255, default 0, now 0 (read-only)\n",
        "button                         button        (write-only)\n",
    ] {
        assert!(text.contains(line), "{line:?} is missing in:\n{text}");
    }
    // Both programs must find the same number of controls.
    let theirs = guest.sh("v4l2-ctl -L | grep -c ' 0x00[0-9a-f]* ('");
    let ours = guest.sh("lancam list --json | grep -o '\"title\"' | wc -l");
    assert_eq!(ours.text().trim(), theirs.text().trim());
    println!("{} controls of vivid are listed", ours.text().trim());
}

fn what_is_asked_is_what_v4l2_ctl_reads(guest: &Guest) {
    let settings = [
        "brightness=200",
        "\"Menu=menu item 4\"",
        "integer_menu=42",
        "boolean=off",
        "string=abc",
        "bitmask=0x80000000",
        "integer_64_bits=77777777777777",
        "button=press",
        "gain=20",
        "gain_automatic=off",
        "rx_rgb_quantization_range=2",
    ];
    let options: Vec<String> = settings.iter().map(|it| format!("--set {it}")).collect();
    start(guest, &format!("--size 640x360 {}", options.join(" ")));
    viewer(guest).frame();
    assert_eq!(
        controls(guest, "brightness,menu,integer_menu,boolean,string,bitmask,integer_64_bits,gain"),
        [
            "brightness: 200",
            "menu: 4 (Menu Item 4)",
            "integer_menu: 8 (42 0x2a)",
            "boolean: 0",
            "string: 'abc'",
            "bitmask: -2147483648",
            "integer_64_bits: 77777777777777",
            "gain: 20",
        ]
    );
    assert_log(
        guest,
        &[
            "camera /dev/video0: set brightness=200, menu=4 (Menu Item 4), integer_menu=8 (42), ",
            "gain=20, gain_automatic=off",
        ],
    );
    let log = log(guest);
    assert!(!log.contains("WARN"), "{log}");
    assert_eq!(log.matches("brightness=200").count(), 1, "told once: {log}");
    stop(guest);
}

fn what_cannot_be_is_told_and_keeps_nobody_from_streaming(guest: &Guest) {
    run(guest, "v4l2-ctl -c brightness=100");
    start(
        guest,
        "--size 640x360 --set brightness=300 --set brightnes=3 --set menu=2 --set string=abcde \
         --set read_only_integer_32_bits=1 --set u32_dynamic_array=1 --set area=1x1 --set hue=-7 \
         --set user_controls=1 --set warp=9",
    );
    viewer(guest).frame();
    assert_log(
        guest,
        &[
            "brightness=300: it must be 0 to 255",
            "brightnes=3: the camera has no such control; did you mean brightness?",
            "menu=2: it must be 1 (Menu Item 1), 3 (Menu Item 3) or 4 (Menu Item 4)",
            "string=abcde: it must be a text of 2 to 4 bytes",
            "read_only_integer_32_bits=1: it can only be read",
            "area=1x1: lancam cannot set a control of type \"area\"",
            "user_controls=1: it is the title of a group, not a control",
            "warp=9: the camera has no such control; lancam list shows them",
            "set hue=-7",
        ],
    );
    assert_eq!(controls(guest, "brightness,hue"), ["brightness: 100", "hue: -7"]);
    stop(guest);
    let wrong = guest.sh("lancam --set brightness");
    assert!(wrong.status == 2 && wrong.text().contains("NAME=VALUE"), "{wrong}");
}

fn a_camera_that_was_plugged_in_again_is_told_again(guest: &Guest) {
    start(guest, "--size 640x360 --fps 40 --set brightness=77");
    let mut client = viewer(guest);
    client.frame();
    let driver = "/sys/bus/platform/drivers/vivid";
    run(guest, &format!("echo vivid.0 >{driver}/unbind"));
    run(guest, &format!("echo vivid.0 >{driver}/bind"));
    wait_for_frames_again(guest, &mut client);
    assert_eq!(controls(guest, "brightness"), ["brightness: 77"]);
    stop(guest);
}

/// Waits until the log says that the camera was opened a second time.
fn wait_for_frames_again(guest: &Guest, client: &mut NativeClient) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while log(guest).matches("capturing from").count() < 2 {
        assert!(Instant::now() < deadline, "{}", log(guest));
    }
    client.frame();
}

/// A viewer sets the brightness: the picture becomes brighter, and the driver reports the value. When the
/// camera is opened again, it gets the viewer's value, although an option says otherwise.
fn a_viewer_sets_controls_while_frames_flow(guest: &Guest) {
    if !guest.sh("lancam --help").text().contains("--control ") {
        crate::tools::skip::skip("controls by the wire", "this lancam has no --control");
        return;
    }
    const BRIGHTNESS: u32 = 0x0098_0900;
    const FLIP: u32 = 0x0098_0914;
    start(
        guest,
        "--size 640x360 --set test_pattern=0 --set brightness=128 --set hue=default --control lan \
         --idle-stop 1",
    );
    let mut client = viewer(guest);
    // The red of the third bar, which is off in the pattern.
    let red = |client: &mut NativeClient| {
        crate::tools::native_client::look(&client.frame().1).0.rgb(200, 180)[0]
    };
    let before = red(&mut client);
    client.say(&Message::ListControls);
    let Said::ControlList { count, .. } = client.hear_of_controls() else { panic!("no list") };
    let listed: Vec<Said> = (0..count).map(|_| client.hear_of_controls()).collect();
    let is_there = |id: u32| {
        listed.iter().any(|said| matches!(said, Said::Control { id: listed, .. } if *listed == id))
    };
    assert!(is_there(BRIGHTNESS) && is_there(FLIP), "{listed:?}");
    client.say(&Message::SetControl { id: BRIGHTNESS, value: 200 });
    let Said::Control { id: BRIGHTNESS, value: 200, .. } = client.hear_of_controls() else {
        panic!("not granted");
    };
    let deadline = Instant::now() + Duration::from_secs(20);
    while red(&mut client) < before + 40 {
        assert!(Instant::now() < deadline, "the picture does not become brighter than {before}");
    }
    assert_eq!(controls(guest, "brightness"), ["brightness: 200"]);
    client.say(&Message::SetControl { id: BRIGHTNESS, value: 256 });
    // Changes by the camera itself may come before the refusal.
    let refused = loop {
        if let Said::Status { text, .. } = client.hear_of_controls() {
            break text;
        }
    };
    assert_eq!(refused, "Brightness=256: it must be 0 to 255");
    drop(client);
    wait_for_log(guest, ": off until somebody watches");
    run(guest, "v4l2-ctl -d $(ls /dev/video* | head -1) -c brightness=10");
    viewer(guest).frame();
    assert_eq!(controls(guest, "brightness"), ["brightness: 200"]);
    assert_log(guest, &["viewers have set Brightness=200"]);
    stop(guest);
}

/// vivid mirrors with its own controls, so lancam does not have to turn the pictures.
fn a_camera_that_can_stand_on_its_head_does_it_itself(guest: &Guest) {
    if !guest.sh("lancam --help").text().contains("--rotate ") {
        crate::tools::skip::skip("turning by controls", "this lancam has no --rotate");
        return;
    }
    run(guest, "v4l2-ctl -d $(ls /dev/video* | head -1) -c vertical_flip=1");
    let flips = "horizontal_flip,vertical_flip";
    let left_as_found = ["horizontal_flip: 0", "vertical_flip: 1"];
    start(
        guest,
        "--size 640x360 --set test_pattern=1 --set brightness=default --set hue=default --rotate 180",
    );
    let (facts, jpeg) = viewer(guest).frame();
    assert_eq!(facts.size, Size::new(640, 360));
    let (picture, _) = crate::tools::native_client::look(&jpeg);
    let (left, right) = (picture.rgb(20, 180), picture.rgb(620, 180));
    assert!(left.iter().all(|&part| part < 16), "black is on the left: {left:?}");
    assert!(right.iter().all(|&part| part > 239), "white is on the right: {right:?}");
    assert_eq!(controls(guest, flips), ["horizontal_flip: 1", "vertical_flip: 1"]);
    assert_log(guest, &["turned by 180 degrees, by the camera's own controls"]);
    stop(guest);
    wait_for_controls(guest, flips, &left_as_found);

    // lancam turns by 90 degrees itself. A control that was left on would turn the picture the wrong way.
    start(guest, "--size 640x360 --rotate 90");
    viewer(guest).frame();
    assert_eq!(controls(guest, flips), ["horizontal_flip: 0", "vertical_flip: 0"]);
    stop(guest);
    wait_for_controls(guest, flips, &left_as_found);
}

fn wait_for_log(guest: &Guest, line: &str) {
    let deadline = Instant::now() + DEADLINE;
    while !log(guest).contains(line) {
        assert!(Instant::now() < deadline, "{line:?} is missing in:\n{}", log(guest));
    }
}

/// Waits until v4l2-ctl reads these values. On a busy machine, v4l2-ctl failed once while lancam closed the
/// camera.
fn wait_for_controls(guest: &Guest, names: &str, values: &[&str]) {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let read = read_controls(guest, names);
        if read.ok() && lines(&read) == values {
            return;
        }
        if !read.ok() {
            println!("v4l2-ctl failed: {read}");
        }
        assert!(Instant::now() < deadline, "not {values:?}: {read}");
    }
}
