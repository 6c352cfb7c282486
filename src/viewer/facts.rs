//! What is known of a camera, in the words of what is drawn.

use super::channel::Channel;
use super::news::NoticeKind;
use super::paint::figures::Figures;
use crate::wire::packet::Codec;
use std::time::Instant;

/// What is known of a camera's pictures, for people.
pub(super) fn figures_of(channel: &Channel, now: Instant) -> Figures<'_> {
    let known = &channel.figures;
    let rates = known.rates();
    let (size, codec) = known.newest().unzip();
    let newest = channel.arrival.as_ref().and_then(|arrival| arrival.age);
    Figures {
        camera: channel.name(),
        address: channel.address(),
        age: newest.map(|age| age.by(now)),
        age_p95: known.ages().percentile(0.95),
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
        track: &channel.ages,
        now,
    }
}

/// What stands over a notice.
pub(super) fn heading(kind: NoticeKind) -> &'static str {
    match kind {
        NoticeKind::Connecting => "Connecting",
        NoticeKind::NoPicture => "No picture",
        NoticeKind::Disconnected => "Not connected",
        NoticeKind::NotLancam => "Not a lancam server",
        NoticeKind::Incompatible => "Update needed",
    }
}
