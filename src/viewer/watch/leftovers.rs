//! Decides whether bytes of a JPEG that belong to no block are damage, from what its camera usually sends.

/// Whether each of the last 32 pictures had such bytes, the newest in the lowest bit. Cheap cameras send some in every picture. In
/// those of other cameras, a broken bit has made fewer blocks of the data.
#[derive(Debug)]
pub(super) struct Leftovers(u32);

/// A quarter of the last 32.
const OFTEN: u32 = 8;

impl Default for Leftovers {
    /// What the pictures are usually like is unknown at first, so the first ones are never called damaged.
    fn default() -> Self {
        Self(u32::MAX)
    }
}

impl Leftovers {
    /// Notes whether the next picture has such bytes. Returns whether it is damaged.
    pub(super) fn are_damage(&mut self, has_some: bool) -> bool {
        let are_usual = self.0.count_ones() >= OFTEN;
        self.0 = self.0 << 1 | u32::from(has_some);
        has_some && !are_usual
    }
}
