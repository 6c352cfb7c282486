//! What happens to the camera of [`usb_soak`](super::usb_soak): one of these at a time, by chance.

use crate::hardware::pi::run;
use crate::hardware::usb_scene::{ANOTHER_AFTER, BRIGHTNESS, DRIVER_WAITS, Scene, text_of};
use crate::tools::native_client::NativeClient;
use crate::tools::random::Random;
use crate::tools::usb_camera::{Clock, Flaw, Manner, Moment, Orders, lsusb};
use lancam::wire::native::message::Message;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Its name in the log of the run, and what does it. That returns since when the camera is well again. If it returns
/// nothing, the camera is well once its orders are taken back.
pub(crate) type Trouble = (&'static str, fn(&Scene, &mut Random) -> Option<Well>);

/// Since when a camera is well, and the number of its first picture from then on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Well {
    pub(crate) since: Instant,
    pub(crate) number: u64,
}

impl Well {
    pub(crate) fn now(scene: &Scene) -> Self {
        Self { since: Instant::now(), number: scene.next_number() }
    }
}

pub(crate) const TROUBLES: [Trouble; 16] = [
    ("unplugged", unplugged),
    ("unplugged in the middle of a frame", |scene, random| pulled(scene, random, Moment::InFrame)),
    ("unplugged while it is asked what it is", |scene, random| {
        scene.unplug();
        let well = pulled(scene, random, Moment::Probe)?;
        Some(Well { since: well.since + DRIVER_WAITS, ..well })
    }),
    ("its hub is switched off", hub_switched_off),
    ("another camera, or the same one", another_camera),
    ("silent", |scene, random| {
        let until = Instant::now() + Duration::from_secs(1) + random.time_below(SILENCE);
        scene.camera.order(|orders| orders.silent_until = Some(until));
        let number = scene.next_number();
        sleep(until.saturating_duration_since(Instant::now()));
        Some(Well { since: until, number })
    }),
    ("flawed frames", |scene, random| {
        let (every, flaw) = (random.below(4) + 1, random.one_of(&FLAWS));
        let every = u64::try_from(every).expect("small");
        for_a_while(scene, random, |orders| orders.flaw = Some((every, flaw)))
    }),
    ("halted", |scene, random| for_a_while(scene, random, |orders| orders.halt = true)),
    ("no bandwidth", |scene, random| {
        scene.camera.order(|orders| orders.refuse_start = Some(ENOSPC));
        unplugged(scene, random);
        for_a_while(scene, random, |_| {})
    }),
    ("nothing but noise at first", |scene, random| {
        scene.camera.order(|orders| orders.noise_at_start = 30);
        unplugged(scene, random);
        for_a_while(scene, random, |_| {})
    }),
    ("slow", |scene, random| for_a_while(scene, random, |orders| orders.slowness = 10)),
    ("another size", |scene, random| {
        for_a_while(scene, random, |orders| orders.other_size = Some((320, 240)))
    }),
    ("a clock that jumps", |scene, random| {
        for_a_while(scene, random, |orders| orders.clock = Clock::Jumps)
    }),
    ("a control that fails", |scene, random| a_control(scene, random, Manner::Stalls)),
    ("a control that is slow", |scene, random| {
        let time = Duration::from_millis(500) + random.time_below(Duration::from_secs(6));
        a_control(scene, random, Manner::Takes(time))
    }),
    ("the Pi's clock is set", |scene, random| {
        let hours = random.one_of(&["+ 3600", "- 3600", "+ 86400", "- 5"]);
        run(&scene.guest, &format!("date -s @$(($(date +%s) {hours})) >/dev/null"));
        None
    }),
];

const FLAWS: [Flaw; 10] = [
    Flaw::ErrorBit,
    Flaw::SameFid,
    Flaw::NoEndOfFrame,
    Flaw::Cut,
    Flaw::TooLong,
    Flaw::Twice,
    Flaw::Empty,
    Flaw::Noise,
    Flaw::LongHeader,
    Flaw::NoTables,
];

const ENOSPC: i32 = 28;
/// The longest silence, less a second.
const SILENCE: Duration = Duration::from_secs(11);
/// The longest time without a plug.
const AWAY: Duration = Duration::from_secs(2);

fn unplugged(scene: &Scene, random: &mut Random) -> Option<Well> {
    scene.unplug();
    Some(plugged_again(scene, random))
}

/// The camera unplugs itself at this moment.
fn pulled(scene: &Scene, random: &mut Random, moment: Moment) -> Option<Well> {
    scene.camera.order(|orders| orders.unplug = Some(moment));
    if moment == Moment::Probe {
        scene.plug_into(0);
    }
    scene.wait_until_pulled();
    Some(plugged_again(scene, random))
}

fn plugged_again(scene: &Scene, random: &mut Random) -> Well {
    sleep(random.time_below(AWAY));
    let well = Well::now(scene);
    scene.plug_into(random.one_of(&[0, 1, 2, 3]));
    scene.wait_for_node();
    well
}

/// It takes its devices with it, and finds them again.
fn hub_switched_off(scene: &Scene, random: &mut Random) -> Option<Well> {
    scene.switch_hubs(false);
    scene.wait_for_no_node();
    sleep(random.time_below(AWAY));
    let well = Well::now(scene);
    scene.switch_hubs(true);
    scene.wait_for_node();
    Some(well)
}

/// lancam does not take another one at once.
fn another_camera(scene: &Scene, random: &mut Random) -> Option<Well> {
    let gone = Instant::now();
    scene.unplug();
    let serial = random.one_of(&["A1B2C3D4", "Z9"]);
    let text = text_of("webcam").replace("A1B2C3D4", serial);
    scene.camera.becomes(lsusb::parse(&text).expect("a camera"));
    let well = plugged_again(scene, random);
    Some(Well { since: well.since.max(gone + ANOTHER_AFTER), ..well })
}

/// Someone sets it in the meantime.
fn a_control(scene: &Scene, random: &mut Random, manner: Manner) -> Option<Well> {
    let faults = [("brightness".into(), manner)];
    scene.camera.order(move |orders| orders.controls = faults.into());
    let mut client = NativeClient::connect(scene.guest.port(9999));
    client.say(&Message::SetControl { id: BRIGHTNESS, value: 20 });
    for_a_while(scene, random, |_| {})
}

fn for_a_while(
    scene: &Scene,
    random: &mut Random,
    change: impl FnOnce(&mut Orders),
) -> Option<Well> {
    scene.camera.order(change);
    sleep(random.time_below(Duration::from_secs(5)));
    None
}
