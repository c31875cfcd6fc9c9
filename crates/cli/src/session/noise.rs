//! How much a server's figures move from one time to the next, found with a run's own questions.

use std::sync::Arc;

use futures_util::future::join_all;
use sureness_engine::Plan;
use sureness_report::Noise;
use sureness_scorers::{ModelIdentity, OptionScorer, OptionScores, RequestKey, ScoreRequest};

/// Questions that are asked again.
const QUESTIONS: usize = 20;
/// Runs that asked fewer questions than this are not made longer by asking some again.
pub(crate) const WORTH_IT: usize = 500;

/// Asks some questions of the plan one by one, all at once, and one by one again, and compares.
/// `None` if a question fails.
pub(crate) async fn measure(scorer: &dyn OptionScorer, plan: &Plan) -> Option<Noise> {
    let requests = requests(plan, scorer.identity());
    if requests.is_empty() {
        return None;
    }
    let first = one_by_one(scorer, &requests).await?;
    let together = join_all(requests.iter().map(|request| ask(scorer, request))).await;
    let together: Vec<_> = together.into_iter().collect::<Option<_>>()?;
    let again = one_by_one(scorer, &requests).await?;
    let mut noise = Noise {
        questions: requests.len(),
        ..Noise::default()
    };
    for ((first, together), again) in first.iter().zip(&together).zip(&again) {
        for (one, other) in [(first, together), (first, again), (together, again)] {
            noise.largest_difference = noise.largest_difference.max(difference(one, other));
        }
        if [together, again]
            .iter()
            .any(|other| top(other) != top(first))
        {
            noise.changed_top_options += 1;
        }
    }
    Some(noise)
}

/// Questions of one group, evenly spaced, so that they share a prefix as in the run.
fn requests(plan: &Plan, identity: &ModelIdentity) -> Vec<ScoreRequest> {
    let Some(group) = plan.groups.first() else {
        return Vec::new();
    };
    let digest = identity.digest();
    let step = group.questions.len().div_ceil(QUESTIONS).max(1);
    let questions = group.questions.iter().step_by(step);
    questions
        .map(|question| {
            let prompt = group.builder.build(question);
            let labels: Arc<[String]> = group.builder.labels(question).into();
            let key = RequestKey::new(&digest, &prompt, &labels);
            ScoreRequest {
                key,
                prompt,
                labels,
            }
        })
        .collect()
}

async fn one_by_one(
    scorer: &dyn OptionScorer,
    requests: &[ScoreRequest],
) -> Option<Vec<OptionScores>> {
    let mut answers = Vec::with_capacity(requests.len());
    for request in requests {
        answers.push(ask(scorer, request).await?);
    }
    Some(answers)
}

async fn ask(scorer: &dyn OptionScorer, request: &ScoreRequest) -> Option<OptionScores> {
    let reply = scorer.score(std::slice::from_ref(request)).await;
    reply.scores.into_iter().next()?.ok()
}

fn difference(one: &OptionScores, other: &OptionScores) -> f64 {
    let pairs = one.logprobs.iter().zip(&other.logprobs);
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// The most probable option; the first of equals.
fn top(scores: &OptionScores) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    for (index, &logprob) in scores.logprobs.iter().enumerate() {
        if best.is_none_or(|(_, most)| logprob > most) {
            best = Some((index, logprob));
        }
    }
    best.map(|(index, _)| index)
}
