//! Parses the YAML of cloud-init's files into a tree that knows the position of each value. Only this file names
//! `granit_parser`.
//!
//! Anchors, aliases, tags and values over several lines count as mistakes: nothing that is read here needs them. Without
//! aliases, a small file cannot become a large tree. A mistake only affects what is below it.

use crate::settings::lines::{blank, line_around};
use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, StrInput, options};
use std::ops::Range;

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    /// `null`, or nothing.
    Empty,
    /// One value.
    Scalar(Scalar),
    /// Keys and values, in their order.
    Map(Vec<(Scalar, Node)>),
    /// Values, in their order.
    List(Vec<Node>),
    /// Text over several lines. None of the values that are read here is written this way.
    Text,
}

/// A single value or a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scalar {
    /// Its bytes. `\xHH` in quotes stands for a byte here, because Imager writes network names like that.
    pub(super) bytes: Vec<u8>,
    /// Its position, without the quotes.
    pub(super) at: Range<usize>,
}

/// Something that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mistake {
    /// Its position.
    pub(super) at: usize,
    /// The reason. It quotes nothing from the file, since that may be a password.
    pub(super) why: &'static str,
}

/// More levels of blocks or brackets than any real file has.
const MAX_DEPTH: usize = 24;

/// A file with more broken lines than this is not meant for lancam.
const MAX_MISTAKES: usize = 50;

/// Among so many lines above an error, the one with the unclosed quote or bracket is searched. An apostrophe in a comment looks
/// like one.
const MOST_OPENERS: usize = 8;

impl Scalar {
    /// The value as text, if it is valid UTF-8.
    pub(super) fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes).ok()
    }

    /// The value as a boolean.
    pub(super) fn truth(&self) -> Option<bool> {
        match self.text()?.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" => Some(true),
            "false" | "no" | "off" => Some(false),
            _ => None,
        }
    }
}

impl Node {
    /// The value of `key`.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|(name, _)| name.bytes == key.as_bytes()).map(|(_, node)| node)
    }

    /// Keys and values. Empty if this is not a mapping.
    pub(super) fn entries(&self) -> &[(Scalar, Self)] {
        match self {
            Self::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The values of a list. A single value counts as a list of one.
    pub(super) fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            Self::Scalar(_) => std::slice::from_ref(self),
            _ => &[],
        }
    }

    /// The value, if this is a single one.
    pub(super) fn scalar(&self) -> Option<&Scalar> {
        match self {
            Self::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }
}

/// Parses the first document of `text`. Returns also what is wrong with it.
///
/// The parser stops at an error. So the line with the error and the lines indented below it are blanked, and the rest is
/// parsed again. An unclosed quote or bracket is noticed only further down; then the line that opened it is blanked.
pub(super) fn read(text: &str) -> (Node, Vec<Mistake>) {
    let mut left = text.to_owned();
    let mut broken = Vec::new();
    while broken.len() < MAX_MISTAKES {
        let mut tree = Tree::new(&left);
        match tree.document() {
            Ok(node) => {
                let mut mistakes = tree.mistakes;
                mistakes.extend(broken);
                mistakes.sort_by_key(|mistake| mistake.at);
                return (node, mistakes);
            }
            Err(mistake) => {
                let told = line_around(&left, mistake.at);
                let (line, mistake) = match opener(&left, &told, mistake.at) {
                    Some(line) => {
                        let why = "a quote or a bracket in this line is not closed";
                        (line.clone(), Mistake { at: line.start, why })
                    }
                    None => (told, mistake),
                };
                broken.push(Mistake { at: mistake.at.clamp(line.start, line.end), ..mistake });
                let lines = with_what_is_below(&left, line);
                blank(&mut left, lines);
            }
        }
    }
    let why = "too many mistakes: all of this file is ignored";
    (Node::Empty, vec![Mistake { at: 0, why }])
}

/// The line that opened the quote or the bracket for which the parser fails at `at`, in the line `told`.
fn opener(text: &str, told: &Range<usize>, at: usize) -> Option<Range<usize>> {
    let nearest = unclosed_above(text, told.start)?;
    if is_read_further_without(text, &nearest, at) {
        return Some(nearest);
    }
    let above = |line: &Range<usize>| unclosed_above(text, line.start);
    // A line whose block contains the error would cost that block, whatever is wrong in it.
    let is_apart = |line: &Range<usize>| with_what_is_below(text, line.clone()).end <= told.start;
    std::iter::successors(above(&nearest), above)
        .take(MOST_OPENERS - 1)
        .find(|line| is_apart(line) && is_read_further_without(text, line, at))
}

/// The last line above `at` that opens more quotes or brackets than it closes.
fn unclosed_above(text: &str, at: usize) -> Option<Range<usize>> {
    let mut end = at.checked_sub(1)?;
    loop {
        let start = text[..end].rfind('\n').map_or(0, |newline| newline + 1);
        let count = |these: &[char]| text[start..end].matches(these).count();
        let opens_more = count(&['[', '{']) > count(&[']', '}']);
        if opens_more || count(&['"']) % 2 == 1 || count(&['\'']) % 2 == 1 {
            return Some(start..end);
        }
        end = start.checked_sub(1)?;
    }
}

/// Whether the parser gets further than `at` without `line` and what is indented below it.
fn is_read_further_without(text: &str, line: &Range<usize>, at: usize) -> bool {
    let mut without = text.to_owned();
    blank(&mut without, with_what_is_below(text, line.clone()));
    Tree::new(&without).document().err().is_none_or(|next| next.at > at)
}

/// A line, and the following lines that are indented further.
fn with_what_is_below(text: &str, line: Range<usize>) -> Range<usize> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let own = indent(&text[line.clone()]);
    let below = text.get(line.end + 1..).unwrap_or_default().split_inclusive('\n');
    let below = below.take_while(|line| line.trim().is_empty() || indent(line) > own);
    line.start..(line.end + 1 + below.map(str::len).sum::<usize>()).min(text.len())
}

/// A document while it is parsed.
struct Tree<'a> {
    text: &'a str,
    parser: Parser<'a, StrInput<'a>>,
    /// Valid YAML that is not read here.
    mistakes: Vec<Mistake>,
}

impl<'a> Tree<'a> {
    fn new(text: &'a str) -> Self {
        // The parser's own limits. It returns an error before the tree gets too deep for the recursive functions below.
        let options = options! {
            flow_nesting_limit: MAX_DEPTH,
            block_nesting_limit: MAX_DEPTH,
            disallow_directives: true,
            emit_unresolved_aliases: true,
        };
        let parser = Parser::new_from_str_with_options(text, options);
        Self { text, parser, mistakes: Vec::new() }
    }

    /// The next event and its position. The end of the stream if there is none.
    fn next(&mut self) -> Result<(Event<'a>, Range<usize>), Mistake> {
        let end = self.text.len()..self.text.len();
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, span.byte_range().unwrap_or(end))),
            Some(Err(error)) => Err(mistake(&error, end.start)),
            None => Ok((Event::StreamEnd, end)),
        }
    }

    fn document(&mut self) -> Result<Node, Mistake> {
        let mut root = Node::Empty;
        loop {
            match self.next()? {
                (Event::StreamStart | Event::DocumentStart(..), _) => {}
                (Event::DocumentEnd | Event::StreamEnd, _) => return Ok(root),
                (event, at) => root = self.node(event, at)?,
            }
        }
    }

    /// The node that begins with `event`.
    fn node(&mut self, event: Event<'a>, at: Range<usize>) -> Result<Node, Mistake> {
        let is_plain = event.anchor_id().is_none() && event.tag().is_none() && !event.is_alias();
        let node = match event {
            Event::Scalar(text, style, ..) => self.scalar(&text, style, at.clone()),
            Event::SequenceStart(..) => self.list()?,
            Event::MappingStart(..) => self.map()?,
            _ => Node::Empty,
        };
        if is_plain {
            return Ok(node);
        }
        self.refuse(at.start, "lancam does not read this kind of YAML: write the value in quotes");
        Ok(Node::Empty)
    }

    fn list(&mut self) -> Result<Node, Mistake> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Node::List(items)),
                (event, at) => items.push(self.node(event, at)?),
            }
        }
    }

    fn map(&mut self) -> Result<Node, Mistake> {
        let mut entries = Vec::new();
        loop {
            let (event, at) = self.next()?;
            if event == Event::MappingEnd {
                return Ok(Node::Map(entries));
            }
            let begins = at.start;
            let key = match self.node(event, at)? {
                Node::Scalar(key) => Some(key),
                Node::Empty => None,
                Node::Map(_) | Node::List(_) | Node::Text => {
                    self.refuse(begins, "a key must be text on one line");
                    None
                }
            };
            let (event, at) = self.next()?;
            let value = self.node(event, at)?;
            entries.extend(key.map(|key| (key, value)));
        }
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, at: Range<usize>) -> Node {
        let written = &self.text[at.clone()];
        match style {
            ScalarStyle::Literal | ScalarStyle::Folded => Node::Text,
            _ if written.contains('\n') => {
                let why = "a value must be on one line";
                self.refuse(at.start, why);
                Node::Text
            }
            ScalarStyle::Plain if ["", "~", "null"].contains(&text) => Node::Empty,
            ScalarStyle::Plain => Node::Scalar(Scalar { bytes: text.into(), at }),
            ScalarStyle::SingleQuoted => {
                Node::Scalar(Scalar { bytes: text.into(), at: inside(&at) })
            }
            ScalarStyle::DoubleQuoted => {
                let at = inside(&at);
                Node::Scalar(Scalar { bytes: bytes(text, &self.text[at.clone()]), at })
            }
        }
    }

    fn refuse(&mut self, at: usize, why: &'static str) {
        self.mistakes.push(Mistake { at, why });
    }
}

/// A range without the quotes around it.
fn inside(at: &Range<usize>) -> Range<usize> {
    at.start + 1..at.end - 1
}

/// The bytes of `text`, given how it was `written` in double quotes. In YAML `\xHH` is a character, but programs that write
/// network names mean a byte.
fn bytes(text: &str, written: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(written.len());
    let mut written = written.chars();
    for letter in text.chars() {
        let escape = written.next().filter(|it| *it == '\\').and_then(|_| written.next());
        let digits = match escape {
            Some('x') => 2,
            // A character beyond 16 bits takes two of these.
            Some('u') if letter > '\u{ffff}' => 10,
            Some('u') => 4,
            Some('U') => 8,
            _ => 0,
        };
        if digits > 0 {
            written.nth(digits - 1);
        }
        match (escape, u8::try_from(letter)) {
            (Some('x'), Ok(byte)) => bytes.push(byte),
            _ => bytes.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}

/// The parser's error in plain words.
fn mistake(error: &ScanError, end: usize) -> Mistake {
    let why = match error.kind() {
        ErrorKind::UnclosedQuotedScalar | ErrorKind::DocumentIndicatorInQuotedScalar => {
            "the quotes are not closed"
        }
        ErrorKind::TabNotAllowed | ErrorKind::TabInIndentation => "write blanks here, not a tab",
        ErrorKind::InvalidIndentation => "this line must be indented as those around it",
        ErrorKind::UnexpectedEofFlowSequence
        | ErrorKind::UnexpectedEofFlowMapping
        | ErrorKind::UnexpectedEofImplicitFlowMapping
        | ErrorKind::ExpectedFlowMappingSeparator
        | ErrorKind::ExpectedFlowSequenceSeparator => "the brackets are not closed",
        ErrorKind::RecursionLimitExceeded => "this is nested too deep",
        _ => "this line cannot be read. A line is KEY: VALUE",
    };
    Mistake { at: error.marker().byte_offset().unwrap_or(end), why }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::lines::line_number;

    fn plain(node: &Node) -> String {
        match node {
            Node::Empty => "~".into(),
            Node::Text => "…".into(),
            Node::Scalar(scalar) => String::from_utf8_lossy(&scalar.bytes).into_owned(),
            Node::List(items) => {
                format!("[{}]", items.iter().map(plain).collect::<Vec<_>>().join(" "))
            }
            Node::Map(entries) => {
                let entry = |(key, node): &(Scalar, Node)| {
                    format!("{}={}", String::from_utf8_lossy(&key.bytes), plain(node))
                };
                format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(" "))
            }
        }
    }

    #[test]
    fn what_people_write_is_read() {
        for (text, meaning) in [
            ("", "~"),
            ("#cloud-config\n\n", "~"),
            ("---\na: b\n...\nc: d\n", "{a=b}"),
            ("a: b # c\r\nd: 'e # f'\r\n", "{a=b d=e # f}"),
            ("a:\n- b\n- c\nd: e", "{a=[b c] d=e}"),
            ("a:\n  - b: c\n    d: e\n  - f\n", "{a=[{b=c d=e} f]}"),
            ("- - a\n  - b\n-\n  c: d\n- e:\n", "[[a b] {c=d} {e=~}]"),
            (
                "a: [b, \"c, d\", 'it''s']\ne: {f: g, \"h\": [i]}\nj: []\n",
                "{a=[b c, d it's] e={f=g h=[i]} j=[]}",
            ),
            ("a: [b,\n  c]\nd: {e: f,\n g: h}\n", "{a=[b c] d={e=f g=h}}"),
            ("a: |\n  b: c\n    # d\n\n  e\nf: >-\n g\nh: i", "{a=… f=… h=i}"),
            ("a: null\nb: ~\nc:\nd: 'null'\n", "{a=~ b=~ c=~ d=null}"),
            ("\"a b\": c\n'd: e': f\n? g\n", "{a b=c d: e=f g=~}"),
            ("a: http://b:80/c#d\n", "{a=http://b:80/c#d}"),
            (
                "a: \"\\\"\\\\\\x41\\u00fc\\n\\t\\xc3\\xbc ü \\ud83d\\ude00 \\U0001f600\\x42\"\n",
                "{a=\"\\Aü\n\tü ü 😀 😀B}",
            ),
        ] {
            let (node, mistakes) = read(text);
            assert_eq!((plain(&node).as_str(), mistakes), (meaning, vec![]), "{text:?}");
        }
    }

    #[test]
    fn a_mistake_costs_what_is_below_it_and_nothing_else() {
        for (text, meaning, line) in [
            ("a: &b c\nd: e\n", "{a=~ d=e}", 1),
            ("a: *b\nd: e\n", "{a=~ d=e}", 1),
            ("a: &b c\nd: *b\n", "{a=~ d=~}", 1),
            ("a: !!str b\nd: e\n", "{a=~ d=e}", 1),
            ("a: &b\n  c: d\ne: f\n", "{a=~ e=f}", 2),
            ("a: \"b\nc: d\n", "{c=d}", 1),
            ("a: [b,\nd: e\n", "{d=e}", 1),
            ("a: [b\nc:\n  d: e\n", "{c={d=e}}", 1),
            ("a: \"b\nc: \"d\"\n", "{c=d}", 1),
            ("a:\n  b: [c\n  d: e\nf:\n  g: h\n", "{a={d=e} f={g=h}}", 2),
            ("a: \"b\n# Tom's c\nd: [\"e f\"]\n", "{d=[e f]}", 1),
            ("a:\n  - b: Tom's\n    c: d # it's d\n    e: f: g\n", "{a=[{b=Tom's c=d}]}", 4),
            ("a: \"b\" c\nd: e\n", "{d=e}", 1),
            ("a\nb: c\n", "a", 2),
            ("b: c\nnonsense\n  x: y\nd: e\n", "{b=c d=e}", 2),
            ("a: b\n    c: d\ne: f\n", "{a=b e=f}", 2),
            ("a:\n\tb: c\nd: e\n", "{a=~ d=e}", 2),
            ("a: b\n  and more\nc: d\n", "{a=… c=d}", 1),
            ("a: \"\\q\"\nb: c\n", "{b=c}", 1),
            ("[a]: b\nc: d\n", "{c=d}", 1),
            ("%YAML 1.2\n---\na: b\n", "{a=b}", 1),
            ("a: b\n- c\nd: e\n", "{a=b d=e}", 2),
            ("a: [b\n  ü", "~", 1),
            ("a: b\nd: \"\n\n", "{a=b}", 2),
        ] {
            let (node, mistakes) = read(text);
            let at = mistakes.first().map(|mistake| line_number(text, mistake.at));
            assert_eq!(
                (plain(&node).as_str(), at),
                (meaning, Some(line)),
                "{text:?}: {mistakes:?}"
            );
        }
    }

    #[test]
    fn bytes_of_names_and_places_of_values_are_kept() {
        let text = "\"K\\xC3\\xBCche\":\n  password: \"geheim\" # x\n  'ü': 'a''b'\n";
        let (node, mistakes) = read(text);
        assert_eq!(mistakes, []);
        let (name, below) = &node.entries()[0];
        assert_eq!(name.text(), Some("Küche"));
        let written =
            |key: &str| &text[below.get(key).and_then(Node::scalar).expect(key).at.clone()];
        assert_eq!((written("password"), written("ü")), ("geheim", "a''b"));
    }

    #[test]
    fn whatever_is_nested_ends() {
        for text in ["- ", "[", "{a: ", "? ", "- [", "[[],"] {
            let (_, mistakes) = read(&text.repeat(10_000));
            assert!(!mistakes.is_empty(), "{text}");
        }
        let deep: String = (0..1000).map(|depth| " ".repeat(depth) + "a:\n").collect();
        assert!(!read(&deep).1.is_empty());
    }

    #[test]
    fn aliases_are_never_followed() {
        let mut laughs = String::from("a0: &a0 [lol, lol]\n");
        for level in 1..20 {
            laughs += &format!("a{level}: &a{level} [*a{0}, *a{0}, *a{0}]\n", level - 1);
        }
        let (node, mistakes) = read(&laughs);
        assert!(node.entries().iter().all(|(_, node)| *node == Node::Empty), "{node:?}");
        assert!(mistakes.len() > 20);
    }
}
