//! Each viewer's wishes are fulfilled, shared and limited, and do not disturb other viewers.

use crate::tools::camera_process::{CameraProcess, PATIENCE};
use crate::tools::jpeg_tools::cjpeg;
use crate::tools::native_client::{NativeClient, Said, look};
use crate::tools::viewer_process::Viewer;
use lancam::clock;
use lancam::image::jpeg::codec::Encoder;
use lancam::image::pixels::{Chroma, Size};
use lancam::image::planes::Planes;
use lancam::rate::Rate;
use lancam::wire::native::message::{Message, StatusCode, Wishes};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

const SIZE: Size = Size::new(640, 360);

/// A file of different JPEGs with some detail, and its bytes.
fn clip(folder: &Path, size: Size, pictures: usize) -> (PathBuf, Vec<u8>) {
    let mut planes = Planes::default();
    planes.reshape(size, Chroma::Yuv420);
    planes.packed_mut().fill(128);
    let mut encoder = Encoder::new(90).expect("encoder");
    let mut out = vec![0; Encoder::max_len(size, Chroma::Yuv420).expect("a size")];
    let mut bytes = Vec::new();
    for picture in 0..pictures {
        // 250 steps in a row give every size the same detail and about the same number of bytes.
        let step = size.width / 250;
        for (index, luma) in planes.split_mut().y.iter_mut().enumerate() {
            let (row, column) = (index / size.width / step, index % size.width / step);
            *luma = u8::try_from((row * row + column * (picture + 7)) % 256).expect("a byte");
        }
        let len = encoder.encode(&planes, &mut out).expect("encodes");
        bytes.extend_from_slice(&out[..len]);
    }
    let path = folder.join("clip.mjpeg");
    std::fs::write(&path, &bytes).expect("writes");
    (path, bytes)
}

/// A camera that plays a clip, and its log.
struct Playing {
    camera: CameraProcess,
    log: Receiver<String>,
    clip: Vec<u8>,
    _folder: tempfile::TempDir,
}

impl Playing {
    fn start(size: Size, fps: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, clip) = clip(folder.path(), size, 3);
        let (camera, log) = logged(&["--source", path.to_str().expect("UTF-8"), "--fps", fps]);
        Self { camera, log, clip, _folder: folder }
    }

    fn is_own(&self, jpeg: &[u8]) -> bool {
        self.clip.windows(jpeg.len()).any(|part| part == jpeg)
    }

    fn viewer(&self, wishes: Wishes) -> NativeClient {
        NativeClient::connect_wishing(self.camera.port(), wishes)
    }
}

/// A camera whose log can be read.
fn logged(options: &[&str]) -> (CameraProcess, Receiver<String>) {
    let mut command = CameraProcess::command(&[&["--listen", "127.0.0.1:0"], options].concat());
    let (log_end, stderr) = std::io::pipe().expect("a pipe");
    let camera = CameraProcess::spawn_with(&mut command, Stdio::from(stderr));
    drop(command);
    let (sender, log) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(log_end).lines().map_while(Result::ok) {
            eprintln!("{line}");
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    (camera, log)
}

/// Waits for a line of the log that contains `text`.
fn line_with(log: &Receiver<String>, text: &str) -> String {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let line = log.recv_timeout(left).unwrap_or_else(|_| panic!("no line with '{text}'"));
        if line.contains(text) {
            return line;
        }
    }
}

fn width(width: u16) -> Wishes {
    Wishes { width, ..Wishes::default() }
}

/// The names of a program's threads.
fn threads(pid: u32) -> Vec<String> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).expect("it runs");
    let name = |task: std::io::Result<std::fs::DirEntry>| {
        std::fs::read_to_string(task.ok()?.path().join("comm")).ok()
    };
    tasks.filter_map(name).map(|name| name.trim().to_owned()).collect()
}

/// Waits until this many threads have a name that begins with `name`.
fn wait_for_threads(pid: u32, name: &str, count: usize) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let found = threads(pid);
        if found.iter().filter(|thread| thread.starts_with(name)).count() == count {
            return;
        }
        assert!(Instant::now() < deadline, "not {count} of '{name}': {found:?}");
        std::thread::yield_now();
    }
}

/// Waits for a status, and acknowledges all frames before it.
fn status(viewer: &mut NativeClient, wanted: StatusCode) -> String {
    loop {
        match viewer.hear() {
            Said::Status { code, text } if code == wanted => return text,
            Said::Frame { facts, .. } => viewer.say(&Message::Ack { sequence: facts.sequence }),
            Said::Closed => panic!("the camera closed the connection"),
            _ => {}
        }
    }
}

#[test]
fn three_wishes_and_the_cameras_own_jpegs_are_sent_at_once_and_a_fifth_waits_for_its_turn() {
    let playing = Playing::start(SIZE, "30");
    let mut own = playing.viewer(Wishes::default());
    let mut sized: Vec<_> =
        [(320, Size::new(320, 180)), (160, Size::new(160, 90)), (500, Size::new(500, 281))]
            .into_iter()
            .map(|(side, size)| (playing.viewer(width(side)), size))
            .collect();
    for _ in 0..20 {
        let (facts, jpeg) = own.frame();
        assert_eq!(facts.size, SIZE);
        assert!(playing.is_own(&jpeg), "untouched");
        for (viewer, size) in &mut sized {
            let (facts, jpeg) = viewer.frame();
            assert_eq!((facts.size, look(&jpeg).0.size()), (*size, *size));
        }
    }
    let mut fifth = playing.viewer(width(200));
    let text = status(&mut fifth, StatusCode::Full);
    assert!(text.contains("320x180") && text.contains("ask for one of these"), "{text}");
    // Wishes that lancam fulfils already never count as too many, and neither do viewers without wishes.
    assert_eq!(playing.viewer(width(320)).frame().0.size, Size::new(320, 180));
    assert!(playing.is_own(&playing.viewer(width(640)).frame().1));
    // The other viewers still get their sizes.
    for (viewer, size) in &mut sized {
        assert_eq!(viewer.frame().0.size, *size);
    }
    assert!(playing.is_own(&own.frame().1));
    drop(sized.remove(0));
    assert_eq!(fifth.frame().0.size, Size::new(200, 113), "let in");
    let figures = line_with(&playing.log, "has no viewers any more: 320x180");
    for figure in
        [" frames, ", " fps, ", " kB and ", " ms each (", " ms of CPU), ", " kB of memory"]
    {
        assert!(figures.contains(figure), "{figures}");
    }
    drop((own, sized, fifth));
    line_with(&playing.log, "nobody watches the camera's own JPEGs any more: ");
    let capturing = playing.log.try_iter().filter(|line| line.contains("capturing from")).count();
    assert_eq!(capturing, 0, "the camera was opened once, before all that");
    wait_for_threads(playing.camera.child.id(), "rendition", 0);
    wait_for_threads(playing.camera.child.id(), "decode", 0);
}

#[test]
fn equal_wishes_share_one_encode_and_what_nobody_watches_is_not_made() {
    let playing = Playing::start(SIZE, "20");
    let pid = playing.camera.child.id();
    // Both ask for the same picture in different ways. The quality is so low that a busy machine does not
    // lower it.
    let lowest = Wishes { quality: 40, ..Wishes::default() };
    let mut one = playing.viewer(Wishes { width: 320, ..lowest });
    let mut other = playing.viewer(Wishes { height: 180, ..lowest });
    let mut frames = std::collections::BTreeMap::new();
    let mut shared = 0;
    for _ in 0..20 {
        for viewer in [&mut one, &mut other] {
            let (facts, jpeg) = viewer.frame();
            match frames.get(&facts.sequence) {
                Some(seen) => {
                    assert_eq!(seen, &jpeg, "the same bytes");
                    shared += 1;
                }
                None => {
                    frames.insert(facts.sequence, jpeg);
                }
            }
        }
    }
    assert!(shared > 0, "two viewers, and no frame in common");
    wait_for_threads(pid, "rendition", 1);
    drop(one);
    other.frame();
    wait_for_threads(pid, "rendition", 1);
    drop(other);
    wait_for_threads(pid, "rendition", 0);
}

#[test]
fn a_rate_is_wished_for_and_kept() {
    let playing = Playing::start(SIZE, "50");
    for wishes in [width(160), Wishes::default()] {
        // At 10 of 50 fps, every fifth frame is sent, whether it is encoded or passed through.
        let mut viewer = playing.viewer(Wishes { rate: Rate(10_000), ..wishes });
        let (first, _) = viewer.frame();
        let last = (0..15).map(|_| viewer.frame().0).last().expect("15 frames");
        let seconds = last.captured_at.since(first.captured_at).as_secs_f64();
        println!("15 frames at 10 fps in {seconds:.2} s");
        assert!((1.4..3.0).contains(&seconds), "{seconds} s for 15 frames at 10 fps");
        let step = (last.sequence - first.sequence) / 15;
        assert!((4..=10).contains(&step), "every {step}th");
    }
}

#[test]
fn viewers_of_one_rate_get_the_same_frames_whenever_they_asked() {
    let playing = Playing::start(SIZE, "30");
    let wishes = Wishes { rate: Rate(5000), quality: 40, ..width(320) };
    let mut viewers = Vec::new();
    // Each viewer asks for that rate at another moment between two of its frames.
    for turn in 0..4 {
        let mut viewer = playing.viewer(Wishes { rate: Rate::NONE, ..wishes });
        for _ in 0..=turn {
            viewer.frame();
        }
        viewer.say(&Message::Wishes(wishes));
        viewers.push(viewer);
    }
    // All viewers read at the same time. Skip the first 2 s (60 frames): some were sent before the wishes were met.
    let first = viewers[0].frame().0.sequence;
    let numbers = |viewer: &mut NativeClient| -> Vec<u64> {
        let all = std::iter::repeat_with(|| viewer.frame().0.sequence);
        let all = all.skip_while(|number| *number < first + 60);
        all.take_while(|number| *number < first + 180).collect()
    };
    let all = std::thread::scope(|threads| {
        let reading = viewers.iter_mut().map(|viewer| threads.spawn(|| numbers(viewer)));
        let reading: Vec<_> = reading.collect();
        reading.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect::<Vec<_>>()
    });
    let different: std::collections::BTreeSet<_> = all.iter().collect();
    assert!(all.len() >= 40, "four viewers at 5 fps for 4 s: {all:?}");
    assert!(different.len() * 2 <= all.len(), "frames that only one of four got: {all:?}");
}

#[test]
fn a_named_quality_is_encoded_and_told_by_its_bytes() {
    let playing = Playing::start(SIZE, "30");
    let quality = |quality| {
        let (facts, jpeg) = playing.viewer(Wishes { quality, ..Wishes::default() }).frame();
        assert_eq!(facts.size, SIZE);
        assert!(!playing.is_own(&jpeg));
        jpeg.len()
    };
    let (low, high) = (quality(10), quality(95));
    assert!(low * 2 < high, "{low} and {high} bytes");
}

#[test]
fn pictures_that_cannot_be_made_are_explained_to_those_who_wait_for_them() {
    // Red, green and blue in a JPEG. Browsers show it, but lancam cannot make planes of it.
    let Some(jpeg) = cjpeg(Size::new(64, 48), &["-rgb"]) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("clip.mjpeg");
    std::fs::write(&path, &jpeg).expect("writes");
    let (camera, _log) = logged(&["--source", path.to_str().expect("UTF-8"), "--fps", "60"]);
    let mut small = NativeClient::connect_wishing(camera.port(), width(32));
    loop {
        match small.hear() {
            Said::Status { code: StatusCode::CameraRefused, text } => {
                assert!(text.starts_with("cannot send the camera's pictures: "), "{text}");
                break;
            }
            Said::Frame { .. } => panic!("a picture of what cannot be decoded"),
            _ => {}
        }
    }
    // A viewer without wishes still gets the JPEG itself.
    assert_eq!(NativeClient::connect(camera.port()).frame().1, jpeg);
}

#[test]
fn a_viewer_may_change_its_mind_while_it_watches() {
    let playing = Playing::start(SIZE, "30");
    let mut viewer = playing.viewer(Wishes::default());
    assert!(playing.is_own(&viewer.frame().1));
    for (wishes, size) in [
        (width(320), Size::new(320, 180)),
        (Wishes { height: 90, quality: 20, ..Wishes::default() }, Size::new(160, 90)),
        (width(60_000), SIZE),
    ] {
        viewer.say(&Message::Wishes(wishes));
        // Frames before the answer may have the old size.
        let found = (0..100).map(|_| viewer.frame().0.size).find(|&found| found == size);
        assert_eq!(found, Some(size));
    }
    assert!(playing.is_own(&viewer.frame().1), "untouched again");
    // These wishes come faster than threads could start. Only the last one counts.
    for side in 1..500 {
        viewer.say(&Message::Wishes(width(side)));
    }
    let size = Size::new(499, 281);
    assert!((0..200).any(|_| viewer.frame().0.size == size));
    wait_for_threads(playing.camera.child.id(), "rendition", 1);
}

#[test]
fn numbers_rise_through_every_change_of_mind() {
    let playing = Playing::start(SIZE, "5");
    // Other viewers keep these sizes running. The viewer has already seen their newest picture in another
    // form.
    let mut ready: Vec<_> = [320, 160].map(|side| playing.viewer(width(side))).into();
    let mut viewer = playing.viewer(Wishes::default());
    let (mut last, _) = viewer.frame();
    for side in [320, 640, 160, 0, 320, 160] {
        for other in &mut ready {
            other.frame();
        }
        viewer.say(&Message::Wishes(width(side)));
        for _ in 0..2 {
            let (facts, _) = viewer.frame();
            assert!(facts.sequence > last.sequence, "{} after {}", facts.sequence, last.sequence);
            last = facts;
        }
    }
}

#[test]
fn pictures_of_changing_size_are_each_made_in_their_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let bytes: Vec<u8> = [SIZE, Size::new(360, 640)]
        .into_iter()
        .flat_map(|size| clip(folder.path(), size, 1).1)
        .collect();
    let path = folder.path().join("both.mjpeg");
    std::fs::write(&path, bytes).expect("writes");
    let source = path.to_str().expect("UTF-8");
    let camera = CameraProcess::start(&["--source", source, "--fps", "20"]);
    let mut own = NativeClient::connect(camera.port());
    let mut small = NativeClient::connect_wishing(camera.port(), width(180));
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..20 {
        for viewer in [&mut own, &mut small] {
            let (facts, jpeg) = viewer.frame();
            assert_eq!(look(&jpeg).0.size(), facts.size);
            seen.insert((facts.size.width, facts.size.height));
        }
    }
    assert_eq!(seen, [(640, 360), (360, 640), (180, 101), (180, 320)].into());
    // One thread made both sizes.
    wait_for_threads(camera.child.id(), "rendition 1", 1);
}

#[test]
fn lancam_view_shows_why_it_waits() {
    let playing = Playing::start(SIZE, "20");
    let mut viewers: Vec<_> =
        [100, 200, 300, 400].map(|side| playing.viewer(width(side))).into_iter().collect();
    for viewer in &mut viewers {
        viewer.frame();
    }
    let camera = format!("127.0.0.1:{}", playing.camera.port());
    // Without -v, it only says so when it gives up.
    let wishes = ["-v", "--width", "500", "--fps", "10", "--headless", "--frames", "1"];
    let mut view = Viewer::start(&[&[camera.as_str(), "--timeout", "30"], &wishes[..]].concat());
    view.wait_for("as many sizes and qualities as it can");
    drop(viewers.remove(2));
    view.wait_for("500x281");
    assert!(view.finish().status.success());
}

#[test]
fn slow_renditions_never_delay_the_cameras_own_jpegs() {
    // Decoding and encoding 12 million pixels takes longer than the time between two frames.
    let playing = Playing::start(Size::new(4000, 3000), "25");
    let mut slow: Vec<_> = [(0, 95), (0, 50), (3000, 95)]
        .map(|(width, quality)| playing.viewer(Wishes { width, quality, ..Wishes::default() }))
        .into();
    for viewer in &mut slow {
        viewer.frame();
    }
    let mut own = playing.viewer(Wishes::default());
    own.frame();
    let mut late = Vec::new();
    let mut sequences = Vec::new();
    for _ in 0..50 {
        let (facts, _) = own.frame();
        late.push(clock::now().since(facts.captured_at));
        sequences.push(facts.sequence);
    }
    late.sort();
    let captured = sequences[49] - sequences[0];
    println!(
        "own JPEGs: 50 frames of {captured} captured, {} ms old in the middle, {} at most",
        late[25].as_millis(),
        late[49].as_millis(),
    );
    // Encoding one of these takes 80 ms or more. A viewer that had to wait for it would miss every second
    // frame.
    assert!(late[25] < Duration::from_millis(40), "{late:?}");
    assert!(captured <= 80, "50 frames of {captured}: the rest was not there in time");
}

#[test]
fn raw_frames_are_made_into_several_renditions_on_several_threads() {
    let camera = CameraProcess::start(&["--source", "test:640x360@30", "--quality", "70"]);
    let mut viewers = [
        (NativeClient::connect(camera.port()), SIZE),
        (NativeClient::connect_wishing(camera.port(), width(320)), Size::new(320, 180)),
        (NativeClient::connect_wishing(camera.port(), width(480)), Size::new(480, 270)),
    ];
    for _ in 0..20 {
        for (viewer, size) in &mut viewers {
            let (facts, jpeg) = viewer.frame();
            assert_eq!(facts.size, *size);
            let stamp = look(&jpeg).1.expect("a stamp");
            assert_eq!(u64::from(stamp.sequence), facts.sequence);
        }
    }
    wait_for_threads(camera.child.id(), "rendition", 3);
    wait_for_threads(camera.child.id(), "decode", 0);
}

#[test]
fn the_camera_rests_while_nobody_watches_and_is_back_in_a_moment() {
    let (camera, log) = logged(&["--source", "test:640x360@30", "--idle-stop", "0.2"]);
    for _ in 0..3 {
        line_with(&log, ": off until somebody watches");
        let start = Instant::now();
        let mut viewer = NativeClient::connect(camera.port());
        let (facts, jpeg) = viewer.frame();
        println!("first frame {} ms after the viewer came (goal 300)", start.elapsed().as_millis());
        assert!(start.elapsed() < Duration::from_millis(1500), "{:?}", start.elapsed());
        let stamp = look(&jpeg).1.expect("a stamp");
        assert_eq!(u64::from(stamp.sequence), facts.sequence);
        // While somebody watches, the camera stays on for longer than the limit.
        let deadline = Instant::now() + Duration::from_millis(600);
        while Instant::now() < deadline {
            viewer.frame();
        }
        assert!(!log.try_iter().any(|line| line.contains(": off until")), "while it was watched");
    }
    line_with(&log, ": off until somebody watches");
    assert!(camera.terminate().success(), "it ends from its rest");
}
