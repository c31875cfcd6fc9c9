//! `sureness doctor`: checks a server for log-probabilities, scoring method and reproducibility.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use sureness_bench::{Failure, runtime};
use sureness_scorers::http::{Diagnosis, HttpOptions, KeyState, diagnose};

use crate::args::doctor::DoctorArgs;
use crate::settings;

/// Checks the server and prints the findings. Fails if a run could not use the server.
pub(super) fn run(args: DoctorArgs) -> Result<ExitCode, Failure> {
    let options = HttpOptions {
        api_key: settings::api_key(args.api_key.as_deref(), args.api_key_env.as_deref())?,
        openai_key: settings::openai_key(),
        headers: settings::headers(&args.header)?,
        model: args.model,
        any_model: args.any_model,
        chat: args.chat,
        timeout: Duration::from_secs(args.timeout),
        ..HttpOptions::new(args.api_base)
    };
    let runtime = runtime()?;
    if std::io::stderr().is_terminal() {
        eprintln!(
            "Checking the server. The noise floor takes 60 requests, which can take minutes on a \
             slow server."
        );
    }
    let diagnosis = runtime.block_on(diagnose(options));
    args.output.print(&diagnosis, text)?;
    match diagnosis.obstacle {
        None => Ok(ExitCode::SUCCESS),
        Some(obstacle) => Err(Failure::new(obstacle.message).hint(obstacle.hint)),
    }
}

/// Option letters shown: a question of the benchmark has six options.
const SHOWN_LETTERS: usize = 6;

/// The findings as text, one per line. Unknown findings are omitted.
fn text(d: &Diagnosis) -> String {
    let mut lines = Lines(String::new());
    lines.add("server", d.reachable.then(|| d.api_base.clone()));
    lines.add("key", key(d.key));
    lines.add(
        "models",
        (!d.models.is_empty()).then(|| d.models.join(", ")),
    );
    lines.add("model tested", d.model.clone());
    if d.model.is_some() {
        let routes = [
            (d.routes.completions, "completions"),
            (d.routes.chat, "chat completions"),
            (d.routes.native, "llama.cpp's /completion"),
        ];
        let names = routes.iter().filter(|(answers, _)| *answers);
        let names: Vec<_> = names.map(|(_, name)| *name).collect();
        lines.add("routes", Some(names.join(", ")));
    }
    lines.add(
        "log-probabilities",
        d.top_logprobs.map(|asked| match d.returned_logprobs {
            Some(returned) => {
                format!("up to {asked} tokens can be requested; {returned} returned")
            }
            None => format!("up to {asked} tokens can be requested"),
        }),
    );
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
    lines.add("batched prompts", d.lists.map(yes));
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
    lines.add("logit_bias", d.logit_bias.map(yes));
    lines.add("grammar", d.grammar.map(yes));
    lines.add("structured choice", d.structured_choice.map(yes));
    lines.add(
        "context",
        d.context.map(|tokens| format!("{tokens} tokens")),
    );
    lines.add(
        "BOS token",
        d.bos.map(|bos| {
            let added = if bos.added {
                "added by the server"
            } else {
                "not added"
            };
            match bos.doubled {
                Some(true) => format!("{added}; DOUBLED if the prompt has one"),
                Some(false) => format!("{added}; not doubled"),
                None => added.to_owned(),
            }
        }),
    );
    lines.add("noise floor", d.noise.map(|noise| {
        format!(
            "differences up to {1:.3} nats, {2} top options changed, over {0} questions asked alone, together and again",
            noise.questions, noise.largest_difference, noise.changed_top_options
        )
    }));
    lines.0
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

struct Lines(String);

impl Lines {
    fn add(&mut self, name: &str, finding: Option<String>) {
        if let Some(finding) = finding {
            self.0.push_str(&format!("{name:<18} {finding}\n"));
        }
    }
}
