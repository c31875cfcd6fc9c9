//! Prometheus metrics, counted from the engine's events.
//!
//! [`Metrics::listen`] binds the address before any work, [`Metrics::serve`] answers scrapes, and
//! [`Metrics::for_model`] returns the counter of one model's events. The command line bounds the
//! labels: models, tasks, strategies, endpoints by number, kinds of errors.

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

/// Upper bounds of the buckets of request durations, in seconds: from a cache hit to a timeout.
const BUCKETS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0,
];

/// A histogram of request durations.
type Durations = Family<EndpointLabels, Histogram, fn() -> Histogram>;

/// The metrics of this process and their listener.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Arc<Registry>,
    families: Families,
    listener: server::Listener,
    #[cfg(feature = "nats")]
    coordinator: machines::CoordinatorCollector,
}

/// All counters and gauges, for all models.
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
            "Questions answered from the cache or as duplicates",
            self.cached.clone(),
        );
        registry.register(
            "questions_answered",
            "Questions answered by a server",
            self.answered.clone(),
        );
        registry.register(
            "questions_failed",
            "Questions that failed, by kind of error",
            self.failed.clone(),
        );
        registry.register(
            "retries",
            "Retries of questions, by kind of error",
            self.retries.clone(),
        );
        registry.register(
            "requests",
            "Finished requests, by endpoint and outcome",
            self.requests.clone(),
        );
        registry.register_with_unit(
            "request_duration",
            "Time from sending a request to its reply",
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
            "Requests allowed in flight, over all reachable endpoints",
            self.limit.clone(),
        );
        registry.register(
            "prompt_tokens",
            "Prompt tokens, as reported by servers",
            self.prompt_tokens.clone(),
        );
        registry.register(
            "cached_tokens",
            "Prompt tokens served from a prefix cache",
            self.cached_tokens.clone(),
        );
        registry.register(
            "endpoint_up",
            "Whether the endpoint is in use",
            self.up.clone(),
        );
        registry.register(
            "paused",
            "Whether the run waits because no endpoint is reachable",
            self.paused.clone(),
        );
    }
}

impl Metrics {
    /// Binds the address, so that a bad address fails before any work.
    pub(crate) fn listen(address: &str) -> Result<Self, Failure> {
        let listener = server::Listener::bind(address)?;
        let mut registry = Registry::with_prefix("sureness");
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The program", version);
        let families = Families::default();
        families.register(&mut registry);
        #[cfg(feature = "nats")]
        let coordinator = machines::CoordinatorCollector::default();
        #[cfg(feature = "nats")]
        registry.register_collector(Box::new(coordinator.clone()));
        Ok(Self {
            registry: Arc::new(registry),
            families,
            listener,
            #[cfg(feature = "nats")]
            coordinator,
        })
    }

    /// Adds the metrics of a coordinator.
    #[cfg(feature = "nats")]
    pub(crate) fn collect_from_coordinator(&self, status: sureness_bench::CoordinatorStatus) {
        self.coordinator.set(status);
    }

    /// Answers scrapes on the current async runtime until it shuts down; prints the address.
    pub(crate) fn serve(&self) {
        eprintln!("metrics: http://{}/metrics", self.listener.address());
        self.listener.serve(Arc::clone(&self.registry));
    }

    /// A counter of one model's events.
    pub(crate) fn for_model(&self, name: &str, plan: &Plan, endpoints: usize) -> ModelMetrics {
        let mut metrics = ModelMetrics::new(self.families.clone(), name, endpoints);
        for (index, group) in plan.groups.iter().enumerate() {
            let labels = metrics.add_group(&group.task.id, &group.name());
            let planned = self.families.questions.get_or_create(&labels);
            planned.inc_by(signed(plan.questions_of(index)));
        }
        metrics
    }

    /// A counter of a worker's events. A worker does not know the plan, so it counts without task and
    /// strategy.
    #[cfg(feature = "nats")]
    pub(crate) fn for_worker(&self, name: &str, endpoints: usize) -> ModelMetrics {
        let mut metrics = ModelMetrics::new(self.families.clone(), name, endpoints);
        metrics.add_group("", "");
        metrics
    }
}

/// Counts the events of one model.
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

/// The most frequent counters of a group, looked up once.
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
            metrics.set_endpoint_up(endpoint, true);
        }
        metrics
    }

    /// Adds the counters of the next group; returns its labels.
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

    /// The group with this index, or a worker's only group.
    fn group(&self, index: usize) -> Option<&GroupMetrics> {
        self.groups.get(index).or(self.groups.last())
    }

    /// Counts an event. Called from many threads, thousands of times a second.
    pub(crate) fn count(&self, event: &Event) {
        match event {
            Event::Cached { group, count } => {
                if let Some(group) = self.group(*group) {
                    group.cached.inc_by(*count as u64);
                }
            }
            Event::Sent { load, .. } => self.set_load(*load),
            Event::Attempt(attempt) => self.count_attempt(attempt),
            Event::Answered { group, .. } => {
                if let Some(group) = self.group(*group) {
                    group.answered.inc();
                }
            }
            Event::Failed { group, error, .. } => {
                if let Some(group) = self.group(*group) {
                    let labels = FailureLabels::of(&group.labels, error.kind());
                    self.families.failed.get_or_create(&labels).inc();
                }
            }
            Event::Retrying {
                questions, error, ..
            } => {
                let labels = KindLabels {
                    model: Arc::clone(&self.model.model),
                    kind: error.kind(),
                };
                let retries = self.families.retries.get_or_create(&labels);
                retries.inc_by(questions.len() as u64);
            }
            Event::Throttled { .. } => {}
            Event::EndpointDown { endpoint, .. } => self.set_endpoint_up(*endpoint, false),
            Event::EndpointUp { endpoint } => self.set_endpoint_up(*endpoint, true),
            Event::Outage { .. } => {
                self.paused.set(1);
            }
            Event::Resumed { .. } => {
                self.paused.set(0);
            }
        }
    }

    fn count_attempt(&self, attempt: &Attempt) {
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
        self.set_load(attempt.load);
    }

    fn set_load(&self, load: Load) {
        self.in_flight.set(signed(load.in_flight));
        self.limit.set(signed(load.limit));
    }

    fn set_endpoint_up(&self, endpoint: usize, up: bool) {
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

/// A count as the value of a gauge.
fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
