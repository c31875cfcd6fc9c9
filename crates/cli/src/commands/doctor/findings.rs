//! The findings of an examination as lines.

use sureness_analysis::number::count;
use sureness_record::Noise;
use sureness_scorers::http::{
    Diagnosis, KeyState, Letters, LongPrompt, LongPromptOutcome, MissingLogprobs, Routes,
};

/// Option letters shown: a question of the benchmark has six options.
const SHOWN_LETTERS: usize = 6;
/// Differences, in nats, above which scores depend on what else the server does at the time.
const NOTABLE_NOISE: f64 = 0.25;

/// The findings, one per line, in the order in which they become known. Unknown findings are omitted.
pub(super) fn lines(d: &Diagnosis) -> Vec<String> {
    let mut lines = Lines::default();
    lines.add("server", d.reachable.then(|| d.api_base.clone()));
    lines.add(
        "models",
        (!d.models.is_empty()).then(|| d.models.join(", ")),
    );
    let Some(model) = &d.model else {
        lines.add("key", key(d.key));
        return lines.0;
    };
    lines.add("model tested", Some(model.clone()));
    lines.add("routes", routes(&d.routes));
    lines.add("key", key(d.key));
    lines.add(
        "log-probabilities",
        d.top_logprobs.map(|asked| match d.returned_logprobs {
            Some(returned) => {
                format!("up to {asked} tokens can be requested; {returned} returned")
            }
            None => format!("up to {asked} tokens can be requested"),
        }),
    );
    lines.add("batched prompts", d.lists.map(yes));
    if !d.letters.is_empty() {
        let letters = d.letters.iter().take(SHOWN_LETTERS);
        let spelled = letters.map(|(letter, tokens)| {
            let tokens: Vec<_> = tokens.iter().map(ToString::to_string).collect();
            format!("{letter} {}", tokens.join("/"))
        });
        let spelled: Vec<_> = spelled.collect();
        lines.add("option tokens", Some(spelled.join(", ")));
    }
    lines.add(
        "scoring",
        d.scoring.as_ref().map(|s| {
            let exact = if s.exact {
                "exact"
            } else {
                "bounds for options outside the top tokens"
            };
            format!("{} ({exact}): {}", s.tier, s.reason)
        }),
    );
    lines.add(
        "server settings",
        d.own_settings
            .as_ref()
            .map(|settings| format!("{settings}: would move scores; sureness switches them off")),
    );
    lines.add("letters", d.trial.as_ref().map(Letters::found));
    lines.add(
        "context",
        d.context.map(|tokens| format!("{tokens} tokens")),
    );
    lines.add("logit_bias", d.logit_bias.map(yes));
    lines.add("grammar", d.grammar.map(yes));
    lines.add("structured choice", d.structured_choice.map(yes));
    lines.add(
        "BOS token",
        d.bos.map(|bos| {
            let added = if bos.added {
                "added by the server"
            } else {
                "not added"
            };
            match bos.doubled {
                Some(true) => {
                    format!("{added}, also to a prompt that has one; sureness sends none")
                }
                Some(false) => format!("{added}; not doubled"),
                None => added.to_owned(),
            }
        }),
    );
    lines.add(
        "prefix cache",
        d.prefix_cache.map(|cache| {
            let tokens = match (cache.cached_tokens, cache.prompt_tokens) {
                (Some(cached), Some(all)) => format!(", {cached} of {all} tokens"),
                (Some(cached), None) => format!(", {cached} tokens"),
                _ => String::new(),
            };
            format!(
                "{}{tokens}; {:.0} ms cold, {:.0} ms warm",
                yes(cache.works()),
                cache.first_seconds * 1e3,
                cache.second_seconds * 1e3
            )
        }),
    );
    lines.add("long prompt", d.long_prompt.map(long_prompt));
    lines.add("missing", d.missing_logprobs.map(missing));
    lines.add("noise floor", d.noise.map(noise));
    lines.0
}

fn routes(routes: &Routes) -> Option<String> {
    let known = [
        (routes.completions, "completions"),
        (routes.chat, "chat completions"),
        (routes.native, "llama.cpp's /completion"),
    ];
    let answering = known.iter().filter(|(answers, _)| *answers);
    let mut names: Vec<_> = answering.map(|(_, name)| (*name).to_owned()).collect();
    let failing = routes.failing.iter();
    names.extend(failing.map(|(route, error)| format!("/{route} FAILS ({error})")));
    (!names.is_empty()).then(|| names.join(", "))
}

fn long_prompt(long: LongPrompt) -> String {
    let characters = count(long.characters);
    let tokens = |tokens: u32| count(tokens as usize);
    match long.outcome {
        LongPromptOutcome::Refused => {
            format!("one of {characters} characters is refused, as it should be, not cut")
        }
        LongPromptOutcome::Read { tokens: all } => {
            format!(
                "one of {characters} characters is read whole, {} tokens",
                tokens(all)
            )
        }
        LongPromptOutcome::Cut {
            tokens: Some(read),
            expected: Some(expected),
        } => format!(
            "CUT: of one of {characters} characters, the server read {} tokens of about {}",
            tokens(read),
            tokens(expected)
        ),
        LongPromptOutcome::Cut { .. } => {
            format!("CUT: the server says so of one of {characters} characters")
        }
        LongPromptOutcome::NotCounted => format!(
            "one of {characters} characters is answered without a count of its tokens: whether it is cut is unknown"
        ),
    }
}

fn missing(missing: MissingLogprobs) -> String {
    let MissingLogprobs { answers, without } = missing;
    format!(
        "{} of {} answers have NO LOG-PROBABILITIES; a run asks those questions again, and stops below one in fifty with them",
        count(without),
        count(answers)
    )
}

fn noise(noise: Noise) -> String {
    let todo = if noise.largest_difference > NOTABLE_NOISE || noise.changed_top_options > 0 {
        "; smaller differences between runs mean nothing, and --max-workers 1 lowers them on most servers"
    } else {
        "; too small to matter"
    };
    format!(
        "differences up to {1:.3} nats, {2} top options changed, over {0} questions asked alone, together and again{todo}",
        noise.questions, noise.largest_difference, noise.changed_top_options
    )
}

fn key(state: KeyState) -> Option<String> {
    let text = match state {
        KeyState::Unknown => return None,
        KeyState::NotNeeded => "not required",
        KeyState::Accepted => "accepted",
        KeyState::Refused => "refused or missing",
    };
    Some(text.to_owned())
}

fn yes(is: bool) -> String {
    if is { "yes" } else { "no" }.to_owned()
}

/// Findings as lines, each behind its name.
#[derive(Default)]
pub(super) struct Lines(pub(super) Vec<String>);

impl Lines {
    /// Adds a finding, if it is known.
    pub(super) fn add(&mut self, name: &str, finding: Option<String>) {
        if let Some(finding) = finding {
            self.0.push(format!("{name:<18} {finding}"));
        }
    }
}
