//! The camera that the user asked for by its name: messages call it so.

use crate::tools::keyed_camera::Keyed;
use crate::tools::lan::{Lan, Machine};
use crate::tools::until::wait_until;
use crate::tools::viewer_process::Viewer;
use lancam::viewer::find::finder;
use lancam::viewer::find::found::Found;

/// A camera of this name as it is announced.
fn announced(lan: &Lan, name: &'static str) -> Found {
    wait_until("that it is announced", || {
        let found = lan.inside(Machine::Desk, || finder::look().expect("it can ask").cameras);
        let found = found.join().expect("no panic");
        found.into_iter().find(|camera| camera.name == name)
    })
}

#[test]
fn a_camera_that_wants_a_code_is_called_as_the_user_calls_it() {
    let Some(lan) = Lan::new() else { return };
    let garage = Keyed::on(&lan, &["--name", "Front door"]);
    announced(&lan, "Front door");
    let address = garage.on_lan().to_string();
    for (typed, called) in [
        ("Front door", format!("Front door ({address})")),
        ("front-door.local", format!("front-door.local ({address})")),
        (&address, address.clone()),
    ] {
        let arguments = ["--headless", "--timeout", "20", typed];
        let viewer = Viewer::start_in(&lan, &arguments, |_| {});
        let output = viewer.finish();
        output.expect(3, &format!("{called} wants a code. "));
    }
}
