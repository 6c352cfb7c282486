//! Interprets the operations of a pickle, and refuses those that no picture needs (CPython,
//! Lib/pickletools.py).

use super::numpy;
use super::value::{Bytes, Function, Name, Tuple, Value};
use super::{FirstBytes, PickleError};

/// The stack, the memo and the tuples of a pickle, each only as large as pictures need.
#[derive(Debug)]
pub(super) struct Machine<'a> {
    pickle: &'a [u8],
    /// The place of the next byte.
    at: usize,
    stack: Pile<'a, 32>,
    items: Pile<'a, 64>,
    memo: [Option<Value<'a>>; MAX_MEMO],
}

/// The size of the memo. Numpy's pickles of pictures use up to 21 entries.
const MAX_MEMO: usize = 64;

/// What follows an operation.
enum Step<'a> {
    Next,
    Stop(Value<'a>),
}

impl<'a> Machine<'a> {
    /// The single value that a pickle holds.
    pub(super) fn read(pickle: &'a [u8]) -> Result<Value<'a>, PickleError> {
        match *pickle {
            [PROTO, 2..=5, ..] => {}
            [PROTO, protocol, ..] => return Err(PickleError::Protocol(protocol)),
            _ => {
                let first = pickle[..pickle.len().min(24)].to_vec();
                return Err(PickleError::NoProtocol(FirstBytes(first)));
            }
        }
        let mut machine = Self {
            pickle,
            at: 2,
            stack: Pile::new("values on its stack"),
            items: Pile::new("items in tuples"),
            memo: [None; MAX_MEMO],
        };
        loop {
            let at = machine.at;
            let [operation] = machine.take_array()?;
            if let Step::Stop(value) = machine.step(operation, at)? {
                return match pickle.len() - machine.at {
                    0 => Ok(value),
                    trailing => Err(PickleError::Trailing(trailing)),
                };
            }
        }
    }

    /// Executes the operation at byte `at`.
    fn step(&mut self, operation: u8, at: usize) -> Result<Step<'a>, PickleError> {
        let value = match operation {
            b'.' => return self.stop(at).map(Step::Stop),
            // FRAME: how many bytes may be read ahead. They must be there; otherwise this has no
            // meaning.
            0x95 => {
                let len = self.take_array().map(u64::from_le_bytes)?;
                self.available(len)?;
                return Ok(Step::Next);
            }
            b'N' => Value::None,
            0x88 => Value::Bool(true),
            0x89 => Value::Bool(false),
            b'K' => Value::Number(self.take_array().map(u8::from_le_bytes)?.into()),
            b'M' => Value::Number(self.take_array().map(u16::from_le_bytes)?.into()),
            b'J' => Value::Number(self.take_array().map(i32::from_le_bytes)?.into()),
            0x8C => self.text(Length::U8)?,
            b'X' => self.text(Length::U32)?,
            0x8D => self.text(Length::U64)?,
            b'C' => self.bytes(Length::U8)?,
            b'B' => self.bytes(Length::U32)?,
            // BINBYTES8 and BYTEARRAY8.
            0x8E | 0x96 => self.bytes(Length::U64)?,
            b'(' => Value::Mark,
            b')' => self.tuple(0, at)?,
            0x85 => self.tuple(1, at)?,
            0x86 => self.tuple(2, at)?,
            0x87 => self.tuple(3, at)?,
            b't' => self.tuple_from_mark(at)?,
            b'c' => {
                let (module, name) = (self.take_line()?, self.take_line()?);
                Value::Function(Function::named(module, name).map_err(PickleError::WouldRun)?)
            }
            0x93 => self.function_from_stack(at)?,
            b'R' => self.call(at)?,
            b'b' => self.build(at)?,
            // MEMOIZE, BINPUT and LONG_BINPUT.
            0x94 => return self.remember(self.memo.iter().flatten().count(), at),
            b'q' => {
                let index = self.index(Length::U8)?;
                return self.remember(index, at);
            }
            b'r' => {
                let index = self.index(Length::U32)?;
                return self.remember(index, at);
            }
            b'h' => self.recall(Length::U8, at)?,
            b'j' => self.recall(Length::U32, at)?,
            b'i' => {
                let (module, name) = (self.take_line()?, self.take_line()?);
                return Err(PickleError::WouldRun(Name::of_function(module, name)));
            }
            other => return Err(PickleError::Holds { what: what_is_made_by(other), at }),
        };
        self.stack.push(value)?;
        Ok(Step::Next)
    }

    fn stop(&mut self, at: usize) -> Result<Value<'a>, PickleError> {
        let value = self.pop("a value", at)?;
        match self.stack.values() {
            [] => Ok(value),
            _ => Err(PickleError::Holds { what: "more than one thing", at }),
        }
    }

    fn text(&mut self, length: Length) -> Result<Value<'a>, PickleError> {
        let at = self.at;
        let text = self.take_counted(length)?;
        let text = std::str::from_utf8(text);
        text.map(Value::Text).map_err(|_| PickleError::Broken { what: "UTF-8", at })
    }

    fn bytes(&mut self, length: Length) -> Result<Value<'a>, PickleError> {
        Ok(Value::Bytes(Bytes::Plain(self.take_counted(length)?)))
    }

    fn tuple(&mut self, len: usize, at: usize) -> Result<Value<'a>, PickleError> {
        let Some(first) = self.stack.len.checked_sub(len) else {
            return Err(PickleError::Broken { what: "items", at });
        };
        let start = self.items.len;
        for index in first..self.stack.len {
            let item = self.stack.values[index];
            if let Value::Mark = item {
                return Err(PickleError::Broken { what: "items", at });
            }
            self.items.push(item)?;
        }
        self.stack.len = first;
        Ok(Value::Tuple(Tuple { start, len }))
    }

    fn tuple_from_mark(&mut self, at: usize) -> Result<Value<'a>, PickleError> {
        let is_mark = |value: &Value<'_>| matches!(value, Value::Mark);
        let Some(mark) = self.stack.values().iter().rposition(is_mark) else {
            return Err(PickleError::Broken { what: "a mark", at });
        };
        let tuple = self.tuple(self.stack.len - mark - 1, at)?;
        self.pop("a mark", at)?;
        Ok(tuple)
    }

    fn function_from_stack(&mut self, at: usize) -> Result<Value<'a>, PickleError> {
        let name = self.pop("a name", at)?;
        let module = self.pop("a module", at)?;
        let (Value::Text(module), Value::Text(name)) = (module, name) else {
            return Err(PickleError::Broken { what: "a name", at });
        };
        let function = Function::named(module.as_bytes(), name.as_bytes());
        function.map(Value::Function).map_err(PickleError::WouldRun)
    }

    fn call(&mut self, at: usize) -> Result<Value<'a>, PickleError> {
        let arguments = self.pop("arguments", at)?;
        let function = self.pop("a function", at)?;
        let (Value::Function(function), Value::Tuple(arguments)) = (function, arguments) else {
            return Err(PickleError::Broken { what: "a function", at });
        };
        numpy::call(function, arguments, self.items.values(), at)
    }

    fn build(&mut self, at: usize) -> Result<Value<'a>, PickleError> {
        let state = self.pop("a state", at)?;
        let object = self.pop("an object", at)?;
        let Value::Tuple(state) = state else {
            return Err(PickleError::Broken { what: "a state", at });
        };
        numpy::build(object, state, self.items.values(), at)
    }

    fn remember(&mut self, index: usize, at: usize) -> Result<Step<'a>, PickleError> {
        let Some(&value) = self.stack.values().last() else {
            return Err(PickleError::Broken { what: "a value", at });
        };
        let Some(place) = self.memo.get_mut(index) else {
            return Err(PickleError::TooMuch { what: "values to remember", max: MAX_MEMO });
        };
        *place = Some(value);
        Ok(Step::Next)
    }

    fn recall(&mut self, length: Length, at: usize) -> Result<Value<'a>, PickleError> {
        let index = self.index(length)?;
        let remembered = self.memo.get(index).copied().flatten();
        remembered.ok_or(PickleError::Broken { what: "what it remembers", at })
    }

    /// An index into the memo. One that is too large for a `usize` becomes the largest, which is
    /// out of range too.
    fn index(&mut self, length: Length) -> Result<usize, PickleError> {
        let index = self.take_number(length)?;
        Ok(usize::try_from(index).unwrap_or(usize::MAX))
    }

    fn pop(&mut self, what: &'static str, at: usize) -> Result<Value<'a>, PickleError> {
        self.stack.pop().ok_or(PickleError::Broken { what, at })
    }

    fn take_counted(&mut self, length: Length) -> Result<&'a [u8], PickleError> {
        let len = self.take_number(length)?;
        self.available(len)?;
        self.take(usize::try_from(len).unwrap_or(usize::MAX))
    }

    fn take_number(&mut self, length: Length) -> Result<u64, PickleError> {
        Ok(match length {
            Length::U8 => self.take_array().map(u8::from_le_bytes)?.into(),
            Length::U32 => self.take_array().map(u32::from_le_bytes)?.into(),
            Length::U64 => self.take_array().map(u64::from_le_bytes)?,
        })
    }

    /// A name up to the end of its line.
    fn take_line(&mut self) -> Result<&'a [u8], PickleError> {
        let rest = &self.pickle[self.at..];
        let Some(len) = rest.iter().position(|&byte| byte == b'\n') else {
            return Err(PickleError::CutShort { missing: 1, at: self.pickle.len() });
        };
        self.at += len + 1;
        Ok(&rest[..len])
    }

    fn take_array<const N: usize>(&mut self) -> Result<[u8; N], PickleError> {
        let bytes = self.take(N)?;
        Ok(*bytes.first_chunk().expect("so many were taken"))
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], PickleError> {
        let rest = &self.pickle[self.at..];
        let Some(bytes) = rest.get(..len) else {
            let missing = u64::try_from(len - rest.len()).unwrap_or(u64::MAX);
            return Err(PickleError::CutShort { missing, at: self.at });
        };
        self.at += len;
        Ok(bytes)
    }

    /// Refuses a length that is greater than the rest of the pickle, even if it does not fit a
    /// `usize`.
    fn available(&self, len: u64) -> Result<(), PickleError> {
        let there = u64::try_from(self.pickle.len() - self.at).unwrap_or(u64::MAX);
        match len.checked_sub(there) {
            None | Some(0) => Ok(()),
            Some(missing) => Err(PickleError::CutShort { missing, at: self.at }),
        }
    }
}

/// How an operation stores a length or an index.
#[derive(Clone, Copy)]
enum Length {
    U8,
    U32,
    U64,
}

/// A stack of values in an array of fixed size.
#[derive(Debug)]
struct Pile<'a, const MAX: usize> {
    what: &'static str,
    values: [Value<'a>; MAX],
    len: usize,
}

impl<'a, const MAX: usize> Pile<'a, MAX> {
    fn new(what: &'static str) -> Self {
        Self { what, values: [Value::None; MAX], len: 0 }
    }

    fn values(&self) -> &[Value<'a>] {
        &self.values[..self.len]
    }

    fn push(&mut self, value: Value<'a>) -> Result<(), PickleError> {
        let Some(place) = self.values.get_mut(self.len) else {
            return Err(PickleError::TooMuch { what: self.what, max: MAX });
        };
        *place = value;
        self.len += 1;
        Ok(())
    }

    fn pop(&mut self) -> Option<Value<'a>> {
        self.len = self.len.checked_sub(1)?;
        Some(self.values[self.len])
    }
}

const PROTO: u8 = 0x80;

/// What the refused operations would make.
fn what_is_made_by(operation: u8) -> &'static str {
    match operation {
        b']' | b'l' | b'a' | b'e' => "a list",
        b'}' | b'd' | b's' | b'u' => "a dict",
        0x8F..=0x91 => "a set",
        b'F' | b'G' => "a float",
        b'L' | 0x8A | 0x8B => "a long number",
        b'o' | 0x81 | 0x92 => "an object of a class",
        b'P' | b'Q' => "something that is kept elsewhere",
        0x82..=0x84 => "a registered extension",
        0x97 | 0x98 => "a buffer that is sent apart from it",
        b'I' | b'S' | b'V' | b'T' | b'U' | b'g' | b'p' => "a value of protocols 0 and 1",
        b'0' | b'1' | b'2' => "a value that is dropped or doubled",
        _ => "an operation that is not known",
    }
}
