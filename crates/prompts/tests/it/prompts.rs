//! Whole prompts of the five tasks, to be looked at.

use std::collections::HashMap;
use std::fmt::Write as _;

use sureness_prompts::{PromptBuilder, Strategy, Wording};
use sureness_questions::{Question, Task, letter};
use sureness_testkit::shared;

/// Two few-shot examples and one question of a task, in that order.
fn questions(task: &str) -> Vec<Question> {
    let mut tasks: HashMap<String, Vec<Question>> =
        serde_json::from_str(include_str!("../questions.json")).expect("the questions are valid");
    let questions = tasks.remove(task).expect("the task has questions");
    questions
        .into_iter()
        .map(Question::with_abstention)
        .collect()
}

/// Few-shot and zero-shot prompt; `|` marks where the prefix ends.
fn both(task: &Task, strategy: Strategy) -> String {
    let questions = questions(&task.id);
    let (question, examples) = questions.split_last().expect("the task has questions");
    let mut text = String::new();
    for (name, shots) in [("few-shot", 2), ("zero-shot", 0)] {
        let builder =
            PromptBuilder::new(task, strategy, &Wording::builtin(), examples, shots).unwrap();
        let prompt = builder.build(question);
        let (prefix, suffix) = (&prompt.prefix, &prompt.suffix);
        writeln!(text, "######## {name}\n{prefix}|{suffix}").unwrap();
    }
    text
}

#[test]
fn prompts_of_all_tasks_and_strategies() {
    let custom = Task::custom("local_news");
    for task in Task::benchmark().iter().chain([&custom]) {
        for strategy in Strategy::ALL {
            let name = format!("{}_{strategy}", task.id);
            insta::assert_snapshot!(name, both(task, strategy));
        }
    }
}

#[test]
fn a_base_prompt_is_the_one_that_was_sent_to_the_recorded_servers() {
    let Some(path) = shared("servers/llama-server/completions_logprobs10.json") else {
        return;
    };
    let recorded = std::fs::read_to_string(path).expect("the recorded request is there");
    let recorded: serde_json::Value = serde_json::from_str(&recorded).expect("it is JSON");
    let recorded = recorded["request"]["body"]["prompt"]
        .as_str()
        .expect("a prompt");

    // Takes the recorded text apart and lays it out again.
    let questions: Vec<Question> = recorded.split("\n\n").map(parse).collect();
    let (question, examples) = questions.split_last().expect("it has questions");
    assert_eq!(examples.len(), 5);
    let task = Task::by_name("qa").unwrap();
    let builder =
        PromptBuilder::new(&task, Strategy::Base, &Wording::builtin(), examples, 5).unwrap();
    assert_eq!(builder.build(question).text(), recorded);
    assert_eq!(builder.labels(question), ["A", "B", "C", "D", "E", "F"]);
}

fn parse(block: &str) -> Question {
    let (stem, rest) = block.split_once("\nChoices:\n").expect("it has choices");
    let (options, answer) = rest.split_once("\nAnswer:").expect("it has an answer line");
    Question {
        accepted: Vec::new(),
        id: String::new(),
        category: None,
        context: None,
        stem: stem.trim_start_matches("Question: ").to_owned(),
        options: options.lines().map(|line| line[3..].to_owned()).collect(),
        right: (0..26)
            .find(|&i| answer.trim() == letter(i).to_string())
            .unwrap_or(0)
            .into(),
    }
}

#[test]
fn the_example_in_the_documentation_is_valid() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/prompts.md");
    let page = std::fs::read_to_string(path).expect("docs/prompts.md is there");
    let examples: Vec<&str> = page
        .split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert!(!examples.is_empty(), "docs/prompts.md shows a prompts file");
    for example in examples {
        let wording = Wording::from_toml_str(example).expect("the example reads");
        assert_ne!(wording, Wording::builtin(), "the example changes something");
    }
}
