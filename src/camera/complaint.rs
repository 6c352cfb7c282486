//! Logs a repeating fault when it begins, changes and ends, instead of at every frame. Tells
//! viewers when it lasts.

use super::metrics::Metrics;
use super::update::{StatusText, Update};
use crate::image::frame::Micros;
use crate::wire::native::message::StatusCode;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The current fault in the frames of one thread, and how many frames it has cost.
#[derive(Debug)]
pub struct Complaint {
    /// Where a lasting fault is reported to `/healthz` and the page.
    metrics: Arc<Metrics>,
    trouble: Trouble,
    /// The status that viewers got, while the fault lasts.
    told: Option<Update>,
}

/// What is wrong, and since when.
#[derive(Debug, Default)]
struct Trouble {
    text: Option<String>,
    /// Frames lost in a row.
    frames: u64,
    since: Micros,
    /// How often the fault has changed or begun again.
    changes: u64,
    /// Whether this fault was logged.
    logged: bool,
}

/// What to log.
#[derive(Debug, PartialEq, Eq)]
enum News {
    Lost(String),
    Over { frames: u64 },
}

impl Complaint {
    /// This many bad frames in a row are a lasting fault: viewers have to be told.
    const LASTING: u64 = 15;

    /// So are two or more bad frames over this time: a slow camera needs a long time for 15.
    const LASTING_TIME: Duration = Duration::from_secs(2);

    /// Nothing is wrong so far.
    pub fn new(metrics: Arc<Metrics>) -> Self {
        Self { metrics, trouble: Trouble::default(), told: None }
    }

    /// Counts the outcome of a frame and takes note of it, as [`note`](Self::note) does.
    pub fn outcome<E: fmt::Display>(
        &mut self,
        outcome: Result<(), E>,
        now: Micros,
    ) -> Option<&Update> {
        if outcome.is_err() {
            self.metrics.failed(1);
        }
        self.note(outcome.err().map(|error| error.to_string()), now)
    }

    /// Takes note of the outcome of a frame; `None` means that it was good. Returns the status for
    /// viewers once the fault has lasted long enough.
    pub fn note(&mut self, trouble: Option<String>, now: Micros) -> Option<&Update> {
        match self.trouble.note(trouble, now) {
            None => {}
            Some(news @ News::Lost(_)) => log::warn!("{news}"),
            Some(news @ News::Over { .. }) => log::info!("{news}"),
        }
        let Some(text) = self.trouble.lasting(now) else {
            if self.told.take().is_some() {
                self.metrics.is_cured();
            }
            return None;
        };
        if self.told.is_some() {
            return None;
        }
        let text = format!("cannot send the camera's pictures: {text}");
        self.metrics.is_troubled(&text);
        let code = StatusCode::CameraRefused;
        self.told = Some(Update::Status(Arc::new(StatusText { code, text })));
        self.told.as_ref()
    }

    /// The status that viewers got because a fault lasts. Viewers that connect now get the same.
    pub fn told(&self) -> Option<&Update> {
        self.told.as_ref()
    }
}

impl Drop for Complaint {
    fn drop(&mut self) {
        if self.told.is_some() {
            self.metrics.is_cured();
        }
    }
}

impl Trouble {
    fn note(&mut self, trouble: Option<String>, now: Micros) -> Option<News> {
        let Some(text) = trouble else {
            let frames = std::mem::take(&mut self.frames);
            self.text = None;
            return std::mem::take(&mut self.logged).then_some(News::Over { frames });
        };
        if self.frames == 0 {
            self.since = now;
        }
        self.frames += 1;
        // A single broken frame is not logged.
        let is_told = self.frames >= 2 && self.text.as_ref() == Some(&text);
        if self.frames < 2 || (is_told && self.frames > 2) {
            self.text = Some(text);
            return None;
        }
        self.changes += 1;
        self.text = Some(text.clone());
        // A fault that keeps coming back, or whose text differs at each frame (it may hold a
        // length), is logged at 1, 2, 4, 8 ... changes.
        let is_worth_it = self.changes.is_power_of_two();
        self.logged |= is_worth_it;
        is_worth_it.then_some(News::Lost(text))
    }

    fn lasting(&self, now: Micros) -> Option<&str> {
        let lasts = self.frames >= Complaint::LASTING
            || (self.frames >= 2 && now.since(self.since) >= Complaint::LASTING_TIME);
        self.text.as_deref().filter(|_| lasts)
    }
}

impl fmt::Display for News {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(text) => write!(out, "frame dropped: {text}"),
            Self::Over { frames } => write!(out, "frames are sent again; {frames} were dropped"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1000;

    fn complaint() -> Complaint {
        Complaint::new(Arc::new(Metrics::new(Micros(0))))
    }

    #[test]
    fn a_trouble_is_told_when_it_begins_changes_and_ends() {
        let mut now = Micros(0);
        let mut complaint = Trouble::default();
        let mut news = |trouble: &str| {
            now.0 += 10 * MS;
            let trouble = Some(trouble.to_owned()).filter(|text| !text.is_empty());
            complaint.note(trouble, now).map(|news| news.to_string())
        };
        assert_eq!(news(""), None);
        assert_eq!(news("too dark"), None, "one frame is nothing");
        assert_eq!(news("too dark").as_deref(), Some("frame dropped: too dark"));
        assert_eq!(news("too dark"), None);
        assert_eq!(news("too loud").as_deref(), Some("frame dropped: too loud"));
        assert_eq!(news("").as_deref(), Some("frames are sent again; 4 were dropped"));
        assert_eq!(news(""), None);
    }

    #[test]
    fn viewers_are_told_once_of_a_trouble_that_lasts() {
        let mut complaint = complaint();
        let trouble = || Some("too dark".to_owned());
        let told: Vec<u64> = (1..100)
            .filter(|frame| complaint.note(trouble(), Micros(frame * MS)).is_some())
            .collect();
        assert_eq!(told, [15]);
        assert!(complaint.metrics.trouble().is_some_and(|text| text.contains("too dark")));
        assert!(complaint.note(None, Micros(0)).is_none());
        assert_eq!(complaint.metrics.trouble(), None);
        let again = (1..15).all(|frame| complaint.note(trouble(), Micros(frame * MS)).is_none());
        assert!(again, "it begins anew");
    }

    #[test]
    fn of_a_slow_camera_two_frames_in_a_row_are_enough() {
        let mut complaint = complaint();
        let trouble = || Some("too dark".to_owned());
        assert!(complaint.note(trouble(), Micros(0)).is_none());
        assert!(complaint.note(trouble(), Micros(5000 * MS)).is_some());
        let metrics = Arc::clone(&complaint.metrics);
        drop(complaint);
        assert_eq!(metrics.trouble(), None, "whose thread has ended is not in trouble");
    }

    #[test]
    fn a_text_that_is_another_each_time_does_not_fill_the_log() {
        let mut trouble = Trouble::default();
        let now = Micros(0);
        let told =
            (0..1000).filter_map(|len| trouble.note(Some(format!("{len} bytes")), now)).count();
        assert_eq!(told, 10);
    }

    #[test]
    fn a_trouble_that_comes_and_goes_does_not_fill_the_log() {
        let mut trouble = Trouble::default();
        let frames = (0..4000).map(|frame| (frame % 4 < 2).then(|| "cut".to_owned()));
        let told = frames.filter_map(|it| trouble.note(it, Micros(0))).count();
        assert!((3..=22).contains(&told), "{told} lines");
    }
}
