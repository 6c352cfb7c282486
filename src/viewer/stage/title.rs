//! What stands in the window's title: which camera, and how it is.

use super::tile::Tile;
use crate::image::pixels::Size;
use crate::viewer::watch::news::NoticeKind;
use std::fmt::{self, Write};
use std::time::Instant;

/// What of a camera stands there.
#[derive(Debug, Clone, Copy)]
struct Facts<'a> {
    camera: &'a str,
    notice: Option<NoticeKind>,
    size: Option<Size>,
    fps: Option<f64>,
}

/// Writes it over what `out` held. Allocates only for a title longer than all before.
pub fn write(out: &mut String, tiles: &[Tile], selected: usize, is_grid: bool, now: Instant) {
    out.clear();
    let done = match tiles.get(selected).map(|tile| &tile.channel) {
        None => out.write_str("lancam"),
        Some(_) if is_grid => {
            let live = tiles.iter().filter(|tile| tile.channel.notice.is_none()).count();
            match tiles.len() - live {
                0 => write!(out, "lancam — {live} cameras"),
                away => write!(out, "lancam — {live} cameras, {away} without a picture"),
            }
        }
        Some(channel) => one(
            out,
            Facts {
                camera: channel.name(),
                notice: channel.notice.as_ref().map(|standing| standing.notice.kind),
                size: channel.arrival.as_ref().map(|arrival| arrival.size),
                fps: channel.statistics.recent_fps(now),
            },
        ),
    };
    // Writing to a String cannot fail.
    let _ = done;
}

/// `NAME — 1280×720 30 fps`, or what is in the way.
fn one(out: &mut String, Facts { camera, notice, size, fps }: Facts<'_>) -> fmt::Result {
    out.write_str(camera)?;
    match (notice, size) {
        (Some(kind), _) => write!(out, " — {}", kind.title()),
        (None, None) => Ok(()),
        (None, Some(Size { width, height })) => {
            write!(out, " — {width}×{height}")?;
            match fps {
                Some(fps) => write!(out, " {fps:.0} fps"),
                None => Ok(()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_title_says_what_is_seen_or_what_is_in_the_way() {
        let title = |facts: Facts<'_>| {
            let mut out = String::new();
            one(&mut out, facts).expect("a String takes everything");
            out
        };
        let mut facts = Facts { camera: "pi:9999", notice: None, size: None, fps: None };
        assert_eq!(title(facts), "pi:9999");
        (facts.camera, facts.size) = ("Küche", Some(Size::new(640, 360)));
        assert_eq!(title(facts), "Küche — 640×360");
        facts.fps = Some(29.7);
        assert_eq!(title(facts), "Küche — 640×360 30 fps");
        facts.notice = Some(NoticeKind::Disconnected);
        assert_eq!(title(facts), "Küche — not connected");
    }
}
