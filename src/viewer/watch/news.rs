//! What the receiver publishes for the screen: a picture, or why there is none.

use crate::bucket::{Allowance, Bucket};
use crate::latest::Latest;
use crate::viewer::arrival::Arrival;
use log::Level;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// The newest state of a camera: a picture, or why there is none.
#[derive(Debug, Clone)]
pub enum News {
    /// A picture.
    Picture(Arc<Arrival>),
    /// There is no picture at the moment.
    Notice {
        /// The reason.
        notice: Arc<Notice>,
        /// The last picture, which the screen may have missed.
        last: Option<Arc<Arrival>>,
    },
}

/// Why there is no picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The kind, for programs.
    pub kind: NoticeKind,
    /// One sentence, for people.
    pub text: String,
}

/// Why there is no picture, in general.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeKind {
    /// Not connected yet.
    Connecting,
    /// Connected, but the camera has no picture: it is starting, unplugged or busy.
    NoPicture,
    /// The camera cannot be reached, or the connection ended. The viewer tries again.
    Disconnected,
    /// The camera shows its picture to those who have paired. Its code is wanted.
    WantsCode,
    /// This viewer is pairing with it.
    Pairing,
    /// A code was tried, and did not pair.
    NotPaired,
    /// Another camera is where a paired one was, or a machine that says it is that camera.
    NotThePaired,
    /// The server is not lancam.
    NotLancam,
    /// Another camera is at the wanted one's address.
    OtherCamera,
    /// A lancam without a common protocol version. One of the programs needs an update.
    Incompatible,
}

impl NoticeKind {
    /// A few words for the window's title.
    pub fn title(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::NoPicture => "no picture",
            Self::Disconnected => "not connected",
            Self::WantsCode => "wants a code",
            Self::Pairing => "pairing",
            Self::NotPaired => "not paired",
            Self::NotThePaired => "not the camera that was paired",
            Self::NotLancam => "not a lancam server",
            Self::OtherCamera => "another camera is there",
            Self::Incompatible => "update needed",
        }
    }

    /// Whether the camera's code is what it takes.
    pub fn wants_code(self) -> bool {
        matches!(self, Self::WantsCode | Self::NotPaired | Self::NotThePaired)
    }

    /// How loudly the log says it.
    pub fn level(self) -> Level {
        match self {
            Self::Connecting | Self::NoPicture | Self::Pairing => Level::Info,
            Self::Disconnected
            | Self::WantsCode
            | Self::NotPaired
            | Self::NotThePaired
            | Self::NotLancam
            | Self::OtherCamera
            | Self::Incompatible => Level::Warn,
        }
    }
}

/// Which notices are not logged at once. The last notice is the reason when the viewer ends, so it is reported there. A notice
/// that something else follows is logged then. With `-v`, all are logged at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Hold {
    /// None.
    #[default]
    Nothing,
    /// Those that come before the first picture.
    BeforeFirstPicture,
    /// All.
    Everything,
}

impl Hold {
    /// Whether this notice is held back; `has_had_picture`: the camera has sent one before.
    pub fn holds(self, kind: NoticeKind, has_had_picture: bool) -> bool {
        let is_held = match self {
            Self::Nothing => false,
            Self::BeforeFirstPicture => !has_had_picture,
            Self::Everything => true,
        };
        is_held
            && !matches!(kind, NoticeKind::Connecting | NoticeKind::Pairing)
            && !log::log_enabled!(Level::Debug)
    }
}

/// Where somebody is asked for a code, and told there why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Asks {
    /// In a window, or nowhere. The log says why too.
    #[default]
    Elsewhere,
    /// At the terminal that shows the log. So the log says nothing of it.
    AtTerminal,
}

/// The receiver's end of the slot: publishes pictures in pooled memory, and each notice once.
#[derive(Debug)]
pub struct Publisher {
    news: Arc<Latest<News>>,
    /// At least [`POOL`] pictures. More only while the screen holds some.
    pool: Vec<Arc<Arrival>>,
    /// The index in the pool of the picture being written.
    blank: usize,
    /// The index of the picture published last. The slot holds it until the next one, so it is not free.
    last: Option<usize>,
    /// The notice in the slot, if there is one.
    notice: Option<Arc<Notice>>,
    hold: Hold,
    asks: Asks,
    /// Whether `notice` has not been logged yet.
    is_held: bool,
    talk: Bucket,
}

/// The log lines that a camera can cause: thirty in a row, then one per second.
const TALK: Allowance = Allowance { at_once: 30, each: Duration::from_secs(1) };

/// One in the slot, one on the screen, one being taken by the screen, one being written.
const POOL: usize = 4;

impl Publisher {
    /// A publisher into `news`.
    pub fn new(news: Arc<Latest<News>>) -> Self {
        let pool = (0..POOL).map(|_| Arc::default()).collect();
        let talk = Bucket::full(TALK);
        let (hold, asks) = (Hold::default(), Asks::default());
        Self { news, pool, blank: 0, last: None, notice: None, hold, asks, is_held: false, talk }
    }

    /// The same, where these notices are held back.
    #[must_use]
    pub fn holding_back(self, hold: Hold) -> Self {
        Self { hold, ..self }
    }

    /// The same, where somebody is asked for codes like this.
    #[must_use]
    pub fn asking(self, asks: Asks) -> Self {
        Self { asks, ..self }
    }

    /// A free picture, with whatever was in it last. Allocates only if none is free.
    ///
    /// The pictures take turns, so that all of them reach the stream's size within a few frames.
    ///
    /// # Panics
    /// Never: the picture was found to be free.
    pub fn blank(&mut self) -> &mut Arrival {
        let count = self.pool.len();
        let mut turns = (1..=count).map(|step| (self.blank + step) % count);
        let pool = &mut self.pool;
        self.blank = match turns.find(|&index| Arc::get_mut(&mut pool[index]).is_some()) {
            Some(free) => free,
            None => {
                self.pool.push(Arc::default());
                count
            }
        };
        Arc::get_mut(&mut self.pool[self.blank]).expect("found to be free, or just made")
    }

    /// Whether the screen has closed the slot.
    pub fn is_closed(&self) -> bool {
        self.news.is_closed()
    }

    /// Whether the slot holds a notice.
    pub fn has_notice(&self) -> bool {
        self.notice.is_some()
    }

    /// The notice in the slot, if there is one.
    pub fn notice(&self) -> Option<Arc<Notice>> {
        self.notice.clone()
    }

    /// Whether the slot says that a code is wanted.
    pub fn wants_code(&self) -> bool {
        self.notice.as_ref().is_some_and(|notice| notice.kind.wants_code())
    }

    /// Publishes the picture written into the last [`blank`](Self::blank).
    pub fn publish(&mut self) {
        self.tell_held();
        self.notice = None;
        self.last = Some(self.blank);
        if let Some(arrival) = Arc::get_mut(&mut self.pool[self.blank]) {
            let age = arrival.age.map(|age| age.by(Instant::now())).unwrap_or_default();
            let now = SystemTime::now();
            arrival.taken = now.checked_sub(age).unwrap_or(now);
        }
        self.news.publish(News::Picture(Arc::clone(&self.pool[self.blank])));
    }

    /// Logs a line that a camera caused. Over the limit, it is logged at the debug level.
    pub fn log(&mut self, level: Level, line: fmt::Arguments<'_>) {
        let is_allowed = self.talk.take(Instant::now());
        log::log!(if is_allowed { level } else { Level::Debug }, "{line}");
    }

    /// Publishes and logs a notice, unless it is in the slot already.
    pub fn notify(&mut self, kind: NoticeKind, text: String) {
        let notice = Notice { kind, text };
        if self.notice.as_deref() == Some(&notice) {
            return;
        }
        self.tell_held();
        let is_told_there = self.asks == Asks::AtTerminal && kind.wants_code();
        self.is_held = !is_told_there && self.hold.holds(kind, self.last.is_some());
        if !self.is_held && !is_told_there {
            self.log(kind.level(), format_args!("{}", notice.text));
        }
        let notice = Arc::new(notice);
        self.notice = Some(Arc::clone(&notice));
        let last = self.last.map(|last| Arc::clone(&self.pool[last]));
        self.news.publish(News::Notice { notice, last });
    }

    /// Logs the notice that was held back: something else follows it, so it will not be the reason for an end.
    pub fn tell_held(&mut self) {
        if let Some(notice) = self.notice.clone().filter(|_| std::mem::take(&mut self.is_held)) {
            self.log(notice.kind.level(), format_args!("{}", notice.text));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::latest::Newest;

    #[test]
    fn the_pool_does_not_grow_for_one_screen() {
        let news = Latest::new();
        let mut reader = news.reader();
        let mut publisher = Publisher::new(Arc::clone(&news));
        let mut on_screen = None;
        for sequence in 1..=20 {
            publisher.blank().picture.sequence = sequence;
            publisher.publish();
            if sequence % 3 != 0 {
                continue;
            }
            let Newest::Fresh { value: News::Picture(arrival), .. } = reader.newest() else {
                panic!("a picture was published");
            };
            assert_eq!(arrival.picture.sequence, sequence);
            on_screen = Some(arrival);
        }
        assert_eq!(on_screen.map(|arrival| arrival.picture.sequence), Some(18), "left alone");
        assert_eq!(publisher.pool.len(), POOL);
    }

    #[test]
    fn a_notice_is_news_once_until_a_picture_was_shown() {
        let news = Latest::new();
        let mut reader = news.reader();
        let mut publisher = Publisher::new(news);
        let mut is_news = |publisher: &mut Publisher| {
            publisher.notify(NoticeKind::Disconnected, "the camera has left".into());
            matches!(reader.newest(), Newest::Fresh { value: News::Notice { .. }, .. })
        };
        assert!(is_news(&mut publisher));
        assert!(!is_news(&mut publisher));
        publisher.blank();
        publisher.publish();
        assert!(is_news(&mut publisher));
    }

    #[test]
    fn what_is_held_back_is_told_when_something_else_comes() {
        let mut publisher = Publisher::new(Latest::new()).holding_back(Hold::BeforeFirstPicture);
        publisher.notify(NoticeKind::Connecting, "connecting".into());
        assert!(!publisher.is_held, "that is no reason");
        publisher.notify(NoticeKind::Disconnected, "nobody is there".into());
        assert!(publisher.is_held);
        publisher.notify(NoticeKind::NoPicture, "it starts".into());
        assert!(publisher.is_held, "this one now");
        publisher.blank();
        publisher.publish();
        assert!(!publisher.is_held);
        publisher.notify(NoticeKind::Disconnected, "it has left".into());
        assert!(!publisher.is_held, "there was a picture");
        assert!(Hold::Everything.holds(NoticeKind::Disconnected, true));
        assert!(!Hold::Nothing.holds(NoticeKind::Disconnected, false));
    }

    #[test]
    fn a_camera_that_talks_all_the_time_has_a_line_a_second() {
        let start = Instant::now();
        let mut talk = Bucket::full(TALK);
        let mut lines = |at: Instant| (0..1000).filter(|_| talk.take(at)).count();
        assert_eq!(lines(start), 30);
        assert_eq!(lines(start + Duration::from_millis(900)), 0);
        assert_eq!(lines(start + Duration::from_millis(2100)), 2);
        assert_eq!(lines(start + Duration::from_secs(86_400)), 30);
    }

    #[test]
    fn a_notice_carries_the_last_picture_and_keeps_it_from_being_overwritten() {
        let news = Latest::new();
        let mut reader = news.reader();
        let mut publisher = Publisher::new(news);
        publisher.blank().picture.sequence = 7;
        publisher.publish();
        publisher.notify(NoticeKind::Disconnected, "the camera has left".into());
        publisher.blank().picture.sequence = 8;
        let Newest::Fresh { value: News::Notice { last, .. }, .. } = reader.newest() else {
            panic!("a notice was published");
        };
        assert_eq!(last.map(|arrival| arrival.picture.sequence), Some(7));
    }
}
