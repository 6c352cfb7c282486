//! YAML on one line: values, plain or in quotes, and lists and mappings in brackets.

use super::yaml::{MAX_DEPTH, Mistake, Node, Scalar};
use std::ops::Range;

/// What `text[at]` says: one value, and maybe a comment behind it.
pub(super) fn value(text: &str, at: Range<usize>) -> Result<Node, Mistake> {
    let mut flow = Flow { text, at: at.start, end: at.end };
    let node = match flow.rest().chars().next() {
        Some('[' | '{') => flow.node(0)?,
        Some('"' | '\'') => Node::Scalar(flow.quoted()?),
        _ => {
            let rest = flow.rest();
            let end = rest.find(" #").or_else(|| rest.find("\t#")).unwrap_or(rest.len());
            let scalar = flow.plain(rest[..end].trim_end().len())?;
            empty_or(scalar)
        }
    };
    let rest = flow.rest();
    let behind = rest.trim_start();
    if behind.is_empty() || (behind.starts_with('#') && behind.len() < rest.len()) {
        return Ok(node);
    }
    // A plain value ends where its comment begins.
    Err(flow.mistake("there is more behind this value's end"))
}

/// A key: `text[at]`, plain or in quotes.
pub(super) fn scalar(text: &str, at: Range<usize>) -> Result<Scalar, Mistake> {
    let mut flow = Flow { text, at: at.start, end: at.end };
    match flow.rest().chars().next() {
        Some('"' | '\'') => flow.quoted(),
        _ => flow.plain(flow.rest().trim_end().len()),
    }
}

/// The length of what stands in quotes at the start of `text`, with them.
pub(super) fn quoted_len(text: &str) -> Option<usize> {
    let quote = text.chars().next().filter(|letter| matches!(letter, '"' | '\''))?;
    let mut letters = text.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' if quote == '"' => {
                letters.next();
            }
            // In single quotes two of them are one.
            '\'' if quote == '\'' && letters.peek().is_some_and(|(_, next)| *next == '\'') => {
                letters.next();
            }
            _ if letter == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

struct Flow<'a> {
    text: &'a str,
    at: usize,
    end: usize,
}

impl<'a> Flow<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..self.end).unwrap_or_default()
    }

    fn mistake(&self, why: &'static str) -> Mistake {
        Mistake { at: self.at, why }
    }

    fn skip_blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t']).len();
    }

    /// Steps over `letter`, if it is next.
    fn ate(&mut self, letter: char) -> bool {
        self.skip_blanks();
        let is_next = self.rest().starts_with(letter);
        if is_next {
            self.at += letter.len_utf8();
        }
        is_next
    }

    fn node(&mut self, depth: usize) -> Result<Node, Mistake> {
        self.skip_blanks();
        if depth > MAX_DEPTH {
            return Err(self.mistake("nothing is nested so deep"));
        }
        match self.rest().chars().next() {
            Some('[') => self.list(depth),
            Some('{') => self.map(depth),
            _ => Ok(self.scalar_in_brackets()?.map_or(Node::Empty, empty_or_quoted)),
        }
    }

    fn list(&mut self, depth: usize) -> Result<Node, Mistake> {
        self.ate('[');
        let mut items = Vec::new();
        while !self.ate(']') {
            items.push(self.node(depth + 1)?);
            if !self.ate(',') && !self.rest().starts_with(']') {
                return Err(self.mistake("a list in brackets ends with ] on its own line"));
            }
        }
        Ok(Node::List(items))
    }

    fn map(&mut self, depth: usize) -> Result<Node, Mistake> {
        self.ate('{');
        let mut entries = Vec::new();
        while !self.ate('}') {
            let Some((key, _)) = self.scalar_in_brackets()? else {
                return Err(self.mistake("a mapping in braces ends with } on its own line"));
            };
            let node = if self.ate(':') { self.node(depth + 1)? } else { Node::Empty };
            entries.push((key, node));
            if !self.ate(',') && !self.rest().starts_with('}') {
                return Err(self.mistake("a mapping in braces ends with } on its own line"));
            }
        }
        Ok(Node::Map(entries))
    }

    /// A value between brackets, and whether it stands in quotes; `None` where nothing is.
    fn scalar_in_brackets(&mut self) -> Result<Option<(Scalar, bool)>, Mistake> {
        self.skip_blanks();
        let rest = self.rest();
        if rest.starts_with(['"', '\'']) {
            return Ok(Some((self.quoted()?, true)));
        }
        let ends = |(at, letter): (usize, char)| {
            let behind = rest[at + letter.len_utf8()..].chars().next();
            let ends_key = letter == ':' && behind.is_none_or(|it| " \t,]}".contains(it));
            (ends_key || ",[]{}".contains(letter)).then_some(at)
        };
        let len = rest.char_indices().find_map(ends).unwrap_or(rest.len());
        match rest[..len].trim_end().len() {
            0 => Ok(None),
            len => Ok(Some((self.plain(len)?, false))),
        }
    }

    fn plain(&mut self, len: usize) -> Result<Scalar, Mistake> {
        let said = &self.rest()[..len];
        let begins = said.chars().next();
        if begins.is_some_and(|letter| "&*!@`%|>?\t".contains(letter)) {
            return Err(
                self.mistake("this is more YAML than is read here: a value in quotes would work")
            );
        }
        let scalar = Scalar { bytes: said.into(), at: self.at..self.at + len };
        self.at += len;
        Ok(scalar)
    }

    fn quoted(&mut self) -> Result<Scalar, Mistake> {
        let Some(len) = quoted_len(self.rest()) else {
            return Err(self.mistake("the quotes are not closed on this line"));
        };
        let inside = self.at + 1..self.at + len - 1;
        let said = &self.text[inside.clone()];
        let bytes = if self.rest().starts_with('"') {
            unescaped(said)
                .ok_or_else(|| self.mistake("there is a \\ that means nothing in these quotes"))?
        } else {
            said.replace("''", "'").into_bytes()
        };
        self.at += len;
        Ok(Scalar { bytes, at: inside })
    }
}

fn empty_or_quoted((scalar, is_quoted): (Scalar, bool)) -> Node {
    if is_quoted { Node::Scalar(scalar) } else { empty_or(scalar) }
}

fn empty_or(scalar: Scalar) -> Node {
    match scalar.bytes.as_slice() {
        b"" | b"~" | b"null" => Node::Empty,
        _ => Node::Scalar(scalar),
    }
}

/// What stands in double quotes. `\xHH` is one byte: to YAML it would be a letter, but what writes names of networks means bytes.
fn unescaped(said: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(said.len());
    let mut rest = said;
    while let Some(at) = rest.find('\\') {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        let letter = rest[at + 1..].chars().next()?;
        rest = &rest[at + 1 + letter.len_utf8()..];
        let digits = match letter {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => 0,
        };
        let code = u32::from_str_radix(rest.get(..digits)?, 16);
        let plain = match letter {
            '0' => '\0',
            'a' => '\x07',
            'b' => '\x08',
            't' | '\t' => '\t',
            'n' => '\n',
            'v' => '\x0b',
            'f' => '\x0c',
            'r' => '\r',
            'e' => '\x1b',
            ' ' | '"' | '/' | '\\' => letter,
            'x' => {
                bytes.push(u8::try_from(code.ok()?).ok()?);
                rest = &rest[digits..];
                continue;
            }
            'u' | 'U' => char::from_u32(code.ok()?)?,
            _ => return None,
        };
        bytes.extend_from_slice(plain.encode_utf8(&mut [0; 4]).as_bytes());
        rest = &rest[digits..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    Some(bytes)
}
