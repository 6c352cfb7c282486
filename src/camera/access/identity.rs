//! The camera's identity: its private key, and the certificate by which viewers know it again.

use super::folder::{Folder, FolderError, Name};
use crate::crypto::p256::PrivateKey;
use crate::crypto::{NoRandomness, random};
use crate::net::tls::handshake::{HandshakeError, Server};
use crate::wire::certificate::{Certificate, signed};
use crate::wire::pem;
use std::net::IpAddr;
use std::time::Duration;

/// For how many years a new certificate is valid.
const YEARS: u64 = 20;

/// A camera without a clock makes a certificate that is valid at least 20 years from here.
const LEAST_YEAR: u64 = 2026;

/// The mean year of the Gregorian calendar.
const YEAR: u64 = 31_556_952;

const CERTIFICATE: &str = "CERTIFICATE";
const PRIVATE_KEY: &str = "PRIVATE KEY";

/// A private key and its certificate, and TLS with them. It shows nothing of the key in logs.
#[derive(Debug)]
pub struct Identity {
    certificate: Vec<u8>,
    key: PrivateKey,
    server: Server,
}

/// For whom a certificate is made. It stays when any of this changes: viewers know it by its hash.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    /// The camera's name.
    pub name: &'a str,
    /// Its host names.
    pub hosts: &'a [String],
    /// Its addresses.
    pub addresses: &'a [IpAddr],
}

impl Identity {
    /// The identity in this folder; a new one, which is on the disk when this returns, if there is none.
    ///
    /// # Errors
    /// When the file cannot be trusted, read or written. A damaged one is never replaced: viewers know the camera by it.
    pub fn open(
        folder: &Folder,
        names: Names<'_>,
        since_1970: Duration,
    ) -> Result<Self, IdentityError> {
        let lock = folder.lock()?;
        if let Some(text) = folder.read(Name::Identity)? {
            let identity = Self::from_text(&text);
            return identity.map_err(|error| folder.damaged(Name::Identity, &error).into());
        }
        let identity = Self::new(names, since_1970)?;
        folder.write(Name::Identity, &identity.to_text(), &lock)?;
        Ok(identity)
    }

    /// A new identity.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn new(names: Names<'_>, since_1970: Duration) -> Result<Self, IdentityError> {
        let key = PrivateKey::new()?;
        let last_year = (1970 + since_1970.as_secs() / YEAR).max(LEAST_YEAR) + YEARS;
        let certificate = Certificate {
            name: names.name,
            hosts: names.hosts,
            addresses: names.addresses,
            serial: random()?,
            last_year: u16::try_from(last_year).unwrap_or(9999).min(9999),
            public_key: key.public_key(),
        };
        let to_be_signed = certificate.to_be_signed();
        let certificate = signed(&to_be_signed, &key.sign(&to_be_signed)?);
        Self::of(certificate, key)
    }

    /// The identity that was kept in a file.
    ///
    /// # Errors
    /// When a part of it is missing or damaged, or the parts do not belong together.
    pub fn from_text(text: &str) -> Result<Self, IdentityError> {
        let certificate = pem::read(CERTIFICATE, text).ok_or(IdentityError::Certificate)?;
        let key = pem::read(PRIVATE_KEY, text).ok_or(IdentityError::Key)?;
        let key = PrivateKey::from_pkcs8(&key).ok_or(IdentityError::Key)?;
        Self::of(certificate, key)
    }

    fn of(certificate: Vec<u8>, key: PrivateKey) -> Result<Self, IdentityError> {
        let server = Server::new(&certificate, key.pkcs8()).map_err(IdentityError::Pair)?;
        Ok(Self { certificate, key, server })
    }

    /// What is kept in a file. It holds the private key.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        pem::write(CERTIFICATE, &self.certificate, &mut text);
        pem::write(PRIVATE_KEY, self.key.pkcs8(), &mut text);
        text
    }

    /// TLS with this identity; it knows the pin too.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// The certificate (DER), which everybody may see.
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }
}

/// Why there is no identity.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// Its file cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// No key can be made.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// The certificate is missing or damaged.
    #[error("it holds no whole certificate")]
    Certificate,
    /// The key is missing or damaged.
    #[error("it holds no whole private key for the curve P-256")]
    Key,
    /// One of them is another camera's, or the certificate is damaged inside.
    #[error("it holds a certificate and a private key that do not belong together ({0})")]
    Pair(HandshakeError),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(name: &str) -> Identity {
        let hosts = ["garage.local".to_owned()];
        let addresses =
            [IpAddr::from([192, 168, 1, 20]), IpAddr::from([0xFE80, 0, 0, 0, 0, 0, 0, 1])];
        let names = Names { name, hosts: &hosts, addresses: &addresses };
        Identity::new(names, Duration::ZERO).expect("randomness")
    }

    #[test]
    fn a_kept_identity_is_the_same_and_a_new_one_is_another() {
        let garage = new("Garage");
        let kept = Identity::from_text(&garage.to_text()).expect("it is whole");
        assert_eq!(kept.certificate(), garage.certificate());
        assert_eq!(kept.server().pin(), garage.server().pin());
        assert_eq!(kept.to_text(), garage.to_text());
        assert_ne!(new("Garage").server().pin(), garage.server().pin());
        // 20 years, though the clock is at its beginning.
        assert!(garage.certificate().windows(13).any(|it| it == b"461231235959Z"));
    }

    #[test]
    fn a_damaged_or_mixed_identity_is_refused_with_words() {
        let (garage, door) = (new("Garage").to_text(), new("Door").to_text());
        for end in 0..garage.trim_end().len() {
            assert!(Identity::from_text(&garage[..end]).is_err(), "cut off at {end}");
        }
        let key = "-----BEGIN PRIVATE";
        let at = |text: &str| text.find(key).expect("a key");
        let mixed = format!("{}{}", &garage[..at(&garage)], &door[at(&door)..]);
        let refused = |text: &str| Identity::from_text(text).expect_err("damaged").to_string();
        assert!(refused(&mixed).contains("do not belong together"), "{}", refused(&mixed));
        assert_eq!(refused(&garage[at(&garage)..]), "it holds no whole certificate");
        let no_key = "it holds no whole private key for the curve P-256";
        assert_eq!(refused(&garage[..at(&garage)]), no_key);
        assert_eq!(
            refused(&garage.replace("PRIVATE KEY-----\nMIG", "PRIVATE KEY-----\nMIH")),
            no_key
        );
        assert_eq!(refused(""), "it holds no whole certificate");
    }

    #[test]
    fn an_identity_is_made_once_and_a_damaged_file_of_it_is_left_alone() {
        let place = tempfile::tempdir().expect("a folder");
        let folder = Folder::open(place.path()).expect("it is ours");
        let names = Names { name: "Garage", hosts: &[], addresses: &[] };
        let open = || Identity::open(&folder, names, Duration::ZERO);
        let pin = open().expect("a new one").server().pin();
        assert_eq!(open().expect("the same").server().pin(), pin);
        let path = folder.path_of(Name::Identity);
        let text = std::fs::read_to_string(&path).expect("it is there");
        let cut = &text[..text.len() / 2];
        std::fs::write(&path, cut).expect("it is ours");
        let error = open().expect_err("it is damaged").to_string();
        let whole =
            format!("{} is damaged, so nobody is let in (it holds no whole", path.display());
        assert!(error.starts_with(&whole), "{error}");
        assert_eq!(std::fs::read_to_string(&path).expect("it is there"), cut);
    }

    #[test]
    fn an_identity_shows_nothing_of_its_key() {
        let shown = format!("{:?}", new("Garage"));
        assert!(shown.contains("PrivateKey(…)"), "{shown}");
    }
}
