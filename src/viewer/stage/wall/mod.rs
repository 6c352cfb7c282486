//! What the window shows, as plain state without a window.

pub mod code;
mod commands;
mod menu;
#[cfg(test)]
mod tests;
mod typing;
pub mod view;

use crate::image::pixels::Size;
use crate::image::scale::Area;
use crate::viewer::paint::menu::Entry;
use crate::viewer::stage::grid::Grid;
use crate::viewer::stage::input::Point;
use crate::viewer::stage::keys::Command;
use code::CodeField;
pub use typing::{Field, NotPasted};
use view::View;

/// The state of the window that belongs to no single camera.
#[derive(Debug)]
pub struct Wall {
    room: Size,
    panes: Vec<Pane>,
    grid: Grid,
    selected: usize,
    arrangement: Arrangement,
    /// What lies over the pictures.
    pub sheet: Sheet,
    /// Whether the figures are shown.
    pub info: Info,
    /// Whether the pictures are paused.
    pub motion: Motion,
    /// The list of cameras, if it is open.
    pub choice: Option<Choice>,
    /// The text in the field below the list.
    typed: String,
    /// The field for a code, for [`Sheet::Code`].
    code: CodeField,
    /// The menu, for [`Sheet::Menu`].
    pub menu: Menu,
    held: Option<usize>,
    /// The fraction of a step that the wheel has been turned over a list.
    turned: f64,
}

/// The pane of one camera.
#[derive(Debug, Clone, Copy)]
struct Pane {
    view: View,
    /// The size of its newest picture; a guess before the first.
    shape: Size,
    /// Whether the camera waits for its code.
    wants_code: bool,
}

/// How many cameras are visible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrangement {
    /// All of them.
    Grid,
    /// The selected one.
    One,
}

/// What lies over the pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sheet {
    /// Nothing.
    None,
    /// The list of keys.
    Help,
    /// The selected camera's controls.
    Controls,
    /// The menu.
    Menu,
    /// The field for the selected camera's code.
    Code,
}

/// Whether figures are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Info {
    /// They are.
    Shown,
    /// They are not.
    Hidden,
}

/// Whether pictures move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Motion {
    /// The newest is shown.
    Live,
    /// The last one stays.
    Paused,
}

/// An open list of cameras.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Choice {
    /// The number of cameras.
    pub count: usize,
    /// The marked one. After the last one: the field for an address.
    pub marked: usize,
    /// What is behind the list.
    pub behind: Behind,
    /// Whether the user has moved the mark.
    pub is_moved: bool,
}

/// An open menu.
#[derive(Debug, Clone, Default)]
pub struct Menu {
    /// Its lines.
    pub entries: Vec<Entry<'static>>,
    commands: Vec<Command>,
    /// The point where it was opened.
    pub at: Point,
    /// The line that is marked.
    pub marked: Option<usize>,
}

/// What is behind the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Behind {
    /// Nothing is watched yet: closing the list quits.
    #[default]
    Nothing,
    /// The cameras that are watched.
    Cameras,
}

/// What the caller has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// End the program.
    Leave,
    /// Nothing lies over the pictures: leave full screen, else quit.
    Back,
    /// Toggle full screen.
    FullScreen,
    /// Save the selected camera's picture as PNG.
    SavePicture,
    /// Save its JPEG.
    SaveJpeg,
    /// Start or end its recording.
    Record,
    /// Show the list of cameras over those being watched.
    List,
    /// Close the list.
    PutListAway,
    /// Watch the cameras selected in the list, or else the one at this place.
    Watch(usize),
    /// Watch only the camera at this place of the list.
    WatchOnly(usize),
    /// Select or deselect the camera at this place of the list.
    Select(usize),
    /// Watch the camera at the typed address.
    WatchTyped,
    /// Pair with the selected camera by the typed code.
    Pair,
    /// Paste the clipboard's text into the field.
    Paste,
    /// Scroll the list of keys by this many lines.
    Scroll(i32),
    /// A command for the panel of controls.
    Adjust(Command),
}

/// The size assumed before the first picture.
const USUAL: Size = Size::new(1280, 720);
impl Wall {
    /// The state for this many cameras.
    pub fn new(cameras: usize) -> Self {
        let pane = Pane { view: View::default(), shape: USUAL, wants_code: false };
        Self {
            room: USUAL,
            panes: vec![pane; cameras],
            grid: Grid::new(USUAL, &std::iter::repeat_n(USUAL, cameras)),
            selected: 0,
            arrangement: Arrangement::Grid,
            sheet: Sheet::None,
            info: Info::Hidden,
            motion: Motion::Live,
            choice: None,
            typed: String::new(),
            code: CodeField::default(),
            menu: Menu::default(),
            held: None,
            turned: 0.0,
        }
    }

    /// Sets the window's size.
    pub fn resize(&mut self, room: Size) {
        self.room = room;
        self.lay_out();
    }

    /// The window's size.
    pub fn room(&self) -> Size {
        self.room
    }

    /// Sets the size of camera `index`'s pictures.
    pub fn reshape(&mut self, index: usize, shape: Size) {
        if let Some(pane) = self.panes.get_mut(index) {
            pane.shape = shape;
            self.lay_out();
        }
    }

    /// The size of camera `index`'s pictures.
    pub fn shape(&self, index: usize) -> Size {
        self.panes.get(index).map_or(USUAL, |pane| pane.shape)
    }

    /// The camera that keys act on.
    pub fn selected(&self) -> usize {
        self.selected
    }

    /// Whether several cameras are visible, one of them selected.
    pub fn is_grid(&self) -> bool {
        self.arrangement == Arrangement::Grid && self.panes.len() > 1
    }

    /// The pane of camera `index`; `None` if it is not visible.
    pub fn area(&self, index: usize) -> Option<Area> {
        match self.is_grid() {
            true => Some(self.grid.pane(index)),
            false => (index == self.selected).then(|| Area::of(self.room)),
        }
    }

    /// How its picture lies in its pane.
    pub fn view(&self, index: usize) -> View {
        self.panes.get(index).map_or_else(View::default, |pane| pane.view)
    }

    fn lay_out(&mut self) {
        let turned = |pane: &Pane| pane.view.orientation().size_of(pane.shape);
        self.grid = Grid::new(self.room, &self.panes.iter().map(turned));
    }

    /// Opens the list with this many cameras, or updates it. The mark stays in its place, and typing goes on.
    pub fn offer(&mut self, count: usize) {
        if self.choice.is_none() && self.sheet == Sheet::Controls {
            // They belong to a camera that is no longer watched.
            self.sheet = Sheet::None;
        }
        let types = self.types();
        let choice = self.choice.get_or_insert_default();
        choice.count = count;
        choice.marked = match types {
            true => count,
            false => choice.marked.min(count.saturating_sub(1)),
        };
    }

    /// Opens the list over the cameras being watched.
    pub fn browse(&mut self) {
        self.sheet = Sheet::None;
        self.typed.clear();
        self.choice = Some(Choice { behind: Behind::Cameras, ..Choice::default() });
    }

    /// Marks a place in the list, unless the user is typing.
    pub fn mark(&mut self, index: usize) {
        if self.types() {
            return;
        }
        if let Some(choice) = &mut self.choice {
            choice.marked = index.min(choice.count.saturating_sub(1));
        }
    }

    /// Closes the list.
    pub fn chosen(&mut self) {
        self.choice = None;
        self.typed.clear();
    }

    /// Puts another camera in the selected one's place.
    pub fn replace_selected(&mut self) {
        (self.motion, self.held) = (Motion::Live, None);
        if let Some(pane) = self.panes.get_mut(self.selected) {
            *pane = Pane { view: View::default(), shape: USUAL, wants_code: false };
        }
        self.lay_out();
    }

    /// Takes a turn of the wheel over a list. Returns the whole steps downwards.
    pub fn turn_wheel(&mut self, steps: f64) -> i32 {
        self.turned -= steps;
        let whole = self.turned.trunc();
        self.turned -= whole;
        #[allow(clippy::cast_possible_truncation)] // at most ten
        let whole = whole as i32;
        whole
    }

    fn toggle(&mut self, sheet: Sheet) {
        self.sheet = if self.sheet == sheet { Sheet::None } else { sheet };
    }

    /// Enlarges the selected camera, or returns to the grid. A single camera toggles full screen. A camera that waits for its
    /// code is asked for that first.
    fn enlarge(&mut self) -> Option<Action> {
        if self.panes.get(self.selected).is_some_and(|pane| pane.wants_code) {
            self.ask_for_code();
            return None;
        }
        if self.panes.len() < 2 {
            return (!self.panes.is_empty()).then_some(Action::FullScreen);
        }
        self.arrangement = match self.arrangement {
            Arrangement::Grid => Arrangement::One,
            Arrangement::One => Arrangement::Grid,
        };
        None
    }

    /// Undoes what lies on top: the enlargement, then the zoom.
    fn put_away(&mut self) -> Option<Action> {
        if self.arrangement == Arrangement::One && self.panes.len() > 1 {
            self.arrangement = Arrangement::Grid;
        } else if self.view(self.selected).is_zoomed() {
            self.with(self.selected, |pane, _| pane.view.fit());
        } else {
            return Some(Action::Back);
        }
        None
    }

    fn select_by(&mut self, step: usize) {
        if !self.panes.is_empty() {
            self.selected = (self.selected + step) % self.panes.len();
        }
    }

    fn with(&mut self, index: usize, change: impl FnOnce(&mut Pane, Area)) {
        if let (Some(area), Some(pane)) = (self.area(index), self.panes.get_mut(index)) {
            change(pane, area);
        }
    }

    /// The camera whose pane is at a point.
    fn at(&self, point: Point) -> Option<usize> {
        let (x, y) = (whole(point.x)?, whole(point.y)?);
        let is_there = |&index: &usize| self.area(index).is_some_and(|area| area.contains(x, y));
        (0..self.panes.len()).find(is_there)
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a place in a window
fn whole(side: f64) -> Option<usize> {
    (side >= 0.0).then_some(side as usize)
}
