//! Composes what the window shows: each camera's picture in its pane, and what lies over it.

mod code;
mod placing;

use crate::image::orientation::Orientation;
use crate::image::picture::Picture;
use crate::image::pixels::Size;
use crate::image::scale::Area;
use crate::viewer::paint::badges::{self, Badges, Toast};
use crate::viewer::paint::controls::{self, Hit};
use crate::viewer::paint::menu;
use crate::viewer::paint::notice::{self, Notice};
use crate::viewer::paint::pane::Pane;
use crate::viewer::paint::picker::{self, Picker};
use crate::viewer::paint::{Layer, Painter, Rect, Scale, figures, help};
use crate::viewer::stage::facts::{explain, figures_of, heading};
use crate::viewer::stage::grid;
use crate::viewer::stage::input::Point;
use crate::viewer::stage::keys::KEYS;
use crate::viewer::stage::tile::Tile;
use crate::viewer::stage::wall::{Behind, Info, Sheet, Wall};
use crate::viewer::watch::channel::Standing;
use placing::{BESIDE, Placing, clear};
use std::time::{Duration, Instant, SystemTime};

/// The composer and its buffers, which are kept so that a frame allocates nothing.
#[derive(Debug, Default)]
pub struct Composer {
    canvas: Picture,
    painter: Painter,
    buffers: Vec<Buffers>,
    /// The first visible row of the list of cameras, the panel of controls and the menu.
    picker_first: usize,
    panel_shown: controls::Shown,
    menu_first: usize,
    /// The first visible line of the list of keys, and the highest useful one.
    help_first: usize,
    help_last: usize,
    /// Pixels per pixel of an ordinary screen.
    density: f32,
}

/// The buffers for one camera's pane.
#[derive(Debug, Default)]
struct Buffers {
    placing: Placing,
    /// The figures as they were last drawn; when that was, for which pane, and in which part of it.
    figures: Layer,
    drawn: Option<(Instant, (Rect, Rect))>,
    /// The text of the notice.
    words: String,
}

/// What is shown besides pictures.
#[derive(Debug)]
pub struct Extras<'a> {
    /// How long the pictures have been paused.
    pub paused: Option<Duration>,
    /// The list of cameras, if it is open.
    pub picker: Option<Offer<'a>>,
    /// Messages.
    pub toasts: &'a [Toast<'a>],
    /// The present moment.
    pub now: Instant,
}

/// The list of cameras.
#[derive(Debug, Clone, Copy)]
pub struct Offer<'a> {
    /// The cameras.
    pub rows: &'a [picker::Row],
    /// Whether more cameras have answered than there are rows.
    pub is_cut: bool,
    /// The camera under the mouse.
    pub hover: Option<usize>,
    /// How long cameras have been searched for.
    pub looking: Duration,
    /// What is behind the list.
    pub behind: Behind,
    /// The text in the field below the list.
    pub typed: &'a str,
}

/// How much to draw again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repaint {
    /// Everything.
    All,
    /// Only panes with something new.
    Changed,
}

/// How often figures are drawn. More often, nobody could read them.
const READABLE: Duration = Duration::from_millis(100);

impl Composer {
    /// A composer for a screen of this density.
    pub fn new(density: f32) -> Self {
        Self { density, ..Self::default() }
    }

    /// Composes the window. Returns a camera's picture itself if it has the window's size and nothing lies over it.
    pub fn compose<'a>(
        &'a mut self,
        wall: &Wall,
        tiles: &'a [Tile],
        repaint: Repaint,
        extras: &Extras<'_>,
    ) -> &'a Picture {
        if wall.sheet != Sheet::Help {
            self.help_first = 0;
        }
        if wall.sheet != Sheet::Menu {
            self.menu_first = 0;
        }
        if let Some(picture) = as_it_is(wall, tiles, extras) {
            // The canvas will be out of date when it is needed next.
            self.canvas.reshape(Size::new(0, 0));
            return picture;
        }
        let room = wall.room();
        if room.area() == 0 {
            // A minimised window has no pixels.
            self.canvas.reshape(room);
            return &self.canvas;
        }
        let is_over_all =
            wall.sheet != Sheet::None || extras.picker.is_some() || !extras.toasts.is_empty();
        let all = repaint == Repaint::All || is_over_all || self.canvas.size() != room;
        if all {
            self.canvas.reshape(room);
            self.canvas.pixels_mut().fill(BESIDE);
        }
        self.buffers.resize_with(tiles.len().max(self.buffers.len()), Buffers::default);
        for (index, tile) in tiles.iter().enumerate() {
            if let Some(area) = wall.area(index).filter(|_| extras.picker.is_none())
                && (all || tile.channel.is_changed)
            {
                self.draw_picture(wall, index, tile, area);
                self.draw_words(wall, index, tile, area, extras);
            }
        }
        self.draw_over_all(wall, tiles, extras);
        &self.canvas
    }

    /// Forgets everything about the cameras, because others are shown from now on.
    pub fn forget(&mut self) {
        self.buffers.clear();
        self.canvas.reshape(Size::new(0, 0));
    }

    /// The painter, which keeps drawn letters.
    pub fn painter(&mut self) -> &mut Painter {
        &mut self.painter
    }

    /// What was composed last; `None` if a camera's picture was returned itself.
    pub fn last(&self) -> Option<&Picture> {
        (self.canvas.size().area() > 0).then_some(&self.canvas)
    }

    fn draw_picture(&mut self, wall: &Wall, index: usize, tile: &Tile, area: Area) {
        let (Some(arrival), Some(picture)) = (&tile.channel.arrival, tile.picture()) else {
            let scale = Scale::for_area(rect(area), self.density);
            let mut canvas = self.painter.canvas(&mut self.canvas, rect(area), scale);
            return notice::draw_ground(&mut canvas);
        };
        let frame = (arrival.totals.frames, arrival.size);
        let placing = &mut self.buffers[index].placing;
        placing.draw(&mut self.canvas, area, picture, frame, wall.view(index));
        if wall.is_grid() {
            for seam in grid::seams(area, wall.room()) {
                clear(&mut self.canvas, seam);
            }
        }
    }

    fn draw_words(
        &mut self,
        wall: &Wall,
        index: usize,
        tile: &Tile,
        area: Area,
        extras: &Extras<'_>,
    ) {
        let messages = self.place_of_messages(wall, extras);
        let scale = Scale::for_area(rect(area), self.density);
        let mut canvas = self.painter.canvas(&mut self.canvas, rect(area), scale);
        let (now, channel) = (extras.now, &tile.channel);
        let last_picture;
        let notice = match &channel.notice {
            // The field says all of it.
            Some(_) if wall.sheet == Sheet::Code && !wall.is_grid() => None,
            Some(standing) => {
                let Standing { notice, since, .. } = standing;
                last_picture = standing.last_picture_at(SystemTime::now());
                let lasting = now.saturating_duration_since(*since);
                let lasting = (lasting >= Duration::from_secs(1)).then_some(lasting);
                let (title, last_picture) = (heading(notice.kind), last_picture.as_deref());
                let (had_one, takes_keys) = (channel.arrival.is_some(), index == wall.selected());
                let words = &mut self.buffers[index].words;
                explain(words, notice, had_one, takes_keys);
                Some(Notice { title, text: words, lasting, last_picture })
            }
            None if channel.arrival.is_none() => Some(notice_alone("Connecting")),
            None => None,
        };
        let zoom = wall.view(index).is_zoomed().then(|| wall.view(index).zoom_factor());
        let paused = extras.paused;
        let recording = tile.recording(now);
        let age = if paused.is_some() { None } else { channel.lateness(now) };
        let badges = Badges { paused, recording, age, zoom };
        let label = wall.is_grid().then(|| channel.name());
        let places = Pane { notice, badges, label }.draw(&mut canvas, messages);
        if wall.is_grid() && index == wall.selected() {
            badges::draw_selection(&mut canvas);
        }
        if wall.info == Info::Shown {
            let buffers = &mut self.buffers[index];
            let place = (rect(area), places.figures, scale);
            buffers.renew_figures(&mut self.painter, tile, place, now);
            let mut canvas = self.painter.canvas(&mut self.canvas, rect(area), scale);
            canvas.lay(&buffers.figures);
        }
    }

    fn place_of_messages(&mut self, wall: &Wall, extras: &Extras<'_>) -> Rect {
        if extras.toasts.is_empty() {
            return Rect::default();
        }
        let area = Rect::of(wall.room());
        let scale = Scale::for_area(area, self.density);
        let mut canvas = self.painter.canvas(&mut self.canvas, area, scale);
        badges::place_of_toasts(&mut canvas, extras.toasts)
    }

    fn draw_over_all(&mut self, wall: &Wall, tiles: &[Tile], extras: &Extras<'_>) {
        let area = Rect::of(wall.room());
        let scale = Scale::for_area(area, self.density);
        let mut canvas = self.painter.canvas(&mut self.canvas, area, scale);
        if let Some(offer) = extras.picker {
            notice::draw_ground(&mut canvas);
            match wall.choice {
                Some(choice) => {
                    let layout = offer.list(choice.marked, self.picker_first).draw(&mut canvas);
                    self.picker_first = layout.first();
                }
                None => {
                    notice_alone("Looking for cameras").draw(&mut canvas);
                }
            }
        }
        match wall.sheet {
            Sheet::None => {}
            Sheet::Help => {
                self.help_last = help::draw(&mut canvas, &KEYS, self.help_first);
                self.help_first = self.help_first.min(self.help_last);
            }
            Sheet::Menu => {
                self.menu_first = open_menu(wall, self.menu_first).draw(&mut canvas).first();
            }
            Sheet::Code => {
                if let Some(tile) = tiles.get(wall.selected()) {
                    code::draw(&mut canvas, wall, tile);
                }
            }
            Sheet::Controls => {
                if let Some(tile) = tiles.get(wall.selected()) {
                    let layout = sheet(tile, self.panel_shown).draw(&mut canvas);
                    self.panel_shown = layout.shown();
                }
            }
        }
        badges::draw_toasts(&mut canvas, extras.toasts);
    }

    /// Scrolls the list of keys by this many lines, as far as possible.
    pub fn scroll_help(&mut self, lines: i32) {
        let step = usize::try_from(lines.unsigned_abs()).unwrap_or(usize::MAX);
        self.help_first = match lines {
            ..0 => self.help_first.saturating_sub(step),
            _ => self.help_first.saturating_add(step).min(self.help_last),
        };
    }

    /// The part of the panel of controls at a point.
    pub fn control_at(&self, wall: &Wall, tile: &Tile, x: i32, y: i32) -> Hit {
        let layout = self.panel_layout(wall, tile);
        layout.hit(tile.panel.controls(), x, y)
    }

    /// The value to which the held knob is dragged.
    pub fn dragged_to(&self, wall: &Wall, tile: &Tile, x: i32) -> Option<i64> {
        let held = tile.panel.held()?;
        let control = tile.panel.controls().get(held)?;
        self.panel_layout(wall, tile).value_at(control, held, x)
    }

    fn panel_layout(&self, wall: &Wall, tile: &Tile) -> controls::PanelLayout {
        let area = Rect::of(wall.room());
        sheet(tile, self.panel_shown).layout(area, Scale::for_area(area, self.density))
    }

    /// The positions of the list of cameras.
    pub fn list_layout(&self, wall: &Wall, offer: Offer<'_>) -> Option<picker::PickerLayout> {
        let area = Rect::of(wall.room());
        let list = offer.list(wall.choice?.marked, self.picker_first);
        Some(list.layout(area, Scale::for_area(area, self.density)))
    }

    /// The menu's line at a point.
    pub fn menu_entry_at(&self, wall: &Wall, x: i32, y: i32) -> Option<usize> {
        let area = Rect::of(wall.room());
        let layout = open_menu(wall, self.menu_first);
        layout.layout(area, Scale::for_area(area, self.density)).entry_at(x, y)
    }
}

fn notice_alone(title: &str) -> Notice<'_> {
    Notice { title, text: "", lasting: None, last_picture: None }
}

impl Buffers {
    /// Draws the figures, unless they were drawn a moment ago.
    fn renew_figures(
        &mut self,
        painter: &mut Painter,
        tile: &Tile,
        (area, room, scale): (Rect, Rect, Scale),
        now: Instant,
    ) {
        let is_new = |(at, of): (Instant, (Rect, Rect))| {
            of == (area, room) && at <= now && now.saturating_duration_since(at) < READABLE
        };
        if self.drawn.is_some_and(is_new) {
            return;
        }
        self.drawn = Some((now, (area, room)));
        let place = figures::place(room, area, scale);
        let figures = figures_of(tile, now);
        self.figures.draw(painter, (area, place), scale, |canvas| {
            // The layer's origin is the corner of the figures.
            figures.draw_in(canvas, room.moved(-place.x, -place.y));
        });
    }
}

impl<'a> Offer<'a> {
    fn list(&self, selected: usize, first: usize) -> Picker<'a> {
        let Self { rows, is_cut, hover, looking, behind, typed } = *self;
        let leaving = match behind {
            Behind::Nothing => "quits",
            Behind::Cameras => "goes back",
        };
        let advice = ADVICE;
        Picker { rows, is_cut, selected, hover, first, looking, advice, typed, leaving }
    }
}

/// What to do if no camera answers.
const ADVICE: &str = "Is lancam running, and on this network? Some networks block the search (multicast); then type the camera's address below";

/// The menu as the painter draws it.
fn open_menu(wall: &Wall, first: usize) -> menu::Menu<'_> {
    let menu = &wall.menu;
    menu::Menu { entries: &menu.entries, at: pixel(menu.at), marked: menu.marked, first }
}

/// The pixel at a point of the window.
#[allow(clippy::cast_possible_truncation)] // a place in a window
pub fn pixel(at: Point) -> (i32, i32) {
    (at.x as i32, at.y as i32)
}

/// The panel of a camera's controls as the painter draws it.
fn sheet(tile: &Tile, shown: controls::Shown) -> controls::Panel<'_> {
    let panel = &tile.panel;
    controls::Panel {
        camera: tile.channel.name(),
        controls: panel.controls(),
        selected: panel.selected(),
        hover: panel.hover(),
        shown,
        greyed: panel.greyed(),
    }
}

/// The picture that fills the window with nothing over it.
fn as_it_is<'a>(wall: &Wall, tiles: &'a [Tile], extras: &Extras<'_>) -> Option<&'a Picture> {
    let index = wall.selected();
    let tile = tiles.get(index)?;
    let (channel, picture) = (&tile.channel, tile.picture()?);
    let view = wall.view(index);
    let is_bare = !wall.is_grid()
        && wall.sheet == Sheet::None
        && wall.info == Info::Hidden
        && extras.picker.is_none()
        && channel.notice.is_none()
        && extras.toasts.is_empty()
        && extras.paused.is_none()
        && tile.recording(extras.now).is_none()
        && channel.lateness(extras.now).is_none();
    let is_whole = !view.is_zoomed()
        && view.orientation() == Orientation::UPRIGHT
        && picture.size() == wall.room();
    (is_bare && is_whole).then_some(picture)
}

fn rect(area: Area) -> Rect {
    let side = |side: usize| i32::try_from(side).unwrap_or(i32::MAX);
    Rect::new(side(area.x), side(area.y), side(area.size.width), side(area.size.height))
}
