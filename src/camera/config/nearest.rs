//! Finds the option that somebody meant who wrote another name.

use super::options::OPTIONS;

/// The option whose name is nearest to `name`, if one is near.
pub(super) fn option(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase().replace('_', "-");
    let names = OPTIONS.iter().map(|entry| entry.name);
    // Three letters of a long name may be wrong, one of a short one.
    let near = |distance: &usize| *distance <= (name.len() / 3).clamp(1, 3);
    names
        .map(|known| (distance(&name, known), known))
        .filter(|(distance, _)| near(distance))
        .min()
        .map(|(_, known)| known)
}

/// How many letters must be put in, left out, changed or exchanged with their neighbour to make one of the other.
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) =
        (from.chars().take(MAX).collect(), to.chars().collect());
    let mut before_last = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    for (row, letter) in from.iter().enumerate() {
        let mut this = vec![row + 1];
        for (column, other) in to.iter().enumerate() {
            let changed = last[column] + usize::from(letter != other);
            let mut least = changed.min(last[column + 1] + 1).min(this[column] + 1);
            let exchanged =
                row > 0 && column > 0 && from[row - 1] == *other && to[column - 1] == *letter;
            if exchanged {
                let until_then: &Vec<usize> = &before_last;
                least = least.min(until_then[column - 1] + 1);
            }
            this.push(least);
        }
        before_last = std::mem::replace(&mut last, this);
    }
    last[to.len()]
}

/// No name is as long, and a file may have very long ones.
const MAX: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_finger_are_understood_and_strangers_are_not() {
        for (written, meant) in [
            ("qualty", "quality"),
            ("qaulity", "quality"),
            ("max_viewers", "max-viewers"),
            ("maxviewers", "max-viewers"),
            ("Rotate", "rotate"),
            ("listn", "listen"),
            ("fsp", "fps"),
        ] {
            assert_eq!(option(written), Some(meant), "{written}");
        }
        for stranger in ["brightness", "x", "", "password", &"x".repeat(100_000)] {
            assert_eq!(option(stranger), None, "{stranger:.20}");
        }
    }
}
