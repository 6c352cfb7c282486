//! Divides the restart intervals of a JPEG among strips, so that each takes about as long.

use std::ops::Range;

/// The most strips of a picture.
pub const MOST_STRIPS: usize = 16;

/// The intervals of each of `strips` strips, each at least one. `intervals` must be as many as
/// `strips` or more. Each strip but the first decodes `seam` more intervals than its own.
pub(super) fn shares(
    intervals: usize,
    seam: usize,
    strips: usize,
) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    (1..=strips).map(move |strip| {
        // What all strips up to this one should decode, without their seams.
        let decoded = strip * (intervals + seam * (strips - 1)) / strips;
        let end = decoded.saturating_sub(seam * (strip - 1));
        // One for this strip, and one left for each of those after it.
        let end = end.clamp(start + 1, intervals - (strips - strip));
        std::mem::replace(&mut start, end)..end
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_interval_belongs_to_one_strip_and_no_strip_is_empty() {
        for intervals in 2..80 {
            for strips in 1..=intervals.min(MOST_STRIPS) {
                for seam in [0, 2] {
                    let shares: Vec<_> = shares(intervals, seam, strips).collect();
                    assert_eq!(shares.len(), strips);
                    assert!(shares.iter().all(|share| !share.is_empty()), "{shares:?}");
                    let mut next = 0;
                    for share in &shares {
                        assert_eq!(share.start, next, "{shares:?}");
                        next = share.end;
                    }
                    assert_eq!(next, intervals, "{shares:?}");
                }
            }
        }
    }

    #[test]
    fn the_longest_strip_is_no_longer_than_it_must_be_seams_included() {
        // 1080p in 4:2:0 has 68 rows of MCUs.
        for (strips, seam, most) in [(2, 2, 35), (4, 2, 19), (8, 2, 11), (4, 0, 17), (16, 0, 5)] {
            let work = |(strip, share): (usize, Range<usize>)| {
                share.len() + if strip == 0 { 0 } else { seam }
            };
            let longest = shares(68, seam, strips).enumerate().map(work).max();
            assert_eq!(longest, Some(most), "{strips} strips");
        }
    }
}
