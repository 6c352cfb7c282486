//! What `lancam selftest` prints: one block about this machine and its camera, to paste into a
//! report. Takes at most 10 s, and 10 s more where there is a ribbon camera.

use crate::clock;
use crate::net::lan::own_addresses;
use crate::source::v4l2::list::Listing;
use crate::source::{CaptureWish, Next, Opener, SourceSpec};
use crate::stop::Stop;
use crate::wording::count;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// How long frames are counted.
const MEASURED: Duration = Duration::from_secs(2);

/// How long to wait for drivers, including the time for counting. A driver that answers at all
/// answers within this time.
const PATIENCE: Duration = Duration::from_secs(8);

/// The whole block, without the final newline. `version` is this program's.
pub fn block(version: &str) -> String {
    let started = Instant::now();
    let mut text = String::new();
    let mut line = |what: &str, is: &str| {
        for (number, part) in is.lines().enumerate() {
            let what = if number == 0 { what } else { "" };
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{what:<13}{part}");
        }
    };
    line("lancam", version.trim_start_matches("lancam "));
    line("board", &board());
    line("kernel", &kernel());
    line("memory", &memory());
    line("temperature", &temperature());
    line("watchdog", &watchdogs());
    line("network", &network());
    // A driver may never answer, so each question gets its own thread and limited time.
    let listing = within(started, Listing::now);
    let measured = within(started, measure);
    // rpicam-vid opens each ribbon camera for that, so nothing else may.
    let cameras = listing.map(|listing| listing.with_modes().brief());
    line("cameras", &cameras.unwrap_or_else(|| "a driver does not answer".into()));
    line("measured", &measured.unwrap_or_else(|| "the camera does not answer".into()));
    text.trim_end().to_owned()
}

/// The answer of `ask`, if it comes in time. The thread of a hanging driver stays; the program ends
/// all the same.
fn within<T: Send + 'static>(started: Instant, ask: fn() -> T) -> Option<T> {
    let (answer, answered) = mpsc::channel();
    let asked = thread::Builder::new().name("selftest".into()).spawn(move || {
        // Fails if the answer came too late for anybody to wait.
        let _ = answer.send(ask());
    });
    asked.ok()?;
    answered.recv_timeout(PATIENCE.saturating_sub(started.elapsed())).ok()
}

/// Counts the frames of the camera that `--source auto` takes.
fn measure() -> String {
    let mut opener = Opener::new(SourceSpec::Auto, CaptureWish::default());
    let captured = Stop::new().map_err(|error| error.to_string()).and_then(|stop| {
        let mut source = opener.open(&stop).map_err(|error| error.to_string())?;
        let opened_at = clock::now();
        let mut first: Option<(Duration, _)> = None;
        let (mut frames, mut bytes) = (0_u32, 0_usize);
        let format = source.layout().format;
        let size = loop {
            let frame = match source.next_frame(&stop).map_err(|error| error.to_string())? {
                Next::Frame(frame) => frame,
                Next::Unusable(_) | Next::Waiting(_) => continue,
                Next::Stopped => return Err("stopped".into()),
            };
            bytes += frame.sent();
            let now = clock::now();
            let (_, since) = *first.get_or_insert((now.since(opened_at), now));
            let counted = now.since(since);
            if counted >= MEASURED {
                break frame.size();
            }
            frames += 1;
        };
        let (first_after, since) = first.unwrap_or_default();
        let fps = f64::from(frames) / clock::now().since(since).as_secs_f64();
        let kilobytes = bytes as f64 / f64::from(frames + 1) / 1000.0;
        let drops = source.drops();
        Ok(format!(
            "{}: {size} {format}, {fps:.1} fps, {kilobytes:.1} kB a frame, first after {} ms, \
             {} stale, {} broken",
            source.description(),
            first_after.as_millis(),
            drops.stale,
            drops.broken,
        ))
    });
    captured.unwrap_or_else(|why| format!("no frames: {why}"))
}

fn board() -> String {
    // Strings in the device tree end with a NUL.
    let model = read("/proc/device-tree/model").or_else(|| read("/sys/class/dmi/id/product_name"));
    model.unwrap_or_else(|| "unknown".into())
}

fn kernel() -> String {
    match nix::sys::utsname::uname() {
        Ok(it) => format!(
            "{} {} {}",
            it.sysname().to_string_lossy(),
            it.release().to_string_lossy(),
            it.machine().to_string_lossy()
        ),
        Err(error) => error.to_string(),
    }
}

fn memory() -> String {
    let cpus = thread::available_parallelism().map_or(1, usize::from);
    let total = read("/proc/meminfo").and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
        line.trim().trim_end_matches(" kB").parse::<u64>().ok()
    });
    match total {
        Some(kilobytes) => format!("{} MB, {}", kilobytes / 1024, count(cpus, "CPU")),
        None => count(cpus, "CPU"),
    }
}

fn temperature() -> String {
    let thousandths =
        read("/sys/class/thermal/thermal_zone0/temp").and_then(|it| it.parse::<f64>().ok());
    let mut text = match thousandths {
        Some(thousandths) => format!("{:.1} °C", thousandths / 1000.0),
        None => "unknown".into(),
    };
    // Only Raspberry Pi's own kernels have this file. Bit 0: voltage too low now; bit 2: throttled
    // now; the bits from 16 on: the same since boot.
    if let Some(throttled) = read("/sys/devices/platform/soc/soc:firmware/get_throttled") {
        text += &format!(", throttled 0x{}", throttled.trim_start_matches("0x"));
    }
    for folder in entries("/sys/class/hwmon") {
        let is_voltage = read(folder.join("name")).as_deref() == Some("rpi_volt");
        if is_voltage && read(folder.join("in0_lcrit_alarm")).as_deref() == Some("1") {
            text += ", too little voltage";
        }
    }
    text
}

/// The watchdogs as sysfs shows them. Opening a watchdog device would start it.
fn watchdogs() -> String {
    let each = entries("/sys/class/watchdog").into_iter().map(|folder| {
        let of = |name: &str| read(folder.join(name)).unwrap_or_else(|| "?".into());
        format!("{}, {} s, {}", of("identity"), of("timeout"), of("state"))
    });
    let each: Vec<_> = each.collect();
    if each.is_empty() { "none".into() } else { each.join("\n") }
}

fn network() -> String {
    let addresses: Vec<_> = own_addresses().iter().map(ToString::to_string).collect();
    let mut text = match addresses.is_empty() {
        true => "no address".into(),
        false => addresses.join(" "),
    };
    for folder in entries("/sys/class/net") {
        let Some(driver) = fs::read_link(folder.join("device/driver")).ok() else { continue };
        let last =
            |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let kind = if folder.join("wireless").exists() { "Wi-Fi" } else { "wired" };
        let state = read(folder.join("operstate")).unwrap_or_default();
        text += &format!("\n{} ({kind}, {}): {state}", last(&folder), last(&driver));
    }
    text
}

/// A small file of the kernel, without trailing newline.
fn read(path: impl AsRef<Path>) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let text = text.trim_end_matches(['\0', '\n', ' ']);
    (!text.is_empty()).then(|| text.to_owned())
}

fn entries(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut entries: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    entries.sort();
    entries
}
