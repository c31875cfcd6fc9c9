//! Replies are checked before they are used.

use sureness_scorers::{Reply, ScoreError, ScoreRequest};

/// Replaces results unless there is one per request, with one log-probability per option.
pub(super) fn reply(requests: &[ScoreRequest], mut reply: Reply) -> Reply {
    if reply.scores.len() != requests.len() {
        // It is unknown which answer belongs to which question: none is used.
        let error = ScoreError::Malformed {
            message: format!(
                "{} questions were asked, {} answers arrived",
                requests.len(),
                reply.scores.len()
            ),
        };
        reply.scores = vec![Err(error); requests.len()];
        return reply;
    }
    for (request, result) in requests.iter().zip(&mut reply.scores) {
        let options = request.labels.len();
        if let Ok(scores) = result
            && (scores.logprobs.len() != options || scores.observed.len() != options)
        {
            *result = Err(ScoreError::Malformed {
                message: format!(
                    "{options} options were asked for, {} log-probabilities arrived",
                    scores.logprobs.len()
                ),
            });
        }
    }
    reply
}
