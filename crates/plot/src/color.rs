//! Colours: few, told apart by colour-blind readers, and checked against what they lie on.

use std::fmt;

use sureness_analysis::Theme;

/// A colour in sRGB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rgb(pub u8, pub u8, pub u8);

impl fmt::Display for Rgb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

/// The colours of a theme.
pub(crate) struct Palette {
    /// The ground.
    pub ground: Rgb,
    /// Titles, names and values.
    pub ink: Rgb,
    /// Captions, tick labels and axis titles.
    pub muted: Rgb,
    /// Axis lines and comparison lines.
    pub axis: Rgb,
    /// Grid lines and the place of missing values.
    pub grid: Rgb,
    /// Series: the hues of Okabe and Ito ("Color Universal Design", 2008), those that are too
    /// light for this ground made darker or left out.
    pub series: [Rgb; 7],
    /// From little to much.
    pub sequential: [Rgb; 5],
    /// From negative over zero to positive.
    pub diverging: [Rgb; 5],
}

static LIGHT: Palette = Palette {
    ground: Rgb(0xff, 0xff, 0xff),
    ink: Rgb(0x1b, 0x1d, 0x21),
    muted: Rgb(0x5a, 0x5f, 0x68),
    axis: Rgb(0x8c, 0x91, 0x99),
    grid: Rgb(0xe4, 0xe6, 0xe9),
    series: [
        Rgb(0x00, 0x72, 0xb2),
        Rgb(0xd5, 0x5e, 0x00),
        Rgb(0x00, 0x91, 0x6a),
        Rgb(0xbd, 0x62, 0x97),
        Rgb(0xb9, 0x82, 0x00),
        Rgb(0x3f, 0x9d, 0xd6),
        Rgb(0x63, 0x67, 0x6e),
    ],
    sequential: [
        Rgb(0xf1, 0xf6, 0xfa),
        Rgb(0xc3, 0xdb, 0xec),
        Rgb(0x7f, 0xb4, 0xd8),
        Rgb(0x2b, 0x7f, 0xb9),
        Rgb(0x0b, 0x43, 0x78),
    ],
    diverging: [
        Rgb(0xa8, 0x49, 0x00),
        Rgb(0xe8, 0xa0, 0x64),
        Rgb(0xf5, 0xf5, 0xf4),
        Rgb(0x78, 0xb2, 0xd9),
        Rgb(0x0a, 0x55, 0x91),
    ],
};

static DARK: Palette = Palette {
    ground: Rgb(0x16, 0x18, 0x1c),
    ink: Rgb(0xec, 0xed, 0xef),
    muted: Rgb(0xa6, 0xab, 0xb4),
    axis: Rgb(0x74, 0x7a, 0x84),
    grid: Rgb(0x2d, 0x31, 0x38),
    series: [
        Rgb(0x56, 0xb4, 0xe9),
        Rgb(0xf0, 0x82, 0x3c),
        Rgb(0x22, 0xc0, 0x95),
        Rgb(0xdc, 0x93, 0xbd),
        Rgb(0xe6, 0xc2, 0x3a),
        Rgb(0x7d, 0x9c, 0xf0),
        Rgb(0xb4, 0xb8, 0xbf),
    ],
    sequential: [
        Rgb(0x20, 0x28, 0x33),
        Rgb(0x1f, 0x48, 0x70),
        Rgb(0x2b, 0x76, 0xb0),
        Rgb(0x6f, 0xb3, 0xe0),
        Rgb(0xd3, 0xea, 0xfa),
    ],
    diverging: [
        Rgb(0xf2, 0xa0, 0x5e),
        Rgb(0xa5, 0x5a, 0x1c),
        Rgb(0x2c, 0x2f, 0x34),
        Rgb(0x2b, 0x6f, 0xa6),
        Rgb(0x7a, 0xc0, 0xee),
    ],
};

impl Palette {
    pub(crate) fn of(theme: Theme) -> &'static Self {
        match theme {
            Theme::Light => &LIGHT,
            Theme::Dark => &DARK,
        }
    }

    /// The colour of a series, by its place in the order of series.
    pub(crate) fn series(&self, index: usize) -> Rgb {
        self.series[index % self.series.len()]
    }

    /// Black or white, whichever is easier to read on `ground`.
    pub(crate) fn ink_on(ground: Rgb) -> Rgb {
        // Only with true black and white one of both has a contrast of 4.5 with any colour.
        const DARK_INK: Rgb = Rgb(0, 0, 0);
        const LIGHT_INK: Rgb = Rgb(0xff, 0xff, 0xff);
        if contrast(DARK_INK, ground) >= contrast(LIGHT_INK, ground) {
            DARK_INK
        } else {
            LIGHT_INK
        }
    }
}

/// The colour at `t`, from 0 to 1, of a row of equally spaced ones. Between two it is mixed in
/// `OKLab`, where equal steps look equal.
pub(crate) fn ramp(stops: &[Rgb], t: f64) -> Rgb {
    let last = stops.len().saturating_sub(1);
    let place = if t.is_finite() {
        t.clamp(0.0, 1.0)
    } else {
        0.0
    } * last as f64;
    let below = (place.floor() as usize).min(last);
    let above = (below + 1).min(last);
    match (stops.get(below), stops.get(above)) {
        (Some(&from), Some(&to)) => mix(from, to, place - below as f64),
        _ => Rgb(0x80, 0x80, 0x80),
    }
}

fn mix(from: Rgb, to: Rgb, t: f64) -> Rgb {
    if t <= 0.0 || from == to {
        return from;
    }
    let (a, b) = (to_oklab(from), to_oklab(to));
    from_oklab([0, 1, 2].map(|i| a[i] + (b[i] - a[i]) * t))
}

/// Contrast ratio of two colours, from 1 to 21, after WCAG 2.2.
pub(crate) fn contrast(a: Rgb, b: Rgb) -> f64 {
    let (a, b) = (luminance(a) + 0.05, luminance(b) + 0.05);
    a.max(b) / a.min(b)
}

fn luminance(Rgb(r, g, b): Rgb) -> f64 {
    0.2126 * to_linear(r) + 0.7152 * to_linear(g) + 0.0722 * to_linear(b)
}

fn to_linear(channel: u8) -> f64 {
    let c = f64::from(channel) / 255.0;
    if c <= 0.040_45 {
        c / 12.92
    } else {
        ((c + 0.055) / 1.055).powf(2.4)
    }
}

fn from_linear(c: f64) -> u8 {
    let c = c.clamp(0.0, 1.0);
    let c = if c <= 0.003_130_8 {
        12.92 * c
    } else {
        1.055 * c.powf(1.0 / 2.4) - 0.055
    };
    (255.0 * c).round() as u8
}

// The matrices are those of Björn Ottosson, "A perceptual color space for image processing" (2020).
#[expect(
    clippy::many_single_char_names,
    reason = "the names that the source gives them"
)]
fn to_oklab(Rgb(r, g, b): Rgb) -> [f64; 3] {
    let (r, g, b) = (to_linear(r), to_linear(g), to_linear(b));
    let l = (0.412_221_470_8 * r + 0.536_332_536_3 * g + 0.051_445_992_9 * b).cbrt();
    let m = (0.211_903_498_2 * r + 0.680_699_545_1 * g + 0.107_396_956_6 * b).cbrt();
    let s = (0.088_302_461_9 * r + 0.281_718_837_6 * g + 0.629_978_700_5 * b).cbrt();
    [
        0.210_454_255_3 * l + 0.793_617_785_0 * m - 0.004_072_046_8 * s,
        1.977_998_495_1 * l - 2.428_592_205_0 * m + 0.450_593_709_9 * s,
        0.025_904_037_1 * l + 0.782_771_766_2 * m - 0.808_675_766_0 * s,
    ]
}

#[expect(
    clippy::many_single_char_names,
    reason = "the names that the source gives them"
)]
fn from_oklab([lightness, a, b]: [f64; 3]) -> Rgb {
    let l = (lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b).powi(3);
    let m = (lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b).powi(3);
    let s = (lightness - 0.089_484_177_5 * a - 1.291_485_548_0 * b).powi(3);
    Rgb(
        from_linear(4.076_741_662_1 * l - 3.307_711_591_3 * m + 0.230_969_929_2 * s),
        from_linear(-1.268_438_004_6 * l + 2.609_757_401_1 * m - 0.341_319_396_5 * s),
        from_linear(-0.004_196_086_3 * l - 0.703_418_614_7 * m + 1.707_614_701_0 * s),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_marks_can_be_seen_on_their_ground() {
        for palette in [&LIGHT, &DARK] {
            assert!(contrast(palette.ink, palette.ground) > 12.0);
            assert!(contrast(palette.muted, palette.ground) > 4.5);
            for series in palette.series {
                assert!(contrast(series, palette.ground) > 2.9, "{series}");
            }
        }
    }

    #[test]
    fn values_in_cells_can_be_read_on_every_colour() {
        for palette in [&LIGHT, &DARK] {
            for step in 0..=100 {
                let t = f64::from(step) / 100.0;
                for ground in [ramp(&palette.sequential, t), ramp(&palette.diverging, t)] {
                    let seen = contrast(Palette::ink_on(ground), ground);
                    assert!(seen > 4.5, "{ground}: {seen}");
                }
            }
        }
    }

    #[test]
    fn a_ramp_passes_through_its_stops_and_changes_lightness_one_way() {
        for palette in [&LIGHT, &DARK] {
            assert_eq!(ramp(&palette.sequential, 0.25), palette.sequential[1]);
            assert_eq!(ramp(&palette.sequential, 1.0), palette.sequential[4]);
            let light: Vec<f64> = (0..=40)
                .map(|i| luminance(ramp(&palette.sequential, f64::from(i) / 40.0)))
                .collect();
            let rising = light[40] > light[0];
            assert!(light.windows(2).all(|w| (w[1] >= w[0]) == rising));
        }
    }

    #[test]
    fn oklab_and_back_is_the_same_colour() {
        for colour in [Rgb(0, 114, 178), Rgb(255, 255, 255), Rgb(3, 200, 77)] {
            assert_eq!(from_oklab(to_oklab(colour)), colour);
        }
    }
}
