//! The V4L2 calls for which the crate `v4l` has no dependable function, and the memory that they
//! share, as safe functions.
//!
//! `unsafe` in the V4L2 code stands only here and in `controls/ioctl.rs`. The crate `v4l` only
//! opens nodes; these of its functions are not used:
//!
//! - Its enumeration of sizes and rates loops for ever if a driver ignores the index.
//! - `query_caps` unwraps names as UTF-8, although the kernel cuts them at 32 bytes, possibly in
//!   the middle of a character. It uses `device_caps` even if the driver does not fill it in.
//! - `format` and `set_format` panic on a colour space newer than the crate.
//! - Its formats, rates and buffers do not know the multi-planar interface.
//! - After the first error its streams requeue a buffer that they do not own. They lend whole
//!   mappings, and they panic in Drop.

mod buffers;
mod enumerate;
mod format;

pub(super) use buffers::{Buffers, Filled};
pub(super) use enumerate::{DriverIntervals, DriverSizes, frame_intervals, frame_sizes};
pub(super) use format::{
    DriverFormat, FormatDescription, format, formats, interval, set_format, set_interval,
};

use crate::plain::fixed_text;
use crate::source::interrupted::uninterrupted;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::libc::c_int;
use std::os::fd::BorrowedFd;
use v4l::device::Handle;
use v4l::v4l_sys::{
    V4L2_CAP_DEVICE_CAPS, V4L2_CAP_VIDEO_CAPTURE, V4L2_CAP_VIDEO_CAPTURE_MPLANE,
    v4l2_buf_type_V4L2_BUF_TYPE_VIDEO_CAPTURE as SINGLE_PLANAR,
    v4l2_buf_type_V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE as MULTI_PLANAR, v4l2_capability,
};

/// What a node says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Capability {
    /// The driver's name: `uvcvideo`.
    pub(super) driver: String,
    /// The device's name, for people: `HD Webcam C920`.
    pub(super) card: String,
    /// Where it is plugged in: `usb-0000:01:00.0-1.2`.
    pub(super) bus_info: String,
    /// The capabilities of this node, not of its whole device: bits `V4L2_CAP_…`.
    pub(super) flags: u32,
}

/// VIDIOC_QUERYCAP.
pub(super) fn query_capability(handle: &Handle) -> Result<Capability, Errno> {
    let mut raw = v4l2_capability::default();
    // SAFETY: the kernel writes one v4l2_capability, which `raw` is for the whole call.
    uninterrupted(|| unsafe { request::querycap(handle.fd(), &raw mut raw) })?;
    let whole_device = raw.capabilities;
    Ok(Capability {
        driver: fixed_text(&raw.driver),
        card: fixed_text(&raw.card),
        bus_info: fixed_text(&raw.bus_info),
        flags: if whole_device & V4L2_CAP_DEVICE_CAPS == 0 {
            whole_device
        } else {
            raw.device_caps
        },
    })
}

/// Keeps child processes from inheriting the node. An inherited node would keep a lost camera from
/// coming back under the same name.
pub(super) fn close_on_exec(handle: &Handle) -> Result<(), Errno> {
    fcntl(borrowed(handle), FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).map(drop)
}

/// Which of V4L2's two interfaces for pictures a node has. The multi-planar one can spread a
/// picture over several pieces of memory. Most drivers that have it do so only in formats made for
/// that, which lancam does not understand, and give the other formats in one piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interface {
    SinglePlanar,
    MultiPlanar,
}

impl Interface {
    /// The interface to use: the simpler one if the node has both.
    pub(super) fn of(capability: &Capability) -> Self {
        let has = |bit: u32| capability.flags & bit != 0;
        if has(V4L2_CAP_VIDEO_CAPTURE_MPLANE) && !has(V4L2_CAP_VIDEO_CAPTURE) {
            Self::MultiPlanar
        } else {
            Self::SinglePlanar
        }
    }

    /// V4L2_BUF_TYPE_VIDEO_CAPTURE or …_MPLANE.
    fn buffer_type(self) -> u32 {
        match self {
            Self::SinglePlanar => SINGLE_PLANAR,
            Self::MultiPlanar => MULTI_PLANAR,
        }
    }

    /// The same number in the type that STREAMON and STREAMOFF take.
    fn as_int(self) -> c_int {
        match self {
            Self::SinglePlanar => 1,
            Self::MultiPlanar => 9,
        }
    }
}

/// A call that was refused, and its error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refused {
    /// The call, as the kernel's documentation names it: `VIDIOC_STREAMON`.
    pub(super) call: &'static str,
    /// The error.
    pub(super) errno: Errno,
}

impl Refused {
    /// A function for `map_err`.
    pub(super) fn by(call: &'static str) -> impl Fn(Errno) -> Self {
        move |errno| Self { call, errno }
    }
}

/// Starts streaming.
pub(super) const STREAMON: &str = "VIDIOC_STREAMON";
/// Requests buffers.
pub(super) const REQBUFS: &str = "VIDIOC_REQBUFS";
/// Gives a buffer back to the driver.
pub(super) const QBUF: &str = "VIDIOC_QBUF";
/// Takes a filled buffer from the driver.
pub(super) const DQBUF: &str = "VIDIOC_DQBUF";

fn borrowed(handle: &Handle) -> BorrowedFd<'_> {
    // SAFETY: a Handle keeps its descriptor open until it is dropped, and the result borrows it.
    unsafe { BorrowedFd::borrow_raw(handle.fd()) }
}

/// The calls themselves, with their numbers from `linux/videodev2.h`.
mod request {
    use super::c_int;
    use v4l::v4l_sys::{
        v4l2_buffer, v4l2_capability, v4l2_fmtdesc, v4l2_format, v4l2_frmivalenum,
        v4l2_frmsizeenum, v4l2_requestbuffers, v4l2_streamparm,
    };

    nix::ioctl_read!(querycap, b'V', 0, v4l2_capability);
    nix::ioctl_readwrite!(enum_fmt, b'V', 2, v4l2_fmtdesc);
    nix::ioctl_readwrite!(g_fmt, b'V', 4, v4l2_format);
    nix::ioctl_readwrite!(s_fmt, b'V', 5, v4l2_format);
    nix::ioctl_readwrite!(reqbufs, b'V', 8, v4l2_requestbuffers);
    nix::ioctl_readwrite!(querybuf, b'V', 9, v4l2_buffer);
    nix::ioctl_readwrite!(qbuf, b'V', 15, v4l2_buffer);
    nix::ioctl_readwrite!(dqbuf, b'V', 17, v4l2_buffer);
    nix::ioctl_write_ptr!(streamon, b'V', 18, c_int);
    nix::ioctl_write_ptr!(streamoff, b'V', 19, c_int);
    nix::ioctl_readwrite!(g_parm, b'V', 21, v4l2_streamparm);
    nix::ioctl_readwrite!(s_parm, b'V', 22, v4l2_streamparm);
    nix::ioctl_readwrite!(enum_framesizes, b'V', 74, v4l2_frmsizeenum);
    nix::ioctl_readwrite!(enum_frameintervals, b'V', 75, v4l2_frmivalenum);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_simpler_interface_is_used_where_there_are_both() {
        const BOTH: u32 = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_VIDEO_CAPTURE_MPLANE;
        for (flags, expected) in [
            (V4L2_CAP_VIDEO_CAPTURE, Interface::SinglePlanar),
            (V4L2_CAP_VIDEO_CAPTURE_MPLANE, Interface::MultiPlanar),
            (BOTH, Interface::SinglePlanar),
        ] {
            let capability = Capability { flags, ..Capability::default() };
            assert_eq!(Interface::of(&capability), expected);
            assert_eq!(u32::try_from(expected.as_int()), Ok(expected.buffer_type()));
        }
    }
}
