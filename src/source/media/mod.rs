//! Finds ribbon cameras. They are at the board's own camera connectors, and the kernel's media devices describe them.
//!
//! `ioctl` asks a media device what it is and what parts it has. `topology` reads the answer, and this file adds names and
//! nodes. Nothing here opens a camera: a media device can be read while another program streams. `modes` reads what
//! rpicam-vid says of each camera, and `entry` is what `lancam list` prints of all that.

mod entry;
mod ioctl;
mod modes;
mod topology;

pub(super) use entry::RibbonList;
pub(super) use modes::CameraModes;
use nix::errno::Errno;
use std::fs::{self, File};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use topology::{DeviceNumber, Info, Sensor, Topology};

/// A camera on a ribbon cable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RibbonCamera {
    /// The sensor's model in the words of its driver: `imx219`.
    pub sensor: String,
    /// The sensor's place in the device tree: `/base/soc/i2c0mux/i2c@1/imx219@10`. libcamera and rpicam-vid call the camera so.
    /// `None` where the kernel does not tell.
    pub id: Option<String>,
    /// The driver of the receiver: `unicam` (Pi 0 to 4) or `rp1-cfe` (Pi 5).
    pub driver: String,
    /// The receiver's place: `platform:fe801000.csi`.
    pub bus: String,
    /// The media device that describes the camera: `/dev/media0`.
    pub media: PathBuf,
    /// The node that gives the sensor's raw pictures: `/dev/video0`.
    pub picture_node: Option<PathBuf>,
    /// The node that has the sensor's controls: `/dev/v4l-subdev0`.
    pub sensor_node: Option<PathBuf>,
    /// The model of the motor that focuses the lens, where there is one: `dw9807`.
    pub lens: Option<String>,
}

/// What the kernel's media devices say of ribbon cameras.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ribbons {
    /// The cameras, in the order in which rpicam-vid counts them: the first is its `--camera 0`.
    pub cameras: Vec<RibbonCamera>,
    /// Receivers without a sensor: no camera was detected at their connector.
    pub without_sensor: Vec<Receiver>,
    /// Media devices that this user may not open.
    pub closed: Vec<PathBuf>,
}

/// A part of the board that receives the pictures of a ribbon camera.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receiver {
    /// Its driver.
    pub driver: String,
    /// Its place.
    pub bus: String,
    /// Its media device.
    pub media: PathBuf,
}

/// The ribbon cameras of this machine now, in the order in which rpicam-vid counts them.
pub fn ribbon_cameras() -> Vec<RibbonCamera> {
    Ribbons::now().cameras
}

impl Ribbons {
    /// Asks every media device.
    pub fn now() -> Self {
        let mut found = Self::default();
        for media in media_devices(Path::new("/dev")) {
            match ask(&media) {
                Ok((info, topology)) => {
                    log::debug!("{}: {}, {topology}", media.display(), info.driver);
                    found.add(&media, &info, &topology, Path::new("/sys"));
                }
                Err(Errno::EACCES | Errno::EPERM) => found.closed.push(media),
                Err(errno) => log::debug!("{}: {}", media.display(), errno.desc()),
            }
        }
        found.cameras.sort_by(as_rpicam_vid_counts);
        found
    }

    fn add(&mut self, media: &Path, info: &Info, topology: &Topology, sysfs: &Path) {
        if !RECEIVERS.contains(&info.driver.as_str()) {
            return;
        }
        let Info { driver, bus } = info.clone();
        let sensors = topology.sensors();
        if sensors.is_empty() {
            self.without_sensor.push(Receiver { driver, bus, media: media.into() });
            return;
        }
        for Sensor { model, node, picture, lens } in sensors {
            self.cameras.push(RibbonCamera {
                sensor: model,
                id: node.and_then(|number| device_tree_id(sysfs, number)),
                driver: driver.clone(),
                bus: bus.clone(),
                media: media.into(),
                picture_node: picture.and_then(|number| node_path(sysfs, number)),
                sensor_node: node.and_then(|number| node_path(sysfs, number)),
                lens,
            });
        }
    }
}

/// The drivers of the camera connectors of Raspberry Pis.
const RECEIVERS: [&str; 2] = ["unicam", "rp1-cfe"];

/// No board has more.
const MOST_MEDIA_DEVICES: usize = 64;

/// By their places in the device tree, the last one first (`GetCameras` in rpicam-apps). Cameras without a place come last.
fn as_rpicam_vid_counts(one: &RibbonCamera, other: &RibbonCamera) -> std::cmp::Ordering {
    other.id.cmp(&one.id)
}

/// Every `media0`, `media1` … in `folder` that is a device, by number.
fn media_devices(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut numbers: Vec<u32> = entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_char_device()))
        .filter_map(|entry| entry.file_name().to_str()?.strip_prefix("media")?.parse().ok())
        .take(MOST_MEDIA_DEVICES)
        .collect();
    numbers.sort_unstable();
    numbers.into_iter().map(|number| folder.join(format!("media{number}"))).collect()
}

fn ask(media: &Path) -> Result<(Info, Topology), Errno> {
    let file = File::open(media)
        .map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or(nix::libc::ENOENT)))?;
    let info = Info::parse(&ioctl::device_info(&file)?);
    Ok((info, Topology::parse(&ioctl::topology(&file)?)))
}

/// The node with this number. The kernel names it; udev may add links.
fn node_path(sysfs: &Path, number: DeviceNumber) -> Option<PathBuf> {
    let device = fs::canonicalize(sysfs.join("dev/char").join(number.to_string())).ok()?;
    Some(Path::new("/dev").join(device.file_name()?))
}

/// The place of a node's device in the device tree, as libcamera writes it (`firmwareNodePath`).
fn device_tree_id(sysfs: &Path, number: DeviceNumber) -> Option<String> {
    let device = sysfs.join("dev/char").join(number.to_string());
    let place = fs::canonicalize(device.join("device/of_node")).ok()?;
    let root = fs::canonicalize(sysfs.join("firmware/devicetree")).ok()?;
    let inside = place.strip_prefix(root).ok()?;
    Some(crate::plain::printable(&format!("/{}", inside.display())))
}

/// What is said where no ribbon camera was detected, with a `place` where that is known.
pub(super) fn not_detected(place: &str) -> String {
    format!(
        "no ribbon camera was detected{place}. Check that both ends of the cable sit firmly and the right way round, and \
         that config.txt has camera_auto_detect=1 or the camera's dtoverlay; then restart the Pi"
    )
}

#[cfg(test)]
mod tests;
