//! Drawn charts, and where their files lie.

use super::clean::file_name;

use sureness_analysis::Theme;

/// A chart of the document, drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChartImage {
    /// The chart's id.
    pub chart: String,
    /// What page it is made for.
    pub theme: Theme,
    /// As SVG.
    pub svg: String,
    /// As PNG; empty where there is none.
    pub png: Vec<u8>,
}

/// The kinds of image files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Svg,
    Png,
}

impl Kind {
    fn extension(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Png => "png",
        }
    }
}

/// The image files that are written, by chart.
#[derive(Debug, Default)]
pub(crate) struct Links {
    files: Vec<(String, Theme, Kind)>,
}

impl Links {
    /// Those of `kinds` that there are.
    pub(crate) fn new(images: &[ChartImage], kinds: &[Kind]) -> Self {
        let of = |image: &ChartImage, kind: Kind| {
            let there = match kind {
                Kind::Svg => !image.svg.is_empty(),
                Kind::Png => !image.png.is_empty(),
            };
            there.then(|| (image.chart.clone(), image.theme, kind))
        };
        let files = images
            .iter()
            .flat_map(|image| kinds.iter().filter_map(move |&kind| of(image, kind)));
        Self {
            files: files.collect(),
        }
    }

    /// A chart's file from the folder of the document: the light one, or else the dark one.
    pub(crate) fn file(&self, chart: &str, kind: Kind) -> Option<String> {
        [Theme::Light, Theme::Dark]
            .into_iter()
            .find(|&theme| self.has(chart, theme, kind))
            .map(|theme| path(chart, theme, kind))
    }

    /// The file for dark pages, where there is one for light pages too.
    pub(crate) fn dark(&self, chart: &str, kind: Kind) -> Option<String> {
        let both = [Theme::Light, Theme::Dark]
            .into_iter()
            .all(|theme| self.has(chart, theme, kind));
        both.then(|| path(chart, Theme::Dark, kind))
    }

    fn has(&self, chart: &str, theme: Theme, kind: Kind) -> bool {
        let mut files = self.files.iter();
        files.any(|(id, has, is)| id == chart && *has == theme && *is == kind)
    }
}

/// Where a chart's file lies in the folder of the document.
pub(crate) fn path(chart: &str, theme: Theme, kind: Kind) -> String {
    let (name, theme, extension) = (file_name(chart), theme.name(), kind.extension());
    format!("charts/{name}-{theme}.{extension}")
}
