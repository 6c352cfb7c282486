//! Writes the certificate by which a camera is known: self-signed, X.509 version 3 (RFC 5280), for a key of the curve P-256.
//!
//! It has one form, so its bytes are put together here. A crate that can write every certificate would bring six more.

use core::net::IpAddr;

/// What stands in a certificate.
#[derive(Debug, Clone, Copy)]
pub struct Certificate<'a> {
    /// Whose it is, for people.
    pub name: &'a str,
    /// The host names for which it stands. One that is not ASCII is left out.
    pub hosts: &'a [String],
    /// The addresses for which it stands.
    pub addresses: &'a [IpAddr],
    /// Tells it from others of the same name. Firefox refuses a second one with the same number.
    pub serial: [u8; 16],
    /// The last year in which it is valid.
    pub last_year: u16,
    /// The public key: an uncompressed point.
    pub public_key: &'a [u8],
}

/// Tags of ASN.1's distinguished encoding (X.690).
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OBJECT: u8 = 0x06;
const UTF8_STRING: u8 = 0x0C;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const VERSION: u8 = 0xA0;
const EXTENSIONS: u8 = 0xA3;
const DNS_NAME: u8 = 0x82;
const IP_ADDRESS: u8 = 0x87;

/// Names of algorithms and fields, as they are encoded.
const ECDSA_WITH_SHA256: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 2];
const EC_PUBLIC_KEY: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 2, 1];
const P256: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 3, 1, 7];
const COMMON_NAME: &[u8] = &[0x55, 4, 3];
const KEY_USAGE: &[u8] = &[0x55, 0x1D, 15];
const ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1D, 17];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1D, 19];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1D, 37];
const SERVER: &[u8] = &[0x2B, 6, 1, 5, 5, 7, 3, 1];

/// Before the first camera. A Pi does not know the time when it makes its certificate.
const FIRST_YEAR: u16 = 2020;

/// The longest common name that is allowed (RFC 5280, appendix A.1).
const MOST_LETTERS: usize = 64;

impl Certificate<'_> {
    /// The part that is signed.
    pub fn to_be_signed(&self) -> Vec<u8> {
        let mut serial = self.serial;
        // A positive number, and never a shorter one.
        serial[0] = serial[0] & 0x7F | 0x40;
        let name = name(self.name);
        let first = time(FIRST_YEAR, "0101000000Z");
        let last = time(self.last_year, "1231235959Z");
        let extensions = [
            extension(BASIC_CONSTRAINTS, true, &coded(SEQUENCE, &[])),
            // Only to sign handshakes: one bit, and seven that are unused.
            extension(KEY_USAGE, true, &coded(BIT_STRING, &[7, 0x80])),
            extension(EXTENDED_KEY_USAGE, false, &coded(SEQUENCE, &coded(OBJECT, SERVER))),
            self.alternative_names(),
        ];
        let parts = [
            coded(VERSION, &coded(INTEGER, &[2])),
            coded(INTEGER, &serial),
            signature_algorithm(),
            name.clone(),
            coded(SEQUENCE, &[first, last].concat()),
            name,
            self.public_key_info(),
            coded(EXTENSIONS, &coded(SEQUENCE, &extensions.concat())),
        ];
        coded(SEQUENCE, &parts.concat())
    }

    fn public_key_info(&self) -> Vec<u8> {
        let algorithm = [coded(OBJECT, EC_PUBLIC_KEY), coded(OBJECT, P256)].concat();
        let key = [&[0], self.public_key].concat();
        coded(SEQUENCE, &[coded(SEQUENCE, &algorithm), coded(BIT_STRING, &key)].concat())
    }

    fn alternative_names(&self) -> Vec<u8> {
        let hosts = self.hosts.iter().filter(|host| host.is_ascii() && !host.is_empty());
        let hosts = hosts.map(|host| coded(DNS_NAME, host.as_bytes()));
        let addresses = self.addresses.iter().map(|address| match address {
            IpAddr::V4(address) => coded(IP_ADDRESS, &address.octets()),
            IpAddr::V6(address) => coded(IP_ADDRESS, &address.octets()),
        });
        let names: Vec<u8> = hosts.chain(addresses).flatten().collect();
        if names.is_empty() {
            // An empty list is not allowed.
            return Vec::new();
        }
        extension(ALTERNATIVE_NAME, false, &coded(SEQUENCE, &names))
    }
}

/// The whole certificate: what was [signed](Certificate::to_be_signed), and its signature.
pub fn signed(to_be_signed: &[u8], signature: &[u8]) -> Vec<u8> {
    let signature = coded(BIT_STRING, &[&[0], signature].concat());
    coded(SEQUENCE, &[to_be_signed, &signature_algorithm(), &signature].concat())
}

fn signature_algorithm() -> Vec<u8> {
    coded(SEQUENCE, &coded(OBJECT, ECDSA_WITH_SHA256))
}

/// A name that is only a common name.
fn name(text: &str) -> Vec<u8> {
    let text: String = text.chars().take(MOST_LETTERS).collect();
    let common = [coded(OBJECT, COMMON_NAME), coded(UTF8_STRING, text.as_bytes())].concat();
    coded(SEQUENCE, &coded(SET, &coded(SEQUENCE, &common)))
}

/// A time is written with two digits of its year before 2050, and with four from then on (section 4.1.2.5).
fn time(year: u16, rest: &str) -> Vec<u8> {
    if year < 2050 {
        coded(UTC_TIME, format!("{:02}{rest}", year % 100).as_bytes())
    } else {
        coded(GENERALIZED_TIME, format!("{year:04}{rest}").as_bytes())
    }
}

fn extension(kind: &[u8], is_critical: bool, value: &[u8]) -> Vec<u8> {
    let critical: &[u8] = if is_critical { &[1, 1, 0xFF] } else { &[] };
    let parts = [&coded(OBJECT, kind), critical, &coded(OCTET_STRING, value)].concat();
    coded(SEQUENCE, &parts)
}

/// A tag, a length, the content.
fn coded(tag: u8, content: &[u8]) -> Vec<u8> {
    let len = content.len().to_be_bytes();
    let digits = &len[len.iter().position(|byte| *byte != 0).unwrap_or(len.len() - 1)..];
    let mut bytes = vec![tag];
    match (digits, u8::try_from(digits.len())) {
        ([short @ 0..=0x7F], _) => bytes.push(*short),
        (long, count) => {
            bytes.push(0x80 | count.unwrap_or(u8::MAX));
            bytes.extend_from_slice(long);
        }
    }
    bytes.extend_from_slice(content);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate<'a>(hosts: &'a [String], addresses: &'a [IpAddr]) -> Certificate<'a> {
        let serial = [0xFF; 16];
        Certificate {
            name: "Garage",
            hosts,
            addresses,
            serial,
            last_year: 2046,
            public_key: &[4; 65],
        }
    }

    #[test]
    fn lengths_take_as_many_bytes_as_they_need() {
        assert_eq!(coded(SEQUENCE, &[]), [0x30, 0]);
        assert_eq!(coded(SEQUENCE, &[7; 127])[..3], [0x30, 127, 7]);
        assert_eq!(coded(SEQUENCE, &[7; 128])[..4], [0x30, 0x81, 128, 7]);
        assert_eq!(coded(SEQUENCE, &[7; 256])[..5], [0x30, 0x82, 1, 0, 7]);
    }

    #[test]
    fn what_is_signed_is_this() {
        let hosts = ["garage.local".to_owned(), "döner".to_owned()];
        let addresses = [IpAddr::from([192, 168, 1, 20])];
        let expected = [
            // To be signed, version 3, the number.
            &[0x30, 0x82, 1, 0x1A, 0xA0, 3, 2, 1, 2, 2, 16, 0x7F][..],
            &[0xFF; 15],
            // ecdsa-with-SHA256.
            &[0x30, 10, 6, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 2],
            // Whose signature it is.
            b"\x30\x11\x31\x0F\x30\x0D\x06\x03\x55\x04\x03\x0C\x06Garage",
            // From when to when it is valid.
            b"\x30\x1E\x17\x0D200101000000Z\x17\x0D461231235959Z",
            // Whose key it is.
            b"\x30\x11\x31\x0F\x30\x0D\x06\x03\x55\x04\x03\x0C\x06Garage",
            // The key: id-ecPublicKey, prime256v1, 66 bytes of which no bit is unused.
            &[0x30, 0x59, 0x30, 0x13, 6, 7, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 2, 1],
            &[6, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 3, 1, 7, 3, 66, 0],
            &[4; 65],
            // Extensions.
            &[0xA3, 0x54, 0x30, 0x52],
            // Basic constraints, critical: it is no authority.
            &[0x30, 12, 6, 3, 0x55, 0x1D, 19, 1, 1, 0xFF, 4, 2, 0x30, 0],
            // Key usage, critical: digital signatures.
            &[0x30, 14, 6, 3, 0x55, 0x1D, 15, 1, 1, 0xFF, 4, 4, 3, 2, 7, 0x80],
            // Extended key usage: a server.
            &[0x30, 19, 6, 3, 0x55, 0x1D, 37, 4, 12, 0x30, 10],
            &[6, 8, 0x2B, 6, 1, 5, 5, 7, 3, 1],
            // Alternative names.
            &[0x30, 29, 6, 3, 0x55, 0x1D, 17, 4, 22, 0x30, 20],
            b"\x82\x0Cgarage.local\x87\x04\xC0\xA8\x01\x14",
        ]
        .concat();
        assert_eq!(certificate(&hosts, &addresses).to_be_signed(), expected);
    }

    #[test]
    fn a_certificate_without_names_has_no_list_of_them_and_a_long_name_is_cut() {
        let bare = certificate(&[], &[]).to_be_signed();
        assert!(!bare.windows(3).any(|bytes| bytes == ALTERNATIVE_NAME));
        let long = "ö".repeat(70);
        let certificate = Certificate { name: &long, last_year: 2050, ..certificate(&[], &[]) };
        let bytes = certificate.to_be_signed();
        let common = [&[UTF8_STRING, 0x81, 128][..], "ö".repeat(64).as_bytes()].concat();
        assert!(bytes.windows(common.len()).any(|it| it == common));
        assert!(bytes.windows(17).any(|it| it == b"\x18\x0F20501231235959Z"));
    }
}
