//! One of a camera's controls, as the two programs tell each other of it.

/// All that a viewer needs to show and change a control.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Control<'a> {
    /// Its V4L2 number.
    pub id: u32,
    /// Whether it can be changed as things are.
    pub writable: bool,
    /// What kind of value it has.
    pub kind: ControlKind,
    /// What else is known of it.
    pub flags: ControlFlags,
    /// Least value.
    pub minimum: i64,
    /// Greatest value.
    pub maximum: i64,
    /// Distance between values.
    pub step: u64,
    /// Value after power-on.
    pub default: i64,
    /// Value now.
    pub value: i64,
    /// Its name.
    pub name: &'a str,
    /// Why it cannot be changed, for people; empty when it can.
    pub reason: &'a str,
}

/// What kind of value a control has, by V4L2's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ControlKind {
    /// A camera of the first days: whatever fits its range.
    #[default]
    Unsaid,
    /// A number.
    Integer,
    /// 0 or 1.
    Boolean,
    /// One of its items.
    Menu,
    /// Does something when it is set, to whatever value.
    Button,
    /// A number of 64 bits.
    Integer64,
    /// Bits; those of the greatest value may be set.
    Bitmask,
    /// One of its items, whose names are numbers.
    IntegerMenu,
    /// What a later version knows.
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

/// What is known of a control besides its values, in bits; those that nobody knows are kept as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ControlFlags(pub u8);

impl ControlFlags {
    /// It can only be read, ever.
    pub const READ_ONLY: Self = Self(1);
    /// An automatic decides its value for now.
    pub const INACTIVE: Self = Self(2);
    /// The camera changes its value by itself.
    pub const VOLATILE: Self = Self(4);
    /// Its value cannot be read: what is said of it means nothing.
    pub const UNREADABLE: Self = Self(8);

    /// These and others.
    #[must_use]
    pub const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Whether all of `others` are among these.
    pub const fn has(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }
}
