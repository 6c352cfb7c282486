//! Programs that watch over HTTP, as people install them: each decodes 300 frames, in order and without a complaint.

use crate::programs::integrations::line;
use crate::tools::camera_process::{CameraProcess, PATIENCE};
use crate::tools::http_client::{get, part};
use crate::tools::native_client::look;
use crate::tools::program::{python_with, run};
use crate::tools::screen_stamp::stamp_on;
use crate::tools::skip::skip;
use crate::tools::until::wait_until;
use crate::tools::x11::Xvfb;
use lancam::image::pixels::Size;
use lancam::image::stamp::Stamp;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

/// Fast, so that 300 frames are there in 3 s; small, so that two cores encode and decode that.
const SOURCE: &str = "test:320x180@100";
const SIZE: Size = Size::new(320, 180);
const FRAMES: usize = 300;

fn camera() -> CameraProcess {
    CameraProcess::start(&["--source", SOURCE])
}

/// A program with its standard output and error piped, ended with the test; `None`, said as a skip, where it is not installed.
struct Program(Child);

impl Program {
    fn start(program: &str, arguments: &[&str]) -> Option<Self> {
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

    /// Reads grey pictures from its standard output, and the number that stands in each.
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

    /// Ends it; what it said on standard error.
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

/// Numbers rise, and what is missing is counted.
#[track_caller]
fn assert_in_order(who: &str, numbers: &[u32]) {
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
    // Two pictures and a question on one connection.
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
    // What curl hands on begins behind the answer's head.
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
    // It times multipart pictures in 25ths of a second, so that some of a faster camera's have the same time: that is said of
    // its output. Of what it reads it has nothing to say.
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

/// A browser's window on a screen of its own.
fn chromium(screen: &Xvfb, folder: &std::path::Path, url: &str) -> Option<Program> {
    let profile = format!("--user-data-dir={}", folder.join("profile").display());
    let (app, display) = (format!("--app={url}"), format!("DISPLAY={}", screen.display()));
    let still = ["--no-first-run", "--disable-gpu", "--disable-background-networking"];
    let place = ["--window-position=0,0", "--window-size=1000,880"];
    // No profile of anybody's, and no sandbox, which root cannot have.
    let own = ["--no-sandbox", "--password-store=basic", &profile, &app];
    let found = Command::new("sh").args(["-c", "command -v chromium"]).output();
    if !found.is_ok_and(|found| found.status.success()) {
        skip("chromium", "it is not installed");
        return None;
    }
    let chromium = [&[&display as &str, "chromium"], &still[..], &place, &own].concat();
    Program::start("env", &chromium)
}

/// How many pictures a browser is seen to paint, one after the other, on a page that stays.
fn chromium_paints(pictures: usize) {
    let screen = match Xvfb::start() {
        Ok(screen) => screen,
        Err(why) => return skip("chromium", &why),
    };
    let folder = tempfile::tempdir().expect("a folder");
    let camera = CameraProcess::start(&["--source", "test:640x360@30", "--name", "Garage"]);
    let page = format!("http://127.0.0.1:{}/", camera.port());
    let Some(_chromium) = chromium(&screen, folder.path(), &page) else { return };
    // The button to the full screen comes to the mouse.
    screen.xdotool(&["mousemove", "1399", "899"]);
    let mut numbers = Vec::with_capacity(pictures);
    while numbers.len() < pictures {
        numbers.push(wait_until("another picture on the page", || {
            let number = stamp_on(&screen.screenshot())?.sequence;
            (numbers.last() != Some(&number)).then_some(number)
        }));
    }
    assert_in_order("Chromium", &numbers);
    if let Some(folder) = std::env::var_os("LANCAM_SCREENSHOTS") {
        let file = std::path::Path::new(&folder).join("page.png");
        lancam::viewer::keep::snapshot::save(&screen.screenshot(), &file).expect("kept");
    }
}

#[test]
fn chromium_shows_the_page_and_the_picture_on_it_moves() {
    chromium_paints(30);
}

#[test]
#[ignore = "minutes: make test-all"]
fn chromium_paints_300_pictures_in_order() {
    chromium_paints(FRAMES);
}

/// A page that reads the stream as Mainsail does: by `fetch`, and each part by its length.
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

/// Serves `page` until a browser says something back, and returns that.
fn what_a_page_says(listener: &TcpListener, page: &str) -> String {
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

/// The page as it is after some seconds, with or without scripts.
fn page_in_chromium(camera: &CameraProcess, more: &[&str]) -> Option<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let profile = format!("--user-data-dir={}", folder.path().display());
    let url = format!("http://127.0.0.1:{}/", camera.port());
    let flags = ["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", &profile];
    let page = run("chromium", &[&flags, more, &[&url]].concat())?;
    Some(String::from_utf8_lossy(&page.stdout).into_owned())
}

#[test]
fn the_page_says_why_it_has_no_picture_and_never_that_it_is_live() {
    let full = CameraProcess::start(&["--source", "test:64x48", "--max-viewers", "1"]);
    let mut watching =
        crate::tools::http_client::HttpClient::connect(full.port()).stream("/stream");
    watching.part();
    let none = CameraProcess::start(&["--source", "/dev/video-that-is-not-there"]);
    for (camera, why) in
        [(&full, "1 viewer is watching already"), (&none, "/dev/video-that-is-not-there")]
    {
        let Some(page) = page_in_chromium(camera, &["--virtual-time-budget=5000"]) else { return };
        let state = "<span id=\"state\" role=\"status\" class=\"bad\">";
        let (_, said) = page.split_once(state).unwrap_or_else(|| panic!("it is not bad: {page}"));
        assert!(said.lines().next().is_some_and(|line| line.contains(why)), "{said}");
        let (_, notice) = page.split_once("id=\"notice\">").expect("a notice, not hidden");
        assert!(notice.lines().next().is_some_and(|line| line.contains(why)), "{notice}");
        assert!(!page.contains("class=\"shown\""), "a picture is shown");
    }
}

#[test]
fn retries_of_a_page_that_is_refused_are_told_of_once() {
    let camera = CameraProcess::start(&["--source", "test:64x48", "--max-viewers", "1"]);
    let mut watching =
        crate::tools::http_client::HttpClient::connect(camera.port()).stream("/stream");
    watching.part();
    for _ in 0..5 {
        assert_eq!(get(camera.port(), "/stream?page=1").code, 503);
    }
    drop(watching);
    let refused = camera.line_with("CONNECTION ENDED");
    assert!(refused.contains("1 viewer is watching already"), "{refused}");
    let next = camera.line_with("CONNECTION ENDED");
    assert!(next.contains("the viewer left"), "{next}");
}

/// Chrome paints a picture when it sees the head of the next: one that none follows must be seen all the same.
#[test]
#[ignore = "minutes: make test-all"]
fn chromium_shows_the_page_and_paints_a_picture_that_none_follows() {
    let mut command = CameraProcess::command(&["--listen", "127.0.0.1:0", "--source", "-"]);
    let mut camera = CameraProcess::spawn(command.stdin(Stdio::piped()));
    let mut pipe = camera.child.stdin.take().expect("piped");
    let folder = tempfile::tempdir().expect("a folder");
    let shot = folder.path().join("page.png");
    let screenshot = format!("--screenshot={}", shot.display());
    let profile = format!("--user-data-dir={}", folder.path().join("profile").display());
    let chromium = Command::new("chromium")
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--timeout=7000",
        ])
        .args(["--window-size=800,900", &profile, &screenshot])
        .arg(format!("http://127.0.0.1:{}/", camera.port()))
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let mut chromium = match chromium {
        Ok(chromium) => chromium,
        Err(error) => return skip("chromium", &error.to_string()),
    };
    let start = Instant::now();
    while !get(camera.port(), "/state").text().contains("\"http\":1") {
        assert!(start.elapsed() < PATIENCE, "nobody watches");
    }
    pipe.write_all(&crate::tools::jpeg_tools::grey_jpegs(&[120])).expect("the camera reads");
    assert!(crate::tools::camera_process::wait(&mut chromium).success());
    let page = crate::tools::png_file::read(&shot);
    let is_grey = |x: usize| page.rgb(x, 200).iter().all(|part| part.abs_diff(120) <= 4);
    let wide = (0..page.size().width).filter(|&x| is_grey(x)).count();
    assert!(wide * 2 > page.size().width, "no picture on the page");
    drop(pipe);
}
