//! Why what a camera sent is no picture.

use std::fmt;

/// Why bytes are no picture that could be repaired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Damage {
    /// It does not begin with a start marker and another marker.
    NoStart,
    /// It is over before its first scan.
    NoScan,
    /// A segment of the head contradicts itself or another.
    Head,
    /// Coded in a way that viewers do not decode: lossless, hierarchical, arithmetic, of 12 bits, CMYK.
    Coding,
    /// A table is missing that nobody else knows.
    NoTables,
    /// There is less data than the emptiest picture of this size would have.
    Short,
    /// The data has markers in it that it cannot have.
    Data,
    /// It is longer than the wire carries.
    TooLong,
    /// It is over before its last restart interval, or before its end where this camera's pictures have one.
    Cut,
}

/// To follow "a frame ".
impl fmt::Display for Damage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::NoStart => "did not begin like a JPEG",
            Self::NoScan => "was over before its picture began",
            Self::Head => "had a JPEG header that contradicts itself",
            Self::Coding => {
                "was a kind of JPEG that viewers cannot decode (CMYK, 12 bits, arithmetic or lossless)"
            }
            Self::NoTables => "lacked tables that its JPEG is decoded with",
            Self::Short => "had too little data for its size",
            Self::Data => "had JPEG data with impossible markers in it",
            Self::TooLong => "was longer than 16 MiB",
            Self::Cut => "was cut before its end",
        })
    }
}
