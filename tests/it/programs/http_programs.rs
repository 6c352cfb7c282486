//! Programs as people install them watch over HTTP: each decodes 300 frames, in order and without error
//! messages.

use crate::programs::integrations::line;
use crate::tools::camera_process::{CameraProcess, PATIENCE};
use crate::tools::http_client::part;
use crate::tools::native_client::look;
use crate::tools::program::{python_with, run};
use crate::tools::skip::skip;
use crate::tools::until::wait_until;
use crate::tools::x11::Xvfb;
use lancam::image::pixels::Size;
use lancam::image::stamp::Stamp;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

/// So fast that 300 frames take 3 s, and so small that two cores can encode and decode them.
const SOURCE: &str = "test:320x180@100";
const SIZE: Size = Size::new(320, 180);
const FRAMES: usize = 300;

fn camera() -> CameraProcess {
    CameraProcess::start(&["--source", SOURCE])
}

/// A program with its standard output and error piped. Dropping this ends it.
pub(super) struct Program(Child);

impl Program {
    pub(super) fn start(program: &str, arguments: &[&str]) -> Option<Self> {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        match command.spawn() {
            Ok(child) => Some(Self(child)),
            Err(error) => {
                skip(program, &error.to_string());
                None
            }
        }
    }

    /// Reads grey pictures from its standard output, and returns the number in each.
    fn numbers_in_its_pictures(&mut self) -> Vec<u32> {
        let mut out = self.0.stdout.take().expect("piped");
        let mut grey = vec![0; SIZE.area()];
        let mut numbers = Vec::with_capacity(FRAMES);
        for index in 0..FRAMES {
            if let Err(error) = out.read_exact(&mut grey) {
                panic!("after {index} pictures: {error}: {}", self.complaints());
            }
            let stamp = Stamp::read(SIZE, |x, y| grey[y * SIZE.width + x]);
            numbers.push(stamp.unwrap_or_else(|| panic!("picture {index} is damaged")).sequence);
        }
        numbers
    }

    /// Ends it, and returns what it printed on standard error.
    fn complaints(&mut self) -> String {
        let _ = self.0.kill();
        let _ = self.0.wait();
        let mut text = String::new();
        if let Some(stderr) = &mut self.0.stderr {
            let _ = stderr.read_to_string(&mut text);
        }
        text
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.complaints();
    }
}

/// The numbers must rise. Missing ones are counted and printed.
#[track_caller]
pub(super) fn assert_in_order(who: &str, numbers: &[u32]) {
    assert!(numbers.is_sorted_by(|one, next| one < next), "{who}: {numbers:?}");
    let (first, last) = (numbers[0], numbers[numbers.len() - 1]);
    let made = usize::try_from(last - first + 1).expect("small");
    println!(
        "{who}: {} frames in order, {} between them missing",
        numbers.len(),
        made - numbers.len()
    );
}

#[test]
fn curl_gets_stream_snapshot_and_heads() {
    let camera = camera();
    let url = |path: &str| format!("http://localhost:{}{path}", camera.port());
    let curl =
        |arguments: &[&str]| run("curl", &[&["-s", "-S", "--max-time", "20"], arguments].concat());
    let Some(picture) = curl(&[&url("/snapshot.jpg")]) else { return };
    assert!(look(&picture.stdout).1.is_some());
    // Two pictures and `/state` must use one connection.
    let twice =
        [&url("/snapshot") as &str, &url("/snapshot"), &url("/state"), "-w", " %{num_connects}"];
    let twice = curl(&twice).expect("it was there");
    let connects = String::from_utf8_lossy(&twice.stdout).matches(" 1").count();
    assert!(connects >= 1 && twice.stdout.ends_with(b" 0"), "one connection");
    for path in ["/snapshot", "/?action=snapshot"] {
        let head = curl(&["-I", &url(path)]).expect("it was there");
        assert!(head.stdout.starts_with(b"HTTP/1.1 200 OK\r\n"), "{path}");
    }
    let head = curl(&["-I", &url("/stream")]).expect("it was there");
    let head = String::from_utf8_lossy(&head.stdout).into_owned();
    assert!(head.starts_with("HTTP/1.0 200 OK\r\n") && head.contains("multipart"), "{head}");

    let stream = ["-N", "-s", "-S", &url("/?action=stream")];
    let mut curl = Program::start("curl", &stream).expect("it was there");
    let mut parts = BufReader::new(curl.0.stdout.take().expect("piped"));
    // curl's output begins after the answer's head.
    let numbers: Vec<u32> =
        (0..FRAMES).map(|_| look(&part(&mut parts).jpeg).1.expect("a stamp").sequence).collect();
    assert_in_order("curl", &numbers);
    assert_eq!(curl.complaints(), "");
}

#[test]
#[ignore = "minutes: make test-all"] // to install
fn ffmpeg_decodes_the_stream() {
    let camera = camera();
    let url = format!("http://127.0.0.1:{}/stream", camera.port());
    let input = ["-v", "error", "-use_wallclock_as_timestamps", "1", "-fflags", "nobuffer", "-i"];
    let output = ["-fps_mode", "passthrough", "-vf", "format=gray", "-f", "rawvideo", "pipe:1"];
    let arguments = [&["-nostdin"], &input[..], &[&url], &output].concat();
    let Some(mut ffmpeg) = Program::start("ffmpeg", &arguments) else { return };
    assert_in_order("ffmpeg", &ffmpeg.numbers_in_its_pictures());
    // ffmpeg gives multipart pictures times in 25ths of a second. A faster camera's pictures can get equal
    // times, about which ffmpeg complains. It must complain about nothing else.
    let complaints = ffmpeg.complaints();
    let of_input = complaints.lines().find(|line| {
        !line.contains("non monotonically increasing dts")
            && !line.contains("Last message repeated")
    });
    assert_eq!(of_input, None);
}

#[test]
#[ignore = "minutes: make test-all"] // to install
fn gstreamer_decodes_the_stream() {
    let camera = camera();
    let url = format!("location=http://127.0.0.1:{}/stream", camera.port());
    let chain = ["souphttpsrc", &url, "!", "multipartdemux", "!", "jpegdec", "!", "videoconvert"];
    let sink = ["!", "video/x-raw,format=GRAY8", "!", "fdsink", "fd=1", "sync=false"];
    let arguments = [&["-q"], &chain[..], &sink].concat();
    let Some(mut gstreamer) = Program::start("gst-launch-1.0", &arguments) else { return };
    assert_in_order("GStreamer", &gstreamer.numbers_in_its_pictures());
    assert_eq!(gstreamer.complaints(), "");
}

const OPENCV: &str = "
import cv2, sys
capture = LINE
for number in range(int(sys.argv[1])):
    ok, frame = capture.read()
    assert ok and frame.shape == (180, 320, 3), frame
    sys.stdout.buffer.write(frame[:, :, 1].tobytes())
blue, green, red = map(int, frame[144, 60])
assert blue <= 12 and abs(green - 191) <= 12 and abs(red - 191) <= 12, frame[144, 60]
sys.stdout.flush()
";

#[test]
fn opencv_decodes_the_stream() {
    let packages = [("opencv-python-headless", "4.10.0.84"), ("numpy", "2.2.6")];
    let Some(python) = python_with(&packages) else { return };
    let camera = camera();
    let script = OPENCV.replace("LINE", &line("OpenCV (Python)", &camera));
    let arguments = ["-W", "error", "-c", &script, &FRAMES.to_string()];
    let python = python.to_str().expect("UTF-8");
    let mut opencv = Program::start(python, &arguments).expect("python starts");
    assert_in_order("OpenCV", &opencv.numbers_in_its_pictures());
    assert!(crate::tools::camera_process::wait(&mut opencv.0).success(), "{}", opencv.complaints());
    assert_eq!(opencv.complaints(), "");
}

/// A page that reads the stream as Mainsail does: with `fetch`, and each part by its length.
const READER: &str = "<script>
(async () => {
  const say = text => fetch('/said?' + encodeURIComponent(text));
  try {
    const reader = (await fetch('CAMERA/stream')).body.getReader();
    let text = '', lengths = [];
    while (lengths.length < 5) {
      const {value, done} = await reader.read();
      if (done) throw new Error('the stream ended');
      text += Array.from(value, byte => String.fromCharCode(byte)).join('');
      lengths = Array.from(text.matchAll(/Content-Length: (\\d+)/g), match => Number(match[1]));
      if (text.length > 4000000) throw new Error('no lengths: ' + text.slice(0, 200));
    }
    await say('lengths ' + lengths.join(' '));
  } catch (error) { await say('error ' + error); }
})();
</script>";

/// Serves `page` until a browser sends a text back, and returns that text.
pub(super) fn what_a_page_says(listener: &TcpListener, page: &str) -> String {
    listener.set_nonblocking(true).expect("a socket");
    loop {
        let mut browser =
            wait_until("a browser at the test's page", || Some(listener.accept().ok()?.0));
        browser.set_nonblocking(false).expect("a socket");
        browser.set_read_timeout(Some(PATIENCE)).expect("sets a timeout");
        let mut request = String::new();
        let _ = BufReader::new(&browser).read_line(&mut request);
        let answer = format!(
            "HTTP/1.0 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n{page}",
            page.len()
        );
        let _ = browser.write_all(answer.as_bytes());
        if let Some((_, said)) = request.split_once("/said?") {
            return said.to_owned();
        }
    }
}

#[test]
fn a_script_in_chromium_reads_the_length_of_each_part() {
    let camera = CameraProcess::start(&["--source", "test:320x180@20", "--cors", "*"]);
    let page = READER.replace("CAMERA", &format!("http://127.0.0.1:{}", camera.port()));
    let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
    let address = listener.local_addr().expect("bound");
    let folder = tempfile::tempdir().expect("a folder");
    let profile = format!("--user-data-dir={}", folder.path().join("profile").display());
    let url = format!("http://{address}/");
    let headless = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0"];
    let arguments = [&headless[..], &[&profile, &url]].concat();
    let Some(_chromium) = Program::start("chromium", &arguments) else { return };
    let said = what_a_page_says(&listener, &page);
    assert!(said.starts_with("lengths%20"), "{said}");
}

/// A screen of its own for Chromium. `None` if either is missing, which counts as a skip.
pub(super) fn screen_for_chromium() -> Option<Xvfb> {
    let screen = Xvfb::start().map_err(|why| skip("chromium", &why)).ok()?;
    let found = Command::new("sh").args(["-c", "command -v chromium"]).output();
    if !found.is_ok_and(|found| found.status.success()) {
        skip("chromium", "it is not installed");
        return None;
    }
    Some(screen)
}
