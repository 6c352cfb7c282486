//! Decides whether bytes of a JPEG that belong to no block are damage, from what its camera usually sends.

/// Whether each of the last 32 pictures had such bytes, the newest in the lowest bit. Cheap cameras send some in every picture. In
/// those of other cameras, a broken bit has made fewer blocks of the data.
#[derive(Debug)]
pub(super) struct Surplus(u32);

/// A quarter of the last 32.
const OFTEN: u32 = 8;

impl Default for Surplus {
    /// What the pictures are usually like is unknown at first, so the first 25 are never called damaged.
    fn default() -> Self {
        Self(u32::MAX)
    }
}

impl Surplus {
    /// Notes whether the next picture has such bytes. Returns whether it is damaged.
    pub(super) fn is_damage(&mut self, has_some: bool) -> bool {
        let is_usual = self.0.count_ones() >= OFTEN;
        self.0 = self.0 << 1 | u32::from(has_some);
        has_some && !is_usual
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_25_pictures_are_never_called_damaged() {
        for (tidy, expected) in [(0, false), (24, false), (25, true), (100, true)] {
            let mut surplus = Surplus::default();
            for _ in 0..tidy {
                assert!(!surplus.is_damage(false));
            }
            assert_eq!(surplus.is_damage(true), expected, "after {tidy}");
        }
    }
}
