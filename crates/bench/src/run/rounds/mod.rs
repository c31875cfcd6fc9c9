//! `--samples auto`: answers are drawn in rounds, until more would say little about a question.
//!
//! How many answers a question gets depends on its own answers alone, by a rule that is the same for all
//! questions. So its score stays a function of the question and its own draws, and scores of exchangeable
//! questions stay exchangeable: the promise of conformal sets needs no more.

mod rule;
#[cfg(test)]
mod simulation;

use std::path::Path;
use std::sync::Arc;

use sureness_analysis::number::count;
use sureness_engine::{Group, Plan};
use sureness_record::Answers;
use sureness_store::Reader;

use crate::error::Failure;
use crate::figures::open::meanings;
use rule::{Counts, Rule};

/// The rounds of a run; one round where the number of answers is fixed.
pub(super) struct Rounds {
    plan: Plan,
    rule: Option<Rule>,
    /// By group and question, the answers to draw.
    wanted: Vec<Vec<u32>>,
}

impl Rounds {
    pub(super) fn of(answers: Answers, plan: &Plan) -> Self {
        let rule = answers.sampled().and_then(Rule::of);
        let wanted = match &rule {
            None => Vec::new(),
            Some(rule) => {
                let groups = plan.groups.iter();
                groups
                    .map(|group| vec![rule.first(); group.questions.len()])
                    .collect()
            }
        };
        Self {
            plan: plan.clone(),
            rule,
            wanted,
        }
    }

    /// What to ask in this round, everything of earlier rounds included.
    pub(super) fn plan(&self) -> Plan {
        let drawn = self.rule.map(|_| Arc::new(self.wanted.clone()));
        Plan {
            wanted: drawn.or_else(|| self.plan.wanted.clone()),
            ..self.plan.clone()
        }
    }

    /// Looks at the answers so far. Whether there is another round.
    pub(super) fn next(&mut self, store: &Path, run: i64) -> Result<bool, Failure> {
        let Some(rule) = self.rule else {
            return Ok(false);
        };
        let reader = Reader::open(store)?;
        let mut more = false;
        for (index, group) in self.plan.groups.iter().enumerate() {
            let counted = counts(&reader, run, index, group)?;
            let wanted = self.wanted.get_mut(index).into_iter().flatten();
            for (wanted, counts) in wanted.zip(counted) {
                let next = counts.and_then(|counts| rule.next(counts));
                if let Some(next) = next.filter(|next| next > wanted) {
                    *wanted = next;
                    more = true;
                }
            }
        }
        Ok(more)
    }

    /// How many answers were enough, in a sentence; `None` where their number was fixed.
    pub(super) fn saved(&self) -> Option<String> {
        let rule = self.rule?;
        let all: Vec<u32> = self.wanted.iter().flatten().copied().collect();
        let drawn: u64 = all.iter().map(|wanted| u64::from(*wanted)).sum();
        let most = all.len() as u64 * u64::from(rule.most());
        let full = all.iter().filter(|wanted| **wanted >= rule.most()).count();
        Some(format!(
            "--samples auto took {} answers, {:.1} to a question, where {} each would have been {}: {:.0} % \
             saved; {} of {} questions reached {} before the share of their most frequent answer was known \
             to within {}",
            count(drawn as usize),
            drawn as f64 / all.len().max(1) as f64,
            rule.most(),
            count(most as usize),
            100.0 * (1.0 - drawn as f64 / most.max(1) as f64),
            count(full),
            count(all.len()),
            rule.most(),
            rule.within(),
        ))
    }
}

/// The answers to each question of a group so far, in order; `None` of a question with a failed one, which the
/// next round asks again.
fn counts(
    reader: &Reader,
    run: i64,
    index: usize,
    group: &Group,
) -> Result<Vec<Option<Counts>>, Failure> {
    let mut counted = Vec::with_capacity(group.questions.len());
    let mut positions = Vec::with_capacity(group.questions.len());
    reader.rows(run, index, |row| {
        positions.push(row.position);
        let drawn = row.drawn.filter(|drawn| drawn.missing == 0);
        counted.push(drawn.map(|drawn| Counts {
            top: drawn.chosen.iter().copied().max().unwrap_or(0),
            chosen: drawn.chosen.iter().sum(),
            drawn: drawn.given(),
        }));
    })?;
    if !group.questions.is_open().map_err(Failure::new)? {
        return Ok(counted);
    }
    for (number, (counts, position)) in counted.iter_mut().zip(positions).enumerate() {
        let Some(counts) = counts else { continue };
        let question = group.questions.get(number).map_err(Failure::new)?;
        let answers = reader.answers(run, index, position)?;
        let meanings = meanings(&answers, &question);
        counts.top = meanings.top().map_or(0, |meaning| meaning.count);
        counts.chosen = meanings.read();
    }
    Ok(counted)
}
