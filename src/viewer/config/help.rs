//! The text of `lancam-view --help`.

use crate::viewer::stage::keys::{KEYS, written};

/// What `--help` prints.
pub fn text() -> String {
    format!("{HEAD}{}{TAIL}", keys())
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
lancam-view: shows a lancam camera in a window

lancam-view [OPTIONS] [CAMERA...]            several make a grid. None: the last one, if it answers
                                             at once; else the only one on the LAN, or a list of all
lancam-view --list [--json]                  the cameras on the LAN, within a second: name, address,
                                             size, rate
lancam-view [OPTIONS] --pickle HOST:PORT     watch the tutorial's own Python server, which pickles
                                             arrays; reads that one kind of pickle, runs nothing

CAMERA is a camera's name as --list prints it (\"Front door\"), HOST, HOST:PORT, [IPv6]:PORT,
lancam://HOST:PORT or http://HOST:PORT/. HOST may be NAME.local, a machine's name or a camera's, on
systems too that do not know such names. Where no port is named, it is the camera's own, or 9999.

In the window: ? shows the list of keys.
";

const TAIL: &str = "\
It resizes, and tries again for ever when a camera is away. The last camera and the window's size
and place are remembered in $XDG_STATE_HOME/lancam (~/.local/state/lancam).

  --record FILE.mkv       record every frame that arrives, as it was sent, with the times the camera
                          took them, until the viewer ends; Ctrl+C and kill finish the file. Nothing
                          is overwritten; another size of picture begins FILE-2.mkv. With several
                          cameras: FILE_CAMERA.mkv for each
  --record-every TIME     begin the next file each 30s, 10min, 2h or 1d: FILE_DATE_TIME.mkv
  --record-max LENGTH     begin it before one is longer than 500MB or 2GiB (kB to TB, KiB to TiB)
  --record-keep N         keep the newest N of these files, remove the older ones. These three hold
                          for the r key too

What to ask of the camera: each viewer its own, up to four different ones at once
  --width N, --height N   size; one given keeps the aspect ratio, both: the largest that fits inside
  --quality 1..100        of its JPEGs
  --fps N                 frames per second, fractions allowed

Without a window, for scripts and tests
  --headless              receive and decode, show nothing, print figures at the end
  --frames N              end after N frames
  --seconds S             end S seconds after the first frame (10; with --record, until it is ended)
  --timeout S             give up when no frame has come for S seconds (10; with --record, only the
                          first frame is waited for so long, unless this is given)
  --save FILE             save the last picture: as FILE.png, or as FILE.jpg the camera's own JPEG.
                          Nothing is overwritten
  --json                  print the figures as one line of JSON: frames, fps, skipped, disordered,
                          corrupt, bytes, recorded, record_dropped (for a slow disk), age_ms from
                          capture to screen (p50, p95, p99, max),
                          age_uncertainty_ms and round_trip_ms (null while unknown),
                          decode_ms (mean), size, codec

  -v, -q                  more in the log (every frame), or less; RUST_LOG=warn and the like win
  --version               print version, commit, target, features built in
  --help                  print this

Exit status: 0 done, ended by a signal after the first frame, or window closed; 1 failure, or --list
found none; 2 usage; 3 no first frame within --timeout, not a lancam server, or with --headless and
no CAMERA, none or several on the LAN.
";
