//! Converts what is known about a camera into what is drawn.

use super::tile::Tile;
use crate::viewer::paint::AgeTrack;
use crate::viewer::paint::figures::Figures;
use crate::viewer::watch::news::{Notice, NoticeKind};
use crate::wire::packet::Codec;
use std::time::{Duration, Instant};

/// The time over which the shown age is the median.
const LATELY: Duration = Duration::from_secs(1);

/// The figures of a camera's pictures.
pub(super) fn figures_of(tile: &Tile, now: Instant) -> Figures<'_> {
    let channel = &tile.channel;
    let known = &channel.statistics;
    let rates = known.rates(now);
    let (size, codec) = known.newest().unzip();
    let newest = channel.arrival.as_ref().and_then(|arrival| arrival.age);
    Figures {
        camera: channel.name(),
        address: channel.address(),
        age: age_of(tile, now),
        age_p95: tile.ages.percentile(now, AgeTrack::SPAN, 0.95),
        uncertainty: newest.map(|age| age.uncertainty),
        received_fps: rates.map(|rates| rates.received),
        shown_fps: rates.map(|rates| rates.shown),
        bits_per_second: rates.map(|rates| rates.bits),
        size,
        codec: match codec {
            Some(Codec::Jpeg) => "JPEG",
            Some(Codec::Bgr24) => "BGR, as it is",
            None => "",
        },
        skipped_here: known.skipped_here(),
        skipped_there: known.skipped_there(),
        round_trip: known.round_trip(),
        interval: channel.interval(),
        track: &tile.ages,
        now,
    }
}

/// The age of pictures when they are shown: the median of the last second. If pictures come less often, the age of the last
/// one when it was shown. If the next one is overdue, the present age. `None` without pictures.
fn age_of(tile: &Tile, now: Instant) -> Option<Duration> {
    let channel = &tile.channel;
    if channel.notice.is_some() {
        return None;
    }
    let overdue = channel.lateness(now).filter(|_| !tile.ages.is_empty());
    let usual = tile.ages.percentile(now, LATELY, 0.5);
    overdue.or(usual).or_else(|| tile.ages.last(now))
}

/// The heading of a notice.
pub(super) fn heading(kind: NoticeKind) -> &'static str {
    match kind {
        NoticeKind::Connecting => "Connecting",
        NoticeKind::NoPicture => "No picture",
        NoticeKind::Disconnected => "Not connected",
        NoticeKind::WantsCode => "Wants a code",
        NoticeKind::Pairing => "Pairing",
        NoticeKind::NotPaired => "Not paired",
        NoticeKind::NotThePaired => "Not the camera that was paired",
        NoticeKind::NotLancam => "Not a lancam server",
        NoticeKind::OtherCamera => "Another camera is there",
        NoticeKind::Incompatible => "Update needed",
    }
}

/// Whether the list of cameras is the way on from such a notice: the camera has never sent a picture, so perhaps another
/// one was meant.
fn leads_to_list(kind: NoticeKind, has_had_picture: bool) -> bool {
    let is_elsewhere = match kind {
        NoticeKind::Connecting | NoticeKind::NoPicture | NoticeKind::Incompatible => false,
        NoticeKind::WantsCode
        | NoticeKind::Pairing
        | NoticeKind::NotPaired
        | NoticeKind::NotThePaired => false,
        NoticeKind::Disconnected | NoticeKind::NotLancam | NoticeKind::OtherCamera => true,
    };
    is_elsewhere && !has_had_picture
}

/// Writes over `out` why there is no picture, and the key that leads on: to the field for the code, or to the list of
/// cameras. `takes_keys`: keys act on this camera.
pub(super) fn explain(out: &mut String, notice: &Notice, has_had_picture: bool, takes_keys: bool) {
    out.clear();
    out.push_str(&notice.text);
    let hint = match notice.kind {
        _ if !takes_keys => return,
        kind if kind.wants_code() => TO_CODE,
        kind if leads_to_list(kind, has_had_picture) => TO_LIST,
        _ => return,
    };
    let ends = ['.', '!', '?'];
    out.push_str(if notice.text.ends_with(ends) { " " } else { ". " });
    out.push_str(hint);
}

/// How to open the field for the camera's code.
const TO_CODE: &str = "Press Enter to type its code";

/// How to choose another camera.
const TO_LIST: &str = "Press l for the list of cameras";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::pixels::Size;
    use crate::latest::Latest;
    use crate::viewer::arrival::Age;
    use crate::viewer::find::address::CameraAddress;
    use crate::viewer::keep::recorder::Recorder;
    use crate::viewer::stage::input::Key;
    use crate::viewer::stage::keys::Command;
    use crate::viewer::watch::channel::{Channel, Feed};
    use crate::viewer::watch::controls::Remote;
    use crate::viewer::watch::news::Publisher;
    use crate::viewer::watch::receiver::Wanted;
    use std::sync::Arc;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_camera_that_was_never_reached_names_the_key_of_the_list_where_that_key_works() {
        let said = |kind, text: &str, has_had_picture, takes_keys| {
            let (mut out, text) = ("before".to_owned(), text.to_owned());
            explain(&mut out, &Notice { kind, text }, has_had_picture, takes_keys);
            out
        };
        let lost = NoticeKind::Disconnected;
        let unknown = "no camera is called \"Dor\"; did you mean \"Door\"?";
        let hint = "Press l for the list of cameras";
        assert_eq!(said(lost, unknown, false, true), format!("{unknown} {hint}"));
        assert_eq!(
            said(lost, "no route to host", false, true),
            format!("no route to host. {hint}")
        );
        let wanted = "it wants its code";
        let asked = said(NoticeKind::WantsCode, wanted, true, true);
        assert_eq!(asked, format!("{wanted}. Press Enter to type its code"));
        assert_eq!(said(NoticeKind::WantsCode, wanted, true, false), wanted);
        assert_eq!(said(lost, unknown, false, false), unknown, "keys act on another camera");
        assert_eq!(said(lost, unknown, true, true), unknown, "it was there, and comes back");
        let connecting = said(NoticeKind::Connecting, "connecting to pi", false, true);
        assert_eq!(connecting, "connecting to pi");
        assert_eq!(Command::of(Key::Character('l')), Some(Command::List));
    }

    #[test]
    fn the_age_is_that_of_pictures_as_they_are_shown_and_never_above_what_few_of_them_exceed() {
        let slot = Latest::new();
        let mut publisher = Publisher::new(Arc::clone(&slot));
        let (recorder, remote) = (Recorder::default(), Remote::default());
        let feed = Feed { slot, demand: Arc::default(), recorder, remote };
        let address = CameraAddress::parse("pi").expect("an address");
        let mut tile = Tile::from(Channel::fed_by(feed, Wanted::at(address)));
        let mut now = Instant::now();
        tile.channel.demand(Some(Size::new(640, 360)), now);
        assert_eq!(figures_of(&tile, now).age, None);
        for number in 0..400_u32 {
            now += 33 * MS;
            let (age, uncertainty, round_trip) = ((5 + number % 5) * MS, MS, MS);
            publisher.blank().age = Some(Age { age, at: now, uncertainty, round_trip });
            publisher.publish();
            tile.update(now, true);
            tile.shown(now);
            // It has been on the screen for a while when it is drawn again.
            let told = figures_of(&tile, now + 25 * MS);
            assert!(told.age <= told.age_p95, "{:?} {:?}", told.age, told.age_p95);
        }
        let told = figures_of(&tile, now + 25 * MS);
        assert_eq!((told.age, told.age_p95), (Some(7 * MS), Some(9 * MS)));
        // The camera hangs: the picture grows old, and the figures say so.
        assert_eq!(figures_of(&tile, now + 2000 * MS).age, Some(2009 * MS));
        // Nobody looks for a minute. Old ages must not be shown as present ones.
        tile.channel.demand(None, now);
        let told = figures_of(&tile, now + 60_000 * MS);
        assert_eq!((told.age, told.age_p95), (None, None));
    }
}
