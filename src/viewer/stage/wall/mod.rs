//! What the window shows of which camera: plain state, no window.

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
use view::View;

/// All that is not a camera's.
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
    /// Whether the pictures stand still because somebody wants them to.
    pub motion: Motion,
    /// The cameras to choose from, while one is to be chosen.
    pub choice: Option<Choice>,
    /// What was typed below the list.
    typed: String,
    /// The menu, for [`Sheet::Menu`].
    pub menu: Menu,
    held: Option<usize>,
    /// By how much of a step the wheel was turned for a list.
    turned: f64,
}

/// One camera's place.
#[derive(Debug, Clone, Copy)]
struct Pane {
    view: View,
    /// Of its newest picture; a guess until there is one.
    shape: Size,
}

/// How many cameras are seen.
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

/// A list to choose from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Choice {
    /// How many there are.
    pub count: usize,
    /// Which one is marked; behind the last one: the field for an address.
    pub marked: usize,
    /// What is seen again when none of them is chosen.
    pub behind: Behind,
    /// Whether somebody has marked it.
    pub is_moved: bool,
}

/// A menu.
#[derive(Debug, Clone, Default)]
pub struct Menu {
    /// Its lines.
    pub entries: Vec<Entry<'static>>,
    commands: Vec<Command>,
    /// Where it was asked for.
    pub at: Point,
    /// The line that is marked.
    pub marked: Option<usize>,
}

/// What lies behind a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Behind {
    /// Nothing is watched yet: who chooses none leaves.
    #[default]
    Nothing,
    /// The cameras that are watched.
    Cameras,
}

/// What somebody else must do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// End the program.
    Leave,
    /// Nothing lies over the pictures any more: leave full screen, or else the program.
    Back,
    /// To full screen and back.
    FullScreen,
    /// Save the selected camera's picture as PNG.
    SavePicture,
    /// Save its own JPEG.
    SaveJpeg,
    /// Begin or end a recording of it.
    Record,
    /// List the cameras on the LAN, over those that are watched.
    List,
    /// Go back to them.
    PutListAway,
    /// Watch the cameras that are selected in the list, or else the one at this place.
    Watch(usize),
    /// Watch the camera at this place of the list alone.
    WatchOnly(usize),
    /// Select the camera at this place of the list, or no longer.
    Select(usize),
    /// Watch the camera at the address that was typed.
    WatchTyped,
    /// Show the list of keys from so many lines further down.
    Scroll(i32),
    /// A command for the panel of controls.
    Adjust(Command),
}

/// Pictures have this shape until they say otherwise.
const USUAL: Size = Size::new(1280, 720);
impl Wall {
    /// A wall of so many cameras.
    pub fn new(cameras: usize) -> Self {
        let pane = Pane { view: View::default(), shape: USUAL };
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
            menu: Menu::default(),
            held: None,
            turned: 0.0,
        }
    }

    /// The window has this size now.
    pub fn resize(&mut self, room: Size) {
        self.room = room;
        self.lay_out();
    }

    /// Its size.
    pub fn room(&self) -> Size {
        self.room
    }

    /// Camera `index` has pictures of this size now.
    pub fn reshape(&mut self, index: usize, shape: Size) {
        if let Some(pane) = self.panes.get_mut(index) {
            pane.shape = shape;
            self.lay_out();
        }
    }

    /// The shape of camera `index`'s pictures.
    pub fn shape(&self, index: usize) -> Size {
        self.panes.get(index).map_or(USUAL, |pane| pane.shape)
    }

    /// Which camera keys are for.
    pub fn selected(&self) -> usize {
        self.selected
    }

    /// Whether several cameras are seen, one of which is selected.
    pub fn is_grid(&self) -> bool {
        self.arrangement == Arrangement::Grid && self.panes.len() > 1
    }

    /// Where camera `index` is seen; `None` when it is not.
    pub fn area(&self, index: usize) -> Option<Area> {
        match self.is_grid() {
            true => Some(self.grid.pane(index)),
            false => (index == self.selected).then(|| Area::of(self.room)),
        }
    }

    /// How its picture lies there.
    pub fn view(&self, index: usize) -> View {
        self.panes.get(index).map_or_else(View::default, |pane| pane.view)
    }

    fn lay_out(&mut self) {
        let turned = |pane: &Pane| pane.view.orientation().size_of(pane.shape);
        self.grid = Grid::new(self.room, &self.panes.iter().map(turned));
    }

    /// What a list of so many cameras leaves of the choice; the mark stays where it is, and whoever types goes on.
    pub fn offer(&mut self, count: usize) {
        if self.choice.is_none() && self.sheet == Sheet::Controls {
            // Those of a camera that is watched no longer.
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

    /// There is a list to choose from, over the cameras that are watched.
    pub fn browse(&mut self) {
        self.sheet = Sheet::None;
        self.typed.clear();
        self.choice = Some(Choice { behind: Behind::Cameras, ..Choice::default() });
    }

    /// Marks this one of the list, unless somebody types.
    pub fn mark(&mut self, index: usize) {
        if self.types() {
            return;
        }
        if let Some(choice) = &mut self.choice {
            choice.marked = index.min(choice.count.saturating_sub(1));
        }
    }

    /// The list is put away.
    pub fn chosen(&mut self) {
        self.choice = None;
        self.typed.clear();
    }

    /// Another camera is seen in the selected one's place.
    pub fn replace_selected(&mut self) {
        (self.motion, self.held) = (Motion::Live, None);
        if let Some(pane) = self.panes.get_mut(self.selected) {
            *pane = Pane { view: View::default(), shape: USUAL };
        }
        self.lay_out();
    }

    /// The wheel was turned over a list: the whole steps downwards that come of it.
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

    /// The selected camera takes the window, or gives it back; one that has it anyway takes the screen.
    fn enlarge(&mut self) -> Option<Action> {
        if self.panes.len() < 2 {
            return (!self.panes.is_empty()).then_some(Action::FullScreen);
        }
        self.arrangement = match self.arrangement {
            Arrangement::Grid => Arrangement::One,
            Arrangement::One => Arrangement::Grid,
        };
        None
    }

    /// Takes away what lies on top of the pictures: the enlargement, then the zoom.
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

    /// Whose pane lies there.
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
