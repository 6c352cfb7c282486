//! What makes a camera the same one after it was unplugged and plugged in again.

use super::ioctl::Capability;
use std::fs;
use std::path::{Path, PathBuf};

/// One camera among others.
///
/// udev makes its links `/dev/v4l/by-id` and `by-path` from the same facts. They are read from sysfs,
/// so that they hold before udev has made its links, and where there is no udev.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    /// What by-id is made of; `None` for what is no USB device.
    usb: Option<UsbDevice>,
    /// What by-path is made of: the device in sysfs, and what the driver says of it.
    place: Place,
}

/// Which product, and which of its kind. Many cheap cameras have no serial number, or all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
struct UsbDevice {
    vendor: String,
    product: String,
    serial: String,
    /// Which of the device's nodes.
    index: String,
}

/// Where it is plugged in.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    device: PathBuf,
    /// Some drivers have several cameras in one device.
    bus_info: String,
    /// Which of the device's nodes.
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

    /// Which of `others` is this camera: the only one of the same product and serial number, else the
    /// one of them in the same place.
    pub(super) fn find(&self, others: &[&Self]) -> Option<usize> {
        let is_twin = |other: &&Self| other.usb == self.usb;
        let is_alone =
            self.usb.is_some() && others.iter().filter(|other| is_twin(other)).count() == 1;
        others.iter().position(|other| is_twin(other) && (is_alone || other.place == self.place))
    }
}

impl UsbDevice {
    /// The USB device that `device`, one of its interfaces, belongs to.
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

/// The interface itself and the device above it; further up are hubs, which are USB devices too.
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
