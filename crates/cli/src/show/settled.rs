//! What a run that stopped early has shown.

use sureness_analysis::Section;
use sureness_analysis::settled::Settled;
use sureness_bench::Failure;
use sureness_report::export;

use super::terminal;

/// Prints why it stopped and what was found out, as tables.
pub(crate) fn print(found: &Settled) -> Result<(), Failure> {
    let section = Section {
        // The table of figures above it has no heading either.
        title: String::new(),
        ..found.section()
    };
    let text = export::section(&section, export::Format::Text, terminal::width());
    terminal::print(&text.unwrap_or_default())
}
