//! The headers of a request, as they came.

/// Header lines that were checked. Its `Debug` shows none: there may be keys in them.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// The fields in these lines, up to the first empty one.
    pub fn new(lines: &'a [u8]) -> Self {
        Self(lines)
    }

    /// The values of all fields with this name, in their order. They may have any bytes.
    pub fn values(self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        lines(self.0).filter_map(move |line| {
            let colon = line.iter().position(|&byte| byte == b':')?;
            let is_it = line[..colon].eq_ignore_ascii_case(name.as_bytes());
            is_it.then(|| line[colon + 1..].trim_ascii())
        })
    }

    /// The value of the first field with this name, if it is text.
    pub fn text(self, name: &str) -> Option<&'a str> {
        self.values(name).next().and_then(|value| str::from_utf8(value).ok())
    }
}

impl std::fmt::Debug for Fields<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Fields(…)")
    }
}

/// The lines of a head up to the first empty one, without their ends.
pub(super) fn lines(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = head.split(|&byte| byte == b'\n');
    let lines = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines.take_while(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_name_in_any_case_and_in_their_order() {
        let fields =
            Fields::new(b"Cookie: a\r\nX-Cookie: no\nCOOKIE:\t b;c \xFF\r\n\r\ncookie: body");
        let found: Vec<_> = fields.values("cookie").collect();
        assert_eq!(found, [&b"a"[..], b"b;c \xFF"]);
        assert_eq!((fields.text("cookie"), fields.text("x-cookie")), (Some("a"), Some("no")));
        assert_eq!(fields.text("accept"), None);
    }

    #[test]
    fn nothing_of_them_gets_into_a_log() {
        assert_eq!(format!("{:?}", Fields::new(b"Authorization: Bearer x\r\n")), "Fields(…)");
    }
}
