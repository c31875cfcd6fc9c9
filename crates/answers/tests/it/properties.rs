//! What holds for all answers.

use proptest::prelude::*;
use proptest::sample::select;
use sureness_answers::{Reading, read, split_thought};

const LABELS: [&str; 6] = ["A", "B", "C", "D", "E", "F"];
const OPTIONS: [&str; 6] = [
    "red",
    "green",
    "blue",
    "grey",
    "I don't know",
    "None of the above",
];
/// Dresses of a letter, which stands at `@`.
const DRESSES: [&str; 26] = [
    "@",
    "@.",
    "@)",
    "(@)",
    "[@]",
    "**@**",
    "*@*",
    "`@`",
    "\"@\"",
    "$@$",
    "\\boxed{@}",
    "\\boxed{\\text{@}}",
    "$\\boxed{\\mathrm{@}}$",
    "\\(@\\)",
    "<answer>@</answer>",
    "<b>@</b>",
    "{\"answer\": \"@\"}",
    "Option @",
    "**(@)**",
    "- @",
    "> @",
    "### @",
    "Answer: @",
    "The answer is **@**.",
    "I choose (@).",
    "@ is correct.",
];
/// Pieces of answers, out of which anything may be made.
const PIECES: [&str; 40] = [
    "A",
    "B",
    "C",
    "a",
    "I",
    "red",
    "green",
    "I don't know",
    "the answer is",
    "Answer:",
    "is",
    "correct",
    "not",
    "and",
    "or",
    ",",
    ".",
    "...",
    "!",
    "?",
    "(",
    ")",
    "**",
    "\n",
    "\n\n",
    "\\boxed{",
    "}",
    "<answer>",
    "</answer>",
    "<think>",
    "</think>",
    "Question:",
    "wait",
    "<|channel|>",
    "analysis",
    "final",
    "<|message|>",
    "\\",
    "'",
    "é",
];

fn thought() -> impl Strategy<Value = String> {
    proptest::collection::vec(select(&PIECES[..29]), 0..12).prop_map(|pieces| pieces.join(" "))
}

fn answer() -> impl Strategy<Value = String> {
    proptest::collection::vec(select(&PIECES[..]), 0..16).prop_map(|pieces| pieces.join(" "))
}

/// A model that repeats itself up to its limit costs no more than the length of its text.
#[test]
fn endless_answers_are_read() {
    for piece in [
        "B x ",
        "B\n",
        "(A) ",
        "B. x ",
        "<think>",
        "</think>",
        "Question: ",
        "A. x\nB. y\n",
        "A, ",
        "red, ",
        "red is ",
        "the answer is B ",
        "the answer is B. ",
        "it is red ",
        "wait. ",
        "(",
        ")",
        "B)",
        "\\boxed{",
        "<",
        "\n",
        "...",
        "I don't ",
        "A is B is ",
        "if so B ",
    ] {
        let text = piece.repeat(1_500);
        let _ = (read(&text, &LABELS, &OPTIONS), split_thought(&text));
    }
}

proptest! {
    #[test]
    fn any_text_is_read(text in "\\PC*", pieces in answer()) {
        for text in [text.as_str(), pieces.as_str(), &format!("{pieces}{text}")] {
            let reading = read(text, &LABELS, &OPTIONS);
            prop_assert!(!matches!(reading, Reading::Option(option) if option >= OPTIONS.len()));
            let (thought, answer) = split_thought(text);
            prop_assert!(text.contains(answer) && thought.is_none_or(|thought| text.contains(thought)));
        }
    }

    #[test]
    fn a_letter_is_read_in_any_dress(option in 0_usize..6, dress in select(&DRESSES[..]), end in select(vec!["", "\n", " "])) {
        let text = dress.replace('@', LABELS[option]) + end;
        prop_assert_eq!(read(&text, &LABELS, &OPTIONS), Reading::Option(option), "{:?}", text);
    }

    #[test]
    fn an_options_text_is_read(
        option in 0_usize..6,
        frame in select(vec!["@", "@.", "**@**", "The answer is @.", "It is @.", "\\boxed{@}", "Answer: @"]),
    ) {
        let text = frame.replace('@', OPTIONS[option]);
        prop_assert_eq!(read(&text, &LABELS, &OPTIONS), Reading::Option(option), "{:?}", text);
    }

    #[test]
    fn a_letter_with_the_text_of_another_option_is_none(
        pair in (0_usize..6, 0_usize..6).prop_filter("differ", |(letter, text)| letter != text),
        frame in select(vec!["@. #", "@) #", "(@) #", "**@.** #", "The answer is @. #.", "# (@)", "The answer is # (@)."]),
    ) {
        let text = frame.replace('@', LABELS[pair.0]).replace('#', OPTIONS[pair.1]);
        let reading = read(&text, &LABELS, &OPTIONS);
        prop_assert!(matches!(reading, Reading::Unreadable(_)), "{:?} is {:?}", text, reading);
    }

    #[test]
    fn a_thought_before_it_does_not_change_the_reading(
        thought in thought(),
        dress in select(&DRESSES[..]),
        option in 0_usize..6,
        other in thought(),
    ) {
        for text in [dress.replace('@', LABELS[option]), format!("x {other}")] {
            let alone = read(&text, &LABELS, &OPTIONS);
            for thinking in [
                format!("<think>{thought}</think>{text}"),
                format!("{thought}</think>{text}"),
                format!("<thinking>\n{thought}\n</thinking>\n\n{text}"),
                format!("[THINK]{thought}[/THINK]{text}"),
                format!("◁think▷{thought}◁/think▷{text}"),
                format!("<|channel|>analysis<|message|>{thought}<|end|><|start|>assistant<|channel|>final<|message|>{text}<|return|>"),
            ] {
                prop_assert_eq!(read(&thinking, &LABELS, &OPTIONS), alone, "{:?}", thinking);
            }
        }
    }

    #[test]
    fn other_labels_mean_other_options(
        order in Just([0_usize, 1, 2, 3, 4, 5]).prop_shuffle(),
        dress in select(&DRESSES[..]),
        option in 0_usize..6,
    ) {
        let labels = order.map(|label| LABELS[label]);
        let text = dress.replace('@', labels[option]);
        prop_assert_eq!(read(&text, &labels, &OPTIONS), Reading::Option(option), "{:?}", text);
        let numbers = ["1", "2", "3", "4", "5", "6"];
        let text = dress.replace('@', numbers[option]);
        prop_assert_eq!(read(&text, &numbers, &OPTIONS), Reading::Option(option), "{:?}", text);
    }

    #[test]
    fn the_next_question_changes_nothing(
        dress in select(&DRESSES[..]),
        option in 0_usize..6,
        rest in answer(),
    ) {
        let text = dress.replace('@', LABELS[option]) + "\n\nQuestion: " + &rest.replace('<', "");
        prop_assert_eq!(read(&text, &LABELS, &OPTIONS), Reading::Option(option), "{:?}", text);
    }
}
