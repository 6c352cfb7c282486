//! What ribbon cameras are called here, on which board, and who may use them.

use crate::holders::holders_of;
use crate::plain::printable;
use crate::source::media::{RibbonCamera, ribbon_cameras};
use crate::wording::either;
use std::fs;
use std::path::{Path, PathBuf};

/// Whether the kernel has found a ribbon camera.
pub(in crate::source) fn is_there() -> bool {
    !ribbon_cameras().is_empty()
}

/// A camera's name for people, by its number.
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

/// Adds to `text`, which says that another program uses the camera, which program that may be.
pub(super) fn in_use(text: &str) -> String {
    let of_camera = |ribbon: RibbonCamera| [Some(ribbon.media), ribbon.picture_node];
    let mut nodes: Vec<PathBuf> =
        ribbon_cameras().into_iter().flat_map(of_camera).flatten().collect();
    if nodes.is_empty() {
        // libcamera keeps the media devices of a camera open while it uses the camera.
        nodes = (0..8).map(|number| format!("/dev/media{number}").into()).collect();
    }
    in_use_by(Path::new("/proc"), &nodes, text)
}

/// A program that has a node open may use the camera. Some only look at it: PipeWire opens every media device.
fn in_use_by(proc: &Path, nodes: &[PathBuf], text: &str) -> String {
    let holders: Vec<String> = holders_of(proc, nodes).iter().map(ToString::to_string).collect();
    match holders.as_slice() {
        [] => format!("{text}. End that program: sudo fuser -v /dev/media* names it"),
        holders => format!("{text}. {} may use it: end that program", either(holders)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn each_program_that_may_use_the_camera_is_named_once() {
        let proc = tempfile::tempdir().expect("a folder");
        let nodes = ["/dev/media0", "/dev/video0"].map(PathBuf::from);
        let text = "the ribbon camera is in use by another program";
        assert!(in_use_by(proc.path(), &nodes, text).contains("sudo fuser -v /dev/media*"));
        for (process, name) in [("812", "motion"), ("903", "wireplumber")] {
            let fds = proc.path().join(process).join("fd");
            fs::create_dir_all(&fds).expect("made");
            fs::write(proc.path().join(process).join("comm"), name).expect("written");
            symlink("/dev/media0", fds.join("3")).expect("linked");
            symlink("/dev/video0", fds.join("4")).expect("linked");
        }
        let told = in_use_by(proc.path(), &nodes, text);
        let rest = told.strip_prefix(text).expect("it begins so");
        let (motion, wireplumber) = ("motion (process 812)", "wireplumber (process 903)");
        // The order of processes is that of the folder.
        let both = [
            format!(". {motion} or {wireplumber} may use it: end that program"),
            format!(". {wireplumber} or {motion} may use it: end that program"),
        ];
        assert!(both.iter().any(|text| text == rest), "{told}");
    }
}
