//! The calls to a driver about its controls, and its raw answers, which may contain anything.

use nix::errno::Errno;

/// Which call asks for a control.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Query {
    /// VIDIOC_QUERY_EXT_CTRL, which knows 64-bit values and arrays.
    Extended,
    /// VIDIOC_QUERYCTRL, for drivers without that one.
    Old,
}

/// A driver's description of one control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in super::super) struct RawControl {
    pub(in super::super) id: u32,
    /// `V4L2_CTRL_TYPE_…`, or a number that no header has yet.
    pub(in super::super) kind: u32,
    pub(in super::super) name: [u8; 32],
    pub(in super::super) minimum: i64,
    pub(in super::super) maximum: i64,
    pub(in super::super) step: u64,
    pub(in super::super) default: i64,
    /// `V4L2_CTRL_FLAG_…`.
    pub(in super::super) flags: u32,
    /// How many elements an array has. 1 if it is not an array, or 0 in an old query.
    pub(in super::super) elements: u32,
    /// How many of `sides` are used: 0 if it is not an array.
    pub(in super::super) dimensions: u32,
    pub(in super::super) sides: [u32; 4],
}

/// An item of a menu: its text, or its number in the first eight bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct RawItem(pub(in super::super) [u8; 32]);

/// The calls about controls.
pub(in super::super) trait Driver {
    /// Describes control `id`. With `V4L2_CTRL_FLAG_NEXT_…` in it, describes the first control
    /// after `id`.
    fn query(&self, how: Query, id: u32) -> Result<RawControl, Errno>;
    /// VIDIOC_QUERYMENU.
    fn item(&self, id: u32, index: u32) -> Result<RawItem, Errno>;
    /// VIDIOC_G_CTRL: the value of a control of up to 32 bits.
    fn value(&self, id: u32) -> Result<i32, Errno>;
    /// VIDIOC_S_CTRL.
    fn set_value(&self, id: u32, value: i32) -> Result<(), Errno>;
    /// VIDIOC_G_EXT_CTRLS of a 64-bit integer.
    fn value64(&self, id: u32) -> Result<i64, Errno>;
    /// VIDIOC_S_EXT_CTRLS of a 64-bit integer.
    fn set_value64(&self, id: u32, value: i64) -> Result<(), Errno>;
    /// VIDIOC_G_EXT_CTRLS of a text that fits, with its NUL, into `size` bytes.
    fn text(&self, id: u32, size: usize) -> Result<Vec<u8>, Errno>;
    /// VIDIOC_S_EXT_CTRLS of a text.
    fn set_text(&self, id: u32, text: &str) -> Result<(), Errno>;
    /// Whether a call was not made because the time was over, so that the answers so far are not all.
    fn has_left_calls_out(&self) -> bool {
        false
    }
}
