//! Keeps the log short for a camera that gives no pictures and is opened again and again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What was logged about the last opening, and whether the camera gave pictures then.
#[derive(Debug, Default)]
pub(super) struct Openings {
    told: String,
    picture_seen: PictureSeen,
}

/// Whether a camera has given a picture since it was opened.
#[derive(Debug, Default, Clone)]
pub(super) struct PictureSeen(Arc<AtomicBool>);

/// How to log an opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Telling {
    /// In full.
    News,
    /// Not again: it is the same as the last one, which gave no picture.
    Again,
}

impl Openings {
    /// Notes an opening with these words. Returns how to log it.
    pub(super) fn note(&mut self, words: &str) -> (Telling, PictureSeen) {
        let was_seen = self.picture_seen.0.load(Ordering::Relaxed);
        let telling = if was_seen || self.told != words { Telling::News } else { Telling::Again };
        words.clone_into(&mut self.told);
        self.picture_seen = PictureSeen::default();
        (telling, self.picture_seen.clone())
    }
}

impl PictureSeen {
    /// Notes that a picture came.
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_opening_is_news_when_it_is_another_or_the_last_one_gave_a_picture() {
        let mut openings = Openings::default();
        let mut note = |words: &str, gives: bool| {
            let (telling, picture_seen) = openings.note(words);
            if gives {
                picture_seen.set();
            }
            telling
        };
        assert_eq!(note("640x480", false), Telling::News, "the first");
        assert_eq!(note("640x480", false), Telling::Again);
        assert_eq!(note("640x480", true), Telling::Again);
        assert_eq!(note("640x480", false), Telling::News, "there were pictures");
        assert_eq!(note("320x240", false), Telling::News);
        assert_eq!(note("320x240", false), Telling::Again);
    }
}
