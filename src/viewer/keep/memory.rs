//! What the viewer remembers from one start to the next: cameras, the window's place, and whether `?` is known.

use super::folders;
use super::private_file::{self, Content};
use crate::image::pixels::Size;
use crate::plain::is_plain;
use crate::viewer::find::address::CameraAddress;
use crate::viewer::find::identity::Identity;
use crate::viewer::find::wanted::Wanted;

/// What was remembered at the last exit. Each part may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memory {
    /// The cameras that were watched: several if they were in a grid.
    pub cameras: Vec<Wanted>,
    /// Whether those cameras speak the tutorial's protocol instead of lancam's.
    pub is_pickle: bool,
    /// The window's size.
    pub size: Option<Size>,
    /// The window's position.
    pub place: Option<(i32, i32)>,
    /// Whether the viewer has told the user about the `?` key.
    pub knows_keys: bool,
}

/// The value for the tutorial's protocol.
const PICKLE: &str = "pickle";
/// The value that says the user was told about `?`.
const TOLD: &str = "told";
/// The most cameras in a window.
const MOST_CAMERAS: usize = 64;
/// The file in the state folder.
const FILE: &str = "lancam/view";
/// Much more than is ever written.
const MAX_LEN: u64 = 64 << 10;
/// Sizes of a window that are restored. Smaller or larger ones cannot have been meant.
const SIZES: std::ops::RangeInclusive<usize> = 64..=16_384;

impl Memory {
    /// Reads what was remembered. Empty where the file is missing or cannot be understood.
    pub fn load() -> Self {
        let Some(path) = folders::state_file(FILE) else { return Self::default() };
        match private_file::read(&path, MAX_LEN) {
            Ok(Content::Text(text)) => Self::parse(&text),
            _ => Self::default(),
        }
    }

    /// Writes it. Where the disk is full, the old file stays. Returns whether it was written.
    pub fn save(&self) -> bool {
        let Some(path) = folders::state_file(FILE) else { return false };
        let saved = private_file::replace(&path, &self.to_text());
        if let Err(error) = &saved {
            log::debug!("cannot remember the window in {}: {error}", path.display());
        }
        saved.is_ok()
    }

    fn parse(text: &str) -> Self {
        let mut memory = Self::default();
        let mut identity = Identity::default();
        for (key, value) in text.lines().filter_map(|line| line.split_once('=')) {
            let value = value.trim();
            match key.trim() {
                "name" => value.clone_into(&mut identity.name),
                "id" => value.clone_into(&mut identity.id),
                "protocol" => memory.is_pickle = value == PICKLE,
                // The address is the last line about a camera.
                "address" => {
                    let identity = std::mem::take(&mut identity);
                    let camera = CameraAddress::parse(value).map(|it| wanted(identity, it));
                    let has_room = memory.cameras.len() < MOST_CAMERAS;
                    memory.cameras.extend(camera.ok().filter(|_| has_room));
                }
                "keys" => memory.knows_keys = value == TOLD,
                "size" => memory.size = Size::parse(value).filter(is_sensible),
                "place" => {
                    memory.place = value
                        .split_once(',')
                        .and_then(|(x, y)| Some((x.trim().parse().ok()?, y.trim().parse().ok()?)));
                }
                _ => {}
            }
        }
        memory
    }

    fn to_text(&self) -> String {
        let mut lines = Vec::new();
        for Wanted { identity, address } in self.cameras.iter().take(MOST_CAMERAS) {
            // Leave out names with control characters: a line break would make two lines.
            let is_fine =
                |it: &&Identity| [&it.name, &it.id].iter().all(|it| it.chars().all(is_plain));
            if let Some(Identity { name, id }) = identity.as_ref().filter(is_fine) {
                lines.push(format!("name = {name}"));
                lines.extend(Some(id).filter(|id| !id.is_empty()).map(|id| format!("id = {id}")));
            }
            lines.push(format!("address = {}", address.written()));
        }
        if self.is_pickle {
            lines.push(format!("protocol = {PICKLE}"));
        }
        lines.extend(self.size.map(|size| format!("size = {size}")));
        lines.extend(self.place.map(|(x, y)| format!("place = {x},{y}")));
        lines.extend(self.knows_keys.then(|| format!("keys = {TOLD}")));
        lines.push(String::new());
        lines.join("\n")
    }
}

/// A camera as it was read from the file.
fn wanted(identity: Identity, address: CameraAddress) -> Wanted {
    // The first versions wrote the host where the name of the camera is now.
    let is_host = identity.id.is_empty() && address.name() == identity.name;
    let identity = Some(identity).filter(|it| !it.name.is_empty() && !is_host);
    Wanted { identity, address }
}

fn is_sensible(size: &Size) -> bool {
    SIZES.contains(&size.width) && SIZES.contains(&size.height)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn camera(name: Option<&str>, address: &str) -> Wanted {
        let address = CameraAddress::parse(address).expect("an address");
        let identity = name.map(|name| Identity { name: name.to_owned(), id: "7f".into() });
        Wanted { identity, address }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for memory in [
            Memory::default(),
            Memory {
                cameras: vec![camera(Some("Küche = 台所"), "[fe80::1%3]:9998")],
                size: Some(Size::new(1280, 720)),
                place: Some((-5, 40)),
                ..Memory::default()
            },
            Memory { cameras: vec![camera(None, "pi:1")], is_pickle: true, ..Memory::default() },
            Memory {
                cameras: vec![
                    camera(None, "Front door"),
                    camera(Some("Garage"), "10.0.0.5:9999"),
                    camera(None, "10.0.0.5"),
                ],
                knows_keys: true,
                ..Memory::default()
            },
        ] {
            assert_eq!(Memory::parse(&memory.to_text()), memory);
        }
    }

    #[test]
    fn what_makes_no_sense_is_not_remembered() {
        for text in [
            "",
            "\0\u{1}binary",
            "name = Door",
            "size = 9x9\nplace = 3\naddress = rtsp://a",
            "size = 60000x60000",
            "place = 99999999999,0\nsize",
        ] {
            assert_eq!(Memory::parse(text), Memory::default(), "{text}");
        }
        let host = Memory::parse("name = front-door\naddress = front-door.local:9999");
        assert_eq!(
            host.cameras,
            [camera(None, "front-door.local:9999")],
            "as the first versions wrote it"
        );
        let cameras = vec![camera(Some("a\nsize = 100x100"), "pi")];
        let memory = Memory { cameras, ..Memory::default() };
        assert_eq!(Memory::parse(&memory.to_text()).size, None);
        let bad = Memory::parse("name = Door\naddress = rtsp://a\naddress = pi");
        assert_eq!(bad.cameras, [camera(None, "pi")], "no name of another");
        let many = Memory::parse(&"address = pi\n".repeat(5000));
        assert_eq!(many.cameras.len(), MOST_CAMERAS);
    }
}
