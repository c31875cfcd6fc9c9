//! Samples cached questions to ask again.

use std::collections::HashSet;
use std::sync::Arc;

use sureness_engine::{Group, Plan};
use sureness_questions::Bank;
use sureness_record::RunRecord;
use sureness_scorers::{ModelIdentity, OptionScores, RequestKey};
use sureness_store::Store;

use crate::error::Failure;

/// Cache look-ups per sampled question: enough to find some if only a small part of the run is
/// cached.
const LOOKUPS_PER_QUESTION: usize = 20;

/// Questions with cached answers of earlier runs, spread over the whole plan.
pub(super) struct Sample {
    /// The questions, in the groups of the run.
    pub(super) plan: Arc<Plan>,
    /// Key and cached scores of each.
    pub(super) cached: Vec<(RequestKey, OptionScores)>,
    /// When the oldest and the newest of these answers were given, in milliseconds since 1970.
    pub(super) answered_at: (i64, i64),
}

impl Sample {
    /// Draws at most `count` questions of `plan`, the same ones each time.
    pub(super) fn draw(
        plan: &Plan,
        identity: &ModelIdentity,
        store: &mut Store,
        record: &RunRecord,
        count: usize,
    ) -> Result<Self, Failure> {
        let unreadable =
            |e: std::io::Error| Failure::new(format!("cannot read the questions back: {e}"));
        let per_group = (LOOKUPS_PER_QUESTION * count).div_ceil(plan.groups.len().max(1));
        let mut candidates = Vec::new();
        let mut keys = Vec::new();
        let mut seen = HashSet::new();
        for (group, of_plan) in plan.groups.iter().enumerate() {
            let requests = of_plan.requests(identity.digest(), None);
            for question in of_plan.questions.spread(per_group) {
                let question = question.map_err(unreadable)?;
                let key = requests.of(&question, 0).key;
                if seen.insert(key) {
                    candidates.push((group, question));
                    keys.push(key);
                }
            }
        }
        let found = store.earlier_answers(record, &keys)?;
        let known: Vec<_> = candidates
            .into_iter()
            .zip(keys)
            .zip(found)
            .filter_map(|(candidate, answer)| Some((candidate, answer?)))
            .collect();

        let kept = count.min(known.len());
        let mut banks: Vec<Bank> = plan.groups.iter().map(|_| Bank::default()).collect();
        let mut sample = Self {
            plan: Arc::default(),
            cached: Vec::with_capacity(kept),
            answered_at: (i64::MAX, i64::MIN),
        };
        for place in 0..kept {
            // Evenly spaced.
            let (((group, question), key), answer) = &known[place * known.len() / kept];
            banks[*group].push(question).map_err(unreadable)?;
            sample.cached.push((*key, answer.scores.clone()));
            let (oldest, newest) = &mut sample.answered_at;
            *oldest = answer.answered_at.min(*oldest);
            *newest = answer.answered_at.max(*newest);
        }
        let asked = plan.groups.iter().zip(banks);
        let groups = asked
            .filter(|(_, bank)| !bank.is_empty())
            .map(|(group, bank)| Group {
                questions: Arc::new(bank),
                ..group.clone()
            })
            .collect();
        sample.plan = Arc::new(Plan {
            groups,
            draws: None,
            wanted: None,
        });
        Ok(sample)
    }
}
