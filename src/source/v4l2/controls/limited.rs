//! Drivers that refuse calls once their time is over. A camera may take 5 s to fail at one control, and it may have many.

use super::driver::{Driver, Query, RawControl, RawItem};
use nix::errno::Errno;
use std::cell::Cell;
use std::sync::Weak;
use std::time::Instant;

/// Calls a driver until the time is over. Calls after that fail with ETIMEDOUT. One call may take
/// longer: nothing can end it.
pub(in super::super) struct Limited<'a, D> {
    driver: &'a D,
    until: Instant,
    is_over: Cell<bool>,
}

impl<'a, D> Limited<'a, D> {
    pub(in super::super) fn new(driver: &'a D, until: Instant) -> Self {
        Self { driver, until, is_over: Cell::new(false) }
    }

    /// Whether a call was not made.
    pub(in super::super) fn is_over(&self) -> bool {
        self.is_over.get()
    }
}

/// Calls a driver as long as somebody else has it open. Calls after that fail with ENODEV.
pub(super) struct Lent<'a, D>(pub(super) &'a Weak<D>);

/// Decides at each call whether it is made.
pub(super) trait Limit {
    type Driver: Driver;

    fn call<T>(&self, call: impl FnOnce(&Self::Driver) -> Result<T, Errno>) -> Result<T, Errno>;

    /// Whether a call was not made because the time was over.
    fn is_over(&self) -> bool;
}

impl<D: Driver> Limit for Limited<'_, D> {
    type Driver = D;

    fn call<T>(&self, call: impl FnOnce(&D) -> Result<T, Errno>) -> Result<T, Errno> {
        if Instant::now() >= self.until {
            self.is_over.set(true);
            return Err(Errno::ETIMEDOUT);
        }
        call(self.driver)
    }

    fn is_over(&self) -> bool {
        self.is_over.get()
    }
}

impl<D: Driver> Limit for Lent<'_, D> {
    type Driver = D;

    fn call<T>(&self, call: impl FnOnce(&D) -> Result<T, Errno>) -> Result<T, Errno> {
        call(&*self.0.upgrade().ok_or(Errno::ENODEV)?)
    }

    fn is_over(&self) -> bool {
        false
    }
}

impl<L: Limit> Driver for L {
    fn query(&self, how: Query, id: u32) -> Result<RawControl, Errno> {
        self.call(|driver| driver.query(how, id))
    }

    fn item(&self, id: u32, index: u32) -> Result<RawItem, Errno> {
        self.call(|driver| driver.item(id, index))
    }

    fn value(&self, id: u32) -> Result<i32, Errno> {
        self.call(|driver| driver.value(id))
    }

    fn set_value(&self, id: u32, value: i32) -> Result<(), Errno> {
        self.call(|driver| driver.set_value(id, value))
    }

    fn value64(&self, id: u32) -> Result<i64, Errno> {
        self.call(|driver| driver.value64(id))
    }

    fn set_value64(&self, id: u32, value: i64) -> Result<(), Errno> {
        self.call(|driver| driver.set_value64(id, value))
    }

    fn text(&self, id: u32, size: usize) -> Result<Vec<u8>, Errno> {
        self.call(|driver| driver.text(id, size))
    }

    fn set_text(&self, id: u32, text: &str) -> Result<(), Errno> {
        self.call(|driver| driver.set_text(id, text))
    }

    fn has_left_calls_out(&self) -> bool {
        self.is_over()
    }
}

#[cfg(test)]
mod tests {
    use super::super::fake::FakeDriver;
    use super::*;
    use std::time::Duration;

    #[test]
    fn calls_are_made_until_the_time_is_over() {
        let driver = FakeDriver::default();
        let over = Limited::new(&driver, Instant::now());
        assert!(!over.is_over(), "no call was left out yet");
        assert_eq!(over.value(1), Err(Errno::ETIMEDOUT));
        assert!(over.is_over());
        assert_eq!(*driver.calls.borrow(), 0);
        let in_time = Limited::new(&driver, Instant::now() + Duration::from_secs(3600));
        assert_eq!(in_time.value(1), Ok(0));
        assert!(!in_time.is_over());
    }
}
