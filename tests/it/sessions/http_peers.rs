//! Programs that ask over HTTP: their own parsers, or their rules where a parser is not available here.

use crate::tools::camera_process::CameraProcess;
use crate::tools::http_client::{HttpClient, get};
use crate::tools::interrupted::again;
use crate::tools::native_client::look;
use crate::tools::program::{python_with, run};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

fn camera() -> CameraProcess {
    CameraProcess::start(&["--source", "test:320x180@30"])
}

const METRICS: &str = "
import sys, urllib.request
from prometheus_client.parser import text_string_to_metric_families
text = urllib.request.urlopen(f'http://127.0.0.1:{sys.argv[1]}/metrics').read().decode()
families = {family.name: family for family in text_string_to_metric_families(text)}
for name in 'capture_frames capture_dropped capture_errors frames_sent frames_skipped bytes_sent reopen'.split():
    assert families['lancam_' + name].type == 'counter', name
for name in 'source_up viewers build_info'.split():
    assert families['lancam_' + name].type == 'gauge', name
for name in 'frame_age_seconds frame_arrival_age_seconds frame_arrival_uncertainty_seconds encode_seconds'.split():
    family = families['lancam_' + name]
    assert family.type == 'histogram', name
    by_labels = {}
    for sample in family.samples:
        labels = tuple(sorted((key, value) for key, value in sample.labels.items() if key != 'le'))
        by_labels.setdefault(labels, []).append(sample)
    for samples in by_labels.values():
        counts = [sample.value for sample in samples if sample.name.endswith('_bucket')]
        total = [sample.value for sample in samples if sample.name.endswith('_count')]
        assert counts == sorted(counts) and [counts[-1]] == total, samples
for family in families.values():
    assert family.documentation and family.type != 'unknown', family
    assert len(set((s.name, tuple(sorted(s.labels.items()))) for s in family.samples)) == len(family.samples)
print(len(families))
";

#[test]
fn prometheus_reads_the_metrics() {
    let Some(python) = python_with(&[("prometheus_client", "0.21.1")]) else {
        return;
    };
    let camera = camera();
    HttpClient::connect(camera.port()).stream("/stream").part();
    let port = camera.port().to_string();
    let output = Command::new(&python)
        .args(["-W", "error", "-c", METRICS, &port])
        .output()
        .expect("python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // Prometheus' own checker, if it is installed.
    let promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut promtool) = promtool else { return };
    let mut stdin = promtool.stdin.take().expect("piped");
    stdin.write_all(&get(camera.port(), "/metrics").body).expect("it reads");
    drop(stdin);
    let output = promtool.wait_with_output().expect("it ends");
    assert!(
        output.status.success() && output.stdout.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

const STATE: &str = "
import json, sys, urllib.request
state = json.load(urllib.request.urlopen(f'http://127.0.0.1:{sys.argv[1]}/state'))
source, stream = state['result']['source'], state['result']['stream']
assert state['ok'] is True and source['online'] is True, state
assert source['resolution'] == {'width': 320, 'height': 180}, state
assert source['desired_fps'] == 30 and source['captured_fps'] > 0, state
assert stream['clients'] == 1 and state['result']['name'] == '\"quoted\" \\\\ name', state
";

#[test]
fn the_state_is_json_with_ustreamers_keys() {
    let camera =
        CameraProcess::start(&["--source", "test:320x180@30", "--name", "\"quoted\" \\ name"]);
    let mut stream = HttpClient::connect(camera.port()).stream("/stream");
    (0..5).for_each(|_| drop(stream.part()));
    let Some(output) = run("python3", &["-c", STATE, &camera.port().to_string()]) else { return };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Home Assistant's `mjpeg` and `generic` cameras take the bytes from the first FFD8 to the next FFD9.
#[test]
fn home_assistants_rule_finds_whole_pictures() {
    let camera = camera();
    let mut tcp = TcpStream::connect(("127.0.0.1", camera.port())).expect("connects");
    tcp.set_read_timeout(Some(Duration::from_secs(10))).expect("its own timeout");
    tcp.write_all(b"GET /stream HTTP/1.1\r\nHost: homeassistant.example\r\n\r\n").expect("writes");
    let mut sink = [0; 64];
    let count = again(|| tcp.read(&mut sink)).expect("an answer");
    assert!(sink[..count].starts_with(b"HTTP/1.1 421"), "a name of its own is not ours");
    let mut tcp = TcpStream::connect(("127.0.0.1", camera.port())).expect("connects");
    tcp.set_read_timeout(Some(Duration::from_secs(10))).expect("its own timeout");
    tcp.write_all(b"GET /stream HTTP/1.1\r\nHost: 127.0.0.1:8123\r\nAccept: */*\r\n\r\n")
        .expect("writes");
    let mut data = Vec::new();
    let jpeg = loop {
        let mut piece = [0; 102_400 / 8];
        let count = again(|| tcp.read(&mut piece)).expect("it goes on");
        data.extend_from_slice(&piece[..count]);
        let find = |from: usize, mark: &[u8]| {
            data[from..].windows(2).position(|pair| pair == mark).map(|at| from + at)
        };
        let Some(start) = find(0, b"\xff\xd8") else { continue };
        let Some(end) = find(start, b"\xff\xd9") else { continue };
        break data[start..end + 2].to_vec();
    };
    assert!(look(&jpeg).1.is_some(), "a whole picture");
}

/// OctoPrint asks for a snapshot with `requests`, waits 5 s, and needs an image type and the bytes.
#[test]
fn octoprints_rule_gets_its_snapshot() {
    let camera = camera();
    let start = Instant::now();
    let answer = HttpClient::connect(camera.port()).ask(
        "GET",
        "/?action=snapshot",
        "User-Agent: python-requests/2.32\r\nAccept-Encoding: gzip, deflate\r\nAccept: */*\r\nConnection: keep-alive\r\n",
    );
    assert!(start.elapsed() < Duration::from_secs(5));
    assert_eq!(answer.code, 200);
    assert!(answer.header("Content-Type").is_some_and(|kind| kind.starts_with("image/")));
    assert!(look(&answer.body).1.is_some());
}

/// The rules of go2rtc's `pkg/mpjpeg` and similar readers: a line that begins with `--`, MIME headers,
/// `Content-Length` bytes; lines end with CR and LF.
#[test]
fn go2rtcs_rule_finds_300_pictures_in_order() {
    let camera = CameraProcess::start(&["--source", "test:320x180@100"]);
    let mut stream = HttpClient::connect(camera.port()).stream("/stream");
    let stamps: Vec<_> =
        (0..300).map(|_| look(&stream.part().jpeg).1.expect("a stamp").sequence).collect();
    assert!(stamps.is_sorted_by(|one, next| one < next), "{stamps:?}");
}
