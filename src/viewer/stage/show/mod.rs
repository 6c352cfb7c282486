//! The window: shows what cameras send, and reacts to keys and mouse.

mod actions;
mod adjusting;
mod choosing;
mod codes;
mod files;
mod lasting;
mod pasting;
mod place;

use super::chooser::Chooser;
use super::composer::{Composer, Extras, Offer, Repaint};
use super::fonts::Fonts;
use super::input::Input;
use super::tile::Tile;
use super::title;
use super::wall::{Info, Motion, Sheet, Wall};
use super::window::desktop::Desktop;
use super::window::{Opening, PROGRAM, Window, WindowError};
use crate::latest::Doorbell;
use crate::viewer::keep::memory::Memory;
use crate::viewer::keep::recorder::{Plan, Recorder, Rotation};
use crate::viewer::keep::snapshot::Keeper;
use crate::viewer::leave::Leave;
use crate::viewer::paint::badges::Toast;
use crate::viewer::run::{End, Screen, run};
use crate::viewer::watch::channel::{Change, Channel, ChannelError};
use crate::viewer::watch::receiver::Dialogue;
use lasting::{LastPress, Message, Pause};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The state of the window's thread.
#[derive(Debug)]
pub struct Show {
    window: Window,
    /// The desktop, if it can be asked (X11).
    desktop: Option<Desktop>,
    wall: Wall,
    tiles: Vec<Tile>,
    composer: Composer,
    fonts: Fonts,
    chooser: Option<Chooser>,
    doorbell: Arc<Doorbell>,
    /// How to talk with the cameras that are chosen in the window.
    dialogue: Dialogue,
    /// The recording to start as soon as cameras are chosen.
    record: Option<Plan>,
    /// When a recording begins another file.
    rotation: Rotation,
    /// Recorders of cameras that are no longer watched. Their last frames are still being written.
    leaving: Vec<Recorder>,
    paused: Option<Pause>,
    message: Option<Message>,
    /// Until when a second Escape ends recordings and the program.
    asked: Option<Instant>,
    last_press: LastPress,
    keeper: Keeper,
    memory: Memory,
    /// How much has to be drawn.
    repaint: Option<Repaint>,
    /// When everything on the screen was last drawn, and when anything was last handed over.
    complete: Option<Instant>,
    shown: Option<Instant>,
    /// When the user last did something.
    touched: Instant,
    /// When the last picture came. While pictures move, the screen saver is held off.
    moved: Option<Instant>,
    /// Until when to try to make the new window fill the screen.
    filling: Option<Instant>,
    title: String,
}

/// How often to poll for events, which `minifb` reports only when asked: often enough that keys and resizing feel immediate
/// ...
const EVENT_INTERVAL: Duration = Duration::from_millis(8);
/// ... and half as often after the user has done nothing for a while.
const IDLE_INTERVAL: Duration = Duration::from_millis(16);
const IDLE_AFTER: Duration = Duration::from_secs(2);
/// X11 forgets what another window covered, and `minifb` does not report when it becomes visible. So redraw this often.
const REDRAW_INTERVAL: Duration = Duration::from_millis(250);
/// How often to draw ages in figures and badges, which show tenths of a second ...
const QUICK: Duration = Duration::from_millis(100);
/// ... and everything else that shows seconds.
const SLOW: Duration = Duration::from_secs(1);
/// Pictures of several cameras that arrive within this time are shown together.
const GATHERED: Duration = Duration::from_millis(8);

impl Show {
    /// Shows `channels` in `window`. With a `chooser`, shows what it decides on.
    pub fn new(
        mut window: Window,
        channels: Vec<Channel>,
        chooser: Option<Chooser>,
        dialogue: Dialogue,
        doorbell: Arc<Doorbell>,
        memory: Memory,
    ) -> Self {
        let wall = Wall::new(channels.len());
        // On Wayland there may also be an X server, which does not know this window.
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
            && place::is_on(desktop.screen(), x, y)
        {
            window.move_to(x, y);
        }
        Self {
            window,
            desktop,
            wall,
            tiles: channels.into_iter().map(Tile::from).collect(),
            composer: Composer::new(density),
            fonts: Fonts::new(Arc::clone(&doorbell)),
            chooser,
            doorbell,
            dialogue: Dialogue { protocol: dialogue.protocol.of_chosen(), ..dialogue },
            record: None,
            rotation: Rotation::default(),
            leaving: Vec::new(),
            paused: None,
            message: None,
            asked: None,
            last_press: LastPress::default(),
            keeper: Keeper::default(),
            memory,
            repaint: Some(Repaint::All),
            complete: None,
            shown: None,
            touched: Instant::now(),
            moved: None,
            filling: None,
            title: String::new(),
        }
    }

    /// Sets the plan for recording chosen cameras, and the rotation for recordings by key.
    #[must_use]
    pub fn recording(self, chosen: Option<Plan>, rotation: Rotation) -> Self {
        Self { record: chosen, rotation, ..self }
    }

    /// Opens the window like this.
    #[must_use]
    pub fn opened(self, opening: Opening) -> Self {
        let filling = match opening {
            Opening::Window => None,
            Opening::FullScreen => Some(Instant::now() + place::FILLING),
        };
        Self { filling, ..self }
    }

    /// Runs until the user leaves, or `leave` asks it to end.
    ///
    /// # Errors
    /// When the window is gone, or this machine lacks memory or threads to watch a camera.
    pub fn run(mut self, leave: &Leave) -> Result<End, ShowError> {
        let doorbell = Arc::clone(&self.doorbell);
        let end = run(&mut self, &doorbell, leave);
        if end.is_ok() {
            self.remember();
        }
        let Self { window, tiles, mut leaving, keeper, .. } = self;
        // Close the window first: the user should not see it hang while a slow disk is written to.
        drop(window);
        let recorded = tiles.iter().filter(|tile| tile.channel.is_recording);
        leaving.extend(recorded.map(|tile| tile.channel.recorder.clone()));
        files::finish(&leaving, keeper);
        end
    }

    fn will_repaint(&mut self, repaint: Repaint) {
        if self.repaint != Some(Repaint::All) {
            self.repaint = Some(repaint);
        }
    }

    /// Takes everything new, and decides how much to draw.
    fn look_around(&mut self, now: Instant) -> Result<(), ShowError> {
        let change = self.gather(now);
        if change == Change::Picture {
            self.moved = Some(now);
        }
        if change == Change::Picture || self.has_changed() {
            self.will_repaint(Repaint::Changed);
        }
        let has_news = self.follow_chooser(now)?
            | self.hear_of_files()
            | self.hear_of_controls()
            | self.hear_of_codes();
        if has_news || self.tell_of_keys(now) {
            self.will_repaint(Repaint::All);
        }
        if let Some(typeface) = self.fonts.found() {
            self.composer.painter().add(typeface);
            self.will_repaint(Repaint::All);
        }
        if self.wall.room() != self.window.size() {
            self.wall.resize(self.window.size());
            self.will_repaint(Repaint::All);
        }
        if self.repaint != Some(Repaint::All) && self.is_due(now) {
            self.will_repaint(Repaint::All);
        }
        Ok(())
    }

    /// The next input, from the desktop or from the window itself.
    fn next_input(&mut self) -> Option<Input> {
        let seen = self.desktop.as_mut().and_then(Desktop::next_input);
        seen.or_else(|| self.window.next_input())
    }

    fn gather(&mut self, now: Instant) -> Change {
        let mut change = Change::Nothing;
        let is_live = self.wall.motion == Motion::Live;
        for (index, tile) in self.tiles.iter_mut().enumerate() {
            if tile.update(now, is_live) != Change::Nothing {
                change = Change::Picture;
            }
            if let Some(arrival) = &tile.channel.arrival
                && self.wall.shape(index) != arrival.size
            {
                self.wall.reshape(index, arrival.size);
            }
        }
        change
    }

    fn has_changed(&self) -> bool {
        self.tiles.iter().any(|tile| tile.channel.is_changed)
    }

    /// Whether everything has to be drawn because time has passed.
    fn is_due(&mut self, now: Instant) -> bool {
        if self.message.as_ref().is_some_and(|message| message.until <= now) {
            self.message = None;
            return true;
        }
        let since = self.complete.map_or(SLOW, |at| now.saturating_duration_since(at));
        let is_late = |tile: &Tile| tile.channel.lateness(now).is_some();
        let counts_tenths = self.wall.info == Info::Shown
            || self.paused.is_none() && self.tiles.iter().any(is_late);
        let counts = |tile: &Tile| tile.recording(now).is_some() || tile.channel.notice.is_some();
        let counts_seconds =
            self.paused.is_some() || self.chooser.is_some() || self.tiles.iter().any(counts);
        counts_tenths && since >= QUICK || counts_seconds && since >= SLOW
    }

    /// Draws what has to be drawn, unless that can wait.
    fn present(&mut self, now: Instant) -> Result<(), WindowError> {
        let since = self.shown.map(|shown| now.saturating_duration_since(shown));
        let is_gathering = self.wall.is_grid()
            && self.repaint == Some(Repaint::Changed)
            && since.is_some_and(|since| since < GATHERED);
        if is_gathering {
            self.window.listen();
            return Ok(());
        }
        let repaint = self.repaint.take();
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
        Ok(())
    }

    fn draw(&mut self, repaint: Repaint, now: Instant) -> Result<(), WindowError> {
        let toast =
            self.message.as_ref().map(|message| Toast { text: &message.text, mood: message.mood });
        let extras = Extras {
            paused: self.paused.map(|pause| pause.lasting(now)),
            picker: self.chooser.as_ref().map(|chooser| offer(chooser, &self.wall, now)),
            toasts: toast.as_slice(),
            now,
        };
        let picture = self.composer.compose(&self.wall, &self.tiles, repaint, &extras);
        self.window.show(picture)?;
        self.fonts.look_for(self.composer.painter().missing());
        // In a grid, a picture of one camera does not update how long another one is away.
        if repaint == Repaint::All || !self.wall.is_grid() {
            self.complete = Some(now);
        }
        let on_screen = Instant::now();
        for (index, tile) in self.tiles.iter_mut().enumerate() {
            tile.channel.is_changed = false;
            if self.wall.area(index).is_some() && self.wall.choice.is_none() {
                tile.shown(on_screen);
            }
        }
        let (selected, is_grid) = (self.wall.selected(), self.wall.is_grid());
        title::write(&mut self.title, &self.tiles, selected, is_grid);
        self.window.entitle(&self.title);
        self.fill_screen_at_first(now);
        Ok(())
    }

    /// Tells the cameras in which size they are visible now.
    fn settle(&mut self, now: Instant) {
        self.paused = match self.wall.motion {
            Motion::Paused => self.paused.or_else(|| Some(Pause::begin(now))),
            Motion::Live => None,
        };
        let adjusted = (self.wall.sheet == Sheet::Controls).then(|| self.wall.selected());
        for (index, tile) in self.tiles.iter_mut().enumerate() {
            tile.adjust(adjusted == Some(index));
            let area = self.wall.area(index).filter(|_| self.wall.choice.is_none());
            let needed = |area| self.wall.view(index).needed(area, self.wall.shape(index));
            let needed = area.map(needed);
            let is_held = self.paused.is_some();
            tile.channel.demand(needed.filter(|_| !is_held), now);
            if let Some(needed) = needed.filter(|_| is_held || tile.channel.stands_still(now)) {
                tile.look_closer(needed, &self.doorbell);
            }
        }
    }
}

impl Screen for Show {
    type Error = ShowError;

    fn patience(&self, _now: Instant) -> Duration {
        match (self.repaint, self.shown) {
            (None, _) if self.touched.elapsed() < IDLE_AFTER => EVENT_INTERVAL,
            (None, _) => IDLE_INTERVAL,
            (Some(Repaint::All), _) | (_, None) => Duration::ZERO,
            (Some(Repaint::Changed), Some(shown)) => GATHERED.saturating_sub(shown.elapsed()),
        }
    }

    fn refresh(&mut self, now: Instant) -> Result<Option<End>, ShowError> {
        self.look_around(now)?;
        self.present(now)?;
        while let Some(input) = self.next_input() {
            self.touched = now;
            let is_pointed_at =
                self.chooser.is_some() || matches!(self.wall.sheet, Sheet::Controls | Sheet::Menu);
            if is_pointed_at || !matches!(input, Input::Hover(_)) {
                self.will_repaint(Repaint::All);
            }
            if let Some(end) = self.react(input)? {
                return Ok(Some(end));
            }
        }
        if self.take_pasted() {
            self.will_repaint(Repaint::All);
        }
        self.settle(now);
        self.keep_awake(now);
        Ok(None)
    }

    fn interrupted(&self) -> End {
        End::UserLeft
    }
}

fn offer<'a>(chooser: &'a Chooser, wall: &'a Wall, now: Instant) -> Offer<'a> {
    let behind = wall.choice.unwrap_or_default().behind;
    let (rows, hover, looking) = (chooser.rows(), chooser.hover, chooser.looking(now));
    Offer { rows, is_cut: chooser.is_cut(), hover, looking, behind, typed: wall.typed() }
}

/// Why the window cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ShowError {
    /// The window is gone.
    #[error(transparent)]
    Window(#[from] WindowError),
    /// A camera cannot be watched.
    #[error(transparent)]
    Channel(#[from] ChannelError),
}
