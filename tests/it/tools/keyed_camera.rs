//! A real `lancam` that wants keys from everybody, and its files.

use crate::tools::camera_process::CameraProcess;
use crate::tools::lan::{Lan, Machine};
use crate::tools::tls_client::TlsClient;
use crate::tools::until::wait_until;
use lancam::camera::access::identity::Identity;
use lancam::net::tls::handshake::Pin;
use lancam::viewer::find::pairing::{Paired, PairingError};
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;

/// A camera on all addresses, with its files in a folder that goes away.
pub struct Keyed {
    pub camera: CameraProcess,
    pub folder: TempDir,
}

/// The state folder.
pub fn place(folder: &TempDir) -> String {
    folder.path().join("state").to_str().expect("UTF-8").to_owned()
}

/// `lancam` that wants keys from everybody.
pub fn command(folder: &TempDir, more: &[&str]) -> Command {
    let place = place(folder);
    let all = ["--listen", "0.0.0.0:0", "--access", "keys", "--state", &place];
    let source = ["--source", "test:64x48@25"];
    let source = if more.contains(&"--source") { &[] } else { &source[..] };
    CameraProcess::command(&[&all[..], source, more].concat())
}

/// `lancam pair` with these words: its exit code and all that it prints.
pub fn pair(folder: &TempDir, words: &[&str]) -> (Option<i32>, String) {
    let place = place(folder);
    let all = [&["pair", "--state", &place], words].concat();
    let output =
        CameraProcess::command(&all).env("LANCAM_ACCESS", "keys").output().expect("it runs");
    let printed = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(printed).expect("text"))
}

impl Keyed {
    /// On all addresses of this machine.
    pub fn new() -> Self {
        Self::with(&[])
    }

    /// The same with more options.
    pub fn with(more: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let camera = CameraProcess::spawn(&mut command(&folder, more));
        Self { camera, folder }
    }

    /// The same on the LAN's machine for cameras; it announces itself.
    pub fn on(lan: &Lan, more: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let command = command(&folder, &[&["--announce", "on"], more].concat());
        let camera = CameraProcess::spawn(&mut lan.on(Machine::Camera, &command));
        Self { camera, folder }
    }

    /// `lancam` built for another machine: `emulator` runs it.
    pub fn emulated(mut emulator: Command, more: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let usual = command(&folder, more);
        emulator.args(usual.get_args());
        for (name, value) in usual.get_envs() {
            match value {
                Some(value) => emulator.env(name, value),
                None => emulator.env_remove(name),
            };
        }
        Self { camera: CameraProcess::spawn(&mut emulator), folder }
    }

    /// Where viewers on the LAN find it.
    pub fn on_lan(&self) -> SocketAddr {
        SocketAddr::new(Lan::CAMERA, self.camera.port())
    }

    /// A file of its state folder.
    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join("state").join(file)
    }

    /// SHA-256 of its certificate.
    pub fn pin(&self) -> Pin {
        let text = fs::read_to_string(self.path("identity")).expect("it is there");
        Identity::from_text(&text).expect("it is whole").server().pin()
    }

    /// Its code, as it is shown.
    pub fn code(&self) -> String {
        let text = fs::read_to_string(self.path("code")).expect("it is there");
        text.lines().next().expect("a code").to_owned()
    }

    /// A connection inside TLS.
    pub fn connect(&self) -> TlsClient {
        TlsClient::connect(self.camera.port(), self.pin()).expect("it is the camera")
    }

    /// A native viewer that has shown this key.
    pub fn watch_with(&self, key: &str) -> TlsClient {
        let mut client = self.connect();
        client.greet_with(key);
        client
    }

    /// Pairs a viewer with this code.
    pub fn pair(&self, code: &str, name: &str) -> Result<Paired, PairingError> {
        self.connect().pair(code, name, self.pin())
    }

    /// The key of a viewer that was paired.
    pub fn paired(&self, name: &str) -> String {
        self.pair(&self.code(), name).expect("the code is right").key.text()
    }

    /// A viewer that is let in with this key, as soon as the running camera knows it.
    pub fn welcomed(&self, key: &str) -> TlsClient {
        wait_until("the camera knows the key", || {
            let mut client = self.watch_with(key);
            client.is_welcome().then_some(client)
        })
    }

    /// A key that `lancam pair` makes.
    pub fn made(&self, words: &[&str]) -> String {
        let (code, said) = pair(&self.folder, words);
        assert_eq!(code, Some(0), "{said}");
        let line = said.lines().find_map(|line| line.strip_prefix("key "));
        line.expect("a key").trim().to_owned()
    }
}
