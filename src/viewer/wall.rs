//! What the window shows of which camera, and what keys and mouse change of that: plain state, no window.

use super::input::{Input, Key, Point};
use super::layout::Grid;
use super::view::View;
use crate::image::orientation::{Orientation, Rotation};
use crate::image::pixels::Size;
use crate::image::scale::Area;

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
    held: Option<usize>,
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
    /// Which one is marked.
    pub marked: usize,
}

/// What somebody else must do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// End the program.
    Leave,
    /// To full screen and back.
    FullScreen,
    /// Save the selected camera's picture as PNG.
    SavePicture,
    /// Save its own JPEG.
    SaveJpeg,
    /// Begin or end a recording of it.
    Record,
    /// Watch the camera at this place of the list.
    Watch(usize),
    /// A key for the panel of controls.
    Adjust(Key),
}

/// Pictures have this shape until they say otherwise.
const USUAL: Size = Size::new(1280, 720);
/// Arrow keys move a zoomed picture by this part of the pane.
const NUDGE: f64 = 0.1;

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
            held: None,
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

    /// What a list of so many cameras leaves of the choice; the mark stays where it is.
    pub fn offer(&mut self, count: usize) {
        let choice = self.choice.get_or_insert_default();
        choice.count = count;
        choice.marked = choice.marked.min(count.saturating_sub(1));
    }

    /// A camera has been chosen: the list is put away.
    pub fn chosen(&mut self) {
        self.choice = None;
    }

    /// Something was done; returns what somebody else must do about it.
    pub fn take(&mut self, input: Input) -> Option<Action> {
        match input {
            Input::Close => return Some(Action::Leave),
            Input::Key(key) => return self.pressed(key),
            Input::Press(at) => {
                self.held = self.at(at);
                self.selected = self.held.unwrap_or(self.selected);
            }
            Input::DoublePress(at) => {
                if self.at(at).is_some() {
                    self.enlarge();
                }
            }
            Input::Drag { by, .. } => {
                if let Some(held) = self.held {
                    self.with(held, |pane, area| pane.view.pan(by, area, pane.shape));
                }
            }
            Input::Release(_) => self.held = None,
            Input::Wheel { at, steps } => {
                if let Some(under) = self.at(at) {
                    let at = (at.x, at.y);
                    self.with(under, |pane, area| pane.view.zoom(steps, at, area, pane.shape));
                }
            }
            Input::Hover(_) => {}
        }
        None
    }

    fn pressed(&mut self, key: Key) -> Option<Action> {
        if let Some(choice) = &mut self.choice {
            match (key, choice.count) {
                (Key::Up, _) => choice.marked = choice.marked.saturating_sub(1),
                (Key::Down | Key::Tab, 1..) => {
                    choice.marked = (choice.marked + 1).min(choice.count - 1);
                }
                (Key::BackTab, 1..) => choice.marked = choice.marked.saturating_sub(1),
                (Key::Enter, 1..) => return Some(Action::Watch(choice.marked)),
                (Key::Character(digit @ '1'..='9'), _) => {
                    let index = usize::try_from(u32::from(digit) - u32::from('1')).ok()?;
                    return (index < choice.count).then_some(Action::Watch(index));
                }
                _ => return self.common(key),
            }
            return None;
        }
        match (self.sheet, key) {
            (Sheet::Help | Sheet::Controls, Key::Escape) => self.sheet = Sheet::None,
            (
                Sheet::Controls,
                Key::Up
                | Key::Down
                | Key::Left
                | Key::Right
                | Key::Enter
                | Key::Character('d' | 'D'),
            ) => return Some(Action::Adjust(key)),
            _ => return self.common(key).or_else(|| self.change_picture(key)),
        }
        None
    }

    /// Keys that do the same everywhere.
    fn common(&mut self, key: Key) -> Option<Action> {
        match key {
            Key::Escape | Key::Character('q' | 'Q') => return Some(Action::Leave),
            Key::F11 | Key::Character('f' | 'F') => return Some(Action::FullScreen),
            Key::Character('?') => self.toggle(Sheet::Help),
            _ => {}
        }
        None
    }

    fn change_picture(&mut self, key: Key) -> Option<Action> {
        match key {
            Key::Character('s') => return Some(Action::SavePicture),
            Key::Character('S') => return Some(Action::SaveJpeg),
            Key::Character('r' | 'R') => return Some(Action::Record),
            Key::Character('i' | 'I') => {
                self.info = match self.info {
                    Info::Shown => Info::Hidden,
                    Info::Hidden => Info::Shown,
                };
            }
            Key::Character(' ') => {
                self.motion = match self.motion {
                    Motion::Live => Motion::Paused,
                    Motion::Paused => Motion::Live,
                };
            }
            Key::Character('c' | 'C') => self.toggle(Sheet::Controls),
            Key::Tab => self.select_by(1),
            Key::BackTab => self.select_by(self.panes.len().saturating_sub(1)),
            Key::Enter => self.enlarge(),
            Key::Up | Key::Down | Key::Left | Key::Right => self.arrow(key),
            Key::Character(letter) => self.look(letter),
            Key::Escape | Key::F11 => {}
        }
        None
    }

    /// Keys that change how the selected picture lies in its pane.
    fn look(&mut self, letter: char) {
        self.with(self.selected, |pane, area| {
            let view = &mut pane.view;
            let middle = (
                area.x as f64 + area.size.width as f64 / 2.0,
                area.y as f64 + area.size.height as f64 / 2.0,
            );
            match letter {
                '+' | '=' => view.zoom(1.0, middle, area, pane.shape),
                '-' | '_' => view.zoom(-1.0, middle, area, pane.shape),
                '0' => view.fit(),
                ']' => view.turn(Rotation::Quarter),
                '[' => view.turn(Rotation::ThreeQuarters),
                'h' | 'H' => view.flip(Orientation::FLIPPED_LEFT_RIGHT),
                'v' | 'V' => view.flip(Orientation::FLIPPED_TOP_BOTTOM),
                _ => {}
            }
        });
        self.lay_out();
    }

    /// Moves a zoomed picture, or else the selection.
    fn arrow(&mut self, key: Key) {
        let is_zoomed = self.view(self.selected).is_zoomed();
        if !is_zoomed && matches!(key, Key::Right | Key::Down) {
            return self.select_by(1);
        }
        if !is_zoomed {
            return self.select_by(self.panes.len().saturating_sub(1));
        }
        self.with(self.selected, |pane, area| {
            let (across, down) = (area.size.width as f64 * NUDGE, area.size.height as f64 * NUDGE);
            let by = match key {
                Key::Left => (across, 0.0),
                Key::Right => (-across, 0.0),
                Key::Up => (0.0, down),
                _ => (0.0, -down),
            };
            pane.view.pan(by, area, pane.shape);
        });
    }

    fn toggle(&mut self, sheet: Sheet) {
        self.sheet = if self.sheet == sheet { Sheet::None } else { sheet };
    }

    fn enlarge(&mut self) {
        self.arrangement = match self.arrangement {
            Arrangement::Grid => Arrangement::One,
            Arrangement::One => Arrangement::Grid,
        };
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

#[cfg(test)]
mod tests {
    use super::*;

    fn wall(cameras: usize) -> Wall {
        let mut wall = Wall::new(cameras);
        wall.resize(Size::new(1280, 720));
        wall
    }

    fn press(wall: &mut Wall, keys: &str) -> Option<Action> {
        keys.chars().filter_map(|key| wall.take(Input::Key(Key::Character(key)))).last()
    }

    #[test]
    fn tab_and_clicks_select_and_enter_and_double_clicks_enlarge() {
        let mut wall = wall(4);
        assert!((0..4).all(|index| wall.area(index).is_some()));
        wall.take(Input::Key(Key::Tab));
        assert_eq!(wall.selected(), 1);
        wall.take(Input::Key(Key::BackTab));
        wall.take(Input::Key(Key::BackTab));
        assert_eq!(wall.selected(), 3);
        wall.take(Input::Press(Point { x: 900.0, y: 100.0 }));
        assert_eq!(wall.selected(), 1);
        wall.take(Input::Key(Key::Enter));
        assert_eq!(wall.area(1), Some(Area::of(Size::new(1280, 720))));
        assert_eq!(wall.area(0), None, "not seen, not decoded");
        wall.take(Input::Key(Key::Tab));
        assert_eq!((wall.selected(), wall.area(2).is_some()), (2, true));
        wall.take(Input::DoublePress(Point { x: 1.0, y: 1.0 }));
        assert!(wall.is_grid());
    }

    #[test]
    fn keys_ask_for_what_the_list_of_keys_says() {
        let mut wall = wall(1);
        for (key, action) in [
            ("q", Action::Leave),
            ("f", Action::FullScreen),
            ("s", Action::SavePicture),
            ("S", Action::SaveJpeg),
            ("r", Action::Record),
        ] {
            assert_eq!(press(&mut wall, key), Some(action), "{key}");
        }
        assert_eq!(press(&mut wall, "i ?äß"), None);
        let state = (wall.info, wall.motion, wall.sheet);
        assert_eq!(state, (Info::Shown, Motion::Paused, Sheet::Help));
        assert_eq!(wall.take(Input::Key(Key::Escape)), None, "only the help is put away");
        assert_eq!(wall.take(Input::Key(Key::Escape)), Some(Action::Leave));
        assert_eq!(wall.take(Input::Close), Some(Action::Leave));
    }

    #[test]
    fn only_the_selected_picture_is_zoomed_turned_and_mirrored() {
        let mut wall = wall(2);
        wall.take(Input::Key(Key::Tab));
        press(&mut wall, "+]h");
        assert!(wall.view(1).is_zoomed());
        assert!(wall.view(1).orientation().swaps_sides());
        assert_eq!(wall.view(0), View::default());
        press(&mut wall, "0h[");
        assert_eq!(wall.view(1), View::default());
    }

    #[test]
    fn the_wheel_zooms_what_is_under_it_and_dragging_moves_it() {
        let mut wall = wall(2);
        let at = Point { x: 900.0, y: 360.0 };
        wall.take(Input::Wheel { at, steps: 3.0 });
        assert!(wall.view(1).is_zoomed() && !wall.view(0).is_zoomed());
        let before = wall.view(1);
        wall.take(Input::Drag { to: at, by: (5.0, 0.0) });
        assert_eq!(wall.view(1), before, "nothing is held");
        wall.take(Input::Press(at));
        wall.take(Input::Drag { to: at, by: (5.0, 0.0) });
        assert_ne!(wall.view(1), before);
        let moved = wall.view(1);
        wall.take(Input::Release(at));
        wall.take(Input::Drag { to: at, by: (5.0, 0.0) });
        assert_eq!(wall.view(1), moved);
        wall.take(Input::Key(Key::Left));
        assert_ne!(wall.view(1), moved, "an arrow moves what is zoomed");
    }

    #[test]
    fn a_camera_is_chosen_from_a_list_that_changes_meanwhile() {
        let mut wall = wall(0);
        wall.offer(3);
        wall.take(Input::Key(Key::Down));
        wall.take(Input::Key(Key::Down));
        wall.take(Input::Key(Key::Down));
        assert_eq!(wall.take(Input::Key(Key::Enter)), Some(Action::Watch(2)));
        wall.offer(1);
        assert_eq!(wall.take(Input::Key(Key::Enter)), Some(Action::Watch(0)));
        assert_eq!(press(&mut wall, "2"), None);
        wall.offer(0);
        assert_eq!(wall.take(Input::Key(Key::Enter)), None);
        assert_eq!(press(&mut wall, "s"), None, "there is no picture to save");
        assert_eq!(press(&mut wall, "q"), Some(Action::Leave));
    }
}
