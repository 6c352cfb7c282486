//! Corrects a sensor's samples before colours are combined: black level, white balance, gamma.

use super::lines::Line;
use crate::image::frame::RawFrame;
use crate::image::pixels::{BayerOrder, PixelFormat, SampleDepth, SamplePacking};

/// Whether a correction is made automatically.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Automatic {
    /// It is.
    #[default]
    On,
    /// It is not: samples are taken unchanged.
    Off,
}

/// Which corrections are made, so that a sensor's picture looks right. Exposure and gain are up to
/// the driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RawLook {
    /// Subtracts the value that a sensor gives without light: a sixteenth of the range as usual, or
    /// less if the picture has darker parts.
    pub black_level: Automatic,
    /// Scales red and blue until the whole picture is grey on average.
    pub white_balance: Automatic,
    /// Converts samples, which are proportional to light, to the sRGB curve that screens expect.
    pub gamma: Automatic,
}

impl RawLook {
    /// No correction, for a camera that has made all of them.
    pub const AS_IT_IS: Self =
        Self { black_level: Automatic::Off, white_balance: Automatic::Off, gamma: Automatic::Off };
}

/// The index of each colour in arrays below.
pub(super) const RED: usize = 0;
pub(super) const GREEN: usize = 1;
pub(super) const BLUE: usize = 2;

impl BayerOrder {
    /// The colours of the first two pixels of rows with an even (0) or odd (1) number.
    pub(super) fn colours(self) -> [[usize; 2]; 2] {
        match self {
            Self::Rggb => [[RED, GREEN], [GREEN, BLUE]],
            Self::Bggr => [[BLUE, GREEN], [GREEN, RED]],
            Self::Gbrg => [[GREEN, BLUE], [RED, GREEN]],
            Self::Grbg => [[GREEN, RED], [BLUE, GREEN]],
        }
    }
}

/// Tables from samples to 8 bits, one for each colour. They follow the picture slowly.
#[derive(Debug, Default)]
pub(super) struct Tone {
    look: RawLook,
    /// The number of bits in a table index: those of a sample, at most 12.
    bits: u32,
    /// The sRGB curve with `1 << CURVE_BITS` entries; empty until it is needed.
    curve: Vec<u8>,
    tables: [Vec<u8>; 3],
    /// The measurement for which the tables were made.
    made_for: Option<Measured>,
    followed: Option<Measured>,
    lines: [Line; 2],
}

/// What is measured in a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Measured {
    /// As a fraction of the range.
    black: f32,
    gains: [f32; 3],
}

/// 12 bits of light are enough to show no visible steps in the dark parts of 8-bit sRGB.
const CURVE_BITS: u32 = 12;

/// The usual value of a sensor in the dark: 16 of 255, 64 of 1023.
const USUAL_BLACK: f32 = 1.0 / 16.0;

/// The fraction of a change that is followed at each frame, so that white balance does not flicker.
const FOLLOWED: f32 = 0.125;

/// A smaller change of gain is invisible, and not worth new tables.
const VISIBLE: f32 = 0.01;

impl Tone {
    pub(super) fn new(look: RawLook) -> Self {
        Self { look, ..Self::default() }
    }

    /// Measures a few samples of `frame`, and makes new tables if the corrections have changed.
    pub(super) fn follow(&mut self, frame: &RawFrame<'_>) {
        let PixelFormat::Bayer(order, packing) = frame.layout.format else { return };
        self.bits = index_bits(packing);
        if self.look == RawLook::AS_IT_IS {
            return;
        }
        let sums = Sums::of(frame, order, packing, &mut self.lines);
        let now = Measured::of(&sums, self.look, self.followed);
        self.followed = Some(now);
        let is_new_size = self.tables[0].len() != 1 << self.bits;
        if is_new_size || !self.made_for.is_some_and(|made| made.is_like(now)) {
            self.make_tables(now);
        }
    }

    /// The table of a colour; `None` if samples are taken unchanged.
    pub(super) fn table(&self, colour: usize) -> Option<&[u8]> {
        (self.look != RawLook::AS_IT_IS).then_some(&self.tables[colour])
    }

    fn make_tables(&mut self, measured: Measured) {
        if self.curve.is_empty() {
            let steps = 1_u16 << CURVE_BITS;
            let gamma = self.look.gamma;
            self.curve = (0..steps)
                .map(|step| eight_bits(encoded(f32::from(step) / f32::from(steps - 1), gamma)))
                .collect();
        }
        let steps = 1_u16 << self.bits;
        let last = (1 << CURVE_BITS) - 1;
        for (table, gain) in self.tables.iter_mut().zip(measured.gains) {
            table.clear();
            table.extend((0..steps).map(|step| {
                let light = f32::from(step) / f32::from(steps - 1);
                let above = (light - measured.black) / (1.0 - measured.black) * gain;
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                let at = (above.clamp(0.0, 1.0) * last as f32).round() as usize;
                self.curve[at.min(last)]
            }));
        }
        self.made_for = Some(measured);
    }
}

/// The transfer function of IEC 61966-2-1, from light to code, both from 0 to 1.
fn encoded(light: f32, gamma: Automatic) -> f32 {
    match gamma {
        Automatic::Off => light,
        Automatic::On if light <= 0.003_130_8 => light * 12.92,
        Automatic::On => 1.055 * light.powf(1.0 / 2.4) - 0.055,
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn eight_bits(value: f32) -> u8 {
    (value * 255.0).round().clamp(0.0, 255.0) as u8
}

/// How many bits of a sample are used.
fn index_bits(packing: SamplePacking) -> u32 {
    match packing {
        SamplePacking::Packed10 => 10,
        SamplePacking::Unpacked(depth) => depth.bits().min(CURVE_BITS),
    }
}

/// A sample of a row, as a table index.
#[inline(always)]
pub(super) fn sample(row: &[u8], packing: SamplePacking, x: usize) -> usize {
    let word = |x: usize| usize::from(u16::from_le_bytes([row[2 * x], row[2 * x + 1]]));
    match packing {
        SamplePacking::Unpacked(SampleDepth::Bits8) => usize::from(row[x]),
        SamplePacking::Unpacked(SampleDepth::Bits10) => word(x).min(1023),
        SamplePacking::Unpacked(SampleDepth::Bits12) => word(x).min(4095),
        SamplePacking::Unpacked(SampleDepth::Bits16) => word(x) >> 4,
        SamplePacking::Packed10 => {
            let five = &row[x / 4 * 5..][..5];
            usize::from(five[x % 4]) << 2 | usize::from(five[4] >> (x % 4 * 2) & 3)
        }
    }
}

/// Sums over some groups of four pixels: red, green, green and blue.
struct Sums {
    /// A histogram of the 8 high bits of samples.
    histogram: [u32; 256],
    /// The sums of the groups in which no colour is near the maximum: a clipped sample has lost its
    /// colour.
    colours: [f32; 3],
    groups: f32,
}

impl Sums {
    /// One group in 64 is enough for an average, and takes very little time.
    const STEP: usize = 16;

    fn of(
        frame: &RawFrame<'_>,
        order: BayerOrder,
        packing: SamplePacking,
        [upper, lower]: &mut [Line; 2],
    ) -> Self {
        let plane = frame.layout.first_plane().expect("a raw format");
        let shift = index_bits(packing) - 8;
        let brightest = f32::from((1_u16 << index_bits(packing)) - 1);
        let size = frame.layout.size;
        let mut sums = Self { histogram: [0; 256], colours: [0.0; 3], groups: 0.0 };
        for y in (0..size.height.saturating_sub(1)).step_by(Self::STEP) {
            let [first, second] = [0, 1].map(|below| plane.row_of(frame.bytes, y + below));
            let memory = frame.layout.memory;
            let rows = [upper.of(first, memory), lower.of(second, memory)];
            for x in (0..size.width.saturating_sub(1)).step_by(Self::STEP) {
                let mut group = [0.0; 3];
                for (row, colours) in rows.iter().zip(order.colours()) {
                    for (column, colour) in colours.into_iter().enumerate() {
                        let value = sample(row, packing, x + column);
                        sums.histogram[value >> shift] += 1;
                        group[colour] += value as f32 / brightest;
                    }
                }
                group[GREEN] /= 2.0;
                if group.iter().all(|&light| light < CLIPPED) {
                    sums.groups += 1.0;
                    sums.colours = std::array::from_fn(|at| sums.colours[at] + group[at]);
                }
            }
        }
        sums
    }

    /// The light level below which one sample in a hundred is.
    fn dark_end(&self) -> f32 {
        let least = self.histogram.iter().sum::<u32>() / 100;
        let mut below = 0;
        let end = self.histogram.iter().position(|count| {
            below += count;
            below > least
        });
        end.unwrap_or(0) as f32 / 255.0
    }
}

/// A sample from this light level on may be clipped.
const CLIPPED: f32 = 0.95;

/// The greatest gain, for a colour that is nearly absent.
const MOST_GAIN: f32 = 4.0;

impl Measured {
    fn of(sums: &Sums, look: RawLook, before: Option<Self>) -> Self {
        let black = match look.black_level {
            Automatic::Off => 0.0,
            Automatic::On => USUAL_BLACK.min(sums.dark_end()),
        };
        let gains = match look.white_balance {
            Automatic::Off => [1.0; 3],
            Automatic::On => {
                let light = sums.colours.map(|sum| sum / sums.groups - black);
                // If it is too dark or everything is clipped, keep the gains.
                let is_lit = light.iter().all(|&light| light > 0.004);
                let neutral = before.map_or([1.0; 3], |before| before.gains);
                if is_lit { grey_world(light) } else { neutral }
            }
        };
        let now = Self { black, gains };
        before.map_or(now, |before| before.towards(now))
    }

    fn towards(self, now: Self) -> Self {
        let part = |from: f32, to: f32| from + (to - from) * FOLLOWED;
        Self {
            black: part(self.black, now.black),
            gains: std::array::from_fn(|at| part(self.gains[at], now.gains[at])),
        }
    }

    fn is_like(self, other: Self) -> bool {
        let near = |(a, b): (f32, f32)| (a - b).abs() <= VISIBLE * b;
        self.gains.into_iter().zip(other.gains).all(near)
            && (self.black - other.black).abs() < VISIBLE * USUAL_BLACK
    }
}

/// The gains that make the picture grey on average. The least is 1, so that clipped samples stay
/// white.
fn grey_world(light: [f32; 3]) -> [f32; 3] {
    let gains = light.map(|of| (light[GREEN] / of).clamp(1.0 / MOST_GAIN, MOST_GAIN));
    let least = gains.into_iter().fold(MOST_GAIN, f32::min);
    gains.map(|gain| gain / least)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::frame::FrameLayout;

    use crate::image::pixels::{Colour, Size};

    const SIZE: Size = Size::new(64, 64);

    /// A frame of 10-bit samples, in which each colour has the same light everywhere.
    fn follow(tone: &mut Tone, light: [u16; 3]) {
        let packing = SamplePacking::Unpacked(SampleDepth::Bits10);
        let layout = FrameLayout::new(
            PixelFormat::Bayer(BayerOrder::Grbg, packing),
            SIZE,
            SIZE.width * 2,
            Colour::JPEG,
        );
        let mut bytes = Vec::new();
        for y in 0..SIZE.height {
            for x in 0..SIZE.width {
                let colour = BayerOrder::Grbg.colours()[y % 2][x % 2];
                bytes.extend_from_slice(&light[colour].to_le_bytes());
            }
        }
        tone.follow(&RawFrame { bytes: &bytes, layout: &layout });
    }

    fn seen(tone: &Tone, light: [u16; 3]) -> [u8; 3] {
        [RED, GREEN, BLUE]
            .map(|colour| tone.table(colour).expect("tables")[usize::from(light[colour])])
    }

    #[test]
    fn a_grey_wall_in_warm_light_is_grey_at_once() {
        let mut tone = Tone::new(RawLook::default());
        let warm = [464, 364, 204];
        follow(&mut tone, warm);
        let [red, green, blue] = seen(&tone, warm);
        assert!(red.abs_diff(green) <= 2 && blue.abs_diff(green) <= 2, "{red} {green} {blue}");
        assert!(seen(&tone, [64; 3]).iter().all(|&black| black <= 2), "black level");
        assert_eq!(seen(&tone, [1023, 1023, 1023]), [255, 255, 255], "clipped is white");
    }

    #[test]
    fn a_change_of_light_is_followed_slowly_to_its_end() {
        let mut tone = Tone::new(RawLook::default());
        follow(&mut tone, [300, 300, 300]);
        let cold = [200, 300, 400];
        follow(&mut tone, cold);
        let [red, _, blue] = seen(&tone, cold);
        assert!(blue - red > 30, "not in one frame: {red} {blue}");
        for _ in 0..100 {
            follow(&mut tone, cold);
        }
        let [red, green, blue] = seen(&tone, cold);
        assert!(red.abs_diff(green) <= 3 && blue.abs_diff(green) <= 3, "{red} {green} {blue}");
    }

    #[test]
    fn each_automatic_can_be_switched_off() {
        let only_gamma = RawLook { gamma: Automatic::On, ..RawLook::AS_IT_IS };
        let mut tone = Tone::new(only_gamma);
        follow(&mut tone, [512, 300, 64]);
        // sRGB of half the light is 188; 64 does not count as black, and colours keep their
        // balance.
        assert_eq!(seen(&tone, [512, 512, 512]), [188, 188, 188]);
        assert!(seen(&tone, [64; 3])[0] > 60);
        let mut as_it_is = Tone::new(RawLook::AS_IT_IS);
        follow(&mut as_it_is, [512, 300, 64]);
        assert_eq!(as_it_is.table(RED), None);
    }

    #[test]
    fn darkness_and_glare_change_nothing() {
        let mut tone = Tone::new(RawLook::default());
        for light in [[0; 3], [1023; 3]] {
            follow(&mut tone, light);
            assert_eq!(seen(&tone, [1023; 3]), [255; 3]);
            assert_eq!(seen(&tone, [0; 3]), [0; 3]);
        }
    }

    #[test]
    fn ten_bits_lie_in_five_bytes() {
        let row = [1, 2, 3, 4, 0b11_10_01_00];
        let samples: Vec<usize> =
            (0..4).map(|x| sample(&row, SamplePacking::Packed10, x)).collect();
        assert_eq!(samples, [4, 2 << 2 | 1, 3 << 2 | 2, 4 << 2 | 3]);
    }
}
