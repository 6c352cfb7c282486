//! The kernel's calls for controls, as safe functions.
//!
//! The crate `v4l` has them too, but it panics on a control type newer than itself, on a menu
//! without a step, and on a name that is not UTF-8.

use super::driver::{Driver, Query, RawControl, RawItem};
use crate::source::interrupted::uninterrupted;
use nix::errno::Errno;
use nix::libc::c_char;
use v4l::device::Handle;
use v4l::v4l_sys::{
    v4l2_control, v4l2_ext_control, v4l2_ext_controls, v4l2_query_ext_ctrl, v4l2_queryctrl,
    v4l2_querymenu,
};

impl Driver for Handle {
    fn query(&self, how: Query, id: u32) -> Result<RawControl, Errno> {
        match how {
            Query::Extended => query_extended(self, id),
            Query::Old => query_old(self, id),
        }
    }

    fn item(&self, id: u32, index: u32) -> Result<RawItem, Errno> {
        let mut raw = v4l2_querymenu { id, index, ..Default::default() };
        // SAFETY: the kernel reads and writes one v4l2_querymenu, which `raw` is for the whole
        // call.
        uninterrupted(|| unsafe { request::querymenu(self.fd(), &raw mut raw) })?;
        // SAFETY: all 32 bytes of the union are initialised, and any bytes are a [u8; 32].
        Ok(RawItem(unsafe { raw.__bindgen_anon_1.name }))
    }

    fn value(&self, id: u32) -> Result<i32, Errno> {
        let mut raw = v4l2_control { id, value: 0 };
        // SAFETY: the kernel reads and writes one v4l2_control, which `raw` is for the whole call.
        uninterrupted(|| unsafe { request::g_ctrl(self.fd(), &raw mut raw) })?;
        Ok(raw.value)
    }

    fn set_value(&self, id: u32, value: i32) -> Result<(), Errno> {
        let mut raw = v4l2_control { id, value };
        // SAFETY: the kernel reads and writes one v4l2_control, which `raw` is for the whole call.
        uninterrupted(|| unsafe { request::s_ctrl(self.fd(), &raw mut raw) })
    }

    fn value64(&self, id: u32) -> Result<i64, Errno> {
        let mut one = v4l2_ext_control { id, ..Default::default() };
        let mut all = v4l2_ext_controls { count: 1, controls: &raw mut one, ..Default::default() };
        // SAFETY: the kernel reads and writes `all` and the one control it points to, which is
        // `one`. It follows no pointer in a control whose `size` is 0.
        uninterrupted(|| unsafe { request::g_ext_ctrls(self.fd(), &raw mut all) })?;
        // SAFETY: all eight bytes of the union are initialised, and any bytes are an i64.
        Ok(unsafe { one.__bindgen_anon_1.value64 })
    }

    fn set_value64(&self, id: u32, value: i64) -> Result<(), Errno> {
        let mut one = v4l2_ext_control { id, ..Default::default() };
        one.__bindgen_anon_1.value64 = value;
        let mut all = v4l2_ext_controls { count: 1, controls: &raw mut one, ..Default::default() };
        // SAFETY: the kernel reads and writes `all` and the one control it points to, which is
        // `one`. It follows no pointer in a control whose `size` is 0.
        uninterrupted(|| unsafe { request::s_ext_ctrls(self.fd(), &raw mut all) })
    }

    fn text(&self, id: u32, size: usize) -> Result<Vec<u8>, Errno> {
        let mut bytes = vec![0; size];
        let mut one = with_text(id, &mut bytes)?;
        let mut all = v4l2_ext_controls { count: 1, controls: &raw mut one, ..Default::default() };
        // SAFETY: the kernel reads and writes `all` and the one control it points to, which is
        // `one`. Through the pointer in that, it accesses at most `size` bytes, which is the length
        // of `bytes`.
        uninterrupted(|| unsafe { request::g_ext_ctrls(self.fd(), &raw mut all) })?;
        Ok(bytes)
    }

    fn set_text(&self, id: u32, text: &str) -> Result<(), Errno> {
        let mut bytes = text.as_bytes().to_vec();
        bytes.push(0);
        let mut one = with_text(id, &mut bytes)?;
        let mut all = v4l2_ext_controls { count: 1, controls: &raw mut one, ..Default::default() };
        // SAFETY: the kernel reads and writes `all` and the one control it points to, which is
        // `one`. Through the pointer in that, it accesses at most `size` bytes, which is the length
        // of `bytes`.
        uninterrupted(|| unsafe { request::s_ext_ctrls(self.fd(), &raw mut all) })
    }
}

fn query_extended(handle: &Handle, id: u32) -> Result<RawControl, Errno> {
    let mut raw = v4l2_query_ext_ctrl { id, ..Default::default() };
    // SAFETY: the kernel reads and writes one v4l2_query_ext_ctrl, which `raw` is for the whole
    // call.
    uninterrupted(|| unsafe { request::query_ext_ctrl(handle.fd(), &raw mut raw) })?;
    Ok(RawControl {
        id: raw.id,
        kind: raw.type_,
        // c_char is signed on some targets and unsigned on others; this compiles for both.
        name: raw.name.map(|letter| letter.to_ne_bytes()[0]),
        minimum: raw.minimum,
        maximum: raw.maximum,
        step: raw.step,
        default: raw.default_value,
        flags: raw.flags,
        elements: raw.elems,
        dimensions: raw.nr_of_dims,
        sides: raw.dims,
    })
}

fn query_old(handle: &Handle, id: u32) -> Result<RawControl, Errno> {
    let mut raw = v4l2_queryctrl { id, ..Default::default() };
    // SAFETY: the kernel reads and writes one v4l2_queryctrl, which `raw` is for the whole call.
    uninterrupted(|| unsafe { request::queryctrl(handle.fd(), &raw mut raw) })?;
    Ok(RawControl {
        id: raw.id,
        kind: raw.type_,
        name: raw.name,
        minimum: raw.minimum.into(),
        maximum: raw.maximum.into(),
        // A negative step makes no sense. A step of 0 is later replaced by 1.
        step: raw.step.try_into().unwrap_or(0),
        default: raw.default_value.into(),
        flags: raw.flags,
        elements: 0,
        dimensions: 0,
        sides: [0; 4],
    })
}

/// A control whose pointer refers to `text`, which must live as long as the result is used.
fn with_text(id: u32, text: &mut [u8]) -> Result<v4l2_ext_control, Errno> {
    let size = u32::try_from(text.len()).map_err(|_| Errno::E2BIG)?;
    let mut control = v4l2_ext_control { id, size, ..Default::default() };
    control.__bindgen_anon_1.string = text.as_mut_ptr().cast::<c_char>();
    Ok(control)
}

/// The calls themselves, with their numbers from `linux/videodev2.h`.
mod request {
    use super::{
        v4l2_control, v4l2_ext_controls, v4l2_query_ext_ctrl, v4l2_queryctrl, v4l2_querymenu,
    };

    nix::ioctl_readwrite!(g_ctrl, b'V', 27, v4l2_control);
    nix::ioctl_readwrite!(s_ctrl, b'V', 28, v4l2_control);
    nix::ioctl_readwrite!(queryctrl, b'V', 36, v4l2_queryctrl);
    nix::ioctl_readwrite!(querymenu, b'V', 37, v4l2_querymenu);
    nix::ioctl_readwrite!(g_ext_ctrls, b'V', 71, v4l2_ext_controls);
    nix::ioctl_readwrite!(s_ext_ctrls, b'V', 72, v4l2_ext_controls);
    nix::ioctl_readwrite!(query_ext_ctrl, b'V', 103, v4l2_query_ext_ctrl);
}
