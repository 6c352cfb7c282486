//! Which camera is wanted, and which one pictures are of.

use super::address::CameraAddress;
use super::identity::Identity;
use std::sync::Arc;

/// Which camera is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    /// Which one it is, if that is known: then no other is shown, and it is looked for where it is no longer. `None` for
    /// whichever camera is at the address.
    pub identity: Option<Identity>,
    /// Where it is, or was last; or what somebody called it.
    pub address: CameraAddress,
}

impl Wanted {
    /// Whichever camera is at an address; if a camera has that name, that one.
    pub fn at(address: CameraAddress) -> Self {
        Self { identity: None, address }
    }

    /// What it is called, if it is known by its name.
    pub fn name(&self) -> Option<&str> {
        self.identity.as_ref().map(|identity| &*identity.name)
    }
}

/// Which camera pictures are of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin {
    /// What it calls itself; its address, where it does not say.
    pub name: Arc<str>,
    /// Its id; empty where it has none.
    pub id: String,
    /// By what it is found again.
    pub camera: Wanted,
}

impl Origin {
    /// Of a server that says nothing of itself.
    pub fn nameless(address: CameraAddress) -> Self {
        let name = Arc::from(address.to_string());
        Self { name, id: String::new(), camera: Wanted::at(address) }
    }

    /// What tells it from others.
    pub fn identity(&self) -> Identity {
        Identity { name: self.name.to_string(), id: self.id.clone() }
    }
}
