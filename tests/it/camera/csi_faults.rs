//! Faults of the program that drives a ribbon camera: viewers stay connected and get the reason, and pictures
//! come again when the fault is over.

use crate::tools::camera_process::{CameraProcess, PATIENCE};
use crate::tools::http_client::get;
use crate::tools::native_client::{NativeClient, Said};
use crate::tools::rpicam::{Rpicam, runs};
use crate::tools::until::wait_until;
use lancam::wire::native::message::{Message, StatusCode};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::{Duration, Instant};

const SMALL: [&str; 6] = ["--size", "320x180", "--fps", "60", "--csi-format", "yuv420"];

/// Takes frames until the viewer gets a status whose text contains `part`.
#[track_caller]
fn told(viewer: &mut NativeClient, part: &str) -> (StatusCode, String) {
    let deadline = Instant::now() + PATIENCE;
    let mut others = Vec::new();
    loop {
        assert!(Instant::now() < deadline, "{part:?} was not told, but {others:?}");
        match viewer.hear() {
            Said::Status { code, text } if text.contains(part) => return (code, text),
            Said::Status { text, .. } => others.push(text),
            Said::Frame { facts, .. } => viewer.say(&Message::Ack { sequence: facts.sequence }),
            Said::Closed => panic!("the viewer was let go"),
            _ => {}
        }
    }
}

/// A viewer watches a camera with this fault and gets a status that contains `part`. Then the fault ends, and
/// pictures come.
fn is_told_and_it_goes_on(fault: &str, part: &str) -> (StatusCode, String) {
    let rpicam = Rpicam::with_fault(fault);
    let camera = rpicam.camera(&SMALL);
    let mut viewer = NativeClient::connect(camera.port());
    let told = told(&mut viewer, part);
    let state = get(camera.port(), "/state");
    if told.0 != StatusCode::CameraLost {
        assert!(state.text().contains(part), "{}", state.text());
    }
    rpicam.set_fault("");
    let over_at = Instant::now();
    viewer.frame();
    let gap = over_at.elapsed();
    println!("{fault}: a picture came {gap:?} after it was over (goal 2 s)");
    // Another child may have hung meanwhile.
    let most = if fault.starts_with("hangs") { 30 } else { 10 };
    assert!(gap < Duration::from_secs(most), "{fault}: {gap:?}");
    assert_eq!(rpicam.running().len(), 1, "one child runs");
    told
}

#[test]
fn what_the_program_says_when_it_cannot_is_told_in_words_that_help() {
    for (fault, code, part) in [
        ("no-camera", StatusCode::NoCamera, "camera_auto_detect=1"),
        ("in-use", StatusCode::CameraRefused, "in use by another program"),
        ("mode-refused", StatusCode::CameraRefused, "--size 1280x720"),
        ("no-memory", StatusCode::CameraRefused, "CMA"),
    ] {
        let (found, text) = is_told_and_it_goes_on(fault, part);
        assert_eq!(found, code, "{text}");
    }
}

#[test]
fn a_child_that_ends_is_replaced_and_its_last_words_are_told() {
    let (_, text) = is_told_and_it_goes_on("dies-after 50", "the sensor went away");
    assert!(text.contains("exit code 255"), "{text}");
    is_told_and_it_goes_on("half-a-frame", "in the middle of a frame");
}

#[test]
fn what_a_viewer_sets_and_the_program_does_not_know_is_taken_back_and_told() {
    const FLICKER: u32 = 0x0098_0918;
    let rpicam = Rpicam::with_fault("old");
    let camera = rpicam.camera(&[&SMALL[..], &["--control", "lan"]].concat());
    let mut viewer = NativeClient::connect(camera.port());
    viewer.frame();
    let set_at = Instant::now();
    viewer.say(&Message::SetControl { id: FLICKER, value: 1 });
    let (_, text) = told(&mut viewer, "flicker-period=10000us");
    assert!(text.contains("unrecognised option '--flicker-period'"), "{text}");
    viewer.frame();
    let gap = set_at.elapsed();
    println!("a picture came {gap:?} after the setting");
    assert!(gap < Duration::from_secs(10), "{gap:?}");
    let last = rpicam.starts().pop().expect("a start");
    assert!(!last.arguments.iter().any(|it| it.contains("flicker")), "{last:?}");
    assert_eq!(rpicam.running(), [last.process]);
}

#[test]
fn what_a_child_said_before_its_pictures_does_not_explain_its_end() {
    let rpicam = Rpicam::with_fault("busy-then-dies-after 120");
    let camera = rpicam.camera(&SMALL);
    let mut viewer = NativeClient::connect(camera.port());
    told(&mut viewer, "the sensor went away");
}

#[test]
fn a_camera_that_is_asked_for_too_much_is_tried_less_often_and_still_each_second() {
    let rpicam = Rpicam::with_fault("no-memory");
    let camera = rpicam.camera(&SMALL);
    let mut viewer = NativeClient::connect(camera.port());
    told(&mut viewer, "CMA");
    // The pauses start at 50 ms and double. They stay short enough for a picture within 2 s.
    let starts =
        wait_until("more starts", || Some(rpicam.starts()).filter(|starts| starts.len() >= 9));
    let gaps: Vec<_> = starts.windows(2).map(|pair| pair[1].at.since(pair[0].at)).collect();
    assert!(gaps[5..].iter().all(|gap| *gap >= Duration::from_secs(1)), "{gaps:?}");
    assert!(gaps[6..].iter().any(|gap| *gap < Duration::from_secs(2)), "{gaps:?}");
}

#[test]
fn a_childs_end_is_known_where_lancam_was_started_with_sigchld_ignored() {
    let rpicam = Rpicam::with_fault("dies-after 10");
    let lancam = rpicam.command(&SMALL);
    // dash cannot start a program with SIGCHLD ignored. `env` can.
    let mut command = Command::new("env");
    command.arg("--ignore-signal=CHLD").arg(lancam.get_program()).args(lancam.get_args());
    for (name, value) in lancam.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let camera = CameraProcess::spawn(&mut command);
    told(&mut NativeClient::connect(camera.port()), "exit code 255");
}

#[test]
fn a_child_that_leaves_the_pipe_to_its_own_children_is_replaced_and_they_end() {
    let rpicam = Rpicam::with_fault("grandchild");
    let camera = rpicam.camera(&SMALL);
    let mut viewer = NativeClient::connect(camera.port());
    told(&mut viewer, "exit code 255");
    let group = rpicam.starts()[0].process;
    rpicam.set_fault("");
    viewer.frame();
    wait_until("the end of the group", || members(group).is_empty().then_some(()));
}

/// The running processes of a group.
fn members(group: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").expect("it is there").flatten();
    let numbers = processes.filter_map(|it| it.file_name().to_str()?.parse::<u32>().ok());
    let is_member = |process: &u32| {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        // After the name: state, parent, group.
        let of_group = stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(2));
        of_group == Some(group.to_string().as_str()) && runs(*process)
    };
    numbers.filter(is_member).collect()
}

#[test]
fn a_program_that_is_missing_or_may_not_be_executed_is_told_and_used_once_it_can_be() {
    let rpicam = Rpicam::new();
    let program = rpicam.path();
    let elsewhere = program.with_extension("moved");
    fs::rename(&program, &elsewhere).expect("renames");
    let camera = rpicam.camera(&SMALL);
    let mut viewer = NativeClient::connect(camera.port());
    told(&mut viewer, "there is no program");
    fs::set_permissions(&elsewhere, fs::Permissions::from_mode(0o644)).expect("sets");
    fs::rename(&elsewhere, &program).expect("renames");
    told(&mut viewer, "chmod +x");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("sets");
    viewer.frame();
}

#[test]
fn a_program_that_is_installed_later_waits_for_a_viewer_too() {
    let rpicam = Rpicam::new();
    let program = rpicam.path();
    let elsewhere = program.with_extension("moved");
    fs::rename(&program, &elsewhere).expect("renames");
    let camera = rpicam.camera(&SMALL);
    let state_has = |part: &str| {
        wait_until(part, || get(camera.port(), "/state").text().contains(part).then_some(()));
    };
    state_has("there is no program");
    fs::rename(&elsewhere, &program).expect("renames");
    state_has("\"resting\"");
    assert_eq!(rpicam.starts(), [], "nobody has watched");
    NativeClient::connect(camera.port()).frame();
}

#[test]
fn a_child_that_failed_before_the_viewer_left_waits_for_the_next_one() {
    let rpicam = Rpicam::with_fault("in-use");
    let camera = rpicam.camera(&SMALL);
    let mut viewer = NativeClient::connect(camera.port());
    told(&mut viewer, "in use by another program");
    drop(viewer);
    wait_until("rest", || {
        get(camera.port(), "/state").text().contains("\"resting\"").then_some(())
    });
    let starts = rpicam.starts().len();
    rpicam.set_fault("");
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(rpicam.starts().len(), starts, "nobody watches");
    NativeClient::connect(camera.port()).frame();
}

#[test]
fn a_child_that_fails_for_each_who_comes_is_logged_less_and_less_often() {
    let rpicam = Rpicam::with_fault("in-use");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    let log = fs::File::create(&path).expect("a file");
    let camera = CameraProcess::spawn_with(&mut rpicam.command(&SMALL), log.into());
    for _ in 0..12 {
        let mut viewer = NativeClient::connect(camera.port());
        told(&mut viewer, "in use by another program");
        drop(viewer);
        wait_until("rest", || {
            get(camera.port(), "/state").text().contains("\"resting\"").then_some(())
        });
    }
    let log = fs::read_to_string(&path).expect("text");
    let count = |part: &str| log.lines().filter(|line| line.contains(part)).count();
    for part in ["on, somebody watches", "off until somebody watches"] {
        assert!((1..=5).contains(&count(part)), "{part}:\n{log}");
    }
}

#[test]
fn nothing_on_the_path_is_told_with_what_to_install() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = CameraProcess::command(&["--listen", "127.0.0.1:0", "--source", "csi"]);
    let camera = CameraProcess::spawn(command.env("PATH", folder.path()));
    let mut viewer = NativeClient::connect(camera.port());
    told(&mut viewer, "apt install rpicam-apps-lite");
}

#[test]
fn a_tuning_file_that_is_not_there_is_told() {
    let rpicam = Rpicam::new();
    let option = ["--csi-option", "tuning-file=/nowhere/imx219.json"];
    let camera = rpicam.camera(&[&SMALL[..], &option].concat());
    // rpicam-vid says last that there is no camera.
    told(&mut NativeClient::connect(camera.port()), "--csi-option tuning-file");
}

#[test]
fn a_second_camera_that_is_not_there_is_told() {
    let rpicam = Rpicam::new();
    let program = rpicam.path();
    let program = program.to_str().expect("UTF-8");
    let camera = CameraProcess::start(&["--csi-program", program, "--source", "csi:1"]);
    told(&mut NativeClient::connect(camera.port()), "no ribbon camera of that number");
}

#[test]
fn a_flood_of_words_costs_neither_pictures_nor_memory() {
    let rpicam = Rpicam::with_fault("flood");
    let camera = rpicam.camera(&SMALL);
    let mut viewer = NativeClient::connect(camera.port());
    // The program writes 1 MiB before each frame.
    (0..60).for_each(|_| drop(viewer.frame()));
    let status =
        fs::read_to_string(format!("/proc/{}/status", camera.child.id())).expect("it runs");
    let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line");
    let kilobytes: u32 = memory.trim().trim_end_matches(" kB").parse().expect("a number");
    assert!(kilobytes < 60_000, "{kilobytes} kB");
}

#[test]
fn killed_lancam_leaves_no_child() {
    for fault in ["", "ignores-term"] {
        let rpicam = Rpicam::with_fault(fault);
        let mut camera = rpicam.camera(&SMALL);
        NativeClient::connect(camera.port()).frame();
        assert_eq!(rpicam.running().len(), 1);
        camera.child.kill().expect("it runs");
        wait_until("its end", || rpicam.running().is_empty().then_some(()));
    }
}

#[test]
fn a_child_that_ignores_to_be_ended_is_killed_with_lancam() {
    let rpicam = Rpicam::with_fault("ignores-term");
    let camera = rpicam.camera(&SMALL);
    NativeClient::connect(camera.port()).frame();
    assert_eq!(rpicam.running().len(), 1);
    assert!(camera.terminate().success());
    assert_eq!(rpicam.running(), []);
}

#[test]
#[ignore = "minutes: make test-all"]
fn a_child_that_hangs_is_replaced() {
    for (fault, part) in
        [("hangs-after 0", "sent no frame for 8 s"), ("hangs-after 40", "sent no frame for 5 s")]
    {
        is_told_and_it_goes_on(fault, part);
    }
    let mjpeg = [&SMALL[..4], &["--csi-format", "mjpeg"]].concat();
    let rpicam = Rpicam::with_fault("hangs-after 40");
    let camera = rpicam.camera(&mjpeg);
    // It hangs in the middle of a JPEG. The status must name the missing frame, and not the broken JPEG.
    told(&mut NativeClient::connect(camera.port()), "sent no frame for 5 s");
    let rpicam = Rpicam::with_fault("garbage");
    let camera = rpicam.camera(&mjpeg);
    let mut viewer = NativeClient::connect(camera.port());
    told(&mut viewer, "without a JPEG");
    rpicam.set_fault("");
    viewer.frame();
}

/// What a process uses: descriptors, threads, children, resident memory in kB.
fn holds(process: u32) -> (usize, usize, usize, u64) {
    let count =
        |what: &str| fs::read_dir(format!("/proc/{process}/{what}")).map_or(0, Iterator::count);
    let tasks = fs::read_dir(format!("/proc/{process}/task")).expect("it runs").flatten();
    let of_task = |task: fs::DirEntry| {
        let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        children.split_whitespace().count()
    };
    let children = tasks.map(of_task).sum();
    let statm = fs::read_to_string(format!("/proc/{process}/statm")).expect("it runs");
    let pages: u64 = statm.split(' ').nth(1).and_then(|it| it.parse().ok()).expect("a number");
    (count("fd"), count("task"), children, pages * 4)
}

#[test]
#[ignore = "minutes: make test-all"]
fn two_hundred_starts_and_stops_leave_nothing_behind() {
    let rpicam = Rpicam::new();
    let camera = rpicam.camera(&[&SMALL[..], &["--idle-stop", "0.05"]].concat());
    let process = camera.child.id();
    let once = || {
        NativeClient::connect(camera.port()).frame();
        wait_until("its end", || rpicam.running().is_empty().then_some(()));
        wait_until("rest", || {
            get(camera.port(), "/state").text().contains("\"resting\"").then_some(())
        });
    };
    (0..20).for_each(|_| once());
    std::thread::sleep(Duration::from_millis(200));
    let before = holds(process);
    (0..200).for_each(|_| once());
    std::thread::sleep(Duration::from_millis(200));
    let after = holds(process);
    println!("descriptors, threads, children, kB: {before:?} before, {after:?} after");
    assert_eq!((before.0, before.1, before.2), (after.0, after.1, after.2));
    assert_eq!(after.2, 0, "no child");
    assert!(after.3 < before.3 + 2000, "{} kB more", after.3 - before.3);
}
