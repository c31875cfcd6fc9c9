//! A [`Document`] in the formats that people and programs read.
//!
//! One file per format, each a function from the document to text; [`write_all`] puts the chosen
//! ones into a folder, the drawn charts beside them.

mod clean;
mod csv;
mod error;
mod figures;
mod files;
mod images;
mod json;
mod latex;
mod markdown;
mod text;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use sureness_analysis::{Document, Section};

pub use self::csv::csv;
pub use error::ExportError;
pub use figures::{Figure, FigureList, figures};
pub use files::{write_whole, write_whole_with};
pub use images::ChartImage;
pub use json::json;
pub use latex::{latex, latex_table};
pub use markdown::{markdown, section_markdown};
pub use text::{DEFAULT_WIDTH, columns, paragraph, section_text, text};

use images::{Kind, Links};

/// What a document can be written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// `report.txt`, as in a terminal of [`DEFAULT_WIDTH`].
    Text,
    /// `report.md`.
    Markdown,
    /// `report.tex`, and a file per table in `tables/`.
    Latex,
    /// A file per table in `tables/`, and how all were made in `tables/method.txt`.
    Csv,
    /// `report.json`.
    Json,
    /// A file per chart and theme in `charts/`.
    Svg,
    /// The same as pixels.
    Png,
}

impl Format {
    /// All formats, in the order in which they are written.
    pub const ALL: [Self; 7] = [
        Self::Svg,
        Self::Png,
        Self::Csv,
        Self::Json,
        Self::Text,
        Self::Markdown,
        Self::Latex,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Markdown => "markdown",
            Self::Latex => "latex",
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Svg => "svg",
            Self::Png => "png",
        }
    }

    /// What it is for, for a list of formats.
    pub fn about(self) -> &'static str {
        match self {
            Self::Text => "Plain text",
            Self::Markdown => "For a pull request",
            Self::Latex => "Tables for a paper",
            Self::Csv => "One file per table",
            Self::Json => "The tables and charts as data",
            Self::Svg => "Charts as vector graphics",
            Self::Png => "Charts as images",
        }
    }
}

/// One section alone in a format of text, for a terminal of `width` columns. `None` for formats that
/// take several files.
pub fn section(section: &Section, format: Format, width: usize) -> Option<String> {
    match format {
        Format::Text => Some(section_text(section, width)),
        Format::Markdown => Some(section_markdown(section)),
        Format::Latex => Some(section.tables.iter().map(latex_table).collect()),
        Format::Csv | Format::Json | Format::Svg | Format::Png => None,
    }
}

/// Writes the document into `folder` in each of `formats`; gives the files in the order written.
///
/// Each file appears in one step. The formats that show charts refer to those that are written
/// now. On an error the files before it are there, and nothing of the one it names.
pub fn write_all(
    document: &Document,
    images: &[ChartImage],
    folder: &Path,
    formats: &[Format],
) -> Result<Vec<PathBuf>, ExportError> {
    let has = |format: Format| formats.contains(&format);
    let kinds = [(Format::Svg, Kind::Svg), (Format::Png, Kind::Png)];
    let kinds: Vec<Kind> = kinds
        .into_iter()
        .filter_map(|(format, kind)| has(format).then_some(kind))
        .collect();
    let export = Export {
        document,
        images,
        links: Links::new(images, &kinds),
        tables: table_names(document),
    };
    let mut written = Vec::new();
    for format in Format::ALL.into_iter().filter(|&format| has(format)) {
        for (name, content) in export.files(format)? {
            let path = folder.join(name);
            write_whole(&path, &content).map_err(|source| ExportError::Write {
                path: path.clone(),
                source,
            })?;
            written.push(path);
        }
    }
    Ok(written)
}

struct Export<'a> {
    document: &'a Document,
    images: &'a [ChartImage],
    links: Links,
    /// For each section the names of its tables' files, without extension.
    tables: Vec<Vec<String>>,
}

impl Export<'_> {
    /// Names and contents of the files of one format.
    fn files(&self, format: Format) -> Result<Vec<(String, Vec<u8>)>, ExportError> {
        let one = |name: &str, content: String| vec![(name.to_owned(), content.into_bytes())];
        Ok(match format {
            Format::Text => one(
                "report.txt",
                text::linked(self.document, DEFAULT_WIDTH, &self.links),
            ),
            Format::Markdown => one("report.md", markdown::linked(self.document, &self.links)),
            Format::Json => one(
                "report.json",
                json(self.document).map_err(ExportError::Json)?,
            ),
            Format::Latex => {
                let input = |section: usize, table: usize| {
                    let name = self.tables.get(section)?.get(table)?;
                    Some(format!("tables/{name}.tex"))
                };
                let mut files = self.tables("tex", latex_table);
                let report = latex::linked(self.document, &self.links, &input);
                files.extend(one("report.tex", report));
                files
            }
            Format::Csv => {
                let mut files = self.tables("csv", csv);
                // A line above the header would be no CSV.
                let method = format!("{}\n", self.document.method);
                files.extend(one("tables/method.txt", method));
                files
            }
            Format::Svg => self.charts(Kind::Svg, |image| image.svg.as_bytes()),
            Format::Png => self.charts(Kind::Png, |image| &image.png),
        })
    }

    fn tables(
        &self,
        extension: &str,
        write: fn(&sureness_analysis::Table) -> String,
    ) -> Vec<(String, Vec<u8>)> {
        let sections = self.document.sections.iter().zip(&self.tables);
        sections
            .flat_map(|(section, names)| section.tables.iter().zip(names))
            .map(|(table, name)| {
                let content = write(table).into_bytes();
                (format!("tables/{name}.{extension}"), content)
            })
            .collect()
    }

    fn charts(&self, kind: Kind, content: fn(&ChartImage) -> &[u8]) -> Vec<(String, Vec<u8>)> {
        let images = self
            .images
            .iter()
            .filter(|image| !content(image).is_empty());
        images
            .map(|image| {
                let name = images::path(&image.chart, image.theme, kind);
                (name, content(image).to_owned())
            })
            .collect()
    }
}

/// Names for the tables' files: their ids, with the section's in front where an id comes again.
fn table_names(document: &Document) -> Vec<Vec<String>> {
    let mut taken = HashSet::new();
    let mut name = |section: &str, table: &str| {
        let (section, table) = (clean::file_name(section), clean::file_name(table));
        let candidates = [table.clone(), format!("{section}-{table}")].into_iter();
        let more = (2_usize..).map(|number| format!("{section}-{table}-{number}"));
        let free = candidates.chain(more).find(|name| !taken.contains(name));
        let name = free.unwrap_or(table);
        taken.insert(name.clone());
        name
    };
    let sections = document.sections.iter();
    sections
        .map(|section| {
            let tables = section.tables.iter();
            tables.map(|table| name(&section.id, &table.id)).collect()
        })
        .collect()
}
