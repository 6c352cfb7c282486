//! Finds the files of the boot partition, also under the wrong names that editors and file managers give them.
//!
//! Windows hides file extensions, so `lancam.toml` may have been saved as `lancam.toml.txt`. Short names on FAT are in
//! capitals. Such files are read too, after files with the right name.

use crate::plain::printable;

/// A file to read, and the name it was meant to have.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Meant {
    /// The name in the folder.
    pub(super) file: String,
    /// One of the names that were asked for.
    pub(super) name: &'static str,
}

/// Extensions that are appended by mistake.
const ENDS: [&str; 3] = [".txt", ".yaml", ".yml"];

/// Extensions of files that are not plain text, or whose real extension was replaced.
const OTHER_ENDS: [&str; 13] = [
    "txt", "rtf", "doc", "docx", "odt", "pages", "html", "pub", "conf", "cfg", "ini", "json", "tml",
];

/// The files of a folder that have one of `names`, exactly or nearly, in the order of `names`. Those with the right name
/// come first.
pub(super) fn meant(folder: &[String], names: impl Iterator<Item = &'static str>) -> Vec<Meant> {
    let mut all = Vec::new();
    for name in names {
        let mut found: Vec<_> = folder.iter().filter(|file| name_of(file) == name).collect();
        // First the right name, then the shorter one, then alphabetically.
        found.sort_by_key(|file| (*file != name, file.len(), (*file).clone()));
        all.extend(found.into_iter().map(|file| Meant { file: file.clone(), name }));
    }
    all
}

/// A file's name without what Windows and editors change about it.
fn name_of(file: &str) -> String {
    let mut name = file.to_ascii_lowercase();
    while let Some(rest) = ENDS.iter().find_map(|end| name.strip_suffix(end)) {
        name = rest.to_owned();
    }
    name
}

/// A name without the number that a second download gets, as in `lancam (1).toml`, and without spaces, hyphens and
/// underscores.
fn letters_of(name: &str) -> String {
    let numbered =
        name.split_once('(').and_then(|(before, rest)| Some((before, rest.split_once(')')?)));
    let name = match numbered {
        Some((before, (number, after))) if number.bytes().all(|it| it.is_ascii_digit()) => {
            format!("{before}{after}")
        }
        _ => name.to_owned(),
    };
    name.replace([' ', '-', '_'], "")
}

/// Finds files whose names are close to one of `names`, and says what to do about them.
pub(super) fn misnamed(folder: &[String], names: &[&'static str]) -> Vec<String> {
    let told = folder.iter().filter_map(|file| {
        let read_as = name_of(file);
        if names.contains(&read_as.as_str()) {
            return None;
        }
        let lower = file.to_ascii_lowercase();
        let (rest, kind) = lower.rsplit_once('.').unwrap_or((&lower, ""));
        let stem = |name: &str| letters_of(name).split('.').next().map(str::to_owned);
        let meant = names.iter().find(|name| {
            letters_of(&read_as) == letters_of(name)
                || OTHER_ENDS.contains(&kind) && stem(rest) == stem(name)
                || kind == "pub" && **name == "authorized_keys"
        });
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
    fn what_is_no_plain_text_or_nearly_has_the_name_is_told() {
        let files = folder(&[
            "lancam.rtf",
            "Lancam.txt",
            "wpa_supplicant.conf.docx",
            "id_ed25519.pub",
            "lancam (1).toml",
            "lancam.conf",
            "wpa-supplicant.conf",
            "authorized keys.txt",
            "userdata",
            "licences.txt",
            "lancam.toml~",
            "lancam (the old one).toml",
            "fixup.dat",
        ]);
        let told = misnamed(&files, &NAMES);
        assert_eq!(told.len(), 9, "{told:?}");
        for (line, name) in told.iter().zip([
            "lancam.toml",
            "lancam.toml",
            "wpa_supplicant.conf",
            "authorized_keys",
            "lancam.toml",
            "lancam.toml",
            "wpa_supplicant.conf",
            "authorized_keys",
            "user-data",
        ]) {
            assert!(line.ends_with(name), "{line}");
        }
    }
}
