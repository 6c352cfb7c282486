//! Encodes planes by libjpeg-turbo's own interface: the crate `turbojpeg` cannot ask it for restart
//! markers.

use super::{JpegError, subsampling};
use crate::image::pixels::{Chroma, Size};
use crate::image::planes::{Planes, Strip};
use std::ffi::{CStr, c_int, c_void};
use std::ptr::NonNull;
use turbojpeg::raw;

/// A JPEG encoder, reused for all frames of a stream.
#[derive(Debug)]
pub struct Encoder {
    handle: NonNull<c_void>,
}

/// Where restart markers stand in a JPEG. From one on it can be decoded without what comes before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restarts {
    /// Nowhere.
    Never,
    /// Between two rows of MCUs.
    EachRow,
}

// SAFETY: the library keeps nothing of a handle elsewhere, so any one thread may use it.
unsafe impl Send for Encoder {}

impl Encoder {
    /// An encoder with `quality` 1 to 100, whose JPEGs have no restart markers.
    ///
    /// # Errors
    /// When the library has no memory.
    pub fn new(quality: u8) -> Result<Self, JpegError> {
        Self::with_restarts(quality, Restarts::Never)
    }

    /// An encoder with `quality` 1 to 100, whose JPEGs have these restart markers.
    ///
    /// # Errors
    /// When the library has no memory.
    pub fn with_restarts(quality: u8, restarts: Restarts) -> Result<Self, JpegError> {
        // SAFETY: the call takes a number.
        let handle = unsafe { raw::tj3Init(number(raw::TJINIT_TJINIT_COMPRESS)) };
        let handle = NonNull::new(handle).ok_or(JpegError::Setup(turbojpeg::Error::Null))?;
        let mut encoder = Self { handle };
        let rows = match restarts {
            Restarts::Never => 0,
            Restarts::EachRow => 1,
        };
        let settings = [
            (raw::TJPARAM_TJPARAM_QUALITY, c_int::from(quality.clamp(1, 100))),
            (raw::TJPARAM_TJPARAM_RESTARTROWS, rows),
            // The library writes to the memory that it is given, and does not get more.
            (raw::TJPARAM_TJPARAM_NOREALLOC, 1),
        ];
        for (setting, value) in settings {
            encoder.set(setting, value).map_err(JpegError::Setup)?;
        }
        Ok(encoder)
    }

    /// The room for a JPEG of this size. Only pictures made for it need more, and those are refused.
    ///
    /// # Errors
    /// When the size is over the limit of JPEG.
    pub fn max_len(size: Size, chroma: Chroma) -> Result<usize, JpegError> {
        turbojpeg::compressed_buf_len(size.width, size.height, subsampling(chroma))
            .map_err(|source| JpegError::Encode { size, source })
    }

    /// Encodes `planes` into `out`, which must have [`max_len`](Self::max_len) bytes. Returns how
    /// many bytes were written.
    ///
    /// # Errors
    /// When `out` is too small, or the library fails.
    pub fn encode(&mut self, planes: &Planes, out: &mut [u8]) -> Result<usize, JpegError> {
        self.encode_strip(planes.strip(0, planes.size().height), out)
    }

    /// The same for a part of a picture, which becomes a JPEG of its own.
    ///
    /// # Errors
    /// When `out` is too small, or the library fails.
    ///
    /// # Panics
    /// When the planes of the strip are not as large as its size and chroma say.
    pub fn encode_strip(&mut self, strip: Strip<'_>, out: &mut [u8]) -> Result<usize, JpegError> {
        let Strip { size, chroma, planes } = strip;
        let [y, cb, cr] = planes;
        let (luma, of_chroma) = (chroma.luma_size(size).area(), chroma.chroma_size(size).area());
        assert_eq!([y.len(), cb.len(), cr.len()], [luma, of_chroma, of_chroma], "whole planes");
        let failed = |source| JpegError::Encode { size, source };
        let side = |side: usize| {
            c_int::try_from(side).map_err(|_| failed(turbojpeg::Error::IntegerOverflow("side")))
        };
        let (width, height) = (side(size.width)?, side(size.height)?);
        self.set(raw::TJPARAM_TJPARAM_SUBSAMP, subsampling(chroma) as c_int).map_err(failed)?;
        let planes = planes.map(<[u8]>::as_ptr);
        let (mut to, mut len) = (out.as_mut_ptr(), out.len());
        // SAFETY: the handle lives as long as `self`, which nobody else uses now. The planes have
        // as many samples as the library reads of a picture of this size and subsampling, without
        // gaps between rows (a null pointer for the strides says so). With TJPARAM_NOREALLOC it
        // writes to `out` alone, at most `len` bytes. C's `size_t` is `usize` everywhere; the crate's
        // is shorter on Windows.
        let result = unsafe {
            raw::tj3CompressFromYUVPlanes8(
                self.handle.as_ptr(),
                planes.as_ptr(),
                width,
                std::ptr::null(),
                height,
                &mut to,
                (&raw mut len).cast(),
            )
        };
        match result {
            0 => Ok(len),
            _ => Err(match self.error() {
                turbojpeg::Error::TurboJpegError(text) if text.contains(NO_ROOM) => {
                    JpegError::TooLong(size)
                }
                error => failed(error),
            }),
        }
    }

    fn set(&mut self, parameter: raw::TJPARAM, value: c_int) -> Result<(), turbojpeg::Error> {
        // SAFETY: the handle lives as long as `self`.
        let result = unsafe { raw::tj3Set(self.handle.as_ptr(), number(parameter), value) };
        if result == 0 { Ok(()) } else { Err(self.error()) }
    }

    fn error(&mut self) -> turbojpeg::Error {
        // SAFETY: the handle lives as long as `self`.
        let text = unsafe { raw::tj3GetErrorStr(self.handle.as_ptr()) };
        // SAFETY: the library returns a text that ends with a zero byte. It stays as it is until
        // the next call, and is copied before.
        let text = unsafe { CStr::from_ptr(text) };
        turbojpeg::Error::TurboJpegError(text.to_string_lossy().into_owned())
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // SAFETY: nobody uses the handle after this.
        unsafe { raw::tj3Destroy(self.handle.as_ptr()) };
    }
}

/// In the library's message that a JPEG is longer than the memory for it.
const NO_ROOM: &str = "Buffer passed to JPEG library is too small";

/// The library's numbers for settings and kinds are small.
fn number(of: u32) -> c_int {
    c_int::try_from(of).expect("a number below 100")
}
