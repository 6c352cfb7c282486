//! Reads the file of keys that X servers let programs in by.

/// The name of the only kind of key there is in practice.
pub(super) const COOKIE: &[u8] = b"MIT-MAGIC-COOKIE-1";

/// The key for a display's number, from what an `.Xauthority` file holds.
pub(super) fn cookie(file: &[u8], display: &str) -> Option<Vec<u8>> {
    let mut rest = file;
    loop {
        // Big-endian everywhere: the family of the address, which does not matter on the machine itself.
        let _family = take(&mut rest, 2)?;
        let _address = counted(&mut rest)?;
        let number = counted(&mut rest)?;
        let kind = counted(&mut rest)?;
        let key = counted(&mut rest)?;
        let is_for_it = number.is_empty() || number == display.as_bytes();
        if is_for_it && kind == COOKIE {
            return Some(key.to_vec());
        }
    }
}

/// Bytes behind their count.
fn counted<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let count = take(rest, 2)?.first_chunk().map(|bytes| u16::from_be_bytes(*bytes))?;
    take(rest, usize::from(count))
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(count)?;
    *rest = left;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: &str, kind: &[u8], key: &[u8]) -> Vec<u8> {
        let mut bytes = vec![1, 0];
        for part in [b"host".as_slice(), number.as_bytes(), kind, key] {
            bytes.extend(u16::try_from(part.len()).expect("short").to_be_bytes());
            bytes.extend_from_slice(part);
        }
        bytes
    }

    #[test]
    fn the_key_of_the_display_is_found_and_no_other() {
        let file = [
            entry("1", COOKIE, b"one"),
            entry("10", b"SOMETHING", b"else"),
            entry("10", COOKIE, b"ten"),
        ]
        .concat();
        assert_eq!(cookie(&file, "10").as_deref(), Some(b"ten".as_slice()));
        assert_eq!(cookie(&file, "2"), None);
        assert_eq!(cookie(&entry("", COOKIE, b"any"), "7").as_deref(), Some(b"any".as_slice()));
        for len in 0..file.len() {
            cookie(&file[..len], "10");
        }
    }
}
