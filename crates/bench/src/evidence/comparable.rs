//! Checks that runs can be compared.

use std::collections::{BTreeSet, HashMap};

use sureness_analysis::Evidence;
use sureness_conformal::{Config, Covers, Protocol, RightOptions};
use sureness_record::{RunSettings, Setting};

use super::problems::same_in_others;
use super::selection::Selection;
use crate::error::Failure;

/// Refuses models with different right answers to one question, and runs whose prompts differ; returns
/// notes on other differences. Different questions are fine, since comparisons use those that all
/// models answered.
pub(super) fn check(evidence: &Evidence, selection: &Selection) -> Result<Vec<String>, Failure> {
    check_answers(evidence)?;
    if !selection.covers_given {
        check_covers(evidence)?;
    }
    let models: Vec<(&str, &RunSettings)> = evidence
        .names()
        .into_iter()
        .filter_map(|(name, source)| Some((name, source.record.settings()?)))
        .collect();
    let mut differing: BTreeSet<Setting> = BTreeSet::new();
    for (index, (_, one)) in models.iter().enumerate() {
        let others = models[index + 1..].iter();
        differing.extend(others.flat_map(|(_, other)| one.differences(other)));
    }
    let mut notes = Vec::new();
    for setting in differing {
        if !matches!(
            setting,
            Setting::Wording | Setting::Abstention | Setting::Shots(_)
        ) {
            continue;
        }
        let (first, second) = apart(&models, &setting);
        let message = format!("{first} and {second} differ in {setting}");
        if !selection.mixed_prompts {
            return Err(Failure::new(message).hint(
                "compare runs with the same prompts, or pass --mixed-prompts to compare them anyway",
            ));
        }
        notes.push(message);
    }
    notes.extend(evaluated_apart(&models));
    let names = evidence.names();
    let chat = names.iter().filter(|(_, source)| {
        let settings = source.record.settings();
        settings.is_some_and(|settings| settings.chat)
    });
    let chat = chat.count();
    if chat > 0 && chat < names.len() {
        notes.push("some models were asked through their chat template, others were not".into());
    }
    Ok(notes)
}

/// Says how the evaluation settings of runs differ, since all are evaluated in one way here.
fn evaluated_apart(models: &[(&str, &RunSettings)]) -> Option<String> {
    let ((first, one), others) = models.split_first()?;
    let shown = |it: &Config| {
        // The rule of the split has a note of its own (`split_rule`).
        let Config {
            alpha,
            protocol,
            calibration_ratio,
            seed,
            covers,
            tempered,
            split: _,
        } = it;
        let temperature = tempered.map_or_else(|| "none".to_owned(), |it| it.to_string());
        [
            ("error rate", alpha.to_string()),
            ("protocol", protocol.name().to_owned()),
            ("calibration ratio", calibration_ratio.to_string()),
            ("seed", seed.to_string()),
            ("rule of covering", covers.name().to_owned()),
            ("temperature of shares", temperature),
        ]
    };
    let apart = others.iter().find_map(|(name, other)| {
        let both = shown(&one.evaluation)
            .into_iter()
            .zip(shown(&other.evaluation));
        let differences: Vec<String> = both
            .filter(|(one, other)| one != other)
            .map(|((what, one), (_, other))| format!("{what} {one} and {other}"))
            .collect();
        (!differences.is_empty()).then(|| (*name, differences.join(", ")))
    });
    let (name, differences) = apart?;
    Some(format!(
        "{first} and {name} were evaluated apart ({differences}): here all figures are under the settings \
         of {first}, unless flags say otherwise"
    ))
}

/// Refuses runs that were evaluated under both rules of covering, if the rule matters.
fn check_covers(evidence: &Evidence) -> Result<(), Failure> {
    let mut groups = evidence.models.iter().flat_map(|model| &model.groups);
    if !groups.any(|group| group.table.with_several_right() > 0) {
        return Ok(());
    }
    let of_rule = |covers: Covers| {
        let mut models = evidence.models.iter();
        models.find(|model| {
            let settings = model.source.record.settings();
            settings.is_some_and(|settings| settings.evaluation.covers == covers)
        })
    };
    match (of_rule(Covers::Any), of_rule(Covers::All)) {
        (Some(any), Some(all)) => Err(Failure::new(format!(
            "{} was evaluated with --covers any and {} with --covers all, and questions have several \
             right answers",
            any.name, all.name
        ))
        .hint("choose one rule for all of them with --covers")),
        _ => Ok(()),
    }
}

/// Refuses models with different right answers to one question.
fn check_answers(evidence: &Evidence) -> Result<(), Failure> {
    if evidence.models.len() < 2 {
        return Ok(());
    }
    // A question with other options may have its answer in another place.
    let mut known: HashMap<(&str, &[u8; 32], usize), (&str, RightOptions)> = HashMap::new();
    let mut found: Option<(String, usize)> = None;
    for model in &evidence.models {
        for group in &model.groups {
            let table = &group.table;
            for ((key, row), id) in table.keys().iter().zip(table.rows()).zip(&*group.ids) {
                let question = (&*group.id.task, key, row.logits.len());
                let (first, right) = *known.entry(question).or_insert((&model.name, row.right));
                if right == row.right {
                    continue;
                }
                let told = || {
                    format!(
                        "id {id} of {} has the right answer {right} for {first}, but {} for {}",
                        group.id.task, row.right, model.name
                    )
                };
                found.get_or_insert_with(|| (told(), 0)).1 += 1;
            }
        }
    }
    match found {
        None => Ok(()),
        Some((told, count)) => Err(
            Failure::new(format!("{told}{}", same_in_others(count))).hint(
                "give both models the same right answers, or leave one of them out with --models",
            ),
        ),
    }
}

/// The names of the models that share the first one's setting, and of those that share the setting of
/// the first other one.
fn apart(models: &[(&str, &RunSettings)], setting: &Setting) -> (String, String) {
    let asked = models.iter().filter(|(_, settings)| match setting {
        Setting::Shots(task) => settings.task(task).is_some(),
        _ => true,
    });
    let (first, others) = alike(asked.copied().collect(), setting);
    (first, alike(others, setting).0)
}

/// The names of the models that share the first one's setting, and the other models.
fn alike<'a>(
    models: Vec<(&'a str, &'a RunSettings)>,
    setting: &Setting,
) -> (String, Vec<(&'a str, &'a RunSettings)>) {
    let Some(&(_, first)) = models.first() else {
        return (String::new(), Vec::new());
    };
    let differs = |of: &RunSettings| of.differences(first).contains(setting);
    let (others, alike): (Vec<_>, Vec<_>) = models.into_iter().partition(|(_, of)| differs(of));
    let names: Vec<&str> = alike.into_iter().map(|(name, _)| name).collect();
    (names.join(", "), others)
}

/// A note on runs that were split by another rule. A run's own results keep its rule; an analysis
/// applies one rule to all runs.
pub fn split_rule(evidence: &Evidence, config: &Config) -> Option<String> {
    if config.protocol == Protocol::Paper {
        return None;
    }
    let old: Vec<&str> = evidence
        .models
        .iter()
        .filter(|model| {
            let own = model.source.record.settings().map(|own| own.evaluation);
            own.is_some_and(|own| own.protocol == Protocol::Standard && own.split != config.split)
        })
        .map(|model| &*model.name)
        .collect();
    (!old.is_empty()).then(|| {
        format!(
            "{} was split by the rule of version 0.1.0; all figures here are recomputed with the \
             current rule, {}",
            old.join(", "),
            config.split.name()
        )
    })
}
