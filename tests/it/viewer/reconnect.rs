//! A camera that goes away and comes back, as the viewer sees it.

use crate::tools::camera_process::CameraProcess;
use crate::tools::fake_camera::{FakeServer, stream_pattern};
use crate::tools::lan::{Lan, Machine};
use crate::tools::viewer_process::Viewer;
use lancam::image::pixels::Size;
use std::time::{Duration, Instant};

/// The goal. A busy machine gets five times as long.
const GOAL: Duration = Duration::from_secs(1);

#[test]
fn the_picture_comes_back_by_itself() {
    let camera =
        |port| FakeServer::on(port, |stream| stream_pattern(stream, Size::new(320, 180), 50));
    let mut first = camera(0);
    let address = first.address();
    let mut viewer = Viewer::start(&["--headless", "-v", "--frames", "100000", &address]);
    for _ in 0..3 {
        viewer.wait_for("frame 10 of");
        let port = first.port();
        drop(first);
        viewer.wait_for("nothing listens at");
        first = camera(port);
        let back = Instant::now();
        viewer.wait_for("frame 1 of");
        let away = back.elapsed();
        eprintln!("the picture was back after {} ms", away.as_millis());
        assert!(away < 5 * GOAL, "{away:?}");
    }
}

/// A camera with this name on the LAN, at this port.
fn garage(lan: &Lan, port: u16) -> CameraProcess {
    let listen = format!("0.0.0.0:{port}");
    let options = ["--source", "test:320x240@30", "--name", "Garage", "--announce", "on"];
    let command = CameraProcess::command(&[&options[..], &["--listen", &listen]].concat());
    CameraProcess::spawn(&mut lan.on(Machine::Camera, &command))
}

const FOR_EVER: [&str; 4] = ["--headless", "-v", "--frames", "1000000"];

#[test]
fn a_camera_that_moved_to_another_port_is_found_by_its_name() {
    let Some(lan) = Lan::new() else { return };
    let mut camera = garage(&lan, 9101);
    // First by the camera's name alone, then by a machine's name with a port.
    for (name, ports) in [("garage.local", [9102, 9103]), ("garage.local:9103", [9104, 9105])] {
        let mut viewer = Viewer::start_in(&lan, &[&FOR_EVER[..], &[name]].concat(), |_| {});
        viewer.wait_for("frame ");
        for port in ports {
            assert!(camera.terminate().success());
            viewer.wait_for("nothing listens at");
            camera = garage(&lan, port);
            let back = Instant::now();
            viewer.wait_for("frame ");
            let away = back.elapsed();
            eprintln!("{name}: the picture was back after {} ms", away.as_millis());
            assert!(away < 5 * GOAL, "{away:?}");
        }
    }
}

#[test]
fn a_network_that_was_cut_and_is_back_has_the_picture_again() {
    let Some(lan) = Lan::new() else { return };
    let _camera = garage(&lan, 9101);
    let arguments = [&FOR_EVER[..], &["10.77.0.1:9101"]].concat();
    let mut viewer = Viewer::start_in(&lan, &arguments, |_| {});
    for machine in [Machine::Camera, Machine::Desk] {
        viewer.wait_for("frame ");
        lan.ip(machine, &["link", "set", "lan0", "down"]);
        viewer.wait_for("has not answered for");
        viewer.wait_for("cannot reach");
        lan.ip(machine, &["link", "set", "lan0", "up"]);
        let back = Instant::now();
        viewer.wait_for("frame ");
        let away = back.elapsed();
        eprintln!("{machine:?}'s end: the picture was back after {} ms", away.as_millis());
        assert!(away < 5 * GOAL, "{away:?}");
    }
}
