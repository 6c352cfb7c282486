//! The result of reading one file: its settings, and remarks about it.

use super::wishes::{Country, HostName, Secret, Wishes, key_line};

/// A remark about a file, with a position in bytes of its text if it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// Who should see it.
    pub weight: Weight,
    /// The position.
    pub at: Option<usize>,
    /// One line without any secret.
    pub text: String,
}

/// Who should see a remark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// The owner, on the page and the screen: a setting is not used.
    Complaint,
    /// Readers of the log.
    Note,
}

/// The settings in a file, and remarks about it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The settings that are used.
    pub wishes: Wishes,
    /// Remarks about settings that are not used, and others.
    pub remarks: Vec<Remark>,
}

impl Reading {
    /// Adds a complaint: a setting is not used.
    pub fn complain(&mut self, at: impl Into<Option<usize>>, text: impl Into<String>) {
        self.remark(Weight::Complaint, at.into(), &text.into());
    }

    /// Adds a note for the log.
    pub fn note(&mut self, at: impl Into<Option<usize>>, text: impl Into<String>) {
        self.remark(Weight::Note, at.into(), &text.into());
    }

    fn remark(&mut self, weight: Weight, at: Option<usize>, text: &str) {
        // The text may contain names of keys, which may contain anything. Keep it on one line.
        let text = text.replace(char::is_control, "?");
        self.remarks.push(Remark { weight, at, text });
    }

    /// The value, or a complaint that says what is expected. `what` is the value's name. The value itself is not quoted,
    /// because it may be a password.
    pub fn accept<T>(
        &mut self,
        at: usize,
        what: &str,
        value: Result<T, &'static str>,
    ) -> Option<T> {
        value.map_err(|expected| self.complain(at, format!("{what} must be {expected}"))).ok()
    }

    /// Part of the file could not be read, and it may have been a password. So networks that seem to have none are removed.
    pub fn doubt_open_networks(&mut self) {
        self.wishes.networks.retain(|network| network.secret != Secret::Open);
    }

    /// Sets the host name. Of a name with dots, the first part is used.
    pub fn name(&mut self, at: usize, what: &str, text: &str) {
        let first = text.split('.').next().unwrap_or_default();
        if first != text {
            self.note(at, format!("only the part of {what} before the first dot is used"));
        }
        self.wishes.name = self.accept(at, what, HostName::parse(first));
    }

    /// Sets the country.
    pub fn country(&mut self, at: usize, what: &str, text: &str) {
        self.wishes.country = self.accept(at, what, Country::parse(text));
    }

    /// Adds a line of `authorized_keys`.
    pub fn key(&mut self, at: usize, what: &str, text: &str) {
        match key_line(text) {
            Some(line) => self.wishes.keys.push(line.into()),
            None => self.complain(
                at,
                format!("{what} must be a public SSH key: copy the line of a file such as id_ed25519.pub"),
            ),
        }
    }
}
