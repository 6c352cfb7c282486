//! Where rows are cut into parts for several threads: parts as even as possible, so that none of the threads has more to
//! do than the others.

use std::ops::Range;

/// The rows of each part of a picture of `height` rows, from top to bottom. There are `most` parts, or as many as there
/// are units. No cut lies inside a unit of `unit` rows, and no part has more than one unit more than another.
pub fn cuts(
    height: usize,
    unit: usize,
    most: usize,
) -> impl ExactSizeIterator<Item = Range<usize>> {
    let units = height.div_ceil(unit).max(1);
    let parts = most.clamp(1, units);
    let top = move |part: usize| (units * part / parts * unit).min(height);
    (0..parts).map(move |part| top(part)..top(part + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_follow_each_other_and_are_as_even_as_whole_units_allow() {
        for height in 1..200 {
            for (unit, most) in [(1, 3), (2, 8), (8, 7), (16, 4), (16, 1), (4, usize::MAX)] {
                let parts: Vec<_> = cuts(height, unit, most).collect();
                let units = height.div_ceil(unit);
                assert_eq!(parts.len(), most.min(units), "{height} rows, {most} of {unit}");
                assert!(parts.windows(2).all(|pair| pair[0].end == pair[1].start), "{parts:?}");
                assert!(parts.iter().all(|part| part.start % unit == 0), "{parts:?}");
                let ends = (parts[0].start, parts[parts.len() - 1].end);
                assert_eq!(ends, (0, height), "{parts:?}");
                let in_units = parts.iter().map(|part| part.len().div_ceil(unit));
                let (least, most) = (in_units.clone().min(), in_units.max());
                assert!(most <= least.map(|least| least + 1), "{parts:?}");
            }
        }
    }

    #[test]
    fn nothing_to_cut_is_one_part() {
        assert!(cuts(0, 2, 5).eq(std::iter::once(0..0)));
        assert!(cuts(7, 2, 0).eq(std::iter::once(0..7)));
    }
}
