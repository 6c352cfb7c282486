//! The architecture as a test: which module may name which, and where things may be.
//!
//! ARCHITECTURE.md tells the reasons. If a rule is in the way of better code, change it here.

mod circles;
mod source;

use source::{Source, sources, words};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The rooms below each room. A room may name itself and these. Programs may name any room.
const BELOW: [(&str, &[&str]); 31] = [
    (
        "camera",
        &[
            "bucket", "clock", "console", "crypto", "decimal", "fnv", "helpers", "hex", "holders",
            "image", "json", "latest", "nearest", "net", "one_dash", "plain", "rate", "repeats",
            "settings", "source", "stop", "wire", "wording",
        ],
    ),
    (
        "viewer",
        &[
            "bucket", "console", "crypto", "decimal", "helpers", "hex", "image", "json", "latest",
            "nearest", "net", "one_dash", "plain", "rate", "signals", "wire", "wording",
        ],
    ),
    ("setup", &["nearest", "plain", "settings", "wire", "wording"]),
    ("settings", &["nearest", "plain", "wire", "wording"]),
    (
        "source",
        &[
            "clock", "holders", "image", "json", "nearest", "plain", "rate", "repeats", "stop",
            "wording",
        ],
    ),
    ("wire", &["bucket", "crypto", "fnv", "image", "plain", "prefix", "rate", "wording"]),
    ("image", &["rate"]),
    ("net", &["crypto", "prefix"]),
    ("json", &["plain"]),
    ("bucket", &[]),
    ("hex", &[]),
    ("clock", &["image"]),
    ("crypto", &[]),
    ("decimal", &[]),
    ("fnv", &[]),
    ("helpers", &["image"]),
    ("prefix", &[]),
    ("rate", &["decimal"]),
    ("repeats", &[]),
    ("nearest", &[]),
    ("one_dash", &[]),
    ("plain", &[]),
    ("wording", &["plain"]),
    ("latest", &[]),
    ("stop", &[]),
    ("log_setup", &["console", "wording"]),
    ("version", &[]),
    ("console", &[]),
    ("signals", &[]),
    ("holders", &[]),
    ("lib", &[]),
];

/// The rooms of the viewer, in the same way, beginning with the lowest.
const BELOW_IN_VIEWER: [(&str, &[&str]); 11] = [
    ("find", &[]),
    ("leave", &[]),
    ("paint", &[]),
    ("arrival", &["find"]),
    ("keep", &["arrival", "find"]),
    ("watch", &["arrival", "find", "keep"]),
    ("run", &["leave"]),
    ("terminal", &[]),
    ("stage", &["arrival", "find", "keep", "leave", "paint", "run", "watch"]),
    ("headless", &["run", "terminal", "watch"]),
    ("config", &["find", "headless", "keep", "stage", "watch"]),
];

/// Rooms for bytes and their rules. They do no I/O, read no clock and start no threads, so that any test and
/// any fuzzer can drive them.
const PURE: [&str; 2] = ["image", "wire"];
/// Parts of other rooms that keep the same rules. Sessions may also log.
const PURE_PARTS: [&str; 9] = [
    "src/viewer/paint/",
    "src/camera/session/http/",
    "src/camera/session/native/",
    "src/camera/session/pairing.rs",
    "src/camera/session/pickle.rs",
    "src/camera/session/machine.rs",
    "src/camera/session/silence.rs",
    "src/camera/session/notice.rs",
    "src/camera/session/input_limit.rs",
];
const IMPURE: [&str; 12] = [
    "Instant::now",
    "SystemTime",
    "clock::now",
    "sleep(",
    "std::net",
    "std::fs",
    "std::thread",
    "std::process",
    "std::env",
    "nix::",
    "println!",
    "log::",
];

/// The only files with `unsafe`.
const UNSAFE: [(&str, &str); 11] = [
    (
        "src/image/jpeg/codec/encoder.rs",
        "libjpeg-turbo's own interface: the crate that has it cannot ask for restart markers",
    ),
    ("src/helpers/pool.rs", "threads that outlive a call work on what the call has borrowed"),
    ("src/net/handed_over.rs", "sockets that the service manager hands over are numbers"),
    ("src/net/socket.rs", "two ioctls that count what a socket still holds, which no crate offers"),
    (
        "src/source/v4l2/controls/ioctl.rs",
        "V4L2's ioctls for controls, which the crate that has them does not survive",
    ),
    ("src/source/media/ioctl.rs", "the media controller's two questions, which no crate has"),
    ("src/source/csi/child.rs", "a call in the child before its program runs: it ends with lancam"),
    ("src/source/v4l2/ioctl/mod.rs", "V4L2's ioctls, which no crate offers for every driver"),
    ("src/source/v4l2/ioctl/format.rs", "the same, for both interfaces"),
    ("src/source/v4l2/ioctl/enumerate.rs", "the same, within bounds"),
    (
        "src/source/v4l2/ioctl/buffers.rs",
        "mapped buffers, which no crate offers in a way that survives a timeout",
    ),
];

/// Where each crate of Cargo.toml may be named: in one file, or in one folder.
const CRATES: [(&str, &str); 28] = [
    ("ab_glyph", "src/viewer/paint/glyphs.rs"),
    ("bytemuck", "src/image/"),
    ("embedded_graphics", "src/image/text.rs"),
    ("env_logger", "src/log_setup.rs"),
    ("fast_image_resize", "src/image/resize.rs"),
    ("fontdb", "src/viewer/stage/fonts.rs"),
    ("granit_parser", "src/setup/yaml.rs"),
    ("if_addrs", "src/net/mdns.rs"),
    ("jiff", "src/viewer/keep/folders.rs"),
    ("lexopt", "src/"), // the programs' command lines
    ("log", "src/"),
    ("minifb", "src/viewer/stage/window/"),
    ("nix", "src/"), // `PURE` says where not
    ("pbkdf2", "src/setup/wifi_key.rs"),
    ("png", "src/viewer/keep/png_file.rs"),
    ("raw_window_handle", "src/viewer/stage/window/"),
    ("ring", "src/crypto"), // and what is inside
    ("sha1", "src/setup/wifi_key.rs"),
    ("rustls", "src/net/tls/handshake/"),
    ("socket2", "src/net/socket.rs"),
    ("thiserror", "src/"),
    ("toml", "src/settings/statements.rs"),
    ("turbojpeg", "src/image/jpeg/codec/"),
    ("unicode_width", "src/viewer/find/list.rs"),
    ("v4l", "src/source/v4l2/"),
    ("x11rb", "src/viewer/stage/window/desktop/"),
    ("loom", "src/helpers/schedules.rs"),
    ("proptest", "tests/"),
];

/// The longest file, without the tests at its end.
const MAX_LINES: usize = 450;

#[test]
fn imports_point_down_only() {
    let wrong = [upward_imports(&[], &BELOW), upward_imports(&["viewer"], &BELOW_IN_VIEWER)];
    let wrong = wrong.concat();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The files of modules in `within` that import a module that is not `below` their own.
fn upward_imports(within: &[&str], below: &[(&str, &[&str])]) -> Vec<String> {
    let rooms: BTreeMap<&str, &[&str]> = below.iter().copied().collect();
    let mut wrong = Vec::new();
    for file in sources("src").iter().filter(|file| file.room().is_some()) {
        let module = file.module();
        let Some(room) = module.strip_prefix(within).and_then(|path| path.first()) else {
            continue;
        };
        let Some(below) = rooms.get(room) else {
            wrong.push(format!("{}: this test knows no room {room}", file.name));
            continue;
        };
        for path in file.names() {
            let named = path.strip_prefix(within).and_then(|path| path.first());
            let Some(named) = named.filter(|named| rooms.contains_key(*named)) else { continue };
            if named != room && !below.contains(named) {
                wrong.push(format!("{} names {named}, which is not below {room}", file.name));
            }
        }
    }
    wrong
}

#[test]
fn rooms_of_bytes_and_rules_do_no_io_read_no_clock_and_start_no_thread() {
    let mut wrong = Vec::new();
    for file in sources("src") {
        let is_in_pure_room = file.room().is_some_and(|room| PURE.contains(&room));
        if !is_in_pure_room && !PURE_PARTS.iter().any(|part| file.name.starts_with(part)) {
            continue;
        }
        let is_session = file.name.starts_with("src/camera/session/");
        let is_wrong =
            |word: &&&str| file.code.contains(**word) && !(is_session && **word == "log::");
        let found = IMPURE.iter().filter(is_wrong);
        wrong.extend(found.map(|word| format!("{}: {word}", file.name)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Calls that examine the structure of a JPEG. Only the source does that, once for each picture.
const LOOKS: [&str; 3] = ["markers::", "examine(", "Gate::"];

#[test]
fn nobody_behind_the_source_looks_at_a_jpegs_structure_again() {
    let behind = sources("src").into_iter().filter(|file| file.name.starts_with("src/camera/"));
    let looks = |file: &Source| LOOKS.iter().any(|look| file.code.contains(look));
    let wrong: Vec<_> = behind.filter(looks).map(|file| file.name).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn unsafe_stands_only_where_there_is_a_reason() {
    let found: BTreeSet<String> = sources("src")
        .into_iter()
        .filter(|file| words(&file.with_tests).any(|word| word == "unsafe"))
        .map(|file| file.name)
        .collect();
    let expected = UNSAFE.iter().map(|(file, _)| (*file).to_owned()).collect();
    assert_eq!(found, expected, "found on the left, listed with reasons on the right");
}

#[test]
fn addresses_that_the_kernel_gets_are_exposed() {
    let is_unsafe = |file: &&Source| UNSAFE.iter().any(|(name, _)| *name == file.name);
    let hides = |file: &&Source| file.with_tests.contains(".addr()");
    let all = sources("src");
    let wrong: Vec<_> = all.iter().filter(is_unsafe).filter(hides).map(|it| &it.name).collect();
    assert!(wrong.is_empty(), "use expose_provenance() in {wrong:?}");
}

#[test]
fn a_foreign_crate_is_named_in_one_place() {
    let wanted: BTreeSet<String> = dependencies();
    let listed: BTreeSet<String> = CRATES.iter().map(|(name, _)| (*name).to_owned()).collect();
    let unlisted: Vec<_> = wanted.difference(&listed).collect();
    assert!(unlisted.is_empty(), "say in CRATES where these are named: {unlisted:?}");

    let mut wrong = Vec::new();
    for file in sources("src") {
        for (name, place) in CRATES {
            if file.names_crate(name) && !file.name.starts_with(place) {
                wrong.push(format!("{} names {name}, which belongs to {place}", file.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_file_begins_with_a_sentence_about_itself() {
    // The files in fuzz/fuzz_targets have one line each, so they need no sentence.
    let folders = ["src", "tests", "benches", "examples", "fuzz/src"];
    let wrong: Vec<String> = folders
        .into_iter()
        .flat_map(sources)
        .filter(|file| !file.text.starts_with("//! "))
        .map(|file| file.name)
        .collect();
    assert!(wrong.is_empty(), "`//! ` and one sentence belong first in {wrong:?}");
}

#[test]
fn every_file_is_a_short_read() {
    let mut wrong = Vec::new();
    for file in sources("src") {
        let lines = file.code.lines().count();
        if lines > MAX_LINES {
            wrong.push(format!("{}: {lines} lines; at most {MAX_LINES}", file.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_outside_tests_is_unwrapped() {
    let wrong: Vec<String> = sources("src")
        .into_iter()
        .filter(|file| file.code.contains(".unwrap()"))
        .map(|file| file.name)
        .collect();
    assert!(wrong.is_empty(), "return the error, or `expect` why it cannot be: {wrong:?}");
}

#[test]
fn nobody_prints_but_the_console_and_the_log() {
    // Clippy refuses the macros.
    let prints = |file: &Source| ["stdout()", "stderr()"].iter().any(|it| file.code.contains(it));
    let wrong: Vec<String> = sources("src")
        .into_iter()
        .filter(|file| !["src/console.rs", "src/log_setup.rs"].contains(&file.name.as_str()))
        .filter(prints)
        .map(|file| file.name)
        .collect();
    assert!(wrong.is_empty(), "use console, which survives outputs that are closed: {wrong:?}");
}

#[test]
fn tests_share_by_way_of_tools_alone() {
    let files = sources("tests/it");
    let folder = |file: &Source| file.name.split('/').nth(2).map(str::to_owned);
    let folders: BTreeSet<String> = files.iter().filter_map(folder).collect();
    let mut wrong = Vec::new();
    for file in &files {
        let Some(own) = folder(file).filter(|own| own != "main.rs") else { continue };
        for (at, _) in file.with_tests.match_indices("crate::") {
            let named = words(&file.with_tests[at + "crate::".len()..]).next().unwrap_or_default();
            if named != own && named != "tools" && folders.contains(named) {
                wrong.push(format!("{} names {named}", file.name));
            }
        }
    }
    assert!(wrong.is_empty(), "what folders share belongs to tests/it/tools: {wrong:?}");
}

#[test]
fn the_table_of_tests_is_what_stands_in_their_folders() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/DEVELOPING.md")).expect("a page for developers");
    let (mut folder, mut listed) = ("", BTreeSet::new());
    let (_, table) = page.split_once("| folder | module | shows |").expect("a table of tests");
    for row in table.split("\n\n").next().unwrap_or_default().lines() {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [_, named, modules, ..] = cells[..] else { continue };
        folder = if named.is_empty() { folder } else { named.trim_matches('`') };
        let modules = modules.split('`').filter(|module| words(module).next().is_some());
        listed.extend(modules.map(|module| format!("{folder}/{module}")));
    }
    let found: BTreeSet<String> = sources("tests/it")
        .iter()
        .filter_map(|file| {
            let name = file.name.strip_prefix("tests/it/")?.strip_suffix(".rs")?;
            let mut parts = name.split('/').filter(|part| *part != "mod");
            let (folder, module) = (parts.next()?, parts.next()?);
            (folder != "tools").then(|| format!("{folder}/{module}"))
        })
        .collect();
    assert_eq!(found, listed, "found on the left, in docs/DEVELOPING.md on the right");
}

/// The crates of Cargo.toml, with the names that the code uses.
fn dependencies() -> BTreeSet<String> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let manifest = fs::read_to_string(manifest).expect("Cargo.toml is readable");
    let mut in_dependencies = false;
    let mut names = BTreeSet::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            in_dependencies = line.ends_with("dependencies]");
        } else if in_dependencies
            && !line.starts_with('#')
            && let Some((name, _)) = line.split_once('=')
        {
            names.insert(name.trim().replace('-', "_"));
        }
    }
    // Only tests use tempfile. lancam is the package itself, whose setup program the tests run.
    names.remove("tempfile");
    names.remove("lancam");
    names
}
