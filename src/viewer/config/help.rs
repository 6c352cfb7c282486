//! The text of `lancam-view --help`.

use crate::viewer::stage::keys::{KEYS, written};

/// What `--help` prints.
pub fn text() -> String {
    format!("{HEAD}{}{TAIL}", keys())
}

/// What stands for the value of an option in the help.
pub(super) fn placeholder(option: &str) -> &'static str {
    let behind = |text: &'static str| {
        let (_, rest) = text.split_once(&format!("{option} "))?;
        rest.split([' ', ',', '\n']).next()
    };
    behind(TAIL).or_else(|| behind(HEAD)).unwrap_or("VALUE")
}

/// The list of keys, in two columns.
fn keys() -> String {
    let entries = KEYS.iter().flat_map(|section| section.entries);
    let entries: Vec<String> =
        entries.map(|entry| format!("{:9}{}", written(entry), entry.what)).collect();
    let (left, right) = entries.split_at(entries.len().div_ceil(2));
    let right = right.iter().map(String::as_str).chain(std::iter::repeat(""));
    let lines = left.iter().zip(right).map(|(left, right)| format!("  {left:50}{right}"));
    lines.map(|line| line.trim_end().to_owned() + "\n").collect()
}

const HEAD: &str = "\
lancam-view: shows lancam cameras in a window

lancam-view [OPTIONS] [CAMERA...]            watch; several cameras make a grid. With no CAMERA:
                                             those you watched last, if they answer; else the only
                                             one on the network, or a list to choose from
lancam-view --list [--json]                  list the cameras on the network
lancam-view [OPTIONS] --pickle HOST:PORT     watch the tutorial's Python server, which sends pickled
                                             arrays. Only such an array is read; nothing is run

Examples
  lancam-view Garage \"Front door\"            two cameras, by the names that --list prints
  lancam-view 192.168.1.20                   a camera, by its address
  lancam-view --fullscreen garage.local      for a screen on the wall
  lancam-view --record day.mkv Garage        watch, and record
  lancam-view --code K7QM-2XPD-9HRT garage.local
                                             pair, and watch
  lancam-view --headless --frames 1 --save now.jpg Garage
                                             one picture, without a window

CAMERA is a name as --list prints it, NAME.local, HOST, HOST:PORT, [IPv6]:PORT, lancam://HOST:PORT,
or the address of the camera's page, http://HOST:8080/. With no port: the camera's own, or 9999.

In the window, ? shows the keys, and the right mouse button a menu.
";

const TAIL: &str = "\
When a camera is away, the viewer tries again until it is back. It remembers what you watched last
and the window's size and place, in $XDG_STATE_HOME/lancam (~/.local/state/lancam).

  --fullscreen            open on the whole screen

Pair with a camera that wants a code
  --code CODE             the camera's code. sudo lancam pair on its machine shows it, or its
                          screen. The viewer needs it once, and then remembers the camera.
                          LANCAM_CODE does the same, and keeps it out of your shell's history
  --key-file FILE         use the key in this file, for scripts: what sudo lancam pair prints on the
                          camera's machine for a new key, with the camera's pin (64 hexadecimal
                          digits). LANCAM_KEY may have the same text
  --forget CAMERA         forget that this camera is paired

Record
  --record FILE.mkv       record every frame as the camera sent it, with the time it was taken,
                          until the viewer ends. Ctrl+C and kill finish the file. No file is
                          overwritten. When the picture's size changes, FILE-2.mkv begins. Several
                          cameras are recorded into FILE_CAMERA.mkv each
  --record-every TIME     begin a new file every 30s, 10min, 2h or 1d: FILE_DATE_TIME.mkv
  --record-max LENGTH     begin a new file before one is longer than 500MB or 2GiB (kB to TB, KiB to
                          TiB)
  --record-keep N         keep the newest N of these files and remove older ones. These three
                          options also apply to the r key

Ask the camera for less; it makes up to four combinations of size and quality at once
  --width N, --height N   the largest size that fits; the aspect ratio is kept
  --quality 1..100        JPEG quality
  --fps N                 frames per second; fractions are allowed

Without a window, for scripts and tests
  --headless              receive and decode, and print figures at the end
  --frames N              end after N frames
  --seconds S             end S seconds after the first frame (10; with --record, never)
  --timeout S             end when no frame comes for S seconds (10; with --record, only the
                          first frame has this limit, unless you give one)
  --save FILE             save the last picture: FILE.png, or FILE.jpg for the camera's own JPEG. No
                          file is overwritten
  --json                  print the figures as one line of JSON: frames, fps, skipped, disordered,
                          corrupt, damaged (shown all the same), bytes, recorded, record_dropped
                          (the disk was too slow), age_ms from capture to screen (p50, p95, p99,
                          max), age_uncertainty_ms and round_trip_ms (null while unknown),
                          decode_ms (mean), size, codec

  -v, -q                  log more (every frame), or less; RUST_LOG overrides it
  -V, --version           print version, commit, target, features
  -h, --help              print this

Exit status: 0 done, or ended by you; 1 failure, or --list found no camera; 2 wrong options; 3 no
picture within --timeout, not a lancam camera, or with --headless and no CAMERA, not exactly one on
the network.
";
