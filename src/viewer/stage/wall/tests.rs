//! Tests of how input changes what the window shows.

use super::{Action, Field, Info, Motion, NotPasted, Sheet, Wall};
use crate::image::pixels::Size;
use crate::image::scale::Area;
use crate::viewer::stage::input::{Input, Key, Point};
use crate::viewer::stage::keys::{Command, Way};
use crate::viewer::stage::wall::view::View;

fn wall(cameras: usize) -> Wall {
    let mut wall = Wall::new(cameras);
    wall.resize(Size::new(1280, 720));
    wall
}

fn press(wall: &mut Wall, keys: &str) -> Option<Action> {
    keys.chars().filter_map(|key| wall.take(Input::Key(Key::Character(key)))).last()
}

#[test]
fn tab_and_clicks_select_and_enter_and_double_clicks_enlarge() {
    let mut wall = wall(4);
    assert!((0..4).all(|index| wall.area(index).is_some()));
    wall.take(Input::Key(Key::Tab));
    assert_eq!(wall.selected(), 1);
    wall.take(Input::Key(Key::BackTab));
    wall.take(Input::Key(Key::BackTab));
    assert_eq!(wall.selected(), 3);
    wall.take(Input::Press(Point { x: 900.0, y: 100.0 }));
    assert_eq!(wall.selected(), 1);
    wall.take(Input::Key(Key::Enter));
    assert_eq!(wall.area(1), Some(Area::of(Size::new(1280, 720))));
    assert_eq!(wall.area(0), None, "not seen, not decoded");
    wall.take(Input::Key(Key::Tab));
    assert_eq!((wall.selected(), wall.area(2).is_some()), (2, true));
    wall.take(Input::DoublePress(Point { x: 1.0, y: 1.0 }));
    assert!(wall.is_grid());
    wall.take(Input::DoublePress(Point { x: 900.0, y: 100.0 }));
    assert_eq!((wall.selected(), wall.is_grid()), (1, false), "what it is on");
}

#[test]
fn keys_ask_for_what_the_list_of_keys_says() {
    let mut wall = wall(1);
    for (key, action) in [
        ("q", Action::Leave),
        ("f", Action::FullScreen),
        ("s", Action::SavePicture),
        ("S", Action::SaveJpeg),
        ("r", Action::Record),
    ] {
        assert_eq!(press(&mut wall, key), Some(action), "{key}");
    }
    assert_eq!(press(&mut wall, "i ?äß"), None);
    let state = (wall.info, wall.motion, wall.sheet);
    assert_eq!(state, (Info::Shown, Motion::Paused, Sheet::Help));
    assert_eq!(wall.take(Input::Key(Key::Escape)), None, "only the help is put away");
    assert_eq!(wall.take(Input::Key(Key::Escape)), Some(Action::Back));
    assert_eq!(wall.take(Input::Close), Some(Action::Leave));
    for key in [Input::Key(Key::Enter), Input::DoublePress(Point { x: 9.0, y: 9.0 })] {
        assert_eq!(wall.take(key), Some(Action::FullScreen), "there is only one");
    }
    wall.take(Input::Key(Key::F1));
    assert_eq!(wall.sheet, Sheet::Help);
}

#[test]
fn escape_puts_away_what_lies_on_top_and_then_what_lies_below() {
    let mut wall = wall(4);
    let escape = |wall: &mut Wall| wall.take(Input::Key(Key::Escape));
    press(&mut wall, "+");
    wall.take(Input::Key(Key::Enter));
    press(&mut wall, "l");
    wall.browse();
    wall.offer(2);
    press(&mut wall, "?");
    assert_eq!((escape(&mut wall), wall.sheet), (None, Sheet::None));
    assert_eq!(escape(&mut wall), Some(Action::PutListAway));
    wall.chosen();
    press(&mut wall, "c");
    assert_eq!((escape(&mut wall), wall.sheet), (None, Sheet::None));
    assert!(!wall.is_grid());
    assert_eq!((escape(&mut wall), wall.is_grid()), (None, true));
    assert!(wall.view(0).is_zoomed());
    assert_eq!((escape(&mut wall), wall.view(0).is_zoomed()), (None, false));
    assert_eq!(escape(&mut wall), Some(Action::Back));
    // Nothing is behind the list that is shown first.
    let mut wall = Wall::new(0);
    wall.offer(2);
    assert_eq!(escape(&mut wall), Some(Action::Back));
}

#[test]
fn a_key_that_is_held_moves_zooms_and_selects_and_does_nothing_else_again() {
    let mut wall = wall(3);
    let before = (wall.info, wall.motion, wall.sheet, wall.view(0), wall.is_grid());
    for letter in "qfFsSrRlLi cCvhH[]0?dD19".chars() {
        assert_eq!(wall.take(Input::Repeat(Key::Character(letter))), None, "{letter}");
    }
    for key in [Key::Escape, Key::Enter, Key::Backspace, Key::F1, Key::F11] {
        assert_eq!(wall.take(Input::Repeat(key)), None, "{key:?}");
    }
    let after = (wall.info, wall.motion, wall.sheet, wall.view(0), wall.is_grid());
    assert_eq!(before, after);
    wall.take(Input::Repeat(Key::Tab));
    assert_eq!(wall.selected(), 1);
    wall.take(Input::Repeat(Key::Character('+')));
    let zoomed = wall.view(1);
    assert!(zoomed.is_zoomed());
    wall.take(Input::Repeat(Key::Right));
    assert_ne!(wall.view(1), zoomed);
    press(&mut wall, "c");
    let adjust = Some(Action::Adjust(Command::Move(Way::Right)));
    assert_eq!(wall.take(Input::Repeat(Key::Right)), adjust, "a control");
    wall.browse();
    wall.offer(2);
    wall.take(Input::Repeat(Key::Down));
    assert_eq!(wall.choice.map(|choice| choice.marked), Some(1));
}

#[test]
fn the_mouse_works_in_a_list_that_is_offered_while_the_controls_are_seen() {
    let mut wall = wall(1);
    press(&mut wall, "c");
    wall.offer(2);
    assert_eq!(wall.sheet, Sheet::None);
    press(&mut wall, "?");
    wall.offer(3);
    assert_eq!(wall.sheet, Sheet::Help, "that is put away by hand");
}

#[test]
fn only_the_selected_picture_is_zoomed_turned_and_mirrored() {
    let mut wall = wall(2);
    wall.take(Input::Key(Key::Tab));
    press(&mut wall, "+]h");
    assert!(wall.view(1).is_zoomed());
    assert!(wall.view(1).orientation().swaps_sides());
    assert_eq!(wall.view(0), View::default());
    press(&mut wall, "0h[");
    assert_eq!(wall.view(1), View::default());
}

#[test]
fn the_wheel_zooms_what_is_under_it_and_dragging_moves_it() {
    let mut wall = wall(2);
    let at = Point { x: 900.0, y: 360.0 };
    wall.take(Input::Wheel { at, steps: 3.0 });
    assert!(wall.view(1).is_zoomed() && !wall.view(0).is_zoomed());
    let before = wall.view(1);
    wall.take(Input::Drag { to: at, by: (5.0, 0.0) });
    assert_eq!(wall.view(1), before, "nothing is held");
    wall.take(Input::Press(at));
    wall.take(Input::Drag { to: at, by: (5.0, 0.0) });
    assert_ne!(wall.view(1), before);
    let moved = wall.view(1);
    wall.take(Input::Release(at));
    wall.take(Input::Drag { to: at, by: (5.0, 0.0) });
    assert_eq!(wall.view(1), moved);
    wall.take(Input::Key(Key::Left));
    assert_ne!(wall.view(1), moved, "an arrow moves what is zoomed");
}

#[test]
fn a_camera_is_chosen_from_a_list_that_changes_meanwhile() {
    let mut wall = wall(0);
    wall.offer(3);
    wall.take(Input::Key(Key::Down));
    wall.take(Input::Key(Key::Down));
    assert_eq!(wall.take(Input::Key(Key::Enter)), Some(Action::Watch(2)));
    assert_eq!(press(&mut wall, " "), Some(Action::Select(2)), "several can be opened at once");
    wall.offer(1);
    assert_eq!(wall.take(Input::Key(Key::Enter)), Some(Action::Watch(0)));
    assert_eq!(press(&mut wall, "1"), Some(Action::WatchOnly(0)));
    assert_eq!(press(&mut wall, "2"), None);
    assert_eq!(press(&mut wall, "s"), None, "there is no picture to save");
    assert_eq!(press(&mut wall, "q"), Some(Action::Leave));
    wall.offer(0);
    assert_eq!(wall.take(Input::Key(Key::Enter)), None);
    assert_eq!(press(&mut wall, "q"), Some(Action::Leave));
}

#[test]
fn an_address_is_typed_below_the_list_and_in_an_empty_list_at_once() {
    let mut wall = wall(0);
    let enter = |wall: &mut Wall| wall.take(Input::Key(Key::Enter));
    wall.offer(0);
    assert!(wall.is_in_field());
    press(&mut wall, "192.168.1.20");
    // Cameras that are found meanwhile must not take the mark from the field.
    wall.offer(2);
    wall.mark(1);
    press(&mut wall, "q:l9");
    wall.take(Input::Key(Key::Backspace));
    wall.take(Input::Repeat(Key::Backspace));
    assert_eq!(wall.typed(), "192.168.1.20q:");
    assert_eq!(enter(&mut wall), Some(Action::WatchTyped));
    assert_eq!(wall.take(Input::Repeat(Key::Enter)), None);
    assert_eq!((wall.take(Input::Key(Key::Escape)), wall.typed()), (None, ""));
    assert_eq!(wall.take(Input::Key(Key::Escape)), Some(Action::Back));
    // Up and down leave the field and return to it. / goes there from anywhere.
    wall.take(Input::Key(Key::Up));
    assert_eq!(enter(&mut wall), Some(Action::Watch(1)));
    press(&mut wall, "/Front door");
    assert_eq!(wall.typed(), "Front door");
    assert_eq!(enter(&mut wall), Some(Action::WatchTyped));
    press(&mut wall, "\u{1b}\u{202e}");
    press(&mut wall, &"x".repeat(999));
    assert_eq!(wall.typed().len(), 300);
    wall.chosen();
    wall.browse();
    wall.offer(1);
    assert_eq!((wall.typed(), wall.is_in_field()), ("", false));
}

#[test]
fn what_was_copied_goes_into_the_field_where_that_is_seen() {
    let paste = Input::Key(Key::Paste);
    let mut watching = wall(1);
    assert_eq!(watching.take(paste), None, "there is no field");
    assert_eq!((watching.paste("garage"), watching.typed()), (Ok(()), ""));
    let mut wall = wall(0);
    wall.offer(2);
    assert_eq!(wall.take(paste), Some(Action::Paste));
    assert_eq!(wall.take(Input::Repeat(Key::Paste)), None, "once is enough");
    assert_eq!(wall.paste(" http://garage.local:8080/\n"), Ok(()));
    assert_eq!((wall.typed(), wall.is_in_field()), ("http://garage.local:8080/", true));
    for (bad, why) in [
        ("a\nb", NotPasted::NotOneLine),
        ("a\u{1b}[2J", NotPasted::NotOneLine),
        ("a\u{202e}b", NotPasted::NotOneLine),
        (&"x".repeat(300), NotPasted::TooLong(Field::Address)),
    ] {
        assert_eq!(wall.paste(bad), Err(why), "{bad:.20}");
        assert_eq!(wall.typed(), "http://garage.local:8080/", "all or nothing");
    }
    wall.sheet = Sheet::Help;
    assert_eq!(wall.take(paste), None, "the field is not seen");
}

#[test]
fn why_nothing_is_pasted_is_said_of_the_field_that_is_seen() {
    let mut wall = wall(0);
    wall.offer(2);
    let said = |wall: &Wall| {
        let field = wall.field();
        [NotPasted::TooLong(field), NotPasted::NoClipboard(field)].map(|why| why.to_string())
    };
    let [too_long, none] = said(&wall);
    assert_eq!(too_long, "what you copied is too long for an address");
    assert!(none.ends_with("Type an address, or start the viewer with it: lancam-view ADDRESS"));
    wall.ask_for_code();
    let [too_long, none] = said(&wall);
    assert_eq!(too_long, "what you copied is too long for a code");
    assert!(none.ends_with(": lancam-view CAMERA --code CODE"), "{none}");
}

#[test]
fn a_right_click_opens_a_menu_whose_lines_do_what_their_keys_do() {
    let mut wall = wall(2);
    let at = Point { x: 900.0, y: 360.0 };
    let line = |wall: &Wall, what: &str| {
        let place = wall.menu.entries.iter().position(|entry| entry.what == what);
        place.unwrap_or_else(|| panic!("no {what} in {:?}", wall.menu.entries))
    };
    wall.take(Input::Menu(at));
    assert_eq!((wall.sheet, wall.selected(), wall.menu.marked), (Sheet::Menu, 1, None));
    let zoom = line(&wall, "Zoom in");
    assert_eq!((wall.choose_from_menu(zoom), wall.sheet), (None, Sheet::None));
    assert!(wall.view(1).is_zoomed() && !wall.view(0).is_zoomed());
    // By keys: the Menu key, up and down, Enter. Other keys do what they always do.
    wall.take(Input::Key(Key::Menu));
    assert_eq!(wall.menu.marked, Some(0));
    wall.take(Input::Key(Key::Up));
    wall.take(Input::Repeat(Key::Down));
    assert_eq!(wall.menu.marked, Some(1));
    let zoomed = wall.view(1);
    wall.take(Input::Key(Key::Enter));
    assert_ne!(wall.view(1), zoomed, "zoomed out");
    wall.take(Input::Menu(at));
    assert_eq!((wall.take(Input::Key(Key::Escape)), wall.sheet), (None, Sheet::None));
    wall.take(Input::Menu(at));
    assert_eq!(press(&mut wall, "s"), Some(Action::SavePicture));
    assert_eq!(wall.sheet, Sheet::None);
    wall.take(Input::Menu(at));
    let controls = line(&wall, "Controls");
    wall.choose_from_menu(controls);
    assert_eq!(wall.sheet, Sheet::Controls);
    assert_eq!(wall.choose_from_menu(999), None);
    // Over the list, it is the window's menu.
    wall.browse();
    wall.offer(2);
    wall.take(Input::Menu(at));
    let quit = line(&wall, "Quit");
    assert_eq!((wall.menu.entries.len(), wall.choose_from_menu(quit)), (3, Some(Action::Leave)));
}

#[test]
fn the_list_lies_over_the_cameras_until_it_is_put_away() {
    let mut wall = wall(4);
    press(&mut wall, "c");
    assert_eq!(press(&mut wall, "l"), Some(Action::List));
    wall.browse();
    wall.offer(2);
    assert_eq!(wall.sheet, Sheet::None);
    for back in [Key::Escape, Key::Backspace, Key::Character('l')] {
        assert_eq!(wall.take(Input::Key(back)), Some(Action::PutListAway));
    }
    assert_eq!(press(&mut wall, "q"), Some(Action::Leave));
    let at = Point { x: 900.0, y: 100.0 };
    wall.take(Input::Press(at));
    wall.take(Input::DoublePress(at));
    assert!(wall.selected() == 0 && wall.is_grid(), "what lies behind it is left alone");
    wall.take(Input::Wheel { at, steps: -1.0 });
    assert_eq!(wall.take(Input::Key(Key::Enter)), Some(Action::Watch(1)));
    wall.mark(7);
    assert_eq!(wall.choice.map(|choice| choice.marked), Some(1));
    wall.chosen();
    wall.replace_selected();
    assert_eq!(wall.take(Input::Key(Key::Backspace)), Some(Action::List));
}

#[test]
fn a_click_on_the_list_of_keys_puts_it_away_and_changes_nothing_behind_it() {
    let at = Point { x: 900.0, y: 100.0 };
    for click in [Input::Press(at), Input::DoublePress(at), Input::Menu(at)] {
        let mut wall = wall(4);
        press(&mut wall, "+?");
        let before = (wall.view(0), wall.view(1));
        assert_eq!((wall.take(click), wall.sheet), (None, Sheet::None), "{click:?}");
        wall.take(Input::Drag { to: at, by: (5.0, 0.0) });
        assert_eq!((wall.selected(), wall.is_grid()), (0, true), "{click:?}");
        assert_eq!((wall.view(0), wall.view(1)), before, "{click:?}");
    }
    // A picture that was held when the list came stays where it is.
    let mut wall = wall(1);
    press(&mut wall, "+");
    wall.take(Input::Press(at));
    press(&mut wall, "?");
    let before = wall.view(0);
    wall.take(Input::Drag { to: at, by: (5.0, 0.0) });
    assert_eq!(wall.view(0), before);
}

#[test]
fn the_list_of_keys_is_scrolled_and_put_away_whatever_lies_behind_it() {
    let mut wall = wall(1);
    wall.offer(3);
    press(&mut wall, "?");
    assert_eq!(wall.take(Input::Key(Key::Down)), Some(Action::Scroll(1)));
    assert_eq!(wall.take(Input::Key(Key::Up)), Some(Action::Scroll(-1)));
    let at = Point { x: 9.0, y: 9.0 };
    for (steps, scrolled) in [(-0.4, 0), (-0.4, 0), (-0.4, 1), (-3.0, 3), (2.0, -1)] {
        assert_eq!(wall.take(Input::Wheel { at, steps }), Some(Action::Scroll(scrolled)));
    }
    assert_eq!(wall.take(Input::Key(Key::Enter)), None, "the list is not seen");
    assert_eq!(wall.take(Input::Key(Key::Escape)), None);
    assert_eq!(wall.take(Input::Key(Key::Enter)), Some(Action::Watch(0)));
}
