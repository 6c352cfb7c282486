//! The page in a real browser: its picture, its words when there is no picture, and its buttons.

use crate::programs::http_programs::{Program, assert_in_order, screen_for_chromium};
use crate::tools::camera_process::{CameraProcess, wait};
use crate::tools::http_client::{HttpClient, get};
use crate::tools::native_client::look;
use crate::tools::program::run;
use crate::tools::screen_stamp::{pattern_on, stamp_on};
use crate::tools::skip::skip;
use crate::tools::stage::keep;
use crate::tools::until::{wait_at_most, wait_until};
use crate::tools::x11::Xvfb;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

/// A browser may take this long to start, and to draw. It uses all cores for that.
const BROWSERS_PATIENCE: Duration = Duration::from_secs(150);

/// How many pictures the long test wants.
const FRAMES: usize = 300;

/// A camera's page in the window of a browser, which has its own screen and its own home.
struct Page {
    camera: CameraProcess,
    screen: Xvfb,
    home: TempDir,
    _chromium: Program,
}

impl Page {
    /// `None` if there is no browser or no screen, which counts as a skip.
    fn open(more: &[&str]) -> Option<Self> {
        let screen = screen_for_chromium()?;
        let home = tempfile::tempdir().expect("a folder");
        let camera = CameraProcess::start(&["--source", "test:640x360@30", "--name", "Garage"]);
        let environment =
            [format!("DISPLAY={}", screen.display()), format!("HOME={}", home.path().display())];
        let app = format!("--app=http://127.0.0.1:{}/", camera.port());
        let still = ["--no-first-run", "--disable-gpu", "--disable-background-networking"];
        let place = ["--window-position=0,0", "--window-size=1000,880"];
        // The sandbox does not work for root.
        let own = ["--no-sandbox", "--password-store=basic", &app];
        let environment = environment.each_ref().map(String::as_str);
        let words = [&environment[..], &["chromium"], &still, &place, &own, more].concat();
        let chromium = Program::start("env", &words)?;
        // The pointer must be over the page so that it gets the keys. Nothing can be clicked at this place.
        screen.xdotool(&["mousemove", "990", "870"]);
        let page = Self { camera, screen, home, _chromium: chromium };
        page.next_number(None);
        Some(page)
    }

    /// Waits for a picture on the page with another number than `last`, and returns its number.
    fn next_number(&self, last: Option<u32>) -> u32 {
        wait_at_most(BROWSERS_PATIENCE, "another picture on the page", || {
            stamp_on(&self.screen.screenshot())
                .map(|stamp| stamp.sequence)
                .filter(|&number| last != Some(number))
        })
    }

    fn press(&self, keys: &[&str]) {
        for key in keys {
            self.screen.xdotool(&["key", key]).expect("pressed");
        }
    }

    /// The distance of the picture from the left edge of the screen.
    fn left(&self) -> Option<usize> {
        pattern_on(&self.screen.screenshot()).map(|(left, ..)| left)
    }

    /// Waits until `/state` contains this text, or no longer contains it.
    fn wait_for_state(&self, text: &str, is_there: bool) {
        wait_until(text, || {
            (get(self.camera.port(), "/state").text().contains(text) == is_there).then_some(())
        });
    }
}

/// Checks that the browser paints this many pictures in order, on one page.
fn chromium_paints(pictures: usize) {
    let Some(page) = Page::open(&[]) else { return };
    let mut numbers = Vec::with_capacity(pictures);
    while numbers.len() < pictures {
        numbers.push(page.next_number(numbers.last().copied()));
    }
    assert_in_order("Chromium", &numbers);
    keep(&page.screen.screenshot(), "page.png");
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

/// A service manager starts lancam again at once, with the same socket. No question of the page fails meanwhile, and
/// Chromium does not tell it that the stream has ended.
#[test]
fn a_restart_that_takes_no_time_is_noticed_by_the_page() {
    let Some(mut page) = Page::open(&[]) else { return };
    // The page has asked when lancam had been running for a second or more.
    wait_until("an older lancam", || {
        let state = get(page.camera.port(), "/state");
        let (_, uptime) = state.text().split_once("\"uptime_seconds\":")?;
        let seconds = uptime.split([',', '}']).next()?.trim().parse::<u64>().ok()?;
        (seconds >= 4).then_some(())
    });
    let address = format!("127.0.0.1:{}", page.camera.port());
    page.camera.child.kill().expect("it runs");
    page.camera.child.wait().expect("it was killed");
    page.camera = CameraProcess::spawn(&mut CameraProcess::command(&[
        "--listen",
        &address,
        "--source",
        "test:640x360@30",
    ]));
    // The browser may paint a picture or two that it still had.
    let mut last = None;
    for _ in 0..10 {
        last = Some(page.next_number(last));
    }
}

#[test]
fn f_and_a_double_click_fill_the_screen_with_the_picture_and_give_it_back() {
    let Some(page) = Page::open(&[]) else { return };
    let is_full = |wanted: bool| {
        wait_until("the picture at its place", || {
            page.left().filter(|&left| (left < 4) == wanted).map(drop)
        });
    };
    is_full(false);
    page.press(&["f"]);
    is_full(true);
    keep(&page.screen.screenshot(), "page-full.png");
    page.press(&["f"]);
    is_full(false);
    page.screen.xdotool(&["mousemove", "500", "200", "click", "--repeat", "2", "1"]);
    is_full(true);
}

#[test]
fn s_saves_the_cameras_picture_with_its_name_and_the_time() {
    let Some(page) = Page::open(&[]) else { return };
    page.press(&["s"]);
    let file = wait_until("a file among the downloads", || {
        let files = std::fs::read_dir(page.home.path().join("Downloads")).ok()?;
        files.map(|file| file.expect("a file").path()).find(|path| {
            path.extension().is_some_and(|extension| extension == "jpg")
                && std::fs::metadata(path).is_ok_and(|file| file.len() > 0)
        })
    });
    let name = file.file_name().and_then(|name| name.to_str()).expect("UTF-8");
    // The name is like Garage_2026-11-29_18-40-12.jpg.
    let digits = name.bytes().filter(u8::is_ascii_digit).count();
    assert!(name.starts_with("Garage_20") && digits == 14, "{name}");
    assert!(look(&std::fs::read(&file).expect("saved")).1.is_some(), "the test pattern");
    keep(&page.screen.screenshot(), "page-saved.png");
}

#[test]
fn a_size_is_chosen_and_undone_on_the_page() {
    let Some(page) = Page::open(&[]) else { return };
    page.wait_for_state("320x180", false);
    // The choice of sizes follows the two buttons. The camera has 640, so 320 is the next size.
    page.press(&["Tab", "Tab", "Tab", "Down"]);
    page.wait_for_state("320x180", true);
    page.next_number(None);
    page.press(&["Up"]);
    page.wait_for_state("320x180", false);
}

#[test]
fn without_scripts_the_page_still_shows_the_picture() {
    let Some(page) = Page::open(&["--blink-settings=scriptEnabled=false"]) else { return };
    let first = page.next_number(None);
    page.next_number(Some(first));
    keep(&page.screen.screenshot(), "page-noscript.png");
}

#[test]
fn the_page_opens_the_camera_in_the_viewer() {
    let camera = CameraProcess::start(&["--source", "test:64x48"]);
    let Some(page) = page_in_chromium(&camera, &["--virtual-time-budget=3000"]) else { return };
    assert!(page.contains(&format!("href=\"lancam://127.0.0.1:{}\"", camera.port())), "{page}");
}

/// The page's source after some seconds.
fn page_in_chromium(camera: &CameraProcess, more: &[&str]) -> Option<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let profile = format!("--user-data-dir={}", folder.path().display());
    let url = format!("http://127.0.0.1:{}/", camera.port());
    let flags = ["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", &profile];
    let page = run("chromium", &[&flags, more, &[&url]].concat())?;
    Some(String::from_utf8_lossy(&page.stdout).into_owned())
}

/// Watches until the camera ends, and reads every picture, so that its place stays taken.
fn watch(port: u16) {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("connects");
    stream.write_all(b"GET /stream HTTP/1.0\r\n\r\n").expect("asks");
    stream.read_exact(&mut [0; 256]).expect("a picture begins");
    thread::spawn(move || io::copy(&mut stream, &mut io::sink()));
}

#[test]
fn the_page_says_why_it_has_no_picture_and_never_that_it_is_live() {
    let full = CameraProcess::start(&["--source", "test:64x48", "--max-viewers", "1"]);
    watch(full.port());
    let none = CameraProcess::start(&["--source", "/dev/video-that-is-not-there"]);
    for (camera, why) in
        [(&full, "allows no more than 1 viewer"), (&none, "/dev/video-that-is-not-there")]
    {
        let Some(page) = page_in_chromium(camera, &["--virtual-time-budget=5000"]) else { return };
        let state = "<span id=\"state\" role=\"status\" class=\"bad\">";
        let (_, said) = page.split_once(state).unwrap_or_else(|| panic!("it is not bad: {page}"));
        assert!(said.lines().next().is_some_and(|line| line.contains(why)), "{said}");
        let (_, notice) = page.split_once("id=\"notice\">").expect("a notice, not hidden");
        let notice = notice.lines().next().unwrap_or_default();
        assert!(notice.contains(why) && notice.contains("tries again by itself"), "{notice}");
        assert!(!page.contains("class=\"shown\""), "a picture is shown");
    }
}

#[test]
fn words_in_place_of_the_first_picture_are_not_called_live() {
    let mut command = CameraProcess::command(&["--listen", "127.0.0.1:0", "--source", "-"]);
    let mut camera = CameraProcess::spawn(command.stdin(Stdio::piped()));
    let Some(page) = page_in_chromium(&camera, &["--virtual-time-budget=4000"]) else { return };
    let (_, state) = page.split_once("<span id=\"state\"").expect("a state");
    let state = state.lines().next().expect("a line");
    assert!(!state.contains("good") && !state.contains("live"), "{state}");
    assert!(!page.contains("class=\"shown\""), "a picture is shown");
    drop(camera.child.stdin.take());
}

#[test]
fn retries_of_a_page_that_is_refused_are_told_of_once() {
    let camera = CameraProcess::start(&["--source", "test:64x48", "--max-viewers", "1"]);
    let mut watching = HttpClient::connect(camera.port()).stream("/stream");
    watching.part();
    for _ in 0..5 {
        assert_eq!(get(camera.port(), "/stream?page=1").code, 503);
    }
    drop(watching);
    let refused = camera.line_with("connection ended");
    assert!(refused.contains("allows no more than 1 viewer"), "{refused}");
    let next = camera.line_with("connection ended");
    assert!(next.contains("the viewer left"), "{next}");
}

/// Chrome paints a picture when it sees the head of the next one. The last picture must appear all the same.
#[test]
#[ignore = "minutes: make test-all"]
fn chromium_shows_the_page_and_paints_a_picture_that_none_follows() {
    // The page never ends, so chromium looks after a given time. On a busy machine, it may not have begun by then.
    for seconds in [7, 20] {
        match width_of_the_only_picture(seconds) {
            Ok(part) if part > 0.5 => return,
            Ok(part) if seconds == 20 => panic!("the picture takes {part} of the page's width"),
            Ok(part) => println!("after {seconds} s: {part} of the page's width"),
            Err(error) => return skip("chromium", &error.to_string()),
        }
    }
}

/// Shows the page in chromium, then writes one grey picture into the camera's pipe. Returns how much of the page's width
/// is grey after this many seconds.
fn width_of_the_only_picture(seconds: u32) -> io::Result<f32> {
    let mut command = CameraProcess::command(&["--listen", "127.0.0.1:0", "--source", "-"]);
    let mut camera = CameraProcess::spawn(command.stdin(Stdio::piped()));
    let mut pipe = camera.child.stdin.take().expect("piped");
    let folder = tempfile::tempdir().expect("a folder");
    let shot = folder.path().join("page.png");
    let mut chromium = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"])
        .arg(format!("--timeout={}", seconds * 1000))
        .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
        .arg("--window-size=800,900")
        .arg(format!("--screenshot={}", shot.display()))
        .arg(format!("http://127.0.0.1:{}/", camera.port()))
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    while !get(camera.port(), "/state").text().contains("\"http\":1") {
        if let Some(status) = chromium.try_wait()? {
            assert!(status.success(), "chromium: {status}");
            return Ok(0.0);
        }
    }
    pipe.write_all(&crate::tools::jpeg_tools::grey_jpegs(&[120])).expect("the camera reads");
    assert!(wait(&mut chromium).success());
    let page = crate::tools::png_file::read(&shot);
    let is_grey = |x: &usize| page.rgb(*x, 200).iter().all(|part| part.abs_diff(120) <= 4);
    let wide = (0..page.size().width).filter(is_grey).count();
    Ok(wide as f32 / page.size().width as f32)
}
