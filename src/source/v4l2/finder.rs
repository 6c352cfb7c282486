//! Finds the camera, and finds the same camera again after it was unplugged.

use super::camera::{Camera, FOR_SETTING_UP};
use super::controls::Wanted;
use super::errors::CSI_CAMERA;
use super::identity::Known;
use super::node::NodeKind;
use super::openings::Openings;
use super::survey::{Facts, Snapshot, Survey};
use super::watch::Watch;
use crate::clock;
use crate::image::frame::Micros;
use crate::source::frame_count::FrameCount;
use crate::source::{CaptureWish, Changed, FrameSource, SourceError, Trouble};
use crate::stop::Stop;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Opens a camera, as often as needed.
///
/// Once a camera has been opened, the finder looks for that same camera, whatever its node is
/// called: in any port if it has a serial number, and in its own port if not. It takes another one
/// only when the camera has been missing for 5 s, and is not just in use by another program: the
/// camera at the named node or, if none was named, any camera. A link such as those in
/// `/dev/v4l/by-id` already identifies a camera, and is followed as it is, unless it leads to a twin
/// now: of two cameras with the same name there, udev's link leads to the one that is left.
#[derive(Debug)]
pub struct Finder {
    named: Option<PathBuf>,
    /// The camera that was opened last.
    last: Option<Last>,
    has_opened: bool,
    /// When the last camera was first missing.
    missed_at: Option<Micros>,
    /// The nodes at the last attempt to open.
    seen: Snapshot,
    /// The nodes that have used up the time for all cameras since one was opened, the last one at
    /// the end.
    slow: Vec<PathBuf>,
    survey: Survey,
    count: FrameCount,
    openings: Openings,
    watch: Watch,
}

/// The camera that was opened last.
#[derive(Debug)]
struct Last {
    camera: Known,
    description: String,
}

impl Finder {
    /// Longer than a USB camera takes to be reset or moved to another port, and short enough that
    /// somebody who replaces a camera sees that it works.
    const ANOTHER_AFTER: Duration = Duration::from_secs(5);

    /// A finder for the named node, or for any camera.
    pub(in crate::source) fn new(named: Option<PathBuf>, count: FrameCount) -> Self {
        Self {
            named,
            last: None,
            has_opened: false,
            missed_at: None,
            seen: Snapshot::default(),
            slow: Vec::new(),
            survey: Survey::default(),
            count,
            openings: Openings::default(),
            watch: Watch::new(),
        }
    }

    /// Opens the camera and sets its controls. A camera that was open before must be dropped by
    /// then: a driver may refuse to open a node until the last user has closed it.
    ///
    /// # Errors
    /// Why the camera gives no frames.
    pub fn open(&mut self, wish: &CaptureWish, controls: &Wanted) -> Result<Camera, SourceError> {
        self.seen = Snapshot::take(self.named.as_deref());
        // A named node is opened without a look at the other nodes. They matter only when that
        // fails.
        if self.named.is_none() || self.last.is_some() {
            self.survey.refresh(&self.seen);
        }
        let now = clock::now();
        let until = Instant::now() + FOR_SETTING_UP;
        let mut reasons = Vec::new();
        for path in self.candidates(now) {
            let count = self.count.clone();
            let openings = &mut self.openings;
            match Camera::open(&path, wish, controls, until, count, openings) {
                Ok(camera) => {
                    for SourceError { message, .. } in reasons {
                        log::info!("not used: {message}");
                    }
                    self.remember(&camera);
                    return Ok(camera);
                }
                Err(reason) => reasons.push(reason),
            }
            if self.is_too_slow(path, until) {
                break;
            }
        }
        let is_busy = reasons.iter().any(|reason| reason.trouble == Trouble::Busy);
        if self.has_opened && !is_busy {
            // From the end of this try: a camera that took its time to refuse gets one more before another one.
            self.missed_at.get_or_insert_with(clock::now);
        }
        Err(self.explain(reasons))
    }

    /// Whether the camera at `path`, which was not opened, has used up the time for all cameras. The
    /// others have their turn before it next time.
    fn is_too_slow(&mut self, path: PathBuf, until: Instant) -> bool {
        let is_over = Instant::now() >= until;
        if is_over {
            self.slow.retain(|other| *other != path);
            self.slow.push(path);
        }
        is_over
    }

    /// Whether a camera was opened before.
    pub(in crate::source) fn has_opened(&self) -> bool {
        self.has_opened
    }

    /// Whether there is a camera that could be opened, or that another program uses.
    pub fn sees_a_camera(&mut self) -> bool {
        self.survey.refresh(&Snapshot::take(self.named.as_deref()));
        let nodes = self.survey.nodes();
        let is_denied = nodes
            .iter()
            .any(|node| node.facts.as_ref().is_err_and(|it| it.trouble != Trouble::NoCamera));
        is_denied || !self.survey.cameras().is_empty()
    }

    /// Whether the camera that was open before has stayed away so long that another one may be taken.
    pub(in crate::source) fn is_overdue(&self, now: Micros) -> bool {
        self.missed_at.is_some_and(|at| now.since(at) >= Self::ANOTHER_AFTER)
    }

    /// As if the last camera had gone at that time.
    #[cfg(test)]
    pub(in crate::source) fn is_missed_since(&mut self, at: Micros) {
        self.missed_at = Some(at);
    }

    /// Waits until the next attempt may go better: until a node comes, goes or changes its access
    /// rights since the last attempt, or for `patience`.
    pub fn wait_for_change(&mut self, stop: &Stop, patience: Duration) -> Changed {
        self.watch.wait(&self.seen, self.named.as_deref(), stop, patience)
    }

    fn candidates(&self, now: Micros) -> Vec<PathBuf> {
        let known = self.last.as_ref().map(|last| &last.camera);
        let other = if self.is_overdue(now) { Another::Allowed } else { Another::NotYet };
        let named = self.named.as_deref().map(Named::look);
        let mut paths = candidates(named.as_ref(), known, &self.survey.sources(), other);
        // The sort is stable, so the order remains among the others.
        paths.sort_by_key(|path| self.slow.iter().position(|slow| slow == path));
        paths
    }

    fn remember(&mut self, camera: &Camera) {
        self.missed_at = None;
        self.slow.clear();
        self.has_opened = true;
        if let Some(known) = camera.known() {
            self.last = Some(Last { camera: known.clone(), description: camera.description() });
        }
    }

    /// The error to report if no candidate could be opened.
    fn explain(&mut self, mut reasons: Vec<SourceError>) -> SourceError {
        self.survey.refresh(&self.seen);
        if self.named.is_none() {
            let unopened = self.survey.nodes().iter().filter_map(|it| it.facts.clone().err());
            reasons.extend(unopened.filter(|reason| reason.trouble != Trouble::NoCamera));
        }
        let mut reason = most_useful(reasons).unwrap_or_else(|| match &self.last {
            Some(Last { description, .. }) => SourceError::new(
                Trouble::NoCamera,
                format!("camera {description} was unplugged; waiting for it"),
            ),
            None => SourceError::new(Trouble::NoCamera, no_camera(&self.survey)),
        });
        match &self.named {
            Some(named) if matches!(reason.trouble, Trouble::Unusable | Trouble::NoCamera) => {
                reason.message += &format!("; {}", cameras_but(named, &self.survey));
            }
            _ => {}
        }
        // `Unusable` is true of one camera only. If any camera will do, another may come; and if a
        // camera was at the named node or behind the named link, that has only changed for now.
        if reason.trouble == Trouble::Unusable && (self.named.is_none() || self.has_opened) {
            reason.trouble = Trouble::NoCamera;
        }
        reason
    }
}

/// Whether a camera other than the known one may be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Another {
    Allowed,
    NotYet,
}

/// The node that was named.
#[derive(Debug)]
struct Named {
    path: PathBuf,
    /// The node that it leads to, if it is a link.
    target: Option<PathBuf>,
}

impl Named {
    fn look(path: &Path) -> Self {
        // A link to what is not there leads to itself.
        let target = || fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        Self { path: path.to_owned(), target: path.is_symlink().then(target) }
    }

    /// Whether it is a link to the known camera, or to one that is not easily taken for it.
    fn is_followed(&self, known: &Known, sources: &[(&Path, &Facts)]) -> bool {
        self.target.as_ref().is_some_and(|target| {
            let mut there = sources.iter().filter(|(path, _)| path == target);
            !there.any(|(_, facts)| known.shares_its_link_with(&facts.identity))
        })
    }
}

/// The nodes to try, in this order. `sources` are in order of preference. The receiver of a ribbon
/// camera is tried if it is named, and so it may be the known one.
fn candidates(
    named: Option<&Named>,
    known: Option<&Known>,
    sources: &[(&Path, &Facts)],
    other: Another,
) -> Vec<PathBuf> {
    let is_camera = |(_, facts): &&(&Path, &Facts)| facts.kind == NodeKind::Camera;
    let any = || match named {
        Some(named) => vec![named.path.clone()],
        None => sources.iter().filter(is_camera).map(|(path, _)| path.to_path_buf()).collect(),
    };
    let Some(known) = known else { return any() };
    if named.is_some_and(|named| named.is_followed(known, sources)) {
        return any();
    }
    let same = known.find(&sources.iter().map(|(_, facts)| &facts.identity).collect::<Vec<_>>());
    let mut paths: Vec<PathBuf> = same.map(|at| sources[at].0.to_path_buf()).into_iter().collect();
    if other == Another::Allowed {
        let others = any().into_iter().filter(|path| !paths.contains(path)).collect::<Vec<_>>();
        paths.extend(others);
    }
    paths
}

/// Of several errors, the one that a user can do most about; of equal ones the first.
fn most_useful(reasons: Vec<SourceError>) -> Option<SourceError> {
    reasons.into_iter().reduce(|best, reason| {
        if usefulness(reason.trouble) > usefulness(best.trouble) { reason } else { best }
    })
}

fn usefulness(trouble: Trouble) -> u8 {
    match trouble {
        Trouble::Busy => 5,
        Trouble::Denied => 4,
        Trouble::Bandwidth | Trouble::Excessive => 3,
        Trouble::Lost => 2,
        Trouble::Unusable => 1,
        Trouble::NoCamera | Trouble::Ended => 0,
    }
}

fn no_camera(survey: &Survey) -> String {
    let is_receiver = |facts: &&Facts| facts.kind == NodeKind::Receiver;
    let receiver =
        survey.nodes().iter().filter_map(|node| node.facts.as_ref().ok()).find(is_receiver);
    let found = match survey.nodes().len() {
        0 => "there is no /dev/video*".to_owned(),
        count => {
            format!("none of {count} video nodes is a camera (lancam list says why)")
        }
    };
    match receiver {
        Some(_) => format!("no camera: {found}; for a ribbon camera use {CSI_CAMERA}"),
        None => format!("no camera: {found}; plug in a USB camera"),
    }
}

/// Names the cameras other than `named`, to append to an error.
fn cameras_but(named: &Path, survey: &Survey) -> String {
    let others = survey.cameras().into_iter().filter(|(path, _)| *path != named);
    let others: Vec<String> = others
        .map(|(path, facts)| format!("{} ({})", path.display(), facts.capability.card))
        .collect();
    if others.is_empty() {
        return "this machine has no other camera".into();
    }
    format!("other cameras: {}", others.join(", "))
}

#[cfg(test)]
mod tests {
    use super::super::identity::Identity;
    use super::super::ioctl::Capability;
    use super::*;
    use std::os::unix::fs::symlink;

    fn tried(
        named: Option<&str>,
        known: Option<&str>,
        present: &[(&str, &str)],
        other: Another,
    ) -> Vec<String> {
        let named = named.map(|path| Named { path: path.into(), target: None });
        tried_as(named.as_ref(), known, present, other)
    }

    fn tried_as(
        named: Option<&Named>,
        known: Option<&str>,
        present: &[(&str, &str)],
        other: Another,
    ) -> Vec<String> {
        let known = known.map(|place| Known::alone(Identity::webcam("", place)));
        let facts = |place| facts(NodeKind::Camera, Identity::webcam("", place));
        let present: Vec<(&Path, Facts)> =
            present.iter().map(|(path, place)| (Path::new(*path), facts(place))).collect();
        let present: Vec<_> = present.iter().map(|(path, facts)| (*path, facts)).collect();
        shown(&candidates(named, known.as_ref(), &present, other))
    }

    fn facts(kind: NodeKind, identity: Identity) -> Facts {
        Facts { capability: Capability::default(), kind, identity }
    }

    fn shown(paths: &[PathBuf]) -> Vec<String> {
        paths.iter().map(|path| path.display().to_string()).collect()
    }

    const TWO: [(&str, &str); 2] = [("/dev/video0", "left"), ("/dev/video2", "right")];

    #[test]
    fn at_first_any_camera_will_do_unless_one_is_named() {
        assert_eq!(tried(None, None, &TWO, Another::NotYet), ["/dev/video0", "/dev/video2"]);
        assert_eq!(tried(Some("/dev/video2"), None, &TWO, Another::NotYet), ["/dev/video2"]);
        assert_eq!(tried(Some("/dev/video7"), None, &TWO, Another::NotYet), ["/dev/video7"]);
    }

    #[test]
    fn the_same_camera_is_found_under_another_name() {
        assert_eq!(tried(None, Some("right"), &TWO, Another::NotYet), ["/dev/video2"]);
        assert_eq!(
            tried(Some("/dev/video0"), Some("right"), &TWO, Another::NotYet),
            ["/dev/video2"],
            "what is at the named node now is another camera"
        );
    }

    #[test]
    fn another_camera_is_taken_only_when_the_known_one_stays_away() {
        assert!(tried(None, Some("gone"), &TWO, Another::NotYet).is_empty());
        assert_eq!(
            tried(None, Some("gone"), &TWO, Another::Allowed),
            ["/dev/video0", "/dev/video2"]
        );
        assert_eq!(
            tried(None, Some("right"), &TWO, Another::Allowed),
            ["/dev/video2", "/dev/video0"],
            "it is there, but may be in use"
        );
        assert!(tried(Some("/dev/video0"), Some("gone"), &TWO, Another::NotYet).is_empty());
        assert_eq!(
            tried(Some("/dev/video0"), Some("gone"), &TWO, Another::Allowed),
            ["/dev/video0"]
        );
    }

    #[test]
    fn a_twin_is_another_camera() {
        let twin = [("/dev/video0", "right")];
        assert!(tried(None, Some("left"), &twin, Another::NotYet).is_empty());
        assert!(tried(Some("/dev/video0"), Some("left"), &twin, Another::NotYet).is_empty());
        assert_eq!(tried(None, Some("left"), &twin, Another::Allowed), ["/dev/video0"]);
    }

    #[test]
    fn a_link_is_followed_and_to_a_twin_only_when_the_known_camera_stays_away() {
        let link_to = |target: &str| Named { path: "/by-id/x".into(), target: Some(target.into()) };
        let to = |target, known, other| tried_as(Some(&link_to(target)), known, &TWO, other);
        for other in [Another::NotYet, Another::Allowed] {
            assert_eq!(to("/dev/video0", None, other), ["/by-id/x"]);
            assert_eq!(to("/dev/video0", Some("left"), other), ["/by-id/x"]);
            assert_eq!(to("/by-id/x", Some("gone"), other), ["/by-id/x"], "it leads nowhere");
        }
        assert_eq!(
            to("/dev/video2", Some("left"), Another::NotYet),
            ["/dev/video0"],
            "it is back, and udev's link does not lead to it yet"
        );
        assert!(to("/dev/video2", Some("gone"), Another::NotYet).is_empty());
        assert_eq!(to("/dev/video2", Some("gone"), Another::Allowed), ["/by-id/x"]);
    }

    #[test]
    fn a_receiver_that_was_open_is_found_again_and_no_other_one_is_taken() {
        for named in [Some("/dev/video0".into()), None] {
            let mut finder = Finder::new(named.clone(), FrameCount::default());
            finder.survey =
                Survey::of(&[(0, "left", NodeKind::Receiver), (1, "right", NodeKind::Receiver)]);
            let camera = Known::alone(Identity::platform("right"));
            finder.last = Some(Last { camera, description: String::new() });
            assert_eq!(shown(&finder.candidates(Micros(0))), ["/dev/video1"]);
            finder.missed_at = Some(Micros(0));
            let later = shown(&finder.candidates(Micros(6_000_000)));
            let others = named.map(|path: PathBuf| path.display().to_string());
            assert_eq!(later[1..], others.into_iter().collect::<Vec<_>>(), "only the named one");
        }
    }

    #[test]
    fn a_camera_that_was_open_and_stays_away_is_overdue_after_five_seconds() {
        let mut finder = Finder::new(None, FrameCount::default());
        assert!(!finder.is_overdue(clock::now()), "none was open");
        finder.has_opened = true;
        finder.named = Some("/dev/no-such-camera".into());
        let opened = finder.open(&CaptureWish::default(), &Wanted::default());
        assert!(opened.is_err());
        let now = clock::now();
        assert!(!finder.is_overdue(now));
        assert!(finder.is_overdue(now.after(Duration::from_secs(5))));
    }

    #[test]
    fn a_camera_that_uses_up_the_time_for_all_is_the_last_one_then_and_the_next_time() {
        let mut finder = Finder::new(None, FrameCount::default());
        finder.survey = Survey::of(&[0, 1, 2].map(|number| (number, "place", NodeKind::Camera)));
        let (over, later) = (Instant::now(), Instant::now() + Duration::from_secs(600));
        assert!(!finder.is_too_slow("/dev/video0".into(), later));
        let mut next = || {
            let first = finder.candidates(Micros(0)).remove(0);
            assert!(finder.is_too_slow(first.clone(), over));
            first.display().to_string()
        };
        let tried: [String; 4] = std::array::from_fn(|_| next());
        assert_eq!(tried, ["/dev/video0", "/dev/video1", "/dev/video2", "/dev/video0"]);
    }

    #[test]
    fn what_is_no_camera_is_said_with_what_is_one() {
        let wish = CaptureWish::default();
        let error = Finder::new(Some("/dev/null".into()), FrameCount::default())
            .open(&wish, &Wanted::default())
            .err()
            .expect("no camera");
        assert_eq!(error.trouble, Trouble::Unusable);
        assert!(error.message.starts_with("/dev/null is not a video device; "), "{error}");

        let named = Finder::new(Some("/dev/no-such-camera".into()), FrameCount::default())
            .open(&wish, &Wanted::default());
        let error = named.err().expect("no camera");
        assert_eq!(error.trouble, Trouble::NoCamera);
        assert!(error.message.starts_with("there is no camera /dev/no-such-camera; "), "{error}");
    }

    #[test]
    fn what_is_behind_a_link_instead_of_the_camera_is_waited_out() {
        let folder = tempfile::tempdir().expect("a folder");
        let link = folder.path().join("front-door");
        symlink("/dev/null", &link).expect("a link");
        let mut finder = Finder::new(Some(link), FrameCount::default());
        for (has_opened, trouble) in [(false, Trouble::Unusable), (true, Trouble::NoCamera)] {
            finder.has_opened = has_opened;
            let opened = finder.open(&CaptureWish::default(), &Wanted::default());
            assert_eq!(opened.err().map(|error| error.trouble), Some(trouble), "{has_opened}");
        }
    }

    #[test]
    fn of_several_reasons_the_one_to_act_on_is_given() {
        let reasons = [Trouble::Unusable, Trouble::Denied, Trouble::Denied, Trouble::Lost];
        let reasons = reasons.iter().enumerate();
        let reasons = reasons.map(|(at, trouble)| SourceError::new(*trouble, at.to_string()));
        assert_eq!(most_useful(reasons.collect()).map(|it| it.message).as_deref(), Some("1"));
        assert_eq!(most_useful(Vec::new()), None);
    }
}
