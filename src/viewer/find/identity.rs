//! What a camera is known by, and whether another one may be the same.

use crate::wire::service::instance_name;

/// What tells a camera from others.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    /// Its name on the LAN, or the name it gives in its greeting.
    pub name: String,
    /// Its id, which stays when it is renamed. Empty if it has none.
    pub id: String,
}

/// Whether a camera is the known one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Likeness {
    /// It is the known camera.
    Same,
    /// It has the name but another id: either it was set up anew, or it is another camera of the same name.
    Namesake,
    /// It is another camera.
    Other,
}

/// The first versions of lancam cut longer names at this length in their announcements, or up to three bytes before.
const OLD_CUT: usize = 47;

impl Identity {
    /// Compares what a camera says about itself with this identity.
    pub fn likeness(&self, said: &Self) -> Likeness {
        let ids = [&self.id, &said.id];
        let both_have_one = ids.iter().all(|id| !id.is_empty());
        if both_have_one && self.id == said.id {
            return Likeness::Same;
        }
        match (self.is_name_of(&said.name), both_have_one) {
            (true, false) => Likeness::Same,
            (true, true) => Likeness::Namesake,
            (false, _) => Likeness::Other,
        }
    }

    /// Whether a camera that calls itself `own` may be announced under this name: the second Garage is announced as `Garage
    /// (2)`.
    pub fn is_name_of(&self, own: &str) -> bool {
        let known = self.name.to_lowercase();
        let is_it = |name: String| {
            let name = name.to_lowercase();
            known == name || known.len() >= OLD_CUT && name.starts_with(&known)
        };
        if known.is_empty() || own.is_empty() {
            return false;
        }
        let number = known.strip_suffix(')').and_then(|rest| rest.rsplit_once(" ("));
        let number = number.and_then(|(_, number)| number.parse().ok()).unwrap_or(1);
        is_it(own.to_owned()) || is_it(instance_name(own, 1)) || is_it(instance_name(own, number))
    }

    /// Whether the next frames need a new file because they may come from another camera. A namesake may be another camera.
    pub fn needs_new_file(&self, next: &Self) -> bool {
        self.likeness(next) != Likeness::Same && self != next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn camera(name: &str, id: &str) -> Identity {
        Identity { name: name.into(), id: id.into() }
    }

    #[test]
    fn an_id_decides_and_without_one_the_name() {
        for (known, said, likeness) in [
            (camera("Garage", "1"), camera("Garage", "1"), Likeness::Same),
            (camera("Garage", "1"), camera("Barn", "1"), Likeness::Same),
            (camera("Garage", "1"), camera("Garage", "2"), Likeness::Namesake),
            (camera("Garage", "1"), camera("Door", "2"), Likeness::Other),
            (camera("Garage", "1"), camera("garage", ""), Likeness::Same),
            (camera("Garage", ""), camera("GARAGE", "2"), Likeness::Same),
            (camera("Garage", "1"), camera("Door", ""), Likeness::Other),
            (camera("Garage", ""), camera("", ""), Likeness::Other),
            (camera("Garage", "1"), camera("", "1"), Likeness::Same),
            (camera("Garage", "1"), camera("", "2"), Likeness::Other),
        ] {
            assert_eq!(known.likeness(&said), likeness, "{known:?} {said:?}");
        }
    }

    #[test]
    fn a_camera_is_known_by_the_name_that_it_was_announced_with() {
        for (announced, own) in [
            ("Garage (2)", "Garage"),
            ("garage (13)", "Garage"),
            ("Garage (2)", "Garage (2)"),
            ("Pi 4-2", "Pi 4.2"),
            ("Pi 4-2 (3)", "Pi 4.2"),
            ("Küche", "KÜCHE"),
            (&instance_name(&"é".repeat(60), 2), &"é".repeat(60)),
            (&"x".repeat(50), &"x".repeat(60)),
        ] {
            assert!(camera(announced, "").is_name_of(own), "{announced} {own}");
        }
        for (announced, own) in [
            ("Garage", "Garage (2)"),
            ("Garage (2)", "Garage (3)"),
            ("Garage", "Garages"),
            ("Garage (x)", "Garage"),
            ("Front door", "front-door"),
            ("", ""),
        ] {
            assert!(!camera(announced, "").is_name_of(own), "{announced} {own}");
        }
    }

    #[test]
    fn a_file_goes_on_with_the_same_camera_alone() {
        let first = camera("fake", "");
        assert!(!first.needs_new_file(&camera("fake", "")));
        assert!(!camera("", "").needs_new_file(&camera("", "")), "they say nothing at all");
        assert!(!camera("Garage", "1").needs_new_file(&camera("Barn", "1")), "renamed");
        assert!(camera("Garage", "1").needs_new_file(&camera("Garage", "2")));
        assert!(camera("Garage", "").needs_new_file(&camera("Door", "")));
    }
}
