//! The panel of the selected camera's controls: handles the mouse and the camera's answers.

use super::Show;
use crate::viewer::paint::badges::Mood;
use crate::viewer::paint::controls::Hit;
use crate::viewer::stage::composer::pixel;
use crate::viewer::stage::input::Input;
use crate::viewer::stage::keys::{Command, Way};
use crate::viewer::stage::panel::Setting;
use crate::viewer::stage::wall::Sheet;

impl Show {
    /// Handles the mouse in the panel of controls. Returns whether it did anything there.
    pub(super) fn touch_panel(&mut self, input: Input) -> bool {
        if self.wall.sheet != Sheet::Controls {
            return false;
        }
        let Some(tile) = self.tiles.get_mut(self.wall.selected()) else { return false };
        if let Input::Press(_) | Input::DoublePress(_) = input {
            // The button may have been released where it was not seen.
            tile.panel.release();
        }
        let change = match input {
            Input::Press(at) | Input::Hover(at) | Input::DoublePress(at) => {
                let (x, y) = pixel(at);
                let hit = self.composer.control_at(&self.wall, tile, x, y);
                tile.panel.point(hit);
                if hit == Hit::Outside {
                    return false;
                }
                match input {
                    Input::Hover(_) => None,
                    _ => tile.panel.press(hit),
                }
            }
            Input::Wheel { at, steps } => {
                let (x, y) = pixel(at);
                if self.composer.control_at(&self.wall, tile, x, y) == Hit::Outside {
                    return false;
                }
                let rows = self.wall.turn_wheel(steps);
                let way = if rows < 0 { Way::Up } else { Way::Down };
                (0..rows.unsigned_abs()).find_map(|_| tile.panel.obey(Command::Move(way)))
            }
            Input::Drag { to, .. } if tile.panel.held().is_some() => {
                let value = self.composer.dragged_to(&self.wall, tile, pixel(to).0);
                value.and_then(|value| tile.panel.drag(value))
            }
            Input::Release(_) if tile.panel.held().is_some() => {
                tile.panel.release();
                None
            }
            _ => return false,
        };
        self.adjust(change);
        true
    }

    /// Sends the selected camera a new value for a control.
    pub(super) fn adjust(&self, change: Option<Setting>) {
        if let (Some(tile), Some(Setting { id, value })) =
            (self.tiles.get(self.wall.selected()), change)
        {
            tile.channel.remote.set(id, value);
        }
    }

    /// Takes what cameras said about their controls. Returns whether anything changed.
    pub(super) fn hear_of_controls(&mut self) -> bool {
        let (mut is_news, mut complaint) = (false, None);
        for tile in &mut self.tiles {
            let before = tile.panel.complaint().map(str::to_owned);
            if tile.panel.update(tile.channel.remote.controls()) {
                is_news = true;
                let now = tile.panel.complaint();
                complaint = complaint
                    .or(now.filter(|now| before.as_deref() != Some(*now)).map(str::to_owned));
            }
        }
        if let Some(complaint) = complaint {
            self.say(Mood::Bad, complaint);
        }
        is_news
    }
}
