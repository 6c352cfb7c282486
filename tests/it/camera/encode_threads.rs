//! `--encode-threads`: when there are helper threads, and that pictures stay whole when they are late.

use crate::tools::camera_process::{CameraProcess, PATIENCE};
use crate::tools::http_client::{get, metric};
use crate::tools::native_client::NativeClient;
use crate::tools::until::wait_until;
use lancam::image::jpeg::codec::{Decoded, Decoder};
use lancam::image::picture::Picture;
use lancam::image::pixels::Size;
use lancam::wire::native::message::Wishes;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

const LARGE: &str = "test:1280x720@30";

/// The folders in /proc of a program's helper threads.
fn helpers(camera: &CameraProcess) -> Vec<PathBuf> {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", camera.child.id())).expect("it runs");
    let is_helper = |path: &PathBuf| {
        std::fs::read_to_string(path.join("comm")).is_ok_and(|name| name.starts_with("helper "))
    };
    tasks.filter_map(|task| Some(task.ok()?.path())).filter(is_helper).collect()
}

fn wait_for_helpers(camera: &CameraProcess, count: usize) {
    wait_until(&format!("{count} helpers"), || (helpers(camera).len() == count).then_some(()));
}

#[test]
fn helpers_exist_while_somebody_watches_what_is_encoded_and_large() {
    let camera = CameraProcess::start(&["--source", LARGE, "--encode-threads", "4"]);
    assert_eq!(helpers(&camera).len(), 0, "nobody watches");
    let small = Wishes { width: 320, ..Wishes::default() };
    let mut viewer = NativeClient::connect_wishing(camera.port(), small);
    (0..5).for_each(|_| drop(viewer.frame()));
    assert_eq!(helpers(&camera).len(), 0, "a small picture takes one thread");
    let mut large = NativeClient::connect(camera.port());
    large.frame();
    wait_for_helpers(&camera, 3);
    let mut other =
        NativeClient::connect_wishing(camera.port(), Wishes { quality: 50, ..Wishes::default() });
    other.frame();
    wait_for_helpers(&camera, 3);
    drop((large, other));
    wait_for_helpers(&camera, 0);
    viewer.frame();
}

#[test]
fn with_one_thread_nobody_helps() {
    let camera = CameraProcess::start(&["--source", LARGE, "--encode-threads", "1"]);
    let mut viewer = NativeClient::connect(camera.port());
    (0..5).for_each(|_| drop(viewer.frame()));
    assert_eq!(helpers(&camera).len(), 0);
}

#[test]
fn the_time_of_all_threads_is_counted() {
    let camera = CameraProcess::start(&["--source", LARGE, "--encode-threads", "3"]);
    let mut viewer = NativeClient::connect(camera.port());
    (0..30).for_each(|_| drop(viewer.frame()));
    let ticks = |task: &PathBuf| {
        let stat = std::fs::read_to_string(task.join("stat")).expect("it runs");
        let (_, fields) = stat.rsplit_once(')').expect("a name");
        let fields: Vec<&str> = fields.split_whitespace().collect();
        // utime and stime, the 14th and the 15th field (proc_pid_stat(5)), in hundredths of seconds.
        [11, 12].map(|at| fields[at].parse::<f64>().expect("a number")).iter().sum::<f64>()
    };
    let rendition = wait_until("the rendition", || {
        let tasks =
            std::fs::read_dir(format!("/proc/{}/task", camera.child.id())).expect("it runs");
        tasks.filter_map(|task| Some(task.ok()?.path())).find(|task| {
            std::fs::read_to_string(task.join("comm")).is_ok_and(|name| name == "rendition 1\n")
        })
    });
    let used = (helpers(&camera).iter().map(ticks).sum::<f64>() + ticks(&rendition)) / 100.0;
    let counted = metric(get(camera.port(), "/metrics").text(), "lancam_encode_cpu_seconds_total");
    // Waking and sleeping are not counted, and the kernel counts in ticks.
    assert!((counted - used).abs() < 0.05 + used / 4.0, "{counted} s counted, {used} s used");
}

/// Keeps all cores busy until it is dropped.
struct Burners {
    end: std::sync::Arc<AtomicBool>,
    threads: Vec<thread::JoinHandle<()>>,
}

impl Burners {
    fn start() -> Self {
        let end = std::sync::Arc::new(AtomicBool::new(false));
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let burn = |_| {
            let end = std::sync::Arc::clone(&end);
            thread::spawn(move || while !end.load(Ordering::Relaxed) {})
        };
        let threads = (0..2 * cores).map(burn).collect();
        Self { end, threads }
    }
}

impl Drop for Burners {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
        self.threads.drain(..).for_each(|thread| thread.join().expect("no panic"));
    }
}

#[test]
fn pictures_are_whole_and_in_order_while_helpers_starve() {
    let camera = CameraProcess::start(&["--source", LARGE, "--encode-threads", "4"]);
    let mut viewer = NativeClient::connect(camera.port());
    viewer.frame();
    wait_for_helpers(&camera, 3);
    for helper in helpers(&camera) {
        let id = helper.file_name().expect("a number").to_owned();
        let reniced = Command::new("renice").args(["-n", "19", "-p"]).arg(id).output();
        let Ok(output) = reniced else {
            return crate::tools::skip::skip("renice", "it is not installed");
        };
        assert!(output.status.success(), "{output:?}");
    }
    let burners = Burners::start();
    let mut decoder = Decoder::new().expect("a decoder");
    let mut picture = Picture::default();
    let mut last = 0;
    let until = std::time::Instant::now() + PATIENCE / 3;
    let mut frames = 0;
    while std::time::Instant::now() < until && frames < 100 {
        let (facts, jpeg) = viewer.frame();
        assert!(facts.sequence > last, "{} after {last}", facts.sequence);
        last = facts.sequence;
        let whole = decoder.decode(&jpeg, &mut picture).expect("decodes");
        assert_eq!((whole, picture.size()), (Decoded::Whole, facts.size));
        frames += 1;
    }
    drop(burners);
    assert!(frames > 10, "{frames} frames");
    assert_eq!(helpers(&camera).len(), 3, "they are late, not gone");
    assert_ne!(picture.size(), Size::new(0, 0));
}
