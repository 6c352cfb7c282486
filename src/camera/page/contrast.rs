//! Tests that people with weak eyes can read the pages, by day and by night: the contrast of each text with what is behind it
//! (WCAG 2, success criterion 1.4.3).

use super::{HEAD, PAGE, SMALL};
use std::collections::{BTreeSet, HashMap};

/// What level AA asks for.
const LEAST: f64 = 4.5;

/// Red, green and blue, from 0 to 1.
type Colour = [f64; 3];

/// `#1c2128` or `#fff`.
fn colour(text: &str) -> Colour {
    let digits = text.strip_prefix('#').expect("a colour");
    let width = digits.len() / 3;
    [0, 1, 2].map(|at| {
        let part = digits[at * width..][..width].repeat(2 / width);
        f64::from(u8::from_str_radix(&part, 16).expect("digits")) / 255.0
    })
}

/// What is seen of a colour that lets a part of what is behind it through.
fn blended(colour: Colour, behind: Colour, opacity: f64) -> Colour {
    [0, 1, 2].map(|at| behind[at] + opacity * (colour[at] - behind[at]))
}

fn luminance(colour: Colour) -> f64 {
    let linear = colour.map(|part| match part <= 0.04045 {
        true => part / 12.92,
        false => ((part + 0.055) / 1.055).powf(2.4),
    });
    0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
}

fn contrast(one: Colour, other: Colour) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// The values in a rule such as `:root { --page: #fff; }`.
fn variables(rule: &str) -> HashMap<&str, Colour> {
    let inside = rule.split(['{', '}']).nth(1).expect("a rule");
    let pairs = inside.split(';').filter_map(|it| it.trim().strip_prefix("--")?.split_once(": "));
    pairs.map(|(name, value)| (name, colour(value))).collect()
}

/// The colours by day and by night.
fn schemes() -> [HashMap<&'static str, Colour>; 2] {
    let mut rules = HEAD.split(":root ").skip(1).map(variables);
    [rules.next().expect("by day"), rules.next().expect("by night")]
}

/// The rules of all pages.
fn rules() -> impl Iterator<Item = &'static str> {
    [HEAD, PAGE, SMALL].into_iter().flat_map(str::lines)
}

/// The names of the colours in which text is written, with the opacity of the text.
fn inks() -> Vec<(&'static str, f64)> {
    let ink = |rule: &'static str| {
        let (_, name) = rule.split_once(" color: var(--")?;
        let opacity = rule.split_once("opacity: ").map_or("1", |(_, rest)| rest);
        let opacity = opacity.split([';', ' ']).next()?.parse().expect("a number");
        Some((name.split(')').next()?, opacity))
    };
    rules().filter_map(ink).collect()
}

#[test]
fn a_contrast_is_what_the_guideline_says() {
    assert!((contrast(colour("#fff"), colour("#000")) - 21.0).abs() < 1e-9);
    assert!((contrast(colour("#777777"), colour("#ffffff")) - 4.48).abs() < 0.005);
}

#[test]
fn every_text_can_be_read_by_day_and_by_night() {
    let inks = inks();
    let names: BTreeSet<&str> = inks.iter().map(|(name, _)| *name).collect();
    assert_eq!(names.into_iter().collect::<Vec<_>>(), ["bad", "link", "soft", "text"]);
    for scheme in schemes() {
        for (name, opacity) in &inks {
            for behind in ["page", "card"] {
                let (ink, paper) = (scheme[name], scheme[behind]);
                let found = contrast(blended(ink, paper, *opacity), paper);
                assert!(found >= LEAST, "{name} ({opacity}) on {behind}: {found:.2}");
            }
        }
    }
    // These are the same by day and by night: the button of the small pages, and words over the picture's black.
    for (ink, paper) in [("#fff", "#0b62c4"), ("#fff", "#000"), ("#b6bfca", "#000")] {
        let both = [ink, paper].map(|it| rules().any(|rule| rule.contains(it)));
        assert_eq!(both, [true; 2], "{ink} on {paper}");
        let found = contrast(colour(ink), colour(paper));
        assert!(found >= LEAST, "{ink} on {paper}: {found:.2}");
    }
}
