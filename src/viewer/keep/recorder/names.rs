//! Makes the names of a recording's files, from the camera's name, the time and a number.

use super::plan::{Naming, Plan};
use super::queue::Frame;
use crate::viewer::keep::folders;
use std::path::PathBuf;
use std::sync::Arc;

/// Makes one name after the other.
#[derive(Debug)]
pub(super) struct Names {
    plan: Plan,
    /// The name that numbers are added to, and the camera that it was made for.
    base: PathBuf,
    camera: Option<Arc<str>>,
    /// The number of the last name; 0 before the first.
    number: u32,
    /// The times in the last name. The last of them is the file's own; the ones before it make the name sort behind earlier
    /// names.
    stamps: Vec<String>,
}

/// The most times in one file name, so that the name does not get too long.
const MOST_STAMPS: usize = 5;

impl Names {
    pub(super) fn new(plan: Plan) -> Self {
        let base = plan.path.clone();
        Self { plan, base, camera: None, number: 0, stamps: Vec::new() }
    }

    /// Notes that a file with the plan's own name exists: the next one gets number 2.
    pub(super) fn first_is_taken(&mut self) {
        self.number = 1;
    }

    /// The name of a file that begins with `frame`. `Again::Yes` asks for the next number, because that name is taken.
    pub(super) fn next(&mut self, frame: &Frame, again: Again) -> PathBuf {
        if again == Again::No {
            self.rename(frame);
        }
        self.number = self.number.saturating_add(1);
        match self.number {
            1 => self.base.clone(),
            number => folders::numbered(&self.base, number),
        }
    }

    /// Makes the base name again where it depends on the camera or on the time.
    fn rename(&mut self, frame: &Frame) {
        let is_other = self.camera.as_ref().is_none_or(|camera| **camera != *frame.camera);
        let is_timed = self.plan.rotation.is_on();
        let is_renamed = is_other && self.plan.naming == Naming::WithCamera;
        if !is_timed && !is_renamed {
            return;
        }
        self.camera = Some(Arc::clone(&frame.camera));
        self.base = self.plan.path.clone();
        if self.plan.naming == Naming::WithCamera {
            self.base = folders::extended(&self.base, &folders::harmless(&frame.camera));
        }
        if is_timed {
            let stamp = folders::stamp(frame.taken);
            // Names must sort by time, even when the clock was set back, as each autumn, or when several files begin in one
            // millisecond.
            let kept = self.stamps.iter().take_while(|earlier| **earlier >= stamp).count();
            self.stamps.truncate(kept.min(MOST_STAMPS - 1));
            self.stamps.push(stamp);
            self.base = folders::extended(&self.base, &self.stamps.join("_"));
        }
        self.number = 0;
    }
}

/// Whether a file of the last name exists already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    Yes,
    No,
}

#[cfg(test)]
mod tests {
    use super::super::plan::Rotation;
    use super::super::queue::tests::frame;
    use super::*;
    use std::path::Path;
    use std::time::{Duration, Instant, SystemTime};

    fn named(names: &mut Names, camera: &str, seconds: u64) -> String {
        let frame = frame(1, Instant::now());
        let taken = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let frame = Frame { camera: Arc::from(camera), taken, ..frame };
        let path = names.next(&frame, Again::No);
        assert_eq!(path.parent(), Some(Path::new("videos")));
        path.file_name().expect("a name").to_string_lossy().into_owned()
    }

    fn plan(naming: Naming, every: Option<Duration>) -> Plan {
        let rotation = Rotation { every, ..Rotation::default() };
        Plan { path: "videos/x.mkv".into(), naming, rotation }
    }

    #[test]
    fn plain_names_are_numbered_without_end() {
        let mut names = Names::new(plan(Naming::Plain, None));
        assert_eq!(named(&mut names, "a", 1), "x.mkv");
        assert_eq!(named(&mut names, "b", 1), "x-2.mkv");
        let last = (3..=1234).map(|_| named(&mut names, "a", 1)).last();
        assert_eq!(last.as_deref(), Some("x-1234.mkv"));
    }

    #[test]
    fn each_camera_has_its_own_names() {
        let mut names = Names::new(plan(Naming::WithCamera, None));
        assert_eq!(named(&mut names, "a/b", 1), "x_a_b.mkv");
        assert_eq!(named(&mut names, "a/b", 1), "x_a_b-2.mkv");
        assert_eq!(named(&mut names, "c", 1), "x_c.mkv");
    }

    #[test]
    fn names_with_times_sort_by_time_though_the_calendar_is_set_back() {
        let mut names = Names::new(plan(Naming::Plain, Some(Duration::from_secs(600))));
        let hour = 3600;
        let times = [10 * hour, 10 * hour + 600, 9 * hour, 9 * hour + 600, 9 * hour, 11 * hour];
        let names: Vec<_> = times.iter().map(|&time| named(&mut names, "a", time)).collect();
        assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
        assert!(names.iter().all(|name| name.starts_with("x_1970-01-")), "{names:?}");
    }

    #[test]
    fn names_of_files_that_begin_in_the_same_millisecond_sort_as_they_began() {
        let mut names = Names::new(plan(Naming::Plain, Some(Duration::from_millis(1))));
        let mut made: Vec<_> = (0..5).map(|_| named(&mut names, "a", 7)).collect();
        made.push(named(&mut names, "a", 8));
        assert!(made.is_sorted_by(|a, b| a < b), "{made:?}");
        assert!(made.iter().all(|name| name.len() < 200), "{made:?}");
    }
}
