//! The static program on an emulated Pi, with a real kernel driver as the camera. The viewers run outside.

use crate::tools::camera_process::{CameraProcess, run_to_end};
use crate::tools::keyed_camera::Keyed;
use crate::tools::native_client::{NativeClient, Said};
use crate::tools::rig::{Guest, Machine, Skip};
use lancam::image::picture::Picture;
use lancam::image::pixels::Size;
use lancam::wire::native::message::{Message, StatusCode};
use lancam::wire::packet::FrameFacts;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

/// 75 % bars, as vivid draws them: whether red, green and blue are on.
const BARS: [[u8; 3]; 8] =
    [[1, 1, 1], [1, 1, 0], [0, 1, 1], [0, 1, 0], [1, 0, 1], [1, 0, 0], [0, 0, 1], [0, 0, 0]];

/// The level of a bar that is on.
const ON: u8 = 191;

/// The program that `cross/build.sh aarch64` built.
fn binary() -> PathBuf {
    match std::env::var_os("LANCAM_PI_BINARY") {
        Some(path) => path.into(),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("dist/lancam-aarch64"),
    }
}

/// Boots the machine. `None` if that is not possible here, which counts as a skip.
pub(crate) fn boot(machine: Machine) -> Option<Guest> {
    boot_with(machine, "")
}

/// The same, with module parameters such as `vivid.n_devs=2`.
pub(crate) fn boot_with(machine: Machine, kernel_arguments: &str) -> Option<Guest> {
    let binary = binary();
    if !binary.exists() {
        crate::tools::skip::skip("pi", "no dist/lancam-aarch64: cross/build.sh aarch64 makes it");
        return None;
    }
    match Guest::boot(machine, Some(&binary), kernel_arguments) {
        Ok(guest) => Some(guest),
        Err(Skip(reason)) => {
            crate::tools::skip::skip("pi", &reason);
            None
        }
    }
}

pub(crate) fn run(guest: &Guest, command: &str) {
    let output = guest.sh(command);
    assert!(output.ok(), "{command}: {output}");
}

/// For `sed`: without the warning that the camera is open, which the rig's is.
pub(crate) const NOT_OPEN: &str = "/WARN.* access = \"open\":/d";

/// Starts lancam in the guest. The bars have no text over them.
pub(crate) fn start(guest: &Guest, options: &str) {
    run(guest, "v4l2-ctl -d /dev/video0 -c osd_text_mode=2");
    run(
        guest,
        &format!("LANCAM_ACCESS=open lancam {options} >/tmp/out 2>/tmp/log & echo $! >/tmp/pid"),
    );
    let deadline = Instant::now() + Duration::from_secs(60);
    while !guest.sh("grep LISTENING /tmp/out").ok() {
        assert!(Instant::now() < deadline, "not listening: {}", guest.sh("cat /tmp/out /tmp/log"));
    }
}

pub(crate) fn stop(guest: &Guest) {
    let log = guest.sh("kill $(cat /tmp/pid); cat /tmp/log");
    let log = log.text();
    assert!(!log.contains("panicked"), "{log}");
}

fn assert_bars(picture: &Picture) {
    let Size { width, height } = picture.size();
    for (index, bar) in BARS.into_iter().enumerate() {
        let found = picture.rgb(width * (2 * index + 1) / 16, height / 2);
        for (part, on) in found.into_iter().zip(bar) {
            assert!(part.abs_diff(on * ON) <= 8, "bar {index} is {found:?}");
        }
    }
}

/// A viewer of the guest's camera. The emulator accepts connections before the guest listens, so the viewer
/// tries again if a connection is closed at once.
pub(crate) fn viewer(guest: &Guest) -> NativeClient {
    NativeClient::connect(guest.port(9999))
}

#[test]
fn a_static_program_on_an_emulated_pi_streams_a_real_drivers_frames() {
    let Some(guest) = boot(Machine::Virt) else { return };
    start(&guest, "--size 640x360 --fps 40");

    let folder = tempfile::tempdir().expect("a folder");
    let png = folder.path().join("bars.png");
    let mut view = Command::new(env!("CARGO_BIN_EXE_lancam-view"));
    view.args(["--headless", "--frames", "100", "--timeout", "30", "--json", "--save"]).arg(&png);
    let output = view.arg(format!("127.0.0.1:{}", guest.port(9999))).output().expect("runs");
    let json = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{json} {}", String::from_utf8_lossy(&output.stderr));
    println!("lancam-view: {}", json.trim());
    assert!(json.contains("640x360") && std::fs::metadata(&png).is_ok_and(|png| png.len() > 1000));

    let mut client = viewer(&guest);
    let mut last = 0;
    let start_time = Instant::now();
    for count in 0..100 {
        let (facts, jpeg) = client.frame();
        assert_eq!(facts.size, Size::new(640, 360));
        assert!(facts.sequence > last, "{} after {last}", facts.sequence);
        last = facts.sequence;
        if count % 33 == 0 {
            assert_bars(&crate::tools::native_client::look(&jpeg).0);
        }
    }
    println!("100 frames of 640x360 in {:.2} s", start_time.elapsed().as_secs_f64());
    stop(&guest);

    start(&guest, "--size 640x360 --width 320");
    let (facts, jpeg) = viewer(&guest).frame();
    let (picture, _) = crate::tools::native_client::look(&jpeg);
    assert_eq!((facts.size, picture.size()), (Size::new(320, 180), Size::new(320, 180)));
    assert_bars(&picture);
    stop(&guest);

    the_camera_goes_and_comes_back(&guest);
    a_frame_costs_one_poll_one_dqbuf_one_qbuf(&guest);
    nodes_that_are_no_cameras_are_refused_with_what_they_are(&guest);
    guest.power_off();
}

/// Waits for a status that says that the camera is lost, and then for a frame. Returns how long the frame
/// took.
fn lost_and_found(client: &mut NativeClient, take: &dyn Fn(), give: &dyn Fn()) -> Duration {
    client.frame();
    take();
    let text = loop {
        match client.hear() {
            Said::Status { code: StatusCode::CameraLost | StatusCode::NoCamera, text } => {
                break text;
            }
            Said::Frame { facts, .. } => client.say(&Message::Ack { sequence: facts.sequence }),
            Said::Status { .. } | Said::Stream { .. } | Said::Welcome { .. } => {}
            other => panic!("{other:?}"),
        }
    };
    assert!(text.contains("/dev/video") || text.contains("camera"), "{text}");
    give();
    let start = Instant::now();
    client.frame();
    start.elapsed()
}

fn the_camera_goes_and_comes_back(guest: &Guest) {
    start(guest, "--source /dev/video0 --size 640x360 --fps 40");
    let mut client = viewer(guest);
    let driver = "/sys/bus/platform/drivers/vivid";
    for round in 1..=3 {
        let back = lost_and_found(
            &mut client,
            &|| run(guest, &format!("echo vivid.0 >{driver}/unbind")),
            &|| run(guest, &format!("echo vivid.0 >{driver}/bind")),
        );
        println!("bound again, round {round}: a picture after {} ms (goal 1000)", back.as_millis());
        assert!(back < Duration::from_secs(5), "{back:?}");
    }
    // vivid's own Disconnect ends when its last descriptor is closed, so there is nothing to do to bring the
    // camera back.
    for round in 1..=3 {
        let back = lost_and_found(
            &mut client,
            &|| run(guest, "v4l2-ctl -d $(ls /dev/video* | head -1) -c disconnect=1"),
            &|| {},
        );
        println!(
            "disconnected, round {round}: a picture after {} ms (goal 1000)",
            back.as_millis()
        );
        assert!(back < Duration::from_secs(5), "{back:?}");
    }
    stop(guest);
}

fn a_frame_costs_one_poll_one_dqbuf_one_qbuf(guest: &Guest) {
    // Tracing under emulation is slow. At this rate the thread still waits for each frame.
    start(guest, "--size 640x360 --fps 5");
    let mut client = viewer(guest);
    client.frame();
    // Only the capture thread, found by its name. `-c` would add up all threads.
    run(
        guest,
        "for t in /proc/$(cat /tmp/pid)/task/*; do if grep -q '^capture' $t/comm; then echo ${t##*/}; fi; done >/tmp/tid",
    );
    run(
        guest,
        "(timeout -s INT 6 strace -qq -o /tmp/trace -p $(cat /tmp/tid) >/dev/null 2>&1; echo done >/tmp/traced) & true",
    );
    while !guest.sh("test -e /tmp/traced").ok() {
        client.frame();
    }
    let trace = guest.sh("cat /tmp/trace");
    let trace = trace.text();
    let count = |what: &str| trace.lines().filter(|line| line.contains(what)).count();
    let frames = count("VIDIOC_DQBUF");
    let (queued, polls, wake_ups) = (count("VIDIOC_QBUF"), count("poll("), count("FUTEX_WAKE"));
    // The kernels of Debian 13 and later give their vDSO a GNU hash table alone. musl 1.2.5 finds nothing there, and
    // asks the kernel for the time.
    let times = count("clock_gettime(");
    println!(
        "capture thread, {frames} frames: {polls} poll, {queued} QBUF, {wake_ups} wake-ups, {times} times"
    );
    assert!(frames >= 10, "{trace}");
    let about = |calls: usize| calls.abs_diff(frames) <= frames / 5 + 2;
    assert!(about(queued) && about(polls), "one of each a frame");
    // The capture thread wakes the rendition's thread. A second call is made if the lock was held.
    assert!(wake_ups <= 2 * frames + 1, "at most one for the one rendition");
    let others: Vec<&str> = trace
        .lines()
        .filter(|line| {
            !["VIDIOC_DQBUF", "VIDIOC_QBUF", "poll(", "futex(", "clock_gettime("]
                .iter()
                .any(|call| line.contains(call))
        })
        .collect();
    assert!(others.len() <= 3, "{others:?}");
    assert!(times <= 8 * frames, "the time is asked for {times} times in {frames} frames");
    stop(guest);
}

fn nodes_that_are_no_cameras_are_refused_with_what_they_are(guest: &Guest) {
    for (node, word) in
        [("/dev/video1", "output"), ("/dev/video2", "metadata"), ("/dev/null", "not a camera")]
    {
        let output = guest.sh(&format!("lancam --listen 127.0.0.1:0 --source {node}"));
        assert_eq!(output.status, 69, "{node}: {output}");
        assert!(output.text().contains(word), "{node}: {output}");
    }
    let list = guest.sh("lancam list");
    assert!(
        list.ok() && list.text().contains("vivid") && list.text().contains("640x360"),
        "{list}"
    );
    // vivid is a media device too. lancam must not take it for a ribbon camera.
    assert!(guest.sh("ls /dev/media0").ok() && !list.text().contains("ribbon"), "{list}");
    let log = guest.sh("lancam list -v 2>&1");
    let text = log.text();
    let parts =
        text.lines().find_map(|line| line.split_once("/dev/media0: vivid, ")).map(|it| it.1);
    let parts = parts.unwrap_or_else(|| panic!("the topology is read: {log}"));
    let is_read = !parts.starts_with("0 parts") && !parts.contains(" 0 have nodes");
    assert!(is_read && parts.contains(" have nodes and 0 are sensors"), "{parts}");
    // One program streams, so the second one finds the camera busy.
    start(guest, "--size 640x360");
    viewer(guest).frame();
    let second = guest.sh("timeout 3 lancam --listen 127.0.0.1:0 --source /dev/video0");
    assert!(second.text().contains("in use"), "{second}");
    stop(guest);
}

/// The emulated Raspberry Pi 3B has no network, so the frames are counted inside it.
#[test]
fn the_same_program_reads_frames_on_an_emulated_raspi3b() {
    let Some(guest) = boot(Machine::Raspi3b) else { return };
    let model = guest.sh("cat /proc/device-tree/model");
    assert!(model.text().contains("Raspberry Pi 3"), "{model}");
    run(&guest, "lancam -v --listen 127.0.0.1:9999 --size 640x360 >/tmp/out 2>/tmp/log & true");
    // Without a network, busybox's nc is the viewer: it sends the greeting and saves what comes.
    let greeting = greeting_as_octal();
    run(
        &guest,
        &format!(
            "(printf '{greeting}'; sleep 20) | timeout 20 nc 127.0.0.1 9999 >/tmp/frames & true"
        ),
    );
    let deadline = Instant::now() + Duration::from_secs(90);
    loop {
        // It never acknowledges, so it gets the four frames of its credit.
        let frames = guest.sh("grep -a -o JFIF /tmp/frames | wc -l");
        let count: usize = frames.text().trim().parse().unwrap_or(0);
        if count >= 4 {
            break;
        }
        assert!(
            Instant::now() < deadline,
            "{}",
            guest.sh("cat /tmp/out /tmp/log; ls -l /tmp/frames")
        );
    }
    println!("{}", guest.sh("cat /tmp/log; ls -l /tmp/frames").text());
}

/// A viewer's greeting with a credit of four, written for printf.
fn greeting_as_octal() -> String {
    let mut bytes = Vec::new();
    let Message::Hello { min_version, max_version, wishes, program, key, .. } =
        crate::tools::native_client::hello(1, 1)
    else {
        unreachable!("a greeting");
    };
    Message::Hello { min_version, max_version, credit: 4, wishes, program, key }
        .write_to(&mut bytes);
    bytes.iter().map(|byte| format!("\\{byte:03o}")).collect()
}

/// The static programs that this machine can run, each with its name and a command that runs it on its CPU.
fn programs_for_every_pi() -> impl Iterator<Item = (&'static str, impl Fn() -> Command)> {
    let programs = [
        ("armv7", "qemu-arm-static", "cortex-a7"),
        ("armv6", "qemu-arm-static", "arm1176"),
        ("aarch64", "qemu-aarch64-static", "cortex-a53"),
    ];
    programs.into_iter().filter_map(|(name, emulator, cpu)| {
        let program = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("dist/lancam-{name}"));
        let what = format!("qemu-user {name}");
        if !program.exists() {
            crate::tools::skip::skip(&what, "make pi builds the program");
            return None;
        }
        let command = move || {
            let mut command = Command::new(emulator);
            command.args(["-cpu", cpu]).arg(&program);
            command
        };
        if command().arg("--version").output().is_err() {
            crate::tools::skip::skip(&what, "qemu-user-static is not installed");
            return None;
        }
        Some((name, command))
    })
}

/// Whether the number in the picture is the number of its frame.
fn assert_stamped(name: &str, facts: &FrameFacts, jpeg: &[u8]) {
    let (_, stamp) = crate::tools::native_client::look(jpeg);
    let seen = stamp.map(|stamp| u64::from(stamp.sequence));
    assert_eq!(seen, Some(facts.sequence), "{name}");
}

/// Programs for every ARM: each prints its version and streams its test pattern.
#[test]
#[ignore = "minutes: make test-all"]
fn the_programs_for_every_pi_run_and_stream_the_test_pattern() {
    for (name, program) in programs_for_every_pi() {
        let (code, text) = run_to_end(program().arg("--version"));
        assert_eq!(code, Some(0), "{name}: {text}");
        let mut command = program();
        command.args(["--listen", "127.0.0.1:0", "--source", "test:320x180@5"]);
        command.env("LANCAM_ANNOUNCE", "off");
        let camera = CameraProcess::spawn(&mut command);
        let mut client = NativeClient::connect(camera.port());
        for _ in 0..5 {
            let (facts, jpeg) = client.frame();
            assert_stamped(name, &facts, &jpeg);
        }
    }
}

/// The cryptography of each has assembly of its own.
#[test]
#[ignore = "minutes: make test-all"]
fn the_programs_for_every_pi_pair_and_stream_inside_tls() {
    for (name, program) in programs_for_every_pi() {
        let start = Instant::now();
        let camera = Keyed::emulated(program(), &["--source", "test:320x180@5"]);
        let started = start.elapsed();
        assert!(!camera.watch_with("").is_welcome(), "{name} lets strangers in");

        let start = Instant::now();
        let key = camera.paired("desk");
        let paired = start.elapsed();
        let start = Instant::now();
        let mut viewer = camera.watch_with(&key);
        let greeted = start.elapsed();
        for _ in 0..5 {
            let (facts, jpeg) = viewer.whole_frame();
            assert_stamped(name, &facts, &jpeg);
        }
        let [started, paired, greeted] = [started, paired, greeted].map(|it| it.as_millis());
        println!(
            "{name}, emulated: started in {started} ms, paired in {paired} ms, handshake in {greeted} ms"
        );
    }
}
