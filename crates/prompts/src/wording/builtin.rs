//! The built-in English texts.

use std::collections::BTreeMap;

use super::{DEFAULT, Instructions, Labels, Wording};
use crate::Strategy;

/// One row: table, strategy, before the examples, before the question, zero-shot.
type Row = (&'static str, Strategy, [&'static str; 3]);

/// The options are not counted in any text: a custom task may have 2 to 26 of them.
const ROWS: [Row; 7] = [
    (
        DEFAULT,
        Strategy::SharedInstruction,
        [
            "The following multiple-choice questions each have exactly one correct option. \
             Every answer is the letter of that option.",
            "Now answer the question below in the same way, with the letter of the correct option only.",
            "The following multiple-choice question has exactly one correct option. \
             Answer with the letter of that option only.",
        ],
    ),
    // For custom tasks.
    (
        DEFAULT,
        Strategy::TaskSpecific,
        [
            "The following multiple-choice questions are on the subject \"{title}\". \
             Every answer is the letter of the right option.",
            "Read the {material} below with care and answer with the letter of the right option.",
            "The following multiple-choice question is on the subject \"{title}\". \
             Read the {material} with care and answer with the letter of the right option.",
        ],
    ),
    (
        "qa",
        Strategy::TaskSpecific,
        [
            "The following exam questions test knowledge of academic and professional subjects. \
             Every answer is the letter of the option that is factually right.",
            "Recall what you know of the subject below and answer with the letter of the option that is factually right.",
            "The following exam question tests knowledge of an academic or professional subject. \
             Recall what you know of it and answer with the letter of the option that is factually right.",
        ],
    ),
    (
        "rc",
        Strategy::TaskSpecific,
        [
            "The following questions test the understanding of a short passage, given as the context. \
             What they ask for is often not stated but can be inferred from the passage and everyday experience. \
             Every answer is the letter of the option that the passage supports best.",
            "Read the context below, read between its lines, and answer with the letter of the option that it supports best.",
            "The following question tests the understanding of a short passage, given as the context. \
             What it asks for is often not stated but can be inferred from the passage and everyday experience. \
             Answer with the letter of the option that the passage supports best.",
        ],
    ),
    (
        "ci",
        Strategy::TaskSpecific,
        [
            "The following contexts describe everyday situations and break off. \
             Every answer is the letter of the option that tells most plausibly what comes next.",
            "Picture the situation below and answer with the letter of the option that tells most plausibly what comes next.",
            "The following context describes an everyday situation and breaks off. \
             Picture the situation and answer with the letter of the option that tells most plausibly what comes next.",
        ],
    ),
    (
        "drs",
        Strategy::TaskSpecific,
        [
            "The following dialogues each lack their next reply. \
             Every answer is the letter of the reply that follows from what was said and gets its facts right.",
            "Follow the dialogue below and answer with the letter of the reply that follows from what was said and gets its facts right.",
            "The following dialogue lacks its next reply. \
             Answer with the letter of the reply that follows from what was said and gets its facts right.",
        ],
    ),
    (
        "ds",
        Strategy::TaskSpecific,
        [
            "The following documents are each to be summarised. \
             Every answer is the letter of the summary that covers the main points and says nothing that the document does not.",
            "Read the document below and answer with the letter of the summary that covers its main points and says nothing that it does not.",
            "The following document is to be summarised. \
             Answer with the letter of the summary that covers the main points and says nothing that the document does not.",
        ],
    ),
];

pub(super) fn wording() -> Wording {
    let mut texts: BTreeMap<String, BTreeMap<Strategy, Instructions>> = BTreeMap::new();
    for (table, strategy, [before_examples, before_question, zero_shot]) in ROWS {
        let instructions = Instructions {
            before_examples: Some(before_examples.to_owned()),
            before_question: Some(before_question.to_owned()),
            zero_shot: Some(zero_shot.to_owned()),
        };
        texts
            .entry(table.to_owned())
            .or_default()
            .insert(strategy, instructions);
    }
    Wording {
        labels: Labels::default(),
        texts,
    }
}
