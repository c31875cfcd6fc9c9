//! Runs that draw answers in words.

use std::num::NonZeroU32;

use sureness_record::Answers;

use crate::error::Failure;
use crate::models::open::Model;
use crate::questions::Questions;
use crate::settings::Settings;

/// Answers to draw for each question; `None` where its letters are scored.
pub(crate) fn draws(settings: &Settings) -> Option<NonZeroU32> {
    settings.asking.answers.draws()
}

/// Refuses open questions where their answers would not be drawn and kept.
pub(crate) fn check_open(settings: &Settings, questions: &Questions) -> Result<(), Failure> {
    let Some(task) = questions.open_task()? else {
        return Ok(());
    };
    if settings.cache.keep_text == Some(false) {
        let what = format!(
            "task {task} has open questions, whose answers are grouped and judged by their texts"
        );
        return Err(Failure::new(what).hint("leave out --keep-text=false"));
    }
    let answers = settings.asking.answers;
    if answers.sampled().is_some() || settings.asking.auto.is_some() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "task {task} has open questions, without options whose letters --answers {} could read",
        answers.name()
    ))
    .hint(
        "add --answers sampled, which draws answers in words; docs/open.md says how these are read",
    ))
}

/// Refuses answers in words, which say no letters whose places could be told apart, in several orders.
fn check_orders(settings: &Settings) -> Result<(), Failure> {
    let answers = settings.asking.answers;
    if settings.questions.orders.is_none() {
        return Ok(());
    }
    if answers != Answers::Letters {
        return Err(Failure::new(format!(
            "--orders asks for letters, and --answers {} draws answers in words",
            answers.name()
        ))
        .hint("leave out --orders, or use --answers letters"));
    }
    if settings.until.is_some() {
        return Err(
            Failure::new("--until does not work with --orders yet").hint("leave one of them out")
        );
    }
    Ok(())
}

/// Refuses what answers in words cannot be drawn with.
pub(crate) fn check(settings: &Settings, models: &[Model]) -> Result<(), Failure> {
    settings.budget.check()?;
    check_orders(settings)?;
    // Where no name is given, the price is looked up once the server has told the model's.
    for (model, name) in models
        .iter()
        .filter_map(|model| Some((model, model.name()?)))
    {
        settings.budget_of(model, name)?;
    }
    let answers = settings.asking.answers;
    let temperature = match answers {
        Answers::Sampled(sampled) => sampled.temperature,
        Answers::Reasoned(reasoned) => reasoned.temperature,
        Answers::Letters => 1.0,
    };
    let refused = |what: String, hint: &str| Err(Failure::new(what).hint(hint.to_owned()));
    let unread = answers.sampled().is_none() && settings.asking.auto.is_none();
    if let Some(api) = settings.asking.api.filter(|_| unread)
        && api.is_only_for_words()
    {
        return refused(
            format!("--api {api} reports no log-probabilities of the option letters"),
            "add --answers sampled, which reads answers in words",
        );
    }
    if let Some(api) = settings
        .asking
        .api
        .filter(|_| models.iter().any(Model::is_embedded))
    {
        return refused(
            format!(
                "--api {api} is a protocol of servers, and a --gguf model runs in this process"
            ),
            "leave out --api; --chat uses the model's chat template",
        );
    }
    if answers == Answers::Letters {
        if settings.cache.keep_text == Some(true) && settings.asking.auto.is_none() {
            return refused(
                "--keep-text keeps answers in words, and --answers letters asks for the probabilities of \
                 letters alone"
                    .to_owned(),
                "leave out --keep-text, or add --answers sampled or reasoned",
            );
        }
        return Ok(());
    }
    if !(temperature.is_finite() && temperature > 0.0) {
        return refused(
            "--temperature must be above 0: every answer would be the same".to_owned(),
            "give --temperature 1 for the model's own probabilities",
        );
    }
    if settings.fleet.is_some() {
        return refused(
            "workers on other machines do not draw answers in words".to_owned(),
            "leave out --nats, or use --answers letters",
        );
    }
    if (settings.asking.http.extra_body.as_ref()).is_some_and(|extra| extra.sets("seed")) {
        return refused(
            "--extra-body sets `seed`, with which every answer to a question would be the same"
                .to_owned(),
            "leave that field out",
        );
    }
    Ok(())
}
