//! Decides whether a request comes from a page of the camera itself, by what the browser says.

use super::fields::Fields;

/// Whose page made a browser send a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Site {
    /// The camera's own, or nobody's: a person typed the address.
    Own,
    /// Another one.
    Foreign,
    /// The request does not say. Programs do not, and old browsers only where they send something.
    Unknown,
}

impl Site {
    /// What these fields say, for a camera that the client calls `host`, inside TLS.
    ///
    /// A page cannot choose these headers.
    pub fn of(fields: Fields<'_>, host: Option<&str>) -> Self {
        // W3C Fetch Metadata. Another port of the same host is "same-site", and another origin.
        let mut told = fields.values("sec-fetch-site").peekable();
        if told.peek().is_some() {
            let is_own = told.all(|site| [&b"same-origin"[..], b"none"].contains(&site));
            return if is_own { Self::Own } else { Self::Foreign };
        }
        let mut origins = fields.values("origin").peekable();
        if origins.peek().is_none() {
            return Self::Unknown;
        }
        let own = host.map(|host| format!("https://{host}"));
        let is_own = |origin: &[u8]| {
            own.as_ref().is_some_and(|own| own.as_bytes().eq_ignore_ascii_case(origin))
        };
        if origins.all(is_own) { Self::Own } else { Self::Foreign }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_cameras_own_pages_are_its_own() {
        for (lines, site) in [
            ("Sec-Fetch-Site: same-origin\r\n", Site::Own),
            ("Sec-Fetch-Site: none\r\n", Site::Own),
            // Firefox does this for pages with a strict referrer policy.
            ("Sec-Fetch-Site: same-origin\r\nOrigin: null\r\n", Site::Own),
            ("Origin: https://Garage.local:8080\r\n", Site::Own),
            ("", Site::Unknown),
            ("Sec-Fetch-Mode: navigate\r\n", Site::Unknown),
            ("Sec-Fetch-Site: same-site\r\n", Site::Foreign),
            ("Sec-Fetch-Site: cross-site\r\n", Site::Foreign),
            ("Sec-Fetch-Site:\r\n", Site::Foreign),
            ("Sec-Fetch-Site: same-origin, cross-site\r\n", Site::Foreign),
            ("Sec-Fetch-Site: none\r\nSec-Fetch-Site: cross-site\r\n", Site::Foreign),
            ("Sec-Fetch-Site: cross-site\r\nOrigin: https://garage.local:8080\r\n", Site::Foreign),
            ("Origin: null\r\n", Site::Foreign),
            ("Origin: http://garage.local:8080\r\n", Site::Foreign),
            ("Origin: https://garage.local\r\n", Site::Foreign),
            ("Origin: https://garage.local:8080.evil.example\r\n", Site::Foreign),
            ("Origin: https://garage.local:8080\r\nOrigin: https://evil\r\n", Site::Foreign),
        ] {
            let fields = Fields::new(lines.as_bytes());
            assert_eq!(Site::of(fields, Some("garage.local:8080")), site, "{lines}");
        }
        let fields = Fields::new(b"Origin: https://\r\n");
        assert_eq!(
            Site::of(fields, None),
            Site::Foreign,
            "a host that is not named is not its own"
        );
    }
}
