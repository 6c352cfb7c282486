//! Keeps what comes again and again from filling the log.

use std::time::Duration;

/// Remembers what was logged.
///
/// A text that follows itself is not news. One that comes again after another is news at the 2nd,
/// 4th, 8th ... time.
#[derive(Debug, Default)]
pub struct Repeats {
    /// How often each text has come.
    known: Vec<(String, u64)>,
    /// How often any other text has come.
    others: u64,
    last: Option<String>,
}

impl Repeats {
    /// What was well for this long does not fail again and again. When it fails, everything is news.
    pub const WELL: Duration = Duration::from_secs(60);

    /// More texts than these are counted together: they may hold a number that is always another
    /// one.
    const MOST: usize = 16;

    /// Notes a text. Returns whether it is news.
    pub fn is_news(&mut self, text: &str) -> bool {
        if self.last.as_deref() == Some(text) {
            return false;
        }
        self.last = Some(text.to_owned());
        let is_known = self.known.iter().any(|(known, _)| known == text);
        if !is_known && self.known.len() < Self::MOST {
            self.known.push((text.to_owned(), 0));
        }
        let count = self.known.iter_mut().find(|(known, _)| known == text);
        let count = count.map_or(&mut self.others, |(_, count)| count);
        *count += 1;
        count.is_power_of_two()
    }

    /// Notes that something else happened. The last text comes again if it comes now.
    pub fn interrupt(&mut self) {
        self.last = None;
    }

    /// Notes that all is well: every text is news again.
    pub fn forget(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which of the texts are news, by their places, beginning with 1.
    fn news<'a>(repeats: &mut Repeats, texts: impl IntoIterator<Item = &'a str>) -> Vec<usize> {
        let news = texts.into_iter().zip(1..).filter(|(text, _)| repeats.is_news(text));
        news.map(|(_, at)| at).collect()
    }

    #[test]
    fn texts_that_take_turns_are_news_less_and_less_often() {
        let mut repeats = Repeats::default();
        let turns = ["empty", "cut"].into_iter().cycle().take(40);
        assert_eq!(news(&mut repeats, turns.clone()), [1, 2, 3, 4, 7, 8, 15, 16, 31, 32]);
        repeats.forget();
        assert_eq!(news(&mut repeats, turns.take(4)), [1, 2, 3, 4], "all was well");
    }

    #[test]
    fn what_follows_itself_is_news_once_and_again_when_it_was_interrupted() {
        let mut repeats = Repeats::default();
        assert_eq!(news(&mut repeats, ["gone"; 9]), [1]);
        repeats.interrupt();
        assert_eq!(news(&mut repeats, ["gone"; 9]), [1], "the second time");
        repeats.interrupt();
        assert!(news(&mut repeats, ["gone"; 9]).is_empty(), "the third time");
    }

    #[test]
    fn a_text_that_is_another_each_time_does_not_fill_the_log() {
        let mut repeats = Repeats::default();
        let told = (0..1000).filter(|len| repeats.is_news(&format!("{len} bytes"))).count();
        assert_eq!(told, Repeats::MOST + 10);
        assert_eq!(repeats.known.len(), Repeats::MOST);
    }
}
