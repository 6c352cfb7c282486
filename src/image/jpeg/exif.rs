//! Reads from an EXIF segment how its picture has to be turned to be upright (CIPA DC-008, 4.6.4).

use crate::image::orientation::{Mirror, Orientation, Rotation};

/// The first bytes of an APP1 segment with EXIF.
const SIGNATURE: &[u8] = b"Exif\0\0";

/// The number of the tag.
const ORIENTATION: u16 = 0x0112;

/// The length of a directory entry: tag, type, count, value.
const ENTRY: usize = 12;

/// The turn that makes the picture upright. `None` if the segment does not say.
///
/// An invalid value counts as none, as in browsers. All lengths in the segment are checked.
pub(super) fn orientation(segment: &[u8]) -> Option<Orientation> {
    let tiff = segment.strip_prefix(SIGNATURE)?;
    let order = match tiff.get(..4)? {
        b"II*\0" => Order::Little,
        b"MM\0*" => Order::Big,
        _ => return None,
    };
    let directory = usize::try_from(order.u32(tiff, 4)?).ok()?;
    let count = usize::from(order.u16(tiff, directory)?);
    let entries = tiff.get(directory.checked_add(2)?..)?.chunks_exact(ENTRY).take(count);
    let entry = entries.into_iter().find(|entry| order.u16(entry, 0) == Some(ORIENTATION))?;
    if order.u32(entry, 4)? != 1 {
        return None;
    }
    let value = match order.u16(entry, 2)? {
        SHORT => u32::from(order.u16(entry, 8)?),
        LONG => order.u32(entry, 8)?,
        _ => return None,
    };
    of_value(value)
}

/// Types of values.
const SHORT: u16 = 3;
const LONG: u16 = 4;

/// The turn that undoes each of the eight ways in which a picture can be stored.
fn of_value(value: u32) -> Option<Orientation> {
    let (mirror, rotation) = match value {
        1 => (Mirror::None, Rotation::None),
        2 => (Mirror::LeftRight, Rotation::None),
        3 => (Mirror::None, Rotation::Half),
        4 => (Mirror::LeftRight, Rotation::Half),
        5 => (Mirror::LeftRight, Rotation::ThreeQuarters),
        6 => (Mirror::None, Rotation::Quarter),
        7 => (Mirror::LeftRight, Rotation::Quarter),
        8 => (Mirror::None, Rotation::ThreeQuarters),
        _ => return None,
    };
    Some(Orientation { mirror, rotation })
}

/// The byte order of numbers.
#[derive(Debug, Clone, Copy)]
enum Order {
    Little,
    Big,
}

impl Order {
    fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let bytes = *bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Self::Little => u16::from_le_bytes(bytes),
            Self::Big => u16::from_be_bytes(bytes),
        })
    }

    fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let bytes = *bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A segment whose first directory has two entries; the second is the orientation.
    fn segment(order: Order, kind: u16, count: u32, value: u32) -> Vec<u8> {
        let two = |value: u16| match order {
            Order::Little => value.to_le_bytes(),
            Order::Big => value.to_be_bytes(),
        };
        let four = |value: u32| match order {
            Order::Little => value.to_le_bytes(),
            Order::Big => value.to_be_bytes(),
        };
        let start: &[u8] = if matches!(order, Order::Little) { b"II*\0" } else { b"MM\0*" };
        let short = u16::try_from(value & 0xFFFF).expect("masked");
        let value = if kind == SHORT { [two(short), [0, 0]].concat() } else { four(value).into() };
        [
            SIGNATURE,
            start,
            &four(8),
            &two(2),
            &[&two(0x010F)[..], &two(2), &four(4), b"Cam\0"].concat(),
            &[&two(ORIENTATION)[..], &two(kind), &four(count), &value].concat(),
            &four(0),
        ]
        .concat()
    }

    #[test]
    fn all_eight_values_are_read_in_both_byte_orders() {
        for order in [Order::Little, Order::Big] {
            for kind in [SHORT, LONG] {
                for value in 1..=8 {
                    let found = orientation(&segment(order, kind, 1, value));
                    assert_eq!(found, of_value(value), "{order:?} {kind} {value}");
                    assert!(found.is_some());
                }
            }
        }
        assert_eq!(of_value(6), Some(Orientation::turned(Rotation::Quarter)));
        assert_eq!(of_value(4), Some(Orientation::FLIPPED_TOP_BOTTOM));
    }

    #[test]
    fn what_means_nothing_says_nothing() {
        for (kind, count, value) in [(SHORT, 1, 0), (SHORT, 1, 9), (SHORT, 2, 6), (7, 1, 6)] {
            let found = orientation(&segment(Order::Little, kind, count, value));
            assert_eq!(found, None, "{kind} {count} {value}");
        }
        assert_eq!(orientation(b"http://ns.adobe.com/xap/1.0/\0"), None);
    }

    #[test]
    fn a_segment_that_lies_about_its_lengths_or_is_cut_anywhere_is_read_within_its_bounds() {
        let whole = segment(Order::Big, SHORT, 1, 6);
        for end in 0..whole.len() {
            let _ = orientation(&whole[..end]);
        }
        for at in 6..whole.len() {
            let mut lying = whole.clone();
            lying[at] = 0xFF;
            let _ = orientation(&lying);
        }
        let mut far = whole;
        far[10..14].fill(0xFF);
        assert_eq!(orientation(&far), None, "a directory behind the end");
    }
}
