//! Power cuts while the camera changes its certificate, its code and its keys. strace records every change of their folder,
//! and the camera is started with each state in which a disk may be left.
//!
//! The disk of these tests is as bad as file systems may be: what was written and not synced is there, is missing, is cut
//! off or is zeros. Names that were made, changed or deleted since the folder was synced are as after any of these changes.

use crate::tools::skip::skip;
use lancam::camera::access::day::Day;
use lancam::camera::access::folder::Folder;
use lancam::camera::access::identity::{Identity, Names};
use lancam::camera::access::keys::Sealing;
use lancam::camera::access::{Access, Channel};
use lancam::wire::access::key::May;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Where the traced process keeps its files.
const AROUND: &str = "LANCAM_TEST_POWER_CUTS";

const NAMES: Names<'_> = Names { name: "Garage", hosts: &[], addresses: &[] };

#[test]
fn whenever_the_power_goes_nobody_else_is_let_in_and_no_key_that_was_given_is_lost() {
    if let Some(around) = std::env::var_os(AROUND) {
        return change_everything(Path::new(&around));
    }
    let around = tempfile::tempdir().expect("a folder");
    let Some(trace) = traced(around.path()) else { return };
    let mut disk = Disk::default();
    let mut promises = Promises::default();
    let mut tried = BTreeSet::new();
    let mut changes = 0;
    for line in trace.lines() {
        match Event::read(line, around.path()) {
            Some(Event::Promise(text)) => promises.hear(&text),
            Some(event) => {
                changes += 1;
                disk.change(event);
            }
            None => continue,
        }
        for files in disk.after_a_power_cut() {
            // The same files with the same promises were tried.
            if tried.insert((files.clone(), promises.clone())) {
                promises.hold(&files);
            }
        }
    }
    println!("{changes} changes, {} states of the disk", tried.len());
    // Eight files are written: made, filled, synced, renamed, and their folder synced.
    assert!(changes >= 40 && tried.len() >= 40, "{trace}");
    assert_eq!(promises.keys.len(), 2, "{trace}");
}

/// Makes and changes all three files, and says what can be relied on from then on.
fn change_everything(around: &Path) {
    let mut file = OpenOptions::new();
    let mut file = file.append(true).create(true).open(around.join("promises")).expect("made");
    let mut promise = |text: String| file.write_all(text.as_bytes()).expect("written");
    let today = Day::parse("2026-11-30").expect("a day");
    let folder = Folder::open(&around.join("state")).expect("made");
    let identity = Identity::open(&folder, NAMES, Duration::ZERO).expect("made");
    let pin = identity.server().pin();
    promise(format!("pin {}", hex(&pin)));
    let access = Access::open(folder, pin).expect("opened");
    promise(format!("code {}", access.code().shown()));
    let mut give = |name: &str| {
        let given = access.give(name, May::Watch, Sealing::TlsOnly, today).expect("given");
        promise(format!("key {}", given.key.text()));
        given.key
    };
    let desk = give("desk");
    let other = give("HA");
    give("third");
    access.admit(&desk.text(), Channel::Tls).expect("it was given");
    access.note_uses(today).expect("written");
    promise(format!("revoking {}", other.text()));
    assert!(access.revoke("HA").expect("written"));
    promise(format!("revoked {}", other.text()));
    promise("renewing".into());
    access.renew_code().expect("written");
    promise(format!("code {}", access.code().shown()));
}

/// What strace prints of a process that changes everything. `None` if it may not trace here, which counts as a skip.
fn traced(around: &Path) -> Option<String> {
    let file = around.join("trace");
    let (_, module) = module_path!().split_once("::").expect("a module of this crate");
    let name = "whenever_the_power_goes_nobody_else_is_let_in_and_no_key_that_was_given_is_lost";
    let calls = "openat,write,pwrite64,writev,ftruncate,fsync,fdatasync,rename,renameat,renameat2,link,linkat,unlink,unlinkat";
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-y", "-s", "100000", "-e", &format!("trace={calls}"), "-o"]);
    strace.arg(&file).arg(std::env::current_exe().expect("this program"));
    strace.args(["--exact", &format!("{module}::{name}"), "--test-threads=1"]);
    let output = strace.env(AROUND, around).output();
    let said = match output {
        Ok(output) if output.status.success() => fs::read_to_string(&file).expect("a trace"),
        other => {
            let may_trace = Command::new("strace").args(["-f", "true"]).output();
            assert!(!may_trace.is_ok_and(|it| it.status.success()), "{other:?}");
            skip("power_cuts", "strace is not here, or may not trace");
            return None;
        }
    };
    Some(said)
}

/// A change of the folder, or a promise.
#[derive(Debug)]
enum Event {
    /// A file is made; there was none of this name.
    Make(String),
    /// Bytes are appended to the file of this name.
    Append(String, Vec<u8>),
    /// The file's bytes are synced.
    Sync(String),
    /// The folder's names are synced.
    SyncFolder,
    /// The first name becomes the second.
    Rename(String, String),
    /// The name goes away.
    Unlink(String),
    /// What can be relied on from now on.
    Promise(String),
}

impl Event {
    /// Reads a line of strace. `None` for calls that failed, or that have nothing to do with the folder.
    ///
    /// A call that could change the folder in a way that this does not know is a failure.
    fn read(line: &str, around: &Path) -> Option<Self> {
        let state = around.join("state");
        let (_, call) = line.split_once(' ')?;
        let (name, rest) = call.trim_start().split_once('(')?;
        let (arguments, result) = rest.rsplit_once(" = ")?;
        if result.starts_with('-') || !arguments.contains(around.to_str()?) {
            return None;
        }
        let inside = |path: &str| {
            let path = Path::new(path).strip_prefix(&state).ok()?;
            path.to_str().filter(|name| !name.is_empty()).map(str::to_owned)
        };
        let texts = quoted(arguments);
        let text = |at: usize| texts.get(at).map(|bytes| String::from_utf8_lossy(bytes));
        // With -y, a descriptor is shown as 5</path>.
        let open = || arguments.split_once('<')?.1.split('>').next();
        match name {
            "openat" if !arguments.contains("O_CREAT") => None,
            "openat" => {
                let made = inside(&text(0)?)?;
                assert!(arguments.contains("O_EXCL"), "it may overwrite a file: {line}");
                Some(Self::Make(made))
            }
            "write" if open()?.ends_with("/promises") => Some(Self::Promise(text(0)?.into_owned())),
            "write" => Some(Self::Append(inside(open()?)?, texts.into_iter().next()?)),
            "fsync" if Path::new(open()?) == state => Some(Self::SyncFolder),
            "fsync" => Some(Self::Sync(inside(open()?)?)),
            "rename" | "renameat" | "renameat2" => {
                Some(Self::Rename(inside(&text(0)?)?, inside(&text(1)?)?))
            }
            "unlink" | "unlinkat" => Some(Self::Unlink(inside(&text(0)?)?)),
            _ => panic!("the tests do not know this change: {line}"),
        }
    }
}

/// The texts in quotes, without C's escapes.
fn quoted(arguments: &str) -> Vec<Vec<u8>> {
    let mut texts = Vec::new();
    let mut letters = arguments.bytes();
    while letters.by_ref().any(|letter| letter == b'"') {
        let mut text = Vec::new();
        loop {
            match letters.next().expect("an end") {
                b'"' => break,
                b'\\' => text.push(match letters.next().expect("an escape") {
                    b'n' => b'\n',
                    b't' => b'\t',
                    letter @ (b'"' | b'\\') => letter,
                    other => panic!("{other}: these files are text of ASCII letters"),
                }),
                letter => text.push(letter),
            }
        }
        texts.push(text);
    }
    texts
}

/// The content of files by their names.
type Files = BTreeMap<String, Vec<u8>>;

/// A file of the disk, whatever its names are.
#[derive(Debug, Default, Clone)]
struct Content {
    bytes: Vec<u8>,
    is_synced: bool,
}

/// A disk with one folder.
#[derive(Debug, Default)]
struct Disk {
    contents: Vec<Content>,
    /// The names that programs see, each with the number of its content.
    names: BTreeMap<String, usize>,
    /// The names after each change since the folder was synced, and before the first of them.
    unsynced: Vec<BTreeMap<String, usize>>,
}

impl Disk {
    fn change(&mut self, event: Event) {
        if self.unsynced.is_empty() {
            self.unsynced.push(self.names.clone());
        }
        match event {
            Event::Make(name) => {
                self.contents.push(Content::default());
                self.names.insert(name, self.contents.len() - 1);
            }
            Event::Append(name, bytes) => {
                let content = &mut self.contents[self.names[&name]];
                content.bytes.extend(bytes);
                content.is_synced = false;
            }
            Event::Sync(name) => self.contents[self.names[&name]].is_synced = true,
            Event::SyncFolder => self.unsynced.clear(),
            Event::Rename(from, to) => {
                let content = self.names.remove(&from).expect("it was there");
                self.names.insert(to, content);
            }
            Event::Unlink(name) => drop(self.names.remove(&name)),
            Event::Promise(_) => {}
        }
        if self.unsynced.last() != Some(&self.names) {
            self.unsynced.push(self.names.clone());
        }
    }

    /// What may be there when the power comes back.
    fn after_a_power_cut(&self) -> Vec<Files> {
        let mut states = Vec::new();
        for names in &self.unsynced {
            let whole = |content: usize| self.contents[content].bytes.clone();
            let files = |spoilt: &dyn Fn(Vec<u8>) -> Vec<u8>| -> Files {
                let file = |(name, &content): (&String, &usize)| {
                    let bytes = match self.contents[content].is_synced {
                        true => whole(content),
                        false => spoilt(whole(content)),
                    };
                    (name.clone(), bytes)
                };
                names.iter().map(file).collect()
            };
            states.push(files(&|bytes| bytes));
            states.push(files(&|_| Vec::new()));
            states.push(files(&|bytes| bytes[..bytes.len() / 2].to_vec()));
            states.push(files(&|bytes| vec![0; bytes.len()]));
        }
        states
    }
}

/// What can be relied on.
#[derive(Debug, Default, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Promises {
    pin: Option<String>,
    code: Option<String>,
    keys: BTreeSet<String>,
    revoked: BTreeSet<String>,
}

impl Promises {
    fn hear(&mut self, text: &str) {
        let (what, value) = text.split_once(' ').unwrap_or((text, ""));
        match what {
            "pin" => self.pin = Some(value.into()),
            "code" => self.code = Some(value.into()),
            "key" => drop(self.keys.insert(value.into())),
            "revoking" => drop(self.keys.remove(value)),
            "revoked" => drop(self.revoked.insert(value.into())),
            "renewing" => self.code = None,
            _ => panic!("{text}"),
        }
    }

    /// Starts the camera with these files, and checks who is let in.
    fn hold(&self, files: &Files) {
        let around = tempfile::tempdir().expect("a folder");
        let folder = Folder::open(&around.path().join("state")).expect("made");
        for (name, bytes) in files {
            let mut file = OpenOptions::new();
            let file = file.write(true).create_new(true).mode(0o600);
            let file = file.open(around.path().join("state").join(name));
            file.and_then(|mut file| file.write_all(bytes)).expect("written");
        }
        let identity = Identity::open(&folder, NAMES, Duration::ZERO);
        let identity = identity.unwrap_or_else(|error| panic!("{error}: {files:?}"));
        let pin = identity.server().pin();
        assert!(self.pin.as_ref().is_none_or(|it| *it == hex(&pin)), "its viewers know it again");
        let access = Access::open(folder, pin).unwrap_or_else(|error| panic!("{error}: {files:?}"));
        let code = access.code().shown();
        assert!(self.code.as_ref().is_none_or(|it| *it == code), "the code stays: {files:?}");
        for key in &self.keys {
            assert!(access.admit(key, Channel::Tls).is_ok(), "{key} was given: {files:?}");
            assert!(access.admit(key, Channel::Plain).is_err());
        }
        for key in self.revoked.iter().map(String::as_str).chain(["", &"A".repeat(43)]) {
            assert!(access.admit(key, Channel::Tls).is_err(), "{key}: {files:?}");
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
