//! Who may watch: the camera's code, the keys that it has given, and how often codes may be guessed.
//!
//! Sessions ask it, and `lancam pair` changes the same files. Each change is read, made and written under a lock of the
//! folder, and is on the disk before anybody is told of it.

mod answers;
mod changes;
pub mod code_file;
pub mod day;
pub mod folder;
pub mod guesses;
pub mod identity;
pub mod keeper;
pub mod keys;
mod mode;
pub mod opening;
mod pair_command;
mod refused;
mod said;
pub mod service;
#[cfg(test)]
mod tests;
mod uses;

use crate::crypto::{HASH_LEN, random};
use crate::wire::access::code::Code;
use crate::wire::access::key::{Key, May};
use crate::wire::access::proof::{Exchange, Side};
pub use answers::{Admitted, Channel, Claim, Given, Holds, Offer, Paired};
use changes::Changes;
use code_file::{CameraCode, IsNew, Written};
use day::Day;
use folder::{Folder, FolderError, Lock, Name, Stamp};
use guesses::{Afterwards, Guesses, REST, Rests};
use keys::{Entry, Keys, Sealing};
pub use mode::{Mode, Plain};
pub use pair_command::{PairCommand, is_found_by};
pub use refused::{AccessError, NotAdmitted, NotGiven};
use said::Said;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;
pub use uses::InUse;
use uses::Uses;

/// What a key allows that was given for the code: it is the owner who knows the code. `lancam pair` makes other keys.
const BY_CODE: May = May::Control;

/// Who may watch one camera.
#[derive(Debug)]
pub struct Access {
    folder: Folder,
    /// SHA-256 of the camera's certificate.
    pin: [u8; HASH_LEN],
    /// Whether some keys are accepted without TLS.
    plain: Plain,
    /// What clients are told to type.
    pair_command: PairCommand,
    known: Mutex<Known>,
    guesses: Mutex<Guesses>,
    uses: Mutex<Uses>,
    changes: Changes,
    said: Mutex<Said>,
}

/// What the files say.
#[derive(Debug)]
struct Known {
    code: CameraCode,
    keys: Keys,
    stamps: Stamps,
}

/// By what changes of the files `code` and `keys` are noticed.
type Stamps = [Option<Stamp>; 2];

/// The places of the two files in [`Stamps`].
const CODE: usize = 0;
const KEYS: usize = 1;

impl Access {
    /// Reads the files of this folder, and makes a code if there is none. `pin` is SHA-256 of the camera's certificate.
    ///
    /// # Errors
    /// When a file cannot be trusted, read or written.
    pub fn open(folder: Folder, pin: [u8; HASH_LEN]) -> Result<Self, AccessError> {
        let lock = folder.lock()?;
        let (code, is_new) = match read_code(&folder)? {
            Some(written) => written.ready()?,
            None => (CameraCode::random()?, IsNew::Yes),
        };
        if is_new == IsNew::Yes {
            folder.write(Name::Code, &code.text(), &lock)?;
        }
        let keys = read_keys(&folder)?;
        let stamps = stamps(&folder);
        drop(lock);
        let known = Mutex::new(Known { code, keys, stamps });
        let changes = Changes::new().map_err(AccessError::NoDescriptor)?;
        let (plain, guesses, uses) = (Plain::Off, Mutex::default(), Mutex::default());
        let (said, pair_command) = (Mutex::default(), PairCommand::default());
        Ok(Self { folder, pin, plain, pair_command, known, guesses, uses, changes, said })
    }

    /// The same, with keys accepted without TLS or not.
    #[must_use]
    pub fn with_plain(self, plain: Plain) -> Self {
        Self { plain, ..self }
    }

    /// The same, with this command in what clients are told.
    #[must_use]
    pub fn with_pair_command(self, pair_command: PairCommand) -> Self {
        Self { pair_command, ..self }
    }

    /// What clients are told to type on the camera's machine.
    pub fn pair_command(&self) -> PairCommand {
        self.pair_command
    }

    /// SHA-256 of the camera's certificate.
    pub fn pin(&self) -> [u8; HASH_LEN] {
        self.pin
    }

    /// When to ask again whether a key still [holds](Self::holds).
    pub fn changes(&self) -> &Changes {
        &self.changes
    }

    /// The code, to be shown to the owner.
    pub fn code(&self) -> Code {
        self.known().code.code.clone()
    }

    /// All keys, oldest first.
    pub fn keys(&self) -> Vec<Entry> {
        self.known().keys.entries().to_vec()
    }

    /// What a viewer at this address needs for its proof.
    ///
    /// # Errors
    /// When no code is looked at now.
    pub fn offer(&self, peer: IpAddr, now: Instant) -> Result<Offer, NotGiven> {
        self.guesses().allow(peer, now)?;
        self.catch_up();
        let nonce = random().map_err(AccessError::from)?;
        Ok(Offer { nonce, salting: self.known().code.salting })
    }

    /// Gives a key to a viewer that knows the code.
    ///
    /// # Errors
    /// When its proof is wrong, when too many were, or when its key cannot be kept.
    pub fn pair(
        &self,
        claim: &Claim,
        peer: IpAddr,
        now: Instant,
        today: Day,
    ) -> Result<Paired, NotGiven> {
        let Claim { viewer_nonce, camera_nonce, proof, ref name } = *claim;
        let exchange = Exchange { viewer_nonce, camera_nonce, pin: self.pin };
        self.catch_up();
        // The code of this moment counts: what was offered with an older one is wrong.
        let prover = self.known().code.prover.clone();
        self.judge(peer, now, || prover.is_proof(Side::Viewer, &exchange, &proof))?;
        let given = self.give(name, BY_CODE, Sealing::TlsOnly, today)?;
        Ok(Paired { given, proof: prover.proof(Side::Camera, &exchange) })
    }

    /// Gives a key to a client that shows the code itself, which only browsers do, inside TLS.
    ///
    /// # Errors
    /// As [`pair`](Self::pair).
    pub fn log_in(
        &self,
        typed: &str,
        name: &str,
        peer: IpAddr,
        now: Instant,
        today: Day,
    ) -> Result<Given, NotGiven> {
        self.catch_up();
        let code = self.code();
        self.judge(peer, now, || Code::parse(typed).is_ok_and(|typed| typed.is(&code)))?;
        Ok(self.give(name, BY_CODE, Sealing::TlsOnly, today)?)
    }

    /// Looks at a code, unless too many wrong ones came.
    ///
    /// Under one lock, so that many connections at once get no more guesses than one after the other. `is_right` takes
    /// microseconds.
    fn judge(
        &self,
        peer: IpAddr,
        now: Instant,
        is_right: impl FnOnce() -> bool,
    ) -> Result<(), NotGiven> {
        let mut guesses = self.guesses();
        guesses.allow(peer, now)?;
        if is_right() {
            return Ok(());
        }
        if guesses.wrong(peer, now) == Afterwards::Rest {
            log::warn!("many wrong codes came, the last one from {peer}: {}", Rests(REST));
        }
        Err(NotGiven::WrongCode(self.pair_command))
    }

    /// Makes a key. It is on the disk when this returns.
    ///
    /// # Errors
    /// When it cannot be made or written.
    pub fn give(
        &self,
        name: &str,
        may: May,
        sealing: Sealing,
        today: Day,
    ) -> Result<Given, AccessError> {
        let key = Key::from_random(random()?);
        let (made, last_used) = (today, None);
        let entry = Entry { hash: key.hash(), name: name.into(), may, sealing, made, last_used };
        let (lock, mut keys) = self.begin_change()?;
        let name = keys.add(entry)?;
        self.keep(keys, &lock)?;
        Ok(Given { key, name, may })
    }

    /// Revokes the key with this name. Returns whether there was one.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn revoke(&self, name: &str) -> Result<bool, AccessError> {
        let (lock, mut keys) = self.begin_change()?;
        let is_revoked = keys.revoke(name);
        if is_revoked {
            self.keep(keys, &lock)?;
        }
        Ok(is_revoked)
    }

    /// Replaces the code. Keys stay.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn renew_code(&self) -> Result<(), AccessError> {
        let code = CameraCode::random()?;
        let lock = self.folder.lock()?;
        self.folder.write(Name::Code, &code.text(), &lock)?;
        let mut known = self.known();
        known.code = code;
        known.stamps[CODE] = self.folder.stamp(Name::Code);
        Ok(())
    }

    /// Lets a client in that shows this key.
    ///
    /// Wrong keys are not limited as wrong codes are: nobody guesses one, and a program that still has a revoked key must
    /// not keep others from pairing.
    ///
    /// # Errors
    /// When it shows none, or one that does not count here.
    pub fn admit(&self, key: &str, channel: Channel) -> Result<Admitted, NotAdmitted> {
        if (channel, self.plain) == (Channel::Plain, Plain::Off) {
            return Err(NotAdmitted::TlsWanted);
        }
        if key.is_empty() {
            return Err(NotAdmitted::NoKey(self.pair_command));
        }
        let hash = Key::parse(key).ok_or(NotAdmitted::Unknown)?.hash();
        // `lancam pair` may have made it a moment ago.
        if self.known().keys.find(&hash).is_none() {
            self.catch_up();
        }
        let admitted = {
            let known = self.known();
            let entry = known.keys.find(&hash).ok_or(NotAdmitted::Unknown)?;
            if (channel, entry.sealing) == (Channel::Plain, Sealing::TlsOnly) {
                return Err(NotAdmitted::TlsOnly(self.pair_command));
            }
            Admitted { hash, name: entry.name.clone(), may: entry.may }
        };
        self.uses().note(hash);
        Ok(admitted)
    }

    /// Whether a key still allows what it allowed when its holder was admitted over this channel.
    pub fn holds(&self, admitted: &Admitted, channel: Channel) -> Holds {
        let known = self.known();
        let Some(entry) = known.keys.find(&admitted.hash) else { return Holds::Nothing };
        let is_allowed = channel == Channel::Tls || entry.sealing == Sealing::PlainToo;
        match is_allowed && entry.may == admitted.may {
            true => Holds::All,
            false => Holds::SomethingElse,
        }
    }

    /// Writes down that keys were used on this day, if that is not known. It may take as long as a sync of the disk does,
    /// so no session waits for it.
    ///
    /// # Errors
    /// When that cannot be written. It is not tried again on the same day.
    pub fn note_uses(&self, today: Day) -> Result<(), AccessError> {
        let mut used = self.uses().take();
        {
            let known = &mut self.known().keys;
            used.retain(|hash| known.used(hash, today));
        }
        if used.is_empty() {
            return Ok(());
        }
        let (lock, mut keys) = self.begin_change()?;
        for hash in &used {
            keys.used(hash, today);
        }
        self.keep(keys, &lock)
    }

    /// Reads the files again if another program has changed them. Returns whether it had.
    ///
    /// # Errors
    /// When they cannot be trusted or read. What was known still counts then. A file that cannot be trusted is an error once
    /// for each change; one that cannot be read now is read again at the next call.
    pub fn refresh(&self) -> Result<bool, AccessError> {
        if self.known().stamps == stamps(&self.folder) {
            return Ok(false);
        }
        // So that no change of this program comes between reading and counting.
        let _lock = self.folder.lock()?;
        let (before, now) = (self.known().stamps, stamps(&self.folder));
        if before == now {
            return Ok(false); // Another thread was first.
        }
        // Each by itself: damage in one of them keeps nothing alive that was taken back in the other.
        let keys = self.take_in(KEYS, &now, || self.read_keys_again());
        let code = self.take_in(CODE, &now, || self.read_code_again());
        keys.and(code).map(|()| true)
    }

    /// Reads one of the files, if it has changed.
    fn take_in(
        &self,
        file: usize,
        now: &Stamps,
        read: impl FnOnce() -> Result<(), AccessError>,
    ) -> Result<(), AccessError> {
        if self.known().stamps[file] == now[file] {
            return Ok(());
        }
        let outcome = read();
        if outcome.as_ref().err().is_none_or(AccessError::is_of_a_file) {
            self.known().stamps[file] = now[file];
        }
        outcome
    }

    fn read_keys_again(&self) -> Result<(), AccessError> {
        let keys = read_keys(&self.folder)?;
        self.count(keys);
        Ok(())
    }

    /// Without a file, the code stays until the next start.
    fn read_code_again(&self) -> Result<(), AccessError> {
        if let Some(written) = read_code(&self.folder)? {
            let (code, _) = written.ready()?;
            self.known().code = code;
        }
        Ok(())
    }

    /// Reads what another program has changed, and says so in the log. It asks only for the stamps of two files otherwise.
    pub fn catch_up(&self) {
        let outcome = self.refresh();
        if let Ok(true) = outcome {
            log::info!("the code or the keys were changed by another program");
        }
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = said.news(outcome.err().as_ref()) {
            log::error!("{error}. lancam keeps the code and the keys that it had before");
        }
    }

    /// Lets these keys count from here on.
    fn count(&self, keys: Keys) {
        self.known().keys = keys;
        self.changes.note();
    }

    /// The keys as they are on the disk now, and the right to write them.
    fn begin_change(&self) -> Result<(Lock, Keys), AccessError> {
        let lock = self.folder.lock()?;
        let keys = read_keys(&self.folder)?;
        Ok((lock, keys))
    }

    /// Writes the keys, and then counts them.
    fn keep(&self, keys: Keys, lock: &Lock) -> Result<(), AccessError> {
        self.folder.write(Name::Keys, &keys.text(), lock)?;
        self.known().stamps[KEYS] = self.folder.stamp(Name::Keys);
        self.count(keys);
        Ok(())
    }

    /// A poisoned lock is used all the same: what is known is replaced whole.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn uses(&self) -> MutexGuard<'_, Uses> {
        self.uses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn guesses(&self) -> MutexGuard<'_, Guesses> {
        self.guesses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn stamps(folder: &Folder) -> Stamps {
    [Name::Code, Name::Keys].map(|name| folder.stamp(name))
}

fn read_code(folder: &Folder) -> Result<Option<Written>, FolderError> {
    let Some(text) = folder.read(Name::Code)? else { return Ok(None) };
    Written::parse(&text).map(Some).map_err(|error| folder.damaged(Name::Code, &error))
}

fn read_keys(folder: &Folder) -> Result<Keys, FolderError> {
    let Some(text) = folder.read(Name::Keys)? else { return Ok(Keys::default()) };
    Keys::parse(&text).map_err(|error| folder.damaged(Name::Keys, &error))
}
