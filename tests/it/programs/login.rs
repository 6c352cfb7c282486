//! The way in, in a real browser: a person types the camera's code once, sees the picture, and is asked again when the key
//! was revoked.

use crate::programs::http_programs::Program;
use crate::tools::screen_stamp::stamp_on;
use crate::tools::served_camera::ServedCamera;
use crate::tools::skip::skip;
use crate::tools::stage::keep;
use crate::tools::until::wait_until;
use crate::tools::x11::Xvfb;
use lancam::crypto::sha256;
use lancam::image::picture::Picture;
use lancam::wire::base64;
use std::process::Command;

/// The colour of the button on the login page.
const BUTTON: u32 = 0x0B_62_C4;

/// How many pixels of the button there are at least.
const LEAST_PIXELS: usize = 2000;

fn asks_for_the_code(screen: &Picture) -> bool {
    screen.pixels().iter().filter(|&&pixel| pixel & 0xFF_FF_FF == BUTTON).count() > LEAST_PIXELS
}

#[test]
fn a_person_types_the_code_in_chromium_and_is_asked_again_when_the_key_was_revoked() {
    let Ok(screen) = Xvfb::start().map_err(|why| skip("chromium", &why)) else { return };
    let found = Command::new("sh").args(["-c", "command -v chromium"]).output();
    if !found.is_ok_and(|found| found.status.success()) {
        return skip("chromium", "it is not installed");
    }
    let camera = ServedCamera::with_keys();
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().display();
    let (environment, own) = (
        [format!("DISPLAY={}", screen.display()), format!("HOME={folder}")],
        [
            format!("--app=https://127.0.0.1:{}/", camera.port),
            // The warning was passed, for this camera's key alone.
            format!(
                "--ignore-certificate-errors-spki-list={}",
                base64::encode(&sha256(camera.public_key()))
            ),
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
    let Some(_chromium) = Program::start("env", &words) else { return };
    // The pointer must be over the page so that it gets the keys. Nothing can be clicked at this place.
    screen.xdotool(&["mousemove", "990", "870"]);

    let is_asked = || asks_for_the_code(&screen.screenshot()).then_some(());
    let number = || stamp_on(&screen.screenshot()).map(|stamp| stamp.sequence);
    wait_until("the login page", is_asked);
    keep(&screen.screenshot(), "login.png");
    // The field has the focus, and takes the code as people type it.
    screen.xdotool(&["type", "0000 0000 0000\n"]);
    wait_until("a wrong code", || {
        keep(&screen.screenshot(), "login-wrong.png");
        (camera.access().keys().is_empty() && camera.has_ended_with("the code is wrong"))
            .then_some(())
    });
    wait_until("the login page", is_asked);
    let code = camera.access().code().shown().to_lowercase();
    screen.xdotool(&["type", &format!("{code}\n")]);
    let first = wait_until("a picture", number);
    wait_until("another picture", || number().filter(|&number| number != first));
    keep(&screen.screenshot(), "page-with-keys.png");

    let names: Vec<_> = camera.access().keys().into_iter().map(|entry| entry.name).collect();
    assert_eq!(names, ["Chrome on Linux"]);
    assert!(camera.access().revoke("Chrome on Linux").expect("written"));
    wait_until("the login page again", is_asked);
    keep(&screen.screenshot(), "login-again.png");
}
