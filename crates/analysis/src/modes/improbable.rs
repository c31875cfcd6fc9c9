//! Groups whose option letters are improbable.

use sureness_record::LOW_MASS;

use crate::figures::{Figures, GroupFigures, ModelFigures};
use crate::results::improbable;

/// The mean probability of a group's letters, where it is known and below what a figure can rest on.
fn low_mass(group: &GroupFigures<'_>) -> Option<f64> {
    let mass = &group.rows.mass;
    let mean = mass.iter().sum::<f64>() / mass.len() as f64;
    // Not a number without any.
    (mean < LOW_MASS).then_some(mean)
}

/// A group's title, marked where its letters are improbable.
pub(super) fn marked_title(group: &GroupFigures<'_>) -> String {
    match low_mass(group) {
        Some(_) => format!("{} [letters improbable]", group.rows.title),
        None => group.rows.title.clone(),
    }
}

/// A sentence about each model with such groups, for the first lines of a document.
pub(super) fn warnings(figures: &Figures<'_>) -> Vec<String> {
    figures.models.iter().filter_map(warning).collect()
}

fn warning(model: &ModelFigures<'_>) -> Option<String> {
    let low = || {
        model
            .groups
            .iter()
            .filter_map(|group| Some((group, low_mass(group)?)))
    };
    let least = low().map(|(_, mass)| mass).reduce(f64::min)?;
    let places =
        low().map(|(group, _)| format!("{} ({})", group.rows.title, group.rows.id.strategy));
    let places: Vec<String> = places.collect();
    let settings = model.model.source.record.settings();
    let drawn = settings.is_some_and(|settings| settings.answers.sampled().is_some());
    let (name, improbable) = (&model.model.name, improbable(least, drawn));
    Some(format!(
        "Warning: {name}, {}: {improbable}.",
        places.join(", ")
    ))
}
