//! Which way a model is asked, and what it costs, known before it is paid for.
#![cfg(unix)]

mod programmed;

use std::fmt::Write as _;

use programmed::Programmed;
use serde_json::{Value, json};
use sureness_faultserver::{Healthy, Logits, Script, Words};
use sureness_testkit::{Case, ends_with, results_in, says, text};

const SHORT: &str =
    "--tasks qa --sample-size 12 --shots 0 --prompt-strategies base --progress plain";
/// Few-shot examples that the file keeps.
const EXAMPLES: usize = 5;

/// A server that answers letters and words.
fn server(change: impl FnOnce(&mut Healthy)) -> Script {
    let mut script = Script::healthy();
    script.server.words = Some(Words::default());
    change(&mut script.server);
    script
}

fn doctor(case: &Case, flags: &str) -> std::process::Output {
    let line = format!("doctor --api-base {} {flags}", case.server.base());
    case.sureness(&line).output().unwrap()
}

fn json_of(output: &std::process::Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output.stderr)))
}

#[test]
fn the_doctor_tells_for_each_way_whether_and_how_what_it_costs_and_an_answer() {
    let case = Case::new(server(|_| {}));
    let prices = "currency = 'USD'\n[fault-model]\nin = 2\nout = 10\n";
    std::fs::write(case.path("prices.toml"), prices).unwrap();
    let flags = "--prices prices.toml --samples 8 --thoughts 3";
    let output = doctor(&case, flags);
    ends_with(&output, 0);
    let stdout = text(&output.stdout);
    says(
        &stdout,
        &[
            "letters            allowed over completions, chat",
            "reasoned           allowed over completions, chat",
            "sampled            allowed over completions, chat, responses, messages",
            "log-probabilities of the letters: A ",
            "thought ",
            "read as ",
            " USD",
            "auto               letters: ",
        ],
    );
    let json = json_of(&doctor(&case, &format!("{flags} --output json")));
    let ways = json["ways"]["ways"].as_array().unwrap();
    let names: Vec<_> = ways
        .iter()
        .map(|way| way["way"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["letters", "reasoned", "sampled"]);
    let each = |way: usize, name: &str| ways[way]["per_thousand"][name].as_f64().unwrap();
    let count = |way: usize, name: &str| each(way, name) as u64;
    assert_eq!(count(0, "requests"), 1000);
    assert_eq!(count(0, "answer_tokens"), 1000);
    // Three thoughts and the letters after each.
    assert_eq!(count(1, "requests"), 6000);
    assert!(each(1, "prompt_tokens") > 5.9 * each(0, "prompt_tokens"));
    // Eight answers in one request.
    assert_eq!(count(2, "requests"), 1000);
    assert!((each(2, "prompt_tokens") / each(0, "prompt_tokens") - 1.0).abs() < 0.02);
    for (way, _) in names.iter().enumerate() {
        let cost = (2.0 * each(way, "prompt_tokens") + 10.0 * each(way, "answer_tokens")) / 1e6;
        assert!((each(way, "cost") - cost).abs() < 1e-4, "{json}");
        assert!(each(way, "most_cost") >= each(way, "cost"), "{json}");
    }
    // As a run of the built-in questions counts them, whose mean prompt the trial's is like.
    let run = case.run("run --tasks qa --prompt-strategies base --progress plain");
    assert!(run.status.success(), "{}", text(&run.stderr));
    let results = results_in(&case.results());
    let timing = &results["models"][0]["timing"];
    let mean = timing["prompt_tokens"].as_f64().unwrap() / timing["asked"].as_f64().unwrap();
    let told = each(0, "prompt_tokens") / 1000.0;
    assert!((told / mean - 1.0).abs() < 0.05, "{told} and {mean}");
}

#[test]
fn without_log_probabilities_words_are_left() {
    let case = Case::new(server(|server| server.logprobs = false));
    let output = doctor(&case, "");
    ends_with(&output, 0);
    says(
        &text(&output.stdout),
        &[
            "letters            NOT ALLOWED",
            "  not over         completions: ",
            "answers without log-probabilities",
            "sampled            allowed over",
            "verdict: ready for answers in words (--answers sampled)",
            " --answers sampled",
        ],
    );
    let output = doctor(&case, "--quick");
    ends_with(&output, 2);
    let output = doctor(&case, "--quick --ways");
    ends_with(&output, 0);
    says(&text(&output.stdout), &["sampled            allowed over"]);
}

#[test]
fn auto_takes_letters_where_they_can_be_read() {
    let case = Case::new(server(|_| {}));
    let output = case.run(&format!("run --answers auto {SHORT}"));
    assert!(output.status.success(), "{}", text(&output.stderr));
    says(
        &text(&output.stderr),
        &["--answers letters: the server reports log-probabilities"],
    );
    let results = results_in(&case.results());
    // As a run with --answers letters, whose answers it shares.
    assert_eq!(results["settings"].get("answers"), None);
    let details = &results["models"][0]["identity"]["details"];
    assert_eq!(details.get("answers"), None);
    let again = case.run(&format!("run {SHORT} --recheck 0"));
    assert!(again.status.success(), "{}", text(&again.stderr));
    let timing = &results_in(&case.results())["models"][0]["timing"];
    assert_eq!(
        (&timing["asked"], &timing["cached"]),
        (&json!(0), &json!(12))
    );
}

#[test]
fn auto_draws_words_where_there_are_no_log_probabilities() {
    let case = Case::new(server(|server| server.logprobs = false));
    let line = format!("run --answers auto --samples 4 {SHORT}");
    let output = case.run(&line);
    assert!(output.status.success(), "{}", text(&output.stderr));
    says(
        &text(&output.stderr),
        &["--answers sampled: ", "without log-probabilities"],
    );
    let results = results_in(&case.results());
    assert_eq!(results["settings"]["answers"]["sampled"]["samples"], 4);
    let details = &results["models"][0]["identity"]["details"];
    assert_eq!(details["answers"], "sampled");
    assert!(
        !results["settings"].to_string().contains("auto"),
        "{results}"
    );
    let dry = case.run(&format!("{line} --dry-run"));
    ends_with(&dry, 2);
    says(
        &text(&dry.stderr),
        &[
            "--answers auto decides by a model's answers",
            "hint: name the way",
        ],
    );
}

#[test]
fn auto_waits_for_the_thought_of_a_model_that_thinks() {
    // Letters come after a thought alone.
    let server = Programmed::start(|path, body| match path {
        "/v1/models" => (200, json!({"data": [{"id": "m"}]})),
        "/v1/chat/completions" if body["logprobs"] == true => {
            let begun = body["messages"]
                .as_array()
                .is_some_and(|messages| messages.len() > 1);
            let tokens = if begun {
                [
                    ("B", -0.1),
                    ("A", -3.0),
                    ("C", -4.0),
                    ("D", -5.0),
                    ("<think>", -9.0),
                ]
            } else {
                [
                    ("<think>", -1e-4),
                    ("B", -12.0),
                    ("A", -13.0),
                    ("C", -14.0),
                    ("D", -15.0),
                ]
            };
            (200, chat(&tokens))
        }
        "/v1/chat/completions" => (
            200,
            json!({
            "choices": [{"index": 0, "finish_reason": "stop", "message": {
                "role": "assistant", "content": "", "reasoning_content": "It is B."}}],
            "usage": {"prompt_tokens": 60, "completion_tokens": 5}}),
        ),
        _ => (404, json!({"error": {"message": "no such route"}})),
    });
    let case = Case::new(Script::healthy());
    let base = &server.base;
    let line = format!("run --api-base {base} --chat --answers auto {SHORT}");
    let output = case.sureness(&line).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    says(
        &text(&output.stderr),
        &["--answers reasoned: the server reports log-probabilities, and the model thinks"],
    );
    let results = results_in(&case.results());
    assert_eq!(results["settings"]["answers"]["reasoned"]["thoughts"], 1);
    assert_eq!(
        results["models"][0]["identity"]["details"]["answers"],
        "reasoned"
    );
}

/// An answer of a chat server that lists these tokens.
fn chat(tokens: &[(&str, f64)]) -> Value {
    let entry = |(token, logprob): &(&str, f64)| json!({"token": token, "logprob": logprob, "bytes": token.as_bytes()});
    let mut position = entry(&tokens[0]);
    position["top_logprobs"] = tokens.iter().map(entry).collect();
    json!({"choices": [{"index": 0, "message": {"role": "assistant", "content": tokens[0].0},
        "finish_reason": "length", "logprobs": {"content": [position]}}],
        "usage": {"prompt_tokens": 60, "completion_tokens": 1}})
}

#[test]
fn a_price_file_has_the_price_of_each_model() {
    let case = Case::new(server(|_| {}));
    let write = |text: &str| std::fs::write(case.path("prices.toml"), text).unwrap();
    write("[fault-model]\nin = 1000\nout = 2000\ncurrency = 'EUR'\n");
    let line = format!("run --prices prices.toml {SHORT}");
    let dry = case.run(&format!("{line} --dry-run"));
    ends_with(&dry, 0);
    says(&text(&dry.stdout), &["Cost: about ", " EUR, and "]);
    let output = case.run(&line);
    assert!(output.status.success(), "{}", text(&output.stderr));
    says(&text(&output.stderr), &[" EUR spent on "]);
    let spent = results_in(&case.results())["models"][0]["timing"]["spent"].clone();
    let tokens = |name: &str| spent[name].as_f64().unwrap();
    let cost = (1000.0 * tokens("prompt_tokens") + 2000.0 * tokens("answer_tokens")) / 1e6;
    assert!(
        (spent["cost"].as_f64().unwrap() - cost).abs() < 1e-9,
        "{spent}"
    );
    assert_eq!(spent["currency"], "EUR");

    // Flags come before the file.
    let flags = "--price-in 0 --price-out 0 --no-cache";
    assert!(case.run(&format!("{line} {flags}")).status.success());
    let spent = results_in(&case.results())["models"][0]["timing"]["spent"].clone();
    assert_eq!(spent["cost"], 0.0);

    // The limit needs a price, from either.
    let output = case.run(&format!("{line} --no-cache --max-cost 0.2"));
    ends_with(&output, 1);
    says(
        &text(&output.stderr),
        &[" EUR is spent, and --max-cost is 0.2"],
    );
}

#[test]
fn an_unknown_model_and_a_malformed_file_are_refused_before_any_request() {
    let case = Case::new(server(|_| {}));
    let asked = || case.server.log().len();
    for (file, words) in [
        (
            "[other]\nin = 1\nout = 2\n",
            "has no prices of \"fault-model\"; it has other",
        ),
        (
            "[fault-model]\nin = 1\n",
            "line 1: \"fault-model\" has no price `out`",
        ),
        (
            "[fault-model]\nin = free\nout = 1",
            "line 2: not valid TOML",
        ),
    ] {
        std::fs::write(case.path("prices.toml"), file).unwrap();
        for command in ["run", "run --dry-run"] {
            let line = format!("{command} --model fault-model --prices prices.toml {SHORT}");
            let output = case.run(&line);
            ends_with(&output, 2);
            says(&text(&output.stderr), &[words, "hint: "]);
        }
        let output = doctor(&case, "--model fault-model --prices prices.toml");
        ends_with(&output, 2);
        says(&text(&output.stderr), &[words, "hint: "]);
    }
    assert_eq!(asked(), 0);
    // The name of an unnamed model is known before the first question.
    std::fs::write(case.path("prices.toml"), "[other]\nin = 1\nout = 2\n").unwrap();
    let output = case.run(&format!("run --prices prices.toml {SHORT}"));
    ends_with(&output, 2);
    assert_eq!(case.questions().len(), 0);
}

/// A data file of questions, those that are kept as examples included.
fn questions(case: &Case, count: usize) -> &'static str {
    let mut lines = String::new();
    for number in 0..count + EXAMPLES {
        let words = "amber ".repeat(number % 40);
        let row = json!({"id": number, "question": format!("{words}Which item is number {number}?"),
            "options": ["entry one", "entry two", "entry three", "entry four"], "answer": "A"});
        let _ = writeln!(lines, "{row}");
    }
    std::fs::write(case.path("own.jsonl"), lines).unwrap();
    "--data own=own.jsonl --prompt-strategies base --shots 0 --progress plain"
}

#[test]
fn a_dry_run_counts_by_the_server_s_tokenizer_and_states_the_error() {
    let words = |text: &str| text.split_whitespace().count();
    let server = Programmed::start(move |path, body| match path {
        "/v1/models" => (200, json!({"data": [{"id": "m"}]})),
        "/tokenize" => {
            let tokens = words(body["content"].as_str().unwrap());
            (200, json!({"tokens": vec![7; tokens]}))
        }
        _ => (404, json!({"error": {"message": "no such route"}})),
    });
    let case = Case::new(Script::healthy());
    let base = &server.base;
    let dry = |count: usize| {
        let own = questions(&case, count);
        let line = format!("run --dry-run --api-base {base} {own} --output-dir none");
        let output = case.sureness(&line).output().unwrap();
        ends_with(&output, 0);
        let words: Vec<_> = text(&output.stdout)
            .split_whitespace()
            .map(str::to_owned)
            .collect();
        words.join(" ")
    };
    // Every prompt is counted.
    let all = dry(30);
    says(
        &all,
        &["by the server's tokenizer, which counted every prompt"],
    );
    let prompts = server.asked("/tokenize");
    assert_eq!(prompts.len(), 30);
    let truth: usize = prompts
        .iter()
        .map(|body| words(body["content"].as_str().unwrap()))
        .sum();
    let grouped = sureness_analysis::number::count(truth);
    assert!(
        all.contains(&format!("Prompt tokens: {grouped},")),
        "{truth} in {all}"
    );
    // A sample, with its error.
    let some = dry(500);
    says(
        &some,
        &[
            "with a standard error of ",
            "counted 64 of 500 prompts, drawn at random",
        ],
    );
    assert_eq!(server.asked("/tokenize").len(), 94);
    assert_eq!(server.asked("completions").len(), 0, "no model was asked");
}

#[test]
fn a_server_that_is_not_there_leaves_the_estimate_by_bytes() {
    let case = Case::new(Script::healthy());
    let own = questions(&case, 20);
    let line = format!("run --dry-run --api-base http://127.0.0.1:9 {own}");
    let output = case.sureness(&line).output().unwrap();
    ends_with(&output, 0);
    says(
        &text(&output.stdout),
        &[
            "four bytes each",
            "No server was asked about its tokenizer: cannot reach",
        ],
    );
}

/// As llama.cpp's server: its usage has the tokens of the first answer alone. `tokenizer` says whether it has one.
fn counts_one(tokenizer: bool) -> Programmed {
    Programmed::start(move |path, body| match path {
        "/v1/models" => (200, json!({"data": [{"id": "m"}]})),
        "/tokenize" if tokenizer => {
            let words = body["content"].as_str().unwrap().split_whitespace();
            (200, json!({"tokens": vec![7; words.count()]}))
        }
        "/v1/completions" => {
            let n = body["n"].as_u64().unwrap_or(1);
            let most = body["max_tokens"].as_u64().unwrap();
            let choice = |index: u64| json!({"index": index, "text": " The answer is A.", "finish_reason": "stop"});
            let choices: Vec<Value> = (0..n).map(choice).collect();
            let usage = json!({"prompt_tokens": 50, "completion_tokens": 5.min(most)});
            (200, json!({"choices": choices, "usage": usage}))
        }
        _ => (404, json!({"error": {"message": "no such route"}})),
    })
}

#[test]
fn tokens_of_answers_that_the_server_does_not_count_are_counted_all_the_same() {
    let case = Case::new(Script::healthy());
    let own = questions(&case, 10);
    // Four words, one token for the end and three for a stop text; or 17 bytes in place of the words.
    for (tokenizer, each) in [(true, [5, 8, 8, 8, 8, 8]), (false, [5, 10, 10, 10, 10, 10])] {
        let server = counts_one(tokenizer);
        let line = format!(
            "run --api-base {} --answers sampled --samples 6 {own} --max-workers 1 --output-dir {tokenizer}",
            server.base
        );
        let output = case.sureness(&line).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        says(
            &text(&output.stderr),
            &["counts the tokens of one answer per request"],
        );
        let results = results_in(&case.path(tokenizer.to_string()));
        let group = &results["models"][0]["groups"][0];
        let tokens = group["drawn"]["answer_tokens"].as_u64().unwrap();
        let expected: u64 = each.iter().sum();
        // The first answer of the first question goes ahead alone.
        assert!(
            (expected * 10 - 10..=expected * 10).contains(&tokens),
            "{tokenizer}: {tokens}"
        );
        let shown = case
            .sureness(&format!("show {tokenizer} 9"))
            .output()
            .unwrap();
        assert!(
            !text(&shown.stdout).contains(" 0 tokens"),
            "{}",
            text(&shown.stdout)
        );
        let spent = results["models"][0]["timing"]["spent"]["answer_tokens"].as_u64();
        assert_eq!(spent, Some(tokens), "limits count the same");
    }
}

#[test]
fn samples_auto_draws_until_the_share_is_known() {
    let logits: Logits = (0..60 + EXAMPLES)
        .map(|number| {
            let words = "amber ".repeat(number % 40);
            // A third of the questions are close calls.
            let top = if number % 3 == 0 { 0.4 } else { 7.0 };
            let row = vec![top, 0.3, -2.0, -3.0, -6.0, -6.0];
            (format!("{words}Which item is number {number}?"), row)
        })
        .collect();
    let case = Case::new(server(|server| server.logits = Some(logits)));
    let own = questions(&case, 60);
    let line = format!("run --chat --answers sampled --samples auto --samples-most 80 {own}");
    let output = case.run(&line);
    assert!(output.status.success(), "{}", text(&output.stderr));
    says(
        &text(&output.stderr),
        &[
            "--samples auto took ",
            "% saved",
            " of 60 questions reached 80",
        ],
    );
    let results = results_in(&case.results());
    let sampled = &results["settings"]["answers"]["sampled"];
    assert_eq!(
        (&sampled["samples"], &sampled["within"]),
        (&json!(80), &json!(0.1))
    );
    let model = &results["models"][0];
    let answers = model["groups"][0]["drawn"]["answers"].as_u64().unwrap();
    // Clear questions take 16 or a few more, close ones 80.
    assert!((60 * 30..60 * 50).contains(&answers), "{answers}");
    let timing = &model["timing"];
    assert_eq!(timing["asked"].as_u64(), Some(answers), "{timing}");
    assert_eq!(timing["cached"], 0, "{timing}");

    // The same command asks nothing more and says the same.
    let again = case.run(&format!("{line} --recheck 0"));
    assert!(again.status.success(), "{}", text(&again.stderr));
    let results = results_in(&case.results());
    let model = &results["models"][0];
    assert_eq!(model["timing"]["asked"], 0);
    assert_eq!(
        model["groups"][0]["drawn"]["answers"].as_u64(),
        Some(answers)
    );
}

#[test]
fn a_refused_question_does_not_switch_log_probabilities_off() {
    let server = Programmed::start(|path, body| match path {
        "/v1/models" => (200, json!({"data": [{"id": "m"}]})),
        "/v1/completions" if body["prompt"].as_str().unwrap().contains("item 3 ") => (
            400,
            json!({"error": {"message": "this prompt is not allowed", "code": 400}}),
        ),
        "/v1/completions" => {
            let listed = body
                .get("logprobs")
                .map(|_| json!({"token_logprobs": [-0.2, -0.1]}));
            (
                200,
                json!({"choices": [{"index": 0, "text": " amber", "finish_reason": "stop",
                "logprobs": listed}], "usage": {"prompt_tokens": 9, "completion_tokens": 2}}),
            )
        }
        _ => (404, json!({"error": {"message": "no such route"}})),
    });
    let case = Case::new(Script::healthy());
    let mut lines = String::new();
    for number in 0..20 {
        let row = json!({"id": number, "question": format!("What colour has item {number} of the list?"),
            "answers": ["amber"]});
        let _ = writeln!(lines, "{row}");
    }
    std::fs::write(case.path("open.jsonl"), lines).unwrap();
    let line = format!(
        "run --api-base {} --answers sampled --samples 1 --shots 0 --data facts=open.jsonl --progress plain \
         --max-workers 1 --allowed-failures 0.2",
        server.base
    );
    let output = case.sureness(&line).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let asked = server.asked("completions");
    let questions: Vec<_> = asked
        .iter()
        .filter(|body| body["prompt"].as_str().unwrap().contains("the list?"))
        .collect();
    let without: Vec<_> = questions
        .iter()
        .filter(|body| body.get("logprobs").is_none())
        .collect();
    assert_eq!(
        without.len(),
        1,
        "the refused one was tried without the field: {without:?}"
    );
    assert!(without[0]["prompt"].as_str().unwrap().contains("item 3 "));
}
