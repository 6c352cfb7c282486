//! The text of the file of paired cameras.

use super::PairedCamera;
use crate::crypto::HASH_LEN;
use crate::hex;
use crate::net::tls::handshake::Pin;
use crate::plain::is_plain;
use crate::viewer::find::address::CameraAddress;
use crate::viewer::find::identity::Identity;
use crate::wire::access::key::{Key, May};

/// The first line, for people who look into the file.
const HEAD: &str = "# Cameras that lancam-view is paired with. Keep this file secret: its keys let anybody watch.\n";

/// What a file says.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) cameras: Vec<PairedCamera>,
    /// Whether there is something that no viewer has written.
    pub(super) is_damaged: bool,
}

/// The lines about one camera, as far as they were read. The address is the last one.
#[derive(Debug, Default)]
struct Draft {
    identity: Identity,
    pin: Option<Pin>,
    key: Option<Key>,
    may: Option<May>,
    before: Vec<CameraAddress>,
    has_begun: bool,
}

/// The text for these cameras.
pub(super) fn written(cameras: &[PairedCamera]) -> String {
    let mut text = HEAD.to_owned();
    for camera in cameras {
        let PairedCamera { identity: Identity { name, id }, address, before, pin, key, may } =
            camera;
        // A line break in a name would make two lines.
        let fine = |text: &str| text.chars().filter(|letter| is_plain(*letter)).collect::<String>();
        let facts = [
            ("name", fine(name)),
            ("id", fine(id)),
            ("may", may.word().to_owned()),
            ("pin", hex::text(pin)),
            ("key", key.text()),
        ];
        let before = before.iter().map(|address| ("before", address.written()));
        let last = ("address", address.written());
        for (word, value) in facts.into_iter().chain(before).chain([last]) {
            text.push_str(&format!("{word} = {value}\n"));
        }
    }
    text
}

/// Reads a file. Cameras that are whole are kept, whatever stands around them.
pub(super) fn parse(text: &str) -> Parsed {
    let (mut cameras, mut is_damaged) = (Vec::new(), false);
    let mut draft = Draft::default();
    for line in text.lines().map(str::trim).filter(|it| !it.is_empty() && !it.starts_with('#')) {
        let Some((word, value)) = line.split_once('=') else {
            is_damaged = true;
            continue;
        };
        let (word, value) = (word.trim(), value.trim());
        draft.has_begun = true;
        match word {
            "name" => value.clone_into(&mut draft.identity.name),
            "id" => value.clone_into(&mut draft.identity.id),
            "pin" => draft.pin = pin(value),
            "key" => draft.key = Key::parse(value),
            "may" => draft.may = May::parse(value),
            "before" => match CameraAddress::parse(value) {
                Ok(address) => draft.before.push(address),
                Err(_) => is_damaged = true,
            },
            "address" => match std::mem::take(&mut draft).complete(value) {
                Some(camera) => cameras.push(camera),
                None => is_damaged = true,
            },
            // A newer viewer may know more of a camera.
            _ => {}
        }
    }
    Parsed { cameras, is_damaged: is_damaged || draft.has_begun }
}

impl Draft {
    fn complete(self, address: &str) -> Option<PairedCamera> {
        let address = CameraAddress::parse(address).ok()?;
        let (pin, key, may) = (self.pin?, self.key?, self.may?);
        let Self { identity, before, .. } = self;
        Some(PairedCamera { identity, address, before, pin, key, may })
    }
}

/// Reads a pin: 64 hexadecimal digits, with or without colons between bytes.
pub(super) fn pin(text: &str) -> Option<Pin> {
    let mut pin = [0; HASH_LEN];
    let digits: Vec<u32> = text
        .chars()
        .filter(|letter| *letter != ':')
        .map(|letter| letter.to_digit(16))
        .collect::<Option<_>>()?;
    if digits.len() != 2 * HASH_LEN {
        return None;
    }
    for (byte, pair) in pin.iter_mut().zip(digits.chunks(2)) {
        *byte = u8::try_from(pair[0] << 4 | pair[1]).ok()?;
    }
    Some(pin)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn camera(name: &str, number: u8) -> PairedCamera {
        PairedCamera {
            identity: Identity { name: name.into(), id: number.to_string() },
            address: CameraAddress::parse("[fe80::1%3]:9998").expect("an address"),
            before: ["cam.home.arpa:9999", "10.0.0.5:9999"]
                .map(|it| CameraAddress::parse(it).expect("an address"))
                .to_vec(),
            pin: [number; 32],
            key: Key::from_random([number; 32]),
            may: May::Control,
        }
    }

    fn read_again(text: &str) -> Vec<String> {
        parse(text).cameras.into_iter().map(|camera| camera.identity.name).collect()
    }

    #[test]
    fn what_is_written_is_read_again() {
        let cameras = [camera("Küche = 台所", 1), camera("", 2)];
        let parsed = parse(&written(&cameras));
        assert!(!parsed.is_damaged);
        assert_eq!(written(&parsed.cameras), written(&cameras));
        assert_eq!(parsed.cameras[0].before, cameras[0].before);
        assert!(!parse("").is_damaged && !parse(HEAD).is_damaged);
        let forged = written(&[camera("a\naddress = pi", 3)]);
        assert_eq!(read_again(&forged), ["aaddress = pi"], "one line");
    }

    #[test]
    fn a_file_that_is_cut_anywhere_keeps_the_cameras_that_are_whole() {
        let cameras = [camera("one", 1), camera("two", 2)];
        let text = written(&cameras);
        let second = text.find("name = two").expect("it is there");
        for end in 0..text.len() {
            let parsed = parse(&text[..end]);
            assert!(parsed.cameras.len() >= usize::from(end >= second), "{end}");
            for (read, whole) in parsed.cameras.iter().zip(&cameras) {
                assert_eq!((read.pin, read.key.text()), (whole.pin, whole.key.text()), "{end}");
            }
            let half = second..text.rfind("address =").expect("it is there");
            assert!(parsed.is_damaged || end == second || !half.contains(&end), "{end}");
        }
    }

    #[test]
    fn damage_is_noticed_and_what_is_around_it_stays() {
        let (one, two) = (written(&[camera("one", 1)]), written(&[camera("two", 2)]));
        for (from, to) in [
            ("pin = 01", "pin = 0x"),
            ("pin = 01", "pin = "),
            ("key = A", "key = ?"),
            ("may = control", "may = everything"),
            ("may = control\n", ""),
            ("before = 10", "before = rtsp://10"),
            ("address = [", "address = rtsp://["),
            ("id = 1", "noise"),
        ] {
            let damaged = one.replacen(from, to, 1);
            assert_ne!(damaged, one);
            let parsed = parse(&(damaged + &two));
            assert!(parsed.is_damaged, "{from}");
            let last = parsed.cameras.last().expect("the whole one");
            assert_eq!(last.identity.name, "two", "{from}");
        }
    }

    #[test]
    fn a_pin_is_read_as_programs_print_it() {
        let plain = "ab".repeat(32);
        let colons = vec!["AB"; 32].join(":");
        assert_eq!(pin(&plain), Some([0xAB; 32]));
        assert_eq!(pin(&colons), Some([0xAB; 32]));
        assert_eq!(hex::text(&[0xAB; 32]), plain);
        for text in ["", "ab", &plain[1..], &format!("{plain}ab"), &plain.replace('a', "g")] {
            assert_eq!(pin(text), None, "{text}");
        }
    }
}
