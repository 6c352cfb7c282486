//! Which file of the boot partition is which, under the names that editors and file managers give them.
//!
//! Windows hides the ends of names: who saves `lancam.toml` there may have `lancam.toml.txt`. File systems of cards know no small
//! letters in old names. Such files count as the proper ones do, behind them.

use crate::plain::printable;

/// A file that is read, and which of the names it is meant to have.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Meant {
    /// As the folder has it.
    pub(super) file: String,
    /// One of those that were asked for.
    pub(super) name: &'static str,
}

/// What is put behind a whole name by mistake.
const ENDS: [&str; 3] = [".txt", ".yaml", ".yml"];

/// Kinds of files that are no plain text, or have lost the rest of their name.
const NO_TEXT: [&str; 8] = ["txt", "rtf", "doc", "docx", "odt", "pages", "html", "pub"];

/// Those of a folder's files that have one of `names`, as that or nearly so: in the order of `names`, proper ones first.
pub(super) fn meant(folder: &[String], names: impl Iterator<Item = &'static str>) -> Vec<Meant> {
    let mut all = Vec::new();
    for name in names {
        let mut found: Vec<_> = folder.iter().filter(|file| name_of(file) == name).collect();
        // What was put there by hand first: the proper name, the shorter one, then by the alphabet.
        found.sort_by_key(|file| (*file != name, file.len(), (*file).clone()));
        all.extend(found.into_iter().map(|file| Meant { file: file.clone(), name }));
    }
    all
}

/// A name without what Windows and editors do to it.
fn name_of(file: &str) -> String {
    let mut name = file.to_ascii_lowercase();
    while let Some(rest) = ENDS.iter().find_map(|end| name.strip_suffix(end)) {
        name = rest.to_owned();
    }
    name
}

/// Finds files whose names are close to one of `names`, and says what to do about them.
pub(super) fn misnamed(folder: &[String], names: &[&'static str]) -> Vec<String> {
    let told = folder.iter().filter_map(|file| {
        let lower = file.to_ascii_lowercase();
        if names.contains(&name_of(file).as_str()) {
            return None;
        }
        let (rest, kind) = lower.rsplit_once('.')?;
        if !NO_TEXT.contains(&kind) {
            return None;
        }
        let stem = |name: &str| name.split('.').next().unwrap_or(name).to_owned();
        let meant = names.iter().find(|name| stem(name) == stem(rest));
        let meant =
            meant.or_else(|| names.iter().find(|it| kind == "pub" && **it == "authorized_keys"));
        let shown: String = printable(file).chars().take(40).collect();
        meant.map(|name| {
            format!("{shown}: lancam does not read this file. Save it as plain text under the name {name}")
        })
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 4] = ["lancam.toml", "authorized_keys", "user-data", "wpa_supplicant.conf"];

    fn folder(files: &[&str]) -> Vec<String> {
        files.iter().map(|&file| file.into()).collect()
    }

    #[test]
    fn names_as_windows_has_them_are_the_proper_ones() {
        let files = folder(&[
            "LANCAM.TOML",
            "lancam.toml.txt",
            "lancam.toml",
            "Lancam.Toml.TXT.txt",
            "user-data.yml",
            "config.txt",
            "WPA_SUPPLICANT.CONF.TXT",
            "lancam.toml.bak",
            "._lancam.toml",
            "authorized_keys.txt",
        ]);
        let found = meant(&files, NAMES.into_iter());
        let found: Vec<_> = found.iter().map(|meant| (meant.file.as_str(), meant.name)).collect();
        assert_eq!(
            found,
            [
                ("lancam.toml", "lancam.toml"),
                ("LANCAM.TOML", "lancam.toml"),
                ("lancam.toml.txt", "lancam.toml"),
                ("Lancam.Toml.TXT.txt", "lancam.toml"),
                ("authorized_keys.txt", "authorized_keys"),
                ("user-data.yml", "user-data"),
                ("WPA_SUPPLICANT.CONF.TXT", "wpa_supplicant.conf"),
            ]
        );
        assert_eq!(misnamed(&files, &NAMES), Vec::<String>::new());
    }

    #[test]
    fn what_is_no_plain_text_or_has_lost_its_end_is_told() {
        let files = folder(&[
            "lancam.rtf",
            "Lancam.txt",
            "wpa_supplicant.conf.docx",
            "id_ed25519.pub",
            "licences.txt",
        ]);
        let told = misnamed(&files, &NAMES);
        assert_eq!(told.len(), 4, "{told:?}");
        for (line, name) in told.iter().zip([
            "lancam.toml",
            "lancam.toml",
            "wpa_supplicant.conf",
            "authorized_keys",
        ]) {
            assert!(line.ends_with(name), "{line}");
        }
    }
}
