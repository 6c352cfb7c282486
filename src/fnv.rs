//! The 64-bit FNV-1a hash, which is the same on every machine and with every compiler. It is not
//! collision-resistant: anybody can make other bytes with the same hash.

/// The hash of the bytes that were added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fnv(pub u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xCBF2_9CE4_8422_2325)
    }
}

impl Fnv {
    /// Adds bytes.
    #[must_use]
    pub fn with(self, bytes: &[u8]) -> Self {
        let add = |hash: u64, &byte: &u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
        Self(bytes.iter().fold(self.0, add))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_specification() {
        assert_eq!(Fnv::default().with(b"a"), Fnv(0xAF63_DC4C_8601_EC8C));
        assert_eq!(Fnv::default().with(b"foobar"), Fnv(0x8594_4171_F739_67E8));
        assert_eq!(Fnv::default().with(b"foo").with(b"bar"), Fnv::default().with(b"foobar"));
    }
}
