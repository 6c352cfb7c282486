//! Pictures that do not move, looked at closely: paused, lost, late, turned.

use crate::tools::fake_camera::{FakeCamera, FakeServer, jpeg_facts};
use crate::tools::stage::{Stage, count};
use crate::tools::until::wait_until;
use crate::tools::viewer_process::Viewer;
use lancam::image::jpeg::codec::Encoder;
use lancam::image::pixels::{Chroma, Size};
use lancam::image::planes::Planes;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// The size of the camera's pictures.
const WHOLE: Size = Size::new(1280, 720);
/// The size of the window, which needs only half as many pixels in each direction.
const HALF: Size = Size::new(640, 360);

/// Lines of one pixel, black and white. At half the size they become grey.
fn stripes() -> Vec<u8> {
    let mut planes = Planes::default();
    planes.reshape(WHOLE, Chroma::Yuv420);
    let bytes = planes.packed_mut();
    let (light, colour) = bytes.split_at_mut(WHOLE.area());
    colour.fill(128);
    light
        .iter_mut()
        .enumerate()
        .for_each(|(at, light)| *light = if at % 2 == 0 { 16 } else { 235 });
    let mut jpeg = vec![0; Encoder::max_len(WHOLE, Chroma::Yuv420).expect("small")];
    let len = Encoder::new(90).and_then(|mut encoder| encoder.encode(&planes, &mut jpeg));
    jpeg.truncate(len.expect("encodes"));
    jpeg
}

/// A camera that sends stripes until `hangs` is true.
fn camera(hangs: &Arc<AtomicBool>) -> FakeServer {
    let hangs = Arc::clone(hangs);
    FakeServer::on(0, move |stream| {
        let mut camera = FakeCamera::greet(stream, "fake")?;
        let jpeg = stripes();
        for sequence in 1.. {
            if hangs.load(Ordering::SeqCst) {
                return camera.wait_for(|_| None::<()>);
            }
            camera.send_frame(&jpeg_facts(sequence, WHOLE), &jpeg)?;
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    })
}

/// How much neighbouring pixels differ in a part without text, across or down, whichever is more.
fn contrast(stage: &Stage) -> f64 {
    let picture = stage.window(HALF);
    let light = |x: usize, y: usize| f64::from(picture.rgb(x, y)[1]);
    let places = (50..110).flat_map(|y| (60..220).map(move |x| (x, y)));
    let (across, down) = places.fold((0.0, 0.0), |(across, down), (x, y)| {
        let here = light(x, y);
        (across + (here - light(x + 1, y)).abs(), down + (here - light(x, y + 1)).abs())
    });
    across.max(down) / (160.0 * 60.0)
}

/// The contrast when the picture is enlarged so much that each line is several pixels wide. Stripes have more
/// than `SHARP`, grey less than `GREY`.
const SHARP: f64 = 20.0;
const GREY: f64 = 2.0;

struct Desk {
    stage: Stage,
    hangs: Arc<AtomicBool>,
    camera: FakeServer,
    viewer: Viewer,
}

fn desk() -> Option<Desk> {
    let stage = Stage::new()?;
    let hangs = Arc::new(AtomicBool::new(false));
    let camera = camera(&hangs);
    let viewer = stage.watch([&camera]);
    stage.wait_for_title("fake — 1280×720");
    stage.move_window(HALF, (380, 270));
    wait_until("half of it", || (contrast(&stage) < GREY).then_some(()));
    Some(Desk { stage, hangs, camera, viewer })
}

impl Desk {
    fn looks_closer(&self) {
        for _ in 0..8 {
            self.stage.press(&["plus"]);
        }
        wait_until("the lines", || (contrast(&self.stage) > SHARP).then_some(()));
    }
}

#[test]
fn a_picture_that_is_held_is_looked_at_in_all_its_detail() {
    let Some(desk) = desk() else { return };
    desk.stage.press(&["space"]);
    desk.looks_closer();
    // The paused picture stays sharp when it is turned. The live pictures after it are as sharp.
    desk.stage.press(&["bracketright"]);
    wait_until("the lines, turned", || (contrast(&desk.stage) > SHARP).then_some(()));
    desk.stage.press(&["space"]);
    wait_until("the lines, live", || (contrast(&desk.stage) > SHARP).then_some(()));
    desk.stage.leave(desk.viewer);
}

#[test]
fn a_picture_of_a_camera_that_hangs_or_is_gone_is_looked_at_in_all_its_detail() {
    let Some(desk) = desk() else { return };
    desk.hangs.store(true, Ordering::SeqCst);
    desk.looks_closer();
    // The picture's age appears in the corner, in the colour of a warning.
    let is_warning =
        |[red, green, blue]: [u8; 3]| red > 240 && (180..210).contains(&green) && blue < 110;
    wait_until("that it is late", || {
        (count(&desk.stage.window(HALF), is_warning) > 20).then_some(())
    });
    for _ in 0..8 {
        desk.stage.press(&["minus"]);
    }
    wait_until("half of it", || (contrast(&desk.stage) < GREY).then_some(()));
    drop(desk.camera);
    wait_until("that it is gone", || desk.stage.screen.title_with("not connected"));
    for _ in 0..8 {
        desk.stage.press(&["plus"]);
    }
    // The picture is dimmed now.
    wait_until("the lines", || (contrast(&desk.stage) > SHARP / 8.0).then_some(()));
    desk.stage.leave(desk.viewer);
}
