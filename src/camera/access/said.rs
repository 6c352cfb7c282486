//! Says an error once, though it comes again with each look at the files, and with each stranger who makes lancam look.

use super::AccessError;

/// The error that was said last.
#[derive(Debug, Default)]
pub(super) struct Said(Option<String>);

impl Said {
    /// What to say now.
    pub(super) fn news(&mut self, error: Option<&AccessError>) -> Option<&str> {
        let text = error.map(AccessError::to_string);
        if text == self.0 {
            return None;
        }
        self.0 = text;
        self.0.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::access::Access;
    use crate::camera::access::folder::Folder;
    use std::fs;

    #[test]
    fn a_folder_that_is_gone_is_said_once_however_often_it_is_looked_for() {
        let around = tempfile::tempdir().expect("a folder");
        let place = around.path().join("state");
        let access = Access::open(Folder::open(&place).expect("made"), [7; 32]).expect("opens");
        let mut said = Said::default();
        let mut look = || said.news(access.refresh().err().as_ref()).map(str::to_owned);
        assert_eq!(look(), None);
        fs::rename(&place, around.path().join("elsewhere")).expect("ours");
        let text = look().expect("it is news");
        assert!(text.starts_with(&format!("cannot open {}", place.display())), "{text}");
        assert!((0..10).all(|_| look().is_none()));
        fs::rename(around.path().join("elsewhere"), &place).expect("ours");
        assert_eq!(look(), None);
        fs::remove_dir_all(&place).expect("ours");
        assert!(look().is_some(), "once for each time");
    }
}
