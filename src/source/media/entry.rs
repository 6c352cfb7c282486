//! What `lancam list` says of ribbon cameras, for people and for programs.

use super::modes::{self, CameraModes, Mode};
use super::{Receiver, RibbonCamera, Ribbons, not_detected};
use crate::json::{Object, array};
use std::fmt::{self, Write};
use std::path::{Path, PathBuf};

/// The ribbon cameras of this machine, and the program that drives them.
#[derive(Debug, Clone, Default)]
pub(in crate::source) struct RibbonList {
    ribbons: Ribbons,
    program: Option<PathBuf>,
    /// What to do where there is no program.
    remedy: String,
    /// What the program says of the cameras, if it was asked.
    modes: Vec<CameraModes>,
}

impl RibbonList {
    /// Of `ribbons`, driven by `program`.
    pub(in crate::source) fn new(ribbons: Ribbons, program: Result<PathBuf, String>) -> Self {
        let (program, remedy) = match program {
            Ok(program) => (Some(program), String::new()),
            Err(remedy) => (None, remedy),
        };
        Self { ribbons, program, remedy, modes: Vec::new() }
    }

    /// The program that knows the cameras' modes: there is one, and there are cameras.
    pub(in crate::source) fn program(&self) -> Option<&Path> {
        self.program.as_deref().filter(|_| self.has_cameras())
    }

    /// The same, with the modes that the program has listed.
    pub(in crate::source) fn with_modes(self, modes: Vec<CameraModes>) -> Self {
        Self { modes, ..self }
    }

    /// The modes of a camera. Its place in the device tree names it; without that, its number does.
    fn modes(&self, number: usize, camera: &RibbonCamera) -> &[Mode] {
        let is_it = |listed: &&CameraModes| match &camera.id {
            Some(id) => &listed.id == id,
            None => listed.number == number,
        };
        self.modes.iter().find(is_it).map_or(&[], |listed| &listed.modes)
    }

    /// Whether there is a camera among them.
    pub(in crate::source) fn has_cameras(&self) -> bool {
        !self.ribbons.cameras.is_empty()
    }

    /// A line for each camera, one for each format of its modes, and one for each connector without a camera.
    pub(in crate::source) fn brief(&self) -> Vec<String> {
        let each = self.ribbons.cameras.iter().enumerate();
        let cameras = each.flat_map(|(number, camera)| {
            let RibbonCamera { sensor, driver, .. } = camera;
            let source = source(number);
            let mut lines =
                vec![format!("{source} (ribbon camera {sensor}, {driver}): {}", self.driven())];
            lines.extend(modes::brief(self.modes(number, camera)));
            lines
        });
        cameras.chain(self.troubles()).collect()
    }

    /// Why a node is no camera by itself, where it belongs to a ribbon camera.
    pub(in crate::source) fn why_no_camera(&self, node: &Path, driver: &str) -> Option<String> {
        if !super::RECEIVERS.contains(&driver) {
            return None;
        }
        let mut cameras = (0..).zip(&self.ribbons.cameras);
        let of_node = cameras.find(|(_, camera)| camera.picture_node.as_deref() == Some(node));
        Some(match of_node {
            Some((number, camera)) => format!(
                "the raw samples of the ribbon camera {}, which is watched with --source {}",
                camera.sensor,
                source(number)
            ),
            None if self.has_cameras() => "a part of a ribbon camera's receiver".into(),
            None => "the receiver of a ribbon camera; none was detected".into(),
        })
    }

    /// An array of objects.
    pub(in crate::source) fn json(&self) -> String {
        let numbered: Vec<_> = self.ribbons.cameras.iter().enumerate().collect();
        array(&numbered, |(number, camera)| {
            let path = |path: &Option<PathBuf>| path.as_deref().map_or(String::new(), in_words);
            Object::new()
                .text("source", &source(*number))
                .text("sensor", &camera.sensor)
                .text("lens", camera.lens.as_deref().unwrap_or_default())
                .text("id", camera.id.as_deref().unwrap_or_default())
                .text("driver", &camera.driver)
                .text("bus", &camera.bus)
                .text("media", &in_words(&camera.media))
                .text("node", &path(&camera.picture_node))
                .text("sensor_node", &path(&camera.sensor_node))
                .text("program", &path(&self.program))
                .text("why_not", &self.remedy)
                .json("modes", CameraModes::json(self.modes(*number, camera)))
                .end()
        })
    }

    fn driven(&self) -> String {
        match &self.program {
            Some(program) => format!("driven by {}", program.display()),
            None => self.remedy.clone(),
        }
    }

    /// What keeps ribbon cameras from being seen. Where the program is installed and the kernel shows nothing of a ribbon
    /// camera, that is one thing more: without an overlay for the camera there is no receiver.
    fn troubles(&self) -> impl Iterator<Item = String> {
        let Ribbons { cameras, without_sensor, closed } = &self.ribbons;
        let is_nothing = cameras.is_empty() && without_sensor.is_empty() && closed.is_empty();
        let nothing = (is_nothing && self.program.is_some()).then(|| not_detected(""));
        let without = without_sensor
            .iter()
            .map(|Receiver { driver, bus, .. }| not_detected(&format!(" at {bus} ({driver})")));
        let closed = closed.iter().map(|media| {
            format!(
                "this user may not open {}, which may describe a ribbon camera. Type: \
                 sudo usermod -aG video $USER, then log in again",
                media.display()
            )
        });
        nothing.into_iter().chain(without).chain(closed)
    }
}

/// Lines for people, each with its end.
impl fmt::Display for RibbonList {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, camera) in self.ribbons.cameras.iter().enumerate() {
            let RibbonCamera { sensor, lens, id, driver, bus, media, .. } = camera;
            let mut text = format!("{}\n  ribbon camera {sensor}", source(number));
            if let Some(lens) = lens {
                write!(text, ", focused by {lens}")?;
            }
            write!(text, " ({}, {driver}, {bus})", media.display())?;
            if let Some(id) = id {
                write!(text, "\n  {id}")?;
            }
            writeln!(out, "{text}\n  {}", self.driven())?;
            write!(out, "{}", modes::shown(self.modes(number, camera)))?;
        }
        self.troubles().try_for_each(|trouble| writeln!(out, "{trouble}"))
    }
}

/// How a camera is named for `--source`.
fn source(number: usize) -> String {
    if number == 0 { "csi".into() } else { format!("csi:{number}") }
}

fn in_words(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn camera(sensor: &str, node: &str) -> RibbonCamera {
        RibbonCamera {
            sensor: sensor.into(),
            id: Some(format!("/base/soc/i2c0mux/i2c@1/{sensor}@1a")),
            driver: "unicam".into(),
            bus: "platform:fe801000.csi".into(),
            media: "/dev/media0".into(),
            picture_node: Some(node.into()),
            sensor_node: Some("/dev/v4l-subdev0".into()),
            lens: (sensor == "imx708").then(|| "dw9807".into()),
        }
    }

    fn list(program: Result<PathBuf, String>) -> RibbonList {
        let ribbons = Ribbons {
            cameras: vec![camera("imx708", "/dev/video0"), camera("imx219", "/dev/video4")],
            without_sensor: Vec::new(),
            closed: Vec::new(),
        };
        RibbonList::new(ribbons, program)
    }

    #[test]
    fn people_read_how_each_camera_is_named_and_driven() {
        assert_eq!(
            list(Ok("/usr/bin/rpicam-vid".into())).to_string(),
            "csi\n\
             \x20 ribbon camera imx708, focused by dw9807 (/dev/media0, unicam, platform:fe801000.csi)\n\
             \x20 /base/soc/i2c0mux/i2c@1/imx708@1a\n\
             \x20 driven by /usr/bin/rpicam-vid\n\
             csi:1\n\
             \x20 ribbon camera imx219 (/dev/media0, unicam, platform:fe801000.csi)\n\
             \x20 /base/soc/i2c0mux/i2c@1/imx219@1a\n\
             \x20 driven by /usr/bin/rpicam-vid\n"
        );
        let brief = list(Err("install rpicam-apps-lite".into())).brief();
        assert_eq!(brief[1], "csi:1 (ribbon camera imx219, unicam): install rpicam-apps-lite");
    }

    #[test]
    fn a_cameras_modes_stand_below_it_whichever_number_the_program_gives_it() {
        let listed = "0 : imx219 [3280x2464] (/base/soc/i2c0mux/i2c@1/imx219@1a)\n\
                      Modes: 'SRGGB10_CSI2P' : 640x480 [206.65 fps - (1000, 752)/1280x960 crop]\n";
        let list = list(Ok("/usr/bin/rpicam-vid".into())).with_modes(CameraModes::parse(listed));
        let text = list.to_string();
        let (first, second) = text.split_once("csi:1\n").expect("two cameras");
        assert!(!first.contains("640x480"), "{text}");
        let modes =
            "  driven by /usr/bin/rpicam-vid\n  SRGGB10_CSI2P\n    640x480  up to 206.65 fps\n";
        assert!(second.ends_with(modes), "{text}");
        let brief = list.brief();
        assert_eq!(brief.len(), 3, "{brief:?}");
        assert_eq!(brief[2], "  SRGGB10_CSI2P 640x480");
        let modes =
            r#""modes":[{"format":"SRGGB10_CSI2P","width":640,"height":480,"fps":206.65}]}]"#;
        assert!(list.json().ends_with(modes), "{}", list.json());
    }

    #[test]
    fn what_keeps_a_camera_from_being_seen_is_said() {
        let receiver = Receiver {
            driver: "rp1-cfe".into(),
            bus: "platform:1f00110000.csi".into(),
            media: "/dev/media2".into(),
        };
        let ribbons = Ribbons {
            cameras: Vec::new(),
            without_sensor: vec![receiver],
            closed: vec!["/dev/media3".into()],
        };
        let list = RibbonList::new(ribbons, Err(String::new()));
        let [nothing, closed] = &list.brief()[..] else { panic!("{:?}", list.brief()) };
        assert!(nothing.contains("at platform:1f00110000.csi") && nothing.contains("cable"));
        assert!(closed.contains("open /dev/media3,") && closed.contains("usermod"), "{closed}");
        assert_eq!(list.to_string(), format!("{nothing}\n{closed}\n"));
    }

    #[test]
    fn that_there_is_nothing_of_a_ribbon_camera_is_said_where_its_program_is() {
        let list = |program| RibbonList::new(Ribbons::default(), program);
        let installed = list(Ok("/usr/bin/rpicam-vid".into()));
        let [nothing] = &installed.brief()[..] else { panic!("{:?}", installed.brief()) };
        assert!(nothing.starts_with("no ribbon camera was detected. Check"), "{nothing}");
        assert_eq!(installed.to_string(), format!("{nothing}\n"));
        assert_eq!(list(Err("install it".into())).to_string(), "");
    }

    #[test]
    fn a_node_of_a_receiver_is_told_whose_it_is() {
        let list = list(Err(String::new()));
        let why = |node: &str, driver: &str| list.why_no_camera(Path::new(node), driver);
        assert!(why("/dev/video4", "unicam").is_some_and(|why| why.contains("--source csi:1")));
        let part = why("/dev/video5", "unicam");
        assert_eq!(part.as_deref(), Some("a part of a ribbon camera's receiver"));
        assert_eq!(why("/dev/video9", "uvcvideo"), None);
        let none = RibbonList::default().why_no_camera(Path::new("/dev/video0"), "rp1-cfe");
        assert!(none.is_some_and(|why| why.contains("none was detected")));
    }

    #[test]
    fn programs_read_the_same() {
        let json = list(Ok("/usr/bin/rpicam-vid".into())).json();
        let first = concat!(
            r#"[{"source":"csi","sensor":"imx708","lens":"dw9807","#,
            r#""id":"/base/soc/i2c0mux/i2c@1/imx708@1a","driver":"unicam","#,
            r#""bus":"platform:fe801000.csi","media":"/dev/media0","node":"/dev/video0","#,
            r#""sensor_node":"/dev/v4l-subdev0","program":"/usr/bin/rpicam-vid","why_not":"","modes":[]},"#
        );
        assert!(json.starts_with(first), "{json}");
    }
}
