//! What tests of recordings share: a camera that sends known frames, and checks of a file.

use crate::tools::fake_camera::{FakeCamera, FakeServer, Pattern, jpeg_facts};
use crate::tools::matroska_reader::{Recording, read};
use crate::tools::skip::skip;
use crate::tools::viewer_process::{Output, Viewer};
use lancam::image::frame::Micros;
use lancam::image::pixels::Size;
use lancam::rate::Rate;
use lancam::wire::native::message::Message;
use lancam::wire::packet::{Codec, FrameFacts};
use std::fs;
use std::io;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

pub const SIZE: Size = Size::new(160, 96);

/// A frame as it is sent.
pub type Frame = (FrameFacts, Vec<u8>);

/// Frames at 30 fps by the camera's clock, with some jitter. All are different.
pub fn frames(count: u64, size: Size) -> Vec<Frame> {
    let mut pattern = Pattern::new(size);
    let captured = |sequence| Micros(50_000_000_000 + sequence * 33_333 + sequence * 7919 % 1000);
    let frame = |sequence| {
        let facts = FrameFacts { captured_at: captured(sequence), ..jpeg_facts(sequence, size) };
        (facts, pattern.jpeg(sequence).to_vec())
    };
    (1..=count).map(frame).collect()
}

/// Sends these frames to each viewer, and then nothing.
pub fn camera(frames: Vec<Frame>) -> FakeServer {
    FakeServer::on(0, move |stream| {
        let mut camera = greet(stream)?;
        frames.iter().try_for_each(|(facts, payload)| camera.send_frame(facts, payload))?;
        camera.idle(Duration::from_secs(60))
    })
}

pub fn greet(stream: TcpStream) -> io::Result<FakeCamera> {
    let mut camera = FakeCamera::greet(stream, "Küche")?;
    let (codec, source) = (Codec::Jpeg, "made up");
    camera.send(&Message::Stream { codec, size: SIZE, rate: Rate(30_000), source })?;
    Ok(camera)
}

pub fn record(server: &FakeServer, path: &Path, more: &[&str]) -> Output {
    let (address, path) = (server.address(), path.to_str().expect("UTF-8"));
    let arguments = ["--headless", "--json", "--record", path, &address];
    Viewer::start(&[&arguments, more].concat()).finish()
}

pub fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.mkv");
    (folder, path)
}

/// When each frame was taken after the first, in tenths of a millisecond.
pub fn ticks(frames: &[Frame]) -> Vec<u64> {
    let first = frames[0].0.captured_at;
    let tick = |(facts, _): &Frame| (facts.captured_at.0 - first.0) / 100;
    frames.iter().map(tick).collect()
}

/// The last frame lasts as long as the one before.
pub fn duration(frames: &[Frame]) -> u64 {
    let [.., before, last] = ticks(frames)[..] else { panic!("two frames") };
    last + (last - before)
}

#[track_caller]
pub fn assert_holds(recording: &Recording, frames: &[Frame]) {
    assert_eq!(recording.frames.len(), frames.len());
    let times: Vec<u64> = recording.frames.iter().map(|(time, _)| *time).collect();
    assert_eq!(times, ticks(frames));
    for ((time, found), (facts, sent)) in recording.frames.iter().zip(frames) {
        assert!(found == sent, "frame {} at {time}", facts.sequence);
    }
}

/// What ffprobe prints about `path`. `None`, reported as a skip, if it is not installed.
pub fn ffprobe(path: &Path, entries: &str) -> Option<Vec<String>> {
    let mut command = Command::new("ffprobe");
    command.args(["-v", "error", "-count_packets", "-show_entries", entries]);
    command.args(["-of", "default=noprint_wrappers=1:nokey=1"]).arg(path).stdin(Stdio::null());
    match command.output() {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let is_fine = said.lines().all(|line| line.ends_with("File ended prematurely"));
            assert!(output.status.success() && is_fine, "{said}");
            let text = String::from_utf8(output.stdout).expect("ASCII");
            Some(text.lines().map(str::to_owned).collect())
        }
        Err(error) => {
            skip("ffprobe", &error.to_string());
            None
        }
    }
}

/// Checks that ffmpeg's programs find in a file what was sent.
pub fn assert_ffmpeg_finds(path: &Path, recording: &Recording) {
    let Some(said) = ffprobe(path, "stream=codec_name,nb_read_packets:format=duration") else {
        return;
    };
    let seconds = format!("{:.6}", recording.duration as f64 / 10_000.0);
    assert_eq!(said, ["mjpeg", &recording.frames.len().to_string(), &seconds]);
    let times = ffprobe(path, "packet=pts_time").expect("it was there");
    let expected: Vec<_> = recording
        .frames
        .iter()
        .map(|(time, _)| format!("{:.6}", *time as f64 / 10_000.0))
        .collect();
    // After the packets, it prints their number.
    assert_eq!(times[..expected.len()], expected);

    let folder = tempfile::tempdir().expect("a folder");
    let pattern = folder.path().join("%d.jpg");
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-i"]).arg(path).args(["-c", "copy"]).arg(&pattern);
    let Ok(output) = ffmpeg.stdin(Stdio::null()).output() else { return skip("ffmpeg", "none") };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for (number, (_, sent)) in (1..).zip(&recording.frames) {
        let jpeg = fs::read(folder.path().join(format!("{number}.jpg"))).expect("a JPEG");
        assert!(jpeg == *sent, "frame {number} comes out as it was sent");
    }
    assert!(!folder.path().join(format!("{}.jpg", recording.frames.len() + 1)).exists());
}

/// The recordings in a folder, ordered by number or time.
pub fn recordings(folder: &Path) -> Vec<(String, Recording)> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("readable").path()).collect();
    // x-2.mkv follows x.mkv, and x-10.mkv follows x-9.mkv. Names with times sort as they are.
    let number = |path: &Path| path.file_stem()?.to_str()?.strip_prefix("x-")?.parse::<u32>().ok();
    paths.sort_by_key(|path| (number(path), path.clone()));
    let recording = |path: PathBuf| {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        (name, read(&fs::read(&path).expect("a file")))
    };
    paths.into_iter().map(recording).collect()
}

/// Checks that these files contain all frames that were sent, each once and in order.
#[track_caller]
pub fn assert_seamless(recordings: &[(String, Recording)], sent: &[Frame]) {
    let found: Vec<&[u8]> = recordings
        .iter()
        .flat_map(|(_, recording)| recording.frames.iter().map(|(_, jpeg)| jpeg.as_slice()))
        .collect();
    assert_eq!(found.len(), sent.len());
    for (number, (found, (_, sent))) in found.iter().zip(sent).enumerate() {
        assert!(*found == sent.as_slice(), "frame {number}");
    }
}
