//! A camera's control in the native protocol.

/// Everything that a viewer needs to show and change a control.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Control<'a> {
    /// Its V4L2 number.
    pub id: u32,
    /// Whether it can be changed now.
    pub writable: bool,
    /// The kind of its value.
    pub kind: ControlKind,
    /// Further facts.
    pub flags: ControlFlags,
    /// The least value.
    pub minimum: i64,
    /// The greatest value.
    pub maximum: i64,
    /// The step between values.
    pub step: u64,
    /// The value after power-on.
    pub default: i64,
    /// The current value.
    pub value: i64,
    /// Its name.
    pub name: &'a str,
    /// Why it cannot be changed, in words for people; empty if it can.
    pub reason: &'a str,
}

/// The kind of a control's value, with V4L2's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ControlKind {
    /// Not stated, by an early version of the camera: any value in the range.
    #[default]
    Unsaid,
    /// A number.
    Integer,
    /// 0 or 1.
    Boolean,
    /// One of its items.
    Menu,
    /// Setting it, to any value, triggers an action.
    Button,
    /// A 64-bit number.
    Integer64,
    /// A set of bits; the maximum has all that are allowed.
    Bitmask,
    /// One of its items, whose names are numbers.
    IntegerMenu,
    /// A kind from a later version.
    Other(u8),
}

impl ControlKind {
    const ALL: [(u8, Self); 8] = [
        (0, Self::Unsaid),
        (1, Self::Integer),
        (2, Self::Boolean),
        (3, Self::Menu),
        (4, Self::Button),
        (5, Self::Integer64),
        (8, Self::Bitmask),
        (9, Self::IntegerMenu),
    ];

    pub(super) fn from_u8(number: u8) -> Self {
        let known = Self::ALL.into_iter().find(|(known, _)| *known == number);
        known.map_or(Self::Other(number), |(_, kind)| kind)
    }

    pub(super) fn to_u8(self) -> u8 {
        match self {
            Self::Other(number) => number,
            _ => Self::ALL.into_iter().find(|(_, kind)| *kind == self).map_or(0, |(it, _)| it),
        }
    }
}

/// Further facts about a control, as bits. Unknown bits are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ControlFlags(pub u8);

impl ControlFlags {
    /// It can never be set.
    pub const READ_ONLY: Self = Self(1);
    /// An automatic control sets its value now.
    pub const INACTIVE: Self = Self(2);
    /// The camera changes its value by itself.
    pub const VOLATILE: Self = Self(4);
    /// Its value cannot be read; the value in the message is meaningless.
    pub const UNREADABLE: Self = Self(8);

    /// These flags and `others`.
    #[must_use]
    pub const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Whether these include all of `others`.
    pub const fn has(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }
}
