//! How the figures of a model moved from run to run, and what may explain it.

use std::collections::BTreeMap;

use sureness_analysis::{Axis, Chart, ChartKind, Line, Point, Section, Unit};
use sureness_bench::date;
use sureness_conformal::Mean;
use sureness_report::{IntervalOr, Intervals, ModelResult, RecheckOutcome};

use super::runs::Listed;

/// Units of time with their milliseconds. The axis has the largest of which it shows at least two.
const UNITS: [(f64, &str); 3] = [
    (86_400_000.0, "Days"),
    (3_600_000.0, "Hours"),
    (60_000.0, "Minutes"),
];

/// Finished runs by model and tasks, since means over other tasks do not compare.
type Models<'a> = BTreeMap<(&'a str, Vec<&'a str>), Vec<Night<'a>>>;

/// A finished run with figures.
struct Night<'a> {
    listed: &'a Listed,
    model: &'a ModelResult,
    mean: &'a Mean,
}

/// A section with a chart per figure, of models that were measured at least twice.
pub(super) fn sections(all: &[Listed]) -> Vec<Section> {
    let mut models = Models::new();
    for listed in all {
        let model = listed.results.as_ref().and_then(|it| it.models.first());
        if let Some((model, mean)) = model.and_then(|model| Some((model, model.mean.as_ref()?))) {
            let night = Night {
                listed,
                model,
                mean,
            };
            let tasks = model.tasks.iter().map(|task| &*task.task).collect();
            models.entry((&*model.name, tasks)).or_default().push(night);
        }
    }
    models.retain(|_, nights| nights.len() > 1);
    if models.is_empty() {
        return Vec::new();
    }
    let charts = vec![
        chart(
            &models,
            ("trend-acc", "Accuracy", Unit::Percent),
            |m| m.acc,
            |i| &i.acc,
        ),
        chart(
            &models,
            ("trend-set-size", "Set size", Unit::Number(2)),
            |m| m.set_size,
            |i| &i.set_size,
        ),
        chart(
            &models,
            ("trend-coverage", "Coverage", Unit::Percent),
            |m| m.coverage,
            |i| &i.coverage,
        ),
    ];
    vec![Section {
        id: "trend".to_owned(),
        title: "From run to run".to_owned(),
        text: vec!["Means over the tasks of each run, with their 95 % intervals.".to_owned()],
        notes: models.values().flat_map(|nights| changes(nights)).collect(),
        charts,
        ..Section::default()
    }]
}

fn chart(
    models: &Models<'_>,
    (id, title, unit): (&str, &str, Unit),
    value: fn(&Mean) -> f64,
    interval: fn(&Intervals) -> &IntervalOr,
) -> Chart {
    let starts = models
        .values()
        .flatten()
        .map(|night| night.listed.info.started_at);
    let (first, last) = starts.fold((i64::MAX, i64::MIN), |(first, last), start| {
        (first.min(start), last.max(start))
    });
    let span = last.saturating_sub(first) as f64;
    let fits = |unit: &&(f64, &str)| span >= 2.0 * unit.0;
    let (length, name) = UNITS.iter().find(fits).unwrap_or(&UNITS[2]);
    let point = |night: &Night<'_>| Point {
        x: (night.listed.info.started_at - first) as f64 / length,
        y: value(night.mean),
        interval: match night.model.intervals.as_ref().map(interval) {
            Some(IntervalOr::Ends([low, high])) => Some((*low, *high)),
            _ => None,
        },
    };
    let several = |model: &str| models.keys().filter(|(other, _)| *other == model).count() > 1;
    let lines = models.iter().map(|((model, tasks), nights)| Line {
        name: if several(model) {
            format!("{model} ({})", tasks.join(", "))
        } else {
            (*model).to_owned()
        },
        points: nights.iter().map(point).collect(),
    });
    let axis = |title: &str, unit| Axis {
        title: title.to_owned(),
        unit,
        log: false,
        range: None,
    };
    let start = date(first).replace('T', " ");
    let start = start.trim_end_matches('Z');
    Chart {
        id: id.to_owned(),
        title: title.to_owned(),
        caption: String::new(),
        kind: ChartKind::Lines {
            x: axis(&format!("{name} since {start} UTC"), Unit::Number(1)),
            y: axis(title, unit),
            lines: lines.collect(),
            reference: None,
        },
    }
}

/// What changed between one run of a model and the next: its identity, its settings, or what a recheck
/// found.
fn changes(nights: &[Night<'_>]) -> Vec<String> {
    let mut notes = Vec::new();
    for pair in nights.windows(2) {
        let [before, after] = pair else { continue };
        let name = &after.model.name;
        let run = |night: &Night<'_>| {
            let info = &night.listed.info;
            format!(
                "run {} of {}",
                info.id,
                date(info.started_at).replace('T', " ")
            )
        };
        let between = format!("between {} and {}", run(before), run(after));
        if !after.model.identity.is_same_model(&before.model.identity) {
            notes.push(format!(
                "{name}: the model or the way of asking changed {between}."
            ));
        }
        let settings = |night: &Night<'_>| night.listed.info.settings.run().cloned();
        if let Some((one, other)) = settings(before).zip(settings(after)) {
            let different: Vec<String> = one
                .differences(&other)
                .iter()
                .map(ToString::to_string)
                .collect();
            if !different.is_empty() {
                notes.push(format!(
                    "{name}: {} changed {between}.",
                    different.join(", ")
                ));
            }
        }
        let recheck = after.model.recheck.as_ref().map(|recheck| recheck.outcome);
        if matches!(
            recheck,
            Some(RecheckOutcome::AskedAnew | RecheckOutcome::Kept)
        ) {
            notes.push(format!(
                "{name}: answers changed behind the same name before {}, as asking earlier questions \
                 again showed.",
                run(after)
            ));
        }
    }
    notes
}
