//! Common sense, and bias.

use super::{BASE, Choices, Layout, Right, Stem};
use crate::files::Split::{Test, Train, Validation};

pub(super) const LAYOUTS: &[Layout] = &[
    Layout {
        name: "winogrande",
        hub: &["allenai/winogrande"],
        checked: "lm-evaluation-harness 6862fa7d, tasks/winogrande, 2026-11-28",
        ask: &[Validation],
        stem: Stem::Column("sentence"),
        options: Choices::Columns(&["option1", "option2"]),
        answer: Right::From1("answer"),
        ..BASE
    },
    Layout {
        name: "piqa",
        hub: &["ybisk/piqa"],
        checked: "lm-evaluation-harness 11d8a69c, tasks/piqa, 2026-11-28",
        ask: &[Validation],
        stem: Stem::Column("goal"),
        options: Choices::Columns(&["sol1", "sol2"]),
        answer: Right::From0("label"),
        ..BASE
    },
    Layout {
        name: "social-iqa",
        hub: &["allenai/social_i_qa"],
        checked: "lm-evaluation-harness 470fb31c, tasks/siqa, 2026-11-28",
        task: "ci",
        ask: &[Validation],
        context: &["context"],
        options: Choices::Columns(&["answerA", "answerB", "answerC"]),
        answer: Right::From1("label"),
        ..BASE
    },
    Layout {
        name: "bbq",
        hub: &["heegyu/bbq", "oskarvanderwal/bbq"],
        checked: "lm-evaluation-harness 262d1a91, tasks/bbq, 2026-11-28",
        task: "rc",
        // One option of each says that the answer cannot be known, which is often right.
        abstains: true,
        ask: &[Test, Validation, Train],
        examples: &[],
        context: &["context"],
        options: Choices::Columns(&["ans0", "ans1", "ans2"]),
        answer: Right::From0("label"),
        category: Some("category"),
        ..BASE
    },
];
