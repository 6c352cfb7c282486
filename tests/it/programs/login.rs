//! The way in, in a real browser: a person types the camera's code once, sees the picture, and is asked again when the key
//! was revoked.

use crate::programs::http_programs::{Program, screen_for_chromium, what_a_page_says};
use crate::tools::relay::Relay;
use crate::tools::screen_stamp::stamp_on;
use crate::tools::served_camera::ServedCamera;
use crate::tools::stage::keep;
use crate::tools::until::wait_until;
use crate::tools::x11::Xvfb;
use lancam::crypto::sha256;
use lancam::image::picture::Picture;
use lancam::wire::base64;
use std::net::TcpListener;
use tempfile::TempDir;

/// The colour of the button on the login page.
const BUTTON: u32 = 0x0B_62_C4;

/// How many pixels of the button there are at least.
const LEAST_PIXELS: usize = 2000;

/// The colour of the frame around what is wrong.
const WRONG: u32 = 0xB3_26_1E;

/// How many pixels of that frame there are at least.
const LEAST_OF_FRAME: usize = 300;

fn asks_for_the_code(screen: &Picture) -> bool {
    count(screen, BUTTON) > LEAST_PIXELS
}

fn says_what_is_wrong(screen: &Picture) -> bool {
    count(screen, WRONG) > LEAST_OF_FRAME
}

fn count(screen: &Picture, colour: u32) -> usize {
    screen.pixels().iter().filter(|&&pixel| pixel & 0xFF_FF_FF == colour).count()
}

/// Chromium with its own screen and home.
struct Browser {
    screen: Xvfb,
    home: TempDir,
    /// How it takes the camera's certificate.
    takes: String,
}

impl Browser {
    /// `None` if there is none, which counts as a skip.
    fn new(takes: &str) -> Option<Self> {
        let screen = screen_for_chromium()?;
        let home = tempfile::tempdir().expect("a folder");
        Some(Self { screen, home, takes: takes.to_owned() })
    }

    /// Shows a page in a window of its own.
    fn show(&self, url: &str) -> Program {
        let folder = self.home.path().display();
        let (environment, own) = (
            [format!("DISPLAY={}", self.screen.display()), format!("HOME={folder}")],
            [
                format!("--app={url}"),
                self.takes.clone(),
                format!("--user-data-dir={folder}/chromium"),
            ],
        );
        let still = ["--no-first-run", "--disable-gpu", "--disable-background-networking"];
        let place = ["--window-position=0,0", "--window-size=1000,880"];
        // The sandbox does not work for root.
        let root = ["--no-sandbox", "--password-store=basic"];
        let words = [
            &environment.each_ref().map(String::as_str)[..],
            &["chromium"],
            &still,
            &place,
            &root,
            &own.each_ref().map(String::as_str),
        ]
        .concat();
        let program = Program::start("env", &words).expect("env is everywhere");
        // The pointer must be over the page so that it gets the keys. Nothing can be clicked at this place.
        self.screen.xdotool(&["mousemove", "990", "870"]);
        program
    }

    /// Waits until the login page is there.
    fn is_asked(&self) {
        wait_until("the login page", || asks_for_the_code(&self.screen.screenshot()).then_some(()));
    }

    /// Types a code as people do: the field has the focus.
    fn types(&self, code: &str) {
        self.screen.xdotool(&["type", &format!("{code}\n")]);
    }

    /// The number of the picture on the page.
    fn number(&self) -> Option<u32> {
        stamp_on(&self.screen.screenshot()).map(|stamp| stamp.sequence)
    }

    fn keep(&self, name: &str) {
        keep(&self.screen.screenshot(), name);
    }
}

#[test]
fn a_person_types_the_code_in_chromium_and_is_asked_again_when_the_key_was_revoked() {
    let camera = ServedCamera::with_keys();
    // The warning was passed, for this camera's key alone.
    let pin = base64::encode(&sha256(camera.public_key()));
    let takes = format!("--ignore-certificate-errors-spki-list={pin}");
    let Some(browser) = Browser::new(&takes) else { return };
    let _chromium = browser.show(&format!("https://127.0.0.1:{}/", camera.port));
    browser.is_asked();
    browser.keep("login.png");
    browser.types("0000 0000 0000");
    wait_until("a wrong code", || {
        browser.keep("login-wrong.png");
        (camera.access().keys().is_empty() && camera.has_ended_with("the code is wrong"))
            .then_some(())
    });
    // What is typed before the new page is there is lost with the old one.
    wait_until("a page that says so", || {
        let screen = browser.screen.screenshot();
        (asks_for_the_code(&screen) && says_what_is_wrong(&screen)).then_some(())
    });
    browser.types(&camera.access().code().shown().to_lowercase());
    let first = wait_until("a picture", || browser.number());
    wait_until("another picture", || browser.number().filter(|&number| number != first));
    browser.keep("page-with-keys.png");

    let names: Vec<_> = camera.access().keys().into_iter().map(|entry| entry.name).collect();
    assert_eq!(names, ["Chrome on Linux"]);
    assert!(camera.access().revoke("Chrome on Linux").expect("written"));
    browser.is_asked();
    browser.keep("login-again.png");
}

/// A page that shows a picture of a camera, and tells whether it got one.
const OTHER_PAGE: &str = "<script>
const picture = new Image();
picture.onload = () => fetch('/said?a picture');
picture.onerror = () => fetch('/said?nothing');
picture.src = 'ADDRESS';
</script>";

/// It is at another port of the same host, so the browser sends it the camera's cookie.
#[test]
fn a_page_of_another_origin_gets_no_picture_in_a_browser_that_has_logged_in() {
    let camera = ServedCamera::with_keys();
    let Some(browser) = Browser::new("--ignore-certificate-errors") else { return };
    let _chromium = browser.show(&format!("https://127.0.0.1:{}/", camera.port));
    browser.is_asked();
    browser.types(&camera.access().code().shown());
    wait_until("a picture", || browser.number());

    let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
    let tls = Relay::before(listener.local_addr().expect("bound").port());
    let key = camera.key("another page");
    // Any page may show it that has a key.
    for (query, gets) in [(String::new(), "nothing"), (format!("?key={key}"), "a%20picture")] {
        let address = format!("https://127.0.0.1:{}/snapshot{query}", camera.port);
        let page = OTHER_PAGE.replace("ADDRESS", &address);
        let _window = browser.show(&format!("https://{}/", tls.address()));
        let said = what_a_page_says(&listener, &page);
        assert!(said.starts_with(gets), "{query}: {said}");
    }
}
