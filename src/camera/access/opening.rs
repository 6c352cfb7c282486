//! Opens what a camera needs that lets nobody in without a key: its folder, its identity, its code and its keys.

use super::folder::{Folder, FolderError};
use super::identity::{Identity, IdentityError, Names};
use super::mode::Plain;
use super::{Access, AccessError};
use crate::net::tls::handshake::Server;
use std::path::Path;
use std::time::Duration;

/// A camera's closed door.
#[derive(Debug)]
pub struct Closed {
    /// Who is let in.
    pub access: Access,
    /// TLS with the camera's certificate.
    pub server: Server,
}

/// Why there is none. A camera does not start then: it is never open because something is damaged.
#[derive(Debug, thiserror::Error)]
pub enum OpeningError {
    /// Of the folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// Of the identity.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// Of the code or the keys.
    #[error(transparent)]
    Access(#[from] AccessError),
}

impl Closed {
    /// Reads the files in this folder. Makes what is missing: an identity for `names`, a code, the folder itself.
    ///
    /// # Errors
    /// When a file cannot be trusted, read or written.
    pub fn open(
        place: &Path,
        names: Names<'_>,
        plain: Plain,
        since_1970: Duration,
    ) -> Result<Self, OpeningError> {
        let folder = Folder::open(place)?;
        let identity = Identity::open(&folder, names, since_1970)?;
        let server = identity.server().clone();
        let access = Access::open(folder, server.pin())?.with_plain(plain);
        Ok(Self { access, server })
    }
}

impl OpeningError {
    /// Whether another user could do it: the folder or a file belongs to somebody else.
    pub fn is_of_another_user(&self) -> bool {
        self.of_folder().is_some_and(FolderError::is_of_another_user)
    }

    /// Whether it may be over soon by itself, so that another start may work.
    pub fn may_pass(&self) -> bool {
        self.of_folder().is_some_and(FolderError::may_pass)
    }

    fn of_folder(&self) -> Option<&FolderError> {
        match self {
            Self::Folder(folder)
            | Self::Identity(IdentityError::Folder(folder))
            | Self::Access(AccessError::Folder(folder)) => Some(folder),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const NAMES: Names<'static> = Names { name: "Garage", hosts: &[], addresses: &[] };

    fn open(place: &Path) -> Result<Closed, OpeningError> {
        Closed::open(place, NAMES, Plain::Off, Duration::ZERO)
    }

    #[test]
    fn a_second_start_finds_the_same_camera_and_a_damaged_file_never_an_open_one() {
        let around = tempfile::tempdir().expect("a folder");
        let place = around.path().join("state");
        let first = open(&place).expect("made");
        let second = open(&place).expect("the same");
        assert_eq!(first.server.pin(), second.server.pin());
        assert!(first.access.code().is(&second.access.code()));
        for file in ["identity", "code", "keys"] {
            let path = place.join(file);
            let before = fs::read(&path).ok();
            fs::write(&path, "nonsense\n").expect("written");
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            fs::set_permissions(&path, mode).expect("ours");
            let said = open(&place).expect_err("damaged").to_string();
            let expected = format!("{} is damaged, so nobody is let in (", path.display());
            assert!(said.starts_with(&expected), "{said}");
            match before {
                Some(before) => fs::write(&path, before).expect("written"),
                None => fs::remove_file(&path).expect("there"),
            }
        }
        open(&place).expect("whole again");
    }
}
