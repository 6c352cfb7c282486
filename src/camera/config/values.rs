//! What each option's value means, and what would work instead of one that means nothing.

use super::{Config, ConfigErrors, Wrong};
use crate::camera::announcer::Announce;
use crate::camera::controls::Control;
use crate::camera::listen::Listen;
use crate::image::frame::Memory;
use crate::image::orientation::{Orientation, Rotation};
use crate::image::pixels::{Chroma, FourCc, PixelFormat, Size};
use crate::image::size_wish::Aspect;
use crate::image::unpack::{Automatic, RawLook};
use crate::net::lan::{Guests, Prefix};
use crate::settings::quotes;
use crate::source::v4l2::ControlSetting;
use crate::source::{CsiFormat, CsiSetting, SourceSpec, parse_rate};
use crate::wire::http::host;
use std::time::Duration;

type Set = Result<(), Wrong>;

fn would_work(text: impl Into<String>) -> Wrong {
    Wrong::WouldWork(text.into())
}

pub(super) fn source(config: &mut Config, value: &str) -> Set {
    config.source = SourceSpec::parse(value).map_err(Wrong::Because)?;
    Ok(())
}

pub(super) fn size(config: &mut Config, value: &str) -> Set {
    let size = Size::parse(value).filter(|size| size.area() <= crate::image::pixels::MAX_PIXELS);
    config.capture.size = Some(size.ok_or_else(|| would_work("WIDTHxHEIGHT, such as 1280x720"))?);
    Ok(())
}

pub(super) fn fps(config: &mut Config, value: &str) -> Set {
    let rate = parse_rate(value).ok_or_else(|| would_work("a rate from 0.01 to 1000"))?;
    config.capture.rate = Some(rate);
    Ok(())
}

pub(super) fn format(config: &mut Config, value: &str) -> Set {
    if value.eq_ignore_ascii_case("auto") {
        config.capture.format = None;
        return Ok(());
    }
    // As it is first: V4L2 tells some codes apart by their case alone (pGAA, pgAA).
    let known = |text: &str| FourCc::parse(text).and_then(PixelFormat::from_fourcc);
    let format = known(value).or_else(|| known(&value.to_ascii_uppercase()));
    config.capture.format =
        Some(format.ok_or_else(|| would_work(format!("auto{}", known_formats())))?);
    Ok(())
}

/// `, MJPG, JPEG, …`
fn known_formats() -> String {
    PixelFormat::KNOWN.map(|(code, _)| format!(", {code}")).concat()
}

pub(super) fn control_setting(config: &mut Config, value: &str) -> Set {
    let setting = ControlSetting::parse(value).map_err(would_work)?;
    // The last word on a control counts, and the order of those is the order of setting.
    config.settings.retain(|earlier| !earlier.is_for_the_same(&setting));
    config.settings.push(setting);
    Ok(())
}

pub(super) fn rotate(config: &mut Config, value: &str) -> Set {
    config.rotation = Rotation::parse(value).ok_or_else(|| would_work("0, 90, 180 or 270"))?;
    config.capture.orientation = Orientation::turned(config.rotation).then(config.flip);
    Ok(())
}

pub(super) fn flip(config: &mut Config, value: &str) -> Set {
    config.flip = match value {
        "none" => Orientation::UPRIGHT,
        "h" => Orientation::FLIPPED_LEFT_RIGHT,
        "v" => Orientation::FLIPPED_TOP_BOTTOM,
        "hv" | "vh" => Orientation::turned(Rotation::Half),
        _ => return Err(would_work("h, v, hv or none")),
    };
    config.capture.orientation = Orientation::turned(config.rotation).then(config.flip);
    Ok(())
}

pub(super) fn camera_memory(config: &mut Config, value: &str) -> Set {
    config.capture.memory = match value {
        "auto" => None,
        "cached" => Some(Memory::Cached),
        "uncached" => Some(Memory::Uncached),
        _ => return Err(would_work("auto, cached or uncached")),
    };
    Ok(())
}

pub(super) fn raw(config: &mut Config, value: &str) -> Set {
    let wrong = || would_work("auto, off, or some of black,balance,gamma");
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
    config.csi.format = format.ok_or_else(|| would_work("auto, yuv420 or mjpeg"))?;
    Ok(())
}

pub(super) fn csi_option(config: &mut Config, value: &str) -> Set {
    let setting = CsiSetting::parse(value).map_err(would_work)?;
    let settings = &mut config.csi.settings;
    settings.retain(|earlier| !earlier.is_for_the_same(&setting));
    settings.push(setting);
    Ok(())
}

pub(super) fn csi_program(config: &mut Config, value: &str) -> Set {
    if value.is_empty() || value.contains('\0') {
        return Err(would_work("the path of a program"));
    }
    config.csi.program = Some(value.into());
    Ok(())
}

pub(super) fn idle_stop(config: &mut Config, value: &str) -> Set {
    let seconds = value.parse().ok().filter(|seconds| (0.0..=1e9).contains(seconds));
    let seconds = seconds.ok_or_else(|| would_work("a number of seconds, 0 for never,"))?;
    config.idle_stop = (seconds > 0.0).then(|| Duration::from_secs_f64(seconds));
    Ok(())
}

fn side(value: &str) -> Result<usize, Wrong> {
    let side = value.parse().ok().filter(|side| (1..=Size::MAX_SIDE).contains(side));
    side.ok_or_else(|| would_work("a number of pixels from 1 to 65535"))
}

pub(super) fn width(config: &mut Config, value: &str) -> Set {
    config.size.width = Some(side(value)?);
    Ok(())
}

pub(super) fn height(config: &mut Config, value: &str) -> Set {
    config.size.height = Some(side(value)?);
    Ok(())
}

/// Yes or no, as people write it; nothing is no, as an empty variable means it.
fn switch(value: &str) -> Result<bool, Wrong> {
    match value {
        "1" | "true" | "yes" | "on" => Ok(true),
        "" | "0" | "false" | "no" | "off" => Ok(false),
        _ => Err(would_work("1 or 0, yes or no,")),
    }
}

pub(super) fn stretch(config: &mut Config, value: &str) -> Set {
    config.size.aspect = if switch(value)? { Aspect::Stretch } else { Aspect::default() };
    Ok(())
}

pub(super) fn quality(config: &mut Config, value: &str) -> Set {
    let quality = value.parse().ok().filter(|quality| (1..=100).contains(quality));
    config.quality = quality.ok_or_else(|| would_work("a number from 1 to 100"))?;
    Ok(())
}

pub(super) fn chroma(config: &mut Config, value: &str) -> Set {
    config.chroma = match value {
        "420" => Chroma::Yuv420,
        "422" => Chroma::Yuv422,
        _ => return Err(would_work("420 or 422")),
    };
    Ok(())
}

pub(super) fn listen(config: &mut Config, value: &str) -> Set {
    let wrong = |_| would_work("ADDRESS:PORT, such as 0.0.0.0:9999 or [::]:0,");
    let address = value.parse().map_err(wrong)?;
    match &mut config.listen {
        Listen::At(addresses) => addresses.push(address),
        Listen::Default => config.listen = Listen::At(vec![address]),
    }
    Ok(())
}

pub(super) fn allow(config: &mut Config, value: &str) -> Set {
    match (&mut config.guests, value) {
        (_, "any") => config.guests = Guests::Anyone,
        (Guests::Anyone, _) => {}
        (Guests::LanAnd(prefixes), _) => prefixes.push(
            Prefix::parse(value).ok_or_else(|| would_work("an address, ADDRESS/LENGTH or any"))?,
        ),
    }
    Ok(())
}

pub(super) fn announce(config: &mut Config, value: &str) -> Set {
    config.announce = match value {
        "on" => Announce::On,
        "off" => Announce::Off,
        _ => return Err(would_work("on or off")),
    };
    Ok(())
}

pub(super) fn name(config: &mut Config, value: &str) -> Set {
    if value.is_empty() || value.len() > 63 || value.chars().any(char::is_control) {
        return Err(would_work("a name of up to 63 bytes, without control characters,"));
    }
    if let Some(inside) = quotes::without(value) {
        return Err(would_work(format!("{inside}, without curly quotes,")));
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
        return Err(would_work(
            "an origin such as http://octopi.local:5000, without a path, or *,",
        ));
    }
    config.cors.push(value.into());
    Ok(())
}

pub(super) fn control(config: &mut Config, value: &str) -> Set {
    config.control = Control::parse(value).ok_or_else(|| would_work("off or lan"))?;
    Ok(())
}

pub(super) fn pickle(config: &mut Config, value: &str) -> Set {
    config.pickle = switch(value)?;
    Ok(())
}

pub(super) fn max_viewers(config: &mut Config, value: &str) -> Set {
    let count = value.parse().ok().filter(|count| (1..=10_000).contains(count));
    config.max_viewers = count.ok_or_else(|| would_work("a number from 1 to 10000"))?;
    Ok(())
}

pub(super) fn log_level(config: &mut Config, value: &str) -> Set {
    config.verbosity = match value {
        "error" => -2,
        "warn" => -1,
        "info" => 0,
        "debug" => 1,
        _ => return Err(would_work("error, warn, info or debug")),
    };
    Ok(())
}

pub(super) fn config_errors(config: &mut Config, value: &str) -> Set {
    config.config_errors = match value {
        "stop" => ConfigErrors::Stop,
        "defaults" => ConfigErrors::Defaults,
        _ => return Err(would_work("stop or defaults")),
    };
    Ok(())
}
