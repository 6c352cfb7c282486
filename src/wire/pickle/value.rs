//! The values that pickles of pictures consist of.

use std::fmt;

/// A value on the stack of a pickle.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'a> {
    Mark,
    None,
    Bool(bool),
    Number(i64),
    Text(&'a str),
    Bytes(Bytes<'a>),
    Tuple(Tuple),
    Function(Function),
    /// The type uint8.
    Uint8,
    /// An array without shape and elements.
    BlankArray,
    Array(Array<'a>),
}

impl Value<'_> {
    /// Its name in errors.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Mark => "a mark",
            Self::None => "None",
            Self::Bool(_) => "a truth value",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::Bytes(_) => "bytes",
            Self::Tuple(_) => "a tuple",
            Self::Function(function) => function.name(),
            Self::Uint8 => "a dtype",
            Self::BlankArray => "an array without elements",
            Self::Array(_) => "an array",
        }
    }
}

/// Bytes inside the pickle. They are not copied until they are known to be pixels.
#[derive(Debug, Clone, Copy)]
pub(super) enum Bytes<'a> {
    Plain(&'a [u8]),
    /// In the form of protocol 2.
    Latin1(Latin1<'a>),
}

impl Bytes<'_> {
    /// Whether they are these ASCII characters.
    pub(super) fn are_ascii(self, text: &str) -> bool {
        match self {
            Self::Plain(bytes) => bytes == text.as_bytes(),
            Self::Latin1(Latin1(bytes)) => bytes == text,
        }
    }
}

/// Bytes in the form of text: each is the character with its number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Latin1<'a>(&'a str);

impl<'a> Latin1<'a> {
    /// `None` if a character is over U+00FF.
    pub(super) fn new(text: &'a str) -> Option<Self> {
        // In UTF-8, exactly the characters over U+00FF begin with a byte over C3.
        text.bytes().all(|byte| byte <= 0xC3).then_some(Self(text))
    }

    /// Decodes the bytes into `scratch`, which grows only with text that has arrived.
    pub(super) fn decode(self, scratch: &mut Vec<u8>) -> &[u8] {
        scratch.clear();
        let bytes = self.0.chars().map(u8::try_from);
        scratch.extend(bytes.map(|byte| byte.expect("new() saw no character over U+00FF")));
        scratch
    }
}

/// The place of a tuple's items in the list of all items.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tuple {
    pub(super) start: usize,
    pub(super) len: usize,
}

impl Tuple {
    /// Its items out of all items.
    pub(super) fn of<'i, 'a>(self, items: &'i [Value<'a>]) -> &'i [Value<'a>] {
        &items[self.start..self.start + self.len]
    }
}

/// An array of height x width x 3 bytes; the length of its data is not checked yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Array<'a> {
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) data: Bytes<'a>,
}

/// The functions that pickles of pictures name. None of them is run, since their results are known.
#[derive(Debug, Clone, Copy)]
pub(super) enum Function {
    Reconstruct,
    FromBuffer,
    Ndarray,
    Dtype,
    Encode,
    ByteArray,
}

impl Function {
    /// The function with this name, in any spelling. Every other name is refused.
    pub(super) fn named(module: &[u8], name: &[u8]) -> Result<Self, Name> {
        Ok(match (module, name) {
            (b"numpy.core.multiarray" | b"numpy._core.multiarray", b"_reconstruct") => {
                Self::Reconstruct
            }
            (b"numpy.core.numeric" | b"numpy._core.numeric", b"_frombuffer") => Self::FromBuffer,
            (b"numpy", b"ndarray") => Self::Ndarray,
            (b"numpy", b"dtype") => Self::Dtype,
            (b"_codecs", b"encode") => Self::Encode,
            (b"builtins" | b"__builtin__", b"bytearray") => Self::ByteArray,
            _ => return Err(Name::of_function(module, name)),
        })
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Reconstruct => "numpy.core.multiarray._reconstruct",
            Self::FromBuffer => "numpy.core.numeric._frombuffer",
            Self::Ndarray => "numpy.ndarray",
            Self::Dtype => "numpy.dtype",
            Self::Encode => "_codecs.encode",
            Self::ByteArray => "bytearray",
        }
    }
}

/// A name that a stranger chose, made safe to print.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

/// How much of a name is shown.
const MAX_NAME: usize = 80;

impl Name {
    pub(super) fn new(name: &[u8]) -> Self {
        let end = name.len().min(MAX_NAME);
        let more = if end < name.len() { "…" } else { "" };
        Self(format!("{}{more}", name[..end].escape_ascii()))
    }

    pub(super) fn of_function(module: &[u8], name: &[u8]) -> Self {
        let full = Self::new(&[module, b".", name].concat());
        match module {
            // People know these modules by another name.
            b"posix" | b"nt" => Self(format!("os.{} ({full})", Self::new(name))),
            _ => full,
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}
