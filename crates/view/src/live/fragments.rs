//! The parts of a run's page that change.

use serde::Serialize;
use serde_json::json;
use sureness_analysis::Section;
use sureness_analysis::number::{MISSING, count, fixed};
use sureness_bench::live::{Bulletin, NOT_ASKED, Progress};
use sureness_bench::{Failure, date};
use sureness_report::{ModelResult, Spent};

use super::history::History;
use super::poller::Figures;
use super::workers;
use crate::pages::latest;
use crate::site::{RunId, Site};

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// Answers arrive.
    Running,
    /// Nothing has arrived for a while, and the run is not finished.
    Silent,
    /// All was asked, and the figures are final.
    Finished,
    /// The store cannot be read any more.
    Lost,
}

/// The parts, as HTML.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Fragments {
    /// How far it is, in a line or two.
    pub(crate) status: String,
    /// A bar for each task and strategy.
    pub(crate) progress: String,
    /// Workers on other machines.
    pub(crate) workers: String,
    /// What is settled, of a run that stops as soon as something is.
    pub(crate) settled: String,
    /// The figures with their intervals.
    pub(crate) figures: String,
    /// How they moved.
    pub(crate) history: String,
    /// The newest questions.
    pub(crate) latest: String,
    /// Questions without an answer.
    pub(crate) failures: String,
    /// Tokens and money.
    pub(crate) spent: String,
}

impl Fragments {
    /// What the stream of events carries.
    pub(super) fn event(&self, state: State, moment: Option<&Moment<'_>>, last: bool) -> String {
        let model = moment.and_then(Moment::model);
        json!({
            "state": state,
            "provisional": state != State::Finished,
            "last": last,
            "mean": model.and_then(|model| model.mean.as_ref()),
            "intervals": model.and_then(|model| model.intervals.as_ref()),
            "html": self,
        })
        .to_string()
    }
}

/// A line in place of the status where a run cannot be read.
pub(super) fn failure(site: &Site, failure: &Failure) -> String {
    let values = json!({ "message": failure.to_string(), "hint": failure.to_do() });
    site.fill("failure.html", values).unwrap_or_default()
}

/// A run at one moment.
pub(super) struct Moment<'a> {
    pub(super) site: &'a Site,
    pub(super) id: RunId,
    pub(super) state: State,
    pub(super) progress: &'a Progress,
    pub(super) per_second: Option<f64>,
    pub(super) figures: &'a Figures,
    pub(super) bulletin: &'a Bulletin,
    pub(super) history: &'a History,
}

impl Moment<'_> {
    /// All parts.
    pub(super) fn fragments(&self) -> Result<Fragments, Failure> {
        Ok(Fragments {
            status: self.status()?,
            progress: self.groups()?,
            workers: self.workers()?,
            settled: self.settled()?,
            figures: self.sections()?,
            history: self.charts()?,
            latest: latest::fragment(
                self.site,
                self.id,
                &self.figures.latest,
                self.state != State::Finished,
            )?,
            failures: self.failures()?,
            spent: self.spent()?,
        })
    }

    /// For programs: how far it is, and the results as the results file has them.
    pub(super) fn json(&self) -> Result<String, Failure> {
        let total = self.progress.total();
        let whole = json!({
            "state": self.state,
            "provisional": self.state != State::Finished,
            "planned": total.planned,
            "answered": total.answered,
            "failed": total.failed,
            "results": self.figures.results,
        });
        serde_json::to_string(&whole)
            .map_err(|error| Failure::new(format!("cannot encode the results: {error}")))
    }

    fn model(&self) -> Option<&ModelResult> {
        self.figures.results.models.first()
    }

    fn status(&self) -> Result<String, Failure> {
        let total = self.progress.total();
        let left = total.planned.saturating_sub(total.answered + total.failed);
        let per_second = self.per_second.filter(|_| self.state == State::Running);
        let remaining = per_second
            .map(|rate| span(left as f64 / rate))
            .filter(|_| left > 0);
        self.site.fill(
            "status.html",
            json!({
                "state": self.state,
                "answered": count(total.answered),
                "planned": count(total.planned),
                "percent": percent(total.answered, total.planned),
                "share": share(total.answered, total.planned),
                "failed": (total.failed > 0).then(|| count(total.failed)),
                "rate": per_second.map(rate),
                "remaining": remaining,
                "started": utc(self.progress.started_at),
                "finished": self.progress.finished_at.map(utc),
                "last_answer": self.progress.last_answer_at.map(date),
            }),
        )
    }

    fn groups(&self) -> Result<String, Failure> {
        let groups: Vec<_> = self
            .progress
            .groups
            .iter()
            .map(|group| {
                let answers = group.answers;
                json!({
                    "task": group.task,
                    "strategy": group.strategy,
                    "answered": count(answers.answered),
                    "planned": count(answers.planned),
                    "failed": (answers.failed > 0).then(|| count(answers.failed)),
                    "percent": percent(answers.answered, answers.planned),
                    "share": share(answers.answered, answers.planned),
                    "failed_share": share(answers.failed, answers.planned),
                })
            })
            .collect();
        self.site.fill("progress.html", json!({ "groups": groups }))
    }

    /// Nothing of a run that is silent: whoever left the bulletin may be gone.
    fn workers(&self) -> Result<String, Failure> {
        let workers = &self.bulletin.workers;
        if workers.is_empty() || self.state != State::Running {
            return Ok(String::new());
        }
        self.site.section(&workers::section(workers))
    }

    /// What is settled by the results, or else so far.
    fn settled(&self) -> Result<String, Failure> {
        let model = self.model().map_or("", |model| &model.name);
        let so_far = self.bulletin.settled.as_ref();
        // Another run of the folder may have left it.
        let so_far = so_far.filter(|it| it.asked.contains_key(model));
        match (&self.figures.results.settled, so_far, self.state) {
            (Some(settled), ..) => self.site.section(&settled.section()),
            (None, Some(settled), State::Running) => self.site.section(&settled.so_far()),
            _ => Ok(String::new()),
        }
    }

    fn sections(&self) -> Result<String, Failure> {
        let results = &self.figures.results;
        let mut sections = results.sections(true);
        let tables = sections.iter_mut().flat_map(|section| &mut section.tables);
        for table in tables.filter(|table| table.title.is_empty()) {
            table.title = match &*table.id {
                "strategies" => "By task and prompt strategy, LAC and APS apart".to_owned(),
                _ => "By task, means over prompt strategies, LAC and APS".to_owned(),
            };
        }
        if let Some(first) = sections.first_mut() {
            "Figures".clone_into(&mut first.title);
            first.text.insert(0, results.method());
            first.notes.splice(0..0, self.notes());
        }
        let mut html = String::new();
        for section in &sections {
            html += &self.site.section(section)?;
        }
        let values = json!({
            "provisional": self.state != State::Finished,
            "warnings": results.warnings(),
            "sections": html,
        });
        self.site.fill("figures.html", values)
    }

    /// What a reader should know about the figures, once each.
    fn notes(&self) -> Vec<String> {
        let mut notes: Vec<String> = Vec::new();
        for group in self.model().map_or(&[][..], |model| &model.groups) {
            // Groups that have just begun have nothing to say yet.
            let has_figures = group.evaluation.is_some() || group.open.is_some();
            let is_told = self.state == State::Finished || has_figures;
            let note = group.note.iter().filter(|_| is_told);
            let note = note.map(|note| format!("{note}."));
            notes.extend(
                note.filter(|note| !notes.contains(note))
                    .collect::<Vec<_>>(),
            );
        }
        notes
    }

    fn charts(&self) -> Result<String, Failure> {
        let alpha = self.figures.results.settings.evaluation.alpha;
        let charts = self.history.charts(alpha);
        if charts.is_empty() {
            return Ok(String::new());
        }
        self.site.section(&Section {
            id: "history".to_owned(),
            title: "How the figures moved".to_owned(),
            charts,
            ..Section::default()
        })
    }

    fn failures(&self) -> Result<String, Failure> {
        let groups = self.model().map_or(&[][..], |model| &model.groups);
        let rows: Vec<_> = groups
            .iter()
            .flat_map(|group| group.failures.iter().map(move |failure| (group, failure)))
            .filter(|(_, (kind, _))| *kind != NOT_ASKED)
            .map(|(group, (kind, failures))| {
                json!({
                    "kind": kind.replace('_', " "),
                    "place": format!("{} · {}", group.task, group.strategy),
                    "count": count(failures.count),
                    "example": failures.example,
                    "hint": failures.hint,
                })
            })
            .collect();
        self.site.fill("failures.html", json!({ "rows": rows }))
    }

    fn spent(&self) -> Result<String, Failure> {
        let spent = self.known_spent();
        let number = |tokens: u64| count(tokens as usize);
        let values = json!({
            "prompt": number(spent.prompt_tokens),
            "cached": number(spent.cached_tokens),
            "answer": number(spent.answer_tokens),
            "cost": spent.cost.map(|cost| fixed(cost, 4, false)),
            "currency": spent.currency,
        });
        self.site.fill("spent.html", values)
    }

    /// What the results record, or else the tokens so far at the prices that were given.
    fn known_spent(&self) -> Spent {
        let recorded = self.model().and_then(|model| model.timing.spent.clone());
        recorded.unwrap_or_else(|| {
            let name = self.model().map_or("", |model| &model.name);
            self.site.prices(name).spent(self.progress.tokens)
        })
    }
}

/// `2026-03-01 12:00:00 UTC`.
fn utc(ms: i64) -> String {
    format!("{} UTC", date(ms).replace('T', " ").trim_end_matches('Z'))
}

/// `20.6 %`, or a dash of nothing.
fn percent(part: usize, whole: usize) -> String {
    if whole == 0 {
        return MISSING.to_owned();
    }
    // Not 100.0 before the last.
    let tenths = (part as u128 * 1000 / whole as u128) as f64 / 10.0;
    format!("{} %", fixed(tenths, 1, false))
}

/// A share of 0 to 1, for a style.
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

/// Answers per second, with two digits or more.
fn rate(per_second: f64) -> String {
    let decimals = usize::from(per_second < 10.0);
    format!("{} a second", fixed(per_second, decimals, false))
}

/// Seconds in the two largest units: `2 h 5 min`.
fn span(seconds: f64) -> String {
    let whole = seconds.round().clamp(0.0, 1e9) as u64;
    let (days, hours) = (whole / 86_400, whole / 3600 % 24);
    let (minutes, rest) = (whole / 60 % 60, whole % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{rest} s"),
        (0, 0, _) => format!("{minutes} min {rest} s"),
        (0, _, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_two_units() {
        for (seconds, text) in [
            (0.2, "0 s"),
            (59.4, "59 s"),
            (61.0, "1 min 1 s"),
            (7500.0, "2 h 5 min"),
            (200_000.0, "2 d 7 h"),
            (f64::INFINITY, "11574 d 1 h"),
        ] {
            assert_eq!(span(seconds), text);
        }
    }

    #[test]
    fn all_but_one_are_not_all() {
        assert_eq!(percent(9_999, 10_000), "99.9 %");
        assert_eq!(percent(0, 0), MISSING);
        assert_eq!(percent(7, 7), "100.0 %");
    }
}
