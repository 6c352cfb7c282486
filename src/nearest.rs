//! Finds the known name that was probably meant by an unknown one.

/// The one of `names` that is nearest to `name`, ignoring case, if one is near enough.
pub fn of<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    // A long name may have three wrong letters, a short one only one.
    let near = |distance: &usize| *distance <= (name.len() / 3).clamp(1, 3);
    let mut nearest = None;
    let mut begin = Vec::new();
    for known in names {
        let lower = known.to_lowercase();
        let distance = distance(&name, &lower);
        if near(&distance) && nearest.is_none_or(|nearest| (distance, known) < nearest) {
            nearest = Some((distance, known));
        }
        if name.len() >= SHORTEST_BEGINNING && lower.starts_with(&name) {
            begin.push(known);
        }
    }
    match (nearest, &begin[..]) {
        (Some((_, known)), _) | (None, &[known]) => Some(known),
        (None, _) => None,
    }
}

/// A word of fewer letters is not taken for the beginning of a longer one.
const SHORTEST_BEGINNING: usize = 3;

/// Our word for what `name` is called elsewhere: `table` has pairs of their word and ours.
pub fn ours(name: &str, table: &[(&str, &'static str)]) -> Option<&'static str> {
    table.iter().find(|(theirs, _)| *theirs == name).map(|(_, ours)| *ours)
}

/// The edit distance: how many letters have to be inserted, deleted, changed or swapped with their
/// neighbour.
pub fn distance(from: &str, to: &str) -> usize {
    let letters = |text: &str| text.chars().take(MAX).collect::<Vec<char>>();
    let (from, to) = (letters(from), letters(to));
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

/// How many letters are compared. Option names are shorter, and a file or a stranger may have very
/// long names.
const MAX: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_as_it_is_written() {
        let names = ["Garage", "Front door", "Barn"];
        for (written, meant) in [
            ("garag", Some("Garage")),
            ("GARAGES", Some("Garage")),
            ("front-door", Some("Front door")),
            ("bran", Some("Barn")),
            ("fro", Some("Front door")),
            ("fr", None),
            ("kitchen", None),
            ("", None),
        ] {
            assert_eq!(of(written, names), meant, "{written}");
        }
    }
}
