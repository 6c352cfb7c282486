//! The viewer decodes large JPEGs with all cores: whole and in order, though the threads that help get hardly any time.

use crate::tools::allocations;
use crate::tools::fake_camera::jpeg_facts;
use crate::tools::restarts::{data_at, joined, noisy, restarts};
use lancam::image::jpeg::codec::{Decoded, Decoder};
use lancam::image::jpeg::intervals::{Job, Outline, StripDecoder};
use lancam::image::picture::Picture;
use lancam::image::pixels::{Chroma, Size};
use lancam::latest::{Latest, Newest};
use lancam::viewer::watch::cores::{Cores, JpegDecoder};
use lancam::viewer::watch::decoding::Decoding;
use lancam::viewer::watch::news::{News, Publisher};
use std::ops::Range;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

const SIZE: Size = Size::new(400, 600);
/// Larger than any picture here.
const FULL: Size = Size::new(usize::MAX, usize::MAX);

fn decode(decoder: &mut JpegDecoder, jpeg: &[u8]) -> (Picture, Range<usize>) {
    let mut picture = Picture::default();
    let (size, damaged) = decoder.decode(jpeg, FULL, &mut picture).expect("a JPEG");
    assert_eq!(size, picture.size());
    (picture, damaged)
}

fn whole(jpeg: &[u8]) -> Picture {
    let mut picture = Picture::default();
    let mut decoder = Decoder::new().expect("a decoder");
    decoder.decode(jpeg, &mut picture).expect("a JPEG");
    picture
}

fn decoder(cores: &Arc<Cores>) -> JpegDecoder {
    JpegDecoder::new(Arc::clone(cores)).expect("a decoder")
}

#[test]
fn helpers_are_started_for_the_first_picture_that_can_be_cut() {
    let cores = Cores::new(4);
    let (mut first, mut second) = (decoder(&cores), decoder(&cores));
    let without_markers = noisy(SIZE, Chroma::Yuv420, 1);
    let small = joined(Size::new(60, 140), Chroma::Yuv420, 1);
    let few_intervals = joined(SIZE, Chroma::Yuv420, 6);
    for jpeg in [&without_markers, &small, &few_intervals] {
        decode(&mut first, jpeg);
        assert!(!cores.has_helpers(), "{} bytes", jpeg.len());
    }
    decode(&mut second, &joined(SIZE, Chroma::Yuv420, 1));
    assert!(cores.has_helpers());
}

#[test]
fn on_one_core_nothing_is_cut() {
    let cores = Cores::new(1);
    let jpeg = joined(SIZE, Chroma::Yuv420, 1);
    let (picture, _) = decode(&mut decoder(&cores), &jpeg);
    assert!(picture.pixels() == whole(&jpeg).pixels());
    assert!(!cores.has_helpers());
}

#[test]
fn all_cameras_share_the_cores_of_this_machine() {
    assert!(Arc::ptr_eq(&Cores::of_this_machine(), &Cores::of_this_machine()));
}

#[test]
fn cameras_that_share_helpers_get_their_own_pictures() {
    let cores = Cores::new(3);
    let sizes = [Size::new(400, 600), Size::new(333, 777), Size::new(640, 361)];
    thread::scope(|scope| {
        for (size, chroma) in
            sizes.into_iter().zip([Chroma::Yuv420, Chroma::Yuv422, Chroma::Yuv440])
        {
            let mut decoder = decoder(&cores);
            scope.spawn(move || {
                let jpeg = joined(size, chroma, 1);
                let expected = whole(&jpeg);
                for round in 0..60 {
                    let (picture, damaged) = decode(&mut decoder, &jpeg);
                    assert!(damaged.is_empty() && picture.size() == size, "round {round}");
                    assert!(picture.pixels() == expected.pixels(), "{size}, round {round}");
                }
            });
        }
    });
}

/// The JPEG with bytes before its end marker that belong to no block.
fn with_leftovers(jpeg: &[u8]) -> Vec<u8> {
    let end = jpeg.len() - 2;
    [&jpeg[..end], &[0x55; 40], &jpeg[end..]].concat()
}

/// The JPEG with a broken bit after which it has fewer blocks than bytes for them, and libjpeg says no more than that.
fn with_a_bit_that_leaves_bytes_over(jpeg: &[u8]) -> Vec<u8> {
    let data = data_at(jpeg);
    let broken = (data..jpeg.len() - 40).rev().flat_map(|at| (0..8).map(move |bit| (at, bit)));
    let mut broken = broken.map(|(at, bit)| {
        let mut broken = jpeg.to_vec();
        broken[at] ^= 1 << bit;
        broken
    });
    let mut decoder = Decoder::new().expect("a decoder");
    let found = broken.find(|broken| {
        let decoded = decoder.decode(broken, &mut Picture::default());
        decoded.is_ok_and(|decoded| decoded == Decoded::WithLeftovers)
    });
    found.expect("there is such a bit")
}

#[test]
fn bytes_left_over_are_damage_unless_the_camera_often_sends_some() {
    let cores = Cores::new(4);
    let small = Size::new(64, 80);
    for (jpeg, size) in
        [(joined(SIZE, Chroma::Yuv420, 1), SIZE), (noisy(small, Chroma::Yuv422, 1), small)]
    {
        let cheap = with_leftovers(&jpeg);
        let broken = with_a_bit_that_leaves_bytes_over(&jpeg);
        let mut tidy = decoder(&cores);
        for _ in 0..40 {
            assert_eq!(decode(&mut tidy, &jpeg).1, 0..0);
        }
        for _ in 0..2 {
            let (picture, damaged) = decode(&mut tidy, &broken);
            assert!(!damaged.is_empty() && damaged.end == size.height, "{damaged:?}");
            assert!(picture.pixels() == whole(&broken).pixels());
            assert_eq!(decode(&mut tidy, &jpeg).1, 0..0);
        }
        // Another camera in its place may be a cheap one.
        tidy.begin();
        for _ in 0..40 {
            assert_eq!(decode(&mut tidy, &cheap).1, 0..0);
        }
        // A camera that sends such bytes, in every picture or in some.
        for every in [1, 3] {
            let mut camera = decoder(&cores);
            for number in 0..200 {
                let jpeg = if number % every == 0 { &cheap } else { &jpeg };
                assert_eq!(decode(&mut camera, jpeg).1, 0..0, "{number}, one in {every}");
            }
        }
        // What a camera's pictures are usually like is unknown at the first one.
        assert_eq!(decode(&mut decoder(&cores), &cheap).1, 0..0);
    }
}

#[test]
fn damage_is_said_of_the_strip_that_has_it_or_of_the_whole() {
    let jpeg = joined(SIZE, Chroma::Yuv420, 1);
    let cores = Cores::new(4);
    let mut decoder = decoder(&cores);
    let restarts = restarts(&jpeg);
    let broken = [&jpeg[..restarts[9] + 30], &jpeg[restarts[10]..]].concat();
    let (picture, damaged) = decode(&mut decoder, &broken);
    // Interval 10 of 38, 16 rows each.
    assert!(damaged.contains(&160) && damaged.len() < 300, "{damaged:?}");
    assert!(picture.pixels() == whole(&broken).pixels());
    let no_marker = [&jpeg[..restarts[9]], &jpeg[restarts[9] + 2..]].concat();
    let (picture, damaged) = decode(&mut decoder, &no_marker);
    assert_eq!(damaged, 0..SIZE.height, "its strips cannot be told apart");
    assert!(picture.pixels() == whole(&no_marker).pixels());
    let cut_off = &jpeg[..data_at(&jpeg) + 4000];
    assert_eq!(decode(&mut decoder, cut_off).1, 0..SIZE.height);
    assert_eq!(decode(&mut decoder, &jpeg).1, 0..0);
}

/// Starts the helpers of `cores` with the lowest priority. A thread hands its own on to those that it starts.
fn start_helpers_nice(cores: &Arc<Cores>) {
    let cores = Arc::clone(cores);
    let starter = thread::spawn(move || {
        let thread = nix::unistd::gettid().to_string();
        let renice = Command::new("renice").args(["-n", "19", "-p", &thread]).output();
        assert!(renice.expect("util-linux").status.success());
        decode(&mut decoder(&cores), &joined(SIZE, Chroma::Yuv420, 1));
        assert!(cores.has_helpers());
    });
    starter.join().expect("no panic");
}

#[test]
fn pictures_are_whole_and_in_order_though_helpers_are_starved() {
    let cores = Cores::new(4);
    start_helpers_nice(&cores);
    let news = Latest::new();
    let mut reader = news.reader();
    let (mut decoding, mut publisher) =
        (Decoding::with(cores).expect("a decoder"), Publisher::new(news));
    let jpegs = [Chroma::Yuv420, Chroma::Yuv422].map(|chroma| joined(SIZE, chroma, 1));
    let expected = jpegs.each_ref().map(|jpeg| whole(jpeg));
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 * thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        for sequence in 0..100_u64 {
            let which = usize::from(sequence % 2 == 1);
            let facts = jpeg_facts(sequence, SIZE);
            decoding.decode(&facts, None, &jpegs[which], &mut publisher);
            let Newest::Fresh { value: News::Picture(arrival), .. } = reader.newest() else {
                panic!("frame {sequence} is no picture")
            };
            assert_eq!(arrival.picture.sequence, sequence);
            assert!(arrival.picture.pixels() == expected[which].pixels(), "frame {sequence}");
            assert_eq!((arrival.totals.damaged, arrival.totals.corrupt), (0, 0));
        }
        is_over.store(true, Ordering::Relaxed);
    });
}

#[test]
fn damaged_pictures_are_shown_and_counted() {
    let news = Latest::new();
    let mut reader = news.reader();
    let (mut decoding, mut publisher) =
        (Decoding::with(Cores::new(2)).expect("a decoder"), Publisher::new(news));
    let jpeg = joined(SIZE, Chroma::Yuv420, 1);
    let at = restarts(&jpeg)[3];
    let in_a_strip = [&jpeg[..at - 50], &jpeg[at..]].concat();
    let somewhere = [&jpeg[..at], &jpeg[at + 2..]].concat();
    for (sequence, jpeg) in (1..).zip([&jpeg, &in_a_strip, &somewhere, &jpeg]) {
        decoding.decode(&jpeg_facts(sequence, SIZE), None, jpeg, &mut publisher);
    }
    let Newest::Fresh { value: News::Picture(arrival), .. } = reader.newest() else {
        panic!("a picture")
    };
    let totals = arrival.totals;
    assert_eq!((totals.frames, totals.damaged, totals.corrupt), (4, 2, 0));
}

#[test]
fn a_picture_in_strips_costs_no_allocation() {
    let mut decoder = StripDecoder::default();
    let mut picture = Picture::default();
    let jpegs = [Chroma::Yuv420, Chroma::Yuv422].map(|chroma| joined(SIZE, chroma, 1));
    let mut frame = |jpeg: &[u8]| {
        let outline = Outline::read(jpeg).expect("restart intervals");
        let run = |jobs: &mut [Job<'_>]| jobs.iter_mut().for_each(Job::run);
        let decoded = decoder.decode(jpeg, &outline, 4, FULL, &mut picture, run);
        assert!(matches!(decoded, Some(Ok(outcome)) if outcome.damaged.is_empty()));
    };
    jpegs.iter().for_each(|jpeg| frame(jpeg));
    let counted = allocations::count(|| (0..20).for_each(|round| frame(&jpegs[round % 2])));
    assert_eq!(counted, 0);
}
