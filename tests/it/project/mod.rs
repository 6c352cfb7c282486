//! The project itself: the rules of its code, and what a build needs of a machine.

pub mod fresh;
mod messages;
mod need;
mod reproducible;
mod tidy;
