//! The camera that the user asked for by its name: messages call it so, and a code that was typed for it is tried on no other.

use crate::tools::keyed_camera::Keyed;
use crate::tools::lan::{Lan, Machine};
use crate::tools::tls_client::TlsClient;
use crate::tools::until::wait_until;
use crate::tools::viewer_process::Viewer;
use lancam::latest::Doorbell;
use lancam::net::tls::handshake::Accepts;
use lancam::viewer::find::address::CameraAddress;
use lancam::viewer::find::finder;
use lancam::viewer::find::found::Found;
use lancam::viewer::find::pairing::PairingError;
use lancam::viewer::watch::channel::Channel;
use lancam::viewer::watch::receiver::{Dialogue, Wanted};
use lancam::wire::access::code::Code;
use lancam::wire::native::message::GoodbyeReason;
use std::net::TcpStream;
use std::time::{Duration, Instant};

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

/// Watches on the desk until the camera's name is known of a picture, or until a reason is there why none comes.
fn watched(lan: &Lan, wanted: Wanted, code: Code) -> Result<String, String> {
    let watched = lan.inside(Machine::Desk, move || {
        let doorbell = Doorbell::new();
        let dialogue = Dialogue { code: Some(code), ..Dialogue::default() };
        let mut channel = Channel::open(wanted, dialogue, &doorbell).expect("a thread");
        wait_until("a picture, or that none comes", || {
            doorbell.wait(Duration::from_millis(20));
            channel.update(Instant::now(), true);
            if let Some(arrival) = &channel.arrival {
                return Some(Ok(arrival.origin.name.to_string()));
            }
            let notice = &channel.notice.as_ref()?.notice;
            notice.kind.wants_code().then(|| Err(notice.text.clone()))
        })
    });
    watched.join().expect("no panic")
}

#[test]
fn a_code_is_not_tried_on_another_camera_that_is_where_the_wanted_one_was() {
    let Some(lan) = Lan::new() else { return };
    let (garage, door) =
        (Keyed::on(&lan, &["--name", "Garage"]), Keyed::on(&lan, &["--name", "Door"]));
    let (found, _) = (announced(&lan, "Garage"), announced(&lan, "Door"));
    let code = Code::parse(&garage.code()).expect("a code");
    let (at, pin) = (door.on_lan(), door.pin());
    let address = CameraAddress::parse(&at.to_string()).expect("an address");
    let wanted = Wanted { identity: Some(found.identity()), address };
    assert_eq!(watched(&lan, wanted, code), Ok("Garage".to_owned()));
    // An address has three guesses at once. None of the desk's was used up at Door.
    let guesses = lan.inside(Machine::Desk, move || {
        [(); 3].map(|()| {
            let stream = TcpStream::connect(at).expect("connects");
            let mut door = TlsClient::over(stream, Accepts::Only(pin)).expect("the camera");
            door.pair("0000-0000-0000", "desk", pin).err()
        })
    });
    for refused in guesses.join().expect("no panic") {
        let Some(PairingError::Refused { reason, text }) = refused else { panic!("{refused:?}") };
        assert_eq!(reason, GoodbyeReason::WrongCode, "{text}");
    }
}
