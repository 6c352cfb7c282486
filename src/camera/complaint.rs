//! Logs a repeating trouble when it begins, changes and ends, not at every frame; and tells viewers when it lasts.

use super::update::{StatusText, Update};
use crate::wire::native::message::StatusCode;
use std::fmt;
use std::sync::Arc;

/// What is wrong now with the frames of one stage, and for how many of them.
#[derive(Debug, Default)]
pub struct Complaint {
    text: Option<String>,
    /// Frames lost in a row.
    frames: u64,
    /// How often what was wrong with them has changed.
    changes: u64,
}

/// What there is to say.
#[derive(Debug, PartialEq, Eq)]
enum News {
    Lost(String),
    Over { frames: u64 },
}

impl Complaint {
    /// So many frames in a row are no accident: who waits for a picture must know.
    const LASTING: u64 = 15;

    /// Takes note of what became of a frame: `None` is well. Returns what viewers are to be told, once it
    /// is time for that.
    pub fn note(&mut self, trouble: Option<String>) -> Option<Update> {
        match self.news(trouble) {
            None => {}
            Some(news @ News::Lost(_)) => log::warn!("{news}"),
            Some(news @ News::Over { .. }) => log::info!("{news}"),
        }
        let text = self.text.as_ref().filter(|_| self.frames == Self::LASTING)?;
        Some(Update::Status(Arc::new(StatusText {
            code: StatusCode::CameraRefused,
            text: format!("the camera's pictures cannot be sent: {text}"),
        })))
    }

    fn news(&mut self, trouble: Option<String>) -> Option<News> {
        let Some(text) = trouble else {
            let frames = std::mem::take(self).frames;
            return (frames > 0).then_some(News::Over { frames });
        };
        self.frames += 1;
        if self.text.as_ref() == Some(&text) {
            return None;
        }
        self.changes += 1;
        self.text = Some(text.clone());
        // A text that is another for each frame (a length may be in it) is told less and less often.
        self.changes.is_power_of_two().then_some(News::Lost(text))
    }
}

impl fmt::Display for News {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(text) => write!(out, "frame dropped: {text}"),
            Self::Over { frames } => write!(out, "frames can be sent again, after {frames} lost"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trouble_is_told_when_it_begins_changes_and_ends() {
        let mut complaint = Complaint::default();
        let mut news = |trouble: &str| {
            let trouble = Some(trouble.to_owned()).filter(|text| !text.is_empty());
            complaint.news(trouble).map(|news| news.to_string())
        };
        assert_eq!(news(""), None);
        assert_eq!(news("too dark").as_deref(), Some("frame dropped: too dark"));
        assert_eq!(news("too dark"), None);
        assert_eq!(news("too loud").as_deref(), Some("frame dropped: too loud"));
        assert_eq!(news("").as_deref(), Some("frames can be sent again, after 3 lost"));
        assert_eq!(news(""), None);
        assert_eq!(news("too loud").as_deref(), Some("frame dropped: too loud"));
    }

    #[test]
    fn viewers_are_told_once_of_a_trouble_that_lasts() {
        let mut complaint = Complaint::default();
        let trouble = || Some("too dark".to_owned());
        let told: Vec<u32> = (1..100).filter(|_| complaint.note(trouble()).is_some()).collect();
        assert_eq!(told, [15]);
        assert!(complaint.note(None).is_none());
        assert!((1..15).all(|_| complaint.note(trouble()).is_none()), "it begins anew");
    }

    #[test]
    fn a_text_that_is_another_each_time_does_not_fill_the_log() {
        let mut complaint = Complaint::default();
        let told = (0..1000).filter_map(|len| complaint.news(Some(format!("{len} bytes")))).count();
        assert_eq!(told, 10);
    }
}
