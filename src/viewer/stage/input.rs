//! What people do with keys and mouse, whatever window it comes from.

/// One thing that was done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Input {
    /// A key was pressed.
    Key(Key),
    /// It is held, and counts as pressed again where that makes sense.
    Repeat(Key),
    /// The mouse's first button went down there.
    Press(Point),
    /// It went down there a second time, shortly after the first; this is no [`Press`](Self::Press) besides.
    DoublePress(Point),
    /// The mouse moved while the button was down.
    Drag {
        /// To there.
        to: Point,
        /// By so much.
        by: (f64, f64),
    },
    /// The button is up again.
    Release(Point),
    /// The mouse's second button went down there.
    Menu(Point),
    /// The mouse moved, no button down.
    Hover(Point),
    /// The wheel was turned over a point, away from the hand (above 0) or towards it.
    Wheel {
        /// Over there.
        at: Point,
        /// So many steps.
        steps: f64,
    },
    /// The window was asked to close.
    Close,
}

/// A place in the window, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Point {
    /// From the left.
    pub x: f64,
    /// From the top.
    pub y: f64,
}

/// A key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // named after what stands on them
pub enum Key {
    /// What it types in the user's own layout.
    Character(char),
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
    Menu,
    F1,
    F11,
}
