//! The camera that is wanted, and the camera that pictures come from.

use super::address::CameraAddress;
use super::identity::Identity;
use std::sync::Arc;

/// A camera that is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    /// Which camera it is, if that is known. Then no other is shown, and it is searched for when it moves. `None`: whichever
    /// camera is at the address.
    pub identity: Option<Identity>,
    /// Its address, or its last one, or the name that the user gave.
    pub address: CameraAddress,
}

impl Wanted {
    /// Whichever camera is at an address. If a camera has that name, then that one.
    pub fn at(address: CameraAddress) -> Self {
        Self { identity: None, address }
    }

    /// The camera's name, if it is known by one.
    pub fn name(&self) -> Option<&str> {
        self.identity.as_ref().map(|identity| &*identity.name)
    }
}

/// The camera that pictures come from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin {
    /// The name that it gives. Its address, if it gives none.
    pub name: Arc<str>,
    /// Its id; empty if it has none.
    pub id: String,
    /// How to find it again.
    pub camera: Wanted,
}

impl Origin {
    /// The origin for a server that says nothing about itself.
    pub fn nameless(address: CameraAddress) -> Self {
        let name = Arc::from(address.to_string());
        Self { name, id: String::new(), camera: Wanted::at(address) }
    }

    /// What tells it from other cameras.
    pub fn identity(&self) -> Identity {
        Identity { name: self.name.to_string(), id: self.id.clone() }
    }
}
