//! Reads and sets the controls of a streaming camera, for viewers.

use super::super::identity::Known;
use super::control::{Control, ControlType, Value};
use super::driver::Driver;
use super::{ControlSetting, Controls, fails_to_describe};
use crate::source::control::{self, Access};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use v4l::v4l_sys::{V4L2_CID_HFLIP, V4L2_CID_ROTATE, V4L2_CID_VFLIP};

/// Whether lancam turns the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Turning {
    /// No turn was asked for.
    Nobody,
    /// lancam turns it, by the camera's controls or in software.
    Lancam,
}

/// The wanted values of controls whenever the camera is opened: those of the options, and those
/// that viewers have set since. Clones share the viewers' part.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Those of the options.
    pub options: Vec<ControlSetting>,
    viewers: Arc<Mutex<SetByViewers>>,
}

/// What viewers have set on each of the last cameras, the one that streams at the end. Another camera
/// has other ranges and another view.
#[derive(Debug, Clone, Default)]
struct SetByViewers(Vec<(Known, Vec<ControlSetting>)>);

impl SetByViewers {
    /// More cameras than these are not remembered.
    const MOST: usize = 4;

    fn place_of(&self, camera: Option<&Known>) -> Option<usize> {
        let camera = camera?;
        self.0.iter().position(|(known, _)| known.is(camera))
    }

    fn of(&self, camera: Option<&Known>) -> &[ControlSetting] {
        match self.place_of(camera) {
            Some(at) => &self.0[at].1,
            None => &[],
        }
    }

    fn begin(&mut self, camera: &Known) {
        let settings = match self.place_of(Some(camera)) {
            Some(at) => self.0.remove(at).1,
            None => Vec::new(),
        };
        self.0.push((camera.clone(), settings));
        if self.0.len() > Self::MOST {
            self.0.remove(0);
        }
    }
}

impl Wanted {
    /// The wanted values for `camera`, in the order of setting, without what viewers have set on
    /// another camera. `None` is a camera that nothing is known of.
    pub(in super::super) fn of(&self, camera: Option<&Known>) -> Vec<ControlSetting> {
        self.options.iter().chain(self.viewers().of(camera)).cloned().collect()
    }

    /// Notes that `camera` streams, and that viewers set controls of it from here on.
    pub(in super::super) fn are_for(&self, camera: Option<&Known>) {
        if let Some(camera) = camera {
            self.viewers().begin(camera);
        }
    }

    fn viewers(&self) -> MutexGuard<'_, SetByViewers> {
        self.viewers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What viewers have set `camera`'s control `id` to, whenever that is asked.
    pub(in super::super) fn newest_of(
        &self,
        camera: Option<Known>,
    ) -> impl Fn(u32) -> Option<String> + Send + use<> {
        let wanted = self.clone();
        move |id| {
            let viewers = wanted.viewers();
            let of_it = ControlSetting::numbered(id, 0);
            let mut theirs = viewers.of(camera.as_ref()).iter();
            let found = theirs.find(|setting| setting.is_for_the_same(&of_it));
            found.map(|setting| setting.value().to_owned())
        }
    }

    /// Sets no more what viewers have set on `camera` and an automatic control overrules: they have
    /// switched that on afterwards.
    pub(in super::super) fn forget(&self, camera: Option<&Known>, overruled: &[ControlSetting]) {
        let mut viewers = self.viewers();
        if let Some(at) = viewers.place_of(camera) {
            viewers.0[at].1.retain(|setting| !overruled.contains(setting));
        }
    }

    /// Notes that a viewer has set a control.
    pub(super) fn keep(&self, id: u32, name: &str, value: i64) {
        let setting = ControlSetting::numbered(id, value).called(name);
        if let Some((_, settings)) = self.viewers().0.last_mut() {
            settings.retain(|earlier| !earlier.is_for_the_same(&setting));
            settings.push(setting);
        }
    }
}

/// The controls of one streaming camera.
pub(in super::super) struct Board<D> {
    driver: Arc<D>,
    turning: Turning,
    wanted: Wanted,
    /// Read when somebody first asks for them, so that opening a camera does not take longer.
    controls: Option<Controls>,
}

impl<D: Driver> Board<D> {
    pub(in super::super) fn new(driver: Arc<D>, turning: Turning, wanted: Wanted) -> Self {
        Self { driver, turning, wanted, controls: None }
    }

    fn controls(&mut self) -> &Controls {
        self.controls.get_or_insert_with(|| Controls::list(&*self.driver))
    }

    fn access(&self, control: &Control) -> Access {
        let turns = [V4L2_CID_HFLIP, V4L2_CID_VFLIP, V4L2_CID_ROTATE].contains(&control.id);
        if control.is_fixed() {
            Access::ReadOnly
        } else if turns && self.turning == Turning::Lancam {
            Access::Lancams
        } else if control.is_inactive() {
            Access::Automatic
        } else if control.is_grabbed() {
            Access::Grabbed
        } else if control.modifies_layout() {
            Access::ChangesFrames
        } else {
            Access::Free
        }
    }

    /// A control in the form for viewers; `None` if no viewer can show it: headlines, texts,
    /// arrays.
    fn as_it_is(&self, control: &Control) -> Option<control::Control> {
        let (kind, items) = match &control.kind {
            ControlType::Integer => (control::ControlKind::Integer, [].as_slice()),
            ControlType::Integer64 => (control::ControlKind::Integer64, [].as_slice()),
            ControlType::Boolean => (control::ControlKind::Boolean, [].as_slice()),
            ControlType::Button => (control::ControlKind::Button, [].as_slice()),
            ControlType::Bitmask => (control::ControlKind::Bitmask, [].as_slice()),
            ControlType::Menu(items) => (control::ControlKind::Menu, items.as_slice()),
            ControlType::IntegerMenu(items) => {
                (control::ControlKind::IntegerMenu, items.as_slice())
            }
            ControlType::Text | ControlType::Class | ControlType::Other { .. } => return None,
        };
        let control = control.now(&*self.driver);
        if control.is_disabled() {
            return None;
        }
        let value = match control.value(&*self.driver) {
            Some(Value::Number(number)) => Some(number),
            _ => None,
        };
        Some(control::Control {
            id: control.id,
            name: control.title.clone(),
            kind,
            minimum: control.minimum,
            maximum: control.maximum,
            step: control.step,
            default: control.default,
            value,
            items: items.iter().map(|item| (item.number, item.text.clone())).collect(),
            access: self.access(&control),
            is_volatile: control.is_volatile(),
        })
    }
}

impl<D: Driver> control::Board for Board<D> {
    fn list(&mut self) -> Vec<control::Control> {
        let controls = self.controls().all.clone();
        controls.iter().filter_map(|control| self.as_it_is(control)).collect()
    }

    fn control(&mut self, id: u32) -> Option<control::Control> {
        let control = self.controls().by_id(id)?.clone();
        self.as_it_is(&control)
    }

    fn set(&mut self, id: u32, value: i64) -> Result<(), String> {
        let now = self.control(id).ok_or_else(|| match self.controls().silence_of(id) {
            Some(errno) => fails_to_describe(errno),
            None => NO_SUCH.into(),
        })?;
        now.accepts(value)?;
        let control = self.controls().by_id(id).cloned().ok_or(NO_SUCH)?;
        control
            .set(&*self.driver, &Value::Number(value))
            .map_err(|errno| format!("the camera refused it: {}", errno.desc()))?;
        if control.kind != ControlType::Button {
            self.wanted.keep(id, &control.name, value);
        }
        Ok(())
    }
}

const NO_SUCH: &str = "the camera has no such control";

#[cfg(test)]
mod tests {
    use super::super::super::identity::Identity;
    use super::super::driver::RawControl;
    use super::super::fake::{FakeDriver, raw};
    use super::super::{Moment, Settings};
    use super::*;
    use crate::source::control::Board as _;
    use v4l::v4l_sys::{
        V4L2_CTRL_FLAG_GRABBED, V4L2_CTRL_FLAG_MODIFY_LAYOUT, V4L2_CTRL_FLAG_READ_ONLY,
    };

    const BRIGHTNESS: u32 = 0x0098_0900;
    const AUTOMATIC: u32 = 0x0098_090c;
    const MENU: u32 = 0x0098_0918;
    const MANUAL: u32 = 0x0098_091a;
    const BUTTON: u32 = 0x0098_0920;

    fn webcam() -> FakeDriver {
        let driver = FakeDriver {
            controls: vec![
                raw(0x0098_0001, 6, "User Controls"),
                raw(BRIGHTNESS, 1, "Brightness"),
                RawControl { maximum: 1, ..raw(AUTOMATIC, 2, "White Balance, Automatic") },
                RawControl { maximum: 1, ..raw(V4L2_CID_HFLIP, 2, "Horizontal Flip") },
                RawControl { maximum: 4, ..raw(MENU, 3, "Menu") },
                raw(MANUAL, 1, "White Balance Temperature"),
                raw(BUTTON, 4, "Press"),
                raw(0x0098_0930, 7, "Text"),
            ],
            lock: Some((AUTOMATIC, MANUAL)),
            ..FakeDriver::default()
        };
        driver.numbers.borrow_mut().insert(AUTOMATIC, 1);
        driver
    }

    #[allow(clippy::arc_with_non_send_sync)] // a test has one thread
    fn board(driver: FakeDriver, turning: Turning) -> (Board<FakeDriver>, Arc<FakeDriver>) {
        let driver = Arc::new(driver);
        (Board::new(Arc::clone(&driver), turning, Wanted::default()), driver)
    }

    #[test]
    fn what_can_be_shown_is_listed_with_its_values_and_items() {
        let (mut board, driver) = board(webcam(), Turning::Nobody);
        driver.numbers.borrow_mut().insert(BRIGHTNESS, 9);
        let all = board.list();
        let ids: Vec<u32> = all.iter().map(|control| control.id).collect();
        assert_eq!(ids, [BRIGHTNESS, AUTOMATIC, V4L2_CID_HFLIP, MENU, MANUAL, BUTTON]);
        assert_eq!((all[0].name.as_str(), all[0].value), ("Brightness", Some(9)));
        let items: Vec<_> =
            all[3].items.iter().map(|(item, name)| (*item, name.as_str())).collect();
        assert_eq!(items, [(0, "Item 0"), (2, "Item 2"), (4, "Item 4")]);
        assert_eq!(all[4].access, Access::Automatic);
        assert_eq!(all[5].value, None);
    }

    #[test]
    fn what_the_driver_granted_is_what_is_said() {
        let driver = FakeDriver { makes: Some((BRIGHTNESS, 64)), ..webcam() };
        let (mut board, _) = board(driver, Turning::Nobody);
        assert_eq!(board.set(BRIGHTNESS, 60), Ok(()));
        assert_eq!(board.control(BRIGHTNESS).and_then(|it| it.value), Some(64));
    }

    #[test]
    fn what_cannot_be_never_reaches_the_driver() {
        let (mut board, driver) = board(webcam(), Turning::Lancam);
        for (id, value, reason) in [
            (BRIGHTNESS, 256, "it must be 0 to 255"),
            (BRIGHTNESS, i64::MIN, "it must be 0 to 255"),
            (AUTOMATIC, 2, "it must be 0 to 1"),
            (MENU, 1, "it must be 0 (Item 0), 2 (Item 2) or 4 (Item 4)"),
            (MANUAL, 5, "an automatic control sets it"),
            (V4L2_CID_HFLIP, 1, "--rotate and --flip"),
            (0x0098_0001, 1, "no such control"),
            (0x0098_0930, 1, "no such control"),
            (0, 1, "no such control"),
            (u32::MAX, 1, "no such control"),
        ] {
            let refused = board.set(id, value).expect_err("refused");
            assert!(refused.contains(reason), "{id:#x}: {refused}");
        }
        assert_eq!(*driver.sets.borrow(), []);
    }

    #[test]
    fn flags_say_what_viewers_may_not_set() {
        for (flags, access) in [
            (V4L2_CTRL_FLAG_READ_ONLY, Access::ReadOnly),
            (V4L2_CTRL_FLAG_GRABBED, Access::Grabbed),
            (V4L2_CTRL_FLAG_MODIFY_LAYOUT, Access::ChangesFrames),
        ] {
            let mut driver = webcam();
            driver.controls[1].flags = flags;
            let (mut board, _) = board(driver, Turning::Nobody);
            assert_eq!(board.control(BRIGHTNESS).map(|it| it.access), Some(access));
        }
    }

    #[test]
    fn what_viewers_set_counts_when_the_camera_is_opened_again_and_options_else() {
        let (mut board, _) = board(webcam(), Turning::Nobody);
        let camera = in_port("1");
        board.wanted.are_for(Some(&camera));
        let options = ["brightness=1", "white_balance_temperature=7", "menu=2"];
        board.wanted.options =
            options.iter().map(|it| ControlSetting::parse(it).expect(it)).collect();
        for (id, value) in
            [(BRIGHTNESS, 5), (AUTOMATIC, 0), (BUTTON, 1), (MANUAL, 8), (BRIGHTNESS, 6)]
        {
            assert_eq!(board.set(id, value), Ok(()));
        }
        let wanted = board.wanted.of(Some(&camera));
        let again = webcam();
        let mut settings = Settings::new(&wanted, &again).expect("something to set");
        settings.apply(&again, Moment::BeforeStreaming);
        let sets = again.sets.borrow();
        assert_eq!(*sets, [(MENU, 2), (AUTOMATIC, 0), (MANUAL, 8), (BRIGHTNESS, 6)]);
    }

    /// A webcam without a serial number.
    fn in_port(port: &str) -> Known {
        Known::alone(Identity::webcam("", port))
    }

    #[test]
    fn what_viewers_set_on_one_camera_is_not_set_on_another() {
        let (mut board, _) = board(webcam(), Turning::Nobody);
        board.wanted.options = vec![ControlSetting::parse("menu=2").expect("a setting")];
        let wanted = board.wanted.clone();
        let count = |camera: &Known| {
            let count = wanted.of(Some(camera)).len();
            wanted.are_for(Some(camera));
            count
        };
        assert_eq!(count(&in_port("left")), 1);
        assert_eq!(board.set(BRIGHTNESS, 5), Ok(()));
        assert_eq!(count(&in_port("left")), 2, "the same camera, opened again");
        assert_eq!(count(&in_port("right")), 1, "another camera has the options alone");
        assert_eq!(count(&in_port("left")), 2, "the first camera is back");
        for port in ["1", "2", "3", "4"] {
            assert_eq!(count(&in_port(port)), 1);
        }
        assert_eq!(count(&in_port("left")), 1, "that was long ago");
    }

    #[test]
    fn what_an_automatic_overrules_that_a_viewer_chose_later_is_named_and_then_forgotten() {
        let (mut board, _) = board(webcam(), Turning::Nobody);
        let camera = in_port("left");
        board.wanted.are_for(Some(&camera));
        for (id, value) in [(AUTOMATIC, 0), (MANUAL, 8), (BRIGHTNESS, 5), (AUTOMATIC, 1)] {
            assert_eq!(board.set(id, value), Ok(()));
        }
        let (wanted, again) = (board.wanted.of(Some(&camera)), webcam());
        let mut settings = Settings::new(&wanted, &again).expect("something to set");
        settings.apply(&again, Moment::Streaming);
        let overruled = settings.overruled();
        let names: Vec<String> = overruled.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["white_balance_temperature=8"]);
        board.wanted.forget(Some(&in_port("right")), &overruled);
        assert_eq!(board.wanted.of(Some(&camera)).len(), 3);
        board.wanted.forget(Some(&camera), &overruled);
        let left = board.wanted.of(Some(&camera));
        let left: Vec<String> = left.iter().map(ToString::to_string).collect();
        assert_eq!(left, ["brightness=5", "white_balance_automatic=1"]);
    }

    #[test]
    fn what_viewers_set_outlives_a_camera_that_gives_no_picture() {
        let (mut board, _) = board(webcam(), Turning::Nobody);
        let wanted = board.wanted.clone();
        let known = in_port("left");
        wanted.are_for(Some(&known));
        assert_eq!(board.set(BRIGHTNESS, 5), Ok(()));
        assert_eq!(wanted.of(Some(&in_port("right"))).len(), 0);
        assert_eq!(wanted.of(Some(&known)).len(), 1, "the other one was tried alone");
        assert_eq!(wanted.of(None).len(), 0);
        wanted.are_for(None);
        assert_eq!(wanted.of(Some(&known)).len(), 1, "it was unplugged while it was opened");
    }
}
