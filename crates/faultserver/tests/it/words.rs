//! Answers in words, and those that say nothing, in the fields of each protocol.

use serde_json::{Value, json};
use sureness_faultserver::{Fault, FaultServer, Rule, Script, Thought, Tokens, Unsaid, Words};

use crate::client::{Client, PATIENCE, start};

const PROMPT: &str = "Question: Which?\nA. x\nB. y\nAnswer:";
const LIMIT: u64 = 12;

fn server(rules: Vec<Rule>) -> FaultServer {
    let mut script = Script {
        rules,
        ..Script::default()
    };
    script.server.words = Some(Words::default());
    start(script)
}

/// The answer to a request for words in this protocol.
fn ask(server: &FaultServer, path: &str) -> Value {
    let messages = json!([{"role": "user", "content": PROMPT}]);
    let body = match path {
        "completions" => json!({"prompt": PROMPT, "max_tokens": LIMIT}),
        "responses" => json!({"input": PROMPT, "max_output_tokens": LIMIT}),
        _ => json!({"messages": messages, "max_tokens": LIMIT}),
    };
    let mut client = Client::connect(server);
    client.post(&format!("/v1/{path}"), &body);
    let response = client.response().unwrap();
    assert_eq!(response.status, 200);
    response.json()
}

/// The value at a path of the answer.
fn at<'a>(answer: &'a Value, path: &str) -> &'a Value {
    answer.pointer(path).unwrap_or(&Value::Null)
}

#[test]
fn what_is_not_said_has_the_fields_of_its_protocol() {
    let end = "/choices/0/finish_reason";
    let (status, reason, stop) = ("/status", "/incomplete_details/reason", "/stop_reason");
    for (how, path, field, value) in [
        (Unsaid::Refusal, "completions", end, "stop"),
        (
            Unsaid::Refusal,
            "chat/completions",
            "/choices/0/message/content",
            "null",
        ),
        (
            Unsaid::Refusal,
            "responses",
            "/output/0/content/0/type",
            "refusal",
        ),
        (Unsaid::Refusal, "messages", stop, "refusal"),
        (Unsaid::Cut, "completions", end, "length"),
        (Unsaid::Cut, "chat/completions", end, "length"),
        (Unsaid::Cut, "responses", reason, "max_output_tokens"),
        (Unsaid::Cut, "messages", stop, "max_tokens"),
        (Unsaid::Empty, "chat/completions", end, "stop"),
        (Unsaid::Filtered, "completions", end, "content_filter"),
        (Unsaid::Filtered, "chat/completions", end, "content_filter"),
        (Unsaid::Filtered, "responses", reason, "content_filter"),
        (Unsaid::Filtered, "messages", stop, "refusal"),
        (
            Unsaid::Thinking,
            "chat/completions",
            "/choices/0/message/content",
            "null",
        ),
        (Unsaid::Thinking, "responses", "/output/0/type", "reasoning"),
        (Unsaid::Thinking, "messages", "/content/0/type", "thinking"),
        (Unsaid::Withheld, "chat/completions", "/choices/0", "null"),
        (Unsaid::Withheld, "responses", status, "completed"),
        (Unsaid::Broken, "chat/completions", end, "error"),
        (Unsaid::Broken, "responses", status, "failed"),
        (
            Unsaid::Broken,
            "messages",
            "/error/type",
            "overloaded_error",
        ),
    ] {
        let answer = ask(&server(vec![Rule::always(Fault::Unsaid { how })]), path);
        let found = at(&answer, field);
        let found = found
            .as_str()
            .map_or_else(|| found.to_string(), str::to_owned);
        assert_eq!(found, value, "{how:?} {path}: {answer}");
    }
}

#[test]
fn token_counts_are_those_that_the_client_was_told() {
    for path in ["completions", "chat/completions", "responses", "messages"] {
        let cut = Fault::Unsaid { how: Unsaid::Cut };
        let server = server(vec![
            Rule::always(Fault::TruncatedJson).limit(1),
            Rule::always(cut).limit(1),
        ]);
        let mut client = Client::connect(&server);
        client.post(&format!("/v1/{path}"), &json!({
            "prompt": PROMPT, "input": PROMPT, "messages": [{"role": "user", "content": PROMPT}],
        }));
        client.response().unwrap();
        ask(&server, path);
        assert!(server.wait_until_idle(PATIENCE));
        let words = PROMPT.split_whitespace().count() as u64;
        let log = server.log();
        assert_eq!(
            log[0].tokens,
            Tokens::default(),
            "{path}: half of an answer tells none"
        );
        let told = Tokens {
            prompt: words,
            // The last word is always computed.
            cached: words - 1,
            answer: LIMIT,
        };
        assert_eq!(log[1].tokens, told, "{path}");
        assert_eq!(server.counts().tokens, told, "{path}");
    }
}

#[test]
fn letters_follow_the_thought_that_the_prompt_holds() {
    let thought = |text: &str, logits: [f64; 2]| Thought {
        text: text.to_owned(),
        weight: 1.0,
        logits: logits.to_vec(),
    };
    let thoughts = [
        thought("It is x.", [9.0, 0.0]),
        thought("It is y.", [0.0, 9.0]),
    ];
    let mut script = Script::default();
    script.server.words = Some(Words::default());
    script.server.thoughts = Some(
        [("Which?".to_owned(), thoughts.to_vec())]
            .into_iter()
            .collect(),
    );
    let server = start(script);
    let ask = |body: Value| {
        let mut client = Client::connect(&server);
        client.post("/v1/completions", &body);
        client.response().unwrap().json()
    };
    let thinking = "Question: Which?\nA. x\nB. y\nLet's think step by step.";
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..20 {
        let thought = ask(json!({"prompt": thinking}))["choices"][0]["text"]
            .as_str()
            .unwrap()
            .to_owned();
        let after = format!("{thinking}{thought}\nAnswer:");
        let answer = ask(json!({"prompt": after, "logprobs": 1}));
        let letter = answer["choices"][0]["text"].as_str().unwrap().to_owned();
        let expected = if thought == " It is x." { " A" } else { " B" };
        assert_eq!(letter, expected, "{thought}");
        seen.insert(thought);
    }
    assert_eq!(seen.len(), 2, "both are thought");
}

#[test]
fn a_filter_of_prompts_answers_as_azure_does() {
    let server = server(vec![Rule::always(Fault::ContentFilter)]);
    let mut client = Client::connect(&server);
    client.post(
        "/v1/chat/completions",
        &json!({"messages": [{"role": "user", "content": "x"}]}),
    );
    let response = client.response().unwrap();
    assert_eq!(response.status, 400);
    let error = &response.json()["error"];
    assert_eq!(error["code"], "content_filter");
    assert_eq!(error["innererror"]["code"], "ResponsibleAIPolicyViolation");
}
