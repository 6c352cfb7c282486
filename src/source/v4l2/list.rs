//! Collects what `lancam list` prints: the cameras with everything they offer, ribbon cameras, and
//! other video devices.

use super::controls::Shown;
use super::node::{Node, NodeKind};
use super::offer::{Extent, Offer, RateOffer, SizeOffer, offers, why_not};
use super::survey::{Snapshot, Survey, Surveyed};
use crate::image::pixels::{PixelFormat, Size};
use crate::json::{Object, array};
use crate::source::csi;
use crate::source::media::{RibbonList, Ribbons};
use crate::wording::count;
use std::fmt::{self, Write};
use std::fs;
use std::path::{Path, PathBuf};

/// Every V4L2 node and ribbon camera of this machine at the moment.
#[derive(Debug)]
pub struct Listing {
    cameras: Vec<CameraEntry>,
    ribbons: RibbonList,
    others: Vec<OtherEntry>,
}

#[derive(Debug)]
struct CameraEntry {
    /// A link that still names this camera after it was plugged in again; its node if there is no
    /// such link.
    stable_path: PathBuf,
    node: PathBuf,
    card: String,
    driver: String,
    bus_info: String,
    offers: Vec<Offer>,
    controls: Shown,
}

#[derive(Debug)]
struct OtherEntry {
    node: PathBuf,
    /// Empty if it could not be opened.
    card: String,
    driver: String,
    why: String,
}

impl Listing {
    /// Examines every node.
    pub fn now() -> Self {
        let mut survey = Survey::default();
        survey.refresh(&Snapshot::take(None));
        let program = csi::program().map_err(|error| error.message);
        let ribbons = RibbonList::new(Ribbons::now(), program);
        let mut listing = Self { cameras: Vec::new(), ribbons, others: Vec::new() };
        for node in survey.nodes() {
            match CameraEntry::look(node) {
                Ok(camera) => listing.cameras.push(camera),
                Err(mut other) => {
                    let why = listing.ribbons.why_no_camera(&other.node, &other.driver);
                    other.why = why.unwrap_or(other.why);
                    listing.others.push(other);
                }
            }
        }
        log::debug!(
            "looked at each /dev/video*: {}, {}",
            count(listing.cameras.len(), "camera"),
            count(listing.others.len(), "other device")
        );
        listing
    }

    /// The same, with the modes of ribbon cameras. Only the program that drives these cameras knows
    /// them, and it takes seconds.
    #[must_use]
    pub fn with_modes(mut self) -> Self {
        if let Some(modes) = self.ribbons.program().map(csi::modes_of) {
            self.ribbons = self.ribbons.with_modes(modes);
        }
        self
    }

    /// The cameras and their formats, one line each.
    pub fn brief(&self) -> String {
        let mut lines = Vec::new();
        for camera in &self.cameras {
            let CameraEntry { stable_path, card, driver, .. } = camera;
            lines.push(format!("{} ({card}, {driver})", stable_path.display()));
            for Offer { fourcc, sizes, .. } in &camera.offers {
                let sizes: Vec<String> = sizes.iter().map(|size| size.extent.to_string()).collect();
                lines.push(format!("  {fourcc} {}", sizes.join(" ")));
            }
        }
        if self.cameras.is_empty() && !self.ribbons.has_cameras() {
            lines.push("none".into());
        }
        lines.extend(self.ribbons.brief());
        lines.extend(self.others.iter().map(|OtherEntry { node, card, why, .. }| {
            format!("not {} ({card}): {why}", node.display())
        }));
        lines.join("\n")
    }

    /// One JSON object with `cameras`, `ribbon_cameras` and `others`.
    pub fn json(&self) -> String {
        let cameras = array(&self.cameras, CameraEntry::json);
        let others = array(&self.others, OtherEntry::json);
        let ribbons = self.ribbons.json();
        Object::new()
            .json("cameras", cameras)
            .json("ribbon_cameras", ribbons)
            .json("others", others)
            .end()
    }
}

/// Lines for people, without the final newline.
impl fmt::Display for Listing {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        if self.cameras.is_empty() && !self.ribbons.has_cameras() {
            writeln!(text, "no cameras. Plug in a USB camera, or try lancam --source test")?;
        }
        for camera in &self.cameras {
            write!(text, "{camera}")?;
        }
        write!(text, "{}", self.ribbons)?;
        if !self.others.is_empty() {
            writeln!(text, "other video devices:")?;
        }
        for OtherEntry { node, card, driver, why } in &self.others {
            let name = if card.is_empty() { String::new() } else { format!(" ({card}, {driver})") };
            writeln!(text, "  {}{name}: {why}", node.display())?;
        }
        out.write_str(text.trim_end())
    }
}

impl CameraEntry {
    fn look(surveyed: &Surveyed) -> Result<Self, OtherEntry> {
        let other = |why: String| OtherEntry {
            node: surveyed.path.clone(),
            card: String::new(),
            driver: String::new(),
            why,
        };
        let facts = surveyed.facts.as_ref().map_err(|error| other(error.message.clone()))?;
        let capability = facts.capability.clone();
        if facts.kind != NodeKind::Camera {
            let why = facts.kind.to_string();
            return Err(OtherEntry {
                card: capability.card,
                driver: capability.driver,
                ..other(why)
            });
        }
        let node = Node::open(&surveyed.path).map_err(|error| other(error.message))?;
        Ok(Self {
            stable_path: stable_path(Path::new("/dev/v4l"), &surveyed.path),
            node: surveyed.path.clone(),
            card: capability.card,
            driver: capability.driver,
            bus_info: capability.bus_info,
            offers: offers(&node, Size::new(Size::MAX_SIDE, Size::MAX_SIDE), |_| true),
            controls: Shown::read(&*node.handle()),
        })
    }

    fn json(&self) -> String {
        Object::new()
            .text("path", &self.stable_path.to_string_lossy())
            .text("node", &self.node.to_string_lossy())
            .text("card", &self.card)
            .text("driver", &self.driver)
            .text("bus", &self.bus_info)
            .json("formats", array(&self.offers, offer_json))
            .json("controls", self.controls.json())
            .end()
    }
}

impl fmt::Display for CameraEntry {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{}", self.stable_path.display())?;
        writeln!(
            out,
            "  {} ({}, {}, {})",
            self.card,
            self.node.display(),
            self.driver,
            self.bus_info
        )?;
        for Offer { fourcc, description, sizes } in &self.offers {
            let unknown = why_not(*fourcc).map(|why| format!(" ({why})")).unwrap_or_default();
            writeln!(out, "  {fourcc} {description}{unknown}")?;
            for SizeOffer { extent, rates } in sizes {
                let rates: Vec<String> = rates.iter().map(ToString::to_string).collect();
                let fps = if rates.is_empty() { "" } else { " fps" };
                writeln!(out, "    {extent}  {}{fps}", rates.join(", "))?;
            }
        }
        write!(out, "{}", self.controls)
    }
}

impl OtherEntry {
    fn json(&self) -> String {
        Object::new()
            .text("node", &self.node.to_string_lossy())
            .text("card", &self.card)
            .text("driver", &self.driver)
            .text("why", &self.why)
            .end()
    }
}

/// udev's link to `node` under `links`: in `by-id`, otherwise in `by-path`. Of several, the first
/// by name.
fn stable_path(links: &Path, node: &Path) -> PathBuf {
    for folder in ["by-id", "by-path"] {
        let entries = fs::read_dir(links.join(folder)).into_iter().flatten().flatten();
        let leads_here = |link: &PathBuf| fs::canonicalize(link).is_ok_and(|path| path == node);
        if let Some(link) = entries.map(|entry| entry.path()).filter(leads_here).min() {
            return link;
        }
    }
    node.into()
}

fn offer_json(Offer { fourcc, description, sizes }: &Offer) -> String {
    Object::new()
        .text("format", &fourcc.to_string())
        .text("description", description)
        .json("understood", PixelFormat::from_fourcc(*fourcc).is_some())
        .json("sizes", array(sizes, size_json))
        .end()
}

/// A range has `smallest`, `largest` and `step`; a single size has `width` and `height`.
fn size_json(SizeOffer { extent, rates }: &SizeOffer) -> String {
    let sides = |to: Object, size: &Size| to.json("width", size.width).json("height", size.height);
    let extent = match extent {
        Extent::Exactly(size) => sides(Object::new(), size),
        Extent::Between { smallest, largest, step } => {
            let size = |size| sides(Object::new(), size).end();
            Object::new()
                .json("smallest", size(smallest))
                .json("largest", size(largest))
                .json("step", size(step))
        }
    };
    extent.json("fps", array(rates, rate_json)).end()
}

/// A number, or the two ends of a range.
fn rate_json(rate: &RateOffer) -> String {
    match rate {
        RateOffer::Exactly(interval) => interval.to_string(),
        RateOffer::Between { fastest, slowest } => {
            Object::new().json("least", slowest).json("most", fastest).end()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::offer::Interval;
    use super::*;
    use crate::image::pixels::FourCc;
    use std::os::unix::fs::symlink;
    use v4l::Fraction;

    fn listing() -> Listing {
        let rate =
            |fps| RateOffer::Exactly(Interval::parse(Fraction::new(1, fps)).expect("a rate"));
        let offer = |fourcc: &[u8; 4], sizes| Offer {
            fourcc: FourCc(*fourcc),
            description: "in words".into(),
            sizes,
        };
        let exactly = |width, height, rates| SizeOffer {
            extent: Extent::Exactly(Size::new(width, height)),
            rates,
        };
        let between = SizeOffer {
            extent: Extent::Between {
                smallest: Size::new(2, 2),
                largest: Size::new(64, 48),
                step: Size::new(2, 2),
            },
            rates: vec![],
        };
        Listing {
            cameras: vec![CameraEntry {
                stable_path: "/dev/v4l/by-id/usb-Maker_\"Best\"-index0".into(),
                node: "/dev/video0".into(),
                card: "Best".into(),
                driver: "uvcvideo".into(),
                bus_info: "usb-1".into(),
                offers: vec![
                    offer(b"MJPG", vec![exactly(640, 480, vec![rate(30), rate(15)])]),
                    offer(b"H264", vec![between]),
                ],
                controls: Shown::default(),
            }],
            ribbons: RibbonList::default(),
            others: vec![OtherEntry {
                node: "/dev/video1".into(),
                card: "Best".into(),
                driver: "uvcvideo".into(),
                why: "a metadata node".into(),
            }],
        }
    }

    #[test]
    fn people_read_formats_sizes_and_rates_and_what_is_no_camera() {
        assert_eq!(
            listing().to_string(),
            "/dev/v4l/by-id/usb-Maker_\"Best\"-index0\n\
             \x20 Best (/dev/video0, uvcvideo, usb-1)\n\
             \x20 MJPG in words\n\
             \x20   640x480  30, 15 fps\n\
             \x20 H264 in words (lancam cannot read it)\n\
             \x20   2x2 to 64x48 by 2x2  \n\
             other video devices:\n\
             \x20 /dev/video1 (Best, uvcvideo): a metadata node"
        );
        let none = Listing { cameras: vec![], ribbons: RibbonList::default(), others: vec![] };
        assert!(none.to_string().contains("lancam --source test"), "{none}");
    }

    #[test]
    fn programs_read_the_same() {
        assert_eq!(
            listing().json(),
            concat!(
                r#"{"cameras":[{"path":"/dev/v4l/by-id/usb-Maker_\"Best\"-index0","#,
                r#""node":"/dev/video0","card":"Best","driver":"uvcvideo","bus":"usb-1","formats":["#,
                r#"{"format":"MJPG","description":"in words","understood":true,"#,
                r#""sizes":[{"width":640,"height":480,"fps":[30,15]}]},"#,
                r#"{"format":"H264","description":"in words","understood":false,"#,
                r#""sizes":[{"smallest":{"width":2,"height":2},"largest":{"width":64,"height":48},"#,
                r#""step":{"width":2,"height":2},"fps":[]}]}],"controls":[]}],"#,
                r#""ribbon_cameras":[],"#,
                r#""others":[{"node":"/dev/video1","card":"Best","driver":"uvcvideo","#,
                r#""why":"a metadata node"}]}"#
            )
        );
    }

    #[test]
    fn the_stable_path_is_by_id_before_by_path_before_the_node() {
        let folder = tempfile::tempdir().expect("a folder");
        let links = folder.path();
        let node = links.join("video0");
        fs::write(&node, "").expect("a file");
        assert_eq!(stable_path(links, &node), node);
        for (kind, name) in [("by-path", "port"), ("by-id", "zebra"), ("by-id", "ant")] {
            fs::create_dir_all(links.join(kind)).expect("a folder");
            symlink(&node, links.join(kind).join(name)).expect("a link");
        }
        assert_eq!(stable_path(links, &node), links.join("by-id/ant"));
        fs::remove_dir_all(links.join("by-id")).expect("removed");
        assert_eq!(stable_path(links, &node), links.join("by-path/port"));
    }
}
