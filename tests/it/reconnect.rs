//! A camera that goes and comes back, as the viewer sees it.

use crate::fake_camera::{FakeServer, stream_pattern};
use crate::viewer_process::Viewer;
use lancam::image::pixels::Size;
use std::time::{Duration, Instant};

/// The goal; a busy machine gets five times as long.
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
