//! The tutorial's wire in both directions, with real Python and both generations of numpy.

use crate::tools::camera_process::{CameraProcess, PATIENCE, run_to_end};
use crate::tools::jpeg_tools::encoded;
use crate::tools::png_file;
use crate::tools::program::python_with;
use lancam::image::pixels::{Chroma, Size};
use lancam::wire::pickle::BgrArray;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The tested versions, one of numpy 1 and one of numpy 2.
const NUMPYS: [&str; 2] = ["1.26.4", "2.2.6"];

fn python_with_numpy(version: &str) -> Option<PathBuf> {
    python_with(&[("numpy", version)])
}

fn run(python: &Path, script: &str, arguments: &[&str]) -> Child {
    Command::new(python)
        .args(["-W", "error", "-c", script])
        .args(arguments)
        .stdout(Stdio::piped())
        .spawn()
        .expect("python starts")
}

/// Does what the tutorial's client does: reads a length of 8 bytes and then the rest, and unpickles it. Then
/// it checks the picture.
const CLIENT: &str = "
import pickle, socket, struct, sys
client = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
stream = client.makefile('rb')
for number in range(100):
    size = struct.unpack('Q', stream.read(8))[0]
    frame = pickle.loads(stream.read(size))
    assert frame.shape == (int(sys.argv[3]), int(sys.argv[2]), 3), frame.shape
    assert str(frame.dtype) == 'uint8' and frame.flags.c_contiguous and frame.flags.writeable
height, width = frame.shape[:2]
row = height * 8 // 10
# 75 % bars: the second is yellow, the seventh blue; in BGR.
for bar, bgr in ((1, (0, 191, 191)), (5, (0, 0, 191)), (6, (191, 0, 0))):
    seen = frame[row, width * (2 * bar + 1) // 16]
    assert all(abs(int(a) - b) <= 6 for a, b in zip(seen, bgr)), (bar, seen)
print('100 frames')
";

#[test]
fn the_tutorials_client_reads_100_frames_with_either_numpy() {
    for version in NUMPYS {
        let Some(python) = python_with_numpy(version) else { continue };
        for (options, size) in [
            (&[][..], ["320", "180"]),
            (&["--width", "160", "--height", "120", "--stretch"], ["160", "120"]),
        ] {
            let arguments = [&["--source", "test:640x360@60", "--pickle"], options].concat();
            let camera = CameraProcess::start(&arguments);
            let port = camera.port().to_string();
            let client = run(&python, CLIENT, &[&port, size[0], size[1]]);
            let output = client.wait_with_output().expect("python runs");
            assert!(output.status.success(), "numpy {version}");
            assert_eq!(output.stdout, b"100 frames\n");
        }
    }
}

#[test]
fn a_silent_client_gets_pictures_and_a_speaking_one_its_own_protocol() {
    let camera = CameraProcess::start(&["--source", "test:320x180", "--pickle"]);
    let mut silent = std::net::TcpStream::connect(("127.0.0.1", camera.port())).expect("connects");
    silent.set_read_timeout(Some(PATIENCE)).expect("sets a timeout");
    crate::tools::native_client::NativeClient::connect(camera.port()).frame();
    let mut length = [0; 8];
    silent.read_exact(&mut length).expect("a length");
    let len = usize::try_from(u64::from_le_bytes(length)).expect("small");
    let mut pickle = vec![0; len];
    silent.read_exact(&mut pickle).expect("a pickle");
    assert!(len > 320 * 180 * 3 && pickle.starts_with(b"\x80\x03") && pickle.ends_with(b"."));
}

#[test]
fn a_grey_jpeg_reaches_the_tutorials_client_in_three_equal_colours() {
    let folder = tempfile::tempdir().expect("a folder");
    let clip = folder.path().join("clip.mjpeg");
    std::fs::write(&clip, encoded(Size::new(101, 67), Chroma::Grey, 80)).expect("writes");
    let source = clip.to_str().expect("UTF-8");
    let camera =
        CameraProcess::start(&["--source", source, "--rotate", "90", "--width", "33", "--pickle"]);
    let mut silent = std::net::TcpStream::connect(("127.0.0.1", camera.port())).expect("connects");
    silent.set_read_timeout(Some(PATIENCE)).expect("sets a timeout");
    let mut length = [0; 8];
    silent.read_exact(&mut length).expect("a length");
    let mut pickle = vec![0; usize::try_from(u64::from_le_bytes(length)).expect("small")];
    silent.read_exact(&mut pickle).expect("a pickle");
    let mut scratch = Vec::new();
    let array = BgrArray::parse(&pickle, &mut scratch).expect("an array");
    assert_eq!(array.size, Size::new(33, 50));
    let mut pixels = array.pixels.as_chunks::<3>().0.iter();
    assert!(pixels.clone().all(|[blue, green, red]| blue == green && green == red));
    assert!(pixels.any(|pixel| pixel[0] > 60), "and not all is black");
}

/// Does what the tutorial's server does, with a picture of three colours. The arguments choose protocol and
/// content.
const SERVER: &str = "
import os, pickle, socket, struct, sys
import numpy
listener = socket.create_server(('127.0.0.1', 0))
print(listener.getsockname()[1], flush=True)
protocol, content = int(sys.argv[1]), sys.argv[2]
frame = numpy.zeros((90, 160, 3), numpy.uint8)
frame[:, :50] = (255, 0, 0)
frame[:, 50:100] = (0, 255, 0)
frame[:, 100:] = (0, 0, 255)
class Evil:
    def __reduce__(self):
        return os.system, ('touch ' + content,)
data = pickle.dumps(frame if content == 'picture' else Evil(), protocol)
viewer, _ = listener.accept()
try:
    while True:
        viewer.sendall(struct.pack('Q', len(data)) + data)
except OSError:
    pass
";

/// Starts a server and returns it with its address.
fn server(python: &Path, protocol: &str, content: &str) -> (Child, String) {
    let mut server = run(python, SERVER, &[protocol, content]);
    let mut line = String::new();
    let stdout = server.stdout.as_mut().expect("piped");
    BufReader::new(stdout).read_line(&mut line).expect("a port");
    (server, format!("127.0.0.1:{}", line.trim()))
}

#[test]
fn the_tutorials_server_is_shown_in_its_own_colours() {
    let folder = tempfile::tempdir().expect("a folder");
    for version in NUMPYS {
        let Some(python) = python_with_numpy(version) else { continue };
        for protocol in ["2", "3", "4", "5"] {
            let (mut server, address) = server(&python, protocol, "picture");
            let file = folder.path().join(format!("{version}-{protocol}.png"));
            let mut viewer = Command::new(env!("CARGO_BIN_EXE_lancam-view"));
            viewer.args(["--headless", "--frames", "5", "--pickle", &address, "--save"]).arg(&file);
            let (code, text) = run_to_end(&mut viewer);
            let _ = server.kill();
            let _ = server.wait();
            assert_eq!(code, Some(0), "numpy {version}, protocol {protocol}: {text}");
            let picture = png_file::read(&file);
            assert_eq!(picture.size(), Size::new(160, 90));
            for (x, colour) in [(20, [0, 0, 255]), (75, [0, 255, 0]), (140, [255, 0, 0])] {
                assert_eq!(
                    picture.rgb(x, 45),
                    colour,
                    "numpy {version}, protocol {protocol}, column {x}"
                );
            }
        }
    }
}

#[test]
fn a_pickle_that_would_run_a_program_is_refused_and_runs_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(python) = NUMPYS.into_iter().find_map(python_with_numpy) else { return };
    for protocol in ["2", "3", "4", "5"] {
        let touched = folder.path().join("touched");
        let (mut server, address) = server(&python, protocol, touched.to_str().expect("UTF-8"));
        let mut viewer = Command::new(env!("CARGO_BIN_EXE_lancam-view"));
        viewer.args(["--headless", "--frames", "1", "--timeout", "10", "--pickle", &address]);
        let (code, text) = run_to_end(&mut viewer);
        let _ = server.kill();
        let _ = server.wait();
        assert_eq!(code, Some(3), "protocol {protocol}: {text}");
        assert!(text.contains("system"), "it is refused by name: {text}");
        assert!(!touched.exists(), "and nothing ran");
    }
}
