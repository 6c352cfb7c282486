//! Where the pool's locks and threads come from. Its test in all orders puts others in their place.

pub(super) use std::sync::{Condvar, Mutex, MutexGuard};
pub(super) use std::thread::{Builder, JoinHandle};
