//! Whether models were measured alike enough to be ranked.

use std::collections::BTreeMap;

use crate::figures::Figures;

/// Shares of questions with an option that was only bounded may differ by this much.
const BOUNDED_APART: f64 = 0.05;

/// What of a model's identity tells how its option scores were read, with its name for people.
const SCORING: [(&str, &str); 2] = [
    ("option scores", "how option scores are read"),
    ("top logprobs", "how many top tokens the server gave"),
];

/// Why these models should not be ranked or tested against each other, for people. Empty where
/// nothing speaks against it.
pub(crate) fn obstacles(figures: &Figures<'_>) -> Vec<String> {
    let mut obstacles = Vec::new();
    for (detail, name) in SCORING {
        let mut values: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for model in &figures.models {
            let record = &model.model.source.record;
            if let Some(value) = record["model"]["details"][detail].as_str() {
                values.entry(value).or_default().push(&model.model.name);
            }
        }
        if values.len() > 1 {
            let each = values
                .iter()
                .map(|(value, models)| format!("{} {value}", models.join(", ")));
            obstacles.push(format!(
                "they differ in {name} ({})",
                each.collect::<Vec<_>>().join("; ")
            ));
        }
    }
    let bounded: Vec<(&str, f64)> = figures
        .models
        .iter()
        .filter_map(|model| {
            let rows = || model.model.groups.iter().flat_map(|group| &group.bounded);
            let n = rows().count();
            let share = rows().filter(|&&bounded| bounded).count() as f64 / n as f64;
            (n > 0).then_some((&*model.model.name, share))
        })
        .collect();
    let by_share = |a: &&(&str, f64), b: &&(&str, f64)| a.1.total_cmp(&b.1);
    if let (Some(least), Some(most)) = (
        bounded.iter().min_by(by_share),
        bounded.iter().max_by(by_share),
    ) && most.1 - least.1 > BOUNDED_APART
    {
        obstacles.push(format!(
            "{} has options that are only bounded in {:.0} % of its questions, {} in {:.0} %",
            most.0,
            most.1 * 100.0,
            least.0,
            least.1 * 100.0
        ));
    }
    obstacles
}
