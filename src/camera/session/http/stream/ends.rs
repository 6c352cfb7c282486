//! How a stream begins, and how it ends, so that those who watch begin again by themselves.

use super::Stream;
use crate::camera::notices::Trouble;
use crate::camera::session::SessionEnd;
use crate::camera::session::http::answers;
use crate::camera::session::http::stand_in::StandIns;
use crate::camera::session::outgoing::Rest;
use crate::camera::update::Update;
use crate::latest::Newest;
use crate::wire::http::Refusal;
use crate::wire::http::multipart::Heads;
use crate::wire::ladder::Lowest;
use crate::wire::native::message::StatusCode;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A camera that is being opened may take so long before the stream begins with a notice; Home Assistant gives up after 10 s.
const FIRST_PICTURE: Duration = Duration::from_secs(4);

/// For the last picture. Nobody waits longer for this program to end because of one viewer.
const GOODBYE: Duration = Duration::from_millis(200);

/// Why a stream does not begin.
pub(super) enum NoPicture {
    Refused(Refusal),
    Ended(SessionEnd),
}

impl Stream<'_, '_> {
    /// Waits for what the stream begins with: a picture, or a notice of why there is none. Only what cannot be granted
    /// is refused. A camera that is away may come back, and an `<img>` that was refused asks no second time.
    pub(super) fn first_picture(&mut self) -> io::Result<Result<(), NoPicture>> {
        let deadline = Instant::now() + FIRST_PICTURE;
        let mut is_hopeless = false;
        let mut stand_ins = StandIns::default();
        loop {
            match self.view.newest(&self.connection.waiter)? {
                Newest::Fresh { value: Update::Frame { packet, .. }, .. } => {
                    self.silence.picture(&packet);
                    self.pending = Some(packet);
                    return Ok(Ok(()));
                }
                Newest::Fresh { value: Update::Status(status), .. }
                    if status.code == StatusCode::Full && stand_ins.may_be_asked_for() =>
                {
                    let wish = self.connection.camera.renditions.nearest(&self.view.wish());
                    self.view.change(wish, Lowest::Quality40, &self.connection.waiter)?;
                    continue;
                }
                Newest::Fresh { value: Update::Status(status), .. } => {
                    if status.code == StatusCode::Full
                        && let Some(refusal) = answers::reason_not_to_wait(&status)
                    {
                        return Ok(Err(NoPicture::Refused(refusal)));
                    }
                    is_hopeless = status.code != StatusCode::Starting;
                    self.silence.trouble(status);
                    continue;
                }
                Newest::NotYet => {}
                Newest::Closed => return Ok(Err(NoPicture::Ended(SessionEnd::Stopping))),
            }
            if is_hopeless || Instant::now() >= deadline {
                let trouble = self.silence.wrong();
                self.pending = self.silence.notice(self.connection.camera, &trouble);
                return Ok(Ok(()));
            }
            let happened = self.connection.waiter.wait(Some(deadline))?;
            if happened.stop {
                return Ok(Err(NoPicture::Ended(SessionEnd::Stopping)));
            }
            if let Err(end) = self.listen(happened)? {
                return Ok(Err(NoPicture::Ended(end)));
            }
        }
    }

    /// Ends the stream so that those who watch know it.
    ///
    /// Programs get the newest picture once more, with no boundary behind it: ffmpeg and mpv reconnect where a stream ends, and
    /// take what comes then for a part's head if a boundary was the last they saw. Browsers get a notice: to the pages they
    /// show nobody tells that a stream has ended, and its last picture would stand there as if it were live.
    pub(super) fn say_goodbye(&mut self) -> io::Result<()> {
        let deadline = Instant::now() + GOODBYE;
        if !self.send_all(deadline)? {
            return Ok(());
        }
        let camera = self.connection.camera;
        let (last, suffix, times) = match self.heads {
            Heads::Exact => {
                let newest = self.view.current().or_else(|| self.silence.last_notice());
                (newest, &b"\r\n"[..], 1)
            }
            Heads::ExactTwice => {
                (self.silence.notice(camera, &Trouble::Ending), self.heads.next(), 2)
            }
            Heads::Ahead => (self.silence.notice(camera, &Trouble::Ending), self.heads.next(), 1),
        };
        let Some(packet) = last else { return Ok(()) };
        for _ in 0..times {
            self.put(Arc::clone(&packet), suffix)?;
            if !self.send_all(deadline)? {
                break;
            }
        }
        Ok(())
    }

    /// Waits until the kernel has all that is on its way; `false` when that takes too long.
    fn send_all(&mut self, deadline: Instant) -> io::Result<bool> {
        loop {
            if self.connection.outgoing.is_empty() {
                return Ok(true);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(false);
            }
            // The waiter would say that this program ends, again and again.
            let stream = self.connection.stream;
            stream.set_nonblocking(false)?;
            stream.set_write_timeout(Some(left))?;
            if self.connection.outgoing.write_to(stream)?.rest == Rest::Nothing {
                return Ok(true);
            }
        }
    }
}
