//! The buffers that a driver fills, in memory that it shares with this program.

use super::{Interface, QBUF, REQBUFS, Refused, STREAMON, borrowed, request};
use crate::image::frame::Micros;
use crate::source::interrupted::uninterrupted;
use nix::errno::Errno;
use nix::libc::{c_int, c_void, off_t};
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};
use std::num::NonZeroUsize;
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd};
use std::ptr::NonNull;
use std::sync::Arc;
use v4l::device::Handle;
use v4l::v4l_sys::{
    V4L2_BUF_FLAG_ERROR, V4L2_BUF_FLAG_TIMESTAMP_MASK, V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC, timeval,
    v4l2_buffer, v4l2_memory_V4L2_MEMORY_MMAP as MMAP, v4l2_plane, v4l2_requestbuffers,
};

/// The buffers that a driver fills, mapped for reading. Dropping them ends the stream.
pub(in super::super) struct Buffers {
    handle: Arc<Handle>,
    interface: Interface,
    mapped: Vec<Mapping>,
}

/// A buffer that was dequeued and not given back yet. While this exists, the driver does not write
/// to its memory. Only [`Buffers`] makes it, and never twice for the same buffer.
#[derive(Debug)]
pub(in super::super) struct Filled {
    index: usize,
    /// The bytes that the driver claims to have filled; not checked.
    range: Range<usize>,
    /// Whether the driver says that the content is damaged.
    pub(in super::super) is_damaged: bool,
    /// When the frame was captured, if the driver uses CLOCK_MONOTONIC.
    pub(in super::super) captured_at: Option<Micros>,
    /// The driver's count of frames since STREAMON; some drivers never set it.
    pub(in super::super) sequence: u32,
}

impl Filled {
    /// Whether the driver says that the buffer is empty.
    pub(in super::super) fn is_empty(&self) -> bool {
        self.range.is_empty()
    }
}

#[derive(Debug)]
struct Mapping {
    start: NonNull<c_void>,
    len: usize,
    /// Whether it is dequeued and not given back yet.
    is_ours: bool,
}

impl Buffers {
    /// Asks for `count` buffers, maps as many as the driver grants, and queues them all.
    pub(in super::super) fn request(
        handle: Arc<Handle>,
        interface: Interface,
        count: u32,
    ) -> Result<Self, Refused> {
        let granted = request_buffers(&handle, interface, count).map_err(Refused::by(REQBUFS))?;
        // From here on, Drop releases what was granted, whatever fails.
        let mut buffers = Self { handle, interface, mapped: Vec::new() };
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
    pub(in super::super) fn start(&self) -> Result<(), Refused> {
        let kind = self.interface.as_int();
        // SAFETY: the kernel reads one int, which `kind` is for the whole call.
        uninterrupted(|| unsafe { request::streamon(self.handle.fd(), &raw const kind) })
            .map_err(Refused::by(STREAMON))
    }

    /// How many buffers there are.
    pub(in super::super) fn count(&self) -> usize {
        self.mapped.len()
    }

    /// The length of the shortest buffer; 0 if there is none.
    pub(in super::super) fn shortest(&self) -> usize {
        self.mapped.iter().map(|mapping| mapping.len).min().unwrap_or(0)
    }

    /// VIDIOC_DQBUF: takes the oldest filled buffer; `Ok(None)` if none is ready.
    ///
    /// Returns EBADMSG if the driver returns a buffer that it does not have.
    pub(in super::super) fn dequeue(&mut self) -> Result<Option<Filled>, Errno> {
        let mut answer = Answer::about(self.interface, 0);
        match answer.ask(|raw| {
            // SAFETY: `raw` is what `ask` promises.
            unsafe { request::dqbuf(self.handle.fd(), raw) }
        }) {
            Err(Errno::EAGAIN) => return Ok(None),
            other => other?,
        }
        let raw = &answer.raw;
        let index = usize::try_from(raw.index).map_err(|_| Errno::EBADMSG)?;
        match self.mapped.get_mut(index) {
            Some(mapping) if !mapping.is_ours => mapping.is_ours = true,
            _ => return Err(Errno::EBADMSG),
        }
        let is_monotonic =
            raw.flags & V4L2_BUF_FLAG_TIMESTAMP_MASK == V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
        Ok(Some(Filled {
            index,
            range: answer.filled(),
            is_damaged: raw.flags & V4L2_BUF_FLAG_ERROR != 0,
            captured_at: if is_monotonic { micros(raw.timestamp) } else { None },
            sequence: raw.sequence,
        }))
    }

    /// The bytes that the driver filled; `None` if it claims more than the buffer holds.
    pub(in super::super) fn bytes<'a>(&'a self, filled: &'a Filled) -> Option<&'a [u8]> {
        let mapping = self.mapped.get(filled.index)?;
        // SAFETY: `mapping` is readable memory of `mapping.len` bytes until it is unmapped in Drop,
        // which this borrow of `self` excludes. Nobody writes to it while `filled` exists.
        let all =
            unsafe { std::slice::from_raw_parts(mapping.start.cast::<u8>().as_ptr(), mapping.len) };
        all.get(filled.range.clone())
    }

    /// VIDIOC_QBUF: lets the driver fill the buffer again.
    #[allow(
        clippy::needless_pass_by_value,
        reason = "nobody may read what the driver may write to"
    )]
    pub(in super::super) fn give_back(&mut self, filled: Filled) -> Result<(), Errno> {
        let Filled { index, .. } = filled;
        let number = u32::try_from(index).map_err(|_| Errno::EBADMSG)?;
        // Try twice: that costs nothing, and a buffer that is not given back is lost until the
        // camera is opened again.
        self.queue(number).or_else(|_| self.queue(number))?;
        if let Some(mapping) = self.mapped.get_mut(index) {
            mapping.is_ours = false;
        }
        Ok(())
    }

    fn map(&self, index: u32) -> Result<Mapping, Refused> {
        let mut answer = Answer::about(self.interface, index);
        // SAFETY: `raw` is what `ask` promises.
        let asked = answer.ask(|raw| unsafe { request::querybuf(self.handle.fd(), raw) });
        asked.map_err(Refused::by("VIDIOC_QUERYBUF"))?;
        let refused = Refused::by("mmap");
        let (len, offset) = answer.place();
        let len = usize::try_from(len).ok().and_then(NonZeroUsize::new);
        let len = len.ok_or_else(|| refused(Errno::EINVAL))?;
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
        let mut answer = Answer::about(self.interface, index);
        // SAFETY: `raw` is what `ask` promises.
        answer.ask(|raw| unsafe { request::qbuf(self.handle.fd(), raw) })
    }
}

impl AsFd for Buffers {
    fn as_fd(&self) -> BorrowedFd<'_> {
        borrowed(&self.handle)
    }
}

impl Drop for Buffers {
    /// Ignores errors: after an unplugging every one of these calls fails, and closing the node
    /// releases everything.
    fn drop(&mut self) {
        let kind = self.interface.as_int();
        // SAFETY: the kernel reads one int, which `kind` is for the whole call.
        let _ = uninterrupted(|| unsafe { request::streamoff(self.handle.fd(), &raw const kind) });
        for mapping in self.mapped.drain(..) {
            // SAFETY: mapped by `map` with this length and unmapped only here; no slice of it
            // outlives `self`.
            let _ = unsafe { munmap(mapping.start, mapping.len) };
        }
        let _ = request_buffers(&self.handle, self.interface, 0);
    }
}

/// VIDIOC_REQBUFS: asks for `count` buffers and returns how many were granted; 0 releases all.
fn request_buffers(handle: &Handle, interface: Interface, count: u32) -> Result<u32, Errno> {
    let type_ = interface.buffer_type();
    let mut raw = v4l2_requestbuffers { count, type_, memory: MMAP, ..Default::default() };
    // SAFETY: the kernel reads and writes one v4l2_requestbuffers, which `raw` is for the whole
    // call.
    uninterrupted(|| unsafe { request::reqbufs(handle.fd(), &raw mut raw) })?;
    Ok(raw.count)
}

/// A question about one buffer, and the answer. With the multi-planar interface, the kernel writes
/// part of the answer into an array of planes, which has one element here.
struct Answer {
    interface: Interface,
    raw: v4l2_buffer,
    plane: v4l2_plane,
}

impl Answer {
    fn about(interface: Interface, index: u32) -> Self {
        let type_ = interface.buffer_type();
        let raw = v4l2_buffer { index, type_, memory: MMAP, ..Default::default() };
        Self { interface, raw, plane: v4l2_plane::default() }
    }

    /// Makes a `call` with a pointer to one v4l2_buffer. If the interface is multi-planar, that
    /// points to one v4l2_plane. Both stay in place until the call returns.
    fn ask(
        &mut self,
        mut call: impl FnMut(*mut v4l2_buffer) -> Result<c_int, Errno>,
    ) -> Result<(), Errno> {
        if self.interface == Interface::MultiPlanar {
            self.raw.m.planes = &raw mut self.plane;
            self.raw.length = 1;
        }
        uninterrupted(|| call(&raw mut self.raw))
    }

    /// The bytes of the buffer that the driver claims to have filled. `bytesused` counts from the
    /// start of the buffer; what comes before `data_offset` is not part of the picture.
    fn filled(&self) -> Range<usize> {
        let (start, end) = match self.interface {
            Interface::SinglePlanar => (0, self.raw.bytesused),
            Interface::MultiPlanar => (self.plane.data_offset, self.plane.bytesused),
        };
        let number = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        number(start)..number(end)
    }

    /// A buffer's length, and its offset for mmap.
    fn place(&self) -> (u32, u32) {
        match self.interface {
            // SAFETY: for memory of the kind MMAP this field is in use, and any bits are a valid
            // number.
            Interface::SinglePlanar => (self.raw.length, unsafe { self.raw.m.offset }),
            // SAFETY: the same.
            Interface::MultiPlanar => (self.plane.length, unsafe { self.plane.m.mem_offset }),
        }
    }
}

fn micros(time: timeval) -> Option<Micros> {
    let seconds = u64::try_from(time.tv_sec).ok()?;
    seconds.checked_mul(1_000_000)?.checked_add(u64::try_from(time.tv_usec).ok()?).map(Micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_before_the_clock_began_is_no_time() {
        assert_eq!(micros(timeval { tv_sec: 2, tv_usec: 3 }), Some(Micros(2_000_003)));
        assert_eq!(micros(timeval { tv_sec: -1, tv_usec: 0 }), None);
        assert_eq!(micros(timeval { tv_sec: i64::MAX, tv_usec: 0 }), None);
    }

    #[test]
    fn a_multi_planar_answer_stands_in_the_plane_beside_it() {
        let mut answer = Answer::about(Interface::MultiPlanar, 3);
        let asked = answer.ask(|raw| {
            // SAFETY: `ask` promises that there is one, and nobody else has it.
            let raw = unsafe { &mut *raw };
            // SAFETY: with this interface the pointer is the field in use.
            let planes = unsafe { raw.m.planes };
            // SAFETY: `ask` promises that there is one, and nobody else has it.
            let plane = unsafe { &mut *planes };
            assert_eq!((raw.index, raw.type_, raw.length), (3, 9, 1));
            plane.length = 4096;
            plane.m.mem_offset = 8192;
            plane.data_offset = 64;
            plane.bytesused = 1024;
            raw.bytesused = 9999;
            Ok(0)
        });
        assert_eq!(asked, Ok(()));
        assert_eq!((answer.filled(), answer.place()), (64..1024, (4096, 8192)));

        let mut answer = Answer::about(Interface::SinglePlanar, 3);
        answer.raw.bytesused = 77;
        assert_eq!(answer.filled(), 0..77);
    }
}
