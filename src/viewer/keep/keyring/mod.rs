//! The cameras that this viewer is paired with: by which certificate it knows each, and with which key it is let in.

mod paired;
mod text;

use super::folders;
use super::private_file::{self, Content};
use crate::net::tls::handshake::Pin;
use crate::viewer::find::address::CameraAddress;
use crate::viewer::find::found::Found;
use crate::viewer::find::identity::Identity;
use crate::viewer::find::wanted::Wanted;
use crate::wire::access::key::Key;
use crate::wording::reason;
pub use paired::PairedCamera;
use paired::are_alike;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// All of them. Threads share it; each change is on the disk when it returns.
#[derive(Debug, Default)]
pub struct Keyring {
    /// Where it is kept; `None` if it is forgotten when the viewer ends.
    path: Option<PathBuf>,
    /// The key that was given for this start. It counts for each camera with its certificate.
    given: Option<GivenKey>,
    cameras: Mutex<Vec<PairedCamera>>,
}

/// A key and the certificate of the camera that it is for, as somebody has written them into a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenKey {
    key: Key,
    pin: Pin,
}

/// Whether this viewer is paired with a camera that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PairedWith {
    /// Everybody may watch it, as far as it says.
    NotNeeded,
    /// It is.
    Yes,
    /// It is not.
    No,
}

/// Why a given key cannot be used. The text of the file is not shown.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read.
    #[error("cannot read {}: {}", .path.display(), reason(source))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// It has no key.
    #[error(
        "{0} has no key. A key has 43 letters and digits, as sudo lancam pair --name NAME prints them on the camera's machine"
    )]
    NoKey(String),
    /// It does not say which camera the key is for.
    #[error(
        "{0} does not say which camera the key is for, so another one could take it. Add the camera's certificate: 64 hexadecimal digits, as sudo lancam pair prints them on the camera's machine"
    )]
    NoPin(String),
}

/// Why a camera that was paired is not remembered.
#[derive(Debug, thiserror::Error)]
pub enum NotRemembered {
    /// There is no place for it.
    #[error("there is no folder for it: set XDG_STATE_HOME or HOME")]
    Nowhere,
    /// The file cannot be written.
    #[error("cannot write {}: {}", .path.display(), reason(source))]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

/// The file in the state folder.
const FILE: &str = "lancam/paired";
/// Much more than a house full of cameras takes.
const MAX_LEN: u64 = 1 << 20;

impl PairedWith {
    /// The same in a few words; empty where there is nothing to say.
    pub fn words(self) -> &'static str {
        match self {
            Self::NotNeeded => "",
            Self::Yes => "paired",
            Self::No => "wants a code",
        }
    }
}

impl Keyring {
    /// Reads what is remembered. A damaged file is put aside under another name, and what is whole in it goes on to count.
    pub fn load() -> Self {
        let Some(path) = folders::state_file(FILE) else { return Self::default() };
        Self::load_from(&path)
    }

    /// Reads what is remembered in this file.
    pub fn load_from(path: &Path) -> Self {
        match read(path) {
            Ok(cameras) => {
                Self { path: Some(path.to_owned()), cameras: Mutex::new(cameras), given: None }
            }
            // It is not written to either, so that nothing in it gets lost.
            Err(error) => {
                log::warn!(
                    "cannot read which cameras are paired: {}: {error}. Pairings are forgotten at the end",
                    path.display()
                );
                Self::default()
            }
        }
    }

    /// The same, with a key that was given for this start.
    #[must_use]
    pub fn with(self, given: Option<GivenKey>) -> Self {
        Self { given, ..self }
    }

    /// The file where pairings are kept, for people.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The camera with this certificate.
    pub fn with_pin(&self, pin: &Pin) -> Option<PairedCamera> {
        self.cameras().iter().find(|camera| camera.pin == *pin).cloned()
    }

    /// The key for the camera with this certificate. A key that was given for this start counts alone.
    pub fn key_for(&self, pin: &Pin) -> Option<Key> {
        match &self.given {
            Some(given) => (given.pin == *pin).then(|| given.key.clone()),
            None => self.with_pin(pin).map(|camera| camera.key),
        }
    }

    /// The camera with this id.
    pub fn with_id(&self, id: &str) -> Option<PairedCamera> {
        self.cameras().iter().find(|camera| camera.has_id(id)).cloned()
    }

    /// The camera that another one claims to be: it has this id, and another certificate than the one that was `seen`. `None`
    /// where a camera with that certificate has the id too.
    pub fn claimed_by(&self, id: &str, seen: Option<&Pin>) -> Option<PairedCamera> {
        let cameras = self.cameras();
        let mut claimed = cameras.iter().filter(|camera| camera.has_id(id));
        let is_proven = claimed.clone().any(|camera| Some(&camera.pin) == seen);
        claimed.next().filter(|_| !is_proven).cloned()
    }

    /// Whether this viewer is paired with a camera that was found. Announcements can be forged, so this is for people only.
    pub fn standing_of(&self, found: &Found) -> PairedWith {
        let Some(start) = found.facts.pin else { return PairedWith::NotNeeded };
        let given = self.given.as_ref().map(|given| given.pin);
        let is_known = given.is_some_and(|pin| pin.starts_with(&start))
            || self.cameras().iter().any(|camera| camera.pin.starts_with(&start));
        if is_known { PairedWith::Yes } else { PairedWith::No }
    }

    /// Whether only one particular certificate is accepted, that of the camera for which a key was given.
    pub fn is_bound(&self) -> bool {
        self.given.is_some()
    }

    /// The paired camera that is meant by `wanted`: the one with its name, or else the one with its id, or else the one that was
    /// met at this address.
    ///
    /// Another camera of the same name or at the same address is not mistaken for it, since it has another certificate.
    pub fn meant_by(&self, wanted: &Wanted) -> Option<PairedCamera> {
        // A known camera may be where another one was.
        let is_whichever = wanted.identity.is_none();
        let is_there =
            |it: &PairedCamera| is_whichever && it.address.is_same_place(&wanted.address);
        let was_there = |it: &PairedCamera| is_whichever && it.was_at(&wanted.address);
        self.called_by(wanted).or_else(|| self.newest(is_there)).or_else(|| self.newest(was_there))
    }

    /// The paired camera that the user calls by its name or its id, wherever it is. A name, which people read, counts more than an
    /// id: an announcement may have the id of another camera.
    pub fn called_by(&self, wanted: &Wanted) -> Option<PairedCamera> {
        let id = wanted.identity.as_ref().map_or("", |identity| &*identity.id);
        self.newest(|it| it.has_id(id) && it.is_called(wanted))
            .or_else(|| self.newest(|it| it.is_called(wanted)))
            .or_else(|| self.newest(|it| it.has_id(id)))
    }

    /// The paired camera that is meant by `wanted`, where `met`, which is paired too, is another one. What `met` says of itself
    /// does not count.
    pub fn meant_rather_than(&self, met: &PairedCamera, wanted: &Wanted) -> Option<PairedCamera> {
        let Some(identity) = &wanted.identity else {
            // Whichever camera is at an address is the one that the user wants.
            let is_by_name = !met.is_named(wanted.address.name());
            return self.newest(|it| is_by_name && it.is_called(wanted));
        };
        let meant = self.called_by(wanted).filter(|meant| meant.pin != met.pin)?;
        // It was set up anew and then paired again, or renamed besides.
        let is_the_same =
            met.is_called(wanted) || met.has_id(&identity.id) && !meant.is_called(wanted);
        (!is_the_same).then_some(meant)
    }

    /// The newest of such cameras, in case that one was set up anew.
    fn newest(&self, is_it: impl Fn(&PairedCamera) -> bool) -> Option<PairedCamera> {
        self.cameras().iter().rev().find(|camera| is_it(camera)).cloned()
    }

    /// Remembers a camera that was just paired, in place of what was known of it: of one with its certificate, or with its id
    /// and its name. An id alone can be another one's.
    ///
    /// # Errors
    /// When it cannot be written. It is known until the viewer ends all the same.
    pub fn remember(&self, camera: &PairedCamera) -> Result<(), NotRemembered> {
        let camera = &PairedCamera { address: with_port(&camera.address), ..camera.clone() };
        let is_same = |known: &PairedCamera| {
            let has_both = known.has_id(&camera.identity.id)
                && are_alike(&known.identity.name, &camera.identity.name);
            known.pin == camera.pin || has_both
        };
        self.change(|cameras| {
            let mut camera = camera.clone();
            for known in cameras.extract_if(.., |known| is_same(known)) {
                let address = std::mem::replace(&mut camera.address, known.address);
                camera.before.extend(known.before);
                camera.is_met_at(address);
            }
            cameras.iter_mut().for_each(|other| other.has_left(&camera.address));
            cameras.push(camera);
        })
    }

    /// Notes the present name, id and address of a camera that was let in by its certificate. Where another paired camera has
    /// that name or that id, both stay as they were.
    pub fn met(&self, pin: &Pin, identity: &Identity, address: &CameraAddress) {
        let address = with_port(address);
        let is_news = {
            let cameras = self.cameras();
            let is_free = is_free(identity, pin, &cameras);
            cameras
                .iter()
                .filter(|known| known.pin == *pin)
                .any(|known| known.address != address || is_free && known.identity != *identity)
        };
        if !is_news {
            return;
        }
        let noted = self.change(|cameras| {
            let is_free = is_free(identity, pin, cameras);
            cameras.iter_mut().for_each(|other| other.has_left(&address));
            let met: Vec<_> = cameras.extract_if(.., |known| known.pin == *pin).collect();
            // Behind another camera that was at this address before.
            for mut known in met {
                known.is_met_at(address.clone());
                if is_free {
                    known.identity.clone_from(identity);
                }
                cameras.push(known);
            }
        });
        if let Err(error) = noted {
            log::debug!("cannot note where {} is: {error}", identity.name);
        }
    }

    /// Forgets the cameras with this name, or else the one that was met last at this address. Returns their names.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn forget(&self, meant: &CameraAddress) -> Result<Vec<String>, NotRemembered> {
        let wanted = Wanted::at(meant.clone());
        let mut forgotten = Vec::new();
        // A camera that was at this address once may be elsewhere now, and nobody means it.
        let mut next = self.meant_by(&wanted);
        while let Some(camera) = next {
            self.change(|cameras| cameras.retain(|known| known.pin != camera.pin))?;
            // If it could not be written, it is gone here all the same.
            forgotten.push(camera.identity.name);
            next = self.called_by(&wanted);
        }
        Ok(forgotten)
    }

    /// Changes what is known here, and then the file, as it is now: another viewer may have paired meanwhile.
    fn change(&self, change: impl Fn(&mut Vec<PairedCamera>)) -> Result<(), NotRemembered> {
        let mut cameras = self.cameras();
        change(&mut cameras);
        let path = self.path.as_ref().ok_or(NotRemembered::Nowhere)?;
        let written = private_file::lock(path).and_then(|_lock| {
            let mut newest = read_locked(path)?;
            change(&mut newest);
            private_file::replace(path, &text::written(&newest))?;
            *cameras = newest;
            Ok(())
        });
        written.map_err(|source| NotRemembered::Unwritable { path: path.clone(), source })
    }

    /// The names of the paired cameras.
    pub fn names(&self) -> Vec<String> {
        self.cameras().iter().map(|camera| camera.identity.name.clone()).collect()
    }

    /// A poisoned lock is used all the same: a change that was left half done is not in the file.
    fn cameras(&self) -> MutexGuard<'_, Vec<PairedCamera>> {
        self.cameras.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl GivenKey {
    /// Reads a key and the camera's certificate, in any order, with other words and lines around them.
    ///
    /// # Errors
    /// When one of the two is missing. `place` says where they were looked for.
    pub fn parse(written: &str, place: &str) -> Result<Self, KeyError> {
        let mut words = written.split_whitespace();
        let key = words.clone().find_map(Key::parse);
        let key = key.ok_or_else(|| KeyError::NoKey(place.to_owned()))?;
        let pin = words.find_map(text::pin);
        let pin = pin.ok_or_else(|| KeyError::NoPin(place.to_owned()))?;
        Ok(Self { key, pin })
    }

    /// Reads them from a file.
    ///
    /// # Errors
    /// When it cannot be read, or lacks one of the two.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let read = private_file::read_of_user(path);
        let written =
            read.map_err(|source| KeyError::Unreadable { path: path.to_owned(), source })?;
        Self::parse(&written, &path.display().to_string())
    }
}

/// Reads the file, and repairs it if it is damaged.
fn read(path: &Path) -> io::Result<Vec<PairedCamera>> {
    let parsed = parse(path)?;
    if !parsed.is_damaged {
        return Ok(parsed.cameras);
    }
    let _lock = private_file::lock(path)?;
    read_locked(path)
}

/// The same under the lock. A damaged file is put aside, and what is whole in it is written anew.
fn read_locked(path: &Path) -> io::Result<Vec<PairedCamera>> {
    let text::Parsed { cameras, is_damaged } = parse(path)?;
    if is_damaged {
        let aside = private_file::put_aside(path)?;
        log::warn!(
            "the list of paired cameras is damaged, and is now called {}. {} of its cameras could be read; pair the others again",
            aside.display(),
            cameras.len()
        );
        if let Err(error) = private_file::replace(path, &text::written(&cameras)) {
            log::warn!("cannot write {}: {error}", path.display());
        }
    }
    Ok(cameras)
}

fn parse(path: &Path) -> io::Result<text::Parsed> {
    Ok(match private_file::read(path, MAX_LEN)? {
        Content::Missing => text::Parsed { cameras: Vec::new(), is_damaged: false },
        Content::Text(text) => text::parse(&text),
        Content::Nonsense => text::Parsed { cameras: Vec::new(), is_damaged: true },
    })
}

/// Whether the camera with this certificate may be remembered as this one: it has a name, and no other camera has that or the
/// id.
fn is_free(identity: &Identity, pin: &Pin, cameras: &[PairedCamera]) -> bool {
    let mut others = cameras.iter().filter(|known| known.pin != *pin);
    let Identity { name, id } = identity;
    !name.is_empty() && !others.any(|it| it.has_id(id) || are_alike(&it.identity.name, name))
}

/// The address with the port that it means.
fn with_port(address: &CameraAddress) -> CameraAddress {
    CameraAddress { host: address.host.clone(), port: Some(address.port()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_a_file_cannot_be_used_is_said_without_the_number_of_the_error() {
        let path = || PathBuf::from("/paired");
        let source = || io::Error::from_raw_os_error(13);
        let said = NotRemembered::Unwritable { path: path(), source: source() }.to_string();
        assert_eq!(said, "cannot write /paired: Permission denied");
        let said = KeyError::Unreadable { path: path(), source: source() }.to_string();
        assert_eq!(said, "cannot read /paired: Permission denied");
    }
    use crate::wire::access::key::May;
    use crate::wire::service::Facts;
    use std::fs;

    fn camera(name: &str, id: &str, address: &str, number: u8) -> PairedCamera {
        PairedCamera {
            identity: Identity { name: name.into(), id: id.into() },
            address: CameraAddress::parse(address).expect("an address"),
            before: Vec::new(),
            pin: [number; 32],
            key: Key::from_random([number; 32]),
            may: May::Control,
        }
    }

    fn wanted(name: &str, id: &str, address: &str) -> Wanted {
        let identity = Some(Identity { name: name.into(), id: id.into() });
        let address = CameraAddress::parse(address).expect("an address");
        Wanted { identity: identity.filter(|it| *it != Identity::default()), address }
    }

    fn number(camera: Option<PairedCamera>) -> Option<u8> {
        camera.map(|camera| camera.pin[0])
    }

    /// A keyring over a file in a folder that goes away.
    fn keyring() -> (tempfile::TempDir, PathBuf, Keyring) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lancam/paired");
        let keyring = Keyring::load_from(&path);
        (folder, path, keyring)
    }

    #[test]
    fn a_paired_camera_is_known_by_its_certificate_after_a_restart() {
        let (_folder, path, keyring) = keyring();
        keyring.remember(&camera("Garage", "1", "10.0.0.5:9999", 1)).expect("written");
        keyring.remember(&camera("Door", "2", "10.0.0.6:9999", 2)).expect("written");
        let again = Keyring::load_from(&path);
        let door = again.with_pin(&[2; 32]).expect("known");
        assert_eq!(
            (&*door.identity.name, door.key.text()),
            ("Door", Key::from_random([2; 32]).text())
        );
        assert!(again.with_pin(&[3; 32]).is_none());
        assert_eq!(number(again.with_id("1")), Some(1));
        assert_eq!(number(again.with_id("")), None);
    }

    #[test]
    fn a_camera_is_meant_by_its_id_its_name_or_its_last_address() {
        let (_folder, _, keyring) = keyring();
        for it in [
            camera("Garage", "1", "10.0.0.5:9999", 1),
            camera("Front door", "2", "10.0.0.6:9998", 2),
        ] {
            keyring.remember(&it).expect("written");
        }
        for (name, id, address, meant) in [
            ("Garage", "1", "10.0.0.9:9999", Some(1)),
            ("Shed", "2", "10.0.0.9:9999", Some(2)),
            // Another camera took the name, or Garage was set up anew.
            ("Garage", "7", "10.0.0.9:9999", Some(1)),
            ("", "", "garage.local", Some(1)),
            ("", "", "GARAGE", Some(1)),
            ("", "", "front-door", Some(2)),
            ("", "", "Front door", Some(2)),
            ("", "", "10.0.0.5", Some(1)),
            ("", "", "10.0.0.6", None),
            ("", "", "10.0.0.6:9998", Some(2)),
            ("Shed", "7", "10.0.0.9:9999", None),
            ("Garage (2)", "7", "10.0.0.9:9999", None),
            ("", "", "garages", None),
            ("", "", "garage.local:9999", Some(1)),
            ("", "", "garage.local:9998", None),
        ] {
            let found = keyring.meant_by(&wanted(name, id, address));
            assert_eq!(number(found), meant, "{name} {id} {address}");
        }
    }

    #[test]
    fn who_is_paired_again_takes_the_place_of_who_was_known() {
        let (_folder, path, keyring) = keyring();
        keyring.remember(&camera("Garage", "1", "10.0.0.5", 1)).expect("written");
        keyring.remember(&camera("Garage", "1", "10.0.0.5", 2)).expect("written");
        assert!(keyring.with_pin(&[1; 32]).is_none(), "it has another certificate now");
        keyring.met(
            &[2; 32],
            &camera("Barn", "1", "10.0.0.5", 2).identity,
            &with_port(&CameraAddress::parse("10.0.0.8").expect("an address")),
        );
        let known = Keyring::load_from(&path).with_id("1").expect("known");
        assert_eq!(
            (&*known.identity.name, known.address.to_string()),
            ("Barn", "10.0.0.8:9999".into())
        );
        let forgotten = keyring.forget(&CameraAddress::parse("barn.local").expect("an address"));
        assert_eq!(forgotten.expect("written"), ["Barn"]);
        assert!(Keyring::load_from(&path).with_id("1").is_none());
    }

    #[test]
    fn a_camera_is_meant_by_each_address_at_which_it_was_met_lately() {
        let (_folder, path, keyring) = keyring();
        keyring.remember(&camera("Garage", "1", "cam.home.arpa", 1)).expect("written");
        let garage = camera("Garage", "1", "10.0.0.5", 1).identity;
        let at = |text: &str| CameraAddress::parse(text).expect("an address");
        keyring.met(&[1; 32], &garage, &at("10.0.0.5"));
        let is_garage = |keyring: &Keyring, address: &str| {
            number(keyring.meant_by(&Wanted::at(at(address)))) == Some(1)
        };
        for known in [&keyring, &Keyring::load_from(&path)] {
            for address in ["cam.home.arpa", "10.0.0.5", "10.0.0.5:9999", "CAM.home.arpa."] {
                assert!(is_garage(known, address), "{address}");
            }
            assert!(!is_garage(known, "cam.home.arpa:8080"), "another camera's, perhaps");
        }
        // However many others there are, the name stays.
        for last in 6..60 {
            keyring.met(&[1; 32], &garage, &at(&format!("10.0.0.{last}")));
        }
        for (address, is_known) in
            [("cam.home.arpa", true), ("10.0.0.59", true), ("10.0.0.52", true), ("10.0.0.5", false)]
        {
            assert_eq!(is_garage(&keyring, address), is_known, "{address}");
        }
        // An address belongs to the paired camera that was met there last.
        keyring.remember(&camera("Door", "2", "10.0.0.58", 2)).expect("written");
        assert_eq!(number(keyring.meant_by(&Wanted::at(at("10.0.0.58")))), Some(2));
        assert_eq!(keyring.forget(&at("10.0.0.58")).expect("written"), ["Door"]);
        assert!(is_garage(&keyring, "10.0.0.59"));
    }

    #[test]
    fn an_address_makes_only_the_camera_be_forgotten_that_was_met_there_last() {
        let at = |text: &str| CameraAddress::parse(text).expect("an address");
        for paired_first in [1, 2] {
            let (_folder, path, keyring) = keyring();
            let garage = camera("Garage", "1", "10.0.0.5", 1);
            let door = camera("Door", "2", "10.0.0.6", 2);
            let both = if paired_first == 1 { [&garage, &door] } else { [&door, &garage] };
            both.into_iter().for_each(|it| keyring.remember(it).expect("written"));
            // The router gives the address to another camera.
            keyring.met(&[2; 32], &door.identity, &at("10.0.0.5"));
            assert_eq!(keyring.forget(&at("10.0.0.5")).expect("written"), ["Door"]);
            assert_eq!(Keyring::load_from(&path).names(), ["Garage"]);
        }
        let (_folder, _, keyring) = keyring();
        for (number, address) in [(1, "pi.home.arpa"), (2, "10.0.0.6")] {
            let it = camera("Garage", &number.to_string(), address, number);
            keyring.remember(&it).expect("written");
        }
        assert_eq!(keyring.forget(&at("pi.home.arpa")).expect("written"), ["Garage"]);
        keyring.remember(&camera("Garage", "3", "10.0.0.7", 3)).expect("written");
        assert_eq!(keyring.forget(&at("garage")).expect("written"), ["Garage", "Garage"]);
    }

    #[test]
    fn a_paired_camera_takes_no_name_id_or_key_of_another_one() {
        let (_folder, _, keyring) = keyring();
        let (garage, door) =
            (camera("Garage", "1", "10.0.0.5", 1), camera("Door", "2", "10.0.0.6", 2));
        keyring.remember(&garage).expect("written");
        keyring.remember(&door).expect("written");
        for (name, id) in [("Garage", ""), ("garage", "2"), ("", ""), ("Door", "1")] {
            let said = Identity { name: name.into(), id: id.into() };
            keyring.met(&[2; 32], &said, &door.address);
            let known = keyring.with_pin(&[2; 32]).expect("known");
            assert_eq!(known.identity, door.identity, "{name} {id}");
        }
        // One that is paired later says the first one's id.
        keyring.remember(&camera("Mill", "1", "10.0.0.7", 3)).expect("written");
        assert!(keyring.with_pin(&[1; 32]).is_some(), "the key is kept");
        let garage = wanted("Garage", "1", "10.0.0.5");
        assert_eq!(number(keyring.meant_by(&garage)), Some(1));
        let mill = keyring.with_pin(&[3; 32]).expect("known");
        assert_eq!(number(keyring.meant_rather_than(&mill, &garage)), Some(1));
    }

    #[test]
    fn what_is_found_is_told_from_what_is_paired_by_its_certificate() {
        let (_folder, _, keyring) = keyring();
        keyring.remember(&camera("Garage", "1", "10.0.0.5", 1)).expect("written");
        let found = |pin| {
            let facts = Facts { pin, id: "1".into(), ..Facts::default() };
            Found { name: "Garage".into(), facts, ..Found::default() }
        };
        for (pin, standing) in [
            (None, PairedWith::NotNeeded),
            (Some([1; 8]), PairedWith::Yes),
            (Some([2; 8]), PairedWith::No),
        ] {
            assert_eq!(keyring.standing_of(&found(pin)), standing, "{pin:?}");
        }
    }

    #[test]
    fn two_viewers_do_not_undo_each_others_pairings() {
        let (_folder, path, one) = keyring();
        let other = Keyring::load_from(&path);
        one.remember(&camera("Garage", "1", "10.0.0.5", 1)).expect("written");
        other.remember(&camera("Door", "2", "10.0.0.6", 2)).expect("written");
        let both = Keyring::load_from(&path);
        assert_eq!((number(both.with_id("1")), number(both.with_id("2"))), (Some(1), Some(2)));
        assert_eq!(number(other.with_id("1")), Some(1), "it has read what the other wrote");
    }

    #[test]
    fn a_damaged_file_is_put_aside_and_what_is_whole_in_it_counts() {
        let (_folder, path, keyring) = keyring();
        for number in 1..=2 {
            let it = camera("Garage", &number.to_string(), "10.0.0.5", number);
            keyring.remember(&it).expect("written");
        }
        let text = fs::read_to_string(&path).expect("there");
        let damaged = text.replace("pin = 01", "pin = xx");
        fs::write(&path, &damaged).expect("written");
        let keyring = Keyring::load_from(&path);
        assert_eq!((number(keyring.with_id("1")), number(keyring.with_id("2"))), (None, Some(2)));
        keyring.remember(&camera("Door", "3", "10.0.0.6", 3)).expect("written");
        let aside = path.with_file_name("paired.damaged");
        assert_eq!(fs::read_to_string(aside).expect("there"), damaged);
        for known in [Keyring::load_from(&path), keyring] {
            let numbers = ["1", "2", "3"].map(|id| number(known.with_id(id)));
            assert_eq!(numbers, [None, Some(2), Some(3)], "what was whole is kept");
        }
    }

    #[test]
    fn what_is_whole_in_a_damaged_file_is_known_at_the_next_start_too() {
        let (_folder, path, keyring) = keyring();
        keyring.remember(&camera("Garage", "1", "10.0.0.5", 1)).expect("written");
        let text = fs::read_to_string(&path).expect("there");
        fs::write(&path, text + "nonsense\n").expect("written");
        for _start in 1..=2 {
            assert_eq!(number(Keyring::load_from(&path).with_id("1")), Some(1));
        }
    }

    #[test]
    fn another_paired_camera_is_not_the_one_whose_name_was_given() {
        let (_folder, _, keyring) = keyring();
        let (garage, door) =
            (camera("Garage", "1", "10.0.0.5", 1), camera("Door", "2", "10.0.0.6", 2));
        for it in [&garage, &door] {
            keyring.remember(it).expect("written");
        }
        for (met, address, meant) in [
            (&door, "garage.local", Some(1)),
            (&door, "garage", Some(1)),
            (&garage, "garage.local", None),
            (&door, "door", None),
            // Whichever camera is at an address or at a machine is shown.
            (&door, "10.0.0.5", None),
            (&door, "pi.local", None),
            (&door, "garage.local:8080", None),
        ] {
            let rather = keyring.meant_rather_than(met, &wanted("", "", address));
            assert_eq!(number(rather), meant, "{address}");
        }
        // By its identity too, whatever the other one says of itself.
        let wanted_garage = wanted("Garage", "1", "10.0.0.6");
        assert_eq!(number(keyring.meant_rather_than(&door, &wanted_garage)), Some(1));
        assert!(keyring.meant_rather_than(&garage, &wanted_garage).is_none());
        // It was set up anew and paired again; or it was renamed.
        let anew = camera("Garage", "7", "10.0.0.6", 7);
        keyring.remember(&anew).expect("written");
        assert!(keyring.meant_rather_than(&anew, &wanted_garage).is_none());
        assert!(keyring.meant_rather_than(&door, &wanted("Shed", "2", "10.0.0.6")).is_none());
    }

    #[test]
    fn what_cannot_be_written_counts_until_the_end_and_is_told() {
        let keyring = Keyring::load_from(Path::new("/dev/null/lancam/paired"));
        let error = keyring.remember(&camera("Garage", "1", "10.0.0.5", 1)).expect_err("no folder");
        assert!(error.to_string().starts_with("cannot write /dev/null/lancam/paired: "), "{error}");
        assert_eq!(number(keyring.with_id("1")), Some(1));
        assert!(matches!(
            Keyring::default().remember(&camera("Garage", "1", "10.0.0.5", 1)),
            Err(NotRemembered::Nowhere)
        ));
    }

    #[test]
    fn a_given_key_counts_for_the_camera_that_it_names() {
        let (key, pin) = (Key::from_random([9; 32]).text(), "ab".repeat(32));
        for written in [format!("{key} {pin}"), format!("# for the wall\npin {pin}\nkey {key}\n")] {
            let given = GivenKey::parse(&written, "it").expect("both are there");
            let keyring = Keyring::default().with(Some(given));
            assert!(keyring.is_bound());
            let known = keyring.key_for(&[0xAB; 32]).expect("it is that camera");
            assert_eq!(known.text(), key);
            // A camera that is paired is not the one that the key is for.
            let _ = keyring.remember(&camera("Garage", "1", "10.0.0.5", 0xAC));
            assert!(keyring.key_for(&[0xAC; 32]).is_none());
        }
        let error =
            |written: &str| GivenKey::parse(written, "it").expect_err("incomplete").to_string();
        assert!(error(&pin).starts_with("it has no key"));
        assert!(error(&key).starts_with("it does not say which camera"));
        assert!(!error(&format!("{key}x {pin}")).contains(&key));
        let endless = GivenKey::read(Path::new("/dev/zero")).expect_err("no end").to_string();
        assert_eq!(endless, "cannot read /dev/zero: it is longer than 64 kB");
        let missing = GivenKey::read(Path::new("/dev/null/key")).expect_err("no file");
        assert!(missing.to_string().starts_with("cannot read /dev/null/key: "), "{missing}");
    }
}
