//! The door of a camera: open, or closed with an identity, a code and keys in its state folder.

use super::access::PairCommand;
use super::access::folder;
use super::access::identity::Names;
use super::access::opening::{Closed, OpeningError};
use super::config::Config;
use crate::net::lan::own_addresses;
use crate::wire::service::host_label;
use std::path::PathBuf;
use std::time::SystemTime;

/// Opens the files of a camera that lets nobody in without a key, and makes those that are missing.
///
/// # Errors
/// When one of them cannot be trusted, read or written.
pub fn open(config: &Config, host_name: &str) -> Result<Closed, OpeningError> {
    let name = config.name.as_deref().unwrap_or(host_name);
    let mut hosts = vec![local_name(name), format!("{host_name}.local"), host_name.to_owned()];
    hosts.dedup();
    let addresses = own_addresses();
    let names = Names { name, hosts: &hosts, addresses: &addresses };
    let since_1970 = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    let mut closed = Closed::open(&place(config)?, names, config.plain, since_1970)?;
    let pair_command = PairCommand::of(config.state.as_deref());
    closed.access = closed.access.with_pair_command(pair_command);
    Ok(closed)
}

/// The state folder.
///
/// # Errors
/// When nothing says where it is.
pub fn place(config: &Config) -> Result<PathBuf, OpeningError> {
    Ok(folder::place(config.state.as_deref(), |name| std::env::var_os(name))?)
}

/// The name by which viewers and browsers find a camera that is announced.
pub fn local_name(name: &str) -> String {
    format!("{}.local", host_label(name))
}
