//! A thousand rounds of what rude, broken and hostile clients do, while two healthy viewers watch.

use super::rude_clients::{HTTP, Neighbour, OTHERWISE, crowds};
use crate::tools::camera_process::CameraProcess;
use crate::tools::http_client::HttpClient;
use crate::tools::lan::{Lan, Machine};
use crate::tools::soak::{Holdings, assert_flat, ended};
use crate::tools::viewer_process::Viewer;
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Stdio;
use std::thread;
use std::time::Instant;

const ROUNDS: usize = 1000;
/// The memory is checked after this many rounds.
const BATCH: usize = 100;
/// How many neighbours are rude at the same time. Each round uses another address.
const AT_ONCE: usize = 6;

/// Checks that a viewer got at least 99 % of the frames.
#[track_caller]
fn assert_saw_nearly_all(viewer: Viewer) {
    let output = ended(viewer);
    let (frames, skipped) = (output.figure("frames"), output.figure("skipped"));
    let share = 100.0 * frames / (frames + skipped);
    println!("a healthy viewer: {frames} frames, {skipped} skipped: {share:.2} %");
    assert!(frames > 100.0 && share >= 99.0, "{}", output.stdout);
}

/// Runs these rounds, several at the same time, on the machine of this thread.
fn be_rude(camera: SocketAddr, rounds: std::ops::Range<usize>) {
    thread::scope(|threads| {
        for worker in 0..AT_ONCE {
            let mine = rounds.clone().skip(worker).step_by(AT_ONCE);
            threads.spawn(move || {
                for round in mine {
                    let last = u8::try_from(round % 250 + 2).expect("below 252");
                    let it = Neighbour { address: Ipv4Addr::new(10, 77, 1, last), camera, round };
                    HTTP.iter().chain(&OTHERWISE).for_each(|(_, rude)| rude(&it));
                    if round % 20 == 0 {
                        crowds(&it);
                    }
                }
            });
        }
    });
}

#[test]
#[ignore = "minutes: make test-all"]
fn a_thousand_rounds_of_rude_clients_cost_healthy_viewers_nothing_and_leave_nothing_behind() {
    let Some(lan) = Lan::new() else { return };
    // Gives one machine 254 more addresses.
    lan.ip(Machine::Desk, &["route", "add", "local", "10.77.1.0/24", "dev", "lo"]);
    lan.ip(Machine::Camera, &["route", "add", "10.77.1.0/24", "dev", "lan0"]);
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("log");
    let options = ["--listen", "10.77.0.1:0", "--source", "test:320x180@10"];
    let options = [&options[..], &["--control", "lan", "--pickle", "--max-viewers", "32"]].concat();
    let mut command = lan.on(Machine::Camera, &CameraProcess::command(&options));
    let written = Stdio::from(File::create(&log).expect("a log"));
    let camera = CameraProcess::spawn_with(&mut command, written);
    let process = camera.child.id();
    let address = SocketAddr::new(Lan::CAMERA, camera.port());
    let watch = |more: &[&str]| {
        let options = ["--headless", "--json", "--seconds", "3600"];
        Viewer::start_in(&lan, &[&options[..], more, &[&address.to_string()]].concat(), |_| {})
    };
    let mut viewers = [watch(&["-v"]), watch(&["-v", "--width", "160"])];
    viewers.iter_mut().for_each(|viewer| drop(viewer.wait_for("frame ")));

    let before = Holdings::of(process);
    let start = Instant::now();
    let batches = (0..ROUNDS / BATCH).map(|batch| {
        let rounds = batch * BATCH..(batch + 1) * BATCH;
        let rude = lan.inside(Machine::Desk, move || be_rude(address, rounds));
        rude.join().expect("nobody panics");
        Holdings::settled(process, before)
    });
    let after: Vec<Holdings> = batches.collect();
    println!("{ROUNDS} rounds in {:.0?}; {before:?} at first", start.elapsed());
    assert_flat("the camera", &after);
    viewers.into_iter().for_each(assert_saw_nearly_all);
    let still = lan.inside(Machine::Desk, move || HttpClient::connect_to(address).get("/snapshot"));
    assert_eq!(still.join().expect("no panic").code, 200);
    assert!(camera.terminate().success());
    let said = fs::read_to_string(&log).expect("a log");
    println!("its log: {} lines, {} bytes", said.lines().count(), said.len());
    assert!(!said.contains("panicked"), "{said}");
}
