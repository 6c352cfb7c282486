//! Media devices of every layout that Pis have, as they are and as none should be.

use super::topology::{Info, RawTopology, Sensor, Topology};
use super::*;
use proptest::prelude::*;
use std::os::unix::fs::symlink;

/// The four layouts: two families of boards, each with the drivers of Raspberry Pi OS and of Debian.
const LAYOUTS: [(&str, &str); 4] = [
    ("debian-pi4-imx219", include_str!("../../../tests/data/media/debian-pi4-imx219.txt")),
    ("rpios-pi4-imx708", include_str!("../../../tests/data/media/rpios-pi4-imx708.txt")),
    ("rpios-pi5-imx708", include_str!("../../../tests/data/media/rpios-pi5-imx708.txt")),
    ("debian-pi5-imx219", include_str!("../../../tests/data/media/debian-pi5-imx219.txt")),
];

/// A recorded media device, as the kernel would write it.
#[derive(Default)]
struct Recorded {
    info: Vec<u8>,
    raw: RawTopology,
    /// The last line: sensor, its node, the picture's node, lens.
    expected: String,
}

fn device(number: &str) -> DeviceNumber {
    let (major, minor) = number.split_once(':').expect("major:minor");
    let part = |part: &str| part.parse().expect("a number");
    DeviceNumber { major: part(major), minor: part(minor) }
}

/// A record of `LEN` bytes with numbers at their places.
fn record<const LEN: usize>(numbers: &[(usize, u32)]) -> [u8; LEN] {
    let mut record = [0; LEN];
    for (at, number) in numbers {
        record[*at..at + 4].copy_from_slice(&number.to_ne_bytes());
    }
    record
}

fn recorded(text: &str) -> Recorded {
    let mut found = Recorded::default();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split(' ').collect();
        let number = |at: usize| words[at].parse::<u32>().expect("a number");
        let raw = &mut found.raw;
        match words[0] {
            "device" => {
                found.info = vec![0; 256];
                found.info[..words[1].len()].copy_from_slice(words[1].as_bytes());
                found.info[88..88 + words[2].len()].copy_from_slice(words[2].as_bytes());
            }
            "entity" => {
                let functions =
                    [("subdev", 0x5002), ("sensor", 0x20001), ("lens", 0x20003), ("io", 0x10001)];
                let function = functions.iter().find(|(word, _)| *word == words[2]);
                let mut entity: [u8; 96] =
                    record(&[(0, number(1)), (68, function.expect("a function").1)]);
                let name = words[3..].join(" ");
                entity[4..4 + name.len()].copy_from_slice(name.as_bytes());
                raw.entities.push(entity);
            }
            "pad" => raw.pads.push(record(&[(0, number(1)), (4, number(2)), (12, number(3))])),
            "video" | "subdev" => {
                let kind = if words[0] == "video" { 0x200 } else { 0x203 };
                let DeviceNumber { major, minor } = device(words[2]);
                let numbers = [(0, number(1)), (4, kind), (48, major), (52, minor)];
                raw.interfaces.push(record(&numbers));
            }
            "data" | "node" | "ancillary" => {
                let kinds = [("data", 0), ("node", 1 << 28), ("ancillary", 2 << 28)];
                let kind = kinds.iter().find(|(word, _)| *word == words[0]).expect("a kind").1;
                let id = u32::try_from(1000 + raw.links.len()).expect("few");
                // Enabled, which says nothing here.
                let numbers = [(0, id), (4, number(1)), (8, number(2)), (12, kind | 1)];
                raw.links.push(record(&numbers));
            }
            "expect" => found.expected = words[1..].join(" "),
            word => panic!("{word}?"),
        }
    }
    found
}

/// As a layout's last line says it.
fn told(sensors: &[Sensor]) -> String {
    let node = |node: Option<DeviceNumber>| node.map_or("-".into(), |node| node.to_string());
    let each = sensors.iter().map(|Sensor { model, node: own, picture, lens }| {
        let lens = lens.as_deref().unwrap_or("-");
        format!("{model} {} {} {lens}", node(*own), node(*picture))
    });
    each.collect::<Vec<_>>().join(", ")
}

#[test]
fn each_layout_has_its_sensor_its_nodes_and_its_lens() {
    for (name, text) in LAYOUTS {
        let Recorded { raw, expected, .. } = recorded(text);
        assert_eq!(told(&Topology::parse(&raw).sensors()), expected, "{name}");
    }
}

#[test]
fn a_receiver_without_a_sensor_is_told_apart_from_no_receiver() {
    for (name, text) in LAYOUTS {
        let Recorded { info, mut raw, .. } = recorded(text);
        let info = Info::parse(info.as_slice().try_into().expect("256 bytes"));
        let look = |info: &Info, raw: &RawTopology| {
            let mut found = Ribbons::default();
            let topology = Topology::parse(raw);
            found.add(Path::new("/dev/media3"), info, &topology, Path::new("/nowhere"));
            (found.cameras.len(), found.without_sensor.len())
        };
        assert_eq!(look(&info, &raw), (1, 0), "{name}");
        raw.entities.retain(|entity| entity[68..72] != 0x20001_u32.to_ne_bytes());
        assert_eq!(look(&info, &raw), (0, 1), "{name}");
        let other = Info { driver: "bcm2835-isp".into(), ..info };
        assert_eq!(look(&other, &raw), (0, 0), "{name}: no camera's receiver");
    }
}

/// The bytes of a recorded topology, its first `whole` left as they are and the rest zero.
fn cut(raw: &RawTopology, whole: usize) -> RawTopology {
    let mut left = whole;
    let mut keep = |bytes: &mut [u8]| {
        let kept = left.min(bytes.len());
        bytes[kept..].fill(0);
        left -= kept;
    };
    let mut raw = raw.clone();
    raw.entities.iter_mut().for_each(|record| keep(record));
    raw.interfaces.iter_mut().for_each(|record| keep(record));
    raw.pads.iter_mut().for_each(|record| keep(record));
    raw.links.iter_mut().for_each(|record| keep(record));
    raw
}

#[test]
fn a_topology_cut_at_any_byte_gives_no_sensor_that_is_not_there() {
    for (name, text) in LAYOUTS {
        let Recorded { raw, expected, .. } = recorded(text);
        let len = 96 * raw.entities.len()
            + 112 * raw.interfaces.len()
            + 32 * raw.pads.len()
            + 40 * raw.links.len();
        let model = expected.split(' ').next().expect("a sensor");
        for whole in 0..=len {
            let sensors = Topology::parse(&cut(&raw, whole)).sensors();
            assert!(sensors.len() <= 1, "{name} cut at {whole}");
            let is_known = |sensor: &Sensor| sensor.model == model;
            assert!(sensors.iter().all(is_known), "{name} cut at {whole}: {sensors:?}");
        }
        assert_eq!(told(&Topology::parse(&cut(&raw, len)).sensors()), expected, "{name}");
    }
}

/// Numbers that meet each other often, so that random records are joined.
fn small(bytes: &mut [u8]) {
    for number in bytes.chunks_exact_mut(4) {
        let few = u32::from(number[0]) % 24;
        number.copy_from_slice(&few.to_ne_bytes());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn random_bytes_are_taken_apart_in_bounded_time(
        bytes in proptest::collection::vec(any::<u8>(), 0..6000), joined: bool
    ) {
        let mut bytes = bytes;
        if joined {
            small(&mut bytes);
        }
        let quarter = bytes.len() / 4;
        let mut raw = RawTopology {
            entities: bytes[..quarter].as_chunks().0.to_vec(),
            interfaces: bytes[quarter..2 * quarter].as_chunks().0.to_vec(),
            pads: bytes[2 * quarter..3 * quarter].as_chunks().0.to_vec(),
            links: bytes[3 * quarter..].as_chunks().0.to_vec(),
        };
        for entity in raw.entities.iter_mut().filter(|_| joined) {
            // Each second one a sensor, the others ends of ways.
            let function: u32 = if entity[0] % 2 == 0 { 0x20001 } else { 0x10001 };
            entity[68..72].copy_from_slice(&function.to_ne_bytes());
        }
        prop_assert!(Topology::parse(&raw).sensors().len() <= 8);
    }
}

/// Every part joined to every other: the largest that the ioctls take.
#[test]
fn the_largest_topology_is_searched_in_a_moment() {
    let ids = 0..2048_u32;
    let raw = RawTopology {
        entities: ids.clone().map(|id| record(&[(0, id), (68, 0x20001)])).collect(),
        interfaces: Vec::new(),
        pads: ids.clone().map(|id| record(&[(0, id), (4, id)])).collect(),
        links: ids.map(|id| record(&[(4, id), (8, (id + 1) % 2048)])).collect(),
    };
    let began = std::time::Instant::now();
    let sensors = Topology::parse(&raw).sensors();
    assert_eq!(sensors.len(), 8, "no board has more");
    assert!(began.elapsed() < std::time::Duration::from_secs(5), "{:?}", began.elapsed());
}

/// A sysfs with the subdevice 81:2 and the node 81:0.
fn sysfs() -> tempfile::TempDir {
    let sysfs = tempfile::tempdir().expect("a folder");
    let at = |path: &str| sysfs.path().join(path);
    let sensor = at("firmware/devicetree/base/soc/i2c0mux/i2c@1/imx708@1a");
    fs::create_dir_all(&sensor).expect("a folder");
    fs::create_dir_all(at("devices/video4linux/video0")).expect("a folder");
    fs::create_dir_all(at("devices/i2c/10-001a/video4linux/v4l-subdev0")).expect("a folder");
    fs::create_dir_all(at("dev/char")).expect("a folder");
    let link = |to: &str, name: &str| symlink(at(to), at(name)).expect("a link");
    link("devices/video4linux/video0", "dev/char/81:0");
    link("devices/i2c/10-001a/video4linux/v4l-subdev0", "dev/char/81:2");
    link("devices/i2c/10-001a", "devices/i2c/10-001a/video4linux/v4l-subdev0/device");
    symlink(sensor, at("devices/i2c/10-001a/of_node")).expect("a link");
    sysfs
}

#[test]
fn a_camera_is_called_as_rpicam_vid_calls_it() {
    let (_, text) = LAYOUTS[1];
    let Recorded { info, raw, .. } = recorded(text);
    let info = Info::parse(info.as_slice().try_into().expect("256 bytes"));
    let sysfs = sysfs();
    let mut found = Ribbons::default();
    found.add(Path::new("/dev/media0"), &info, &Topology::parse(&raw), sysfs.path());
    let expected = RibbonCamera {
        sensor: "imx708".into(),
        id: Some("/base/soc/i2c0mux/i2c@1/imx708@1a".into()),
        driver: "unicam".into(),
        bus: "platform:fe801000.csi".into(),
        media: "/dev/media0".into(),
        picture_node: Some("/dev/video0".into()),
        sensor_node: Some("/dev/v4l-subdev0".into()),
        lens: Some("dw9807".into()),
    };
    assert_eq!(found.cameras, [expected]);
}

#[test]
fn cameras_are_counted_as_rpicam_vid_counts_them() {
    let camera = |id: Option<&str>| RibbonCamera {
        sensor: "imx708".into(),
        id: id.map(str::to_owned),
        driver: "rp1-cfe".into(),
        bus: String::new(),
        media: "/dev/media0".into(),
        picture_node: None,
        sensor_node: None,
        lens: None,
    };
    // A Pi 5's second connector comes first by name, and last by count.
    let (second, first) = (
        "/base/axi/pcie@120000/rp1/i2c@80000/imx708@1a",
        "/base/axi/pcie@120000/rp1/i2c@88000/imx708@1a",
    );
    let mut cameras = [camera(None), camera(Some(second)), camera(Some(first))];
    cameras.sort_by(as_rpicam_vid_counts);
    assert_eq!(cameras, [camera(Some(first)), camera(Some(second)), camera(None)]);
}

#[test]
fn only_devices_with_a_number_are_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("media0"), "no device").expect("written");
    assert_eq!(media_devices(folder.path()), Vec::<PathBuf>::new());
    assert_eq!(media_devices(Path::new("/no/such/folder")), Vec::<PathBuf>::new());
}
