//! The SVG, written element by element.

use std::fmt::Display;

use crate::color::Rgb;
use crate::style::Context;
use crate::text::Weight;

/// The families that the layout holds for: all have glyphs of the same widths, but the last.
const FAMILIES: &str = "Arimo, Arial, 'Liberation Sans', 'Helvetica Neue', Helvetica, sans-serif";

/// What has been drawn so far.
#[derive(Default)]
pub(crate) struct Canvas {
    body: String,
    definitions: String,
}

/// Which part of a text its position names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// Words at a place.
pub(crate) struct Text<'a> {
    /// Where the anchor is.
    pub x: f64,
    /// Where the baseline is.
    pub y: f64,
    /// Which part of the text is at `x`.
    pub anchor: Anchor,
    /// Height of the font.
    pub size: f64,
    /// Regular or bold.
    pub weight: Weight,
    /// Colour.
    pub fill: String,
    /// The text.
    pub words: &'a str,
    /// What it is short for, where it is.
    pub full: Option<&'a str>,
    /// Degrees clockwise around its place.
    pub turn: f64,
}

impl<'a> Text<'a> {
    /// Small text in the ink of names.
    pub(crate) fn small(ctx: &Context, x: f64, y: f64, anchor: Anchor, words: &'a str) -> Self {
        Self {
            x,
            y,
            anchor,
            size: ctx.small,
            weight: Weight::Regular,
            fill: ctx.palette.ink.to_string(),
            words,
            full: None,
            turn: 0.0,
        }
    }

    /// The same in the ink of axes and captions.
    pub(crate) fn muted(ctx: &Context, x: f64, y: f64, anchor: Anchor, words: &'a str) -> Self {
        Self {
            fill: ctx.palette.muted.to_string(),
            ..Self::small(ctx, x, y, anchor, words)
        }
    }

    /// The same, short for something where that differs.
    pub(crate) fn standing_for(mut self, full: &'a str) -> Self {
        self.full = (full != self.words).then_some(full);
        self
    }
}

impl Canvas {
    /// Begins an element without content.
    pub(crate) fn element(&mut self, name: &str) -> Element<'_> {
        Element::begin(&mut self.body, name)
    }

    /// Begins a definition, which others name by its id.
    pub(crate) fn definition(&mut self, raw: &str) {
        self.definitions.push_str(raw);
    }

    /// A straight line.
    pub(crate) fn line(
        &mut self,
        (x1, y1): (f64, f64),
        (x2, y2): (f64, f64),
        stroke: impl Display,
        width: f64,
    ) -> Element<'_> {
        self.element("line")
            .number("x1", x1)
            .number("y1", y1)
            .number("x2", x2)
            .number("y2", y2)
            .word("stroke", &stroke.to_string())
            .number("stroke-width", width)
    }

    /// A straight line of this colour and width, complete.
    pub(crate) fn rule(&mut self, from: (f64, f64), to: (f64, f64), (color, width): (Rgb, f64)) {
        self.line(from, to, color, width).end();
    }

    /// A filled rectangle.
    pub(crate) fn rect(
        &mut self,
        (x, y): (f64, f64),
        (width, height): (f64, f64),
        fill: impl Display,
    ) -> Element<'_> {
        self.element("rect")
            .number("x", x)
            .number("y", y)
            .number("width", width.max(0.0))
            .number("height", height.max(0.0))
            .word("fill", &fill.to_string())
    }

    /// An open or closed run of lines.
    pub(crate) fn path(&mut self, points: &[(f64, f64)], closed: bool) -> Element<'_> {
        let mut d = String::new();
        for (i, (x, y)) in points.iter().enumerate() {
            d.push(if i == 0 { 'M' } else { 'L' });
            d.push_str(&short(*x));
            d.push(' ');
            d.push_str(&short(*y));
        }
        if closed {
            d.push('Z');
        }
        self.element("path").word("d", &d)
    }

    /// Words. Shortened ones show what they are short for when pointed at.
    pub(crate) fn text(&mut self, text: &Text<'_>) {
        if text.words.trim().is_empty() {
            return;
        }
        if let Some(full) = text.full {
            self.open(Some(full));
        }
        let mut element = self
            .element("text")
            .number("x", text.x)
            .number("y", text.y)
            .number("font-size", text.size);
        match text.anchor {
            Anchor::Start => {}
            Anchor::Middle => element = element.word("text-anchor", "middle"),
            Anchor::End => element = element.word("text-anchor", "end"),
        }
        if text.weight == Weight::Bold {
            element = element.word("font-weight", "bold");
        }
        element = element.word("fill", &text.fill);
        if text.turn != 0.0 {
            let turn = format!(
                "rotate({} {} {})",
                short(text.turn),
                short(text.x),
                short(text.y)
            );
            element = element.word("transform", &turn);
        }
        element.content(text.words);
        if text.full.is_some() {
            self.close();
        }
    }

    /// Opens a group; what is in it shows `tip` when pointed at.
    pub(crate) fn open(&mut self, tip: Option<&str>) {
        self.body.push_str("<g>");
        if let Some(tip) = tip {
            self.body.push_str("<title>");
            escape(tip, &mut self.body);
            self.body.push_str("</title>");
        }
        self.body.push('\n');
    }

    /// Closes the group that was opened last.
    pub(crate) fn close(&mut self) {
        self.body.push_str("</g>\n");
    }

    /// The whole document, `height` high.
    pub(crate) fn finish(
        self,
        ctx: &Context,
        height: f64,
        id: &str,
        title: &str,
        caption: &str,
    ) -> String {
        let id = format!("{}-{}", identifier(id), ctx.theme_name);
        let shrink = ctx.shown_width / ctx.width;
        // Whole pixels: half a row of pixels at the end would show as a line.
        let height = height.ceil();
        let mut out = String::new();
        out.push_str("<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\"");
        out.push_str(&format!(
            " aria-labelledby=\"{id}-title {id}-desc\" viewBox=\"0 0 {} {}\" width=\"{}\" height=\"{}\"",
            short(ctx.width),
            short(height),
            short(ctx.shown_width),
            short(height * shrink),
        ));
        out.push_str(&format!(" font-family=\"{FAMILIES}\">\n"));
        for (name, words) in [("title", title), ("desc", caption)] {
            out.push_str(&format!("<{name} id=\"{id}-{name}\">"));
            escape(words, &mut out);
            out.push_str(&format!("</{name}>\n"));
        }
        if !self.definitions.is_empty() {
            out.push_str("<defs>");
            out.push_str(&self.definitions);
            out.push_str("</defs>\n");
        }
        if ctx.background {
            Element::begin(&mut out, "rect")
                .number("width", ctx.width)
                .number("height", height)
                .word("fill", &ctx.palette.ground.to_string())
                .end();
        }
        out.push_str(&self.body);
        out.push_str("</svg>\n");
        out
    }
}

/// An element that is being written.
#[must_use]
pub(crate) struct Element<'a> {
    out: &'a mut String,
    name: String,
}

impl<'a> Element<'a> {
    fn begin(out: &'a mut String, name: &str) -> Self {
        out.push('<');
        out.push_str(name);
        Self {
            out,
            name: name.to_owned(),
        }
    }

    /// An attribute that is a number.
    pub(crate) fn number(self, name: &str, value: f64) -> Self {
        let value = short(value);
        self.word(name, &value)
    }

    /// An attribute that is words.
    pub(crate) fn word(self, name: &str, value: &str) -> Self {
        self.out.push(' ');
        self.out.push_str(name);
        self.out.push_str("=\"");
        escape(value, self.out);
        self.out.push('"');
        self
    }

    /// Closes it without content.
    pub(crate) fn end(self) {
        self.out.push_str("/>\n");
    }

    fn content(self, words: &str) {
        self.out.push('>');
        escape(words, self.out);
        self.out.push_str("</");
        self.out.push_str(&self.name);
        self.out.push_str(">\n");
    }
}

/// A number with two decimals at most.
pub(crate) fn short(value: f64) -> String {
    // What is not a number was kept out before; a picture must be well-formed all the same.
    if !value.is_finite() {
        return "0".to_owned();
    }
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0" } else { text }.to_owned()
}

/// A name that can be an id: letters, digits and hyphens, beginning with a letter.
pub(crate) fn identifier(name: &str) -> String {
    let kept: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '-' {
                c
            } else {
                '_'
            }
        })
        .collect();
    if kept.starts_with(|c: char| c.is_ascii_alphabetic()) {
        kept
    } else {
        format!("chart-{kept}")
    }
}

fn escape(words: &str, out: &mut String) {
    for c in words.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push(' '),
            // XML has no way to write these.
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_hold_is_replaced() {
        let mut out = String::new();
        escape("a<b & \"c\">\u{1}\n", &mut out);
        assert_eq!(out, "a&lt;b &amp; &quot;c&quot;&gt;\u{fffd} ");
    }

    #[test]
    fn numbers_are_short_and_never_anything_else() {
        assert_eq!(short(1.0), "1");
        assert_eq!(short(-0.001), "0");
        assert_eq!(short(12.345), "12.35");
        assert_eq!(short(f64::NAN), "0");
    }

    #[test]
    fn ids_are_names() {
        assert_eq!(identifier("a b\"c"), "a_b_c");
        assert_eq!(identifier("1st"), "chart-1st");
        assert_eq!(identifier(""), "chart-");
    }
}
