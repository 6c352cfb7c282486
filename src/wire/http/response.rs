//! Writes the heads of answers.

use super::request::{Afterwards, Version};
pub use super::status::Status;
use std::io::Write;

/// The head of an answer.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    /// The status.
    pub status: Status,
    /// The version of HTTP.
    pub version: Version,
    /// Whether the connection stays open.
    pub afterwards: Afterwards,
    /// The content type; `None` if there is no content.
    pub content_type: Option<&'static str>,
    /// The length of the content; `None` if the end of the connection ends it.
    pub content_len: Option<usize>,
    /// The origin whose pages may read the answer.
    pub allow_origin: Option<&'a str>,
    /// Further headers, each a whole line without line end.
    pub more: &'a [&'a str],
}

/// No answer may be cached. Old browsers need all of these headers for that.
const NEVER_KEPT: &str = "Cache-Control: no-store, no-cache, must-revalidate, pre-check=0, post-check=0, max-age=0\r\n\
    Pragma: no-cache\r\nExpires: Mon, 3 Jan 2000 12:34:56 GMT\r\n";

impl Head<'_> {
    /// Appends the head to `out`, with the empty line at its end.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        let version = match self.version {
            Version::Http10 => "1.0",
            Version::Http11 => "1.1",
        };
        let connection = match self.afterwards {
            Afterwards::Stay => "keep-alive",
            Afterwards::Close => "close",
        };
        let Status { code, reason } = self.status;
        put(
            out,
            format_args!(
                "HTTP/{version} {code} {reason}\r\nConnection: {connection}\r\n{NEVER_KEPT}"
            ),
        );
        if let Some(origin) = self.allow_origin {
            put(out, format_args!("Access-Control-Allow-Origin: {origin}\r\n"));
            if origin != "*" {
                put(out, format_args!("Vary: Origin\r\n"));
            }
        }
        for line in self.more {
            put(out, format_args!("{line}\r\n"));
        }
        if let Some(content_type) = self.content_type {
            // Keeps a browser from running a picture or a text as a page.
            put(
                out,
                format_args!("X-Content-Type-Options: nosniff\r\nContent-Type: {content_type}\r\n"),
            );
        }
        if let Some(len) = self.content_len {
            put(out, format_args!("Content-Length: {len}\r\n"));
        }
        out.extend_from_slice(b"\r\n");
    }
}

fn put(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("memory takes what is written");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_these_bytes() {
        let mut out = Vec::new();
        let head = Head {
            status: Status::UNAVAILABLE,
            version: Version::Http11,
            afterwards: Afterwards::Stay,
            content_type: Some("text/plain; charset=utf-8"),
            content_len: Some(3),
            allow_origin: Some("http://a"),
            more: &["Retry-After: 5"],
        };
        head.write_to(&mut out);
        let expected = "HTTP/1.1 503 Service Unavailable\r\n\
            Connection: keep-alive\r\n\
            Cache-Control: no-store, no-cache, must-revalidate, pre-check=0, post-check=0, max-age=0\r\n\
            Pragma: no-cache\r\n\
            Expires: Mon, 3 Jan 2000 12:34:56 GMT\r\n\
            Access-Control-Allow-Origin: http://a\r\n\
            Vary: Origin\r\n\
            Retry-After: 5\r\n\
            X-Content-Type-Options: nosniff\r\n\
            Content-Type: text/plain; charset=utf-8\r\n\
            Content-Length: 3\r\n\
            \r\n";
        assert_eq!(String::from_utf8(out).expect("text"), expected);
    }
}
