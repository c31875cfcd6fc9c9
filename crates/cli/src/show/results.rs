//! The figures of a run, and what to know about them.

use std::collections::BTreeMap;

use sureness_analysis::Section;
use sureness_analysis::number::{count, counted};
use sureness_bench::movement;
use sureness_conformal::{Config, Protocol, SplitRule};
use sureness_report::{ModelResult, Recheck, RecheckOutcome, Results, export};

use super::timing;

/// Prints the figures to stdout and what to know about them to stderr.
pub(crate) fn show(results: &Results, every_strategy: bool) {
    use std::fmt::Write as _;
    use std::io::Write;
    let width = super::terminal::width();
    let method = Section {
        text: vec![results.method()],
        ..Section::default()
    };
    let sections = [method].into_iter().chain(results.sections(every_strategy));
    let sections = sections.map(|section| export::section_text(&section, width));
    let mut text = String::new();
    for warning in results.warnings() {
        let _ = writeln!(text, "WARNING: {warning}");
    }
    text.push_str(&sections.collect::<Vec<_>>().join("\n"));
    // A reader that has gone away (a broken pipe) is no error.
    let _ = std::io::stdout().write_all(text.as_bytes());

    for model in &results.models {
        // Nothing was asked in a merge.
        if model.timing.seconds > 0.0 {
            let timing = timing::describe(&model.name, &model.timing);
            let _ = std::io::stderr().write_all(timing.as_bytes());
        }
        if let Some(recheck) = &model.recheck {
            eprintln!("{}", recheck_line(&model.name, recheck));
        }
        if let Some(noise) = model.noise {
            eprintln!(
                "noise floor: {} of the questions asked again moved by up to {:.3} nats, {} changed their top option",
                noise.questions, noise.largest_difference, noise.changed_top_options
            );
        }
        if let Some(spent) = spent(model) {
            eprintln!("{spent}");
        }
        notes(model);
    }
    if results.models.iter().any(|model| !model.tasks.is_empty()) {
        legend();
    }
    if let Some(rule) = split_rule(&results.settings.evaluation) {
        eprintln!("Split rule: {rule}.");
    }
}

/// What the columns of the table mean.
fn legend() {
    eprintln!(
        "n: test questions per strategy. Set size: mean number of options in a prediction set; smaller is surer.\n\
         Coverage: share of sets that contain the right answer. UAcc: accuracy weighted by set size; small sets can lift it above 100 %. E, F: \"I don't know\", \"None of the above\" as the answer."
    );
}

/// Each distinct note once, with the groups that it is about.
fn notes(model: &ModelResult) {
    let mut by_text: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for g in &model.groups {
        let place = format!("{}/{}", g.task, g.strategy);
        if let Some(note) = &g.note {
            by_text.entry(note.clone()).or_default().push(place.clone());
        }
        for (kind, failures) in &g.failures {
            by_text
                .entry(format!("without an answer: {kind}"))
                .or_default()
                .push(format!("{place} {}", failures.count));
        }
        if let Some(share) = g.bounded_share.filter(|s| *s > 0.0) {
            let text =
                "questions with an option outside the server's top tokens, only bounded".to_owned();
            by_text
                .entry(text)
                .or_default()
                .push(format!("{place} {:.1} %", share * 100.0));
        }
    }
    for (place, judged) in judged(model) {
        by_text.entry(judged).or_default().push(place);
    }
    for (place, drawn) in drawn(model) {
        by_text.entry(drawn).or_default().push(place);
    }
    for (text, places) in by_text {
        eprintln!("note: {text} ({})", places.join(", "));
    }
}

/// What a judge said of a group's answers, with its place.
fn judged(model: &ModelResult) -> impl Iterator<Item = (String, String)> {
    model.groups.iter().filter_map(|group| {
        let judged = group.judged?;
        let text = format!(
            "the judge compared {}: {} mean the same, {} undecided; {} left apart by --judge-pairs",
            counted(judged.compared as usize, "pair"),
            count(judged.same as usize),
            count(judged.undecided as usize),
            counted(judged.cut as usize, "answer")
        );
        Some((format!("{}/{}", group.task, group.strategy), text))
    })
}

/// What became of a group's answers in words, with its place.
fn drawn(model: &ModelResult) -> impl Iterator<Item = (String, String)> {
    model.groups.iter().filter_map(|group| {
        let drawn = group.drawn.filter(|drawn| drawn.thoughts == 0)?;
        let all = count(drawn.answers as usize);
        let chosen = if drawn.said > 0 {
            drawn.said
        } else {
            drawn.chosen
        };
        let what = if drawn.said > 0 {
            "answer the question"
        } else {
            "choose an option"
        };
        let text = format!(
            "{} of {all} answers {what}: {} refused, {} cut, {} unreadable",
            count(chosen as usize),
            count(drawn.refused as usize),
            count(drawn.cut as usize),
            count(drawn.unreadable as usize)
        );
        Some((format!("{}/{}", group.task, group.strategy), text))
    })
}

/// What all parts of a run came to, where it has a price.
fn spent(model: &ModelResult) -> Option<String> {
    let spent = model.timing.spent.as_ref()?;
    let cost = spent.cost?;
    let currency = spent.currency.as_ref();
    let currency = currency.map_or_else(String::new, |currency| format!(" {currency}"));
    Some(format!(
        "{}: {cost:.4}{currency} spent on {} prompt tokens and {} answer tokens, in all parts of the run",
        model.name,
        count(spent.prompt_tokens as usize),
        count(spent.answer_tokens as usize)
    ))
}

/// A recheck for people, in a line.
fn recheck_line(model: &str, recheck: &Recheck) -> String {
    let found = match recheck.outcome {
        RecheckOutcome::Unchanged => "no change",
        RecheckOutcome::AskedAnew => "the model has changed, and everything was asked anew",
        RecheckOutcome::Kept => "the model has changed, and cached answers were used all the same",
        RecheckOutcome::Unknown => "whether the model has changed is not known",
    };
    let seen = match recheck.outcome {
        RecheckOutcome::Unknown => format!("only {} could be compared", recheck.compared),
        _ => movement(recheck),
    };
    format!(
        "{model}: recheck of {}: {found}; {seen}. It took {} and {} prompt tokens",
        counted(recheck.questions, "cached answer"),
        counted(recheck.requests as usize, "request"),
        count(recheck.prompt_tokens as usize),
    )
}

/// The rule in words, for those who read the figures. `None` where the protocol has its own.
fn split_rule(config: &Config) -> Option<&'static str> {
    match (config.protocol, config.split) {
        (Protocol::Paper, _) => None,
        (Protocol::Standard, SplitRule::Hash) => {
            Some("hash (version 0.1.0): each question by its own hash")
        }
        (Protocol::Standard, SplitRule::Ordered) => {
            Some("ordered: a fixed share of the questions, by the order of their hashes")
        }
    }
}
