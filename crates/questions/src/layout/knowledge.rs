//! Exams and general knowledge.

use super::{BASE, Choices, Id, Layout, Only, Right, Several, Stem};
use crate::files::Split::{Dev, Test, Train, Validation};

pub(super) const LAYOUTS: &[Layout] = &[
    Layout {
        name: "mmlu-redux",
        hub: &["edinburgh-dawg/mmlu-redux", "edinburgh-dawg/mmlu-redux-2.0"],
        checked: "ZeroEval, data_prep/mmlu-redux.py, the card, 2026-11-28, and evalscope, \
                  mmlu_redux_adapter.py, 2026-11-29",
        ask: &[Test],
        examples: &[],
        marks: &["error_type"],
        only: Some(Only {
            column: "error_type",
            value: "ok",
            several: Several {
                value: "multiple_correct_answers",
                column: "correct_answer",
            },
        }),
        ..BASE
    },
    Layout {
        name: "mmlu-hub",
        hub: &["cais/mmlu", "hails/mmlu_no_train"],
        checked: "lm-evaluation-harness 00859825, tasks/mmlu/default, 2026-11-28",
        ask: &[Test, Validation, Dev],
        examples: &[Dev],
        category: Some("subject"),
        id: Id::InCategory,
        ..BASE
    },
    Layout {
        name: "mmlu-pro",
        hub: &["TIGER-Lab/MMLU-Pro"],
        checked: "lm-evaluation-harness 068f6ffe, tasks/mmlu_pro, 2026-11-28",
        ask: &[Test],
        examples: &[Validation],
        options: Choices::List("options"),
        answer: Right::Letter("answer"),
        again: &["answer_index"],
        category: Some("category"),
        id: Id::Column("question_id"),
        marks: &["question_id", "answer_index"],
        ..BASE
    },
    Layout {
        name: "mmmlu",
        hub: &["openai/MMMLU"],
        checked: "lm-evaluation-harness, tasks/mmmlu/README.md, 2026-11-28",
        ask: &[Test],
        examples: &[],
        stem: Stem::Column("Question"),
        options: Choices::Columns(&["A", "B", "C", "D"]),
        answer: Right::Letter("Answer"),
        category: Some("Subject"),
        marks: &["Subject"],
        ..BASE
    },
    Layout {
        name: "cmmlu",
        hub: &["haonan-li/cmmlu"],
        checked: "lm-evaluation-harness 0d03a9f3, tasks/cmmlu, 2026-11-28",
        ask: &[Test],
        examples: &[Dev],
        stem: Stem::Column("Question"),
        options: Choices::Columns(&["A", "B", "C", "D"]),
        answer: Right::Letter("Answer"),
        ..BASE
    },
    Layout {
        name: "ceval",
        hub: &["ceval/ceval-exam"],
        checked: "lm-evaluation-harness 517aadc4, tasks/ceval, 2026-11-28",
        ask: &[Validation],
        examples: &[Dev],
        options: Choices::Columns(&["A", "B", "C", "D"]),
        answer: Right::Letter("answer"),
        ..BASE
    },
    Layout {
        name: "global-mmlu",
        hub: &["CohereLabs/Global-MMLU", "CohereLabs/Global-MMLU-Lite"],
        checked: "lm-evaluation-harness db9754dc, tasks/global_mmlu/default, 2026-11-28",
        ask: &[Test],
        examples: &[Dev],
        options: Choices::Columns(&["option_a", "option_b", "option_c", "option_d"]),
        answer: Right::Letter("answer"),
        category: Some("subject"),
        id: Id::Column("sample_id"),
        marks: &["subject"],
        ..BASE
    },
    Layout {
        name: "supergpqa",
        hub: &["m-a-p/SuperGPQA"],
        checked: "openbench, evals/supergpqa.py, 2026-11-28",
        ask: &[Test, Train],
        examples: &[],
        options: Choices::List("options"),
        answer: Right::Letter("answer_letter"),
        again: &["answer"],
        category: Some("field"),
        id: Id::Column("uuid"),
        ..BASE
    },
    Layout {
        name: "gpqa",
        hub: &["Idavidrein/gpqa"],
        checked: "lm-evaluation-harness 64971b98, tasks/gpqa/zeroshot, 2026-11-28",
        ask: &[Test, Train],
        examples: &[],
        stem: Stem::Column("Question"),
        options: Choices::RightAndWrong {
            right: "Correct Answer",
            wrong: &[
                "Incorrect Answer 1",
                "Incorrect Answer 2",
                "Incorrect Answer 3",
            ],
        },
        answer: Right::InOptions,
        category: Some("High-level domain"),
        id: Id::Column("Record ID"),
        ..BASE
    },
    Layout {
        name: "commonsense-qa",
        hub: &["tau/commonsense_qa"],
        checked: "lm-evaluation-harness 0dc6bd05, tasks/commonsense_qa, 2026-11-28",
        ask: &[Validation],
        options: LABELLED,
        answer: Right::Label("answerKey"),
        id: Id::Column("id"),
        marks: &["question_concept"],
        ..BASE
    },
    Layout {
        name: "arc",
        hub: &["allenai/ai2_arc"],
        checked: "lm-evaluation-harness 0671c9cc, tasks/arc, 2026-11-28",
        options: LABELLED,
        answer: Right::Label("answerKey"),
        id: Id::Column("id"),
        ..BASE
    },
    Layout {
        name: "arc-original",
        checked: "huggingface/datasets 02bb18c7, datasets/ai2_arc, which reads these files, 2026-11-28",
        stem: Stem::Column("question.stem"),
        options: Choices::Labelled {
            column: "question.choices",
            text: "text",
            label: "label",
        },
        answer: Right::Label("answerKey"),
        id: Id::Column("id"),
        ask: &[Test, Validation, Dev],
        ..BASE
    },
    Layout {
        name: "openbookqa",
        hub: &["allenai/openbookqa"],
        checked: "lm-evaluation-harness 0d03a9f3, tasks/openbookqa, 2026-11-28",
        stem: Stem::Column("question_stem"),
        options: LABELLED,
        answer: Right::Label("answerKey"),
        id: Id::Column("id"),
        ..BASE
    },
    Layout {
        name: "medqa",
        hub: &["GBaker/MedQA-USMLE-4-options"],
        checked: "lm-evaluation-harness, tasks/medqa_usmle.py, 2026-11-28",
        options: Choices::Dictionary("options"),
        answer: Right::Label("answer_idx"),
        again: &["answer"],
        ..BASE
    },
    Layout {
        name: "medqa-endings",
        hub: &["GBaker/MedQA-USMLE-4-options-hf"],
        checked: "lm-evaluation-harness 293c9dfb, tasks/medqa, 2026-11-28",
        stem: Stem::Column("sent1"),
        options: Choices::Columns(&["ending0", "ending1", "ending2", "ending3"]),
        answer: Right::From0("label"),
        id: Id::Column("id"),
        ..BASE
    },
    Layout {
        name: "medmcqa",
        hub: &["openlifescienceai/medmcqa"],
        checked: "lm-evaluation-harness afbaf6ba, tasks/medmcqa, 2026-11-28",
        ask: &[Validation],
        options: Choices::Columns(&["opa", "opb", "opc", "opd"]),
        answer: Right::From0("cop"),
        category: Some("subject_name"),
        id: Id::Column("id"),
        ..BASE
    },
    Layout {
        name: "truthfulqa",
        hub: &["truthfulqa/truthful_qa"],
        checked: "lm-evaluation-harness 0d03a9f3, tasks/truthfulqa, 2026-11-28",
        ask: &[Validation],
        examples: &[],
        options: Choices::OneHot {
            column: "mc1_targets",
            texts: "choices",
            labels: "labels",
        },
        answer: Right::InOptions,
        ..BASE
    },
    // Rows of the hub have both targets and are read as the layout above, unless this one is named.
    Layout {
        name: "truthfulqa-mc2",
        checked: "lm-evaluation-harness 0d03a9f3, tasks/truthfulqa, truthfulqa_mc2.yaml, 2026-11-29",
        ask: &[Validation],
        examples: &[],
        options: Choices::OneHot {
            column: "mc2_targets",
            texts: "choices",
            labels: "labels",
        },
        answer: Right::InOptions,
        ..BASE
    },
    Layout {
        name: "halueval-qa",
        checked: "users of the qa_data.json of its authors, 2026-11-29",
        ask: &[Test, Validation, Train],
        examples: &[],
        options: Choices::RightAndWrong {
            right: "right_answer",
            wrong: &["hallucinated_answer"],
        },
        answer: Right::InOptions,
        ..BASE
    },
    Layout {
        name: "agieval",
        hub: &["hails/agieval-aqua-rat", "hails/agieval-lsat-ar"],
        checked: "lm-evaluation-harness 2efe41d2, tasks/agieval, 2026-11-28",
        ask: &[Test],
        examples: &[],
        stem: Stem::Prompt {
            column: "query",
            begins: &["Q: ", "问题："],
            ends: &[" Answer Choices: ", " 选项："],
        },
        options: Choices::Prefixed("choices"),
        answer: Right::From0("gold"),
        ..BASE
    },
    Layout {
        name: "agieval-original",
        checked: "OpenCompass 3ce9b0a4, datasets/agieval/dataset_loader.py, 2026-11-28",
        task: "rc",
        ask: &[Test],
        examples: &[],
        context: &["passage"],
        options: Choices::Prefixed("options"),
        answer: Right::Letter("label"),
        marks: &["passage"],
        ..BASE
    },
];

/// The options of ARC and its kin.
const LABELLED: Choices = Choices::Labelled {
    column: "choices",
    text: "text",
    label: "label",
};
