//! What `--list` prints: a line for each camera, or all of them as JSON.

use super::found::Found;
use crate::json::{Object, array, quoted};
use unicode_width::UnicodeWidthStr;

/// The list for people: name, address, size and rate in columns, and behind them what `beside` says of a camera.
pub fn text(cameras: &[Found], beside: impl Fn(&Found) -> &'static str) -> String {
    let rows = cameras.iter().map(|camera| row(camera, beside(camera))).collect::<Vec<_>>();
    let width =
        |column: usize| rows.iter().map(|row| row[column].width()).max().unwrap_or_default();
    let widths = [width(0), width(1), width(2), width(3), 0];
    let line = |row: &[String; 5]| {
        let padded = row.iter().zip(widths).map(|(text, width)| {
            let missing = width.saturating_sub(text.width());
            format!("{text}{}", " ".repeat(missing))
        });
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn row(camera: &Found, beside: &str) -> [String; 5] {
    let size = camera.facts.size.map_or_else(|| "no picture yet".into(), |size| size.to_string());
    let rate = camera.facts.rate.known().map_or_else(String::new, |rate| format!("{rate} fps"));
    [camera.name.clone(), camera.address().to_string(), size, rate, beside.to_owned()]
}

/// The list for programs: a JSON array on one line. Unknown values are null.
pub fn json(cameras: &[Found]) -> String {
    array(cameras, object)
}

fn object(camera: &Found) -> String {
    let facts = &camera.facts;
    Object::new()
        .text("name", &camera.name)
        .text("address", &camera.address().to_string())
        .or_null("size", facts.size.map(|size| quoted(&size.to_string())))
        .or_null("fps", facts.rate.known())
        .json("addresses", array(&camera.addresses, |address| quoted(&address.to_string())))
        .json("tls", facts.pin.is_some().to_string())
        .text("version", &facts.version)
        .text("id", &facts.id)
        .end()
}

/// One line for a window or a log when exactly one camera was expected and none or several answered.
pub fn choice(cameras: &[Found]) -> String {
    if cameras.is_empty() {
        return NONE.to_owned();
    }
    let named = cameras.iter().take(MOST_NAMED);
    let named: Vec<_> =
        named.map(|camera| format!("{} ({})", camera.name, camera.address())).collect();
    let rest = cameras.len() - named.len();
    let rest = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    format!("several cameras are on the LAN; name one of them: {}{rest}", named.join(", "))
}

/// The most cameras in one line.
const MOST_NAMED: usize = 20;

/// The message when the list is incomplete.
pub const CUT: &str = "too many cameras answered; the list leaves some out";

/// The message when no camera answers.
pub const NONE: &str = "no camera answers on the LAN. Is lancam running, and on this network? \
                        Some networks block the search (multicast); then name the camera: lancam-view ADDRESS";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::pixels::Size;
    use crate::rate::Rate;
    use crate::wire::service::Facts;

    fn cameras() -> [Found; 2] {
        let addresses = vec!["10.0.0.5:9999".parse().expect("an address")];
        let facts = Facts {
            version: "0.1.0".into(),
            id: "7".into(),
            size: Some(Size::new(1280, 720)),
            rate: Rate(29_970),
            ..Facts::default()
        };
        let unknown = Facts::default();
        [
            Found {
                name: "Küche".into(), addresses: addresses.clone(), facts, ..Found::default()
            },
            Found { name: "a \"b\"".into(), addresses, facts: unknown, ..Found::default() },
        ]
    }

    #[test]
    fn people_get_a_line_for_each_camera_and_programs_all_of_them_in_one() {
        assert_eq!(
            text(&cameras(), |_| ""),
            "Küche  10.0.0.5:9999  1280x720        29.97 fps\n\
             a \"b\"  10.0.0.5:9999  no picture yet"
        );
        assert_eq!(
            json(&cameras()),
            "[{\"name\":\"Küche\",\"address\":\"10.0.0.5:9999\",\"size\":\"1280x720\",\"fps\":29.97,\
             \"addresses\":[\"10.0.0.5:9999\"],\"tls\":false,\"version\":\"0.1.0\",\"id\":\"7\"},\
             {\"name\":\"a \\\"b\\\"\",\"address\":\"10.0.0.5:9999\",\"size\":null,\"fps\":null,\
             \"addresses\":[\"10.0.0.5:9999\"],\"tls\":false,\"version\":\"\",\"id\":\"\"}]"
        );
        assert_eq!((text(&[], |_| ""), json(&[])), (String::new(), "[]".into()));
        let [mut one, other] = cameras();
        one.name = "玄関".into();
        assert_eq!(
            text(&[one, other], |camera| if camera.name == "玄関" {
                "paired"
            } else {
                "wants a code"
            }),
            "玄関   10.0.0.5:9999  1280x720        29.97 fps  paired\n\
             a \"b\"  10.0.0.5:9999  no picture yet             wants a code"
        );
    }

    /// A terminal gives an accent of its own no cell, and an emoji of several parts two.
    #[test]
    fn columns_stand_below_each_other_whatever_the_names_are_written_in() {
        for (name, cells) in [("Ku\u{308}che", 5), ("정원", 4), ("👩‍🔬", 2), ("🇩🇪", 2), ("ａｂ", 4)]
        {
            let [mut camera, _] = cameras();
            camera.name = name.into();
            let second = Found { name: "1234567".into(), ..camera.clone() };
            let spaces = " ".repeat(7 - cells + 2);
            let printed = text(&[camera, second], |_| "");
            let expected = format!("{name}{spaces}10.0.0.5:9999");
            assert!(printed.starts_with(&expected), "{printed:?}");
        }
    }
}
