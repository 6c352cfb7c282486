//! Finds system fonts for letters that the viewer's own fonts do not have. Only this file names `fontdb`.
//!
//! No font is read before such a letter occurs. A thread of its own reads them; until it is done, a box stands for the
//! letter.

use crate::latest::Doorbell;
use crate::viewer::paint::Typeface;
use fontdb::{Database, FaceInfo, Style, Weight};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

/// Searches fonts for letters.
#[derive(Debug)]
pub struct Fonts {
    doorbell: Arc<Doorbell>,
    /// The letters that were searched for, or will be.
    asked: BTreeSet<char>,
    /// The letters to search for after the present search.
    waiting: Vec<char>,
    /// How many searches were made.
    looks: u32,
    is_looking: bool,
    sender: Sender<Found>,
    found: Receiver<Found>,
}

/// A result of a search.
#[derive(Debug)]
enum Found {
    Typeface(Typeface),
    /// The search has ended.
    End,
}

/// The most letters in all searches.
const MOST_LETTERS: usize = 2000;
/// The most searches. A camera may change its name every second.
const MOST_LOOKS: u32 = 16;

impl Fonts {
    /// A search that has not started. Results will ring `doorbell`.
    pub fn new(doorbell: Arc<Doorbell>) -> Self {
        let (sender, found) = mpsc::channel();
        Self {
            doorbell,
            asked: BTreeSet::new(),
            waiting: Vec::new(),
            looks: 0,
            is_looking: false,
            sender,
            found,
        }
    }

    /// Starts a search for these letters, except those searched for before. Only one search runs at a time.
    pub fn look_for(&mut self, letters: Vec<char>) {
        let room = MOST_LETTERS - self.asked.len().min(MOST_LETTERS);
        let new = letters.into_iter().filter(|&letter| is_plain(letter)).take(room);
        let new = new.filter(|&letter| self.asked.insert(letter));
        self.waiting.extend(new);
        if self.waiting.is_empty() || self.is_looking || self.looks >= MOST_LOOKS {
            return;
        }
        let letters = std::mem::take(&mut self.waiting);
        let (sender, doorbell) = (self.sender.clone(), Arc::clone(&self.doorbell));
        let look = move || {
            let mut fonts = Database::new();
            fonts.load_system_fonts();
            let typefaces = find(&fonts, letters).into_iter().map(Found::Typeface);
            for found in typefaces.chain([Found::End]) {
                // Fails only after the window is closed.
                let _ = sender.send(found);
                doorbell.ring();
            }
        };
        match thread::Builder::new().name("fonts".into()).spawn(look) {
            Ok(_) => (self.looks, self.is_looking) = (self.looks + 1, true),
            Err(error) => log::debug!("cannot look for fonts: {error}"),
        }
    }

    /// The next font that was found. Never waits.
    pub fn found(&mut self) -> Option<Typeface> {
        loop {
            match self.found.try_recv().ok()? {
                Found::Typeface(typeface) => return Some(typeface),
                Found::End => self.is_looking = false,
            }
        }
    }
}

/// Whether a letter looks the same whatever stands beside it, and is written left to right. Letters that join, or are
/// written right to left, would be drawn wrong one by one. A box is better.
fn is_plain(letter: char) -> bool {
    !matches!(letter,
        // From Hebrew to the scripts of India; Tibetan and Burmese; Khmer, Mongolian; presentation forms of those.
        '\u{590}'..='\u{DFF}' | '\u{F00}'..='\u{109F}' | '\u{1780}'..='\u{18AF}' | '\u{1900}'..='\u{1CFF}'
        | '\u{A840}'..='\u{ABFF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFE}'
        // Private use, other scripts written right to left, and ancient scripts.
        | '\u{E000}'..='\u{F8FF}' | '\u{10800}'..='\u{11FFF}' | '\u{1E800}'..='\u{1EFFF}' | '\u{F0000}'..)
}

/// Fonts that together have as many of these letters as possible.
fn find(fonts: &Database, mut letters: Vec<char>) -> Vec<Typeface> {
    let mut faces: Vec<_> = fonts.faces().collect();
    faces.sort_by_cached_key(|face| (unfitness(face), face.post_script_name.clone()));
    let mut found = Vec::new();
    for face in faces {
        if letters.is_empty() {
            break;
        }
        let read = |bytes: &[u8], index| Typeface::with_one_of(&letters, bytes, index);
        if let Some(typeface) = fonts.with_face_data(face.id, read).flatten() {
            letters.retain(|&letter| !typeface.has(letter));
            log::debug!("{} has letters that names need", face.post_script_name);
            found.push(typeface);
        }
    }
    found
}

/// The order in which fonts are tried: plain ones first, and among them those for many scripts.
fn unfitness(face: &FaceInfo) -> u32 {
    let names = face.families.iter().map(|(name, _)| name).chain([&face.post_script_name]);
    let names: Vec<_> = names.map(|name| name.to_lowercase()).collect();
    let has = |parts: &[&str]| names.iter().any(|name| parts.iter().any(|it| name.contains(it)));
    let is_sans = has(&["sans"]) || !has(&["serif"]);
    let is_plain = face.style == Style::Normal && face.weight == Weight::NORMAL;
    let is_broad = has(&["cjk", "fallback", "wqy", "gothic", "hei", "pingfang", "yahei", "malgun"]);
    u32::from(!is_broad) + 2 * u32::from(!is_plain || face.monospaced || !is_sans)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_font_that_has_a_letter_is_found_among_files_that_have_not_or_are_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let inside = folder.path().join("truetype/some");
        fs::create_dir_all(&inside).expect("made");
        fs::write(folder.path().join("broken-cjk.ttf"), [0; 999]).expect("written");
        fs::write(folder.path().join("empty.otf"), []).expect("written");
        let font = include_bytes!("../paint/font/Inter-Regular.otf");
        fs::write(inside.join("Some-Bold.otf"), font).expect("written");
        fs::write(inside.join("Some-Regular.OTF"), font).expect("written");
        fs::write(inside.join("readme.txt"), font).expect("written");
        let mut fonts = Database::new();
        fonts.load_fonts_dir(folder.path().join("nowhere"));
        fonts.load_fonts_dir(folder.path());
        let found = find(&fonts, vec!['я', '摄', 'Ω']);
        assert_eq!(found.len(), 1, "one has what another has too");
        assert!(found[0].has('я') && !found[0].has('摄'));
        assert!(find(&fonts, vec!['摄']).is_empty());
        assert!(find(&fonts, Vec::new()).is_empty());
    }

    #[test]
    fn plain_fonts_for_many_scripts_are_tried_first() {
        let face = |name: &str, weight| FaceInfo {
            id: fontdb::ID::dummy(),
            source: fontdb::Source::File(name.into()),
            index: 0,
            families: vec![(name.to_owned(), fontdb::Language::English_UnitedStates)],
            post_script_name: name.to_owned(),
            style: Style::Normal,
            weight,
            stretch: fontdb::Stretch::Normal,
            monospaced: false,
        };
        let mut faces = [
            face("DejaVu Serif", Weight::NORMAL),
            face("Noto Sans CJK JP", Weight::BOLD),
            face("DejaVu Sans", Weight::NORMAL),
            face("Noto Sans CJK SC", Weight::NORMAL),
        ];
        faces.sort_by_key(unfitness);
        let names = faces.each_ref().map(|face| &*face.post_script_name);
        assert_eq!(names[..2], ["Noto Sans CJK SC", "DejaVu Sans"]);
    }

    #[test]
    fn scripts_that_need_more_than_letters_are_not_looked_for() {
        for letter in "摄カ한ქԱไ☺".chars() {
            assert!(is_plain(letter), "{letter}");
        }
        for letter in "אبहမ\u{F8FF}".chars() {
            assert!(!is_plain(letter), "{letter}");
        }
        let mut fonts = Fonts::new(Doorbell::new());
        fonts.look_for("אب".chars().collect());
        assert!(fonts.asked.is_empty() && fonts.found().is_none());
    }

    #[test]
    fn fonts_are_looked_through_by_one_thread_at_a_time_and_not_for_ever() {
        let doorbell = Doorbell::new();
        let mut fonts = Fonts::new(Arc::clone(&doorbell));
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(120);
        // One letter after the other, as a changing name could have them.
        for letter in ('\u{4E00}'..).take(3 * MOST_LETTERS) {
            fonts.look_for(vec![letter]);
            let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
            let names = threads.filter_map(|it| fs::read_to_string(it.path().join("comm")).ok());
            assert!(names.filter(|name| name.trim() == "fonts").count() <= 2, "one that ends");
            while fonts.found().is_some() {}
        }
        assert!(fonts.asked.len() <= MOST_LETTERS && fonts.waiting.len() <= MOST_LETTERS);
        while fonts.is_looking || fonts.looks < MOST_LOOKS {
            assert!(std::time::Instant::now() < deadline, "{} looks", fonts.looks);
            fonts.look_for(Vec::new());
            while fonts.found().is_some() {}
            if fonts.waiting.is_empty() && !fonts.is_looking {
                break;
            }
            doorbell.wait(std::time::Duration::from_millis(50));
        }
        assert!(fonts.looks <= MOST_LOOKS, "{}", fonts.looks);
    }
}
