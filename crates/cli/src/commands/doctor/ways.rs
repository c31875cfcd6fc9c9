//! The ways of asking as lines.

use sureness_analysis::number::count;
use sureness_bench::ways::{PerThousand, Protocol, Trial, TrialAnswer, Way, Ways};
use sureness_record::percentage;

use super::findings::Lines;

/// Characters shown of an answer in words.
const SHOWN: usize = 200;

/// One way: the protocols that allow it, what a thousand questions take, and the trial.
pub(super) fn lines(way: &Way) -> Vec<String> {
    let mut lines = Lines::default();
    lines.add(way.way, Some(allowed(&way.protocols)));
    for protocol in &way.protocols {
        let refused = protocol.refused.as_ref();
        let text = refused.map(|reason| format!("{}: {}", protocol.api, one_line(reason)));
        lines.add("  not over", text);
    }
    lines.add("  1,000 questions", way.per_thousand.as_ref().map(cost));
    if let (Some(trial), Some(api)) = (&way.trial, &way.api) {
        for answer in &trial.answers {
            lines.add("  trial", Some(answered(answer)));
        }
        lines.add("  trial took", Some(took(trial, api)));
        let failed = trial.failed.as_ref();
        lines.add("  trial failed", failed.map(|reason| one_line(reason)));
    }
    lines.0
}

/// What stands before the ways.
pub(super) const HEADING: &str =
    "\nways of asking, each tried with one question of the built-in pack:\n";

/// What `--answers auto` would do, and what the costs are for.
pub(super) fn summary(ways: &Ways) -> Vec<String> {
    let mut lines = Lines::default();
    let auto = ways.auto.as_ref();
    lines.add(
        "auto",
        auto.map(|(way, because)| format!("{way}: {because}")),
    );
    lines.add(
        "costs",
        Some(format!(
            "for prompts of {} bytes, the mean of the built-in questions of task qa; answers as long as in the trial",
            count(ways.prompt_bytes as usize)
        )),
    );
    lines.add("trial question", Some(format!("{:?}", ways.question)));
    lines.0
}

fn allowed(protocols: &[Protocol]) -> String {
    let names = protocols.iter().filter(|it| it.refused.is_none());
    let names: Vec<&str> = names.map(|it| it.api.as_str()).collect();
    if names.is_empty() {
        "NOT ALLOWED".to_owned()
    } else {
        format!("allowed over {}", names.join(", "))
    }
}

fn cost(all: &PerThousand) -> String {
    let number = |number: f64| count(number.round() as usize);
    let mut parts = vec![format!("{} requests", number(all.requests))];
    parts.push(match all.prompt_tokens {
        Some(tokens) => format!("{} prompt tokens", number(tokens)),
        None => "the server counts no prompt tokens".to_owned(),
    });
    let most = number(all.most_answer_tokens);
    parts.push(match all.answer_tokens {
        Some(tokens) if tokens < all.most_answer_tokens => {
            format!("{} answer tokens, {most} at most", number(tokens))
        }
        Some(tokens) => format!("{} answer tokens", number(tokens)),
        None => format!("{most} answer tokens at most"),
    });
    let currency = all.currency.as_ref();
    let currency = currency.map_or_else(String::new, |currency| format!(" {currency}"));
    match (all.cost, all.most_cost) {
        (Some(cost), Some(most)) if most > cost => {
            parts.push(format!(
                "cost {cost:.4}{currency}, {most:.4}{currency} at most"
            ));
        }
        (Some(cost), _) => parts.push(format!("cost {cost:.4}{currency}")),
        (None, Some(most)) => parts.push(format!("cost {most:.4}{currency} at most")),
        (None, None) => {}
    }
    parts.join("; ")
}

fn took(trial: &Trial, api: &str) -> String {
    let requests = match trial.requests {
        1 => "1 request".to_owned(),
        more => format!("{more} requests"),
    };
    format!("{requests} over {api}, {:.1} s", trial.seconds)
}

/// An answer and how it was read.
fn answered(answer: &TrialAnswer) -> String {
    let shares: Vec<String> = answer
        .probabilities
        .iter()
        .map(|(label, share)| format!("{label} {}", percentage(*share)))
        .collect();
    let text = answer
        .text
        .as_deref()
        .map(|text| format!("{:?}", excerpt(text)));
    match (text, answer.read_as.as_str()) {
        (None, _) => format!("log-probabilities of the letters: {}", shares.join(", ")),
        (Some(text), "thought") => {
            format!("thought {text}, then the letters: {}", shares.join(", "))
        }
        (Some(text), read_as) => match &answer.option {
            Some(option) => format!("{text}: read as {option}"),
            None => format!("{text}: no option ({read_as})"),
        },
    }
}

fn excerpt(text: &str) -> String {
    let text = text.trim();
    let mut shown: String = text.chars().take(SHOWN).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
