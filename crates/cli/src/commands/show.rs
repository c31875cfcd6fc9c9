//! `sureness show`: one question of a run as it was asked and answered.

use std::fmt::Write;
use std::process::ExitCode;

use sureness_analysis::Unit;
use sureness_analysis::number::{counted, figure};
use sureness_bench::Failure;
use sureness_bench::show::{Shown, show};
use sureness_hint::Hint;
use sureness_open::Meanings;
use sureness_questions::letter;
use sureness_store::StoredAnswer;

use crate::args::show::ShowArgs;
use crate::settings;
use crate::show::terminal;
use sureness_bench::reading;

/// Prints the question in every task and strategy that has it.
pub(super) fn run(args: &ShowArgs) -> Result<ExitCode, Failure> {
    let data = settings::task_data(&args.data)?;
    let shown = show(&args.run, &args.question, &data)?;
    let parts: Vec<String> = shown.iter().map(|shown| text(shown, args.all)).collect();
    terminal::print(&parts.join("\n"))?;
    Ok(ExitCode::SUCCESS)
}

fn text(shown: &Shown, all: bool) -> String {
    let mut out = format!(
        "Run {} · {} · {}/{} · question {}\n",
        shown.run, shown.model.name, shown.task, shown.strategy, shown.row.question.id
    );
    let heading = |out: &mut String, title: &str| {
        let _ = write!(out, "\n{title}\n{}\n", "─".repeat(title.chars().count()));
    };
    heading(&mut out, "Prompt");
    match &shown.prompt {
        Ok(prompt) => out.push_str(&prompt.text),
        Err(reason) => {
            let _ = write!(out, "not known: {reason}");
        }
    }
    out.push('\n');
    if !shown.answers.is_empty() {
        heading(&mut out, "Answers");
        answers(&mut out, &shown.answers, all);
    }
    if let Some(error) = &shown.row.error {
        let _ = write!(out, "\nNo answer: {error}\nhint: {}\n", error.hint());
    }
    if shown.row.question.options == 0 {
        if let Some(found) = &shown.meanings {
            heading(&mut out, "Meanings");
            out.push_str(&meanings(found, shown));
        }
    } else if shown.row.scores.is_some() {
        heading(&mut out, "Options");
        out.push_str(&options(shown));
    }
    out
}

/// The answers in words: the first of each reading, or all.
fn answers(out: &mut String, answers: &[StoredAnswer], all: bool) {
    let mut told: Vec<String> = Vec::new();
    let mut left_out = 0;
    for stored in answers {
        let Some((words, scores)) = &stored.answer else {
            let error = stored.error.as_ref().map(ToString::to_string);
            let error = error.unwrap_or_else(|| "not asked".to_owned());
            let _ = writeln!(out, "{:>4}  no answer: {error}", stored.draw + 1);
            continue;
        };
        let reading = reading::named(words, scores);
        if !all && told.contains(&reading) {
            left_out += 1;
            continue;
        }
        let _ = write!(out, "{:>4}  read as {reading}", stored.draw + 1);
        if let Some(tokens) = scores.usage.answer_tokens {
            let _ = write!(out, ", {}", counted(tokens as usize, "token"));
        }
        out.push('\n');
        if let Some(thought) = &words.thought {
            indented(out, &format!("[thought] {thought}"));
        }
        let text = if stored.has_text {
            &words.text
        } else {
            reading::NOT_KEPT
        };
        indented(out, text);
        told.push(reading);
    }
    if left_out > 0 {
        let more = counted(left_out, "further answer");
        let _ = writeln!(out, "      {more} with these readings; --all shows them");
    }
}

fn indented(out: &mut String, text: &str) {
    for line in text.trim().lines() {
        let _ = writeln!(out, "      │ {line}");
    }
}

/// A line per meaning of the answers to an open question, the most frequent first, and what the set holds.
fn meanings(meanings: &Meanings, shown: &Shown) -> String {
    let threshold = shown.open_set.and_then(|set| set.sets.threshold);
    let held = threshold.map_or(0, |threshold| meanings.set(threshold).len());
    let mut rows = vec![
        ["", "answers", "share", "set", ""]
            .map(str::to_owned)
            .to_vec(),
    ];
    for (number, meaning) in meanings.groups().iter().enumerate() {
        let right = if meaning.accepted {
            "✓ accepted "
        } else {
            ""
        };
        rows.push(vec![
            (number + 1).to_string(),
            meaning.count.to_string(),
            format!("{:.1} %", 100.0 * meanings.frequency(meaning)),
            if number < held { "in" } else { "" }.to_owned(),
            format!("{right}{}", meaning.text),
        ]);
    }
    let mut out = terminal::columns(rows, &[1, 2]);
    let _ = writeln!(out, "Semantic entropy: {:.3} nats.", meanings.entropy());
    out.push_str(&set_of_answers(shown, held));
    if let Ok(prompt) = &shown.prompt {
        let accepted = prompt.question.accepted.join(", ");
        let _ = writeln!(out, "Accepted: {accepted}.");
    }
    let silent = meanings.given() - meanings.read();
    if silent > 0 {
        let silent = counted(silent as usize, "answer");
        let _ = writeln!(out, "{silent} without a meaning: refused, cut or empty.");
    }
    out
}

/// What the conformal set holds and promises, in a sentence or two.
fn set_of_answers(shown: &Shown, held: usize) -> String {
    let Some(set) = shown.open_set else {
        return "The run has too few answers for sets.\n".to_owned();
    };
    let half = if set.calibrates {
        "calibration half, which sets the threshold"
    } else {
        "test half"
    };
    let percent = |share| figure(share, Unit::Percent);
    let target = percent(1.0 - set.alpha);
    let sets = match set.sets.threshold {
        Some(threshold) => format!(
            "The set at {target} % holds {}: meanings with a share of at least {} %, or the most \
             frequent.",
            counted(held, "meaning"),
            percent(1.0 - threshold)
        ),
        None => format!(
            "There is no set at {target} %: the truth of too many calibration questions was never \
             drawn. The smallest error rate that these answers can promise is {} %.",
            percent(set.sets.least_error_rate)
        ),
    };
    format!("{sets} This question is in the {half}.\n")
}

/// A line per option: letter, probability, log-probability, sets, and whether it is right.
fn options(shown: &Shown) -> String {
    let Some(scores) = &shown.row.scores else {
        return String::new();
    };
    let question = shown.prompt.as_ref().ok().map(|prompt| &prompt.question);
    let several = shown.row.question.right.count();
    let mut rows = vec![vec![
        String::new(),
        "probability".to_owned(),
        match &shown.row.drawn {
            Some(drawn) if drawn.thoughts == 0 => "answers".to_owned(),
            _ => "log-probability".to_owned(),
        },
        "sets".to_owned(),
        String::new(),
    ]];
    for option in 0..shown.row.question.options {
        let probability = shown.sets.as_ref().map(|sets| sets.probabilities[option]);
        let value = match &shown.row.drawn {
            Some(drawn) if drawn.thoughts == 0 => drawn.chosen[option].to_string(),
            _ if scores.observed[option] => format!("{:.3}", scores.logprobs[option]),
            _ => format!("≤ {:.3}", scores.logprobs[option]),
        };
        let sets = shown.sets.iter().flat_map(|sets| &sets.sets);
        let holds = sets.filter(|(_, options)| options.contains(&option));
        let sets: Vec<String> = holds.map(|(score, _)| score.title()).collect();
        let text = question.map_or("", |it| &it.options[option]);
        let right = if shown.row.question.right.contains(option) {
            "✓ right "
        } else {
            ""
        };
        rows.push(vec![
            letter(option).to_string(),
            probability.map_or_else(String::new, |p| format!("{:.1} %", 100.0 * p)),
            value,
            sets.join(", "),
            format!("{right}{text}"),
        ]);
    }
    let mut out = terminal::columns(rows, &[1, 2]);
    match &shown.sets {
        Some(sets) if sets.calibrates => {
            out.push_str("This question is in the calibration half, which sets the thresholds.\n");
        }
        Some(_) => out.push_str("This question is in the test half.\n"),
        None => out.push_str("The run has too few answers for prediction sets.\n"),
    }
    if let Some(sets) = shown.sets.as_ref().filter(|_| several > 1) {
        let covers = sets.covers.name();
        let _ = writeln!(
            out,
            "{several} options are right: a set covers the question if it holds {covers} of them \
             (--covers {covers})."
        );
    }
    if let Some(drawn) = &shown.row.drawn {
        if drawn.thoughts > 0 {
            let thoughts = counted(drawn.thoughts as usize, "thought");
            let _ = writeln!(out, "Probabilities are the mean over {thoughts}.");
        }
        let given = drawn.given();
        let chosen: u32 = drawn.chosen.iter().sum();
        if drawn.thoughts == 0 && chosen < given {
            let _ = writeln!(
                out,
                "{chosen} of {} choose an option: {} refused, {} cut, {} unreadable.",
                counted(given as usize, "answer"),
                drawn.refused,
                drawn.cut,
                drawn.unreadable
            );
        }
    }
    out
}
