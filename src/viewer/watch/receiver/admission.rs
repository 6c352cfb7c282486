//! How a viewer is let in: with TLS where the camera wants it, with the key for its certificate, after pairing.

use super::Receiver;
use crate::net::own_name::own_name;
use crate::net::tls::handshake::Pin;
use crate::net::tls::stream::GreetingError;
use crate::viewer::find::connect::Reached;
use crate::viewer::find::identity::{Identity, Likeness};
use crate::viewer::find::reach::{Stranger, ToldBy};
use crate::viewer::keep::keyring::PairedCamera;
use crate::viewer::watch::news::NoticeKind;
use crate::viewer::watch::session::line::Line;
use crate::viewer::watch::session::native::{self, Doorstep};
use crate::viewer::watch::session::pairing::{self, NotPaired};
use crate::viewer::watch::session::{SessionEnd, SessionError};
use crate::wire::access::code::Code;
use crate::wire::native::message::{GoodbyeReason, Wishes};

/// Whether this camera has said that it wants TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Sealing {
    #[default]
    NotAsked,
    Wanted,
}

/// Which of the cameras with which this viewer is not paired it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Trust {
    /// Each camera that asks for no key.
    #[default]
    Open,
    /// None, from the first code on: the user wants the camera that knows the code, and any machine could pretend to ask for no
    /// key. It stays so after the code was tried, with or without success.
    Proven,
}

/// How many connections it may take until the camera lets this viewer in: without TLS, with it, and after pairing.
const MOST_CONNECTIONS: usize = 4;

impl Receiver {
    /// Watches the camera at the other end of a fresh connection. Where it wants TLS or a key, connects again as it wants.
    pub(super) fn watch_native(
        &mut self,
        first: &Reached,
        wishes: Wishes,
    ) -> Result<SessionEnd, SessionError> {
        let mut again;
        let mut reached = first;
        for _ in 1..MOST_CONNECTIONS {
            match self.watch_once(reached, wishes) {
                Err(SessionError::WantsTls) => self.sealing = Sealing::Wanted,
                Err(error) => match self.code.take_if(|_| can_pair(&error)) {
                    Some(code) => self.pair(reached, code)?,
                    None => return Err(error),
                },
                end => return end,
            }
            again = first.again()?;
            reached = &again;
        }
        self.watch_once(reached, wishes)
    }

    /// Watches over this one connection.
    fn watch_once(
        &mut self,
        reached: &Reached,
        wishes: Wishes,
    ) -> Result<SessionEnd, SessionError> {
        let is_bound = self.keyring.is_bound();
        // A key that was given says by itself which camera is expected.
        let expected = match is_bound {
            true => None,
            false => self.keyring.meant_by(self.reach.wanted()),
        };
        let is_known = expected.is_some() || is_bound;
        let is_sealed = is_known || self.trust == Trust::Proven || self.sealing == Sealing::Wanted;
        let line = match is_sealed {
            true => self.seal(reached, expected.as_ref())?,
            false => Line::plain(&reached.stream),
        };
        if let Some(expected) = &expected {
            self.check(reached, line.seen(), expected)?;
        }
        let key = line.seen().and_then(|pin| self.keyring.key_for(&pin));
        let has_key = key.is_some();
        if !has_key && is_bound {
            return Err(SessionError::NotThatOfTheKey);
        }
        if !has_key && self.trust == Trust::Proven {
            return Err(SessionError::WantsCode);
        }
        let admissions = self.reach.admissions();
        let doorstep = Doorstep { line, reached, key, keyring: &self.keyring };
        let (decoding, publisher) = (&mut self.decoding, &mut self.publisher);
        let watched =
            native::watch(doorstep, wishes, &mut self.reach, &self.remote, decoding, publisher);
        self.remote.end();
        if self.reach.admissions() != admissions {
            // It was not needed. Kept, it would undo that somebody revokes this viewer's key.
            self.code = None;
        }
        match watched {
            Ok(SessionEnd::Goodbye { reason, .. }) if !is_sealed && wants_tls(reason) => {
                Err(SessionError::WantsTls)
            }
            Ok(SessionEnd::Goodbye { reason: GoodbyeReason::NoKey, .. }) => Err(match has_key {
                true if is_bound => SessionError::GivenKeyRefused,
                true => SessionError::KeyRefused,
                false => SessionError::WantsCode,
            }),
            watched => watched,
        }
    }

    /// Checks that the camera with the certificate that was `seen` may be the paired one that is expected.
    fn check(
        &self,
        reached: &Reached,
        seen: Option<Pin>,
        expected: &PairedCamera,
    ) -> Result<(), SessionError> {
        let Some(met) = seen.and_then(|pin| self.keyring.with_pin(&pin)) else {
            return Err(not_the_paired(reached, expected, ToldBy::Certificate));
        };
        match self.keyring.meant_rather_than(&met, self.reach.wanted()) {
            Some(meant) => Err(SessionError::OtherCamera(Stranger::at(
                reached,
                &meant.identity.name,
                met.identity.name,
                ToldBy::Name,
            ))),
            None => Ok(()),
        }
    }

    fn seal<'a>(
        &mut self,
        reached: &'a Reached,
        expected: Option<&PairedCamera>,
    ) -> Result<Line<'a>, SessionError> {
        let sealed = Line::sealed(&reached.stream);
        if sealed.is_err() {
            // The next attempt asks the camera anew what it wants.
            self.sealing = Sealing::NotAsked;
        }
        match (sealed, expected) {
            (Ok(line), _) => Ok(line),
            (Err(error), Some(expected)) if is_no_tls(&error, reached) => {
                Err(not_the_paired(reached, expected, ToldBy::NoCertificate))
            }
            (Err(error), None) if self.trust == Trust::Proven && is_no_tls(&error, reached) => {
                Err(NotPaired::NoTls(error).into())
            }
            (Err(error), _) => Err(error.into()),
        }
    }

    /// Whether a camera that says this of itself may be the one that the user asked for, whose code it is.
    fn may_know_the_code(&self, said: &Identity, reached: &Reached) -> Result<(), Stranger> {
        self.reach.check(said, reached)?;
        match self.keyring.called_by(self.reach.wanted()) {
            Some(paired) if paired.identity.likeness(said) == Likeness::Other => {
                let (wanted, found) = (&paired.identity.name, said.name.clone());
                Err(Stranger::at(reached, wanted, found, ToldBy::Name))
            }
            _ => Ok(()),
        }
    }

    /// Pairs with the camera at this address, and remembers it.
    pub(super) fn pair(&mut self, reached: &Reached, code: Code) -> Result<(), SessionError> {
        let text = format!("pairing with {}", self.reach.called(&reached.address));
        self.publisher.notify(NoticeKind::Pairing, text);
        let paired = reached.again().map_err(NotPaired::Connection).and_then(|fresh| {
            pairing::pair(&fresh, &code, &own_name(), |said| self.may_know_the_code(said, reached))
        });
        if paired.as_ref().is_err_and(leaves_the_code_untried) {
            self.code = Some(code);
        }
        let camera = paired.map_err(|error| match error {
            NotPaired::OtherCamera(stranger) => SessionError::OtherCamera(stranger),
            error => error.into(),
        })?;
        log::info!("paired with {} at {}", camera.identity.name, camera.address);
        if let Err(error) = self.keyring.remember(&camera) {
            log::warn!(
                "the pairing with {} is forgotten at the end: {error}",
                camera.identity.name
            );
        }
        self.sealing = Sealing::Wanted;
        Ok(())
    }
}

/// Whether the same code may do the next time.
fn leaves_the_code_untried(error: &NotPaired) -> bool {
    error.is_of_the_network() || matches!(error, NotPaired::OtherCamera(_))
}

fn not_the_paired(reached: &Reached, expected: &PairedCamera, by: ToldBy) -> SessionError {
    let stranger = Stranger::at(reached, &expected.identity.name, String::new(), by);
    SessionError::OtherCamera(stranger)
}

/// Whether a code is what it takes after this.
fn can_pair(error: &SessionError) -> bool {
    match error {
        SessionError::WantsCode | SessionError::KeyRefused => true,
        SessionError::OtherCamera(stranger) => stranger.by == ToldBy::Certificate,
        _ => false,
    }
}

/// Whether a camera that says this without TLS is to be asked again with it.
fn wants_tls(reason: GoodbyeReason) -> bool {
    matches!(reason, GoodbyeReason::TlsWanted | GoodbyeReason::NoKey)
}

/// Whether the other end does not speak TLS. A camera that is busy or is just stopping, or a network that fails, is no proof.
fn is_no_tls(error: &GreetingError, reached: &Reached) -> bool {
    match error {
        GreetingError::Handshake(error) => !error.is_refusal(),
        // An open camera does this each time, a camera that is stopping only once.
        GreetingError::Left => reached.again().is_ok_and(|again| {
            let sealed = Line::sealed(&again.stream);
            matches!(sealed, Err(GreetingError::Left))
        }),
        GreetingError::Late | GreetingError::Broken(_) => false,
    }
}
