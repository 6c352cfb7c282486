//! Reads what the kernel says of a media device: its parts and their links. Bytes in, facts out.

use crate::plain::fixed_text;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The driver and the place of a media device.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Info {
    /// `unicam`
    pub(super) driver: String,
    /// `platform:fe801000.csi`
    pub(super) bus: String,
}

impl Info {
    /// Reads a `struct media_device_info`, which has driver, model, serial number and bus.
    pub(super) fn parse(raw: &[u8; 256]) -> Self {
        Self { driver: fixed_text(&raw[..16]), bus: fixed_text(&raw[88..120]) }
    }
}

/// The records of all parts as the kernel wrote them, in the machine's byte order (linux/media.h, `struct media_v2_…`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct RawTopology {
    pub(super) entities: Vec<[u8; 96]>,
    pub(super) interfaces: Vec<[u8; 112]>,
    pub(super) pads: Vec<[u8; 32]>,
    pub(super) links: Vec<[u8; 40]>,
}

/// The parts of a media device.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Topology {
    entities: Vec<Entity>,
    /// The node of each entity.
    nodes: BTreeMap<EntityId, DeviceNumber>,
    /// The entities to which an entity's pictures may go, in the order of its pads.
    next: BTreeMap<EntityId, Vec<EntityId>>,
    /// Pairs of an entity and another that belongs to it and carries no pictures: a sensor and its lens.
    ancillaries: Vec<(EntityId, EntityId)>,
}

type EntityId = u32;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entity {
    id: EntityId,
    name: String,
    function: u32,
}

/// Major and minor number of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DeviceNumber {
    pub(super) major: u32,
    pub(super) minor: u32,
}

/// As sysfs calls it.
impl fmt::Display for DeviceNumber {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.major, self.minor)
    }
}

/// A sensor, its nodes and its lens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sensor {
    /// `imx219`
    pub(super) model: String,
    pub(super) node: Option<DeviceNumber>,
    /// The node that gives its pictures.
    pub(super) picture: Option<DeviceNumber>,
    /// `dw9807`
    pub(super) lens: Option<String>,
}

// Kinds of entities, interfaces and links (linux/media.h).
const MEDIA_ENT_F_IO_V4L: u32 = 0x10001;
const MEDIA_ENT_F_CAM_SENSOR: u32 = 0x20001;
const MEDIA_ENT_F_LENS: u32 = 0x20003;
const MEDIA_INTF_T_V4L_VIDEO: u32 = 0x200;
const MEDIA_INTF_T_V4L_SUBDEV: u32 = 0x203;
const MEDIA_LNK_FL_LINK_TYPE: u32 = 0xF << 28;
const MEDIA_LNK_FL_DATA_LINK: u32 = 0;
const MEDIA_LNK_FL_INTERFACE_LINK: u32 = 1 << 28;
const MEDIA_LNK_FL_ANCILLARY_LINK: u32 = 2 << 28;

/// A board has two connectors. A multiplexer has four sensors at each.
const MOST_SENSORS: usize = 8;

/// `6 parts, of which 4 have nodes and 0 are sensors`
impl fmt::Display for Topology {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (parts, nodes) = (self.entities.len(), self.nodes.len());
        let sensors = self.sensors().len();
        write!(out, "{parts} parts, of which {nodes} have nodes and {sensors} are sensors")
    }
}

impl Topology {
    /// Takes the records apart. A link to a part that is not there is left out.
    pub(super) fn parse(raw: &RawTopology) -> Self {
        let entities = raw.entities.iter().map(Entity::parse).collect();
        let interfaces: BTreeMap<u32, DeviceNumber> =
            raw.interfaces.iter().filter_map(interface).collect();
        let pads: BTreeMap<u32, Pad> = raw.pads.iter().map(Pad::parse).collect();
        let links: Vec<Link> = raw.links.iter().map(Link::parse).collect();
        let of_kind = |kind: u32| links.iter().filter(move |link| link.kind == kind);

        let node = |link: &Link| Some((link.sink, *interfaces.get(&link.source)?));
        let nodes = of_kind(MEDIA_LNK_FL_INTERFACE_LINK).filter_map(node).collect();
        let ancillaries = of_kind(MEDIA_LNK_FL_ANCILLARY_LINK);
        let ancillaries = ancillaries.map(|link| (link.source, link.sink)).collect();
        let data = |link: &Link| Some((pads.get(&link.source)?, pads.get(&link.sink)?));
        let mut data: Vec<_> = of_kind(MEDIA_LNK_FL_DATA_LINK).filter_map(data).collect();
        data.sort_by_key(|(source, _)| (source.entity, source.index));
        let mut next: BTreeMap<EntityId, Vec<EntityId>> = BTreeMap::new();
        for (source, sink) in data {
            next.entry(source.entity).or_default().push(sink.entity);
        }
        Self { entities, nodes, next, ancillaries }
    }

    /// All sensors.
    pub(super) fn sensors(&self) -> Vec<Sensor> {
        let sensors = self.entities.iter().filter(|it| it.function == MEDIA_ENT_F_CAM_SENSOR);
        let sensors: Vec<&Entity> = sensors.take(MOST_SENSORS).collect();
        let sensor = |entity: &&Entity| Sensor {
            model: entity.model(),
            node: self.nodes.get(&entity.id).copied(),
            picture: self.picture_node(entity.id),
            lens: self.lens(entity.id, sensors.len()),
        };
        sensors.iter().map(sensor).collect()
    }

    /// The node that gives a sensor's pictures: the nearest one to which they go.
    fn picture_node(&self, sensor: EntityId) -> Option<DeviceNumber> {
        let by_id: BTreeMap<EntityId, &Entity> =
            self.entities.iter().map(|entity| (entity.id, entity)).collect();
        let (mut reached, mut front) = (BTreeSet::from([sensor]), vec![sensor]);
        while !front.is_empty() {
            let mut beyond = Vec::new();
            for id in front.iter().flat_map(|id| self.next.get(id)).flatten() {
                if reached.insert(*id) {
                    beyond.push(*id);
                }
            }
            let gives_pictures = |id: &&EntityId| by_id.get(id).is_some_and(|it| it.is_picture());
            let node = |id: &EntityId| self.nodes.get(id).copied();
            if let Some(node) = beyond.iter().filter(gives_pictures).find_map(node) {
                return Some(node);
            }
            front = beyond;
        }
        None
    }

    /// The lens of a sensor. Kernels before 5.19 do not link the two. There the only lens belongs to the only sensor.
    fn lens(&self, sensor: EntityId, sensors: usize) -> Option<String> {
        let mut lenses = self.entities.iter().filter(|it| it.function == MEDIA_ENT_F_LENS);
        if self.ancillaries.is_empty() && sensors == 1 {
            return lenses.next().map(Entity::model);
        }
        lenses.find(|lens| self.ancillaries.contains(&(sensor, lens.id))).map(Entity::model)
    }
}

impl Entity {
    fn parse(raw: &[u8; 96]) -> Self {
        Self { id: number(raw, 0), name: fixed_text(&raw[4..68]), function: number(raw, 68) }
    }

    /// The name of an I2C device is its driver's and its place on the bus: `imx219 10-0010`.
    fn model(&self) -> String {
        self.name.split(' ').next().unwrap_or_default().to_owned()
    }

    /// Whether pictures end here. Other nodes get a sensor's data about its pictures, or the statistics of an image processor.
    fn is_picture(&self) -> bool {
        let is_other = ["embedded", "stats", "config"].iter().any(|word| self.name.contains(word));
        self.function == MEDIA_ENT_F_IO_V4L && !is_other
    }
}

/// The id and the node of an interface.
fn interface(raw: &[u8; 112]) -> Option<(u32, DeviceNumber)> {
    let is_node = [MEDIA_INTF_T_V4L_VIDEO, MEDIA_INTF_T_V4L_SUBDEV].contains(&number(raw, 4));
    let node = DeviceNumber { major: number(raw, 48), minor: number(raw, 52) };
    is_node.then_some((number(raw, 0), node))
}

/// An end of a link at an entity.
#[derive(Debug, Clone, Copy)]
struct Pad {
    entity: EntityId,
    index: u32,
}

impl Pad {
    /// Its id, and the pad.
    fn parse(raw: &[u8; 32]) -> (u32, Self) {
        (number(raw, 0), Self { entity: number(raw, 4), index: number(raw, 12) })
    }
}

/// Links two pads, an interface and an entity, or two entities. Its kind says which.
#[derive(Debug, Clone, Copy)]
struct Link {
    source: u32,
    sink: u32,
    kind: u32,
}

impl Link {
    fn parse(raw: &[u8; 40]) -> Self {
        let kind = number(raw, 12) & MEDIA_LNK_FL_LINK_TYPE;
        Self { source: number(raw, 4), sink: number(raw, 8), kind }
    }
}

/// The number at this byte of the record, which is long enough.
fn number<const LEN: usize>(record: &[u8; LEN], at: usize) -> u32 {
    let mut bytes = [0; 4];
    bytes.copy_from_slice(&record[at..at + 4]);
    u32::from_ne_bytes(bytes)
}
