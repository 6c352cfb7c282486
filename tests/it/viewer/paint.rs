//! What the viewer draws over pictures: golden pictures, any size of window, any text, no allocation.
//!
//! `LANCAM_BLESS=1` draws tests/golden/paint anew. Look at the new pictures.

use crate::tools::allocations;
use crate::tools::png_file;
use lancam::image::picture::Picture;
use lancam::image::pixels::Size;
use lancam::rate::Rate;
use lancam::viewer::paint::badges::{self, Badges, Mood, Recording, Toast};
use lancam::viewer::paint::code::{CodeSheet, State};
use lancam::viewer::paint::controls::{Panel, Shown};
use lancam::viewer::paint::figures::Figures;
use lancam::viewer::paint::help;
use lancam::viewer::paint::menu::Menu;
use lancam::viewer::paint::notice::{self, Notice};
use lancam::viewer::paint::pane::{Pane, Places};
use lancam::viewer::paint::picker::{Lock, Picker, Row};
use lancam::viewer::paint::widget::Widget;
use lancam::viewer::paint::{AgeTrack, Canvas, Painter, Rect, Scale};
use lancam::viewer::stage::keys::{self, KEYS, MenuOf};
use std::path::Path;
use std::time::{Duration, Instant};

/// Something to draw.
struct Subject {
    name: &'static str,
    draw: Box<dyn Fn(&mut Canvas<'_>)>,
}

/// Everything that can be drawn. `text` takes the place of every text that a stranger may choose. Without it,
/// usual texts do.
fn subjects(text: Option<&str>) -> Vec<Subject> {
    vec![
        subject("figures", figures(text)),
        subject("badges", badges(text)),
        subject("notice", lost(text)),
        subject("notice-first", first_notice(text)),
        subject("help", |canvas| {
            let _ = help::draw(canvas, &KEYS, 0);
        }),
        subject("picker", picker(text, 3)),
        subject("picker-empty", picker(text, 0)),
        subject("picker-many", picker(text, 40)),
        subject("controls", controls(text, None)),
        subject("controls-greyed", controls(text, Some(OFF))),
        subject("grid", grid(text)),
        subject("menu", open_menu()),
        subject("code", code(text, State::Typed, "K7QM-2X")),
        subject("code-tried", code(text, State::Tried, "K7QM-2XPD-9HRT")),
        subject("code-refused", code(text, State::Refused(REFUSED), "K7QM-2XPD-9HRS")),
    ]
}

fn subject(name: &'static str, draw: impl Fn(&mut Canvas<'_>) + 'static) -> Subject {
    Subject { name, draw: Box::new(draw) }
}

/// A camera's longest reason. It takes three lines.
const OFF: &str = "controls are off; start lancam with --control lan, or write control = \"lan\" \
    into lancam.toml";

fn figures(text: Option<&str>) -> impl Fn(&mut Canvas<'_>) + 'static {
    let camera = text.unwrap_or("Küche").to_owned();
    let address = text.unwrap_or("pi-kueche.local:9999 (192.168.1.20)").to_owned();
    let start = Instant::now();
    let track = ages(start);
    move |canvas| {
        let _ = measured(&camera, &address, &track, start).draw(canvas);
    }
}

/// The ages of ten seconds.
fn ages(start: Instant) -> AgeTrack {
    let mut track = AgeTrack::default();
    let ms = Duration::from_millis;
    for number in 0..300_u64 {
        // Mostly calm, with an outlier now and then, and one second without any picture.
        let age = 21 + number * 7919 % 5 + if number % 67 == 0 { 18 } else { 0 };
        if !(120..150).contains(&number) {
            track.push(start + ms(number * 1000 / 30), ms(age));
        }
    }
    track
}

fn measured<'a>(
    camera: &'a str,
    address: &'a str,
    track: &'a AgeTrack,
    start: Instant,
) -> Figures<'a> {
    Figures {
        camera,
        address,
        age: Some(Duration::from_micros(23_400)),
        age_p95: Some(Duration::from_micros(27_100)),
        uncertainty: Some(Duration::from_micros(420)),
        received_fps: Some(30.01),
        shown_fps: Some(29.97),
        bits_per_second: Some(18.42e6),
        size: Some(Size::new(1280, 720)),
        codec: "JPEG",
        skipped_here: 3,
        skipped_there: 12,
        round_trip: Some(Duration::from_micros(840)),
        interval: Some(Duration::from_micros(33_333)),
        track,
        now: start + Duration::from_secs(10),
    }
}

fn badges(text: Option<&str>) -> impl Fn(&mut Canvas<'_>) + 'static {
    let name = text.unwrap_or("Küche").to_owned();
    let saved = text.unwrap_or("Saved Küche 2026-11-22 14.03.27.png").to_owned();
    let failed = text
        .unwrap_or(
            "Cannot write /media/usb/lancam/Küche 2026-11-22 14.03.27.png: no space left on device",
        )
        .to_owned();
    move |canvas| {
        let recording = Recording { running: Duration::from_secs(83), dropped: 4 };
        let all = Badges {
            paused: Some(Duration::from_secs(12)),
            recording: Some(recording),
            age: Some(Duration::from_millis(340)),
            zoom: Some(2.0),
        };
        all.draw(canvas);
        badges::draw_label(canvas, &name);
        let saved = Toast { text: &saved, mood: Mood::Good };
        let failed = Toast { text: &failed, mood: Mood::Bad };
        badges::draw_toasts(canvas, &[failed, saved]);
        badges::draw_selection(canvas);
    }
}

const UNREACHABLE: &str = "cannot reach pi-kueche.local:9999 (192.168.1.20:9999): no route to host; is it switched on? \
                           It is tried again until it answers.";

fn lost(text: Option<&str>) -> impl Fn(&mut Canvas<'_>) + 'static {
    let text = text.unwrap_or(UNREACHABLE).to_owned();
    move |canvas| {
        let lasting = Some(Duration::from_secs(48));
        let last_picture = Some("14:03:22");
        Notice { title: "Not connected", text: &text, lasting, last_picture }.draw(canvas);
    }
}

fn first_notice(text: Option<&str>) -> impl Fn(&mut Canvas<'_>) + 'static {
    let text = text.unwrap_or("connecting to pi-kueche.local:9999").to_owned();
    move |canvas| {
        notice::draw_ground(canvas);
        let lasting = Some(Duration::from_secs(48));
        Notice { title: "Connecting", text: &text, lasting, last_picture: None }.draw(canvas);
    }
}

fn picker(text: Option<&str>, count: usize) -> impl Fn(&mut Canvas<'_>) + 'static {
    let names = [
        "Küche",
        "Гараж",
        "Αυλή – πίσω",
        "玄関 カメラ",
        "Garden behind the old shed, left of the apple tree",
    ];
    let row = |index: usize| Row {
        name: text.unwrap_or(names[index % names.len()]).to_owned(),
        address: text.map_or(format!("192.168.1.{}:9999", 20 + index), str::to_owned),
        size: (index != 1).then_some(Size::new(1280, 720)),
        rate: Rate(if index == 0 { 29_970 } else { 30_000 }),
        lost: (index == 2).then_some(Duration::from_secs(14)),
        is_chosen: [3, 18].contains(&index),
        lock: match index {
            0 | 4 => Lock::Paired,
            1 | 7 => Lock::WantsCode,
            _ => Lock::None,
        },
    };
    let rows: Vec<Row> = (0..count).map(row).collect();
    let typed = match (text, count) {
        (Some(text), _) => text.to_owned(),
        (None, 0) => "192.168.1.2".to_owned(),
        (None, _) => String::new(),
    };
    let advice = "Is lancam running, and on this network? Some networks block the search (multicast); then type the \
                  camera's address below";
    move |canvas| {
        notice::draw_ground(canvas);
        let selected = if rows.len() > 9 { 17 } else { 0 };
        let looking = Duration::from_millis(3400);
        let hover = Some(selected + 1);
        let leaving = "quits";
        let (rows, typed) = (&rows, &*typed);
        let (is_cut, first) = (false, 0);
        let _ = Picker { rows, is_cut, selected, hover, first, looking, advice, typed, leaving }
            .draw(canvas);
    }
}

const REFUSED: &str = "192.168.1.20:9999 is not paired: the code is wrong. On the camera's machine, sudo lancam pair \
                       shows the right one. If this is the right code, another machine answers in the camera's place. Its \
                       certificate begins with 3F:A2:9C:01:77:E0:5D:B8; sudo lancam pair shows the camera's";

fn code(
    text: Option<&str>,
    state: State<'static>,
    typed: &'static str,
) -> impl Fn(&mut Canvas<'_>) + 'static {
    let camera = text.unwrap_or("Küche").to_owned();
    let reason = text.unwrap_or(REFUSED).to_owned();
    let typed = text.unwrap_or(typed).to_owned();
    move |canvas| {
        notice::draw_ground(canvas);
        let state = if let State::Refused(_) = state { State::Refused(&reason) } else { state };
        let advice =
            "The camera's screen shows it. Or type on the camera's machine: sudo lancam pair";
        let (camera, typed, leaving) = (&*camera, &*typed, "shows the list");
        CodeSheet { camera, typed, advice, state, leaving }.draw(canvas);
    }
}

fn open_menu() -> impl Fn(&mut Canvas<'_>) + 'static {
    let (entries, _): (Vec<_>, Vec<_>) = keys::menu(MenuOf::Picture).into_iter().unzip();
    move |canvas| {
        let at = (canvas.area().width / 3, canvas.area().height / 4);
        let _ = Menu { entries: &entries, at, marked: Some(9), first: 0 }.draw(canvas);
    }
}

fn controls(
    text: Option<&str>,
    greyed: Option<&'static str>,
) -> impl Fn(&mut Canvas<'_>) + 'static {
    let camera = text.unwrap_or("Küche").to_owned();
    let control = |name: &str, (minimum, maximum, step, default, value)| Widget {
        name: text.unwrap_or(name).to_owned(),
        minimum,
        maximum,
        step,
        default,
        value,
        ..Widget::default()
    };
    let mut all = vec![
        control("Brightness", (-64, 64, 1, 0, 12)),
        control("Contrast", (0, 100, 1, 50, 50)),
        control("White balance, automatic", (0, 1, 1, 1, 1)),
        control("White balance temperature", (2800, 6500, 10, 4600, 4600)),
        control("Power line frequency", (0, 2, 1, 1, 1)),
        control("Exposure, dynamic framerate", (0, 1, 1, 0, 0)),
        control("Exposure time, absolute", (i64::MIN, i64::MAX, 0, 157, 9_000_000_000)),
        control("Gain", (5, -5, 1, 0, 7)),
        control("Focus, absolute", (0, 1023, 1, 0, 300)),
    ];
    all[3].greyed = Some(text.unwrap_or("automatic white balance is on").to_owned());
    all[4].choices = ["Disabled", "50 Hz", "60 Hz"].map(str::to_owned).to_vec();
    move |canvas| {
        let (selected, hover, shown) = (0, Some(1), Shown::default());
        let _ =
            Panel { camera: &camera, controls: &all, selected, hover, shown, greyed }.draw(canvas);
    }
}

/// Four panes of a grid: one selected, one lost, one with figures.
fn grid(text: Option<&str>) -> impl Fn(&mut Canvas<'_>) + 'static {
    let (start, why) = (Instant::now(), text.unwrap_or(UNREACHABLE).to_owned());
    let track = ages(start);
    let names = ["Küche", "Гараж", "Αυλή", "Tür"].map(|name| text.unwrap_or(name).to_owned());
    move |canvas| {
        let area = canvas.area();
        for (index, name) in (0..).zip(&names) {
            let (width, height) = (area.width / 2, area.height / 2);
            let (x, y) = (area.x + index % 2 * width, area.y + index / 2 * height);
            let pane = Rect::new(x, y, width, height);
            let scale = Scale::for_area(pane, 1.0);
            let mut part = canvas.part(pane);
            let mut pane = part.with_scale(scale);
            let lasting = Some(Duration::from_secs(48));
            let notice = Notice { title: "Not connected", text: &why, lasting, last_picture: None };
            let notice = (index == 2).then_some(notice);
            let said = Pane { notice, badges: Badges::default(), label: Some(name) };
            let places = said.draw(&mut pane, Rect::default());
            if index == 0 {
                let _ = measured(name, "192.168.1.20:9999", &track, start)
                    .draw_in(&mut pane, places.figures);
            }
            if index == 1 {
                badges::draw_selection(&mut pane);
            }
        }
    }
}

const SAID: [&str; 3] = [
    "cannot reach pi-kueche.local:9999 (192.168.1.20:9999): no route to host; is it switched on?",
    "Küche",
    "Cannot write /media/usb/lancam/Küche 2026-11-22 14.03.27.png: no space left on device",
];

/// Draws what the bits of `what` choose over one picture, and returns the places of all of it.
fn pane(canvas: &mut Canvas<'_>, what: u32, figures: Figures<'_>) -> (Places, Rect) {
    let is_said = |bit: u32| what & 1 << bit != 0;
    let second = Duration::from_secs(12);
    let [text, name, message] = SAID;
    let toasts = [Toast { text: message, mood: Mood::Bad }];
    let toasts = if is_said(0) { toasts.as_slice() } else { &[] };
    let messages = badges::place_of_toasts(canvas, toasts);
    let lasting = Some(second);
    let notice = Notice { title: "Not connected", text, lasting, last_picture: None };
    let badges = Badges {
        paused: is_said(1).then_some(second),
        recording: is_said(2).then_some(Recording { running: second, dropped: 4 }),
        age: is_said(3).then_some(second),
        zoom: is_said(3).then_some(2.0),
    };
    let pane =
        Pane { notice: is_said(4).then_some(notice), badges, label: is_said(5).then_some(name) };
    let mut places = pane.draw(canvas, messages);
    let room = if is_said(6) { places.figures } else { Rect::default() };
    places.figures = figures.draw_in(canvas, room);
    badges::draw_toasts(canvas, toasts);
    (places, messages)
}

#[test]
fn nothing_that_is_said_over_a_picture_lies_over_anything_else() {
    let sizes = [(40, 30), (90, 60), (160, 90), (160, 120), (239, 135), (320, 180), (320, 90)];
    let larger = [(240, 600), (480, 270), (640, 360), (1280, 720), (1920, 1080)];
    let (mut painter, start) = (Painter::new(), Instant::now());
    let track = ages(start);
    for (width, height) in sizes.into_iter().chain(larger) {
        for what in 0..1 << 7 {
            let mut picture = scene(Size::new(width, height));
            let area = Rect::of(picture.size());
            let mut canvas = painter.canvas(&mut picture, area, Scale::for_area(area, 1.0));
            let found = pane(&mut canvas, what, measured("Küche", "pi.local:9999", &track, start));
            let (Places { notice, badges, label, figures }, messages) = found;
            let all = [notice, badges, label, figures, messages];
            for (index, one) in all.iter().enumerate() {
                assert_eq!(one.and(area), *one, "{found:?} of {width}x{height}");
                for other in &all[..index] {
                    assert!(one.and(*other).is_empty(), "{width}x{height} {what:07b}: {found:?}");
                }
            }
            let is_told = |bit: u32, place: Rect| what & 1 << bit == 0 || !place.is_empty();
            assert!(is_told(4, notice), "{width}x{height} {what:07b}: why there is no picture");
            if (width, height) >= (320, 180) && height >= 180 && what & 1 == 0 {
                assert!(is_told(2, badges) && is_told(5, label) && is_told(6, figures));
            }
        }
    }
}

/// A picture with dark, bright and coloured parts. It is small as a PNG.
fn scene(size: Size) -> Picture {
    let mut picture = Picture::blank(size, 0);
    let rows = picture.pixels_mut().chunks_exact_mut(size.width.max(1));
    for (y, row) in rows.enumerate() {
        let part = u32::try_from(y * 160 / size.height.max(1)).expect("small");
        row.fill(u32::from_be_bytes([0, 0x60, 0x80, 0xA0]) + part / 2 * 0x0001_0101);
        let (width, is_high) = (size.width, y * 3 > size.height);
        row[width / 2..width * 3 / 4].fill(if is_high { 0x0020_2622 } else { 0x00FD_FDF8 });
        row[width * 3 / 4..width * 5 / 6].fill(if is_high { 0x00B8_4A38 } else { 0x0068_8F5A });
    }
    picture
}

fn drawn(subject: &Subject, size: Size) -> Picture {
    let mut picture = scene(size);
    let area = Rect::of(size);
    (subject.draw)(&mut Painter::new().canvas(&mut picture, area, Scale::for_area(area, 1.0)));
    picture
}

#[test]
fn everything_looks_as_it_was_found_good() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/paint");
    let mut wrong = Vec::new();
    for subject in subjects(None) {
        let small = ["figures", "help", "controls", "picker"].contains(&subject.name);
        let sizes = [Size::new(640, 360), Size::new(1280, 720), Size::new(160, 120)];
        for size in sizes.into_iter().take(if small { 3 } else { 2 }) {
            let picture = drawn(&subject, size);
            let path = folder.join(format!("{}-{size}.png", subject.name));
            if std::env::var_os("LANCAM_BLESS").is_some() {
                std::fs::create_dir_all(&folder).expect("a folder");
                png_file::write(&path, &picture);
            } else if let Some(difference) = difference(&picture, &png_file::read(&path)) {
                wrong.push(format!("{}: {difference}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}\nLANCAM_BLESS=1 accepts what changed", wrong.join("\n"));
}

#[test]
fn every_golden_picture_is_told_from_every_other() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/paint");
    let files = std::fs::read_dir(folder).expect("the folder");
    let pictures: Vec<_> = files
        .map(|file| file.expect("a file").path())
        .map(|path| (png_file::read(&path), path))
        .collect();
    for (index, (one, path)) in pictures.iter().enumerate() {
        for (other, its_path) in &pictures[..index] {
            let (path, its_path) = (path.display(), its_path.display());
            assert!(difference(one, other).is_some(), "{path} would be taken for {its_path}");
        }
    }
}

/// How two pictures differ, if they differ by more than another processor's rounding.
fn difference(found: &Picture, expected: &Picture) -> Option<String> {
    if found.size() != expected.size() {
        return Some(format!("{} instead of {}", found.size(), expected.size()));
    }
    let pairs = found.pixels().iter().zip(expected.pixels());
    let far = |(a, b): (&u32, &u32)| {
        let pairs = a.to_be_bytes().into_iter().zip(b.to_be_bytes());
        pairs.map(|(a, b)| a.abs_diff(b)).max() > Some(6)
    };
    let count = pairs.filter(|pair| far(*pair)).count();
    let allowed = found.size().area() / 20_000;
    (count > allowed).then(|| format!("{count} pixels are different"))
}

/// Texts that no camera should have, but some may.
fn texts() -> Vec<String> {
    let mut texts = vec![
        String::new(),
        " ".into(),
        "\n\n\t\u{0}\u{1b}[31m".into(),
        "玄関カメラ カメラ 🎥👨‍👩‍👧 مرحبا שלום".into(),
        "e\u{301}\u{301}\u{301}\u{301}\u{200D}\u{FE0F}\u{202E}olleh".into(),
        "W".repeat(5000),
        "i ".repeat(3000),
        "\u{10FFFF}\u{FFFD}\u{AD}ﬀ".repeat(40),
    ];
    let mut state = 0x9E37_79B9_u32;
    for _ in 0..12 {
        let mut text = String::new();
        for _ in 0..40 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            text.extend(char::from_u32(state >> 11));
        }
        texts.push(text);
    }
    texts
}

#[test]
fn nothing_outside_its_area_is_touched_whatever_the_size_and_the_text() {
    let mark = 0x0012_3456;
    let mut painter = Painter::new();
    let sides = [(1, 1), (2, 90), (90, 2), (17, 13), (60, 200), (160, 90), (333, 111), (401, 1000)];
    for text in texts() {
        for subject in subjects(Some(&text)) {
            for (width, height) in sides {
                let size = Size::new(width + 10, height + 9);
                let mut picture = Picture::blank(size, mark);
                let [wide, high] = [width, height].map(|side| i32::try_from(side).expect("small"));
                let area = Rect::new(4, 3, wide, high);
                let scale = Scale::for_area(area, if width % 2 == 0 { 1.0 } else { 2.0 });
                (subject.draw)(&mut painter.canvas(&mut picture, area, scale));
                for (index, row) in picture.pixels().chunks_exact(size.width).enumerate() {
                    let is_inside = (3..3 + height).contains(&index);
                    let beside = if is_inside { &row[4 + width..] } else { row };
                    let is_kept = beside.iter().chain(&row[..4]).all(|pixel| *pixel == mark);
                    assert!(is_kept, "{} of {width}x{height}, row {index}, {text:?}", subject.name);
                }
            }
        }
    }
}

#[test]
fn the_largest_windows_and_areas_beyond_the_picture_are_drawn() {
    let mut painter = Painter::new();
    for subject in subjects(None) {
        let mut picture = scene(Size::new(4000, 3000));
        let area = Rect::of(picture.size());
        for dots in [1.0, 3.0] {
            (subject.draw)(&mut painter.canvas(&mut picture, area, Scale::for_area(area, dots)));
        }
        let mut small = scene(Size::new(90, 60));
        for area in [
            Rect::new(-500, -400, 1000, 800),
            Rect::new(i32::MIN, i32::MIN, i32::MAX, i32::MAX),
            Rect::new(0, 0, i32::MAX, i32::MAX),
            Rect::new(80, 50, 640, 360),
            Rect::default(),
        ] {
            (subject.draw)(&mut painter.canvas(&mut small, area, Scale::for_area(area, 1.0)));
        }
    }
}

#[test]
fn drawing_allocates_nothing_once_its_letters_are_known() {
    let size = Size::new(640, 360);
    let mut painter = Painter::new();
    let mut picture = scene(size);
    let area = Rect::of(size);
    for subject in subjects(None) {
        let mut draw = || {
            let scale = Scale::for_area(area, 1.0);
            (subject.draw)(&mut painter.canvas(&mut picture, area, scale));
        };
        draw();
        assert_eq!(allocations::count(draw), 0, "{}", subject.name);
    }
}
