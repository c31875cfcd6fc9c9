//! The basis of a plan: earlier runs, or a reference model.

use std::path::Path;

use sureness_analysis::number::{count, counted};
use sureness_analysis::{Common, Evidence, Figures};
use sureness_bench::Failure;
use sureness_conformal::{COMPARED, Config, Least, NoVariance, Reference, Variance, Variances};
use sureness_record::OrderOf;
use sureness_store::{Reader, StoreError};

use crate::args::plan::{CORRELATION, PlanArgs};
use crate::args::target::Figure;
use crate::commands::analyze::evidence_of;

/// Bootstrap replicates over earlier runs.
const REPLICATES: usize = 1000;
/// Samples of the reference model.
const SAMPLES: u64 = 8;
/// Questions per sample.
const QUESTIONS: usize = 2000;
/// Bootstrap replicates per sample.
const SAMPLE_REPLICATES: usize = 500;
const SEED: u64 = 42;

/// The variances of differences, and the cost of a question.
pub(super) struct Basis {
    variances: [Result<Variance, NoVariance>; COMPARED],
    pub(super) least: Least,
    /// Mean number of options.
    pub(super) options: f64,
    /// Mean number of strategies per question.
    pub(super) strategies: f64,
    /// Mean number of orders of the options in which a strategy asks a question.
    pub(super) orders: f64,
    /// Prompt tokens per request.
    pub(super) tokens: Option<f64>,
    /// Sentences that describe the basis.
    pub(super) notes: Vec<String>,
}

impl Basis {
    pub(super) fn new(args: &PlanArgs) -> Result<Self, Failure> {
        if args.from.is_empty() {
            reference(args)
        } else {
            runs(args)
        }
    }

    pub(super) fn variance(&self, figure: Figure) -> Result<Variance, NoVariance> {
        self.variances[figure.index()]
    }
}

fn reference(args: &PlanArgs) -> Result<Basis, Failure> {
    let reference = Reference {
        options: usize::from(args.options),
        strategies: usize::from(args.strategies),
        accuracy: args.accuracy,
    };
    let alpha = args.error_rate.unwrap_or(Config::default().alpha);
    let mut measured: Vec<Variances> = Vec::new();
    let mut least = None;
    for sample in 0..SAMPLES {
        let panel = reference.panel(QUESTIONS, alpha, SEED + sample);
        let panel = panel.ok_or_else(|| {
            let guessing = 100.0 / reference.options as f64;
            Failure::new(format!(
                "an accuracy of {} is not above guessing among {} options",
                reference.accuracy, reference.options
            ))
            .hint(format!("give an --accuracy above {guessing:.1} %"))
        })?;
        least = Some(Least::of(&panel));
        measured.push(panel.variances(SAMPLE_REPLICATES, SEED + sample));
    }
    let least = least.ok_or_else(|| Failure::new("no sample was drawn"))?;
    let correlation = args.correlation.unwrap_or(CORRELATION);
    let variances = std::array::from_fn(|figure| {
        let each = measured.iter().map(|sample| sample.of_model(0, figure));
        let (all, missing): (Vec<_>, Vec<_>) = each.partition(Result::is_ok);
        // A few samples may look irregular by chance.
        if let (true, Some(Err(reason))) = (missing.len() > all.len() / 3, missing.first()) {
            return Err(*reason);
        }
        let all: Vec<Variance> = all.into_iter().flatten().collect();
        let mean = |of: fn(&Variance) -> f64| all.iter().map(of).sum::<f64>() / all.len() as f64;
        let one = Variance {
            calibration: mean(|v| v.calibration),
            test: mean(|v| v.test),
        };
        Ok(one.of_pair(correlation))
    });
    Ok(Basis {
        variances,
        least,
        options: reference.options as f64,
        strategies: reference.strategies as f64,
        orders: 1.0,
        tokens: None,
        notes: vec![
            format!(
                "Based on a reference model, not on a measurement: accuracy {:.0} %, {} options, {}, error rate {alpha}; results of the two models correlate by {correlation} over questions.",
                100.0 * reference.accuracy,
                reference.options,
                strategies(reference.strategies as f64),
            ),
            "A pilot run of a few hundred questions is a better basis: sureness plan --from RUN."
                .into(),
        ],
    })
}

fn runs(args: &PlanArgs) -> Result<Basis, Failure> {
    let (evidence, mut settings) = evidence_of(&args.from)?;
    if evidence.models.is_empty() {
        return Err(Failure::new(
            "the runs have open questions alone, whose sample sizes are not planned",
        )
        .hint("give runs of questions with options"));
    }
    let several = evidence.models.len() > 1;
    if several && args.correlation.is_some() {
        return Err(
            Failure::new("--correlation is given, but runs of several models measure it")
                .hint("omit --correlation, or name one run, such as FOLDER#1"),
        );
    }
    settings.config.alpha = args.error_rate.unwrap_or(settings.config.alpha);
    // Only the common questions are needed: skip splits and resampling.
    settings.splits = 0;
    settings.resampling.replicates = 1;
    let figures = Figures::of(&evidence, &settings, &[]);
    let all: Vec<usize> = (0..evidence.models.len()).collect();
    let common = figures.common(&all);
    for note in &common.notes {
        eprintln!("note: {note}");
    }
    let panel = &common.panel;
    let questions = panel.questions() + panel.calibration_questions();
    if panel.questions() == 0 {
        return Err(Failure::new("the runs have no questions in common")
            .hint("give runs of the same questions, or one run of one model"));
    }
    let options = panel.options().ok_or_else(|| {
        Failure::new("the tasks of this run differ in their number of options")
            .hint("give runs of tasks with the same number of options")
    })?;
    let correlation = args.correlation.unwrap_or(CORRELATION);
    let measured = panel.variances(REPLICATES, settings.config.seed);
    let variances = std::array::from_fn(|figure| {
        if several {
            median_pair(&measured, evidence.models.len(), figure)
        } else {
            Ok(measured.of_model(0, figure)?.of_pair(correlation))
        }
    });
    let names: Vec<&str> = evidence.models.iter().map(|m| &*m.name).collect();
    let pairing = match names.len() {
        1 => format!(
            "Assumes that results of two such models correlate by {correlation} over questions."
        ),
        2 => "Uses the measured paired difference.".into(),
        _ => "Uses the measured paired difference of the median pair.".into(),
    };
    let tasks = common.tasks.len();
    let mut notes = vec![format!(
        "Based on {} of {} ({}), error rate {}. {pairing}",
        counted(questions, "question"),
        names.join(", "),
        if tasks == 1 {
            common.tasks[0].task.clone()
        } else {
            format!("{tasks} tasks")
        },
        settings.config.alpha,
    )];
    if tasks > 1 {
        notes.push(format!(
            "Numbers cover all {} tasks, in the proportions of the run.",
            count(tasks)
        ));
    }
    Ok(Basis {
        variances,
        least: Least::of(panel),
        options,
        strategies: panel.strategies(),
        orders: orders(&evidence),
        tokens: tokens(&evidence, &common)?,
        notes,
    })
}

/// In how many orders a question was asked on average; the most, where models differ.
fn orders(evidence: &Evidence) -> f64 {
    let groups = evidence.models.iter().flat_map(|model| &model.orders);
    let means = groups.map(|group| {
        let orders = group.questions.iter().map(|question| question.turns.len());
        orders.sum::<usize>() as f64 / group.questions.len().max(1) as f64
    });
    means.fold(1.0, f64::max)
}

/// The median variance over the pairs that have one.
fn median_pair(measured: &Variances, models: usize, figure: usize) -> Result<Variance, NoVariance> {
    let mut missing = NoVariance::TooFew;
    let mut pairs = Vec::new();
    for a in 0..models {
        for b in a + 1..models {
            match measured.of_difference(a, b, figure) {
                Ok(variance) => pairs.push(variance),
                Err(reason) => missing = reason,
            }
        }
    }
    pairs.sort_by(|a, b| (a.calibration + a.test).total_cmp(&(b.calibration + b.test)));
    pairs.get(pairs.len() / 2).copied().ok_or(missing)
}

/// Mean prompt tokens of an answer; `None` if the store records none.
fn tokens(evidence: &Evidence, common: &Common) -> Result<Option<f64>, StoreError> {
    let (mut sum, mut known) = (0.0, 0.0);
    for model in &evidence.models {
        let Some(run) = model.source.run else {
            continue;
        };
        let reader = Reader::open(Path::new(&model.source.path))?;
        for (index, (task, strategy)) in reader.run(run)?.groups.iter().enumerate() {
            let counts = |t: &sureness_analysis::CommonTask| {
                let mut common = t.strategies.iter();
                t.task == *task && common.any(|it| of_one_strategy(it, strategy))
            };
            if !common.tasks.iter().any(counts) {
                continue;
            }
            reader.rows(run, index, |row| {
                let tokens = row.scores.and_then(|scores| scores.usage.prompt_tokens);
                if let Some(tokens) = tokens {
                    sum += f64::from(tokens);
                    known += 1.0;
                }
            })?;
        }
    }
    Ok((known > 0.0).then(|| sum / known))
}

/// Whether both names are those of one prompt strategy, in whatever orders of the options.
fn of_one_strategy(one: &str, other: &str) -> bool {
    OrderOf::split(one).0 == OrderOf::split(other).0
}

/// A mean number of strategies with its noun. Tasks may differ, so the mean may be fractional.
pub(super) fn strategies(mean: f64) -> String {
    let shown = (mean * 100.0).round() / 100.0;
    let noun = if (shown - 1.0).abs() < 1e-9 {
        "strategy"
    } else {
        "strategies"
    };
    format!("{shown} {noun}")
}
