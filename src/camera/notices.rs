//! Draws pictures that say in words why there is no picture, for viewers that understand only
//! pictures.

use super::encode::{EncodeError, Encoding, Recipe};
use super::strips::EncodeThreads;
use super::update::StatusText;
use crate::clock;
use crate::image::frame::Micros;
use crate::image::jpeg::codec::JpegError;
use crate::image::notice::{Words, draw};
use crate::image::pixels::MAX_PIXELS;
use crate::image::planes::Planes;
use crate::wire::native::message::StatusCode;
use crate::wire::packet::{FrameFacts, Packet};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

/// A viewer that needs the same words within this time gets the same picture.
const SHARED_FOR: Duration = Duration::from_secs(2);

/// How many sizes are drawn at once. A viewer that needs one more gets one of these: a stream may
/// change its size at any part. Without a limit, strangers could ask for any number of sizes.
const MAX_SIZES: usize = 4;

/// Why there is no picture.
#[derive(Debug, Clone)]
pub enum Trouble {
    /// The status that native viewers are told.
    Told(Arc<StatusText>),
    /// The camera sends nothing, and the reason is not known.
    Silence,
    /// This program is stopping.
    Ending,
}

/// The notices that are being sent. A notice is freed when its last viewer drops it, so the list is
/// empty while pictures flow.
#[derive(Debug, Default)]
pub struct Notices(Mutex<Vec<Notice>>);

#[derive(Debug)]
struct Notice {
    recipe: Recipe,
    trouble: Trouble,
    drawn_at: Micros,
    packet: Weak<Packet>,
}

impl Notices {
    /// The picture that says `trouble`, by `recipe` if there is room for one more size.
    /// `silent_for` is how long there has been no picture, `name` the camera's name.
    ///
    /// # Errors
    /// When the picture cannot be encoded.
    pub fn draw(
        &self,
        recipe: Recipe,
        trouble: &Trouble,
        name: &str,
        silent_for: Option<Duration>,
    ) -> Result<Arc<Packet>, EncodeError> {
        // Hold the lock while drawing: viewers that come meanwhile need the same picture.
        let mut notices = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = clock::now();
        notices.retain(|notice| {
            notice.packet.strong_count() > 0 && now.since(notice.drawn_at) < SHARED_FOR
        });
        let sizes = notices.len();
        let shared = notices.iter().find(|notice| {
            let fits = notice.recipe == recipe
                || sizes >= MAX_SIZES && notice.recipe.coding == recipe.coding;
            fits && notice.trouble.is(trouble)
        });
        if let Some(packet) = shared.and_then(|notice| notice.packet.upgrade()) {
            return Ok(packet);
        }
        let text = trouble.text(silent_for);
        let foot = format!("{name}  {} UTC", time_of_day(clock::since_1970(now)));
        let words = Words { headline: trouble.headline(), text: &text, foot: &foot };
        let packet = picture(words, recipe, now)?;
        notices.push(Notice {
            recipe,
            trouble: trouble.clone(),
            drawn_at: now,
            packet: Arc::downgrade(&packet),
        });
        Ok(packet)
    }
}

/// Draws and encodes a notice. Keeps no buffers: the next notice is seconds away, and may never
/// come.
fn picture(words: Words<'_>, recipe: Recipe, at: Micros) -> Result<Arc<Packet>, EncodeError> {
    let Recipe { coding, size } = recipe;
    if size.area() > MAX_PIXELS {
        // Check before allocating.
        return Err(JpegError::TooLarge(size).into());
    }
    let mut encoding = Encoding::new(recipe, &EncodeThreads::new(1))?;
    let mut planes = Planes::default();
    planes.reshape(size, coding.chroma());
    draw(words, &mut planes);
    let facts = FrameFacts { sequence: 0, captured_at: at, codec: coding.codec(), size };
    encoding.encode(&planes, facts)
}

impl Trouble {
    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Told(one), Self::Told(other)) => one == other,
            (Self::Silence, Self::Silence) | (Self::Ending, Self::Ending) => true,
            _ => false,
        }
    }

    fn headline(&self) -> &'static str {
        match self {
            Self::Told(status) => match status.code {
                StatusCode::Starting => "The camera is starting",
                StatusCode::NoCamera => "No camera",
                StatusCode::CameraLost => "The camera is gone",
                StatusCode::CameraRefused => "The camera cannot be used",
                StatusCode::Refused | StatusCode::Full | StatusCode::Other(_) => "No picture",
            },
            Self::Silence => "No picture from the camera",
            Self::Ending => "lancam was stopped",
        }
    }

    fn text(&self, silent_for: Option<Duration>) -> String {
        let mut text = match self {
            Self::Told(status) => sentence(&status.text),
            Self::Silence => "The camera sends no pictures at the moment.".into(),
            Self::Ending => return "Reload this page when it runs again.".into(),
        };
        if let Some(silent_for) = silent_for {
            text.push_str(&format!(" No picture for {}.", in_words(silent_for)));
        }
        text
    }
}

/// Makes a sentence of a status text, which begins in lower case and has no full stop.
fn sentence(text: &str) -> String {
    let text = text.trim();
    let mut letters = text.chars();
    let mut sentence = String::with_capacity(text.len() + 1);
    // A path or a device's name keeps its case.
    let first_word = text.split_whitespace().next().unwrap_or_default();
    match letters.next() {
        Some(first) if first_word.chars().all(char::is_lowercase) => {
            sentence.extend(first.to_uppercase());
            sentence.push_str(letters.as_str());
        }
        _ => sentence.push_str(text),
    }
    if !text.ends_with(['.', '!', '?']) {
        sentence.push('.');
    }
    sentence
}

fn in_words(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds @ 7200..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

fn time_of_day(since_1970: Duration) -> String {
    let seconds = since_1970.as_secs() % 86_400;
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::encode::Coding;
    use crate::image::jpeg::markers;
    use crate::image::pixels::{Chroma, Size};

    fn recipe(width: usize) -> Recipe {
        let coding = Coding::Jpeg { quality: 80, chroma: Chroma::Yuv422 };
        Recipe { coding, size: Size::new(width, 180) }
    }

    fn gone() -> Trouble {
        let text = "camera X (/dev/video0) was unplugged. Waiting for it".into();
        Trouble::Told(Arc::new(StatusText { code: StatusCode::CameraLost, text }))
    }

    fn draw(notices: &Notices, width: usize, trouble: &Trouble) -> Arc<Packet> {
        notices.draw(recipe(width), trouble, "Garage", None).expect("is encoded")
    }

    #[test]
    fn one_picture_is_drawn_for_all_who_need_the_same_and_none_is_kept() {
        let notices = Notices::default();
        let one = draw(&notices, 320, &gone());
        assert!(Arc::ptr_eq(&one, &draw(&notices, 320, &gone())));
        assert!(!Arc::ptr_eq(&one, &draw(&notices, 320, &Trouble::Silence)), "other words");
        let address = Arc::downgrade(&one);
        drop(one);
        assert!(address.upgrade().is_none(), "nobody is sent it");
        drop(draw(&notices, 640, &gone()));
        assert!(notices.0.lock().expect("is whole").len() <= 1, "what is gone is forgotten");
    }

    #[test]
    fn strangers_with_many_sizes_share_a_few() {
        let notices = Notices::default();
        let pictures: Vec<_> = (0..20).map(|index| draw(&notices, 200 + index, &gone())).collect();
        let mut sizes: Vec<_> = pictures.iter().map(|packet| packet.facts.size.width).collect();
        sizes.dedup();
        assert_eq!(sizes.len(), MAX_SIZES + 1, "{sizes:?}");
        sizes.sort_unstable();
        sizes.dedup();
        assert_eq!(sizes.len(), MAX_SIZES);
    }

    #[test]
    fn a_notice_looks_to_decoders_like_the_stream_it_stands_in() {
        let jpeg = draw(&Notices::default(), 320, &gone());
        assert_eq!(markers::picture_size(jpeg.payload()), Some(Size::new(320, 180)));
        assert_eq!(markers::chroma(jpeg.payload()), Some(Chroma::Yuv422));
        assert_eq!(jpeg.chroma, Some(Chroma::Yuv422), "whoever sends it knows it");
    }

    #[test]
    fn it_says_what_is_wrong_in_sentences() {
        let text = gone().text(Some(Duration::from_secs(35)));
        let expected = "Camera X (/dev/video0) was unplugged. Waiting for it. No picture for 35 s.";
        assert_eq!(text, expected);
        assert_eq!(sentence("/dev/video7 is missing"), "/dev/video7 is missing.");
        let words = [59, 119, 121, 7200, 200_000].map(|s| in_words(Duration::from_secs(s)));
        assert_eq!(words, ["59 s", "119 s", "2 min", "2 h", "2 days"]);
        assert_eq!(time_of_day(Duration::from_secs(86_400 * 3 + 3_723)), "01:02:03");
    }
}
