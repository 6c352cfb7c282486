//! Recognises a camera after it was unplugged and plugged in again.

use super::ioctl::Capability;
use std::fs;
use std::path::{Path, PathBuf};

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
    serial: String,
    /// Which of the device's nodes it is.
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
    /// Reads what `sysfs` (`/sys/class/video4linux`) knows of the node `name` (`video0`).
    pub(super) fn read(sysfs: &Path, name: &str, capability: &Capability) -> Self {
        let node = sysfs.join(name);
        let index = attribute(&node, "index").unwrap_or_default();
        let device = fs::canonicalize(node.join("device")).unwrap_or_default();
        Self {
            usb: UsbDevice::above(&device, &index),
            place: Place { device, bus_info: capability.bus_info.clone(), index },
        }
    }

    /// Which of `others` is this camera: the only one with the same product and serial number; if
    /// there are several, the one in the same place.
    pub(super) fn find(&self, others: &[&Self]) -> Option<usize> {
        let is_twin = |other: &&Self| other.usb == self.usb;
        let is_alone =
            self.usb.is_some() && others.iter().filter(|other| is_twin(other)).count() == 1;
        others.iter().position(|other| is_twin(other) && (is_alone || other.place == self.place))
    }
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
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn camera(serial: &str, place: &str) -> Identity {
        let usb = (!serial.is_empty()).then(|| UsbDevice {
            vendor: "046d".into(),
            product: "0825".into(),
            serial: serial.into(),
            index: "0".into(),
        });
        let place = Place { device: place.into(), bus_info: place.into(), index: "0".into() };
        Identity { usb, place }
    }

    #[test]
    fn a_camera_is_known_in_another_port_by_its_serial_number() {
        let known = camera("A1", "port 1");
        let now = [camera("B2", "port 1"), camera("A1", "port 2")];
        assert_eq!(known.find(&[&now[0], &now[1]]), Some(1));
        assert_eq!(known.find(&[&now[0]]), None, "another camera in the same port");
    }

    #[test]
    fn of_twins_the_one_in_the_same_port_is_meant() {
        let known = camera("none", "port 1");
        let now = [camera("none", "port 2"), camera("none", "port 1")];
        assert_eq!(known.find(&[&now[0], &now[1]]), Some(1));
        let elsewhere = [camera("none", "port 2"), camera("none", "port 3")];
        assert_eq!(known.find(&[&elsewhere[0], &elsewhere[1]]), None);
    }

    #[test]
    fn what_is_no_usb_device_is_known_by_its_place() {
        let known = camera("", "platform 1");
        assert_eq!(known.find(&[&camera("", "platform 0")]), None);
        assert_eq!(known.find(&[&camera("", "platform 0"), &camera("", "platform 1")]), Some(1));
    }

    #[test]
    fn a_camera_is_read_from_its_interface_and_not_from_a_hub() {
        let sysfs = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            let path = sysfs.path().join(name);
            fs::create_dir_all(path.parent().expect("it is inside")).expect("a folder");
            fs::write(path, text).expect("a file");
        };
        write("usb1/idVendor", "1d6b\n");
        write("usb1/1-1/idVendor", "046d\n");
        write("usb1/1-1/idProduct", "0825\n");
        write("usb1/1-1/serial", "A1\n");
        write("usb1/1-1/1-1:1.0/x", "");
        write("platform/vivid.0/x", "");
        write("class/video0/index", "0\n");
        write("class/video1/index", "1\n");
        symlink("../../usb1/1-1/1-1:1.0", sysfs.path().join("class/video0/device"))
            .expect("a link");
        symlink("../../platform/vivid.0", sysfs.path().join("class/video1/device"))
            .expect("a link");

        let class = sysfs.path().join("class");
        let usb = Identity::read(&class, "video0", &Capability::default());
        let device = usb.usb.expect("a USB device");
        assert_eq!((device.vendor.as_str(), device.serial.as_str()), ("046d", "A1"));
        assert_eq!(device.index, "0");
        let platform = Identity::read(&class, "video1", &Capability::default());
        assert_eq!(platform.usb, None);
        assert!(platform.place.device.ends_with("platform/vivid.0"));
        let none = Identity::read(&class, "video9", &Capability::default());
        assert_eq!(none.usb, None);
    }
}
