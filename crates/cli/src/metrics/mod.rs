//! Figures of a running process for Prometheus: counted from the engine's events.
//!
//! [`Metrics::listen`] takes the address before any work is done, [`Metrics::serve`] answers on
//! it, and [`Metrics::of_model`] gives what takes the events of one model's run. Labels are
//! bounded by the command line: models, tasks, strategies, endpoints by number, kinds of errors.

mod labels;
#[cfg(feature = "nats")]
mod machines;
mod server;

use std::sync::Arc;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use sureness_bench::Failure;
use sureness_engine::{Attempt, Event, Load, Plan};

use labels::{AttemptLabels, EndpointLabels, FailureLabels, GroupLabels, KindLabels, ModelLabels};

/// Upper bounds of the request durations' buckets, in seconds: from a cache's answer to a server
/// that is given up.
const BUCKETS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0,
];

/// A histogram of request durations.
type Durations = Family<EndpointLabels, Histogram, fn() -> Histogram>;

/// The metrics of this process and the address that they are served on.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Arc<Registry>,
    families: Families,
    listener: server::Listener,
    #[cfg(feature = "nats")]
    machines: machines::Machines,
}

/// Everything that is counted, for all models.
#[derive(Debug, Clone)]
struct Families {
    questions: Family<GroupLabels, Gauge>,
    cached: Family<GroupLabels, Counter>,
    answered: Family<GroupLabels, Counter>,
    failed: Family<FailureLabels, Counter>,
    retries: Family<KindLabels, Counter>,
    requests: Family<AttemptLabels, Counter>,
    durations: Durations,
    in_flight: Family<ModelLabels, Gauge>,
    limit: Family<ModelLabels, Gauge>,
    prompt_tokens: Family<ModelLabels, Counter>,
    cached_tokens: Family<ModelLabels, Counter>,
    up: Family<EndpointLabels, Gauge>,
    paused: Family<ModelLabels, Gauge>,
}

impl Default for Families {
    fn default() -> Self {
        Self {
            questions: Family::default(),
            cached: Family::default(),
            answered: Family::default(),
            failed: Family::default(),
            retries: Family::default(),
            requests: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            in_flight: Family::default(),
            limit: Family::default(),
            prompt_tokens: Family::default(),
            cached_tokens: Family::default(),
            up: Family::default(),
            paused: Family::default(),
        }
    }
}

impl Families {
    fn register(&self, registry: &mut Registry) {
        registry.register("questions", "Questions planned", self.questions.clone());
        registry.register(
            "questions_cached",
            "Questions that were answered before, or are the same as another",
            self.cached.clone(),
        );
        registry.register(
            "questions_answered",
            "Questions answered now",
            self.answered.clone(),
        );
        registry.register(
            "questions_failed",
            "Questions given up, by the kind of the reason",
            self.failed.clone(),
        );
        registry.register(
            "retries",
            "Questions that are asked again, by the kind of the reason",
            self.retries.clone(),
        );
        registry.register(
            "requests",
            "Requests that have come to an end, by endpoint and outcome",
            self.requests.clone(),
        );
        registry.register_with_unit(
            "request_duration",
            "From sending a request to its reply",
            Unit::Seconds,
            self.durations.clone(),
        );
        registry.register(
            "requests_in_flight",
            "Requests in flight",
            self.in_flight.clone(),
        );
        registry.register(
            "concurrency_limit",
            "Requests that may be in flight now, over all endpoints that are there",
            self.limit.clone(),
        );
        registry.register(
            "prompt_tokens",
            "Prompt tokens of the answers, as far as servers report them",
            self.prompt_tokens.clone(),
        );
        registry.register(
            "cached_tokens",
            "Of the prompt tokens, those taken from a prefix cache",
            self.cached_tokens.clone(),
        );
        registry.register(
            "endpoint_up",
            "Whether the endpoint is asked",
            self.up.clone(),
        );
        registry.register(
            "paused",
            "Whether the run waits because no endpoint is there",
            self.paused.clone(),
        );
    }
}

impl Metrics {
    /// Takes the address, so that whatever is wrong with it is told before any work.
    pub(crate) fn listen(address: &str) -> Result<Self, Failure> {
        let listener = server::Listener::bind(address)?;
        let mut registry = Registry::with_prefix("sureness");
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The program", version);
        let families = Families::default();
        families.register(&mut registry);
        #[cfg(feature = "nats")]
        let machines = machines::Machines::default();
        #[cfg(feature = "nats")]
        registry.register_collector(Box::new(machines.clone()));
        Ok(Self {
            registry: Arc::new(registry),
            families,
            listener,
            #[cfg(feature = "nats")]
            machines,
        })
    }

    /// Has the coordinator of workers on other machines asked at every scrape.
    #[cfg(feature = "nats")]
    pub(crate) fn ask_coordinator(&self, ask: sureness_bench::CoordinatorStatus) {
        self.machines.ask(ask);
    }

    /// Starts to answer, on the current async runtime and for as long as it lives; tells where.
    pub(crate) fn serve(&self) {
        eprintln!("metrics: http://{}/metrics", self.listener.address());
        self.listener.serve(Arc::clone(&self.registry));
    }

    /// What counts the events of one model's run.
    pub(crate) fn of_model(&self, name: &str, plan: &Plan, endpoints: usize) -> ModelMetrics {
        let mut metrics = ModelMetrics::new(self.families.clone(), name, endpoints);
        for group in &plan.groups {
            let labels = metrics.add_group(&group.task.id, group.strategy.name());
            let planned = self.families.questions.get_or_create(&labels);
            planned.inc_by(signed(group.questions.len()));
        }
        metrics
    }

    /// The same for a worker. It does not know the plan: what it is given is counted without task
    /// and strategy.
    #[cfg(feature = "nats")]
    pub(crate) fn of_worker(&self, name: &str, endpoints: usize) -> ModelMetrics {
        let mut metrics = ModelMetrics::new(self.families.clone(), name, endpoints);
        metrics.add_group("", "");
        metrics
    }
}

/// Counts the events of one model's run.
#[derive(Debug)]
pub(crate) struct ModelMetrics {
    families: Families,
    model: ModelLabels,
    groups: Vec<GroupMetrics>,
    in_flight: Gauge,
    limit: Gauge,
    prompt_tokens: Counter,
    cached_tokens: Counter,
    paused: Gauge,
}

/// What is counted most often, found once.
#[derive(Debug)]
struct GroupMetrics {
    labels: GroupLabels,
    cached: Counter,
    answered: Counter,
}

impl ModelMetrics {
    fn new(families: Families, name: &str, endpoints: usize) -> Self {
        let model = ModelLabels {
            model: Arc::new(name.to_owned()),
        };
        let metrics = Self {
            groups: Vec::new(),
            in_flight: families.in_flight.get_or_create_owned(&model),
            limit: families.limit.get_or_create_owned(&model),
            prompt_tokens: families.prompt_tokens.get_or_create_owned(&model),
            cached_tokens: families.cached_tokens.get_or_create_owned(&model),
            paused: families.paused.get_or_create_owned(&model),
            families,
            model,
        };
        for endpoint in 0..endpoints {
            metrics.endpoint_is_up(endpoint, true);
        }
        metrics
    }

    /// Gets ready for the next group.
    fn add_group(&mut self, task: &str, strategy: &str) -> GroupLabels {
        let labels = GroupLabels {
            model: Arc::clone(&self.model.model),
            task: Arc::new(task.to_owned()),
            strategy: Arc::new(strategy.to_owned()),
        };
        self.groups.push(GroupMetrics {
            cached: self.families.cached.get_or_create_owned(&labels),
            answered: self.families.answered.get_or_create_owned(&labels),
            labels: labels.clone(),
        });
        labels
    }

    /// The group of this number; a worker has one for all.
    fn group(&self, index: usize) -> Option<&GroupMetrics> {
        self.groups.get(index).or(self.groups.last())
    }

    /// Counts an event. Quick, and called from many threads.
    pub(crate) fn on(&self, event: &Event) {
        match event {
            Event::Cached { group, count } => {
                if let Some(group) = self.group(*group) {
                    group.cached.inc_by(*count as u64);
                }
            }
            Event::Sent { load, .. } => self.load(*load),
            Event::Attempt(attempt) => self.attempt(attempt),
            Event::Answered { group } => {
                if let Some(group) = self.group(*group) {
                    group.answered.inc();
                }
            }
            Event::Failed { group, error } => {
                if let Some(group) = self.group(*group) {
                    let labels = FailureLabels::of(&group.labels, error.kind());
                    self.families.failed.get_or_create(&labels).inc();
                }
            }
            Event::Retrying { count, error, .. } => {
                let labels = KindLabels {
                    model: Arc::clone(&self.model.model),
                    kind: error.kind(),
                };
                let retries = self.families.retries.get_or_create(&labels);
                retries.inc_by(*count as u64);
            }
            Event::EndpointDown { endpoint, .. } => self.endpoint_is_up(*endpoint, false),
            Event::EndpointUp { endpoint } => self.endpoint_is_up(*endpoint, true),
            Event::Outage { .. } => {
                self.paused.set(1);
            }
            Event::Resumed { .. } => {
                self.paused.set(0);
            }
        }
    }

    fn attempt(&self, attempt: &Attempt) {
        let endpoint = self.endpoint(attempt.endpoint);
        let durations = self.families.durations.get_or_create(&endpoint);
        durations.observe(attempt.took.as_secs_f64());
        let labels = AttemptLabels {
            model: endpoint.model,
            endpoint: endpoint.endpoint,
            outcome: attempt.outcome(),
        };
        self.families.requests.get_or_create(&labels).inc();
        self.prompt_tokens.inc_by(attempt.prompt_tokens);
        self.cached_tokens.inc_by(attempt.cached_tokens);
        self.load(attempt.load);
    }

    fn load(&self, load: Load) {
        self.in_flight.set(signed(load.in_flight));
        self.limit.set(signed(load.limit));
    }

    fn endpoint_is_up(&self, endpoint: usize, up: bool) {
        let labels = self.endpoint(endpoint);
        self.families.up.get_or_create(&labels).set(i64::from(up));
    }

    fn endpoint(&self, endpoint: usize) -> EndpointLabels {
        EndpointLabels {
            model: Arc::clone(&self.model.model),
            endpoint: endpoint as u64 + 1,
        }
    }
}

/// A gauge's number.
fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
