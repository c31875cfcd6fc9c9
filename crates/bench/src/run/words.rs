//! Runs that draw answers in words.

use std::num::NonZeroU32;

use crate::error::Failure;
use crate::models::open::Model;
use crate::settings::Settings;

/// Answers to draw for each question; `None` where its letters are scored.
pub(crate) fn draws(settings: &Settings) -> Option<NonZeroU32> {
    let sampled = settings.asking.answers.sampled();
    sampled.map(|sampled| sampled.samples)
}

/// Refuses what answers in words cannot be drawn with.
pub(crate) fn check(settings: &Settings, models: &[Model]) -> Result<(), Failure> {
    settings.budget.check()?;
    let Some(sampled) = settings.asking.answers.sampled() else {
        return match settings.asking.api {
            Some(api) if api.is_only_for_words() => Err(Failure::new(format!(
                "--api {api} reports no log-probabilities of the option letters"
            ))
            .hint("add --answers sampled, which reads answers in words")),
            _ => Ok(()),
        };
    };
    let refused = |what: &str, hint: &str| Err(Failure::new(what).hint(hint.to_owned()));
    if !(sampled.temperature.is_finite() && sampled.temperature > 0.0) {
        return refused(
            "--temperature must be above 0: every answer would be the same",
            "give --temperature 1 for the model's own probabilities",
        );
    }
    if settings.questions.shard.is_some() {
        return refused(
            "--shard cannot be used with --answers sampled: `sureness merge` does not merge drawn answers",
            "leave out --shard, or draw from a sample of the questions with --sample-size",
        );
    }
    if settings.fleet.is_some() {
        return refused(
            "workers on other machines do not draw answers in words",
            "leave out --nats, or use --answers letters",
        );
    }
    if models.iter().any(Model::is_embedded) {
        return refused(
            "--gguf models do not draw answers in words",
            "start the model behind llama-server and give its --api-base, or use --answers letters",
        );
    }
    if (settings.asking.http.extra_body.as_ref()).is_some_and(|extra| extra.sets("seed")) {
        return refused(
            "--extra-body sets `seed`, with which every answer to a question would be the same",
            "leave that field out",
        );
    }
    Ok(())
}
