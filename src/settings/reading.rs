//! What comes of reading one file: what it asks for, and what there is to say about it.

use super::wishes::{Country, HostName, Secret, Wishes, key_line};

/// What there is to say about a file: with its place, in bytes of its text, where it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// For whom.
    pub weight: Weight,
    /// Where.
    pub at: Option<usize>,
    /// One line. No secret is in it.
    pub text: String,
}

/// For whom a remark is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// The owner, wherever one looks: something asked for is not done.
    Complaint,
    /// Who reads logs.
    Note,
}

/// What a file asks for, and what there is to say about it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// What counts of it.
    pub wishes: Wishes,
    /// What does not, and more.
    pub remarks: Vec<Remark>,
}

impl Reading {
    /// Something is not done.
    pub fn complain(&mut self, at: impl Into<Option<usize>>, text: impl Into<String>) {
        self.remark(Weight::Complaint, at.into(), &text.into());
    }

    /// Something is worth a line in the log.
    pub fn note(&mut self, at: impl Into<Option<usize>>, text: impl Into<String>) {
        self.remark(Weight::Note, at.into(), &text.into());
    }

    fn remark(&mut self, weight: Weight, at: Option<usize>, text: &str) {
        // Names of keys stand in it, in which anything may be; it stays one line.
        let text = text.replace(char::is_control, "?");
        self.remarks.push(Remark { weight, at, text });
    }

    /// The value, or a complaint that says what is expected: `what` is its name. The value itself may be a password.
    pub fn accept<T>(
        &mut self,
        at: usize,
        what: &str,
        value: Result<T, &'static str>,
    ) -> Option<T> {
        value.map_err(|expected| self.complain(at, format!("{what} must be {expected}"))).ok()
    }

    /// Something in the file could not be read, and it may have been a password: a network that seems to have none is not joined.
    pub fn doubt_open_networks(&mut self) {
        self.wishes.networks.retain(|network| network.secret != Secret::Open);
    }

    /// A host name; of one with dots the first part.
    pub fn name(&mut self, at: usize, what: &str, text: &str) {
        let first = text.split('.').next().unwrap_or_default();
        if first != text {
            self.note(at, format!("only the part of {what} before the first dot is used"));
        }
        self.wishes.name = self.accept(at, what, HostName::parse(first));
    }

    /// A country.
    pub fn country(&mut self, at: usize, what: &str, text: &str) {
        self.wishes.country = self.accept(at, what, Country::parse(text));
    }

    /// A line of `authorized_keys`.
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
