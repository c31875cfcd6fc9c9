//! Runs compared, as `sureness analyze` compares them.

use std::path::PathBuf;

use serde_json::json;
use sureness_analysis::{Asked, Figures, Mode, Settings, document};
use sureness_bench::evidence::{Selection, load, split_rule};
use sureness_bench::live::numbered;
use sureness_bench::{Failure, PROGRAM};
use sureness_conformal::{Config, SplitRule};

use crate::site::{RunId, Site};

/// Runs compared at once.
const MOST: usize = 4;

/// The page that compares these runs.
pub(crate) fn compare(site: &Site, ids: &[RunId]) -> Result<String, Failure> {
    if !(2..=MOST).contains(&ids.len()) {
        return Err(Failure::new(format!("{} runs are chosen", ids.len()))
            .hint(format!("choose two to {MOST} runs in the list")));
    }
    let places = ids
        .iter()
        .map(|id| Ok(numbered(&site.folder(*id)?, id.run)));
    let places = places.collect::<Result<Vec<PathBuf>, Failure>>()?;
    let loaded = load(&Selection::of(places.clone()), &site.texts()?)?;
    let mut evidence = loaded.evidence;
    let settings = Settings {
        config: Config {
            // As `analyze` does.
            split: SplitRule::Ordered,
            ..loaded.config.unwrap_or_default()
        },
        ..Settings::default()
    };
    evidence.temper(settings.config.tempered);
    let mut notes = loaded.notes;
    notes.extend(split_rule(&evidence, &settings.config));
    let mut modes = Vec::new();
    if !evidence.models.is_empty() {
        modes.extend([Mode::Comparative, Mode::Basic]);
    }
    if !evidence.open.is_empty() {
        modes.push(Mode::Open);
    }
    let figures = Figures::of(&evidence, &settings, &modes);
    let document = document(&figures, &modes, &Asked::default(), PROGRAM);
    let mut sections = String::new();
    for section in &document.sections {
        sections += &site.section(section)?;
    }
    let command = places.iter().map(|place| place.display().to_string());
    let values = json!({
        "heading": document.title,
        "method": document.method,
        "summary": document.summary,
        "warnings": loaded.warnings,
        "notes": notes,
        "sections": sections,
        "places": command.collect::<Vec<_>>(),
    });
    site.page("compare.html", &document.title, values)
}
