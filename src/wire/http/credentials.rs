//! Finds the keys that a request shows: in its `Authorization` header, its address or a cookie.

use super::fields::Fields;
use super::resource::parameters;
use crate::wire::access::key::ShownKey;
use crate::wire::base64;

/// The longest `Authorization` header that is looked at.
const LONGEST: usize = 1024;

/// The keys that a request shows, at most one in each place. They may be any text but the empty one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Credentials {
    /// `Authorization: Bearer KEY`, or the password of `Basic`.
    pub authorization: Option<ShownKey>,
    /// `?key=KEY`
    pub address: Option<ShownKey>,
    /// The cookie, which a browser sends by itself.
    pub cookie: Option<ShownKey>,
}

impl Credentials {
    /// The keys in these fields, of which the cookie has this name, and in the query of `target`.
    pub fn of(fields: Fields<'_>, target: &str, cookie: &str) -> Self {
        let (_, query) = target.split_once('?').unwrap_or_default();
        let address = parameters(query).find(|(name, value)| name == "key" && !value.is_empty());
        Self {
            authorization: fields.values("authorization").find_map(authorization),
            address: address.map(|(_, value)| ShownKey(value)),
            cookie: fields.values("cookie").find_map(|pairs| in_cookies(pairs, cookie)),
        }
    }
}

/// The key in `Bearer KEY` or `Basic BASE64`. Other schemes show none.
fn authorization(value: &[u8]) -> Option<ShownKey> {
    if value.len() > LONGEST {
        return None;
    }
    let (scheme, word) = str::from_utf8(value).ok()?.split_once([' ', '\t'])?;
    let word = word.trim_matches([' ', '\t']);
    let key = if scheme.eq_ignore_ascii_case("bearer") {
        word.to_owned()
    } else if scheme.eq_ignore_ascii_case("basic") {
        // RFC 7617: USER:PASSWORD. Any user will do, and its name has no colon.
        let pair = String::from_utf8(base64::decode(word)?).ok()?;
        pair.split_once(':')?.1.to_owned()
    } else {
        return None;
    };
    (!key.is_empty()).then_some(ShownKey(key))
}

/// The value of the cookie with this name. The cookies of other services on the same host may have any bytes.
fn in_cookies(pairs: &[u8], name: &str) -> Option<ShownKey> {
    pairs.split(|&byte| byte == b';').find_map(|pair| {
        let value = pair.trim_ascii_start().strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
        let value = value.trim_ascii_end();
        let quoted = value.strip_prefix(b"\"").and_then(|it| it.strip_suffix(b"\""));
        let text = str::from_utf8(quoted.unwrap_or(value)).ok()?;
        (!text.is_empty()).then(|| ShownKey(text.to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(lines: &[u8], target: &str) -> [Option<String>; 3] {
        let Credentials { authorization, address, cookie } =
            Credentials::of(Fields::new(lines), target, "__Host-lancam-7");
        [authorization, address, cookie].map(|it| it.map(|key| key.0))
    }

    fn by_authorization(value: &str) -> Option<String> {
        let [key, address, cookie] = found(format!("authorization: {value}\r\n").as_bytes(), "/");
        assert_eq!((address, cookie), (None, None));
        key
    }

    #[test]
    fn a_key_is_found_in_each_place() {
        assert_eq!(by_authorization("Bearer K-_9").as_deref(), Some("K-_9"));
        assert_eq!(by_authorization("bEARER \t K ").as_deref(), Some("K"));
        // "any:K", ":KL" and ":KW:L".
        assert_eq!(by_authorization("Basic YW55Oks=").as_deref(), Some("K"));
        assert_eq!(by_authorization("BASIC OktM").as_deref(), Some("KL"));
        assert_eq!(by_authorization("basic OktXOkw=").as_deref(), Some("KW:L"));
        for (target, key) in [
            ("/stream?key=K", Some("K")),
            ("/?action=stream&key=K", Some("K")),
            ("/?action=stream?key=K&x", Some("K")),
            ("/stream?%6Bey=%4B", Some("K")),
            ("/stream?key=&key=K&key=L", Some("K")),
            ("/stream?Key=K&akey=K&key", None),
            ("/stream", None),
        ] {
            assert_eq!(found(b"", target)[1].as_deref(), key, "{target}");
        }
        let lines = b"Cookie: a=b; \xFF=\xFE;__Host-lancam-7=K\r\nCookie: __Host-lancam-7=L\r\n";
        assert_eq!(found(lines, "/")[2].as_deref(), Some("K"));
    }

    #[test]
    fn what_shows_no_key_is_passed_over() {
        let long = format!("Bearer {}", "K".repeat(LONGEST));
        for value in [
            "",
            "K",
            "Bearer",
            "Bearer ",
            "Digest username=\"x\", response=\"y\"",
            "Basic",
            "Basic K",
            "Basic !!!!",
            // "any" has no password, "any:" an empty one, and the last is not UTF-8.
            "Basic YW55",
            "Basic YW55Og==",
            "Basic Ov8=",
            "BearerK",
            &long,
        ] {
            assert_eq!(by_authorization(value), None, "{value}");
        }
        assert_eq!(found(b"Authorization: Bearer \xFF\r\n", "/")[0], None);
    }

    #[test]
    fn the_first_key_counts_of_several() {
        let lines =
            b"Authorization: Digest x\r\nAuthorization: Bearer K\r\nAuthorization: Bearer L\r\n";
        assert_eq!(found(lines, "/")[0].as_deref(), Some("K"));
    }

    #[test]
    fn cookies_are_read_as_browsers_and_libraries_write_them() {
        let cookie = |text: &str| found(format!("cookie:{text}\r\n").as_bytes(), "/")[2].clone();
        for text in [
            "__Host-lancam-7=K",
            " x=1 ;  __Host-lancam-7=K ;y=2",
            "__Host-lancam-7=\"K\"",
            "__Host-lancam-7=;__Host-lancam-7=K",
            "__Host-lancam-7=\"\"; __Host-lancam-7=K",
        ] {
            assert_eq!(cookie(text).as_deref(), Some("K"), "{text}");
        }
        for text in [
            "",
            ";;=;=",
            "__host-lancam-7=K",
            "__Host-lancam-77=K",
            "x__Host-lancam-7=K",
            "__Host-lancam-7",
            "__Host-lancam-7 =K",
            "x=__Host-lancam-7=K",
        ] {
            assert_eq!(cookie(text), None, "{text}");
        }
        assert_eq!(cookie("__Host-lancam-7=K=L\"").as_deref(), Some("K=L\""));
    }
}
