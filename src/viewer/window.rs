//! A desktop window: the only file that names `minifb`.

use super::news::{Notice, NoticeKind};
use super::overlay;
use super::presenter::{Change, End, Scene, Screen, ScreenError};
use crate::image::picture::Picture;
use crate::image::pixels::Size;
use crate::image::rendition::{Aspect, SizeWish};
use minifb::{InputCallback, Key, ScaleMode, WindowOptions};
use std::fmt::{self, Write};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

/// An open window.
pub struct Window {
    window: minifb::Window,
    keys: Receiver<KeyStroke>,
    /// Where text is drawn over the last picture.
    canvas: Picture,
    drawn: Option<Drawn>,
    /// What it is called until the camera has told its name.
    name: String,
    title: String,
    /// The next title is put together here.
    next_title: String,
}

/// What the window shows now.
#[derive(Debug, Clone, Copy)]
struct Drawn {
    /// The window's size then.
    size: Size,
    at: Instant,
}

/// A key that was pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KeyStroke {
    /// What it types in the user's own layout.
    Character(char),
    Escape,
}

/// Events are only seen when they are asked for: often enough that keys and resizing feel immediate.
const EVENT_INTERVAL: Duration = Duration::from_millis(8);

/// X11 forgets what another window covered, and `minifb` does not pass on when it is seen again.
const REDRAW_INTERVAL: Duration = Duration::from_millis(250);

/// A window is opened no larger than this, since `minifb` does not know the screen's size ...
const LARGEST: Size = Size::new(1280, 720);
/// ... and a picture smaller than this is enlarged into it.
const SMALLEST: Size = Size::new(640, 360);

impl Window {
    /// Opens a window in the shape of the first picture, if that has come yet; `name` is its title
    /// until the camera has told its own.
    ///
    /// # Errors
    /// When there is no display, or a library for windows is missing.
    pub fn open(name: &str, picture: Option<Size>) -> Result<Self, ScreenError> {
        let size = opening_size(picture);
        let options = WindowOptions {
            resize: true,
            scale_mode: ScaleMode::AspectRatioStretch,
            ..WindowOptions::default()
        };
        let mut window = minifb::Window::new(name, size.width, size.height, options)
            .map_err(|error| explain(&error.to_string()))?;
        // The presenter sleeps until a frame arrives; a sleep in here would only delay it.
        window.set_target_fps(0);
        let (sender, keys) = mpsc::channel();
        window.set_input_callback(Box::new(Keyboard(sender)));
        Ok(Self {
            window,
            keys,
            canvas: Picture::default(),
            drawn: None,
            name: name.to_owned(),
            title: name.to_owned(),
            next_title: String::new(),
        })
    }

    fn size(&self) -> Size {
        let (width, height) = self.window.get_size();
        Size::new(width, height)
    }

    fn draw(&mut self, scene: &Scene, change: Change, now: Instant) -> Result<(), ScreenError> {
        let size = self.size();
        let is_new = change != Change::Nothing || self.drawn.is_none_or(|drawn| drawn.size != size);
        let is_covered =
            self.drawn.is_some_and(|drawn| now.duration_since(drawn.at) >= REDRAW_INTERVAL);
        if !is_new && !is_covered {
            self.window.update();
            return Ok(());
        }
        self.drawn = Some(Drawn { size, at: now });
        let behind = scene.arrival.as_deref().map(|arrival| &arrival.picture);
        let picture = match (behind, &scene.notice) {
            (Some(picture), None) => picture,
            (_, notice) => {
                if is_new {
                    self.canvas.reshape(size);
                    overlay::compose(&mut self.canvas, behind, &text(notice.as_deref()));
                }
                &self.canvas
            }
        };
        let Size { width, height } = picture.size();
        if width == 0 || height == 0 {
            self.window.update();
            return Ok(());
        }
        self.window
            .update_with_buffer(picture.pixels(), width, height)
            .map_err(|error| ScreenError::Window(error.to_string()))
    }

    fn entitle(&mut self, scene: &Scene) {
        self.next_title.clear();
        // Writing to a String cannot fail.
        let _ = write_title(scene, &self.name, &mut self.next_title);
        if self.next_title != self.title {
            std::mem::swap(&mut self.next_title, &mut self.title);
            self.window.set_title(&self.title);
        }
    }

    /// Whether the user wants to leave, by any way there is.
    fn is_left(&self) -> bool {
        let wants_out = |key| matches!(key, KeyStroke::Escape | KeyStroke::Character('q' | 'Q'));
        !self.window.is_open() || self.keys.try_iter().any(wants_out)
    }
}

impl Screen for Window {
    fn patience(&self, _now: Instant) -> Duration {
        EVENT_INTERVAL
    }

    fn present(
        &mut self,
        scene: &Scene,
        change: Change,
        now: Instant,
    ) -> Result<Option<End>, ScreenError> {
        self.draw(scene, change, now)?;
        self.entitle(scene);
        Ok(self.is_left().then_some(End::UserLeft))
    }
}

impl fmt::Debug for Window {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Window").field("title", &self.title).finish_non_exhaustive()
    }
}

/// `minifb` reports keys to something that it owns.
struct Keyboard(Sender<KeyStroke>);

impl InputCallback for Keyboard {
    fn add_char(&mut self, code: u32) {
        if let Some(letter) = char::from_u32(code) {
            // Fails only while the window is being closed.
            let _ = self.0.send(KeyStroke::Character(letter));
        }
    }

    fn set_key_state(&mut self, key: Key, is_down: bool) {
        if key == Key::Escape && is_down {
            let _ = self.0.send(KeyStroke::Escape);
        }
    }
}

fn opening_size(picture: Option<Size>) -> Size {
    let Some(picture) = picture else { return LARGEST };
    let inside = |room: Size| {
        let (width, height) = (Some(room.width), Some(room.height));
        SizeWish { width, height, aspect: Aspect::Keep }.size_for(picture)
    };
    if picture.width > LARGEST.width || picture.height > LARGEST.height {
        inside(LARGEST)
    } else if picture.width < SMALLEST.width && picture.height < SMALLEST.height {
        inside(SMALLEST)
    } else {
        picture
    }
}

/// What is in the way, and that somebody works on it.
fn text(notice: Option<&Notice>) -> String {
    match notice {
        None => "connecting".to_owned(),
        Some(Notice { kind: NoticeKind::Connecting | NoticeKind::NoPicture, text }) => text.clone(),
        Some(Notice { text, .. }) => format!("{text} (trying again)"),
    }
}

/// `NAME — 1280×720 30 fps`, or what is in the way.
fn write_title(scene: &Scene, name: &str, out: &mut String) -> fmt::Result {
    let camera = scene.arrival.as_ref().map_or(name, |arrival| &*arrival.camera);
    out.write_str(camera)?;
    match (&scene.arrival, &scene.notice) {
        (_, Some(notice)) => write!(out, " — {}", notice.kind.title()),
        (None, None) => Ok(()),
        (Some(arrival), None) => {
            let Size { width, height } = arrival.picture.size();
            write!(out, " — {width}×{height}")?;
            match scene.figures.recent_fps() {
                Some(fps) => write!(out, " {fps:.0} fps"),
                None => Ok(()),
            }
        }
    }
}

/// What `minifb` could not do, and what would help.
fn explain(error: &str) -> ScreenError {
    let is_set = |variable| std::env::var_os(variable).is_some_and(|value| !value.is_empty());
    let needs_display = cfg!(all(unix, not(target_os = "macos")));
    if needs_display && !is_set("DISPLAY") && !is_set("WAYLAND_DISPLAY") {
        return ScreenError::NoDisplay;
    }
    let missing = |library, package| ScreenError::LibraryMissing { library, package };
    if error.contains("failed to load XCursor") {
        missing("libXcursor.so.1", "libxcursor1")
    } else if error.contains("failed to load Xlib") {
        missing("libX11.so.6", "libx11-6")
    } else {
        ScreenError::Window(error.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::viewer::news::Arrival;
    use std::sync::Arc;

    #[test]
    fn a_window_opens_in_the_pictures_shape_and_on_the_screen() {
        assert_eq!(opening_size(None), Size::new(1280, 720));
        for (picture, window) in [
            (Size::new(1280, 720), Size::new(1280, 720)),
            (Size::new(800, 600), Size::new(800, 600)),
            (Size::new(3840, 2160), Size::new(1280, 720)),
            (Size::new(720, 1280), Size::new(405, 720)),
            (Size::new(320, 180), Size::new(640, 360)),
            (Size::new(1, 1), Size::new(360, 360)),
        ] {
            assert_eq!(opening_size(Some(picture)), window, "{picture}");
        }
    }

    #[test]
    fn the_title_says_what_is_seen_or_what_is_in_the_way() {
        let title = |scene: &Scene| {
            let mut out = String::new();
            write_title(scene, "pi:9999", &mut out).expect("a String takes everything");
            out
        };
        let mut scene = Scene::default();
        assert_eq!(title(&scene), "pi:9999");
        let mut arrival = Arrival { camera: "Küche".into(), ..Arrival::default() };
        arrival.picture.reshape(Size::new(640, 360));
        scene.arrival = Some(Arc::new(arrival));
        assert_eq!(title(&scene), "Küche — 640×360");
        let notice = Notice { kind: NoticeKind::Disconnected, text: "long story".into() };
        scene.notice = Some(Arc::new(notice));
        assert_eq!(title(&scene), "Küche — not connected");
    }
}
