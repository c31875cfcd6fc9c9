//! What a coordinator knows of its workers and its queue, asked for at every scrape.

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

/// Tells nothing before it is known whom to ask.
#[derive(Clone, Default)]
pub(super) struct Machines(Arc<OnceLock<CoordinatorStatus>>);

/// A figure of one model.
struct Figure {
    name: &'static str,
    help: &'static str,
    value: Value,
}

enum Value {
    Gauge(fn(&LaneStatus) -> usize),
    Counter(fn(&LaneStatus) -> u64),
}

const FIGURES: [Figure; 7] = [
    gauge(
        "questions_queued",
        "Questions ready to be given out, of those that the coordinator looks ahead",
        |lane| lane.queued,
    ),
    gauge(
        "questions_given_out",
        "Questions given out and not answered yet",
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
        "Units that the broker had forgotten, given out again",
        |lane| lane.lost_units,
    ),
    counter(
        "questions_answered_twice",
        "Questions that more than one answer came for",
        |lane| lane.asked_twice,
    ),
    counter(
        "messages_refused",
        "Messages that could not be understood, or were of another model",
        |lane| lane.malformed,
    ),
];

const fn gauge(name: &'static str, help: &'static str, value: fn(&LaneStatus) -> usize) -> Figure {
    let value = Value::Gauge(value);
    Figure { name, help, value }
}

const fn counter(name: &'static str, help: &'static str, value: fn(&LaneStatus) -> u64) -> Figure {
    let value = Value::Counter(value);
    Figure { name, help, value }
}

impl Machines {
    /// From now on this is asked.
    pub(super) fn ask(&self, ask: CoordinatorStatus) {
        // There is one coordinator in a process.
        let _ = self.0.set(ask);
    }
}

impl fmt::Debug for Machines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Machines").finish_non_exhaustive()
    }
}

impl Collector for Machines {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Some(status) = self.0.get().and_then(|ask| ask()) else {
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
        let mut metric =
            encoder.encode_descriptor("workers", "Workers that are there", None, kind)?;
        for (labels, lane) in &lanes {
            ConstGauge::new(signed(workers(lane))).encode(metric.encode_family(labels)?)?;
        }
        for figure in FIGURES {
            let kind = match figure.value {
                Value::Gauge(_) => ConstGauge::new(0_i64).metric_type(),
                Value::Counter(_) => ConstCounter::new(0_u64).metric_type(),
            };
            let mut metric = encoder.encode_descriptor(figure.name, figure.help, None, kind)?;
            for (labels, lane) in &lanes {
                let place = metric.encode_family(labels)?;
                match figure.value {
                    Value::Gauge(value) => ConstGauge::new(signed(value(lane))).encode(place)?,
                    Value::Counter(value) => ConstCounter::new(value(lane)).encode(place)?,
                }
            }
        }
        Ok(())
    }
}
