//! Measures how long nobody has watched.

use super::feed::Watched;
use crate::image::frame::Micros;
use std::time::Duration;

/// How long nobody has watched. Kept while the source is closed and opened again: a camera that
/// fails again and again rests too.
#[derive(Debug, Default)]
pub struct Idle {
    /// After how long the source is closed; `None`: never.
    limit: Option<Duration>,
    /// Since when nobody watches; `None` while somebody does.
    since: Option<Micros>,
}

impl Idle {
    /// From here on, the source is closed when nobody has watched for `limit`.
    pub fn ends_after(&mut self, limit: Option<Duration>) {
        self.limit = limit;
    }

    /// Notes whether somebody watches.
    pub fn note(&mut self, watched: Watched, now: Micros) {
        match watched {
            Watched::Yes => self.since = None,
            Watched::No => {
                self.since.get_or_insert(now);
            }
        }
    }

    /// Whether nobody has watched for the limit. The time before `from` does not count.
    pub fn is_over(&self, from: Micros, now: Micros) -> bool {
        self.since.zip(self.limit).is_some_and(|(since, limit)| now.since(since.max(from)) >= limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Micros {
        Micros(seconds * 1_000_000)
    }

    fn unwatched(limit: Option<Duration>) -> Idle {
        let mut idle = Idle::default();
        idle.ends_after(limit);
        idle.note(Watched::No, at(1));
        idle
    }

    #[test]
    fn it_is_over_when_nobody_has_watched_for_the_limit() {
        let minute = Some(Duration::from_secs(60));
        let mut idle = unwatched(minute);
        idle.note(Watched::No, at(60));
        assert!(!idle.is_over(at(0), at(60)));
        assert!(idle.is_over(at(0), at(61)), "it counts from the first time");
        assert!(!idle.is_over(at(10), at(61)));
        assert!(idle.is_over(at(10), at(70)));
        idle.note(Watched::Yes, at(70));
        assert!(!idle.is_over(at(0), at(1000)));
        idle.note(Watched::No, at(1000));
        assert!(!idle.is_over(at(0), at(1059)));
        assert!(!unwatched(None).is_over(at(0), at(100_000)), "no limit");
    }
}
