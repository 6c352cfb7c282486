//! The simulated viewer's side of TLS, and a handshake in memory.

use lancam::camera::access::identity::{Identity, Names};
use lancam::net::tls::handshake::{Accepts, Client, Progress, Server};
use lancam::net::tls::inbox::{Inbox, Next};
use lancam::net::tls::records::Gather;
use lancam::net::tls::stream::Secured;
use lancam::net::tls::traffic::Traffic;
use std::io::IoSlice;
use std::sync::LazyLock;
use std::time::Duration;

/// One camera for all worlds: a new key takes longer than a whole session.
static CAMERA: LazyLock<Identity> = LazyLock::new(|| {
    let names = Names { name: "made up", hosts: &[], addresses: &[] };
    Identity::new(names, Duration::ZERO).expect("randomness")
});

/// The camera's side of TLS.
pub(crate) fn server() -> &'static Server {
    CAMERA.server()
}

/// What a viewer needs to seal what it says and to open what it reads.
pub(crate) struct Seal {
    traffic: Traffic,
    inbox: Inbox,
}

/// Lets camera and viewer agree on keys.
pub(crate) fn agreed() -> (Secured, Seal) {
    let server = server();
    let client = Client::new(Accepts::Only(server.pin())).expect("ciphers");
    let mut camera = server.begin().expect("begins");
    let mut viewer = client.begin().expect("begins");
    let (mut to_camera, mut to_viewer) = (Vec::new(), Vec::new());
    viewer.advance(&mut to_viewer, &mut to_camera).expect("hello");
    camera.advance(&mut to_camera, &mut to_viewer).expect("hello");
    let progress = viewer.advance(&mut to_viewer, &mut to_camera).expect("it is the camera");
    assert_eq!(progress, Progress::Over);
    let progress = camera.advance(&mut to_camera, &mut to_viewer).expect("it agrees");
    assert_eq!(progress, Progress::Over);
    let camera = Secured::new(camera.finish().expect("over"), to_camera, 0);
    let traffic = Traffic::new(viewer.finish().expect("over"));
    (camera, Seal { traffic, inbox: Inbox::new(to_viewer, 0) })
}

impl Seal {
    /// What the network sees of these bytes.
    pub(crate) fn seal(&mut self, bytes: &[u8]) -> Vec<u8> {
        let (parts, mut sealed) = ([IoSlice::new(bytes)], Vec::new());
        let mut from = Gather::new(&parts);
        self.traffic.prepare(&mut sealed).expect("there are keys");
        while !from.is_empty() {
            self.traffic.seal(&mut from, &mut sealed).expect("it seals");
        }
        sealed
    }

    /// What the viewer sees of these bytes.
    pub(crate) fn open(&mut self, mut sealed: &[u8]) -> Vec<u8> {
        let (mut opened, mut some) = (Vec::new(), [0; 4096]);
        loop {
            match self.inbox.take(&mut some) {
                0 => {}
                count => {
                    opened.extend_from_slice(&some[..count]);
                    continue;
                }
            }
            match self.inbox.open(&mut self.traffic).expect("the camera keeps the rules") {
                Next::Opened => {}
                Next::Closed => {
                    assert!(sealed.is_empty(), "nothing is sent behind the end");
                    return opened;
                }
                Next::Partial if sealed.is_empty() => return opened,
                Next::Partial => {
                    let space = self.inbox.space().expect("the camera keeps the rules");
                    let count = space.len().min(sealed.len());
                    space[..count].copy_from_slice(&sealed[..count]);
                    self.inbox.filled(count);
                    sealed = &sealed[count..];
                }
            }
        }
    }
}
