//! The window's title: the camera and its state. It changes only when they do, because taskbars flash at each change.

use super::tile::Tile;
use crate::image::pixels::Size;
use crate::viewer::watch::news::NoticeKind;
use std::fmt::{self, Write};

/// What the title says about a camera.
#[derive(Debug, Clone, Copy)]
struct Facts<'a> {
    camera: &'a str,
    notice: Option<NoticeKind>,
    size: Option<Size>,
}

/// Writes the title over `out`. Allocates only for a title longer than all before.
pub fn write(out: &mut String, tiles: &[Tile], selected: usize, is_grid: bool) {
    out.clear();
    let done = match tiles.get(selected).map(|tile| &tile.channel) {
        None => out.write_str("lancam"),
        Some(_) if is_grid => {
            let live = tiles.iter().filter(|tile| tile.channel.notice.is_none()).count();
            let cameras = if live == 1 { "camera" } else { "cameras" };
            match tiles.len() - live {
                0 => write!(out, "lancam — {live} {cameras}"),
                away => write!(out, "lancam — {live} {cameras}, {away} without a picture"),
            }
        }
        Some(channel) => one(
            out,
            Facts {
                camera: channel.name(),
                notice: channel.notice.as_ref().map(|standing| standing.notice.kind),
                size: channel.arrival.as_ref().map(|arrival| arrival.size),
            },
        ),
    };
    // Writing to a String cannot fail.
    let _ = done;
}

/// Writes `NAME — 1280×720`, or why there is no picture.
fn one(out: &mut String, Facts { camera, notice, size }: Facts<'_>) -> fmt::Result {
    out.write_str(camera)?;
    match (notice, size) {
        (Some(kind), _) => write!(out, " — {}", kind.title()),
        (None, None) => Ok(()),
        (None, Some(Size { width, height })) => write!(out, " — {width}×{height}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_title_says_which_camera_is_seen_or_why_it_is_not() {
        let title = |facts: Facts<'_>| {
            let mut out = String::new();
            one(&mut out, facts).expect("a String takes everything");
            out
        };
        let mut facts = Facts { camera: "pi:9999", notice: None, size: None };
        assert_eq!(title(facts), "pi:9999");
        (facts.camera, facts.size) = ("Küche", Some(Size::new(640, 360)));
        assert_eq!(title(facts), "Küche — 640×360");
        facts.notice = Some(NoticeKind::Disconnected);
        assert_eq!(title(facts), "Küche — not connected");
    }
}
