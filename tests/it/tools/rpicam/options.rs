//! The options of rpicam-vid, and its messages about values that it refuses (`options.cpp`, `video_options.hpp`).

use lancam::image::pixels::Size;

/// The parsed options.
#[derive(Debug, Clone)]
pub struct Options {
    pub camera: usize,
    pub size: Size,
    pub fps: f64,
    pub is_mjpeg: bool,
    pub quality: u8,
    pub flush: bool,
    pub hflip: bool,
    pub vflip: bool,
    pub brightness: f64,
    pub tuning_file: Option<String>,
    pub metadata: Option<String>,
    pub is_text: bool,
    pub save_pts: Option<String>,
}

/// Options with a value.
const VALUED: [&str; 33] = [
    "camera",
    "verbose",
    "width",
    "height",
    "timeout",
    "output",
    "rotation",
    "roi",
    "shutter",
    "analoggain",
    "gain",
    "metering",
    "exposure",
    "ev",
    "awb",
    "awbgains",
    "brightness",
    "contrast",
    "saturation",
    "sharpness",
    "framerate",
    "denoise",
    "tuning-file",
    "mode",
    "buffer-count",
    "autofocus-mode",
    "lens-position",
    "hdr",
    "metadata",
    "metadata-format",
    "flicker-period",
    "codec",
    "save-pts",
];
const MORE_VALUED: [&str; 2] = ["quality", "autofocus-range"];
const SWITCHES: [&str; 5] = ["nopreview", "hflip", "vflip", "flush", "list-cameras"];

/// Options that take one of several words.
const WORDS: [(&str, &str, &[&str]); 8] = [
    ("metering", "Invalid metering mode: ", &["centre", "spot", "average", "matrix", "custom"]),
    ("exposure", "Invalid exposure mode:", &["normal", "sport", "short", "long", "custom"]),
    ("autofocus-mode", "Invalid AfMode:", &["default", "manual", "auto", "continuous"]),
    ("autofocus-range", "Invalid AfRange mode:", &["normal", "macro", "full"]),
    ("metadata-format", "unrecognised metadata format ", &["json", "txt"]),
    (
        "awb",
        "Invalid AWB mode: ",
        &[
            "auto",
            "normal",
            "incandescent",
            "tungsten",
            "fluorescent",
            "indoor",
            "daylight",
            "cloudy",
            "custom",
        ],
    ),
    ("denoise", "Invalid denoise mode ", &["auto", "off", "cdn_off", "cdn_fast", "cdn_hq"]),
    ("hdr", "Invalid HDR option provided: ", &["off", "single-exp", "sensor", "auto"]),
];

impl Options {
    /// Parses the arguments. `is_old`: a version without `--metadata` and `--flicker-period`.
    ///
    /// # Errors
    /// The message that rpicam-vid prints.
    pub fn parse(arguments: &[String], is_old: bool) -> Result<Self, String> {
        let mut options = Self {
            camera: 0,
            size: Size::new(640, 480),
            fps: 30.0,
            is_mjpeg: false,
            quality: 50,
            flush: false,
            hflip: false,
            vflip: false,
            brightness: 0.0,
            tuning_file: None,
            metadata: None,
            is_text: false,
            save_pts: None,
        };
        let mut codec = "h264".to_owned();
        let mut output = String::new();
        let mut rotation = 0;
        for argument in arguments {
            let bare = argument
                .strip_prefix("--")
                .ok_or("too many positional options have been specified on the command line")?;
            let (name, value) = bare.split_once('=').unwrap_or((bare, ""));
            let is_known =
                VALUED.contains(&name) || MORE_VALUED.contains(&name) || SWITCHES.contains(&name);
            let is_newer = name.starts_with("metadata") || name == "flicker-period";
            if !is_known || (is_old && is_newer) {
                return Err(format!("unrecognised option '--{name}'"));
            }
            let number = || number(name, value);
            if let Some((_, says, words)) = WORDS.iter().find(|(word, ..)| *word == name)
                && !words.contains(&value)
            {
                return Err(format!("{says}{value}"));
            }
            match name {
                "camera" => options.camera = whole(name, value)?,
                "width" => options.size.width = whole(name, value)?,
                "height" => options.size.height = whole(name, value)?,
                "framerate" => options.fps = number()?,
                "quality" => options.quality = u8::try_from(whole(name, value)?).unwrap_or(100),
                "brightness" => options.brightness = number()?.clamp(-1.0, 1.0),
                "contrast" | "saturation" | "sharpness" | "ev" | "gain" | "analoggain" => {
                    number()?;
                }
                "rotation" => rotation = whole(name, value)?,
                "codec" => codec = value.to_lowercase(),
                "output" => output = value.into(),
                "metadata" => options.metadata = Some(value.into()),
                "metadata-format" => options.is_text = value == "txt",
                // What is not a region is ignored.
                "shutter" | "flicker-period" | "timeout" => check_time(value)?,
                "lens-position" => check_lens(value)?,
                "awbgains" => check_gains(value)?,
                // `-` is the camera's own.
                "tuning-file" => options.tuning_file = Some(value.into()).filter(|it| it != "-"),
                "save-pts" => options.save_pts = Some(value.into()),
                "mode" => check_mode(value)?,
                "flush" => options.flush = true,
                "hflip" => options.hflip = true,
                "vflip" => options.vflip = true,
                _ => {}
            }
        }
        match rotation {
            0 => {}
            180 => (options.hflip, options.vflip) = (!options.hflip, !options.vflip),
            90 | 270 => return Err("transforms requiring transpose not supported".into()),
            _ => return Err("illegal rotation value".into()),
        }
        match codec.as_str() {
            "mjpeg" => options.is_mjpeg = true,
            "yuv420" => {}
            "h264" | "libav" => return Err("the stand-in makes mjpeg and yuv420 only".into()),
            other => return Err(format!("unrecognised codec {other}")),
        }
        assert_eq!(output, "-", "the stand-in writes to standard output only");
        Ok(options)
    }
}

fn number(name: &str, value: &str) -> Result<f64, String> {
    value.parse().map_err(|_| format!("the argument ('{value}') for option '--{name}' is invalid"))
}

fn whole(name: &str, value: &str) -> Result<usize, String> {
    value.parse().map_err(|_| format!("the argument ('{value}') for option '--{name}' is invalid"))
}

/// Whether the text begins with a number, as `std::stof` and `>>` read it.
fn begins_with_a_number(text: &str) -> bool {
    let text = text.trim_start();
    let mut ends = text.char_indices().map(|(at, letter)| at + letter.len_utf8());
    ends.any(|end| text[..end].parse::<f64>().is_ok())
}

/// `TimeVal::set` in `options.hpp`. What is not a unit counts as the usual one.
fn check_time(value: &str) -> Result<(), String> {
    if begins_with_a_number(value) { Ok(()) } else { Err("Invalid time string provided".into()) }
}

fn check_lens(value: &str) -> Result<(), String> {
    let is_one = value.is_empty() || value == "default" || begins_with_a_number(value);
    if is_one { Ok(()) } else { Err(format!("Invalid lens position: {value}")) }
}

fn check_gains(value: &str) -> Result<(), String> {
    let are_two = value
        .split_once(',')
        .is_some_and(|(red, blue)| begins_with_a_number(red) && begins_with_a_number(blue));
    if are_two { Ok(()) } else { Err("Invalid AWB gains".into()) }
}

fn check_mode(value: &str) -> Result<(), String> {
    let parts: Vec<&str> = value.split(':').collect();
    let sides = parts.iter().take(2).filter(|it| it.parse::<u32>().is_ok()).count();
    if sides < 2 {
        return Err("Invalid mode".into());
    }
    match parts.get(3).map(|it| it.to_ascii_uppercase()).as_deref() {
        None | Some("P" | "U") => Ok(()),
        _ => Err("Packing indicator should be P or U".into()),
    }
}

#[test]
fn what_rpicam_vid_refuses_is_refused_and_nothing_else() {
    let parsed = |argument: &str| {
        let arguments = ["--codec=yuv420", "--output=-", argument].map(str::to_owned);
        Options::parse(&arguments, false).map(drop)
    };
    for (argument, why) in [
        ("--shutter=soon", "Invalid time string provided"),
        ("--flicker-period=", "Invalid time string provided"),
        ("--lens-position=near", "Invalid lens position: near"),
        ("--awbgains=1", "Invalid AWB gains"),
        ("--autofocus-range=wide", "Invalid AfRange mode:wide"),
        ("--metadata-format=xml", "unrecognised metadata format xml"),
        ("--mode=1920", "Invalid mode"),
        ("--brightness=much", "the argument ('much') for option '--brightness' is invalid"),
    ] {
        assert_eq!(parsed(argument), Err(why.into()), "{argument}");
    }
    for argument in [
        "--shutter=20ms",
        "--shutter=20 parsecs",
        "--flicker-period=10000us",
        "--lens-position=default",
        "--lens-position=2.5",
        "--awbgains=1.5,2",
        "--roi=all",
        "--brightness=2",
    ] {
        assert_eq!(parsed(argument), Ok(()), "{argument}");
    }
}
