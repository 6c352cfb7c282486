//! Why the bytes that a camera sent are not a usable picture.

use std::fmt;

/// Why bytes are not a picture, nor one that can be repaired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Damage {
    /// It does not begin with a start marker and another marker.
    NoStart,
    /// It ends before its first scan.
    NoScan,
    /// A segment of the head contradicts itself or another.
    Head,
    /// Its coding is one that viewers do not decode: lossless, hierarchical, arithmetic, 12 bits or
    /// CMYK.
    Coding,
    /// A table is missing, and the standard one cannot replace it.
    NoTables,
    /// It has less data than the emptiest picture of its size.
    Short,
    /// Its data has markers that are not allowed there.
    Data,
    /// It is longer than the wire format allows.
    TooLong,
    /// It ends before its last restart interval, or without an end marker although the pictures of
    /// this camera have one.
    Cut,
}

/// Follows "a frame ".
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
