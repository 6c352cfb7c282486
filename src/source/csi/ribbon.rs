//! What ribbon cameras are called here, on which board, and who else uses them.

use crate::holders::holders_of;
use crate::plain::printable;
use crate::source::media::{RibbonCamera, ribbon_cameras};
use std::fs;
use std::path::{Path, PathBuf};

/// Whether the kernel has found a ribbon camera.
pub(in crate::source) fn is_there() -> bool {
    !ribbon_cameras().is_empty()
}

/// A camera by its number, for people.
pub(super) fn description(camera: u8) -> String {
    let name = match camera {
        0 => "ribbon camera".to_owned(),
        more => format!("ribbon camera {more}"),
    };
    match ribbon_cameras().get(usize::from(camera)) {
        Some(ribbon) => format!("{name} ({})", ribbon.sensor),
        None => name,
    }
}

/// This board, as the kernel names it: `Raspberry Pi 4 Model B Rev 1.4`. Empty where it does not.
pub(super) fn board() -> String {
    let model = fs::read("/proc/device-tree/model").unwrap_or_default();
    let model = String::from_utf8_lossy(&model);
    // The device tree's strings end with a zero.
    printable(model.trim_end_matches('\0').trim())
}

/// `text`, which says that another program uses the camera, with the name of that program where it can be known.
pub(super) fn in_use(text: &str) -> String {
    let of_camera = |ribbon: RibbonCamera| [Some(ribbon.media), ribbon.picture_node];
    let mut nodes: Vec<PathBuf> =
        ribbon_cameras().into_iter().flat_map(of_camera).flatten().collect();
    if nodes.is_empty() {
        // libcamera keeps the media devices of a camera open while it uses it.
        nodes = (0..8).map(|number| format!("/dev/media{number}").into()).collect();
    }
    let mut names: Vec<String> = Vec::new();
    for node in nodes {
        for holder in holders_of(Path::new("/proc"), &node) {
            let name = holder.to_string();
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    match names.as_slice() {
        [] => format!("{text}. End that program: sudo fuser -v /dev/media* names it"),
        names => format!("{text}: {}. End that program", names.join(", ")),
    }
}
