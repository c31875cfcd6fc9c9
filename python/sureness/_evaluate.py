"""Figures of one model, from arrays."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from . import _sureness
from ._arrays import ArrayLike, Covers, Names, Protocol, names_as_bytes, settings_json, strings
from ._document import Analysis, Figure, Table

Estimand = Literal["procedure", "deployed"]


@dataclass(frozen=True)
class SetFigures:
    """Figures of the prediction sets by one nonconformity score, on the test questions.

    Attributes:
        threshold: the largest score that a set admits; None where it is infinite and every set full.
        set_size: mean number of options in a set.
        coverage: share of sets that contain the right option.
        uacc: `accuracy · √options / set_size`.
        empty_rate: share of sets that were empty before they were filled with the top option.
    """

    threshold: float | None
    set_size: Figure
    coverage: Figure
    uacc: Figure
    empty_rate: float


@dataclass(frozen=True)
class Evaluation:
    """How sure a model is, and whether it should be. Shares are fractions.

    Attributes:
        n_calibration: questions that set the threshold.
        n_test: questions that are measured.
        accuracy: share of test questions whose most probable option is right.
        set_size: mean over both scores, as the paper averages.
        coverage: mean over both scores.
        uacc: mean over both scores.
        lac: sets by the LAC score.
        aps: sets by the APS score.
        ece: expected calibration error over bins of equal width.
        brier: Brier score, summed over options.
        log_loss: mean of -ln p(right option), in nats.
        auroc: how often a right answer is more confident than a wrong one; None where all are right or
            all wrong.
        aurc: area under the risk-coverage curve.
        groups: the figures of each of the `groups`; None with fewer than two.
        headline: the figures as `sureness score --output json` has them.
        analysis: everything as tables and charts.
    """

    n_calibration: int
    n_test: int
    accuracy: Figure
    set_size: Figure
    coverage: Figure
    uacc: Figure
    lac: SetFigures
    aps: SetFigures
    ece: Figure
    brier: Figure
    log_loss: Figure
    auroc: Figure | None
    aurc: Figure
    groups: Table | None
    headline: dict[str, Any] = field(repr=False)
    analysis: Analysis = field(repr=False)

    def __str__(self) -> str:
        return (
            f"accuracy {self.accuracy}, set size {self.set_size}, coverage {self.coverage}, UAcc {self.uacc};"
            f" {self.n_calibration} calibration and {self.n_test} test questions"
        )

    def _repr_html_(self) -> str:
        return self.analysis._repr_html_()


def evaluate(
    scores: ArrayLike,
    labels: ArrayLike,
    *,
    groups: Iterable[object] | None = None,
    clusters: Names | None = None,
    ids: Names | None = None,
    dont_know: int | None = None,
    none_of_the_above: int | None = None,
    protocol: Protocol = "standard",
    alpha: float = 0.1,
    calibration_ratio: float = 0.5,
    seed: int = 42,
    covers: Covers = "any",
    level: float = 0.95,
    replicates: int = 1000,
    estimand: Estimand = "procedure",
    bins: int = 15,
    name: str = "model",
) -> Evaluation:
    """Every figure of a model with its interval, as `sureness score` and `sureness analyze` compute them.

    Args:
        scores: logits or log-probabilities, one row per question and one column per option.
        labels: the index of each question's right option, or booleans of the shape of `scores` that
            mark several.
        groups: a category per question, or None for a question without one; adds figures of each.
        clusters: what questions share that are not independent, such as a passage. They are split and
            resampled together.
        ids: names of the questions, or digests of 32 bytes. The standard protocol splits questions by
            these, else by row number.
        dont_know: column of "I don't know", if it is an option.
        none_of_the_above: column of "None of the above", if it is an option.
        protocol: "standard" or "paper" (the published script, bit for bit).
        alpha: allowed share of sets without the right option.
        calibration_ratio: share of the questions that calibrate.
        seed: of the split and of the resampling.
        covers: when a set covers a question with several right options: "any" or "all".
        level: confidence level of intervals.
        replicates: draws behind each interval, at least 100.
        estimand: what intervals are about: the "procedure" (both halves drawn anew) or the "deployed"
            threshold (test questions drawn anew).
        bins: bins of calibration errors.
        name: the model, in tables.

    Raises:
        ValueError: scores are not finite or are probabilities, shapes do not match, a label is not the
            index of an option, or a half has no questions.
    """
    options = {
        "protocol": protocol, "alpha": alpha, "calibration_ratio": calibration_ratio, "seed": seed,
        "covers": covers, "level": level, "replicates": replicates, "estimand": estimand, "bins": bins,
    }  # fmt: skip
    categories = strings(groups)
    for what, column in (("dont_know", dont_know), ("none_of_the_above", none_of_the_above)):
        if column is not None and column < 0:
            raise ValueError(f"{what} is {column}\nhint: give the column of that option, counted from 0")
    evidence = _sureness.Evidence.of_arrays(
        [(name, scores)],
        labels,
        ids=names_as_bytes(ids),
        clusters=names_as_bytes(clusters),
        groups=categories,
        dont_know=dont_know,
        none_of_the_above=none_of_the_above,
    )
    modes = ["comparative", "basic", "calibration", "abstention"]
    modes += [] if categories is None else ["subjects"]
    analysis = Analysis(evidence.document(modes, settings_json(options)))
    headline: dict[str, Any] = json.loads(evidence.evaluations(settings_json(options)))[0]
    return _evaluation(headline, analysis)


def _evaluation(headline: dict[str, Any], analysis: Analysis) -> Evaluation:
    mean = analysis.table("leaderboard").rows[0]
    basic = analysis.section("basic").tables[0].rows[0]
    confidence = {**analysis.table("abstention").rows[0], **analysis.table("calibration").rows[0]}
    lac, aps = (_sets(headline[score], score, basic) for score in ("lac", "aps"))

    def mean_of(key: Literal["set_size", "coverage", "uacc"]) -> Figure:
        value = (getattr(lac, key).value + getattr(aps, key).value) / 2.0
        return _with(value, mean[key])

    auroc = confidence["auroc"]
    subjects = next((section for section in analysis.sections if section.id == "subjects"), None)
    return Evaluation(
        n_calibration=headline["n_calibration"],
        n_test=headline["n_test"],
        accuracy=_with(headline["acc"], mean["acc"]),
        set_size=mean_of("set_size"),
        coverage=mean_of("coverage"),
        uacc=mean_of("uacc"),
        lac=lac,
        aps=aps,
        ece=_figure(confidence["ece"]),
        brier=_figure(confidence["brier"]),
        log_loss=_figure(confidence["log_loss"]),
        auroc=None if auroc is None else _figure(auroc),
        aurc=_figure(confidence["aurc"]),
        groups=None if subjects is None or not subjects.tables else subjects.tables[0],
        headline=headline,
        analysis=analysis,
    )


def _sets(figures: dict[str, Any], score: str, basic: dict[str, Any]) -> SetFigures:
    return SetFigures(
        threshold=figures["qhat"],
        set_size=_with(figures["set_size"], basic[f"{score}_set_size"]),
        coverage=_with(figures["coverage"], basic[f"{score}_coverage"]),
        uacc=_with(figures["uacc"], basic[f"{score}_uacc"]),
        empty_rate=figures["empty_rate"],
    )


def _with(value: float, cell: object) -> Figure:
    """The value with the interval of a table's cell."""
    interval = _figure(cell)
    return Figure(value, interval.low, interval.high, interval.why)


def _figure(cell: object) -> Figure:
    assert isinstance(cell, Figure), cell
    return cell
