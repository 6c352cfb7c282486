//! What the messages of rpicam-vid mean, and what to do about each.

use crate::source::Trouble;
use crate::source::media::not_detected;

/// Why rpicam-vid gives no pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    NotDetected,
    NoSuchNumber,
    InUse,
    TooLittleMemory,
    NoSuchMode,
    NoSuchPictures,
    NoTuningFile,
    OldCameraStack,
    NotARaspberryPi,
    SendsNothing,
    NotStarted,
}

/// A part of each message, and its cause. The texts are those of rpicam-apps 1.2 to 1.13 (`rpicam_app.cpp`, `options.cpp`,
/// `dma_heaps.cpp`) and of libcamera (`camera.cpp`, `pipeline_base.cpp`, `ipa_base.cpp`, and the names of errors in
/// `v4l2_videodevice.cpp`).
static MESSAGES: [(&str, Cause); 16] = [
    ("no cameras available", Cause::NotDetected),
    ("selected camera is not available", Cause::NoSuchNumber),
    ("in use by another process", Cause::InUse),
    ("failed to acquire camera", Cause::InUse),
    ("Device or resource busy", Cause::InUse),
    ("failed to allocate capture buffers", Cause::TooLittleMemory),
    ("dmaHeap allocation failure", Cause::TooLittleMemory),
    ("Cannot allocate memory", Cause::TooLittleMemory),
    ("Invalid mode", Cause::NoSuchMode),
    ("failed to valid stream configurations", Cause::NoSuchPictures),
    ("failed to configure streams", Cause::NoSuchPictures),
    ("Failed to load tuning data file", Cause::NoTuningFile),
    ("configured for the legacy camera stack", Cause::OldCameraStack),
    ("only supports the Raspberry Pi platforms", Cause::NotARaspberryPi),
    ("Camera frontend has timed out", Cause::SendsNothing),
    ("failed to start camera", Cause::NotStarted),
];

impl Cause {
    /// The cause that a line of rpicam-vid names, if it names one.
    pub(super) fn named_in(line: &str) -> Option<Self> {
        let named = MESSAGES.iter().find(|(part, _)| line.contains(part));
        named.map(|(_, cause)| *cause)
    }

    /// Whether rpicam-vid says so last of all whatever kept the camera from starting, so that any other cause tells more.
    pub(super) fn is_of_any(self) -> bool {
        matches!(self, Self::NotStarted | Self::NotDetected)
    }

    /// What kind of trouble it is.
    pub(super) fn trouble(self) -> Trouble {
        match self {
            Self::NotDetected
            | Self::NoSuchNumber
            | Self::OldCameraStack
            | Self::NotARaspberryPi => Trouble::NoCamera,
            Self::InUse => Trouble::Busy,
            Self::TooLittleMemory
            | Self::NoSuchMode
            | Self::NoSuchPictures
            | Self::NoTuningFile => Trouble::Excessive,
            Self::SendsNothing | Self::NotStarted => Trouble::Lost,
        }
    }

    /// What is wrong, and what to do.
    pub(super) fn remedy(self) -> String {
        let text = match self {
            Self::NotDetected => return not_detected(""),
            Self::NoSuchNumber => {
                "there is no ribbon camera of that number. --source csi is the first one, csi:1 the second"
            }
            Self::InUse => "the ribbon camera is in use by another program",
            Self::TooLittleMemory => {
                "there is too little contiguous memory (CMA) for the camera's buffers. Ask for less with --size 1280x720, or \
                 give more with dtoverlay=vc4-kms-v3d,cma-256 in config.txt"
            }
            Self::NoSuchMode => {
                "the camera has no such mode. lancam list shows its modes; --csi-option mode=1920:1080 is how one is written"
            }
            Self::NoSuchPictures => {
                "the camera cannot send such pictures. Ask for less with --size 1280x720, or leave out --csi-option mode"
            }
            Self::NoTuningFile => {
                "the camera's tuning file is missing or is none for this camera. Name another one in --csi-option tuning-file, or \
                 leave that out"
            }
            Self::OldCameraStack => {
                "this system is set up for the old camera software. Remove start_x=1 from config.txt, set \
                 camera_auto_detect=1, and restart the Pi; or name the camera's node: --source /dev/video0"
            }
            Self::NotARaspberryPi => {
                "rpicam-vid finds no camera hardware of a Raspberry Pi here. Name another camera with --source; lancam list \
                 shows them"
            }
            Self::SendsNothing => {
                "the ribbon camera sends nothing. Check that both ends of its cable sit firmly, or try another cable"
            }
            Self::NotStarted => {
                "the ribbon camera could not be started. Restart the Pi if that happens again"
            }
        };
        text.to_owned()
    }
}
