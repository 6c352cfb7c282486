//! USB cameras that people buy, on the kernel's own `uvcvideo`: what lancam takes of each, and that its
//! pictures come.
//!
//! A model is a file of tests/data/cameras/models and a row of the table in docs/HARDWARE.md, which
//! `LANCAM_BLESS=1` writes. `LANCAM_MODELS=logitech` plugs in only those with that word in their file's name.

use crate::hardware::usb_scene::{Scene, model, page, stands_on_the_page, text_of};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Instant;

const HEAD: &str =
    "| USB camera | id | it offers | `lancam` takes | viewers get |\n|---|---|---|---|---|\n";
/// How many pictures of each model are checked.
const PICTURES: usize = 5;

#[test]
#[ignore = "minutes: make test-all"]
fn of_each_model_pictures_come_in_the_format_that_its_row_says() {
    let Some(scene) = Scene::boot() else { return };
    let wanted = std::env::var("LANCAM_MODELS").unwrap_or_default();
    let (mut rows, mut failed) = (String::new(), Vec::new());
    for name in names().into_iter().filter(|name| name.contains(&wanted)) {
        let start = Instant::now();
        match catch_unwind(AssertUnwindSafe(|| row(&scene, &name))) {
            Ok(row) => {
                print!("{:3.0} s {row}", start.elapsed().as_secs_f64());
                rows += &row;
            }
            Err(_) => {
                println!("{name}:\n{}", scene.guest.sh("tail -n 30 /tmp/log; dmesg | tail -n 15"));
                failed.push(name);
            }
        }
        scene.clear();
    }
    scene.guest.power_off();
    assert!(failed.is_empty(), "{failed:#?}");
    if wanted.is_empty() {
        stands_on_the_page(HEAD, &rows);
    } else {
        assert!(rows.lines().all(|row| page().contains(row)), "not as on the page:\n{rows}");
    }
}

/// Plugs one model in and watches it without any option. The quick test does this.
pub(crate) fn a_model_is_as_its_row_says(scene: &Scene, name: &str) {
    let row = row(scene, name);
    assert!(page().contains(&row), "not as on the page: {row}");
    scene.unplug();
}

fn row(scene: &Scene, name: &str) -> String {
    scene.plug(&format!("models/{name}"));
    let list = scene.guest.sh("lancam list --json");
    let formats = offered(&list.text());
    assert!(list.ok() && !formats.is_empty(), "{list}");
    scene.start("");
    let (start, watcher) = (Instant::now(), scene.watch());
    let pictures = watcher.pictures_after(start, PICTURES);
    let own = pictures.iter().filter(|(_, is_exact)| *is_exact).count();
    assert!(own == 0 || own == pictures.len(), "some as the camera sent them: {pictures:?}");
    let taken = in_words(&scene.camera.seen().committed.expect("a stream was started"));
    let log = scene.stop();
    let is_wrong = |line: &&str| line.contains("WARN") && !line.contains("gave no frame for");
    assert_eq!(log.lines().find(is_wrong), None, "{log}");
    let got = if own > 0 { "the camera's own JPEGs" } else { "JPEGs that the Pi encodes" };
    format!("{} {} | {taken} | {got} |\n", facts(name), formats.join(", "))
}

/// The part of a row that comes from the model's file.
fn facts(name: &str) -> String {
    let text = text_of(&format!("models/{name}"));
    let title = text.lines().next().unwrap_or_default();
    let title = title.trim_start_matches("# ").trim_end_matches('.');
    let device = model(&format!("models/{name}")).device;
    let id = |at: usize| u16::from_le_bytes([device[at], device[at + 1]]);
    format!("| {title} | {:04x}:{:04x} |", id(8), id(10))
}

/// The names of all formats in the output of `lancam list --json`.
fn offered(json: &str) -> Vec<String> {
    let mut formats: Vec<String> = Vec::new();
    for name in json.split(r#""format":""#).skip(1).filter_map(|rest| rest.split('"').next()) {
        if !formats.iter().any(|known| known == name) {
            formats.push(name.to_owned());
        }
    }
    formats
}

/// `MJPG 1280x720 333333` becomes `MJPG 1280x720, 30 fps`. If a format has two names, V4L2's is used.
fn in_words(committed: &str) -> String {
    let (what, interval) = committed.rsplit_once(' ').expect("an interval");
    let fps = 1e7 / interval.parse::<f64>().expect("a number");
    let fps = format!("{fps:.1}");
    format!("{}, {} fps", what.replace("YUY2", "YUYV"), fps.trim_end_matches(".0"))
}

/// The models' files, without `.txt`.
fn names() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/cameras/models");
    let files = std::fs::read_dir(&folder).expect("a folder of models");
    let name = |path: &Path| Some(path.file_stem()?.to_str()?.to_owned());
    let mut names: Vec<String> = files.filter_map(|file| name(&file.ok()?.path())).collect();
    names.sort();
    names
}

#[test]
fn each_model_has_its_row_on_the_page() {
    let page = page();
    let table = page.split(HEAD).nth(1).expect("a table of models");
    let rows: Vec<&str> = table.lines().take_while(|line| line.starts_with('|')).collect();
    let names = names();
    assert_eq!(rows.len(), names.len(), "LANCAM_BLESS=1 makes the table anew");
    for (row, name) in rows.iter().zip(names) {
        let facts = facts(&name);
        assert!(row.starts_with(&facts), "{row:?} is not of {name}: {facts:?}");
    }
}

/// Reports lack only the class-specific descriptor of the interrupt endpoint, which lsusb does not print.
#[test]
fn no_descriptor_of_a_model_was_lost_on_the_way() {
    for name in names() {
        let text = text_of(&format!("models/{name}"));
        let said =
            text.split("wTotalLength").nth(1).and_then(|rest| rest.split_whitespace().next());
        let said =
            said.and_then(|hex| usize::from_str_radix(hex.trim_start_matches("0x"), 16).ok());
        let model = model(&format!("models/{name}"));
        let lost = said.expect("a length") - model.configuration.len();
        assert!(lost <= 6, "{name}: {lost} bytes of its descriptors are missing");
        for streaming in model.streaming() {
            for format in streaming.formats {
                assert!(!format.sizes.is_empty(), "{name}: a format without sizes: {format:?}");
            }
        }
    }
}
