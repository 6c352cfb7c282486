//! What the tests with USB cameras share: an emulated Pi without another camera, a camera in software, and a
//! viewer.

use crate::hardware::pi::{NOT_OPEN, boot_with, run, viewer};
use crate::tools::camera_process::PATIENCE;
use crate::tools::native_client::{Said, look};
use crate::tools::rig::{Guest, Machine};
use crate::tools::soak::Holdings;
use crate::tools::until::wait_until;
use crate::tools::usb_camera::pictures::Numbered;
use crate::tools::usb_camera::{Kind, Model, Orders, Shot, UsbCamera, lsusb};
use lancam::image::pixels::Size;
use lancam::wire::native::message::Message;
use std::net::{Shutdown, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// An emulated Pi, and the camera that is plugged into it.
pub(crate) struct Scene {
    pub(crate) guest: Guest,
    pub(crate) camera: Arc<UsbCamera>,
}

/// What lsusb prints about a camera of tests/data/cameras.
pub(crate) fn text_of(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/cameras/{name}.txt"));
    std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

pub(crate) fn model(name: &str) -> Model {
    lsusb::parse(&text_of(name)).unwrap_or_else(|why| panic!("{name}: {why}"))
}

/// Starts lancam with a webcam, and a viewer that has got a picture.
pub(crate) fn watched(scene: &Scene, options: &str) -> Watcher {
    scene.plug("webcam");
    scene.start(options);
    let (start, watcher) = (Instant::now(), scene.watch());
    watcher.picture_after(start);
    watcher
}

/// V4L2's id of a control that the webcam has.
pub(crate) const BRIGHTNESS: u32 = 0x0098_0900;

/// How long a camera may be away before lancam takes another one.
pub(crate) const ANOTHER_AFTER: Duration = Duration::from_secs(5);

/// How long the driver may wait for the answer of a camera that is gone, before it sees the next one.
pub(crate) const DRIVER_WAITS: Duration = Duration::from_secs(5);

/// How soon a picture must be there once the camera gives frames again. It is five times the goal, because
/// machines are busy.
const BACK: Duration = Duration::from_secs(5);

/// Prints how long the viewer had no picture.
pub(crate) fn print_gap(gap: Duration) {
    println!("  a picture after {} ms (goal 1000)", gap.as_millis());
}

/// Prints how long there was no picture after the camera could give one, and checks it.
#[track_caller]
pub(crate) fn assert_back(gap: Duration) {
    print_gap(gap);
    assert!(gap <= BACK, "no picture for {gap:.1?} though the camera could give one");
}

/// Checks that all pictures have exactly the camera's bytes.
pub(crate) fn assert_exact(pictures: &[(Option<u64>, bool)]) {
    assert!(
        pictures.iter().all(|(_, is_exact)| *is_exact),
        "other bytes than the camera's: {pictures:?}"
    );
    assert!(pictures.is_sorted_by_key(|(number, _)| *number), "{pictures:?}");
}

/// docs/HARDWARE.md.
pub(crate) fn page() -> String {
    std::fs::read_to_string(page_path()).expect("a page about hardware")
}

fn page_path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/HARDWARE.md")
}

/// Checks that the page has this table. `LANCAM_BLESS=1` writes it in place of the one with this head.
pub(crate) fn stands_on_the_page(head: &str, rows: &str) {
    let (page, table) = (page(), format!("{head}{rows}"));
    if std::env::var_os("LANCAM_BLESS").is_some() {
        let start = page.find(head).expect("a table with this head");
        let end = page[start..].find("\n\n").map_or(page.len(), |end| start + end + 1);
        let page = [&page[..start], &table, &page[end..]].concat();
        std::fs::write(page_path(), page).expect("it is ours");
        return;
    }
    let is_there = page.contains(&format!("{table}\n")) || page.ends_with(&table);
    assert!(is_there, "LANCAM_BLESS=1 makes this table of docs/HARDWARE.md anew:\n{table}");
}

impl Scene {
    /// Boots. `None` if that is not possible here, which counts as a skip.
    pub(crate) fn boot() -> Option<Self> {
        Self::boot_with("")
    }

    /// The same, with more on the kernel's command line.
    pub(crate) fn boot_with(kernel_arguments: &str) -> Option<Self> {
        let guest = boot_with(Machine::Virt, kernel_arguments)?;
        run(&guest, "modprobe -r vivid");
        let camera = Arc::new(UsbCamera::new(model("webcam"), Numbered::default()));
        Some(Self { guest, camera })
    }

    /// Plugs this camera in and waits for its node.
    pub(crate) fn plug(&self, name: &str) {
        self.camera.becomes(model(name));
        self.plug_into(0);
        self.wait_for_node();
    }

    /// Plugs the same camera in again.
    pub(crate) fn plug_into(&self, socket: u8) {
        self.plug_other_into(&self.camera, socket);
    }

    /// Plugs the same camera in again, and waits for its picture. Returns how long that took, from before the
    /// plug.
    #[track_caller]
    pub(crate) fn plug_in_and_see(&self, socket: u8, watcher: &Watcher) -> Duration {
        let (fresh, plugged) = (self.next_number(), Instant::now());
        self.plug_into(socket);
        watcher.picture_from(fresh, plugged)
    }

    /// The number of the camera's next picture.
    pub(crate) fn next_number(&self) -> u64 {
        self.camera.seen().frames
    }

    /// Plugs one more camera in.
    pub(crate) fn plug_other_into(&self, camera: &UsbCamera, socket: u8) {
        // Standard input is the console, whose next command is not for it to read.
        run(&self.guest, &format!("plug {} {socket} </dev/null", camera.port()));
    }

    pub(crate) fn wait_for_node(&self) {
        run(
            &self.guest,
            "timeout 50 sh -c 'until ls /dev/video* >/dev/null 2>&1; do usleep 50000; done'",
        );
    }

    /// Waits until a camera of this product is there, also if others are.
    pub(crate) fn wait_for_camera(&self, product: &str) {
        run(
            &self.guest,
            &format!(
                "timeout 50 sh -c 'until grep -qs \"{product}\" /sys/class/video4linux/*/name; do usleep 50000; done'"
            ),
        );
    }

    /// Switches all USB hubs off, which takes their devices away, or on again.
    pub(crate) fn switch_hubs(&self, on: bool) {
        let on = u8::from(on);
        run(
            &self.guest,
            &format!("for hub in /sys/bus/usb/devices/usb*/authorized; do echo {on} >$hub; done"),
        );
    }

    /// Unplugs the camera and waits until the kernel has noticed.
    pub(crate) fn unplug(&self) {
        self.camera.unplug();
        self.wait_for_no_node();
    }

    pub(crate) fn wait_for_no_node(&self) {
        run(
            &self.guest,
            "timeout 50 sh -c 'while ls /dev/video* >/dev/null 2>&1; do usleep 50000; done'",
        );
    }

    /// Waits until the camera has unplugged itself at the ordered moment and the kernel has noticed.
    pub(crate) fn wait_until_pulled(&self) {
        wait_until("the plug is pulled", || {
            let mut is_pulled = false;
            self.camera.order(|orders| is_pulled = orders.unplug.is_none());
            is_pulled.then_some(())
        });
        self.unplug();
    }

    /// Starts lancam in the guest.
    pub(crate) fn start(&self, options: &str) {
        run(
            &self.guest,
            &format!(
                "LANCAM_ACCESS=open lancam {options} >/tmp/out 2>/tmp/log & echo $! >/tmp/pid"
            ),
        );
        wait_until("LISTENING", || self.guest.sh("grep LISTENING /tmp/out").ok().then_some(()));
    }

    /// What lancam holds.
    pub(crate) fn holdings(&self) -> Holdings {
        let found = self.guest.sh(
            "p=/proc/$(cat /tmp/pid); grep Private_Dirty $p/smaps_rollup | tr -dc 0-9; echo; ls $p/fd | wc -l; ls $p/task | wc -l",
        );
        let text = found.text();
        let mut numbers = text.lines().map(|line| line.trim().parse().expect("a number"));
        let mut next = || numbers.next().unwrap_or_else(|| panic!("lancam is gone: {found}"));
        let (kib, files, threads): (usize, usize, usize) = (next(), next(), next());
        Holdings { kib: kib.try_into().expect("small"), files, threads }
    }

    pub(crate) fn log(&self) -> String {
        self.guest.sh(&format!("sed '{NOT_OPEN}' /tmp/log")).text()
    }

    /// Ends lancam and returns its log. The guest waits for the end itself, so a program that hangs is not
    /// mistaken for a guest that hangs.
    pub(crate) fn stop(&self) -> String {
        let end = "kill $(cat /tmp/pid); timeout 55 sh -c 'while [ -e /proc/$(cat /tmp/pid) ]; do usleep 50000; done'";
        run(&self.guest, end);
        let log = self.log();
        assert!(!log.contains("panicked"), "{log}");
        log
    }

    /// Ends everything that a case may have left: the program, the plug, the camera's faults.
    pub(crate) fn clear(&self) {
        self.camera.order(|orders| *orders = Orders::default());
        let _ =
            self.guest.sh("kill -9 $(cat /tmp/pid) 2>/dev/null; rm -f /tmp/pid /tmp/out /tmp/log");
        self.unplug();
    }

    pub(crate) fn watch(&self) -> Watcher {
        Watcher::of(&self.guest, &self.camera)
    }
}

/// Something that a viewer received.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    /// A picture: the number in it, its size, and whether its bytes are the camera's.
    Picture {
        number: Option<u64>,
        size: Size,
        is_exact: bool,
    },
    Status(String),
    Closed,
}

/// A viewer that notes what it gets, and when. Dropping it closes its connection.
pub(crate) struct Watcher {
    events: Arc<Mutex<Vec<(Instant, Event)>>>,
    stream: TcpStream,
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

impl Watcher {
    fn of(guest: &Guest, camera: &Arc<UsbCamera>) -> Self {
        let events = Arc::new(Mutex::new(Vec::new()));
        let (mut client, noted, camera) = (viewer(guest), Arc::clone(&events), Arc::clone(camera));
        client.stream.set_read_timeout(Some(10 * PATIENCE)).expect("sets a timeout");
        let stream = client.stream.try_clone().expect("another handle");
        // The thread ends with its connection.
        thread::spawn(move || {
            loop {
                let event = match client.hear() {
                    Said::Frame { facts, payload } => {
                        client.say(&Message::Ack { sequence: facts.sequence });
                        picture(&camera, facts.size, &payload)
                    }
                    Said::Status { text, .. } => Event::Status(text),
                    Said::Closed | Said::Goodbye { .. } => Event::Closed,
                    _ => continue,
                };
                let is_last = matches!(event, Event::Closed);
                noted.lock().unwrap_or_else(PoisonError::into_inner).push((Instant::now(), event));
                if is_last {
                    return;
                }
            }
        });
        Self { events, stream }
    }

    pub(crate) fn events(&self) -> Vec<(Instant, Event)> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for the first picture after `start`. Returns how long it took.
    #[track_caller]
    pub(crate) fn picture_after(&self, start: Instant) -> Duration {
        let is_it = |(at, event): &(Instant, Event)| {
            (*at > start && matches!(event, Event::Picture { .. })).then(|| *at - start)
        };
        self.wait("a picture", |events| events.iter().find_map(is_it))
    }

    /// Waits for the first picture with at least this number: an older one may still be on its way. Returns
    /// how long after `since` it came.
    #[track_caller]
    pub(crate) fn picture_from(&self, number: u64, since: Instant) -> Duration {
        let is_it = |(at, event): &(Instant, Event)| match event {
            Event::Picture { number: Some(found), .. } if *found >= number => {
                Some(at.saturating_duration_since(since))
            }
            _ => None,
        };
        self.wait("a new picture", |events| events.iter().find_map(is_it))
    }

    /// The longest time without a picture between the first one after `start` and the last one.
    pub(crate) fn longest_gap(&self, start: Instant) -> Duration {
        let events = self.events();
        let is_picture =
            |(at, event): &&(Instant, Event)| *at > start && matches!(event, Event::Picture { .. });
        let at: Vec<Instant> = events.iter().filter(is_picture).map(|(at, _)| *at).collect();
        at.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default()
    }

    /// Waits for this many pictures after `start`, and returns their numbers.
    #[track_caller]
    pub(crate) fn pictures_after(&self, start: Instant, count: usize) -> Vec<(Option<u64>, bool)> {
        self.wait("pictures", |events| {
            let pictures: Vec<_> = events
                .iter()
                .filter(|(at, _)| *at > start)
                .filter_map(|(_, event)| match event {
                    Event::Picture { number, is_exact, .. } => Some((*number, *is_exact)),
                    _ => None,
                })
                .collect();
            (pictures.len() >= count).then_some(pictures)
        })
    }

    /// Waits for a status after `start` that contains this word, and returns its text.
    #[track_caller]
    pub(crate) fn told_after(&self, start: Instant, word: &str) -> String {
        self.wait(word, |events| {
            events.iter().filter(|(at, _)| *at > start).find_map(|(_, event)| match event {
                Event::Status(text) if text.contains(word) => Some(text.clone()),
                _ => None,
            })
        })
    }

    #[track_caller]
    fn wait<T>(&self, what: &str, look: impl Fn(&[(Instant, Event)]) -> Option<T>) -> T {
        let deadline = Instant::now() + 4 * PATIENCE;
        loop {
            let events = self.events();
            if let Some(found) = look(&events) {
                return found;
            }
            let last: Vec<_> = events.iter().rev().take(5).collect();
            assert!(Instant::now() < deadline, "{what} did not come; the last events: {last:?}");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

fn picture(camera: &UsbCamera, size: Size, jpeg: &[u8]) -> Event {
    if let Some(number) = Numbered::number_of(jpeg) {
        let shot = Shot { kind: Kind::Mjpeg, width: size.width, height: size.height, number };
        let is_exact = camera.film(shot) == jpeg;
        return Event::Picture { number: Some(number), size, is_exact };
    }
    let (_, stamp) = look(jpeg);
    Event::Picture { number: stamp.map(|stamp| stamp.sequence.into()), size, is_exact: false }
}
