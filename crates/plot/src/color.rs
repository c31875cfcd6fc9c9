//! Colours: few, distinguishable for colour-blind readers, with contrast checked against the ground.

#![expect(clippy::unreadable_literal, reason = "colours have six digits")]

use std::fmt;

use sureness_analysis::Theme;

/// A colour in sRGB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rgb(pub u8, pub u8, pub u8);

impl Rgb {
    /// From its hexadecimal notation.
    const fn of(hex: u32) -> Self {
        let [_, red, green, blue] = hex.to_be_bytes();
        Self(red, green, blue)
    }
}

const fn all<const N: usize>(hex: [u32; N]) -> [Rgb; N] {
    let mut colors = [Rgb(0, 0, 0); N];
    let mut index = 0;
    while index < N {
        colors[index] = Rgb::of(hex[index]);
        index += 1;
    }
    colors
}

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
    ground: Rgb::of(0xffffff),
    ink: Rgb::of(0x1b1d21),
    muted: Rgb::of(0x5a5f68),
    axis: Rgb::of(0x8c9199),
    grid: Rgb::of(0xe4e6e9),
    series: all([
        0x0072b2, 0xd55e00, 0x00916a, 0xbd6297, 0xb98200, 0x3f9dd6, 0x63676e,
    ]),
    sequential: all([0xf1f6fa, 0xc3dbec, 0x7fb4d8, 0x2b7fb9, 0x0b4378]),
    diverging: all([0xa84900, 0xe8a064, 0xf5f5f4, 0x78b2d9, 0x0a5591]),
};

static DARK: Palette = Palette {
    ground: Rgb::of(0x16181c),
    ink: Rgb::of(0xecedef),
    muted: Rgb::of(0xa6abb4),
    axis: Rgb::of(0x747a84),
    grid: Rgb::of(0x2d3138),
    series: all([
        0x56b4e9, 0xf0823c, 0x22c095, 0xdc93bd, 0xe6c23a, 0x7d9cf0, 0xb4b8bf,
    ]),
    sequential: all([0x202833, 0x1f4870, 0x2b76b0, 0x6fb3e0, 0xd3eafa]),
    diverging: all([0xf2a05e, 0xa55a1c, 0x2c2f34, 0x2b6fa6, 0x7ac0ee]),
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
