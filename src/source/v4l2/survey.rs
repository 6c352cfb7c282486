//! Examines which V4L2 nodes there are, and what each of them is.

use super::identity::Identity;
use super::ioctl::Capability;
use super::node::{LOOPBACK, Node, NodeKind};
use super::opening::not_opened;
use crate::source::SourceError;
use nix::errno::Errno;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What can be seen of the nodes without opening them. Two equal snapshots have the same nodes,
/// each with the same owner and access rights.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Snapshot {
    nodes: Vec<(u32, Stamp)>,
    named: Option<Stamp>,
}

/// Changes when a node is created again, or when its owner or access rights change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    changed_at: (i64, i64),
}

impl Snapshot {
    /// The nodes in `/dev`, and the node that was named, wherever it is.
    pub(super) fn take(named: Option<&Path>) -> Self {
        let names = fs::read_dir("/dev").into_iter().flatten().flatten();
        let number = |entry: fs::DirEntry| node_number(entry.file_name().to_str()?);
        let stamped = |number| Some((number, Stamp::of(&node_path(number))?));
        let mut nodes: Vec<_> = names.filter_map(number).filter_map(stamped).collect();
        nodes.sort_unstable_by_key(|(number, _)| *number);
        Self { nodes, named: named.and_then(Stamp::of) }
    }
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let file = fs::metadata(path).ok()?;
        Some(Self { inode: file.ino(), changed_at: (file.ctime(), file.ctime_nsec()) })
    }
}

/// Every node and what it is, by number.
#[derive(Debug, Default)]
pub(super) struct Survey {
    nodes: Vec<Surveyed>,
}

/// A node that was examined.
#[derive(Debug, Clone)]
pub(super) struct Surveyed {
    pub(super) path: PathBuf,
    /// What it is, or why it could not be opened.
    pub(super) facts: Result<Facts, SourceError>,
    number: u32,
    stamp: Stamp,
}

/// What a node is.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    pub(super) capability: Capability,
    pub(super) kind: NodeKind,
    pub(super) identity: Identity,
}

impl Survey {
    /// Examines every node of `snapshot`. A node that has not changed since is not opened again: a
    /// Pi has twenty that are not cameras, and opening a codec sets it up. A loopback device is opened
    /// each time, since it becomes a camera when a program writes into it.
    pub(super) fn refresh(&mut self, snapshot: &Snapshot) {
        let mut before = std::mem::take(&mut self.nodes);
        let look = |&(number, stamp): &(u32, Stamp)| {
            let is_known =
                |node: &Surveyed| node.number == number && node.stamp == stamp && node.is_settled();
            match before.iter().position(is_known) {
                Some(known) => before.swap_remove(known),
                None => Surveyed::look(number, stamp),
            }
        };
        self.nodes = snapshot.nodes.iter().map(look).collect();
    }

    /// All nodes, by number.
    pub(super) fn nodes(&self) -> &[Surveyed] {
        &self.nodes
    }

    /// The nodes that may give pictures, if only when a user names them: USB cameras first, then by
    /// number.
    pub(super) fn sources(&self) -> Vec<(&Path, &Facts)> {
        let with_facts = |node| match node {
            &Surveyed { ref path, facts: Ok(ref facts), .. } => Some((path.as_path(), facts)),
            _ => None,
        };
        let mut sources: Vec<(&Path, &Facts)> = self.nodes.iter().filter_map(with_facts).collect();
        sources.retain(|(_, facts)| facts.kind.may_give_pictures());
        // The sort is stable, so the order by number remains within each kind.
        sources.sort_by_key(|(_, facts)| !facts.capability.bus_info.starts_with("usb-"));
        sources
    }

    /// Those of them that give pictures by themselves.
    pub(super) fn cameras(&self) -> Vec<(&Path, &Facts)> {
        let mut cameras = self.sources();
        cameras.retain(|(_, facts)| facts.kind == NodeKind::Camera);
        cameras
    }
}

impl Surveyed {
    /// Whether it stays what it is until it changes in `/dev`.
    fn is_settled(&self) -> bool {
        self.facts.as_ref().is_ok_and(|facts| facts.capability.driver != LOOPBACK)
    }

    fn look(number: u32, stamp: Stamp) -> Self {
        let path = node_path(number);
        let facts = Node::open(&path).and_then(|node| {
            let identity = node.identity().ok_or_else(|| not_opened(&path, Errno::ENOENT))?;
            Ok(Facts { kind: node.kind(), identity, capability: node.capability })
        });
        Self { path, facts, number, stamp }
    }
}

/// 3 for `video3`; `None` for udev's own names, such as `video-front`.
fn node_number(name: &str) -> Option<u32> {
    name.strip_prefix("video")?.parse().ok()
}

fn node_path(number: u32) -> PathBuf {
    format!("/dev/video{number}").into()
}

#[cfg(test)]
impl Survey {
    /// With these nodes: number, place and kind of each.
    pub(super) fn of(nodes: &[(u32, &str, NodeKind)]) -> Self {
        let surveyed = |&(number, place, kind): &(u32, &str, NodeKind)| {
            let capability = Capability { bus_info: place.into(), ..Capability::default() };
            let identity = Identity::platform(place);
            Surveyed {
                path: node_path(number),
                facts: Ok(Facts { capability, kind, identity }),
                number,
                stamp: Stamp { inode: 0, changed_at: (0, 0) },
            }
        };
        Self { nodes: nodes.iter().map(surveyed).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usb_cameras_come_first_and_what_is_no_camera_not_at_all() {
        let survey = Survey::of(&[
            (0, "platform:bcm2835-v4l2-0", NodeKind::Camera),
            (1, "platform:fe801000.csi", NodeKind::Receiver),
            (2, "usb-0000:01:00.0-1.2", NodeKind::Camera),
            (3, "usb-0000:01:00.0-1.2", NodeKind::Metadata),
            (10, "platform:bcm2835-codec", NodeKind::Converter),
            (11, "usb-0000:01:00.0-1.3", NodeKind::Camera),
        ]);
        let paths: Vec<&str> =
            survey.cameras().iter().filter_map(|(path, _)| path.to_str()).collect();
        assert_eq!(paths, ["/dev/video2", "/dev/video11", "/dev/video0"]);
    }

    #[test]
    fn a_loopback_device_is_looked_at_again_though_its_node_is_the_same() {
        // No machine has nodes with these numbers, so those that are looked at again are not there.
        let numbers = [4_000_000, 4_000_001];
        let mut survey =
            Survey::of(&numbers.map(|number| (number, "platform:x", NodeKind::Output)));
        let nodes = survey.nodes.iter_mut().zip(["vivid", LOOPBACK]);
        for (facts, driver) in
            nodes.filter_map(|(node, driver)| Some((node.facts.as_mut().ok()?, driver)))
        {
            facts.capability.driver = driver.into();
        }
        let stamped = |node: &Surveyed| (node.number, node.stamp);
        let nodes = survey.nodes.iter().map(stamped).collect();
        survey.refresh(&Snapshot { nodes, named: None });
        let are_known: Vec<bool> = survey.nodes.iter().map(|node| node.facts.is_ok()).collect();
        assert_eq!(are_known, [true, false]);
    }

    #[test]
    fn only_numbered_nodes_are_looked_at() {
        assert_eq!(node_number("video12"), Some(12));
        for name in ["video", "video-front", "vbi0", "video0x", "video99999999999"] {
            assert_eq!(node_number(name), None, "{name}");
        }
    }
}
