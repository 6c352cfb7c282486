//! What ribbon cameras are called here, on which board, and who may use them.

use crate::holders::{Holder, holders_of, locker_of};
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
    let (mut media, mut pictures) = (Vec::new(), Vec::new());
    for RibbonCamera { media: device, picture_node, .. } in ribbon_cameras() {
        media.push(device);
        pictures.extend(picture_node);
    }
    if media.is_empty() {
        // libcamera keeps the media devices of a camera open while it uses the camera.
        media = (0..8).map(|number| format!("/dev/media{number}").into()).collect();
    }
    in_use_by(Path::new("/proc"), &media, &pictures, text)
}

/// libcamera locks the media devices of a camera that it uses (`MediaDevice::lock`). A program that has a node open may use the
/// camera. Some only look at it: PipeWire opens every media device.
fn in_use_by(proc: &Path, media: &[PathBuf], pictures: &[PathBuf], text: &str) -> String {
    let mut lockers: Vec<Holder> = Vec::new();
    for locker in media.iter().filter_map(|device| locker_of(proc, device)) {
        if !lockers.contains(&locker) {
            lockers.push(locker);
        }
    }
    if !lockers.is_empty() {
        return format!("{text}. End that program: {}", either(&in_words(&lockers)));
    }
    let holders = holders_of(proc, &[media, pictures].concat());
    match holders.as_slice() {
        [] => format!("{text}. End that program: sudo fuser -v /dev/media* names it"),
        holders => format!("{text}. {} may use it: end that program", either(&in_words(holders))),
    }
}

fn in_words(holders: &[Holder]) -> Vec<String> {
    holders.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn each_program_that_may_use_the_camera_is_named_once() {
        let proc = tempfile::tempdir().expect("a folder");
        // No such device is on this machine, so nobody has locked it.
        let [media, pictures] = ["/dev/media777", "/dev/video777"].map(|it| [PathBuf::from(it)]);
        let text = "the ribbon camera is in use by another program";
        let told = in_use_by(proc.path(), &media, &pictures, text);
        assert!(told.contains("sudo fuser -v /dev/media*"), "{told}");
        for (process, name) in [("812", "motion"), ("903", "wireplumber")] {
            let fds = proc.path().join(process).join("fd");
            fs::create_dir_all(&fds).expect("made");
            fs::write(proc.path().join(process).join("comm"), name).expect("written");
            symlink("/dev/media777", fds.join("3")).expect("linked");
            symlink("/dev/video777", fds.join("4")).expect("linked");
        }
        let told = in_use_by(proc.path(), &media, &pictures, text);
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
