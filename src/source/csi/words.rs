//! What the child says of itself. The last lines are kept, within bounds, and tell why it ended.

use super::remedies::Cause;
use crate::image::pixels::{Colour, Matrix, Range, Size};
use crate::plain::printable;
use crate::source::Trouble;

/// The last lines that the child wrote, and what the first lines told.
#[derive(Debug, Default)]
pub(super) struct Words {
    /// Whole lines. The oldest are dropped when there are more than [`KEPT`] bytes.
    kept: Vec<u8>,
    /// How many bytes at the end of `kept` belong to a line that has no end yet.
    open: usize,
    /// How many lines went into the log.
    logged: usize,
    granted: Option<Granted>,
}

/// What the camera was configured for. libcamera says it before the first frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Granted {
    pub(super) size: Size,
    pub(super) colour: Colour,
}

/// Why the child has ended, in words for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reason {
    pub(super) trouble: Trouble,
    pub(super) text: String,
    /// Another program has the camera.
    pub(super) is_in_use: bool,
    /// The child is too old for the options that ask for times.
    pub(super) knows_no_times: bool,
}

/// So many bytes of what it said are kept.
const KEPT: usize = 4096;

/// So many bytes of one line are kept.
const LONGEST: usize = 1024;

/// So many lines of one child go into the log with `-v`.
const LOGGED: usize = 100;

/// So many characters of a line are shown to people.
const SHOWN: usize = 200;

impl Words {
    /// Takes note of what the child wrote.
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

    /// Forgets the whole lines: pictures came after them, so they do not tell why it ends.
    pub(super) fn forget(&mut self) {
        self.kept.drain(..self.kept.len() - self.open);
    }

    /// What the camera was configured for, once the child has said it.
    pub(super) fn granted(&self) -> Option<Granted> {
        self.granted
    }

    /// Why the child has ended, as far as it said so. `how` says what is known otherwise.
    pub(super) fn reason(&self, how: &str) -> Reason {
        let text = String::from_utf8_lossy(&self.kept);
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|it| !it.is_empty()).collect();
        let knows_no_times = lines
            .iter()
            .any(|line| line.contains("unrecognised option") && line.contains("--metadata"));
        if let Some(cause) = cause(&lines) {
            return Reason {
                trouble: cause.trouble(),
                text: cause.remedy(),
                is_in_use: cause == Cause::InUse,
                knows_no_times,
            };
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

/// The cause that the lines name. The last one counts: the child may have recovered from those before. But that the camera was
/// not started says nothing if a line before names what kept it from that.
fn cause(lines: &[&str]) -> Option<Cause> {
    let mut named = lines.iter().rev().filter_map(|line| Cause::named_in(line)).peekable();
    let last = named.peek().copied();
    named.find(|cause| !cause.is_of_any()).or(last)
}

/// Whether a line is written when all is well, too.
fn is_chatter(line: &str) -> bool {
    [" INFO ", " DEBUG ", "Mode selection for", " - Score: ", "Stream configuration adjusted"]
        .iter()
        .any(|part| line.contains(part))
}

/// A line as people are shown it: short, and without the decoration that rpicam-apps puts around errors.
fn shown(line: &str) -> String {
    let bare = line.strip_prefix("ERROR: *** ").and_then(|line| line.strip_suffix(" ***"));
    printable(bare.unwrap_or(line)).chars().take(SHOWN).collect()
}

/// Reads `... configuring streams: (0) 1280x720-YUV420/sYCC (1) 1640x1232-SBGGR10_CSI2P/RAW`. On Bullseye libcamera leaves out
/// the colour space: `(0) 1280x720-YUV420 (1) 1640x1232-SBGGR10_CSI2P`.
fn granted(line: &[u8]) -> Option<Granted> {
    let line = str::from_utf8(line).ok()?;
    let (_, streams) = line.split_once("configuring streams: (0) ")?;
    let first = streams.split_whitespace().next()?;
    let (size, form) = first.split_once('-')?;
    let (format, colour) = form.split_once('/').unwrap_or((form, ""));
    let size = Size::parse(size).filter(|size| format == "YUV420" && size.fits_a_jpeg())?;
    let colour = match colour {
        "SMPTE170M" => Colour { matrix: Matrix::Bt601, range: Range::Limited },
        "Rec709" => Colour { matrix: Matrix::Bt709, range: Range::Limited },
        // rpicam-vid asks for sYCC since libcamera-apps 1.0. A JPEG carries the same.
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
            ("ERROR: *** Invalid mode ***\n", Trouble::Excessive, "mode=1920:1080"),
            (
                "dmaHeap allocation failure for rpicam-apps0\n\
                 ERROR: *** failed to allocate capture buffers for stream ***\n",
                Trouble::Excessive,
                "CMA",
            ),
            (
                "[0:01:02.3] [812] ERROR V4L2 v4l2_videodevice.cpp:1378 /dev/video14[13:out]: Unable to request 4 buffers: \
                 Cannot allocate memory\n\
                 ERROR: *** failed to start camera ***\n",
                Trouble::Excessive,
                "CMA",
            ),
            (
                "[0:01:02.3] [812] ERROR V4L2 v4l2_videodevice.cpp:1866 /dev/video0[12:cap]: Failed to start streaming: \
                 Device or resource busy\n\
                 ERROR: *** failed to start camera ***\n",
                Trouble::Busy,
                "in use",
            ),
            ("ERROR: *** failed to start camera ***\n", Trouble::Lost, "Restart the Pi"),
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
    fn what_it_said_before_a_picture_does_not_explain_a_later_end() {
        let mut words = Words::default();
        words.note(b"ERROR V4L2: Device or resource busy\nhalf a li");
        words.forget();
        words.note(b"ne\n");
        let reason = words.reason("rpicam-vid has ended");
        assert_eq!(reason.text, "rpicam-vid has ended. Its last words: half a line");
        assert_eq!(reason.trouble, Trouble::Lost);
    }

    #[test]
    fn what_the_camera_was_configured_for_is_read() {
        let line = "[0:12:34.567890123] [812]  INFO Camera camera.cpp:1216 configuring streams: (0) 1280x720-YUV420/sYCC \
                    (1) 1640x1232-SBGGR10_CSI2P/RAW";
        let size = Size::new(1280, 720);
        assert_eq!(granted(line.as_bytes()), Some(Granted { size, colour: Colour::JPEG }));
        let bullseye = "[0:01:06.6] [1234]  INFO Camera camera.cpp:1035 configuring streams: (0) 1280x720-YUV420 \
                        (1) 1640x1232-SBGGR10_CSI2P";
        assert_eq!(granted(bullseye.as_bytes()), Some(Granted { size, colour: Colour::JPEG }));
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
