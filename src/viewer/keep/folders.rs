//! The folders and names of saved pictures and recordings. Only this file names `jiff`.

use crate::plain::is_plain;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What is to be saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Folder {
    /// A picture.
    Pictures,
    /// A recording.
    Videos,
}

/// The most bytes of a camera's name in a file name. Systems limit a file name to about 255 bytes.
const LONGEST_NAME: usize = 100;

/// The extension of a recording.
pub const EXTENSION: &str = "mkv";

/// How many numbers to try for one name. Names have milliseconds in them, so two are seldom equal.
const MOST_OF_A_NAME: u32 = 1000;

/// The local time of day of a picture, `14:03:22`. The date stands before it if that is not today.
pub fn clock_time(taken: SystemTime, now: SystemTime) -> String {
    clock_time_in(taken, now, &TimeZone::system())
}

fn clock_time_in(taken: SystemTime, now: SystemTime, zone: &TimeZone) -> String {
    let local = |time| Timestamp::try_from(time).map(|time: Timestamp| time.to_zoned(zone.clone()));
    let Ok(taken) = local(taken) else { return String::new() };
    let is_today = local(now).is_ok_and(|now| now.date() == taken.date());
    taken.strftime(if is_today { "%H:%M:%S" } else { "%Y-%m-%d %H:%M:%S" }).to_string()
}

/// A name such as `CAMERA_2026-07-12_14-03-22.123.png`, in local time, so that the files of a camera sort by time.
pub fn file_name(camera: &str, taken: SystemTime, extension: &str) -> String {
    named(camera, taken, &TimeZone::system(), extension)
}

/// The user's folder for these: the one that the desktop names, else the usual one, else the home folder.
pub fn folder(of: Folder) -> PathBuf {
    let home = env::home_dir().unwrap_or_default();
    let config = env::var_os("XDG_CONFIG_HOME").filter(|folder| !folder.is_empty());
    let config = config.map_or_else(|| home.join(".config"), PathBuf::from);
    let list = fs::read_to_string(config.join("user-dirs.dirs")).unwrap_or_default();
    let (key, usual) = of.names();
    let named = listed(&list, key, &home);
    let mut folders = named.into_iter().chain(usual.map(|name| home.join(name)));
    folders.find(|folder| folder.is_dir()).unwrap_or(home)
}

/// A file in the folder for state that XDG names, or that the system has instead.
pub(super) fn state_file(name: &str) -> Option<PathBuf> {
    let folder = |variable| {
        let folder = env::var_os(variable).map(PathBuf::from);
        folder.filter(|folder| folder.is_absolute())
    };
    folder("XDG_STATE_HOME")
        .or_else(|| folder("HOME").map(|home| home.join(".local/state")))
        .or_else(|| folder("LOCALAPPDATA"))
        .map(|folder| folder.join(name))
}

/// The path of a recording of `camera` that begins now.
pub fn recording(camera: &str) -> PathBuf {
    folder(Folder::Videos).join(file_name(camera, SystemTime::now(), EXTENSION))
}

/// Creates a file of this name, or `NAME-2`, `NAME-3` and so on where that exists. Overwrites nothing.
///
/// # Errors
/// When no file can be created there.
pub fn create(first: &Path) -> io::Result<(File, PathBuf)> {
    let mut path = first.to_owned();
    let mut number = 1;
    loop {
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => return Ok((file, path)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists && number < MOST_OF_A_NAME => {
                number += 1;
                path = numbered(first, number);
            }
            Err(error) => return Err(error),
        }
    }
}

/// `NAME-2.mkv` for `NAME.mkv`.
pub fn numbered(first: &Path, number: u32) -> PathBuf {
    with_behind(first, &format!("-{number}"))
}

/// `NAME_MORE.mkv` for `NAME.mkv`.
pub fn extended(first: &Path, more: &str) -> PathBuf {
    with_behind(first, &format!("_{more}"))
}

/// A local time as it stands in file names. Later times sort behind earlier ones.
pub fn stamp(time: SystemTime) -> String {
    // A time beyond the calendar's range sorts last.
    stamp_in(time, &TimeZone::system()).unwrap_or_else(|| "9999-99-99".to_owned())
}

fn stamp_in(time: SystemTime, zone: &TimeZone) -> Option<String> {
    let time = Timestamp::try_from(time).ok()?.to_zoned(zone.clone());
    Some(time.strftime("%Y-%m-%d_%H-%M-%S.%3f").to_string())
}

fn with_behind(first: &Path, more: &str) -> PathBuf {
    let mut name = first.file_stem().unwrap_or_default().to_owned();
    name.push(more);
    if let Some(extension) = first.extension() {
        name.push(".");
        name.push(extension);
    }
    first.with_file_name(name)
}

fn named(camera: &str, taken: SystemTime, zone: &TimeZone, extension: &str) -> String {
    let camera = harmless(camera);
    match stamp_in(taken, zone) {
        Some(time) => format!("{camera}_{time}.{extension}"),
        // The time is outside the calendar's range.
        None => format!("{camera}.{extension}"),
    }
}

/// A camera's name made safe in a file name on any system: no folder separators, no hidden file, nothing that looks like an
/// option.
pub fn harmless(camera: &str) -> String {
    let is_bad = |letter: char| !is_plain(letter) || r#"/\:*?"<>|"#.contains(letter);
    let mut name: String =
        camera.chars().map(|letter| if is_bad(letter) { '_' } else { letter }).collect();
    let is_end = |at: &usize| name.is_char_boundary(*at);
    let end = (0..=LONGEST_NAME.min(name.len())).rev().find(is_end).unwrap_or_default();
    name.truncate(end);
    match name.trim_start_matches(['.', '-', ' ']).trim_end_matches(['.', ' ']) {
        "" => "lancam".to_owned(),
        name => name.to_owned(),
    }
}

impl Folder {
    /// The key in `user-dirs.dirs`, and the usual names of the folder.
    fn names(self) -> (&'static str, [&'static str; 2]) {
        match self {
            Self::Pictures => ("XDG_PICTURES_DIR", ["Pictures", "Pictures"]),
            // The first is the name on Linux and Windows, the second that on macOS.
            Self::Videos => ("XDG_VIDEOS_DIR", ["Videos", "Movies"]),
        }
    }
}

/// The folder that `user-dirs.dirs` names: `XDG_PICTURES_DIR="$HOME/Bilder"`, or an absolute path.
fn listed(list: &str, key: &str, home: &Path) -> Option<PathBuf> {
    let value = |line: &str| {
        let value = line.trim().strip_prefix(key)?.trim_start().strip_prefix('=')?.trim_start();
        let value = value.strip_prefix('"')?.rsplit_once('"')?.0;
        let value = value.replace(r"\\", "\0").replace('\\', "").replace('\0', r"\");
        match value.strip_prefix("$HOME/") {
            Some(inside) => Some(home.join(inside)),
            None => Some(PathBuf::from(value)).filter(|path| path.is_absolute()),
        }
    };
    list.lines().rev().find_map(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn names_sort_by_time_and_are_harmless_whatever_a_camera_is_called() {
        let at = |millis| SystemTime::UNIX_EPOCH + Duration::from_millis(millis);
        let name = |camera, millis| named(camera, at(millis), &TimeZone::UTC, "png");
        assert_eq!(name("Küche", 1_790_000_000_007), "Küche_2026-09-21_14-13-20.007.png");
        assert!(name("a", 999_999_999_999) < name("a", 1_000_000_000_000));
        for (camera, expected) in [
            ("../../etc/passwd", "_.._etc_passwd"),
            ("", "lancam"),
            ("...", "lancam"),
            ("-rf *", "rf _"),
            ("C:\\x\n\0", "C__x__"),
            ("カメラ 1", "カメラ 1"),
        ] {
            assert_eq!(harmless(camera), expected);
        }
        let long = harmless(&"ü".repeat(99));
        assert_eq!(long, "ü".repeat(50), "cut between letters");
        let never = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 45);
        assert_eq!(named("a", never, &TimeZone::UTC, "jpg"), "a.jpg");
    }

    #[test]
    fn names_are_in_the_zones_own_time() {
        let zone = TimeZone::posix("XXX-5:30").expect("a zone");
        let name = named("a", SystemTime::UNIX_EPOCH, &zone, "mkv");
        assert_eq!(name, "a_1970-01-01_05-30-00.000.mkv");
    }

    #[test]
    fn times_of_another_day_have_their_date() {
        let zone = TimeZone::posix("XXX-5:30").expect("a zone");
        let at = |hours: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(hours * 3600);
        let said = |taken, now| clock_time_in(taken, now, &zone);
        assert_eq!(said(at(0), at(18)), "05:30:00");
        assert_eq!(said(at(0), at(19)), "1970-01-01 05:30:00", "midnight is past there");
        assert_eq!(said(at(19), at(0)), "1970-01-02 00:30:00", "a calendar that was set back");
        assert_eq!(said(at(1 << 34), at(0)), "");
    }

    #[test]
    fn a_desktops_own_folders_are_found() {
        let list = "# comment\nXDG_PICTURES_DIR=\"$HOME/Bilder\"\nXDG_VIDEOS_DIR=\"/data/a \\\"b\\\"\"\n\
                    XDG_MUSIC_DIR=\"relative\"\n";
        let found = |key| listed(list, key, Path::new("/home/x"));
        assert_eq!(found("XDG_PICTURES_DIR"), Some("/home/x/Bilder".into()));
        assert_eq!(found("XDG_VIDEOS_DIR"), Some("/data/a \"b\"".into()));
        assert_eq!(found("XDG_MUSIC_DIR"), None);
        assert_eq!(found("XDG_DESKTOP_DIR"), None);
    }

    #[test]
    fn no_file_is_made_over_another() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = folder.path().join("x.png");
        for name in ["x.png", "x-2.png", "x-3.png"] {
            assert_eq!(create(&first).expect("there is room").1, folder.path().join(name));
        }
        assert!(create(&folder.path().join("nowhere/x.png")).is_err());
        assert_eq!(numbered(Path::new("a.b.MKV"), 12), Path::new("a.b-12.MKV"));
    }
}
