//! Parses the value of each option, or says what is expected instead.

use super::{Config, ConfigErrors, Wrong};
use crate::camera::access::{Mode, Plain};
use crate::camera::announcer::Announce;
use crate::camera::controls::Control;
use crate::camera::listen::Listen;
use crate::camera::strips::EncodeThreads;
use crate::decimal;
use crate::image::frame::Memory;
use crate::image::orientation::{Orientation, Rotation};
use crate::image::pixels::{Chroma, FourCc, PixelFormat, Size};
use crate::image::size_wish::Aspect;
use crate::image::unpack::{Automatic, RawLook};
use crate::net::lan::{Guests, Prefix};
use crate::plain::printable;
use crate::settings::quotes;
use crate::source::v4l2::ControlSetting;
use crate::source::{CsiFormat, CsiSetting, SourceSpec, parse_rate};
use crate::wire::http::host;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

type Set = Result<(), Wrong>;

fn expected(text: impl Into<String>) -> Wrong {
    Wrong::Expected(text.into())
}

pub(super) fn source(config: &mut Config, value: &str) -> Set {
    if value.is_empty() {
        return Err(expected(SourceSpec::EXPECTED));
    }
    config.source = SourceSpec::parse(value).map_err(Wrong::Because)?;
    Ok(())
}

pub(super) fn size(config: &mut Config, value: &str) -> Set {
    let size = Size::parse(value).filter(|size| size.fits_a_jpeg());
    config.capture.size = Some(size.ok_or_else(|| expected(Size::EXPECTED))?);
    Ok(())
}

pub(super) fn fps(config: &mut Config, value: &str) -> Set {
    let rate = parse_rate(value).ok_or_else(|| expected("0.01 to 1000 frames per second"))?;
    config.capture.rate = Some(rate);
    Ok(())
}

/// Video codecs: their frames cannot be used one by one.
const VIDEO: [&str; 7] = ["h264", "h.264", "avc", "h265", "hevc", "vp8", "mpeg"];

pub(super) fn format(config: &mut Config, value: &str) -> Set {
    if value.eq_ignore_ascii_case("auto") {
        config.capture.format = None;
        return Ok(());
    }
    // First as written: a few V4L2 codes differ only in case (pGAA, pgAA).
    let known = |text: &str| FourCc::parse(text).and_then(PixelFormat::from_fourcc);
    let format = known(value).or_else(|| known(&value.to_ascii_uppercase()));
    config.capture.format = Some(format.ok_or_else(|| no_format(value))?);
    Ok(())
}

fn no_format(value: &str) -> Wrong {
    if VIDEO.iter().any(|video| value.eq_ignore_ascii_case(video)) {
        let why = "lancam takes JPEGs or raw pictures from a camera, not video; use auto or MJPG";
        return Wrong::Because(why.into());
    }
    expected("auto, or a code such as MJPG, YUYV or NV12 (lancam list shows the camera's)")
}

pub(super) fn control_setting(config: &mut Config, value: &str) -> Set {
    let setting = ControlSetting::parse(value).map_err(expected)?;
    // The last setting of a control counts, in the order in which they were given last.
    config.settings.retain(|earlier| !earlier.is_for_the_same(&setting));
    config.settings.push(setting);
    Ok(())
}

pub(super) fn rotate(config: &mut Config, value: &str) -> Set {
    config.rotation = Rotation::parse(value).ok_or_else(|| expected("0, 90, 180 or 270"))?;
    config.capture.orientation = Orientation::turned(config.rotation).then(config.flip);
    Ok(())
}

pub(super) fn flip(config: &mut Config, value: &str) -> Set {
    config.flip = match value {
        "none" => Orientation::UPRIGHT,
        "h" => Orientation::FLIPPED_LEFT_RIGHT,
        "v" => Orientation::FLIPPED_TOP_BOTTOM,
        "hv" | "vh" => Orientation::turned(Rotation::Half),
        _ => return Err(expected("h, v, hv or none")),
    };
    config.capture.orientation = Orientation::turned(config.rotation).then(config.flip);
    Ok(())
}

pub(super) fn camera_memory(config: &mut Config, value: &str) -> Set {
    config.capture.memory = match value {
        "auto" => None,
        "cached" => Some(Memory::Cached),
        "uncached" => Some(Memory::Uncached),
        _ => return Err(expected("auto, cached or uncached")),
    };
    Ok(())
}

pub(super) fn raw(config: &mut Config, value: &str) -> Set {
    let wrong = || expected("auto, off, or some of black,balance,gamma");
    config.raw = parse_raw(value).ok_or_else(wrong)?;
    Ok(())
}

fn parse_raw(text: &str) -> Option<RawLook> {
    match text {
        "auto" => return Some(RawLook::default()),
        "off" => return Some(RawLook::AS_IT_IS),
        _ => {}
    }
    let mut look = RawLook::AS_IT_IS;
    for word in text.split(',') {
        match word.trim() {
            "black" => look.black_level = Automatic::On,
            "balance" => look.white_balance = Automatic::On,
            "gamma" => look.gamma = Automatic::On,
            _ => return None,
        }
    }
    Some(look)
}

pub(super) fn csi_format(config: &mut Config, value: &str) -> Set {
    let format = CsiFormat::parse(value);
    config.csi.format = format.ok_or_else(|| expected("auto, yuv420 or mjpeg"))?;
    Ok(())
}

pub(super) fn csi_option(config: &mut Config, value: &str) -> Set {
    let setting = CsiSetting::parse(value).map_err(Wrong::Because)?;
    let settings = &mut config.csi.settings;
    settings.retain(|earlier| !earlier.is_for_the_same(&setting));
    settings.push(setting);
    Ok(())
}

pub(super) fn csi_program(config: &mut Config, value: &str) -> Set {
    if value.is_empty() || value.contains('\0') {
        return Err(expected("the path of a program"));
    }
    config.csi.program = Some(value.into());
    Ok(())
}

pub(super) fn idle_stop(config: &mut Config, value: &str) -> Set {
    let seconds = decimal::parse(value).filter(|seconds| (0.0..=1e9).contains(seconds));
    let seconds = seconds.ok_or_else(|| expected("a number of seconds, or 0 for never"))?;
    config.idle_stop = (seconds > 0.0).then(|| Duration::from_secs_f64(seconds));
    Ok(())
}

fn side(value: &str) -> Result<usize, Wrong> {
    let side = value.parse().ok().filter(|side| (1..=Size::MAX_JPEG_SIDE).contains(side));
    side.ok_or_else(|| expected(format!("1 to {} pixels", Size::MAX_JPEG_SIDE)))
}

pub(super) fn width(config: &mut Config, value: &str) -> Set {
    config.size.width = Some(side(value)?);
    Ok(())
}

pub(super) fn height(config: &mut Config, value: &str) -> Set {
    config.size.height = Some(side(value)?);
    Ok(())
}

/// Parses yes or no in the usual spellings. Empty means no, as for an empty environment variable.
fn switch(value: &str) -> Result<bool, Wrong> {
    match value {
        "1" | "true" | "yes" | "on" => Ok(true),
        "" | "0" | "false" | "no" | "off" => Ok(false),
        _ => Err(expected("true or false")),
    }
}

pub(super) fn stretch(config: &mut Config, value: &str) -> Set {
    config.size.aspect = if switch(value)? { Aspect::Stretch } else { Aspect::default() };
    Ok(())
}

pub(super) fn quality(config: &mut Config, value: &str) -> Set {
    let quality = value.parse().ok().filter(|quality| (1..=100).contains(quality));
    config.quality = quality.ok_or_else(|| expected("1 to 100"))?;
    Ok(())
}

pub(super) fn chroma(config: &mut Config, value: &str) -> Set {
    config.chroma = match value {
        "420" => Chroma::Yuv420,
        "422" => Chroma::Yuv422,
        _ => return Err(expected("420 or 422")),
    };
    Ok(())
}

pub(super) fn listen(config: &mut Config, value: &str) -> Set {
    let address = listen_address(value)?;
    match &mut config.listen {
        Listen::At(addresses) => addresses.push(address),
        Listen::Default => config.listen = Listen::At(vec![address]),
    }
    Ok(())
}

/// Parses an address. A port alone, or nothing before the colon, means all addresses.
fn listen_address(value: &str) -> Result<SocketAddr, Wrong> {
    let value = value.trim();
    if let Ok(address) = value.parse() {
        return Ok(address);
    }
    if let Ok(address) = value.parse::<IpAddr>() {
        let example = SocketAddr::new(address, 8080);
        return Err(expected(format!("an address with a port, such as {example}")));
    }
    let (host, port) = value.rsplit_once(':').unwrap_or(("", value));
    let address = match host {
        "" | "*" => Some(IpAddr::from(Ipv6Addr::UNSPECIFIED)),
        "localhost" => Some(Ipv4Addr::LOCALHOST.into()),
        _ => None,
    };
    let port = port.parse().ok().filter(|_| !port.starts_with('+'));
    let wrong = || expected("PORT or ADDRESS:PORT, such as 8080 or 127.0.0.1:8080");
    address.zip(port).map(SocketAddr::from).ok_or_else(wrong)
}

pub(super) fn allow(config: &mut Config, value: &str) -> Set {
    match (&mut config.guests, value) {
        (_, "any") => config.guests = Guests::Anyone,
        (Guests::Anyone, _) => {}
        (Guests::LanAnd(prefixes), _) => prefixes.push(
            Prefix::parse(value)
                .ok_or_else(|| expected("an address, a network such as 203.0.113.0/24, or any"))?,
        ),
    }
    Ok(())
}

pub(super) fn access(config: &mut Config, value: &str) -> Set {
    config.access = Mode::parse(value).ok_or_else(|| expected("keys or open"))?;
    Ok(())
}

pub(super) fn plain(config: &mut Config, value: &str) -> Set {
    config.plain = Plain::parse(value).ok_or_else(|| expected("off or keys"))?;
    Ok(())
}

pub(super) fn state(config: &mut Config, value: &str) -> Set {
    if value.is_empty() {
        return Err(expected("a folder, such as /var/lib/lancam"));
    }
    config.state = Some(value.into());
    Ok(())
}

pub(super) fn announce(config: &mut Config, value: &str) -> Set {
    config.announce = match switch(value) {
        Ok(true) => Announce::On,
        Ok(false) if !value.is_empty() => Announce::Off,
        _ => return Err(expected("on or off")),
    };
    Ok(())
}

pub(super) fn name(config: &mut Config, value: &str) -> Set {
    if value.trim().is_empty() || value.len() > 63 || value.chars().any(char::is_control) {
        return Err(expected("1 to 63 bytes of text on one line"));
    }
    if let Some(inside) = quotes::without(value) {
        return Err(expected(format!("without curly quotes: {}", printable(inside))));
    }
    config.name = Some(value.into());
    Ok(())
}

pub(super) fn http_name(config: &mut Config, value: &str) -> Set {
    config.http_names.push(host::parse_name(value).map_err(Wrong::Because)?);
    Ok(())
}

pub(super) fn cors(config: &mut Config, value: &str) -> Set {
    if !host::is_origin(value) {
        return Err(expected("* or an origin without a path, such as http://octopi.local:5000"));
    }
    config.cors.push(value.into());
    Ok(())
}

pub(super) fn control(config: &mut Config, value: &str) -> Set {
    config.control = Control::parse(value).ok_or_else(|| expected("off or lan"))?;
    Ok(())
}

pub(super) fn pickle(config: &mut Config, value: &str) -> Set {
    config.pickle = switch(value)?;
    Ok(())
}

pub(super) fn encode_threads(config: &mut Config, value: &str) -> Set {
    let count = value.parse().ok().filter(|count| (1..=EncodeThreads::MOST).contains(count));
    config.encode_threads = count.ok_or_else(|| expected("1 to 64"))?;
    Ok(())
}

pub(super) fn max_viewers(config: &mut Config, value: &str) -> Set {
    let count = value.parse().ok().filter(|count| (1..=10_000).contains(count));
    config.max_viewers = count.ok_or_else(|| expected("1 to 10000"))?;
    Ok(())
}

pub(super) fn log_level(config: &mut Config, value: &str) -> Set {
    config.verbosity = match value {
        "error" => -2,
        "warn" => -1,
        "info" => 0,
        "debug" => 1,
        _ => return Err(expected("error, warn, info or debug")),
    };
    Ok(())
}

pub(super) fn config_errors(config: &mut Config, value: &str) -> Set {
    config.config_errors = match value {
        "stop" => ConfigErrors::Stop,
        "defaults" => ConfigErrors::Defaults,
        _ => return Err(expected("stop or defaults")),
    };
    Ok(())
}
