//! The outputs of an analysis: terminal, files, HTML page.

use std::path::Path;

use sureness_analysis::number::counted;
use sureness_analysis::{Chart, Document, Figures, GroupRows, Source, Theme};
use sureness_bench::evidence::Texts;
use sureness_bench::{Failure, Kind, TaskData, provenance};
use sureness_hint::Hint;
use sureness_report::export::{self, ChartImage, Format};
use sureness_report::html::{HtmlOptions, html};
use sureness_report::questions::{Layout, QuestionWriter, RowSets, ScoreKind};

use super::{browser, headline};
use crate::args::analyze::FormatArg;
use crate::args::command_line;
use crate::show::terminal;

/// Fails early if the folder cannot be written to.
pub(super) fn check_folder(folder: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(folder)
        .and_then(|()| {
            tempfile::Builder::new()
                .prefix(".sureness")
                .tempfile_in(folder)
        })
        .map(drop)
        .map_err(|e| {
            Failure::new(format!("cannot write to {}: {e}", folder.display()))
                .hint("choose another folder for the output")
        })
}

/// Fails early if this build lacks a format.
pub(super) fn check_formats(formats: &[FormatArg]) -> Result<(), Failure> {
    if cfg!(feature = "png") || !formats.contains(&FormatArg::Document(Format::Png)) {
        return Ok(());
    }
    Err(Failure::new("this build of sureness draws no PNG files")
        .hint("choose svg, or build with the feature `png`"))
}

/// The document at the width of the terminal.
pub(super) fn shown(document: &Document) -> String {
    export::text(document, terminal::width())
}

/// Writes files in the chosen formats and prints their names.
pub(super) fn write(
    figures: &Figures<'_>,
    document: &Document,
    (texts, data): (&mut Texts, &[TaskData]),
    folder: &Path,
    formats: &[FormatArg],
) -> Result<(), Failure> {
    let chosen: Vec<Format> = formats
        .iter()
        .filter_map(|format| match format {
            FormatArg::Document(format) => Some(*format),
            FormatArg::Html | FormatArg::Parquet => None,
        })
        .collect();
    let charts = chosen
        .iter()
        .any(|format| matches!(format, Format::Svg | Format::Png));
    let images = if charts {
        images(document, chosen.contains(&Format::Png))?
    } else {
        Vec::new()
    };
    let mut written = export::write_all(document, &images, folder, &chosen)
        .map_err(|e| Failure::from(e).kind(Kind::Unfinished))?;
    if formats.contains(&FormatArg::Html) {
        let path = folder.join("report.html");
        write_page(figures, document, (texts, data), &path)?;
        written.push(path);
    }
    if formats.contains(&FormatArg::Parquet) && figures.models.is_empty() {
        eprintln!("note: questions.parquet is not written: it holds questions with options alone");
    } else if formats.contains(&FormatArg::Parquet) {
        let path = folder.join("questions.parquet");
        write_questions(figures, &path)?;
        written.push(path);
    }
    eprintln!(
        "wrote {} to {}: {}",
        counted(written.len(), "file"),
        folder.display(),
        first_few(&written, folder)
    );
    Ok(())
}

fn first_few(written: &[std::path::PathBuf], folder: &Path) -> String {
    const SHOWN: usize = 6;
    let names: Vec<String> = written
        .iter()
        .filter(|path| path.parent() == Some(folder))
        .chain(written.iter().filter(|path| path.parent() != Some(folder)))
        .take(SHOWN)
        .map(|path| {
            path.strip_prefix(folder)
                .unwrap_or(path)
                .display()
                .to_string()
        })
        .collect();
    let more = written.len().saturating_sub(SHOWN);
    match more {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

#[cfg(feature = "png")]
fn png(chart: &Chart, style: &sureness_plot::Style) -> Result<Vec<u8>, Failure> {
    /// Pixels per point: print quality.
    const SCALE: f32 = 3.0;
    sureness_plot::png(chart, style, SCALE)
        .map_err(|e| Failure::new(format!("cannot draw {}: {e}", chart.id)))
}

/// [`check_formats`] has refused them.
#[cfg(not(feature = "png"))]
#[expect(
    clippy::unnecessary_wraps,
    reason = "the same signature as with pixels"
)]
fn png(_: &Chart, _: &sureness_plot::Style) -> Result<Vec<u8>, Failure> {
    Ok(Vec::new())
}

/// Draws every chart in both themes.
fn images(document: &Document, pixels: bool) -> Result<Vec<ChartImage>, Failure> {
    use rayon::prelude::*;
    let charts: Vec<&Chart> = document.sections.iter().flat_map(|s| &s.charts).collect();
    let all: Vec<_> = charts
        .into_iter()
        .flat_map(|chart| [Theme::Light, Theme::Dark].map(|theme| (chart, theme)))
        .collect();
    all.into_par_iter()
        .map(|(chart, theme)| {
            let style = sureness_plot::Style {
                theme,
                ..sureness_plot::Style::default()
            };
            let png = if pixels {
                png(chart, &style)?
            } else {
                Vec::new()
            };
            Ok(ChartImage {
                chart: chart.id.clone(),
                theme,
                svg: sureness_plot::svg(chart, &style),
                png,
            })
        })
        .collect()
}

/// Writes the HTML page.
pub(super) fn write_page(
    figures: &Figures<'_>,
    document: &Document,
    (texts, data): (&mut Texts, &[TaskData]),
    path: &Path,
) -> Result<(), Failure> {
    let draw = |chart: &Chart, theme: Theme| {
        let style = sureness_plot::Style {
            theme,
            background: false,
            heading: false,
            ..sureness_plot::Style::default()
        };
        sureness_plot::svg(chart, &style)
    };
    let highlights = headline::highlights(figures, document);
    // Files for programs are the same each time; the page says when and how it was made.
    let mut document = document.clone();
    document.settings["provenance"] = serde_json::json!(provenance(command_line()));
    let page = html(
        &document,
        Some(&browser::browser(figures, texts, data)?),
        &HtmlOptions {
            draw: &draw,
            highlights: &highlights,
        },
    );
    export::write_whole(path, page.as_bytes()).map_err(|e| cannot_write(path, &e))?;
    eprintln!("wrote {}", path.display());
    Ok(())
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("cannot write {}: {error}", path.display()))
        .hint("free some disk space, or choose another folder")
        .kind(Kind::Unfinished)
}

/// Writes every question with its probabilities and prediction sets.
fn write_questions(figures: &Figures<'_>, path: &Path) -> Result<(), Failure> {
    let groups = || figures.models.iter().flat_map(|model| &model.groups);
    let kind = |source: &Source, rows: &GroupRows| {
        if source.record.has_logits(&rows.id) {
            ScoreKind::Logits
        } else {
            ScoreKind::LogProbs
        }
    };
    let kinds = |wanted: ScoreKind| {
        figures.models.iter().any(|model| {
            let mut groups = model.groups.iter();
            groups.any(|group| kind(&model.model.source, group.rows) == wanted)
        })
    };
    let layout = Layout {
        options: groups()
            .map(|group| group.rows.table.stride())
            .max()
            .unwrap_or(2),
        scores: match (kinds(ScoreKind::Logits), kinds(ScoreKind::LogProbs)) {
            (true, true) => &[ScoreKind::LogProbs, ScoreKind::Logits],
            (true, false) => &[ScoreKind::Logits],
            (false, _) => &[ScoreKind::LogProbs],
        },
        several_right: groups().any(|group| group.rows.table.with_several_right() > 0),
    };
    let failed = |e: sureness_report::questions::QuestionsError| {
        Failure::new(format!("{}: {e}", path.display())).hint(e.hint())
    };
    export::write_whole_with(path, |file| {
        let mut writer = QuestionWriter::new(file, layout)?;
        for model in &figures.models {
            for group in &model.groups {
                let sets = RowSets::of(group, figures.settings.config.covers);
                let protocol = figures.settings.config.protocol;
                let kind = kind(&model.model.source, group.rows);
                writer.write(&model.model.name, group.rows, kind, &sets, protocol)?;
            }
        }
        writer.finish().map(drop)
    })
    .map_err(failed)
}
