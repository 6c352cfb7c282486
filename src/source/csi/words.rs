//! What the child says of itself: kept within bounds, and its known messages in words that say what to do.

use crate::image::pixels::{Colour, Matrix, Range, Size};
use crate::plain::printable;
use crate::source::Trouble;

/// The last lines that the child wrote, and what was read of the first ones.
#[derive(Debug, Default)]
pub(super) struct Words {
    /// Whole lines; the oldest go when there are more than [`KEPT`] bytes.
    kept: Vec<u8>,
    /// How much of the line that is being written is at the end of `kept`.
    open: usize,
    /// How many lines were put into the log.
    logged: usize,
    granted: Option<Granted>,
}

/// What the camera was configured for, as libcamera says before the first frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Granted {
    pub(super) size: Size,
    pub(super) colour: Colour,
}

/// Why it has ended, in words for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reason {
    pub(super) trouble: Trouble,
    pub(super) text: String,
    /// Another program may have the camera: its name is worth looking for.
    pub(super) is_in_use: bool,
    /// It is too old for the options with which it tells times.
    pub(super) knows_no_times: bool,
}

/// So much is kept of what it said.
const KEPT: usize = 4096;

/// No line counts for more.
const LONGEST: usize = 1024;

/// So many lines of one child go into the log, with `-v`.
const LOGGED: usize = 100;

/// So much of a line is shown to people.
const SHOWN: usize = 200;

/// What a message of rpicam-apps or libcamera contains, what kind of trouble that is, and what to do.
/// Texts of rpicam-apps 1.2 to 1.13 (`rpicam_app.cpp`, `options.cpp`, `dma_heaps.cpp`) and libcamera (`camera.cpp`,
/// `pipeline_base.cpp`).
static KNOWN: [(&str, Trouble, &str); 14] = [
    (
        "no cameras available",
        Trouble::NoCamera,
        "no ribbon camera was detected. Check that both ends of the cable sit firmly and the right way round, that \
         /boot/firmware/config.txt has camera_auto_detect=1, or the overlay of a camera that is not by Raspberry Pi; \
         then restart the Pi",
    ),
    (
        "selected camera is not available",
        Trouble::NoCamera,
        "there is no ribbon camera of that number. --source csi is the first one, csi:1 the second",
    ),
    ("in use by another process", Trouble::Busy, "the ribbon camera is in use by another program"),
    ("failed to acquire camera", Trouble::Busy, "the ribbon camera is in use by another program"),
    ("Device or resource busy", Trouble::Busy, "the ribbon camera is in use by another program"),
    (
        "failed to allocate capture buffers",
        Trouble::Lost,
        "there is too little contiguous memory (CMA) for the camera's buffers. Ask for less with --size 1280x720, or give \
         more with dtoverlay=vc4-kms-v3d,cma-256 in /boot/firmware/config.txt",
    ),
    (
        "dmaHeap allocation failure",
        Trouble::Lost,
        "there is too little contiguous memory (CMA) for the camera's buffers. Ask for less with --size 1280x720, or give \
         more with dtoverlay=vc4-kms-v3d,cma-256 in /boot/firmware/config.txt",
    ),
    (
        "Invalid mode",
        Trouble::Lost,
        "the camera has no such mode. rpicam-hello --list-cameras shows its modes; --csi-option mode=1920:1080 is how one \
         is written",
    ),
    (
        "failed to valid stream configurations",
        Trouble::Lost,
        "the camera cannot send such pictures. Ask for less with --size 1280x720, or leave out --csi-option mode",
    ),
    (
        "failed to configure streams",
        Trouble::Lost,
        "the camera cannot send such pictures. Ask for less with --size 1280x720, or leave out --csi-option mode",
    ),
    (
        "configured for the legacy camera stack",
        Trouble::NoCamera,
        "this system is set up for the old camera software. Remove start_x=1 from config.txt, set camera_auto_detect=1, \
         and restart the Pi; or name the camera's node: --source /dev/video0",
    ),
    (
        "only supports the Raspberry Pi platforms",
        Trouble::NoCamera,
        "rpicam-vid finds no camera hardware of a Raspberry Pi here. Name another camera with --source; lancam list shows them",
    ),
    (
        "Camera frontend has timed out",
        Trouble::Lost,
        "the ribbon camera sends nothing. Check that both ends of its cable sit firmly, or try another cable",
    ),
    (
        "failed to start camera",
        Trouble::Lost,
        "the ribbon camera could not be started. Restart the Pi if that happens again",
    ),
];

impl Words {
    /// Takes note of what it wrote.
    pub(super) fn note(&mut self, said: &[u8]) {
        for piece in said.split_inclusive(|&byte| byte == b'\n') {
            let room = LONGEST.saturating_sub(self.open);
            let (text, ends) = match piece {
                [text @ .., b'\n'] => (text, true),
                text => (text, false),
            };
            let text = &text[..text.len().min(room)];
            self.kept.extend_from_slice(text);
            self.open += text.len();
            if ends {
                self.end_line();
            }
        }
    }

    fn end_line(&mut self) {
        let line = &self.kept[self.kept.len() - self.open..];
        if self.logged < LOGGED {
            self.logged += 1;
            log::debug!("rpicam-vid: {}", printable(&String::from_utf8_lossy(line)));
        }
        self.granted = self.granted.or_else(|| granted(line));
        self.kept.push(b'\n');
        self.open = 0;
        if self.kept.len() > KEPT {
            let least = self.kept.len() - KEPT;
            let rest = self.kept[least..].iter().position(|&byte| byte == b'\n');
            self.kept.drain(..rest.map_or(least, |more| least + more + 1));
        }
    }

    /// What the camera was configured for, once that was said.
    pub(super) fn granted(&self) -> Option<Granted> {
        self.granted
    }

    /// Why it has ended, as far as it said so; `how` is what became of it.
    pub(super) fn reason(&self, how: &str) -> Reason {
        let text = String::from_utf8_lossy(&self.kept);
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|it| !it.is_empty()).collect();
        let knows_no_times = lines
            .iter()
            .any(|line| line.contains("unrecognised option") && line.contains("--metadata"));
        // What it said last counts most: it may have got over what it said before.
        let meant = |line: &&str| KNOWN.iter().find(|(part, ..)| line.contains(part));
        let known = lines.iter().rev().find_map(meant);
        if let Some(&(_, trouble, text)) = known {
            let is_in_use = trouble == Trouble::Busy;
            return Reason { trouble, text: text.into(), is_in_use, knows_no_times };
        }
        let worth = lines.iter().rfind(|line| !is_chatter(line));
        let last = lines.iter().rfind(|line| line.contains("ERROR")).or(worth);
        let text = match last {
            Some(last) => format!("{how}. Its last words: {}", shown(last)),
            None => how.to_owned(),
        };
        Reason { trouble: Trouble::Lost, text, is_in_use: false, knows_no_times }
    }
}

/// Whether a line is one that is written when all is well, too.
fn is_chatter(line: &str) -> bool {
    [" INFO ", " DEBUG ", "Mode selection for", " - Score: ", "Stream configuration adjusted"]
        .iter()
        .any(|part| line.contains(part))
}

/// Of a line that people are shown: without the decoration that rpicam-apps puts around errors, and not too long.
fn shown(line: &str) -> String {
    let bare = line.strip_prefix("ERROR: *** ").and_then(|line| line.strip_suffix(" ***"));
    printable(bare.unwrap_or(line)).chars().take(SHOWN).collect()
}

/// Reads `... configuring streams: (0) 1280x720-YUV420/sYCC (1) 1640x1232-SBGGR10_CSI2P/RAW`.
fn granted(line: &[u8]) -> Option<Granted> {
    let line = str::from_utf8(line).ok()?;
    let (_, streams) = line.split_once("configuring streams: (0) ")?;
    let (size, rest) = streams.split_once('-')?;
    let (format, colour) = rest.split_once('/')?;
    let size = Size::parse(size).filter(|size| format == "YUV420" && size.fits_a_jpeg())?;
    let colour = match colour.split_whitespace().next()? {
        "SMPTE170M" => Colour { matrix: Matrix::Bt601, range: Range::Limited },
        "Rec709" => Colour { matrix: Matrix::Bt709, range: Range::Limited },
        // Asked for since libcamera-apps 1.0: sYCC, which is what a JPEG carries.
        _ => Colour::JPEG,
    };
    Some(Granted { size, colour })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(said: &str) -> Reason {
        let mut words = Words::default();
        words.note(said.as_bytes());
        words.reason("rpicam-vid has ended")
    }

    #[test]
    fn known_messages_say_what_to_do() {
        for (said, trouble, part) in [
            ("ERROR: *** no cameras available ***\n", Trouble::NoCamera, "camera_auto_detect=1"),
            ("ERROR: *** selected camera is not available ***\n", Trouble::NoCamera, "csi:1"),
            (
                "[0:01:02.3] [812]  INFO Camera camera.cpp:1021 Pipeline handler in use by another process\n\
                 ERROR: *** failed to acquire camera /base/soc/i2c0mux/i2c@1/imx219@10 ***\n",
                Trouble::Busy,
                "in use",
            ),
            ("ERROR: *** Invalid mode ***\n", Trouble::Lost, "mode=1920:1080"),
            (
                "dmaHeap allocation failure for rpicam-apps0\n\
                 ERROR: *** failed to allocate capture buffers for stream ***\n",
                Trouble::Lost,
                "CMA",
            ),
        ] {
            let reason = reason(said);
            assert_eq!(reason.trouble, trouble, "{said}");
            assert!(reason.text.contains(part), "{reason:?}");
            assert_eq!(reason.is_in_use, trouble == Trouble::Busy);
        }
    }

    #[test]
    fn other_last_words_are_shown_as_they_are_and_none_is_told_too() {
        let text =
            reason("[1] [2]  INFO Camera hello\nERROR: *** the lens fell off ***\nbye\n").text;
        assert_eq!(text, "rpicam-vid has ended. Its last words: the lens fell off");
        assert_eq!(reason("").text, "rpicam-vid has ended");
        assert_eq!(reason("no newline").text, "rpicam-vid has ended. Its last words: no newline");
        let old = reason("ERROR: *** unrecognised option '--metadata' ***\n");
        assert!(old.knows_no_times && !reason("x\n").knows_no_times);
    }

    #[test]
    fn a_flood_of_words_is_kept_within_bounds_and_ends_with_the_last_ones() {
        let mut words = Words::default();
        for number in 0..100_000 {
            words.note(format!("line {number}\n").as_bytes());
        }
        words.note(&[b'x'; 1 << 20]);
        assert!(words.kept.len() <= KEPT + LONGEST, "{}", words.kept.len());
        words.note(b"\nERROR: *** out of film ***\n");
        assert!(words.reason("").text.ends_with("out of film"));
    }

    #[test]
    fn what_the_camera_was_configured_for_is_read() {
        let line = "[0:12:34.567890123] [812]  INFO Camera camera.cpp:1216 configuring streams: (0) 1280x720-YUV420/sYCC \
                    (1) 1640x1232-SBGGR10_CSI2P/RAW";
        let size = Size::new(1280, 720);
        assert_eq!(granted(line.as_bytes()), Some(Granted { size, colour: Colour::JPEG }));
        let limited = granted(line.replace("sYCC", "SMPTE170M").as_bytes()).expect("is read");
        assert_eq!(limited.colour, Colour::CAMERA);
        let huge = "configuring streams: (0) 65535x65535-YUV420/sYCC";
        for other in
            ["", "configuring streams: (0) ", "configuring streams: (0) 1x1-RGB888/sRGB", huge]
        {
            assert_eq!(granted(other.as_bytes()), None);
        }
    }
}
