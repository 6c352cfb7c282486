//! Draws letters and keeps them. Only this file names `ab_glyph`.

// Letters have few pixels, and sizes are limited by `Scale`.
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]

use super::text_style::Weight;
use ab_glyph::{Font, FontRef, FontVec, GlyphId, OutlinedGlyph, PxScale, point};
use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};

/// The fonts, and all letters drawn so far.
pub(super) struct Glyphs {
    fonts: [FontRef<'static>; 2],
    /// Fonts for letters that those two do not have.
    others: Vec<Typeface>,
    /// Letters that no font had since the last call of `take_missing`.
    missing: Vec<char>,
    forms: HashMap<(char, Weight), Form, Quick>,
    drawn: HashMap<Key, Drawn, Quick>,
    /// How much each letter covers of its pixels, one letter after the other.
    cover: Vec<u8>,
}

/// A character's glyph in a font.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form {
    glyph: Option<GlyphId>,
    /// The index of the font in `others`. `None` for the viewer's own.
    other: Option<usize>,
    /// The distance to the next letter, in ems.
    pub(super) advance: f32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    character: char,
    weight: Weight,
    /// The size in quarters of a pixel.
    size: u16,
    /// The pen's position between two pixels, in quarters.
    quarter: u8,
}

/// Where a letter's pixels are stored, and where they are drawn.
#[derive(Debug, Clone, Copy)]
struct Drawn {
    start: usize,
    width: usize,
    height: usize,
    left: i32,
    top: i32,
}

/// A letter to draw: the offset from the pen to its top left corner, its pixels, and how many are in a row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stamp<'a> {
    pub(super) left: i32,
    pub(super) top: i32,
    pub(super) cover: &'a [u8],
    pub(super) width: usize,
}

/// A font of the system.
#[derive(Debug)]
pub struct Typeface(FontVec);

impl Typeface {
    /// Reads font number `index` of a file, if it has one of these letters. `None` if there is no such font, or the file is
    /// too large.
    pub fn with_one_of(letters: &[char], bytes: &[u8], index: u32) -> Option<Self> {
        let font = FontRef::try_from_slice_and_index(bytes, index).ok()?;
        let is_wanted =
            bytes.len() <= LARGEST && letters.iter().any(|&letter| has_letter(&font, letter));
        let font = is_wanted.then(|| FontVec::try_from_vec_and_index(bytes.to_vec(), index));
        font?.ok().map(Self)
    }

    /// Whether the font has an outline for a letter.
    pub fn has(&self, letter: char) -> bool {
        has_letter(&self.0, letter)
    }
}

/// The largest font that is kept in memory. A font for all of Chinese, Japanese and Korean has 20 MB.
const LARGEST: usize = 64 << 20;
/// The memory for a few thousand letters of ordinary size. When it is full, all are drawn anew.
const MAX_COVER: usize = 4 << 20;
/// A camera's name may contain any character.
const MAX_FORMS: usize = 4096;
/// The list may never be asked for.
const MAX_MISSING: usize = 256;
/// Larger letters are drawn at whole pixels: the difference cannot be seen.
const LARGEST_BETWEEN: f32 = 40.0;
/// Light letters on a dark ground look thinner than they are, so coverage is raised to this power.
const BOLDER: f32 = 0.82;

const REGULAR: &[u8] = include_bytes!("font/Inter-Regular.otf");
const SEMI_BOLD: &[u8] = include_bytes!("font/Inter-SemiBold.otf");

impl Default for Glyphs {
    fn default() -> Self {
        let font = |bytes| FontRef::try_from_slice(bytes).expect("a font that tests have read");
        Self {
            fonts: [font(REGULAR), font(SEMI_BOLD)],
            others: Vec::new(),
            missing: Vec::new(),
            forms: HashMap::default(),
            drawn: HashMap::default(),
            cover: Vec::new(),
        }
    }
}

impl Glyphs {
    /// A character's glyph. `None` if no font has it.
    pub(super) fn form(&mut self, character: char, weight: Weight) -> Option<Form> {
        if self.forms.len() >= MAX_FORMS {
            self.forms.clear();
        }
        let font = &self.fonts[weight as usize];
        let (others, missing) = (&self.others, &mut self.missing);
        let form = *self.forms.entry((character, weight)).or_insert_with(|| {
            let own = form_in(font, character, None);
            if own.glyph.is_some() {
                return own;
            }
            match others.iter().position(|other| other.has(character)) {
                Some(index) => form_in(&others[index].0, character, Some(index)),
                None => {
                    if missing.len() < MAX_MISSING {
                        missing.push(character);
                    }
                    own
                }
            }
        });
        form.glyph.is_some().then_some(form)
    }

    /// The letters that no font had, each at least once.
    pub(super) fn take_missing(&mut self) -> Vec<char> {
        std::mem::take(&mut self.missing)
    }

    /// Adds a font for letters that the fonts before do not have.
    pub(super) fn add(&mut self, other: Typeface) {
        self.others.push(other);
        self.forms.clear();
    }

    /// The pixels of a character, drawn `between` (a fraction of a pixel) to the right. `None` if it has none, such as a
    /// space.
    pub(super) fn stamp(
        &mut self,
        character: char,
        weight: Weight,
        size: f32,
        between: f32,
    ) -> Option<Stamp<'_>> {
        let form = self.form(character, weight)?;
        let quarter = if size > LARGEST_BETWEEN { 0 } else { (between * 4.0) as u8 & 3 };
        let key = Key { character, weight, size: (size * 4.0) as u16, quarter };
        let drawn = match self.drawn.get(&key) {
            Some(drawn) => *drawn,
            None => match form.other {
                None => self.draw(key, form.glyph?, |glyphs, glyph| {
                    outline(&glyphs.fonts[weight as usize], key, glyph)
                }),
                Some(index) => self.draw(key, form.glyph?, |glyphs, glyph| {
                    outline(&glyphs.others[index].0, key, glyph)
                }),
            },
        };
        if drawn.width == 0 {
            return None;
        }
        let cover = &self.cover[drawn.start..drawn.start + drawn.width * drawn.height];
        Some(Stamp { left: drawn.left, top: drawn.top, cover, width: drawn.width })
    }

    fn draw(
        &mut self,
        key: Key,
        glyph: GlyphId,
        outline: impl FnOnce(&Self, GlyphId) -> Option<OutlinedGlyph>,
    ) -> Drawn {
        if self.cover.len() > MAX_COVER {
            self.cover.clear();
            self.drawn.clear();
        }
        let start = self.cover.len();
        let mut drawn = Drawn { start, width: 0, height: 0, left: 0, top: 0 };
        if let Some(outline) = outline(self, glyph) {
            let bounds = outline.px_bounds();
            (drawn.left, drawn.top) = (bounds.min.x as i32, bounds.min.y as i32);
            (drawn.width, drawn.height) = (bounds.width() as usize, bounds.height() as usize);
            self.cover.resize(start + drawn.width * drawn.height, 0);
            let cover = &mut self.cover[start..];
            outline.draw(|x, y, part| {
                let at = y as usize * drawn.width + x as usize;
                if let Some(pixel) = cover.get_mut(at) {
                    *pixel = (part.clamp(0.0, 1.0).powf(BOLDER) * 255.0).round() as u8;
                }
            });
        }
        self.drawn.insert(key, drawn);
        drawn
    }
}

/// Whether a font has a letter. Glyph 0 stands for letters that it does not have.
fn has_letter(font: &impl Font, letter: char) -> bool {
    let glyph = font.glyph_id(letter);
    glyph.0 != 0 && font.outline(glyph).is_some()
}

fn form_in(font: &impl Font, character: char, other: Option<usize>) -> Form {
    let glyph = font.glyph_id(character);
    let units = font.units_per_em().unwrap_or(1000.0);
    let advance = font.h_advance_unscaled(glyph) / units;
    Form { glyph: (glyph.0 != 0).then_some(glyph), other, advance }
}

/// The outline of a glyph in the size and position of `key`.
fn outline(font: &impl Font, key: Key, glyph: GlyphId) -> Option<OutlinedGlyph> {
    let units = font.units_per_em().unwrap_or(1000.0);
    let scale = PxScale::from(f32::from(key.size) / 4.0 * font.height_unscaled() / units);
    let pen = point(f32::from(key.quarter) / 4.0, 0.0);
    font.outline_glyph(glyph.with_scale_and_position(scale, pen))
}

/// A fast hash: letters are looked up a thousand times a frame. Names chosen to collide would cost little, because there are
/// never more than a few thousand letters.
type Quick = BuildHasherDefault<Multiply>;

/// Multiplies its input into a number whose upper and lower bits are mixed.
#[derive(Debug, Default)]
struct Multiply(u64);

impl Hasher for Multiply {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u8(&mut self, number: u8) {
        self.write_u64(number.into());
    }

    fn write_u16(&mut self, number: u16) {
        self.write_u64(number.into());
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(number.into());
    }

    fn write_u64(&mut self, number: u64) {
        // 2^64 divided by the golden ratio (Knuth's multiplicative hash).
        self.0 = (self.0.rotate_left(5) ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    fn write_isize(&mut self, number: isize) {
        self.write_u64(number as u64);
    }

    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 29
    }
}

impl fmt::Debug for Glyphs {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} letters", self.drawn.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fonts_have_latin_greek_cyrillic_and_signs() {
        let mut glyphs = Glyphs::default();
        for weight in [Weight::Regular, Weight::Bold] {
            for character in "Aé ßŁőệ Ω έ Яжї ±×·…–“„€µ№→←↑↓✓0".chars()
            {
                assert!(glyphs.form(character, weight).is_some(), "{character}");
            }
            for character in "摄\u{1F3A5}\u{0}".chars() {
                assert!(glyphs.form(character, weight).is_none(), "{character}");
            }
        }
    }

    #[test]
    fn a_letter_that_no_font_has_is_missed_until_one_has_it() {
        let mut glyphs = Glyphs::default();
        for _ in 0..3 {
            assert!(glyphs.form('摄', Weight::Regular).is_none());
            assert!(glyphs.form('a', Weight::Bold).is_some());
        }
        assert_eq!((glyphs.take_missing(), glyphs.take_missing()), (vec!['摄'], Vec::new()));
        // This font does not have the letter either, and its other letters are not used.
        glyphs.add(Typeface::with_one_of(&['a'], REGULAR, 0).expect("a font"));
        assert!(glyphs.form('摄', Weight::Regular).is_none());
        let own = glyphs.form('a', Weight::Bold).expect("it has that");
        assert_eq!((own.other, glyphs.take_missing()), (None, vec!['摄']));
        assert!(Typeface::with_one_of(&['a'], b"no font", 0).is_none());
    }

    #[test]
    fn a_letter_of_another_font_is_drawn() {
        let mut glyphs = Glyphs::default();
        // As if the viewer's own fonts had no letters.
        glyphs.add(Typeface::with_one_of(&['a'], REGULAR, 0).expect("a font"));
        let form = form_in(&glyphs.others[0].0, 'я', Some(0));
        glyphs.forms.insert(('я', Weight::Bold), form);
        let regular = glyphs.stamp('я', Weight::Regular, 20.0, 0.0).map(|it| it.cover.to_vec());
        let other = glyphs.stamp('я', Weight::Bold, 20.0, 0.0).map(|it| it.cover.to_vec());
        assert!(other.is_some() && other == regular);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut glyphs = Glyphs::default();
        for size in 1..200_u16 {
            for character in ('\u{1}'..'\u{2500}').step_by(7) {
                let _ = glyphs.stamp(character, Weight::Regular, f32::from(size), 0.6);
            }
        }
        assert!(glyphs.cover.len() < MAX_COVER + 500 * 500);
        assert!(glyphs.forms.len() <= MAX_FORMS);
    }
}
