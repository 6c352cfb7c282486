//! Logs a repeating trouble when it begins, changes and ends; not at every frame.

/// What is wrong now with the frames of one stage, and for how many of them.
#[derive(Debug, Default)]
pub struct Complaint {
    text: Option<String>,
    frames: u64,
}

impl Complaint {
    /// Takes note of what became of a frame: `None` is well.
    pub fn note(&mut self, trouble: Option<String>) {
        match (&self.text, &trouble) {
            (None, None) => return,
            (Some(_), None) => log::info!("frames can be sent again, after {} lost", self.frames),
            (old, Some(text)) if old.as_ref() != Some(text) => log::warn!("frame dropped: {text}"),
            _ => {}
        }
        self.frames = if trouble.is_some() { self.frames + 1 } else { 0 };
        self.text = trouble;
    }
}
