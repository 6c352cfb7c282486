//! Tests with hand-made JPEGs that have one fault each.

use super::*;

const SOI_: &[u8] = &[0xFF, 0xD8];
const JFIF: &[u8] = b"\xFF\xE0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0";
/// Sequential, 8 bits, 8 rows of 16 pixels, one component with quantization table 0.
const SOF: &[u8] = &[0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 16, 1, 1, 0x11, 0];
/// One DC and one AC table, each with one code of one bit.
const DHT: &[u8] = &[
    0xFF, 0xC4, 0, 38, //
    0x00, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, //
    0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
];
/// A scan of component 1 with tables 0 and 0, coefficients 0 to 63.
const SCAN: &[u8] = &[0xFF, 0xDA, 0, 8, 1, 1, 0x00, 0, 63, 0];
const DATA: &[u8] = &[0x0F, 0xFF, 0x00, 0x3F];

fn dqt() -> Vec<u8> {
    [&[0xFF, 0xDB, 0, 67, 0][..], &[1; 64]].concat()
}

/// A JPEG without anything after its data.
fn bare() -> Vec<u8> {
    [SOI_, JFIF, &dqt(), SOF, DHT, SCAN, DATA].concat()
}

fn whole() -> Vec<u8> {
    [&bare(), END].concat()
}

fn repaired(bytes: &[u8]) -> Vec<u8> {
    let repaired = examine(bytes).expect("it can be repaired");
    let mut out = vec![0xA5; repaired.len()];
    repaired.write_to(&mut out);
    assert!(out.len() <= bytes.len() + MOST_ADDED);
    assert!(examine(&out).expect("it is whole now").is_untouched());
    out
}

fn damage(bytes: &[u8]) -> Damage {
    examine(bytes).expect_err("it cannot be repaired")
}

#[test]
fn a_whole_picture_is_left_as_it_is() {
    let whole = whole();
    let examined = examine(&whole).expect("whole");
    assert!(examined.is_untouched());
    assert_eq!(examined.ending(), Ending::Marked);
    assert_eq!(examined.span(), whole);
    assert_eq!(repaired(&whole), whole);
}

#[test]
fn standard_tables_are_put_in_where_there_are_none() {
    let avi1 = b"\xFF\xE0\0\x10AVI1\0\0\0\0\0\0\0\0\0\0";
    let sent = [SOI_, avi1, &dqt(), SOF, SCAN, DATA, END].concat();
    let wanted = [SOI_, avi1, &dqt(), SOF, &STANDARD_TABLES, SCAN, DATA, END].concat();
    assert_eq!(repaired(&sent), wanted);
    let number_2 = &[0xFF, 0xDA, 0, 8, 1, 1, 0x22, 0, 63, 0];
    let unknown = [SOI_, &dqt(), SOF, number_2, DATA, END].concat();
    assert_eq!(damage(&unknown), Damage::NoTables);
}

#[test]
fn parameters_of_a_scan_that_only_progressive_pictures_have_are_put_right() {
    for odd in [[0, 0, 0], [1, 63, 0], [0, 63, 0x11], [0, 5, 2], [255, 255, 255]] {
        let scan = [&SCAN[..7], &odd].concat();
        let sent = [SOI_, JFIF, &dqt(), SOF, DHT, &scan, DATA, END].concat();
        let examined = examine(&sent).expect("usable");
        assert!(!examined.decodes_as_sent() && examined.len() == sent.len(), "{odd:?}");
        assert_eq!(repaired(&sent), whole(), "{odd:?}");
        // With another fault, too.
        let sent = [SOI_, JFIF, &dqt(), SOF, &scan, DATA].concat();
        let wanted = [SOI_, JFIF, &dqt(), SOF, &STANDARD_TABLES, SCAN, DATA, END].concat();
        assert_eq!(repaired(&sent), wanted, "{odd:?}");
    }
    // They say something there.
    let sof2 = [&[0xFF, 0xC2], &SOF[2..]].concat();
    let dc = [&SCAN[..7], &[0, 0, 1]].concat();
    let progressive = [SOI_, JFIF, &dqt(), &sof2, DHT, &dc, DATA, END].concat();
    assert_eq!(repaired(&progressive), progressive);
}

#[test]
fn a_missing_end_is_put_in() {
    assert_eq!(examine(&bare()).expect("usable").ending(), Ending::Bare);
    assert_eq!(repaired(&bare()), whole());
    let half_a_marker = [&bare(), &[0xFF][..]].concat();
    assert_eq!(repaired(&half_a_marker), whole());
    let padded = [&bare(), &[0; 100][..]].concat();
    assert_eq!(repaired(&padded), whole());
}

#[test]
fn a_zero_that_may_be_data_stays() {
    for last in [&[0x0F, 0][..], &[0xFF, 0]] {
        let sent = [&bare(), last].concat();
        assert_eq!(repaired(&sent), [&sent, END].concat());
    }
    let stuffed_and_padded = [&bare(), &[0xFF, 0, 0, 0][..]].concat();
    assert_eq!(repaired(&stuffed_and_padded), [&bare(), &[0xFF, 0][..], END].concat());
}

#[test]
fn what_lies_behind_the_end_is_left_out() {
    let older = &whole()[100..];
    for behind in [&[0][..], &[0; 5000], &[0xFF, 0xD9], b"\xFF\xD9\xFF\xD9\0", b"junk", b"\xFFx"] {
        let sent = [&whole(), behind].concat();
        assert_eq!(repaired(&sent), whole(), "{behind:?}");
        assert_eq!(examine(&sent).expect("usable").span(), whole());
    }
    let leftovers = [&whole(), older, b"x"].concat();
    assert_eq!(repaired(&leftovers), whole());
    let with_an_end = [&whole(), older].concat();
    let first = examine(&with_an_end).expect("usable").without_leftovers();
    assert_eq!((first.span(), first.len()), (&whole()[..], whole().len()));
}

#[test]
fn of_two_pictures_the_first_stays() {
    assert_eq!(repaired(&[bare(), whole(), b"x".to_vec()].concat()), whole());
    let index = b"\xFF\xE2\0\x08MPF\0II";
    let two = [SOI_, index, &whole()[2..], &whole()].concat();
    assert_eq!(repaired(&two), whole());
}

#[test]
fn thumbnails_and_garbage_are_left_out_and_what_decoders_need_is_not() {
    let rest = &whole()[2 + JFIF.len()..];
    let exif = b"\xFF\xE1\0\x0CExif\0\0\xFF\xD8\xFF\xD9";
    let xmp = b"\xFF\xE1\0\x06http";
    let adobe = b"\xFF\xEE\0\x0EAdobe\0\x64\xFF\xD8\0\0\x01";
    let sent = [SOI_, exif, JFIF, exif, exif, b"\0\xFF\0junk", adobe, xmp, rest].concat();
    assert_eq!(repaired(&sent), [SOI_, JFIF, adobe, xmp, rest].concat());
    // An unknown version and an unknown colour transform.
    let adobe_9 = b"\xFF\xEE\0\x0EAdobe\0\x64\0\0\0\0\x09";
    assert_eq!(repaired(&[SOI_, JFIF, adobe_9, rest].concat()), whole());
    let jfif_9 = b"\xFF\xE0\0\x10JFIF\0\x09\x01\0\0\x01\0\x01\0\0";
    assert_eq!(repaired(&[SOI_, jfif_9, rest].concat()), [SOI_, rest].concat());
}

#[test]
fn fill_bytes_and_restart_markers_are_no_damage() {
    let interval = [0xFF, 0xDD, 0, 4, 0, 1];
    let data = &[0x0F, 0xFF, 0xD0, 0x3F];
    let head = [SOI_, JFIF, &dqt(), SOF, DHT, &interval].concat();
    let sent = [&head, &[0xFF, 0xFF][..], SCAN, data, &[0xFF], END].concat();
    assert_eq!(repaired(&sent), sent);
    assert_eq!(repaired(&[&sent[..], b"x"].concat()), sent);
    let cut_in_its_first_interval = [&head, SCAN, &[0x0F, 0x0F]].concat();
    assert_eq!(damage(&cut_in_its_first_interval), Damage::Cut);
}

#[test]
fn several_scans_are_passed() {
    let sof2 = &[0xFF, 0xC2, 0, 11, 8, 0, 8, 0, 16, 1, 1, 0x11, 0];
    let dc = &[0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 0, 0, 0x3F];
    let ac = &[0xFF, 0xDA, 0, 8, 1, 1, 0, 1, 63, 0, 0x3F];
    let progressive = [SOI_, &dqt(), sof2, DHT, dc, DHT, ac, END].concat();
    assert_eq!(repaired(&progressive), progressive);
    assert_eq!(repaired(&[&progressive[..], b"x"].concat()), progressive);
    assert_eq!(repaired(&progressive[..progressive.len() - 2]), progressive);
}

#[test]
fn what_cannot_be_repaired_says_why() {
    assert_eq!(damage(&[]), Damage::NoStart);
    assert_eq!(damage(&[0; 64]), Damage::NoStart);
    assert_eq!(damage(&whole()[1..]), Damage::NoStart);
    assert_eq!(damage(&bare()[..80]), Damage::NoScan);
    assert_eq!(damage(&[SOI_, END].concat()), Damage::NoScan);
    assert_eq!(damage(&[SOI_, JFIF, SOF, DHT, SCAN, DATA, END].concat()), Damage::NoTables);
    assert_eq!(damage(&[SOI_, &dqt(), SOF, DHT, SCAN, END].concat()), Damage::Short);
    assert_eq!(damage(&[&bare()[..], &[0xFF, 0xC9, 1, 2, 3]].concat()), Damage::Data);
    let mut arithmetic = whole();
    arithmetic[2 + JFIF.len() + dqt().len() + 1] = 0xC9;
    assert_eq!(damage(&arithmetic), Damage::Coding);
    for (at, value) in [(4, 12), (9, 4)] {
        let mut other = whole();
        other[2 + JFIF.len() + dqt().len() + at] = value;
        assert_eq!(damage(&other), Damage::Coding, "12 bits, or four components");
    }
    let mut huge = whole();
    huge[2 + JFIF.len() + dqt().len() + 5..][..4].fill(0xFF);
    assert_eq!(damage(&huge), Damage::Head);
}

#[test]
fn a_picture_cut_anywhere_is_repaired_or_refused() {
    for end in 0..whole().len() {
        match examine(&whole()[..end]) {
            Ok(_) => drop(repaired(&whole()[..end])),
            Err(damage) => assert!(!damage.to_string().is_empty()),
        }
    }
}
