//! The calls that enumerate sizes and rates, with a limit for drivers that never say "no more".

use super::request;
use crate::image::pixels::FourCc;
use crate::source::interrupted::uninterrupted;
use nix::errno::Errno;
use v4l::device::Handle;
use v4l::v4l_sys::{
    v4l2_fract, v4l2_frmivalenum, v4l2_frmivaltypes_V4L2_FRMIVAL_TYPE_DISCRETE,
    v4l2_frmsize_stepwise, v4l2_frmsizeenum, v4l2_frmsizetypes_V4L2_FRMSIZE_TYPE_DISCRETE,
};

/// A size, or a range of sizes, that a driver enumerates. The numbers are the driver's and may be
/// anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum DriverSizes {
    Exactly { width: u32, height: u32 },
    Between { smallest: (u32, u32), largest: (u32, u32), step: (u32, u32) },
}

/// A time between frames, or a range of times, that a driver enumerates: numerator and denominator,
/// in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum DriverIntervals {
    Exactly((u32, u32)),
    Between { shortest: (u32, u32), longest: (u32, u32) },
}

/// VIDIOC_ENUM_FRAMESIZES: the sizes of a format, without duplicates. Empty if the driver
/// enumerates none.
pub(in super::super) fn frame_sizes(handle: &Handle, fourcc: FourCc) -> Vec<DriverSizes> {
    enumerate(|index| frame_size(handle, fourcc, index))
}

/// VIDIOC_ENUM_FRAMEINTERVALS: the rates of a format and size, without duplicates. Empty if the
/// driver enumerates none.
pub(in super::super) fn frame_intervals(
    handle: &Handle,
    fourcc: FourCc,
    width: u32,
    height: u32,
) -> Vec<DriverIntervals> {
    enumerate(|index| frame_interval(handle, fourcc, (width, height), index))
}

/// Collects the answers of `ask` from index 0 until it refuses. A range is the only entry
/// (videodev2.h).
pub(super) fn enumerate<T: Entry>(mut ask: impl FnMut(u32) -> Result<T, Errno>) -> Vec<T> {
    let mut entries = Vec::new();
    for entry in (0..MOST_ENTRIES).map_while(|index| ask(index).ok()) {
        if !entries.contains(&entry) {
            entries.push(entry);
        }
        if entry.is_range() {
            break;
        }
    }
    entries
}

/// The limit. A UVC camera numbers its sizes with a byte; vivid has fewer than 100. A driver that
/// ignores the index repeats itself without end.
const MOST_ENTRIES: u32 = 1000;

/// An entry that is enumerated.
pub(super) trait Entry: Copy + PartialEq {
    fn is_range(self) -> bool;
}

impl Entry for DriverSizes {
    fn is_range(self) -> bool {
        matches!(self, Self::Between { .. })
    }
}

impl Entry for DriverIntervals {
    fn is_range(self) -> bool {
        matches!(self, Self::Between { .. })
    }
}

fn frame_size(handle: &Handle, fourcc: FourCc, index: u32) -> Result<DriverSizes, Errno> {
    let pixel_format = u32::from_le_bytes(fourcc.0);
    let mut raw = v4l2_frmsizeenum { index, pixel_format, ..Default::default() };
    // SAFETY: the kernel reads and writes one v4l2_frmsizeenum, which `raw` is for the whole call.
    uninterrupted(|| unsafe { request::enum_framesizes(handle.fd(), &raw mut raw) })?;
    if raw.type_ == v4l2_frmsizetypes_V4L2_FRMSIZE_TYPE_DISCRETE {
        // SAFETY: both variants of the union are plain numbers, for which any bytes are valid.
        let size = unsafe { raw.__bindgen_anon_1.discrete };
        return Ok(DriverSizes::Exactly { width: size.width, height: size.height });
    }
    // SAFETY: as above.
    let range: v4l2_frmsize_stepwise = unsafe { raw.__bindgen_anon_1.stepwise };
    Ok(DriverSizes::Between {
        smallest: (range.min_width, range.min_height),
        largest: (range.max_width, range.max_height),
        step: (range.step_width, range.step_height),
    })
}

fn frame_interval(
    handle: &Handle,
    fourcc: FourCc,
    (width, height): (u32, u32),
    index: u32,
) -> Result<DriverIntervals, Errno> {
    let pixel_format = u32::from_le_bytes(fourcc.0);
    let mut raw = v4l2_frmivalenum { index, pixel_format, width, height, ..Default::default() };
    // SAFETY: the kernel reads and writes one v4l2_frmivalenum, which `raw` is for the whole call.
    uninterrupted(|| unsafe { request::enum_frameintervals(handle.fd(), &raw mut raw) })?;
    let seconds = |part: v4l2_fract| (part.numerator, part.denominator);
    if raw.type_ == v4l2_frmivaltypes_V4L2_FRMIVAL_TYPE_DISCRETE {
        // SAFETY: both variants of the union are plain numbers, for which any bytes are valid.
        let interval = unsafe { raw.__bindgen_anon_1.discrete };
        return Ok(DriverIntervals::Exactly(seconds(interval)));
    }
    // SAFETY: as above.
    let range = unsafe { raw.__bindgen_anon_1.stepwise };
    Ok(DriverIntervals::Between { shortest: seconds(range.min), longest: seconds(range.max) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const VGA: DriverSizes = DriverSizes::Exactly { width: 640, height: 480 };
    const HD: DriverSizes = DriverSizes::Exactly { width: 1280, height: 720 };
    const RANGE: DriverSizes =
        DriverSizes::Between { smallest: (2, 2), largest: (640, 480), step: (2, 2) };

    #[test]
    fn a_driver_that_ignores_the_index_ends_the_enumeration_after_a_bounded_number_of_calls() {
        for entry in [VGA, RANGE] {
            let mut calls = 0;
            let sizes = enumerate(|_| {
                calls += 1;
                Ok(entry)
            });
            assert_eq!(sizes, [entry]);
            assert!(calls <= 1000, "{calls}");
        }
    }

    #[test]
    fn sizes_come_in_the_drivers_order_and_each_once() {
        let told = [HD, VGA, HD];
        let sizes = enumerate(|index| {
            told.get(usize::try_from(index).expect("small")).copied().ok_or(Errno::EINVAL)
        });
        assert_eq!(sizes, [HD, VGA]);
        assert_eq!(enumerate(|_| Err::<DriverSizes, _>(Errno::ENOTTY)), []);
    }
}
