//! The two switches of who may watch: whether keys are needed, and whether some are accepted without TLS.

/// Who may watch, of those whose address may connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Who was paired or has a key.
    Keys,
    /// Everybody.
    Open,
}

/// Whether keys that were made for it are accepted without TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plain {
    /// No key is.
    Off,
    /// Those of `lancam pair --plain` are.
    Keys,
}

impl Mode {
    /// Parses `keys` or `open`.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Keys, Self::Open].into_iter().find(|mode| mode.word() == text)
    }

    /// Its word in options and in `/state`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::Open => "open",
        }
    }
}

impl Plain {
    /// Parses `off` or `keys`.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Off, Self::Keys].into_iter().find(|plain| plain.word() == text)
    }

    /// Its word in options.
    pub fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Keys => "keys",
        }
    }
}
