//! Questions about a text.

use super::{BASE, Choices, Id, Layout, Right, Stem};
use crate::files::Split::{Test, Train, Validation};

/// What reading sets share.
const READING: Layout = Layout { task: "rc", ..BASE };

pub(super) const LAYOUTS: &[Layout] = &[
    Layout {
        name: "race",
        hub: &["ehovy/race"],
        checked: "huggingface/datasets 02bb18c7, datasets/race, 2026-11-28",
        context: &["article"],
        options: Choices::List("options"),
        answer: Right::Letter("answer"),
        marks: &["article", "example_id"],
        ..READING
    },
    Layout {
        name: "quality",
        hub: &["emozilla/quality"],
        checked: "eval-framework f652d817, tasks/benchmarks/quality.py, 2026-11-28",
        ask: &[Validation],
        context: &["article"],
        options: Choices::List("options"),
        marks: &["article", "hard"],
        ..READING
    },
    Layout {
        name: "quality-original",
        checked: "unitxt and other users of QuALITY.v1.0.1.htmlstripped.dev, 2026-11-29",
        ask: &[Validation, Train],
        context: &["article"],
        options: Choices::List("options"),
        answer: Right::From1("gold_label"),
        id: Id::Column("question_unique_id"),
        marks: &["article"],
        ..READING
    },
    Layout {
        name: "sciq",
        hub: &["allenai/sciq"],
        checked: "lm-evaluation-harness 0f9afc7a, tasks/sciq, 2026-11-28",
        context: &["support"],
        options: Choices::RightAndWrong {
            right: "correct_answer",
            wrong: &["distractor1", "distractor2", "distractor3"],
        },
        answer: Right::InOptions,
        ..READING
    },
    Layout {
        name: "boolq",
        hub: &["google/boolq"],
        checked: "huggingface/datasets 02bb18c7, datasets/boolq, 2026-11-28",
        ask: &[Validation],
        context: &["passage"],
        options: Choices::Fixed(&["Yes", "No"]),
        answer: Right::Truth("answer"),
        marks: &["passage"],
        ..READING
    },
    Layout {
        name: "boolq-superglue",
        hub: &["aps/super_glue"],
        checked: "lm-evaluation-harness 0d03a9f3, tasks/super_glue/boolq, 2026-11-28",
        ask: &[Validation],
        context: &["passage"],
        options: Choices::Fixed(&["Yes", "No"]),
        answer: Right::Truth("label"),
        marks: &["passage", "idx"],
        ..READING
    },
    Layout {
        name: "pubmedqa",
        hub: &["qiaojin/PubMedQA"],
        checked: "lm-evaluation-harness 11d8a69c, tasks/pubmedqa, 2026-11-28",
        ask: &[Test, Train],
        examples: &[],
        context: &["context.contexts"],
        options: Choices::Fixed(&["yes", "no", "maybe"]),
        answer: Right::Text("final_decision"),
        id: Id::Column("pubid"),
        ..READING
    },
    Layout {
        name: "logiqa",
        hub: &["lucasmccabe/logiqa"],
        checked: "the page of its uploader, 2026-11-28",
        stem: Stem::Column("query"),
        context: &["context"],
        options: Choices::List("options"),
        answer: Right::From0("correct_option"),
        ..READING
    },
    Layout {
        name: "logiqa-letters",
        hub: &["EleutherAI/logiqa"],
        checked: "lm-evaluation-harness 90105ec8, tasks/logiqa/utils_logiqa.py, 2026-11-28",
        context: &["context"],
        options: Choices::List("options"),
        answer: Right::Letter("label"),
        marks: &["context"],
        ..READING
    },
    Layout {
        name: "reclor",
        hub: &["metaeval/reclor"],
        checked: "huggingface/datasets 1b6e3f13, datasets/reclor, and users of the hub's copy, 2026-11-28",
        ask: &[Validation],
        context: &["context"],
        options: Choices::List("answers"),
        answer: Right::From0("label"),
        id: Id::Column("id_string"),
        ..READING
    },
];
