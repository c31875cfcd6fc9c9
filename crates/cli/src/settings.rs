//! Turns arguments into the libraries' settings; nothing else does.

mod evidence;
mod judge;
mod until;

pub(crate) use evidence::{
    analysis, asked, check_replicates, data_of, gated, played, score, selection, texts,
};
pub(crate) use until::stopping;

use std::path::PathBuf;
use std::time::Duration;

use sureness_bench::budget::Budget;
use sureness_bench::questions::id_of;
use sureness_bench::{
    Asking, CacheSettings, Failure, FleetSettings, Model, QuestionSettings, Settings, TaskData,
};
use sureness_conformal::{Config, Protocol};
use sureness_prompts::Strategy;
use sureness_questions::{Columns, Format};
use sureness_record::{Answers, Orders};
use sureness_scorers::http::{ExtraBody, ExtraBodyError, Header, HttpOptions, Secret};

use crate::args::ask::{AnswersArg, AskArgs};
use crate::args::command_line;
use crate::args::demo::DemoArgs;
use crate::args::run::{RunArgs, SetupArg};
use crate::args::values::{OrdersArg, Samples};

/// The settings of a run.
pub(crate) fn run(args: &RunArgs) -> Result<Settings, Failure> {
    let defaults = QuestionSettings::default();
    let asking = asking(&args.ask)?;
    let judge = judge::judge(&args.judge, &asking.http, &args.ask.api_base)?;
    Ok(Settings {
        questions: QuestionSettings {
            tasks: args.tasks.clone(),
            data: data(args)?,
            sample_size: args.sample_size,
            shard: args.shard,
            abstention: !args.no_abstention,
            cluster: args.cluster.clone(),
            strategies: strategies(&args.prompt_strategies)?.unwrap_or(defaults.strategies),
            shots: args.shots,
            orders: orders(args)?,
            wording: args.prompts.clone(),
        },
        asking,
        judge,
        cache: CacheSettings {
            ignore: args.no_cache,
            also_from: args.cache_from.clone(),
            recheck: args.recheck,
            on_change: args.on_change,
            keep_text: args.keep_text,
        },
        evaluation: Config {
            protocol: args.protocol,
            alpha: args.error_rate,
            calibration_ratio: args.calibration_ratio,
            seed: args.seed,
            covers: args.covers,
            tempered: args.tempered,
            ..Config::default()
        },
        output_dir: args.output_dir.clone(),
        least_mass: args.min_letter_mass,
        budget: budget(args)?,
        fleet: fleet(args),
        until: stopping(&args.until)?,
        command: command_line(),
    })
}

/// The orders of the options; one order is none.
fn orders(args: &RunArgs) -> Result<Option<Orders>, Failure> {
    let share = args.prior_share;
    match args.orders {
        Some(OrdersArg::Auto) => Ok(Some(Orders::Auto {
            share: share.unwrap_or(Orders::SHARE),
        })),
        _ if share.is_some() => Err(Failure::new(
            "--prior-share is about --orders auto, and other orders are asked of every question",
        )
        .hint("leave out --prior-share, or give --orders auto")),
        Some(OrdersArg::Each(orders)) if orders.get() > 1 => Ok(Some(Orders::Each(orders))),
        Some(OrdersArg::Each(_)) | None => Ok(None),
    }
}

/// The flags with those that `--setup` stands for.
pub(crate) fn with_setup(args: &RunArgs) -> RunArgs {
    let mut args = args.clone();
    match args.setup {
        None => {}
        Some(SetupArg::Table4) => {
            args.ask.answers = AnswersArg::Sampled;
            args.ask.way.samples = Samples::Fixed(const { std::num::NonZeroU32::new(50).unwrap() });
            args.ask.way.temperature = 1.0;
            args.protocol = Protocol::Paper;
            args.tempered = args.tempered.or(Some(1.0));
        }
    }
    args
}

/// Prices and limits.
fn budget(args: &RunArgs) -> Result<Budget, Failure> {
    Ok(Budget {
        max_cost: args.max_cost,
        max_tokens: args.max_tokens_total,
        ..args.price.budget()?
    })
}

/// The settings and the model of the demo: one small model, the built-in questions, one prompt
/// strategy, since all three would triple the time.
pub(crate) fn demo(args: &DemoArgs) -> (Settings, Model) {
    let settings = Settings {
        questions: QuestionSettings {
            sample_size: Some(args.sample_size),
            cluster: args.cluster.clone(),
            strategies: vec![Strategy::Base],
            ..QuestionSettings::default()
        },
        output_dir: args.output_dir.clone(),
        command: command_line(),
        ..Settings::default()
    };
    (settings, Model::Gguf(args.gguf.clone()))
}

/// The settings of asking models.
pub(crate) fn asking(args: &AskArgs) -> Result<Asking, Failure> {
    let seconds = Duration::from_secs_f64;
    let defaults = Asking::default();
    Ok(Asking {
        chat: args.chat,
        answers: answers(args),
        auto: (args.answers == AnswersArg::Auto).then(|| args.way.offered()),
        api: args.way.api,
        http: HttpOptions {
            api_key: api_key(args.api_key.as_deref(), args.api_key_env.as_deref())?,
            openai_key: openai_key(),
            headers: headers(&args.header)?,
            any_model: args.any_model,
            timeout: Duration::from_secs(args.timeout),
            connect_timeout: seconds(args.connect_timeout),
            first_byte_timeout: args.first_byte_timeout.map(seconds),
            http2: args.http2,
            top_logprobs: args.top_logprobs,
            list_prompts: args.list_prompts,
            extra_body: extra_body(args.extra_body.as_deref())?,
            ..defaults.http
        },
        engine: sureness_engine::Settings {
            workers: args.max_workers,
            batch: args.batch_size,
            retry: sureness_engine::RetryPolicy {
                max_retries: args.max_retries,
                base: seconds(args.retry_delay),
                ..defaults.engine.retry
            },
            requests_per_minute: args.requests_per_minute,
            tokens_per_minute: args.tokens_per_minute,
            delay: seconds(args.delay),
            give_up_after: seconds(args.give_up_after),
            use_threads: args.use_threads,
        },
        threads: args.threads,
        gpu_layers: args.gpu_layers,
    })
}

/// The way of asking, if it is given.
fn answers(args: &AskArgs) -> Answers {
    let offered = args.way.offered();
    match args.answers {
        AnswersArg::Letters | AnswersArg::Auto => Answers::Letters,
        AnswersArg::Sampled => Answers::Sampled(offered.sampled),
        AnswersArg::Reasoned => Answers::Reasoned(offered.reasoned),
    }
}

/// The key to send to every server: from the variable that the user names, or else as given.
pub(crate) fn api_key(
    given: Option<&str>,
    variable: Option<&str>,
) -> Result<Option<Secret>, Failure> {
    let Some(name) = variable else {
        return Ok(given.and_then(Secret::new));
    };
    let key = std::env::var(name).ok().as_deref().and_then(Secret::new);
    key.map(Some).ok_or_else(|| {
        Failure::new(format!("the environment variable {name} holds no API key"))
            .hint("set it, or name another one with --api-key-env")
    })
}

/// The key for OpenAI's own host, from its usual variable.
pub(crate) fn openai_key() -> Option<Secret> {
    std::env::var("OPENAI_API_KEY")
        .ok()
        .as_deref()
        .and_then(Secret::new)
}

/// Headers of the user's own. An error does not repeat the value, which may be a secret.
pub(crate) fn headers(given: &[String]) -> Result<Vec<Header>, Failure> {
    let read = |text: &String| {
        Header::parse(text).map_err(|error| {
            Failure::new(format!("--header: {error}")).hint("write it as --header \"NAME: VALUE\"")
        })
    };
    given.iter().map(read).collect()
}

/// Further fields of every request. An error does not repeat them, since they may hold a secret.
pub(crate) fn extra_body(given: Option<&str>) -> Result<Option<ExtraBody>, Failure> {
    let read = |text: &str| {
        text.parse::<ExtraBody>().map_err(|error| {
            let hint = match error {
                ExtraBodyError::NotJson(_) | ExtraBodyError::NotAnObject(_) => {
                    "write it like --extra-body '{\"chat_template_kwargs\": {\"enable_thinking\": false}}'"
                }
                ExtraBodyError::Taken { .. } | ExtraBodyError::Secret(_) => "leave that field out",
            };
            Failure::new(format!("--extra-body: {error}")).hint(hint)
        })
    };
    given.map(read).transpose()
}

#[cfg(feature = "nats")]
fn fleet(args: &RunArgs) -> Option<FleetSettings> {
    (!args.nats.nats.is_empty()).then(|| FleetSettings {
        access: args.nats.access(),
        run: args.nats.run_name.clone(),
        look_ahead: args.look_ahead,
        unit_timeout: Duration::from_secs_f64(args.unit_timeout),
    })
}

#[cfg(not(feature = "nats"))]
fn fleet(_: &RunArgs) -> Option<FleetSettings> {
    None
}

/// The models of a run, in order.
pub(crate) fn models(args: &RunArgs) -> Result<Vec<Model>, Failure> {
    let mut list: Vec<Model> = args.ask.gguf.iter().cloned().map(Model::Gguf).collect();
    let names: Vec<&String> = args.ask.model.iter().chain(&args.models).collect();
    #[cfg(feature = "nats")]
    if !args.nats.nats.is_empty() {
        check_repeated(&[], &names)?;
        return relayed(args, &names);
    }
    let served = |model| Model::Served {
        api_bases: args.ask.api_base.clone(),
        model,
    };
    if args.ask.api_base.is_empty() {
        if !names.is_empty() {
            return Err(Failure::new("a model name is given, but no server")
                .hint("add --api-base URL, or use --gguf FILE for a local model"));
        }
    } else if names.is_empty() {
        list.push(served(None));
    } else {
        list.extend(names.iter().map(|name| served(Some((*name).clone()))));
    }
    check_repeated(&args.ask.gguf, &names)?;
    if list.is_empty() {
        return Err(Failure::new("no model given").hint(
            "give --api-base URL --model NAME for a server, or --gguf FILE for a local model; `sureness demo` needs neither",
        ));
    }
    Ok(list)
}

/// Refuses a model that is named twice: its answers would be compared with themselves.
fn check_repeated(files: &[String], names: &[&String]) -> Result<(), Failure> {
    let place = |file: &String| std::fs::canonicalize(file).unwrap_or_else(|_| file.into());
    let files: Vec<PathBuf> = files.iter().map(place).collect();
    let twice = repeated(&files).map(|path| path.display().to_string());
    match twice.or_else(|| repeated(names).map(|name| (*name).clone())) {
        None => Ok(()),
        Some(model) => Err(Failure::new(format!("{model} is named twice, but it is one model")).hint(
            "name each model once; the noise floor after a run says how far a model's answers vary",
        )),
    }
}

/// The first item that occurs before.
fn repeated<T: PartialEq>(items: &[T]) -> Option<&T> {
    let mut seen = items.iter().enumerate();
    seen.find(|(at, item)| items[..*at].contains(item))
        .map(|(_, item)| item)
}

/// The models of a run with `--nats`, which live on the workers.
#[cfg(feature = "nats")]
fn relayed(args: &RunArgs, names: &[&String]) -> Result<Vec<Model>, Failure> {
    for (given, flag) in [
        (!args.ask.gguf.is_empty(), "--gguf"),
        (!args.ask.api_base.is_empty(), "--api-base"),
    ] {
        if given {
            return Err(Failure::new(format!(
                "{flag} is given together with --nats, but a coordinator asks no model itself"
            ))
            .hint(format!(
                "give {flag} to the workers: sureness worker --nats URL {flag} …"
            )));
        }
    }
    if names.is_empty() {
        return Ok(vec![Model::Relayed {
            lane: 0,
            model: None,
        }]);
    }
    let names = names.iter().map(|name| Some((*name).clone()));
    let relayed = |(lane, model)| Model::Relayed { lane, model };
    Ok((0..).zip(names).map(relayed).collect())
}

/// The one model of a worker.
#[cfg(feature = "nats")]
pub(crate) fn worker_model(args: &AskArgs) -> Result<Model, Failure> {
    match (&args.gguf[..], args.api_base.is_empty()) {
        ([file], true) => Ok(Model::Gguf(file.clone())),
        ([], false) => Ok(Model::Served {
            api_bases: args.api_base.clone(),
            model: args.model.clone(),
        }),
        ([], true) => Err(Failure::new("the worker has no model")
            .hint("give --api-base URL --model NAME for a server, or --gguf FILE")),
        _ => Err(
            Failure::new("a worker has one model, but several are named")
                .hint("start one worker for each"),
        ),
    }
}

/// Prompt strategies by name, each once; `None` where none is named.
fn strategies(names: &[String]) -> Result<Option<Vec<Strategy>>, Failure> {
    let mut chosen = Vec::new();
    for name in names {
        let strategy = Strategy::by_name(name).ok_or_else(|| {
            Failure::new(format!("prompt strategy {name:?} is unknown")).hint(format!(
                "choose among {}",
                Strategy::ALL.map(Strategy::name).join(", ")
            ))
        })?;
        if !chosen.contains(&strategy) {
            chosen.push(strategy);
        }
    }
    Ok((!chosen.is_empty()).then_some(chosen))
}

/// Data sets of tasks, given as TASK=PATH.
pub(crate) fn task_data(given: &[String]) -> Result<Vec<TaskData>, Failure> {
    let mut data = Vec::new();
    for (task, path) in pairs(given, "--data", "qa=path/to/mmlu")? {
        entry_of(&mut data, &task).path = Some(path.into());
    }
    Ok(data)
}

/// The data sets of a run's tasks.
fn data(args: &RunArgs) -> Result<Vec<TaskData>, Failure> {
    let mut data = task_data(&args.data)?;
    for (task, name) in pairs(&args.data_format, "--data-format", "qa=mmlu")? {
        let format = Format::by_name(&name).ok_or_else(|| {
            Failure::new(format!("data format {name:?} is unknown"))
                .hint(format!("choose among {}", Format::list()))
        })?;
        entry_of(&mut data, &task).format = Some(format);
    }
    for text in &args.columns {
        let (task, columns) = task_columns(text, &data)?;
        let entry = entry_of(&mut data, &task);
        if entry.format.is_some() {
            return Err(Failure::new(format!(
                "both --data-format and --columns are given for task {task}"
            ))
            .hint("leave one of them out"));
        }
        entry.columns = Some(columns);
    }
    for (task, path) in pairs(&args.examples, "--examples", "qa=examples.jsonl")? {
        entry_of(&mut data, &task).examples = Some(path.into());
    }
    Ok(data)
}

/// The task and the columns of a value of `--columns`, in which the only task with data may be left
/// out.
fn task_columns(text: &str, data: &[TaskData]) -> Result<(String, Columns), Failure> {
    let example = "write it like --columns question=prompt,options=a+b+c,answer=key; the keys are \
                   question, options, answer, first, context, category and id";
    let (first, rest) = text.split_once('=').unwrap_or((text, ""));
    let (task, columns) = if Columns::KEYS.contains(&first) {
        let tasks: Vec<_> = data.iter().filter(|entry| entry.path.is_some()).collect();
        let [only] = tasks[..] else {
            return Err(Failure::new(format!(
                "--columns {text:?} names no task, but there is not one --data alone"
            ))
            .hint(format!("write the task before it: --columns TASK={text}")));
        };
        (only.task.clone(), text)
    } else {
        (id_of(first), rest)
    };
    let columns = columns.parse().map_err(|error: String| {
        Failure::new(format!("--columns {text:?}: {error}")).hint(example)
    })?;
    Ok((task, columns))
}

/// The entry of a task, added if missing.
fn entry_of<'a>(data: &'a mut Vec<TaskData>, task: &str) -> &'a mut TaskData {
    let at = data.iter().position(|entry| entry.task == task);
    let at = at.unwrap_or_else(|| {
        data.push(TaskData {
            task: task.to_owned(),
            ..TaskData::default()
        });
        data.len() - 1
    });
    &mut data[at]
}

/// Splits values of the form TASK=VALUE; any name of a task becomes its id.
fn pairs(values: &[String], flag: &str, example: &str) -> Result<Vec<(String, String)>, Failure> {
    values
        .iter()
        .map(|value| match value.split_once('=') {
            Some((task, rest)) if !task.is_empty() && !rest.is_empty() => {
                Ok((id_of(task), rest.to_owned()))
            }
            _ => Err(
                Failure::new(format!("{flag} {value:?} is not of the form TASK=VALUE"))
                    .hint(format!("write it like {flag} {example}")),
            ),
        })
        .collect()
}
