//! The calls about formats and rates.

use super::{Interface, request};
use crate::image::pixels::FourCc;
use crate::plain::fixed_text;
use crate::source::interrupted::uninterrupted;
use nix::errno::Errno;
use v4l::Fraction;
use v4l::device::Handle;
use v4l::v4l_sys::{
    V4L2_PIX_FMT_PRIV_MAGIC, v4l2_fmtdesc, v4l2_format, v4l2_fract, v4l2_pix_format_mplane,
    v4l2_streamparm,
};

/// A format that a driver offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct FormatDescription {
    pub(in super::super) fourcc: FourCc,
    /// The driver's name for it: `Motion-JPEG`.
    pub(in super::super) description: String,
}

/// VIDIOC_ENUM_FMT: every format that the driver offers, without duplicates. Empty if it enumerates
/// none.
pub(in super::super) fn formats(handle: &Handle, interface: Interface) -> Vec<FormatDescription> {
    let mut formats: Vec<FormatDescription> = Vec::new();
    for format in (0..MOST_FORMATS).map_while(|index| describe(handle, interface, index).ok()) {
        if formats.iter().all(|known| known.fourcc != format.fourcc) {
            formats.push(format);
        }
    }
    formats
}

fn describe(handle: &Handle, interface: Interface, index: u32) -> Result<FormatDescription, Errno> {
    let mut raw = v4l2_fmtdesc { index, type_: interface.buffer_type(), ..Default::default() };
    // SAFETY: the kernel reads and writes one v4l2_fmtdesc, which `raw` is for the whole call.
    uninterrupted(|| unsafe { request::enum_fmt(handle.fd(), &raw mut raw) })?;
    Ok(FormatDescription {
        fourcc: FourCc(raw.pixelformat.to_le_bytes()),
        description: fixed_text(&raw.description),
    })
}

/// The limit for a driver that never says "no more"; vivid has 83.
const MOST_FORMATS: u32 = 1000;

/// A picture format as the driver describes it. The numbers may be anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct DriverFormat {
    pub(in super::super) fourcc: FourCc,
    pub(in super::super) width: u32,
    pub(in super::super) height: u32,
    /// The number of bytes from one row to the next.
    pub(in super::super) stride: u32,
    /// The number of bytes in a buffer.
    pub(in super::super) buffer_len: u32,
    /// `V4L2_FIELD_…`: whether rows are interlaced.
    pub(in super::super) field: u32,
    /// `V4L2_COLORSPACE_…`.
    pub(in super::super) colorspace: u32,
    /// `V4L2_YCBCR_ENC_…`: the matrix.
    pub(in super::super) ycbcr_encoding: u32,
    /// `V4L2_QUANTIZATION_…`: the range.
    pub(in super::super) quantization: u32,
    /// How many separate pieces of memory hold a picture.
    pub(in super::super) planes: u8,
}

/// VIDIOC_S_FMT: asks for a format; [`format`] then returns what was granted.
pub(in super::super) fn set_format(
    handle: &Handle,
    interface: Interface,
    fourcc: FourCc,
    width: u32,
    height: u32,
) -> Result<(), Errno> {
    let mut raw = v4l2_format { type_: interface.buffer_type(), ..Default::default() };
    let pixelformat = u32::from_le_bytes(fourcc.0);
    match interface {
        Interface::SinglePlanar => {
            raw.fmt.pix.width = width;
            raw.fmt.pix.height = height;
            raw.fmt.pix.pixelformat = pixelformat;
            // Without this, the kernel ignores the fields after it (quantization and others).
            raw.fmt.pix.priv_ = V4L2_PIX_FMT_PRIV_MAGIC;
        }
        Interface::MultiPlanar => {
            raw.fmt.pix_mp =
                v4l2_pix_format_mplane { width, height, pixelformat, ..Default::default() };
        }
    }
    // SAFETY: the kernel reads and writes one v4l2_format, which `raw` is for the whole call.
    uninterrupted(|| unsafe { request::s_fmt(handle.fd(), &raw mut raw) })
}

/// VIDIOC_G_FMT: the current format.
pub(in super::super) fn format(
    handle: &Handle,
    interface: Interface,
) -> Result<DriverFormat, Errno> {
    let mut raw = v4l2_format { type_: interface.buffer_type(), ..Default::default() };
    // SAFETY: the kernel reads and writes one v4l2_format, which `raw` is for the whole call.
    uninterrupted(|| unsafe { request::g_fmt(handle.fd(), &raw mut raw) })?;
    Ok(match interface {
        Interface::SinglePlanar => single_planar(&raw),
        Interface::MultiPlanar => multi_planar(&raw),
    })
}

fn single_planar(raw: &v4l2_format) -> DriverFormat {
    // SAFETY: all of `raw` is initialised, and every bit pattern is a v4l2_pix_format.
    let pix = unsafe { raw.fmt.pix };
    DriverFormat {
        fourcc: FourCc(pix.pixelformat.to_le_bytes()),
        width: pix.width,
        height: pix.height,
        stride: pix.bytesperline,
        buffer_len: pix.sizeimage,
        field: pix.field,
        colorspace: pix.colorspace,
        // SAFETY: both fields of this union are a u32.
        ycbcr_encoding: unsafe { pix.__bindgen_anon_1.ycbcr_enc },
        quantization: pix.quantization,
        planes: 1,
    }
}

fn multi_planar(raw: &v4l2_format) -> DriverFormat {
    // SAFETY: all of `raw` is initialised, and every bit pattern is a v4l2_pix_format_mplane.
    let pix = unsafe { raw.fmt.pix_mp };
    let [first, ..] = pix.plane_fmt;
    DriverFormat {
        fourcc: FourCc(pix.pixelformat.to_le_bytes()),
        width: pix.width,
        height: pix.height,
        stride: first.bytesperline,
        buffer_len: first.sizeimage,
        field: pix.field,
        colorspace: pix.colorspace,
        // SAFETY: both fields of this union are a u8.
        ycbcr_encoding: u32::from(unsafe { pix.__bindgen_anon_1.ycbcr_enc }),
        quantization: u32::from(pix.quantization),
        planes: pix.num_planes,
    }
}

/// VIDIOC_S_PARM: asks for a time between frames and returns what was granted, which may be 0/0.
pub(in super::super) fn set_interval(
    handle: &Handle,
    interface: Interface,
    wanted: Fraction,
) -> Result<Fraction, Errno> {
    let mut raw = v4l2_streamparm { type_: interface.buffer_type(), ..Default::default() };
    let Fraction { numerator, denominator } = wanted;
    raw.parm.capture.timeperframe = v4l2_fract { numerator, denominator };
    // SAFETY: the kernel reads and writes one v4l2_streamparm, which `raw` is for the whole call.
    uninterrupted(|| unsafe { request::s_parm(handle.fd(), &raw mut raw) })?;
    Ok(time_per_frame(&raw))
}

/// VIDIOC_G_PARM: the current time between frames.
pub(in super::super) fn interval(handle: &Handle, interface: Interface) -> Result<Fraction, Errno> {
    let mut raw = v4l2_streamparm { type_: interface.buffer_type(), ..Default::default() };
    // SAFETY: the kernel reads and writes one v4l2_streamparm, which `raw` is for the whole call.
    uninterrupted(|| unsafe { request::g_parm(handle.fd(), &raw mut raw) })?;
    Ok(time_per_frame(&raw))
}

fn time_per_frame(raw: &v4l2_streamparm) -> Fraction {
    // SAFETY: all of `raw` is initialised, and every bit pattern is a v4l2_captureparm.
    let v4l2_fract { numerator, denominator } = unsafe { raw.parm.capture.timeperframe };
    Fraction::new(numerator, denominator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_multi_planar_format_is_read_from_its_first_plane() {
        let mut pix = v4l2_pix_format_mplane {
            width: 640,
            height: 360,
            pixelformat: u32::from_le_bytes(*b"NV12"),
            field: 1,
            colorspace: 3,
            num_planes: 1,
            quantization: 2,
            ..Default::default()
        };
        pix.plane_fmt[0].bytesperline = 704;
        pix.plane_fmt[0].sizeimage = 999_999;
        pix.plane_fmt[1].bytesperline = 99;
        pix.__bindgen_anon_1.ycbcr_enc = 2;
        let mut raw = v4l2_format::default();
        raw.fmt.pix_mp = pix;
        let expected = DriverFormat {
            fourcc: FourCc(*b"NV12"),
            width: 640,
            height: 360,
            stride: 704,
            buffer_len: 999_999,
            field: 1,
            colorspace: 3,
            ycbcr_encoding: 2,
            quantization: 2,
            planes: 1,
        };
        assert_eq!(multi_planar(&raw), expected);
    }
}
