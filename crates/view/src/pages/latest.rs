//! The newest questions of a run: probabilities, the option chosen, sets.

use serde::Serialize;
use sureness_analysis::Unit;
use sureness_analysis::number::figure;
use sureness_bench::Failure;
use sureness_bench::live::LatestQuestion;
use sureness_bench::show::ShownSets;
use sureness_conformal::Nonconformity;
use sureness_questions::letter;

use crate::query::encoded;
use crate::site::{RunId, Site};

/// Options that have a column; a question with more is marked.
const MOST_COLUMNS: usize = 8;

#[derive(Serialize)]
struct Latest {
    letters: Vec<String>,
    rows: Vec<Row>,
    /// Whether some question has more options than there are columns.
    more: bool,
    /// Whether the run goes on, so that thresholds move.
    provisional: bool,
}

#[derive(Serialize)]
struct Row {
    id: String,
    link: String,
    place: String,
    top: Option<Top>,
    options: Vec<Option<Share>>,
    lac: String,
    aps: String,
    /// Whether sets are shown but the question sets the thresholds.
    calibrates: bool,
    /// Why there are no probabilities, in a word or two.
    without: Option<&'static str>,
}

/// The most probable option.
#[derive(Serialize)]
struct Top {
    letter: String,
    right: bool,
}

/// The probability of one option.
#[derive(Serialize)]
struct Share {
    value: f64,
    percent: String,
    right: bool,
}

/// The part of the page.
pub(crate) fn fragment(
    site: &Site,
    id: RunId,
    questions: &[LatestQuestion],
    provisional: bool,
) -> Result<String, Failure> {
    let most = questions
        .iter()
        .map(|question| question.row.question.options);
    let most = most.max().unwrap_or(0);
    let columns = most.min(MOST_COLUMNS);
    site.fill(
        "latest.html",
        Latest {
            letters: (0..columns)
                .map(|option| letter(option).to_string())
                .collect(),
            rows: questions
                .iter()
                .map(|it| row(site, id, it, columns))
                .collect(),
            more: most > columns,
            provisional,
        },
    )
}

/// The address of a question.
pub(crate) fn link(site: &Site, id: RunId, question: &str) -> String {
    let (base, folder, run) = (site.base(), id.folder, id.run);
    format!(
        "{base}/run/{folder}/{run}/question?id={}",
        encoded(question)
    )
}

fn row(site: &Site, id: RunId, latest: &LatestQuestion, columns: usize) -> Row {
    let question = &latest.row.question;
    let set = |score| {
        latest
            .sets
            .as_ref()
            .map_or_else(String::new, |sets| letters(sets, score))
    };
    let shares = latest.sets.as_ref().map(|sets| &sets.probabilities);
    let share = |option: usize| {
        let share = *shares?.get(option)?;
        Some(Share {
            value: share,
            percent: figure(share, Unit::Percent),
            right: question.right.contains(option),
        })
    };
    Row {
        link: link(site, id, &question.id),
        id: question.id.clone(),
        place: format!("{} · {}", latest.task, latest.strategy),
        top: latest.sets.as_ref().map(|sets| Top {
            letter: letter(sets.top).to_string(),
            right: question.right.contains(sets.top),
        }),
        options: (0..columns).map(share).collect(),
        lac: set(Nonconformity::Lac),
        aps: set(Nonconformity::Aps),
        calibrates: latest.sets.as_ref().is_some_and(|sets| sets.calibrates),
        without: match () {
            () if question.options == 0 => Some("open question"),
            () if latest.row.scores.is_none() => Some("no option chosen"),
            () if latest.sets.is_none() => Some("too few answers for sets"),
            () => None,
        },
    }
}

/// The letters of a set, such as `A C`.
pub(super) fn letters(sets: &ShownSets, score: Nonconformity) -> String {
    let set = sets.sets.iter().find(|(own, _)| *own == score);
    let options = set.map_or(&[][..], |(_, options)| options);
    let letters: Vec<String> = options
        .iter()
        .map(|option| letter(*option).to_string())
        .collect();
    letters.join(" ")
}
