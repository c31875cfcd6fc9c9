//! A reply is checked before it is believed.

use sureness_scorers::{Reply, ScoreError, ScoreRequest};

/// Makes sure that there is one result per request, and one log-probability per option.
pub(super) fn reply(requests: &[ScoreRequest], mut reply: Reply) -> Reply {
    if reply.scores.len() != requests.len() {
        // Which answer belongs to which question is anyone's guess: none is used.
        let error = ScoreError::Malformed {
            message: format!(
                "{} questions were asked, {} answers came",
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
                    "{options} options were asked for, {} log-probabilities came",
                    scores.logprobs.len()
                ),
            });
        }
    }
    reply
}
