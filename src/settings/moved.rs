//! What stands in the place of a secret that was moved to the camera's own partition.

/// The text; dots fill the rest.
const LONG: &str = "moved to the camera";
/// The same if there is less room.
const SHORT: &str = "moved.";

/// The text that replaces a secret of `room` bytes.
pub fn text(room: usize) -> String {
    let text = if room >= LONG.len() { LONG } else { SHORT };
    format!("{text:.<room$}").chars().take(room).collect()
}

/// Whether this replaces a secret.
pub fn is_text(text: &str) -> bool {
    let rest = text.strip_prefix(LONG).or_else(|| text.strip_prefix(SHORT));
    rest.is_some_and(|rest| rest.bytes().all(|letter| letter == b'.'))
}
