//! The settings of a run. All defaults of flags are here, and in the settings of lower crates that
//! these contain.

use std::num::NonZeroU32;
use std::path::PathBuf;

use sureness_analysis::settled::Stopping;
use sureness_conformal::Config;
use sureness_engine::BatchSize;
use sureness_prompts::Strategy;
use sureness_questions::{ClusterBy, Columns, Format, Shard};
use sureness_record::{Answers, LEAST_MASS, Orders};
use sureness_scorers::http::{Api, HttpOptions};

use crate::budget::Budget;
use crate::error::Failure;
use crate::judge::JudgeSettings;
use crate::models::open::Model;
use crate::ways::Offered;

/// Default maximum share of failed questions in a successful run.
pub const ALLOWED_FAILURES: f64 = 0.01;

/// Settings of a run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Which questions are asked, in which prompts.
    pub questions: QuestionSettings,
    /// How models are asked.
    pub asking: Asking,
    /// Whether answers of earlier runs are used, and what is kept of new ones.
    pub cache: CacheSettings,
    /// Protocol, error rate, calibration share and seed. The seed also draws samples. The split rule
    /// follows from the protocol.
    pub evaluation: Config,
    /// Folder for answers and results; a rerun asks only missing questions.
    pub output_dir: PathBuf,
    /// Mean probability of the option letters below which a run stops; 0 for never.
    pub least_mass: f64,
    /// Prices, and what the run may spend.
    pub budget: Budget,
    /// Workers on other machines; `None` to ask from this process.
    pub fleet: Option<FleetSettings>,
    /// The judge of which answers to open questions mean the same, if any.
    pub judge: Option<JudgeSettings>,
    /// Asks in random order until something is shown; `None` for all questions.
    pub until: Option<Stopping>,
    /// The command line without its secrets, for the results; `None` where there is none.
    pub command: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            questions: QuestionSettings::default(),
            asking: Asking::default(),
            cache: CacheSettings::default(),
            evaluation: Config::default(),
            output_dir: "results".into(),
            least_mass: LEAST_MASS,
            budget: Budget::default(),
            fleet: None,
            judge: None,
            until: None,
            command: None,
        }
    }
}

impl Settings {
    /// The prices and limits of a model, whose name is known once it is opened. A list has no models of
    /// this process.
    ///
    /// # Errors
    ///
    /// If prices come from a list that does not have the model.
    pub(crate) fn budget_of(&self, model: &Model, name: &str) -> Result<Budget, Failure> {
        if model.is_embedded() {
            return Ok(self.budget.unlisted());
        }
        self.budget.of_model(name)
    }
}

/// Which questions are asked, and their prompts. The default is all questions of the five benchmark
/// tasks, from imported data or the built-in pack, in all prompt strategies.
#[derive(Debug, Clone)]
pub struct QuestionSettings {
    /// Tasks by name. If empty, the tasks in `data` with a path, else the five benchmark tasks.
    pub tasks: Vec<String>,
    /// Data sets of tasks.
    pub data: Vec<TaskData>,
    /// Questions per task, sampled at random; `None` for all.
    pub sample_size: Option<usize>,
    /// The part of the questions to ask.
    pub shard: Option<Shard>,
    /// Whether "I don't know" and "None of the above" are added to the options.
    pub abstention: bool,
    /// How questions are grouped into clusters.
    pub cluster: ClusterBy,
    /// Prompt strategies.
    pub strategies: Vec<Strategy>,
    /// Few-shot examples per prompt; `None` for the task's default.
    pub shots: Option<usize>,
    /// In which orders options are shown; `None` for the questions as they are.
    pub orders: Option<Orders>,
    /// TOML file with the text of the prompts; `None` for the built-in text.
    pub wording: Option<PathBuf>,
}

impl Default for QuestionSettings {
    fn default() -> Self {
        Self {
            tasks: Vec::new(),
            data: Vec::new(),
            sample_size: None,
            shard: None,
            abstention: true,
            cluster: ClusterBy::Auto,
            strategies: Strategy::ALL.to_vec(),
            shots: None,
            orders: None,
            wording: None,
        }
    }
}

/// The data set of one task.
#[derive(Debug, Clone, Default)]
pub struct TaskData {
    /// The task, by any of its names.
    pub task: String,
    /// File, folder or pattern of files of questions; `None` for imported or built-in questions.
    pub path: Option<PathBuf>,
    /// Its layout; `None` to detect it.
    pub format: Option<Format>,
    /// Its columns by their meaning, in place of a layout.
    pub columns: Option<Columns>,
    /// File with few-shot examples.
    pub examples: Option<PathBuf>,
}

/// How models are asked.
#[derive(Debug, Clone)]
pub struct Asking {
    /// Whether prompts go into a user message of the model's chat template.
    pub chat: bool,
    /// How answers become probabilities of the options.
    pub answers: Answers,
    /// The ways to choose from once the models are probed, in place of `answers`; `None` where the way is
    /// given.
    pub auto: Option<Offered>,
    /// Protocol for answers in words; `None` for chat completions with `chat`, else completions.
    pub api: Option<Api>,
    /// API key, timeouts and other options of requests. Address, model name, `chat` and the number
    /// of connections are set per server.
    pub http: HttpOptions,
    /// Workers, batches, retries, rate limits. [`BatchSize::Auto`] without `http.list_prompts` means
    /// one question per request.
    pub engine: sureness_engine::Settings,
    /// Threads of an embedded model; `None` for all cores.
    pub threads: Option<NonZeroU32>,
    /// Layers of an embedded model to keep on the GPU.
    pub gpu_layers: u32,
}

impl Default for Asking {
    fn default() -> Self {
        Self {
            chat: false,
            answers: Answers::default(),
            auto: None,
            api: None,
            http: HttpOptions::new(""),
            engine: sureness_engine::Settings {
                batch: BatchSize::Auto,
                ..sureness_engine::Settings::default()
            },
            threads: None,
            gpu_layers: 0,
        }
    }
}

impl Asking {
    /// The protocol for answers in words.
    pub fn api(&self) -> Api {
        self.api.unwrap_or(if self.chat {
            Api::Chat
        } else {
            Api::Completions
        })
    }

    /// Whether prompts are user messages.
    pub fn is_chat(&self) -> bool {
        match self.answers {
            // The protocol decides once the way is chosen.
            _ if self.auto.is_some() => self.api() != Api::Completions,
            Answers::Letters | Answers::Reasoned(_) => self.chat,
            Answers::Sampled(_) => self.api() != Api::Completions,
        }
    }
}

/// Whether answers of earlier runs are used.
#[derive(Debug, Clone)]
pub struct CacheSettings {
    /// Ignores answers of earlier runs.
    pub ignore: bool,
    /// Other output folders (or their stores) whose answers are used.
    pub also_from: Vec<PathBuf>,
    /// Cached questions to ask again before cached answers are used: 0 for none, else at least
    /// [`MIN_RECHECK`](crate::MIN_RECHECK).
    pub recheck: usize,
    /// Action if the model has changed since it gave the cached answers.
    pub on_change: OnChange,
    /// Whether to keep the texts of answers in words, and thoughts; `None` keeps what there is.
    pub keep_text: Option<bool>,
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self {
            ignore: false,
            also_from: Vec::new(),
            recheck: 20,
            on_change: OnChange::Fail,
            keep_text: None,
        }
    }
}

/// Action if the model behind a name has changed since it gave the cached answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
pub enum OnChange {
    /// Fail with exit code 1 and leave results and cached answers unchanged
    Fail,
    /// Ask every question again
    Ask,
    /// Use the cached answers and mark the result
    Keep,
}

/// Workers on other machines.
#[cfg(feature = "nats")]
#[derive(Debug, Clone)]
pub struct FleetSettings {
    /// The NATS server.
    pub access: sureness_fleet::Access,
    /// The run's name; workers join the run of the same name.
    pub run: sureness_fleet::RunName,
    /// Questions queued for workers.
    pub look_ahead: std::num::NonZeroUsize,
    /// Time until the questions of a silent worker are reassigned.
    pub unit_timeout: std::time::Duration,
}

#[cfg(feature = "nats")]
impl FleetSettings {
    /// Default of `look_ahead`, enough for several hundred workers.
    pub const LOOK_AHEAD: std::num::NonZeroUsize = std::num::NonZeroUsize::new(8192).unwrap();
}

/// Uninhabited: built without `nats`.
#[cfg(not(feature = "nats"))]
#[derive(Debug, Clone)]
pub enum FleetSettings {}
