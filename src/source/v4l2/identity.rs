//! Recognises a camera after it was unplugged and plugged in again.

use super::ioctl::Capability;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The identity of a camera.
///
/// udev makes its links in `/dev/v4l/by-id` and `by-path` from the same facts. They are read from
/// sysfs, so that they are known before udev has made its links, and on systems without udev.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    /// The facts behind by-id; `None` if it is not a USB device.
    usb: Option<UsbDevice>,
    /// The facts behind by-path: the device in sysfs, and the driver's bus info.
    place: Place,
}

/// The product and the single device. Many cheap cameras have no serial number, or all the same
/// one.
#[derive(Debug, Clone, PartialEq, Eq)]
struct UsbDevice {
    vendor: String,
    product: String,
    /// Empty if it has none.
    serial: String,
    /// Which of the device's cameras it is: those for infrared are often a second one.
    interface: String,
    /// Which of this camera's nodes it is.
    index: String,
}

/// Where it is plugged in.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    device: PathBuf,
    /// Distinguishes cameras of one device, which some drivers have.
    bus_info: String,
    /// Which of the device's nodes it is.
    index: String,
}

impl Identity {
    /// Reads what sysfs knows of a node in the folder `node` (`/sys/dev/char/81:0`). `None` if the
    /// camera has been unplugged meanwhile. Without sysfs, it is known by its bus info alone.
    pub(super) fn read(node: &Path, capability: &Capability) -> Option<Self> {
        let (usb, device, index) = facts(node);
        let is_gone = !node.exists() && node.parent().is_some_and(Path::exists);
        let place = Place { device, bus_info: capability.bus_info.clone(), index };
        (!is_gone).then_some(Self { usb, place })
    }

    /// Whether the camera has a serial number. Without one, it is known by its place alone.
    fn has_a_serial_number(&self) -> bool {
        self.usb.as_ref().is_some_and(|usb| !usb.serial.is_empty())
    }
}

/// A camera that was open, to be found again.
#[derive(Debug, Clone)]
pub(super) struct Known {
    identity: Identity,
    /// The devices in sysfs of the other cameras with the same product and serial number that were
    /// there at the same time. Clones share them.
    twins: Arc<Mutex<Vec<PathBuf>>>,
}

impl Known {
    /// Remembers the camera `identity` and its twins in `sysfs` (`/sys/class/video4linux`).
    pub(super) fn of(identity: Identity, sysfs: &Path) -> Self {
        let known = Self { identity, twins: Arc::default() };
        known.look_for_twins(sysfs);
        known
    }

    /// Also remembers the twins that have come to `sysfs` since. To be called while the camera is
    /// there, or has just gone: later, it may be the camera itself in another port.
    pub(super) fn look_for_twins(&self, sysfs: &Path) {
        if !self.identity.has_a_serial_number() {
            return;
        }
        for node in fs::read_dir(sysfs).into_iter().flatten().flatten() {
            let (usb, device, _) = facts(&node.path());
            let is_twin = usb == self.identity.usb && device != self.identity.place.device;
            if is_twin && !self.has_twin_at(&device) {
                self.twins().push(device);
            }
        }
    }

    fn has_twin_at(&self, device: &Path) -> bool {
        self.twins().iter().any(|twin| twin == device)
    }

    fn twins(&self) -> MutexGuard<'_, Vec<PathBuf>> {
        self.twins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which of `others` is this camera: the one in the same place, or else the only one that has
    /// its serial number and is no twin.
    pub(super) fn find(&self, others: &[&Identity]) -> Option<usize> {
        let is_same_product = |other: &Identity| other.usb == self.identity.usb;
        let stayed = others
            .iter()
            .position(|other| is_same_product(other) && other.place == self.identity.place);
        if stayed.is_some() || !self.identity.has_a_serial_number() {
            return stayed;
        }
        let may_be_it =
            |other: &Identity| is_same_product(other) && !self.has_twin_at(&other.place.device);
        let mut moved = (0..others.len()).filter(|&at| may_be_it(others[at]));
        moved.next().filter(|_| moved.next().is_none())
    }

    /// Whether `other` is another camera to which the link in `by-id` that led to this one may lead now, since only
    /// their places tell them apart.
    pub(super) fn shares_its_link_with(&self, other: &Identity) -> bool {
        let is_alike = other.usb.is_some() && other.usb == self.identity.usb;
        is_alike && self.find(&[other]).is_none()
    }

    /// Whether `other` is this camera.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.find(&[&other.identity]).is_some()
    }
}

/// The USB device, the device in sysfs and the index of a node.
fn facts(node: &Path) -> (Option<UsbDevice>, PathBuf, String) {
    let index = attribute(node, "index").unwrap_or_default();
    let device = fs::canonicalize(node.join("device")).unwrap_or_default();
    (UsbDevice::above(&device, &index), device, index)
}

impl UsbDevice {
    /// The USB device that `device` belongs to; `device` is one of its interfaces.
    fn above(device: &Path, index: &str) -> Option<Self> {
        let is_usb = |folder: &&Path| folder.join("idVendor").exists();
        let folder = device.ancestors().take(LEVELS_TO_USB_DEVICE).find(is_usb)?;
        Some(Self {
            vendor: attribute(folder, "idVendor")?,
            product: attribute(folder, "idProduct")?,
            serial: attribute(folder, "serial").unwrap_or_default(),
            interface: attribute(device, "bInterfaceNumber").unwrap_or_default(),
            index: index.to_owned(),
        })
    }
}

/// The interface and the device above it. Further up are hubs, which are USB devices too.
const LEVELS_TO_USB_DEVICE: usize = 2;

fn attribute(folder: &Path, name: &str) -> Option<String> {
    Some(fs::read_to_string(folder.join(name)).ok()?.trim().to_owned())
}

#[cfg(test)]
impl Identity {
    /// A webcam of a common model.
    pub(super) fn webcam(serial: &str, place: &str) -> Self {
        let usb = UsbDevice {
            vendor: "046d".into(),
            product: "0825".into(),
            serial: serial.into(),
            interface: "00".into(),
            index: "0".into(),
        };
        Self { usb: Some(usb), ..Self::platform(place) }
    }

    /// A camera that is no USB device.
    pub(super) fn platform(place: &str) -> Self {
        let place = Place { device: place.into(), bus_info: place.into(), index: "0".into() };
        Self { usb: None, place }
    }
}

#[cfg(test)]
impl Known {
    /// A camera without twins.
    pub(super) fn alone(identity: Identity) -> Self {
        Self { identity, twins: Arc::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn webcam(serial: &str, place: &str) -> Identity {
        Identity::webcam(serial, place)
    }

    /// A webcam in port 1, with a twin.
    fn with_twin_in(port: &str) -> Known {
        let known = Known::alone(webcam("none", "port 1"));
        known.twins().push(port.into());
        known
    }

    #[test]
    fn a_camera_is_known_in_another_port_by_its_serial_number() {
        let known = Known::alone(webcam("A1", "port 1"));
        let now = [webcam("B2", "port 1"), webcam("A1", "port 2")];
        assert_eq!(known.find(&[&now[0], &now[1]]), Some(1));
        assert_eq!(known.find(&[&now[0]]), None, "another camera in the same port");
    }

    #[test]
    fn a_camera_without_a_serial_number_is_known_in_its_port_alone() {
        let known = Known::alone(webcam("", "port 1"));
        let now = [webcam("", "port 2"), webcam("", "port 1")];
        assert_eq!(known.find(&[&now[0], &now[1]]), Some(1));
        assert_eq!(known.find(&[&now[0]]), None, "it may be another one of the same model");
    }

    #[test]
    fn twins_share_a_link_and_what_a_serial_number_or_the_product_tells_apart_does_not() {
        let alone = |serial| Known::alone(webcam(serial, "port 1"));
        let with_twin = with_twin_in("port 2");
        for (known, other, is_shared) in [
            (alone(""), webcam("", "port 2"), true),
            (alone(""), webcam("", "port 1"), false),
            (with_twin, webcam("none", "port 2"), true),
            (alone("A1"), webcam("A1", "port 2"), false),
            (alone("A1"), webcam("B2", "port 2"), false),
            (Known::alone(Identity::platform("port 1")), Identity::platform("port 2"), false),
        ] {
            assert_eq!(known.shares_its_link_with(&other), is_shared, "{known:?} {other:?}");
        }
    }

    #[test]
    fn of_twins_the_one_in_the_same_port_is_meant() {
        let known = Known::alone(webcam("none", "port 1"));
        let now = [webcam("none", "port 2"), webcam("none", "port 1")];
        assert_eq!(known.find(&[&now[0], &now[1]]), Some(1));
        let elsewhere = [webcam("none", "port 2"), webcam("none", "port 3")];
        assert_eq!(known.find(&[&elsewhere[0], &elsewhere[1]]), None);
    }

    #[test]
    fn a_twin_that_was_there_before_is_never_meant() {
        let known = with_twin_in("port 2");
        let now = [webcam("none", "port 2"), webcam("none", "port 3")];
        assert_eq!(known.find(&[&now[0]]), None);
        assert_eq!(known.find(&[&now[0], &now[1]]), Some(1), "it was moved");
    }

    #[test]
    fn what_is_no_usb_device_is_known_by_its_place() {
        let known = Known::alone(Identity::platform("platform 1"));
        assert_eq!(known.find(&[&Identity::platform("platform 0")]), None);
        assert_eq!(
            known.find(&[&Identity::platform("platform 0"), &Identity::platform("platform 1")]),
            Some(1)
        );
    }

    /// Two webcams with the same serial number, in ports 1 and 2; the first has a second camera for
    /// infrared (`video2`). `video1` is no USB device, and `video3` is in port 2.
    fn sysfs() -> tempfile::TempDir {
        let sysfs = tempfile::tempdir().expect("a folder");
        let write = |name: String, text: &str| {
            let path = sysfs.path().join(name);
            fs::create_dir_all(path.parent().expect("it is inside")).expect("a folder");
            fs::write(path, text).expect("a file");
        };
        write("usb1/idVendor".into(), "1d6b\n");
        for port in [1, 2] {
            write(format!("usb1/1-{port}/idVendor"), "046d\n");
            write(format!("usb1/1-{port}/idProduct"), "0825\n");
            write(format!("usb1/1-{port}/serial"), "A1\n");
            write(format!("usb1/1-{port}/1-{port}:1.0/bInterfaceNumber"), "00\n");
        }
        write("usb1/1-1/1-1:1.2/bInterfaceNumber".into(), "02\n");
        write("platform/vivid.0/x".into(), "");
        for (number, index, device) in [
            (0, 0, "usb1/1-1/1-1:1.0"),
            (1, 1, "platform/vivid.0"),
            (2, 0, "usb1/1-1/1-1:1.2"),
            (3, 0, "usb1/1-2/1-2:1.0"),
        ] {
            write(format!("class/video{number}/index"), &format!("{index}\n"));
            let link = sysfs.path().join(format!("class/video{number}/device"));
            symlink(format!("../../{device}"), link).expect("a link");
        }
        sysfs
    }

    #[test]
    fn a_camera_is_read_from_its_interface_and_not_from_a_hub() {
        let sysfs = sysfs();
        let class = sysfs.path().join("class");
        let read = |name| Identity::read(&class.join(name), &Capability::default());
        let device = read("video0").and_then(|it| it.usb).expect("a USB device");
        assert_eq!((device.vendor.as_str(), device.serial.as_str()), ("046d", "A1"));
        assert_eq!((device.interface.as_str(), device.index.as_str()), ("00", "0"));
        let platform = read("video1").expect("a node");
        assert_eq!(platform.usb, None);
        assert!(platform.place.device.ends_with("platform/vivid.0"));
    }

    #[test]
    fn a_camera_that_was_unplugged_meanwhile_has_no_identity() {
        let sysfs = sysfs();
        let read = |folder: &str| {
            let capability = Capability { bus_info: "usb-1".into(), ..Capability::default() };
            Identity::read(&sysfs.path().join(folder).join("video9"), &capability)
        };
        assert_eq!(read("class"), None);
        let place = read("no sysfs").expect("known by its bus info").place;
        assert_eq!(place.bus_info, "usb-1");
    }

    #[test]
    fn two_cameras_of_one_device_are_told_apart() {
        let sysfs = sysfs();
        let class = sysfs.path().join("class");
        let read =
            |name| Identity::read(&class.join(name), &Capability::default()).expect("a node");
        let (colour, infrared) = (read("video0"), read("video2"));
        let known = Known::of(colour.clone(), &class);
        assert_eq!(known.find(&[&infrared]), None);
        assert_eq!(known.find(&[&infrared, &colour]), Some(1));
    }

    #[test]
    fn twins_are_seen_in_sysfs() {
        let sysfs = sysfs();
        let class = sysfs.path().join("class");
        let read =
            |name| Identity::read(&class.join(name), &Capability::default()).expect("a node");
        let twin = read("video3");
        let known = Known::of(read("video0"), &class);
        assert_eq!(*known.twins(), std::slice::from_ref(&twin.place.device));
        assert_eq!(known.find(&[&twin]), None);
        assert!(Known::of(read("video1"), &class).twins().is_empty());
    }

    #[test]
    fn a_twin_that_came_while_the_camera_was_open_is_not_taken_for_it() {
        let sysfs = sysfs();
        let class = sysfs.path().join("class");
        let identity = |name| Identity::read(&class.join(name), &Capability::default());
        let twin = identity("video3").expect("a node");
        let (there, away) = (class.join("video3"), sysfs.path().join("away"));
        fs::rename(&there, &away).expect("unplugged");
        let known = Known::of(identity("video0").expect("a node"), &class);
        let of_the_finder = known.clone();
        assert_eq!(of_the_finder.find(&[&twin]), Some(0), "it may be the camera in another port");
        fs::rename(&away, &there).expect("plugged in");
        (0..2).for_each(|_| known.look_for_twins(&class));
        assert_eq!(of_the_finder.find(&[&twin]), None);
        assert_eq!(*known.twins(), [twin.place.device]);
    }
}
