//! Metrics of a coordinator's workers and queue, read at every scrape.

use std::fmt;
use std::sync::{Arc, OnceLock};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use sureness_bench::CoordinatorStatus;
use sureness_fleet::LaneStatus;

use super::labels::ModelLabels;
use super::signed;

/// Collects a coordinator's metrics; none before the coordinator is set.
#[derive(Clone, Default)]
pub(super) struct CoordinatorCollector(Arc<OnceLock<CoordinatorStatus>>);

/// A metric of one model.
struct LaneMetric {
    name: &'static str,
    help: &'static str,
    value: Value,
}

enum Value {
    Gauge(fn(&LaneStatus) -> usize),
    Counter(fn(&LaneStatus) -> u64),
}

const LANE_METRICS: [LaneMetric; 7] = [
    gauge("questions_queued", "Questions queued for workers", |lane| {
        lane.queued
    }),
    gauge(
        "questions_given_out",
        "Questions assigned and not yet answered",
        |lane| lane.outstanding,
    ),
    gauge(
        "units_given_out",
        "Units of questions with the broker or a worker",
        |lane| lane.units,
    ),
    counter(
        "units_finished",
        "Units of questions that workers have finished",
        |lane| lane.units_done,
    ),
    counter(
        "units_lost",
        "Units lost by the broker and reassigned",
        |lane| lane.lost_units,
    ),
    counter(
        "questions_answered_twice",
        "Questions answered more than once",
        |lane| lane.asked_twice,
    ),
    counter(
        "messages_refused",
        "Messages that were malformed or for another model",
        |lane| lane.malformed,
    ),
];

const fn gauge(
    name: &'static str,
    help: &'static str,
    value: fn(&LaneStatus) -> usize,
) -> LaneMetric {
    let value = Value::Gauge(value);
    LaneMetric { name, help, value }
}

const fn counter(
    name: &'static str,
    help: &'static str,
    value: fn(&LaneStatus) -> u64,
) -> LaneMetric {
    let value = Value::Counter(value);
    LaneMetric { name, help, value }
}

impl CoordinatorCollector {
    /// Sets the coordinator to read from.
    pub(super) fn set(&self, status: CoordinatorStatus) {
        // A process has one coordinator.
        let _ = self.0.set(status);
    }
}

impl fmt::Debug for CoordinatorCollector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CoordinatorCollector")
            .finish_non_exhaustive()
    }
}

impl Collector for CoordinatorCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Some(status) = self.0.get().and_then(|status| status()) else {
            return Ok(());
        };
        let lanes: Vec<(ModelLabels, &LaneStatus)> = status
            .lanes
            .iter()
            .map(|lane| {
                let model = Arc::new(lane.model.clone().unwrap_or_default());
                (ModelLabels { model }, lane)
            })
            .collect();
        let workers = |lane: &LaneStatus| {
            let of_lane = status.workers.iter().filter(|w| w.beat.lane == lane.lane);
            of_lane.count()
        };
        let kind = ConstGauge::new(0_i64).metric_type();
        let mut metric = encoder.encode_descriptor("workers", "Connected workers", None, kind)?;
        for (labels, lane) in &lanes {
            ConstGauge::new(signed(workers(lane))).encode(metric.encode_family(labels)?)?;
        }
        for lane_metric in LANE_METRICS {
            let kind = match lane_metric.value {
                Value::Gauge(_) => ConstGauge::new(0_i64).metric_type(),
                Value::Counter(_) => ConstCounter::new(0_u64).metric_type(),
            };
            let mut metric =
                encoder.encode_descriptor(lane_metric.name, lane_metric.help, None, kind)?;
            for (labels, lane) in &lanes {
                let encoder = metric.encode_family(labels)?;
                match lane_metric.value {
                    Value::Gauge(value) => ConstGauge::new(signed(value(lane))).encode(encoder)?,
                    Value::Counter(value) => ConstCounter::new(value(lane)).encode(encoder)?,
                }
            }
        }
        Ok(())
    }
}
