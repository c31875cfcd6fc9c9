//! `HellaSwag`: JSON lines with a context and endings.

use super::{Record, Records, Rows};
use crate::draft::{Answer, Draft, Names, Options};
use crate::readers::record::index_label;
use crate::source::Source;
use crate::{DataError, LoadOptions};

/// The question to ask, since the data set has none.
const STEM: &str = "What happens next?";
const NAMES: Names<'static> = Names {
    stem: "ctx",
    options: "endings",
    answer: "label",
};

/// Reads the layout.
pub(crate) fn read(
    source: &Source,
    rows: &mut Rows,
    options: &LoadOptions,
) -> Result<(), DataError> {
    for record in Records::new(source)? {
        let record = record?;
        let id = record.id("ind")?.unwrap_or_else(|| rows.id_of(&record));
        let label = index_label(&record, "label")?;
        let draft = Draft {
            id,
            category: record.optional_text("activity_label")?,
            context: Some(&context(&record)?),
            stem: STEM,
            options: Options::numbered(record.texts("endings")?).with_repeats(),
            answers: Answer::Label(&label).into(),
            names: NAMES,
        };
        let cluster = options.cluster.of_record(&record)?;
        rows.unread.add_fields(&record);
        rows.push(record.at, draft.finish(record.at)?, false, cluster)?;
    }
    Ok(())
}

/// `ctx`, or the whole sentences `ctx_a` and the begun one `ctx_b` that it is made of.
fn context(record: &Record<'_>) -> Result<String, DataError> {
    // The parts are in the whole, so that all three count as read.
    let parts = [record.has("ctx_a"), record.has("ctx_b")];
    if record.has("ctx") || !parts[0] {
        return Ok(record.text("ctx")?.to_owned());
    }
    let begun = record.optional_text("ctx_b")?.unwrap_or_default();
    Ok(format!("{} {begun}", record.text("ctx_a")?.trim()))
}
