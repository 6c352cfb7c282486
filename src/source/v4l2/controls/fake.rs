//! A simulated driver that gives any answer that a test wants, right or wrong.

use super::driver::{Driver, Query, RawControl, RawItem};
use super::limited::Limit;
use nix::errno::Errno;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use v4l::v4l_sys::{
    V4L2_CTRL_FLAG_INACTIVE, V4L2_CTRL_FLAG_NEXT_COMPOUND, V4L2_CTRL_FLAG_NEXT_CTRL,
};

/// Replaces the answers to queries.
pub(super) type Answer = Box<dyn Fn(Query, u32) -> Result<RawControl, Errno>>;

/// Behaves well unless told otherwise.
#[derive(Default)]
pub(super) struct FakeDriver {
    /// In rising order of their numbers.
    pub(super) controls: Vec<RawControl>,
    pub(super) numbers: RefCell<BTreeMap<u32, i64>>,
    pub(super) text: RefCell<Vec<u8>>,
    /// While the first control is not 0, the second cannot be set.
    pub(super) lock: Option<(u32, u32)>,
    /// The first control always becomes the second value, whatever it is set to.
    pub(super) makes: Option<(u32, i64)>,
    pub(super) answer: Option<Answer>,
    pub(super) calls: RefCell<usize>,
    /// Happens before a control is set.
    pub(super) at_set: Option<Box<dyn Fn()>>,
    /// Which control was set to which value, in this order.
    pub(super) sets: RefCell<Vec<(u32, i64)>>,
}

impl FakeDriver {
    fn number(&self, id: u32) -> i64 {
        self.numbers.borrow().get(&id).copied().unwrap_or(0)
    }

    fn is_called(&self) {
        *self.calls.borrow_mut() += 1;
    }

    fn is_locked(&self, id: u32) -> bool {
        self.lock.is_some_and(|(by, locked)| locked == id && self.number(by) != 0)
    }

    fn set(&self, id: u32, number: i64) -> Result<(), Errno> {
        self.is_called();
        if let Some(at_set) = &self.at_set {
            at_set();
        }
        self.sets.borrow_mut().push((id, number));
        if self.is_locked(id) {
            return Err(Errno::EACCES);
        }
        let made = self.makes.filter(|(of, _)| *of == id).map_or(number, |(_, made)| made);
        self.numbers.borrow_mut().insert(id, made);
        Ok(())
    }
}

/// Makes this many calls. Those after that fail as if the time were over.
pub(super) struct FewCalls<'a> {
    driver: &'a FakeDriver,
    left: Cell<usize>,
    is_over: Cell<bool>,
}

impl<'a> FewCalls<'a> {
    pub(super) fn of(driver: &'a FakeDriver, calls: usize) -> Self {
        Self { driver, left: Cell::new(calls), is_over: Cell::new(false) }
    }
}

impl Limit for FewCalls<'_> {
    type Driver = FakeDriver;

    fn call<T>(&self, call: impl FnOnce(&FakeDriver) -> Result<T, Errno>) -> Result<T, Errno> {
        let Some(left) = self.left.get().checked_sub(1) else {
            self.is_over.set(true);
            return Err(Errno::ETIMEDOUT);
        };
        self.left.set(left);
        call(self.driver)
    }

    fn is_over(&self) -> bool {
        self.is_over.get()
    }
}

impl Driver for FakeDriver {
    fn query(&self, how: Query, id: u32) -> Result<RawControl, Errno> {
        self.is_called();
        if let Some(answer) = &self.answer {
            return answer(how, id);
        }
        let next = V4L2_CTRL_FLAG_NEXT_CTRL | V4L2_CTRL_FLAG_NEXT_COMPOUND;
        let found = match id & next {
            0 => self.controls.iter().find(|it| it.id == id),
            _ => self.controls.iter().find(|it| it.id > id & !next),
        };
        let mut found = *found.ok_or(Errno::EINVAL)?;
        if self.is_locked(found.id) {
            found.flags |= V4L2_CTRL_FLAG_INACTIVE;
        }
        Ok(found)
    }

    /// Items with an even index are `Item 4` and so on; the others are gaps.
    fn item(&self, _: u32, index: u32) -> Result<RawItem, Errno> {
        self.is_called();
        match index % 2 {
            0 => Ok(RawItem(name(format!("Item {index}").as_bytes()))),
            _ => Err(Errno::EINVAL),
        }
    }

    fn value(&self, id: u32) -> Result<i32, Errno> {
        self.is_called();
        let number = self.number(id);
        i32::try_from(number).map_err(|_| Errno::ERANGE)
    }

    fn set_value(&self, id: u32, value: i32) -> Result<(), Errno> {
        self.set(id, value.into())
    }

    fn value64(&self, id: u32) -> Result<i64, Errno> {
        Ok(self.number(id))
    }

    fn set_value64(&self, id: u32, value: i64) -> Result<(), Errno> {
        self.set(id, value)
    }

    fn text(&self, _: u32, size: usize) -> Result<Vec<u8>, Errno> {
        let mut bytes = self.text.borrow().clone();
        bytes.resize(size, 0);
        Ok(bytes)
    }

    fn set_text(&self, _: u32, text: &str) -> Result<(), Errno> {
        *self.text.borrow_mut() = text.into();
        Ok(())
    }
}

/// A control of `kind` with this title and the range 0 to 255.
pub(super) fn raw(id: u32, kind: u32, title: &str) -> RawControl {
    RawControl {
        id,
        kind,
        name: name(title.as_bytes()),
        maximum: 255,
        step: 1,
        default: 128,
        ..RawControl::default()
    }
}

/// The part of `text` that fits into the 32 bytes of a name.
pub(super) fn name(text: &[u8]) -> [u8; 32] {
    let mut name = [0; 32];
    for (to, from) in name.iter_mut().zip(text) {
        *to = *from;
    }
    name
}
