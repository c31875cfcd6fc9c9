//! What a look has shown, in lines.

use sureness_anytime::{Metric, Narrowed, PairVerdict, Pursuit, Verdict};

/// Which comparisons or figures are done.
pub(super) fn shown(pursuit: &Pursuit) -> Vec<bool> {
    match pursuit {
        Pursuit::Pairs(settling) => {
            let pairs = settling.pairs().iter();
            pairs.map(|pair| pair.verdict.is_final()).collect()
        }
        Pursuit::Figures(narrowing) => narrowing.figures().iter().map(|it| it.reached).collect(),
    }
}

/// A line for each that was not done `before`.
pub(super) fn news(pursuit: &Pursuit, before: &[bool], names: &[&str]) -> Vec<String> {
    let new = shown(pursuit)
        .into_iter()
        .zip(before)
        .map(|(now, before)| now && !before);
    let new: Vec<usize> = new
        .enumerate()
        .filter_map(|(index, new)| new.then_some(index))
        .collect();
    match pursuit {
        Pursuit::Pairs(settling) => {
            let pairs = settling.pairs();
            new.iter().map(|&it| of_pair(&pairs[it], names)).collect()
        }
        Pursuit::Figures(narrowing) => {
            let figures = narrowing.figures();
            new.iter()
                .map(|&it| of_figure(&figures[it], names))
                .collect()
        }
    }
}

fn of_pair(pair: &PairVerdict, names: &[&str]) -> String {
    let [a, b] = [pair.a, pair.b].map(|model| names[model]);
    let metric = pair.metric.title();
    let what = match pair.verdict {
        Verdict::A => format!("{a} is better than {b} in {metric}"),
        Verdict::B => format!("{b} is better than {a} in {metric}"),
        Verdict::NoWorse => {
            format!("{b} is no worse than {a} in {metric} by as much as the margin")
        }
        Verdict::Equal | Verdict::Open => {
            format!("{a} and {b} are equal in {metric} within the margin")
        }
    };
    format!("settled after {} questions: {what}", pair.asked)
}

fn of_figure(figure: &Narrowed, names: &[&str]) -> String {
    let name = names[figure.model];
    let between = figure
        .interval
        .map_or_else(String::new, |interval| ends(figure.metric, interval));
    format!(
        "narrow enough after {} questions: {} of {name}{between}",
        figure.asked,
        figure.metric.title()
    )
}

/// The ends of an interval, after a blank.
fn ends(metric: Metric, [low, high]: [f64; 2]) -> String {
    if metric.is_share() {
        format!(
            " lies between {:.2} % and {:.2} %",
            100.0 * low,
            100.0 * high
        )
    } else {
        format!(" lies between {low:.3} and {high:.3}")
    }
}
