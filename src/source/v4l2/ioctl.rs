//! The V4L2 calls that `v4l` has no dependable form of, and the memory they share, as safe functions.
//!
//! The only file of this room with `unsafe`. `v4l` opens nodes and enumerates what they offer. Not
//! used of it: `query_caps` unwraps names as UTF-8 (the kernel cuts them at 32 bytes, in the middle
//! of a character too) and takes `device_caps` even where a driver fills in none; `format` and
//! `set_format` panic on a colour space younger than themselves; its streams requeue a buffer that
//! they do not own after the first error, lend whole mappings, and panic in Drop.

use crate::image::frame::Micros;
use crate::image::pixels::FourCc;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::libc::{c_int, c_void, off_t};
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, BorrowedFd};
use std::ptr::NonNull;
use std::sync::Arc;
use v4l::device::Handle;
use v4l::v4l_sys::{
    V4L2_BUF_FLAG_ERROR, V4L2_BUF_FLAG_TIMESTAMP_MASK, V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC,
    V4L2_CAP_DEVICE_CAPS, V4L2_PIX_FMT_PRIV_MAGIC, timeval,
    v4l2_buf_type_V4L2_BUF_TYPE_VIDEO_CAPTURE, v4l2_buffer, v4l2_capability, v4l2_format,
    v4l2_memory_V4L2_MEMORY_MMAP, v4l2_requestbuffers,
};

/// What a node says it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Capability {
    /// The driver: `uvcvideo`.
    pub(super) driver: String,
    /// The device, for people: `HD Webcam C920`.
    pub(super) card: String,
    /// Where it is plugged in: `usb-0000:01:00.0-1.2`.
    pub(super) bus_info: String,
    /// What this node, not its whole device, can do: bits `V4L2_CAP_…`.
    pub(super) flags: u32,
}

/// VIDIOC_QUERYCAP.
pub(super) fn query_capability(handle: &Handle) -> Result<Capability, Errno> {
    let mut raw = v4l2_capability::default();
    // SAFETY: the kernel writes one v4l2_capability, which `raw` is and stays for the whole call.
    uninterrupted(|| unsafe { request::querycap(handle.fd(), &raw mut raw) })?;
    let whole_device = raw.capabilities;
    Ok(Capability {
        driver: text(&raw.driver),
        card: text(&raw.card),
        bus_info: text(&raw.bus_info),
        flags: if whole_device & V4L2_CAP_DEVICE_CAPS == 0 {
            whole_device
        } else {
            raw.device_caps
        },
    })
}

/// Lets no child process inherit the node: it would keep a lost camera from coming back under its name.
pub(super) fn close_on_exec(handle: &Handle) -> Result<(), Errno> {
    fcntl(borrowed(handle), FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).map(drop)
}

/// A picture format as drivers say it: every number is theirs and may be anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DriverFormat {
    pub(super) fourcc: FourCc,
    pub(super) width: u32,
    pub(super) height: u32,
    /// Bytes from row to row.
    pub(super) stride: u32,
    /// `V4L2_FIELD_…`: whether rows are interlaced.
    pub(super) field: u32,
    /// `V4L2_COLORSPACE_…`.
    pub(super) colorspace: u32,
    /// `V4L2_YCBCR_ENC_…`: the matrix.
    pub(super) ycbcr_encoding: u32,
    /// `V4L2_QUANTIZATION_…`: the range.
    pub(super) quantization: u32,
}

/// VIDIOC_S_FMT: asks for a format; [`format`] then says what was granted.
pub(super) fn set_format(
    handle: &Handle,
    fourcc: FourCc,
    width: u32,
    height: u32,
) -> Result<(), Errno> {
    let mut raw = v4l2_format { type_: CAPTURE, ..Default::default() };
    raw.fmt.pix.width = width;
    raw.fmt.pix.height = height;
    raw.fmt.pix.pixelformat = u32::from_le_bytes(fourcc.0);
    // Without it the kernel neither reads nor fills in the fields behind it (quantization and the like).
    raw.fmt.pix.priv_ = V4L2_PIX_FMT_PRIV_MAGIC;
    // SAFETY: the kernel reads and writes one v4l2_format, which `raw` is and stays for the whole call.
    uninterrupted(|| unsafe { request::s_fmt(handle.fd(), &raw mut raw) })
}

/// VIDIOC_G_FMT: the format in force.
pub(super) fn format(handle: &Handle) -> Result<DriverFormat, Errno> {
    let mut raw = v4l2_format { type_: CAPTURE, ..Default::default() };
    // SAFETY: the kernel reads and writes one v4l2_format, which `raw` is and stays for the whole call.
    uninterrupted(|| unsafe { request::g_fmt(handle.fd(), &raw mut raw) })?;
    // SAFETY: all of `raw` is initialised, and every bit pattern is a v4l2_pix_format.
    let pix = unsafe { raw.fmt.pix };
    Ok(DriverFormat {
        fourcc: FourCc(pix.pixelformat.to_le_bytes()),
        width: pix.width,
        height: pix.height,
        stride: pix.bytesperline,
        field: pix.field,
        colorspace: pix.colorspace,
        // SAFETY: both of this union's fields are a u32.
        ycbcr_encoding: unsafe { pix.__bindgen_anon_1.ycbcr_enc },
        quantization: pix.quantization,
    })
}

/// A call that was refused, and with what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refused {
    /// As the kernel's documentation names it: `VIDIOC_STREAMON`.
    pub(super) call: &'static str,
    /// Why.
    pub(super) errno: Errno,
}

impl Refused {
    /// For `map_err`.
    pub(super) fn by(call: &'static str) -> impl Fn(Errno) -> Self {
        move |errno| Self { call, errno }
    }
}

/// Streaming has begun, or could not.
pub(super) const STREAMON: &str = "VIDIOC_STREAMON";
/// Buffers could not be had.
pub(super) const REQBUFS: &str = "VIDIOC_REQBUFS";
/// A buffer could not be given back.
pub(super) const QBUF: &str = "VIDIOC_QBUF";
/// A frame could not be taken.
pub(super) const DQBUF: &str = "VIDIOC_DQBUF";

/// The buffers that a driver fills, mapped to be read. Dropping them ends the stream.
pub(super) struct Buffers {
    handle: Arc<Handle>,
    mapped: Vec<Mapping>,
}

/// A buffer that belongs to us until it is given back: as long as this exists, the driver leaves its
/// memory alone. Only [`Buffers`] makes it, and never twice for the same buffer.
#[derive(Debug)]
pub(super) struct Filled {
    index: usize,
    /// How many bytes the driver says it filled; may be a lie.
    pub(super) len: usize,
    /// Whether the driver says that the content is damaged.
    pub(super) is_damaged: bool,
    /// When the frame was taken, where that is on CLOCK_MONOTONIC.
    pub(super) captured_at: Option<Micros>,
    /// The driver's count of frames since STREAMON; some never set it.
    pub(super) sequence: u32,
}

#[derive(Debug)]
struct Mapping {
    start: NonNull<c_void>,
    len: usize,
    /// Dequeued and not yet given back.
    is_ours: bool,
}

impl Buffers {
    /// Asks for `count` buffers, maps as many as the driver grants, and gives all to the driver.
    pub(super) fn request(handle: Arc<Handle>, count: u32) -> Result<Self, Refused> {
        let granted = request_buffers(&handle, count).map_err(Refused::by(REQBUFS))?;
        // From here on Drop gives back what was granted, whatever fails.
        let mut buffers = Self { handle, mapped: Vec::new() };
        for index in 0..granted {
            let mapping = buffers.map(index)?;
            buffers.mapped.push(mapping);
        }
        for index in 0..granted {
            buffers.queue(index).map_err(Refused::by(QBUF))?;
        }
        Ok(buffers)
    }

    /// VIDIOC_STREAMON.
    pub(super) fn start(&self) -> Result<(), Refused> {
        let kind = BUFFER_TYPE;
        // SAFETY: the kernel reads one int, which `kind` is and stays for the whole call.
        uninterrupted(|| unsafe { request::streamon(self.handle.fd(), &raw const kind) })
            .map_err(Refused::by(STREAMON))
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.mapped.len()
    }

    /// The length of the shortest; 0 when there is none.
    pub(super) fn shortest(&self) -> usize {
        self.mapped.iter().map(|mapping| mapping.len).min().unwrap_or(0)
    }

    /// VIDIOC_DQBUF: the oldest filled buffer; `Ok(None)` when none is ready.
    ///
    /// EBADMSG stands for a driver that hands out a buffer it does not have.
    pub(super) fn dequeue(&mut self) -> Result<Option<Filled>, Errno> {
        let mut raw = mapped_buffer(0);
        // SAFETY: the kernel reads and writes one v4l2_buffer, which `raw` is and stays for the whole call.
        match uninterrupted(|| unsafe { request::dqbuf(self.handle.fd(), &raw mut raw) }) {
            Err(Errno::EAGAIN) => return Ok(None),
            other => other?,
        }
        let index = usize::try_from(raw.index).map_err(|_| Errno::EBADMSG)?;
        match self.mapped.get_mut(index) {
            Some(mapping) if !mapping.is_ours => mapping.is_ours = true,
            _ => return Err(Errno::EBADMSG),
        }
        let is_monotonic =
            raw.flags & V4L2_BUF_FLAG_TIMESTAMP_MASK == V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
        Ok(Some(Filled {
            index,
            len: usize::try_from(raw.bytesused).unwrap_or(usize::MAX),
            is_damaged: raw.flags & V4L2_BUF_FLAG_ERROR != 0,
            captured_at: if is_monotonic { micros(raw.timestamp) } else { None },
            sequence: raw.sequence,
        }))
    }

    /// What the driver filled; `None` when it claims more than the buffer holds.
    pub(super) fn bytes<'a>(&'a self, filled: &'a Filled) -> Option<&'a [u8]> {
        let mapping = self.mapped.get(filled.index)?;
        if filled.len > mapping.len {
            return None;
        }
        // SAFETY: `mapping` is readable memory of at least `filled.len` bytes until it is unmapped in
        // Drop, which this borrow of `self` keeps away; nobody writes to it while `filled` exists.
        Some(unsafe { std::slice::from_raw_parts(mapping.start.cast::<u8>().as_ptr(), filled.len) })
    }

    /// VIDIOC_QBUF: lets the driver fill it again.
    #[allow(
        clippy::needless_pass_by_value,
        reason = "nobody may read what the driver may write to"
    )]
    pub(super) fn give_back(&mut self, filled: Filled) -> Result<(), Errno> {
        let Filled { index, .. } = filled;
        let number = u32::try_from(index).map_err(|_| Errno::EBADMSG)?;
        // A second attempt costs nothing, and a buffer that is never given back is lost until the
        // camera is opened again.
        self.queue(number).or_else(|_| self.queue(number))?;
        if let Some(mapping) = self.mapped.get_mut(index) {
            mapping.is_ours = false;
        }
        Ok(())
    }

    fn map(&self, index: u32) -> Result<Mapping, Refused> {
        let mut raw = mapped_buffer(index);
        // SAFETY: the kernel reads and writes one v4l2_buffer, which `raw` is and stays for the whole call.
        uninterrupted(|| unsafe { request::querybuf(self.handle.fd(), &raw mut raw) })
            .map_err(Refused::by("VIDIOC_QUERYBUF"))?;
        let refused = Refused::by("mmap");
        let len = usize::try_from(raw.length).ok().and_then(NonZeroUsize::new);
        let len = len.ok_or_else(|| refused(Errno::EINVAL))?;
        // SAFETY: for memory of the kind MMAP, `offset` is the field in use.
        let offset = unsafe { raw.m.offset };
        #[allow(
            clippy::unnecessary_fallible_conversions,
            reason = "off_t has 32 bits on some targets"
        )]
        let offset = off_t::try_from(offset).map_err(|_| refused(Errno::EOVERFLOW))?;
        let (access, flags) = (ProtFlags::PROT_READ, MapFlags::MAP_SHARED);
        // SAFETY: a new mapping at an address that the kernel chooses; it overlays nothing.
        let start = unsafe { mmap(None, len, access, flags, self.as_fd(), offset) };
        Ok(Mapping { start: start.map_err(refused)?, len: len.get(), is_ours: false })
    }

    fn queue(&self, index: u32) -> Result<(), Errno> {
        let mut raw = mapped_buffer(index);
        // SAFETY: the kernel reads and writes one v4l2_buffer, which `raw` is and stays for the whole call.
        uninterrupted(|| unsafe { request::qbuf(self.handle.fd(), &raw mut raw) })
    }
}

impl AsFd for Buffers {
    fn as_fd(&self) -> BorrowedFd<'_> {
        borrowed(&self.handle)
    }
}

impl Drop for Buffers {
    /// Errors are ignored: after an unplugging every one of these calls fails, and closing does the rest.
    fn drop(&mut self) {
        let kind = BUFFER_TYPE;
        // SAFETY: the kernel reads one int, which `kind` is and stays for the whole call.
        let _ = uninterrupted(|| unsafe { request::streamoff(self.handle.fd(), &raw const kind) });
        for mapping in self.mapped.drain(..) {
            // SAFETY: mapped by `map` with this length, unmapped only here; no slice of it outlives `self`.
            let _ = unsafe { munmap(mapping.start, mapping.len) };
        }
        let _ = request_buffers(&self.handle, 0);
    }
}

/// VIDIOC_REQBUFS: how many were granted of `count`; 0 gives all back.
fn request_buffers(handle: &Handle, count: u32) -> Result<u32, Errno> {
    let mut raw = v4l2_requestbuffers { count, type_: CAPTURE, memory: MMAP, ..Default::default() };
    // SAFETY: the kernel reads and writes one v4l2_requestbuffers, which `raw` is and stays for the whole call.
    uninterrupted(|| unsafe { request::reqbufs(handle.fd(), &raw mut raw) })?;
    Ok(raw.count)
}

fn mapped_buffer(index: u32) -> v4l2_buffer {
    v4l2_buffer { index, type_: CAPTURE, memory: MMAP, ..Default::default() }
}

fn borrowed(handle: &Handle) -> BorrowedFd<'_> {
    // SAFETY: a Handle keeps its descriptor open until it is dropped, and the result borrows it.
    unsafe { BorrowedFd::borrow_raw(handle.fd()) }
}

/// Repeats a call that a signal cut short.
pub(super) fn uninterrupted(mut call: impl FnMut() -> Result<c_int, Errno>) -> Result<(), Errno> {
    loop {
        match call() {
            Err(Errno::EINTR) => {}
            other => return other.map(drop),
        }
    }
}

/// A driver's fixed-length text, up to its end or its first zero.
pub(super) fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).trim().to_owned()
}

fn micros(time: timeval) -> Option<Micros> {
    let seconds = u64::try_from(time.tv_sec).ok()?;
    seconds.checked_mul(1_000_000)?.checked_add(u64::try_from(time.tv_usec).ok()?).map(Micros)
}

const CAPTURE: u32 = v4l2_buf_type_V4L2_BUF_TYPE_VIDEO_CAPTURE;
const MMAP: u32 = v4l2_memory_V4L2_MEMORY_MMAP;
/// [`CAPTURE`] as STREAMON and STREAMOFF want it.
const BUFFER_TYPE: c_int = 1;

/// The calls themselves; their numbers are those of `linux/videodev2.h`.
mod request {
    use super::{c_int, v4l2_buffer, v4l2_capability, v4l2_format, v4l2_requestbuffers};

    nix::ioctl_read!(querycap, b'V', 0, v4l2_capability);
    nix::ioctl_readwrite!(g_fmt, b'V', 4, v4l2_format);
    nix::ioctl_readwrite!(s_fmt, b'V', 5, v4l2_format);
    nix::ioctl_readwrite!(reqbufs, b'V', 8, v4l2_requestbuffers);
    nix::ioctl_readwrite!(querybuf, b'V', 9, v4l2_buffer);
    nix::ioctl_readwrite!(qbuf, b'V', 15, v4l2_buffer);
    nix::ioctl_readwrite!(dqbuf, b'V', 17, v4l2_buffer);
    nix::ioctl_write_ptr!(streamon, b'V', 18, c_int);
    nix::ioctl_write_ptr!(streamoff, b'V', 19, c_int);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_the_kernel_cut_in_a_character_is_still_a_name() {
        assert_eq!(text(b"Caf\xC3\xA9 \xC3\0junk"), "Caf\u{e9} \u{fffd}");
        assert_eq!(text(b"no end"), "no end");
        assert_eq!(text(b"\0"), "");
    }

    #[test]
    fn a_time_before_the_clock_began_is_no_time() {
        assert_eq!(micros(timeval { tv_sec: 2, tv_usec: 3 }), Some(Micros(2_000_003)));
        assert_eq!(micros(timeval { tv_sec: -1, tv_usec: 0 }), None);
        assert_eq!(micros(timeval { tv_sec: i64::MAX, tv_usec: 0 }), None);
    }

    #[test]
    fn the_buffer_type_is_the_same_number_as_an_int() {
        assert_eq!(u32::try_from(BUFFER_TYPE), Ok(CAPTURE));
    }
}
