//! Tests of the controls with a simulated source, whose calls a test can delay.

use super::{
    Answer, AnyBoard, Arc, Controls, Duration, FrameSource, JoinHandle, MOST_ORDERS, Mutex,
    Visitor, lock, thread,
};
use crate::image::frame::FrameLayout;
use crate::image::pixels::{Colour, PixelFormat, Size};
use crate::source::control::{Access, Board, Control, ControlKind};
use crate::source::{Drops, Next, SourceError};
use crate::stop::Stop;
use std::time::Instant;

const PATIENCE: Duration = Duration::from_secs(20);
const AUTOMATIC: u32 = 1;
const MANUAL: u32 = 2;

/// The state of the simulated source.
#[derive(Default)]
struct Inside {
    values: [i64; 2],
    sets: Vec<(u32, i64)>,
}

/// While a test locks `inside`, calls block. The second control can be set while the first is 0.
#[derive(Clone, Default)]
struct FakeBoard(Arc<Mutex<Inside>>);

impl Board for FakeBoard {
    fn list(&mut self) -> Vec<Control> {
        [AUTOMATIC, MANUAL].into_iter().filter_map(|id| self.control(id)).collect()
    }

    fn control(&mut self, id: u32) -> Option<Control> {
        let values = lock(&self.0).values;
        let value = match id {
            AUTOMATIC => values[0],
            MANUAL => values[1],
            _ => return None,
        };
        let is_locked = id == MANUAL && values[0] != 0;
        Some(Control {
            id,
            name: format!("Control {id}"),
            kind: ControlKind::Integer,
            minimum: 0,
            maximum: 100,
            step: 1,
            default: 0,
            value: Some(value),
            items: Arc::from([]),
            access: if is_locked { Access::Automatic } else { Access::Free },
            is_volatile: false,
        })
    }

    fn set(&mut self, id: u32, value: i64) -> Result<(), String> {
        self.control(id).ok_or("no such control")?.accepts(value)?;
        let mut inside = lock(&self.0);
        inside.sets.push((id, value));
        // Only even values are possible.
        inside.values[usize::from(id == MANUAL)] = value & !1;
        Ok(())
    }
}

struct FakeSource(FrameLayout, Option<FakeBoard>);

impl FrameSource for FakeSource {
    fn layout(&self) -> &FrameLayout {
        &self.0
    }
    fn description(&self) -> String {
        "a fake".into()
    }
    fn next_frame(&mut self, _: &Stop) -> Result<Next<'_>, SourceError> {
        Ok(Next::Stopped)
    }
    fn drops(&self) -> Drops {
        Drops::default()
    }
    fn board(&self) -> Option<AnyBoard> {
        self.1.clone().map(|board| -> AnyBoard { Box::new(board) })
    }
}

fn source(board: Option<FakeBoard>) -> FakeSource {
    let layout = FrameLayout::new(PixelFormat::YUYV, Size::new(2, 2), 4, Colour::CAMERA);
    FakeSource(layout, board)
}

/// Controls that stay open until the test ends.
struct Open(Arc<Controls>, Option<JoinHandle<()>>);

impl Open {
    fn with(board: Option<FakeBoard>) -> Self {
        let (controls, setter) = Controls::open().expect("a thread");
        controls.begin(&source(board));
        Self(controls, Some(setter))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.close();
        self.1.take().expect("taken once").join().expect("no panic");
    }
}

fn next(visitor: &mut Visitor) -> Answer {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = visitor.answer() {
            return answer;
        }
        assert!(Instant::now() < deadline, "no answer came");
        thread::yield_now();
    }
}

fn value(answer: &Answer) -> Option<(u32, Option<i64>, Access)> {
    match answer {
        Answer::Control(control) => Some((control.id, control.value, control.access)),
        _ => None,
    }
}

#[test]
fn controls_are_listed_and_set_and_what_was_granted_is_told() {
    let controls = Open::with(Some(FakeBoard::default()));
    let mut visitor = Visitor::new(&controls.0);
    visitor.list();
    let Answer::List { controls, reason } = next(&mut visitor) else { panic!("a list") };
    assert_eq!((controls.len(), &*reason), (2, ""));
    visitor.set(MANUAL, 7);
    assert_eq!(value(&next(&mut visitor)), Some((MANUAL, Some(6), Access::Free)));
}

#[test]
fn who_has_asked_is_told_what_others_changed_and_what_that_changed() {
    let controls = Open::with(Some(FakeBoard::default()));
    let mut watching = Visitor::new(&controls.0);
    watching.list();
    next(&mut watching);
    let mut setting = Visitor::new(&controls.0);
    setting.set(AUTOMATIC, 2);
    assert_eq!(value(&next(&mut setting)), Some((AUTOMATIC, Some(2), Access::Free)));
    assert_eq!(value(&next(&mut watching)), Some((AUTOMATIC, Some(2), Access::Free)));
    assert_eq!(value(&next(&mut watching)), Some((MANUAL, Some(0), Access::Automatic)));
    assert_eq!(setting.answer(), None, "it has asked for no list");
}

#[test]
fn what_is_refused_is_told_with_the_range_and_the_control_as_it_is() {
    let controls = Open::with(Some(FakeBoard::default()));
    let mut visitor = Visitor::new(&controls.0);
    visitor.set(MANUAL, 101);
    let refused = Answer::Refused("Control 2=101: it must be 0 to 100".into());
    assert_eq!(next(&mut visitor), refused);
    assert_eq!(value(&next(&mut visitor)), Some((MANUAL, Some(0), Access::Free)));
    visitor.set(0xffff_ffff, 1);
    assert_eq!(next(&mut visitor), Answer::Refused("control 0xffffffff: no such control".into()));
}

#[test]
fn of_many_values_that_wait_only_the_newest_is_set() {
    let board = FakeBoard::default();
    let controls = Open::with(Some(board.clone()));
    let mut visitor = Visitor::new(&controls.0);
    let held_up = lock(&board.0);
    visitor.set(AUTOMATIC, 0);
    for value in 0..=100 {
        visitor.set(MANUAL, value);
    }
    assert!(lock(&controls.0.state).orders.len() <= 2);
    drop(held_up);
    while value(&next(&mut visitor)) != Some((MANUAL, Some(100), Access::Free)) {}
    let sets = lock(&board.0).sets.clone();
    assert!(sets.len() <= 3 && sets.last() == Some(&(MANUAL, 100)), "{sets:?}");
}

#[test]
fn a_flood_of_numbers_that_are_no_controls_is_answered_in_bounds() {
    let board = FakeBoard::default();
    let controls = Open::with(Some(board.clone()));
    let mut visitor = Visitor::new(&controls.0);
    let held_up = lock(&board.0);
    for id in 1000..2000 {
        visitor.set(id, 1);
    }
    assert!(lock(&controls.0.state).orders.len() <= MOST_ORDERS);
    let Answer::Refused(text) = next(&mut visitor) else { panic!("refused") };
    assert!(text.contains("too many"), "{text}");
    drop(held_up);
}

#[test]
fn where_there_are_no_controls_the_reason_is_told() {
    let controls = Open::with(None);
    let mut visitor = Visitor::new(&controls.0);
    let reason = |answer| match answer {
        Answer::List { controls, reason } if controls.is_empty() => reason.to_string(),
        other => panic!("{other:?}"),
    };
    visitor.list();
    assert_eq!(reason(next(&mut visitor)), "a fake has no controls");
    controls.0.end();
    visitor.list();
    assert!(reason(next(&mut visitor)).contains("no camera is open"));
    visitor.set(1, 1);
    assert!(matches!(next(&mut visitor), Answer::Refused(_)));
    // A visitor that has asked is told of later changes.
    controls.0.begin(&source(Some(FakeBoard::default())));
    let Answer::List { controls, .. } = next(&mut visitor) else { panic!("a list") };
    assert_eq!(controls.len(), 2);
}

#[test]
fn a_source_is_closed_only_when_no_call_is_being_made_of_it() {
    let board = FakeBoard::default();
    let controls = Open::with(Some(board.clone()));
    let visitor = Visitor::new(&controls.0);
    let held_up = lock(&board.0);
    visitor.set(MANUAL, 8);
    // Until the call is being made.
    let deadline = Instant::now() + PATIENCE;
    while !lock(&controls.0.source).is_lent {
        assert!(Instant::now() < deadline, "the order is carried out");
    }
    let ending = {
        let controls = Arc::clone(&controls.0);
        thread::spawn(move || controls.end())
    };
    assert!(!ending.is_finished());
    drop(held_up);
    ending.join().expect("no panic");
    assert_eq!(lock(&board.0).values[1], 8);
}

#[test]
fn a_call_that_hangs_keeps_nobody_from_closing_the_source_and_opening_another() {
    let board = FakeBoard::default();
    let controls = Open::with(Some(board.clone()));
    let mut visitor = Visitor::new(&controls.0);
    let held_up = lock(&board.0);
    visitor.set(MANUAL, 8);
    let deadline = Instant::now() + PATIENCE;
    while !lock(&controls.0.source).is_lent {
        assert!(Instant::now() < deadline, "the order is carried out");
    }
    let started = Instant::now();
    controls.0.end();
    assert!(started.elapsed() < super::LONGEST_CALL * 5, "{:?}", started.elapsed());
    let other = FakeBoard::default();
    controls.0.begin(&source(Some(other.clone())));
    drop(held_up);
    next(&mut visitor);
    visitor.set(MANUAL, 4);
    while value(&next(&mut visitor)) != Some((MANUAL, Some(4), Access::Free)) {}
    assert_eq!(lock(&other.0).sets, [(MANUAL, 4)], "the other source has what was set since");
    assert_eq!(lock(&board.0).sets, [(MANUAL, 8)]);
}

#[test]
fn a_viewer_that_sets_controls_without_end_is_held_to_a_pace() {
    let board = FakeBoard::default();
    let controls = Open::with(Some(board.clone()));
    let mut visitor = Visitor::new(&controls.0);
    let until = Instant::now() + Duration::from_millis(500);
    let mut answers = 0;
    for number in 0_i64.. {
        if Instant::now() >= until {
            break;
        }
        visitor.set(MANUAL, number % 100);
        answers += u32::from(visitor.answer().is_some());
    }
    let sets = lock(&board.0).sets.len();
    // 20 at once, and 10 in half a second.
    assert!((1..=35).contains(&sets), "{sets} sets, {answers} answers");
}
