//! Measures the noise floor of a server with questions of the run.

use futures_util::future::join_all;
use sureness_engine::{Plan, Summary};
use sureness_record::Noise;
use sureness_scorers::{OptionScorer, OptionScores, ScoreRequest, http};

use super::{EMBEDDED_BACKEND, Session};

/// Questions to ask again.
const QUESTIONS: usize = 20;
/// Minimum answers for a measurement; it would take too much of a shorter run.
pub(crate) const MIN_ANSWERS: usize = 500;

impl Session<'_> {
    /// The noise floor of a server, after a long enough run by letters.
    pub(super) async fn noise(
        &self,
        scorer: &dyn OptionScorer,
        plan: &Plan,
        summary: &Summary,
    ) -> Option<Noise> {
        let is_long = summary.total().answered >= MIN_ANSWERS && summary.stop.is_none();
        let is_exact = scorer.identity().backend == EMBEDDED_BACKEND;
        if !is_long || is_exact || plan.draws.is_some() {
            return None;
        }
        let measured = measure(scorer, plan);
        self.interrupts.race(measured).await.flatten()
    }
}

/// Asks some questions of the plan one by one, all at once and one by one again, and compares the
/// answers; `None` if a question fails.
pub(crate) async fn measure(scorer: &dyn OptionScorer, plan: &Plan) -> Option<Noise> {
    // Questions of one group share a prefix, as in the run.
    let group = plan.groups.first()?;
    let of_group = group.requests(scorer.identity().digest(), None);
    let questions = group.questions.spread(QUESTIONS);
    let requests = questions.map(|question| Some(of_group.of(&question.ok()?, 0)));
    let requests: Vec<_> = requests.collect::<Option<_>>()?;

    let first = one_by_one(scorer, &requests).await?;
    let together = join_all(requests.iter().map(|request| ask(scorer, request))).await;
    let together: Vec<_> = together.into_iter().collect::<Option<_>>()?;
    let again = one_by_one(scorer, &requests).await?;
    Some(http::noise_between(&[first, together, again]))
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
