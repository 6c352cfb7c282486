//! The window's loop: sleeps until a camera has news or somebody does something, and shows what is so then.

mod actions;
mod choosing;
mod lasting;

use super::channel::{Channel, ChannelError};
use super::chooser::Chooser;
use super::composer::{Composer, Extras, Offer, Repaint, Sight};
use super::fonts::Fonts;
use super::title;
use super::wall::{Info, Motion, Sheet, Wall};
use super::window::{PROGRAM, Window};
use crate::latest::Doorbell;
use crate::viewer::keep::memory::Memory;
use crate::viewer::keep::recorder::{Plan, Recorder, Rotation};
use crate::viewer::keep::snapshot::Keeper;
use crate::viewer::leave::Leave;
use crate::viewer::paint::badges::Toast;
use crate::viewer::presenter::{Change, End, ScreenError};
use crate::viewer::stage::input::Input;
use crate::viewer::stage::window::desktop::Desktop;
use crate::viewer::watch::receiver::Protocol;
use lasting::{Message, Pause};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// All that the window's thread knows.
#[derive(Debug)]
pub struct Show {
    window: Window,
    /// Where there is one that can be asked.
    desktop: Option<Desktop>,
    wall: Wall,
    channels: Vec<Channel>,
    composer: Composer,
    fonts: Fonts,
    chooser: Option<Chooser>,
    doorbell: Arc<Doorbell>,
    protocol: Protocol,
    /// What to record the camera into as soon as there is one.
    record: Option<Plan>,
    /// When a recording begins another file.
    rotation: Rotation,
    /// Whether something else than the window's user ends it.
    leave: Leave,
    /// What records cameras that are watched no longer: the last frames are still being written.
    leaving: Vec<Recorder>,
    paused: Option<Pause>,
    message: Option<Message>,
    /// Until when Escape ends recordings and the program: it was asked for once.
    asked: Option<Instant>,
    /// Whether the last press chose from the list; another one soon after it is the same gesture.
    has_chosen: bool,
    keeper: Keeper,
    memory: Memory,
    /// When all that is on the screen was put together, and when something was handed over.
    complete: Option<Instant>,
    shown: Option<Instant>,
    /// When something was done last.
    touched: Instant,
    title: String,
}

/// Events are only seen when they are asked for: often enough that keys and resizing feel immediate ...
const EVENT_INTERVAL: Duration = Duration::from_millis(8);
/// ... and half as often when nothing has been done for a while.
const IDLE_INTERVAL: Duration = Duration::from_millis(16);
const IDLE_AFTER: Duration = Duration::from_secs(2);
/// X11 forgets what another window covered, and `minifb` does not pass on when it is seen again.
const REDRAW_INTERVAL: Duration = Duration::from_millis(250);
/// Ages in the overlay and in badges count in tenths of a second ...
const QUICK: Duration = Duration::from_millis(100);
/// ... everything else that takes time, in seconds.
const SLOW: Duration = Duration::from_secs(1);
/// Several cameras are not shown one by one: what comes within this time is shown at once.
const GATHERED: Duration = Duration::from_millis(8);

impl Show {
    /// Shows `channels` in `window`; with a `chooser`, what is chosen by it.
    pub fn new(
        mut window: Window,
        channels: Vec<Channel>,
        chooser: Option<Chooser>,
        protocol: Protocol,
        doorbell: Arc<Doorbell>,
        memory: Memory,
    ) -> Self {
        let wall = Wall::new(channels.len());
        let record = None;
        // On Wayland there may be an X server beside, which knows nothing of this window.
        let mut desktop = window.id().and_then(|_| Desktop::connect().ok());
        if let Some((id, desktop)) = window.id().zip(desktop.as_mut()) {
            if let Err(error) = desktop.introduce(id, PROGRAM) {
                log::debug!("the window has no icon: {error}");
            }
            match desktop.listen(id) {
                Ok(()) => window.leave_input_to_others(),
                Err(error) => log::debug!("quick clicks may be lost: {error}"),
            }
        }
        let density = desktop.as_ref().map_or(1.0, Desktop::density);
        if let (Some(desktop), Some((x, y))) = (&desktop, memory.place)
            && actions::is_on(desktop.screen(), x, y)
        {
            window.move_to(x, y);
        }
        Self {
            window,
            desktop,
            wall,
            channels,
            composer: Composer::new(density),
            fonts: Fonts::new(Arc::clone(&doorbell)),
            chooser,
            leave: Leave::new(Arc::clone(&doorbell)),
            doorbell,
            protocol,
            record,
            rotation: Rotation::default(),
            leaving: Vec::new(),
            paused: None,
            message: None,
            asked: None,
            has_chosen: false,
            keeper: Keeper::default(),
            memory,
            complete: None,
            shown: None,
            touched: Instant::now(),
            title: String::new(),
        }
    }

    /// Records what is chosen as planned, and what the key records with this rotation.
    #[must_use]
    pub fn recording(self, chosen: Option<Plan>, rotation: Rotation) -> Self {
        Self { record: chosen, rotation, ..self }
    }

    /// Ends when `leave` asks for it, too.
    #[must_use]
    pub fn left_by(self, leave: Leave) -> Self {
        Self { leave, ..self }
    }

    /// Goes on until the user leaves.
    ///
    /// # Errors
    /// When the window is gone, or a camera cannot be watched for lack of memory or threads.
    pub fn run(mut self) -> Result<End, ShowError> {
        let end = self.watch_until_the_end();
        if end.is_ok() {
            self.remember();
        }
        let Self { window, channels, mut leaving, keeper, .. } = self;
        // Nobody is to look at a window that does nothing while a slow disk is written to.
        drop(window);
        leaving.extend(channels.iter().map(|channel| channel.recorder.clone()));
        actions::finish_files(&leaving, keeper);
        end
    }

    fn watch_until_the_end(&mut self) -> Result<End, ShowError> {
        let mut repaint = Some(Repaint::All);
        loop {
            self.doorbell.wait(self.patience(repaint));
            if self.leave.is_asked() {
                return Ok(End::UserLeft);
            }
            let now = Instant::now();
            if self.gather(now) == Change::Picture || self.has_changed() {
                repaint = repaint.or(Some(Repaint::Changed));
            }
            if self.follow_chooser(now)? || self.hear_of_files() || self.hear_of_controls() {
                repaint = Some(Repaint::All);
            }
            if let Some(typeface) = self.fonts.found() {
                self.composer.painter().add(typeface);
                repaint = Some(Repaint::All);
            }
            if self.wall.room() != self.window.size() {
                self.wall.resize(self.window.size());
                repaint = Some(Repaint::All);
            }
            if repaint != Some(Repaint::All) {
                repaint = self.due(now).or(repaint);
            }
            repaint = self.present(repaint, now)?;
            while let Some(input) = self.next_input() {
                self.touched = now;
                let is_pointed_at = self.chooser.is_some() || self.wall.sheet == Sheet::Controls;
                if is_pointed_at || !matches!(input, Input::Hover(_)) {
                    repaint = Some(Repaint::All);
                }
                if let Some(end) = self.react(input)? {
                    return Ok(end);
                }
            }
            self.settle(now);
        }
    }

    /// What was done next, be it seen by the desktop or by the window itself.
    fn next_input(&mut self) -> Option<Input> {
        let seen = self.desktop.as_mut().and_then(Desktop::next_input);
        seen.or_else(|| self.window.next_input())
    }

    /// How long there is nothing to do.
    fn patience(&self, waiting: Option<Repaint>) -> Duration {
        match (waiting, self.shown) {
            (None, _) if self.touched.elapsed() < IDLE_AFTER => EVENT_INTERVAL,
            (None, _) => IDLE_INTERVAL,
            (Some(Repaint::All), _) | (_, None) => Duration::ZERO,
            (Some(Repaint::Changed), Some(shown)) => GATHERED.saturating_sub(shown.elapsed()),
        }
    }

    fn gather(&mut self, now: Instant) -> Change {
        let mut change = Change::Nothing;
        let is_live = self.wall.motion == Motion::Live;
        for (index, channel) in self.channels.iter_mut().enumerate() {
            if channel.update(now, is_live) != Change::Nothing {
                change = Change::Picture;
            }
            if let Some(arrival) = &channel.arrival
                && self.wall.shape(index) != arrival.size
            {
                self.wall.reshape(index, arrival.size);
            }
        }
        change
    }

    fn has_changed(&self) -> bool {
        self.channels.iter().any(|channel| channel.is_changed)
    }

    /// What must be drawn again only because time goes by.
    fn due(&mut self, now: Instant) -> Option<Repaint> {
        if self.message.as_ref().is_some_and(|message| message.until <= now) {
            self.message = None;
            return Some(Repaint::All);
        }
        let since = self.complete.map_or(SLOW, |at| now.saturating_duration_since(at));
        let is_late = self.paused.is_none()
            && self.channels.iter().any(|channel| channel.lateness(now).is_some());
        let records = |channel: &Channel| channel.recording(now).is_some();
        let counts_seconds = self.paused.is_some()
            || self.channels.iter().any(records)
            || self.chooser.is_some()
            || self.channels.iter().any(|channel| channel.notice.is_some());
        let is_due = match (self.wall.info == Info::Shown || is_late, counts_seconds) {
            (true, _) => since >= QUICK,
            (false, true) => since >= SLOW,
            (false, false) => false,
        };
        is_due.then_some(Repaint::All)
    }

    /// Draws what is to be drawn, unless that can wait; says what is left to be drawn.
    fn present(
        &mut self,
        repaint: Option<Repaint>,
        now: Instant,
    ) -> Result<Option<Repaint>, ScreenError> {
        let since = self.shown.map(|shown| now.saturating_duration_since(shown));
        let is_gathering = self.wall.is_grid()
            && repaint == Some(Repaint::Changed)
            && since.is_some_and(|since| since < GATHERED);
        if is_gathering {
            self.window.listen();
            return Ok(repaint);
        }
        match repaint {
            Some(repaint) => self.draw(repaint, now)?,
            None if since.is_some_and(|since| since < REDRAW_INTERVAL) => self.window.listen(),
            None => match self.composer.last() {
                Some(picture) => self.window.show(picture)?,
                None => self.draw(Repaint::All, now)?,
            },
        }
        if repaint.is_some() || since.is_none_or(|since| since >= REDRAW_INTERVAL) {
            self.shown = Some(now);
        }
        Ok(None)
    }

    fn draw(&mut self, repaint: Repaint, now: Instant) -> Result<(), ScreenError> {
        let toast =
            self.message.as_ref().map(|message| Toast { text: &message.text, mood: message.mood });
        let extras = Extras {
            paused: self.paused.map(|pause| pause.lasting(now)),
            picker: self.chooser.as_ref().map(|chooser| offer(chooser, &self.wall, now)),
            toasts: toast.as_slice(),
            now,
        };
        match self.composer.compose(&self.wall, &self.channels, repaint, &extras) {
            Sight::Picture(picture) | Sight::Composed(picture) => self.window.show(picture)?,
        }
        self.fonts.look_for(self.composer.painter().missing());
        // In a grid the pictures of one camera say nothing about how long another one is gone.
        if repaint == Repaint::All || !self.wall.is_grid() {
            self.complete = Some(now);
        }
        let on_screen = Instant::now();
        for (index, channel) in self.channels.iter_mut().enumerate() {
            channel.is_changed = false;
            if self.wall.area(index).is_some() && self.wall.choice.is_none() {
                channel.shown(on_screen);
            }
        }
        title::write(
            &mut self.title,
            &self.channels,
            self.wall.selected(),
            self.wall.is_grid(),
            now,
        );
        self.window.entitle(&self.title);
        Ok(())
    }

    /// Tells the cameras what of them is seen now.
    fn settle(&mut self, now: Instant) {
        self.paused = match self.wall.motion {
            Motion::Paused => self.paused.or_else(|| Some(Pause::begin(now))),
            Motion::Live => None,
        };
        let adjusted = (self.wall.sheet == Sheet::Controls).then(|| self.wall.selected());
        for (index, channel) in self.channels.iter_mut().enumerate() {
            channel.adjust(adjusted == Some(index));
            let area = self.wall.area(index).filter(|_| self.wall.choice.is_none());
            let needed = |area| self.wall.view(index).needed(area, self.wall.shape(index));
            let needed = area.map(needed);
            let is_held = self.paused.is_some();
            channel.demand(needed.filter(|_| !is_held), now);
            if let Some(needed) = needed.filter(|_| is_held || channel.stands_still(now)) {
                channel.look_closer(needed, &self.doorbell);
            }
        }
    }
}

fn offer<'a>(chooser: &'a Chooser, wall: &Wall, now: Instant) -> Offer<'a> {
    let behind = wall.choice.unwrap_or_default().behind;
    let (rows, hover, looking) = (chooser.rows(), chooser.hover, chooser.looking(now));
    Offer { rows, hover, looking, behind }
}

/// Why the window cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ShowError {
    /// It is gone.
    #[error(transparent)]
    Screen(#[from] ScreenError),
    /// A camera cannot be watched.
    #[error(transparent)]
    Channel(#[from] ChannelError),
}
