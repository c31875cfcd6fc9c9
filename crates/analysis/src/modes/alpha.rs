//! Coverage and set size over the error rate.

use std::sync::Arc;

use sureness_conformal::{Scores, over_alpha};

use super::curves::{Moving, PointSettings, charts, curves, table};
use crate::figures::{Figures, HEADLINE};
use crate::{Reference, Section, Unit};

/// Curves per task, mean over strategies, LAC and APS.
pub(super) fn section(figures: &Figures<'_>) -> Section {
    let mut section = Section {
        id: "alpha".into(),
        title: "Effect of the error rate α".into(),
        text: vec!["The error rate α is the share of sets that may miss the right answer. A smaller α takes larger sets; models differ in how much larger. Coverage should follow the line 1 − α.".into()],
        ..Section::default()
    };
    let (alphas, view) = (&figures.settings.alphas, figures.settings.view());
    let moving = Moving {
        id: "alpha",
        name: "Error rate α",
        unit: Unit::Number(2),
        promise: Some(Reference::Falling(1.0)),
        points: &|group| {
            let scores = Scores::of_each(&group.rows.table, &HEADLINE, &view);
            let curve = |scores| over_alpha(scores, &group.split, alphas);
            scores.iter().map(curve).collect()
        },
        places: &|group| {
            let place = |&alpha: &f64| PointSettings {
                view,
                alpha,
                split: Arc::clone(&group.split),
            };
            alphas.iter().map(place).collect()
        },
    };
    let all = curves(figures, &moving);
    for task in &all {
        section.charts.extend(charts(task, &moving));
    }
    let table = table("Over the error rate", "α", &all, &moving);
    section.tables.push(table);
    section
}
