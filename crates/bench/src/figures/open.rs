//! The figures of open questions, whose answers are read from the store and compared with the accepted
//! ones of the data.

use sureness_analysis::number::counted;
use sureness_conformal::{Config, Resampling, conformal_rank};
use sureness_open::{Answer, Item, Meanings, OpenFigures, evaluate};
use sureness_questions::{Bank, Question};
use sureness_scorers::Reading;
use sureness_store::{StoreError, StoredAnswer};

use super::{RowCounts, Rows};
use crate::judge::Verdicts;

/// The figures of a group, or why there are none. Counts its rows.
pub(super) fn figures(
    rows: &Rows<'_>,
    questions: Option<&Bank>,
    mut verdicts: Option<&mut Verdicts>,
    config: &Config,
    counts: &mut RowCounts,
) -> Result<Result<OpenFigures, String>, StoreError> {
    let mut answered = Vec::new();
    let mut number = 0;
    rows.reader.rows(rows.run, rows.index, |row| {
        if row.scores.is_some() {
            let cluster = row.question.cluster.unwrap_or(row.question.content);
            answered.push((number, row.position, row.question.content, cluster));
        }
        number += 1;
        counts.count(&row);
    })?;
    let Some(questions) = questions else {
        return Ok(Err("the accepted answers are not at hand".to_owned()));
    };
    let mut items = Vec::with_capacity(answered.len());
    for (number, position, key, cluster) in answered {
        let question = match questions.read(number) {
            Ok((digests, question)) if digests.content == key => question,
            Ok(_) => return Ok(Err("the data are not those that were asked".to_owned())),
            Err(error) => return Ok(Err(format!("the questions cannot be read back: {error}"))),
        };
        let answers = rows.reader.answers(rows.run, rows.index, position)?;
        items.push(Item {
            key,
            cluster,
            meanings: judged(&answers, &question, verdicts.as_deref_mut())?,
        });
    }
    Ok(evaluated(&items, config))
}

/// The figures of these questions at the level of every run, or why there are none.
pub(crate) fn evaluated(items: &[Item], config: &Config) -> Result<OpenFigures, String> {
    let level = Resampling::default().level;
    evaluate(items, config, level).map_err(|error| error.to_string())
}

/// The meanings of the answers to a question, as a judge joined them where there is one.
pub(crate) fn judged(
    answers: &[StoredAnswer],
    question: &Question,
    verdicts: Option<&mut Verdicts>,
) -> Result<Meanings, StoreError> {
    let exact = meanings(answers, question);
    match verdicts {
        None => Ok(exact),
        Some(verdicts) => verdicts.joined(&exact, question),
    }
}

/// The meanings of the answers to a question by exact match.
pub(crate) fn meanings(answers: &[StoredAnswer], question: &Question) -> Meanings {
    let given = answers.iter().filter_map(|stored| stored.answer.as_ref());
    let said = given
        .clone()
        .filter(|(words, _)| words.reading == Reading::Said)
        .map(|(words, _)| Answer {
            text: sureness_answers::short(&words.text),
            logprob: words.logprob,
        });
    Meanings::of(said, given.count() as u32, &question.accepted)
}

/// Figures with what to know of them, or why there are none, as a group's result has them.
pub(crate) fn with_note(
    found: Result<OpenFigures, String>,
    config: &Config,
) -> (Option<OpenFigures>, Option<String>) {
    match found {
        Ok(figures) => {
            let note = note(&figures, config);
            (Some(figures), note)
        }
        Err(reason) => (None, Some(reason)),
    }
}

/// What to know of figures whose sets hold every answer.
fn note(figures: &OpenFigures, config: &Config) -> Option<String> {
    if figures.sets.threshold.is_some() {
        return None;
    }
    let n = figures.n_calibration;
    if conformal_rank(n, config.alpha).is_none() {
        return Some(format!(
            "the calibration set has {}, too few for a threshold at an error rate of {}: only sets of \
             every answer could promise it",
            counted(n, "question"),
            config.alpha
        ));
    }
    Some(format!(
        "the truth of too many calibration questions was never generated: only sets of every answer \
         could promise an error rate of {}; the smallest that these answers can promise is {:.3}",
        config.alpha, figures.sets.least_error_rate
    ))
}
