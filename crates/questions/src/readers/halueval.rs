//! `HaluEval`, dialogue and summarisation: a right and a hallucinated text per line.
//!
//! Two more options come from other questions, by consistent hashing: all options lie on a ring
//! ordered by hash, and a question draws positions and takes the next option after each. So its
//! options survive reordered rows and nearly always added rows.

use std::collections::BTreeMap;

use super::{Record, Records, Rows};
use crate::draft::{Answer, Draft, Names, Options};
use crate::error::Problem;
use crate::question::Digest;
use crate::source::{At, Source};
use crate::{ClusterBy, DataError, LoadOptions};

/// How many options a question ends up with.
const OPTIONS: usize = 4;

/// Field names of a layout.
pub(crate) struct Layout {
    context: &'static str,
    right: &'static str,
    wrong: &'static str,
    /// The question to ask, since the data set has none.
    stem: &'static str,
}

/// The dialogue layout.
pub(crate) const DIALOGUE: Layout = Layout {
    context: "dialogue_history",
    right: "right_response",
    wrong: "hallucinated_response",
    stem: "Which response continues this dialogue best?",
};

/// The summarisation layout.
pub(crate) const SUMMARIZATION: Layout = Layout {
    context: "document",
    right: "right_summary",
    wrong: "hallucinated_summary",
    stem: "Which summary renders this document best?",
};

struct Pair<'a> {
    at: At<'a>,
    context: String,
    right: String,
    wrong: String,
    /// The cluster from a column.
    cluster: Option<[u8; 32]>,
}

type Ring<'a> = BTreeMap<[u8; 32], &'a str>;

/// Reads files in one of the two layouts.
pub(crate) fn read(
    sources: &[Source],
    rows: &mut Rows,
    options: &LoadOptions,
    layout: &Layout,
) -> Result<(), DataError> {
    let seed = options.seed;
    let mut pairs = Vec::new();
    for source in sources {
        for record in Records::new(source)? {
            let record = record?;
            pairs.push(Pair::new(&record, layout, &options.cluster)?);
            rows.unread.add_fields(&record);
        }
    }
    let ring: Ring<'_> = pairs
        .iter()
        .flat_map(|pair| [pair.right.as_str(), pair.wrong.as_str()])
        .map(|text| {
            let place = Digest::new("sureness ring 1").number(seed).text(text);
            (place.finish(), text)
        })
        .collect();
    for pair in &pairs {
        let texts = pair.options(&ring, seed)?;
        let draft = Draft {
            id: rows.next_id(),
            category: None,
            context: Some(&pair.context),
            stem: layout.stem,
            options: Options::lettered(texts),
            answers: Answer::Text(&pair.right).into(),
            names: Names {
                stem: layout.context,
                options: layout.wrong,
                answer: layout.right,
            },
        };
        rows.push(pair.at, draft.finish(pair.at)?, false, pair.cluster)?;
    }
    Ok(())
}

impl<'a> Pair<'a> {
    fn new(record: &Record<'a>, layout: &Layout, cluster: &ClusterBy) -> Result<Self, DataError> {
        let text = |field| {
            let text = record.text(field)?.trim();
            if text.is_empty() {
                return Err(record.at.field(field, Problem::Blank));
            }
            Ok(text.to_owned())
        };
        Ok(Self {
            at: record.at,
            context: text(layout.context)?,
            right: text(layout.right)?,
            wrong: text(layout.wrong)?,
            cluster: cluster.of_record(record)?,
        })
    }

    /// A draw for this question; `purpose` and `number` make draws independent.
    fn draw(&self, seed: u64, purpose: &str, number: u64) -> Digest {
        Digest::new(purpose)
            .number(seed)
            .text(&self.context)
            .text(&self.right)
            .text(&self.wrong)
            .number(number)
    }

    /// The right text, the hallucinated one and as many others as are needed, shuffled. Where
    /// the data set has the same text for both, one more is drawn.
    fn options(&self, ring: &Ring<'a>, seed: u64) -> Result<Vec<&str>, DataError> {
        let mut options = vec![self.right.as_str()];
        if self.wrong != self.right {
            options.push(&self.wrong);
        }
        while options.len() < OPTIONS {
            let place = self
                .draw(seed, "sureness draw 1", options.len() as u64)
                .finish();
            let next = ring
                .range(place..)
                .chain(ring.range(..place))
                .map(|(_, &text)| text)
                .find(|text| !options.contains(text));
            options.push(next.ok_or_else(|| self.at.row(Problem::TooFewToDrawFrom))?);
        }
        options.sort_by_cached_key(|text| {
            self.draw(seed, "sureness shuffle 1", 0).text(text).finish()
        });
        Ok(options)
    }
}
