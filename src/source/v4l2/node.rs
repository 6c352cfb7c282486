//! Opens a V4L2 node, and recognises what kind of node it is.

use super::identity::Identity;
use super::ioctl::{self, Capability, Interface};
use super::opening;
use crate::image::frame::Memory;
use crate::source::{SourceError, Trouble};
use nix::errno::Errno;
use nix::sys::stat::{major, minor};
use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use v4l::Device;
use v4l::device::Handle;
use v4l::v4l_sys::{
    V4L2_CAP_IO_MC, V4L2_CAP_META_CAPTURE, V4L2_CAP_META_OUTPUT, V4L2_CAP_RADIO,
    V4L2_CAP_SDR_CAPTURE, V4L2_CAP_SDR_OUTPUT, V4L2_CAP_STREAMING, V4L2_CAP_TOUCH,
    V4L2_CAP_VBI_CAPTURE, V4L2_CAP_VIDEO_CAPTURE, V4L2_CAP_VIDEO_CAPTURE_MPLANE,
    V4L2_CAP_VIDEO_M2M, V4L2_CAP_VIDEO_M2M_MPLANE, V4L2_CAP_VIDEO_OUTPUT,
    V4L2_CAP_VIDEO_OUTPUT_MPLANE,
};

/// An open node.
pub(super) struct Node {
    /// The path as it was named.
    pub(super) path: PathBuf,
    /// What the node says about itself.
    pub(super) capability: Capability,
    /// Its device number.
    number: u64,
    /// The open device of the crate `v4l`.
    pub(super) device: Device,
}

impl Node {
    /// Opens the node at `path` and asks what it is.
    ///
    /// Refuses to open anything but a V4L2 node: opening a watchdog starts it, and opening a pipe
    /// blocks.
    pub(super) fn open(path: &Path) -> Result<Self, SourceError> {
        let not_opened = |error: &io::Error| opening::not_opened(path, errno(error));
        let file = fs::metadata(path).map_err(|error| not_opened(&error))?;
        if !file.file_type().is_char_device() || major(file.rdev()) != VIDEO4LINUX {
            return Err(SourceError::new(
                Trouble::Unusable,
                format!("{} is not a video device", path.display()),
            ));
        }
        let device = Device::with_path(path).map_err(|error| not_opened(&error))?;
        let handle = device.handle();
        let capability = ioctl::close_on_exec(&handle)
            .and_then(|()| ioctl::query_capability(&handle))
            .map_err(|errno| opening::not_opened(path, errno))?;
        Ok(Self { path: path.into(), capability, number: file.rdev(), device })
    }

    /// The camera that it belongs to. `None` if that has been unplugged meanwhile.
    pub(super) fn identity(&self) -> Option<Identity> {
        let folder = format!("/sys/dev/char/{}:{}", major(self.number), minor(self.number));
        Identity::read(Path::new(&folder), &self.capability)
    }

    /// What kind of node it is.
    pub(super) fn kind(&self) -> NodeKind {
        NodeKind::of(&self.capability)
    }

    /// The kind of memory that its frames are in.
    pub(super) fn memory(&self) -> Memory {
        memory(&self.capability)
    }

    /// Which interface it has for pictures.
    pub(super) fn interface(&self) -> Interface {
        Interface::of(&self.capability)
    }

    /// For the calls in [`ioctl`].
    pub(super) fn handle(&self) -> Arc<Handle> {
        self.device.handle()
    }
}

/// The kind of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NodeKind {
    /// Gives pictures by itself.
    Camera,
    /// The receiver of a camera whose sensor and image processor have to be set up first.
    Receiver,
    /// Gives the pictures that another program writes into the same node.
    Loopback,
    /// Gives pictures only by `read`.
    WithoutStreaming,
    /// Converts pictures.
    Converter,
    /// Part of an image processor.
    ImageProcessor,
    /// Takes pictures, such as a video output.
    Output,
    /// Gives metadata of a camera.
    Metadata,
    /// Gives the raw values of a touch screen.
    Touch,
    /// Teletext and similar data.
    VerticalBlanking,
    /// A radio with sound.
    Radio,
    /// A radio that gives raw samples.
    SoftwareRadio,
    /// None of the above.
    Other,
}

impl NodeKind {
    /// Decides by QUERYCAP alone, since the names and numbers of nodes say nothing.
    pub(super) fn of(capability: &Capability) -> Self {
        let has = |bits: u32| capability.flags & bits != 0;
        let captures = has(V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_VIDEO_CAPTURE_MPLANE);
        let outputs = has(V4L2_CAP_VIDEO_OUTPUT | V4L2_CAP_VIDEO_OUTPUT_MPLANE);
        let converts = has(V4L2_CAP_VIDEO_M2M | V4L2_CAP_VIDEO_M2M_MPLANE) || captures && outputs;
        let needs_setup = has(V4L2_CAP_IO_MC) || needs_libcamera(&capability.driver);
        if converts && captures && capability.driver == LOOPBACK {
            Self::Loopback
        } else if converts {
            Self::Converter
        } else if IMAGE_PROCESSORS.contains(&capability.driver.as_str()) {
            Self::ImageProcessor
        } else if has(V4L2_CAP_TOUCH) {
            Self::Touch
        } else if captures && needs_setup {
            Self::Receiver
        } else if captures && has(V4L2_CAP_STREAMING) {
            Self::Camera
        } else if captures {
            Self::WithoutStreaming
        } else if outputs {
            Self::Output
        } else if has(V4L2_CAP_META_CAPTURE | V4L2_CAP_META_OUTPUT) {
            Self::Metadata
        } else if has(V4L2_CAP_SDR_CAPTURE | V4L2_CAP_SDR_OUTPUT) {
            Self::SoftwareRadio
        } else if has(V4L2_CAP_RADIO) {
            Self::Radio
        } else if has(V4L2_CAP_VBI_CAPTURE) {
            Self::VerticalBlanking
        } else {
            Self::Other
        }
    }

    /// Whether to try to take pictures from it if a user names it.
    pub(super) fn may_give_pictures(self) -> bool {
        matches!(self, Self::Camera | Self::Receiver | Self::Loopback)
    }
}

/// What it is, to follow "it is ".
impl fmt::Display for NodeKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Camera => "a camera",
            Self::Receiver => "the receiver of a ribbon camera, which needs libcamera",
            Self::Loopback => {
                "a loopback device. To see what a program writes into it, name the device with --source"
            }
            Self::WithoutStreaming => "a camera that cannot stream",
            Self::Converter => "a codec or scaler: it only converts pictures",
            Self::ImageProcessor => "part of an image processor, which needs libcamera",
            Self::Output => "a video output: it only takes pictures",
            Self::Metadata => "a metadata node: it has no pictures",
            Self::Touch => "a touch screen",
            Self::VerticalBlanking => "a teletext node",
            Self::Radio => "a radio",
            Self::SoftwareRadio => "a software radio",
            Self::Other => "not a capture device",
        })
    }
}

/// Whether a driver is the receiver of a CSI camera, which gives pictures only after libcamera has
/// set up sensor and image processor. Older kernels of the Pi do not report that by V4L2_CAP_IO_MC.
pub(super) fn needs_libcamera(driver: &str) -> bool {
    ["unicam", "bcm2835-unicam", "rp1-cfe"].contains(&driver)
}

/// The driver of v4l2loopback. Without `exclusive_caps=1`, its nodes look like those of a converter. With it, they are outputs
/// until a program writes into them, and cameras from then on.
pub(super) const LOOPBACK: &str = "v4l2 loopback";

/// Parts of the Pi's image processors whose capabilities look like those of a camera.
const IMAGE_PROCESSORS: [&str; 2] = ["bcm2835-isp", "pispbe"];

/// The memory of drivers whose devices write frames by DMA is uncached, unless the driver sets
/// `allow_cache_hints` of `struct vb2_queue`. None of the Pi's drivers sets it, and no driver with
/// V4L2_CAP_IO_MC is known to.
fn memory(capability: &Capability) -> Memory {
    let driver = capability.driver.as_str();
    let is_direct = needs_libcamera(driver) || IMAGE_PROCESSORS.contains(&driver);
    if is_direct || capability.flags & V4L2_CAP_IO_MC != 0 {
        Memory::Uncached
    } else {
        Memory::Cached
    }
}

/// The major device number of every V4L2 node (Documentation/admin-guide/devices.txt).
const VIDEO4LINUX: u64 = 81;

fn errno(error: &io::Error) -> Errno {
    // A path with a NUL inside never reaches the kernel, so the error has no number.
    Errno::from_raw(error.raw_os_error().unwrap_or(nix::libc::ENOENT))
}

#[cfg(test)]
mod tests {
    use super::*;
    use v4l::v4l_sys::{V4L2_CAP_READWRITE, V4L2_CAP_TUNER, V4L2_CAP_VIDEO_OVERLAY};

    fn kind(driver: &str, flags: u32) -> NodeKind {
        NodeKind::of(&Capability { driver: driver.into(), flags, ..Capability::default() })
    }

    #[test]
    fn a_node_is_what_its_own_capabilities_say() {
        const STREAM: u32 = V4L2_CAP_STREAMING;
        for (driver, flags, expected) in [
            ("uvcvideo", V4L2_CAP_VIDEO_CAPTURE | STREAM, NodeKind::Camera),
            ("uvcvideo", V4L2_CAP_META_CAPTURE | STREAM, NodeKind::Metadata),
            (
                "vivid",
                V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_VIDEO_OVERLAY | V4L2_CAP_TUNER | STREAM,
                NodeKind::Camera,
            ),
            ("vivid", V4L2_CAP_VIDEO_OUTPUT | STREAM, NodeKind::Output),
            ("vivid", V4L2_CAP_VIDEO_CAPTURE_MPLANE | STREAM, NodeKind::Camera),
            ("bcm2835-codec", V4L2_CAP_VIDEO_M2M_MPLANE | STREAM, NodeKind::Converter),
            (
                "old-codec",
                V4L2_CAP_VIDEO_CAPTURE_MPLANE | V4L2_CAP_VIDEO_OUTPUT_MPLANE | STREAM,
                NodeKind::Converter,
            ),
            (
                "v4l2 loopback",
                V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_VIDEO_OUTPUT | STREAM,
                NodeKind::Loopback,
            ),
            (
                "v4l2 loopback",
                V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_VIDEO_OUTPUT | V4L2_CAP_VIDEO_M2M | STREAM,
                NodeKind::Loopback,
            ),
            ("v4l2 loopback", V4L2_CAP_VIDEO_CAPTURE | STREAM, NodeKind::Camera),
            ("v4l2 loopback", V4L2_CAP_VIDEO_OUTPUT | STREAM, NodeKind::Output),
            ("bcm2835-isp", V4L2_CAP_VIDEO_CAPTURE | STREAM, NodeKind::ImageProcessor),
            ("pispbe", V4L2_CAP_VIDEO_CAPTURE_MPLANE | STREAM, NodeKind::ImageProcessor),
            ("unicam", V4L2_CAP_VIDEO_CAPTURE | STREAM, NodeKind::Receiver),
            ("rkcif", V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_IO_MC | STREAM, NodeKind::Receiver),
            ("unicam", V4L2_CAP_META_CAPTURE | STREAM, NodeKind::Metadata),
            ("bttv", V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_READWRITE, NodeKind::WithoutStreaming),
            ("si470x", V4L2_CAP_RADIO | V4L2_CAP_TUNER, NodeKind::Radio),
            ("?", 0, NodeKind::Other),
        ] {
            assert_eq!(kind(driver, flags), expected, "{driver} {flags:#x}");
        }
    }

    #[test]
    fn memory_is_uncached_where_the_driver_is_one_that_has_it_so() {
        const CAPTURE: u32 = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
        for (driver, flags, expected) in [
            ("unicam", CAPTURE, Memory::Uncached),
            ("rp1-cfe", CAPTURE | V4L2_CAP_IO_MC, Memory::Uncached),
            ("bcm2835-isp", CAPTURE, Memory::Uncached),
            ("rkcif", CAPTURE | V4L2_CAP_IO_MC, Memory::Uncached),
            ("uvcvideo", CAPTURE, Memory::Cached),
            ("bm2835 mmal", CAPTURE, Memory::Cached),
            ("vivid", CAPTURE, Memory::Cached),
        ] {
            let capability = Capability { driver: driver.into(), flags, ..Capability::default() };
            assert_eq!(memory(&capability), expected, "{driver}");
        }
    }

    #[test]
    fn what_is_no_v4l2_device_is_refused_unopened() {
        for path in ["/dev/null", "/dev", "/proc/self/exe"] {
            let error = Node::open(Path::new(path)).err().expect(path);
            assert_eq!(error.trouble, Trouble::Unusable);
            assert_eq!(error.message, format!("{path} is not a video device"));
        }
    }

    #[test]
    fn a_node_that_is_not_there_is_waited_for() {
        for path in ["/dev/no-such-camera", "/dev/null/camera", "/dev/video\0"] {
            let error = Node::open(Path::new(path)).err().expect(path);
            assert_eq!(error.trouble, Trouble::NoCamera, "{}", error.message);
        }
    }
}
