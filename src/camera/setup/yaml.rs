//! The YAML that people and Raspberry Pi Imager write into cloud-init's files, with the place of each value.
//!
//! A subset, read strictly: mappings, lists, values on one line, plain or in quotes, `[a, b]` and `{a: b}`. Text over several
//! lines is stepped over; anchors, tags and merges are mistakes. A mistake costs what stands below it, and nothing else.

use super::yaml_flow as flow;
use std::ops::Range;

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    /// `null`, or nothing.
    Empty,
    /// One value.
    Scalar(Scalar),
    /// Keys with their values, in their order.
    Map(Vec<(Scalar, Node)>),
    /// Values, in their order.
    List(Vec<Node>),
    /// Text over several lines: it is there, and none of ours is written so.
    Text,
}

/// One value, or one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scalar {
    /// What it says. `\xHH` in quotes is a byte here: so Imager writes the names of networks.
    pub(super) bytes: Vec<u8>,
    /// Where that stands, without its quotes.
    pub(super) at: Range<usize>,
}

/// What cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mistake {
    /// Where.
    pub(super) at: usize,
    /// Why.
    pub(super) why: &'static str,
}

/// Deeper is nothing that anybody means.
pub(super) const MAX_DEPTH: usize = 24;

impl Scalar {
    /// As text, if it is some.
    pub(super) fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes).ok()
    }

    /// Yes or no.
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

    /// Keys and values; none where this is no mapping.
    pub(super) fn entries(&self) -> &[(Scalar, Self)] {
        match self {
            Self::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The values of a list; a single value is a list of one.
    pub(super) fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            Self::Scalar(_) => std::slice::from_ref(self),
            _ => &[],
        }
    }

    /// The value, if it is one.
    pub(super) fn scalar(&self) -> Option<&Scalar> {
        match self {
            Self::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }
}

/// Reads `text`, and what is wrong with it.
pub(super) fn read(text: &str) -> (Node, Vec<Mistake>) {
    let mut reader = Reader { text, lines: lines(text), next: 0, mistakes: Vec::new() };
    let node = match reader.peek() {
        Some(line) => reader.block(line.indent, 0),
        None => Node::Empty,
    };
    if let Some(line) = reader.peek() {
        reader.mistake(line.at.start, "this line belongs to nothing above it");
    }
    (node, reader.mistakes)
}

/// A line that says something.
#[derive(Debug, Clone)]
struct Line {
    indent: usize,
    /// Without what it is indented by, and without the end of the line.
    at: Range<usize>,
}

fn lines(text: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let said = line.trim_end();
        let indent = said.len() - said.trim_start_matches(' ').len();
        let content = &said[indent..];
        let at = start + indent..start + said.len();
        start += line.len();
        match content {
            "" => {}
            "---" if lines.is_empty() => {}
            // Whatever comes is another document.
            "---" | "..." => break,
            _ if content.starts_with('#') => {}
            _ => lines.push(Line { indent, at }),
        }
    }
    lines
}

struct Reader<'a> {
    text: &'a str,
    lines: Vec<Line>,
    next: usize,
    mistakes: Vec<Mistake>,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<Line> {
        self.lines.get(self.next).cloned()
    }

    fn content(&self, line: &Line) -> &'a str {
        self.text.get(line.at.clone()).unwrap_or_default()
    }

    fn mistake(&mut self, at: usize, why: &'static str) {
        self.mistakes.push(Mistake { at, why });
    }

    /// Steps over all lines that are indented by more than `indent`.
    fn skip_deeper(&mut self, indent: usize) {
        while self.peek().is_some_and(|line| line.indent > indent) {
            self.next += 1;
        }
    }

    /// The lines indented by exactly `indent`, with what is below them.
    fn block(&mut self, indent: usize, depth: usize) -> Node {
        let Some(line) = self.peek() else { return Node::Empty };
        if depth > MAX_DEPTH {
            self.mistake(line.at.start, "nothing is nested so deep");
            self.skip_deeper(indent.saturating_sub(1));
            return Node::Empty;
        }
        let content = self.content(&line);
        if is_item(content) {
            self.list(indent, depth)
        } else if key_len(content).is_some() {
            self.map(indent, depth)
        } else {
            self.next += 1;
            let node = self.value(&line.at, indent);
            // More of it would be text over several lines.
            self.skip_deeper(indent.saturating_sub(1));
            node
        }
    }

    fn list(&mut self, indent: usize, depth: usize) -> Node {
        let mut items = Vec::new();
        while let Some(line) = self.peek().filter(|line| line.indent >= indent) {
            let content = self.content(&line);
            if line.indent > indent || !is_item(content) {
                if line.indent == indent {
                    break;
                }
                self.mistake(line.at.start, "this line is indented by more than those around it");
                self.next += 1;
                continue;
            }
            let rest = content[1..].trim_start_matches(' ');
            let moved = content.len() - rest.len();
            if rest.is_empty() || rest.starts_with('#') {
                self.next += 1;
                items.push(self.below(indent, depth));
                continue;
            }
            // What stands behind the dash is a block of its own, indented by where it stands.
            let inner = Line { indent: indent + moved, at: line.at.start + moved..line.at.end };
            if let Some(line) = self.lines.get_mut(self.next) {
                *line = inner;
            }
            items.push(self.block(indent + moved, depth + 1));
        }
        Node::List(items)
    }

    fn map(&mut self, indent: usize, depth: usize) -> Node {
        let mut entries = Vec::new();
        while let Some(line) = self.peek().filter(|line| line.indent >= indent) {
            let content = self.content(&line);
            if line.indent > indent {
                self.mistake(line.at.start, "this line is indented by more than those around it");
                self.skip_deeper(indent);
                continue;
            }
            if is_item(content) {
                break;
            }
            self.next += 1;
            let Some(key) = key_len(content) else {
                self.mistake(line.at.start, "this is no KEY: VALUE");
                self.skip_deeper(indent);
                continue;
            };
            let name = match flow::scalar(self.text, line.at.start..line.at.start + key) {
                Ok(name) => name,
                Err(mistake) => {
                    self.mistakes.push(mistake);
                    self.skip_deeper(indent);
                    continue;
                }
            };
            let rest = content[key + 1..].trim_start_matches([' ', '\t']);
            let node = if rest.is_empty() || rest.starts_with('#') {
                self.below_key(indent, depth)
            } else {
                self.value(&(line.at.end - rest.len()..line.at.end), indent)
            };
            entries.push((name, node));
        }
        Node::Map(entries)
    }

    /// What stands below a key that has nothing beside it. A list may be indented as the key is.
    fn below_key(&mut self, indent: usize, depth: usize) -> Node {
        match self.peek() {
            Some(line) if line.indent == indent && is_item(self.content(&line)) => {
                self.list(indent, depth + 1)
            }
            _ => self.below(indent, depth),
        }
    }

    fn below(&mut self, indent: usize, depth: usize) -> Node {
        match self.peek() {
            Some(line) if line.indent > indent => self.block(line.indent, depth + 1),
            _ => Node::Empty,
        }
    }

    /// A value on one line; `indent` is that of what it belongs to.
    fn value(&mut self, at: &Range<usize>, indent: usize) -> Node {
        if self.text[at.clone()].starts_with(['|', '>']) {
            self.skip_deeper(indent);
            return Node::Text;
        }
        match flow::value(self.text, at.clone()) {
            Ok(node) => {
                if let Some(line) = self.peek().filter(|line| line.indent > indent) {
                    self.mistake(
                        line.at.start,
                        "a value goes on over several lines, which is not read here",
                    );
                    self.skip_deeper(indent);
                    return Node::Text;
                }
                node
            }
            Err(mistake) => {
                self.mistakes.push(mistake);
                self.skip_deeper(indent);
                Node::Empty
            }
        }
    }
}

fn is_item(content: &str) -> bool {
    content == "-" || content.starts_with("- ")
}

/// The length of the key that `content` begins with, if there is one: what stands before `: `.
fn key_len(content: &str) -> Option<usize> {
    if content.starts_with(['[', '{']) {
        return None;
    }
    let from = flow::quoted_len(content).unwrap_or(0);
    let colon = content[from..].char_indices().find_map(|(at, letter)| {
        let behind = content[from + at + letter.len_utf8()..].chars().next();
        (letter == ':' && behind.is_none_or(|it| it == ' ' || it == '\t')).then_some(from + at)
    })?;
    let is_key = if from > 0 {
        content[from..colon].trim().is_empty()
    } else {
        colon > 0 && !content[..colon].contains(" #")
    };
    is_key.then_some(colon)
}

#[cfg(test)]
mod tests {
    use super::*;

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
            ("a: |\n  b: c\n    # d\n\n  e\nf: >-\n g\nh: i", "{a=… f=… h=i}"),
            ("a: null\nb: ~\nc:\nd: 'null'\n", "{a=~ b=~ c=~ d=null}"),
            ("\"a b\": c\n'd: e': f\n? g\n", "{a b=c d: e=f}"),
            ("a: http://b:80/c#d\n", "{a=http://b:80/c#d}"),
            ("a: \"\\\"\\\\\\x41\\u00fc\\n\\t\"\n", "{a=\"\\Aü\n\t}"),
        ] {
            assert_eq!(plain(&read(text).0), meaning, "{text:?}");
        }
    }

    #[test]
    fn a_mistake_costs_what_is_below_it_and_nothing_else() {
        for (text, meaning, line) in [
            ("a: &b c\nd: e\n", "{a=~ d=e}", 1),
            ("a: *b\nd: e\n", "{a=~ d=e}", 1),
            ("a: !!str b\nd: e\n", "{a=~ d=e}", 1),
            ("a: \"b\nc: d\n", "{a=~ c=d}", 1),
            ("a: [b,\n  c]\nd: e\n", "{a=~ d=e}", 1),
            ("a: \"b\" c\nd: e\n", "{a=~ d=e}", 1),
            ("a\nb: c\n", "a", 2),
            ("b: c\nnonsense\n  x: y\nd: e\n", "{b=c d=e}", 2),
            ("a: b\n    c: d\ne: f\n", "{a=… e=f}", 2),
            ("a:\n\tb: c\nd: e\n", "{a=~ d=e}", 2),
            ("a: b\n  and more\nc: d\n", "{a=… c=d}", 2),
            ("a: \"\\q\"\nb: c\n", "{a=~ b=c}", 1),
        ] {
            let (node, mistakes) = read(text);
            assert_eq!(plain(&node), meaning, "{text:?}: {mistakes:?}");
            let at =
                mistakes.first().map(|mistake| crate::camera::setup::text::line(text, mistake.at));
            assert_eq!(at, Some(line), "{text:?}: {mistakes:?}");
        }
    }

    #[test]
    fn bytes_of_names_and_places_of_values_are_kept() {
        let text = "\"K\\xC3\\xBCche\":\n  password: \"geheim\" # x\n";
        let (node, mistakes) = read(text);
        assert_eq!(mistakes, []);
        let (name, below) = &node.entries()[0];
        assert_eq!(name.text(), Some("Küche"));
        let password = below.get("password").and_then(Node::scalar).expect("there");
        assert_eq!(&text[password.at.clone()], "geheim");
    }

    #[test]
    fn whatever_is_nested_ends() {
        for text in
            ["- ".repeat(10_000), "[".repeat(10_000), "{a: ".repeat(10_000), "a:\n".repeat(9)]
        {
            read(&text);
        }
        let deep: String = (0..1000).map(|depth| " ".repeat(depth) + "a:\n").collect();
        assert!(!read(&deep).1.is_empty());
    }
}
