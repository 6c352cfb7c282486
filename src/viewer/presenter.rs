//! Hands the newest truth to a screen until somebody has seen enough: the main thread's loop.

use crate::latest::{Doorbell, Newest, Reader};
use crate::viewer::arrival::Arrival;
use crate::viewer::watch::figures::Figures;
use crate::viewer::watch::news::{News, Notice};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Something that shows pictures and knows when to stop.
pub trait Screen {
    /// How long the presenter may sleep when there is no news.
    fn patience(&self, now: Instant) -> Duration;

    /// Shows `scene`; `change` says what is new in it. Called at least as often as
    /// [`patience`](Self::patience) says. Returns when and why to end.
    ///
    /// # Errors
    /// When the screen is gone.
    fn present(
        &mut self,
        scene: &Scene,
        change: Change,
        now: Instant,
    ) -> Result<Option<End>, ScreenError>;
}

/// All there is to show.
#[derive(Debug, Default)]
pub struct Scene {
    /// The newest picture.
    pub arrival: Option<Arc<Arrival>>,
    /// Why it is not the camera's present one.
    pub notice: Option<Arc<Notice>>,
    /// What was shown so far.
    pub figures: Figures,
}

/// What is new in a scene.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Nothing; the screen may look after itself.
    Nothing,
    /// A picture.
    Picture,
    /// A notice.
    Notice,
}

/// Why presenting ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// All was shown that was asked for.
    Done,
    /// The user closed the window.
    UserLeft,
    /// No picture came in time; why, as far as it is known.
    NoFirstPicture(String),
    /// There is no lancam server; who it is instead.
    NotLancam(String),
    /// There were pictures, and then none for too long; or the programs cannot understand each other.
    Failed(String),
}

/// A screen that cannot be opened, or is gone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScreenError {
    /// Nowhere to show a window.
    #[error(
        "there is no display for a window (DISPLAY and WAYLAND_DISPLAY are not set); use --headless"
    )]
    NoDisplay,
    /// A library that windows need is not installed.
    #[error("no window without {library}: install it ({package} on Debian), or use --headless")]
    LibraryMissing {
        /// Its file.
        library: &'static str,
        /// What Debian calls it.
        package: &'static str,
    },
    /// Opening or showing failed.
    #[error("cannot show a window: {0}; --headless works without one")]
    Window(String),
}

/// Presents until the screen has seen enough; returns the last scene with the reason. `doorbell` rings when there is news.
///
/// # Errors
/// When the screen cannot show any more.
pub fn present(
    news: &mut Reader<News>,
    doorbell: &Doorbell,
    screen: &mut dyn Screen,
) -> Result<(Scene, End), ScreenError> {
    let mut scene = Scene::default();
    loop {
        doorbell.wait(screen.patience(Instant::now()));
        let now = Instant::now();
        let change = match news.newest() {
            Newest::Fresh { value: News::Picture(arrival), .. } => {
                scene.figures.count(&arrival, now);
                scene.arrival = Some(arrival);
                scene.notice = None;
                Change::Picture
            }
            Newest::Fresh { value: News::Notice { notice, last }, .. } => {
                scene.notice = Some(notice);
                scene.arrival = last;
                Change::Notice
            }
            Newest::NotYet => Change::Nothing,
            Newest::Closed => return Ok((scene, End::Failed("the receiver has ended".into()))),
        };
        let end = screen.present(&scene, change, now)?;
        if change == Change::Picture
            && let Some(age) = scene.arrival.as_ref().and_then(|arrival| arrival.age)
        {
            // Now it is seen.
            scene.figures.count_age(&age, Instant::now());
        }
        if let Some(end) = end {
            return Ok((scene, end));
        }
    }
}
