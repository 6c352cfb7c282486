//! Reads what a browser sends of a form with one field.

use super::Refusal;
use super::resource::decoded;
use super::status::Status;

/// The type of such a body.
const TYPE: &str = "application/x-www-form-urlencoded";

/// The longest body that is read.
pub const LONGEST: usize = 1024;

/// Checks the type of a body, which may have parameters.
///
/// # Errors
/// When it is not that of a form.
pub fn check_type(content_type: Option<&str>) -> Result<(), Refusal> {
    let kind = content_type.unwrap_or_default().split(';').next().unwrap_or_default();
    if kind.trim().eq_ignore_ascii_case(TYPE) {
        return Ok(());
    }
    let text = format!("the Content-Type of this request must be {TYPE}");
    Err(Refusal::new(Status::UNSUPPORTED_TYPE, text))
}

/// The value of the only field, which must have this name.
///
/// # Errors
/// When there is another field, none, or something that no browser writes. What was sent is not shown.
pub fn only_field(body: &[u8], name: &str) -> Result<String, Refusal> {
    let wrong =
        || Refusal::new(Status::BAD_REQUEST, format!("the form must have one field, {name}"));
    let text = str::from_utf8(body).map_err(|_| wrong())?;
    let (field, value) = text.split_once('=').ok_or_else(wrong)?;
    if field != name || value.bytes().any(|byte| !byte.is_ascii_graphic() || b"&=".contains(&byte))
    {
        return Err(wrong());
    }
    decoded(&value.replace('+', " ")).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_is_read_as_browsers_write_it() {
        for (body, value) in [
            ("code=K7QM-2XPD-9HRT", "K7QM-2XPD-9HRT"),
            ("code=K7QM+2XPD%2D9HRT", "K7QM 2XPD-9HRT"),
            ("code=k7qm%E2%80%932xpd", "k7qm–2xpd"),
            ("code=a%2Bb%26c%3Dd", "a+b&c=d"),
            ("code=", ""),
        ] {
            assert_eq!(only_field(body.as_bytes(), "code").as_deref(), Ok(value), "{body}");
        }
    }

    #[test]
    fn every_other_body_is_refused_without_being_shown() {
        for body in [
            &b""[..],
            b"code",
            b"cod=K7QM",
            b"Code=K7QM",
            b"code=K7QM&",
            b"code=K7QM&code=K7QM",
            b"x=1&code=K7QM",
            b"code=K7QM=",
            b"code=K7QM\r\n",
            b"code=K7 QM",
            b"code=%",
            b"code=%4",
            b"code=%GG",
            b"code=%FF",
            b"code=\xFF",
            b"{\"code\":\"K7QM\"}",
        ] {
            let refusal = only_field(body, "code").expect_err("it is wrong");
            assert_eq!(refusal.status, Status::BAD_REQUEST);
            assert!(!refusal.text.contains("K7QM"), "{}", refusal.text);
        }
    }

    #[test]
    fn only_forms_are_read() {
        for kind in [TYPE, "Application/X-WWW-form-urlencoded ; charset=UTF-8"] {
            assert_eq!(check_type(Some(kind)), Ok(()), "{kind}");
        }
        for kind in [None, Some("text/plain"), Some("multipart/form-data; boundary=x"), Some("")] {
            assert!(check_type(kind).is_err(), "{kind:?}");
        }
    }
}
