//! What changes with the order of the options: answers, and the probabilities of letters.

mod changes;
mod figures;
mod letters;
mod mean;
mod prior;
mod seen;

use sureness_conformal::View;

use crate::figures::Figures;
use crate::{Cell, Column, GroupRows, OrderedRows, Section};
use seen::Seen;

/// One model's questions in several orders, looked at once for all tables.
struct Asked<'a> {
    model: &'a str,
    rows: &'a OrderedRows,
    /// Questions that were asked in more than one order.
    seen: Vec<Seen<'a>>,
    /// Answered questions that every order shows in the same way.
    fixed: usize,
    view: View,
    level: f64,
}

impl<'a> Asked<'a> {
    /// All of them, in the order of the evidence.
    fn all(figures: &'a Figures<'_>) -> Vec<Self> {
        let view = figures.settings.view();
        let models = figures.evidence.models.iter();
        let of_models = models.flat_map(|model| model.orders.iter().map(move |it| (model, it)));
        of_models
            .map(|(model, rows)| {
                let several = rows.questions.iter().filter(|it| it.turns.len() > 1);
                Self {
                    model: &model.name,
                    rows,
                    seen: several.map(|it| Seen::of(it, &view)).collect(),
                    fixed: rows.questions.iter().filter(|it| is_fixed(it)).count(),
                    view,
                    level: figures.settings.resampling.level,
                }
            })
            .collect()
    }

    /// The questions as they are.
    fn as_is(&self) -> &GroupRows {
        self.rows.orders.first().unwrap_or(&self.rows.derived)
    }

    /// Whether only a part of the questions was asked in every order.
    fn is_part(&self) -> bool {
        self.rows.orders.len() == 1
    }

    /// Orders of the question that was asked in most.
    fn most(&self) -> usize {
        let orders = self.seen.iter().map(|seen| seen.tops.len());
        orders.max().unwrap_or(1)
    }

    /// The first cells of a row: model, task, strategy.
    fn place(&self, strategy: &str) -> Vec<Cell> {
        vec![
            Cell::text(self.model),
            Cell::text(&self.rows.title),
            Cell::text(strategy),
        ]
    }
}

fn is_fixed(question: &crate::OrderedQuestion) -> bool {
    question.turns.first().is_some_and(|turn| turn.is_fixed())
}

/// The columns of [`Asked::place`].
fn place_columns() -> Vec<Column> {
    vec![
        Column::text("model", "Model"),
        Column::text("task", "Task"),
        Column::text("strategy", "Strategy"),
    ]
}

/// Per model, task and prompt strategy: changed answers, letters, figures before and after.
pub(super) fn section(figures: &Figures<'_>) -> Section {
    let mut section = Section {
        id: "order".into(),
        title: "Effect of the order of options".into(),
        ..Section::default()
    };
    let asked = Asked::all(figures);
    if asked.is_empty() {
        section.text.push(
            "All questions were asked in one order of their options (--orders asks in several)."
                .into(),
        );
        return section;
    }
    section.text = text(&asked);
    section.tables.push(changes::table(&asked));
    section.tables.extend(figures::tables(figures, &asked));
    section.tables.push(letters::table(&asked));
    section
        .tables
        .extend(prior::tables(&asked, figures.settings.config.seed));
    section.charts = letters::charts(&asked);
    section.notes = notes(&asked);
    section
}

fn text(asked: &[Asked<'_>]) -> Vec<String> {
    let mut text = vec![
        "The same questions with their own options turned by one place after the other; abstention options stay last. Scores are put back into the order of the question, so that a change is one of the answer and not of its letter.".to_owned(),
    ];
    if asked.iter().any(|of| !of.is_part()) {
        text.push("\"Averaged\" is the mean of the probabilities over the orders. Where a question has been asked in all of its orders, each option stands at each letter once, so that what a letter adds is the same for all. Headline figures are those of the averaged probabilities.".into());
    }
    if asked.iter().any(Asked::is_part) {
        text.push("\"Corrected\" is each question as it is, divided by the prior of its letters (PriDe, Zheng et al. 2024), which a random part of the questions was asked in every order for. All questions are corrected by the same prior, those of this part included. Headline figures are those of the corrected probabilities.".into());
    }
    text
}

fn notes(asked: &[Asked<'_>]) -> Vec<String> {
    let fixed = asked.iter().filter(|of| of.fixed > 0).map(|of| {
        format!(
            "{}, {}: {} with options that refer to each other, such as \"both A and B\"; every order shows them as they are.",
            of.model,
            of.rows.title,
            crate::number::counted(of.fixed, "question")
        )
    });
    let partial = asked.iter().filter(|of| {
        let mut seen = of.seen.iter();
        seen.any(|seen| seen.tops.len() < seen.question.turns[0].orders())
    });
    let partial = partial.map(|of| {
        format!(
            "{}, {}: fewer orders than options: an option stands at some letters only, and what letters add does not cancel out.",
            of.model, of.rows.title
        )
    });
    fixed.chain(partial).collect()
}
