//! What is remembered of a camera from one opening to the next: what was logged, and how slowly its pictures come.

use crate::image::frame::Micros;
use crate::repeats::Repeats;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// What was logged about the last openings, and what the camera did after the last one.
#[derive(Debug)]
pub(super) struct Openings {
    logged: Repeats,
    /// The words of the last opening.
    words: String,
    course: Course,
    patience: Duration,
}

/// What a camera has done since it was opened.
#[derive(Debug, Default, Clone)]
pub(super) struct Course(Arc<Noted>);

#[derive(Debug, Default)]
struct Noted {
    pictures: AtomicU32,
    /// When the first and the last picture were taken.
    first_at: AtomicU64,
    last_at: AtomicU64,
    fell_silent: AtomicBool,
    failed: AtomicBool,
}

/// What the last openings say about a new one.
#[derive(Debug)]
pub(super) struct Opening {
    /// How to log it.
    pub(super) telling: Telling,
    /// For how long the camera may be silent between two pictures.
    pub(super) patience: Duration,
    /// To be told of what the camera does.
    pub(super) course: Course,
}

/// How to log an opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Telling {
    /// In full.
    News,
    /// Not again: it is the same as the last one, which gave no picture, or it was logged often.
    Again,
}

impl Default for Openings {
    fn default() -> Self {
        Self {
            logged: Repeats::default(),
            words: String::new(),
            course: Course::default(),
            patience: Self::LEAST_PATIENCE,
        }
    }
}

impl Openings {
    pub(super) const LEAST_PATIENCE: Duration = Duration::from_secs(1);

    /// A camera that really hangs is opened again after this long at the latest.
    const MOST_PATIENCE: Duration = Duration::from_secs(8);

    /// A camera that falls silent after fewer pictures is slow rather than hung: webcams expose for
    /// seconds in the dark, whatever rate they promised.
    const FEW: u32 = 30;

    /// Notes an opening with these words.
    pub(super) fn note(&mut self, words: &str) -> Opening {
        let pictures = self.course.0.pictures.load(Ordering::Relaxed);
        if self.course.0.fell_silent.load(Ordering::Relaxed) {
            self.patience = match pictures {
                0 => self.patience,
                1..Self::FEW => (self.patience * 2).min(Self::MOST_PATIENCE),
                Self::FEW.. => Self::LEAST_PATIENCE,
            };
        }
        if self.words != words {
            self.patience = Self::LEAST_PATIENCE;
            words.clone_into(&mut self.words);
        }
        if self.course.is_well() {
            self.logged.forget();
        } else if pictures > 0 {
            self.logged.interrupt();
        }
        let is_news = self.logged.is_news(words);
        self.course = Course::default();
        Opening {
            telling: if is_news { Telling::News } else { Telling::Again },
            patience: self.patience,
            course: self.course.clone(),
        }
    }
}

impl Course {
    /// Whether there is nothing to complain about: pictures came until lancam closed the camera, or
    /// for long.
    fn is_well(&self) -> bool {
        let at = |at: &AtomicU64| Micros(at.load(Ordering::Relaxed));
        let is_steady = at(&self.0.last_at).since(at(&self.0.first_at)) >= Repeats::WELL;
        let has_failed = self.0.failed.load(Ordering::Relaxed);
        is_steady || (!has_failed && self.0.pictures.load(Ordering::Relaxed) > 0)
    }

    /// Notes that a picture came.
    pub(super) fn picture(&self, at: Micros) {
        if self.0.pictures.load(Ordering::Relaxed) == 0 {
            self.0.first_at.store(at.0, Ordering::Relaxed);
        }
        self.0.last_at.store(at.0, Ordering::Relaxed);
        // Not fetch_add, which wraps; one thread alone counts.
        let pictures = self.0.pictures.load(Ordering::Relaxed).saturating_add(1);
        self.0.pictures.store(pictures, Ordering::Relaxed);
    }

    /// Notes that no picture came for as long as the camera may be silent.
    pub(super) fn silent(&self) {
        self.0.fell_silent.store(true, Ordering::Relaxed);
    }

    /// Notes that no picture can come any more.
    pub(super) fn failed(&self) {
        self.0.failed.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_opening_is_news_when_it_is_another_or_the_last_one_gave_a_picture() {
        let mut openings = Openings::default();
        let mut note = |words: &str, gives: bool| {
            let opening = openings.note(words);
            if gives {
                opening.course.picture(Micros(1));
            }
            opening.telling
        };
        assert_eq!(note("640x480", false), Telling::News, "the first");
        assert_eq!(note("640x480", false), Telling::Again);
        assert_eq!(note("640x480", true), Telling::Again);
        assert_eq!(note("640x480", false), Telling::News, "there were pictures");
        assert_eq!(note("320x240", false), Telling::News);
        assert_eq!(note("320x240", false), Telling::Again);
    }

    #[test]
    fn an_opening_of_a_camera_that_fails_after_a_few_pictures_is_news_less_and_less_often() {
        let mut openings = Openings::default();
        let mut news = |lasts: Duration| {
            let opening = openings.note("640x480");
            opening.course.picture(Micros(1));
            opening.course.picture(Micros(1).after(lasts));
            opening.course.failed();
            opening.telling == Telling::News
        };
        let second = Duration::from_secs(1);
        let told: Vec<u32> = (1..=40).filter(|_| news(second)).collect();
        assert_eq!(told, [1, 2, 4, 8, 16, 32]);
        assert!(!news(60 * second));
        assert!(news(second), "it was well for a minute");
    }

    #[test]
    fn a_slow_camera_is_waited_for_and_one_that_hangs_is_opened_again_soon() {
        let mut openings = Openings::default();
        let mut run = |pictures: u32, ends_silent: bool| {
            let opening = openings.note("640x480");
            (0..pictures).for_each(|_| opening.course.picture(Micros(1)));
            if ends_silent {
                opening.course.silent();
            }
            opening.patience.as_secs()
        };
        let slow: Vec<u64> = (0..6).map(|_| run(2, true)).collect();
        assert_eq!(slow, [1, 2, 4, 8, 8, 8], "a picture every few seconds");
        assert_eq!(run(0, true), 8, "no picture says nothing about their rate");
        assert_eq!(run(5, false), 8, "nobody watched any more");
        assert_eq!(run(3000, false), 8);
        assert_eq!(run(3000, true), 8, "it flowed, then it hung");
        assert_eq!([run(3000, true), run(3000, true)], [1, 1]);
        assert_eq!([run(2, true), run(2, true)], [1, 2]);
        assert_eq!(openings.note("another camera").patience.as_secs(), 1);
    }
}
