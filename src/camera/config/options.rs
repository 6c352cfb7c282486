//! The table of all options. The command line, the environment, the file, `--help` and
//! docs/CONFIGURATION.md come from it.

use super::values;
use super::{Config, Wrong};
use crate::camera::listen::Listen;
use crate::net::lan::Guests;

/// An option, wherever it is set.
#[derive(Debug)]
pub struct Entry {
    /// `--NAME` on the command line, `NAME = ` in the file, `LANCAM_NAME` in the environment.
    pub name: &'static str,
    /// A placeholder for its value; empty for a switch.
    pub value: &'static str,
    /// The kind of its value.
    pub kind: ValueKind,
    /// The section of the help that it belongs to.
    pub section: Section,
    /// What it does.
    pub help: &'static str,
    /// Its default in words; empty if none needs to be said.
    pub default: &'static str,
    /// Whether it can be set in the file.
    pub in_file: InFile,
    /// Sets it to one value.
    pub(super) set: fn(&mut Config, &str) -> Result<(), Wrong>,
}

/// The kind of an option's value.
#[derive(Debug, Clone, Copy)]
pub enum ValueKind {
    /// Yes or no. On the command line, the name alone means yes.
    Switch,
    /// A number.
    Number,
    /// Anything else.
    Text,
    /// A list of texts. A list on the command line replaces one from the environment, which
    /// replaces one from the file; the function clears it.
    List(fn(&mut Config)),
    /// A list of `NAME=VALUE`. Only settings with the same name are replaced.
    Controls,
}

/// Whether the file has a key for an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InFile {
    /// It has. The text is an example value.
    Key(&'static str),
    /// It has not. The text says what to write instead.
    No(&'static str),
}

/// The sections of `--help` and docs/CONFIGURATION.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// What is asked of the camera.
    Camera,
    /// What viewers get.
    Pictures,
    /// Who may watch, where, and how the camera is found.
    Viewers,
    /// The program itself.
    Program,
}

impl Section {
    /// All sections in their order.
    pub const ALL: [Self; 4] = [Self::Camera, Self::Pictures, Self::Viewers, Self::Program];

    /// The title, in words for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Camera => "The camera",
            Self::Pictures => "The pictures that viewers are sent",
            Self::Viewers => "Viewers",
            Self::Program => "The program",
        }
    }
}

impl Entry {
    /// The option called `name`.
    pub fn named(name: &str) -> Option<&'static Self> {
        OPTIONS.iter().find(|entry| entry.name == name)
    }

    /// Its environment variable.
    pub fn variable(&self) -> String {
        format!("LANCAM_{}", self.name.to_ascii_uppercase().replace('-', "_"))
    }
}

const fn entry(
    section: Section,
    name: &'static str,
    value: &'static str,
    kind: ValueKind,
    set: fn(&mut Config, &str) -> Result<(), Wrong>,
) -> Entry {
    Entry { name, value, kind, section, help: "", default: "", in_file: InFile::No(""), set }
}

/// All options, in the order of `--help`.
pub static OPTIONS: [Entry; 34] = [
    Entry {
        help: "where pictures come from: auto; csi (a ribbon camera on Raspberry Pi OS) or csi:1 (the second); \
               another camera (/dev/video0, /dev/v4l/by-id/...); test[:WxH[@FPS]], a moving pattern; \
               a file of JPEGs (clip.mjpeg), repeated at --fps; \
               - or a FIFO, for JPEGs that another program writes",
        default: "auto",
        in_file: InFile::Key("\"auto\""),
        ..entry(Section::Camera, "source", "S", ValueKind::Text, values::source)
    },
    Entry {
        help: "size of the camera's pictures",
        default: "the largest up to 1280x720",
        in_file: InFile::Key("\"1280x720\""),
        ..entry(Section::Camera, "size", "WxH", ValueKind::Text, values::size)
    },
    Entry {
        help: "the camera's frames per second",
        default: "30",
        in_file: InFile::Key("30"),
        ..entry(Section::Camera, "fps", "N", ValueKind::Number, values::fps)
    },
    Entry {
        help: "format of the camera's pictures, such as MJPG, YUYV or NV12; lancam list shows what it has",
        default: "auto",
        in_file: InFile::Key("\"auto\""),
        ..entry(Section::Camera, "format", "F", ValueKind::Text, values::format)
    },
    Entry {
        help: "sets a control of the camera, such as brightness=128 or power_line_frequency=\"50 Hz\"; \
               lancam list shows them; repeatable",
        in_file: InFile::No("NAME = VALUE below a line [controls]"),
        ..entry(Section::Camera, "set", "NAME=VALUE", ValueKind::Controls, values::control_setting)
    },
    Entry {
        help: "turns the picture clockwise by 0, 90, 180 or 270 degrees",
        default: "0",
        in_file: InFile::Key("0"),
        ..entry(Section::Camera, "rotate", "0|90|180|270", ValueKind::Number, values::rotate)
    },
    Entry {
        help: "mirrors the picture after --rotate: h left to right, v top to bottom, hv both",
        default: "none",
        in_file: InFile::Key("\"none\""),
        ..entry(Section::Camera, "flip", "h|v|hv", ValueKind::Text, values::flip)
    },
    Entry {
        help: "corrections of a bare sensor's pictures (Bayer formats): off, some of black (level), \
               balance (white), gamma (brightness curve), or auto for all three",
        default: "auto",
        in_file: InFile::Key("\"auto\""),
        ..entry(Section::Camera, "raw", "LIST", ValueKind::Text, values::raw)
    },
    Entry {
        help: "how the camera's memory is read: uncached (lancam first copies rows out of it), cached, or \
               auto, which depends on its driver",
        default: "auto",
        in_file: InFile::Key("\"auto\""),
        ..entry(
            Section::Camera,
            "camera-memory",
            "auto|cached|uncached",
            ValueKind::Text,
            values::camera_memory,
        )
    },
    Entry {
        help: "how a ribbon camera's frames come: yuv420 (lancam encodes), mjpeg (rpicam-vid does), or auto: by the board and the size",
        default: "auto",
        in_file: InFile::Key("\"auto\""),
        ..entry(
            Section::Camera,
            "csi-format",
            "auto|yuv420|mjpeg",
            ValueKind::Text,
            values::csi_format,
        )
    },
    Entry {
        help: "sets something of a ribbon camera, such as awb=daylight, ev=-0.5 or flicker-period=\"50 Hz\"; \
               HARDWARE.md lists them; repeatable",
        in_file: InFile::No("NAME = VALUE below a line [csi]"),
        ..entry(
            Section::Camera,
            "csi-option",
            "NAME=VALUE",
            ValueKind::Controls,
            values::csi_option,
        )
    },
    Entry {
        help: "the program that drives ribbon cameras, with rpicam-vid's options; auto uses it where it finds no other camera",
        default: "rpicam-vid or libcamera-vid, whichever is installed",
        in_file: InFile::Key("\"/usr/local/bin/rpicam-vid\""),
        ..entry(Section::Camera, "csi-program", "PATH", ValueKind::Text, values::csi_program)
    },
    Entry {
        help: "after so many seconds without viewers, lancam switches the camera off; 0: never",
        default: "60",
        in_file: InFile::Key("60"),
        ..entry(Section::Camera, "idle-stop", "SECONDS", ValueKind::Number, values::idle_stop)
    },
    Entry {
        help: "width of the pictures that viewers get; the height follows",
        in_file: InFile::Key("640"),
        ..entry(Section::Pictures, "width", "N", ValueKind::Number, values::width)
    },
    Entry {
        help: "height of the pictures that viewers get; the width follows. With both, the picture is the largest that fits inside",
        in_file: InFile::Key("480"),
        ..entry(Section::Pictures, "height", "N", ValueKind::Number, values::height)
    },
    Entry {
        help: "with both: exactly that size, ignoring the aspect ratio",
        in_file: InFile::Key("false"),
        ..entry(Section::Pictures, "stretch", "", ValueKind::Switch, values::stretch)
    },
    Entry {
        help: "JPEG quality, when lancam has to encode",
        default: "80",
        in_file: InFile::Key("80"),
        ..entry(Section::Pictures, "quality", "1..100", ValueKind::Number, values::quality)
    },
    Entry {
        help: "colour detail of JPEGs, when lancam has to encode: 420, or 422 for more",
        default: "420",
        in_file: InFile::Key("420"),
        ..entry(Section::Pictures, "chroma", "420|422", ValueKind::Number, values::chroma)
    },
    Entry {
        help: "how many threads work on each picture, where lancam has to encode it or to unpack a raw one; a small \
               picture takes one thread",
        default: "one for each core",
        in_file: InFile::Key("2"),
        ..entry(Section::Pictures, "encode-threads", "N", ValueKind::Number, values::encode_threads)
    },
    Entry {
        help: "where to listen: 8080, localhost:8080 or 192.168.1.4:8080; port 0 is any free one; \
               added to the sockets that systemd hands over; repeatable",
        default: "[::]:9999 and [::]:8080",
        in_file: InFile::Key("[\"[::]:9999\", \"[::]:8080\"]"),
        ..entry(
            Section::Viewers,
            "listen",
            "ADDR:PORT",
            ValueKind::List(|config| config.listen = Listen::Default),
            values::listen,
        )
    },
    Entry {
        help: "another network that may connect, beside the LAN; any: everyone; repeatable",
        in_file: InFile::Key("[\"203.0.113.0/24\"]"),
        ..entry(
            Section::Viewers,
            "allow",
            "PREFIX",
            ValueKind::List(|config| config.guests = Guests::LanAnd(Vec::new())),
            values::allow,
        )
    },
    Entry {
        help: "who may watch. keys: viewers that were paired with the camera's code, and programs with a key; all is \
               encrypted (lancam pair shows the code). open: everybody who may connect, without encryption. At 127.0.0.1 \
               and ::1 nobody needs a key, because only this machine reaches them",
        default: "keys",
        in_file: InFile::Key("\"keys\""),
        ..entry(Section::Viewers, "access", "keys|open", ValueKind::Text, values::access)
    },
    Entry {
        help: "whether a key works without TLS. off: no. keys: keys from lancam pair --plain do, for programs that have no \
               TLS; everybody on the LAN can read such a key and the picture",
        default: "off",
        in_file: InFile::Key("\"off\""),
        ..entry(Section::Viewers, "plain", "off|keys", ValueKind::Text, values::plain)
    },
    Entry {
        help: "the folder of the camera's identity, its code and the list of keys",
        default: "/var/lib/lancam, or ~/.local/state/lancam unless root starts it",
        in_file: InFile::Key("\"/var/lib/lancam\""),
        ..entry(Section::Viewers, "state", "PATH", ValueKind::Text, values::state)
    },
    Entry {
        help: "the camera's name, as viewers and the LAN see it",
        default: "the host name",
        in_file: InFile::Key("\"Garage\""),
        ..entry(Section::Viewers, "name", "NAME", ValueKind::Text, values::name)
    },
    Entry {
        help: "on: viewers and browsers on the LAN find this camera",
        default: "on",
        in_file: InFile::Key("\"on\""),
        ..entry(Section::Viewers, "announce", "on|off", ValueKind::Text, values::announce)
    },
    Entry {
        help: "another name by which browsers and proxies reach this camera. IP addresses, names without a dot \
               and names in .local, .lan, .internal and .home.arpa always work; repeatable",
        in_file: InFile::Key("[\"camera.example.org\"]"),
        ..entry(
            Section::Viewers,
            "http-name",
            "NAME",
            ValueKind::List(|config| config.http_names.clear()),
            values::http_name,
        )
    },
    Entry {
        help: "an origin whose web pages may read this camera's answers; *: every page; repeatable",
        in_file: InFile::Key("[\"http://octopi.local:5000\"]"),
        ..entry(
            Section::Viewers,
            "cors",
            "ORIGIN",
            ValueKind::List(|config| config.cors.clear()),
            values::cors,
        )
    },
    Entry {
        help: "lan: viewers may change the camera's controls (lancam-view, key c)",
        default: "off",
        in_file: InFile::Key("\"off\""),
        ..entry(Section::Viewers, "control", "off|lan", ValueKind::Text, values::control)
    },
    Entry {
        help: "also serves the client of a well-known Python tutorial, which waits for pickled arrays; \
               320 pixels wide, or --width. Needs --access open, or a --listen address that only this machine reaches",
        in_file: InFile::Key("false"),
        ..entry(Section::Viewers, "pickle", "", ValueKind::Switch, values::pickle)
    },
    Entry {
        help: "most viewers at once; further viewers are refused",
        default: "64",
        in_file: InFile::Key("64"),
        ..entry(Section::Viewers, "max-viewers", "N", ValueKind::Number, values::max_viewers)
    },
    Entry {
        help: "how much to log: error, warn, info or debug; -v is one step more, -q one less; RUST_LOG overrides it",
        default: "info",
        in_file: InFile::Key("\"info\""),
        ..entry(
            Section::Program,
            "log",
            "error|warn|info|debug",
            ValueKind::Text,
            values::log_level,
        )
    },
    Entry {
        help: "a file of options, in TOML; --config \"\" reads no file",
        default: "/etc/lancam/lancam.toml, if it exists",
        in_file: InFile::No("everything in one file"),
        ..entry(Section::Program, "config", "FILE", ValueKind::Text, |_, _| Ok(()))
    },
    Entry {
        help: "what to do about mistakes in lancam.toml or the environment. stop: exit with 78. \
               defaults: start without the wrong options, and say so on the page, in /state and in the log",
        default: "stop",
        in_file: InFile::Key("\"stop\""),
        ..entry(
            Section::Program,
            "config-errors",
            "stop|defaults",
            ValueKind::Text,
            values::config_errors,
        )
    },
];
