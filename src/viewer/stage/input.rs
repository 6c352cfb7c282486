//! Input from keys and mouse, from whatever kind of window.

/// One event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Input {
    /// A key was pressed.
    Key(Key),
    /// A held key repeats. It counts as pressed again where that makes sense.
    Repeat(Key),
    /// The first mouse button went down at this point.
    Press(Point),
    /// It went down again shortly after the first time. No [`Press`](Self::Press) is reported for it.
    DoublePress(Point),
    /// The mouse moved with the button down.
    Drag {
        /// The new position.
        to: Point,
        /// The distance.
        by: (f64, f64),
    },
    /// The button went up.
    Release(Point),
    /// The second mouse button went down at this point.
    Menu(Point),
    /// The mouse moved with no button down.
    Hover(Point),
    /// The wheel was turned away from the user (above 0) or towards him.
    Wheel {
        /// The mouse's position.
        at: Point,
        /// The number of steps.
        steps: f64,
    },
    /// The window was asked to close.
    Close,
}

/// A place in the window, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Point {
    /// The distance from the left.
    pub x: f64,
    /// The distance from the top.
    pub y: f64,
}

/// A key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // named after what stands on them
pub enum Key {
    /// The character that it types in the user's layout.
    Character(char),
    /// The letter that it types while Caps Lock changes its case.
    Locked(char),
    Escape,
    Enter,
    Tab,
    /// Tab with Shift held.
    BackTab,
    Up,
    Down,
    Left,
    Right,
    /// Left with Shift held.
    FarLeft,
    /// Right with Shift held.
    FarRight,
    Backspace,
    /// Ctrl+V, or Shift+Insert.
    Paste,
    Menu,
    F1,
    F11,
}
