"""Two models on the same questions."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from . import _sureness
from ._arrays import ArrayLike, Covers, Names, Protocol, names_as_bytes, settings_json, strings
from ._document import Analysis, Cell, Figure
from ._evaluate import Estimand

Metric = Literal["acc", "size", "uacc"]

_FIGURES = ("accuracy", "set_size", "coverage", "uacc")
_KEYS = {"accuracy": "acc", "set_size": "set_size", "coverage": "coverage", "uacc": "uacc"}


@dataclass(frozen=True)
class Difference:
    """The first model's figure minus the second's.

    Attributes:
        value: the difference, in fractions or options.
        low: lower end of its paired interval; None without one.
        high: upper end of its paired interval; None without one.
        p: p-value of no difference; None where there is no test.
        why: why there is no interval: "too few" or "full sets".
    """

    value: float
    low: float | None
    high: float | None
    p: float | None
    why: str | None = None

    def __str__(self) -> str:
        p = "" if self.p is None else f", p = {self.p:.2g}"
        return f"{Figure(self.value, self.low, self.high, self.why)}{p}"


@dataclass(frozen=True)
class Comparison:
    """Two models on the same questions: differences, first minus second, paired by question.

    Attributes:
        accuracy: sign-flip test on the test questions.
        set_size: mean over LAC and APS; this and the following are tested by the difference over its
            standard error, both halves drawn anew.
        coverage: mean over LAC and APS.
        uacc: mean over LAC and APS.
        mcnemar_p: mid-p of McNemar's test of accuracy; None where there is no test.
        analysis: everything as tables and charts.
    """

    accuracy: Difference
    set_size: Difference
    coverage: Difference
    uacc: Difference
    mcnemar_p: float | None
    analysis: Analysis = field(repr=False)

    def __str__(self) -> str:
        return "; ".join(f"{name.replace('_', ' ')} {getattr(self, name)}" for name in _FIGURES)

    def _repr_html_(self) -> str:
        return self.analysis._repr_html_()


def compare(
    a: ArrayLike,
    b: ArrayLike,
    labels: ArrayLike,
    *,
    groups: Iterable[object] | None = None,
    clusters: Names | None = None,
    ids: Names | None = None,
    protocol: Protocol = "standard",
    alpha: float = 0.1,
    calibration_ratio: float = 0.5,
    seed: int = 42,
    covers: Covers = "any",
    level: float = 0.95,
    replicates: int = 1000,
    estimand: Estimand = "procedure",
    names: tuple[str, str] = ("a", "b"),
) -> Comparison:
    """Tests whether two models differ on the same questions, as `sureness analyze` does.

    Args:
        a: scores of the first model, as for `evaluate`.
        b: scores of the second model, in the same order of questions.
        labels: the right options, as for `evaluate`.
        names: the models, in tables.

    The other settings are those of `evaluate`.

    Raises:
        ValueError: as `evaluate`, and where the shapes differ.
    """
    options = {
        "protocol": protocol, "alpha": alpha, "calibration_ratio": calibration_ratio, "seed": seed,
        "covers": covers, "level": level, "replicates": replicates, "estimand": estimand,
    }  # fmt: skip
    evidence = _pair((a, b), labels, names, ids, clusters, strings(groups))
    analysis = Analysis(evidence.document(["comparative"], settings_json(options)))
    return _comparison(analysis, names)


def _pair(
    scores: tuple[ArrayLike, ArrayLike],
    labels: ArrayLike,
    names: tuple[str, str],
    ids: Names | None,
    clusters: Names | None,
    groups: list[str | None] | None,
) -> _sureness.Evidence:
    if len(names) != 2:
        raise ValueError(f"names has {len(names)} entries, but there are 2 models\nhint: give one name for each")
    if names[0] == names[1]:
        raise ValueError(f"both models are called {names[0]!r}\nhint: give two names")
    return _sureness.Evidence.of_arrays(
        list(zip(names, scores, strict=True)),
        labels,
        ids=names_as_bytes(ids),
        clusters=names_as_bytes(clusters),
        groups=groups,
        dont_know=None,
        none_of_the_above=None,
    )


def _comparison(analysis: Analysis, names: tuple[str, str]) -> Comparison:
    # Without a model that has an interval, nothing is tested.
    tables = [table for section in analysis.sections for table in section.tables]
    tested = [row for table in tables if table.id == "differences" for row in table.rows]
    figures = {row["model"]: row for row in analysis.table("leaderboard")}
    found = {}
    for name, key in _KEYS.items():
        found[name] = _tested(tested[0], key, names) if tested else _untested(figures, key, names)
    p = tested[0]["mcnemar_p"] if tested else None
    return Comparison(**found, mcnemar_p=p.value if isinstance(p, Figure) else None, analysis=analysis)


def _tested(row: Mapping[str, Cell], key: str, names: tuple[str, str]) -> Difference:
    difference, p = row[key], row[f"{key}_p"]
    assert isinstance(difference, Figure) and isinstance(p, Figure)
    # The table has the better model first.
    if row["first"] != names[0]:
        difference = difference.negated()
    return Difference(difference.value, difference.low, difference.high, p.value, difference.why)


def _untested(figures: Mapping[Cell, Mapping[str, Cell]], key: str, names: tuple[str, str]) -> Difference:
    a, b = (figures[name][key] for name in names)
    assert isinstance(a, Figure) and isinstance(b, Figure)
    return Difference(a.value - b.value, None, None, None, a.why or b.why)


@dataclass(frozen=True)
class Verdict:
    """Which of two models is better in one figure.

    Attributes:
        metric: "acc", "size" or "uacc".
        verdict: "a" or "b" for the better model, "equal" within the margin, "open" if not settled.
        asked: questions that it took, or all.
        of: questions there are.
        interval: what the first minus the second lies within, over all `of` questions, in fractions or
            options. Once all were asked it has no width, since nothing is left to chance: whether other
            questions would show the same is what `compare` tests.
        models: the names of the first and the second.
    """

    metric: str
    verdict: Literal["a", "b", "equal", "open"]
    asked: int
    of: int
    interval: tuple[float, float] | None
    models: tuple[str, str] = ("a", "b")

    def __str__(self) -> str:
        first, second = self.models
        said = {
            "a": f"{first} is better than {second}",
            "b": f"{second} is better than {first}",
            "equal": f"{first} and {second} are equal within the margin",
            "open": f"open between {first} and {second}",
        }[self.verdict]
        return f"{self.metric}: {said}, after {self.asked} of {self.of} questions"


def settle(
    a: ArrayLike,
    b: ArrayLike,
    labels: ArrayLike,
    *,
    metrics: Iterable[Metric] = ("acc", "size"),
    margins: Mapping[Metric, float] | None = None,
    confidence: float = 0.95,
    max_questions: int | None = None,
    names: tuple[str, str] = ("a", "b"),
    ids: Names | None = None,
    protocol: Protocol = "standard",
    alpha: float = 0.1,
    seed: int = 42,
) -> list[Verdict]:
    """How many questions, in random order, it takes to settle which model is better on all of them.

    Asking all of them settles a difference for certain, however few they are, and leaves models open that do
    not differ at all where there is no margin; whether other questions would show the same is what `compare`
    tests. All verdicts hold at all times at once with a probability of `confidence`, as those of
    `sureness compare --logits … --until settled`.

    Args:
        a: scores of the first model, as for `evaluate`.
        b: scores of the second model, in the same order of questions.
        labels: the right options, as for `evaluate`.
        metrics: the figures to settle.
        margins: the difference of a figure below which the models count as equal.
        confidence: probability that all verdicts are right.
        max_questions: questions after which to stop in any case.
        names: names of the two models.
        ids: names of the questions, which order them together with the seed.
        protocol: "standard" or "paper".
        alpha: allowed share of sets without the right option.
        seed: of the random order.

    Raises:
        ValueError: as `compare`, or for a metric that cannot be settled early.
    """
    stopping = stopping_json(metrics, margins, confidence, max_questions)
    evidence = _pair((a, b), labels, names, ids, None, None)
    options = {"protocol": protocol, "alpha": alpha, "seed": seed}
    return verdicts(evidence.play(stopping, settings_json(options)))


def stopping_json(
    metrics: Iterable[Metric],
    margins: Mapping[Metric, float] | None,
    confidence: float,
    max_questions: int | None,
) -> str:
    """When to stop, as the native half takes it."""
    wanted: dict[str, float | None] = dict.fromkeys(metrics)
    for metric, margin in (margins or {}).items():
        size = metric == "size"
        if not (margin > 0 and (size or margin < 1) and math.isfinite(margin)):
            kind = "a number of options above 0" if size else "a fraction between 0 and 1, such as 0.02 for two points"
            raise ValueError(f"the margin of {metric!r} is {margin}\nhint: give {kind}")
        wanted[metric] = float(margin)
    return json.dumps({"confidence": confidence, "metrics": wanted, "max_questions": max_questions})


def verdicts(settled: str) -> list[Verdict]:
    """The verdicts in what the native half returns."""
    found: dict[str, Any] = json.loads(settled)
    return [_verdict(pair) for pair in found["pairs"]]


def _verdict(pair: dict[str, Any]) -> Verdict:
    interval = pair["interval"]
    ends = None if interval is None else (interval[0], interval[1])
    models = pair["a"], pair["b"]
    return Verdict(pair["metric"], pair["verdict"], pair["asked"], pair["of"], ends, models)
