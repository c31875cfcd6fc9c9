//! Documents as text, HTML and pictures.

use pyo3::prelude::*;
use serde::de::DeserializeOwned;
use sureness_analysis::{Chart, Document, Theme};
use sureness_report::export;
use sureness_report::html::fragment;

use crate::refusal::refusal;

/// Width of a text, in columns.
const WIDTH: usize = 100;

/// A document in another format: `text`, `markdown`, `latex`, or `html` for a part of a page.
#[pyfunction]
pub(crate) fn render(py: Python<'_>, document: &str, format: &str) -> PyResult<String> {
    let document: Document = read(document)?;
    py.detach(|| match format {
        "text" => Ok(export::text(&document, WIDTH)),
        "markdown" => Ok(export::markdown(&document)),
        "latex" => Ok(export::latex(&document)),
        "html" => Ok(fragment(&document, &|chart| draw(chart, Theme::Light))),
        _ => Err(refusal(
            format_args!("format {format:?} is unknown"),
            "choose among text, markdown, latex, html",
        )),
    })
}

/// A chart as SVG.
#[pyfunction]
pub(crate) fn chart(py: Python<'_>, chart: &str, dark: bool) -> PyResult<String> {
    let chart: Chart = read(chart)?;
    let theme = if dark { Theme::Dark } else { Theme::Light };
    Ok(py.detach(|| draw(&chart, theme)))
}

fn draw(chart: &Chart, theme: Theme) -> String {
    let style = sureness_plot::Style {
        theme,
        ..sureness_plot::Style::default()
    };
    sureness_plot::svg(chart, &style)
}

fn read<T: DeserializeOwned>(text: &str) -> PyResult<T> {
    serde_json::from_str(text).map_err(|error| {
        refusal(
            format_args!("this is not a document of sureness: {error}"),
            "pass what Analysis.to_json returned",
        )
    })
}
