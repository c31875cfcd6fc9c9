//! The settings of commands that work on answers which are there.

use std::path::PathBuf;

use sureness_analysis::number::count;
use sureness_analysis::{Asked, Family, Pair};
use sureness_bench::evidence::{Drop, Selection, TextSources};
use sureness_bench::{Failure, TaskData};
use sureness_conformal::{Config, Resampling, SplitRule};

use super::entry_of;
use crate::args::analyze::EvidenceArgs;
use crate::args::compare::CompareArgs;
use crate::args::gate::GateArgs;
use crate::args::score::ScoreArgs;
use crate::args::texts::TextArgs;

/// The evaluation of saved logits.
pub(crate) fn score(args: &ScoreArgs) -> Config {
    Config {
        protocol: args.protocol,
        alpha: args.error_rate,
        calibration_ratio: args.calibration_ratio,
        seed: args.seed,
        covers: args.covers,
        ..Config::default()
    }
}

/// The runs to analyse.
pub(crate) fn selection(args: &EvidenceArgs) -> Selection {
    Selection {
        runs: args.runs.clone(),
        questions: args.questions.clone(),
        any_questions: args.any_questions,
        drop: Drop {
            options: dropped_options(args),
            ..args.drop_ids.0.clone()
        },
        models: args.models.clone(),
        tasks: args.tasks.clone(),
        strategies: args.prompt_strategies.clone(),
        mixed_prompts: args.mixed_prompts,
        covers_given: args.covers.is_some(),
        cluster: args.cluster,
    }
}

fn dropped_options(args: &EvidenceArgs) -> Vec<usize> {
    let letters = args.drop_options.as_ref();
    letters.map_or_else(Vec::new, |letters| letters.0.clone())
}

/// What `compare --logits` plays.
pub(crate) fn played(args: &CompareArgs) -> Selection {
    Selection {
        questions: args.questions.clone(),
        any_questions: args.any_questions,
        drop: args.drop_ids.0.clone(),
        models: args.run.models.clone(),
        tasks: args.run.tasks.clone(),
        strategies: args.run.prompt_strategies.clone(),
        covers_given: true,
        ..Selection::of(args.logits.clone())
    }
}

/// What `gate` loads of one side, or of both.
pub(crate) fn gated(args: &GateArgs, runs: Vec<PathBuf>) -> Selection {
    Selection {
        questions: args.questions.clone(),
        any_questions: args.any_questions,
        drop: args.drop_ids.0.clone(),
        tasks: args.tasks.clone(),
        strategies: args.prompt_strategies.clone(),
        mixed_prompts: args.mixed_prompts,
        covers_given: args.covers.is_some(),
        ..Selection::of(runs)
    }
}

/// The sources of question texts.
pub(crate) fn texts(args: &EvidenceArgs) -> TextSources {
    let questions = args.questions.clone();
    TextSources {
        data: data_of(&args.texts),
        questions: questions.map(|path| (path, dropped_options(args))),
    }
}

/// Data sets of tasks.
pub(crate) fn data_of(args: &TextArgs) -> Vec<TaskData> {
    let mut data = Vec::new();
    for (task, path) in &args.data {
        entry_of(&mut data, task).path = Some(PathBuf::clone(path));
    }
    for (task, format) in &args.data_format {
        entry_of(&mut data, task).format = Some(*format);
    }
    for (task, columns) in &args.columns {
        entry_of(&mut data, task).columns = Some(columns.clone());
    }
    data
}

/// The ends of an interval are replicates near the extremes of all: fails where those of this level would
/// be the extremes themselves, however high the level.
pub(crate) fn check_replicates(args: &EvidenceArgs) -> Result<(), Failure> {
    let EvidenceArgs {
        level, replicates, ..
    } = *args;
    let needed = Resampling::needed(level);
    if replicates as usize >= needed {
        return Ok(());
    }
    let failure = Failure::new(format!(
        "--level {level} takes {} replicates, of which 2 lie beyond each end of an interval, and there \
         are {}",
        count(needed),
        count(replicates as usize),
    ));
    Err(failure.hint(if needed <= Resampling::MOST {
        format!("add --replicates {needed}, or lower the --level")
    } else {
        "lower the --level".to_owned()
    }))
}

/// The settings of an analysis of runs whose evaluation is `recorded`.
pub(crate) fn analysis(args: &EvidenceArgs, recorded: Config) -> sureness_analysis::Settings {
    let config = Config {
        protocol: args.protocol.unwrap_or(recorded.protocol),
        alpha: args.error_rate.unwrap_or(recorded.alpha),
        calibration_ratio: args.calibration_ratio.unwrap_or(recorded.calibration_ratio),
        seed: args.seed.unwrap_or(recorded.seed),
        covers: args.covers.unwrap_or(recorded.covers),
        // All runs are analysed under one rule, whatever each was evaluated with.
        split: SplitRule::Ordered,
        tempered: args.tempered.or(recorded.tempered),
    };
    let mut settings = sureness_analysis::Settings {
        config,
        resampling: Resampling {
            replicates: args.replicates as usize,
            level: args.level,
            seed: config.seed,
        },
        estimand: args.estimand,
        insist: args.insist,
        splits: usize::from(args.splits),
        least: args.least,
        top_k: args.top_k.map(std::num::NonZeroUsize::get),
        ..sureness_analysis::Settings::default()
    };
    if !args.alphas.is_empty() {
        settings.alphas.clone_from(&args.alphas);
    }
    if !args.scores.is_empty() {
        settings.scores.clone_from(&args.scores);
    }
    settings
}

/// The inputs of single modes of an analysis.
pub(crate) fn asked(args: &EvidenceArgs) -> Asked {
    let family = args.model_family.is_some() || !args.model_sizes.is_empty();
    let pair = |(base, tuned): &(String, String)| Pair {
        base: base.clone(),
        tuned: tuned.clone(),
    };
    Asked {
        family: family.then(|| Family {
            name: args.model_family.clone().unwrap_or_default(),
            sizes: args.model_sizes.clone(),
        }),
        pairs: args.pair.iter().map(pair).collect(),
    }
}
