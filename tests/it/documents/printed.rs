//! The samples in the pages are what the programs print. `LANCAM_BLESS=1` writes them anew.
//!
//! A block is a sample if the line above it is `<!-- printed by: KEY -->`.

use super::{Page, pages, root};
use crate::tools::camera_process::{CameraProcess, run_to_end};
use crate::tools::http_client::{HttpClient, get};
use crate::tools::lan::{Lan, Machine};
use crate::tools::skip::skip;
use crate::tools::terminal::Terminal;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// Makes a sample as the pages show it. `None` if this machine cannot, which counts as a skip.
type Sample = fn() -> Option<String>;

const SAMPLES: &[(&str, Sample)] = &[
    ("lancam", start),
    ("lancam check", check),
    ("lancam without a camera", no_camera),
    ("lancam that may not open the camera", closed_door),
    ("lancam twice", twice),
    ("lancam to one viewer too many", full),
    ("lancam to a stranger", stranger),
    ("lancam-view --list", list),
    ("lancam-view --list without a camera", no_answer),
    ("lancam-view where nothing listens", nobody_there),
    ("lancam-view with a name that nobody has", no_such_name),
];

/// The name and the address that this machine has in the pages.
const HOST: &str = "raspberrypi";
const ADDRESS: &str = "192.168.1.12";

/// The pages, and the text from which docs/CONFIGURATION.md is made.
fn sources() -> Vec<Page> {
    let name = "tests/data/configuration-head.md".to_owned();
    let text = fs::read_to_string(root().join(&name)).expect("readable");
    let mut pages = pages();
    pages.push(Page { name, text });
    pages
}

/// The key of a sample, from the line above its block.
fn key(line: &str) -> Option<&str> {
    line.trim().strip_prefix("<!-- printed by: ")?.strip_suffix(" -->")
}

/// A line of the log without its time and level.
fn message(line: &str) -> &str {
    line.split_once("] ").map_or(line, |(_, text)| text)
}

/// Runs a program until it logs a message with `text` on standard error. Ends the program and returns the
/// message.
fn logged(command: &mut Command, text: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("log");
    let file = fs::File::create(&log).expect("made");
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file).spawn().expect("starts");
    let line = crate::tools::until::wait_until(text, || {
        let said = fs::read_to_string(&log).expect("readable");
        let line = said.lines().find(|line| line.contains(text))?;
        said.contains(&format!("{line}\n")).then(|| message(line).to_owned())
    });
    let _ = child.kill();
    let _ = child.wait();
    line
}

/// In a network of its own, because a camera that is announced says its name; and on a terminal, since only there it shows its
/// code.
fn start() -> Option<String> {
    let lan = Lan::new()?;
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("state");
    let of_keys = ["--access", "keys", "--state", state.to_str().expect("UTF-8")];
    let listen = ["--listen", "[::]:0", "--listen", "[::]:0", "--source", "test:64x48"];
    let announced = ["--announce", "on", "--name", HOST];
    let command = CameraProcess::command(&[&of_keys[..], &listen, &announced].concat());
    let terminal = Terminal::start(&lan.on(Machine::Camera, &command))?;
    let shown = crate::tools::until::wait_until("what it prints at the start", || {
        let shown = terminal.shown().replace('\r', "");
        let mut lines = shown.split_inclusive('\n').filter(|line| line.contains("watch with: "));
        lines.nth(1).is_some_and(|line| line.ends_with('\n')).then_some(shown)
    });
    // The log is on the terminal too.
    let begins = [LISTENING, "  watch with: ", lan_name(&shown)];
    let is_printed = |line: &&str| begins.iter().any(|begin| line.starts_with(begin));
    let lines: Vec<&str> = shown.lines().filter(is_printed).collect();
    let ports: Vec<&str> =
        [1, 3].map(|at: usize| lines[at].rsplit(':').next().expect("a port")).into();
    let own: Vec<&str> =
        lines[0].split(' ').skip(1).filter(|word| word.parse::<IpAddr>().is_ok()).collect();
    // A machine without a network has only its loopback address.
    let address =
        own.iter().find(|word| word.parse::<Ipv4Addr>().is_ok()).copied().unwrap_or("127.0.0.1");
    let mut text = lines[1..].join("\n");
    let code = fs::read_to_string(state.join("code")).expect("made");
    let code = code.lines().next().expect("a code");
    let (ports, code) = ([(ports[0], "9999"), (ports[1], "8080")], (code, "K7QM-2XPD-9HRT"));
    for (is, shown) in ports.into_iter().chain([(address, ADDRESS), code]) {
        text = text.replace(is, shown);
    }
    Some(format!("{HOST} {ADDRESS}\n{text}"))
}

const LISTENING: &str = "LISTENING AT: ";

/// How the line begins in which a camera says its machine's name and addresses: that before the first listener, but for the log.
fn lan_name(shown: &str) -> &str {
    let before = shown.split(LISTENING).next().unwrap_or_default();
    let is_log = |line: &&str| line.starts_with('[');
    before.lines().rev().find(|line| !is_log(line)).expect("its name")
}

fn check() -> Option<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("lancam.toml");
    fs::write(&file, "name = \"Garage\"\n\nquality = 800\n\nrotat = 180\n").expect("written");
    let path = file.to_str().expect("UTF-8");
    let (code, text) = run_to_end(&mut CameraProcess::command(&["check", "--config", path]));
    assert_eq!(code, Some(78));
    Some(text.trim_end().replace(path, "/etc/lancam/lancam.toml"))
}

fn no_camera() -> Option<String> {
    let has_some = fs::read_dir("/dev").is_ok_and(|nodes| {
        nodes.flatten().any(|node| node.file_name().to_string_lossy().starts_with("video"))
    });
    if has_some {
        skip("no camera", "this machine has /dev/video*");
        return None;
    }
    Some(logged(&mut CameraProcess::command(&["--listen", "127.0.0.1:0"]), "no camera"))
}

fn closed_door() -> Option<String> {
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("ours");
    let node = folder.path().join("video0");
    let node = node.to_str().expect("UTF-8");
    // A video device that belongs to the group `video`. The program runs as a user outside that group.
    let made = Command::new("sh")
        .args(["-c", &format!("mknod -m 660 {node} c 81 0 && chgrp video {node}")])
        .output();
    if !made.is_ok_and(|made| made.status.success()) {
        skip("a device's node", "only root makes one");
        return None;
    }
    let program = folder.path().join("lancam");
    fs::copy(env!("CARGO_BIN_EXE_lancam"), &program).expect("copied");
    let lancam = CameraProcess::command(&["--source", node, "--listen", "127.0.0.1:0"]);
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(program)
        .args(lancam.get_args());
    command.env("LANCAM_ANNOUNCE", "off").env("LANCAM_CONFIG", "");
    Some(logged(&mut command, node).replace(node, "/dev/video0"))
}

fn twice() -> Option<String> {
    let first = CameraProcess::start(&["--source", "test:64x48"]);
    let listen = format!("127.0.0.1:{}", first.port());
    let (code, text) =
        run_to_end(&mut CameraProcess::command(&["--listen", &listen, "--source", "test:64x48"]));
    assert_eq!(code, Some(69));
    let text = message(text.trim_end()).replace(&listen, "[::]:9999");
    Some(text.replace(&first.child.id().to_string(), "612"))
}

fn full() -> Option<String> {
    let camera = CameraProcess::start(&["--source", "test:64x48", "--max-viewers", "2"]);
    let watch = || HttpClient::connect(camera.port()).stream("/stream");
    let mut watching = [watch(), watch()];
    for stream in &mut watching {
        stream.part();
    }
    Some(get(camera.port(), "/stream").text().trim_end().to_owned())
}

fn stranger() -> Option<String> {
    let lan = Lan::new()?;
    lan.ip(Machine::Desk, &["addr", "add", "203.0.113.9/32", "dev", "lan0"]);
    lan.ip(Machine::Camera, &["route", "add", "203.0.113.9/32", "via", "10.77.0.2"]);
    let listen = ["--listen", "0.0.0.0:0", "--source", "test:64x48"];
    let camera =
        CameraProcess::spawn(&mut lan.on(Machine::Camera, &CameraProcess::command(&listen)));
    let url = format!("http://{}:{}/healthz", Lan::CAMERA, camera.port());
    let mut curl = Command::new("curl");
    curl.args(["-s", "--max-time", "20", "--interface", "203.0.113.9", &url]);
    let answer = lan
        .on(Machine::Desk, &curl)
        .output()
        .map_err(|error| skip("curl", &error.to_string()))
        .ok()?;
    Some(String::from_utf8_lossy(&answer.stdout).trim_end().to_owned())
}

fn viewer(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lancam-view"));
    command.args(arguments).env_remove("RUST_LOG").env("XDG_STATE_HOME", "/dev/null");
    command
}

/// The last message of a viewer that ends by itself.
fn last_words(command: &mut Command) -> String {
    let (_, text) = run_to_end(command);
    message(text.trim_end().lines().last().unwrap_or_default()).to_owned()
}

/// Two cameras on machines of their own. The viewer is paired with the first one.
fn list() -> Option<String> {
    const GARAGE: &str = "192.168.1.17";
    let lan = Lan::new()?.with_second_camera()?;
    let folder = tempfile::tempdir().expect("a folder");
    let addresses =
        [(Machine::Camera, GARAGE), (Machine::Second, ADDRESS), (Machine::Desk, "192.168.1.2")];
    for (machine, address) in addresses {
        lan.ip(machine, &["addr", "flush", "dev", "lan0", "scope", "global"]);
        lan.ip(machine, &["addr", "add", &format!("{address}/24"), "dev", "lan0"]);
    }
    let camera = |machine, name: &str, source: &str| {
        let state = folder.path().join(name);
        let of_keys = ["--access", "keys", "--state", state.to_str().expect("UTF-8")];
        let listen = ["--listen", "0.0.0.0:9999", "--source", source];
        let announced = ["--announce", "on", "--name", name];
        let command = CameraProcess::command(&[&of_keys[..], &listen, &announced].concat());
        CameraProcess::spawn(&mut lan.on(machine, &command))
    };
    let _first = camera(Machine::Camera, "Garage", "test:1280x720@30");
    let _second = camera(Machine::Second, HOST, "test:640x480@15");
    let code = fs::read_to_string(folder.path().join("Garage/code")).expect("made");
    let code = code.lines().next().expect("a code");
    let paired = |arguments: &[&str]| {
        let mut command = viewer(arguments);
        lan.on(Machine::Desk, command.env("XDG_STATE_HOME", folder.path()))
    };
    let pair = ["--headless", "--frames", "1", "--code", code, GARAGE];
    let (done, said) = run_to_end(&mut paired(&pair));
    assert_eq!(done, Some(0), "{said}");
    let listed = crate::tools::until::wait_until("two cameras", || {
        let output = paired(&["--list"]).output().expect("it runs");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        (text.lines().count() == 2).then_some(text)
    });
    Some(format!("$ lancam-view --list\n{listed}$ lancam-view Garage {ADDRESS}"))
}

fn no_answer() -> Option<String> {
    let lan = Lan::new()?;
    Some(last_words(&mut lan.on(Machine::Desk, &viewer(&["--list"]))))
}

fn nobody_there() -> Option<String> {
    // Takes a port that was free a moment ago.
    let free =
        TcpListener::bind("127.0.0.1:0").expect("binds").local_addr().expect("bound").to_string();
    let said = last_words(&mut viewer(&["--headless", "--timeout", "2", &free]));
    Some(said.replace(&free, "192.168.1.17:9999"))
}

fn no_such_name() -> Option<String> {
    let lan = Lan::new()?;
    let listen =
        ["--listen", "0.0.0.0:0", "--source", "test:64x48", "--name", "Garage", "--announce", "on"];
    let _camera =
        CameraProcess::spawn(&mut lan.on(Machine::Camera, &CameraProcess::command(&listen)));
    let ask = ["--headless", "--timeout", "4", "Garden"];
    let said = last_words(&mut lan.on(Machine::Desk, &viewer(&ask)));
    // The system resolver's own message, in brackets, differs between machines.
    let (before, rest) = said.split_once(" (").unwrap_or((&said, ""));
    let (_, after) = rest.split_once(')').unwrap_or_default();
    Some(format!("{before}{after}"))
}

/// The page with these samples in place of the old ones.
fn with_samples(page: &Page, samples: &[(&str, Option<String>)]) -> String {
    let mut text = page.text.clone();
    for block in page.blocks() {
        let Some(key) = key(block.before) else { continue };
        let (_, sample) = samples
            .iter()
            .find(|(known, _)| *known == key)
            .unwrap_or_else(|| panic!("{}: nobody makes the sample {key:?}", page.name));
        if let Some(sample) = sample {
            let place =
                |printed: &str| format!("{}\n```{}\n{printed}\n```", block.before, block.language);
            text = text.replace(&place(block.text), &place(sample));
        }
    }
    text
}

#[test]
fn what_the_pages_show_as_printed_is_what_the_programs_print() {
    let made: Vec<_> = SAMPLES.iter().map(|(key, make)| (*key, make())).collect();
    let pages = sources();
    for (sample, _) in SAMPLES {
        let is_shown =
            |page: &Page| page.blocks().iter().any(|block| key(block.before) == Some(sample));
        assert!(pages.iter().any(is_shown), "no page shows what is printed by {sample:?}");
    }
    let mut differing = Vec::new();
    for page in &pages {
        let text = with_samples(page, &made);
        if text == page.text {
            continue;
        }
        if std::env::var_os("LANCAM_BLESS").is_some() {
            fs::write(page.path(), &text).expect("written");
            continue;
        }
        let new = text.lines().filter(|line| !page.text.contains(line));
        differing.push(format!("{}:\n{}", page.name, new.collect::<Vec<_>>().join("\n")));
    }
    assert!(differing.is_empty(), "LANCAM_BLESS=1 writes it:\n{}", differing.join("\n"));
}

#[test]
fn a_sample_that_is_out_of_date_is_told_from_the_program() {
    let name = "x.md".to_owned();
    let text = "<!-- printed by: lancam -->\n```\nold\n```\nold\n".to_owned();
    let page = Page { name, text };
    let samples = [("lancam", Some("new".to_owned()))];
    assert_eq!(with_samples(&page, &samples), page.text.replacen("old", "new", 1));
    assert_eq!(with_samples(&page, &[("lancam", None)]), page.text, "what cannot be made stays");
    assert!(Path::new(root()).join("README.md").exists());
}
