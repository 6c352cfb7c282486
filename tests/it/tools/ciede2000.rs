//! The visible difference between two colours: CIEDE2000, where 1 is about the smallest difference that people see side by
//! side.
//!
//! Sharma, Wu, Dalal: "The CIEDE2000 Color-Difference Formula: Implementation Notes, Supplementary Test Data, and
//! Mathematical Observations", 2005. The names here are those of the paper.

/// A colour in CIELAB: lightness, red-green, yellow-blue.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lab {
    pub lightness: f64,
    pub a: f64,
    pub b: f64,
}

impl Lab {
    /// An sRGB pixel with D65 white (IEC 61966-2-1).
    pub fn of(rgb: [u8; 3]) -> Self {
        let [red, green, blue] = rgb.map(|code| {
            let value = f64::from(code) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        });
        let x = (0.412_456_4 * red + 0.357_576_1 * green + 0.180_437_5 * blue) / 0.950_47;
        let y = 0.212_672_9 * red + 0.715_152_2 * green + 0.072_175_0 * blue;
        let z = (0.019_333_9 * red + 0.119_192_0 * green + 0.950_304_1 * blue) / 1.088_83;
        let [x, y, z] = [x, y, z].map(|value: f64| {
            if value > 216.0 / 24389.0 {
                value.cbrt()
            } else {
                (24389.0 / 27.0 * value + 16.0) / 116.0
            }
        });
        Self { lightness: 116.0 * y - 16.0, a: 500.0 * (x - y), b: 200.0 * (y - z) }
    }

    /// The grey of the same lightness.
    pub fn without_colour(self) -> Self {
        Self { a: 0.0, b: 0.0, ..self }
    }

    /// The CIEDE2000 difference with all weights 1.
    pub fn difference(self, other: Self) -> f64 {
        let mean_chroma = f64::midpoint(self.a.hypot(self.b), other.a.hypot(other.b));
        let g = 0.5 * (1.0 - share_of_25(mean_chroma));
        let (a1, a2) = (self.a * (1.0 + g), other.a * (1.0 + g));
        let (c1, c2) = (a1.hypot(self.b), a2.hypot(other.b));
        let (h1, h2) = (hue(a1, self.b), hue(a2, other.b));

        let hue_step = if c1 * c2 == 0.0 { 0.0 } else { nearest_turn(h2 - h1) };
        let delta_l = other.lightness - self.lightness;
        let delta_c = c2 - c1;
        let delta_h = 2.0 * (c1 * c2).sqrt() * (hue_step / 2.0).to_radians().sin();

        let l = f64::midpoint(self.lightness, other.lightness);
        let c = f64::midpoint(c1, c2);
        let h = mean_hue(h1, h2, c1 * c2);
        let t = 1.0 - 0.17 * cos(h - 30.0) + 0.24 * cos(2.0 * h) + 0.32 * cos(3.0 * h + 6.0)
            - 0.20 * cos(4.0 * h - 63.0);
        let s_l = 1.0 + 0.015 * (l - 50.0).powi(2) / (20.0 + (l - 50.0).powi(2)).sqrt();
        let s_c = 1.0 + 0.045 * c;
        let s_h = 1.0 + 0.015 * c * t;
        let turn = 30.0 * (-((h - 275.0) / 25.0).powi(2)).exp();
        let r_t = -2.0 * share_of_25(c) * (2.0 * turn).to_radians().sin();

        let (l, c, h) = (delta_l / s_l, delta_c / s_c, delta_h / s_h);
        (l * l + c * c + h * h + r_t * c * h).sqrt()
    }
}

fn share_of_25(chroma: f64) -> f64 {
    let seventh = chroma.powi(7);
    (seventh / (seventh + 25.0_f64.powi(7))).sqrt()
}

/// In degrees from 0 to 360; 0 for greys.
fn hue(a: f64, b: f64) -> f64 {
    if a == 0.0 && b == 0.0 { 0.0 } else { b.atan2(a).to_degrees().rem_euclid(360.0) }
}

fn nearest_turn(degrees: f64) -> f64 {
    match degrees {
        _ if degrees > 180.0 => degrees - 360.0,
        _ if degrees < -180.0 => degrees + 360.0,
        _ => degrees,
    }
}

fn mean_hue(h1: f64, h2: f64, chroma: f64) -> f64 {
    match h1 + h2 {
        sum if chroma == 0.0 => sum,
        sum if (h1 - h2).abs() <= 180.0 => sum / 2.0,
        sum if sum < 360.0 => f64::midpoint(sum, 360.0),
        sum => (sum - 360.0) / 2.0,
    }
}

fn cos(degrees: f64) -> f64 {
    degrees.to_radians().cos()
}

/// The 34 pairs of the paper's table 1: two colours and their difference.
#[rustfmt::skip]
const PUBLISHED: [([f64; 3], [f64; 3], f64); 34] = [
    ([50.0, 2.6772, -79.7751], [50.0, 0.0, -82.7485], 2.0425),
    ([50.0, 3.1571, -77.2803], [50.0, 0.0, -82.7485], 2.8615),
    ([50.0, 2.8361, -74.0200], [50.0, 0.0, -82.7485], 3.4412),
    ([50.0, -1.3802, -84.2814], [50.0, 0.0, -82.7485], 1.0000),
    ([50.0, -1.1848, -84.8006], [50.0, 0.0, -82.7485], 1.0000),
    ([50.0, -0.9009, -85.5211], [50.0, 0.0, -82.7485], 1.0000),
    ([50.0, 0.0, 0.0], [50.0, -1.0, 2.0], 2.3669),
    ([50.0, -1.0, 2.0], [50.0, 0.0, 0.0], 2.3669),
    ([50.0, 2.4900, -0.0010], [50.0, -2.4900, 0.0009], 7.1792),
    ([50.0, 2.4900, -0.0010], [50.0, -2.4900, 0.0010], 7.1792),
    ([50.0, 2.4900, -0.0010], [50.0, -2.4900, 0.0011], 7.2195),
    ([50.0, 2.4900, -0.0010], [50.0, -2.4900, 0.0012], 7.2195),
    ([50.0, -0.0010, 2.4900], [50.0, 0.0009, -2.4900], 4.8045),
    ([50.0, -0.0010, 2.4900], [50.0, 0.0010, -2.4900], 4.8045),
    ([50.0, -0.0010, 2.4900], [50.0, 0.0011, -2.4900], 4.7461),
    ([50.0, 2.5, 0.0], [50.0, 0.0, -2.5], 4.3065),
    ([50.0, 2.5, 0.0], [73.0, 25.0, -18.0], 27.1492),
    ([50.0, 2.5, 0.0], [61.0, -5.0, 29.0], 22.8977),
    ([50.0, 2.5, 0.0], [56.0, -27.0, -3.0], 31.9030),
    ([50.0, 2.5, 0.0], [58.0, 24.0, 15.0], 19.4535),
    ([50.0, 2.5, 0.0], [50.0, 3.1736, 0.5854], 1.0000),
    ([50.0, 2.5, 0.0], [50.0, 3.2972, 0.0], 1.0000),
    ([50.0, 2.5, 0.0], [50.0, 1.8634, 0.5757], 1.0000),
    ([50.0, 2.5, 0.0], [50.0, 3.2592, 0.3350], 1.0000),
    ([60.2574, -34.0099, 36.2677], [60.4626, -34.1751, 39.4387], 1.2644),
    ([63.0109, -31.0961, -5.8663], [62.8187, -29.7946, -4.0864], 1.2630),
    ([61.2901, 3.7196, -5.3901], [61.4292, 2.2480, -4.9620], 1.8731),
    ([35.0831, -44.1164, 3.7933], [35.0232, -40.0716, 1.5901], 1.8645),
    ([22.7233, 20.0904, -46.6940], [23.0331, 14.9730, -42.5619], 2.0373),
    ([36.4612, 47.8580, 18.3852], [36.2715, 50.5065, 21.2231], 1.4146),
    ([90.8027, -2.0831, 1.4410], [91.1528, -1.6435, 0.0447], 1.4441),
    ([90.9257, -0.5406, -0.9208], [88.6381, -0.8985, -0.7239], 1.5381),
    ([6.7747, -0.2908, -2.4247], [5.8714, -0.0985, -2.2286], 0.6377),
    ([2.0776, 0.0795, -1.1350], [0.9033, -0.0636, -0.5514], 0.9082),
];

#[test]
fn differences_are_those_that_were_published() {
    let lab = |[lightness, a, b]: [f64; 3]| Lab { lightness, a, b };
    for (one, other, expected) in PUBLISHED {
        for found in [lab(one).difference(lab(other)), lab(other).difference(lab(one))] {
            assert!(
                (found - expected).abs() < 0.00005,
                "{one:?} {other:?}: {found}, not {expected}"
            );
        }
    }
}

#[test]
fn srgb_becomes_the_lab_that_everybody_knows() {
    for (rgb, [lightness, a, b]) in [
        ([255, 255, 255], [100.0, 0.0, 0.0]),
        ([255, 0, 0], [53.24, 80.09, 67.20]),
        ([0, 0, 255], [32.30, 79.19, -107.86]),
        ([0, 0, 0], [0.0, 0.0, 0.0]),
    ] {
        let found = Lab::of(rgb);
        let off = (found.lightness - lightness).abs() + (found.a - a).abs() + (found.b - b).abs();
        assert!(off < 0.05, "{rgb:?}: {found:?}");
    }
}
