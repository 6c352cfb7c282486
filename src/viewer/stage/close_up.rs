//! Decodes a picture that stands still once more at its full size, so that all its detail can be seen.

use crate::image::jpeg::codec::Decoder;
use crate::image::picture::Picture;
use crate::latest::Doorbell;
use crate::viewer::arrival::Arrival;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread;

/// A picture at its full size, or the thread that decodes it.
#[derive(Debug)]
pub(super) struct CloseUp {
    of: Arc<Arrival>,
    picture: Option<Picture>,
    /// The result of the thread, until it has arrived.
    coming: Option<Receiver<Option<Picture>>>,
}

impl CloseUp {
    /// Starts decoding on a thread, which rings `doorbell` when it is done.
    pub(super) fn begin(of: Arc<Arrival>, doorbell: Arc<Doorbell>) -> io::Result<Self> {
        let (sender, coming) = mpsc::sync_channel(1);
        let arrival = Arc::clone(&of);
        let decode = move || {
            let mut picture = Picture::default();
            let decoded = Decoder::new().and_then(|mut it| it.decode(&arrival.jpeg, &mut picture));
            if let Err(error) = &decoded {
                log::debug!("a picture cannot be decoded at its full size: {error}");
            }
            // Fails if another picture has replaced this one.
            let _ = sender.send(decoded.is_ok().then_some(picture));
            doorbell.ring();
        };
        thread::Builder::new().name("close-up".into()).spawn(decode)?;
        Ok(Self { of, picture: None, coming: Some(coming) })
    }

    /// Whether it is of this arrival.
    pub(super) fn is_of(&self, arrival: &Arc<Arrival>) -> bool {
        Arc::ptr_eq(&self.of, arrival)
    }

    /// The picture, once it is decoded.
    pub(super) fn picture(&self) -> Option<&Picture> {
        self.picture.as_ref()
    }

    /// Whether the picture has arrived since the last call.
    pub(super) fn has_come(&mut self) -> bool {
        let Some(picture) = self.coming.as_ref().and_then(|coming| coming.try_recv().ok()) else {
            return false;
        };
        self.coming = None;
        self.picture = picture;
        self.picture.is_some()
    }
}
